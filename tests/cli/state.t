#!/bin/sh
# state.t: what state promises beyond what holds for every fitting (common.t).
. "${0%/*}/lib.sh"

# new_state: from here on an empty state directory.
states=0
new_state() {
    states=$((states + 1))
    FIT_STATE=$work/state.$states
    export FIT_STATE
}

# counts: what --stats said in the last run, as [read,done,dead,dropped].
counts() {
    grep '^{"read"' "$err" | jq -c '[.read,.done,.dead,.dropped]'
}

version_of() {
    state get --record "$1" | jq .version
}

claim 'gives back what was put, byte for byte'
new_state
run state put a '{"n" : 123456789012345678901234567890, "n":1.0e+5}'
exits 0
out_is ''
err_is ''
run state get a
exits 0
out_is '{"n" : 123456789012345678901234567890, "n":1.0e+5}'

claim 'takes the value from standard input, also a pretty-printed one'
run_sh 'printf "{\n  \"a\": [1,\n 2]\n}\n" | state put a'
exits 0
run state get a
out_is '{"a":[1,2]}'

claim 'refuses a value that is no JSON, and changes nothing'
run state put a '{"a":'
exits 2
err_like '^state put: the value: .* at byte 6$'
run_sh 'echo nonsense | state put a'
exits 2
err_like '^state put: stdin: '
run state get a
out_is '{"a":[1,2]}'

claim 'exits 1 and says nothing for a key without a value, or gives the default'
run state get none
exits 1
out_is ''
err_is ''
run state get none --default '{"d":1}'
exits 0
out_is '{"d":1}'
run state get a --default '{"d":1}'
out_is '{"a":[1,2]}'

claim 'makes no state directory to look into it'
new_state
run state get none
exits 1
run state list
exits 0
out_is ''
run state dump
exits 0
out_is '{"records":0}'
check test ! -e "$FIT_STATE"

claim 'takes any bytes as a key'
new_state
long=$(printf '%0.sx' $(seq 1 5000))
for key in '' ../x "$long" "${long}y" "$(printf '\377\001')" '-'; do
    run state put -- "$key" "\"$key\""
    [ "$key" = "$(printf '\377\001')" ] || exits 0
done
run state put -- "$(printf '\377\001')" 7
exits 0
run state get -- "$(printf '\377\001')"
out_is 7
run state get ''
out_is '""'
run state get "${long}y"
out_is "\"${long}y\""
run_sh 'state list | jq -r .key_base64 | grep -v null'
out_is /wE=

claim 'adds only what is absent, and prints the version of what is there'
new_state
run state add a 1
exits 0
out_is ''
run state add a 2
exits 1
out_is "$(version_of a)"
run state get a
out_is 1

claim 'refuses a stale cas, and prints the present version'
old=$(version_of a)
run state cas a "$old" 2 --receipt
exits 0
new=$(cat "$out")
is "$(version_of a)" "$new" version
run state cas a "$old" 3
exits 1
out_is "$new"
run state get a
out_is 2
run state cas b 0 1
exits 0
run state cas b 0 2
exits 1
run state cas a 1x 2
exits 2

claim 'deletes, also only what has that version'
run state del a "$old"
exits 1
out_is "$new"
run state del a "$new"
exits 0
run state del a
exits 1
run state get a
exits 1

claim 'never gives a version twice, also not after a delete'
run state put a 1 --receipt
check test "$(cat "$out")" -gt "$new"

claim 'counts up and down, and only whole numbers'
new_state
run state incr n
out_is 1
run state incr n 41
out_is 42
run state incr n -50
out_is -8
state put n 1.0
run state incr n
exits 1
err_is 'state incr: n: the value is not a whole number'
state put n 9223372036854775807
run state incr n
exits 1
run state get n
out_is 9223372036854775807
run state incr n 1.5
exits 2

claim 'loses no increment of 50 processes'
new_state
each=100
! sanitized || each=10 # whose starts take a tenth of a second
for i in $(seq 1 50); do
    (for j in $(seq 1 $each); do state incr n >>"sums.$i" || exit 1; done) &
done
wait
run state get n
out_is $((50 * each))
is "$(cat sums.* | sort -n | uniq | wc -l)" $((50 * each)) 'different sums'

claim 'merges a patch and leaves the rest as it is'
new_state
state put a '{"n":1.50,"x":{"y":1,"z":2}}'
run state merge a '{"x":{"y":null,"w":[1]},"n2":2}'
exits 0
run state get a
out_is '{"n":1.50,"x":{"z":2,"w":[1]},"n2":2}'

claim 'updates a value by a program'
new_state
run state update a '. // {"n":0} | .n += 1'
exits 0
out_is '{"n":1}'
run state update a 'empty'
exits 0
run state update a '.n.x'
exits 1
err_like '^state update: a: '
run state get a
out_is '{"n":1}'
run state update a '.n ='
exits 2

claim 'loses no update of ten processes'
new_state
for _ in 1 2 3 4 5 6 7 8 9 10; do
    (for _ in 1 2 3 4 5; do state update n '(. // 0) + 1' >/dev/null || exit 1; done) &
done
wait
run state get n
out_is 50

claim 'forgets a value after its time'
new_state
state put a 1 --ttl 300ms
state put b 1 --ttl 1h
run state get b
out_is 1
check within 60 sh -c '! state get a'
run_sh 'state list --keys'
out_is '"b"'
run state put a 1 --ttl 0
exits 2

claim 'keeps a value for a hundred years, and refuses what no clock holds'
new_state
state put a 1 --ttl 36525d
run state get a
out_is 1
run state put a 2 --ttl 100000d
exits 2
err_like '^state put: --ttl: 100000d: longer than a hundred years$'

claim 'lists what begins so, in order, with versions and ends'
new_state
for key in b/2 a b/1 b/10; do state put "$key" "\"$key\""; done
run_sh 'state list b/ | jq -r .value'
out_is 'b/1
b/10
b/2'
run state list --keys
out_is '"a"
"b/1"
"b/10"
"b/2"'
state put c 1 --ttl 1h
run_sh 'state list c | jq ".expires_ms > now * 1000 and .expires_ms < (now + 7200) * 1000"'
out_is true

claim 'lists more than a page'
new_state
seq 1 2500 | state put --key . >/dev/null
is "$(state list | wc -l)" 2500 'lines'
is "$(state list | jq -r .key | LC_ALL=C sort -u | wc -l)" 2500 'keys'
run_sh 'state list | head -n 1 | jq -c .key'
out_is '"1"'
err_is ''

claim 'watches every change while it runs'
new_state
state put w/0 0
state watch w/ >changes 2>watch.err &
watcher=$!
# It says nothing of when it has begun: write until it hears.
check within 60 sh -c 'state put w/begin 1 && test -s changes'
for i in 1 2 3 4 5; do state put "w/$i" "$i"; done
state put other 1
state del w/3
check within 60 sh -c 'grep -q deleted changes'
kill "$watcher"
wait "$watcher"
is $? 143 'exit status'
is "$(grep -v begin changes | jq -c '[.key, .value // .deleted]')" '["w/1",1]
["w/2",2]
["w/3",3]
["w/4",4]
["w/5",5]
["w/3",true]' changes

claim 'watches from a version on, and ends when its reader leaves'
new_state
since=$(state put w/1 1 --receipt)
state put w/2 2
state put w/2 3
run_sh "reaper state watch w/ --since $since | head -n 2 | jq -c '[.key, .value]'"
out_is '["w/2",2]
["w/2",3]'

claim 'says resync when it is asked for what it does not know any more'
new_state
run_sh 'reaper state watch --since 99 | head -n 1'
out_is '{"resync":true,"version":0}'

claim 'runs a command under a lock, with its exit status'
new_state
run state lock l -- sh -c 'echo "$1"; exit 7' sh 'a b'
exits 7
out_is 'a b'
run state lock l no-such-command
exits 127
run state lock l /
exits 126
run state lock l
exits 2
run state lock l -- sh -c 'kill -TERM $$'
exits 143

claim 'exits 75 when the lock is held, and waits as long as it is told'
mkfifo hold
state lock l -- cat hold &
holder=$!
exec 8>hold
run state lock l -- echo no
exits 75
out_is ''
err_like "^state lock: l: held by process $holder\$"
run state lock l --wait 100ms -- echo no
exits 75
state lock l --wait 60s -- echo yes >waited 8>&- &
waiter=$!
run state lock other -- echo meanwhile
out_is meanwhile
check test ! -s waited
exec 8>&-
wait "$waiter"
is "$?:$(cat waited)" 0:yes 'exit status and output'
wait "$holder"
rm hold

claim 'frees the lock at once when its holder is killed, and ends the command'
mkfifo hold
reaper state lock l -- sh -c 'echo $$ >pid; exec cat hold' &
check within 60 test -s pid
state lock l --wait 60s -- echo yes >waited &
waiter=$!
holder=$(ps -o ppid= -p "$(cat pid)" | tr -d ' ')
kill -KILL "$holder"
wait "$waiter"
is "$?:$(cat waited)" 0:yes 'exit status and output'
check within 60 sh -c '! kill -0 "$(cat pid)"'
rm hold pid

claim 'forwards signals to the command'
state lock l -- sh -c 'trap "echo got; exit 5" TERM; echo ready; while :; do sleep 0.05; done' >told &
locker=$!
check within 60 grep -q ready told
kill -TERM "$locker"
wait "$locker"
is "$?:$(tail -n 1 told)" 5:got 'exit status and output'

claim 'gives each holder a larger token'
first=$(state lock l -- sh -c 'echo $FIT_LOCK_TOKEN')
second=$(state lock l -- sh -c 'echo $FIT_LOCK_TOKEN')
check test "$second" -gt "$first"

claim 'never runs two of ten under the same lock'
rm -f inside overlap
for _ in 1 2 3 4 5 6 7 8 9 10; do
    state lock l --wait 60s -- sh -c 'mkdir inside || touch overlap; rmdir inside' &
done
wait
check test ! -e overlap

claim 'keeps each event of a stream under its key, and passes it'
new_state
printf '{"id":"a", "n":1}\n{"id":7}\n{"id":"a","n":2}\n' >events
run state put --key .id --prefix e/ --stats <events
exits 0
out_same events
is "$(counts)" '[3,3,0,0]' counts
run state get e/a
out_is '{"id":"a","n":2}'
run state get e/7
out_is '{"id":7}'

claim 'makes an event without a key a dead letter, and goes on'
printf '{"id":"x"}\n{"no":1}\n{"id":null}\n{"id":"y"}\n' >events
run state put --key .id --dead dead.ndjson <events
exits 123
is "$(jq -c '[.event,.reason]' dead.ndjson)" '[{"no":1},"bad_event"]
[{"id":null},"bad_event"]' letters
is "$(cat "$out")" '{"id":"x"}
{"id":"y"}' output

claim 'enriches a stream, and leaves the other bytes as they are'
new_state
state put u/1 '{"name" : "Ann"}'
printf '{"u":1, "x":1.0}\n{"u":2,"user":null}\n{ }\n{"u":1,"user":0,"y":2}\n' >events
run state get --key .u --prefix u/ --into user --dead /dev/null <events
exits 123
out_is '{"u":1, "x":1.0,"user":{"name" : "Ann"}}
{"u":2,"user":null}
{"u":1,"user":{"name" : "Ann"},"y":2}'
run state get --key '.u // 3' --prefix u/ --into user --default '"?"' <events
exits 0
out_is '{"u":1, "x":1.0,"user":{"name" : "Ann"}}
{"u":2,"user":"?"}
{ "user":"?"}
{"u":1,"user":{"name" : "Ann"},"y":2}'
run state get --key .u --prefix u/ --dead /dev/null <events
out_is '{"name" : "Ann"}
{"name" : "Ann"}'

claim 'passes each key once, over all runs'
new_state
printf '1\n2\n1\n3\n' | state seen --key . --ttl 24h >first
printf '3\n4\n2\n4\n' >others
run state seen --key . --ttl 24h --stats <others
exits 0
is "$(cat first "$out")" '1
2
3
4' output
is "$(counts)" '[4,1,0,3]' counts
run state seen --key . --prefix other/ <others
out_is '3
4
2'

claim 'passes each key once, whoever of several asks'
new_state
seq 1 3000 >numbers
for i in 1 2 3 4; do state seen --key . <numbers >"part.$i" & done
wait
is "$(cat part.* | sort -n | cmp - numbers && echo same)" same 'all together'

claim 'loses nothing when it is killed before the event is written'
new_state
mkfifo slow
{ exec 7>&-; state seen --key . <numbers >slow; } &
filter=$!
exec 7<slow
head -c 1 <&7 >/dev/null
kill -KILL "$filter"
wait "$filter" 2>/dev/null
{ printf '%s' "$(head -c 1 numbers)"; cat <&7; } >before
exec 7<&-
state seen --key . <numbers >after
is "$(cat before after | sort -n | uniq | cmp - numbers && echo same)" same 'before and after'
rm slow

claim 'dumps and loads all values'
new_state
for i in 1 2 3; do state put "k/$i" "{\"n\" : $i}"; done
state put -- "$(printf '\377')" 0
state put t 1 --ttl 1h
state list | jq -c 'del(.version)' >expected
state dump >plain
state dump packed.zst
is "$(zstd -dc packed.zst | cmp - plain && echo same)" same 'the compressed dump'
new_state
run state load packed.zst
exits 0
out_is ''
is "$(state list | jq -c 'del(.version)' | cmp - expected && echo same)" same 'what was loaded'
new_state
run state load <plain
exits 0
is "$(state list | jq -c 'del(.version)' | cmp - expected && echo same)" same 'what was loaded'

claim 'says when a dump is not whole'
sed '$d' plain >cut.ndjson
run state load cut.ndjson
exits 1
err_like '^state load: cut.ndjson: the dump is not whole'
sed 2d plain >less.ndjson
run state load less.ndjson
exits 1
head -c 50 packed.zst >torn.zst
run state load torn.zst
exits 1
sed 's/"value"/"velue"/' plain >wrong
rm -f dead.ndjson
run state load wrong --dead dead.ndjson
exits 123
is "$(jq -r .reason dead.ndjson | sort -u)" bad_event reason
run state load none
exits 1

claim 'leaves an old dump as it is when the new one fails'
cp plain old
run state dump none/file
exits 1
err_like '^state dump: make none/file'
same plain old

claim 'shows the old value or the new one while writers are killed'
new_state
state put v '[1,1]'
(i=1 && while :; do i=$((i + 1)) && state put v "[$i,$i]"; done) &
writer=$!
for _ in $(seq 1 200); do
    pkill -KILL -P "$writer" 2>/dev/null
    state get v
done >values
kill -KILL "$writer"
wait "$writer" 2>/dev/null
is "$(wc -l <values)" 200 'values'
is "$(jq -c 'select(.[0] != .[1])' values)" '' 'torn values'

claim 'says that a state directory is damaged, and leaves it as it is'
new_state
state put a 1
head -c 5000 "$FIT_STATE/data.mdb" >cut.mdb
cp cut.mdb "$FIT_STATE/data.mdb"
run state get a
exits 1
err_like "^state get: $FIT_STATE/data.mdb: it was cut off"
same cut.mdb "$FIT_STATE/data.mdb"
run state put a 1
exits 1
printf 'fittings-state 2\n' >"$FIT_STATE/format"
run state get a
exits 1
err_like 'of format 2, and this build knows format 1'
mkdir foreign
echo mine >foreign/file
run state put a 1 --state foreign
exits 1
err_like 'not a state directory'
is "$(ls foreign)" file 'the foreign directory'

claim 'says that the disk is full, keeps the old value and goes on later'
new_state
mkdir "$FIT_STATE"
if mount -t tmpfs -o size=1m none "$FIT_STATE" 2>/dev/null; then
    trap 'cd / && umount "$FIT_STATE"; rm -rf "$work"' EXIT
    state put a '"old"'
    head -c 1500000 /dev/urandom | base64 -w 0 | sed 's/.*/"&"/' >large
    echo >>large
    run_sh 'state put a <large'
    exits 1
    err_like '^state put: a: .*No space left on device'
    run state get a
    exits 0
    out_is '"old"'
    mount -o remount,size=8m "$FIT_STATE"
    run_sh 'state put a <large'
    exits 0
    run state get a
    out_same large
    umount "$FIT_STATE"
    trap 'cd / && rm -rf "$work"' EXIT
else
    skip 'nothing can be mounted here'
fi

claim 'lists and drops ledgers'
new_state
echo 1 | fan-out --ledger l -- cat >/dev/null
run_sh 'state ledger list | jq -r .ledger'
out_is l
run state ledger drop l
exits 0
run state ledger list
out_is ''
run state ledger drop l
exits 1
err_is 'state ledger: there is none of that name'
run state ledger
exits 2

claim 'lists and drops what every and poll keep of a name'
new_state
every 1m --once --name hourly -- true >/dev/null
poll --every 1h --once --name seen --items . --key . --check 'echo [1,2,3]' >/dev/null
poll --every 1h --name held --check 'echo 1' >/dev/null &
pid=$!
held() {
    [ "$(state cursor list | jq 'select(.name == "held" and .records > 0).pid')" = "$pid" ]
}
within 60 held || wrong 'who has it' "$pid" "$(state cursor list)"
run_sh "state cursor list | jq -c 'select(.pid == null) | [.kind, .name]'"
out_is '["every","hourly"]
["poll","seen"]'
run state cursor drop poll held
exits 75
err_is "state cursor: held: process $pid has it"
kill "$pid"
wait "$pid"
for name in held seen; do
    run state cursor drop poll $name
    exits 0
    out_is ''
done
run_sh "state cursor list | jq -c '[.kind, .name]'"
out_is '["every","hourly"]'
run poll --every 1h --once --name seen --first emit --items . --key . --check 'echo [1,2,3]'
is "$(wc -l <"$out")" 3 'items that are new again'
run state cursor drop poll none
exits 1
err_is 'state cursor: there is none of that name'
run state cursor drop chain x
exits 2
err_like 'chain: not every or poll'

claim 'says what is wrong with a command line'
run state nonsense
exits 2
err_like '^state: nonsense: no such verb'
run state get a b
exits 2
err_like "^state get: one operand too many: 'b'"
run state cas a
exits 2
err_like '^state cas: an operand is missing'
run state put a 1 --into x
exits 2
err_like '^state put: --into: unknown option'
run state seen
exits 2
err_like '^state seen: no --key'
run state put --help
exits 0
out_like '^usage: state put '

finish
