#!/bin/sh
# invoke.t: claims about invoke: one call, its report, many calls, and recorded results.
. "${0%/*}/lib.sh"

program() { # NAME, text on stdin
    cat >"$1"
    chmod +x "$1"
}

claim 'prints the results of the function, the report apart from them'
run invoke --event '{"a":1}' -- sh -c 'cat; echo "[2]"'
exits 0
out_is '{"a":1}
[2]'
err_like '^invoke: sh -c .cat; echo "\[2\]".$'
err_like '^  id        [0-9a-f]{32}$'
err_like '^  duration  [0-9.]+(ns|us|ms|s)$'
err_like '^  cpu       [0-9.]+(ns|us|ms|s)$'
err_like '^  memory    [0-9.]+[KM] at its peak$'
err_like '^  bytes     8 in, 12 out$'
err_unlike 'failed|attempts'

claim 'takes a pretty-printed event from standard input and hands it over as one line'
printf '{\n  "a": [1,\n\t 2.50],\r\n  "s": "x  \\n y"\n}\n' >pretty
run invoke --report none -- cat <pretty
exits 0
out_is '{"a":[1,2.50],"s":"x  \n y"}'
err_is ''

claim 'keeps the spaces of an event that stands on one line'
run invoke --report none --event ' {"a" : 1.0e2} ' -- cat
out_is '{"a" : 1.0e2}'

claim 'reports as JSON'
run invoke --report json --event '{"a":1}' -- cat
exits 0
is "$(jq -c '[.ok,.attempts,.exit,.bytes_in,.bytes_out,has("reason"),has("init_ms")]' "$err")" \
    '[true,1,0,8,8,false,false]'
is "$(jq -c '.duration_ms > 0 and .cpu_ms >= 0 and .peak_kib > 0' "$err")" true
is "$(wc -l <"$err" | tr -d ' ')" 1 'lines of the report'

claim 'the id of the report is what the function sees'
run invoke --report json --event '{"a":1}' -- sh -c 'echo "\"$FIT_ID $FIT_COMMAND $FIT_ATTEMPT\""'
is "$(jq -r . "$out")" "$(jq -r .id "$err") invoke 1"
run invoke --report json --event '{"a":1}' --id .a -- cat
is "$(jq -r .id "$err")" 1

claim 'a failure is told in the report, not in a dead letter'
program failing <<'EOF'
#!/bin/sh
echo 'about to fail' >&2
echo '{"errorType":"Out","errorMessage":"of stock"}'
exit 65
EOF
run invoke --report json --event 1 -- ./failing
exits 123
out_is ''
is "$(head -n 1 "$err")" 'about to fail'
is "$(sed 1d "$err" | jq -c '[.ok,.exit,.reason,.error.errorType,.stderr]')" \
    '[false,65,"exit","Out","about to fail\n"]'
is "$(wc -l <"$err" | tr -d ' ')" 2 'lines on standard error'
run invoke --event 1 -- ./failing
exits 123
err_like '^  failed    exit: exit status 65$'
err_like '^  error     \{"errorType":"Out","errorMessage":"of stock"\}$'

claim 'names the signal that ended the function, and the timeout'
run invoke --report json --event 1 -- sh -c 'kill -9 $$'
exits 123
is "$(jq -c '[.reason,.signal,has("exit")]' "$err")" '["signal",9,false]'
run invoke --report json --event 1 --timeout 50ms -- sleep 60
exits 123
is "$(jq -r .reason "$err")" timeout

claim 'counts the attempts'
run invoke --report json --event 1 --retries 2 --backoff 1ms..2ms -- false
exits 123
is "$(jq .attempts "$err")" 3
run invoke --event 1 --retries 2 --backoff 1ms..2ms -- false
err_like '^  attempts  3$'

claim 'a line worker is started for one call: its start is told'
run invoke --event '[1]' -- lines:cat
exits 0
out_is '[1]'
err_like '^  duration  .* \(cold start: first answer after '
run invoke --report json --event '[1]' -- lines:cat
is "$(jq '.init_ms > 0' "$err")" true

claim 'refuses an event that is no JSON, or none, before anything is called'
program leaves <<'EOF'
#!/bin/sh
: >called
EOF
run invoke --event '{"a":' -- ./leaves
exits 2
err_is 'invoke: --event: unexpected end at byte 6'
run invoke -- ./leaves
exits 2
err_is 'invoke: stdin: no event (it is empty)'
printf '1\n2\n' >two
run invoke -- ./leaves <two
exits 2
err_like '^invoke: stdin: '
check test ! -e called

claim 'an event larger than --max-event is refused'
run_sh 'head -c 100000 /dev/zero | tr "\0" 1 | invoke --max-event 64K -- cat'
exits 1
err_is 'invoke: stdin: more than 64K'

claim 'a function that is not there is said, with the status of a shell'
run invoke --event 1 -- ./none
exits 127
err_is 'invoke: ./none: not found'
echo x >plain
run invoke --event 1 -- ./plain
exits 126
err_like '^invoke: ./plain: '

claim 'text functions, raw strings and placeholders work as in the other fittings'
run invoke --report none --event '"x y"' --raw --text -- sed 's/x/z/'
out_is '"z y"'
run invoke --report none --event '{"n":"a b"}' --text -- printf '%s.' '{.n}'
out_is '"a b."'

claim '--times calls so often and prints the results of one call'
run invoke --times 5 --event 1 -- sh -c 'echo x >>calls; cat'
exits 0
out_is 1
is "$(wc -l <calls | tr -d ' ')" 5 calls
err_like '^invoke: sh .*: 5 times, 0 failed$'
err_like '^cold: 5 calls: min .*, p50 .*, p95 .*, p99 .*, max '
err_unlike '^warm'
err_like '^  < .* [0-9]+ #+$'

claim '--times tells cold from warm calls of a line worker'
run invoke --times 50 --report json --event 1 -- lines:cat
exits 0
is "$(jq -c '[.cold.count,.warm.count,.failed]' "$err")" '[1,49,0]'
is "$(jq -c '.warm | .min_ms <= .p50_ms and .p50_ms <= .p95_ms and .p99_ms <= .max_ms' "$err")" true

claim '--times makes calls at once only when asked'
program overlap <<'EOF'
#!/bin/sh
mkdir busy 2>/dev/null || echo overlap >>overlaps
sleep 0.01
rmdir busy 2>/dev/null
cat
EOF
run invoke --times 8 --report none --event 1 -- ./overlap
exits 0
check test ! -e overlaps

claim '--fault fails calls on purpose; --seed repeats which'
run invoke --times 200 --event 1 --fault fail=10% --seed 1 --report json -- lines:cat
exits 123
jq .failed "$err" >first
run invoke --times 200 --event 1 --fault fail=10% --seed 1 --report json -- lines:cat
jq .failed "$err" >again
same first again
is "$(jq '. > 0 and . < 100' first)" true 'some fail, not most'
run invoke --event 1 --fault fail=100% --report json -- cat
exits 123
is "$(jq -r .reason "$err")" fault
run invoke --event 1 --fault crash=100% --report json -- sleep 60
exits 123
is "$(jq -c '[.reason,.signal]' "$err")" '["signal",9]'
run invoke --times 50 --event 1 --fault crash=100% --report json -- cat
exits 123
is "$(jq .failed "$err")" 50 'one that is done before it can be killed has failed, too'

claim 'retries get over faults'
run invoke --times 50 --event 1 --fault fail=30% --seed 3 --retries 20 --backoff 1ms..1ms \
    --report json -- lines:cat
exits 0
is "$(jq .failed "$err")" 0

claim '--record keeps the results, --expect finds them equal'
program square <<'EOF'
#!/bin/sh
jq -c '{n, square: (.n * .n), list: [1,2]}'
EOF
run invoke --report none --event '{"n":4}' --record want -- ./square
exits 0
same want "$out"
run invoke --report none --event '{"n":4}' --expect want -- ./square
exits 0
err_is ''

claim '--expect heeds values, not the order of members or spaces'
run invoke --report none --expect want --event '{"list": [1, 2], "square": 16, "n": 4}' -- cat
exits 0
err_is ''

claim '--expect names each difference by its path'
run invoke --report none --expect want --event '{"n":4,"square":8,"list":[1,3],"more":true}' -- cat
exits 123
is "$(LC_ALL=C sort "$err")" 'invoke: .list[1]: expected 2, got 3
invoke: .more: expected nothing, got true
invoke: .square: expected 16, got 8'
out_is '{"n":4,"square":8,"list":[1,3],"more":true}'

claim 'nothing is recorded when the call fails, and a missing record is an error'
run invoke --report none --event 1 --record not -- false
exits 123
check test ! -e not
run invoke --report none --event 1 --expect not -- cat
exits 1
err_like '^invoke: .*not: No such file'
run invoke --report none --event 1 --record none/x -- cat
exits 1
err_like 'none'

finish
