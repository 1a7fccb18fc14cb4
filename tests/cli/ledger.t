#!/bin/sh
# ledger.t: claims about --ledger and --new, of every command that takes them.
. "${0%/*}/lib.sh"

FIT_STATE=$work/fit
export FIT_STATE

# A function that notes each run, and fails while a file named fail is there.
cat >note <<'END'
#!/bin/sh
read -r event
echo "$event" >>"$NOTES"
[ ! -e "$NOTES.fail" ] || exit 9
echo "{\"got\":$event}"
END
# The same as a worker.
cat >worker <<'END'
#!/bin/sh
while read -r event; do
    echo "$event" >>"$NOTES"
    echo "{\"got\":$event}"
done
END
chmod +x note worker
NOTES=$work/notes
export NOTES
runs() {
    [ -f "$NOTES" ] || { echo 0; return; }
    wc -l <"$NOTES" | tr -d ' '
}
fresh() {
    rm -rf "$FIT_STATE" "$NOTES"
}
printf '%s\n' 1 2 3 >events
printf '{"got":%s}\n' 1 2 3 >expected

claim 'a rerun gives the same output and calls nothing'
fresh
run fan-out --ledger a -- ./note <events
exits 0
out_same expected
is "$(runs)" 3
run fan-out --ledger a --stats -- ./note <events
exits 0
out_same expected
is "$(runs)" 3
is "$(jq -c '[.read,.done,.replayed,.attempts]' "$err")" '[3,3,3,0]'

claim 'a line at the head of the input runs that line only'
{ echo 0 && cat events; } >grown
run fan-out --ledger a -- ./note <grown
exits 0
{ echo '{"got":0}' && cat expected; } >expected_more
out_same expected_more
is "$(runs)" 4

claim '--new prints what no earlier run has printed'
{ cat grown && echo 9; } >most
run fan-out --ledger a --new -- ./note <most
exits 0
out_is '{"got":9}'
run fan-out --ledger a --new -- ./note <most
exits 0
out_is ''

claim '--new without --ledger is refused'
run fan-out --new -- ./note <events
exits 2
err_is 'fan-out: --new needs --ledger'

claim 'a ledger has a name'
run fan-out --ledger '' -- ./note <events
exits 2
run fan-out --ledger "$(printf 'a\nb')" -- ./note <events
exits 2
err_like '^fan-out: --ledger: .*the name holds a control byte'

claim 'ledgers of different names know nothing of each other'
run fan-out --ledger ../b -- ./note <events
exits 0
out_same expected
is "$(runs)" 8
check test ! -e "$FIT_STATE/b"

claim 'events of the same content are told apart'
fresh
printf '%s\n' 5 5 5 >same
run fan-out --ledger a -- ./note <same
exits 0
is "$(runs)" 3
echo 5 >>same
run fan-out --ledger a -- ./note <same
exits 0
is "$(runs)" 4
is "$(wc -l <"$out" | tr -d ' ')" 4

claim 'failures are not recorded: a rerun tries them again'
fresh
touch "$NOTES.fail"
run fan-out --quiet --dead dead --ledger a -- ./note <events
exits 123
out_is ''
rm "$NOTES.fail"
run fan-out --ledger a -- ./note <events
exits 0
out_same expected
is "$(runs)" 6

claim 'results without lines are results'
fresh
run fan-out --ledger a -- sh -c 'cat >>"$NOTES"' <events
exits 0
out_is ''
run fan-out --ledger a -- sh -c 'cat >>"$NOTES"' <events
exits 0
is "$(runs)" 3

claim 'answers of line workers are recorded'
fresh
run fan-out --ledger a -- lines:./worker <events
exits 0
out_same expected
run fan-out --ledger a -- lines:./worker <grown
exits 0
out_same expected_more
is "$(runs)" 4

claim 'what a chain has done is not done again, stage by stage'
fresh
touch "$NOTES.fail"
run chain --quiet --dead dead --ledger a lines:./worker ./note <events
exits 123
is "$(runs)" 6
rm "$NOTES.fail"
run chain --ledger a lines:./worker ./note <events
exits 0
is "$(runs)" 9 'calls: only the second stage runs again'
sed 's/.*/{"got":&}/' expected >expected_twice
out_same expected_twice
run chain --ledger a --new lines:./worker ./note <events
exits 0
out_is ''
is "$(runs)" 9

claim 'a split event remembers its parts'
fresh
echo '{"a":[1,2,3]}' >whole
run fan-out --ledger a --split '.a[]' -- ./note <whole
exits 0
out_is '[{"got":1},{"got":2},{"got":3}]'
run fan-out --ledger a --split '.a[]' -- ./note <whole
exits 0
out_is '[{"got":1},{"got":2},{"got":3}]'
is "$(runs)" 3
run fan-out --ledger a --new --split '.a[]' -- ./note <whole
exits 0
out_is ''

claim 'an event without parts is printed once with --new'
echo '{"a":[]}' >none
run fan-out --ledger a --new --split '.a[]' -- ./note <none
exits 0
out_is '[]'
run fan-out --ledger a --new --split '.a[]' -- ./note <none
exits 0
out_is ''

claim 'the events of a batch are recorded each for itself'
fresh
cat >by_batch <<'END'
#!/bin/sh
tee -a "$NOTES" | jq -c 'map({got:.})'
END
chmod +x by_batch
run fan-out --ledger a --batch 2 -- ./by_batch <events
exits 0
out_same expected
run fan-out --ledger a --batch 3 -- ./by_batch <grown
exits 0
out_same expected_more
is "$(jq -s 'map(length) | add' "$NOTES")" 4 'events that were called'

claim 'one answer for a batch is recorded too'
fresh
run fan-out --ledger a --batch 3 -j1 -- jq -c '{n:length}' <events
exits 0
cp "$out" first
run fan-out --ledger a --batch 3 -j1 -- false <events
exits 0
out_same first

claim 'route remembers each target, and writes no line twice'
fresh
run route --all --ledger a 'true' ./note '. > 1' file:big 'true' - <events
exits 0
cp "$out" first
run route --all --ledger a 'true' ./note '. > 1' file:big 'true' - <events
exits 0
out_same first
is "$(runs)" 3
is "$(cat big)" '2
3'
run route --all --ledger a --new 'true' ./note '. > 1' file:big 'true' - <events
exits 0
out_is ''
is "$(cat big)" '2
3'

claim 'large results come back as they were'
fresh
awk 'BEGIN { printf "\""; for (i = 0; i < 300000; i++) printf "abcdefghij"; print "\"" }' >large
run fan-out --ledger a -- cat <large
exits 0
out_same large
run fan-out --ledger a -- false <large
exits 0
out_same large

claim 'a torn end of the log is cut off, and what it held runs again'
fresh
run fan-out -j1 --ledger a -- ./note <events
exits 0
log=$FIT_STATE/ledger/ledger-a/log
size=$(wc -c <"$log")
rm -f "$FIT_STATE"/ledger/ledger-a/index.*
truncate -s $((size - 5)) "$log"
run fan-out -j1 --ledger a -- ./note <events
exits 0
out_same expected
is "$(runs)" 4
is "$(wc -c <"$log")" "$size"

claim 'a log that is something else is refused, and left as it is'
fresh
run fan-out --ledger a -- ./note <events
awk 'BEGIN { for (i = 0; i < 1000; i++) print "something else" }' >other
cp other "$log"
run fan-out --ledger a -- ./note <events
exits 1
err_like "ledger 'a': its log is of another kind"
same other "$log"

claim 'an index that is something else is made anew'
fresh
run fan-out --ledger a -- ./note <events
cp other "$FIT_STATE/ledger/ledger-a/index.0"
run fan-out --ledger a -- ./note <events
exits 0
out_same expected
is "$(runs)" 3

claim 'two runs at once commit one result for an event'
fresh
seq 1 400 >many
# shellcheck disable=SC2016
cat >stamp <<'END'
#!/bin/sh
while read -r event; do echo "[$event,$$]"; done
END
chmod +x stamp
fan-out -j1 --ledger a -- lines:./stamp <many >first 2>first.err &
pid=$!
run fan-out -j1 --ledger a -- lines:./stamp <many
exits 0
wait "$pid" || wrong 'exit status of the other run' 0 "$?"
same first "$out"

claim 'a state directory that cannot be made is an error that is said'
run fan-out --state /dev/null/x --ledger a -- ./note <events
exits 1
err_like '^fan-out: .*/dev/null/x'

finish
