# interrupts.t: signals, budgets, readers that leave and disks that are full: how a fitting ends early.
. "${0%/*}/../cli/lib.sh"

# A function, and a worker, that takes an event, says so, and ends when it is let go.
cat >patient <<'SH'
#!/bin/sh
read -r line
: >"begun.$line"
until [ -e go ]; do sleep 0.02; done
echo "$line"
SH
cat >worker <<'SH'
#!/bin/sh
while read -r line; do
    : >"begun.$line"
    until [ -e go ]; do sleep 0.02; done
    echo "$line"
done
SH
chmod +x patient worker

# Begin to run in the background with the events 1 2 3 and an input that stays open: sets $pid. A
# shell's background jobs ignore SIGINT, and so would the fitting.
mkfifo input
begin() {
    last_command=$*
    rm -f begun.* go
    perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' timeout --foreground -k 5 60 "$@" <input >"$out" 2>"$err" &
    pid=$!
    exec 3>input
    printf '1\n2\n3\n' >&3
    within 60 test -f begun.1 || wrong 'start of' "$*" 'nothing'
    within 60 test -f begun.2 || wrong 'start of' "$*" 'nothing'
}

# The fitting itself, which is below timeout.
fitting() {
    ps -o pid= --ppid "$pid" | tr -d ' '
}

end() {
    status=0
    wait "$pid" || status=$?
    exec 3>&-
}

for function in ./patient lines:./worker; do
    for signal in TERM:143 INT:130; do
        name=${signal%:*}
        claim "$function: drains what is in flight when SIG$name comes"
        begin fan-out -j2 --pipeline 1 --grace 50s --stats -- $function
        kill "-$name" "$(fitting)"
        : >go
        end
        exits "${signal#*:}"
        check grep -q '"dead":0,"dropped":0' "$err"
        is "$(grep -o '"read":[0-9]*' "$err" | tr -dc 0-9)" "$(wc -l <"$out")" 'results'
        is "$(sort "$out" | head -n 2)" "1
2" 'what was in flight'
    done

    claim "$function: what is not done after the grace is dead, and says why"
    begin fan-out -j2 --pipeline 1 --grace 200ms --stats -- $function
    kill -TERM "$(fitting)"
    end
    exits 143
    out_is ''
    check grep -q '"event":1,"reason":"interrupted"' "$err"
    check grep -q '"event":2,"reason":"interrupted"' "$err"
    check grep -q '"done":0' "$err"

    claim "$function: a second signal waits for nothing"
    begin fan-out -j2 --pipeline 1 --grace 50s --stats -- $function
    kill -TERM "$(fitting)"
    kill -INT "$(fitting)"
    end
    check test "$status" = 143 -o "$status" = 130
    check grep -q '"event":1,"reason":"interrupted"' "$err"
    check grep -q '"event":2,"reason":"interrupted"' "$err"
done

claim 'ends at once when a signal comes and nothing is in flight'
begin fan-out -j2 --grace 50s --stats -- ./patient
: >go
within 60 test -f begun.3 || wrong 'third event' begun nothing
within 60 sh -c '[ "$(wc -l <"$1")" = 3 ]' sh "$out" || wrong 'results' 3 "$out"
kill -TERM "$(fitting)"
end
exits 143
check grep -q '"read":3,"done":3' "$err"

claim '--budget stops reading, ends what was read, and asks to be run again'
for function in cat lines:cat; do
    run_sh "yes 1 | fan-out --budget 300ms --stats -- $function"
    run_sh "yes 1 | { fan-out --budget 300ms --stats -- $function; echo \"\$?\" >status; }"
    is "$(cat status)" 75 'exit status'
    is "$(grep -o '"done":[0-9]*' "$err" | tr -dc 0-9)" "$(wc -l <"$out" | tr -d ' ')" 'results'
    check grep -q '"dead":0,"dropped":0' "$err"
done

claim '--halt soon ends what was read, --halt now does not'
run_sh "seq 100000 | fan-out -j1 --halt soon,fail=1 --stats -- sh -c 'read l; [ \$l -lt 3 ] && echo \$l'"
exits 123
out_is '1
2'
check grep -q '"reason":"exit"' "$err"
run_sh "seq 100000 | fan-out -j4 -u --halt now,fail=1 --grace 100ms --stats -- sh -c 'read l; [ \$l -ne 3 ] && exec sleep 100'"
exits 123
check grep -q '"reason":"halted"' "$err"
is "$(grep -c '"event":' "$err")" "$(grep -o '"dead":[0-9]*' "$err" | tr -dc 0-9)" 'dead letters'

claim 'exits 127 for a function that is not found, 126 for one that cannot be executed'
: >plain
for scheme in '' lines:; do
    run fan-out -- "${scheme}./not-there" </dev/null
    exits 127
    run fan-out -- "${scheme}not-in-path-either" </dev/null
    exits 127
    run fan-out -- "${scheme}./plain" </dev/null
    exits 126
done

claim 'is quiet when its reader leaves'
for function in cat lines:cat -; do
    run_sh "yes 1 | { fan-out -j2 -- $function; echo \$? >status; } | head -n 3"
    exits 0
    out_is '1
1
1'
    is "$(cat status)" 0 'exit status'
    err_is ''
done

claim 'a full disk under stdout is an error'
for function in cat lines:cat -; do
    run_sh "seq 3 | fan-out --stats -- $function >/dev/full"
    exits 1
    check grep -q 'No space left' "$err"
done

claim 'the same for a large result'
run_sh "perl -e 'print \"\\\"\", \"x\" x 1000000, \"\\\"\\n\"' | fan-out -- cat >/dev/full"
exits 1
check grep -q 'No space left' "$err"

claim 'a full disk under --dead sends the letters to stderr, and is an error'
run_sh 'seq 300 | fan-out --dead /dev/full --stats -- sh -c "exit 3"'
exits 1
check grep -q 'No space left' "$err"
read=$(grep -o '"read":[0-9]*' "$err" | tr -dc 0-9)
is "$(grep -c '^{"event":[0-9]*,"reason":"exit","exit":3' "$err")" "$read" 'letters'

claim 'the same for a disk that is full after some letters'
mkdir small
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=64k tmpfs small 2>/dev/null; then
    trap 'umount "$work/here/small"; cd / && rm -rf "$work"' EXIT
    run_sh 'seq 10000 | fan-out -j2 --dead small/dead --stats -- lines:perl -ne "\$|=1; print qq(!no\n)"'
    exits 1
    check grep -q 'No space left' "$err"
    read=$(grep -o '"read":[0-9]*' "$err" | tr -dc 0-9)
    cat small/dead "$err" | perl -ne 'print "$1\n" if /^\{"event":(\d+),.*\}$/' | sort -n >dead
    seq "$read" | cmp -s - dead || wrong 'letters' "$(seq "$read")" dead
    check test "$read" -gt 0
    umount small
    trap 'cd / && rm -rf "$work"' EXIT
else
    skip 'tmpfs cannot be mounted'
fi

claim 'letters that cannot be written anywhere are an error'
run_sh 'seq 3 | fan-out -- false 2>/dev/full'
exits 1

claim 'an input that cannot be read is an error, after what was read'
run fan-out -- cat <.
exits 1
check grep -q 'stdin' "$err"

claim 'SIGTERM ends a fitting that waits for a reader of stderr who takes nothing'
mkfifo unread
exec 4<>unread
last_command='fan-out with letters of more than 256 KiB on a stderr that nobody reads'
seq 100000 >many
timeout --foreground -k 5 60 fan-out --grace 200ms -- lines:sed -u 's/.*/!no/' <many >"$out" 2>unread &
pid=$!
place() { awk '/^pos/ { print $2 }' "/proc/$(fitting)/fdinfo/0"; } 2>/dev/null
waits() { # it has begun to read, and goes on no more
    before=$(place)
    [ "${before:-0}" -gt 0 ] && sleep 0.3 && [ "$(place)" = "$before" ]
}
within 60 waits
kill -TERM "$(fitting)"
end
exits 1
exec 4>&-
rm unread many

finish
