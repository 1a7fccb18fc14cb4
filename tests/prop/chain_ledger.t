#!/bin/sh
# chain_ledger.t: random chains with a ledger, killed at random moments and run again: against an
# uninterrupted run, and against what their functions have noted.
# KILLS=500 SEED=1 EVENTS=40 make prop T=tests/prop/chain_ledger.t
. "${0%/*}/../cli/lib.sh"

kills=${KILLS:-25} # in all, of each claim
first=${SEED:-1}
events=${EVENTS:-40}
limit=600
FIT_STATE=$work/fit
CHAIN_LOG=$work/here/log
export FIT_STATE CHAIN_LOG

# draw WHAT BELOW: a number that depends on the seed and on what it is for.
draw() {
    awk -v s="$seed$1" -v n="$2" 'BEGIN { srand(s); rand(); print int(rand() * n) }'
}

# account STAGES UNDOS WHOLE <log: what the functions have noted of all runs. WHOLE is the log of an
# uninterrupted run: which calls there are and how they end. Calls are F and U (chain_stage.c); K: the
# fitting was killed; P ID: it had printed that result; R: all is done, what follows is a rerun.
cat >account <<'PERL'
#!/usr/bin/perl
use strict;
my ($stages, $undos, $whole) = @ARGV;
my %undo = map { $_ => 1 } split /,/, $undos;
my (%ends, %stands, %now, %undone, %seen, %passed, %runs, $wrong);
my ($kills, $again) = (0, 0);
sub wrong { print "line $.: @_\n"; exit 1 if ++$wrong > 9 }
sub parent { my ($id) = @_; return $id =~ s/\.\d+\z//r }

open my $in, '<', $whole or die;
while (<$in>) {
    my (undef, $stage, $id, $end) = split;
    $ends{$id} = $end;
    next if $end eq 'f' || ($end && $stage < $stages);
    for (my $at = $id; ; $at = parent($at)) { # something came of it that ended well
        $stands{$at} = 1;
        last if $at !~ /\./;
    }
}
# A call that can be undone, and is when nothing that came of it ended well.
sub falls { my ($stage, $id) = @_; return $undo{$stage} && $stage < $stages && $ends{$id} ne 'f' && !$stands{$id} }
sub depth { return 1 + ($_[0] =~ tr/.//) }

while (<STDIN>) {
    my ($what, $stage, $id, $end, $key) = split;
    if ($what eq 'K') { $kills++; next }
    if ($what eq 'R') { $again = 1; next }
    if ($what eq 'P') { my $by = parent($stage); $passed{"$by $now{$by}"} = 1; next }
    my $before = $id =~ /\./ ? parent($id) : '';
    if ($what eq 'F') {
        wrong("$id: unknown, or with another end") if $ends{$id} ne $end;
        wrong("$id: called again, although all was done") if $again && $stands{$id};
        if ($now{$id} ne $key) { # another round
            wrong("$id: a round came back") if $seen{"$id $key"}++;
            wrong("$id: begun again, but not undone") if $now{$id} && falls($stage, $id) && !$undone{$id};
            $now{$id} = $key;
            delete $undone{$id};
        }
        wrong("$id: called while it is undone") if $undone{$id};
        wrong("$id: called again, although its result was committed") if $passed{"$id $key"};
        wrong("$id: called after what it comes of was undone") if $before && $undone{$before};
        wrong("$id: called too often") if $end ne 'f' && $ENV{ONLY_FITTING} && ++$runs{"$id $key"} > 1 + $kills;
        $passed{"$before $now{$before}"} = 1 if $before;
    } else {
        wrong("$id: undone, but it stands") if !falls($stage, $id);
        wrong("$id: undone, but it was not called") if !$now{$id};
        wrong("$id: undone under two keys") if $undone{$id} && $undone{$id} ne $key;
        wrong("$id: undone in two rounds") if !$undone{$id} && $seen{"$id $key"}++;
        $undone{$id} = $key;
        for (my $at = $before; $at; $at = $at =~ /\./ ? parent($at) : '') {
            wrong("$id: undone after what it comes of") if $undone{$at};
        }
    }
}
for my $id (keys %now) {
    wrong("$id: has failed, but is not undone") if falls(depth($id), $id) && !$undone{$id};
}
for my $id (keys %ends) {
    wrong("$id: not called") if !$now{$id};
}
exit !!$wrong;
PERL
chmod +x account

# The functions of the chain, with their undos where it has any.
words() {
    each=0
    while [ "$each" -lt "$stages" ]; do
        each=$((each + 1))
        kind=$(chain_stage kind "$seed" "$each")
        [ -z "$undos" ] || kind=stage # a worker's key is not known
        case $kind in
        stage) echo "chain_stage stage $seed $each $percent" ;;
        worker) echo "lines:chain_stage worker $seed $each $percent" ;;
        esac
        case ,$undos, in *,$each,*) echo "--undo=chain_stage undo $seed $each 30" ;; esac
    done
}

# attempt OPTION...: one run; the first options are the reaper's.
attempt() {
    life=
    [ "${1-}" != -k ] || { life="-k $2" && shift 2; }
    rm -f dead
    set -- chain --quiet --dead dead -j3 --retries 20 --backoff 1ms..2ms "$@"
    [ -z "$killing" ] || set -- sh -c 'chain_stage killer "$0" "$$" & exec "$@"' "$killing" "$@"
    while read -r function; do
        set -- "$@" "$function"
    done <list
    # shellcheck disable=SC2086 # no life is no word
    run reaper $life env ASAN_OPTIONS=detect_leaks=0 "$@" <input
}

# What is written of a whole line before the kill: results with their ids.
printed() {
    awk '{ sub(/^.*"id":"/, ""); sub(/".*/, ""); print "P " $0 }' "$1"
}

same_output() {
    if [ -n "$order" ]; then
        sort "$out" >got
        sort whole >expected
        same expected got
    else
        out_same whole
    fi
}

one_chain() {
    stages=$((2 + $(draw 1 3)))
    percent=$((10 * $(draw 2 3)))
    order=$(draw 3 3)
    killing=$(draw 4 3)
    [ "$order" -eq 0 ] && order=--unordered || order=
    [ "$killing" -eq 0 ] && killing=$seed || killing=
    ONLY_FITTING=1
    [ -z "$killing" ] || ONLY_FITTING=
    export ONLY_FITTING
    undos=
    if [ -n "$with_undo" ]; then
        each=1
        percent=$((percent + 10))
        while [ "$each" -lt "$stages" ]; do
            [ "$(draw "u$each" 3)" -eq 0 ] || undos=$undos${undos:+,}$each
            each=$((each + 1))
        done
        undos=${undos:-1}
    fi
    rm -rf "$FIT_STATE" log dead
    words | grep -v '^--undo' >list
    awk -v n="$events" 'BEGIN { for (i = 1; i <= n; i++) printf "{\"id\":\"%d\",\"n\" : 1e%d}\n", i, i }' >input
    was=$killing killing=
    attempt
    killing=$was
    ended=$status
    cp "$out" whole
    mv log log.whole
    words >list
    : >log

    span=150 round=0
    while round=$((round + 1)); [ "$round" -lt 200 ]; do
        after=$(awk -v s="$seed$round" -v n="$span" 'BEGIN { srand(s); rand(); print int(rand() * n) }')
        attempt -k "${after}ms" --ledger l ${order:+"$order"}
        [ "$status" -eq 137 ] || break
        hits=$((hits + 1))
        span=$((span + span / 10))
        echo K >>log
        if [ "$(tail -c 1 "$out" | wc -l)" -eq 1 ]; then cp "$out" part; else sed '$d' "$out" >part; fi
        [ ! -s "$out" ] || printed part >>log
    done
    [ "$status" -eq "$ended" ] || wrong 'exit status of the last run' "$ended" "$status"
    same_output
    ./account "$stages" "$undos" log.whole <log >found || wrong 'an account that adds up' '' found
    echo R >>log
    attempt --ledger l ${order:+"$order"}
    exits "$ended"
    same_output
    ./account "$stages" "$undos" log.whole <log >found || wrong 'an account that adds up' '' found
}

# chains WITH_UNDO: chains until there were enough kills.
chains() {
    with_undo=$1
    hits=0
    seed=$((first - 1))
    while [ "$hits" -lt "$kills" ] && [ "$claim_state" != failed ]; do
        seed=$((seed + 1))
        one_chain
    done
    [ "$claim_state" != failed ] || echo "# seed $seed: $stages stages, undo of ${undos:-none}, $round runs" >&2
}

claim "chains that were killed $kills times give what one run gives, and call nothing again"
chains ''

claim "with --undo, killed $kills times, nothing is undone twice, nor forgotten, nor what stands"
chains yes

# With --new each run prints what no earlier one has, but for the last of what a killed one had
# printed: at most what is under way at once, twice, as it is recorded behind.
cat >worker <<'PERL'
#!/usr/bin/perl
$| = 1;
print while <STDIN>;
PERL
cat >printed_once <<'PERL'
#!/usr/bin/perl
my ($whole, $window, @runs) = @ARGV;
my (%last, $wrong, $repeated);
for my $run (@runs) {
    open my $in, '<', $run or die;
    my @lines = grep { /\n\z/ } <$in>;
    for my $at (0 .. $#lines) {
        my $before = $last{$lines[$at]};
        $repeated++ if defined $before;
        $wrong++ if defined $before && $before > $window;
    }
    $last{$lines[$_]} = @lines - $_ for 0 .. $#lines;
}
open my $in, '<', $whole or die;
my $missing = grep { !$last{$_} } <$in>;
printf "%d missing, %d printed long ago\n", $missing, $wrong;
print STDERR "# $repeated lines came again in ", scalar @runs, " runs\n";
PERL
chmod +x worker printed_once

new_lines() {
    run reaper "$@" chain -j2 --ledger new --new lines:./worker 'lines:sed -u "s/.*/[&]/"' <input
    cp "$out" "run.$round"
    runs="$runs run.$round"
}

claim 'with --new all runs together print each result, and only the last ones of a killed run again'
seq 20000 >input
sed 's/.*/[&]/' input >whole
span=60 round=0 runs='' status=137 seed=$first
while [ "$status" -eq 137 ] && [ "$round" -lt 200 ]; do
    round=$((round + 1))
    new_lines -k "$(draw "$round" "$span")ms"
    span=$((span + span / 10))
done
exits 0
# shellcheck disable=SC2086 # the names of the files
run ./printed_once whole 8192 $runs
exits 0
out_is '0 missing, 0 printed long ago'
cat "$err" >&2
round=$((round + 1))
new_lines
out_is ''

finish
