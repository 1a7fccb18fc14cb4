#!/bin/sh
# throttle.t: claims about throttle, and about --rate of the other commands.
. "${0%/*}/lib.sh"

FIT_STATE=$work/fit
export FIT_STATE
seq 5 >five
seq 20 >twenty
seq 100 >many100
echo 1 >one

now() {
    date +%s%3N
}

# took MILLISECONDS COMMAND...: the command takes at least so long, but for what clocks differ.
took() {
    least=$(($1 - $1 / 50))
    shift
    began=$(now)
    "$@"
    elapsed=$(($(now) - began))
    [ "$elapsed" -ge "$least" ] || wrong 'milliseconds at least' "$least" "$elapsed"
}

claim 'passes events on as they are, each in its time'
printf '{"a":1.0e+2,  "a":2}\n"\\u0041"\n[ ]\n' >odd
took 200 run throttle --rate 10/s <odd
exits 0
out_same odd

claim 'the burst comes at once, and what follows in its time'
took 400 run throttle --rate 10/s --burst 16 <twenty
exits 0
out_same twenty

claim 'a rate of many events a second is reached, and not passed'
seq 4000 >many
took 400 run throttle --rate 10000/s <many
exits 0
out_same many

claim 'holds the sum of four processes to the rate, and reaches it'
began=$(now)
pids=
for i in 1 2 3 4; do
    seq 75 | throttle --rate 100/s --name sum >"sum.$i" &
    pids="$pids $!"
done
# shellcheck disable=SC2086 # the words are numbers
wait $pids
elapsed=$(($(now) - began))
is "$(cat sum.* | wc -l | tr -d ' ')" 300 events
[ "$elapsed" -ge 2930 ] || wrong 'milliseconds at least' 2930 "$elapsed"
[ "$elapsed" -le 11000 ] || wrong 'milliseconds at most' 11000 "$elapsed" # four would take 12000

claim 'the rate is of a name, and goes on from one process to the next'
took 900 run_sh 'for i in 1 2 3 4 5 6 7 8 9 10; do echo $i | throttle --rate 10/s --name next; done'
is "$(wc -l <"$out" | tr -d ' ')" 10 events

claim 'a key that has to wait holds up no other one'
cat >keys <<'END'
{"k":"a","n":1}
{"k":"a","n":2}
{"k":"a","n":3}
{"k":"b","n":4}
END
throttle --rate 1/h --key .k -u --dead dead1 --quiet -- file:kept <keys &
pid=$!
within 60 grep -q '"b"' kept || wrong 'the other key' '{"k":"b","n":4}' kept
is "$(grep -c '"a"' kept)" 1 'events of the first key'
kill -TERM $pid
kill -TERM $pid
wait $pid 2>/dev/null

claim 'what comes too fast is delayed, dead, or dropped'
run throttle --rate 1/h --burst 3 --on-excess drop --stats <five
exits 0
is "$(tr "\n" " " <"$out")" '1 2 3 '
is "$(jq -c '[.read,.done,.dead,.dropped]' "$err")" '[5,3,0,2]'
run throttle --rate 1/h --burst 3 --on-excess dead --dead dead <five
exits 123
is "$(jq -c '[.event,.reason,.attempts]' dead | tr '\n' ' ')" '[4,"throttled",0] [5,"throttled",0] '

claim 'what comes too fast is tried again while retries are left'
run throttle --rate 10/s --burst 3 --on-excess dead --retries 1000 --backoff 20ms..20ms <five
exits 0
out_same five

claim 'a rate of bytes counts the lines with their ends'
printf '"%098d"\n' 1 2 3 4 5 >lines # of 101 bytes
took 400 run throttle --bytes --rate 1010/s --burst 101 <lines
exits 0
out_same lines
run throttle --bytes --rate 101/h --on-excess drop --burst 202 <lines
is "$(wc -l <"$out" | tr -d ' ')" 2 lines

claim 'retries count too, for --rate of any command'
cat >flaky <<'END'
#!/bin/sh
[ "$FIT_ATTEMPT" = 3 ] && cat
END
chmod +x flaky
took 1400 run fan-out --rate 10/s --retries 2 --backoff 1ms..1ms -- ./flaky <five
exits 0
out_same five

claim 'two commands share a rate by its key'
began=$(now)
seq 10 | fan-out --rate 20/s --rate-key both -- - >one.out &
pid=$!
seq 10 | throttle --rate 20/s --name both >two.out
wait $pid
elapsed=$(($(now) - began))
[ "$elapsed" -ge 930 ] || wrong 'milliseconds at least' 930 "$elapsed"
is "$(cat one.out two.out | wc -l | tr -d ' ')" 20 events

claim 'line workers are paced, with several events in flight'
took 900 run throttle --rate 100/s --pipeline 16 -j1 -- lines:cat <many100
exits 0
out_same many100

claim 'little is read while events wait'
run_sh 'seq 100000 | throttle --rate 10/s --budget 300ms --stats 2>stats'
exits 75
check test "$(jq .read stats)" -lt 50

claim 'an adaptive rate is halved by failures, and held down by retry_after'
run throttle --rate 100/s --name down --adaptive --min-rate 1/s --quiet --dead dead2 -- false <one
run throttle --rate 100/s --name down --adaptive --min-rate 1/s --show
is "$(jq .rate "$out")" 50
run throttle --rate 100/s --name later --adaptive --min-rate 1/s --quiet --dead dead2 -- \
    sh -c 'echo "{\"errorType\":\"Busy\",\"errorMessage\":\"later\",\"retry_after\":3600}"; exit 75' <one
run throttle --rate 100/s --name later --adaptive --min-rate 1/s --show
is "$(jq .rate "$out")" 1

claim '--show tells what is left, of one name or of all'
run throttle --rate 1/h --burst 5 --name left <one
run throttle --rate 1/h --burst 5 --name left --show
exits 0
is "$(jq -c '[.name,.limit,.remaining,.retry_after]' "$out")" '["left",5,4,0]'
run throttle --rate 1/h --show
is "$(jq -r .name "$out" | tr '\n' ' ')" 'both down later left next sum '

claim 'the first signal ends what waits after the grace, the second at once'
throttle --rate 1/h --name ending --stats --quiet --dead dead3 <five >ended 2>stats &
pid=$!
within 60 test -s ended
kill -TERM $pid
kill -TERM $pid
status=0
wait $pid || status=$?
exits 143
is "$(jq -c '[.read == .done + .dead, .done]' stats)" '[true,1]'

claim 'says what does not go together'
run throttle <five
exits 2
err_like '^throttle: no --rate'
for wrong in '--rate 0/s' '--rate 10' '--rate 010/s' '--rate 1K/s' '--rate 1/s --min-rate 1/h' '--rate 1/s --adaptive' \
    '--rate 1/s --adaptive --min-rate 2/s -- cat' '--rate 1/s --burst 0' '--rate 1/s --show -- cat' '--rate 1/s --name ""'; do
    run_sh "throttle $wrong <five"
    exits 2
done
run fan-out --rate-key x -- cat
exits 2
err_like '--rate-key needs --rate'

finish
