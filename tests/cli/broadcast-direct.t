#!/bin/sh
# broadcast-direct.t: claims about broadcast with functions as its subscribers.
. "${0%/*}/lib.sh"

cat >events <<'END'
{"n":1,"kind":"a"}
{"n" : 123456789012345678901234567890, "kind":"b", "kind":"a"}
{"kind":"b","text":"\u00e9\/\ud83d\ude00 é","e":1.0E+05}
"x"
[1.10 , -0.0]
END

# A worker that answers nothing before there is a file "open".
cat >gate <<'SH'
#!/bin/sh
until [ -e open ]; do sleep 0.02; done
exec cat
SH
chmod +x gate

# counts: what --stats said in the last run, as [read,done,dead,dropped].
counts() {
    grep '^{"read"' "$err" | jq -c '[.read,.done,.dead,.dropped]'
}

# lines FILE N: has it so many?
lines() {
    [ "$(wc -l <"$1")" -eq "$2" ]
}

# ---- what each gets, and gives ----

claim 'gives every subscriber the same bytes, whatever they are'
awk 'BEGIN { for (i = 0; i < 300000; i++) printf "0123456789"; print "" }' | sed 's/.*/{"x" :"&"}/' >long
i=0
while [ $i -lt 300 ]; do
    sed "s/\"n\":1/\"n\":$i/" events
    i=$((i + 1))
done >many
cat long many long >all
run broadcast -j1 --result none --stats file:a 'b=lines:tee b' 'c=lines:tee c' 'd=lines:tee d' file:e <all
exits 0
out_is ''
is "$(counts)" '[1502,1502,0,0]'
for copy in a b c d e; do
    same all $copy
done
is "$(cat all a b c d e | md5sum)" "$(cat all all all all all all | md5sum)" checksums
rm -f a b c d e

claim 'gives a process for each event the same bytes too'
mkdir sums
run broadcast -j3 --result none 'a=sh -c "md5sum >sums/a-$FIT_ID"' 'b=sh -c "md5sum >sums/b-$FIT_ID"' <events
exits 0
while read -r line; do
    printf '%s\n' "$line" | md5sum
done <events | sort >want
for copy in a b; do
    is "$(cat sums/$copy-* | sort)" "$(cat want)" checksums
done
rm -rf sums

claim 'prints a line for each event: an object with what each gave, in the order of the words'
printf '%s\n' 1 2 >two
run broadcast z='jq .+1' cat a='sh -c "cat; echo []"' none=true <two
exits 0
out_is '{"z":2,"cat":1,"a":[1,[]],"none":null}
{"z":3,"cat":2,"a":[2,[]],"none":null}'

claim 'keeps numbers, blanks and repeated keys of results'
run broadcast a=cat -- - <events
exits 0
is "$(sed -n 2p "$out")" "{\"a\":$(sed -n 2p events),\"-\":$(sed -n 2p events)}"

claim 'gives no member to a subscriber that gives no results, and no line if none does'
run broadcast a=cat file:f <two
exits 0
out_is '{"a":1}
{"a":2}'
run broadcast file:f g=file:g <two
exits 0
out_is ''
is "$(cat f)" '1
2
1
2'
rm -f f g

claim 'results come in the order of the input, or with -u as they finish'
cat >first_waits <<'SH'
#!/bin/sh
read -r n
[ "$n" != 1 ] || until [ -e open ]; do sleep 0.02; done
[ "$n" = 1 ] || : >open
echo "$n"
SH
chmod +x first_waits
run broadcast -j2 a=./first_waits - <two
exits 0
out_is '{"a":1,"-":1}
{"a":2,"-":2}'
rm open
broadcast -u -j2 a='sh -c "read -r n; [ \$n = 2 ] || until [ -e open ]; do sleep 0.02; done; echo \$n"' - <two >got &
pid=$!
within 60 grep -qx '{"a":2,"-":2}' got || wrong 'a line' '{"a":2,"-":2}' got
touch open
wait "$pid"
is "$(cat got)" '{"a":2,"-":2}
{"a":1,"-":1}'
rm open

claim '--result NAME prints what one gives, as it is'
run broadcast --result a a='sh -c "cat; echo []"' b=cat <two
exits 0
out_is '1
[]
2
[]'
run broadcast --result cat cat false --dead dead <two
exits 123
out_same two
rm dead

claim '--result none prints nothing'
run broadcast --result none cat a=cat --stats <two
exits 0
out_is ''
is "$(counts)" '[2,2,0,0]'

claim '--result names all, none or a subscriber that gives results'
run broadcast --result nobody cat <two
exits 2
err_is 'broadcast: --result nobody: not all, none or a subscriber'
run broadcast --result file:f file:f cat <two
exits 2
err_is 'broadcast: --result file:f: it gives no results'
rm -f f

# ---- names ----

claim 'a name is what stands before =, or else the function as it is written'
run broadcast 'jq -c .' _a-1='jq -c .' 9=cat 'sh -c "cat; #=x"' </dev/null
exits 127
err_like "^broadcast: .*9=cat"
echo 1 | broadcast 'jq -c .' _a-1='jq -c .' 'sh -c "cat #=x"' >got
is "$(cat got)" '{"jq -c .":1,"_a-1":1,"sh -c \"cat #=x\"":1}'

claim 'what looks like a variable before a command is a name'
echo 1 | broadcast FOO=bar=x 2>got
err=got err_like '^broadcast: .*bar=x'
run_sh 'echo 1 | FOO=7 broadcast "FOO=sh -c \"echo \$FOO\""'
out_is '{"FOO":7}'

claim 'each has a name of its own, in UTF-8, and none is called errors'
run broadcast cat cat <two
exits 2
err_is "broadcast: 'cat' is named twice: NAME=FUNCTION gives another name"
run broadcast a=cat a=true <two
exits 2
err_is "broadcast: 'a' is named twice: NAME=FUNCTION gives another name"
run broadcast a=cat b=cat <two
exits 0
run broadcast errors=cat <two
exits 2
err_is "broadcast: 'errors' is the member for what failed: take another name"
run broadcast --result none errors=cat <two
exits 0
run broadcast "$(printf 'cat \377')" <two
exits 2
err_like 'a name must be UTF-8$'

claim 'no subscriber is optional'
run broadcast '?a=cat' <two
exits 2
err_is "broadcast: '?a=cat': no subscriber is more optional than others"

claim 'a name without a function, and a function that is not there, are said'
run broadcast a= <two
exits 2
run broadcast a=./nothere <two
exits 127
run broadcast a=./events <two
exits 126

claim 'without a subscriber events are read and done, with a warning'
run broadcast --stats <events
exits 0
out_is ''
is "$(counts)" '[5,5,0,0]'
err_like '^broadcast: no subscribers: '

# ---- isolation ----

claim 'a subscriber that fails has its own dead letters, and the results of the others are kept'
printf '%s\n' 1 2 3 >three
run broadcast --dead dead good=cat bad='sh -c "read -r n; [ \$n = 2 ] && exit 4; echo []"' <three
exits 123
is "$(sed -n 1p "$out")" '{"good":1,"bad":[]}'
is "$(sed -n 2p "$out" | jq -c '[.good, .errors.bad.reason, .errors.bad.exit, (.errors|length), has("bad")]')" '[2,"exit",4,1,false]'
is "$(sed -n 3p "$out")" '{"good":3,"bad":[]}'
is "$(jq -c '[.event,.reason,.exit,.function]' dead)" '[2,"exit",4,"bad=sh -c \"read -r n; [ \\$n = 2 ] && exit 4; echo []\""]'
rm dead

claim 'each that fails has a letter, and the event counts as dead once'
run broadcast --dead dead --stats --result none false a='sh -c "exit 5"' file:f <two
exits 123
is "$(counts)" '[2,0,2,0]'
is "$(jq -c '[.event,.exit,.function]' dead | sort)" '[1,1,"false"]
[1,5,"a=sh -c \"exit 5\""]
[2,1,"false"]
[2,5,"a=sh -c \"exit 5\""]'
is "$(cat f)" '1
2'
rm dead f

claim 'of three, the good one gets all at once, the failing one letters, the hanging one its timeout'
: >good.got
broadcast --timeout 2s --grace 200ms --dead dead --stats \
    'good=lines:tee good.got' 'bad=lines:sed -u s/.*/!\"no\"/' 'hangs=sh -c "echo $$ >>hanging; sleep 1000"' \
    -j1 <three >got 2>errors &
pid=$!
within 60 lines good.got 3 || wrong 'what the good one has' three good.got
is "$(wc -l <hanging)" 1 'calls of the hanging one meanwhile'
status=0
wait "$pid" || status=$?
exits 123
err=errors
is "$(counts)" '[3,0,3,0]'
same three good.got
is "$(jq -c '[.good,.errors.bad.reason,.errors.hangs.reason]' got)" '[1,"error","timeout"]
[2,"error","timeout"]
[3,"error","timeout"]'
is "$(jq -r '.reason + " " + (.function|split("=")[0])' dead | sort | uniq -c | xargs)" '3 error bad 3 timeout hangs'
while read -r each; do
    check test ! -d "/proc/$each"
done <hanging
err=$work/.t/err
rm -f dead good.got hanging

claim '--jobs, --retries and --timeout hold for each'
run broadcast -j2 --retries 1 --backoff 1ms..1ms --dead dead \
    a='sh -c "echo \$FIT_SLOT >>slots.a; sleep 0.1; exit 1"' b='sh -c "echo \$FIT_SLOT >>slots.b; sleep 0.1; exit 1"' <three
exits 123
is "$(sort slots.a | uniq -c | wc -l)" 2 'slots of a'
is "$(wc -l <slots.a) $(wc -l <slots.b)" '6 6' calls
is "$(jq .attempts dead | sort | uniq -c | xargs)" '6 2'
rm dead

claim 'a FIFO whose reader leaves fails its own events only'
mkfifo fifo
exec 8<>fifo # so that neither end waits to be opened
exec 9<fifo
exec 7>fifo 8>&-
head -n 1 <&9 >first 7>&- &
exec 9<&-
head -c 3000000 /dev/zero | tr '\0' '1' | fold -w 60 >numbers
echo >>numbers
run broadcast --quiet --dead dead --stats --result none file:fifo file:rest <numbers 7>&-
exec 7>&-
exits 123
same numbers rest
check test "$(jq -r .function dead | sort -u)" = file:fifo
is "$(grep '^{"read"' "$err" | jq '.read == .done + .dead')" true
rm -f fifo dead rest numbers

claim 'a subscriber may be a queue, a topic or standard output'
export FIT_STATE="$work/state"
broadcast --subscribe s@t 2>"$err"
run broadcast queue:q topic:t - <two
exits 0
out_is '{"-":1}
{"-":2}'
run queue work q --until-empty -- lines:cat
out_same two
run broadcast --subscribe s@t --until-empty -- lines:cat
out_same two
unset FIT_STATE

# ---- full buffers ----

seq 20000 >flood

claim 'a slow one holds up the others when its buffer is full, and not before'
: >quick.got
broadcast --buffer 8 --pipeline 1 -j1 --result none 'quick=lines:tee quick.got' 'slow=lines:./gate' <flood &
pid=$!
within 60 sh -c '[ "$(wc -l <quick.got)" -ge 8 ]' || wrong 'what the quick one has' 8 quick.got
within 60 grep -q '^State:.S' "/proc/$pid/status"
[ "$(wc -l <quick.got)" -le 32 ] || wrong 'lines of the quick one' 'at most 32' "$(wc -l <quick.got)"
touch open
wait "$pid"
same flood quick.got
rm -f open quick.got

claim '--when-full drop: a slow one does not get what it has no room for, the others get all'
: >quick.got
broadcast --when-full drop --buffer 100 -j1 --result none --stats file:quick.got 'slow=lines:sh -c "./gate | tee slow.got"' <flood 2>"$err" &
pid=$!
within 60 lines quick.got 20000 || wrong 'what the quick one has' 20000 "$(wc -l <quick.got)"
touch open
status=0
wait "$pid" || status=$?
exits 0
is "$(counts)" '[20000,20000,0,0]'
same flood quick.got
is "$(cat slow.got)" "$(seq 100)" 'what the slow one has'
err_like '^broadcast: 19900 events dropped: slow=lines:sh'
rm -f open quick.got slow.got

claim '--when-full drop: an event that nobody takes is dropped'
broadcast --when-full drop --buffer 10 -j1 --result none --stats 'a=lines:./gate' 'b=lines:./gate' <flood 2>"$err" &
pid=$!
(within 100 false; touch open) &
opener=$!
until [ -e open ]; do
    # reading never waits: once all is read, let them go
    fdpos=$(awk '/^pos/ { print $2 }' /proc/$pid/fdinfo/0 2>/dev/null || echo 0)
    [ "${fdpos:-0}" -lt "$(wc -c <flood)" ] || touch open
done
status=0
wait "$pid" || status=$?
kill $opener 2>/dev/null
exits 0
is "$(counts | jq -c '[.[0], .[1] + .[3], .[2], .[3] > 19000]')" '[20000,20000,0,true]'
rm -f open

claim '--when-full spill: the others get all meanwhile, the slow one gets all later, in order'
: >quick.got
broadcast --when-full spill --buffer 10 --result none --stats -v -j1 file:quick.got \
    'slow=lines:sh -c "./gate | tee slow.got"' 'other=lines:sh -c "./gate | tee other.got"' 'gets=lines:tee gets.got' <flood 2>"$err" &
pid=$!
within 60 lines quick.got 20000 || wrong 'what the quick one has' 20000 "$(wc -l <quick.got)"
within 60 lines gets.got 20000 || wrong 'what the other quick one has' 20000 "$(wc -l <gets.got)"
check test ! -s slow.got
touch open
status=0
wait "$pid" || status=$?
exits 0
is "$(counts)" '[20000,20000,0,0]'
for got in quick slow other gets; do
    same flood $got.got
done
err_like '^broadcast: 19990 events spilled: slow=lines:sh'
rm -f open ./*.got

claim '--when-full spill: an event that fails late has its letter, and counts once'
broadcast --when-full spill --buffer 10 --result none --stats -j1 --dead dead file:quick.got \
    'a=lines:sh -c "./gate | sed -u s/.*7\$/!\\\"no\\\"/"' 'b=lines:sh -c "./gate | sed -u s/.*[37]\$/!\\\"no\\\"/"' <flood 2>"$err" &
pid=$!
within 60 lines quick.got 20000 || wrong 'what the quick one has' 20000 "$(wc -l <quick.got)"
touch open
status=0
wait "$pid" || status=$?
exits 123
is "$(counts)" '[20000,16000,4000,0]'
is "$(jq -r '.function|split("=")[0]' dead | sort | uniq -c | xargs)" '2000 a 4000 b'
is "$(jq -r '.event' dead | sort -n | uniq -c | awk '{ print $1 substr($2, length($2)) }' | sort | uniq -c | xargs)" '2000 13 2000 27'
rm -f open quick.got dead

claim '--when-full spill: identities and numbers of lines are kept on disk'
printf '%s\n' '{"id":"a","n":1}' '{"id":"b","n":2}' '{"id":"c","n":3}' '{"id":"a","n":4}' >named
run broadcast --id .id --when-full spill --buffer 1 -j1 --result none \
    'slow=sh -c "sleep 0.1; echo \$FIT_ID \$FIT_IDEMPOTENCY_KEY >>ids"' 'quick=sh -c "echo \$FIT_ID >>quick.ids"' <named
exits 0
is "$(cut -d' ' -f1 ids | xargs)" 'a b c a'
is "$(cut -d' ' -f2 ids | sort -u | wc -l)" 3
is "$(xargs <quick.ids)" 'a b c a'
rm -f ids quick.ids

claim '--when-full spill: what waits when it is ended has letters, and nothing is lost'
broadcast --when-full spill --buffer 10 --result none --stats --grace 200ms --dead dead file:quick.got 'slow=lines:./gate' <flood 2>"$err" &
pid=$!
within 60 lines quick.got 20000 || wrong 'what the quick one has' 20000 "$(wc -l <quick.got)"
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
exits 143
is "$(counts)" '[20000,0,20000,0]'
same flood quick.got
is "$(jq -r '.reason + " " + .function' dead | sort | uniq -c | xargs)" '20000 interrupted slow=lines:./gate'
is "$(jq .event dead | sort -n | md5sum)" "$(md5sum <flood)"
rm -f quick.got dead

claim '--when-full spill: --halt now ends what waits too'
run broadcast --when-full spill --buffer 10 --result none --stats --halt now,fail=5 --dead dead 'a=lines:sed -u s/.*/!1/' 'b=lines:./gate' <flood
exits 123
is "$(grep '^{"read"' "$err" | jq -c '[.read == .dead, .letters == 2 * .dead]')" '[true,true]'
rm -f dead

claim '--when-full spill: with a full disk reading waits, and nothing is lost'
broadcast_small() { (trap '' XFSZ && ulimit -f 2200 && exec broadcast "$@"); }
awk 'BEGIN { for (i = 0; i < 20000; i++) printf "{\"i\":%d,\"pad\":\"%0200d\"}\n", i, 0 }' >padded
mkfifo taken slow
exec 8<>taken # a pipe is no file, whose size has the limit; it has a reader before it is opened
exec 9<taken
md5sum <&9 >sum.taken 8>&- &
exec 9<&-
md5sum <slow >sum.slow 8>&- &
broadcast_small --when-full spill --buffer 10 -j1 --result none --stats file:taken 'slow=lines:sh -c "./gate | tee slow"' <padded 2>"$err" 8>&- &
pid=$!
within 60 grep -q 'spill to a file in .*: reading waits for subscribers$' "$err" || wrong 'a warning' 'spill to a file ...' "$err"
exec 8>&-
check test -d "/proc/$pid"
touch open
status=0
wait "$pid" || status=$?
exits 0
is "$(counts)" '[20000,20000,0,0]'
is "$(grep -c 'reading waits' "$err")" 1 warnings
wait
is "$(cat sum.taken)" "$(md5sum <padded)"
is "$(cat sum.slow)" "$(md5sum <padded)"
rm -f open taken slow sum.* padded

claim '--when-full spill: without a folder for the file reading waits'
TMPDIR=none run broadcast --when-full spill --buffer 10 --result none --stats file:f lines:cat <flood
exits 0
is "$(counts)" '[20000,20000,0,0]'
same flood f
err_like '^broadcast: make a temporary file in none: No such file or directory: reading waits for subscribers$'
rm f

claim '--when-full spill: memory is flat'
seq -f '{"n":%.0f,"pad":"0123456789012345678901234567890123456789"}' 300000 >stream
broadcast --when-full spill --result none --stats file:quick.got 'slow=lines:sh -c "./gate | tail -n 1 >last; true"' 'b=lines:./gate' <stream >"$out" 2>"$err" &
pid=$!
within 60 lines quick.got 300000 || wrong 'what the quick one has' 300000 "$(wc -l <quick.got)"
anon=$(awk '/^RssAnon/ { print $2 }' "/proc/$pid/status")
sanitized || [ "$anon" -lt 6144 ] || wrong 'KiB of memory' 'below 6144' "$anon"
touch open
kill -TERM "$pid"
wait "$pid" 2>/dev/null
is "$(grep '^{"read"' "$err" | jq '.read == .done + .dead + .dropped')" true
rm -f open quick.got stream last

claim '--when-full spill goes with results that need not be held'
run broadcast --when-full spill cat <two
exits 2
err_is 'broadcast: --when-full spill needs --result none or NAME: a line with the results of all would have to wait in memory'
run broadcast --when-full spill --serial-by . --result none cat <two
exits 2
err_is 'broadcast: --when-full spill lets go on what --serial-by would hold back: not both'
run broadcast --when-full spill file:f cat --result cat <two
exits 0
out_same two
run broadcast --when-full spill file:f <two
exits 0
rm -f f

claim '--result NAME: its results wait for nobody else, unless those are waited for'
for full in block drop spill; do
    rm -f open got
    head -n 500 flood | broadcast --when-full $full --result main main=lines:cat 'slow=lines:./gate' >got 2>"$err" &
    within 60 lines got 500 || wrong "lines with $full" 500 got
    touch open
    wait $! || wrong "exit status with $full" 0 1
    is "$(cat got)" "$(seq 500)"
done
for full in drop spill; do
    rm -f open got
    broadcast --when-full $full --buffer 10 --result main main=lines:cat 'slow=lines:./gate' <flood >got 2>"$err" &
    pid=$!
    [ $full = drop ] || within 60 lines got 20000 || wrong "lines with $full" 20000 got
    touch open
    wait $pid || wrong "exit status with $full" 0 1
    [ $full = drop ] || same flood got
done
rm -f open

claim 'what is ended because nobody reads its results is dropped, without letters'
run_sh "{ yes '[1]' | broadcast --quiet --grace 100ms --stats --result a a=cat 'b=sleep 100'
         echo \$? >status; } | head -n 1"
out_is '[1]'
is "$(cat status)" 0 status
is "$(jq -c '[.read == .dropped + .done, .dead, .letters]' "$err")" '[true,0,0]' counts

claim '--when-full and --buffer are strict'
run broadcast --when-full dead cat
exits 2
err_like 'not block, spill or drop$'
run broadcast --buffer 0 cat
exits 2
run broadcast --buffer 4097 cat
exits 2

# ---- again ----

claim 'dead redrive calls only the subscriber that failed'
export FIT_STATE="$work/again"
echo 1 >broken
cat >mends <<'SH'
#!/bin/sh
[ ! -e broken ] || exit 3
exec tee -a mended
SH
chmod +x mends
run broadcast -j1 good='tee -a good' a=./mends b='sh -c ./mends' <three
exits 123
is "$(dead count)" 6
rm broken
run dead redrive
exits 0
is "$(dead count)" 0
same three good
is "$(sort "$out" | xargs)" '{a:1} {a:2} {a:3} {b:1} {b:2} {b:3}'
is "$(sort mended | uniq -c | xargs)" '2 1 2 2 2 3'
rm -f good mended

claim 'a letter of a subscriber that spilled is redriven too'
echo 1 >broken
run broadcast -j1 --result none --when-full spill --buffer 1 good='tee -a good' a=./mends b='sh -c ./mends' <three
exits 123
is "$(dead count)" 6
rm broken
run dead redrive
exits 0
is "$(dead count)" 0
same three good
is "$(sort mended | uniq -c | xargs)" '2 1 2 2 2 3'
rm -f good mended

claim 'with --ledger a rerun calls only what has failed, and prints the whole line'
echo 1 >broken
run broadcast -j1 --ledger l --dead letters good='tee -a good' a=./mends <three
exits 123
rm broken
run broadcast -j1 --ledger l good='tee -a good' a=./mends <three
exits 0
out_is '{"good":1,"a":1}
{"good":2,"a":2}
{"good":3,"a":3}'
same three good
same three mended
run broadcast -j1 --ledger l good='tee -a good' a=./mends <three
exits 0
same three good
run broadcast -j1 --ledger l --new good='tee -a good' a=./mends <three
exits 0
out_is ''
rm -f good mended letters

claim 'with --ledger what was spilled is recorded too'
for _ in 1 2; do
    run broadcast --ledger s --result none --when-full spill --buffer 1 -j1 a='sh -c "sleep 0.02; cat >>a.got"' b='sh -c "cat >>b.got"' <three
    exits 0
done
same three a.got
same three b.got
unset FIT_STATE

finish
