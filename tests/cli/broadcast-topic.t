#!/bin/sh
# broadcast-topic.t: claims about durable topics: publishing, subscribing, looking, removing.
. "${0%/*}/lib.sh"

FIT_STATE=$work/topics
export FIT_STATE
nl='
'

# What --list says of a subscriber: fact NAME@TOPIC EXPRESSION
fact() {
    broadcast --list "${1#*@}" | jq -c "select(.subscriber == \"${1%%@*}\") | $2"
}

# fact_is NAME@TOPIC EXPRESSION VALUE
fact_is() {
    is "$(fact "$1" "$2")" "$3" "$2 of $1"
}

fact_was() {
    [ "$(fact "$1" "$2")" = "$3" ]
}

topic_is() {
    is "$(broadcast --list | jq -c "select(.topic == \"$1\") | $2")" "$3" "$2 of $1"
}

subscribe() {
    broadcast --quiet --subscribe "$@"
}

# All that is there, for a subscriber that is new: all NAME@TOPIC
all() {
    run broadcast --subscribe "$1" --from start --until-empty -- cat
}

printf '{"a": 1.0}\n[2]\n"3"\n' >events
# Appends each event to a file of its topic's subscriber, and answers it.
cat >note <<'SH'
#!/bin/sh
tee -a "$1"
SH
# Fails while there is a file "broken", on events that hold a 2.
cat >odd <<'SH'
#!/bin/sh
event=$(cat)
echo "$event" >>calls
case $event in *2*) [ ! -e broken ] || exit 3 ;; esac
printf '%s\n' "$event"
SH
# The same as a line worker, which is always broken.
cat >worker <<'SH'
#!/bin/sh
while read -r n; do
    echo "$n" >>calls
    [ "$n" -eq 2 ] && echo '!{}' || echo "$n"
done
SH
chmod +x note odd worker

# ---- publishing ----

claim 'publishing prints nothing, and what it published is there, byte for byte'
run broadcast --topic first <events
exits 0
out_is ''
err_is ''
all reader@first
exits 0
out_same events

claim 'an empty input publishes nothing, and makes no topic'
run broadcast --topic nothing </dev/null
exits 0
is "$(broadcast --list | jq -c 'select(.topic == "nothing")')" ''

claim '--receipts prints the number of each event, which grow by one'
run broadcast --topic second --receipts <events
exits 0
out_is '1
2
3'
run broadcast --topic second --receipts <events
out_is '4
5
6'

claim 'a malformed line is a dead letter, and the others are published'
printf '1\n{\n2\n' >torn.in
run broadcast --topic torn --stats --dead torn.dead <torn.in
exits 123
is "$(jq -c '[.raw,.reason]' torn.dead)" '["{","bad_json"]'
err_like '"read":3,"done":2,"dead":1'
all reader@torn
out_is '1
2'

claim 'NUL, invalid UTF-8, a BOM, CRLF and no final newline are as everywhere'
printf '\357\273\2771\r\n"\0"\n"\377"\n\n2' >ugly.in
run broadcast --topic ugly --stats --dead ugly.dead <ugly.in
exits 123
err_like '"read":4,"done":2,"dead":2'
all reader@ugly
out_is '1
2'

claim 'an event of 10 MB comes as it went'
head -c 5000000 /dev/urandom | od -An -tx1 -v | tr -d ' \n' | sed 's/^/"/; s/$/"/' >large.in
echo >>large.in
run broadcast --topic large <large.in
exits 0
all reader@large
exits 0
out_same large.in
run broadcast --subscribe small@large --from start --until-empty --max-event 1M --dead large.dead -- cat
exits 123
is "$(jq -c '[.reason,.truncated,.length]' large.dead)" '["too_large",true,10000002]'

claim 'a closed standard input publishes nothing, and says so'
run_sh 'broadcast --topic first <&-'
exits 1
err_like '^broadcast: '

claim 'the state that cannot be written is said, and nothing is claimed'
: >file
run broadcast --topic any --state file/x <events
exits 1
err_like '^broadcast: .*file/x'
run broadcast --subscribe a@any --state file/x -- cat
exits 1
err_like '^broadcast: .*file/x'

claim 'a disk that is full is said once, and the letters of the rest stand on stderr'
seq 100000 >many
run_sh '(trap "" XFSZ && ulimit -f 1000 && broadcast --topic small --stats --state small <many 2>&1) |
    cat >said; grep -v "^{" said'
is "$(grep -c '^broadcast: [^ ]*small/data.mdb: ' "$out")" 1
out_like 'are dead: see fit dead list, and stderr$'
kept=$(broadcast --list --state small | jq .events)
is "$(grep '^{"read"' said | jq -c '[.read - .done - .dead, .done]')" "[0,$kept]"
is "$(grep -c '"reason":"write"' said)" "$(grep '^{"read"' said | jq .dead)"
check [ "$kept" -gt 0 ]

claim 'receipts that cannot be written fail the run'
run_sh 'broadcast --topic full --receipts --quiet --dead full.dead <events >/dev/full'
exits 1
err_like 'write stdout'

claim 'topic:NAME publishes too'
run fan-out -- topic:route <events
exits 0
out_is ''
all reader@route
out_same events

# ---- a subscriber's place ----

claim 'a new subscriber begins with what is published from then on'
broadcast --topic news <events
run broadcast --subscribe late@news --until-empty -- cat
exits 0
out_is ''
echo 4 | broadcast --topic news
run broadcast --subscribe late@news --until-empty -- cat
out_is 4

claim 'each subscriber gets every event'
for name in a b c; do
    subscribe "$name@shared"
done
broadcast --topic shared <events
for name in a b c; do
    run broadcast --subscribe "$name@shared" --until-empty -- cat
    exits 0
    out_same events
done

claim 'what was published while it was down is kept for it'
run broadcast --subscribe down@outage --until-empty -- cat
exits 0
broadcast --topic outage <events
echo 4 | broadcast --topic outage
fact_is down@outage '[.position, .lag]' '[0,4]'
run broadcast --subscribe down@outage --until-empty -- cat
out_is "$(cat events)${nl}4"

claim 'what was acknowledged does not come again'
run broadcast --subscribe down@outage --until-empty -- cat
exits 0
out_is ''
fact_is down@outage '[.position, .lag, .done]' '[4,0,4]'

claim 'without a function it is made known, and says where it begins'
broadcast --topic known <events
run broadcast --subscribe quiet@known
exits 0
out_is ''
err_is 'broadcast: quiet@known: subscribed, the next event is 4'
run broadcast --subscribe quiet@known --from start
exits 0
err_is 'broadcast: quiet@known: is subscribed already, the next event is 4'
run broadcast --subscribe silent@known --quiet
exits 0
err_is ''
run broadcast --subscribe quiet@known --filter .x
exits 2
err_like 'no function'
run broadcast --subscribe quiet@known --until-empty
exits 2
err_like 'no function'

claim '--from start begins with the oldest, --from N with that event, or the next one'
seq 5 | broadcast --topic numbers
run broadcast --subscribe begin@numbers --from start --until-empty -- cat
out_is "$(seq 5)"
run broadcast --subscribe third@numbers --from 3 --until-empty -- cat
out_is '3
4
5'
run broadcast --subscribe new@numbers --from now --until-empty -- cat
out_is ''
run broadcast --subscribe beyond@numbers --from 100 --until-empty -- cat
out_is ''
echo 6 | broadcast --topic numbers
run broadcast --subscribe beyond@numbers --from 100 --until-empty -- cat
out_is 6

claim '--from is for a new one only'
run broadcast --subscribe third@numbers --from start --until-empty -- cat
out_is 6
run broadcast --subscribe third@numbers --from start --until-empty -- cat
out_is ''

claim '--from takes now, start or a number'
for from in 0 -1 010 soon 1e3 99999999999999999999; do
    run broadcast --subscribe x@numbers --from "$from" -- cat
    exits 2
    err_like "^broadcast: --from: $from: "
done

claim 'it waits for what comes, and ends by a signal'
subscribe waiting@live
broadcast --subscribe waiting@live >live.out -- cat &
reader=$!
for n in 1 2 3; do
    echo "$n" | broadcast --topic live
    check within 60 grep -qx "$n" live.out
done
check within 60 fact_was waiting@live .position 3
kill -TERM $reader
wait $reader
is $? 143 status
same live.out live.out
is "$(tr '\n' ' ' <live.out)" '1 2 3 '
fact_is waiting@live .pid null

claim 'SIGTERM gives back what is not done'
seq 3 | broadcast --topic stopped
broadcast --subscribe a@stopped --from start --grace 100ms >stopped.out -- \
    sh -c 'read n; test $n = 1 || { : >second; exec sleep 60; }; echo $n' &
reader=$!
check within 60 test -e second
kill -TERM $reader
wait $reader
is $? 143 status
same stopped.out stopped.out
is "$(cat stopped.out)" 1
fact_is a@stopped '[.position, .lag, .dead]' '[1,2,0]'
run broadcast --subscribe a@stopped --until-empty -- cat
out_is '2
3'

claim 'a subscriber that is killed begins with what it has not acknowledged'
seq 3 | broadcast --topic killed
broadcast --subscribe a@killed --from start >killed.out -- \
    sh -c 'read n; test $n = 1 || { : >killed.second; exec sleep 60; }; echo $n' &
reader=$!
check within 60 test -e killed.second
check within 60 fact_was a@killed .position 1
kill -KILL $reader
wait $reader
run broadcast --subscribe a@killed --until-empty -- cat
exits 0
out_is '2
3'

claim 'results that cannot be written leave their events where they are'
seq 3 | broadcast --topic unwritten
run_sh 'broadcast --subscribe a@unwritten --from start --until-empty --quiet -- cat >/dev/full'
exits 1
fact_is a@unwritten '[.position, .lag, .dead]' '[0,3,0]'
run broadcast --subscribe a@unwritten --until-empty -- cat
out_is "$(seq 3)"

claim 'a reader that has left leaves its events where they are'
seq 100000 | broadcast --topic left
run_sh 'broadcast --subscribe a@left --from start --until-empty -- lines:cat | head -n 1'
exits 0
out_is 1
check test "$(fact a@left .lag)" -gt 0
position=$(fact a@left .position)
run broadcast --subscribe a@left --until-empty -- lines:cat
exits 0
is "$(head -n 1 "$out")" "$((position + 1))" 'first event'
is "$(tail -n 1 "$out")" 100000 'last event'

claim 'a reader that leaves ends who waits for events, with all that was printed acknowledged'
seq 3 | broadcast --topic gone
run_into 'head -n 3' broadcast --subscribe a@gone --from start -- cat
exits 0
out_is "$(seq 3)"
fact_is a@gone '[.position, .lag, .dead]' '[3,0,0]'
run_unread broadcast --subscribe a@gone -- true
exits 0

claim 'an event whose result comes when nobody reads any more is given back'
cat >late <<'END'
#!/bin/sh
: >begun
until [ -e left ]; do sleep 0.02; done
sleep 0.1
cat
END
chmod +x late
rm -f begun
seq 3 | broadcast --topic late
mkfifo results
broadcast --subscribe a@late --from start --grace 100s --stats -- ./late >results 2>"$err" &
pid=$!
exec 7<results
check within 60 test -e begun
exec 7<&-
: >left
wait $pid
is $? 0
check grep -Eq '"read":([0-9]+),"done":0,"dead":0,"dropped":0,"returned":\1,' "$err"
fact_is a@late '[.position, .lag, .dead]' '[0,3,0]'
run broadcast --subscribe a@late --until-empty -- cat
out_is "$(seq 3)"

claim 'nobody reads: that does not matter to who prints no results, nor to --until-empty'
run_unread broadcast --subscribe b@late --from start --until-empty -- sh -c 'cat >>effects'
exits 0
is "$(cat effects)" "$(seq 3)"
run_unread sh -c 'broadcast --subscribe c@late --from start -- file:taken & until grep -q 3 taken; do sleep 0.05; done 2>/dev/null
    kill -TERM $!; wait $!'
exits 143
is "$(cat taken)" "$(seq 3)"

claim '--budget ends a run early, and the next goes on'
seq 50 | broadcast --topic budget
run broadcast --subscribe a@budget --from start --until-empty --budget 300ms -- sh -c 'sleep 0.05; cat'
exits 75
done=$(wc -l <"$out")
check test "$done" -lt 50
fact_is a@budget .position "$done"
cp "$out" budget.out
run broadcast --subscribe a@budget --until-empty -- cat
exits 0
cat "$out" >>budget.out
is "$(cat budget.out)" "$(seq 50)"

# ---- one at a time ----

claim 'a second process exits with 75 and says which one reads'
subscribe one@single
broadcast --subscribe one@single -- cat >single.out &
reader=$!
check within 60 fact_was one@single .pid $reader
run broadcast --subscribe one@single --until-empty -- cat
exits 75
err_is "broadcast: one@single: process $reader reads for it"
run broadcast --subscribe one@single
exits 0
err_like "process $reader reads for it"
run broadcast --subscribe one@single --wait 50ms -- cat
exits 75

claim '--wait waits until it lets go'
broadcast --subscribe one@single --wait 60s --until-empty -- cat >single.second &
second=$!
echo 1 | broadcast --topic single
check within 60 fact_was one@single .position 1
kill -TERM $reader
wait $reader
wait $second
is $? 0 'status of the second'
is "$(cat single.second)" ''

claim '--wait hears of one that was killed'
broadcast --subscribe one@single -- cat >single.out &
reader=$!
check within 60 fact_was one@single .pid $reader
broadcast --subscribe one@single --wait 60s --until-empty -- cat >single.second &
second=$!
kill -KILL $reader
wait $reader
wait $second
is $? 0 'status of the second'

claim 'subscribers do not wait for each other'
subscribe slow@apart
subscribe quick@apart
broadcast --subscribe slow@apart -- sleep 60 2>slow.err &
slow=$!
broadcast --topic apart <events
check within 60 fact_was slow@apart .pid $slow
run broadcast --subscribe quick@apart --until-empty -- cat
exits 0
out_same events
kill -TERM $slow
kill -TERM $slow
wait $slow
fact_is slow@apart .lag 3

# ---- order and failures ----

claim 'one event at a time, in order, is the default'
seq 20 | broadcast --topic ordered
cat >overlap <<'SH'
#!/bin/sh
mkdir busy || exit 65
sleep 0.01
rmdir busy
cat >>ordered.log
SH
chmod +x overlap
run broadcast --subscribe a@ordered --from start --until-empty -- ./overlap
exits 0
is "$(cat ordered.log)" "$(seq 20)"

claim 'a failing event holds up those behind it during its retries, then they go on'
seq 3 | broadcast --topic retried
touch broken
: >calls
run broadcast --subscribe a@retried --from start --until-empty --retries 2 --backoff 1ms..2ms -- ./odd
exits 123
is "$(tr '\n' ' ' <calls)" '1 2 2 2 3 '
out_is '1
3'
fact_is a@retried '[.position, .lag, .done, .dead]' '[3,0,2,1]'
: >calls
run broadcast --subscribe w@retried --from start --until-empty --retries 2 --backoff 1ms..2ms -- lines:./worker
exits 123
is "$(tr '\n' ' ' <calls)" '1 2 2 2 3 '

claim 'without --retries a failing event is dead at once'
: >calls
run broadcast --subscribe b@retried --from start --until-empty -- ./odd
exits 123
is "$(tr '\n' ' ' <calls)" '1 2 3 '

claim 'a failing subscriber has its own dead letters, and the others are not concerned'
subscribe good@mixed
subscribe failing@mixed
subscribe hanging@mixed
broadcast --topic mixed <events
run broadcast --subscribe failing@mixed --until-empty -- false
exits 123
run broadcast --subscribe hanging@mixed --until-empty --timeout 20ms --grace 10ms -- sleep 60
exits 123
run broadcast --subscribe good@mixed --until-empty -- cat
exits 0
out_same events
is "$(dead show --match '.topic == "mixed"' | jq -r '.subscriber + " " + .reason' | sort | uniq -c | sed 's/^ *//')" \
    '3 failing exit
3 hanging timeout'
fact_is good@mixed '[.done, .dead]' '[3,0]'
fact_is failing@mixed '[.done, .dead]' '[0,3]'

claim 'the letter says topic and subscriber; --dead takes it'
seq 2 | broadcast --topic lettered
run broadcast --subscribe a@lettered --from start --until-empty --quiet --dead lettered.dead -- ./odd
exits 123
is "$(jq -c '[.event, .topic, .subscriber, .reason, .command]' lettered.dead)" \
    '[2,"lettered","a","exit","broadcast"]'
is "$(dead count --match '.topic == "lettered"')" 0
fact_is a@lettered '[.position, .lag]' '[2,0]'

claim 'dead redrive calls the function of that subscriber, and touches no position'
rm broken
: >calls
position=$(fact a@retried .position)
seq 4 5 | broadcast --topic retried
run dead redrive --match '.topic == "retried" and .subscriber == "a"'
exits 0
out_is 2
is "$(cat calls)" 2
fact_is a@retried '[.position, .lag]' "[$position,2]"
is "$(dead count --match '.topic == "retried" and .subscriber == "a"')" 0

claim 'what is redriven and fails again keeps its topic, subscriber and identity'
touch broken
dead show --match '.topic == "retried" and .subscriber == "b"' | jq -c '[.topic, .subscriber, .id]' >before
run dead redrive --match '.topic == "retried" and .subscriber == "b"'
exits 123
dead show --match '.topic == "retried" and .subscriber == "b"' | jq -c '[.topic, .subscriber, .id]' >after
same before after
is "$(jq -r '.[2]' after | grep -c '^topic:retried/2-')" 1
rm broken

claim 'it can be redriven while another process reads for the subscriber'
touch broken
broadcast --subscribe b@retried >/dev/null -- cat &
reader=$!
check within 60 fact_was b@retried .lag 0
rm broken
run dead redrive --match '.topic == "retried" and .subscriber == "b"'
exits 0
out_is 2
kill -TERM $reader
wait $reader

claim 'what could not be published can be redriven, and is again dead'
run_sh 'echo "{" | broadcast --topic malformed --quiet'
exits 123
run dead redrive --match '.raw == "{"'
exits 123
is "$(dead show --match '.raw == "{"' | jq -c '[.reason, .redriven]')" '["bad_json",1]'
is "$(broadcast --list | jq -c 'select(.topic == "malformed")')" ''

claim 'in the default state, too, letters can be redriven'
FIT_STATE='' XDG_STATE_HOME=$work/default run_sh 'touch broken; echo 2 | broadcast --topic t
broadcast --subscribe a@t --from start --until-empty -- ./odd; rm broken; dead redrive'
exits 0
out_is 2
err_like 'see fit dead list'

claim '-j works on several at once, and acknowledges each'
seq 40 | broadcast --topic parallel
run broadcast --subscribe a@parallel --from start --until-empty -j4 -- \
    sh -c 'read n; until [ $n != 1 ] || [ -s parallel.log ]; do sleep 0.05; done; echo $n >>parallel.log'
exits 0
is "$(sort -n parallel.log)" "$(seq 40)"
check test "$(head -n 1 parallel.log)" -ne 1
fact_is a@parallel '[.position, .lag, .done]' '[40,0,40]'

claim 'what was done ahead of the position is not done again after a kill'
seq 20 | broadcast --topic sparse
broadcast --subscribe a@sparse --from start -j2 -u -- \
    sh -c 'read n; test $n != 1 || exec sleep 60; echo $n >>sparse.log' &
reader=$!
check within 60 fact_was a@sparse '[.position, .lag]' '[0,1]'
kill -KILL $reader
wait $reader
run broadcast --subscribe a@sparse --until-empty -- cat
exits 0
out_is 1
fact_is a@sparse '[.position, .lag, .done]' '[20,0,20]'

claim 'however much is done ahead of the position, the rest follows'
seq 70000 | broadcast --topic ahead
cat >stuck <<'SH'
#!/bin/sh
# waits at 1 until there is a file "on"
while read -r n; do
    until [ "$n" != 1 ] || [ -e on ]; do sleep 0.05; done
    echo "$n"
done
SH
chmod +x stuck
broadcast --subscribe a@ahead --from start --until-empty -j2 -u -- lines:./stuck >ahead.out &
reader=$!
ahead() {
    [ "$(fact a@ahead .lag)" -lt 10000 ] && [ "$(fact a@ahead .position)" = 0 ]
}
check within 60 ahead
touch on
wait $reader
is $? 0 status
is "$(sort -n ahead.out | cksum)" "$(seq 70000 | cksum)"
fact_is a@ahead '[.position, .lag, .done]' '[70000,0,70000]'

claim '--serial-by keeps the order of a key'
i=0
while [ $i -lt 40 ]; do
    echo "{\"k\":$((i % 3)),\"n\":$i}"
    i=$((i + 1))
done >keyed.in
broadcast --topic keyed <keyed.in
run broadcast --subscribe a@keyed --from start --until-empty -j4 --serial-by .k -- note keyed.log
exits 127
run broadcast --subscribe b@keyed --from start --until-empty -j4 --serial-by .k -- ./note keyed.log
exits 0
for k in 0 1 2; do
    grep "\"k\":$k," keyed.in >expected
    grep "\"k\":$k," keyed.log >got
    same expected got
done

claim 'an open breaker loses nothing: the subscriber waits at its place'
seq 6 | broadcast --topic broken
breaker --name flaky --consecutive 2 --open-for 200ms --quiet --dead /dev/null -- false <events >/dev/null
touch broken
: >calls
run broadcast --subscribe a@broken --from start --until-empty --breaker flaky -- ./odd
exits 123
is "$(dead show --match '.topic == "broken"' | jq -c '[.event, .reason]')" '[2,"exit"]'
out_is '1
3
4
5
6'
rm broken

claim 'SIGTERM ends the wait for a breaker'
seq 3 | broadcast --topic waiting
breaker --name down --consecutive 1 --open-for 1h --quiet --dead /dev/null -- false <events
broadcast --subscribe a@waiting --from start --grace 100ms --breaker down -- cat >waiting.out &
reader=$!
check within 60 fact_was a@waiting .pid $reader
kill -TERM $reader
wait $reader
is $? 143 status
fact_is a@waiting '[.position, .lag, .dead]' '[0,3,0]'
is "$(cat waiting.out)" ''

claim '--ledger: what was done is not done again, also if it was not acknowledged'
seq 3 | broadcast --topic ledger
run_sh 'broadcast --subscribe a@ledger --from start --until-empty --quiet --ledger l -- ./odd >/dev/full'
exits 1
: >calls
run broadcast --subscribe a@ledger --until-empty --ledger l -- ./odd
exits 0
out_is "$(seq 3)"
is "$(wc -l <calls)" 0

# ---- identity ----

claim 'the identity of an event is the same each time, for every subscriber, and its own'
printf '1\n1\n' | broadcast --topic identity
id='printf "%s\n" "\"$FIT_IDEMPOTENCY_KEY\""'
run broadcast --subscribe a@identity --from start --until-empty -- sh -c "$id"
cp "$out" ids
is "$(sort -u ids | wc -l)" 2
run_sh "broadcast --subscribe b@identity --from start --until-empty --quiet -- sh -c '$id; exit 3' >/dev/full"
run broadcast --subscribe c@identity --from start --until-empty -- sh -c 'printf "\"%s\"\n" "$FIT_ID"'
out_like '^"topic:identity/1-[0-9a-f]+"$'
out_like '^"topic:identity/2-[0-9a-f]+"$'
run broadcast --subscribe d@identity --from start --until-empty -- sh -c "$id"
out_same ids

claim 'a CloudEvent has its own identity, and --id wins'
echo '{"specversion":"1.0","source":"s","id":"7","type":"t"}' | broadcast --topic cloud
run broadcast --subscribe a@cloud --from start --until-empty -- sh -c 'printf "\"%s\"\n" "$FIT_ID"'
out_is '"s#7"'
run broadcast --subscribe b@cloud --from start --until-empty --id .type -- sh -c 'printf "\"%s\"\n" "$FIT_ID"'
out_is '"t"'

# ---- filters ----

claim '--filter drops what it does not select, without a call'
printf '{"n":1}\n{"n":2}\n{"n":3}\n' | broadcast --topic filtered
: >calls
run broadcast --subscribe a@filtered --from start --until-empty --stats --filter '.n != 3' -- ./odd
exits 0
err_like '"read":3,"done":2,"dead":0,"dropped":1'
is "$(wc -l <calls)" 2
fact_is a@filtered '[.position, .lag]' '[3,0]'

claim 'an event on which the filter fails is dead, and those behind it go on'
printf '1\n"x"\n3\n' | broadcast --topic unfit
run broadcast --subscribe a@unfit --from start --until-empty --filter '. - 1 >= 0' -- cat
exits 123
out_is '1
3'
is "$(dead show --match '.topic == "unfit"' | jq -c '[.event, .reason]')" '["x","bad_event"]'

claim 'a filter that is none is a usage error, and nothing is made for it'
run broadcast --subscribe a@unmade --until-empty --filter '.[' -- cat
exits 2
run broadcast --list unmade
exits 1

# ---- retention ----

claim 'a topic keeps a week, if nothing else was said'
topic_is first '[.keep_seconds, .keep_bytes]' '[604800,null]'

claim '--keep sets the age, the size, both, or neither, also without an event'
broadcast --topic kept <events
for keep in 1h 2G 1h,2G 2G,1h all; do
    run broadcast --topic kept --keep "$keep" </dev/null
    exits 0
    case $keep in
    1h) topic_is kept '[.keep_seconds, .keep_bytes]' '[3600,null]' ;;
    2G) topic_is kept '[.keep_seconds, .keep_bytes]' '[null,2147483648]' ;;
    all) topic_is kept '[.keep_seconds, .keep_bytes]' '[null,null]' ;;
    *) topic_is kept '[.keep_seconds, .keep_bytes]' '[3600,2147483648]' ;;
    esac
done
topic_is kept .events 3

claim '--keep is strict'
for keep in 7 0s 0G 7d,8d 1G,2G '7d,' ',7d' all,7d 7d,all 7x -1d 1e3s 010d; do
    run broadcast --topic kept --keep "$keep" </dev/null
    exits 2
    err_like "^broadcast: --keep: $keep: "
done
run broadcast --topic kept --keep 7d,all </dev/null
err_like 'all stands alone'

claim 'what is past its age is gone, and the subscriber is told how many it has missed'
subscribe missing@aged
subscribe again@aged
broadcast --topic aged --keep 100ms <events
check within 60 fact_was missing@aged .lag 0
echo 4 | broadcast --topic aged --keep 1h
run broadcast --subscribe missing@aged --until-empty -- cat
exits 0
out_is 4
err_is 'broadcast: missing@aged: 3 events were missed: the topic keeps no more (--keep)'
fact_is missing@aged '[.position, .lag, .done, .missed]' '[4,0,1,3]'
run broadcast --subscribe missing@aged --until-empty -- cat
err_is ''
run broadcast --subscribe again@aged --until-empty --quiet -- cat
out_is 4
err_is ''
all fresh@aged
out_is 4
err_is ''

claim 'what is beyond its size goes, the oldest first'
seq 10000 19999 | broadcast --topic sized --keep 20K
all reader@sized
exits 0
is "$(tail -n 1 "$out")" 19999
check test "$(wc -l <"$out")" -lt 9000
check test "$(wc -l <"$out")" -gt 100
is "$(cat "$out")" "$(seq "$(head -n 1 "$out")" 19999)"

# ---- looking and removing ----

claim '--list tells of all topics, or of the subscribers of one'
run broadcast --list
exits 0
is "$(jq -r .topic "$out" | grep -cx -e first -e kept)" 2
run broadcast --list shared
exits 0
is "$(jq -r .subscriber "$out" | tr '\n' ' ')" 'a b c '
is "$(jq -c 'keys_unsorted' "$out" | sort -u)" \
    '["topic","subscriber","position","lag","oldest_seconds","done","dead","missed","last_at","pid"]'
run broadcast --list --state "$work/elsewhere"
exits 0
out_is ''
check test ! -e "$work/elsewhere"
run_sh 'broadcast --list >/dev/full'
exits 1

claim '--list shows the lag, and how old the oldest of it is'
subscribe lagging@lag
fact_is lagging@lag '[.lag, .oldest_seconds, .last_at]' '[0,null,null]'
broadcast --topic lag <events
fact_is lagging@lag '[.lag, .oldest_seconds >= 0]' '[3,true]'

claim '--unsubscribe forgets a subscriber, and no other'
run broadcast --unsubscribe a@shared
exits 0
run broadcast --list shared
is "$(jq -r .subscriber "$out" | tr '\n' ' ')" 'b c '
all a@shared
out_same events

claim '--drop removes a topic with its events and subscribers'
run broadcast --drop shared
exits 0
run broadcast --list shared
exits 1
err_is 'broadcast: shared: there is no such topic'
broadcast --topic shared <events
run broadcast --subscribe b@shared --until-empty -- cat
exits 0
out_is ''

claim 'what is not there is said'
run broadcast --drop nothing
exits 1
err_is 'broadcast: nothing: there is no such topic'
run broadcast --unsubscribe nobody@first
exits 1
err_is 'broadcast: nobody@first: there is no such subscriber'
run broadcast --unsubscribe nobody@nothing
exits 1
run broadcast --list nothing
exits 1

claim 'a subscriber that is removed while it is read for ends with 1, and says so'
for remove in '--unsubscribe a@removed' '--drop removed'; do
    subscribe a@removed
    broadcast --subscribe a@removed -- cat >removed.out 2>removed.err &
    reader=$!
    check within 60 fact_was a@removed .pid $reader
    # shellcheck disable=SC2086
    run broadcast $remove
    exits 0
    wait $reader
    is $? 1 status
    is "$(cat removed.err)" 'broadcast: a@removed: another process reads for it now, or it was removed'
done

claim 'looking and removing make no state directory'
for form in '--list' '--list t' '--drop t' '--unsubscribe a@t'; do
    # shellcheck disable=SC2086
    run broadcast $form --state "$work/nowhere"
    check test ! -e "$work/nowhere"
done

claim 'what cannot be called is said at once, and nothing is lost'
seq 2 | broadcast --topic uncallable
run broadcast --subscribe a@uncallable --from start --until-empty -- ./no-such-function
exits 127
run broadcast --subscribe a@uncallable --from start --until-empty -- cat
out_is '1
2'

finish
