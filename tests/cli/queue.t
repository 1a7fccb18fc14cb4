#!/bin/sh
# queue.t: claims about queue.
. "${0%/*}/lib.sh"

FIT_STATE=$work/queues
export FIT_STATE

# What a queue holds: has NAME MEMBER VALUE
has() {
    is "$(queue show "$1" | jq -c ".$2")" "$3" "$2 of $1"
}

holds() {
    [ "$(queue show "$1" | jq -c ".$2")" = "$3" ]
}

# Work until the queue is empty, and stop after what fails for good.
drain() {
    run queue work "$1" --until-empty --backoff 0s..0s -- "${2:-cat}"
}

# ---- push ----

claim 'push prints nothing, and what it pushed is there'
printf '{"a": 1.0}\n[2]\n"3"\n' >events
run queue push first <events
exits 0
out_is ''
err_is ''
run_sh 'queue peek first --count 10 | sed "s/.*,\"event\"://; s/}\$//"'
out_same events
drain first
exits 0
out_same events

claim 'push --receipts prints the number of each message'
run queue push second --receipts <events
exits 0
out_is '1
2
3'

claim 'a malformed line is a dead letter, and the others are pushed'
printf '1\n{\n2\n' >torn
run queue push broken --stats --dead torn.dead <torn
exits 123
is "$(jq -c '[.raw,.reason]' torn.dead)" '["{","bad_json"]'
err_like '"read":3,"done":2,"dead":1'
has broken ready 2

claim 'the state that cannot be written is said, and nothing is claimed'
: >file
run queue push any --state file/x <events
exits 1
err_like '^queue: .*file/x'

claim 'a name must be one'
run queue push '' <events
exits 2
run queue push "$(printf 'a\tb')" <events
exits 2
run queue push
exits 2
err_like 'no queue named'

claim 'odd names are names'
for name in ../x 'a b' 'ä' "$(awk 'BEGIN { while (i++ < 1000) printf "n" }')"; do
    run queue push "$name" <events
    exits 0
    has "$name" ready 3
done

claim 'a higher --priority is leased first'
for priority in 1 9 4; do
    echo "$priority" | queue push ranked --priority "$priority"
done
drain ranked
out_is '9
4
1'

claim 'what is pushed with --delay comes later'
echo 1 | queue push later --delay 1h
echo 2 | queue push later
has later delayed 1
drain later
out_is 2
echo 3 | queue push soon --delay 300ms
run queue pull soon --wait 60s
exits 0
is "$(jq .event "$out")" 3

claim 'the same --dedup is pushed once within --dedup-window'
printf '%s\n' '{"k":1,"n":1}' '{"k":2}' '{"k":1,"n":2}' >keys
run queue push once --dedup .k <keys
exits 0
run queue push once --dedup .k <keys
exits 0
drain once
out_is '{"k":1,"n":1}
{"k":2}'

claim 'an event without the value of --group or --dedup is dead'
echo '{"k":' >half
run queue push none --group 'empty' --dead none.dead <events
exits 123
is "$(jq -r .reason none.dead | sort -u)" bad_event

claim '--on-full fail makes dead letters of what does not fit'
seq 5 >five
run queue push full --max-length 3 --on-full fail --quiet --dead full.dead <five
exits 123
has full ready 3
is "$(jq -c '[.event,.reason]' full.dead | tr '\n' ' ')" '[4,"queue_full"] [5,"queue_full"] '

claim '--on-full drop-oldest keeps the newest'
run queue push newest --max-length 3 --on-full drop-oldest <five
exits 0
has newest dropped 2
drain newest
out_is '3
4
5'

claim '--on-full block waits for room, and keeps the order'
queue push blocked --max-length 2 <five &
pusher=$!
check within 60 holds blocked ready 2
queue work blocked -j1 >worked -- cat &
worker=$!
wait $pusher
is $? 0 'status of push'
check within 60 holds blocked "done" 5
kill -TERM $worker
wait $worker
same five worked

claim 'push that waits for room can be interrupted'
queue push blocked --max-length 2 --quiet --dead blocked.dead <five &
pusher=$!
check within 60 holds blocked ready 2
kill -TERM $pusher
wait $pusher
is $? 143 'status of push'
is "$(queue peek blocked --count 9 | wc -l)+$(wc -l <blocked.dead)" 2+3
is "$(jq -r .reason blocked.dead | sort -u)" interrupted

claim 'what has expired is dead, and says so'
echo 1 | queue push stale --expire 1ms
echo 2 | queue push stale
check within 60 sh -c '[ "$(queue peek stale --count 2 | wc -l)" = 2 ]'
within 60 sh -c 'sleep 0.01'
drain stale
out_is 2
has stale dead 1

claim 'options that go together are asked for'
run queue push any --dedup-window 1m <events
exits 2
run queue push any --on-full fail <events
exits 2
run queue push any --priority 10 <events
exits 2
run queue push any --jobs 2 <events
exits 2
err_like 'jobs: unknown option'

# ---- work ----

claim 'work of an empty or unknown queue ends with --until-empty'
run queue work unknown --until-empty -- cat
exits 0
out_is ''
run queue show unknown
exits 1

claim 'work keeps the order of results, as every fitting'
seq 20 | queue push order
run queue work order --until-empty -j4 -- sh -c 'read -r n; [ $((n % 4)) -ne 1 ] || sleep 0.1; echo $n'
exits 0
is "$(tr '\n' ' ' <"$out")" '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 '

claim 'a failed event is received again, at most --max-receives times, then kept as dead'
cat >fails <<'EOF'
#!/bin/sh
read -r n
echo "$n" >>calls
echo "no luck with $n" >&2
exit 3
EOF
chmod +x fails
echo 7 | queue push failing
run queue work failing --until-empty --max-receives 3 --backoff 0s..0s --stats -- ./fails
exits 123
is "$(wc -l <calls)" 3 calls
err_like '"read":3,"done":0,"dead":1,"dropped":0,"returned":2,"letters":1'
has failing dead 1
has failing ready 0

claim 'redrive pushes the dead ones again, and takes them from the letters'
run queue redrive failing
exits 0
has failing dead 0
has failing ready 1
drain failing
out_is 7
run queue redrive failing
exits 0

claim 'a permanent failure is dead at once'
echo 8 | queue push permanent
run queue work permanent --until-empty -- sh -c 'exit 65'
exits 123
has permanent dead 1

claim 'the letter says queue, receives and failure; --dead takes it'
echo '{"n":8}' | queue push written
run queue work written --until-empty --max-receives 2 --backoff 0s..0s --quiet --dead written.dead -- sh -c 'exit 4'
exits 123
is "$(jq -c '[.event,.reason,.exit,.queue,.receives,.command]' written.dead)" '[{"n":8},"exit",4,"written",2,"queue"]'
has written dead 0

claim 'a result that finds no room to wait counts as another failure does'
echo 9 | queue push roomless
TMPDIR=$PWD/nowhere run timeout 60 queue work roomless --until-empty --max-receives 2 --backoff 0s..0s --quiet \
    --dead roomless.dead -- sh -c 'head -c 1000000 /dev/zero | tr "\0" 7'
exits 123
is "$(jq -c '[.reason,.receives]' roomless.dead)" '["write",2]'

claim 'a failing event of a group holds up its group and no other'
cat >once <<'EOF'
#!/bin/sh
read -r event
case $event in
*'"n":1'*) [ -e failed ] || { : >failed; exit 1; } ;;
esac
echo "$event"
EOF
chmod +x once
printf '%s\n' '{"g":"a","n":1}' '{"g":"a","n":2}' '{"g":"b","n":3}' '{"g":"b","n":4}' | queue push groups --group .g
has groups blocked 2
run queue work groups --wait 3s --backoff 300ms..300ms -j4 -u -- ./once
exits 0
is "$(jq -s -c 'map(select(.g == "a").n)' "$out")" '[1,2]'
is "$(jq -s -c 'map(select(.g == "b").n)' "$out")" '[3,4]'

claim 'the identity of a message is the same each time, and its own'
printf '5\n5\n' | queue push ids
cat >identity <<'EOF'
#!/bin/sh
cat >/dev/null
echo "$FIT_IDEMPOTENCY_KEY $FIT_COMMAND" >>identities
exit 1
EOF
chmod +x identity
run queue work ids --until-empty --max-receives 2 --backoff 0s..0s --quiet -- ./identity
exits 123
is "$(wc -l <identities) $(sort -u identities | wc -l)" '4 2'
is "$(cut -d ' ' -f 2 identities | sort -u)" queue

claim 'a killed worker gives its events back at once'
seq 3 | queue push killed
queue work killed -j1 --visibility 1h -- sh -c 'echo >>started; exec sleep 3600' &
worker=$!
check within 60 test -s started
queue work killed -j1 >rest -- cat &
other=$!
check within 60 grep -q 3 rest
kill -9 $worker
check within 60 grep -q 1 rest
kill -TERM $other
wait $other
is "$(sort rest | tr '\n' ' ')" '1 2 3 '

claim 'SIGTERM returns what was not done, without counting'
printf '1\n2\n3\n4\n' | queue push stopped
rm -f started
queue work stopped -j1 --grace 100ms -- sh -c 'echo >>started; exec sleep 3600' &
worker=$!
check within 60 test -s started
kill -TERM $worker
wait $worker
is $? 143 'status of work'
has stopped ready 4
has stopped in_flight 0
is "$(queue peek stopped --count 4 | jq -s -c 'map(.receives)')" '[0,0,0,0]'

claim 'results that cannot be written leave their events in the queue'
seq 2000 | queue push unread
run_sh "queue work unread --until-empty -- sh -c 'head -c 9000 /dev/zero | tr \"\\\\0\" 1; echo' | head -c 1 >/dev/null"
queue show unread >facts
check jq -e '.done < 2000 and .in_flight == 0 and .ready + .done == 2000' facts

claim 'a reader that leaves ends who waits for events, with all that was printed acknowledged'
seq 3 | queue push unseen
run_into 'head -n 3' queue work unseen -- cat
exits 0
out_is "$(seq 3)"
has unseen 'done' 3
has unseen in_flight 0
run_unread queue work unseen -- true
exits 0
seq 3 | queue push unseen
run_unread queue work unseen --until-empty -- sh -c 'cat >>effects'
exits 0
is "$(sort effects)" "$(seq 3)"

claim 'two workers share a queue, and each event is done once'
seq 300 | queue push shared
queue work shared --until-empty -j2 >one -- cat &
worker=$!
run queue work shared --until-empty -j2 -- cat
exits 0
wait $worker
cat one "$out" | sort -n >all
seq 300 >want
same want all

claim '--until-empty waits for what others have in flight'
rm -f started go
echo 1 | queue push watched
queue work watched --until-empty -- sh -c ': >started; until [ -e go ]; do sleep 0.02; done; exit 1' 2>/dev/null &
worker=$!
check within 60 test -e started
queue work watched --until-empty >second -- cat &
waiting=$!
check within 60 holds watched in_flight 1
kill -9 $worker
: >go
wait $waiting
is "$(cat second)" 1

claim '--wait ends a worker that has nothing to do'
run queue work nothing --wait 10ms -- cat
exits 0
run queue work nothing --wait 0s -- cat
exits 0

claim 'a lease is extended while the function runs'
echo 1 | queue push long
queue work long --visibility 2s --until-empty >slow -- sh -c 'cat; : >began; until [ -e go2 ]; do sleep 0.02; done' &
worker=$!
check within 60 test -e began
run queue pull long --wait 4s
exits 75
: >go2
wait $worker
is "$(cat slow)" 1
has long "done" 1

claim 'what work cannot start is 127'
run queue work first -- ./no-such-function
exits 127

# ---- pull, ack, nack ----

claim 'pull leases events for scripts, and ack ends them'
printf '{"n":1}\n{"n":2}\n{"n":3}\n' | queue push script
run queue pull script --count 2
exits 0
is "$(jq -c '[.receives,.event]' "$out" | tr '\n' ' ')" '[1,{"n":1}] [1,{"n":2}] '
cp "$out" pulled
has script in_flight 2
run queue ack script "$(head -n 1 pulled | jq -r .receipt)"
exits 0
run queue nack script <<EOF
$(tail -n 1 pulled)
EOF
exits 0
has script ready 2
has script "done" 1

claim 'a receipt is good once'
run queue ack script <pulled
exits 123
err_like '^queue: [0-9]*-[0-9]*: its lease has ended$'
run queue ack script nonsense
exits 2
run_sh 'echo 5 | queue ack script'
exits 2
err_like 'stdin:1: no receipt'

claim 'nack --delay, and pull --wait until it is over'
run queue pull script --count 2
cp "$out" pulled
head -n 1 pulled >first
run queue nack script --delay 1h <first
exits 0
has script delayed 1
run queue pull script
exits 75
out_is ''
tail -n 1 pulled >second
run queue nack script --delay 200ms <second
exits 0
run queue pull script --wait 60s
exits 0
is "$(jq -c '[.receives,.event]' "$out")" '[2,{"n":3}]'

claim 'what was pulled comes back after --visibility'
echo 1 | queue push back
run queue pull back --visibility 100ms
exits 0
run queue pull back --wait 60s
exits 0
is "$(jq .receives "$out")" 2

# ---- targets, dead letters, removing ----

claim 'queue:NAME is a function that takes events'
printf '1\n2\n' >two
run route '. == 1' queue:ones --else - <two
exits 0
out_is 2
has ones ready 1
run fan-out queue:twos <two
exits 0
out_is ''
has twos ready 2
run chain cat queue:threes <two
exits 0
has threes ready 2
run fan-out queue:a b
exits 2
run fan-out 'queue:' <two
exits 2

claim 'queue:NAME takes dead letters'
run fan-out --quiet --dead queue:letters -- false <two
exits 123
err_is ''
drain letters
is "$(jq -c '[.event,.reason]' "$out" | tr '\n' ' ')" '[1,"exit"] [2,"exit"] '

claim 'purge empties a queue, drop forgets it'
seq 5 | queue push gone
run queue pull gone
run queue purge gone
exits 0
has gone ready 0
has unseen in_flight 0
has gone pushed 5
run queue drop gone
exits 0
run queue drop gone
exits 1
err_is 'queue: gone: there is no such queue'

claim 'list tells of all queues'
run queue list
exits 0
check grep -q '^{"queue":"first",' "$out"
is "$(jq -r .queue "$out" | sort | uniq -d)" ''

claim 'looking makes no state directory'
for verb in 'show x' 'peek x' list 'purge x' 'redrive x'; do
    # shellcheck disable=SC2086 # a verb and its operand
    run queue $verb --state "$work/none"
    [ "$verb" = list ] || [ "$verb" = 'redrive x' ] || exits 1
done
check test ! -e "$work/none"

claim 'a verb is needed, and one that exists'
run queue
exits 2
err_like 'no verb \(push, work, \.\.\.\)$'
run queue pusj x
exits 2
err_like 'pusj: no such verb \(did you mean push\?\)$'
run queue frobnicate x
exits 2
err_like 'frobnicate: no such verb$'

finish
