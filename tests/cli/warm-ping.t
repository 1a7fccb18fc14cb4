#!/bin/sh
# warm-ping.t: claims about warm ping.
. "${0%/*}/lib.sh"

# Notes each event, and answers it with its place among them.
cat >worker <<'EOT'
#!/bin/sh
while read -r event; do
    printf '%s\n' "$event" >>"events.$$"
    echo 1
done
EOT
chmod +x worker

# of FILTER: what it gives for the rounds on standard output
of() {
    jq -c "$1" "$out"
}

claim 'sends one marked event, and says how long the answer took'
run warm ping -- lines:./worker
exits 0
err_is ''
is "$(of '[.function, .sent, .answered, .failed]')" '["lines:./worker",1,1,0]'
is "$(of '.latency | .count == 1 and .min_ms > 0 and .min_ms == .max_ms')" true
is "$(of '.at | test("^20..-..-..T..:..:..\\....Z$")')" true
is "$(jq -c '[.type, .source, .warmer, .concurrency, .data]' events.*)" \
    '["fit.warm","fit:warm",true,1,{"warmer":true,"concurrency":1}]'
rm events.*

claim 'sends so many at once, each to an instance of its own, with an id of its own'
run warm ping --concurrency 5 -- lines:./worker
exits 0
is "$(of '[.sent, .answered, .cold.count, .warm.count]')" '[5,5,5,0]'
set -- events.*
is $# 5
is "$(cat events.* | jq -r .id | sort -u | wc -l)" 5
is "$(cat events.* | jq -c .data.concurrency | sort -u)" 5
rm events.*

claim 'repeats: what was cold is warm in the next round'
run_sh 'warm ping --every 10ms --timeout 20s --concurrency 2 -- lines:./worker | head -n 3'
is "$(of '[.sent, .answered, .cold.count, .warm.count]')" '[2,2,2,0]
[2,2,0,2]
[2,2,0,2]'
is "$(cat events.* | jq -r .id | sort | uniq -d)" '' # no id twice, over all rounds
rm events.*

claim 'counts each process of its own as a cold start'
run warm ping --concurrency 2 -- true
exits 0
is "$(of '[.answered, .cold.count, .warm.count]')" '[2,2,0]'

claim 'does not say of a URL what only the server knows'
http_server port log &
server=$!
trap 'kill $server $pool 2>/dev/null; cd / && rm -rf "$work"' EXIT
pool=
within 60 test -e port || exit 1
run warm ping --concurrency 3 -- "http://127.0.0.1:$(cat port)/echo"
exits 0
is "$(of '[.answered, .latency.count, .cold, .warm]')" '[3,3,null,null]'
is "$(grep -c '^POST /echo' log)" 3

claim 'exits with 123 when one was not answered, and says why'
run warm ping --concurrency 2 -- sh -c 'cat >/dev/null; mkdir first || exit 7'
exits 123
is "$(of '[.sent, .answered, .failed, .latency.count, .error.reason, .error.message]')" \
    '[2,1,1,1,"exit","exit status 7"]'
err_like '^warm: sh -c .*: 1 of 2 pings failed: exit: exit status 7$'

claim 'goes on after a round that has failed, and tells of it at the end'
run_sh 'warm ping --every 10ms --timeout 20s -- sh -c "cat >/dev/null; mkdir again && exit 9; echo 1" 2>said | head -n 2'
is "$(of '[.answered, .failed]')" '[0,1]
[1,0]'

claim 'gives an answer until the next round, or as long as --timeout says'
run_sh 'warm ping --every 50ms --grace 10ms -- sleep 1000 | head -n 1'
is "$(of '.error.reason')" '"timeout"'
run warm ping --timeout 50ms --grace 10ms -- sleep 1000
exits 123
is "$(of '.error.reason')" '"timeout"'

claim 'takes an error for no answer, and tries again only when asked'
cat >unwilling <<'EOT'
#!/bin/sh
while read -r event; do
    echo >>asked
    if [ "$(wc -l <asked)" = 1 ]; then echo '!{"errorType":"Busy","errorMessage":"no"}'; else echo 1; fi
done
EOT
chmod +x unwilling
run warm ping -- lines:./unwilling
exits 123
is "$(of '.error.reason')" '"error"'
rm asked
run warm ping --retries 1 --backoff 1ms..1ms -- lines:./unwilling
exits 0
is "$(of '[.answered, .failed, .latency.count]')" '[1,0,1]'

claim 'takes no policies: it counts in no breaker'
run warm ping --breaker b -- true
exits 2
err_like '^warm ping: --breaker: '

cat >moody <<'EOT'
#!/bin/sh
while read -r event; do
    echo "$event" >>heard
    while [ -e hang ]; do sleep 0.05; done
    if [ -e bad ]; then echo '!{"errorType":"Busy","errorMessage":"no"}'; else echo 1; fi
done
EOT
chmod +x moody
FIT_STATE=$PWD/state
export FIT_STATE

# status_is FILTER VALUE: of the pool
status_is() {
    [ "$(warm status pool | jq -c "$1")" = "$2" ]
}

# serve OPTION...: a pool of one worker, until end_pool
serve() {
    rm -f heard
    warm start pool --min 0 --max 1 --stats --trace trace --metrics metrics "$@" -- lines:./moody 2>said &
    pool=$!
    within 60 warm status pool >/dev/null || { cat said >&2; exit 1; }
}

end_pool() {
    warm stop pool
    wait "$pool"
    ended=$?
    pool=
}

claim 'a pool counts a ping in its number of pings alone'
serve
run warm ping -- warm:pool
exits 0
is "$(of '[.answered, .cold.count, .warm.count]')" '[1,1,0]' 'the pool tells what was cold'
run warm ping --concurrency 3 -- warm:pool
exits 0
is "$(of '[.answered, .cold.count, .warm.count]')" '[3,0,3]'
: >bad
run warm ping -- warm:pool
exits 123
is "$(of '[.failed, .error.reason]')" '[1,"error"]'
rm bad
check within 60 status_is .clients 0
check within 60 status_is '[.done,.failed,.refused,.dropped,.cold,.latency.count,.pings]' '[0,0,0,0,0,0,5]'
run_sh 'echo 1 | fan-out -- warm:pool'
exits 0
check within 60 status_is '[.done,.cold,.latency.count,.pings]' '[1,0,1,5]'
is "$(wc -l <heard)" 6
end_pool
is "$ended" 0
is "$(jq -c '[.read,.done,.dead,.attempts,.failed_attempts,.pings.read,.pings.done,.pings.dead]' said)" \
    '[1,1,0,1,0,5,4,1]'
is "$(wc -l <trace)" 1
is "$(grep -E '^fit_(events_read|attempts|pings_read)_total|^fit_attempts_failed' metrics | sed 's/{.*}//' | sort)" \
    'fit_attempts_total 1
fit_events_read_total 1
fit_pings_read_total 5'

claim 'a pool passes a ping by its policies: failed ones open no breaker, an open one stops none'
breaker --name b --reset --consecutive 2
serve --breaker b --retries 5 --backoff 1ms..1ms --rate 2/h
: >bad
run warm ping --concurrency 4 -- warm:pool
exits 123
is "$(of '[.failed, .error.reason]')" '[4,"error"]'
is "$(wc -l <heard)" 4 'each is tried once'
rm bad
run_sh 'echo 1 | fan-out -- warm:pool'
exits 0
breaker --name b --trip
run_sh 'echo 1 | fan-out --quiet --dead dead -- warm:pool'
exits 123
is "$(jq -r .reason dead)" breaker_open
run warm ping --concurrency 4 -- warm:pool
exits 0
is "$(of .answered)" 4
end_pool

claim 'a pool drops a ping that nobody waits for, uncounted'
serve
: >hang
echo 1 | fan-out -- warm:pool >answer &
caller=$!
check within 60 status_is .busy 1
run warm ping --timeout 1s --concurrency 2 -- warm:pool
exits 123
is "$(of .error.reason)" '"timeout"'
check within 60 status_is '[.waiting,.dropped,.pings]' '[0,0,2]'
rm hang
wait "$caller"
is "$(cat answer)" 1
is "$(wc -l <heard)" 1
end_pool

claim 'refuses what it cannot do'
run warm ping
exits 2
err_like '^warm: no function$'
run warm ping -- nosuch
exits 127
run warm ping -- -
exits 2
run warm ping -- file:x
exits 2
err_like "^warm: 'file:x': gives no answer, so there is nothing to keep warm$"
check test ! -e x
for option in '--every 0' '--every -1s' '--concurrency 0' '--concurrency 10001' '-j2'; do
    # shellcheck disable=SC2086 # words
    run warm ping $option -- true
    exits 2
done

claim 'ends at once between two rounds'
run_sh 'warm ping --every 1h -- true >lines & ping=$!
    for i in $(seq 1200); do test -s lines && break; sleep 0.05; done
    kill $ping; wait $ping'
exits 143
is "$(wc -l <lines)" 1

claim 'ends in the middle of a round'
run_sh 'warm ping --grace 50ms -- sh -c "echo >begun; exec sleep 1000" & ping=$!
    for i in $(seq 1200); do test -e begun && break; sleep 0.05; done
    kill $ping; wait $ping'
exits 143
is "$(of '.error.reason')" '"interrupted"'

claim 'fails when its line cannot be written'
run_sh 'warm ping -- true >/dev/full'
exits 1
err_like '^warm: write stdout: '

claim 'says percentiles of all rounds with -v'
run_sh 'warm ping -v --every 10ms --timeout 20s -- lines:cat | head -n 3'
err_like '^warm: lines:cat: [0-9]+ rounds, [0-9]+ pings, 0 failed$'
err_like '^cold: 1 call: min '
err_like '^warm: [0-9]+ calls?: min '

claim 'counts its pings in --stats'
run warm ping --stats --concurrency 4 -- true
exits 0
is "$(jq -c '[.read, .done, .pings, .failed_pings]' "$err")" '[1,1,4,0]'

finish
