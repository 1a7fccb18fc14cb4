# lambda.t: environments of AWS Lambda that are killed at random: nothing is lost, no event gets the
# answer of another.
. "${0%/*}/../cli/lib.sh"

events=${SEEDS:-1000}
limit=600

# killer COMMAND...: runs it, and kills one of its children at random, some ten times a second:
# one that is killed before it has answered holds up the next.
cat >killer <<'PERL'
#!/usr/bin/perl
use strict;
$SIG{TERM} = sub { };
srand($ENV{SEED});
my $pid = fork // die;
exec @ARGV or die unless $pid;
my $killed = 0;
while (waitpid($pid, 1) == 0) {
    select undef, undef, undef, 0.03 + rand 0.1;
    open my $list, '<', "/proc/$pid/task/$pid/children" or next;
    my @children = split ' ', <$list> // '';
    $killed += kill KILL => $children[rand @children] if @children;
}
open my $count, '>', 'killed';
print $count $killed;
exit($? & 127 ? 128 + ($? & 127) : $? >> 8);
PERL
chmod +x killer

# Events that say what is to be done, from a seed.
cat >make.pl <<'PERL'
srand($ARGV[0]);
my @do = @ARGV[2 .. $#ARGV];
printf qq({"n":%d,"do":"%s"}\n), $_, $do[rand @do] for 1 .. $ARGV[1];
PERL

for seed in 1 2 3; do
    SEED=$seed
    export SEED

    claim "does every event where it is tried again, seed $seed"
    perl make.pl "$seed" "$events" ok ok again last rude >input
    sed 's/.*/{"r":&}/' input >expected
    run ./killer fan-out -j4 --retries 10000 --backoff 1ms..5ms --stats -- lambda:lambda_bootstrap <input
    exits 0
    out_same expected
    err_like "\"read\":$events,\"done\":$events,\"dead\":0,\"dropped\":0"
    check test "$(cat killed)" -gt 0

    claim "accounts for every event where it is not, seed $seed"
    perl make.pl "$seed" "$events" ok ok ok again last rude error bad nothing exit kill >input
    run ./killer fan-out -j4 -u --timeout 100s --dead dead --stats -- lambda:lambda_bootstrap <input
    exits 123
    is "$(grep -o '"read":[0-9]*' "$err" | tr -dc 0-9)" "$events" 'events read'
    nothing=$(grep -c '"nothing"' input)
    {
        sed 's/^{"r":\(.*\)}$/\1/' "$out"
        jq -c .event dead
    } | sort >ended
    # Of those without a result it is only known how many were done.
    sort input >all
    is "$(comm -13 all ended)" '' 'what was never an event, or ended twice'
    is "$(comm -23 all ended | grep -cv '"nothing"')" 0 'lost'
    done=$(grep -o '"done":[0-9]*' "$err" | tr -dc 0-9)
    is "$((done + $(wc -l <dead)))" "$events" 'done and dead'
    check test "$done" -le "$(($(wc -l <"$out") + nothing))"
    is "$(grep -Ec '"do":"(error|bad|exit|kill)"' "$out")" 0 'answers of those that must fail'
    is "$(jq -r '.reason' dead | grep -Evc '^(error|bad_result|exit|signal|init)$')" 0 'other reasons'
    rm -f dead
done

claim 'a run that is killed goes on with its ledger, and prints each answer once'
perl make.pl 4 "$events" ok ok again last >input
sed 's/.*/{"r":&}/' input >expected
runs=0
status=137
while [ "$status" -eq 137 ] && [ $runs -lt 200 ]; do
    runs=$((runs + 1))
    run reaper -k "$((40 * runs))ms" fan-out -j4 --state here --ledger l --retries 100 --backoff 1ms..5ms -- lambda:lambda_bootstrap <input
done
exits 0
out_same expected
check test $runs -gt 1

finish
