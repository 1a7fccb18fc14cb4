# lambda.t: functions that speak the AWS Lambda Runtime API.
. "${0%/*}/lib.sh"
. "$top/tests/cli/lambda.sh"

seq 5 >five
seq 2 >two
echo 1 >one

# ---- what works ----

claim 'answers each event with what the runtime responds'
run fan-out -j1 -- lambda:./echo.rt <five
exits 0
out_is '{"r":1}
{"r":2}
{"r":3}
{"r":4}
{"r":5}'
is "$(log)" '5 response 202 {"status":"OK"}'

claim 'tells of the event in the headers that AWS has'
runtime headers.rt <<'SH'
while next; do
    tr -d '\r' <$tmp.head >>heads
    respond null
done
SH
now=$(date +%s)
run fan-out -j1 --timeout 100s -- lambda:./headers.rt <five
is "$(sed -n 's/^\([A-Za-z-]*\): .*/\1/p' heads | sort | uniq -c | sed 's/^ *//' | grep -v Date | paste -sd ';')" \
    '5 Content-Length;5 Content-Type;5 Lambda-Runtime-Aws-Request-Id;5 Lambda-Runtime-Deadline-Ms;5 Lambda-Runtime-Invoked-Function-Arn;5 Lambda-Runtime-Trace-Id'
is "$(grep -c '^Content-Type: application/json$' heads)" 5
is "$(grep -Ec '^Lambda-Runtime-Aws-Request-Id: [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' heads)" 5
is "$(grep Request-Id heads | sort -u | wc -l)" 5 'different ids'
is "$(grep -c '^Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:headers_rt$' heads)" 5
is "$(grep -Ec '^Lambda-Runtime-Trace-Id: Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=1$' heads)" 5
deadline=$(sed -n 's/^Lambda-Runtime-Deadline-Ms: //p' heads | head -n 1)
check test "$deadline" -ge $(((now + 99) * 1000)) -a "$deadline" -le $(((now + 160) * 1000))
rm heads

claim 'says a day where there is no timeout, and keeps a trace that it inherits'
# shellcheck disable=SC2031
TRACEPARENT=00-0123456789abcdef0123456789abcdef-1122334455667788-01 run fan-out lambda:./headers.rt <five
is "$(grep -c '^Lambda-Runtime-Trace-Id: Root=1-01234567-89abcdef0123456789abcdef;Parent=' heads)" 5
deadline=$(sed -n 's/^Lambda-Runtime-Deadline-Ms: //p' heads | head -n 1)
check test "$deadline" -ge $(((now + 86400) * 1000)) -a "$deadline" -le $(((now + 86600) * 1000))
rm heads log

claim 'sets the variables that runtimes look at'
mkdir fn-of-mine
cat >fn-of-mine/bootstrap <<'SH'
#!/bin/sh
. ./runtime.sh
env >variables
cat >input
while next; do respond null; done
SH
chmod +x fn-of-mine/bootstrap
run fan-out -j1 lambda:fn-of-mine/bootstrap index.handler <five
exits 0
is "$(sed -n 's/^\(AWS_LAMBDA_RUNTIME_API=127.0.0.1\):[0-9]*/\1/p' variables)" AWS_LAMBDA_RUNTIME_API=127.0.0.1
is "$(grep -E '^(_HANDLER|LAMBDA_TASK_ROOT|TZ|AWS_(DEFAULT_REGION|REGION|LAMBDA.*))=' variables | grep -v -e RUNTIME_API -e STREAM | sort)" "AWS_DEFAULT_REGION=us-east-1
AWS_LAMBDA_FUNCTION_MEMORY_SIZE=3008
AWS_LAMBDA_FUNCTION_NAME=fn-of-mine
AWS_LAMBDA_FUNCTION_VERSION=\$LATEST
AWS_LAMBDA_INITIALIZATION_TYPE=on-demand
AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/fn-of-mine
AWS_REGION=us-east-1
LAMBDA_TASK_ROOT=$PWD/fn-of-mine
TZ=:UTC
_HANDLER=index.handler"
is "$(grep -Ec '^AWS_LAMBDA_LOG_STREAM_NAME=[0-9]{4}/[0-9]{2}/[0-9]{2}/\[\$LATEST\][0-9a-f]{16}$' variables)" 1
is "$(grep -E '^FIT_(COMMAND|SLOT)' variables | sort | xargs)" 'FIT_COMMAND=fan-out FIT_SLOT=1'
is "$(cat input)" '' 'standard input'

claim 'leaves to the user what the user has set, but for where the API listens'
env AWS_LAMBDA_RUNTIME_API=example.org:1 _HANDLER=other TZ=Europe/Prague AWS_REGION=eu-west-1 AWS_LAMBDA_FUNCTION_NAME=mine \
    LAMBDA_TASK_ROOT=/opt AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128 timeout 60 fan-out -j1 lambda:fn-of-mine/bootstrap index.handler <five >"$out"
out_is 'null
null
null
null
null'
is "$(grep -E '^(_HANDLER|LAMBDA_TASK_ROOT|TZ|AWS_REGION|AWS_LAMBDA_FUNCTION_(NAME|MEMORY_SIZE)|AWS_LAMBDA_LOG_GROUP_NAME)' variables | sort | xargs)" \
    'AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128 AWS_LAMBDA_FUNCTION_NAME=mine AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/mine AWS_REGION=eu-west-1 LAMBDA_TASK_ROOT=/opt TZ=Europe/Prague _HANDLER=other'
rm -f log

claim 'hands what it prints to standard error, in whole lines'
runtime talk.rt <<'SH'
echo 'starts'
while next; do
    echo "to stdout $event"
    echo "to stderr $event" >&2
    printf 'without an end' >&2
    case $event in 2) fail '{"errorType":"E","errorMessage":"m"}' ;; *) respond "$event" ;; esac
    echo >&2
done
SH
run fan-out -j1 --quiet --dead dead -- lambda:./talk.rt <two
exits 123
out_is 1
err_is 'starts
to stdout 1
to stderr 1
without an end
to stdout 2
to stderr 2
without an end'
is "$(jq -r .stderr dead | tail -n 3)" 'to stdout 2
to stderr 2
without an end'
rm -f dead log

claim 'keeps for a dead letter what was printed since its event was handed out, no more'
runtime chatty.rt <<'SH'
echo begun >&2
while next; do
    echo "about $event" >&2
    case $event in
    1 | 3) fail '{"errorType":"T","errorMessage":"m"}' ;;
    *) respond "$event" ;;
    esac
done
SH
run fan-out -j1 --quiet --dead dead -- lambda:./chatty.rt <five
exits 123
is "$(jq -c '[.event, .stderr]' dead)" '[1,"begun\nabout 1\n"]
[3,"about 3\n"]'
rm -f dead log

claim 'keeps an environment warm, and starts one for each of the jobs that are needed'
runtime pid.rt <<'SH'
while next; do respond $$; done
SH
seq 20 >twenty
run fan-out -j1 -- lambda:./pid.rt <twenty
is "$(sort -u "$out" | wc -l)" 1 'environments'
run fan-out -j1 --max-uses 5 -- lambda:./pid.rt <twenty
exits 0
is "$(uniq -c "$out" | sed 's/^ *\([0-9]*\) .*/\1/' | xargs)" '5 5 5 5' 'events of each environment'
run fan-out -j1 --max-age 1ms -- lambda:./pid.rt <five
exits 0
is "$(sort -u "$out" | wc -l)" 5 'environments'
rm -f log

claim 'runs as many at once as there are jobs, in order all the same'
runtime meet.rt <<'SH'
while next; do
    touch "here.$event"
    until [ -e here.1 ] && [ -e here.2 ] && [ -e here.3 ] && [ -e here.4 ]; do sleep 0.01; done
    respond "$event"
done
SH
run fan-out -j4 -- lambda:./meet.rt <<'EOF'
4
3
2
1
EOF
exits 0
out_is '4
3
2
1'
rm -f here.* log

claim 'takes a response over several lines for one result, and changes nothing else'
runtime pretty.rt <<'SH'
while next; do
    case $event in
    1) respond "$(printf '{\n  "a" : [1,\r\n\t2.50]\n}\n')" ;;
    2) respond ' {"b": 1.0e5,  "b":"\ud800"} ' ;;
    3) respond null ;;
    4) respond '' ;;
    5) respond '  ' ;;
    esac
done
SH
run fan-out -j1 --stats -- lambda:./pretty.rt <five
exits 0
out_is '{"a":[1,2.50]}
{"b": 1.0e5,  "b":"\ud800"}
null'
err_like '"done":5.*"results":3'
rm -f log

claim 'takes for a failure what is no JSON'
runtime bad.rt <<'SH'
while next; do
    case $event in
    1) respond '{"a":' ;;
    2) respond '1 2' ;;
    3) respond "$(printf '"\377"')" ;;
    4) respond "$(printf '1\n2')" ;;
    5) respond '<html>' ;;
    esac
done
SH
run fan-out -j1 --dead dead -- lambda:./bad.rt <five
exits 123
is "$(jq -r .reason dead | sort | uniq -c | xargs)" '5 bad_result'
is "$(jq -r .message dead | head -n 1)" 'the answer is not JSON: unexpected end at byte 6'
is "$(log)" '5 response 202 {"status":"OK"}'
rm -f dead

claim 'takes text with --text, and hands over a string with --raw'
runtime text.rt <<'SH'
while next; do printf '%s|' "$event" >>raw; respond "$(printf 'one "line"\nanother')"; done
SH
printf '%s\n' '"a\nb"' >string
run fan-out --text --raw -- lambda:./text.rt <string
out_is '"one \"line\""
"another"'
is "$(cat raw)" 'a
b|'
rm -f raw log

claim 'counts an environment that ends after each answer as no failure'
runtime once.rt <<'SH'
next && respond "$event"
SH
run fan-out -j2 --stats -- lambda:./once.rt <twenty
exits 0
out_same twenty
err_like '"done":20.*"attempts":20,"failed_attempts":0'
rm -f log

claim 'tells cold from warm'
run invoke --times 5 -j1 --report json --event 1 -- lambda:lambda_bootstrap -d 200
exits 0
is "$(jq -c '[.cold.count, .warm.count]' "$err")" '[1,4]'

claim 'gives the call that it was started for to another that is free before'
cat >first.rt <<'SH'
#!/bin/sh
mkdir first 2>/dev/null || exec sleep 1000
exec lambda_bootstrap
SH
chmod +x first.rt
run timeout 30 fan-out -j2 --stats -- lambda:./first.rt <five
exits 0
is "$(jq -c .r "$out")" "$(cat five)"
is "$(grep '^{' "$err" | jq -c '[.done,.attempts]')" '[5,5]'

claim 'is kept ready by a pool, which waits until its environments ask'
runtime ready.rt <<'SH'
sleep 0.3
touch initialised.$$
while next; do respond $$; done
SH
run warm start p --state here --min 2 --detach --wait-ready -- lambda:./ready.rt
exits 0
is "$(find . -name 'initialised.*' | wc -l)" 2 'environments that are initialised'
is "$(warm status p --state here | jq -c '[.idle, .started, .crashed]')" '[2,2,0]'
run fan-out -j1 --state here warm:p <five
exits 0
check test -e "initialised.$(head -n 1 "$out")"
run warm stop p --state here --wait-gone
exits 0
rm -f log initialised.*

claim 'says once why none can be kept ready'
runtime never.rt <<'SH'
echo >>tries
post init init/error -d '{"errorType":"No.Such"}'
exit 1
SH
warm start p --state here --min 1 -- lambda:./never.rt 2>"$err" &
tried() { [ "$(wc -l <tries)" -ge 3 ]; }
within 60 tried || wrong 'tries' 3 "$(cat tries)"
warm stop p --state here --wait-gone
wait $!
is "$(grep -c 'its runtime says that it cannot be initialised: {"errorType":"No.Such"}$' "$err")" 1
rm -f log tries

# ---- errors ----

claim 'makes a failure of an error, which says what the runtime said, and stays warm'
runtime error.rt <<'SH'
while next; do
    case $event in
    1) fail '{"errorType":"My.Error","errorMessage":"no \u00e4","stackTrace":["a","b"]}' ;;
    2) post error "invocation/$id/error" -H 'Lambda-Runtime-Function-Error-Type: Only.Type' ;;
    3) post error "invocation/$id/error" ;;
    4) fail 'not JSON' ;;
    5) respond $$ ;;
    esac
    echo $$ >>pids
done
SH
run fan-out -j1 --dead dead -- lambda:./error.rt <five
exits 123
is "$(jq -r .reason dead | sort | uniq -c | xargs)" '4 error'
is "$(sort -u pids | xargs)" "$(cat "$out")" 'one environment'
is "$(jq -c .error dead)" '{"errorType":"My.Error","errorMessage":"no ä","stackTrace":["a","b"]}
{"errorMessage":"","errorType":"Only.Type"}
null
"not JSON"'
is "$(log)" '4 error 202 {"status":"OK"}
1 response 202 {"status":"OK"}'
rm -f dead pids

claim 'keeps the beginning of an error that is a long text, and nothing of one that is no text'
runtime long.rt <<'SH'
while next; do
    case $event in
    1) perl -e 'print "\xc3\xa4" x 100000' | post error "invocation/$id/error" --data-binary @- ;;
    2) printf '\377\0' | post error "invocation/$id/error" --data-binary @- ;;
    esac
done
SH
run fan-out -j1 --dead dead -- lambda:./long.rt <two
exits 123
is "$(jq -c '[.reason, (.error | type), (.error | length)]' dead)" '["error","string",512]
["error","null",0]'
rm -f dead log

claim 'tries an error again while retries are left'
runtime third.rt <<'SH'
n=0
while next; do
    n=$((n + 1))
    if [ $n -lt 3 ]; then fail '{"errorType":"Not.Yet"}'; else respond $n; fi
done
SH
run fan-out --retries 5 --backoff 1ms..2ms -- lambda:./third.rt <one
exits 0
out_is 3
rm -f log

# ---- what ends ----

claim 'fails the event of an environment that ends within its invocation'
for do in exit kill; do
    printf '{"do":"%s"}\n2\n' $do >events
    run fan-out -j1 --dead dead -- lambda:lambda_bootstrap <events
    exits 123
    out_is '{"r":2}'
done
is "$(jq -c '[.reason, .exit, .signal, .message]' dead)" '["exit",3,null,"exit status 3"]
["signal",null,9,"ended by signal 9 (Killed)"]'
rm -f dead
runtime leaves.rt <<'SH'
next
echo 'I am off' >&2
exit 0
SH
run fan-out --dead dead -- lambda:./leaves.rt <one
exits 123
is "$(jq -c '[.reason, .message, .stderr]' dead)" '["exit","exited before it had answered","I am off\n"]'
rm -f dead

claim 'takes what it has answered before it dies'
printf '{"do":"rude"}\n%.0s' 1 2 3 4 5 6 7 8 9 10 >events
run fan-out -j1 --stats -- lambda:lambda_bootstrap <events
exits 0
err_like '"done":10.*"attempts":10,"failed_attempts":0'

claim 'ends on a timeout the environment with all that it has started, and calls another'
runtime slow.rt <<'SH'
while next; do
    case $event in
    1) (trap '' TERM; sleep 1000) & sleep 1000 ;;
    *) respond $$ ;;
    esac
done
SH
run reaper fan-out -j1 --timeout 3s --grace 100ms --dead dead -- lambda:./slow.rt <two
exits 123
is "$(wc -l <"$out")" 1
is "$(jq -c '[.reason, .message]' dead)" '["timeout","no answer after 3.00s"]'
rm -f dead log

claim 'refuses what comes after the timeout, in the grace'
runtime late.rt <<'SH'
trap 'respond 1; post again "invocation/$id/error" -d 1; next; exit' TERM
next
touch asked
while :; do sleep 0.01; done
SH
run fan-out --timeout 3s --grace 60s --dead dead -- lambda:./late.rt <one
exits 123
is "$(jq -r .reason dead)" timeout
is "$(log)" "1 again 400 $wrong_id
1 next 403 $refused over$turn
1 response 400 $wrong_id"
rm -f dead

claim 'fails the event whose environment ends before it has asked'
cat >no-init <<'SH'
#!/bin/sh
echo 'cannot go on' >&2
case $1 in
status) exit 3 ;;
permanent) exit 65 ;;
zero) exit 0 ;;
signal) kill -KILL $$ ;;
esac
SH
chmod +x no-init
for how in status permanent zero signal; do
    run fan-out --dead dead -- lambda:./no-init $how <one
    exits 123
done
is "$(jq -c '[.reason, .exit, .signal, .message, .stderr]' dead)" \
    '["init",3,null,"exit status 3 before it asked for an event","cannot go on\n"]
["init",65,null,"exit status 65 before it asked for an event","cannot go on\n"]
["init",null,null,"exited before it asked for an event","cannot go on\n"]
["init",null,9,"ended by signal 9 (Killed) before it asked for an event","cannot go on\n"]'
rm -f dead

claim 'tries again what failed so, but for 65'
for how in 'status 4' 'permanent 1'; do
    run fan-out --retries 3 --backoff 1ms..2ms --dead dead -- lambda:./no-init "${how% *}" <one
    is "$(jq .attempts dead)" "${how#* }" 'attempts'
    rm -f dead
done

claim 'fails the event whose runtime says that it cannot be initialised'
runtime broken.rt <<'SH'
post init init/error -H 'Lambda-Runtime-Function-Error-Type: Runtime.NoSuchHandler' \
    -d '{"errorType":"Runtime.NoSuchHandler","errorMessage":"no index.js"}'
next
post again init/error -d 1
echo 'and that was it' >&2
exit 1
SH
run fan-out --dead dead -- lambda:./broken.rt <one
exits 123
is "$(jq -c '[.reason, .message, .error, .stderr]' dead)" \
    '["init","its runtime says that it cannot be initialised",{"errorType":"Runtime.NoSuchHandler","errorMessage":"no index.js"},"and that was it\n"]'
is "$(log)" "1 again 403 $refused failed$turn
1 init 202 {\"status\":\"OK\"}
1 next 403 $refused failed$turn"
rm -f dead

claim 'ends a runtime that says so and stays'
runtime stays.rt <<'SH'
post init init/error -d '{"errorType":"E"}'
exec sleep 1000
SH
run reaper fan-out --grace 100ms --dead dead -- lambda:./stays.rt <one
exits 123
is "$(jq -c '[.reason, .error]' dead)" '["init",{"errorType":"E"}]'
rm -f dead log

claim 'bounds by the timeout how long it takes until it asks'
run reaper fan-out --timeout 300ms --grace 100ms --dead dead -- lambda:sleep 1000 <one
exits 123
is "$(jq -c '[.reason, .message]' dead)" '["init","has not asked for an event within 300ms"]'
rm -f dead

claim 'ends its environments with itself, also one that is deaf, and what they have started'
runtime leaving.rt <<'SH'
(trap '' TERM; exec sleep 1000) &
while next; do respond "$event"; done
SH
run reaper fan-out -j2 --grace 100ms -- lambda:./leaving.rt <five
exits 0
out_same five
runtime daemon.rt <<'SH' # which holds its output open, and is let alone
setsid sh -c 'exec sleep 1' &
while next; do respond "$event"; done
SH
run reaper fan-out -j1 -- lambda:./daemon.rt <five
exits 0
out_same five
runtime deaf.rt <<'SH'
trap '' TERM
while :; do if next; then respond "$event"; fi; done
SH
run reaper fan-out -j2 --grace 100ms -- lambda:./deaf.rt <five
exits 0
out_same five
rm -f log

claim 'ends them when it is told to end, and when it is killed'
runtime busy.rt <<'SH'
next
touch busy
exec sleep 1000
SH
for signal in TERM:143 INT:130 KILL:137; do
    rm -f busy
    perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' reaper sh -c 'echo $$ >pid; exec "$@"' - fan-out --grace 100ms -- lambda:./busy.rt <one >"$out" 2>"$err" &
    within 60 test -f busy || wrong start busy nothing
    kill -"${signal%:*}" "$(cat pid)"
    status=0
    wait $! || status=$?
    is $status ${signal#*:} "status after $signal"
done

claim 'crashes on purpose with --fault'
run fan-out -j1 --fault crash=100% --dead dead -- lambda:lambda_bootstrap <one
exits 123
is "$(jq .signal dead)" 9
rm -f dead

# ---- words ----

claim 'refuses what cannot be a runtime before it reads anything'
run fan-out lambda: <one
exits 2
err_is "fan-out: 'lambda:': names nothing"
run fan-out 'lambda:./echo.rt' '{.id}' <one
exits 2
err_is "fan-out: 'lambda:./echo.rt {.id}': a worker's words hold no placeholders (--literal takes them as they are)"
run fan-out lambda:./not-there <one
exits 127
echo >not-executable
run fan-out lambda:./not-executable <one
exits 126

claim 'says so where libmicrohttpd is not to be had'
mkdir empty
echo >empty/libmicrohttpd.so.12
LD_LIBRARY_PATH=$PWD/empty run fan-out lambda:./echo.rt <one
exits 126
err_like "^fan-out: 'lambda:./echo.rt': serving HTTP needs libmicrohttpd: "

finish
