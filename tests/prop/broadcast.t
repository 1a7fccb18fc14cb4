#!/bin/sh
# broadcast.t: broadcasts that are ended by signals at any moment: what was read has ended, for every
# subscriber, as noted by it or as a letter that names it. A twentieth of SEEDS runs [50]; SEED=N
# repeats one.
# SEEDS=4000 make prop T=tests/prop/broadcast.t
. "${0%/*}/../cli/lib.sh"
seeds=$((${SEEDS:-1000} / 20))
[ "$seeds" -gt 0 ] || seeds=1
first=${SEED:-1}
last=${SEED:-$seeds}
limit=3000

# A worker: notes what it gets in a file, is at times slow, and fails for some.
cat >noter <<'PERL'
#!/usr/bin/perl
use Time::HiRes 'sleep';
my ($notes, $slow, $fails) = @ARGV;
open(my $out, '>>', $notes) or die;
$| = 1;
while (my $line = <STDIN>) {
    syswrite $out, $line;
    chomp $line;
    sleep 0.002 if $slow && $line % $slow == 0;
    print $fails && $line % $fails == 0 ? "!\"no\"\n" : "$line\n";
}
PERL

# ended SEED: one run; what is wrong with it.
cat >ended <<'PERL'
#!/usr/bin/perl
use Time::HiRes 'sleep';
my ($seed) = @ARGV;
srand $seed;
my $full = (qw(block spill spill drop))[rand 4];
my $buffer = (1, 3, 50, 1024)[rand 4];
my $main = rand() < 0.5 && 'main';
my @words = ('broadcast', '--stats', '--quiet', '--dead=dead', "--when-full=$full", "--buffer=$buffer",
    '-j' . (1 + int rand 3), '--grace=' . (1, 30, 300)[rand 3] . 'ms', '--result=' . ($main || 'none'),
    "main=lines:./noter main 0 0", 'file=file:file', 'slow=lines:./noter slow 2 7', 'other=lines:./noter other 5 3');
unlink qw(dead errors main file slow other);
my $pid = open(my $out, '-|') // die;
if (!$pid) {
    open STDIN, '<', 'numbers' or die;
    open STDERR, '>', 'errors' or die;
    $SIG{TERM} = $SIG{INT} = 'DEFAULT';
    exec @words or die;
}
my $signals = 1 + int rand 2;
my $reader = fork // die;
if (!$reader) {
    for (1 .. $signals) { sleep rand 0.4; kill rand() < 0.5 ? 'TERM' : 'INT', $pid; }
    exit;
}
my %printed;
while (my $line = <$out>) { chomp $line; $printed{$line}++; }
close $out;
my ($status, $killed) = ($? >> 8, $? & 127);
waitpid $reader, 0;
my ($stats, @wrong);
exit if $killed && !-e 'main'; # before it could take signals
open(my $errors, '<', 'errors') or die;
for (<$errors>) { $stats = $_ if /^\{"read"/; }
push @wrong, "no statistics" if !$stats;
$status = 128 + $killed if $killed; # a second signal, when all was over
push @wrong, "exit status $status" if !grep { $_ == $status } 0, 123, 130, 143;
my ($read, $done, $dead, $dropped) = map { $stats =~ /"$_":(\d+)/ } qw(read done dead dropped);
push @wrong, "$read read, $done + $dead + $dropped" if $read != $done + $dead + $dropped;
push @wrong, "$dropped dropped" if $dropped && $full ne 'drop';
my (%letters, %died);
if (open(my $letters, '<', 'dead')) {
    for (<$letters>) {
        my ($event, $name) = /^\{"event":(\d+),.*"function":"(\w+)=.*\}$/ or die $_;
        push @wrong, "a second letter of $event for $name" if $letters{$name}{$event}++;
        $died{$event}++;
    }
}
push @wrong, "$dead dead, letters of " . keys %died if $dead != keys %died;
push @wrong, "exit status 0" if $dead && !$status;
my %had;
for my $name (qw(main file slow other)) {
    my ($last, $ordered) = (0, 1);
    open(my $notes, '<', $name) or next;
    for (<$notes>) {
        chomp;
        push @wrong, "$name had $_ twice" if $had{$name}{$_}++;
        $ordered &&= $_ > $last;
        $last = $_;
    }
    push @wrong, "$name had them in another order" if $name eq 'file' && !$ordered;
}
for my $event (1 .. $read) {
    for my $name (qw(main file slow other)) {
        my $ended = $had{$name}{$event} || $letters{$name}{$event};
        push @wrong, "$event is lost for $name" if !$ended && $full ne 'drop';
    }
    push @wrong, "$event has no result" if $main && $full ne 'drop' && !$printed{$event} && !$letters{main}{$event};
    last if @wrong > 5;
}
for my $name (keys %letters) {
    push @wrong, "a letter about $_, which was not read" for grep { $_ > $read } keys %{$letters{$name}};
}
print "seed $seed: @words: @wrong[0 .. ($#wrong < 5 ? $#wrong : 5)]\n" if @wrong;
PERL
chmod +x noter ended
seq 8000 >numbers

claim "$seeds broadcasts that are ended early account for what they have read"
: >wrongs
seed=$first
while [ "$seed" -le "$last" ]; do
    perl ended "$seed" >>wrongs
    seed=$((seed + 1))
done
is "$(cat wrongs)" ''

finish
