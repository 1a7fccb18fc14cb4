# zstd.t: compressed streams in and out, whole and torn.
. "${0%/*}/../cli/lib.sh"

command -v zstd >/dev/null || {
    echo '1..0 # SKIP no zstd'
    exit 0
}
seq -f '{"id":%.0f,"type":"earthquake"}' 50000 >events

claim 'reads a compressed standard input, from a file and from a pipe'
zstd -q events -o events.zst
run fan-out -- - <events.zst
exits 0
check cmp -s events "$out"
run_sh 'cat events.zst | fan-out -- lines:cat'
exits 0
check cmp -s events "$out"

claim 'reads several frames one after the other'
head -n 3 events | zstd -q >frames.zst
tail -n +4 events | zstd -q >>frames.zst
run fan-out -- - <frames.zst
exits 0
check cmp -s events "$out"

claim 'hands out the whole lines before a tear, then fails'
size=$(wc -c <events.zst)
for part in 3 2; do
    head -c $((size - size / part)) events.zst >torn.zst
    run_sh 'cat torn.zst | fan-out --stats -- -'
    exits 1
    check grep -q 'stdin' "$err"
    check test -s "$out"
    head -n "$(wc -l <"$out")" events | cmp -s - "$out" || wrong 'lines' events "$out"
    is "$(grep -o '"done":[0-9]*' "$err" | tr -dc 0-9)" "$(wc -l <"$out" | tr -d ' ')" 'done'
done

claim 'a tear in the last bytes is one too'
run_sh 'head -c -9 events.zst | fan-out -- lines:cat'
exits 1
head -n "$(wc -l <"$out")" events | cmp -s - "$out" || wrong 'lines' events "$out"

claim 'what is broken in the middle is an error'
{ head -c 2000 events.zst; printf 'XXXXXXXX'; tail -c +2009 events.zst; } >broken.zst
run fan-out -- - <broken.zst
exits 1
check grep -q 'stdin' "$err"

claim 'appends dead letters to a compressed file'
for round in 1 2; do
    run_sh 'head -n 2000 events | fan-out --dead dead.zst -- lines:sed -u "s/.*/!no/"'
    exits 123
done
check zstd -qt dead.zst
is "$(zstd -dqc dead.zst | grep -c '^{"event":{"id":[0-9]*,"type":"earthquake"},"reason":"error".*}$')" 4000 'letters'

claim 'a file: target is compressed and appended to'
for round in 1 2; do
    run_sh 'fan-out -- file:target.zst <events'
    exits 0
done
check zstd -qt target.zst
zstd -dqc target.zst >back
cat events events | cmp -s - back || wrong 'lines' events back

claim 'repairs a torn file before it appends, at the cost of its last frame at most'
size=$(wc -c <target.zst)
for cut in 1 7 100 5000; do
    head -c $((size - cut)) target.zst >cut.zst
    run_sh 'echo 17 | fan-out -- file:cut.zst'
    exits 0
    check grep -q 'cut.zst: cut off [0-9]* bytes of a torn frame' "$err"
    check zstd -qt cut.zst
    zstd -dqc cut.zst >back
    is "$(tail -n 1 back)" 17 'the new line'
    lines=$(($(wc -l <back) - 1))
    cat events events | head -n "$lines" >whole
    head -n "$lines" back | cmp -s - whole || wrong 'lines' whole back
    check test "$lines" -gt 90000
done

claim 'leaves alone what is not compressed by it'
cp events plain.zst
run_sh 'echo 17 | fan-out -- file:plain.zst'
check test "$status" -ne 0
check cmp -s events plain.zst

claim 'route appends to compressed files too'
for round in 1 2; do
    run_sh 'route ".id <= 10" file:few.zst --else file:many.zst <events'
    exits 0
done
is "$(zstd -dqc few.zst | wc -l) $(zstd -dqc many.zst | wc -l)" '20 99980' 'lines'

finish
