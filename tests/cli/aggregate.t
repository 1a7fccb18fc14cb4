# aggregate.t: one event, several functions, one answer.
. "${0%/*}/lib.sh"

# A script NAME in this folder with that body, for sh.
script() {
    printf '#!/bin/sh\n%s\n' "$2" >"$1"
    chmod +x "$1"
}

letter() {
    jq -ce "$1" "$err" >/dev/null || wrong "a letter with $1" "$1" "$err"
}

echo '{"n":1}' >one
printf '{"n":%s}\n' 1 2 3 4 5 >five

# ---- the answer ----

claim 'gives a line for each event, with the parts in the order of the command line'
script slow 'while [ ! -e quick ]; do sleep 0.01; done; echo 1.50'
script quick 'echo >quick; echo "{\"a\" : 12345678901234567890, \"a\":[ ] }"'
run aggregate last=./slow first=./quick A-1_b=- <one
exits 0
out_is '{"last":1.50,"first":{"a" : 12345678901234567890, "a":[ ] },"A-1_b":{"n":1}}'
err_is ''

claim 'keeps the order of the events'
script odd 'read -r e; case $e in *[135]*) sleep 0.05 ;; esac; echo "$e"'
run aggregate -j4 a=./odd b=cat <five
exits 0
jq -c '{a: ., b: .}' five >want
out_same want

claim 'makes null of no result and an array of several'
run aggregate none=true several='printf "1\n\n{ }\n"' <one
exits 0
out_is '{"none":null,"several":[1,{ }]}'

claim 'gives each part the same bytes'
printf ' {"x" :\t"\\u0041\\/ \303\251", "n":1e400 ,"n":-0.0} \r\n' >odd-bytes
printf ' {"x" :\t"\\u0041\\/ \303\251", "n":1e400 ,"n":-0.0} \n' | cksum >want
# shellcheck disable=SC2016 # for the inner shell
run aggregate a='sh -c "cksum >a; echo 1"' b='sh -c "cksum >b; echo 1"' \
    c='lines:sh -c "IFS= read -r e; printf \"%s\\n\" \"\$e\" | cksum >c; echo 1"' <odd-bytes
exits 0
same want a
same want b
same want c

claim 'takes parts of different kinds'
run aggregate process=cat worker='lines:sed -u s/n/m/' text='jq -c .n' itself=- <five
exits 0
jq -c '{process: ., worker: {m: .n}, text: .n, itself: .}' five >want
out_same want

claim 'takes an event of 10 MB'
awk 'BEGIN { for (i = 0; i < 1000000; i++) printf "0123456789"; print "" }' | sed 's/.*/"&"/' >long
run_sh 'aggregate a=cat b=lines:cat <long | jq -c "[(.a, .b) | length]"'
exits 0
out_is '[10000000,10000000]'

claim 'takes lines that are no JSON for dead, and functions that do not read'
printf '1\n\377\n{"a":\0}\n2' >mixed
run aggregate a=true b='echo 1' <mixed
exits 123
out_is "$(printf '{"a":null,"b":1}\n{"a":null,"b":1}')"
is "$(grep -c '"reason":"bad_json"' "$err")" 2 letters

# ---- at once ----

# meet NAME OTHER: ends only when OTHER has begun too.
script meet 'echo >"$1.began"; while [ ! -e "$2.began" ]; do sleep 0.01; done; echo "\"$1\""'

claim 'makes the calls of an event at once: its time is that of the slowest part'
run aggregate -j1 a='./meet a b' b='./meet b c' c='./meet c a' <one
exits 0
out_is '{"a":"a","b":"b","c":"c"}'

claim 'makes --jobs calls of each part at once'
script gather 'echo >"$1.$FIT_SLOT"; while [ ! -e a.1 ] || [ ! -e a.2 ] || [ ! -e b.1 ] || [ ! -e b.2 ]; do
    sleep 0.01; done; echo "$FIT_SLOT"'
printf '1\n2\n' >two
run aggregate -j2 a='./gather a' b='./gather b' <two
exits 0
out_is "$(printf '{"a":1,"b":1}\n{"a":2,"b":2}')"

# ---- failures ----

claim 'a required part that fails gives no output and one dead letter, which names it'
run aggregate price='sh -c "echo oops >&2; exit 3"' stock=cat <one
exits 123
out_is ''
is "$(grep -c '"event"' "$err")" 1 letters
grep '"event"' "$err" >letter
cp letter "$err"
letter '.event == {n: 1} and .reason == "parts" and (.message | startswith("1 of 2 parts failed: price: "))'
letter '.error | length == 1 and (.[0] | .part == "price" and .exit == 3 and .stderr == "oops\n")'

claim 'it is dead at once: what still runs for it is ended'
script hang 'echo >began; exec sleep 1000'
run reaper aggregate a=./hang b='sh -c "while [ ! -e began ]; do sleep 0.01; done; exit 1"' <one
exits 123
out_is ''
letter '.message == "1 of 2 parts failed: b: exit status 1"'

claim 'other events go on'
script second 'read -r e; case $e in *2*) exit 1 ;; esac; echo "$e"'
run aggregate -j3 a=./second b=cat <five
exits 123
jq -c 'select(.n != 2) | {a: ., b: .}' five >want
out_same want
letter '.event.n == 2'

claim 'an optional part that fails is named under errors'
run aggregate a=cat '?b=sh -c "exit 4"' '?c=sh -c "kill -9 \$\$"' '?d=cat' <one
exits 0
out_is '{"a":{"n":1},"d":{"n":1},"errors":{"b":{"reason":"exit","exit":4,"message":"exit status 4"},"c":{"reason":"signal","signal":9,"message":"ended by signal 9 (Killed)"}}}'
err_is ''

claim 'with what it says of the error itself'
run aggregate '?a=lines:sed -u "s/.*/!{\"errorType\":\"No\",\"errorMessage\":\"none left\"}/"' <one
exits 0
out_is '{"errors":{"a":{"reason":"error","message":"the function answered with an error","error":{"errorType":"No","errorMessage":"none left"}}}}'

claim 'a timeout is such a failure, and its processes are ended'
run reaper aggregate --timeout 300ms --grace 100ms '?a=sh -c "trap \"\" TERM; sleep 1000 & wait"' b=- <one
exits 0
out_is '{"b":{"n":1},"errors":{"a":{"reason":"timeout","message":"not done after 300ms"}}}'

claim 'each part has its retries'
script again 'echo >>tries; [ $FIT_ATTEMPT = 3 ] || exit 1; echo $FIT_ATTEMPT'
run aggregate --retries 2 --backoff 1ms..1ms a=./again b='sh -c "echo \$FIT_ATTEMPT"' <one
exits 0
out_is '{"a":3,"b":1}'

claim 'the letter names all that have failed, and comes back by dead redrive'
script flaky '[ -e mended ] && exec cat; exit 1'
run aggregate --state st a=cat b=./flaky <one
exits 123
is "$(dead count --state st)" 1 letters
: >mended
run dead redrive --state st
exits 0
out_is '{"a":{"n":1},"b":{"n":1}}'
is "$(dead count --state st)" 0 letters

# ---- --join ----

claim '--join makes the answer of the object and the event'
run aggregate --join '{n: $event.n, sum: (.a + .b)}' a='jq .n' b='jq ".n * 10"' <five
exits 0
jq -c '{n: .n, sum: (.n * 11)}' five >want
out_same want

claim '--join may give several lines, or none'
run aggregate --join '.a[], $event' a='echo [1,2]' <one
exits 0
out_is "$(printf '1\n2\n{"n":1}')"
run aggregate --join empty a=- <five
exits 0
out_is ''

claim '--join that fails makes the event dead'
run aggregate --join '.a + $event' a='echo 1' <one
exits 123
out_is ''
letter '.reason == "bad_result" and (.message | startswith("--join jq '\''.a + $event'\'': "))'

claim '--join that is no program is a mistake, told in the words of the user'
for program in '1) | (2' '.a |' '= 1' '$other'; do
    run aggregate --join "$program" a=- <one
    exits 2
    err_like "^aggregate: jq '"
    err_unlike 'as \$event'
done

claim '--join sees errors and what is optional'
run aggregate --join '.errors.b.exit // .b' '?b=sh -c "exit 7"' <one
exits 0
out_is 7

# ---- --need ----

claim '--first answers with the first, and nothing of the others survives'
# It ignores SIGTERM, and so do its child and one that has left the group.
cat >deaf <<'SH'
#!/bin/sh
trap '' TERM
sleep 1000 &
setsid sh -c 'sleep 1000 & wait' &
echo >"deaf.$1"
wait
SH
chmod +x deaf
script last 'while [ ! -e deaf.1 ] || [ ! -e deaf.2 ]; do sleep 0.01; done; echo 1'
run reaper aggregate --first --grace 100ms a='./deaf 1' b=./last c='./deaf 2' <one
exits 0
out_is '{"b":1}'
err_is ''

claim 'it waits for none of them'
rm -f deaf.1 deaf.2
aggregate --first --grace 100s a='./deaf 1' b=./last c='./deaf 2' <one >first 2>"$err" &
pid=$!
within 60 test -s first || wrong 'an answer' '{"b":1}' first
is "$(cat first)" '{"b":1}' 'answer'
kill -TERM $pid
kill -HUP $pid
wait $pid || :

claim '--need N answers with N parts, --need of all needs all'
script after 'while [ ! -e "$1" ]; do sleep 0.01; done; echo "\"$2\""; echo >"$2"'
run reaper aggregate --need 2 a='./after never a' b='./after c b' c='sh -c "echo >c; echo 3"' <one
exits 0
out_is '{"b":"b","c":3}'
run aggregate --need 2 a='echo 1' b='sh -c "exit 1"' <one
exits 123
out_is ''
letter '.reason == "parts" and .message == "1 of 2 parts failed, 2 were needed: b: exit status 1"'

claim 'an event is dead as soon as fewer can still answer'
rm -f began
run reaper aggregate --need 2 a=./hang b=false c='sh -c "while [ ! -e began ]; do sleep 0.01; done; exit 5"' <one
exits 123
out_is ''
letter '[.error[].part] == ["b", "c"] and (.message | startswith("2 of 3 parts failed, 2 were needed: b: "))'

claim 'parts that failed before the answer are named'
rm -f failed
# It has failed for the fitting when its process is reaped.
script gone 'while [ ! -s failed ] || kill -0 "$(cat failed)" 2>/dev/null; do sleep 0.01; done'
run aggregate --first a='sh -c "echo \$\$ >failed; exit 2"' b='sh -c "./gone; echo 1"' <one
exits 0
out_is '{"b":1,"errors":{"a":{"reason":"exit","exit":2,"message":"exit status 2"}}}'

claim 'a worker that was too late stays, and its answer is nobody'\''s'
cat >late <<'SH'
#!/bin/sh
echo >>late.workers
read -r event
while [ ! -e event2 ]; do sleep 0.01; done
echo '"late"'
while read -r event; do echo "\"for $event\""; done
SH
chmod +x late
script winner 'read -r e; [ "$e" = 1 ] && { echo "\"won\""; exit; }; echo >event2; exec sleep 1000'
run reaper aggregate --first -j1 a=lines:./late b=./winner <two
exits 0
out_is "$(printf '{"b":"won"}\n{"a":"for 2"}')"
is "$(wc -l <late.workers)" 1 workers

claim 'a worker that hangs holds up nothing, and is ended at the end'
script stuck 'read -r event; trap "" TERM; sleep 1000'
run reaper aggregate --first -j1 --grace 100ms a=lines:./stuck b=lines:cat <five
exits 0
jq -c '{b: .}' five >want
out_same want

claim 'the breaker does not count what was not needed'
run aggregate --state st2 --breaker b --first a='sleep 1000' b=cat <five
exits 0
is "$(breaker --state st2 --name b --show | jq -c '[.state, .calls, .failed]')" '["closed",5,0]' breaker

# ---- --cached ----

# good until the event says so
script price 'read -r e; case $e in *bad*) exit 9 ;; esac; echo "$e"'
printf '{"c":1,"v":1}\n{"c":2,"v":2}\n{"c":1,"bad":1}\n{"c":2,"bad":1}\n{"c":3,"bad":1}\n' >customers

claim '--cached lets the last good answer stand in, and says so'
run aggregate --serial-by 1 --cached 1h a=./price <customers
exits 0
sed 's/"age_ms":[0-9]*/"age_ms":0/' "$out" >masked
cat >want <<'JSON'
{"a":{"c":1,"v":1}}
{"a":{"c":2,"v":2}}
{"a":{"c":2,"v":2},"cached":{"a":{"age_ms":0,"reason":"exit","exit":9,"message":"exit status 9"}}}
{"a":{"c":2,"v":2},"cached":{"a":{"age_ms":0,"reason":"exit","exit":9,"message":"exit status 9"}}}
{"a":{"c":2,"v":2},"cached":{"a":{"age_ms":0,"reason":"exit","exit":9,"message":"exit status 9"}}}
JSON
same want masked

claim '--cached-by keeps the answers of different values apart'
run aggregate --serial-by 1 --cached 1h --cached-by .c '?a=./price' <customers
exits 0
jq -c '[.a.v, .errors.a.exit]' "$out" >masked
printf '[%s,%s]\n' 1 null 2 null 1 null 2 null null 9 >want
same want masked

claim 'no key is a key too, and is given no answer to another event'
run aggregate --state st5 --cached 1h --cached-in both a=- <one
run aggregate --state st5 --cached 1h --cached-in both --cached-by 'empty' '?a=false' <one
exits 0
is "$(jq -c .errors.a.exit "$out")" 1 'the exit'

claim 'an answer that is too old does not stand in'
script old 'read -r e; case $e in *bad*) sleep 0.05; exit 9 ;; esac; echo "$e"'
run aggregate --serial-by 1 --cached 1ms '?a=./old' <customers
exits 0
is "$(jq -c 'select(.cached)' "$out")" '' 'answers that stood in'

claim 'null stands in for a good answer without a result'
run aggregate --serial-by 1 --cached 1h a='sh -c "read -r e; exit \$e"' <<'JSON'
0
1
JSON
exits 0
is "$(jq -c '[.a, .cached.a.exit]' "$out" | tail -n 1)" '[null,1]' 'the second'

claim '--cached-in lets the next run find it'
run aggregate --state st3 --cached 1h --cached-in prices --cached-by .c '?a=./price' <customers
exits 0
is "$(state list --state st3 aggregate/ | jq -c '[.key, .value.value.v]')" \
    "$(printf '["aggregate/prices/a/1",1]\n["aggregate/prices/a/2",2]')" 'the state'
run aggregate --state st3 --cached 1h --cached-in prices --cached-by .c a=./price <<'JSON'
{"c":1,"bad":1}
JSON
exits 0
is "$(jq -c '[.a.v, .cached.a.exit, .cached.a.age_ms >= 0]' "$out")" '[1,9,true]' answer
run aggregate --state st3 --cached 1h --cached-in other --cached-by .c '?a=./price' <<'JSON'
{"c":1,"bad":1}
JSON
is "$(jq -c .errors.a.exit "$out")" 9 'the exit'
run aggregate --state st3 --cached 1ms --cached-in prices --cached-by .c '?a=./price' <<'JSON'
{"c":1,"bad":1}
JSON
is "$(jq -c .errors.a.exit "$out")" 9 'the exit'

claim 'what somebody else has put there does not stand in'
state put --state st3 aggregate/prices/a/7 '{"at":"x","value":1}'
state put --state st3 aggregate/prices/a/8 '[1]'
run aggregate --state st3 --cached 1h --cached-in prices --cached-by .c '?a=./price' <<'JSON'
{"c":7,"bad":1}
{"c":8,"bad":1}
JSON
exits 0
is "$(jq -c .errors.a.exit "$out")" "$(printf '9\n9')" 'the exits'

claim 'with --need new answers come first, and older ones where there are not enough'
printf '{"v":1}\n{"v":2,"bad":1}\n' >twice
rm -f failed
script shy 'read -r e; case $e in *bad*) echo $$ >failed; exit 1 ;; esac; echo "$e"'
script brave 'read -r e; case $e in *bad*) ./gone ;; esac; echo "$e"'
run aggregate --serial-by 1 --cached 1h --need 1 a=./shy <twice
exits 0
is "$(jq -c '[.a.v, .cached.a.reason]' "$out")" "$(printf '[1,null]\n[1,"exit"]')" answers
rm -f failed
run aggregate --serial-by 1 --cached 1h --need 2 a=./shy b=./brave <twice
exits 0
is "$(jq -c '[.a.v, .b.v, .cached.a.reason]' "$out")" "$(printf '[1,1,null]\n[1,2,"exit"]')" answers
rm -f failed
run aggregate --serial-by 1 --cached 1h --first a=./shy b=./brave <twice
exits 0
is "$(tail -n 1 "$out" | jq -c '[.a.v, .b.v, .errors.a.exit]')" '[null,2,1]' answer

# ---- the ledger ----

claim '--ledger prints the same answers again and calls nothing'
script count 'echo >>"$1.calls"; read -r e; case $e in *3*) exit 1 ;; esac; echo "$e"'
run aggregate --state st4 --ledger l a='./count a' '?b=./count b' <two
cp "$out" want
exits 0
run aggregate --state st4 --ledger l a='./count a' '?b=./count b' <two
exits 0
out_same want
is "$(cat a.calls b.calls | wc -l)" 4 calls

claim 'also where a part had failed or was not needed'
rm -f a.calls b.calls
run aggregate --state st4 --ledger m '?a=./count a' b=- <five
exits 0
cp "$out" want
run aggregate --state st4 --ledger m '?a=./count a' b=- <five
out_same want
is "$(wc -l <a.calls)" 5 calls
run aggregate --state st4 --ledger n --first a='sleep 1000' b=cat <five
exits 0
cp "$out" want
run aggregate --state st4 --ledger n --first a=cat b='sleep 1000' <five
exits 0
out_same want

claim '--new prints only what was not printed before'
run aggregate --state st4 --ledger m --new '?a=./count a' b=- <five
exits 0
out_is ''
echo '{"n":6}' | cat five - >six
run aggregate --state st4 --ledger m --new '?a=./count a' b=- <six
exits 0
out_is '{"a":{"n":6},"b":{"n":6}}'

claim 'parts that were done before the kill are not called again'
rm -f a.calls
script wait 'echo >waiting; [ -e go ] && exec cat; exec sleep 1000'
aggregate --state st4 --ledger k a='./count a' b=./wait <one >"$out" 2>"$err" &
pid=$!
within 60 test -e waiting
recorded() { # beyond its head, which has 24 bytes
    state ledger list --state st4 | jq -c 'select(.ledger == "k") | .bytes > 24' | grep -q true
}
within 60 recorded || wrong 'a record' 'of part a' nothing
kill -KILL $pid
wait $pid 2>/dev/null || :
: >go
run aggregate --state st4 --ledger k a='./count a' b=./wait <one
exits 0
out_is '{"a":{"n":1},"b":{"n":1}}'
is "$(wc -l <a.calls)" 1 calls

claim 'each part has its own idempotency key, the same in each run'
run aggregate a='sh -c "echo \"\\\"\$FIT_IDEMPOTENCY_KEY\\\"\""' b='sh -c "echo \"\\\"\$FIT_IDEMPOTENCY_KEY\\\"\""' <one
exits 0
cp "$out" want
jq -e '.a != .b' "$out" >/dev/null || wrong 'two keys' 'a and b differ' "$out"
run aggregate a='sh -c "echo \"\\\"\$FIT_IDEMPOTENCY_KEY\\\"\""' b='sh -c "echo \"\\\"\$FIT_IDEMPOTENCY_KEY\\\"\""' <one
out_same want

# ---- ends ----

claim 'a reader that leaves ends it quietly'
run_sh 'yes 1 | aggregate a=lines:cat b=- | head -n 1'
exits 0
out_is '{"a":1,"b":1}'
err_is ''

claim 'a full disk is an error, and the event is not lost'
run_sh 'aggregate a=cat <one >/dev/full'
exits 1
err_like '"reason":"write"'

claim 'a signal lets what runs end, and then ends it: the event is dead'
rm -f began
aggregate --stats --grace 200ms a=./hang b=cat <one >"$out" 2>"$err" &
pid=$!
within 60 test -e began
kill -TERM $pid
status=0
wait $pid || status=$?
exits 143
out_is ''
grep -q '"reason":"interrupted"' "$err" || wrong 'a letter' interrupted "$err"
grep -q '"read":1,"done":0,"dead":1,"dropped":0' "$err" || wrong 'the counts' '1 0 1 0' "$err"

# ---- mistakes ----

claim 'mistakes of the command line are told before anything is read'
mistake() {
    run aggregate "$@" <one
    exits 2
    out_is ''
}
mistake
err_like '^aggregate: no function$'
mistake ./cat
err_like "'./cat': a name is missing"
mistake a=
err_like "'a=': no function behind the name"
mistake a=cat a=true
err_like "'a=true': another part has that name"
mistake errors=cat
err_like "'errors=cat': the answer has a member of that name"
mistake cached=cat
mistake log=file:made
err_like "'log=file:made': gives no result"
check test ! -e made
mistake log=queue:q
mistake --need 3 a=cat b=cat
err_like 'need: 3: there are only 2 parts'
mistake --need 0 a=cat
mistake --need 01 a=cat
mistake --first a=cat '?b=cat'
err_like "'\?b=cat': with --need"
mistake --cached-by . a=cat
err_like 'cached-by needs --cached'
mistake --cached-in x a=cat
mistake --cached 0 a=cat
mistake --cached 1h --cached-in a/b a=cat
err_like 'a name with a slash'
mistake --cached 1h --cached-by '.a |' a=cat
run aggregate a=./not-there <one
exits 127

finish
