#!/bin/sh
# fanin.t: claims about fanin, where it collects parts into groups.
. "${0%/*}/lib.sh"

unset FIT_STATE

# part GROUP INDEX COUNT VALUE: an envelope.
part() {
    printf '{"part":{"group":%s,"index":%s,"count":%s},"value":%s}\n' "$@"
}

# stat_is FILTER VALUE: of the line of --stats.
stat_is() {
    is "$(grep '^{"read"' "$err" | jq -c "$1")" "$2" "$1"
}

# holds NAME FILTER VALUE: what --show says.
holds() {
    [ "$(fanin --show --name "$1" | jq -c "$2")" = "$3" ]
}

shown() {
    is "$(fanin --show --name "$1" | jq -c "$2")" "$3" "$2 of $1"
}

# ---- parts ----

claim 'parts in any order become the array of their values in order, byte for byte'
{
    part '"a"' 2 3 '{"x": 1.0}'
    part '"b"' 0 1 '"é"'
    part '"a"' 0 3 12345678901234567890
    part '"a"' 1 3 null
} >parts
run fanin --stats <parts
exits 0
out_is '["é"]
[12345678901234567890,null,{"x": 1.0}]'
stat_is '[.read,.done,.groups.read,.groups.done,.results]' '[4,4,2,2,2]'

claim 'a part that comes again is ignored, and counted'
part '"b"' 0 1 '"other"' | cat parts parts - >again
run fanin --stats <again
exits 0
out_is '["é"]
[12345678901234567890,null,{"x": 1.0}]'
stat_is '[.done,.duplicates,.late,.groups.read]' '[9,5,0,2]'

claim 'keys are values, and equal strings are equal however they are escaped'
{
    part '{"k": [1]}' 0 2 1
    part '"\u0061/"' 0 2 1
    part '{"k":[1]}' 1 2 2
    part '"a\/"' 1 2 3
    part 1 0 1 4
    part null 0 1 5
    part '"1"' 0 1 6
} >keys
run fanin --join '{k: $group, v: .}' <keys
exits 0
out_is '{"k":{"k":[1]},"v":[1,2]}
{"k":"a/","v":[1,3]}
{"k":1,"v":[4]}
{"k":null,"v":[5]}
{"k":"1","v":[6]}'

claim 'a part without a value has no element, and a count of 0 is a group without parts'
printf '%s\n' '{"part":{"group":1,"index":0,"count":0}}' '{"part":{"group":1,"index":0,"count":0}}' \
    '{"part":{"group":2,"index":1,"count":2}}' '{"part":{"group":2,"index":0,"count":2},"value":7}' >bare
run fanin --stats <bare
exits 0
out_is '[]
[7]'
stat_is .duplicates 1

# split_equals PROGRAM FUNCTION...: fan-out --parts and fanin, shuffled and doubled, give what
# fan-out --split gives.
split_equals() {
    program=$1
    shift
    fan-out -j2 --quiet --split "$program" -- "$@" <events 2>letters | sort >whole
    fan-out -j2 --quiet --split "$program" --parts -- "$@" <events >envelopes 2>letters
    cat envelopes envelopes | shuf >shuffled
    fanin --quiet <shuffled 2>letters | sort >"$out"
    out_same whole
}

claim 'fan-out --parts and fanin give what fan-out --split gives'
perl -e 'srand 7; for my $i (1 .. 200) {
    print "{\"id\":$i,\"list\":[", join(",", map { int rand 1000 } 1 .. rand 7), "]}\n" }' >events
split_equals '.list[]' cat
split_equals '.list[]' lines:cat
split_equals '.list[]' sed 'p;p' # several lines of a part
split_equals '.list[]' sed 's/.*7$//' # and none
split_equals '.list[]' sh -c 'read -r n; [ "$n" -lt 900 ] && echo "$n"' # and failures

claim 'several inputs are read at once, - is standard input'
mkfifo fifo
part '"a"' 0 3 0 >one
part '"a"' 1 3 1 >fifo &
run_sh 'printf "{\"part\":{\"group\":\"a\",\"index\":2,\"count\":3},\"value\":2}" | fanin one fifo -'
exits 0
out_is '[0,1,2]'

claim 'values of 10 MB, and an input without a last newline'
perl -e 'print qq({"part":{"group":"big","index":1,"count":2},"value":"), "x" x 10_000_000, qq("}\n);
    print qq({"part":{"group":"big","index":0,"count":2},"value":"), "y" x 10_000_000, qq("})' >big
run fanin --join 'map(length)' <big
exits 0
out_is '[10000000,10000000]'
run_sh 'fanin <big | wc -c'
out_is 20000008
run_sh 'fanin --state big.state <big | wc -c'
out_is 20000008

claim 'no input is no output'
run fanin
exits 0
out_is ''
err_is ''

claim 'lines that are no envelopes are dead, and the others go on'
{
    echo '{'
    printf '"\377"\n'
    printf '\0\n'
    echo 1
    echo '{"part":1}'
    echo '{"part":{"group":1}}'
    echo '{"part":{"group":1,"index":0}}'
    echo '{"part":{"group":1,"index":-1,"count":3}}'
    echo '{"part":{"group":1,"index":1.0,"count":3}}'
    echo '{"part":{"group":1,"index":3,"count":3}}'
    echo '{"part":{"group":1,"index":"0","count":3}}'
    echo '{"part":{"group":1,"index":0,"count":99999999}}'
    echo '[]'
    part 1 0 1 1
} >bad
run fanin --dead bad.dead --stats <bad
exits 123
out_is '[1]'
stat_is '[.read,.done,.dead,.letters]' '[14,1,13,13]'
is "$(jq -r .reason bad.dead | sort | uniq -c | tr -s ' ' | tr '\n' ,)" ' 10 bad_event, 3 bad_json,'
is "$(sed -n 4,13p bad.dead | jq -r .message)" 'stdin:4: no envelope of a part: it has no part.group
stdin:5: no envelope of a part: it has no part.group
stdin:6: part.index is missing
stdin:7: part.count is missing
stdin:8: part.index is no number from 0 to 16777216
stdin:9: part.index is no number from 0 to 16777216
stdin:10: part.index 3 is beyond a count of 3
stdin:11: part.index is no number from 0 to 16777216
stdin:12: part.count is no number from 0 to 16777216
stdin:13: no envelope of a part: it has no part.group'
printf '[%s,{"part":7}]\n' "$(part 2 0 1 1)" >several
run fanin --dead several.dead several
exits 123
is "$(jq -r .message several.dead)" 'several:1: element 2: no envelope of a part: it has no part.group'

claim 'a part that contradicts the others of its group is dead'
{
    part 1 0 3 1
    part 1 1 2 1
    part 1 1 3 2
    part 1 2 3 3
} >contrary
run fanin --dead contrary.dead <contrary
exits 123
out_is '[1,2,3]'
is "$(jq -c '[.reason,.message]' contrary.dead)" \
    '["bad_event","its place or number of parts contradicts the others of group 1"]'

claim 'too large lines, and a full disk'
run fanin --max-event 60 --dead large.dead <parts
exits 123
is "$(jq -r .reason large.dead | sort -u)" 'incomplete
too_large'
if [ -w /dev/full ]; then
    run_sh 'fanin <parts >/dev/full'
    exits 1
    err_like '^fanin: write stdout: No space left'
fi
run_sh 'fanin <&-'
exits 1

# ---- failed parts ----

{
    part 1 0 3 1
    echo '{"part":{"group":1,"index":1,"count":3},"error":{"reason":"exit","exit":3,"message":"exit status 3"}}'
    echo '{"part":{"group":1,"index":2,"count":3},"error":"boom"}'
    part 2 0 1 5
} >failing

claim 'a failed part makes its group dead, and the letter names it'
run fanin --dead failing.dead --stats <failing
exits 123
out_is '[5]'
stat_is '[.dead,.groups.read,.groups.done,.groups.dead]' '[0,2,1,1]'
is "$(jq -c '[.reason,.message,.error,.group]' failing.dead)" \
    '["parts","2 of 3 parts failed: part 1: exit status 3; part 2: boom",[{"part":1,"reason":"exit","exit":3,"message":"exit status 3"},{"part":2,"error":"boom"}],1]'

claim '--on-part-failure skip leaves it out, null puts null'
run fanin --on-part-failure skip <failing
exits 0
out_is '[1]
[5]'
run fanin --on-part-failure null <failing
exits 0
out_is '[1,null,null]
[5]'

# ---- plain events ----

claim '--group collects plain events, by default until the input ends'
printf '{"u":"a","n":1}\n{"u":"b","n":2}\n{"u":"a","n":3}\n' >visits
run fanin --group .u <visits
exits 0
out_is '[{"u":"a","n":1},{"u":"a","n":3}]
[{"u":"b","n":2}]'

claim '--count N closes a group, and what comes later is late'
seq 10 >ten
run fanin --group '. % 2' --count 3 --dead late.dead --stats <ten
exits 123
out_is '[1,3,5]
[2,4,6]'
stat_is '[.done,.dead,.late]' '[6,4,4]'
err_like '^fanin: 4 parts came after their groups had closed$'
is "$(jq -c '[.event,.reason,.message]' late.dead | head -n 1)" \
    '[7,"late","group 1 has closed without it, by count"]'
run fanin --group '. % 2' --count 3 --dead /dev/null --quiet <ten
err_is ''

claim '--count JQ takes the number from an event that knows it'
printf '{"g":1}\n{"g":1,"of":3}\n{"g":2,"of":1}\n{"g":1}\n' >counted
run fanin --group .g --count .of <counted
exits 0
out_is '[{"g":2,"of":1}]
[{"g":1},{"g":1,"of":3},{"g":1}]'
printf '{"g":1,"of":"x"}\n{"g":1,"of":0}\n' >wrong
run fanin --group .g --count .of --dead wrong.dead <wrong
exits 123
is "$(jq -r '[.reason,.message]|join(": ")' wrong.dead | sort -u)" \
    'bad_event: --count .of: gives no number from 1 to 16777216'

claim 'the count of an envelope goes before --count, which is for those without'
{
    part 1 0 2 a | sed 's/a}/"a"}/'
    part 1 1 2 1
    echo '{"part":{"group":2,"index":1},"value":"y"}'
    echo '{"part":{"group":2,"index":0},"value":"x"}'
    echo '{"part":{"group":2,"index":2},"value":"z"}'
} >mixed
run fanin --count 3 <mixed
exits 0
out_is '["a",1]
["x","y","z"]'

claim '--until closes a group when it is true of the array so far'
run fanin --group '. % 2' --until 'add > 10' --remember 0s --closed-by <ten
exits 123
out_is '{"result":[2,4,6],"closed_by":"until"}
{"result":[1,3,5,7],"closed_by":"until"}
{"result":[8,10],"closed_by":"until"}'
is "$(grep incomplete "$err" | jq -c .event)" '[{"part":{"group":1,"index":0},"value":9}]'
run fanin --until 'any(. == "end")' <<'END'
{"part":{"group":1,"index":4},"value":"end"}
{"part":{"group":2,"index":0},"value":1}
{"part":{"group":2,"index":5},"value":2}
{"part":{"group":2,"index":1},"value":"end"}
END
exits 0
out_is '["end"]
[1,"end",2]'

claim 'a predicate that cannot be applied is that event'"'"'s failure'
printf '1\n"x"\n2\n' >odd
run fanin --group 1 --until 'add > 2' --dead odd.dead <odd
exits 123
out_is '[1,2]'
is "$(jq -c '[.event,.reason]' odd.dead)" '["x","bad_event"]'
is "$(jq -r .message odd.dead | cut -c 1-20)" "--until jq 'add > 2'"

claim 'equal events all count, those with one id count once'
printf '{"g":1,"id":"x"}\n{"g":1,"id":"x"}\n{"g":1,"id":"y"}\n' >same
run fanin --group .g --count 3 <same
exits 0
out_is '[{"g":1,"id":"x"},{"g":1,"id":"x"},{"g":1,"id":"y"}]'
run fanin --group .g --id .id --stats <same
exits 0
out_is '[{"g":1,"id":"x"},{"g":1,"id":"y"}]'
stat_is .duplicates 1
cloud='{"specversion":"1.0","type":"t","source":"s","id":"1"}'
run_sh "printf '%s\n%s\n' '$cloud' '$cloud' | fanin --group .type"
out_is "[$cloud]"
printf '{"g":1}\n' >nameless
run fanin --group .g --id .id --dead nameless.dead <nameless
exits 123
is "$(jq -r .message nameless.dead)" '--id .id: gives nothing'

claim 'an event that gives no key is dead'
run fanin --group 'empty' --dead keyless.dead <visits
exits 123
is "$(jq -r .message keyless.dead | sort -u)" '--group empty: gives nothing'
run fanin --group '.u.x' --dead keyless.dead <visits
exits 123

claim '--remember 0s begins a new group where one has closed'
run fanin --group 1 --count 4 --remember 0s --at-eof partial <ten
exits 0
out_is '[1,2,3,4]
[5,6,7,8]
{"result":[9,10],"missing":2}'

# ---- results ----

claim '--join emits each output, and none'
run fanin --join '.[]' <parts
out_is '"é"
12345678901234567890
null
{"x": 1.0}'
run fanin --join 'select(length > 1) | length' --stats <parts
exits 0
out_is 3
stat_is '[.groups.done,.results]' '[2,1]'

claim 'a program that fails makes the group dead'
run fanin --join '.[0].x' --dead joined.dead <failing --on-part-failure skip
exits 123
is "$(jq -r '.reason,.message' joined.dead | head -n 2 | cut -c 1-32)" "bad_result
--join jq '.[0].x': Cannot index"
is "$(jq -c .event joined.dead | tail -n 1)" '[{"part":{"group":2,"index":0,"count":1},"value":5}]'

claim 'programs are checked at the start'
for option in --group --count --until --join --id; do
    run fanin --group . "$option" '.['
    exits 2
done

# ---- the end of the input ----

{
    part '"whole"' 0 1 1
    part '"torn"' 3 5 3
    part '"torn"' 0 5 0
} >torn

claim 'open groups in memory are dead at the end, and named'
run fanin --stats --dead torn.dead <torn
exits 123
out_is '[1]'
stat_is '[.read,.done,.dead,.groups.dead]' '[3,3,0,1]'
is "$(jq -c '[.reason,.message,.error,.group]' torn.dead)" \
    '["incomplete","parts 1, 2, 4 of 5 are missing: the input has ended",{"missing":[1,2,4],"closed_by":"eof"},"torn"]'
is "$(jq -c .event torn.dead)" \
    '[{"part":{"group":"torn","index":0,"count":5},"value":0},{"part":{"group":"torn","index":3,"count":5},"value":3}]'

claim 'a letter names the first that are missing, and counts the others'
part 1 50 200 1 | fanin --dead many.dead
is "$(jq -c '[.message,.error]' many.dead)" \
    '["parts 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 and 183 more of 200 are missing: the input has ended",{"missing":199,"closed_by":"eof"}]'

claim '--at-eof partial names what is missing'
run fanin --at-eof partial --closed-by <torn
exits 0
out_is '{"result":[1],"closed_by":"count"}
{"result":[0,null,null,3,null],"missing":[1,2,4],"closed_by":"eof"}'
run fanin --group 1 --until false --at-eof partial <visits
out_is '{"result":[{"u":"a","n":1},{"u":"b","n":2},{"u":"a","n":3}],"missing":null}'
run fanin --at-eof partial --join 'map(. // 9) | add' <torn
out_is '1
{"result":30,"missing":[1,2,4]}'

claim '--at-eof dead is for all groups, else those of which nothing is missing are complete'
run fanin --group .u --idle 1h <visits
exits 0
out_is '[{"u":"a","n":1},{"u":"a","n":3}]
[{"u":"b","n":2}]'
run fanin --group .u --idle 1h --at-eof dead --dead idle.dead <visits
exits 123
is "$(jq -r .message idle.dead)" 'it has 2 parts: the input has ended
it has 1 part: the input has ended'

claim 'an array of envelopes is several parts'
run_sh 'jq -c .event torn.dead | fanin --at-eof partial'
exits 0
out_is '{"result":[0,null,null,3,null],"missing":[1,2,4]}'
run_sh "jq -c .event torn.dead | sed 's/\"index\":3/\"index\":5/' | fanin"
exits 123
out_is ''

claim 'when it is told to end, open groups in memory are dead letters'
mkfifo slow
fanin --dead killed.dead slow >slow.out &
pid=$!
exec 3>slow
cat torn >&3
within 60 grep -q 1 slow.out # all of it was read at once
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
exec 3>&-
is "$status" 143 'exit status'
is "$(cat slow.out)" '[1]'
is "$(jq -c '[.reason,.message]' killed.dead)" '["interrupted","the run was interrupted when it had 2 parts"]'

# ---- stored groups ----

FIT_STATE=$work/groups
export FIT_STATE

claim 'FIT_STATE alone does not store groups'
run fanin <torn
exits 123
run fanin --show --name default
exits 1
err_like '^fanin: no groups of the name default$'

claim 'with --name open groups stay, and the next run goes on'
head -n 2 torn >torn.head
tail -n 1 torn >torn.tail
run fanin --name n1 <torn.head
exits 0
out_is '[1]'
err_is 'fanin: 1 group of n1 stays open, with 1 part'
run fanin --name n1 --quiet <torn.tail
exits 0
err_is ''
shown n1 '[.name,.open,.parts,.closed,.remembered]' '["n1",1,2,0,1]'
for i in 4 2 1; do
    part '"torn"' "$i" 5 "$i" >torn.part
    run fanin --name n1 <torn.part
done
exits 0
out_is '[0,1,2,3,4]'
run fanin --name n1 --stats <torn
exits 0
out_is ''
stat_is '[.duplicates,.late]' '[3,0]'
shown n1 '[.open,.parts,.closed,.remembered]' '[0,0,0,2]'

claim '--state stores them too, under the name default'
run fanin --state other <torn
exits 0
err_is 'fanin: 1 group of default stays open, with 2 parts'
run fanin --show --state other
out_like '"name":"default","open":1,"parts":2'
run fanin --show --state nowhere
exits 1
check test ! -e nowhere

claim 'names and options that do not fit are refused'
run fanin --name ''
exits 2
run fanin --at-eof keep
exits 2
err_like 'keep needs --name or --state'
run fanin --id .id
exits 2
run fanin --on-timeout partial
exits 2
err_like 'needs --idle or --within'
run fanin --name n --group .x
exits 2
err_like 'nothing closes a group'
for option in '--count 0' '--count 010' '--idle 0' '--within x' '--remember -1' '--on-timeout no' '--at-eof x' '--on-part-failure x'; do
    # shellcheck disable=SC2086 # an option and its value
    run fanin $option
    exits 2
done

claim '--at-eof partial and dead close all that is open under the name'
fanin --quiet --name n2 <torn.head
run fanin --name n2 --at-eof partial <torn.tail
exits 0
out_is '{"result":[0,null,null,3,null],"missing":[1,2,4]}'
fit dead drop --all >dropped 2>&1
fanin --quiet --name n3 <torn.head
run fanin --name n3 --at-eof dead
exits 123
is "$(dead show --match '.group == "torn"' | jq -r .reason)" incomplete

claim 'a dead group is redriven: its parts come back, and meet those that came late'
drop_all() { fit dead drop --all >"$work/dropped" 2>&1; }
drop_all
run fanin --name n4 --at-eof dead <torn
exits 123
printf '%s\n' 1 2 4 | while read -r i; do part '"torn"' "$i" 5 "$i"; done | fanin --quiet --name n4
shown n4 .parts 3
run dead redrive
exits 0
out_is '[0,1,2,3,4]'
is "$(dead count)" 0

claim 'so is one of plain events, which count as they did'
drop_all
run fanin --name n5 --group .u --count 3 --at-eof dead <visits
exits 123
is "$(dead count)" 2
printf '{"u":"a","n":4}\n' | fanin --quiet --name n5 --group .u --count 3
run dead redrive
exits 123
out_is '[{"u":"a","n":4},{"u":"a","n":1},{"u":"a","n":3}]'
is "$(dead count)" 1
is "$(dead show | jq -c .event)" '[{"part":{"group":"b","index":0,"count":3},"value":{"u":"b","n":2}}]'

claim 'so are groups that were in memory'
drop_all
run fanin <torn
exits 123
is "$(dead count)" 1
run dead redrive
exits 123
out_is ''
is "$(dead count)" 1
printf '%s\n' 1 2 4 | while read -r i; do part '"torn"' "$i" 5 "$i"; done >rest
run fanin <rest
is "$(dead count)" 2
run dead redrive
exits 0
out_is '[0,1,2,3,4]'
is "$(dead count)" 0
run fanin <torn # the same keys, another time
run dead redrive
exits 123
is "$(dead count)" 1

claim 'late parts and failed groups can be redriven too'
drop_all
run fanin --name n6 <failing
exits 123
run dead redrive
exits 123
is "$(dead count)" 1
run fanin --name n7 --group '. % 2' --count 5 <ten
out_is '[1,3,5,7,9]
[2,4,6,8,10]'
echo 11 >eleven
run fanin --name n7 --group '. % 2' --count 5 <eleven
exits 123
run dead redrive --reason late
exits 123
is "$(dead count --reason late | jq .)" 1
drop_all

# ---- time ----

claim '--idle and --within are timeouts where a count is known'
mkfifo timed
: >timed.out
fanin --idle 200ms --dead timed.dead timed >timed.out &
pid=$!
exec 3>timed
part 1 1 3 1 >&3
within 60 test -s timed.dead
is "$(jq -r '.reason,.message' timed.dead)" 'incomplete
parts 0, 2 of 3 are missing: no other has come for so long (--idle)'
part 1 0 3 0 >&3
exec 3>&-
wait "$pid"
is "$?" 123

claim 'and with --on-timeout partial the result names what is missing'
rm timed.out
fanin --within 200ms --on-timeout partial --closed-by timed >timed.out &
pid=$!
exec 3>timed
part 1 1 3 1 >&3
within 60 test -s timed.out
is "$(cat timed.out)" '{"result":[null,1,null],"missing":[0,2],"closed_by":"within"}'
part 1 2 3 1 >&3
exec 3>&-
wait "$pid"
is "$?" 123 'a late part'

claim 'where only times say so, nothing is missing'
rm timed.out
fanin --group .u --idle 200ms --remember 0s timed >timed.out &
pid=$!
exec 3>timed
cat visits >&3
within 60 sh -c 'test "$(wc -l <timed.out)" -eq 2'
is "$(cat timed.out)" '[{"u":"a","n":1},{"u":"a","n":3}]
[{"u":"b","n":2}]'
cat visits >&3
exec 3>&-
wait "$pid"
is "$(wc -l <timed.out)" 4

claim 'a group that was due while nobody ran closes in the next run'
part 1 0 2 0 | fanin --quiet --name due --within 1s --on-timeout partial >due.out
run_due() { fanin --quiet --name due --within 1s --on-timeout partial >due.out && test -s due.out; }
within 60 run_due
is "$(cat due.out)" '{"result":[0,null],"missing":[1]}'

# ---- several processes ----

claim 'two processes with one name make one result of a group'
mkfifo left right
fanin --name both left >left.out &
left=$!
fanin --name both right >right.out &
right=$!
exec 3>left 4>right
for i in 1 2 3 4 5 6 7 8; do
    part "$i" 0 2 0 >&3
    part "$i" 1 2 1 >&4
done
within 60 sh -c 'test "$(cat left.out right.out | wc -l)" -eq 8'
exec 3>&- 4>&-
wait "$left"
is "$?" 0
wait "$right"
is "$?" 0
is "$(cat left.out right.out | sort | uniq -c | tr -s ' ')" ' 8 [0,1]'

claim 'a group that another process completes is written at once'
mkfifo lone
fanin --name wakes lone >lone.out &
pid=$!
exec 3>lone
part 1 0 2 0 >&3
within 60 holds wakes .parts 1
kill -STOP "$pid"
part 1 1 2 1 >second
run fanin --name wakes <second
kill -CONT "$pid"
out_is '[0,1]'
part 2 0 1 5 >&3
within 60 test -s lone.out
exec 3>&-
wait "$pid"
is "$(cat lone.out)" '[5]'

claim 'what is killed has lost nothing'
mkfifo fed
fanin --name killed fed >fed.out &
pid=$!
exec 3>fed
part 1 0 3 0 >&3
part 1 1 3 1 >&3
within 60 holds killed .parts 2
kill -9 "$pid"
wait "$pid" 2>/dev/null
exec 3>&-
part 1 2 3 2 >third
run fanin --name killed <third
exits 0
out_is '[0,1,2]'

claim 'a reader that leaves, or a full disk, leaves the groups to the next run'
perl -e 'for $g (1 .. 5000) {
    print qq({"part":{"group":$g,"index":0,"count":1},"value":"), "x" x 300, qq("}\n) }' >many
run_sh 'fanin --name left <many | head -n 1 | wc -l'
out_is 1
got=$(fanin --name left </dev/null | wc -l)
fanin --name left --quiet <many >others
check test "$got" -gt 0
check test "$((got + $(wc -l <others)))" -ge 4000
if [ -w /dev/full ]; then
    run_sh 'head -n 100 many | fanin --name full --stats >/dev/full'
    exits 1
    err_like '"groups":\{"read":100,"done":0,"dead":0,"dropped":0,"returned":100\}'
    run fanin --name full
    exits 0
    is "$(wc -l <"$out")" 100
fi

claim 'told to end, it gives back what it has not written, and ends'
mkfifo until
fanin --name ends until >ends.out &
pid=$!
exec 3>until
part 1 0 2 0 >&3
part 2 0 1 5 >&3
within 60 grep -q 5 ends.out
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
exec 3>&-
is "$status" 143 'exit status'
shown ends '[.open,.parts,.closed]' '[1,1,0]'

claim 'a line may hold more parts than one commit'
perl -e 'print "[", join(",", map { qq({"part":{"group":1,"index":$_,"count":20000},"value":$_}) } 0 .. 19999), "]\n"' >long
run fanin --name wide --join length <long
exits 0
out_is 20000

claim '--metrics has the groups'
run fanin --metrics metrics <parts
exits 0
is "$(grep -c -E '^fit_(groups_done|duplicates|late)_total' metrics)" 3
check grep -qx 'fit_groups_done_total{command="fanin"} 2' metrics

claim 'a torn line of a process that was killed is cut off, other text only ended'
printf '"text"' >appended
mkfifo tearing
fanin --name torn tearing >>appended &
pid=$!
exec 3>tearing
part 1 0 1 1 >&3
within 60 grep -q 1 appended
kill -9 "$pid"
wait "$pid" 2>/dev/null
exec 3>&-
printf '[2,' >>appended
part 2 0 1 2 >single
run_sh 'fanin --name torn <single >>appended'
exits 0
err_is 'fanin: a torn line of 3 bytes is cut off the output'
is "$(cat appended)" '"text"
[1]
[2]'

claim 'nothing is left in run/ of an output that is through'
for i in 1 2 3; do
    fanin --state through --quiet <parts >through.$i
done
is "$(find through/run -name 'written-*')" ''

claim 'what was written before a kill is not written again'
mkfifo held
for try in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf once once.out
    fanin --state once held >>once.out &
    pid=$!
    exec 3>held
    perl -e 'for $g (1 .. 3000) { print qq({"part":{"group":$g,"index":0,"count":1},"value":7}\n) }' >&3 &
    within 60 test -s once.out
    kill -9 "$pid"
    wait "$pid" 2>/dev/null
    exec 3>&-
    wait
    perl -e 'for $g (1 .. 3000) { print qq({"part":{"group":$g,"index":0,"count":1},"value":7}\n) }' |
        fanin --quiet --state once >>once.out
    is "$(sort once.out | uniq -c | tr -s ' ')" ' 3000 [7]'
done

claim 'a name that cannot be kept is said, and no part is done'
: >file
run fanin --state file/x <parts
exits 1
err_like '^fanin: .*file/x'

finish
