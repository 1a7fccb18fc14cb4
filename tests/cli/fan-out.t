#!/bin/sh
# fan-out.t: one call for each event. Splitting, batches and reports have files of their own.
. "${0%/*}/lib.sh"

cat >exact <<'END'
{"n":123456789012345678901234567890,"f":1.000000000000000000000000000001,"e":1E+400,"z":-0.0}
{"a":1,"a":2,"":{},"b":[ ]}
  { "spaced" :	[ 1 ,2,  3 ] }
{"escapes":"\u0041\/\ud83d\ude00 \ud800 é","raw":"é😀"}
"a string"
null
[[[[[[[[]]]]]]]]
END

claim 'events come through a process each byte for byte'
run fan-out -- cat <exact
exits 0
out_same exact

claim 'events come through line workers byte for byte'
run fan-out -j3 -- lines:cat <exact
exits 0
out_same exact

claim 'events come through "-" byte for byte'
run fan-out -- - <exact
exits 0
out_same exact

claim 'the words after -- are the function, with its own options'
printf '1\n2\n3\n' >three
run fan-out -j2 -- sh -c 'exec cat' <three
exits 0
err_is ''
out_same three

claim 'options end at the first word of the function'
run fan-out -j2 sh -c 'exec cat' -j7 -u <three
exits 0
err_is ''
out_same three

claim 'an option of ours among the words of a function without -- is warned about'
run fan-out sh -c 'exec cat' --timeout 1s <three
exits 0
out_same three
err_like '^fan-out: .*--timeout'
run fan-out -- sh -c 'exec cat' --timeout 1s <three
exits 0
err_is ''

claim 'a function that does not exist is 127, one that cannot be executed 126'
run fan-out -- ./missing <three
exits 127
err_like '^fan-out: .*missing'
: >plain
run fan-out -- ./plain <three
exits 126

claim 'results come in the order of the events, however late the first is'
cat >late <<'END'
#!/bin/sh
read -r n
[ "$n" != 1 ] || until [ -e last ]; do sleep 0.01; done
[ "$n" != 3 ] || : >last
echo "$n"
END
chmod +x late
run fan-out -j3 -- ./late <three
exits 0
out_same three
rm -f last

claim 'with -u they come as they finish'
cat >last_of_all <<END
#!/bin/sh
read -r n
[ "\$n" != 1 ] || until [ "\$(wc -l <'$out')" -eq 2 ]; do sleep 0.01; done
echo "\$n"
END
chmod +x last_of_all
run fan-out -u -j3 -- ./last_of_all <three
exits 0
is "$(sort "$out")" "$(cat three)"
is "$(tail -n 1 "$out")" 1 'the last line'

claim 'at most -j calls run at once'
cat >crowd <<'END'
#!/bin/sh
read -r n
: >"in.$n"
set -- in.*
echo "$#" >>crowded
cat >/dev/null
sleep 0.02
rm "in.$n"
END
chmod +x crowd
run_sh 'seq 40 | fan-out -j4 -- ./crowd'
exits 0
is "$(awk '$1 > 4' crowded)" '' 'more than four'

claim 'a function may print no line, one or several; each must be JSON'
run fan-out -j1 -- sh -c 'read n; seq $n' <three
out_is '1
1
2
1
2
3'
run fan-out -- true <three
exits 0
out_is ''
run fan-out --dead dead.ndjson -- echo not json <three
exits 123
is "$(jq -r .reason dead.ndjson | sort -u)" bad_result
rm dead.ndjson

claim 'a failure concerns its event only, and its letter says what happened'
run fan-out -j1 --dead dead.ndjson -- sh -c 'read n; [ $n != 2 ] || { echo why >&2; exit 3; }; echo $n' <three
exits 123
out_is '1
3'
is "$(jq -c '[.event,.reason,.exit,.stderr,.attempts,.command]' dead.ndjson)" \
    '[2,"exit",3,"why\n",1,"fan-out"]'
rm dead.ndjson

claim 'a document over several lines is one event with --document'
printf '\n{\n  "a": [1,\n\t2],\r\n  "b": "x y"\n}\n\n' >pretty
run fan-out --document -- - <pretty
exits 0
is "$(wc -l <"$out")" 1 lines
is "$(jq -c . "$out")" '{"a":[1,2],"b":"x y"}'
zstd -qc pretty >pretty.zst
run_sh 'fan-out --document -- - <pretty.zst'
is "$(jq -c . "$out")" '{"a":[1,2],"b":"x y"}'

claim 'a document that is no JSON, or too large, is a dead letter'
printf '{"a":"x\ny"}\n' >bad
run fan-out --document -- - <bad
exits 123
out_is ''
is "$(jq -c '[.raw,.reason]' "$err")" '["{\"a\":\"x\ny\"}","bad_json"]'
run fan-out --document --max-event 20 -- - <pretty
exits 123
is "$(jq -r .reason "$err")" too_large
run fan-out --document --stats -- - </dev/null
exits 0
is "$(jq .read "$err")" 0

claim 'a first line of two bytes does not wait for more'
mkfifo slow
last_command='fan-out with a slow source'
fan-out -- cat <slow >"$out" 2>"$err" &
pid=$!
exec 9>slow
printf '1\n' >&9
within 60 grep -qx 1 "$out" || wrong 'a result while the input is open' 1 "$out"
exec 9>&-
wait "$pid" || wrong 'exit status' 0 $?

claim 'a stalled first event holds up no more than the window, and none of the work before'
cat >stalls <<'END'
#!/usr/bin/perl
$| = 1;
while (<STDIN>) {
    if ($_ == 1) { select undef, undef, undef, 0.01 until -e "last" }
    if ($_ == 3) { open my $file, ">", "last" }
    print;
}
END
chmod +x stalls
run_sh '{ echo 1; seq 10 3000; echo 3; } | fan-out -j2 --pipeline 1 -- lines:./stalls'
exits 0
{ echo 1 && seq 10 3000 && echo 3; } >expected
out_same expected

claim 'results that cannot be written are dead letters, all of them'
run_sh 'seq 20 | fan-out -j20 --dead unwritten -- - >/dev/full'
exits 1
err_like 'write stdout'
is "$(jq -c '[.event,.reason]' unwritten | wc -l)" 20

finish
