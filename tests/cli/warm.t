#!/bin/sh
# warm.t: pools of workers that live longer than the fittings which call them.
. "${0%/*}/lib.sh"

FIT_STATE=$PWD/state
export FIT_STATE
trap 'end_pools; cd / && rm -rf "$work"' EXIT

# No supervisor outlives the test.
end_pools() {
    for pid in $(warm list | jq 'select(.alive).pid'); do
        kill "$pid"
    done
}

status_of() {
    warm status "$1" | jq -c "$2"
}

status_is() {
    [ "$(status_of "$1" "$2")" = "$3" ]
}

# Also one that nobody has reaped.
gone() {
    ! kill -0 "$1" 2>/dev/null || grep -q '^State:.*Z' "/proc/$1/status"
}

# A worker that says who it is, after a start that takes a while.
cat >worker <<'END'
#!/bin/sh
sleep 0.3
while read -r line; do
    echo "$line" >>made
    case $line in
    *die*) kill -9 $$ ;;
    *fail*) echo "! {\"why\":\"no\"}" ;;
    *sleep*) sleep 0.5; echo "{\"pid\":$$,\"of\":$line}" ;;
    *gate*)
        until [ -e open ]; do sleep 0.05; done
        echo "{\"pid\":$$,\"of\":$line}"
        ;;
    *hang*) sleep 1000 ;;
    *) echo "{\"pid\":$$,\"of\":$line}" ;;
    esac
done
END
chmod +x worker

# ---- starting and ending ----

claim 'a pool that does not run is said so, by the exit status too'
run fan-out -- warm:none <<END
1
END
exits 127
err_is "fan-out: no pool 'none' is running (warm start none)"
run warm status none
exits 1
err_is "warm: no pool 'none' is running"
run warm stop none
exits 1

claim 'who looks for a pool makes no state directory'
run fan-out --state "$PWD/nowhere" -- warm:none </dev/null
exits 127
err_is "fan-out: no pool 'none' is running (warm start none)"
run warm stop none --state "$PWD/nowhere"
exits 1
run warm list --state "$PWD/nowhere"
exits 0
out_is ''
check test ! -e nowhere

claim 'is called from several runs, with one worker'
run warm start one --max 1 --detach -- lines:./worker
exits 0
out_is ''
err_is ''
run fan-out -- warm:one <<END
{"n":1}
{"n":2}
END
exits 0
is "$(jq .of.n "$out")" '1
2'
pid=$(jq .pid "$out" | sort -u)
run fan-out -- warm:one <<END
{"n":3}
END
is "$(jq .pid "$out")" "$pid" 'the worker of another run'
is "$(status_of one '[.pool,.alive,.function,.min,.max,.running,.idle,.busy,.started,.crashed]')" \
    '["one",true,"lines:./worker",1,1,1,1,0,1,0]'
is "$(status_of one '[.ready,.clients,.waiting,.in_flight,.done,.failed,.latency.count]')" \
    '[true,0,0,0,3,0,3]'

claim 'a name has one pool; another start is told who has it, or nothing with --quiet'
pid=$(status_of one .pid)
run warm start one -- lines:cat
exits 75
err_is "warm: one: process $pid runs it"
run warm start one --detach -- lines:cat
exits 75
err_is "warm: one: process $pid runs it"
run warm start one --detach --quiet -- lines:cat
exits 75
err_is ''

claim 'lists pools, also one that was killed, whose place the next one takes'
run warm list
is "$(jq -c '[.pool,.alive]' "$out")" '["one",true]'
kill -9 "$pid"
check within 60 gone "$pid"
run warm list
is "$(jq -c '[.pool,.alive,.pid]' "$out")" "[\"one\",false,$pid]"
run fan-out -- warm:one <<END
1
END
exits 127
run warm stop one
exits 1
err_is "warm: no pool 'one' is running: it was killed, and what it left is removed"
run warm list
out_is ''
run warm stop one
exits 1
err_is "warm: no pool 'one' is running"
warm start one --detach -- lines:cat
kill -9 "$(status_of one .pid)"
check within 60 status_is one .pid ''
run warm start one --detach -- lines:./worker
exits 0
check within 60 status_is one .alive true

claim 'stop --wait-gone returns when all is gone'
pid=$(status_of one .pid)
run warm stop one --wait-gone
exits 0
err_is ''
check gone "$pid"
is "$(ls state/run)" 'warm-one.log'
run warm list
out_is ''

claim 'names that are no file names'
for name in 'a b/../c' 'ünï' "$(printf '%0200d' 1)"; do
    run warm start "$name" --detach -- lines:cat
    exits 0
    run fan-out -- "warm:$name" <<END
{"n":1}
END
    out_is '{"n":1}'
    is "$(warm list | jq -r .pool)" "$name"
    run warm stop "$name" --wait-gone
    exits 0
done

claim 'a state directory with a path longer than a socket may have'
long=$PWD/$(printf '%0100d' 1)/$(printf '%0100d' 2)
run warm start far --detach --state "$long" -- lines:cat
exits 0
run fan-out --state "$long" -- warm:far <<END
1
END
out_is 1
run warm stop far --wait-gone --state "$long"
exits 0

claim 'what is wrong with a command line is said before anything runs'
for words in 'x' 'x cat' 'x -- cat' 'x --min 3 --max 2 -- lines:cat' 'x --wait-ready -- lines:cat' \
    'x --ping {bad -- lines:cat' 'x --queue 0 -- lines:cat' '-- lines:cat'; do
    # shellcheck disable=SC2086 # words
    run warm start $words
    exits 2
done
run warm start x -- lines:./none
exits 127
run warm start x --detach -- lines:./none
exits 127
err_like '^warm: \./none: not found'
run fan-out -- warm: </dev/null
exits 2
run fan-out -- warm:x y </dev/null
exits 2
err_like 'takes no further words'

claim '--detach passes on what is said of a start that fails'
mkdir other && echo x >other/file
run warm start x --detach --state other -- lines:cat
exits 1
err_like 'not a state directory'

# ---- calls ----

claim 'failures come back as the worker gave them'
warm start pool --max 1 --pipeline 1 --detach -- lines:./worker
run_sh 'printf "%s\n" "{\"fail\":1}" | fan-out --dead dead -- warm:pool'
exits 123
is "$(jq -c '[.reason,.error,.function,.attempts]' dead)" '["error",{"why":"no"},"warm:pool",1]'
rm dead

claim 'a worker that dies in a call: a failed attempt, and what retries give'
run_sh 'printf "%s\n" "{\"die\":1}" | fan-out --dead dead -- warm:pool'
exits 123
is "$(jq -c '[.reason,.signal,.attempts]' dead)" '["signal",9,1]'
rm dead
run_sh 'printf "%s\n" 1 2 "{\"die\":1}" 3 4 |
    fan-out -j5 --retries 2 --backoff 10ms..50ms --dead dead -- warm:pool'
exits 123
is "$(jq -c .of "$out")" '1
2
3
4'
is "$(jq -c '[.event,.attempts]' dead)" '[{"die":1},3]'
check within 60 status_is pool '.crashed' 4

claim '--timeout of a client is its own: the worker goes on, and its answer reaches nobody'
run_sh 'printf "%s\n" "{\"gate\":1}" | fan-out --timeout 100ms --dead dead2 -- warm:pool'
exits 123
is "$(jq -c .reason dead2)" '"timeout"'
: >open
run fan-out -- warm:pool <<END
{"next":1}
END
is "$(jq -c .of "$out")" '{"next":1}'
rm open

claim 'a call whose time is over before it has begun is never made'
echo '{"gate":1}' | fan-out -- warm:pool >/dev/null &
check within 60 status_is pool .busy 1
before=$(status_of pool .dropped)
run_sh 'printf "%s\n" "{\"n\":1}" "{\"n\":2}" "{\"n\":3}" |
    fan-out -j3 --timeout 1s --dead /dev/null -- warm:pool'
exits 123
check within 60 status_is pool .dropped $((before + 3))
: >made
: >open
wait
rm open
run fan-out -- warm:pool <<END
{"n":4}
END
exits 0
is "$(jq -c .of "$out")" '{"n":4}'
is "$(cat made)" '{"n":4}' 'what the worker has been given since'

claim 'trace and report tell a cold call from a warm one'
warm start cold --min 0 --max 1 --detach -- lines:./worker
run_sh 'seq 2 | fan-out -j1 --trace trace -- warm:cold'
is "$(jq -c '.init_ms > 200' trace 2>/dev/null | head -n 1)" true 'the first call is cold'
check within 60 status_is cold '[.cold,.started]' '[1,1]'
warm stop cold

claim '--timeout of the pool ends a worker that hangs'
warm start hangs --max 1 --timeout 2s --detach -- lines:./worker
run_sh 'echo "{\"hang\":1}" | fan-out --dead dead3 -- warm:hangs'
exits 123
is "$(jq -c .reason dead3)" '"timeout"'
run_sh 'echo 5 | fan-out --retries 5 -- warm:hangs'
is "$(jq -c .of "$out")" 5
warm stop hangs

claim 'retries that are given to the pool are its own: the client sees what came of them'
cat >flaky <<'END'
#!/bin/sh
while read -r line; do
    [ -e "tried.$line" ] && echo "$line" && continue
    : >"tried.$line"
    kill -9 $$
done
END
chmod +x flaky
warm start flaky --max 1 --retries 3 --backoff 10ms..20ms --detach -- lines:./flaky
run_sh 'seq 3 | fan-out -- warm:flaky'
exits 0
out_is '1
2
3'
check within 60 status_is flaky '[.done,.failed,.crashed]' '[3,0,3]'
warm stop flaky

claim 'an empty answer is no result; what the pool says of text is for all'
warm start empty --max 1 --detach -- lines:sed -u 's/.*//'
run_sh 'seq 3 | fan-out --stats -- warm:empty'
exits 0
out_is ''
is "$(jq -c '[.done,.results]' "$err")" '[3,0]'
warm stop empty
warm start text --text --raw --max 1 --detach -- lines:sed -u 's/^/> /'
run_sh 'echo "\"a b\"" | fan-out -- warm:text'
out_is '"> a b"'
warm stop text

claim 'large events and large results, and those that are too large'
warm start big --max 1 --max-event 20M --max-result 20M --detach -- lines:cat
{
    head -c 10000000 /dev/zero | tr '\0' x | sed 's/.*/"&"/'
    echo
} >large
run fan-out -- warm:big <large
exits 0
check cmp large "$out"
run_sh 'fan-out --max-result 1M --dead dead4 -- warm:big <large; jq -r .reason dead4'
out_is bad_result
head -c 20971600 /dev/zero | tr '\0' x | sed 's/.*/"&"/' >larger
run_sh 'fan-out --max-event 100M --dead dead5 -- warm:big <larger; jq -r .reason dead5'
out_is too_large
echo 1 >small
run fan-out -- warm:big <small
out_is 1
warm stop big
rm large larger

claim 'a full queue refuses, and retries get through'
warm start tight --max 1 --queue 2 --detach -- lines:./worker
warm status tight >/dev/null
for i in 1 2 3 4 5 6; do
    echo '{"gate":1}' | fan-out --dead "full$i" --quiet -- warm:tight >/dev/null &
done
check within 60 status_is tight '.refused > 0' true
: >open
wait
rm open
is "$(cat full? 2>/dev/null | jq -r .reason | sort -u)" pool_full

seq 6 >six
for i in 1 2 3 4; do
    fan-out -j2 --retries 1000 --backoff 10ms..20ms -- warm:tight <six >"through$i" &
done
wait
is "$(cat through? | jq .of | sort | uniq -c | awk '{print $1, $2}')" '4 1
4 2
4 3
4 4
4 5
4 6'
warm stop tight

claim '-j larger than the queue: one client alone is never refused'
warm start narrow --max 1 --queue 8 --detach -- lines:cat
seq 1000 >thousand
run fan-out -j500 -- warm:narrow <thousand
exits 0
out_same thousand
check within 60 status_is narrow .refused 0
warm stop narrow

# ---- sent ahead ----

claim 'calls that are sent ahead hold no place in the queue'
warm start ahead --max 1 --queue 2 --detach -- lines:./worker
{
    echo '{"gate":1}'
    seq 50
} >gated
fan-out -j1 --pipeline 64 -- warm:ahead <gated >passed &
client=$!
check within 60 status_is ahead '[.in_flight,.waiting]' '[1,50]'
fan-out -j2 -- warm:ahead <small >passed.too &
check within 60 status_is ahead '[.clients,.waiting]' '[2,51]'
: >open
wait "$client"
is $? 0 'exit status of the client'
wait
rm open
is "$(jq -c .of passed)" "$(cat gated)"
is "$(jq -c .of passed.too)" 1
check status_is ahead '[.done,.refused]' '[52,0]'

claim 'their time begins when the one before is through'
fan-out -j1 --pipeline 64 --timeout 2s --dead dead8 -- warm:ahead <gated >passed &
client=$!
check within 60 test -s dead8
: >open
wait "$client"
is $? 123 'exit status of the client'
rm open
is "$(jq -c '[.reason,.event]' dead8)" '["timeout",{"gate":1}]'
is "$(jq -c .of passed)" "$(seq 50)"
warm stop ahead

claim 'none is sent ahead where more workers would be used at once than there are jobs'
warm start wide --min 0 --max 2 --detach -- lines:./worker
fan-out -j1 --pipeline 64 -- warm:wide <gated >passed &
check within 60 status_is wide '[.in_flight,.waiting]' '[1,0]'
check status_is wide '[.started,.waiting]' '[1,0]'
: >open
wait
rm open
is "$(jq -c .of passed)" "$(cat gated)"
warm stop wide

# What speaks as a supervisor does: it takes COUNT requests, leaves without a word, and answers those of the next connection.
cat >fake <<'END'
use Socket;
my ($name, $workers, $count) = @ARGV;
socket(my $door, PF_UNIX, SOCK_STREAM, 0) or die;
unlink "state/run/warm-$name.sock";
bind($door, sockaddr_un("state/run/warm-$name.sock")) or die;
listen($door, 5) or die;
for my $answers (0, 1) {
    accept(my $client, $door) or die;
    sub frame { my ($type, $id, $part, @values) = @_; pack('L L Q L4 q4 a*', 0x46571001, $type, $id, length $part, 0, 0, 0, @values, $part) }
    syswrite $client, frame(1, 0, '', 1000, $workers, 0, 0);
    for (my $seen = 0; $answers || $seen < $count; $seen++) {
        my ($head, $parts) = ('', '');
        read($client, $head, 64) == 64 or last;
        my (undef, $type, $id, @sizes) = unpack 'L L Q L3', $head;
        my $event = '';
        for my $i (0 .. 2) { read $client, $parts, $sizes[$i]; $event = $parts unless $i }
        syswrite $client, frame(4, $id, "$event\n", 1, 0, 0, 0) if $answers;
    }
}
END

claim 'a supervisor that was killed: those that were sent ahead are asked again, and none has failed'
perl fake fake 1 5 &
check within 60 test -S state/run/warm-fake.sock
run_sh 'seq 9 | timeout 60 fan-out -j1 --pipeline 5 --dead dead9 -- warm:fake'
exits 123
is "$(jq -c '[.reason,.event,.attempts]' dead9)" '["connection",1,1]'
is "$(cat "$out")" "$(seq 2 9)"
wait

claim 'one that does not say how many workers it has is sent none ahead'
perl fake old 0 1 &
check within 60 test -S state/run/warm-old.sock
run_sh 'seq 9 | timeout 60 fan-out -j1 --pipeline 5 --dead dead10 -- warm:old'
exits 123
is "$(jq -c .event dead10)" 1
wait
rm -f state/run/warm-fake.sock state/run/warm-old.sock

# ---- sharing ----

claim '100 runs pay one cold start'
warm start shared --max 1 --detach -- lines:./worker
for i in $(seq 100); do
    echo "{\"run\":$i}" | fan-out -- warm:shared
done >runs
is "$(jq .of.run runs | sort -n)" "$(seq 100)"
is "$(jq .pid runs | sort -u | wc -l)" 1
check within 60 status_is shared '[.started,.done]' '[1,100]'

claim '100 clients at once never get the answers of others'
warm stop shared --wait-gone
warm start shared --min 2 --max 4 --detach -- lines:jq --unbuffered -c .
for i in $(seq 100); do
    seq 20 | sed "s/.*/{\"client\":$i,\"n\":&}/" >"in$i"
    fan-out -j4 -- warm:shared <"in$i" >"out$i" &
done
wait
for i in $(seq 100); do
    same "in$i" "out$i"
done
check within 60 status_is shared '[.done,.failed,.clients]' '[2000,0,0]'
rm -f in* out*
warm stop shared

claim 'a client with much to do does not hold up one with little'
warm start fair --max 1 --detach -- lines:./worker
yes '{"sleep":1}' | head -n 100 | fan-out -j100 -- warm:fair >/dev/null 2>&1 &
much=$!
check within 60 status_is fair '.waiting > 20' true
run_sh 'echo "{\"quick\":1}" | timeout 30 fan-out -- warm:fair'
exits 0
kill "$much"
wait

claim 'what a killed client has asked, and nobody has begun, is dropped'
check within 60 status_is fair '[.waiting,.clients]' '[0,0]'
yes '{"sleep":1}' | head -n 100 | fan-out -j100 -- warm:fair >/dev/null 2>&1 &
check within 60 status_is fair '.waiting > 20' true
kill -9 $!
check within 60 status_is fair '[.waiting,.clients]' '[0,0]'
check test "$(status_of fair .dropped)" -ge 20
warm stop fair

claim 'what it had begun, and nobody hears the end of, counts as dropped and as nothing else'
rm -f open
warm start deaf --max 1 --detach -- lines:./worker
echo '{"gate":1}' | fan-out -- warm:deaf >/dev/null 2>&1 &
check within 60 status_is deaf .in_flight 1
kill -9 $!
wait $! 2>/dev/null
check within 60 status_is deaf .clients 0
: >open
check within 60 status_is deaf '[.in_flight,.done,.failed,.dropped,.latency.count]' '[0,0,0,1,0]'
warm stop deaf --wait-gone

claim 'workers are started while calls wait, up to --max, and end when they are idle'
warm start grows --min 1 --max 3 --idle 300ms --detach -- lines:./worker
yes '{"sleep":1}' | head -n 6 | fan-out -j6 -- warm:grows >/dev/null &
check within 60 status_is grows .started 3
wait
check within 60 status_is grows .running 1
warm stop grows

claim '--wait-ready returns when --min workers have answered a ping'
run warm start ready --min 2 --max 2 --detach --wait-ready -- lines:./worker
exits 0
check within 60 status_is ready '[.ready,.running,.idle,.done]' '[true,2,2,0]'
run_sh 'echo 1 | fan-out --trace warmtrace -- warm:ready'
check within 60 status_is ready .cold 0
warm stop ready

claim '--wait-ready ends when workers come to nothing again and again, and says why'
printf '#!/bin/sh\necho starting >&2\necho "no model" >&2\nexit 3\n' >broken
chmod +x broken
run timeout 60 warm start broken --min 2 --max 2 --detach --wait-ready -- lines:./broken
exits 1
is "$(tail -n 1 "$err")" 'warm: broken: 5 starts of lines:./broken in a row have come to nothing: exit status 3: no model'
run warm status broken
exits 1
is "$(ls state/run/warm-broken.*)" state/run/warm-broken.log

claim '--wait-ready goes on after fewer starts that fail, and a pool that nobody waits for after any'
printf '#!/bin/sh\necho >>starts\n[ "$(wc -l <starts)" -gt 4 ] || exit 3\nexec cat\n' >late
chmod +x late
run timeout 60 warm start later --min 1 --detach --wait-ready -- lines:./late
exits 0
is "$(wc -l <starts)" 5
warm stop later
run warm start broken --min 1 --detach -- lines:./broken
exits 0
check within 60 status_is broken '.crashed > 5' true
warm stop broken --wait-gone

claim 'a Lambda runtime as the worker of a pool'
if [ -x "$FIT_BUILD/helpers/lambda_bootstrap" ]; then
    run warm start lambda --max 1 --detach --wait-ready -- lambda:"$FIT_BUILD/helpers/lambda_bootstrap"
    exits 0
    for i in 1 2 3; do
        echo "{\"n\":$i}" | fan-out -- warm:lambda
    done >out
    is "$(cat out)" '{"r":{"n":1}}
{"r":{"n":2}}
{"r":{"n":3}}'
    check within 60 status_is lambda '[.started,.done]' '[1,3]'
    run_sh 'echo "{\"do\":\"error\"}" | fan-out --dead dead6 -- warm:lambda'
    exits 123
    is "$(jq -r '[.reason, .function] | @tsv' dead6)" 'error	warm:lambda'
    warm stop lambda
else
    skip 'the helper is not built'
fi

claim 'an answer that is not needed is not waited for, and reaches nobody else'
warm start spare --max 1 --detach -- lines:./worker
run_sh 'echo "{\"gate\":1}" | aggregate --first slow=warm:spare quick=lines:cat'
out_is '{"quick":{"gate":1}}'
: >open
run fan-out -- warm:spare <<END
{"n":1}
END
is "$(jq -c .of "$out")" '{"n":1}'
rm open
warm stop spare

claim 'a client that does not read its answers holds nobody up, and gets them later'
warm start slow --max 1 --detach -- lines:cat
{
    head -c 400000 /dev/zero | tr '\0' x | sed 's/.*/"&"/'
    echo
} >line
for i in $(seq 40); do cat line; done >lines
mkfifo reader
fan-out -j16 -- warm:slow <lines >reader &
exec 8<reader
check within 60 status_is slow '.done > 3' true
run_sh 'echo 5 | timeout 60 fan-out -- warm:slow'
out_is 5
check cmp lines - <&8
exec 8<&-
wait
warm stop slow

claim 'a supervisor that is stuck: a client ends by its timeout, status says so'
warm start stuck --max 1 --detach -- lines:cat
pid=$(status_of stuck .pid)
kill -STOP "$pid"
run_sh 'echo 1 | fan-out --timeout 200ms --dead dead7 -- warm:stuck'
exits 123
is "$(jq -r .reason dead7)" timeout
run warm status stuck
exits 1
err_is "warm: stuck: its supervisor, process $pid, does not answer"
kill -CONT "$pid"
run fan-out -- warm:stuck <small
out_is 1
warm stop stuck

claim 'more clients than it has descriptors wait for those before them'
(
    # shellcheck disable=SC3045 # the shells at hand have it
    ulimit -n 32
    warm start few --max 1 --detach -- lines:cat
)
for i in $(seq 40); do
    echo "$i" | fan-out -- warm:few &
done >few
wait
is "$(sort -n few)" "$(seq 40)"
warm stop few --wait-gone

claim 'a pool that has no descriptor for any client says so, and can be stopped'
(
    # shellcheck disable=SC3045 # the shells at hand have it
    ulimit -n 20
    warm start none --max 1 --detach --wait-ready -- lines:cat
)
run warm status none
exits 1
is "$(cat state/run/warm-none.log)" 'warm: none: a client has to wait, as there is no descriptor for it (ulimit -n)'
run warm stop none --wait-gone
exits 0

# ---- ending ----

claim 'stop does what was asked before it ends'
warm start drains --max 1 --grace 20s --detach -- lines:./worker
yes '{"gate":1}' | head -n 4 | fan-out -j4 -- warm:drains >drained &
client=$!
check within 60 status_is drains '.busy + .waiting' 4
warm stop drains --wait-gone &
stopper=$!
check within 60 test ! -e state/run/warm-drains.sock
: >open
wait "$client"
is $? 0 'exit status of the client'
wait "$stopper"
is $? 0 'exit status of warm stop'
rm open
is "$(wc -l <drained)" 4

claim 'a start behind a stop waits until the name is free, and can be called behind it'
warm start again --max 1 --grace 20s --detach -- lines:./worker
echo '{"gate":1}' | fan-out -- warm:again >drained &
client=$!
check within 60 status_is again '.busy' 1
warm stop again
check within 60 test ! -e state/run/warm-again.sock
(sleep 0.3; : >open) &
run_sh 'warm start again --detach -- lines:cat && echo 7 | fan-out -- warm:again'
exits 0
out_is 7
wait "$client"
is "$(jq -c .of drained)" '{"gate":1}'
rm open

claim 'what is not done within the grace fails, and is done by the next pool'
warm start next --max 1 --grace 100ms --detach -- lines:./worker
printf '%s\n' '{"gate":1}' '{"gate":2}' '{"gate":3}' |
    fan-out -j3 --retries 1000 --backoff 50ms..200ms -- warm:next >late &
client=$!
check within 60 status_is next '.in_flight > 0' true
run warm stop next --wait-gone
exits 0
: >open
warm start next --max 2 --detach -- lines:./worker
wait "$client"
is $? 0 'exit status of the client'
is "$(jq -c .of late)" '{"gate":1}
{"gate":2}
{"gate":3}'
rm open

claim 'in the foreground it accounts for what it has begun'
warm start front --max 1 --stats -- lines:./worker 2>front.err &
front=$!
check within 60 status_is front .ready true
run_sh 'printf "%s\n" 1 2 "{\"fail\":3}" | fan-out --dead /dev/null -- warm:front'
run warm stop front --wait-gone
wait "$front"
is $? 0 'exit status: that one has failed is the client'\''s affair'
is "$(grep '^{' front.err | jq -c '[.read,.done,.dead,.dropped,.returned]')" '[3,2,1,0,0]'

claim 'starts with its standard descriptors closed'
timeout 60 warm start closed --max 1 --detach -- lines:cat <&- >&- 2>&-
is $? 0 'exit status'
run fan-out -- warm:closed <small
out_is 1
warm stop closed

claim 'SIGTERM drains as stop does'
pid=$(status_of next .pid)
echo '{"gate":1}' | fan-out -- warm:next >termed &
client=$!
check within 60 status_is next .busy 1
kill "$pid"
: >open
wait "$client"
is $? 0 'exit status of the client'
is "$(jq -c .of termed)" '{"gate":1}'
check within 60 gone "$pid"

# ---- who may ----

claim 'its files are for their owner only'
warm start own --detach -- lines:cat
is "$(stat -c '%a %F' state/run/warm-own.sock)" '600 socket'
is "$(stat -c %a state/run state/run/warm-own.lock state/run/warm-own.log)" '700
600
600'

claim 'other users are refused: by the mode, and by asking who they are'
if [ "$(id -u)" -ne 0 ] || ! command -v setpriv >/dev/null; then
    skip 'needs root, and setpriv'
else
    other() {
        setpriv --reuid=65534 --regid=65534 --clear-groups env PATH="$PATH" FIT_STATE="$FIT_STATE" "$@"
    }
    run_sh 'echo 1 >one'
    run setpriv --reuid=65534 --regid=65534 --clear-groups env FIT_STATE="$FIT_STATE" \
        "$FIT_BUILD/libexec/fittings/fan-out" -- warm:own
    check test "$status" -ne 0
    chmod -R a+rwX "$work"
    chmod a+rw state/run/warm-own.sock
    is "$(other perl -MSocket -e '
        socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die;
        connect($s, sockaddr_un("state/run/warm-own.sock")) or die "connect: $!";
        sysread($s, my $x, 64); print length $x' 2>&1)" 0 'bytes that a stranger is told'
    check grep -q '^warm: own: refused a client of user 65534$' state/run/warm-own.log
    is "$(other warm status own 2>&1)" "warm: own: it is root's, and takes no other user's calls"
    warm stop own --wait-gone
    rm -rf theirs && mkdir -m 777 theirs
    other warm start their --detach --state "$PWD/theirs" -- lines:cat
    run_sh 'echo 1 | fan-out --state theirs -- warm:their'
    exits 126
    err_like 'of user 65534 listens there'
    other warm stop their --wait-gone --state "$PWD/theirs"
fi
warm stop own 2>/dev/null

claim 'what is no request ends that connection, and no other'
warm start strong --detach -- lines:cat
for bytes in '' 'x' 'GET / HTTP/1.1\r\n\r\n' '\001\020\127\106\377\0\0\0'; do
    # shellcheck disable=SC2059 # the bytes are a format
    printf "$bytes" | head -c 200 >torn
    head -c 100 /dev/zero >>torn
    perl -MSocket -e 'socket(my $s, PF_UNIX, SOCK_STREAM, 0); local $/; my $t = <STDIN>;
        connect($s, sockaddr_un("state/run/warm-strong.sock")) or die; syswrite($s, $t);
        1 while sysread($s, my $x, 64)' <torn
done
run fan-out -- warm:strong <small
out_is 1
check within 60 status_is strong .clients 0
warm stop strong --wait-gone

# flood POOL COUNT TYPE: so many frames (2: requests) of a client that reads no answers, until the pool takes no more of them
# for a second; prints how many bytes it took.
flood() {
    perl -MSocket -MFcntl -MTime::HiRes=sleep -e '
        socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die;
        connect($s, sockaddr_un("state/run/warm-$ARGV[0].sock")) or die;
        fcntl($s, F_SETFL, O_NONBLOCK);
        my $one = pack("L L Q L4 q4 a*", 0x46571001, $ARGV[2], 7, 1, 0, 0, 0, 0, 0, 0, 0, "1");
        my ($all, $at, $took, $idle) = ($one x 1000, 0, 0, 0);
        while ($took < $ARGV[1] * length $one && $idle < 100) {
            my $n = syswrite($s, $all, length($all) - $at, $at);
            if ($n) { $took += $n; $at = ($at + $n) % length $all; $idle = 0 }
            else { sleep 0.01; $idle++ }
        }
        print "$took\n"' "$@"
}

claim 'who asks and reads no answers is not read from for ever, and holds up nobody'
for worker in 'lines:cat' 'lines:./silent'; do
    printf '#!/bin/sh\nexec sed -u s/.*//\n' >silent
    chmod +x silent
    warm start "deaf" --detach --quiet -- "$worker"
    check test "$(flood deaf 200000 2)" -lt 8000000
    check test "$(flood deaf 200000 6)" -lt 8000000 # STATUS
    run fan-out -- warm:deaf <small
    exits 0
    check within 60 status_is deaf .clients 0
    warm stop deaf --wait-gone
done

finish
