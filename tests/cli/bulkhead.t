#!/bin/sh
# bulkhead.t: claims about bulkhead, and about --bulkhead of the other commands.
. "${0%/*}/lib.sh"

FIT_STATE=$work/fit
export FIT_STATE
seq 5 >five
echo 1 >one

# Takes one of ten places while it runs, and notes which: how many are at it at once.
cat >crowd <<'END'
#!/bin/sh
read -r event
for place in 1 2 3 4 5 6 7 8 9 10; do
    mkdir "place.$place" 2>/dev/null && break
done
echo "$place" >>places
sleep 0.01
rmdir "place.$place"
echo "$event"
END
# Says that it runs, and waits for the file that its event names.
cat >waits-for <<'END'
#!/bin/sh
read -r event
: >"began.$event"
while [ ! -e "go.$event" ]; do sleep 0.02; done
echo "$event"
END
chmod +x crowd waits-for

claim 'passes events through, in their order'
run bulkhead --slots 3 -- cat <five
exits 0
out_same five

claim 'forty processes have five slots, and never use six'
pids=
for i in $(seq 40); do
    seq 3 | bulkhead --name b --slots 5 -- ./crowd >"out.$i" &
    pids="$pids $!"
done
# shellcheck disable=SC2086 # the words are numbers
wait $pids
is "$(cat out.* | wc -l | tr -d ' ')" 120 results
is "$(awk '$1 > 5' places | wc -l | tr -d ' ')" 0 'more than five'
rm -f out.* places

claim 'other commands share the slots by the name, also with line workers'
run fan-out --bulkhead b:5 -j8 -- ./crowd <five
exits 0
out_same five
run fan-out --bulkhead b:1 -j4 -- lines:cat <five
exits 0
out_same five
run chain --bulkhead b:1 -j4 ./crowd ./crowd <five
exits 0
out_same five
is "$(awk '$1 > 5' places)" '' 'more than five'

claim 'a slot is free at once when its holder is killed'
echo 77 | bulkhead --name k --slots 1 -- ./waits-for >/dev/null 2>&1 &
holder=$!
within 60 test -e began.77
run bulkhead --name k --slots 1 --show
is "$(jq -c . "$out")" '{"name":"k","slots":1,"held":1,"waiting":0}'
bulkhead --name k --slots 1 -- cat <one >after &
pid=$!
waits() {
    [ "$(bulkhead --name k --show | jq .waiting)" -ge 1 ]
}
within 60 waits || wrong 'waiting' 1 "$(bulkhead --name k --show)"
check test ! -s after
kill -KILL $holder
within 60 test -s after || wrong 'a result after the kill' 1 after
wait

claim 'an event that waits for too long is dead, or dropped if so asked'
echo 88 | bulkhead --name w --slots 1 -- ./waits-for >/dev/null 2>&1 &
holder=$!
within 60 test -e began.88
run bulkhead --name w --slots 1 --wait 50ms --dead dead -- cat <one
exits 123
is "$(jq -c '[.reason,.message,.attempts]' dead)" \
    '["bulkhead_full","the bulkhead w: no slot was free within 50.0ms",0]'
run bulkhead --name w --slots 1 --wait 50ms --on-full drop --stats -- cat <one
exits 0
is "$(jq .dropped "$err")" 1 dropped

claim 'when no more may wait events are dead or dropped, and reading goes on'
rm dead
run bulkhead --name w --slots 1 --on-full dead --waiting 0 --dead dead -- cat <five
exits 123
is "$(jq -r .reason dead | sort | uniq -c | tr -s ' ')" ' 5 bulkhead_full'
run bulkhead --name w --slots 1 --on-full drop --waiting 2 --wait 100ms --stats -- cat <five
exits 0
is "$(jq .dropped "$err")" 5 dropped
: >go.88
wait $holder

claim 'a slot of its own that is full makes the next wait, not fail, until --waiting'
rm -f dead
printf '"a"\n"b"\n"c"\n"d"\n' >letters
cat >slow <<'END'
#!/bin/sh
while [ ! -e go.slow ]; do sleep 0.02; done
cat
END
chmod +x slow
bulkhead --slots 1 -u --on-full dead --waiting 1 --quiet --dead dead -- ./slow <letters >two &
pid=$!
within 60 test -s dead || wrong "dead letters" 2 none
: >go.slow
wait $pid
is "$(tr '\n' ' ' <two)" '"a" "b" '
is "$(jq -c .event dead | tr '\n' ' ')" '"c" "d" '

claim 'no slot is held while a call waits for its retry'
cat >again <<'END'
#!/bin/sh
: >tried
[ -e better ] && cat
END
chmod +x again
bulkhead --name r --slots 1 --retries 1000 --backoff 1h..1h -- ./again <one >retried 2>/dev/null &
pid=$!
within 60 test -e tried
free() {
    [ "$(bulkhead --name r --show | jq .held)" -eq 0 ]
}
within 60 free || wrong 'held while backing off' 0 "$(bulkhead --name r --show)"
kill -TERM $pid
kill -TERM $pid
wait $pid 2>/dev/null

claim 'a key whose calls hang leaves the others as they were'
for i in $(seq 100); do
    echo '{"k":"hangs"}'
    echo "{\"k\":\"other\",\"n\":$i}"
done >mixed
cat >hang <<'END'
#!/bin/sh
read -r event
case $event in *hangs*) while [ ! -e go.hang ]; do sleep 0.05; done ;; esac
echo "$event"
END
chmod +x hang
bulkhead --slots 2 --key .k -- ./hang <mixed >kept &
pid=$!
others() {
    [ "$(grep -c other kept)" -eq 100 ]
}
within 60 others || wrong 'results of the other key' 100 "$(grep -c other kept)"
is "$(grep -c hangs kept)" 0 'results of the key that hangs'
: >go.hang
wait $pid
is "$(wc -l <kept | tr -d ' ')" 200 results

claim 'each key has its slots, and no more'
rm -f places
seq 12 | sed 's/.*/{"k":"same"}/' | bulkhead --slots 2 --key .k -- ./crowd >/dev/null
is "$(sort -u places | tr '\n' ' ')" '1 2 '

claim 'the events of a key beyond --waiting are dead, those of others are not'
rm -f dead go.hang kept
printf '{"k":"hangs","n":%s}\n' 1 2 3 4 >hanging
echo '{"k":"other"}' >>hanging
bulkhead --slots 1 --key .k --on-full dead --waiting 1 --quiet --dead dead -- ./hang <hanging >kept &
pid=$!
within 60 grep -q other kept
within 60 sh -c 'test "$(wc -l <dead)" -eq 2' || wrong 'dead letters' 2 dead
: >go.hang
wait $pid
is "$(jq -c '[.event.n,.reason]' dead | tr '\n' ' ')" '[3,"bulkhead_full"] [4,"bulkhead_full"] '
is "$(wc -l <kept | tr -d ' ')" 3 results

claim 'bounds the memory of a call, and lowers its priority'
cat >hungry <<'END'
#!/bin/sh
exec awk 'BEGIN { s = "x"; while (length(s) < 300000000) s = s s; print length(s) }'
END
chmod +x hungry
rm -f dead
run bulkhead --slots 1 --quiet --memory 100M --dead dead -- ./hungry <one
exits 123
run bulkhead --slots 1 -- ./hungry <one
exits 0
run bulkhead --slots 1 --nice 7 --text -- nice <one
out_is "\"$(($(nice) + 7))\""
run bulkhead --slots 1 --nice 7 --text -- lines:sh -c 'while read -r n; do nice; done' <one
out_is "\"$(($(nice) + 7))\""

claim 'says how it bounds memory, and refuses what it cannot bound'
run bulkhead --slots 1 -v --memory 1G -- cat <one
exits 0
err_like '^bulkhead: calls are limited by (control groups in /|their address space, not by control groups: )'
run bulkhead --slots 1 --cpu 50% -- cat <one
if [ "$status" -ne 0 ]; then
    exits 1
    err_like '^bulkhead: --cpu needs control groups: '
fi
for wrong in '--cpu 50' '--cpu 0%' '--nice 20' '--nice 0' '--memory 1K'; do
    run_sh "bulkhead --slots 1 $wrong -- cat <one"
    exits 2
done

claim 'says what does not go together'
for wrong in '-- cat' '--slots 0 -- cat' '--slots 5000 -- cat' '--slots 2' '--slots 1 --key .k --name x -- cat' \
    '--show -- cat' '--slots 1 --waiting 0 -- cat' '--slots 1 --on-full never -- cat'; do
    run_sh "bulkhead $wrong <five"
    exits 2
done
run fan-out --bulkhead x -- cat
exits 2
err_like '--bulkhead: x: not NAME:N'
run fan-out --bulkhead :3 -- cat
exits 2

finish
