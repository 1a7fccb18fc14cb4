#!/bin/sh
# chain-undo.t: claims about --undo, and about --from after it.
. "${0%/*}/lib.sh"

FIT_STATE=$work/fit
export FIT_STATE

# act NAME [MEMBER...]: notes "NAME EVENT" in log and the idempotency key in keys, fails for good
# while fail.NAME is there, and gives a result for each MEMBER, or the event.
cat >act <<'END'
#!/bin/sh
name=$1
shift
read -r event
echo "$name $event" >>log
echo "$name $FIT_IDEMPOTENCY_KEY" >>keys
[ ! -e "kill.$name" ] || { rm "kill.$name"; kill -9 "$PPID"; }
[ ! -e "fail.$name" ] || exit 65
[ ! -e "fail.$name.once" ] || { rm "fail.$name.once"; exit 3; }
[ $# -gt 0 ] || printf '%s\n' "$event"
for member; do printf '{"%s":%s}\n' "$member" "$event"; done
END
chmod +x act
fresh() {
    rm -rf "$FIT_STATE" log keys dead again fail.* kill.*
}
# The chain that most claims are about.
saga() {
    echo 1 >one
    run chain --quiet "$@" './act A a' --undo './act undoA' './act B b' --undo './act undoB' \
        './act C c' <one
}
logged() {
    is "$(cat log)" "$1" log
    rm -f log
}
forward='A 1
B {"a":1}
C {"b":{"a":1}}'
backward='undoB {"event":{"a":1},"result":{"b":{"a":1}}}
undoA {"event":1,"result":{"a":1}}'

claim 'a later stage that fails undoes those before it in reverse order'
fresh
touch fail.C
saga --dead dead --stats
exits 123
out_is ''
logged "$forward
$backward"
is "$(jq -c '[.event,.reason,.stage,.exit,.undone,.again]' dead)" \
    '[{"b":{"a":1}},"exit",3,65,[2,1],1]' letter
is "$(jq -c 'select(.read)|[.read,.dead,.letters]' "$err")" '[1,1,1]' counts

claim 'nothing is undone when all goes well, and what the undo prints is no result'
fresh
saga
exits 0
out_is '{"c":{"b":{"a":1}}}'
logged "$forward"

claim 'a stage that fails is not undone itself'
fresh
touch fail.B
saga --dead dead
exits 123
logged 'A 1
B {"a":1}
undoA {"event":1,"result":{"a":1}}'
is "$(jq -c '[.event,.stage,.undone,.again]' dead)" '[{"a":1},2,[1],1]' letter
fresh
touch fail.A
saga --dead dead
exits 123
logged 'A 1'
is "$(jq -c '[.stage,has("undone"),has("again")]' dead)" '[1,false,false]' letter

claim 'a stage without --undo is passed over, also by workers'
fresh
touch fail.C
run_sh "echo 1 | chain --quiet --dead dead lines:cat --undo './act undo1' lines:cat cat --undo './act undo3' lines:cat './act C'"
exits 123
logged 'C 1
undo3 {"event":1,"result":1}
undo1 {"event":1,"result":1}'
is "$(jq -c '.undone' dead)" '[3,1]' letter

claim 'an undo is tried again as any call'
fresh
touch fail.C fail.undoB.once
saga --retries 1 --backoff 1ms..1ms --dead dead
exits 123
logged "$forward
$(echo "$backward" | sed 1p)"
is "$(jq -c .undone dead)" '[2,1]' letter

claim 'a call is undone when all the events that it gave have failed'
fresh
touch fail.C
echo 1 >one
run chain --quiet -j1 --dead dead './act A x y' --undo './act undoA' './act B' --undo './act undoB' \
    './act C' <one
exits 123
is "$(tail -n 1 log)" 'undoA {"event":1,"results":[{"x":1},{"y":1}]}' 'last of the log'
is "$(sort log | cut -d ' ' -f 1 | xargs)" 'A B B C C undoA undoB undoB' log
is "$(jq -c '[.event,.stage,.undone,.others,.again]' dead)" '[{"x":1},3,[2,2,1],1,1]' letter

claim 'a call stands when one of the events that it gave ends well'
fresh
cat >only_y <<'END'
#!/bin/sh
read -r event
[ "$event" = '{"y":1}' ] && echo "$event"
END
chmod +x only_y
run chain --quiet --dead dead './act A x y z' --undo './act undoA' './act B' --undo './act undoB' \
    ./only_y <one
exits 123
out_is '{"y":1}'
is "$(sort log | cut -d ' ' -f 1 | xargs)" 'A B B B undoB undoB' log
is "$(jq -c '[.event,.stage,.undone,.again]' dead | sort)" '[{"x":1},3,[2],{"x":1}]
[{"z":1},3,[2],{"z":1}]' letters
fresh
run chain --quiet --dead dead './act A x y' --undo './act undoA' 'sed /x/d' ./only_y <one
exits 0
out_is '{"y":1}'
fresh
touch fail.C
run chain --quiet --dead dead './act A x y' --undo './act undoA' 'sed /x/d' './act C' <one
exits 123
is "$(grep -c undoA log)" 0 'undone although one event ended without results'

claim 'an undo that fails for good has a letter, and so have the stages before it'
fresh
touch fail.C fail.undoB
saga --dead dead --stats
exits 123
logged "$forward
$(echo "$backward" | sed 2d)"
is "$(jq -c '[.event,.reason,.message,.function,.stage,.undo,.undone,.not_undone,.again]' dead)" \
    '[{"event":{"a":1},"result":{"b":{"a":1}}},"exit","the undo of stage 2 failed: exit status 65","./act undoB",2,true,null,null,null]
[{"event":1,"result":{"a":1}},"not_undone","stage 1 is still to be undone, after stage 2",null,1,true,null,null,null]
[{"b":{"a":1}},"exit","exit status 65","./act C c",3,null,null,[2,1],null]' letters

claim '--from gives such letters to the undo, with the same key, and the event only afterwards'
sort keys >keys.before
rm -f fail.* keys
run_sh "chain --quiet --serial-by .id --from auto --dead again './act A a' --undo './act undoA' './act B b' --undo './act undoB' './act C c' <dead"
exits 123
out_is ''
logged "$backward"
is "$(grep undoB keys)" "$(grep undoB keys.before)" 'key of the undo'
is "$(jq -c '[.event,.reason,.message,.stage,.not_undone]' again)" \
    '[{"b":{"a":1}},"bad_event","still to be undone: stage 2,1",3,[2,1]]' letter
jq -c 'select(.undo)' dead >undos
run chain --quiet --from auto --dead again2 cat cat cat <undos
exits 123
is "$(jq -c '[.event,.undo,.message]' again2)" '[{"event":{"a":1},"result":{"b":{"a":1}}},true,"the chain has no undo for stage 2"]
[{"event":1,"result":{"a":1}},true,"the chain has no undo for stage 1"]' letters
jq -c 'del(.not_undone)' again >finished
run chain --quiet --from 3 './act A a' --undo './act undoA' './act B b' './act C c' <finished
exits 0
out_is '{"c":{"b":{"a":1}}}'
rm -f again2

claim '--from begins again at the stage that was undone last, under another key'
fresh
touch fail.C
saga --dead dead
rm fail.C log
run chain --from auto './act A a' --undo './act undoA' './act B b' './act C c' <dead
exits 0
out_is '{"c":{"b":{"a":1}}}'
logged "$forward"
is "$(sort keys | uniq -d)" '' 'keys that came twice'
run chain --quiet --from 3 --dead again './act A a' './act B b' './act C c' <dead
exits 123
is "$(jq -c '[.message,.undone,.again]' again)" \
    '["a letter of stage 1, but --from is 3",[2,1],1]' letter
rm -f log
run chain --from 1 './act A a' './act B b' './act C c' <again
exits 0
logged "$forward"

claim 'with --ledger an event that was undone is tried again from there, under other keys'
fresh
touch fail.C
saga --ledger l --dead dead
exits 123
logged "$forward
$backward"
saga --ledger l --dead dead
exits 123
logged "$forward
$backward"
is "$(sort keys | uniq -d)" '' 'keys that came twice'
rm fail.C
saga --ledger l
exits 0
out_is '{"c":{"b":{"a":1}}}'
logged "$forward"
saga --ledger l
exits 0
out_is '{"c":{"b":{"a":1}}}'
check test ! -e log
saga --ledger l --new
out_is ''

claim 'with --ledger a letter that is redriven is the same event as in the input'
fresh
touch fail.C
saga --ledger l --dead dead
rm fail.C log
run chain --ledger l --from auto './act A a' --undo './act undoA' './act B b' --undo './act undoB' \
    './act C c' <dead
exits 0
logged "$forward"
saga --ledger l
exits 0
out_is '{"c":{"b":{"a":1}}}'
check test ! -e log

claim 'stages before the first that was undone keep their results'
fresh
touch fail.C
chain_in_the_middle() {
    run chain --quiet --ledger l --dead dead './act A a' './act B b' --undo './act undoB' './act C c' <one
}
chain_in_the_middle
exits 123
rm log fail.C
chain_in_the_middle
exits 0
logged 'B {"a":1}
C {"b":{"a":1}}'

claim 'a run that is killed between two undos goes on undoing, and does none twice'
for victim in undoB undoA; do
    fresh
    touch fail.C "kill.$victim"
    saga --ledger l --dead dead
    exits 137
    rm fail.C # it has failed: that it would not any more makes no difference
    saga --ledger l --dead dead
    exits 123
    out_is ''
    [ "$victim" = undoB ] && expected=undoB,undoB,undoA || expected=undoB,undoA,undoA
    is "$(sed -n 's/^\(undo.\) .*/\1/p' log | paste -s -d ,)" "$expected" 'undos'
    is "$(grep -c '^C' log)" 1 'calls of C'
    is "$(jq -c '[.event,.reason,.stage,.exit,.undone,.again,.id]' dead)" \
        '[{"b":{"a":1}},"exit",3,65,[2,1],1,"df3ce784d856334d65cd25028f98f158"]' letter
    rm log
    saga --ledger l
    exits 0
    logged "$forward"
done

claim 'an undo that was committed is not called again, while others of its event are under way'
fresh
cat >third <<'END'
#!/bin/sh
read -r event
case $event in
'{"x":1}') [ ! -e hold ] || exit 65 ;;
'{"y":1}') [ ! -e hold ] || { sleep 1000 & wait; } ;;
esac
echo "$event"
END
chmod +x third
rm -f calls fifo
mkfifo fifo
: >hold
split_saga() {
    exec chain --quiet --ledger l --dead dead "$@" './act A x y' --undo './act undoA' './act B' \
        --undo './act undoB' ./third
}
split_again() {
    last_command='chain, run again'
    status=0
    (split_saga) <two >"$out" 2>"$err" || status=$?
}
last_command='chain, killed after an undo'
split_saga -u -j4 --trace calls <fifo >"$out" 2>"$err" &
pid=$!
exec 9>fifo
echo 1 >&9
within 60 grep -q 'act undoB' calls || wrong 'a call of the undo' some none
echo 2 >&9 # recorded after it, and printed when it is recorded
within 60 grep -q 2 "$out" || wrong 'the second event' printed "$out"
kill -9 "$pid"
wait "$pid" 2>/dev/null
exec 9>&-
rm -f hold fifo
seq 2 >two
split_again
exits 123
is "$(sort "$out" | xargs)" '{x:2} {y:1} {y:2}' results
is "$(grep -c undo log)" 1 undos
is "$(jq -c '[.event,.undone,.again]' dead)" '[{"x":1},[2],{"x":1}]' letter
split_again
exits 0
is "$(xargs <"$out")" '{x:1} {y:1} {x:2} {y:2}' results
is "$(grep -c 'B {"x":1}' log)" 2 'calls of B for what was undone'
is "$(grep -c . log)" 8 'calls in all'

claim 'with --ledger an undo that failed is tried again, and then those before it'
fresh
touch fail.C fail.undoB
saga --ledger l --dead dead
exits 123
rm -f fail.* log dead
saga --ledger l --dead dead
exits 123
logged "$backward"
is "$(jq -c '[.stage,.undone]' dead)" '[3,[2,1]]' letter
saga --ledger l
exits 0
logged "$forward"

claim 'with --ledger an undo that was redriven is not done again'
fresh
touch fail.C fail.undoB
saga --ledger l --dead dead
rm -f fail.* log
jq -c 'select(.undo)' dead >undos
run chain --ledger l --from auto './act A a' --undo './act undoA' './act B b' --undo './act undoB' \
    './act C c' <undos
exits 0
rm -f log
saga --ledger l --dead dead
exits 123
check test ! -e log
saga --ledger l
exits 0
logged "$forward"

claim 'what a signal ends has not failed: nothing is undone, and its letter goes on at its stage'
fresh
cat >stuck <<'END'
#!/bin/sh
: >stuck.there
sleep 1000 &
wait
END
chmod +x stuck
rm -f stuck.there
last_command='chain under SIGTERM'
status=0
echo 1 >one
reaper chain --quiet --grace 200ms --dead dead './act A a' --undo './act undoA' ./stuck <one \
    >"$out" 2>"$err" &
pid=$!
within 60 test -e stuck.there || wrong 'the second stage' reached 'not reached'
kill -TERM "$pid"
wait "$pid" || status=$?
exits 143
logged 'A 1'
is "$(jq -c '[.event,.reason,.stage,.undone]' dead)" '[{"a":1},"interrupted",2,null]' letter

claim 'an undo that a signal ends has its letter, and a later run goes on with it'
fresh
rm -f stuck.there
touch hold fail.C
cat >slowly <<'END'
#!/bin/sh
[ ! -e hold ] || { : >stuck.there; sleep 1000 & wait; }
exec ./act undoB
END
chmod +x slowly
slow_saga() {
    status=0
    reaper chain --quiet --grace 200ms --dead dead --ledger l './act A a' --undo './act undoA' \
        './act B b' --undo ./slowly './act C c' <one >"$out" 2>"$err" &
    pid=$!
}
last_command='chain under SIGTERM, undoing'
slow_saga
within 60 test -e stuck.there || wrong 'the undo' called 'not called'
kill -TERM "$pid"
wait "$pid" || status=$?
exits 143
is "$(jq -c '[.reason,.stage,.undo,.not_undone]' dead)" '["interrupted",2,true,null]
["not_undone",1,true,null]
["exit",3,null,[2,1]]' letters
rm -f hold log dead
slow_saga
wait "$pid" || status=$?
exits 123
logged "$backward"
is "$(jq -c '[.reason,.stage,.undone]' dead)" '["exit",3,[2,1]]' letter

claim 'a file at the end that cannot be written undoes nothing'
fresh
run_sh "echo 1 | chain --quiet --dead dead './act A a' --undo './act undoA' file:/dev/full"
exits 1
logged 'A 1'
is "$(jq -c '[.event,.reason,.stage,.undone]' dead)" '[{"a":1},"write",2,null]' letter

claim 'a stage whose result finds no room to wait has failed, and is undone'
fresh
printf '%s\n' 'head -c 1000000 /dev/zero | tr "\0" 7' >long
TMPDIR=$PWD/nowhere run_sh "echo 1 | chain --quiet --dead dead './act A a' --undo './act undoA' 'sh long'"
exits 123
is "$(jq -c '[.reason,.stage,.undone]' dead)" '["write",2,[1]]' letter

claim 'an undo may be a file'
fresh
touch fail.C
run_sh "seq 3 | chain --quiet -j1 --dead dead cat --undo file:undone.ndjson './act C'"
exits 123
is "$(cat undone.ndjson)" '{"event":1,"result":1}
{"event":2,"result":2}
{"event":3,"result":3}' 'the file'
rm -f undone.ndjson

claim 'events that fail are undone while others go on, and results keep their order'
fresh
cat >odd <<'END'
#!/usr/bin/perl
$| = 1;
while (<STDIN>) { print $_ % 2 ? $_ : "!\"even\"\n" }
END
chmod +x odd
seq 200 >input
for order in '' -u; do
    rm -f dead undone.ndjson
    run_sh "chain --quiet $order --dead dead lines:cat --undo file:undone.ndjson lines:cat lines:./odd <input"
    exits 123
    sed -n '1~2p' input >expected
    [ -z "$order" ] || { sort -n "$out" >sorted && cp sorted "$out"; }
    out_same expected
    is "$(jq .event undone.ndjson | sort -n | xargs)" "$(sed -n '2~2p' input | xargs)" undone
    is "$(jq -c .undone dead | sort -u)" '[1]' letters
done
rm -f undone.ndjson

claim 'a hundred thousand failures below a stage are told as they come, and it stands'
cat >never <<'END'
#!/usr/bin/perl
$| = 1;
while (<STDIN>) { print "!no\n" }
END
chmod +x never
fresh
run_sh "echo 1 | chain --quiet --stats --dead many 'seq 20000' --undo './act undo' lines:./never"
exits 123
check test ! -e log
is "$(jq -c 'select(.read)|[.read,.dead,.letters]' "$err")" '[1,1,20000]' counts
is "$(jq -c .event many | sort -n | uniq | grep -c .)" 20000 letters
rm -f many
if ! sanitized; then
    run_sh "ulimit -v 65536; seq 20000 | chain --quiet --stats --dead many lines:cat --undo file:undone.ndjson lines:./never"
    exits 123
    is "$(grep -c . undone.ndjson)" 20000 undone
fi
rm -f many undone.ndjson

claim '--undo belongs to the function before it, and options may stand anywhere'
fresh
touch fail.C
run_sh "echo 1 | chain './act A' --quiet --undo='./act undoA' -j1 './act C' --dead dead"
exits 123
logged 'A 1
C 1
undoA {"event":1,"result":1}'
run chain --undo cat cat cat </dev/null
exits 2
err_like '^chain: --undo: cat: no function stands before it'
run chain cat --undo cat --undo 'cat -n' cat </dev/null
exits 2
err_like "^chain: --undo: cat -n: 'cat' has one already"
run chain cat --undo - cat </dev/null
exits 2
err_like "^chain: --undo: '-': what an undo gives is no result"
run chain cat --undo "sh -c 'x" cat </dev/null
exits 2
run chain cat --undo ./nothing cat </dev/null
exits 127
err_like '^chain: \./nothing: not found'

claim '--explain shows the undo functions'
run chain --explain --stage-jobs 2,1,1 ./reserve --undo './release --all' lines:./pay \
    --undo file:paid.ndjson ./send
exits 0
out_is "stage  function          as                        jobs  timeout  retries
    1  ./reserve         a process for each event     2     none        0
 undo  ./release --all   a process for each event     2     none        0
    2  lines:./pay       line workers                 1     none        0
 undo  file:paid.ndjson  a file
    3  ./send            a process for each event     1     none        0
Results come in the order of the input.
What fails goes to standard error."

finish
