#!/bin/sh
# every.t: whenever a process is killed, each time of a schedule is run, and none again whose end was
# committed.
# RUNS=200 SEED=1 make prop T=tests/prop/every.t
# shellcheck disable=SC2016 # functions hold $
. "${0%/*}/../cli/lib.sh"

runs=${RUNS:-4}
seed=${SEED:-1}
limit=3000
step=20 # milliseconds

# note LOG: notes its event, on a line of its own whatever was killed before, takes a while, and fails
# now and then.
cat >note <<'PERL'
#!/usr/bin/perl
use Time::HiRes qw(sleep);
my $event = <STDIN>;
open(my $log, '>>', $ARGV[0]) or die;
syswrite $log, "\n$event";
sleep rand 0.03 if rand() < 0.3;
exit(rand() < 0.1 ? 9 : 0);
PERL
chmod +x note

# trial STEP NAME PROCESSES OPTIONS... SEED: so many processes of one name at once, each killed at
# random, and started again at once or later. In the end one is left alone until it has caught up. If
# the name begins with "some", times may be left out.
cat >trial <<'PERL'
#!/usr/bin/perl
use POSIX ':sys_wait_h';
use Time::HiRes qw(time sleep);
my $seed = pop;
my ($step, $log, $processes, @options) = @ARGV;
srand $seed;
my (%pid, %reader, @wrong);
my $all = $log !~ /^some/;
my $kills = 0;
sub start {
    my ($name) = @_;
    my $writer;
    delete $reader{$name};
    pipe($reader{$name}, $writer) or die if rand() < 0.3;
    my $pid = fork;
    if (!$pid) {
        setpgrp;
        open STDIN, '<', '/dev/null';
        ($writer ? open STDOUT, '>&', $writer : open STDOUT, '>', '/dev/null') or die;
        open STDERR, '>>', "errors.$log";
        exec 'every', "${step}ms", '--name', $log, '--missed', 'all', '--quiet', @options, '--',
            '../note', $log or die;
    }
    $pid{$name} = $pid;
}
# False: it has none.
sub close_reader {
    my ($name) = @_;
    my $reader = delete $reader{$name} or return;
    close $reader;
}
sub ends {
    my ($pid, $seconds) = @_;
    my $until = time + $seconds;
    while (time < $until) {
        return 1 if waitpid($pid, WNOHANG) > 0;
        sleep 0.005;
    }
    kill 'KILL', $pid, -$pid;
    waitpid $pid, 0;
    return;
}
my $until = time + 3;
while (time < $until) {
    for my $name (1 .. $processes) {
        delete $pid{$name} if $pid{$name} && waitpid($pid{$name}, WNOHANG) > 0;
        start($name) if !$pid{$name} && rand() < 0.7;
    }
    sleep(rand() < 0.5 ? rand 0.02 : rand 0.15);
    my $name = 1 + int rand $processes;
    next unless $pid{$name};
    if (close_reader($name)) {
        push @wrong, 'it goes on though nobody reads' unless ends($pid{$name}, 60);
    } else {
        kill 'KILL', $pid{$name}, -$pid{$name}; # it may not have its group yet
        waitpid $pid{$name}, 0;
    }
    delete $pid{$name};
    $kills++;
}
kill 'KILL', $_, -$_ for values %pid;
waitpid $_, 0 for values %pid;

# The log as (scheduled, last success) in milliseconds, the first one 0.
sub slurp { open(my $in, '<', $_[0]) or return (); my @all = <$in>; @all }
sub ms { my ($text) = @_; $text =~ /T(\d+):(\d+):(\d+)\.(\d+)Z/ or return; (($1 * 60 + $2) * 60 + $3) * 1000 + $4 }
sub entries {
    my @entries;
    for my $line (grep { /^\{.*\}$/ } slurp($log)) { # whole ones: no other had ended
        my ($scheduled, $success) = $line =~ /"scheduled":"([^"]+)".*"last_success":(?:null|"([^"]+)")/
            or push(@wrong, "an odd line: $line"), next;
        push @entries, [ms($scheduled), defined $success ? ms($success) : undef];
    }
    @entries;
}
my $last = do { my @now = gmtime; my $t = time; (($now[2] * 60 + $now[1]) * 60 + $now[0]) * 1000 + 1000 * ($t - int $t) };
my $least = $all ? 100 : 10; # times that must have run
my $deadline = time + 100;
start(1);
while (time < $deadline) {
    my @entries = entries();
    my %times = map { $_->[0] => 1 } @entries;
    last if keys %times >= $least && $entries[-1][0] >= $last - 2 * $step;
    start(1) if waitpid($pid{1}, WNOHANG) > 0;
    sleep 0.05;
}
kill 'TERM', $pid{1};
waitpid $pid{1}, 0;

my (%seen, %committed, %runs);
for my $entry (entries()) {
    my ($scheduled, $success) = @$entry;
    push @wrong, "$scheduled ran again, though it was committed" if $committed{$scheduled};
    $committed{$success} = 1 if defined $success;
    $runs{$scheduled}++;
}
my @times = sort { $a <=> $b } keys %runs;
for my $i (1 .. $#times) {
    my $gap = $times[$i] - $times[$i - 1];
    push @wrong, "nothing ran between $times[$i - 1] and $times[$i]" if $all && $gap != $step;
    push @wrong, "$times[$i] is not in step with $times[$i - 1]" if $gap % $step;
}
push @wrong, 'not caught up: ' . @times . ' times, ' . ($times[-1] || 0) . " of $last"
    if @times < $least || $times[-1] < $last - 2 * $step;
my $again = grep { $_ > 1 } values %runs;
my @said = grep { !/has it$/ } slurp("errors.$log");
push @wrong, "said: $_" for @said[0 .. ($#said < 2 ? $#said : 2)];
print "$kills kills, " . @times . " times, $again of them more than once\n" if $ENV{TELL};
print STDERR "seed $seed: $_\n" for @wrong[0 .. ($#wrong < 9 ? $#wrong : 9)];
exit(@wrong ? 1 : 0);
PERL
chmod +x trial

# trials WHAT PROCESSES OPTIONS...
trials() {
    run_trials "$runs" "$seed" ../trial "$step" "$@"
    exits 0
    [ -z "${TELL:-}" ] || sed 's/^/# /' "$out"
}

claim 'one after the other: each time is run, and none again that was committed'
trials queue 1 --overlap queue

claim 'several at once, ending in any order'
trials allow 1 --overlap allow -j64

claim 'where times are left out, none comes again that was committed'
trials some-forbid 1 --missed one
trials some-replace 1 --missed one --overlap replace --grace 10ms

claim 'two processes of one name: one runs, the other goes on when it is killed'
trials two 2 --overlap queue

claim 'four at once from cron, with --once'
trials once 4 --overlap queue --once --jitter 15ms

finish
