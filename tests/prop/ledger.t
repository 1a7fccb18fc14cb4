#!/bin/sh
# ledger.t: a run that is killed at any moment and run again does nothing twice that it had committed.
# KILLS=500 EVENTS=10000 SEED=1 make prop T=tests/prop/ledger.t
. "${0%/*}/../cli/lib.sh"

kills=${KILLS:-25}
events=${EVENTS:-2000}
seed=${SEED:-1}
limit=3000
FIT_STATE=$work/fit
export FIT_STATE

# worker LOG: gives each line back, and notes it before.
cat >worker <<'PERL'
#!/usr/bin/perl
my ($log) = @ARGV;
open(my $notes, '>>', $log) or die;
$| = 1;
while (my $line = <STDIN>) {
    chomp $line;
    syswrite $notes, "$line\n";
    print "$line\n";
}
PERL

# killed KILLS SEED LAST COMMAND...: run the command over "input" again and again, killed at random
# moments, then once to the end, into the file LAST. What a killed run has printed was committed: the
# function that gave it must not be called for it again. The last function notes to log.last what it
# was given, which is what it prints.
cat >killed <<'PERL'
#!/usr/bin/perl
use POSIX ':sys_wait_h';
use Time::HiRes qw(time sleep);
my ($kills, $seed, $last, @command) = @ARGV;
srand $seed;
sub slurp { open(my $in, '<', $_[0]) or return ''; local $/; my $all = <$in>; defined $all ? $all : '' }
sub start {
    my $pid = fork;
    return $pid if $pid;
    setpgrp;
    open STDIN, '<', 'input' or die;
    open STDOUT, '>', $_[0] or die;
    exec @command or die;
}
my (%printed, $wrong, $hits);
my $span = 0.3;
for my $round (1 .. $kills) {
    my $noted = -s 'log.last' || 0;
    my $began = time;
    unlink 'killed.out'; # it may be killed before it has opened it
    my $pid = start('killed.out');
    my $after = rand $span;
    my $over = 0;
    while (time - $began < $after) {
        last if $over = waitpid($pid, WNOHANG);
        sleep 0.002;
    }
    if (!$over) { $hits++; kill 'KILL', $pid, -$pid; waitpid $pid, 0; }
    else { $span = 0.8 * (time - $began) + 0.02; }
    $span *= 1.3 unless $over;
    $span = 3 if $span > 3;
    if ($over) { # it came to its end: begin anew, so that later kills meet work too
        system 'rm', '-rf', "$ENV{FIT_STATE}/ledger", glob 'log.*';
        %printed = ();
        next;
    }
    my %ran;
    $ran{$_}++ for split /\n/, substr(slurp('log.last'), $noted);
    for my $event (keys %ran) {
        next unless $printed{$event};
        print STDERR "round $round: $event was printed before, and ran again\n";
        $wrong++;
    }
    my $out = slurp('killed.out');
    $out =~ s/[^\n]*\z//;
    for my $line (split /\n/, $out) {
        $printed{$_} = 1 for $line =~ /^\[(.*)\]$/ ? split(/,/, $1) : $line;
    }
}
my $pid = start($last);
waitpid $pid, 0;
print STDERR "the last run ended with $?\n" if $?;
print "$hits killed\n";
exit 1 if $wrong || $? ;
PERL
chmod +x worker killed

seq -f '{"n":%.0f,"text":"some text that makes the line longer"}' 1 "$events" >input.flat
awk -v events="$events" 'BEGIN {
    for (i = 0; i < events; i += 10) {
        printf "{\"id\":%d,\"parts\":[", i
        for (j = 0; j < 10; j++) printf "%s%d", j ? "," : "", i + j
        print "]}"
    }
}' >input.parts

# trial LEDGER FITTING WORDS...: uninterrupted without a ledger; with one, killed and run again; and
# once more, which must call nothing.
trial() {
    ledger=$1
    fitting=$2
    shift 2
    rm -f log.*
    last_command="$fitting $*"
    "$fitting" "$@" <input >whole 2>"$err" || wrong 'exit status of an uninterrupted run' 0 "$?"
    rm -f log.*
    run ./killed "$kills" "$seed" last "$fitting" --ledger "$ledger" "$@"
    exits 0
    [ "$kills" -lt 20 ] || out_unlike '^[0-4]? killed'
    same whole last
    cat log.* | wc -l >before
    last_command="$fitting --ledger $ledger $*"
    status=0
    "$fitting" --ledger "$ledger" "$@" <input >"$out" 2>"$err" || status=$?
    exits 0
    out_same whole
    is "$(cat log.* | wc -l)" "$(cat before)" 'calls, after a rerun of what was complete'
}

cp input.flat input
claim "fan-out with line workers, killed $kills times"
trial flat fan-out -j2 -- lines:'./worker' log.last

claim "fan-out --unordered, killed $kills times, has the same lines"
rm -f log.*
run ./killed "$kills" "$seed" last fan-out -u -j3 --ledger unordered -- lines:./worker log.last
exits 0
sort last >last.sorted
sort whole >whole.sorted
same whole.sorted last.sorted

claim "chain, killed $kills times"
trial chain chain -j2 'lines:./worker log.first' 'lines:./worker log.last'

claim "fan-out --split, killed $kills times"
cp input.parts input
trial parts fan-out -j2 --split '.parts[]' -- lines:./worker log.last

finish
