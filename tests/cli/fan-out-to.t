#!/bin/sh
# fan-out-to.t: claims about fan-out --to: workers elsewhere do it, and their answers come back.
. "${0%/*}/lib.sh"

FIT_STATE=$work/state
export FIT_STATE
pids=

# Workers of a queue, until they are dismissed: employ NAME [options] -- FUNCTION...
employ() {
    queue work "$@" >>worked 2>>worked.err &
    pids="$pids $!"
}

dismiss() {
    # shellcheck disable=SC2086 # a list
    kill $pids 2>/dev/null
    # shellcheck disable=SC2086
    wait $pids 2>/dev/null
    pids=
}
trap 'dismiss; cd / && rm -rf "$work"' EXIT

# has NAME EXPRESSION VALUE, as queue show says it; holds is true when it does
has() {
    is "$(queue show "$1" | jq -c "$2")" "$3" "$2 of $1"
}

holds() {
    [ "$(queue show "$1" | jq -c "$2")" = "$3" ]
}

# What was called for, a line for each call.
cat >note <<'SH'
#!/bin/sh
event=$(cat)
echo "$event" >>calls
case $event in
*"bad"*) echo "no good" >&2; exit 65 ;;
*"odd"*) exit 3 ;;
*"none"*) exit 0 ;;
*"many"*) echo 1; echo 2; exit 0 ;;
*"wait"*) until [ -e go ]; do sleep 0.02; done ;;
esac
printf '{"was":%s}\n' "$event"
SH
chmod +x note
: >calls

# ---- as if it had been called here ----

claim 'workers elsewhere do the work, and their answers come in the order of the events'
employ squares -j2 -- awk '{ print $1 * $1 }'
employ squares -j2 -- awk '{ print $1 * $1 }'
seq 500 >numbers
run fan-out --to queue:squares --stats <numbers
exits 0
err_like '"read":500,"done":500,"dead":0,"dropped":0,"letters":0,"results":500,"attempts":500'
seq 500 | awk '{ print $1 * $1 }' >squares
out_same squares
check test ! -s worked

claim 'nothing of it is left: no message, no answer'
has squares '[.ready,.in_flight,.done,.dead,.answers]' '[0,0,500,0,0]'

claim 'with -u answers come as they are there'
run fan-out -u --to queue:squares <numbers
exits 0
sort -n "$out" >sorted
sort -n squares | cmp -s - sorted || wrong 'the results' squares sorted
dismiss

claim 'what was asked before there was a worker is answered when one comes'
run_sh '(sleep 0.3; exec queue work late -- cat) & worker=$!
    seq 3 | fan-out --to queue:late; status=$?
    kill $worker; wait; exit $status'
exits 0
out_is '1
2
3'

employ notes -j4 -- ./note

claim 'the parts of an event are joined in their order'
printf '%s\n' '{"id":1,"p":["a","b","c"]}' '{"id":2,"p":[]}' '{"id":3,"p":["d"]}' >events
run fan-out --split '.p[]' --to queue:notes <events
exits 0
out_is '[{"was":"a"},{"was":"b"},{"was":"c"}]
[]
[{"was":"d"}]'

claim '--join, --parts and --batch do what they do without --to'
run fan-out --split '.p[]' --join 'map(.was)|add' --to queue:notes <events
exits 0
out_is '"abc"
null
"d"'
run fan-out --split '.p[]' --parts --id .id --to queue:notes <events
exits 0
is "$(jq -c '[.part.group,.part.index,.part.count,.value.was]' "$out" | sort)" '["1",0,3,"a"]
["1",1,3,"b"]
["1",2,3,"c"]
["2",0,0,null]
["3",0,1,"d"]'
run fan-out --split '.p[]' --batch 2 --to queue:notes <events
exits 0
out_is '[{"was":["a","b"]},{"was":["c"]}]
[]
[{"was":["d"]}]'
seq 4 >four
run fan-out --batch 2 --to queue:notes <four
is "$(tr -d '\n' <"$out" | sed 's/}{/} {/g')" '{"was":[1,2]} {"was":[3,4]}'

claim 'a function may give nothing, or several results'
printf '"none"\n"many"\n"x"\n' >some
run fan-out --to queue:notes <some
exits 0
out_is '1
2
{"was":"x"}'
run_sh "echo '[\"none\",\"many\",\"x\"]' | fan-out --split '.[]' --to queue:notes"
out_is '[null,[1,2],{"was":"x"}]'

# ---- failures ----

claim 'the failure is the letter of who asked: the worker keeps none'
printf '"bad"\n"fine"\n' >two
run fan-out --to queue:notes --dead letters <two
exits 123
out_is '{"was":"fine"}'
is "$(jq -c '[.event,.reason,.exit,.stderr,.function,.attempts,.command]' letters)" \
    '["bad","exit",65,"no good\n","./note",1,"fan-out"]'
has notes '[.dead,.answers]' '[0,0]'

claim 'a failed part makes its event dead, is left out, or is null'
echo '["a","bad","c"]' >parts
run fan-out --split '.[]' --to queue:notes --dead fail.dead <parts
exits 123
out_is ''
is "$(jq -c '[.event,.reason,.error[0].part,.error[0].exit]' fail.dead)" '[["a","bad","c"],"parts",1,65]'
run fan-out --split '.[]' --on-part-failure skip --to queue:notes --dead skip.dead <parts
exits 0
out_is '[{"was":"a"},{"was":"c"}]'
is "$(jq -c '[.event,.part,.exit]' skip.dead)" '["bad",1,65]'
run fan-out --split '.[]' --on-part-failure null --to queue:notes --dead null.dead <parts
out_is '[{"was":"a"},null,{"was":"c"}]'

claim 'a failure that is not permanent is tried again: by the workers, then with --retries from here'
dismiss
: >calls
employ tries -j1 --backoff 1ms..1ms --max-receives 2 -- ./note
run_sh "echo '\"odd\"' | fan-out --to queue:tries --backoff 1ms..1ms --retries 2 --dead odd.dead"
exits 123
is "$(wc -l <calls)" 6
is "$(jq -c '[.reason,.exit,.attempts]' odd.dead)" '["exit",3,3]'
: >calls
run_sh "echo '\"bad\"' | fan-out --to queue:tries --backoff 1ms..1ms --retries 2 --dead bad.dead"
is "$(wc -l <calls) $(jq -c .attempts bad.dead)" '1 1'
dismiss

claim 'a worker counts a request that it has failed, and has no letter of it, not even with --dead'
echo '"bad"' >bad
fan-out --to queue:counted --dead /dev/null <bad 2>/dev/null &
asker=$!
echo '"bad"' | queue push counted
within 60 holds counted .ready 2 || wrong 'both in the queue' 2 "$(queue show counted)"
run queue work counted --until-empty --stats --dead worker.dead -- ./note
exits 123
err_like '"read":2,"done":0,"dead":2,"dropped":0,"returned":0,"letters":1'
is "$(wc -l <worker.dead)" 1
wait "$asker"
is $? 123

claim 'workers print results of what does not ask, and only those'
echo '"mine"' | fan-out --to queue:mixed >mine &
within 60 holds mixed .ready 1
echo '"theirs"' | queue push mixed
run queue work mixed --until-empty -- ./note
exits 0
out_is '{"was":"theirs"}'
wait
is "$(cat mine)" '{"was":"mine"}'

claim 'an answer larger than --max-result is a failure here, or there'
employ large -- sh -c 'head -c 100000 /dev/zero | tr "\0" 7'
run_sh 'echo 1 | fan-out --to queue:large --max-result 64K --dead large.dead'
exits 123
is "$(jq -r .reason large.dead)" bad_result
dismiss
employ large --max-result 64K -- sh -c 'head -c 100000 /dev/zero | tr "\0" 7'
run_sh 'echo 1 | fan-out --to queue:large --dead larger.dead'
is "$(jq -r .reason larger.dead)" bad_result
dismiss

claim 'large events and answers pass byte for byte'
employ large -- cat
awk 'BEGIN { printf "[\""; while (i++ < 1000000) printf "0123456789"; print "\", 1.00 ]" }' >big
run fan-out --to queue:large <big
exits 0
out_same big
dismiss

claim 'a queue that is emptied fails what was asked'
echo 1 | fan-out --to queue:emptied --quiet --dead purged.dead &
within 60 holds emptied .ready 1
queue purge emptied
wait $!
is $? 123
is "$(jq -r .reason purged.dead)" purged
echo 1 | fan-out --to queue:emptied --quiet --dead dropped.dead &
within 60 holds emptied .ready 1
queue drop emptied
wait $!
is "$(jq -r .reason dropped.dead)" purged

claim 'what workers die of again and again is poison'
echo 1 | fan-out --to queue:deadly --quiet --dead poison.dead &
asker=$!
within 60 holds deadly .ready 1
for round in 1 2; do
    # shellcheck disable=SC2016 # for the shell of the function
    queue work deadly --max-receives 2 --quiet -- sh -c 'kill -9 $PPID' 2>/dev/null
done
queue work deadly --max-receives 2 --until-empty -- cat
wait "$asker"
is "$(jq -c '[.reason,.event]' poison.dead)" '["poison",1]'

# ---- time ----

claim '--timeout is of the answer; what was not begun by then is not done any more'
run_sh 'echo 1 | fan-out --to queue:slow --timeout 1s --dead slow.dead'
exits 123
is "$(jq -c '[.reason,.message]' slow.dead)" '["timeout","no answer after 1.00s"]'
: >calls
run queue work slow --until-empty -- ./note
exits 0
is "$(cat calls)" ''
has slow '[.dropped,.answers]' '[1,0]'

claim 'an answer after --timeout is of no account, and the next attempt is asked anew'
rm -f go
employ lame -j2 --quiet -- ./note
run_sh 'echo "\"wait\"" | fan-out --to queue:lame --timeout 300ms --dead lame.dead'
exits 123
: >go
run_sh 'echo "\"wait\"" | fan-out --to queue:lame --timeout 60s'
exits 0
out_is '{"was":"wait"}'
within 60 holds lame '[.in_flight,.answers]' '[0,0]' || wrong 'what is left' nothing "$(queue show lame)"
dismiss

claim 'only so many are asked at once as --jobs says, else as many as fit'
seq 9000 >many
seq 600 >some # each waits for the disk
fan-out --to queue:bound -j3 <some >bound.out 2>/dev/null &
asker=$!
within 60 holds bound .ready 3 || wrong 'asked at once' 3 "$(queue show bound)"
employ bound -- lines:cat
wait "$asker"
same some bound.out
dismiss
fan-out --to queue:free <many >free.out 2>/dev/null &
asker=$!
within 60 holds free .ready 4096 || wrong 'asked at once' 4096 "$(queue show free)"
employ free -- lines:cat
wait "$asker"
same many free.out
dismiss

# ---- who is killed ----

# Ask for one event in several parts, of which some are answered, and be killed.
ask_and_die() {
    echo '[1,2,"wait",4]' >killed.in
    rm -f go
    : >calls
    fan-out --split '.[]' --to "queue:$1" --quiet <killed.in >killed.out 2>killed.err &
    asker=$!
    employ "$1" -j1 --quiet -- ./note
    within 60 holds "$1" .answers 2 || wrong 'two answers' 2 "$(queue show "$1")"
    kill "-$2" "$asker"
    wait "$asker" 2>/dev/null
    check test ! -s killed.out
}

claim 'a run that was killed, and is run again, has nothing done twice'
ask_and_die killed KILL
: >go
run fan-out --split '.[]' --to queue:killed <killed.in
exits 0
out_is '[{"was":1},{"was":2},{"was":"wait"},{"was":4}]'
is "$(cat calls)" '1
2
"wait"
4'
has killed '[.pushed,.answers]' '[4,0]'
dismiss

claim 'nor has one that was interrupted'
ask_and_die stopped TERM
: >go
run fan-out --split '.[]' --to queue:stopped <killed.in
exits 0
is "$(wc -l <calls)" 4
dismiss

claim 'what comes while nobody waits is kept, and found'
ask_and_die alone KILL
: >go
within 60 holds alone .answers 4 || wrong 'four answers' 4 "$(queue show alone)"
dismiss
run fan-out --split '.[]' --to queue:alone <killed.in
exits 0
is "$(wc -l <calls)" 4
has alone .answers 0

claim 'an event that was answered and written is asked again by the next run'
employ again -- ./note
: >calls
run_sh 'echo 5 | fan-out --to queue:again; echo 5 | fan-out --to queue:again'
is "$(wc -l <calls)" 2
dismiss

claim 'with --ledger it is not, and only what is missing is asked'
employ ledger -- ./note
: >calls
run_sh 'echo 5 | fan-out --to queue:ledger --ledger asked; printf "5\n6\n" | fan-out --to queue:ledger --ledger asked'
out_is '{"was":5}
{"was":5}
{"was":6}'
is "$(wc -l <calls)" 2
dismiss

claim 'what a killed worker held is done by another'
rm -f go
: >calls
echo '"wait"' | fan-out --to queue:lost >lost.out &
asker=$!
queue work lost --quiet -- ./note 2>/dev/null &
worker=$!
within 60 test -s calls || wrong 'a call' wait calls
kill -9 "$worker"
wait "$worker" 2>/dev/null
: >go
employ lost -- ./note
wait "$asker"
is "$(cat lost.out)" '{"was":"wait"}'
is "$(wc -l <calls)" 2
dismiss

# ---- several who ask ----

claim 'two runs that ask the same at once share the answers, and both have them'
: >calls
seq 20 >twenty
seq 21 >others
fan-out --to queue:shared <twenty >one.out &
one=$!
within 60 holds shared .pushed 20
fan-out --to queue:shared <others >two.out &
two=$!
within 60 holds shared .pushed 21 || wrong 'asked' 21 "$(queue show shared)"
employ shared -j2 -- ./note
wait "$one"
is $? 0
wait "$two"
is $? 0
is "$(wc -l <calls)" 21
sed 's/.*/{"was":&}/' twenty | cmp -s - one.out || wrong 'results' twenty one.out
sed 's/.*/{"was":&}/' others | cmp -s - two.out || wrong 'results' others two.out
has shared '[.pushed,.answers]' '[21,0]'
dismiss

claim 'under another --reply name the same is asked anew, and goes to who asked'
: >calls
fan-out --to queue:named --reply 'a/b c' <twenty >one.out &
one=$!
within 60 holds named .pushed 20
fan-out --to queue:named --reply other <twenty >two.out &
two=$!
within 60 holds named .pushed 40 || wrong 'asked' 40 "$(queue show named)"
employ named -j2 -- ./note
wait "$one" "$two"
is "$(wc -l <calls)" 40
same one.out two.out
is "$(wc -l <one.out)" 20
dismiss

claim 'the same bytes are not the same question in another place'
employ places -- ./note
: >calls
run_sh "echo '{\"a\":[7,7],\"b\":7}' | fan-out --split '.a[],.b' --to queue:places; echo '[7]' | fan-out --split '.[]' --to queue:places"
out_is '[{"was":7},{"was":7},{"was":7}]
[{"was":7}]'
is "$(wc -l <calls)" 4
dismiss

claim 'of events with the same --id and bytes both have an answer'
employ same -j1 -- ./note
run_sh 'seq 300 | sed s/.*/1/ | fan-out --id "\"x\"" --to queue:same'
exits 0
is "$(sort "$out" | uniq -c | tr -s ' ')" ' 300 {"was":1}'
dismiss

# ---- workers that are scripts ----

claim 'pull says that a message asks, and ack brings the answer'
seq 4 | fan-out --to queue:manual >manual.out &
asker=$!
within 60 holds manual .ready 4
run queue pull manual
out_is '{"receipt":"1-0","receives":1,"asks":true,"event":1}'
run queue ack manual 1-0 --answer '{ "a": [1,
    2.50] }'
exits 0
queue pull manual --count 3 >pulled
head -n 2 pulled | jq -c '{receipt, answer: (.event * 100)}' | queue ack manual
run queue ack manual 2-2
exits 0
wait "$asker"
is "$(cat manual.out)" '{"a":[1,2.50]}
200
300'

claim 'an answer must be JSON'
run queue ack manual 1-0 --answer '{'
exits 2
err_like '^queue ack: --answer: .*unexpected end at byte 2'

# ---- the end ----

claim 'no events: nothing is asked, and the end comes at once'
run fan-out --to queue:nothing </dev/null
exits 0
out_is ''
run queue show nothing
exits 1

claim 'a malformed line is dead here, and not asked'
employ clean -- ./note
printf '1\n{\n\0\n2' >torn
run fan-out --to queue:clean --dead torn.dead <torn
exits 123
out_is '{"was":1}
{"was":2}'
is "$(jq -r .reason torn.dead)" 'bad_json
bad_json'
has clean .pushed 2

claim 'a reader that leaves ends it quietly'
run_sh 'seq 3000 | fan-out --to queue:clean -j4 2>quiet.err | head -n 1'
out_is '{"was":1}'
check test ! -s quiet.err

claim 'results that cannot be written are an error, and their answers stay for another run'
: >calls
run_sh 'seq 3 | fan-out --to queue:clean --id . --dead full.dead >/dev/full'
exits 1
err_like 'write stdout'
is "$(jq -r .reason full.dead | sort -u)" write
run_sh 'seq 3 | fan-out --to queue:clean --id .'
exits 0
is "$(wc -l <"$out")" 3
is "$(wc -l <calls)" 3
dismiss

claim 'dead redrive asks again'
FIT_STATE=$work/redriven
employ broken -- sh -c 'test -e mended || exit 65; cat'
run_sh 'seq 2 | fan-out --to queue:broken --quiet'
exits 123
: >mended
run dead redrive --command fan-out
exits 0
out_is '1
2'
is "$(dead count --command fan-out)" 0
dismiss
FIT_STATE=$work/state

claim 'policies stand around what is asked'
employ policed --quiet --max-receives 1 -- false
run_sh 'seq 300 | fan-out --to queue:policed -j1 --breaker asked --quiet --dead policed.dead'
exits 123
check grep -q breaker_open policed.dead
dismiss

claim 'what a function is told of a request is the same in every run'
# shellcheck disable=SC2016 # for the shell of the function
employ keys -- sh -c 'echo "\"$FIT_IDEMPOTENCY_KEY\""'
run_sh 'echo 1 | fan-out --to queue:keys; echo 1 | fan-out --to queue:keys; echo 2 | fan-out --to queue:keys'
is "$(sort "$out" | uniq -c | awk '{ print $1 }' | sort | tr '\n' ' ')" '1 2 '
dismiss

# ---- the command line ----

claim '--to stands in the place of a function'
run fan-out --to queue:x -- cat
exits 2
err_like 'no function is called here'
run fan-out
exits 2
err_like 'no function'

claim '--to takes a queue'
for word in x queue: file:x "queue:$(awk 'BEGIN { while (i++ < 1025) printf "n" }')"; do
    run fan-out --to "$word"
    exits 2
done
run fan-out --reply x -- cat
exits 2
err_like '--reply needs --to'
run fan-out --to queue:x --reply ''
exits 2

claim 'what is of the function is refused: its workers have it'
for option in --text --raw --literal --pipeline=2 --max-uses=3 --max-age=1s; do
    # shellcheck disable=SC2086
    run fan-out --to queue:x $option
    exits 2
    err_like "^fan-out: ${option%%=*}: the workers call the function"
done

finish
