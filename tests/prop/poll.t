#!/bin/sh
# poll.t: whatever is killed, a poll hands on every change of a list, and none again that it has handed
# on; and asks on from its cursor as far as all is handled.
# KILLS=200 SEED=1 make prop T=tests/prop/poll.t
. "${0%/*}/../cli/lib.sh"

kills=${KILLS:-40}
seed=${SEED:-1}
limit=3000

# handler LOG: notes each event that it has handled, right before it says so; some it fails on, and some
# kill it.
cat >handler <<'PERL'
#!/usr/bin/perl
use Time::HiRes qw(sleep);
open(my $out, '>>', $ARGV[0]) or die;
$| = 1;
while (my $line = <STDIN>) {
    my $fate = rand;
    sleep rand 0.01 if rand() < 0.2;
    kill 'KILL', $$ if $fate < 0.02;
    $fate < 0.1 and print(qq(!{"errorType":"no"}\n)), next;
    syswrite $out, $line;
    print $fate < 0.5 ? "\n" : $line;
}
PERL

cat >common.pl <<'PERL'
use strict;
use warnings;
use JSON::PP;
use POSIX ':sys_wait_h';
use Time::HiRes qw(time sleep);
our ($seed, $kills) = @ARGV;
our (@wrong, @runs, $pid);
srand $seed;
sub whole { open(my $in, '<', $_[0]) or return (); map { chomp; decode_json($_) } <$in> }
sub replace {
    my ($name, $text) = @_;
    open my $out, '>', "$name.new" or die;
    print $out $text;
    close $out or die;
    rename "$name.new", $name or die;
}
sub start {
    my (@command) = @_;
    my $run = @runs;
    my ($reader, $writer);
    pipe($reader, $writer) or die if rand() < 0.3;
    push @runs, {log => "log.$run", reader => $reader};
    $pid = fork;
    return $run if $pid;
    setpgrp;
    open STDIN, '<', '/dev/null' or die;
    ($writer ? open STDOUT, '>&', $writer : open STDOUT, '>', "out.$run") or die;
    open STDERR, '>>', 'errors' or die;
    exec @command, '--', 'lines:./handler', "log.$run" or die;
}
# Until something is handled, or for a while; sometimes not at all.
sub settle {
    my $until = time + 2;
    return if rand() < 0.2;
    sleep 0.005 while !-s $runs[-1]{log} && time < $until;
}
# Nobody reads any more: what is not written then comes again.
sub leave {
    my $until = time + 60;
    close delete $runs[-1]{reader};
    $runs[-1]{killed} = 1;
    while (time < $until) {
        sleep 0.005;
        next if waitpid($pid, WNOHANG) <= 0;
        push @wrong, "run $#runs, left by its reader, ended with status $?" if $? && $? != 75 << 8;
        return;
    }
    push @wrong, 'it goes on though nobody reads';
    kill 'KILL', $pid, -$pid;
    waitpid $pid, 0;
}
sub stop {
    my ($signal) = @_;
    return leave() if $runs[-1]{reader};
    kill $signal, -$pid if $signal eq 'KILL';
    kill $signal, $pid; # which may have no group of its own yet
    waitpid $pid, 0;
    $runs[-1]{killed} = $signal eq 'KILL' || $? == 15;
    push @wrong, "run $#runs ended with status $?"
        if $signal ne 'KILL' && $? != 143 << 8 && $? != 15;
}
# Look until nothing is left.
sub finish {
    my (@command) = @_;
    for my $try (1 .. 500) {
        my $run = start(@command, '--once');
        waitpid $pid, 0; # what it prints fits into a pipe
        return if $? == 0 && !-s "log.$run";
        push @wrong, "a last run ended with status $?" if $? && $? != 75 << 8;
    }
    push @wrong, 'there is always something left';
}
sub report {
    print STDERR "seed $seed: $_\n" for @wrong[0 .. ($#wrong < 9 ? $#wrong : 9)];
    exit(@wrong ? 1 : 0);
}
1;
PERL

# The model: what a key was last known as. Values are never used twice, but for that there is none; so
# what an event is from tells whether the one before it was known. The last event of a key in a run that
# was killed may be known or not.
cat >list <<'PERL'
#!/usr/bin/perl
require './common.pl';
our ($seed, $kills, @wrong, @runs);
my %list;
my $fresh = 0;
sub change {
    for (1 .. 1 + rand 8) {
        my $key = int rand 12;
        rand() < 0.3 ? delete $list{$key} : ($list{$key} = ++$fresh);
    }
    my @items = map { rand() < 0.5 ? qq({"k":$_,"v":$list{$_},"noise":${\rand}})
                                   : qq({"noise":1, "v":$list{$_}.0,"k":$_}) }
        sort { rand() <=> 0.5 } keys %list;
    replace('items', '[' . join(',', @items) . ']');
}
my @command = ('poll', '--every', '3ms', '--name', 'list', '--check', 'cat items', '--items', '.',
    '--key', '.k', '--ignore', '.noise', '-j3', '--first', 'emit');
change();
for my $kill (1 .. $kills) {
    start(@command, rand() < 0.5 ? '-u' : '--quiet');
    settle();
    for (1 .. rand 10) {
        sleep rand 0.03;
        change();
    }
    sleep rand 0.05;
    stop(rand() < 0.8 ? 'KILL' : 'TERM');
}
finish(@command);

my (%known, $events);
for my $run (0 .. $#runs) {
    my %last;
    for my $event (whole($runs[$run]{log})) {
        my ($type, $data) = ($event->{type}, $event->{data});
        my ($key, $old, $new) = ($data->{key}, map { $_ ? $_->{v} : 0 } @$data{qw(old new)});
        my @before = exists $last{$key} ? ($last{$key}) : @{$known{$key} || [0]};
        $events++;
        push @wrong, "run $run: $key goes from $old to $new, and was known as @before"
            unless grep { $_ == $old } @before;
        my $wanted = 'fit.poll.' . ($old ? $new ? 'updated' : 'deleted' : 'created');
        push @wrong, "run $run: $type of $key, from $old to $new" if $type ne $wanted;
        $last{$key} = $new;
        $known{$key} = $runs[$run]{killed} ? [$old, $new] : [$new];
    }
}
for my $key (keys %known) {
    my $is = $list{$key} || 0;
    push @wrong, "$key is $is at last, and known as @{$known{$key}}"
        unless grep { $_ == $is } @{$known{$key}};
}
exists $known{$_} or push @wrong, "$_ was never handed on" for keys %list;
print "$events events, $fresh values, ", scalar(@runs), " runs\n";
report();
PERL

# A check that counts on from the cursor, up to what stands in "end".
cat >count <<'PERL'
#!/usr/bin/perl
my $from = defined $ENV{FIT_CURSOR} ? $ENV{FIT_CURSOR} : 0;
open(my $in, '<', 'end') or die;
my $to = <$in>;
$to = $from + 20 if $to > $from + 20;
print '{"rows":[', join(',', $from + 1 .. $to), ']';
print qq(,"next":$to) if $to > $from;
print "}\n";
PERL
cat >cursor <<'PERL'
#!/usr/bin/perl
require './common.pl';
our ($seed, $kills, @wrong, @runs);
my $end = 5;
my @command = ('poll', '--every', '3ms', '--name', 'cursor', '--check', './count', '--items', '.rows',
    '--cursor', '.next', '--data', '-j3', '--first', 'emit');
push @command, '--key', '.' if $seed % 2;
replace('end', $end);
for my $kill (1 .. $kills) {
    start(@command, rand() < 0.5 ? '-u' : '--quiet');
    settle();
    for (1 .. rand 10) {
        sleep rand 0.03;
        replace('end', $end += int rand 9);
    }
    sleep rand 0.05;
    stop(rand() < 0.8 ? 'KILL' : 'TERM');
}
finish(@command);

my (%handled, %in, $events);
for my $run (0 .. $#runs) {
    my $open = open(my $log, '<', $runs[$run]{log}) or next;
    for my $n (map { chomp; $_ } <$log>) {
        $events++;
        my $before = $handled{$n};
        push @wrong, "$n was handled in run $before, which was not killed, and in run $run"
            if defined $before && ($before == $run || !$runs[$before]{killed});
        $handled{$n} = $run;
    }
}
$handled{$_} or defined $handled{$_} or push @wrong, "$_ of $end was not handled" for 1 .. $end;
push @wrong, "$_ was handled, of $end" for grep { $_ > $end } keys %handled;
print "$events events, $end numbers, ", scalar(@runs), " runs\n";
report();
PERL
chmod +x handler list count cursor

for trial in list cursor; do
    claim "$trial: killed $kills times it misses no change, and repeats none that is known"
    last_command="$trial $seed $kills"
    status=0
    rm -rf state log.* out.*
    FIT_STATE=$PWD/state "./$trial" "$seed" "$kills" >"$out" 2>"$err" || status=$?
    exits 0
    sed 's/^/# /' "$out"
done

finish
