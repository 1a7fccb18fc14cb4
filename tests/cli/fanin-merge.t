#!/bin/sh
# fanin-merge.t: what fanin promises of its inputs, and of --merge.
. "${0%/*}/lib.sh"
limit=60

printf '%s\n' '{"n" : 1.0,"n":2}' '"a\u0062"' >a
printf '%s\n' '{"n":3}' '[ 4 ]' 12345678901234567890123 >b

# counts: what --stats said in the last run, as [read,done,dead,dropped].
counts() {
    grep '^{"read"' "$err" | jq -c '[.read,.done,.dead,.dropped]'
}

# lines_of FILE: those lines of the last output that are lines of FILE, in the order of the output.
lines_of() {
    grep -Fxf "$1" "$out"
}

# ---- inputs ----

claim 'merges files byte for byte, the lines of each in order'
run fanin --merge --stats a b
exits 0
is "$(lines_of a)" "$(cat a)"
is "$(lines_of b)" "$(cat b)"
is "$(counts)" '[5,5,0,0]'

claim 'reads stdin where there is no input'
run fanin --merge <a
exits 0
out_same a

claim 'reads stdin for -'
run fanin --merge a - <b
exits 0
is "$(sort "$out")" "$(sort a b)"

claim 'takes empty inputs'
: >empty
run fanin --merge empty empty /dev/null -
exits 0
out_is ''
err_is ''

claim 'glues no last line without a line feed to another input'
printf '1\n2' >open1
printf '3\r\n\n4' >open2
printf '\357\273\2775' >open3
run fanin --merge open1 open2 open3
exits 0
is "$(sort "$out" | xargs)" '1 2 3 4 5'

claim 'decompresses an input that is zstd'
zstd -q a -o a.zst
run fanin --merge a.zst b
exits 0
is "$(sort "$out")" "$(sort a b)"

claim 'reads a file twice that stands twice'
run fanin --merge a a
exits 0
is "$(sort "$out")" "$(sort a a)"

claim 'waits for the writer of a FIFO while others come through, and for its end'
mkfifo fifo other
fanin --merge fifo a other >got 2>errors &
pid=$!
within 60 sh -c '[ "$(wc -l <got)" -eq 2 ]' || wrong 'lines of a file beside a FIFO without a writer' 2 got
exec 8>fifo
printf '"early"\n"la' >&8
within 60 grep -q early got || wrong 'a line of a FIFO that is still open' '"early"' got
exec 9>other
exec 9>&-
printf 'te"' >&8
check kill -0 $pid
exec 8>&-
status=0
wait $pid || status=$?
exits 0
is "$(tail -n 2 got)" '"early"
"late"'
is "$(cat errors)" ''

claim 'sleeps while nothing comes'
rm got
fanin --merge fifo >got 2>errors &
pid=$!
exec 8>fifo
echo 1 >&8
within 60 grep -q 1 got
ticks() {
    awk '{ print $14 + $15 }' "/proc/$pid/stat"
}
before=$(ticks)
sleep 0.5
[ $(($(ticks) - before)) -lt 10 ] || wrong 'clock ticks of processor time' "$before" "$(ticks)"
exec 8>&-
wait $pid
rm fifo other

claim 'takes process substitutions of other shells: a pipe by its path'
run_sh "{ echo 1; echo 2; } | fanin --merge /dev/fd/0 a"
exits 0
is "$(sort "$out")" "$( (seq 2 && cat a) | sort)"

# ---- inputs that are none ----

claim 'names a file that is missing, prints nothing and exits 1'
run fanin --merge a ./no.ndjson b
exits 1
out_is ''
err_is 'fanin: open ./no.ndjson: No such file or directory'

claim 'refuses a directory'
mkdir folder
run fanin --merge a folder
exits 1
out_is ''
err_is 'fanin: read folder: Is a directory'

claim 'refuses a stream that stands twice, whose lines two readers would tear'
mkfifo fifo
run fanin --merge fifo a fifo
exits 1
err_is 'fanin: fifo: the same stream twice'
run fanin --merge - - <a
exits 1
err_is 'fanin: -: the same stream twice'
rm fifo

claim 'refuses to read what it writes'
cp a into
run_sh 'fanin --merge b into >>into'
exits 1
err_is 'fanin: into: input file is output file'
same a into

claim 'says that stdin is closed'
run_sh 'fanin --merge - a <&-'
exits 1
err_like 'read stdin: Bad file descriptor'

claim 'reads the others to their ends when an input fails'
head -c -2 a.zst >torn.zst
run fanin --merge torn.zst b
exits 1
is "$(lines_of b)" "$(cat b)"
err_is 'fanin: torn.zst: ended inside a zstd frame
fanin: 1 of 2 inputs could not be read to the end'

claim 'opens more inputs than the soft limit of open files'
mkdir many
i=0
while [ $i -lt 300 ]; do
    i=$((i + 1))
    echo $i >many/$i
done
run_sh 'ulimit -Sn 100; fanin --merge many/*'
exits 0
is "$(sort -n "$out")" "$(seq 300)"

claim 'says that there are more inputs than the hard limit'
run_sh 'ulimit -n 100; fanin --merge many/*'
exits 1
out_is ''
err_like '^fanin: open many/[0-9]+: too many inputs for the limit of open files$'

# ---- events ----

claim 'names the input and its line of an event that is no JSON'
printf '%s\n' 1 '' '{"x":' 2 >bad
printf '1\0002\n"\377"\n3\n' >worse
run fanin --merge a bad worse --dead dead --stats
exits 123
is "$(counts)" '[8,5,3,0]'
is "$(jq -c '[.reason,.input,.line]' dead | sort)" '["bad_json","bad",3]
["bad_json","worse",1]
["bad_json","worse",2]'
is "$(jq -r .message dead | sort)" 'bad:3: unexpected end at byte 6
worse:1: text after the value at byte 2
worse:2: invalid UTF-8 at byte 2'
rm dead

claim 'names the input and its line of an event that is too large'
perl -e 'print "\"", "x" x 10_000_000, "\"\n", "1\n"' >large
run fanin --merge --max-event 1M large a --dead dead
exits 123
is "$(jq -c '[.reason,.input,.line,.length]' dead)" '["too_large","large",1,10000002]'
is "$(wc -l <"$out")" 3
rm dead

claim 'passes a line of 10 MB'
run fanin --merge large a
exits 0
is "$(lines_of a)" "$(cat a)"
is "$(wc -c <"$out")" "$(cat large a | wc -c)"

claim 'exits 1 when its output cannot be written'
run_sh 'fanin --merge a b >/dev/full'
exits 1
err_like 'write stdout: No space left on device'

claim 'ends quietly when its reader leaves'
seq 1000000 >long
run_sh 'fanin --merge long a | head -n 1'
exits 0
err_is ''

claim 'ends on SIGTERM though no writer comes'
mkfifo fifo
rm got
fanin --merge fifo a >got 2>errors &
pid=$!
within 60 sh -c '[ "$(wc -l <got)" -eq 2 ]'
kill -TERM $pid
status=0
wait $pid || status=$?
exits 143
rm fifo

# ---- --tag ----

claim '--tag adds the input to an object, whose bytes stay'
printf '%s\n' '{"n" : 1.0}' '{}' ' { "a":{} , "b":[ ] }	' '{ }' >objects
run fanin --merge --tag from objects
exits 0
out_is '{"n" : 1.0,"from":"objects"}
{"from":"objects"}
{ "a":{} , "b":[ ],"from":"objects" }
{ "from":"objects"}'

claim '--tag puts an event that is no object beside the tag'
printf '%s\n' 1.0 '"}"' null '[ {} ]' >others
run fanin --merge --tag from others
exits 0
out_is '{"from":"others","value":1.0}
{"from":"others","value":"}"}
{"from":"others","value":null}
{"from":"others","value":[ {} ]}'

claim '--tag comes last, so that it counts where the member is there already'
echo '{"from":"elsewhere","x":1}' >tagged
run fanin --merge --tag from tagged
exits 0
out_is '{"from":"elsewhere","x":1,"from":"tagged"}'
is "$(jq -c . "$out")" '{"from":"tagged","x":1}'

claim '--tag names each input as it was given, and stdin -'
echo '{}' >'./q"\ü'
run fanin --merge --tag 'a"b' './q"\ü' ./objects - <tagged
exits 0
is "$(jq -r '."a\"b"' "$out" | sort -u)" '-
./objects
./q"\ü'
run fanin --merge --tag x <tagged
is "$(jq -r .x "$out")" '-'

claim '--tag replaces the bytes of a path that are no UTF-8'
name=$(printf 'x\377y')
echo '{}' >"$name"
run fanin --merge --tag from "$name"
exits 0
out_is '{"from":"x?y"}'

claim '--tag value would hide events that are no objects'
run fanin --merge --tag value a
exits 2
err_like '^fanin: --tag: value: '
run fanin --merge --tag '' a
exits 2

# ---- --sorted ----

claim '--sorted merges in the order of jq, equal ones in the order of the inputs'
printf '%s\n' '{"k":null,"i":1}' '{"k":1,"i":1}' '{"k":10,"i":1}' '{"k":"a","i":1}' '{"k":[1],"i":1}' >one
printf '%s\n' '{"i":2}' '{"k":false,"i":2}' '{"k":1.0,"i":2}' '{"k":2,"i":2}' '{"k":"\u0061","i":2}' '{"k":{},"i":2}' >two
run fanin --merge --sorted .k one two
exits 0
err_is ''
is "$(jq -c . "$out")" "$(cat one two | jq -cs 'sort_by(.k)[]')"
is "$(sort "$out")" "$(sort one two)"

claim '--sorted gives what jq gives of random values'
perl -e 'srand 5; sub v { my $d = shift; my $r = int rand($d ? 7 : 5); $r == 0 ? "null" : $r == 1 ? "true" :
    $r == 2 ? int(rand 20) - 10 : $r == 3 ? rand(3) : $r == 4 ? "\"" . join("", map { ("a", "B", "\\u00e9", "\\n")[rand 4] } 1 .. rand 4) . "\"" :
    $r == 5 ? "[" . join(",", map { v($d - 1) } 1 .. rand 3) . "]" : "{" . join(",", map { "\"" . ("a" .. "e")[$_ * rand 2] . "\":" . v($d - 1) } 1 .. rand 3) . "}" }
    for my $f (1 .. 5) { open my $o, ">", "random$f"; print $o "{\"f\":$f,\"i\":$_,\"k\":" . v(2) . "}\n" for 1 .. 400 }'
for f in 1 2 3 4 5; do
    jq -cs 'sort_by(.k)[]' random$f >sorted$f
done
run fanin --merge --sorted .k sorted1 sorted2 sorted3 sorted4 sorted5
exits 0
err_is ''
cat sorted? | jq -cs 'sort_by(.k)[]' >expected
out_same expected

claim '--sorted compares numbers with all their digits'
printf '%s\n' 9007199254740992 9007199254740994 >even
printf '%s\n' 9007199254740991 9007199254740993 >odd
run fanin --merge --sorted . even odd
exits 0
out_is "$(seq 9007199254740991 9007199254740994)"

claim '--sorted waits for each input that is open'
mkfifo fifo
exec 8<>fifo
printf '%s\n' 1 5 9 >file
rm got
fanin --merge --sorted . file fifo >got 2>errors 8>&- &
pid=$!
echo 3 >&8
within 60 grep -q 1 got || wrong 'what is less than the first line of the FIFO' 1 got
echo 7 >&8
within 60 grep -q 7 got || wrong 'what is less than the next line of the file' 7 got
is "$(xargs <got)" '1 3 5 7'
exec 8>&-
wait $pid
is "$(xargs <got)" '1 3 5 7 9'
rm fifo

claim '--sorted names an input that is not sorted once, loses nothing, and exits 1'
printf '%s\n' 1 4 2 3 1 >jumble
run fanin --merge --sorted . --stats jumble file
exits 1
is "$(xargs <"$out")" '1 1 4 2 3 1 5 9'
is "$(counts)" '[8,8,0,0]'
is "$(head -n 2 "$err")" 'fanin: jumble:3: not sorted by .
fanin: 1 of 2 inputs are not sorted'

claim '--sorted makes a dead letter of an event without a value, and goes on'
printf '%s\n' '{"k":1}' 7 '{"k":' '{"k":3}' >holes
printf '%s\n' '{"k":2}' '{"k":4}' >whole
run fanin --merge --sorted .k holes whole --dead dead
exits 123
is "$(jq -c .k "$out" | xargs)" '1 2 3 4'
is "$(jq -c '[.reason,.input,.line]' dead)" '["bad_event","holes",2]
["bad_json","holes",3]'
is "$(jq -r .message dead | head -n 1)" "holes:2: --sorted jq '.k': Cannot index number with string \"k\""
rm dead
run fanin --merge --sorted 'select(false)' --dead dead whole
exits 123
is "$(jq -r .message dead | tail -n 1)" "whole:2: --sorted jq 'select(false)': no value"
rm dead

claim '--sorted tells a program that is none'
run fanin --merge --sorted '.[' a
exits 2
err_like '^fanin: '

claim '--sorted and --tag go together'
run fanin --merge --sorted .k --tag from whole one
exits 0
is "$(jq -r .from "$out" | xargs)" 'one one whole whole one one one'

claim 'names the place of an event that is redriven, which dies again'
run fanin --merge --sorted .k --tag from --state dir holes whole
exits 123
run dead redrive --state dir
exits 123
out_is ''
is "$(dead list --state dir | wc -l)" 2
run dead show --state dir
is "$(jq -c '[.input,.line]' "$out")" '["holes",2]
["holes",3]'

# ---- usage ----

claim 'the option of a form stands before the inputs'
run fanin a --merge b
exits 2
err_like '^fanin: --merge must stand before the inputs$'
run fanin a --show
exits 2
err_like '^fanin: --show must stand before the inputs$'

claim 'refuses options that are about groups'
run fanin --merge --group .k a
exits 2
err_like '^fanin: --group: not with --merge'

claim '--sorted and --tag are for --merge'
run fanin --sorted .k a
exits 2
err_like '^fanin: --sorted needs --merge'
run fanin --tag x a
exits 2
err_like '^fanin: --tag needs --merge'

claim 'a line without an end does not keep the others waiting'
mkfifo beside
fanin --merge /dev/zero beside >passed &
merging=$!
echo '"here"' >beside
check within 60 grep here passed
kill "$merging"
within 60 sh -c "! kill -0 $merging" || kill -9 "$merging"
wait "$merging"
is $? 143

finish
