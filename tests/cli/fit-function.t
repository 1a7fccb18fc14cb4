#!/bin/sh
# fit-function.t: the functions that fit-function(7) shows do what it says, and so do the fittings
# that call them.
. "${0%/*}/lib.sh"

# The literal blocks of the page, each in a file of its own: block.1, block.2, ...
awk '
    /^\.Bd -literal/ { inside = "block." ++count; next }
    /^\.Ed/ { inside = ""; next }
    inside { gsub(/\\e/, "\\"); gsub(/\\&/, ""); print >inside }
' "$top/man/fit-function.7"

# block_of NAME FILE: the block whose first lines name the program, as an executable file.
block_of() {
    # shellcheck disable=SC2046 # one file is found
    cp $(grep -l -e "^[#/]\**  *$1\( \*/\)\?\$" block.*) "$2"
    chmod +x "$2"
}

claim 'the page shows the functions that are tried here'
for name in square-once square-sh square.awk square-perl square-python square.c; do
    block_of "$name" "$name"
    check test -s "$name"
done

printf '{"n":%d}\n' 4 0 12 9999 >events
printf '{"square":%d}\n' 16 0 144 99980001 >squares
printf '{"n":2}\n{"n":"two"}\n{"n":3}\n' >wrong
interactive=
case $(awk -W version 2>&1 </dev/null) in mawk*) interactive='-W interactive' ;; esac

works() {
    run fan-out -j2 -- "$@" <events
    exits 0
    out_same squares
    err_is ''
    run fan-out -j1 --dead dead -- "$@" <wrong
    exits 123
    out_is '{"square":4}
{"square":9}'
    is "$(jq -c .event dead)" '{"n":"two"}' 'the dead event'
    rm -f dead
}

claim 'the process per event in sh'
works ./square-once
claim 'the line worker in sh'
works lines:./square-sh
claim 'the line worker in awk'
# shellcheck disable=SC2086 # two words or none
works lines:awk $interactive -f square.awk
claim 'the line worker in Perl'
works lines:./square-perl
claim 'the line worker in Python'
if command -v python3 >/dev/null; then works lines:./square-python; else skip 'no python3'; fi
claim 'the line worker in C'
run "${CC:-cc}" -o square-c square.c
exits 0
works lines:./square-c

claim 'the words of a worker may hold braces, but no placeholders'
run_sh "echo '{\"n\":1}' | fan-out -- lines:awk $interactive '{ print; fflush() }'"
exits 0
out_is '{"n":1}'
run_sh "echo '{\"n\":1}' | fan-out -- lines:cat {.n}"
exits 2
err_like 'placeholders'

claim 'the exit ends the call, though something in the background holds the output open'
run_sh 'echo 1 | fan-out -- sh -c "sleep 600 & echo \$! >pid; echo 1"'
exits 0
out_is 1
check kill "$(cat pid)"

claim 'what has left the group of a function is ended too when its time is over'
run_sh 'echo 1 | reaper fan-out --dead dead --timeout 300ms -- sh -c "setsid sleep 600 & wait"'
exits 123
is "$(jq -r .reason dead)" timeout
rm dead

claim 'a function that fails half-way has no effect on the output'
run_sh 'echo 1 | fan-out --dead dead -- sh -c "echo 1; echo 2; exit 1"'
exits 123
out_is ''
rm dead

claim 'a value in a word is not touched by any shell'
value='$(touch caught) `touch caught` "quoted" '\''single'\'' * ~ ; | \ '
printf '%s' "$value" | jq -Rs '{v: ., list: [1, {"a": "b c"}], "any key": null}' -c >event
run fan-out --text -- printf '%s=%s=%s=%s' '{.v}' '{.list}' '{.list[1].a}' '{.["any key"]}' <event
exits 0
is "$(jq -r . "$out")" "$value=[1,{\"a\":\"b c\"}]=b c=null"
check test ! -e caught
run fan-out --text -- printf '%s' '{}' <event
is "$(jq -r . "$out")" "$(cat event)"

claim 'a missing field fails the event, with its name'
run fan-out --dead dead -- echo '{.nothing.here}' <event
exits 123
is "$(jq -r '.reason + ": " + .message' dead)" 'bad_event: no field for {.nothing.here}'
rm dead

claim 'a process sees the variables of its call, a worker those of its slot'
printf '7\n' >one
run fan-out -j1 --text --timeout 1h -- env <one
for variable in FIT_ID FIT_IDEMPOTENCY_KEY FIT_ATTEMPT=1 FIT_SLOT=1 FIT_COMMAND=fan-out TRACEPARENT \
    FIT_DEADLINE_MS; do
    out_like "^\"$variable(=|\"\$)"
done
run fan-out -j1 --text -- lines:sh -c 'read -r event; env | grep -E "^FIT_|^TRACE" | grep -v ^FIT_BUILD | LC_ALL=C sort | tr "\n" " "; echo; cat' <one
is "$(jq -r . "$out")" 'FIT_COMMAND=fan-out FIT_SLOT=1 '

claim 'a function finds the state that the user named, wherever it stands'
run fan-out -j1 --text --state here/state -- sh -c 'cd / && echo "$FIT_STATE"' <one
is "$(jq -r . "$out")" "$PWD/here/state"
run fan-out -j1 --text --state /over -- printenv FIT_STATE <one
is "$(jq -r . "$out")" /over
FIT_STATE=there run fan-out -j1 --text -- printenv FIT_STATE <one
is "$(jq -r . "$out")" "$PWD/there"
run fan-out -j1 --text -- sh -c 'echo "${FIT_STATE-none}"' <one
out_is '"none"'
check test ! -e here -a ! -e there

claim 'a state that a URL names is refused, as nothing speaks with it'
run fan-out --state nats://localhost -- cat <one
exits 2
err_like '^fan-out: --state: nats://localhost: no distributed engine is built in; name a directory'

claim 'the idempotency key stays the same in retries and other runs, and differs between events'
cat >keys <<'EOF'
#!/bin/sh
echo "$FIT_ATTEMPT $FIT_IDEMPOTENCY_KEY" >>attempts
[ "$FIT_ATTEMPT" = 2 ]
EOF
chmod +x keys
for _ in 1 2; do
    run fan-out -j1 --retries 1 --backoff 1ms..1ms -- ./keys <events
    exits 0
done
is "$(wc -l <attempts | tr -d ' ')" 16 attempts
is "$(cut -d ' ' -f 2 attempts | LC_ALL=C sort | uniq -c | awk '{ print $1 }' | tr '\n' ' ')" '4 4 4 4 '

claim 'the trace of the fitting goes on in its functions'
run_sh 'TRACEPARENT=00-0123456789abcdef0123456789abcdef-0123456789abcdef-01 fan-out --text -- printenv TRACEPARENT <one'
out_like '^"00-0123456789abcdef0123456789abcdef-[0-9a-f]{16}-01"$'

for code in 65 100 126 127; do
    claim "exit status $code is for good: no retry"
    run fan-out --retries 3 --backoff 1ms..1ms --dead dead -- sh -c "exit $code" <one
    exits 123
    is "$(jq -c '[.reason,.exit,.attempts]' dead)" "[\"exit\",$code,1]"
    rm -f dead
done
for code in 75 111 1; do
    claim "exit status $code is tried again"
    run fan-out --retries 3 --backoff 1ms..1ms --dead dead -- sh -c "exit $code" <one
    exits 123
    is "$(jq -c '[.reason,.exit,.attempts]' dead)" "[\"exit\",$code,4]"
    rm -f dead
done

claim 'a worker that exits fails its oldest event, the younger ones lose nothing'
cat >mortal <<'EOF'
#!/bin/sh
read -r event
echo "$event"
read -r event
exit 3
EOF
chmod +x mortal
seq 5 >five
run fan-out -j1 --pipeline 4 --dead dead -- lines:./mortal <five
exits 123
out_is '1
3
5'
is "$(jq -c '[.event,.exit,.attempts]' dead)" '[2,3,1]
[4,3,1]'
rm dead

claim 'a dead letter keeps what a worker printed since it had nothing to do, no more'
cat >chatty <<'SH'
#!/bin/sh
echo begun >&2
while read -r event; do
    echo "about $event" >&2
    case $event in
    1 | 3 | 4) echo '! {"m":"no"}' ;;
    *) echo "$event" ;;
    esac
done
SH
chmod +x chatty
rm -f dead
run_sh 'seq 5 | fan-out -j1 --pipeline 1 --retries 0 --quiet --dead dead -- lines:./chatty'
exits 123
is "$(jq -c '[.event, .stderr]' dead)" '[1,"begun\nabout 1\n"]
[3,"about 3\n"]
[4,"about 4\n"]'
rm -f dead

claim 'an empty line of a worker is no result'
run fan-out -- lines:sed -u 's/2//' <five
exits 0
out_is '1
3
4
5'

claim 'a line that answers no event is told of, once'
cat >greets <<'EOF'
#!/bin/sh
echo '"ready"'
while read -r event; do echo "$event"; done
EOF
cat >totals <<'EOF'
#!/bin/sh
while read -r event; do echo "$event"; done
echo '"that was all"'
EOF
chmod +x greets totals
stray='a worker printed a line that answers no event: results may belong to other events'
seq 3 >three
run fan-out -j1 -- lines:./greets <three
exits 0
is "$(wc -l <"$out" | tr -d ' ')" 3
err_is "fan-out: lines:./greets: $stray"
run fan-out -j1 --max-uses 1 -- lines:./totals <three
exits 0
out_is '1
2
3'
err_is "fan-out: lines:./totals: $stray"
run fan-out -j1 --max-uses 1 -- lines:cat <three
err_is ''

claim 'a worker that answers what is not JSON is replaced, and the event fails'
run fan-out -j1 --dead dead -- lines:sed -u 's/^2$/two/' <five
exits 123
is "$(jq -c '[.event,.reason]' dead)" '[2,"bad_result"]'
is "$(wc -l <"$out" | tr -d ' ')" 4 results
rm dead

claim 'blames no function for a result that finds no room to wait'
echo 1 >one
long='head -c 1000000 /dev/zero | tr "\0" 7'
for way in sh lines:sh; do
    TMPDIR=$PWD/nowhere run fan-out --retries 1 --backoff 1ms..2ms --dead dead -- "$way" -c "while read -r _; do $long; echo; done" <one
    exits 123
    is "$(jq -c '[.reason,.attempts]' dead)" '["write",2]' "of $way"
    rm dead
done

claim 'a function that is not found ends the fitting before anything is read'
run_sh '{ fan-out -- ./none 2>/dev/null; echo $?; cat; } <five'
out_is '127
1
2
3
4
5'

finish
