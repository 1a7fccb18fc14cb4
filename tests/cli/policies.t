#!/bin/sh
# policies.t: claims about the call policies together, as options of any command.
. "${0%/*}/lib.sh"

FIT_STATE=$work/fit
export FIT_STATE
seq 100 >hundred

claim 'a retry budget bounds retries to a part of the calls, and a hundred in ten seconds'
run fan-out -j2 --retries 5 --backoff 0s..0s --retry-budget 10% --stats --quiet --dead dead -- false <hundred
exits 123
is "$(wc -l <dead | tr -d ' ')" 100 'dead letters'
# 10 for the calls, and a hundred; more only if the run takes longer than their time
is "$(jq '.attempts - 100 <= 110 + 100 * (.seconds / 9 | floor)' "$err")" true "retries in $(cat "$err")"
is "$(jq '.attempts - 100 >= 100' "$err")" true "retries in $(cat "$err")"

claim 'without a budget all retries are made'
run fan-out -j2 --retries 1 --backoff 0s..0s --stats --quiet --dead dead -- false <hundred
is "$(jq .attempts "$err")" 200

claim 'all policies together lose nothing, with faults, for processes and for line workers'
for function in cat lines:cat; do
    for seed in 1 2 3; do
        rm -f dead
        run fan-out --breaker "b$seed" --rate 2000/s --rate-key r --bulkhead s:3 --retry-budget 50% -j4 \
            --retries 3 --backoff 1ms..2ms --fault fail=10%,crash=5% --seed "$seed" --stats --quiet --dead dead -- \
            "$function" <hundred
        is "$(jq '.read == 100 and .read == .done + .dead + .dropped' "$err")" true "counts in $(cat "$err")"
        touch dead
        { cat "$out" && jq .event dead; } | sort -n >all
        same hundred all
    done
done
run bulkhead --name s --show
is "$(jq -c '[.held,.waiting]' "$out")" '[0,0]' 'slots afterwards'

claim 'each branch of a route and each part of an event stands under the same policy'
took() {
    began=$(date +%s%3N)
    "$@"
    elapsed=$(($(date +%s%3N) - began))
}
head -n 10 hundred >ten
took run route --rate 20/s '. % 2 == 0' 'jq -c .' --else 'lines:cat' <ten
exits 0
out_same ten
[ "$elapsed" -ge 440 ] || wrong 'milliseconds at least' 440 "$elapsed"
jq -cs . ten >array
took run fan-out --split '.[]' --rate 20/s --join '.[]' -- cat <array
exits 0
out_same ten
[ "$elapsed" -ge 440 ] || wrong 'milliseconds at least' 440 "$elapsed"

claim 'the order of results is that of the events, whatever waits'
run fan-out --bulkhead o:2 -j8 --rate 500/s -- sh -c 'read -r n; case $n in *0) sleep 0.02 ;; esac; echo "$n"' <hundred
exits 0
out_same hundred

claim 'what waits for a policy ends with the first signal, after the grace'
fan-out --rate 1/h --grace 100ms --stats --quiet --dead dead2 -- cat <ten >first 2>stats &
pid=$!
within 60 test -s first
kill -TERM $pid
status=0
wait $pid || status=$?
exits 143
is "$(jq -c '[.done, .read == .done + .dead]' stats)" '[1,true]'
is "$(jq -r .reason dead2 | sort -u)" interrupted

claim 'a state that is damaged is replaced, with a warning'
run breaker --name torn --reset
printf 'what is this' >"$FIT_STATE/run/breaker-torn"
run fan-out --breaker torn -- cat <ten
exits 0
out_same ten
err_like '^fan-out: the state of the breaker torn was damaged: it begins anew$'

claim 'a name that can be none is refused'
for wrong in --breaker --rate-key; do
    run fan-out --rate 1/s "$wrong" "$(printf 'a\tb')" -- cat
    exits 2
    err_like "^fan-out: $wrong: a.b: the name holds a control byte"
done

finish
