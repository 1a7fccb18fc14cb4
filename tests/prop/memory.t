# memory.t: memory does not grow with the input, whatever stalls or floods.
# EVENTS=10000000 make prop T=tests/prop/memory.t is the size of the claims in the documents.
. "${0%/*}/../cli/lib.sh"

events=${EVENTS:-500000}
some=100000
most=12288 # KiB: half as much again as is seen; what grows with these inputs would be more
limit=1200

# Sets $kib and $ms of the last run, which began with: peak usage ...
usage() {
    read -r kib ms <usage
    ! sanitized || kib=0
}

fits() {
    usage
    [ "$kib" -lt "$most" ] || wrong 'KiB resident' "below $most" "$kib"
    echo "# $claim_text: $kib KiB, $ms ms" >&2
}

# numbers N: that many events.
numbers() {
    seq -f '{"id":%.0f,"type":"earthquake","place":"10 km SSW of somewhere","properties":{"mag":1.25,"felt":null}}' "$1"
}

# through COUNT FUNCTION...: COUNT events through the function.
through() {
    count=$1
    shift
    run_sh "seq $count | peak usage fan-out $* | wc -l"
    out_is "$count"
    usage
}

for function in '-j2 -- lines:cat' '-- -'; do
    claim "fan-out $function: is flat over $events events, at a linear cost"
    few=0
    for try in 1 2 3 4 5; do # the fitting's memory is a little different each time
        through "$some" "$function"
        [ "$kib" -le "$few" ] || few=$kib
        few_ms=$ms
    done
    for try in 1 2 3; do
        through "$events" "$function"
        [ "$((kib * 100))" -gt "$((few * 105))" ] || [ "$((ms * some))" -gt "$(((few_ms + 50) * 2 * events))" ] || break
    done
    fits
    [ "$((kib * 100))" -le "$((few * 105))" ] || wrong 'KiB' "at most 1.05 of $few" "$kib"
    # The machine's noise is not the fitting's: twice the proportion would be another order.
    [ "$((ms * some))" -le "$(((few_ms + 50) * 2 * events))" ] ||
        wrong 'ms' "about $events / $some of $few_ms" "$ms"
done

claim "is flat with events of 200 bytes and workers in any order"
# shellcheck disable=SC2094 # a number, and a file of that name
numbers "$events" >stream
run_sh 'peak usage fan-out -j4 -u -- lines:cat <stream | wc -l'
out_is "$events"
fits

claim 'is flat with --serial-by and many keys'
run_sh 'peak usage fan-out -j4 --serial-by .id -- lines:cat <stream | wc -l'
out_is "$events"
fits

claim 'holds back when the head of the line stalls'
run_sh 'head -n 200000 stream | peak usage fan-out -j2 --pipeline 1 -- lines:sed -u "/\"id\":1,/e sleep 3" | wc -l'
out_is 200000
fits

claim 'the same with a process for each event'
run_sh 'head -n 1000 stream | peak usage fan-out -j8 -- sh -c "read -r line; case \$line in *:1,*) sleep 3 ;; esac; echo \"\$line\"" | wc -l'
out_is 1000
fits

claim 'is flat with events that wait on disk for a subscriber that hangs'
run_sh 'peak usage broadcast --stats --result none --when-full spill file:/dev/null "slow=lines:sh -c \"sleep 4; exec cat\"" <stream'
exits 0
is "$(jq -c '[.read, .done, .attempts]' "$err")" "[$events,$events,$((2 * events))]" counts
fits

claim 'a function that writes 1 GB ends as a bad result'
run_sh 'seq 2 | peak usage fan-out -j2 --grace 1s -- head -c 1G /dev/zero'
exits 123
fits
run_sh 'seq 2 | peak usage fan-out -j2 --grace 1s -- yes'
exits 123
fits

# A line is one piece: of an event, and of a worker's answer, up to --max-event and --max-result
# are held.
claim 'a worker that answers 1 GB in one line does too'
run_sh 'seq 2 | peak usage fan-out -j1 --max-result 1M --grace 1s -- lines:head -c 1G /dev/zero'
exits 123
fits

claim 'a line of 1 GB is skipped'
run_sh 'head -c 1G /dev/zero | peak usage fan-out --max-event 1M -- lines:cat'
exits 123
fits

claim 'results that wait in files take no memory'
run_sh 'seq 20 | peak usage fan-out -j1 -- perl -e "print q(\"), q(x) x 8000000, qq(\"\n)" | wc -c'
out_is 160000060

claim 'dead letters wait for a slow reader of stderr'
run_sh "head -n 50000 stream | { peak usage fan-out -j2 -- lines:sed -u 's/.*/!no/' 2>&1 >/dev/null; echo \$? >status; } |
    perl -e 'while (sysread STDIN, \$x, 65536) { \$n += \$x =~ tr/\n//; select undef, undef, undef, 0.01 } print \"\$n\n\"'"
out_is 50000
is "$(cat status)" 123 'exit status'
fits

claim 'dead letters with much stderr wait for the head of the line'
cat >wordy <<'SH'
#!/bin/sh
read -r line
[ "$line" != 1 ] || exec sleep 2
printf '%4096d\n' 1 >&2
SH
chmod +x wordy
run_sh 'seq 1000 | peak usage fan-out -j4 -- sh -c "./wordy; exit 1" 2>&1 >/dev/null | grep -c ^..event'
out_is 1000
fits

claim 'a reader that is slow holds back the input'
run_sh "peak usage fan-out -j2 -- lines:cat <stream | perl -e 'while (sysread STDIN, \$x, 65536) { \$n += \$x =~ tr/\n//; select undef, undef, undef, 0.0005 } print \"\$n\n\"'"
out_is "$events"
fits

# opened N: so many groups are open in the store.
opened() {
    fanin --show --state parts | grep -q "\"open\":$1,"
}

claim "parts that wait in the store take no memory: $events of them"
mkfifo waiting
fanin --quiet --state parts waiting &
pid=$!
exec 3>waiting
seq -f '{"part":{"group":%.0f,"index":0,"count":2},"value":"of a group that is open"}' "$events" >&3
within "$limit" opened "$events"
kib=$(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status")
! sanitized || kib=0
[ "$kib" -lt "$most" ] || wrong 'KiB of its own' "below $most" "$kib"
echo "# $claim_text: $kib KiB" >&2
exec 3>&-
wait "$pid"
is "$?" 0 'exit status'

finish
