#!/bin/sh
# fan-out-split.t: events split into parts, and their results joined.
. "${0%/*}/lib.sh"

echo '[0,1,2,3]' >four

claim 'one line comes out: the array of the results in the order of the parts'
cat >late <<'END'
#!/bin/sh
read -r n
[ "$n" != 0 ] || until [ -e last ]; do sleep 0.01; done
[ "$n" != 3 ] || : >last
echo "{\"n\":$n}"
END
chmod +x late
run fan-out -j4 --split '.[]' -- ./late <four
exits 0
out_is '[{"n":0},{"n":1},{"n":2},{"n":3}]'

claim 'parts and results keep their bytes'
printf '%s\n' '{"x":[ 1.0,1E5 ,{"a":1,"a" : 2}, "\u0041", 123456789012345678901234567890 ]}' >exact
run fan-out --split '.x[]' -- cat <exact
exits 0
out_is '[1.0,1E5,{"a":1,"a" : 2},"\u0041",123456789012345678901234567890]'
run fan-out --split '.x[]' -- lines:cat <exact
out_is '[1.0,1E5,{"a":1,"a" : 2},"\u0041",123456789012345678901234567890]'

claim 'the values of an object can be parts'
echo '{"a":1,"b":{"c":2}}' >object
run fan-out --split '.[]' -- cat <object
out_is '[1,{"c":2}]'

claim 'any jq program can split'
run fan-out --split 'range(3) as $i | {i:$i, of:length}' -- cat <four
exits 0
out_is '[{"i":0,"of":4},{"i":1,"of":4},{"i":2,"of":4}]'

claim 'an event without parts gives an empty array'
printf '[]\n{"a":[]}\n' >none
run fan-out --split '.[]' --stats -- cat <none
exits 0
out_is '[]
[[]]'

claim 'a part without a result is null, one with several an array of them'
run fan-out -j2 --split '.[]' -- sh -c 'read n; seq $n' <four
exits 0
out_is '[null,1,[1,2],[1,2,3]]'

claim 'parts that go to a file give no array'
run fan-out --split '.[]' --stats -- file:parts <four
exits 0
out_is ''
is "$(cat parts)" "$(printf '0\n1\n2\n3')"
is "$(jq -c '[.done,.results]' "$err")" '[1,0]'

claim '--join makes something else of the array; each output is a line'
run fan-out --split '.[]' --join add -- cat <four
out_is 6
run fan-out --split '.[]' --join '.[]' -- cat <four
out_is '0
1
2
3'
run fan-out --split '.[]' --join empty --stats -- cat <four
exits 0
out_is ''
is "$(jq -c '[.done,.results]' "$err")" '[1,0]'

claim 'elements of a document become lines with --join .[] and the function -'
run fan-out --split '.x[]' --join '.[]' -- - <exact
exits 0
out_is '1.0
1E5
{"a":1,"a" : 2}
"\u0041"
123456789012345678901234567890'
awk 'BEGIN { printf "{\n \"list\": ["; for (i = 0; i < 20000; i++) printf "%s\n{\"i\":%d, \"text\":\"%050d\"}", i ? "," : "", i, i; print "]\n}" }' >large
run fan-out --document --split '.list[]' --join '.[]' -- - <large
exits 0
jq -c '.list[]' large >elements
sed 's/,"text/, "text/' elements >expected
out_same expected

claim 'what jq has changed is warned of once'
printf '[12345678901234567890123]\n[12345678901234567890123]\n' >digits
run fan-out --split '.[]' --join 'map(.)' -- cat <digits
exits 0
is "$(grep -c 'more than 15 digits' "$err")" 1
run fan-out --split '.[]' --join '.[]' -- cat <digits
err_is ''

claim 'what the programs cannot be applied to is a dead event'
printf '1\n[2]\n' >mixed
run fan-out --split '.[]' --dead dead.ndjson -- cat <mixed
exits 123
out_is '[2]'
is "$(jq -c '[.event,.reason]' dead.ndjson)" '[1,"bad_event"]'
rm dead.ndjson
run fan-out --split '.[]' --join '.[0].x' --dead dead.ndjson -- cat <four
exits 123
is "$(jq -c '[.event,.reason]' dead.ndjson)" '[[0,1,2,3],"bad_result"]'
rm dead.ndjson

claim 'programs that do not compile are usage errors'
run fan-out --split '.[' -- cat <four
exits 2
err_like '^fan-out: jq '
run fan-out --split '.[]' --join 'nonsense(' -- cat <four
exits 2

claim 'options that need --split say so'
for option in '--join .' --parts '--on-part-failure skip'; do
    # shellcheck disable=SC2086 # two words
    run fan-out $option -- cat <four
    exits 2
    err_like '^fan-out: --[a-z-]+ needs --split'
done
run fan-out --split . --join . --parts -- cat <four
exits 2
run fan-out --split . --on-part-failure never -- cat <four
exits 2
err_like '^fan-out: --on-part-failure: never: not fail, skip or null'

# Fails for the part 2.
cat >fails <<'END'
#!/bin/sh
read -r n
echo "$n" >>began
[ "$n" != 2 ] || { echo "why" >&2; exit 7; }
echo "$n"
END
chmod +x fails

claim 'a failed part makes the event dead, with the part named'
run fan-out --split '.[]' --stats --quiet --dead dead.ndjson -- ./fails <four
exits 123
out_is ''
is "$(jq -c '[.event,.reason,.exit,.error[0].part,.error[0].exit,.error[0].stderr]' dead.ndjson)" \
    '[[0,1,2,3],"parts",7,2,7,"why\n"]'
is "$(jq -r .message dead.ndjson | grep -c 'part 2: exit status 7')" 1 message
is "$(tail -n 1 "$err" | jq -c '[.read,.done,.dead,.letters,.results]')" '[1,0,1,1,0]'
rm -f dead.ndjson began

claim 'parts that have not begun when one fails do not run'
seq 2 1000 | jq -cs . >thousand
run fan-out -j1 --split '.[]' --dead dead.ndjson -- ./fails <thousand
exits 123
[ "$(wc -l <began)" -le 3 ] || wrong 'parts that ran' 'at most 3' began
is "$(jq -r .message dead.ndjson | grep -c '1 of 999 parts failed, 99[678] did not run')" 1 message
rm -f dead.ndjson began

claim 'with skip the part is left out and has a letter of its own'
run fan-out --split '.[]' --on-part-failure skip --stats --quiet --dead dead.ndjson -- ./fails <four
exits 0
out_is '[0,1,3]'
is "$(jq -c '[.event,.reason,.part,.exit]' dead.ndjson)" '[2,"exit",2,7]'
is "$(tail -n 1 "$err" | jq -c '[.read,.done,.dead,.letters]')" '[1,1,0,1]'
rm -f dead.ndjson

claim 'with null it is null, and has a letter too'
run fan-out --split '.[]' --on-part-failure null --quiet --dead dead.ndjson -- ./fails <four
exits 0
out_is '[0,1,null,3]'
is "$(jq -c '[.event,.part]' dead.ndjson)" '[2,2]'
rm -f dead.ndjson

claim 'no part is lost or doubled when many fail, with retries, over many events'
awk 'BEGIN { for (e = 0; e < 60; e++) { printf "["; for (i = 0; i < e; i++) printf "%s%d", i ? "," : "", e * 100 + i; print "]" } }' >events
run fan-out -j5 --split '.[]' --on-part-failure skip --fault fail=30% --seed 7 --retries 1 --backoff 1ms..2ms \
    --quiet --stats --dead dead.ndjson -- lines:cat <events
exits 0
{ jq '.[]' "$out" && jq .event dead.ndjson; } | sort -n >got
jq '.[]' events | sort -n >expected
same expected got
is "$(wc -l <"$out")" 60 lines
is "$(tail -n 1 "$err" | jq '.read == 60 and .done == 60')" true
rm -f dead.ndjson

claim 'a large event does not hold up the parts of its neighbours'
{ seq 100 199 | jq -cs . && printf '[1,2]\n[3]\n'; } >neighbours
run fan-out -j1 --split '.[]' -- sh -c 'tee -a order' <neighbours
exits 0
is "$(head -n 1 "$out" | jq length)" 100
for part in 1 2 3; do
    at=$(grep -nx "$part" order | cut -d : -f 1)
    [ "$at" -le 12 ] || wrong "when part $part ran" 'among the first 12' "$at"
done

claim 'nor does one that fills the window'
awk 'BEGIN {
    printf "{\"pad\":\""; for (i = 0; i < 300000; i++) printf "0123456789"
    printf "\",\"parts\":[100"; for (i = 101; i < 200; i++) printf ",%d", i
    print "]}\n{\"parts\":[1,2]}\n{\"parts\":[3]}" }' >wide
rm -f order
run fan-out -j1 --split '.parts[]' -- sh -c 'tee -a order' <wide
exits 0
at=$(grep -nx 3 order | cut -d : -f 1)
[ "$at" -le 12 ] || wrong "when part 3 ran" 'among the first 12' "$at"

claim 'with -u a small event is out before a large one'
run fan-out -u -j2 --split '.[]' -- cat <neighbours
is "$(tail -n 1 "$out" | jq length)" 100

claim '--parts gives each part as it ends, with its group, index and count'
run fan-out -j1 --split '.[]' --parts --id .id -- cat <<'END'
{"id":"x","a":5}
END
exits 0
is "$(jq -c . "$out")" '{"part":{"group":"x","index":0,"count":2},"value":"x"}
{"part":{"group":"x","index":1,"count":2},"value":5}'
cat >late <<'END'
#!/bin/sh
read -r n
[ "$n" != 0 ] || until [ -e freed ]; do sleep 0.01; done
echo "$n"
END
last_command='fan-out --parts with a first part that waits'
fan-out -j2 --split '.[]' --parts -- ./late <four >"$out" 2>"$err" &
pid=$!
within 60 grep -q '"value":3' "$out" || wrong 'the last part before the first' '"value":3' "$out"
: >freed
wait "$pid" || wrong 'exit status' 0 $?
is "$(jq -s 'map(.part.index) | sort | join(" ")' "$out")" '"0 1 2 3"'

claim '--parts: events of the same content are groups of their own'
cat four four >twice
run fan-out --split '.[]' --parts -- - <twice
is "$(jq -r .part.group "$out" | sort | uniq -c | awk '{ print $1 }' | tr '\n' ' ')" '4 4 '

claim '--parts: an event without parts gives one envelope with count 0'
run fan-out --split '.[]' --parts -- cat <none
is "$(head -n 1 "$out" | jq -c '[.part.index,.part.count,has("value")]')" '[0,0,false]'

claim '--parts: a failed part is an error, and so are those that do not run'
run fan-out -j1 --split '.[]' --parts --dead dead.ndjson -- ./fails <thousand
exits 123
is "$(wc -l <"$out")" 999 envelopes
is "$(jq -c 'select(.part.index == 0) | [.error.reason, .error.exit]' "$out")" '["exit",7]'
is "$(tail -n 1 "$out" | jq -c '[.part.index, .error.reason]')" '[998,"parts"]'
is "$(jq -c '[.reason,.event[0]]' dead.ndjson)" '["parts",2]'
rm -f dead.ndjson

claim '--parts with skip gives the error, with null null'
run fan-out --split '.[]' --parts --on-part-failure skip --dead dead.ndjson -- ./fails <four
exits 0
is "$(jq -c 'select(.part.index == 2) | .error.exit' "$out")" 7
run fan-out --split '.[]' --parts --on-part-failure null --dead dead.ndjson -- ./fails <four
exits 0
is "$(jq -c 'select(.part.index == 2) | .value' "$out")" null
is "$(jq -c .part dead.ndjson | tr '\n' ' ')" '2 2 '
rm -f dead.ndjson

claim 'each part has a key of its own, the same in every run'
run_sh 'fan-out --split ".[]" --text -- printenv FIT_IDEMPOTENCY_KEY <four'
cp "$out" first
run_sh 'fan-out -j1 --split ".[]" --text -- printenv FIT_IDEMPOTENCY_KEY <four'
out_same first
is "$(jq 'unique | length' first)" 4

claim 'a signal ends the parts that run; the whole event is dead as interrupted'
cat >hangs <<'END'
#!/bin/sh
read -r n
: >"hangs.$n"
exec sleep 1000
END
chmod +x hangs
last_command='fan-out --split, then SIGTERM'
status=0
reaper fan-out -j2 --grace 200ms --split '.[]' --on-part-failure null --dead dead.ndjson -- ./hangs <four >"$out" 2>"$err" &
pid=$!
within 60 test -e hangs.1 || wrong 'begun' hangs.1 .
kill -TERM "$pid"
wait "$pid" || status=$?
exits 143
out_is ''
is "$(jq -c '[.event,.reason]' dead.ndjson)" '[[0,1,2,3],"interrupted"]'
check test ! -e hangs.2
rm -f dead.ndjson

claim 'a reader that leaves early ends --parts quietly, with a large event'
run_sh 'seq 200000 | jq -cs . | reaper fan-out --split ".[]" --parts -- - | head -n 1'
out_like '"index":0'
err_is ''

finish
