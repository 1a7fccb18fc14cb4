#!/bin/sh
# chain.t: functions one after another.
. "${0%/*}/lib.sh"

# A function that fails for the events given to it, else passes them on.
cat >picky <<'END'
#!/bin/sh
IFS= read -r event
for bad; do
    [ "$event" != "$bad" ] || { echo "no $event" >&2; exit 3; }
done
printf '%s\n' "$event"
END
# Prints its event twice: {"x":1} becomes {"x":1,"of":1} and {"x":1,"of":2}.
cat >twice <<'END'
#!/bin/sh
sed 's/}$/,"of":1}/p;s/,"of":1}$/,"of":2}/'
END
# A line worker that flushes each line.
cat >worker <<'END'
#!/usr/bin/perl
$| = 1;
while (<STDIN>) { s/^(\d+)$/[$1]/; print }
END
chmod +x picky twice worker
# The counts of --stats among other lines.
counts() {
    sed -n '/^{"read":/p' "$err" | jq -c "$1"
}

printf '{"n":%s,"n" : 1.0e+5,"\\u00e9":" x "}\n  [1 ,2]  \n' 123456789012345678901234567890 >exact

claim 'passes an unchanged event through all stages byte for byte'
run chain cat cat cat <exact
exits 0
out_same exact
run chain cat lines:cat - <exact
out_same exact

claim 'gives the results of a stage to the next, in depth-first order'
printf '{"x":1}\n{"x":2}\n' >events
run chain ./twice ./twice <events
exits 0
out_is '{"x":1,"of":1,"of":1}
{"x":1,"of":1,"of":2}
{"x":1,"of":2,"of":1}
{"x":1,"of":2,"of":2}
{"x":2,"of":1,"of":1}
{"x":2,"of":1,"of":2}
{"x":2,"of":2,"of":1}
{"x":2,"of":2,"of":2}'

claim 'keeps the order when later events are quicker'
cat >slow_first <<'END'
#!/bin/sh
read -r event
[ "$event" != 1 ] || until [ -e go ]; do sleep 0.01; done
[ "$event" != 9 ] || : >go
echo "$event"
END
chmod +x slow_first
rm -f go
seq 9 >events
run chain -j4 cat ./slow_first cat <events
exits 0
out_same events

claim 'with -u gives the results of quicker events first'
rm -f go
run chain -u -j4 cat ./slow_first cat <events
exits 0
is "$(head -n 1 "$out" | grep -c 1)" 0 'a slow first result'
is "$(sort "$out" | tr -d '\n')" 123456789 'results'

claim 'keeps the order within an event with -u'
run chain -u -j4 ./twice ./twice ./twice <<'END'
{"x":1}
{"x":2}
{"x":3}
END
for x in 1 2 3; do
    grep "\"x\":$x" "$out" | sort >"sorted$x"
    grep "\"x\":$x" "$out" >"got$x"
    same "sorted$x" "got$x"
    is "$(grep -c . "got$x")" 8 results
done

claim 'a result without a line ends its strand'
run chain --stats 'grep -v 2' cat <events
exits 123
run chain --stats 'sed /2/d' cat <events
exits 0
is "$(counts '[.done,.results]')" '[9,8]' counts

claim 'a failure stops only that sub-event, and the letter holds the input of its stage'
printf '{"x":1}\n{"x":2}\n' >events
run chain --dead dead --stats --quiet ./twice "./picky '{\"x\":1,\"of\":2}'" cat <events
exits 123
out_is '{"x":1,"of":1}
{"x":2,"of":1}
{"x":2,"of":2}'
is "$(jq -c '[.event,.reason,.exit,.stage,.attempts,.command,.stderr]' dead)" \
    '[{"x":1,"of":2},"exit",3,2,1,"chain","no {\"x\":1,\"of\":2}\n"]' letter
is "$(counts '[.read,.done,.dead,.letters,.results]')" '[2,1,1,1,3]' counts
rm -f dead

claim 'a failure at the first stage names stage 1 and holds the event as it was read'
run chain --quiet false cat <exact
exits 123
is "$(jq -c .stage "$err")" '1
1' stages
is "$(sed -n 's/^{"event":\(.*\),"reason":"exit".*/\1/p' "$err")" "$(cat exact)" events

claim 'retries belong to the call of a stage'
cat >third <<'END'
#!/bin/sh
cat
[ "$FIT_ATTEMPT" -ge 3 ] || exit 75
END
chmod +x third
run_sh 'echo 1 | chain --stats --retries 2 --backoff 1ms..1ms ./third cat ./third'
exits 0
out_is 1
is "$(counts '[.attempts,.failed_attempts]')" '[7,4]' attempts

claim 'a stage that hangs is ended after its --timeout, and nothing survives'
run_sh 'seq 3 | reaper chain --timeout 2s --grace 200ms --dead dead --quiet cat "sh -c \"read x; [ \$x != 2 ] || { sleep 1000 & wait; }; echo \$x\""'
exits 123
out_is '1
3'
is "$(jq -c '[.event,.reason,.stage]' dead)" '[2,"timeout",2]' letter
rm -f dead

claim 'the idempotency key is the same in every run and attempt, and another for each sub-event and stage'
cat >key <<'END'
#!/bin/sh
echo "$1 $FIT_IDEMPOTENCY_KEY $FIT_ATTEMPT" >>keys
sed p
[ "$FIT_ATTEMPT" -ge 2 ] || exit 75
END
chmod +x key
for i in 1 2; do
    rm -f keys
    run_sh 'printf "1\n1\n" | chain -j3 --retries 1 --backoff 1ms..1ms "./key a" "./key b" "./key c"'
    exits 0
    sort keys >"keys$i"
done
same keys1 keys2
is "$(cut -d ' ' -f 2 keys | sort -u | grep -c .)" 14 'keys (2 events, 1 + 2 + 4 calls each)'
is "$(grep -c . keys)" 28 'attempts'

claim '--stage-jobs bounds each stage by its own number'
cat >count <<'END'
#!/bin/sh
: >"run.$1.$$"
set -- "$1" run."$1".*
echo "$1 $(($# - 1))" >>counts
n=0
while [ $n -lt 3 ]; do n=$((n + 1)); sleep 0.01; done
rm -f "run.$1.$$"
cat
END
chmod +x count
rm -f counts
run_sh 'seq 20 | chain --stage-jobs 3,1 "./count a" "./count b"'
exits 0
is "$(awk '$1 == "b" && $2 > 1' counts)" '' 'more than one call of b at once'
is "$(awk '$1 == "a" && $2 > 3' counts)" '' 'more than three calls of a at once'
is "$(sort counts | sed -n '/^a [23]/p' | grep -c . | sed 's/^[1-9].*/some/')" some 'calls of a at once'

claim '--stage-jobs must name a number for each stage, strictly'
for value in 1 1,2,3 '1,' ,1 1,,2 1,0 1,01 1,-1 '1, 2' 1,2x 1,99999; do
    run chain --stage-jobs "$value" cat cat </dev/null
    exits 2
    err_like '^chain: --stage-jobs: '
done

claim 'a sink stands only at the end'
run chain - cat </dev/null
exits 2
err_like "^chain: '-': only the last function may be a sink"
run chain cat file:made cat </dev/null
exits 2
check test ! -e made
seq 3 >events
run chain cat file:made <events
exits 0
out_is ''
same events made

claim 'a file at the end gets the lines in the order in which stdout would'
seq 9 >events
for order in '' -u; do
    rm -f go made
    run_sh "chain -j4 $order cat ./slow_first 'sed p' file:made <events"
    exits 0
    sed p events >expected
    [ -z "$order" ] || { sort -n made >sorted && mv sorted made; }
    same expected made
done
rm -f made
run_sh 'echo 1 | chain --stats "seq 50000" lines:cat file:made'
exits 0
seq 50000 >expected
same expected made
is "$(counts '[.done,.results]')" '[1,0]' counts
rm -f made
run_sh 'seq 50000 | chain --stats file:made.zst'
exits 0
zstd -q -d made.zst
same expected made
rm -f made

claim 'a file that cannot be written makes dead letters of its stage'
run_sh 'seq 3 | chain --dead dead cat file:/dev/full'
exits 1
is "$(jq -c '[.event,.reason,.stage]' dead)" '[1,"write",2]
[2,"write",2]
[3,"write",2]' letters
rm -f dead

claim 'a function that cannot be split, found or executed is an error before anything is read'
run chain cat "sh -c 'x" </dev/null
exits 2
run chain cat ./nothing <events
exits 127
err_like '^chain: \./nothing: not found'
run chain cat ./events <events
exits 126

claim '--explain prints the plan, calls nothing and makes no file'
run chain --explain -j3 --timeout 1.5s --retries 2 --dead bad.ndjson './parse --strict' lines:./enrich file:made.ndjson
exits 0
err_is ''
out_is "stage  function          as                        jobs  timeout  retries
    1  ./parse --strict  a process for each event     3    1.50s        2
    2  lines:./enrich    line workers                 3    1.50s        2
    3  file:made.ndjson  a file
Results come in the order of the input.
What fails goes to bad.ndjson."
check test ! -e made.ndjson
run chain --explain --stage-jobs 4,1 -u --from 2 cat cat
out_like '^    1  cat +a process for each event +4 '
out_like '^    2  cat +a process for each event +1 '
out_like '^Dead letters of stage 2 go on there\.$'
out_like '^Results come as events finish\.$'
run_sh 'chain --explain cat cat >/dev/full'
exits 1

claim '--from auto takes each letter up at its own stage, byte for byte'
rm -f dead
first=$(head -n 1 exact)
run chain --quiet --dead dead cat "./picky '  [1 ,2]  '" "./picky '$first'" <exact
exits 123
is "$(jq -c .stage dead | sort | tr -d '\n')" 23 stages
run chain --from auto --dead again 'sh -c "cat; echo 0"' 'sh -c "cat; echo 2"' 'sh -c "cat; echo 3"' <dead
exits 0
sort "$out" >got
{ cat exact && printf '2\n3\n3\n3\n'; } | sort >expected
same expected got

claim '--from keeps the identity: a letter that is redriven has the same keys as its event'
cat >identity <<'END'
#!/bin/sh
echo "$1 $FIT_ID $FIT_IDEMPOTENCY_KEY" >>ids
[ ! -e fail ] || [ "$1" != b ] || exit 65
sed p
END
chmod +x identity
printf '1\n1\n{"id":"x","source":"s","specversion":"1.0"}\n' >events
rm -f ids
run chain './identity a' './identity b' './identity c' <events
sort ids | uniq >ids.whole
rm -f ids
: >fail
run chain --quiet --dead first './identity a' './identity b' './identity c' <events
run chain --quiet --dead second --from auto './identity a' './identity b' './identity c' <first
rm -f fail
run chain --from auto './identity a' './identity b' './identity c' <second
exits 0
is "$(grep -c . "$out")" 24 results
sort ids | uniq >ids.redriven
same ids.whole ids.redriven
is "$(cut -d ' ' -f 2 ids.whole | sort -u | tail -n 1)" 's#x' identity
rm -f first second

claim '--from N takes letters of that stage, and gives the others back as they were'
run chain --quiet --from 3 --dead again cat cat cat <dead
exits 123
out_is "$(head -n 1 exact)"
is "$(jq -c '[.event,.stage,.reason,.message]' again)" \
    '[[1,2],2,"bad_event","a letter of stage 2, but --from is 3"]' letter
run chain --quiet --from 2 --dead again2 cat cat cat <again
exits 0
out_is '  [1 ,2]  '
run chain --quiet --from auto --dead again3 cat <dead
exits 123
is "$(jq -c .message again3 | sort -u)" '"a letter of stage 2, but the chain ends with stage 1"
"a letter of stage 3, but the chain ends with stage 1"' messages
rm -f dead again again2 again3

claim '--from: what is no dead letter, or holds no event, is dead again with the reason'
printf '%s\n' '{"a":1}' '7' '{"reason":"exit"}' '{"raw":"{","reason":"bad_json"}' \
    '{"base64":"/w==","reason":"bad_json"}' '{"event":1,"reason":"exit","stage":"x"}' \
    '{"event":1,"reason":"exit","stage":0}' '{"event":1,"reason":"exit","stage":1.5}' \
    '{"event":1,"reason":"exit","stage":99999999999999999999999}' \
    '{"event": {"b" : 2} , "reason": "exit", "stage": 2}' '{"event":3,"reason":"write"}' >letters
run chain --quiet --from auto --dead again 'sh -c "cat; echo \"one\" | jq -R ."' cat <letters
exits 123
out_is '{"b" : 2}
3
"one"'
is "$(jq -r '.message' again)" 'no dead letter: it has no "reason"
no dead letter: it has no "reason"
no dead letter: it has no "event"
the letter'"'"'s bytes are no event ("raw")
the letter'"'"'s bytes are no event ("base64")
no dead letter: its "stage" is no number of a stage
no dead letter: its "stage" is no number of a stage
no dead letter: its "stage" is no number of a stage
no dead letter: its "stage" is no number of a stage' messages
is "$(jq -c '.event' again)" "$(head -n 9 letters | jq -c .)" 'the whole lines'

claim '--from is strict'
for value in 0 3 01 -1 x Auto 1,2; do
    run chain --from "$value" cat cat </dev/null
    exits 2
    err_like '^chain: --from: '
done

claim 'a line of 10 MB passes through processes and workers'
awk 'BEGIN { for (i = 0; i < 1000000; i++) printf "0123456789"; print "" }' | sed 's/.*/{"x":"&"}/' >long
run chain --max-event 20M --max-result 20M cat lines:cat cat <long
exits 0
out_same long

claim 'a function that never reads its input gives its results all the same'
cat long exact >both
run chain --max-event 20M 'echo 5' 'sh -c "exec 0<&-; echo 6"' <both
exits 0
out_is '6
6
6'

claim 'a stage that prints more than --max-result is a dead letter of that stage'
run_sh 'echo 1 | chain --quiet cat "sh -c \"yes 1234567 | head -c 100M\"" cat'
exits 123
is "$(jq -c '[.event,.reason,.stage]' "$err")" '[1,"bad_result",2]' letter

claim 'an event that becomes a hundred thousand is done in bounded memory'
seq 100000 >expected
run_sh 'echo 1 | chain --stats "seq 100000" lines:./worker lines:cat | tr -d "[]"'
exits 0
out_same expected
if ! sanitized; then
    run_sh 'ulimit -v 65536; echo 1 | chain --stats "seq 100000" lines:cat - | tail -n 1'
    out_is 100000
fi

claim 'a hundred thousand failures of one event are written as they come'
run_sh 'echo 1 | chain --quiet --stats --dead many "seq 20000" "lines:perl -ne \"BEGIN{\\$|=1}print qq(!no\\n)\""'
exits 123
is "$(counts '[.read,.dead,.letters]')" '[1,1,20000]' counts
is "$(jq -c .event many | sort -n | cmp - expected 2>&1 | grep -c differ)" 0 events
rm -f many

claim 'results of a long event are written before it ends'
mkfifo long_out
cat >endless <<'END'
#!/usr/bin/perl
$| = 1;
while (<STDIN>) {
    if ($_ == 500) { until (-e 'seen') { select(undef, undef, undef, 0.01) } }
    print;
}
END
chmod +x endless
rm -f seen
run_sh 'echo 1 | chain -j1 "seq 1000" lines:./endless cat |
    while read -r n; do [ "$n" != 400 ] || : >seen; echo "$n"; done'
exits 0
is "$(grep -c . "$out")" 1000 results

claim 'a slow last stage is felt up to the source'
cat >gated <<'END'
#!/bin/sh
until [ -e open ]; do sleep 0.01; done
cat
END
chmod +x gated
rm -f open calls
run_sh 'seq 1000 | chain -j2 "sh -c \"echo >>calls; cat\"" cat ./gated & pid=$!
    i=0
    while [ $i -lt 600 ] && [ "$(cat calls 2>/dev/null | wc -l)" -lt 8 ]; do i=$((i + 1)); sleep 0.1; done
    sleep 0.2
    wc -l <calls >called
    : >open
    wait $pid'
exits 0
check test "$(cat called)" -ge 2 -a "$(cat called)" -le 40
is "$(grep -c . "$out")" 1000 results

claim 'SIGTERM in the middle ends it, leaves nothing behind and loses nothing'
cat >stuck <<'END'
#!/bin/sh
read -r event
case $event in
[123]) echo "$event" ;;
*) : >"stuck.$event"; sleep 1000 & wait ;;
esac
END
chmod +x stuck
last_command='chain under SIGTERM'
status=0
mkfifo idle
reaper chain -j2 --grace 300ms --stats --dead dead cat ./stuck cat <idle >"$out" 2>"$err" &
pid=$!
exec 9>idle
seq 50 >&9
within 60 test -e stuck.4 || wrong 'the fourth event' reached 'not reached'
within 60 test -s "$out" || wrong 'results' some none
kill -TERM "$pid"
wait "$pid" || status=$?
exec 9>&-
exits 143
out_is '1
2
3'
is "$(counts '.read == .done + .dead + .dropped')" true 'the sum'
is "$(counts .dead)" "$(grep -c . dead)" 'letters'
is "$(jq -r .reason dead | sort -u)" interrupted reason
run chain --from auto --quiet cat cat cat <dead
exits 0
is "$(sort -n "$out" | head -n 2 | tr '\n' ' ')" '4 5 ' 'first of the redriven'
rm -f dead

claim 'SIGTERM in the middle of a long event: results and letters are all of it'
cat >hundred <<'END'
#!/usr/bin/perl
$| = 1;
while (<STDIN>) { sleep 1000 if $. > 100; print }
END
chmod +x hundred
echo 1 >one
last_command='chain under SIGTERM'
status=0
reaper chain --quiet -j1 --grace 300ms --dead dead 'seq 2000' lines:./hundred cat <one >came 2>"$err" &
pid=$!
within 60 test -s came || wrong 'results' some none
kill -TERM "$pid"
wait "$pid" || status=$?
exits 143
{ cat came && jq -c .event dead; } | sort -n >got
seq 2000 >expected
same expected got
run chain --quiet --from auto 'seq 3' cat cat <dead
exits 0
is "$(grep -c . "$out")" "$(grep -c . dead)" 'results of the redrive'
rm -f dead

claim 'results that cannot be written are an event with a letter of its own, beside those of its parts'
run_sh 'echo 1 | chain --dead dead "seq 20" "grep -v 7" >/dev/full'
exits 1
is "$(jq -c '[.reason, .event]' dead | sort | xargs)" '[exit,17] [exit,7] [write,1]'
rm -f dead

claim 'a reader that leaves early ends a long event quietly'
run_sh 'echo 1 | reaper chain "seq 1000000" lines:cat | head -n 1'
out_is 1
err_is ''

claim '--halt now ends what is under way of an event'
run_sh 'seq 100 | chain --quiet --halt now,fail=1 -j2 --dead dead "sh -c \"seq 50\"" "./picky 7"'
exits 123
rm -f dead

finish
