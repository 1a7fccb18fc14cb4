#!/bin/sh
# poll.t: claims about poll.
. "${0%/*}/lib.sh"

# A check that gives one line of the file "series" after the other, the last one again and again.
# A line "fail" fails.
cat >look <<'END'
#!/bin/sh
n=$(($(cat looks 2>/dev/null || echo 0) + 1))
echo $n >looks.new
mv looks.new looks
line=$(sed -n "${n}p" series)
[ "$line" ] || line=$(tail -n 1 series)
[ "$line" != fail ] || exit 1
printf '%s\n' "$line"
END
chmod +x look

series() {
    rm -f looks
    printf '%s\n' "$@" >series
}

looked() {
    [ "$(cat looks)" -ge "$1" ]
}

# poll_until LOOKS OPTIONS...: poll until so many looks have begun, then end it. Sets what run sets.
poll_until() {
    least=$1
    shift
    last_command="poll --every 20ms $*"
    poll --every 20ms "$@" >"$out" 2>"$err" &
    pid=$!
    within 60 looked "$least" || wrong looks "$least" "$(cat looks)"
    kill -TERM $pid
    status=0
    wait $pid || status=$?
}

data() {
    jq -c .data "$out"
}

claim 'of the sequence A, A, B, failure, B, C it emits two changes'
series '{"v":"A"}' '{"v":"A"}' '{"v":"B"}' fail '{"v":"B"}' '{"v":"C"}'
poll_until 9 --check ./look
exits 143
is "$(data)" '{"old":{"v":"A"},"new":{"v":"B"},"patch":[{"op":"replace","path":"/v","value":"B"}]}
{"old":{"v":"B"},"new":{"v":"C"},"patch":[{"op":"replace","path":"/v","value":"C"}]}'
is "$(jq -r '.type, .source' "$out" | sort -u)" 'fit.poll.change
fit:poll/./look'
is "$(jq -r .id "$out" | sort -u | wc -l | tr -d ' ')" 2 ids
cp "$err" said

claim 'says that a check begins to fail, and that it is well again'
is "$(cat said)" 'poll: ./look: the check failed: exit status 1
poll: ./look: the check is well again, after 1 that failed'

claim 'the order of members is no change, nor are blanks, nor how a number is written'
series '{"a":1,"b":[1,{"c":2,"d":3}]}' '{"b":[ 1.0, {"d":3,"c":2e0}],  "a":1}' '{"a":1,"b":[{"c":2,"d":3},1]}'
poll_until 5 --check ./look
is "$(jq -c .data.new "$out")" '{"a":1,"b":[{"c":2,"d":3},1]}'

claim 'numbers are compared with all their digits, with --ignore too'
series '{"n":12345678901234567890,"t":1}' '{"n":12345678901234567890,"t":2}' '{"n":12345678901234567891,"t":3}'
poll_until 5 --check ./look --ignore .t --data
out_is '{"n":12345678901234567891,"t":3}'

claim 'what --ignore deletes is no change, but is handed on'
series '{"v":1,"at":{"t":1},"x":[{"q":1}]}' '{"v":1,"at":{"t":2},"x":[{"q":2}]}' '{"v":2,"at":{"t":3},"x":[{"q":3}]}'
poll_until 5 --check ./look --ignore '.at.t, .x[].q' --data
out_is '{"v":2,"at":{"t":3},"x":[{"q":3}]}'
series '{"v":1,"t":1}' '{"v":1,"t":2}' '{"v":2,"t":3}'
poll_until 5 --check ./look --ignore '.t | select(. > 0)' --data
out_is '{"v":2,"t":3}'

claim 'says that a program of jq has changed long numbers, which keys may be'
printf '[{"id":12345678901234567890},{"id":12345678901234567891}]' >long
for options in '--items map(.id+=0)' '--items . --key [.id+0]' '--cursor .[0].id+0'; do
    # shellcheck disable=SC2086
    run poll --once --name "$options" --check 'cat long' $options
    exits 0
    err_is 'poll: jq has changed numbers of more than 15 digits'
done
run poll --once --name paths --check 'cat long' --items . --key .id --cursor '.[0].id'
err_is ''

# ---- the handler ----

claim 'a handler that fails gets its change again, as the same event'
cat >third <<'END'
#!/bin/sh
cat >>got
echo "$FIT_ID" >>ids
[ "$(wc -l <got)" -ge 3 ] || exit 1
echo '"well"'
END
chmod +x third
series 1 2
poll_until 8 --check ./look -- ./third
exits 143
out_is '"well"'
is "$(jq -c .data got | sort -u)" '{"old":1,"new":2,"patch":[{"op":"replace","path":"","value":2}]}'
is "$(wc -l <got | tr -d ' ')" 3 calls
is "$(sort -u ids | wc -l | tr -d ' ')" 1 identities
is "$(jq -r .id got | sort -u | wc -l | tr -d ' ')" 1 ids
err_like '^poll: ./look: a change comes again: exit status 1$'

claim 'a failure for good gets its letter, and does not come again'
series 1 2
poll_until 6 --check ./look -- sh -c 'exit 65'
exits 143
is "$(grep -c '"reason"' "$err")" 1 letters
is "$(grep reason "$err" | jq -c '[.reason, .exit, .poll, .event.data.new]')" '["exit",65,"./look",2]'

claim 'the same that happens again is another event'
series 1 2 1 2 1
poll_until 9 --check ./look
is "$(jq -c .data.new "$out" | tr '\n' ' ')" '2 1 2 1 '
is "$(jq -r .id "$out" | sort -u | wc -l | tr -d ' ')" 4 ids

claim 'while a change is being handled there is no other look'
cat >slow <<'END'
#!/bin/sh
cat looks >>before
within=0
while [ $within -lt 10 ]; do within=$((within + 1)); sleep 0.02; done
cat looks >>after
END
chmod +x slow
series 1 2 3 4
poll_until 5 --check ./look -- ./slow
same before after

claim '--data hands on the value itself, with its bytes and its digits'
series 1 '{"n" : 1.50,  "n2":123456789012345678901234567890}'
poll_until 4 --check ./look --data
out_is '{"n" : 1.50,  "n2":123456789012345678901234567890}'

claim 'options for functions are of both: a check that hangs is ended'
cat >hang <<'END'
#!/bin/sh
n=$(($(cat looks 2>/dev/null || echo 0) + 1))
echo $n >looks.new
mv looks.new looks
[ $n -gt 1 ] || exec sleep 1000
echo 1
END
chmod +x hang
series
poll_until 3 --check ./hang --timeout 2s
err_like 'the check failed: not done after 2.00s'
err_like 'well again, after 1'

# ---- once ----

once() {
    run poll --once "$@"
}

claim '--once looks once, remembers, and exits with 0'
echo 1 >value
once --check 'cat value'
exits 0
out_is ''
echo 2 >value
once --check 'cat value' --data
exits 0
out_is 2
once --check 'cat value' --data
exits 0
out_is ''

claim 'a change whose handler fails is due again: exit 75, and then it comes'
echo 3 >value
once --check 'cat value' -- false
exits 75
out_is ''
err_is 'poll: cat value: a change comes again: exit status 1'
once --check 'cat value' --data
exits 0
out_is 3

claim 'what has gone back meanwhile is no change'
echo 4 >value
once --check 'cat value' -- false
exits 75
echo 3 >value
once --check 'cat value'
exits 0
out_is ''

claim 'a check that fails is said: 75, or 1 if it fails for good'
once --name c --check 'false'
exits 75
err_is 'poll: c: the check failed: exit status 1'
once --name c --check 'sh -c "exit 65"'
exits 1

claim 'no value, several and broken ones are failures, and move nothing'
once --name shape --check 'echo 1'
for check in true 'printf "1\n2\n"' 'echo {' 'printf "1\n}\n"' 'printf "\"\377\""'; do
    once --name shape --check "$check"
    exits 75
    out_is ''
    err_like '^poll: shape: the check failed: '
done
once --name shape --check 'echo 1'
exits 0
out_is ''
once --name shape --check true
err_is 'poll: shape: the check failed: no value'
once --name shape --check 'printf "1\n2\n"'
err_is 'poll: shape: the check failed: several values, where one is expected'
once --name shape --check 'echo {'
err_is 'poll: shape: the check failed: the result is not JSON: unexpected end at byte 2'

claim 'a value may be pretty-printed'
once --name pretty --check 'printf "{\n  \"a\": [\n    1\n  ]\n}\n"'
exits 0
once --name pretty --check 'printf "{\"a\":[1]}"'
exits 0
out_is ''
once --name pretty --check 'printf "{\n  \"a\": [\n    2\n  ]\n}\n"' --data
out_is '{"a":[2]}'

claim 'a value over --max-result fails, however long it would go on'
once --name huge --check 'yes 1' --max-result 1M
exits 1
err_is 'poll: huge: the check failed: a result of more than 1.0M (--max-result)'

claim 'with --first emit the first look is a change'
echo 1 >value
once --name first --first emit --check 'cat value'
exits 0
is "$(data)" '{"old":null,"new":1,"patch":[{"op":"replace","path":"","value":1}]}'
once --name first --first emit --check 'cat value'
out_is ''

claim 'one process at a time has a name'
mkfifo door
poll --once --name alone --check 'sh -c ": >at_door; cat door"' --state "$work/alone" 2>waiting &
pid=$!
within 60 test -e at_door
once --name alone --check 'echo 1' --state "$work/alone"
exits 75
err_like '^poll: alone: process [0-9]+ has it$'
echo 1 >door
wait $pid
once --name alone --check 'echo 1' --state "$work/alone"
exits 0

claim 'without --name, --state and --once nothing is kept'
series 1 2
FIT_STATE=$work/unused poll_until 3 --check ./look --data
out_is 2
check test ! -e "$work/unused"

claim 'a restart repeats nothing, and misses nothing'
series 1 2
poll_until 4 --name kept --check ./look --data
out_is 2
series 2
poll_until 3 --name kept --check ./look --data
out_is ''
series 3
poll_until 3 --name kept --check ./look --data
out_is 3

# ---- items ----

claim 'items are created, updated and deleted by their keys'
cat >list <<'END'
[{"id":1,"v":"a"},{"id":2,"v":"b"}]
END
items() {
    once --name items --check 'cat list' --items . --key .id "$@"
}
items --first emit
exits 0
is "$(jq -c '[.type,.subject,.data]' "$out")" '["fit.poll.created","1",{"key":1,"new":{"id":1,"v":"a"}}]
["fit.poll.created","2",{"key":2,"new":{"id":2,"v":"b"}}]'
echo '[{"v":"x","id":2},{"id":3}]' >list
items
is "$(jq -c '[.type,.subject,.data]' "$out")" '["fit.poll.updated","2",{"key":2,"old":{"id":2,"v":"b"},"new":{"v":"x","id":2},"patch":[{"op":"replace","path":"/v","value":"x"}]}]
["fit.poll.created","3",{"key":3,"new":{"id":3}}]
["fit.poll.deleted","1",{"key":1,"old":{"id":1,"v":"a"}}]'
echo '[{"id":3},{"id":2,"v":"x"}]' >list
items
exits 0
out_is ''

claim 'an item that was deleted and comes again is created again, as another event'
echo '[{"id":2,"v":"x"}]' >list
items
echo '[{"id":3},{"id":2,"v":"x"}]' >list
items
cp "$out" again1
echo '[{"id":2,"v":"x"}]' >list
items
echo '[{"id":3},{"id":2,"v":"x"}]' >list
items
is "$(jq -r '.type' "$out" again1 | sort -u)" fit.poll.created
is "$(jq -r '.id' "$out" again1 | sort -u | wc -l | tr -d ' ')" 2 ids

claim 'an item whose handler fails comes again, the others do not'
cat >not2 <<'END'
#!/bin/sh
event=$(cat)
case $event in *'"id":2'*) exit 1 ;; esac
printf '%s\n' "$event"
END
chmod +x not2
echo '[{"id":1},{"id":2,"v":"y"},{"id":4}]' >list
items --data -- ./not2
exits 75
is "$(sort "$out")" '{"id":1}
{"id":4}'
items --data -- ./not2
exits 75
out_is ''
items
exits 0
is "$(jq -c .data.new "$out")" '{"id":2,"v":"y"}'

claim '--data prints new and changed items, and nothing of deleted ones'
echo '[{"id":1},{"id":5}]' >list
items --data
exits 0
out_is '{"id":5}'
items
out_is ''
echo '[{"id":1}]' >list
items --data
exits 0
out_is ''
items
out_is ''

claim 'keys may be of any kind, and of one that stands twice the last item counts'
echo '[{"k":{"a":1,"b":2},"v":1},{"k":"1","v":2},{"k":1,"v":3},{"k":[1],"v":4},{"k":1,"v":5}]' >kinds
once --name kinds --first emit --check 'cat kinds' --items . --key .k
is "$(jq -c '[.subject,.data.new.v]' "$out")" '["{\"a\":1,\"b\":2}",1]
["1",2]
["[1]",4]
["1",5]'
echo '[{"k":1.0,"v":5},{"k":[1],"v":4},{"k":"\u0031","v":2},{"k":{"b":2,"a":1},"v":7}]' >kinds
once --name kinds --check 'cat kinds' --items . --key .k
is "$(jq -c '[.type,.data.new.v]' "$out")" '["fit.poll.updated",7]'

claim 'an item without a key fails the look, and so does a list that is null'
echo '[{"k":1},{"x":2}]' >kinds
once --name kinds --check 'cat kinds' --items . --key .k
exits 75
err_is 'poll: kinds: the check failed: item 2 has no key: {"x":2}'
once --name null --check 'echo {}' --items .list --key .k
exits 75
err_is 'poll: null: the check failed: --items gives null'
once --name null --check 'echo 1' --items .list --key .k
exits 75
err_like 'the check failed: --items .*Cannot index number'

claim '--items gives lists, or items; several values are a list too'
once --name lists --first emit --check 'echo {\"a\":[1,2],\"b\":[3]}' --items '.a, .b' --data
out_is '1
2
3'
once --name lists2 --first emit --check 'echo {\"a\":[1,2]}' --items '.a[]' --data
out_is '1
2'
once --name lists3 --first emit --check 'printf "{\"i\":1}\n{\"i\":2}\n"' --items . --key .i --data
out_is '{"i":1}
{"i":2}'

claim 'text is an array of its lines, each its own key'
mkdir dir
touch dir/a dir/b
text() {
    once --name text --check 'ls dir' --check-text --items .
}
text
exits 0
touch dir/c
rm dir/a
text
is "$(jq -c '[.type,.subject,.data]' "$out")" '["fit.poll.created","c",{"new":"c"}]
["fit.poll.deleted","a",{"old":"a"}]'
rm dir/*
text
is "$(jq -c '[.type,.subject]' "$out" | sort)" '["fit.poll.deleted","b"]
["fit.poll.deleted","c"]'
printf 'x\nx\ny\n' >lines
once --name twice --check 'cat lines' --check-text --items .
printf 'y\nx\nx\nx\n' >lines
once --name twice --check 'cat lines' --check-text --items . --data
out_is '"x"'
once --name whole --check 'cat lines' --check-text
printf 'y\nx\nx\nz\n' >lines
once --name whole --check 'cat lines' --check-text
is "$(jq -c .data.patch "$out")" '[{"op":"replace","path":"/3","value":"z"}]'

claim 'another --ignore is no change, another --key begins anew'
echo '[{"id":1,"t":1}]' >list
once --name form --check 'cat list' --items . --key .id
echo '[{"id":1,"t":2}]' >list
once --name form --check 'cat list' --items . --key .id --ignore .t
exits 0
out_is ''
once --name form --check 'cat list' --items . --key .id
is "$(jq -c .data.old "$out")" '{"id":1,"t":1}'
echo '[{"id":1,"t":2},{"id":2,"t":1}]' >list
once --name form --check 'cat list' --items . --key .id
echo '[{"id":1,"t":3},{"id":2,"t":1,"v":1},{"id":3,"t":1}]' >list
once --name form --check 'cat list' --items . --key .id --data --ignore .t
out_is '{"id":2,"t":1,"v":1}
{"id":3,"t":1}'
for again in 1 2; do
    echo "[{\"id\":1,\"t\":4},{\"id\":2,\"t\":$again,\"v\":1},{\"id\":3,\"t\":1}]" >list
    once --name form --check 'cat list' --items . --key .id --data --ignore .t
    exits 0
    out_is ''
done
echo '[{"id":1,"t":4},{"id":2,"t":1,"v":1},{"id":3,"t":1}]' >list
once --name form --check 'cat list' --items . --key .id --data
out_is '{"id":1,"t":4}'
once --name form --check 'echo {}' --items . --key .t
exits 75
once --name form --check 'cat list' --items . --key .id
out_is ''
err_is ''
once --name form --check 'cat list' --items . --key .t
exits 0
out_is ''
err_is 'poll: form: it was kept with another --items or --key: begins anew'
once --name form --check 'cat list' --items . --key .t
err_is ''

claim 'a line worker can be the check'
cat >worker <<'END'
#!/bin/sh
n=0
while read -r event; do
    n=$((n + 1))
    echo $n >looks
    echo "{\"n\":$((n / 3))}"
done
END
chmod +x worker
rm -f looks
poll_until 7 --check lines:./worker --first emit --data
is "$(head -n 3 "$out")" '{"n":0}
{"n":1}
{"n":2}'

claim 'a queue can be the handler'
once --name queue --first emit --check 'echo [1,2]' --items . --data -- queue:found
exits 0
run queue work found --until-empty -- cat
out_is '1
2'

claim 'an event over --max-event is dead, and then known'
once --name large --check 'echo 1'
once --name large --check 'seq -s, 1000' --check-text --max-event 1K --dead large
exits 123
is "$(jq -r .reason large)" too_large
once --name large --check 'seq -s, 1000' --check-text --max-event 1K
exits 0

claim 'the state that cannot be written ends it, and the change comes again'
once --name limit --state limited --check 'echo 1'
echo '"'"$(head -c 300000 /dev/urandom | od -An -tx1 | tr -d ' \n')"'"' >random
run_sh "trap '' XFSZ; ulimit -f 256; exec poll --once --name limit --state limited --check 'cat random' -- true"
exits 1
err_like '^poll: limit: keep how far it is: '
once --name limit --state limited --check 'cat random' --data
exits 0
out_same random

claim 'what the state could not keep fails the look, and is not handed on'
once --name vast --check 'echo 1'
(printf '"' && head -c 67108864 /dev/zero | tr '\0' x && printf '"') >vast
once --name vast --max-result 100M --check 'cat vast' -- touch handed
exits 75
err_is 'poll: vast: the check failed: a value of 67108866 bytes, more than 67108736'
! test -e handed || wrong handed 'no file' 'a file'
once --name vast --max-result 100M --items . --check 'cat vast' -- touch handed
exits 75
err_like 'item 1 and its key have 134217732 bytes, more than 67108736'
! test -e handed || wrong handed 'no file' 'a file'
rm vast

claim 'a known value that another --ignore does not apply to has changed'
once --name apply --check 'echo [1]'
once --name apply --check 'echo 2' --ignore '.a | tonumber' -- true
exits 75
once --name apply --check 'echo {\"a\":2}' --ignore '.a | select(true)' --data
exits 0
out_is '{"a":2}'
once --name apply --check 'echo {\"a\":3}' --ignore '.a | select(true)' --data
exits 0
out_is ''

# ---- the cursor ----

claim 'the cursor goes to the next check, in its words, its event and FIT_CURSOR'
cat >since <<'END'
#!/bin/sh
event=$(cat)
echo "$* ${FIT_CURSOR-unset} $(printf %s "$event" | jq -c '[.name,.cursor,.last_success == null]')" >>asked
cat news
END
chmod +x since
since() {
    once --name news --check './since {.cursor}' --items .items --key .id --cursor .next "$@"
}
echo '{"items":[{"id":1}],"next":"one"}' >news
since
exits 0
out_is ''
echo '{"items":[{"id":2},{"id":3}],"next":{"n":2}}' >news
since --data
out_is '{"id":2}
{"id":3}'
echo '{"items":[],"next":null}' >news
since
exits 0
out_is ''
since
is "$(cat asked)" 'null unset ["news",null,true]
one one ["news","one",false]
{"n":2} {"n":2} ["news",{"n":2},false]
{"n":2} {"n":2} ["news",{"n":2},false]'

claim 'a cursor that no variable can hold is handed over as JSON'
once --name nul --check 'echo {\"c\":\"a\\u0000b\"}' --cursor .c
exits 0
once --name nul --check 'sh -c "echo \"\$FIT_CURSOR\""' --first emit --data
out_is '"a\u0000b"'

claim 'the cursor moves when all is handled, and what was handled does not come again'
rm asked
echo '{"items":[{"id":1,"id":4},{"id":2,"v":2},{"id":6}],"next":"six"}' >news
since --data -- ./not2
exits 75
is "$(sort "$out")" '{"id":1,"id":4}
{"id":6}'
since --data
exits 0
out_is '{"id":2,"v":2}'
since --data
out_is ''
is "$(cut -d' ' -f1 asked)" '{"n":2}
{"n":2}
six'

claim 'a cursor that no check could be told fails the look, and moves nothing'
jq -cn '{items: [{id: 8}], next: ("x" * 70000)}' >news
since
exits 75
out_is ''
err_is 'poll: news: the check failed: --cursor gives 70002 bytes, more than 64K'
echo '{"items":[{"id":8}],"next":"six"}' >news
since --data
out_is '{"id":8}'

claim 'with --cursor what is missing is not deleted, and what is given again is known by its key'
echo '{"items":[{"id":6},{"id":7}],"next":"seven"}' >news
since
is "$(jq -c '[.type,.data.new]' "$out")" '["fit.poll.created",{"id":7}]'
echo '{"items":[{"id":7,"v":1}],"next":"eight"}' >news
since
is "$(jq -c '[.type,.data.old,.data.new]' "$out")" '["fit.poll.updated",{"id":7},{"id":7,"v":1}]'

claim 'without --key each item that comes after the cursor has moved is new'
log() {
    once --name log --check 'cat log' --items .lines --cursor .at --data
}
echo '{"lines":["x"],"at":1}' >log
log
out_is ''
echo '{"lines":["x","x"],"at":3}' >log
log
out_is '"x"
"x"'
echo '{"lines":["x"],"at":4}' >log
log
out_is '"x"'
series '{"lines":["x"],"at":1}' '{"lines":["x"],"at":2}' '{"lines":["x"],"at":2}' '{"lines":[],"at":2}'
poll_until 5 --check ./look --items .lines --cursor .at --data
out_is '"x"
"x"'

# ---- URLs ----

http_server port requests &
within 60 test -s port
url=http://127.0.0.1:$(cat port)

claim 'a URL is looked at with GET'
once --name url --first emit --check "$url/pretty" --data
exits 0
is "$(cut -d' ' -f1 requests | sort -u)" GET

claim 'a server that knows the version is not asked for the value again'
echo 1 >version
tag() {
    once --name tag --check "$url/version?file=$PWD/version" --data "$@"
}
tag
exits 0
tag -v
exits 0
out_is ''
echo 2 >version
tag -- false
exits 75
tag
exits 0
out_is '{"version":"2"}'
tag
out_is ''

claim 'a server that names the same value anew is asked with the new name'
answer() {
    printf 'HTTP/1.1 200 OK\r\nETag: "%s"\r\nContent-Length: 1\r\n\r\n1' "$1" >anew.new
    mv anew.new anew
}
asked_with() {
    grep -q "anew 0 \"$1\"\$" requests
}
answer a
poll --every 20ms --check "$url/file?name=$PWD/anew" >"$out" 2>"$err" &
within 60 asked_with a || wrong requests '"a"' "$(cat requests)"
answer b
within 60 asked_with b || wrong requests '"b"' "$(tail -n 3 requests)"
kill -TERM $!
wait $! || :
out_is ''
err_is ''

claim 'a version that is no text is not kept, and damages nothing'
seen=
for value in 1 2 2; do
    printf 'HTTP/1.1 200 OK\r\nETag: "\351"\r\nContent-Length: 1\r\n\r\n%s' $value >answer
    once --name odd --first emit --check "$url/file?name=$PWD/answer" --data
    is "$status $(cat "$out" "$err")" "0 ${value#"$seen"}"
    seen=$value
done

claim 'a check whose words are no text damages nothing'
seen=
odd=$(printf "sh -c 'cat value #\\351'")
for value in 1 2 2; do
    echo $value >value
    once --name words --first emit --check "$odd" --data
    is "$status $(cat "$out" "$err")" "0 ${value#"$seen"}"
    seen=$value
done

claim 'a server that says 304 to who names no version has failed'
once --name e304 --first emit --check "$url/status?code=304"
exits 75
err_is 'poll: e304: the check failed: 304 Not Modified, where no version was named'

claim 'a server that fails is a check that fails'
once --name e500 --check "$url/status?code=500"
exits 75
err_like 'e500: the check failed: .*500'
once --name e404 --check "$url/status?code=404"
exits 1

# ---- the run ----

claim 'a look that takes longer than --every is followed by the next, not by several'
cat >lag <<'END'
#!/bin/sh
n=$(($(cat looks 2>/dev/null || echo 0) + 1))
echo $n >looks.new
mv looks.new looks
[ ! -e running ] || echo overlap >>overlaps
: >running
sleep 0.1
rm running
echo $n
END
chmod +x lag
rm -f looks
poll_until 5 --check ./lag
check test ! -e overlaps

claim 'idle looks get rarer, and a change makes them frequent again'
series 1
rm -f looks
poll --every 10ms --idle-backoff 2,max=1h --check ./look --stats >"$out" 2>"$err" &
pid=$!
within 60 looked 6
at=$(cat looks)
sleep 0.3
kill -TERM $pid
wait $pid
[ "$(cat looks)" -le $((at + 4)) ] || wrong 'looks at most' $((at + 4)) "$(cat looks)"

claim 'counts looks, and those that failed'
series 1 fail fail 2
poll_until 6 --check ./look --stats
is "$(tail -n 1 "$err" | jq -c '[.read,.done,.failed_checks,(.checks >= 5)]')" '[1,1,2,true]'

claim 'SIGTERM ends a check that hangs, and what it started'
cat >hang <<'END'
#!/bin/sh
echo $$ >hanging
sleep 1000
END
poll --every 1s --check ./hang &
pid=$!
within 60 test -s hanging
kill -TERM $pid
wait $pid
is $? 143
gone() {
    ! kill -0 "$(cat hanging)"
}
within 60 gone || wrong 'the check' gone running

claim 'what SIGTERM interrupts comes again'
echo 1 >value
once --name stopped --check 'cat value'
echo 2 >value
cat >hang <<'END'
#!/bin/sh
: >begun
sleep 1000
END
poll --once --name stopped --check 'cat value' --grace 100ms -- ./hang 2>"$err" &
pid=$!
within 60 test -e begun
kill -TERM $pid
wait $pid
is $? 143
once --name stopped --check 'cat value' --data
out_is 2

claim 'a reader that leaves loses no change'
echo '[1,2,3]' >value
once --name reader --check 'cat value' --items . --data --first emit
echo '[1,2,3,4,5]' >value
run_sh "poll --once --name reader --check 'cat value' --items . --data | true"
once --name reader --check 'cat value' --items . --data
cat "$out" >left
once --name reader --check 'cat value' --items . --data
out_is ''

claim 'a reader that leaves ends it, also hours before the next look'
run_into 'head -n 1' poll --every 10h --first emit --data --check 'echo 7' --stats
exits 0
out_is 7
check grep -q '"read":1,"done":1,' "$err"
run_unread poll --every 10h --check 'echo 7' -- cat
exits 0
run_unread poll --every 1s --idle-backoff 100000,max=10h --check 'echo 7'
exits 0
run_unread poll --every 10h --check false
exits 0

claim 'it then ends a check that is under way, with the grace'
cat >long <<'END'
#!/usr/bin/perl
$SIG{TERM} = 'IGNORE' if @ARGV;
open my $out, '>', 'hanging.new' or die;
print $out $$;
close $out;
rename 'hanging.new', 'hanging';
sleep 1000 while 1;
END
chmod +x long
for check in ./long './long deaf'; do
    rm -f hanging
    mkfifo changes
    poll --every 1h --grace 100ms --check "$check" >changes 2>"$err" &
    pid=$!
    exec 7<changes
    check within 60 test -s hanging
    exec 7<&-
    wait $pid
    is $? 0
    err_is ''
    within 60 gone || wrong 'the check' gone running
    rm changes
done

claim 'a change whose result comes when nobody reads any more comes again'
cat >late <<'END'
#!/bin/sh
: >late_begun
until [ -e left ]; do sleep 0.02; done
sleep 0.1
cat
END
chmod +x late
echo 1 >value
once --name late --check 'cat value'
echo 2 >value
mkfifo changes
poll --every 1h --name late --grace 100s --check 'cat value' --data --stats -- ./late >changes 2>"$err" &
pid=$!
exec 7<changes
check within 60 test -e late_begun
exec 7<&-
: >left
wait $pid
is $? 0
check grep -q '"read":1,"done":0,"dead":0,"dropped":0,"returned":1' "$err"
once --name late --check 'cat value' --data
out_is 2

claim 'nobody reads: that does not matter to what prints no results, nor to --once'
run_unread poll --once --name effect --first emit --check 'echo 1' -- sh -c 'cat >/dev/null; : >effect'
exits 0
check test -e effect
rm -f q
series 1 2 3
run_unread sh -c 'poll --every 20ms --check ./look --data -- file:q & until grep -q 3 q; do sleep 0.05; done 2>/dev/null
    kill -TERM $!; wait $!'
exits 143
is "$(cat q)" '2
3'

claim 'a check that a signal ends has failed, and moves nothing'
run poll --once --name shot --check 'sh -c "kill -KILL \$\$"'
exits 75
err_is 'poll: shot: the check failed: ended by signal 9 (Killed)'

claim 'results that cannot be written come again'
echo '[6]' >value
run_sh "poll --once --name full --first emit --check 'cat value' --items . --data >/dev/full"
exits 1
once --name full --check 'cat value' --items . --data
exits 0
out_is 6

claim 'a letter that is redriven does not look'
echo 1 >value
once --name dead --state "$work/dead" --check 'cat value'
echo 2 >value
once --name dead --state "$work/dead" --check 'cat value' -- sh -c 'test -e mended || exit 65; cat'
exits 123
: >mended
rm value
FIT_STATE=$work/dead run dead redrive
exits 0
is "$(jq -c .data.new "$out")" 2

claim 'refuses what does not go together'
for words in '--every 1s' '--check true' '--every 1s --check true --key .a' \
    '--every 0 --check true' '--every 1s --check true --idle-backoff 2' \
    '--every 1s --check true --idle-backoff 0.5,max=1m' \
    '--every 1m --check true --idle-backoff 2,max=1s' '--every 1s --check true --first never' \
    '--once --check queue:x' '--once --check -' "--once --check true --items .[" \
    '--once --check true --ignore .[' '--once --check true --cursor ['; do
    # shellcheck disable=SC2086 # the words of a command line
    run poll $words
    exits 2
    out_is ''
done
run poll --once --check ./nowhere
exits 127
err_like '^poll: --check: '
run poll --once --check true -- ./nowhere
exits 127
mkdir lib
: >lib/libjq.so.1
for words in '--items map(.)' '--items .[] --key .a+1' '--items . --ignore .[0:1]' '--cursor .a+1'; do
    # shellcheck disable=SC2086 # the words of a command line
    LD_LIBRARY_PATH=$PWD/lib run poll --once --check true $words
    exits 126
    err_like "^poll: .*--[a-z]+ jq '.*': needs libjq: "
done
rm -r lib

claim 'the handler has the policies, the check has not'
echo 1 >value
once --name policy --check 'cat value' --first emit --breaker down --fault fail=100% --retries 0 -- cat
exits 75
once --name policy --check 'cat value' --first emit -- cat
exits 0
is "$(jq -c .data.new "$out")" 1

finish
