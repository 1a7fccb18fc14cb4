#!/bin/sh
# warm.t: whatever is killed, of workers, clients and supervisors, every event is done, and gets its
# own answer.
# RUNS=200 SEED=1 make prop T=tests/prop/warm.t
. "${0%/*}/../cli/lib.sh"

runs=${RUNS:-10}
seed=${SEED:-1}
limit=3000

# worker PART: one that notes who it is, takes a while for that part of the events, and answers with what it was asked.
cat >worker <<'PERL'
#!/usr/bin/perl
use Time::HiRes qw(sleep);
open(my $log, '>>', 'workers') or die;
syswrite $log, "$$\n";
$| = 1;
srand $$;
my ($part) = @ARGV;
while (my $line = <STDIN>) {
    chomp $line;
    sleep rand 0.01 if rand() < $part;
    print "{\"of\":$line,\"pid\":$$}\n";
}
PERL

# trial SEED: a pool and four clients with a stream each, all killed at random and started again. A
# client that was killed begins anew, some of them with a ledger. In the end each has printed the
# answers to its own events, in their order, and nothing else.
cat >trial <<'PERL'
#!/usr/bin/perl
use Time::HiRes qw(time sleep);
my ($seed) = @ARGV;
srand $seed;
my $max = 1 + int rand 4;
my $min = int rand($max + 1);
my $part = rand() < 0.5 ? 0.2 : 0.002; # then calls are sent ahead
my (%pid, %events, @wrong, %round, %done);
sub slurp { open(my $in, '<', $_[0]) or return ''; local $/; my $all = <$in>; defined $all ? $all : '' }
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
# Its number may be another process's by now.
sub is_worker { $_[0] && slurp("/proc/$_[0]/cmdline") =~ /\.\/worker/ }
sub supervise {
    $pid{pool} = start('/dev/null', '/dev/null', 'warm', 'start', 'p', '--min', $min, '--max', $max,
        '--idle', '20ms', '--queue', 5 + int rand 100, '--grace', '200ms', '--quiet', '--', 'lines:../worker', $part);
}
sub ask {
    my ($name) = @_;
    my @more = $name % 2 ? ('--ledger', "l$name") : ();
    push @more, '--pipeline', 1 + int rand 100 if rand() < 0.3;
    $pid{$name} = start("in.$name", "out.$name." . ++$round{$name}, 'fan-out', '-j' . (1 + int rand 16),
        @more, '--retries', 100000, '--backoff', '1ms..20ms', '--dead', "dead.$name", '--quiet', '--', 'warm:p');
}
# How it has ended, if it has: true when it is through. It is said when there is no pool.
sub ended {
    my ($name, $wait) = @_;
    return 0 unless $pid{$name} && waitpid($pid{$name}, $wait ? 0 : 1) > 0;
    delete $pid{$name};
    my $status = $? >> 8;
    if ($? == 0) { $done{$name} = 1; return 1 }
    push @wrong, "client $name ended with status $?" if $status != 127;
    ask($name);
    return 0;
}
for my $name (1 .. 4) {
    my $count = 200 + int rand 800;
    open my $in, '>', "in.$name";
    print $in "{\"client\":$name,\"n\":$_}\n" for 1 .. $count;
    close $in;
    $events{$name} = $count;
}
supervise();
ask($_) for 1 .. 4;
my $until = time + 1 + rand 1.5;
my $killed = 0;
while (time < $until && @wrong < 5) {
    sleep 0.01 + rand 0.06;
    my $what = int rand 10;
    if ($what < 6) {
        my @workers = split /\n/, slurp('workers');
        my $worker = @workers ? $workers[-1 - int rand($max < @workers ? $max : @workers)] : 0;
        kill 'KILL', $worker if is_worker($worker);
    } elsif ($what < 8) {
        my $name = 1 + int rand 4;
        next if ended($name) || !$pid{$name} || $done{$name};
        kill 'KILL', $pid{$name};
        waitpid delete $pid{$name}, 0;
        ask($name);
    } elsif ($pid{pool}) {
        kill $what == 8 ? 'KILL' : 'TERM', $pid{pool};
        waitpid delete $pid{pool}, 0;
        $killed++;
        sleep rand 0.1;
        supervise();
    }
    ended($_) for grep { $pid{$_} } 1 .. 4;
}
# In the end nobody is killed any more.
for my $name (1 .. 4) {
    1 until $done{$name} || @wrong || ended($name, 1);
}
# One that has just been started dies of the signal until it is there, and does not tidy up.
my $there = time + 30;
sleep 0.02 while system('warm status p >/dev/null 2>&1') && time < $there;
kill 'TERM', $pid{pool};
waitpid $pid{pool}, 0;
for my $name (1 .. 4) {
    my @lines = split /\n/, slurp("out.$name.$round{$name}");
    push @wrong, "client $name: " . scalar(@lines) . " answers to $events{$name} events" if @lines != $events{$name};
    for my $n (1 .. @lines) {
        next if $lines[$n - 1] =~ /^\{"of":\{"client":$name,"n":$n\},"pid":\d+\}\z/;
        push @wrong, "client $name, event $n: $lines[$n - 1]";
    }
    push @wrong, "client $name has dead letters: " . substr(slurp("dead.$name"), 0, 300) if -s "dead.$name";
}
push @wrong, 'files are left: ' . join ' ', glob 'state/run/warm*' if glob 'state/run/warm*';
sleep 0.05;
for my $worker (split /\n/, slurp('workers')) {
    my $until = time + 60;
    sleep 0.02 while is_worker($worker) && time < $until;
    push @wrong, "worker $worker has outlived its pool" if is_worker($worker);
}
print STDERR "seed $seed: $_\n" for @wrong[0 .. ($#wrong < 9 ? $#wrong : 9)];
print STDERR slurp('errors') if @wrong;
exit(@wrong ? 1 : 0);
PERL
chmod +x worker trial

claim "$runs runs of pools, workers and clients that are killed: each event is answered, with its own answer"
run_trials "$runs" "$seed" timeout 600 ../trial
exits 0

finish
