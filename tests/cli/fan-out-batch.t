#!/bin/sh
# fan-out-batch.t: several events, or parts, in one call.
. "${0%/*}/lib.sh"

seq 10 >ten

claim 'each call gets an array of up to N events, byte for byte'
cat >exact <<'END'
{"a":1,"a" : 2}
 123456789012345678901234567890
"\u0041"
END
run fan-out -j1 --batch 2 -- sh -c 'tee -a calls' <exact
exits 0
is "$(cat calls)" '[{"a":1,"a" : 2}, 123456789012345678901234567890]
["\u0041"]'
out_is '{"a":1,"a" : 2}
123456789012345678901234567890
"\u0041"'

claim 'result i belongs to event i, in the order of the input'
cat >late <<'END'
#!/bin/sh
read -r batch
case $batch in '[1,'*) until [ -e last ]; do sleep 0.01; done ;; *10]) : >last ;; esac
printf '%s\n' "$batch" | sed 's/\([0-9][0-9]*\)/{"n":\1}/g'
END
chmod +x late
run fan-out -j4 --batch 3 -- ./late <ten
exits 0
is "$(jq .n "$out")" "$(cat ten)"

claim 'line workers get batches too'
run fan-out -j2 --batch 4 -- lines:cat <ten
exits 0
out_same ten

claim 'one value is the result of the whole batch'
run fan-out -j1 --batch 4 --stats -- jq length <ten
exits 0
out_is '4
4
2'
is "$(jq -c '[.read,.done,.results,.attempts]' "$err")" '[10,10,3,3]'

claim 'no line is no result, and no failure'
run fan-out --batch 4 --stats -- true <ten
exits 0
out_is ''
is "$(jq .done "$err")" 10

claim 'an array of another length makes each event dead'
run fan-out -j1 --batch 5 --dead dead.ndjson -- jq -c '.[1:]' <ten
exits 123
out_is ''
is "$(jq -c .event dead.ndjson)" "$(cat ten)"
is "$(jq -r .reason dead.ndjson | sort -u)" bad_result
is "$(jq -r .message dead.ndjson | sort -u)" 'an array of 4 values for a batch of 5'
rm dead.ndjson

claim 'when the call fails each event has a letter of its own, with its own bytes'
run fan-out -j1 --batch 2 --retries 1 --backoff 1ms..1ms --dead dead.ndjson -- sh -c 'exit 9' <exact
exits 123
is "$(jq -c '[.reason,.exit,.attempts]' dead.ndjson | sort -u)" '["exit",9,2]'
is "$(sed 's/^{"event"://; s/,"reason".*//' dead.ndjson)" "$(cat exact)"
is "$(jq -r .id dead.ndjson | sort -u | wc -l)" 3
rm dead.ndjson

claim 'a batch that is not full is sent when no more events are at hand'
mkfifo slow
last_command='fan-out --batch 100 with a slow source'
fan-out --batch 100 -- cat <slow >"$out" 2>"$err" &
pid=$!
exec 9>slow
printf '1\n2\n' >&9
within 60 grep -qx 2 "$out" || wrong 'results while the input is open' '1 2' "$out"
printf '3\n' >&9
exec 9>&-
wait "$pid" || wrong 'exit status' 0 $?
out_is '1
2
3'

claim 'batches fill up while the function is busy'
run_sh 'seq 10000 | fan-out -j1 --batch 1000 --stats -- lines:cat'
exits 0
is "$(wc -l <"$out")" 10000
[ "$(jq .attempts "$err")" -le 40 ] || wrong calls 'at most 40' "$err"

claim 'parts are batched too, those of one event'
printf '[1,2,3,4,5]\n[6]\n[]\n' >events
run fan-out -j1 --split '.[]' --batch 2 -- sh -c 'tee -a parts' <events
exits 0
out_is '[1,2,3,4,5]
[6]
[]'
is "$(sort parts)" '[1,2]
[3,4]
[5]
[6]'

claim 'of a batch of parts with one value only that value is in the array'
run fan-out --split '.[]' --batch 2 -- jq add <events
exits 0
out_is '[3,7,5]
[6]
[]'

claim 'a batch of parts without an answer is null for each'
run fan-out --split '.[]' --batch 2 -- true <events
out_is '[null,null,null,null,null]
[null]
[]'

claim 'a failed batch of parts is left out, with a letter for each part'
run fan-out --split '.[]' --batch 2 --on-part-failure skip --dead dead.ndjson -- \
    sh -c 'read b; [ "$b" != "[3,4]" ] && echo "$b"' <events
exits 0
out_is '[1,2,5]
[6]
[]'
is "$(jq -c '[.event,.part]' dead.ndjson)" '[3,2]
[4,3]'
rm dead.ndjson

claim '--parts tells the parts of a batch apart'
run fan-out -j1 --split '.[]' --batch 2 --parts -- cat <events
is "$(jq -c 'select(.part.count == 5) | [.part.index,.value]' "$out" | tr '\n' ' ')" '[0,1] [1,2] [2,3] [3,4] [4,5] '
run fan-out -j1 --split '.[]' --batch 2 --parts -- jq add <events
is "$(jq -c 'select(.part.count == 5) | [.part.index,.value]' "$out" | tr '\n' ' ')" '[0,3] [1,null] [2,7] [3,null] [4,5] '

claim 'N is from 1 to 4096'
for value in 0 4097 x; do
    run fan-out --batch "$value" -- cat <ten
    exits 2
    err_like '^fan-out: --batch: '
done

claim 'one event at a time of a key, also in batches'
awk 'BEGIN { for (i = 0; i < 200; i++) printf "{\"k\":%d,\"i\":%d}\n", i % 3, i }' >keyed
run fan-out -j4 --batch 10 --serial-by .k -- lines:cat <keyed
exits 0
out_same keyed

finish
