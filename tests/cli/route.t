#!/bin/sh
# route.t: what route promises beyond what holds for every fitting (common.t).
. "${0%/*}/lib.sh"

cat >events <<'END'
{"n":1,"kind":"a"}
{"n" : 123456789012345678901234567890, "kind":"b", "kind":"a"}
{"kind":"b","text":"\u00e9\/\ud83d\ude00","e":1.0E+05}
{"n":null , "kind":"c"}
{"kind":7}
END
sed -n '1,2p' events >events.a
sed -n '3p' events >events.b
sed -n '4,5p' events >events.rest

# counts: what --stats said in the last run, as [read,done,dead,dropped].
counts() {
    grep '^{"read"' "$err" | jq -c '[.read,.done,.dead,.dropped]'
}

claim 'sends each event to the first function whose predicate selects it, byte for byte'
run route '.kind == "a"' file:a '.kind == "b"' file:b '.kind' file:rest <events
exits 0
out_is ''
err_is ''
same events.a a
same events.b b
same events.rest rest
rm a b rest

claim 'takes true and any value but false and null as a selection, as jq does'
printf '%s\n' '{"v":true}' '{"v":0}' '{"v":""}' '{"v":[]}' '{"v":false}' '{"v":null}' '{}' >values
run route .v - --else file:others <values
exits 0
out_is "$(sed -n 1,4p values)"
is "$(cat others)" "$(sed -n 5,7p values)"
rm others

claim 'gives what nothing selects to --else'
run route '.kind == "a"' file:a --else - <events
exits 0
out_is "$(sed -n 3,5p events)"
rm a

claim 'makes a dead letter no_route of what nothing selects, and exits 123'
run route '.kind == "a"' - --dead dead <events
exits 123
out_same events.a
is "$(jq -r .reason dead | sort | uniq -c | xargs)" '3 no_route'
is "$(jq -c .event dead)" "$(tail -n 3 events | jq -c .)"
rm dead

claim 'keeps the event of a dead letter byte for byte'
run route 'false' - --dead dead <events
exits 123
check grep -qF "$(sed -n 2p events)" dead
rm dead

claim 'gives results of functions and events for - in the order of the input'
run route '.kind == "a"' 'sh -c "sleep 0.2; jq -c .n"' true - <events
exits 0
out_is "1
$(sed -n 2p events | jq -c .n)
$(tail -n 3 events)"

claim 'an event for a file that --serial-by held back does not keep what is behind it'
printf '%s\n' '{"k":1}' '{"k":1}' '{"k"' '{"k":2}' >behind
run route --stats --dead dead --serial-by .k .k file:f <behind
exits 123
is "$(counts)" '[4,3,1,0]'
rm f dead behind

claim 'sends the results of a slow function later with -u'
run route -u '.kind == "a"' 'sh -c "sleep 0.5; echo 0"' true - <events
exits 0
is "$(sed -n 1,3p "$out")" "$(tail -n 3 events)"
out_like '^0$'

claim 'does not let results wait for an event that goes to a slow reader of a FIFO'
mkfifo slow
awk 'BEGIN { for (i = 0; i < 3000; i++) printf "{\"to\":\"%s\",\"i\":%d}\n", i < 1500 ? "fifo" : "out", i }' >many
sed 's/"i"/"long":"'"$(printf '%0200d' 0)"'","i"/' many >longer
exec 8<>slow
route '.to == "fifo"' file:slow true - <longer >got 2>errors &
pid=$!
within 60 sh -c '[ "$(wc -l <got)" -eq 1500 ]' || wrong 'lines on stdout while the FIFO is full' 1500 "$(wc -l <got)"
cat slow >through 8>&- &
reader=$!
wait "$pid"
status=$?
exec 8>&-
wait "$reader"
exits 0
is "$(wc -l <through)" 1500
rm slow through

claim 'one jq error is the failure of that event, with the text of the program'
printf '%s\n' '{"v":"1"}' '{"v":"x"}' '{"v":"2"}' >numbers
run route '.v | tonumber | . > 0' - <numbers
exits 123
out_is '{"v":"1"}
{"v":"2"}'
is "$(jq -r .reason "$err")" bad_event
check grep -qF '.v | tonumber | . > 0' "$err"

claim 'opens libjq only for a program that needs it, and names both where it is missing'
mkdir lib
: >lib/libjq.so.1
LD_LIBRARY_PATH=$PWD/lib run route '.v == "1"' - --else file:/dev/null <numbers
exits 0
out_is '{"v":"1"}'
LD_LIBRARY_PATH=$PWD/lib run route '.v | tonumber | . > 0' - <numbers
exits 126
out_is ''
err_like "^route: jq '\.v \| tonumber \| \. > 0': needs libjq: .*libjq\.so\.1"
printf '%s\n' '{"v":1}' '{"v":1e5}' >exponent
LD_LIBRARY_PATH=$PWD/lib run route '.v > 0' - <exponent
exits 123
out_is '{"v":1}'
is "$(head -n 1 "$err" | jq '.event.v == 100000')" true 'the event that its native form declines'
check grep -q "'\.v > 0': needs libjq" "$err"
rm -r lib exponent

claim 'says which program does not compile, or which function is not there, before it reads'
run route '.a ==' - <events
exits 2
err_like "^route: .*'\.a =='"
run route . ./nothing <events
exits 127
err_is 'route: ./nothing: not found'
: >plain
run route . ./plain <events
exits 126
run route . "sh -c 'x" <events
exits 2

claim 'names a scheme that it does not know'
run route . topics:alerts <events
exits 2
err_like "^route: 'topics:alerts': unknown scheme 'topics:' \\(did you mean topic:\\?\\), and no"
run route . gopher:alerts
exits 2
err_like "^route: 'gopher:alerts': unknown scheme 'gopher:', and no program of that name"

claim 'says what is missing or too much on the command line'
run route .a <events
exits 2
err_like "^route: no function behind the predicate '.a'"
run route --by .a <events
exits 2
err_like '^route: --by needs --dir'
run route --dir . <events
exits 2
err_like '^route: --dir needs --by'
run route --by .a --dir . . - <events
exits 2
err_like '^route: --by stands in place of predicates'
run route --branch-full maybe . - <events
exits 2
err_is "route: --branch-full: maybe: not block, dead or drop
try 'fit route --help'"
run route --branch-buffer 0 . - <events
exits 2
err_like '^route: --branch-buffer: 0: '

claim 'takes options anywhere, and a predicate that begins with a dash after --'
run route '.n == 1' - --else file:rest --quiet <events
out_is "$(sed -n 1p events)"
rm rest
run route --else file:rest -- '-1 != .v' - <values
exits 0
out_same values
rm rest

# ---- --all ----

claim '--all sends to every match and gives results in the order of the pairs'
run route --all '.v' 'sh -c "sleep 0.2; echo 1"' '.v == true' 'echo 2' '.v' - --else 'echo 3' <values
exits 0
out_is '1
2
{"v":true}
1
{"v":0}
1
{"v":""}
1
{"v":[]}
3
3
3'

claim '--all gives each failing call its own dead letter, and the other results'
echo '{"v":1}' >one
run route --all --stats --dead dead .v false .v 'echo 7' .v 'sh -c "exit 3"' <one
exits 123
out_is 7
is "$(jq -c '[.function,.reason,.exit]' dead)" '["false","exit",1]
["sh -c '"'exit 3'"'","exit",3]'
is "$(counts)" '[1,0,1,0]'
rm dead

claim '--all to several files writes the event to each'
run route --all --stats .v file:x .v file:y true file:x <values
exits 0
is "$(wc -l <x)" 11
is "$(wc -l <y)" 4
is "$(counts)" '[7,7,0,0]'
rm x y

# ---- --table ----

claim '--table reads pairs, with comments and blank lines'
printf '# kinds\n\n.kind == "a"\tfile:a\n  \t \r\n .kind == "b" \t\t sh -c "cat; echo 5"\n' >table
run route --table table --else - <events
exits 0
same events.a a
out_is "$(sed -n 3p events)
5
$(tail -n 2 events)"
rm a

claim 'pairs of the command line come before those of the table'
run route '.kind == "a"' - --table table --else file:rest <events
exits 0
check test ! -s a
out_like '^5$'
rm -f a rest

claim 'errors in a table name file, line and cause'
table_error() {
    printf '%b' "$1" >bad
    run route --table bad <events
    exits "$2"
    err_like "$3"
}
table_error '.a\t-\n\n.b -\n' 2 '^route: bad:3: no tab and function behind the predicate$'
table_error '\t-\n' 2 '^route: bad:1: no predicate before the tab$'
table_error '.a\t\n' 2 '^route: bad:1: no tab and function behind the predicate$'
table_error '.a\t-\n.b ==\t-\n' 2 "^route: bad:2: .*'\.b =='"
table_error '.a\t./none\n' 127 '^route: bad:1: ./none: not found$'
table_error '.a\tfile:none/x\n' 126 '^route: bad:1: .*none/x'
table_error '.a\t"x\n' 2 '^route: bad:1: '
table_error '.a\t-\000\n' 2 '^route: bad:1: a NUL byte$'
table_error '.a == "\377"\t-\n' 2 '^route: bad:1: not UTF-8$'
run route --table missing <events
exits 1
err_is 'route: read missing: No such file or directory'

claim 'an empty table sends everything to --else'
: >empty
run route --table empty --else - <events
exits 0
out_same events

# Start route on a FIFO of input (descriptor 7): begin WORDS...
begin() {
    last_command="$*"
    mkfifo input
    : >"$out"
    : >"$err"
    "$@" <input >"$out" 2>"$err" &
    pid=$!
    exec 7>input
}
end() {
    exec 7>&-
    status=0
    wait "$pid" || status=$?
    rm input
}
grown() {
    [ "$(wc -l <"$1")" -ge "$2" ]
}

claim 'rereads the table on SIGHUP'
printf '.v == 1\tfile:first\n' >table
begin route -v --table table --else -
echo '{"v":1}' >&7
within 60 grown first 1 || wrong 'events in first' 1 0
printf '.v == 1\tfile:second\n.v == 2\tsed s/2/two/\n' >table
kill -HUP "$pid"
within 60 grep -q 'read again' "$err" || wrong 'a message' 'read again' "$err"
printf '%s\n' '{"v":1}' '{"v":2}' '{"v":3}' >&7
within 60 grown second 1 || wrong 'events in second' 1 0
end
exits 123
is "$(wc -l <first)" 1
is "$(wc -l <second)" 1
out_is '{"v":3}'
check grep -q bad_result "$err"
rm first second

claim 'a table that does not parse when it is reread leaves the old one, with a warning'
printf '.v == 1\tfile:first\n' >table
begin route --table table --else file:rest
echo '{"v":1}' >&7
within 60 grown first 1 || wrong 'events in first' 1 0
printf '.v == 1\tfile:other\n.v ==\t-\n' >table
kill -HUP "$pid"
within 60 grep -q '^route: table:2: .*the table stays as it was' "$err" || wrong 'a warning' 'table:2' "$err"
echo '{"v":1}' >&7
within 60 grown first 2 || wrong 'events in first' 2 1
rm table
kill -HUP "$pid"
within 60 grep -q '^route: read table: .*the table stays as it was' "$err" || wrong 'a warning' 'read table' "$err"
echo '{"v":1}' >&7
end
exits 0
is "$(wc -l <first)" 3
check test ! -s other
rm -f first other rest

claim 'an unchanged function keeps its worker over a rereading, and one that is gone is ended'
cat >worker <<'END'
#!/bin/sh
echo "start $1" >>starts
while read -r line; do echo "[\"$1\",$line]"; done
echo "end $1" >>starts
END
chmod +x worker
: >starts
printf '.v == 1\tlines:./worker one\n.v == 2\tlines:./worker two\n' >table
begin route -v -j1 --table table
printf '%s\n' '{"v":1}' '{"v":2}' >&7
within 60 grown "$out" 2 || wrong 'results' 2 "$out"
printf '.v == 3\tlines:./worker one\n.v == 1\tlines:./worker one\n' >table
kill -HUP "$pid"
within 60 grep -q 'end two' starts || wrong 'the worker two ended' 'end two' starts
printf '%s\n' '{"v":3}' '{"v":1}' >&7
within 60 grown "$out" 4 || wrong 'results' 4 "$out"
end
exits 0
out_is '["one",{"v":1}]
["two",{"v":2}]
["one",{"v":3}]
["one",{"v":1}]'
is "$(grep -c 'start one' starts)" 1
rm starts

claim 'loses nothing in a storm of SIGHUP while the table changes'
awk 'BEGIN { for (i = 0; i < 100000; i++) printf "{\"v\":%d}\n", i % 4 }' >stream
printf '.v == 0\tfile:zero\n.v == 1\tlines:cat\n' >table
begin route --stats --table table --else file:rest
echo '{"v":1}' >&7
within 60 grown "$out" 1 || wrong 'results before the storm' 1 0
cat stream >&7 &
feeder=$!
i=0
while [ $i -lt 60 ]; do
    if [ $((i % 2)) -eq 0 ]; then
        printf '.v == 1\tlines:cat\n.v == 2\tfile:two\n' >table.new
    else
        printf '.v == 0\tfile:zero\n.v == 1\tlines:cat\n.v == "x\n' >table.new
    fi
    [ $((i % 3)) -ne 2 ] || printf '.v == 0\tfile:zero\n' >table.new
    mv table.new table
    kill -HUP "$pid"
    i=$((i + 1))
done
wait "$feeder"
end
exits 0
is "$(counts)" '[100001,100001,0,0]'
is "$(cat zero two rest "$out" 2>/dev/null | wc -l)" 100001 'lines in all branches'
rm -f zero two rest table

# ---- --by ----

mkdir handlers
printf '#!/bin/sh\nsed "s/^/[\\"a\\",/; s/$/]/"\n' >handlers/a
printf '#!/bin/sh\ncat\n' >'handlers/b {.x} c'
printf 'not executable\n' >handlers/plain
printf '#!/bin/sh\necho hidden >>../escaped; cat\n' >handlers/.hidden
cp handlers/.hidden handlers/-dash
cp handlers/.hidden outside
mkdir handlers/folder
chmod +x handlers/a handlers/b* handlers/.hidden handlers/-dash outside

claim '--by sends each event to the executable of --dir that its value names'
printf '%s\n' '{"k":"a"}' '{"k":"b {.x} c"}' '{"k":"a","n":1}' >named
run route --by .k --dir handlers <named
exits 0
out_is '["a",{"k":"a"}]
{"k":"b {.x} c"}
["a",{"k":"a","n":1}]'

claim '--by leaves the folder by no name'
for name in '' . .. ../outside ./a /bin/cat folder/../a .hidden -dash folder plain nothing a/ 'a\u0000' 'a\n' '~' '*' "$(printf '%0300d' 0)"; do
    printf '{"k":"%s"}\n' "$name"
done >names
printf '%s\n' '{"k":7}' '{"k":null}' '{"k":["a"]}' '{}' >>names
run route --by .k --dir handlers --dead dead --stats <names
exits 123
out_is ''
is "$(jq -r .reason dead | sort | uniq -c | xargs)" "$(wc -l <names) no_route"
check test ! -e escaped
rm dead
run route --by .k --dir handlers --else - <names
exits 0
out_same names

claim '--by says that the folder is not there'
run route --by .k --dir none <named
exits 127
err_is 'route: none: No such file or directory'
run route --by .k --dir outside <named
exits 126
err_is 'route: outside: not a folder'

claim '--by finds what is put into the folder while it runs'
begin route --by .k --dir handlers --else -
echo '{"k":"late"}' >&7
within 60 grown "$out" 1 || wrong 'results' 1 "$out"
printf '#!/bin/sh\necho 1\n' >handlers/late.new
chmod +x handlers/late.new
mv handlers/late.new handlers/late
echo '{"k":"late"}' >&7
end
exits 0
out_is '{"k":"late"}
1'

claim '--by takes more names than it keeps open'
mkdir crowd
i=0
while [ $i -lt 150 ]; do
    ln -s /bin/cat crowd/f$i
    echo "{\"k\":\"f$i\"}"
    i=$((i + 1))
done >crowded
cat crowded crowded >twice
run route --by .k --dir crowd --count <twice
exits 0
out_same twice
is "$(grep -c '^route: 2 events: .k -> ./crowd/f' "$err")" 150

# ---- full branches ----

awk 'BEGIN { for (i = 0; i < 20000; i++) printf "{\"b\":%d,\"i\":%d}\n", i % 2, i }' >flood

claim '--branch-full drop drops and counts what a stuck branch does not take; the others go on'
mkfifo stuck
exec 8<>stuck
: >"$out" # of the claim before, as it is looked into at once
route --branch-full drop --count --stats --grace 100ms '.b == 0' file:stuck true - <flood >"$out" 2>"$err" &
pid=$!
last_command='route --branch-full drop ...'
within 60 grown "$out" 10000 || wrong 'lines on stdout' 10000 "$(wc -l <"$out")"
cat stuck >through 8>&- &
reader=$!
wait "$pid"
status=$?
exec 8>&-
wait "$reader"
exits 0
is "$(counts | jq -c '[.[0], .[1] + .[3], .[2]]')" '[20000,20000,0]'
dropped=$(counts | jq '.[3]')
check test "$dropped" -gt 0
is "$(($(wc -l <through) + dropped))" 10000 'lines through the FIFO and dropped'
err_like "^route: 10000 events, $dropped dropped: \.b == 0 -> file:stuck\$"
rm stuck through

claim '--branch-full dead makes dead letters of what a stuck branch does not take'
mkfifo stuck
exec 8<>stuck
: >"$out"
route --branch-full dead --branch-buffer 10 --dead dead --stats '.b == 0' file:stuck true - <flood >"$out" 2>"$err" &
pid=$!
last_command='route --branch-full dead ...'
within 60 grown "$out" 10000 || wrong 'lines on stdout' 10000 "$(wc -l <"$out")"
cat stuck >through 8>&- &
reader=$!
wait "$pid"
status=$?
exec 8>&-
wait "$reader"
exits 123
is "$(jq -r .reason dead | sort -u)" branch_full
is "$(jq -r .function dead | sort -u)" file:stuck
is "$(($(wc -l <through) + $(wc -l <dead)))" 10000 'lines through the FIFO and dead'
rm stuck through dead

claim '--branch-full block loses nothing to a slow reader'
mkfifo stuck
exec 8<>stuck
route --branch-buffer 1 --stats '.b == 0' file:stuck true file:other <flood 2>"$err" &
pid=$!
cat stuck >through 8>&- &
reader=$!
wait "$pid"
status=$?
exec 8>&-
wait "$reader"
exits 0
is "$(counts)" '[20000,20000,0,0]'
is "$(cat through other | sort -u | wc -l)" 20000
rm stuck through other

claim '--branch-full drop does not drop what a quick file takes'
run route --branch-full drop --branch-buffer 1 --stats '.b == 0' file:zero true file:other <flood
exits 0
is "$(counts)" '[20000,20000,0,0]'
is "$(cat zero other | wc -l)" 20000
rm zero other

claim 'a function whose calls hang does not hold up the others before its buffer is full'
begin route -u -j1 --branch-buffer 5 '.b == 0' 'sh -c "until [ -e gate ]; do sleep 0.02; done; echo 2"' true -
i=0
while [ $i -lt 5 ]; do
    printf '{"b":0}\n{"b":1}\n'
    i=$((i + 1))
done >&7
within 60 grown "$out" 5 || wrong 'lines on stdout while the function hangs' 5 "$(wc -l <"$out")"
: >gate
end
exits 0
is "$(sort "$out" | uniq -c | xargs)" '5 2 5 {b:1}'
rm gate

claim 'SIGTERM does not wait for a reader that takes nothing longer than the grace'
mkfifo stuck
exec 8<>stuck
begin route --grace 200ms --dead dead --stats '.b == 0' file:stuck true -
awk 'BEGIN { for (i = 0; i < 9000; i++) print "{\"b\":0}"; print "{\"b\":1}" }' >&7 # over 64 KiB
within 60 grown "$out" 1 || wrong 'results while the reader takes nothing' 1 0
kill -TERM "$pid"
wait "$pid" || status=$?
exec 7>&- 8>&-
exits 143
is "$(counts | jq -c '[.[0], .[1] + .[2]]')" '[9001,9001]'
check test "$(counts | jq '.[2]')" -gt 0
is "$(wc -l <dead)" "$(counts | jq '.[2]')" 'letters'
rm input stuck dead

claim 'with --all what is ended because nobody reads its results is dropped, without letters'
run_sh "{ { echo '[2]'; yes '[1]'; } | route --quiet -u --grace 100ms --stats --all \\
             . cat '.[0] == 2' 'sleep 100'
         echo \$? >status; } | head -n 1"
out_is '[1]'
is "$(cat status)" 0 status
is "$(jq -c '[.read == .dropped + .done, .dead, .letters]' "$err")" '[true,0,0]' counts

claim 'a FIFO whose reader leaves fails its own events only'
mkfifo left
exec 8<>left # so that neither end waits to be opened
exec 9<left
exec 7>left 8>&-
head -n 1 <&9 >/dev/null 7>&- &
exec 9<&-
route --stats --dead dead '.b == 0' file:left true file:other <flood 2>"$err" 7>&-
status=$?
exec 7>&-
exits 123
is "$(wc -l <other)" 10000
is "$(jq -r .reason dead | sort -u)" write
is "$(counts | jq -c '[.[0], .[1] + .[2]]')" '[20000,20000]'
rm left other dead

claim 'a FIFO that nobody reads is an error before anything is read'
mkfifo unread
run route . file:unread <events
exits 126
err_like '^route: .*unread'
rm unread

claim 'a file that cannot be written ends it with an error, and letters for what was not written'
run route --dead dead . file:/dev/full <events
exits 1
err_like '^route: .*/dev/full: No space left on device'
is "$(jq -r .reason dead | sort | uniq -c | xargs)" '5 write'
rm dead

# ---- --count, --explain ----

claim '--count says at the end how many events each branch got, also with --quiet'
run route --quiet --count '.kind == "a"' file:a '.kind == "zzz"' - --else 'sh -c "cat; exit 1"' --dead dead <events
exits 123
err_is 'route: 2 events: .kind == "a" -> file:a
route: 0 events: .kind == "zzz" -> -
route: 3 events, 3 dead: else -> sh -c "cat; exit 1"'
rm a dead
run route --count '.kind == "a"' file:a --dead dead <events
err_like '^route: 3 events: no route$'
rm a dead

claim '--explain prints what selects each event and sends nothing'
run route --explain '.kind == "a"' file:made '.kind == "b"' 'touch made' <events
exits 0
check test ! -e made
is "$(jq -c '[.line,.predicate,.function]' "$out")" '[1,".kind == \"a\"","file:made"]
[2,".kind == \"a\"","file:made"]
[3,".kind == \"b\"","touch made"]
[4,null,null]
[5,null,null]'
check grep -qF "\"event\":$(sed -n 2p events)}" "$out"
run route --explain --all --else - '.kind' x .n y <events
is "$(jq -c '[.line,.predicate,.function]' "$out" | sed -n 1,2p)" '[1,".kind","x"]
[1,".n","y"]'
run route --explain --by .kind --dir handlers --else - <events
is "$(jq -c '[.predicate,.function]' "$out" | sort -u)" '[".kind","./handlers/a"]
[null,"-"]'

# ---- ugly input ----

claim 'malformed and huge lines do not disturb their neighbours'
{
    echo '{"v":1}'
    echo '{"v":'
    printf '{"v":"%02000000d"}\n' 0
    printf '\n  \n{"v":2}\r\n"a\001b"\n\377\n'
    printf '{"v":3}'
} >ugly
run route '.v == 1' file:one.out '.v | type == "string"' file:text true - --dead dead <ugly
exits 123
out_is '{"v":2}
{"v":3}'
is "$(cat one.out)" '{"v":1}'
is "$(wc -c <text)" 2000009
is "$(jq -r .reason dead | sort | uniq -c | xargs)" '3 bad_json'
rm one.out text dead

claim 'takes thousands of predicates, on more paths than one scan looks up'
awk 'BEGIN { for (i = 0; i < 3000; i++) printf ".k == \"v%d\"\tfile:same\n.p%d == 1\tfile:same\n", i, i }' >table
printf '%s\n' '{"k":"v2999"}' '{"p2999":1}' '{"p0":1}' '{"k":"none"}' >events.many
run route --table table --else - <events.many
exits 0
out_is '{"k":"none"}'
is "$(wc -l <same)" 3
rm same

claim 'a compressed file is a branch like others'
run route '.b == 0' file:zero.zst true file:other.zst <flood
exits 0
is "$(zstd -dc zero.zst other.zst | sort | md5sum)" "$(sort flood | md5sum)"
rm zero.zst other.zst

claim 'never starts libjq for predicates that have a native form'
if sanitized || ! command -v ltrace >/dev/null 2>&1; then
    run route '.kind == "a" and (.n >= 1 or (.kind | startswith("b")))' file:x --else file:x --stats <events
    exits 0
else
    run ltrace -e jq_init route '.kind == "a"' file:x --else file:x <events
    err_unlike jq_init
fi
rm -f x

finish
