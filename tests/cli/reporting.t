#!/bin/sh
# reporting.t: what a run tells about itself: --stats, -v, --quiet, --joblog, --trace, --metrics,
# --progress.
. "${0%/*}/lib.sh"

printf '1\n2\n3\n4\n' >four
cat >mixed <<'END'
#!/bin/sh
read -r n
case $n in
2) exit 3 ;;
3) kill -9 $$ ;;
4) exec sleep 1000 ;;
esac
echo "$n"
END
chmod +x mixed

# ---- --joblog ----

claim '--joblog has the nine columns of GNU parallel, a line for each attempt'
run fan-out -j1 --timeout 1s --grace 100ms --quiet --dead dead.ndjson --joblog log -- ./mixed <four
exits 123
is "$(head -n 1 log)" "$(printf 'Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand')"
is "$(awk -F '\t' 'NF != 9' log)" '' 'lines without nine columns'
is "$(tail -n +2 log | cut -f 1,2,5,6,7,8,9)" "$(printf '1\t:\t2\t2\t0\t0\t./mixed
2\t:\t2\t0\t3\t0\t./mixed
3\t:\t2\t0\t0\t9\t./mixed
4\t:\t2\t0\t-1\t0\t./mixed')"
is "$(tail -n +2 log | awk -F '\t' '!($3 ~ /^[0-9]+\.[0-9][0-9][0-9]$/ && $4 ~ /^ *[0-9]+\.[0-9][0-9][0-9]$/)')" ''

claim '--joblog begins anew, and logs line workers and retries too'
run fan-out -j1 --joblog log --quiet --retries 2 --backoff 1ms..1ms --dead dead.ndjson -- \
    sh -c 'read n; [ $n != 2 ]' <four
is "$(tail -n +2 log | awk -F '\t' '$1 == 2' | wc -l)" 3 'attempts at event 2'
run fan-out -j1 --joblog log -- lines:cat <four
exits 0
is "$(tail -n +2 log | cut -f 1,5,6,7,9 | head -n 1)" "$(printf '1\t2\t2\t0\tlines:cat')"
is "$(wc -l <log)" 5

claim '--joblog numbers the parts of split events'
echo '["a","b","c"]' >letters
run fan-out -j1 --split '.[]' --joblog log -- cat <letters
is "$(tail -n +2 log | cut -f 1 | tr '\n' ' ')" '1 2 3 '

claim 'a command with tabs and newlines stays in its column'
run fan-out -j1 --joblog log -- sh -c "cat	#
" <four
is "$(awk -F '\t' 'NF != 9' log)" ''
is "$(wc -l <log)" 5

claim 'a job log that cannot be opened stops the run, one that cannot be written fails it'
run fan-out --joblog none/log -- sh -c ': >ran' <four
exits 1
err_like '^fan-out: .*none/log'
check test ! -e ran
run fan-out --joblog /dev/full -- cat <four
exits 1
out_same four
err_is 'fan-out: write /dev/full: No space left on device'

# ---- --trace ----

claim '--trace appends a JSON line for each attempt'
rm -f dead.ndjson
for _ in 1 2; do
    run fan-out -j1 --timeout 1s --grace 100ms --quiet --dead dead.ndjson --trace trace -- ./mixed <four
done
is "$(wc -l <trace)" 8
is "$(head -n 4 trace | jq -c '[.number,.outcome,.exit,.signal,.attempt,.function]')" '[1,"ok",null,null,1,"./mixed"]
[2,"exit",3,null,1,"./mixed"]
[3,"signal",null,9,1,"./mixed"]
[4,"timeout",null,null,1,"./mixed"]'
is "$(jq -s 'all(.[]; (.time | test("^20..-..-..T..:..:..\\....Z$")) and .duration_ms >= 0 and .slot == 1 and (.trace | length) == 32)' trace)" true
is "$(jq -r .id trace | sort -u | wc -l)" 4 identities

claim '--trace has the trace that the function sees'
run_sh 'fan-out -j1 --text --trace seen -- printenv TRACEPARENT <four'
is "$(jq -r 'split("-")[1]' "$out")" "$(jq -r .trace seen)"
rm seen
run_sh 'TRACEPARENT=00-0123456789abcdef0123456789abcdef-0123456789abcdef-01 fan-out --trace seen -- cat <four'
is "$(jq -r .trace seen | sort -u)" 0123456789abcdef0123456789abcdef

claim 'a trace that cannot be opened stops the run, one that cannot be written fails it'
run fan-out --trace none/trace -- cat <four
exits 1
out_is ''
run fan-out --trace /dev/full -- cat <four
exits 1
out_same four
err_is 'fan-out: write /dev/full: No space left on device'

# ---- --metrics ----

claim '--metrics writes the counts in the text format of Prometheus'
rm -f dead.ndjson
run fan-out -j1 --quiet --timeout 1s --grace 100ms --dead dead.ndjson --metrics run.prom -- ./mixed <four
exits 123
value() { sed -n "s/^fit_$1 //p" run.prom; }
is "$(value 'events_read_total{command="fan-out"}')" 4
is "$(value 'events_done_total{command="fan-out"}')" 1
is "$(value 'events_dead_total{command="fan-out"}')" 3
is "$(value 'events_in_flight{command="fan-out"}')" 0
is "$(value 'dead_letters_total{command="fan-out"}')" 3
is "$(value 'attempts_total{command="fan-out"}')" 4
is "$(value 'attempts_failed_total{command="fan-out",reason="timeout"}')" 1
is "$(value 'attempt_duration_seconds_count{command="fan-out"}')" 4
is "$(value 'attempt_duration_seconds_bucket{command="fan-out",le="+Inf"}')" 4
is "$(value 'attempt_duration_seconds_bucket{command="fan-out",le="0.5"}')" 3
is "$(grep -Evc '^(# (HELP|TYPE) fit_[a-z_]+ .+|fit_[a-z_]+\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")?\} [0-9.]+)$' run.prom)" 0 'lines of another form'
is "$(awk '/_bucket/ { if ($2 + 0 < last) print; last = $2 + 0 }' run.prom)" '' 'buckets that decrease'

claim 'the file is there from the start, and replaced as a whole'
chmod 640 run.prom
last_command='fan-out --metrics with a slow source'
mkfifo slow
fan-out --metrics run.prom -- cat <slow >"$out" 2>"$err" &
pid=$!
exec 9>slow
printf '1\n' >&9
within 60 grep -q 1 "$out" || wrong output 1 "$out"
is "$(value 'events_read_total{command="fan-out"}')" 0
exec 9>&-
wait "$pid" || wrong 'exit status' 0 $?
is "$(value 'events_read_total{command="fan-out"}')" 1
is "$(stat -c %a run.prom)" 640 mode
is "$(find . -name '.fit-*')" '' 'what is left behind'

claim 'metrics that cannot be written stop the run before it begins'
run fan-out --metrics none/run.prom -- sh -c ': >ran' <four
exits 1
err_like '^fan-out: .*none'
check test ! -e ran

# ---- -v, --quiet, --stats ----

claim '-v tells each failed attempt and the counts'
run fan-out -v -j1 --dead dead.ndjson --retries 1 --backoff 1ms..1ms -- sh -c 'read n; [ $n != 2 ] || exit 3' <four
exits 123
err_like '^fan-out: .*attempt 1 at event 2: exit status 3'
err_like '^fan-out: .*attempt 2 at event 2: exit status 3'
err_like '^fan-out: 4 events: 3 done, 1 dead, 0 dropped; 5 attempts, 2 failed; '
run fan-out -v -- cat <four
is "$(wc -l <"$err")" 1

claim 'where the dead letters are is said, but not with --quiet'
run fan-out --dead dead.ndjson -- false <four
err_is 'fan-out: 4 of 4 events are dead: see dead.ndjson'
run fan-out --quiet --dead dead.ndjson -- false <four
err_is ''

claim 'writing dead letters counts as no attempt'
run fan-out --quiet --stats --dead dead.ndjson -- false <four
is "$(jq -c '[.attempts,.failed_attempts,.letters]' "$err")" '[4,4,4]'

# ---- --progress ----

claim '--progress says nothing where there is no terminal'
for option in --progress --eta; do
    run fan-out $option -- sh -c 'sleep 0.3; cat' <four
    exits 0
    err_is ''
    out_same four
done

# in_terminal COMMAND: what it writes to its terminal is in the file screen.
in_terminal() {
    last_command=$1
    status=0
    timeout -k 5 "$limit" script -qec "sh -c '$1'" /dev/null </dev/null >screen 2>&1 || status=$?
    tr '\r' '\n' <screen >drawn
}
cat >waits <<'END'
#!/bin/sh
read -r n
[ "$n" != 4 ] || sleep 1
echo "said $n" >&2
echo "$n"
END
chmod +x waits

claim '--progress draws a line on a terminal: how far, how many, how fast, how long'
if command -v script >/dev/null; then
    in_terminal 'fan-out --progress -j1 -- ./waits <four >results'
    exits 0
    same four results
    grep -Eq '^\[#+\.+\] [0-9]+% 3 done, 1 in flight, [0-9.]+ calls/s, 0:0[0-9] left' drawn ||
        wrong 'a line' '[###...] 75% 3 done, ...' drawn
else
    skip 'script of util-linux is not here'
fi

claim 'other lines on stderr are never mixed with it, and it is gone at the end'
if command -v script >/dev/null; then
    esc=$(printf '\033')
    is "$(grep -c "^\(${esc}\[K\)*said [1-4]\$" drawn)" 4 'whole lines of the functions'
    is "$(tr '\r' '\n' <screen | sed "s/.*${esc}\[K//" | grep -c 'calls/s')" 0 'lines of progress that were left'
else
    skip 'script of util-linux is not here'
fi

claim 'results on the same terminal are never mixed with it'
if command -v script >/dev/null; then
    in_terminal 'fan-out --eta -j1 -- ./waits <four 2>&1'
    is "$(grep -c "^\(${esc}\[K\)*[1-4]\$" drawn)" 4 'whole results'
    grep -q '3 done, 1 in flight' drawn || wrong 'a line' '3 done, 1 in flight' drawn
else
    skip 'script of util-linux is not here'
fi

claim 'of a pipe neither percentage nor end is known'
if command -v script >/dev/null; then
    in_terminal 'cat four | fan-out --progress -j1 -- ./waits >results'
    grep -Eq '^3 done, 1 in flight, [0-9.]+ calls/s' drawn || wrong 'a line' '3 done, 1 in flight' drawn
else
    skip 'script of util-linux is not here'
fi

claim 'how far it is counts what is done of a file, not what was read of it ahead'
if command -v script >/dev/null; then
    cat >stops <<'END'
#!/bin/sh
read -r n
[ "$n" != 103 ] || { sleep 1; exit 1; }
END
    chmod +x stops
    seq 101 200 >hundred
    zstd -q hundred
    for file in hundred hundred.zst; do
        in_terminal "fan-out --progress -j1 --halt now,fail=1 --dead dead -- ./stops <$file"
        exits 123
        grep -Eq '^\[\.+\] [12]% 2 done, ' drawn || wrong 'a line' '[....] 2% 2 done, ...' drawn
    done
else
    skip 'script of util-linux is not here'
fi

finish
