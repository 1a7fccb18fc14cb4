#!/bin/sh
# queue.t: whatever is killed, what a push has acknowledged is delivered, and what was acknowledged is
# not delivered again.
# RUNS=200 SEED=1 make prop T=tests/prop/queue.t
. "${0%/*}/../cli/lib.sh"

runs=${RUNS:-12}
seed=${SEED:-1}
limit=3000

# worker LOG: notes each event when it is received, and answers it. An event with "poison" kills it.
cat >worker <<'PERL'
#!/usr/bin/perl
open(my $log, '>>', $ARGV[0]) or die;
$| = 1;
while (my $line = <STDIN>) {
    syswrite $log, $line;
    kill 'KILL', $$ if $line =~ /"poison"/;
    print $line;
}
PERL

# trial SEED: two producers and three workers at once, each killed at random and started again.
# Producers push numbered lines and note the receipts; a producer that was killed goes on behind its
# last receipt, so that what was not acknowledged may be pushed twice, with another producer's turn
# in between. Every worker prints what it has done: a result is printed before the message is
# acknowledged, and what was printed in whole lines before a kill and acknowledged must not come again.
cat >trial <<'PERL'
#!/usr/bin/perl
use POSIX ':sys_wait_h';
use Time::HiRes qw(time sleep);
my ($seed) = @ARGV;
srand $seed;
my $events = 150 + int rand 500;
my $max_receives = 1 + int rand 4;
my (%pid, %pushed, @wrong);
sub slurp { open(my $in, '<', $_[0]) or return ''; local $/; my $all = <$in>; defined $all ? $all : '' }
sub whole { my $text = slurp($_[0]); $text =~ s/[^\n]*\z//; split /\n/, $text }
sub start {
    my ($in, $out, @command) = @_;
    my $pid = fork;
    return $pid if $pid;
    setpgrp;
    open STDIN, '<', $in or die;
    open STDOUT, '>>', $out or die;
    open STDERR, '>>', 'errors' or die;
    exec @command or die;
}
sub event { my ($from, $n) = @_; sprintf '{"from":"%s","n":%d,"group":%d}', $from, $n, $n % 7 }
my %acknowledged = map { $_ => 0 } 'a', 'b'; # how many of each producer
sub produce {
    my ($from) = @_;
    my $done = () = whole("receipts.$from");
    $acknowledged{$from} = $done;
    return if $done >= $events;
    open my $in, '>', "input.$from" or die;
    print $in event($from, $_), "\n" for $done + 1 .. $events;
    close $in;
    $pid{"push $from"} = start("input.$from", "receipts.$from", 'queue', 'push', 'q', '--receipts',
        '--group', '[.from,.group]');
}
my $round = 0;
sub consume {
    my ($name) = @_;
    my $file = "out." . ++$round;
    $pid{"work $name"} = start('/dev/null', $file, 'queue', 'work', 'q', '-j2', '--quiet', '--backoff',
        '1ms..5ms', '--max-receives', '1000', '--wait', '500ms', '--', 'lines:../worker', 'received');
}
my %run = ('push a' => sub { produce('a') }, 'push b' => sub { produce('b') },
    map { my $n = $_; ("work $n" => sub { consume($n) }) } 1 .. 3);
$_->() for values %run;
my $until = time + 1.5 + rand 1.5;
while (time < $until) {
    sleep 0.01 + rand 0.08;
    my @names = keys %run;
    my $name = $names[rand @names];
    next unless $pid{$name};
    kill 'KILL', $pid{$name}, -$pid{$name}; # it may not have its group yet
    waitpid delete $pid{$name}, 0;
    $run{$name}->();
}
# In the end nobody is killed any more.
for my $from ('a', 'b') {
    while (1) {
        waitpid delete $pid{"push $from"}, 0 if $pid{"push $from"};
        produce($from);
        last unless $pid{"push $from"};
    }
}
waitpid $_, 0 for values %pid;
consume('last');
waitpid $pid{'work last'}, 0;

# All that was acknowledged was delivered, and printed.
my (%received, %printed);
my @order = grep { /^\{.*\}$/ } whole('received');
$received{$_}++ for @order;
for my $file (glob 'out.*') { $printed{$_}++ for whole($file); }
for my $from ('a', 'b') {
    for my $n (1 .. $events) {
        my $event = event($from, $n);
        push @wrong, "$event was never received" unless $received{$event};
        push @wrong, "$event was never printed" unless $printed{$event};
    }
}
# Within a group the first receives come in the order of the pushes.
my (%last, %seen);
for my $event (@order) {
    my ($from, $n, $group) = $event =~ /"from":"(.)","n":(\d+),"group":(\d)/ or next;
    next if $seen{$event}++;
    push @wrong, "$event came after number $last{$from,$group} of its group"
        if $n < ($last{$from, $group} || 0);
    $last{$from, $group} = $n;
}
my $left = `queue show q`;
push @wrong, "messages are left: $left" unless $left =~ /"ready":0,"in_flight":0,"delayed":0,"blocked":0,"dead":0/;

# A poison event ends in the dead letters after exactly so many receives.
system q(echo '{"poison":1}' | queue push p);
system "queue work p --quiet --backoff 1ms..5ms --max-receives $max_receives --wait 300ms -- "
    . "lines:../worker poisoned >poison.out 2>>errors";
my @poisoned = whole('poisoned');
push @wrong, scalar(@poisoned) . " receives of the poison, not $max_receives" if @poisoned != $max_receives;
push @wrong, 'the poison is not among the dead: ' . `queue show p` unless `queue show p` =~ /"dead":1/;
print STDERR "seed $seed: $_\n" for @wrong[0 .. ($#wrong < 9 ? $#wrong : 9)];
exit(@wrong ? 1 : 0);
PERL

# After its acknowledgement nothing comes again: all are worked on to the end, then by others again.
cat >again <<'PERL'
#!/usr/bin/perl
use Time::HiRes qw(sleep);
my ($seed) = @ARGV;
srand $seed;
sub slurp { open(my $in, '<', $_[0]) or return ''; local $/; my $all = <$in>; defined $all ? $all : '' }
sub facts { `queue show q` =~ /"done":(\d+)/ ? $1 : 0 }
my $wrong = 0;
system q(seq 1 400 | queue push q) and die;
for my $round (1 .. 8) {
    my $pid = fork;
    if (!$pid) {
        setpgrp;
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        exec 'queue', 'work', 'q', '-j1', '--wait', '1s', '--max-receives', '0', '--', 'lines:../worker', 'received.again';
    }
    sleep 0.005 + rand 0.06;
    kill 'KILL', $pid, -$pid;
    waitpid $pid, 0;
    push @check, [facts(), -s 'received.again' || 0];
}
system 'queue work q --quiet --wait 200ms --max-receives 0 -- lines:../worker received.again >/dev/null';
# What was not done must come again, and nothing else: both are counted.
my $log = slurp('received.again');
for my $check (@check) {
    my ($done, $at) = @$check;
    my %again = map { $_ => 1 } split /\n/, substr $log, $at;
    next if keys %again == 400 - $done;
    print STDERR "seed $seed: $done of 400 were done, and then ", scalar keys %again, " were received\n";
    $wrong++;
}
exit($wrong ? 1 : 0);
PERL
chmod +x worker trial again

claim "$runs runs of producers and workers that are killed: nothing is lost, groups keep their order"
run_trials "$runs" "$seed" ../trial
exits 0

claim "$runs runs: nothing is delivered after its acknowledgement"
run_trials "$runs" "$seed" ../again
exits 0

finish
