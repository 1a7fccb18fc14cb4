#!/bin/sh
# reply.t: workers of a queue and those who ask them (fan-out --to), killed at random and started again
# over the same input: in the end the output is that of a run that calls the function itself.
# RUNS=200 SEED=1 make prop T=tests/prop/reply.t
. "${0%/*}/../cli/lib.sh"

runs=${RUNS:-9}
seed=${SEED:-1}
limit=3000

# worker LOG [fails]: notes each part when it is received, and answers it; most of them slowly.
cat >worker <<'PERL'
#!/usr/bin/perl
my ($file, $fails) = @ARGV;
open(my $log, '>>', $file) or die;
$| = 1;
while (my $line = <STDIN>) {
    syswrite $log, $line;
    my ($n) = $line =~ /"n":(\d+)/;
    select undef, undef, undef, 0.002 if $n % 5;
    print $fails && $n % 83 == 0 ? "!{\"no\":$n}\n" : "{\"was\":$n,\"square\":" . $n * $n . "}\n";
}
PERL

# trial SEED: three workers, and one or two who ask, in one of three modes:
#   one      a single event in many parts: nothing is written before all of it is there
#   ledger   many events, with --ledger
#   plain    many events; what was written when a run was killed is asked, and done, again
# In the first two nothing is done after its answer was committed, whatever is killed. That can be seen
# when all are dead: of the parts whose messages are not done then each is received later, and no other;
# but for those that fail, which may have been received as often as is allowed.
cat >trial <<'PERL'
#!/usr/bin/perl
use POSIX 'WNOHANG';
use Time::HiRes qw(time sleep);
my ($seed) = @ARGV;
srand $seed;
my $mode = ('one', 'ledger', 'plain')[$seed % 3];
my $split = $mode eq 'one' || rand() < 0.5;
my @fails = $mode eq 'ledger' ? () : 'fails'; # failures are not recorded
my ($parts, $round, $kept) = (0, 0, 0);
my (%pid, %output, %status, @wrong, @checks);
sub slurp { open(my $in, '<', $_[0]) or return ''; local $/; my $all = <$in>; defined $all ? $all : '' }
sub part { $parts++; "{\"n\":$parts}" }
open my $in, '>', 'input' or die;
if ($mode eq 'one') {
    print $in '[', join(',', map { part() } 1 .. 300 + int rand 900), "]\n";
} else {
    for (1 .. 80 + int rand 300) {
        print $in $split ? '[' . join(',', map { part() } 1 .. int rand 9) . ']' : part(), "\n";
    }
}
close $in;
my @options = ('--quiet', $split ? ('--split', '.[]', '--on-part-failure', 'null') : ());
sub start {
    my ($in, $out, @command) = @_;
    my $pid = fork;
    return $pid if $pid;
    setpgrp;
    open STDIN, '<', $in or die;
    open STDOUT, '>', $out or die;
    open STDERR, '>>', 'errors' or die;
    exec @command or die;
}
my @bound = rand() < 0.3 ? '-j' . (1 + int rand 40) : ();
sub ask {
    my ($name) = @_;
    $output{$name} = 'out.' . ++$round;
    $pid{$name} = start('input', $output{$name}, 'fan-out', @options, @bound, '--dead', "dead.$name",
        $mode eq 'ledger' ? ('--ledger', 'answers') : (), '--grace', '50ms', '--to', 'queue:q');
}
sub work {
    $pid{$_[0]} = start('/dev/null', 'printed.' . ++$round, 'queue', 'work', 'q', '-j' . (1 + int rand 3),
        '--quiet', '--backoff', '1ms..1ms', '--max-receives', '40', '--', 'lines:../worker', 'received', @fails);
}
sub end {
    my ($name, $signal) = @_;
    my $pid = delete $pid{$name};
    kill $signal, $pid;
    kill $signal, -$pid if $signal eq 'KILL'; # what it may have left of its group
    waitpid $pid, 0;
}
sub has_ended { # by itself
    my ($name) = @_;
    return 0 unless waitpid($pid{$name}, WNOHANG) == $pid{$name};
    $status{$name} = $?;
    delete $pid{$name};
}
sub fact { `queue show q 2>/dev/null` =~ /"$_[0]":(\d+)/ ? $1 : 0 }

waitpid start('input', 'expected', 'fan-out', @options, '--dead', 'dead.here', '--', 'lines:../worker', 'here',
    @fails), 0;
my $expected_status = $?;

my @askers = $mode eq 'plain' && rand() < 0.5 ? ('ask', 'other') : ('ask');
my %run = ((map { ($_ => \&ask) } @askers), map { ("work $_" => \&work) } 1 .. 3);
$run{$_}->($_) for keys %run;
my $until = time + 1.5 + rand 1.5;
while (time < $until) {
    sleep 0.01 + rand 0.08;
    my @names = keys %run;
    @names = $names[rand @names] unless rand() < 0.1; # or all at once
    my @over = grep { $_ !~ /work/ && has_ended($_) } @names;
    last if @over && $mode ne 'plain';
    for my $name (@names) {
        end($name, $name !~ /work/ && rand() < 0.2 ? 'TERM' : 'KILL') if $pid{$name};
    }
    if ($mode eq 'one' && slurp($output{'ask'}) eq slurp('expected')) { # just before it ended by itself
        $status{'ask'} = $expected_status;
        $kept = 1; # it may not have come to forgetting them
        last;
    }
    push @checks, [fact('done'), -s 'received' || 0] if @names == keys %run;
    $run{$_}->($_) for @names;
}
# In the end nobody is killed any more. What is asked anew when all was written is asked once more.
for my $name (@askers) {
    next if exists $status{$name} && !$pid{$name};
    waitpid delete $pid{$name}, 0;
    $status{$name} = $?;
}
my $received = slurp('received');
if ($mode ne 'one') {
    $run{$_}->($_) for @askers;
    for my $name (@askers) {
        waitpid delete $pid{$name}, 0;
        $status{$name} = $?;
    }
}
for my $name (@askers) {
    push @wrong, "$name ended with $status{$name}, not $expected_status" if $status{$name} != $expected_status;
    push @wrong, "$name has printed something else" if slurp($output{$name}) ne slurp('expected');
}
end($_, 'KILL') for keys %pid;

my %seen = map { $_ => 1 } split /\n/, $received;
push @wrong, scalar(keys %seen) . " of $parts parts were received" if keys %seen != $parts;
push @wrong, 'what is in the ledger was done again' if $mode eq 'ledger' && slurp('received') ne $received;
for my $check ($mode eq 'plain' ? () : @checks) {
    my ($done, $at) = @$check;
    my %again = map { $_ => 1 } split /\n/, substr $received, $at;
    my $missing = $parts - $done - keys %again;
    push @wrong, "$done of $parts were done, and then " . keys(%again) . ' were received'
        if $missing < 0 || $missing > (@fails ? int $parts / 83 : 0);
}
push @wrong, 'a worker has printed something' if grep { -s } glob 'printed.*';
my $left = `queue show q`;
push @wrong, "messages are left: $left"
    unless $left =~ /"ready":0,"in_flight":0,"delayed":0,"blocked":0,"dead":0/;
push @wrong, "answers are left: $left" unless $mode eq 'ledger' || $kept || $left =~ /"answers":0/;
push @wrong, 'some parts were asked twice: ' . fact('pushed') if $mode ne 'plain' && fact('pushed') != $parts;
my $kills = () = glob 'printed.*';
print "seed $seed: $mode, $parts parts, $kills workers, $round runs, ", scalar(@checks), " times all\n";
print STDERR "seed $seed ($mode): $_\n" for @wrong[0 .. ($#wrong < 9 ? $#wrong : 9)];
exit(@wrong ? 1 : 0);
PERL
chmod +x worker trial

claim "$runs runs of those who ask and those who work, killed: the output is that of a run without"
run_trials "$runs" "$seed" ../trial
exits 0
[ -z "${VERBOSE:-}" ] || sed 's/^/# /' "$out"

finish
