#!/bin/sh
# http.t: functions behind a URL, of a server that misbehaves at random and is killed again and again:
# every event ends once, and what is done was answered with its own answer.
# SEEDS=10000 FIRST=1 make prop T=tests/prop/http.t
. "${0%/*}/../cli/lib.sh"

unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY

rounds=$(((${SEEDS:-1000} + 99) / 100))
first=${FIRST:-1}

# Start it, on the port that it had before or on any.
start_server() {
    rm -f port
    HTTP_SERVER_PORT=${port:-0} HTTP_SERVER_SEED=$1 http_server port &
    server=$!
}

port_or_end() {
    [ -e port ] || ! kill -0 "$server"
}

# Kill and start it until there is a file stop; seeds from $1 on.
disturb() {
    life=$1
    until [ -e stop ]; do
        start_server "$life"
        life=$((life + 1))
        sleep "0.$((life % 9 + 1))"
        kill -9 $server
        wait $server 2>/dev/null
    done
}

begin_round() {
    seed=$1
    rm -rf stop dead stats state
    awk -v seed="$seed" 'BEGIN { for (i = 1; i <= 1000; i++) printf "{\"n\": %d, \"of\":%d}\n", i, seed }' >events
    # A port that the system gives to nobody while the server is down.
    for try in 1 2 3 4 5 6 7 8 9; do
        port=$((10000 + ($$ * 10 + seed * 31 + try * 997) % 20000))
        start_server "$seed"
        within 60 port_or_end
        kill -9 $server 2>/dev/null
        wait $server 2>/dev/null
        [ ! -e port ] || break
    done
    check test -e port
    disturb $((seed * 1000)) &
    disturber=$!
    url=http://127.0.0.1:$port
}

end_round() {
    touch stop
    wait $disturber
    port=
}

claim "accounts for every event of $rounds streams, from seed $first on"
for seed in $(seq "$first" $((first + rounds - 1))); do
    begin_round "$seed"
    run fan-out -j8 --retries 6 --backoff 1ms..100ms --timeout 200ms --max-result 64K --quiet --stats \
        --dead dead "$url/chaos" <events
    end_round
    touch dead
    jq -c .event dead | cat "$out" - | tr -d ' ' | sort >ended
    tr -d ' ' <events | sort >expected
    same expected ended
    grep -Fxf events "$out" | cmp -s - "$out" || wrong 'answers' events "$out"
    is "$(tail -n 1 "$err" | jq -c '[.read, .read - .done - .dead]')" '[1000,0]' "seed $seed"
    is "$(tail -n 1 "$err" | jq -c '[.done, .dead]')" "[$(wc -l <"$out"),$(wc -l <dead)]" "seed $seed"
    sed 's/[^0-9]*\([0-9]*\).*/\1/' "$out" | sort -nc 2>/dev/null || wrong 'the order' events "$out"
done

claim 'does nothing twice that was answered, however often it is killed itself'
runs=0 # that were killed
for seed in $(seq "$first" $((first + (rounds + 4) / 5 - 1))); do
    begin_round "$seed"
    tries=0
    status=1
    while [ $status -ne 0 ] && [ $tries -lt 200 ]; do
        tries=$((tries + 1))
        life=$(((seed * 7 + tries * 3) % 8 + 1))
        [ $tries -lt 15 ] || life=999
        status=0
        timeout -s KILL "$((life / 10)).$((life % 10))" fan-out -j8 --retries 1000 --backoff 1ms..50ms \
            --timeout 200ms --ledger l --state state --quiet --dead dead "$url/chaos" \
            <events >"$out" 2>"$err" || status=$?
    done
    end_round
    exits 0
    out_same events
    runs=$((runs + tries - 1))
done
check test "$runs" -gt 0

finish
