#!/bin/sh
# dead.t: dead letters that are kept in the state directory, looked at, redriven and dropped.
. "${0%/*}/lib.sh"

printf '{"n":1}\n{"n":2}\n{"n":3}\n' >events
cat >odd <<'EOF'
#!/bin/sh
# fails on {"n":2} while there is a file broken
event=$(cat)
case $event in *2*) [ ! -e "${0%/*}/broken" ] || exit 3 ;; esac
printf '%s\n' "$event"
EOF
cat >mark <<'EOF'
#!/bin/sh
sed 's/}/,"x":1}/'
EOF
chmod +x odd mark
export FIT_STATE="$work/here/state"

claim 'letters are kept in the state that is named, and standard error stays clean'
touch broken
run fan-out --quiet -- ./odd <events
exits 123
err_is ''
out_is '{"n":1}
{"n":3}'
check test -e state/data.mdb

claim 'a run without failures opens no store'
rm -rf state broken
run fan-out -- ./odd <events
exits 0
check test ! -e state
touch broken

claim '--dead is stronger than the state'
run fan-out --quiet --dead dead -- ./odd <events
exits 123
check test ! -e state
is "$(jq -c '[.event, .argv]' dead)" '[{"n":2},null]'

claim 'without a state that is named letters go to standard error, with the time of their death'
printf '{\n' >malformed
FIT_STATE='' run fan-out -- ./odd <malformed
exits 123
is "$(jq -c '[.raw, .argv, (.last_at | length)]' "$err")" '["{",null,24]'

claim 'letters that cannot be kept go to standard error, and the exit status is 1'
: >no-folder
run fan-out --state no-folder/state -- ./odd <events
exits 1
err_like '^fan-out: keep a dead letter: .*no-folder'
is "$(grep '^{' "$err" | jq -c .event)" '{"n":2}'


# Three letters: an event of fan-out, a malformed line of it, and an event in stage 2 of a chain.
three() {
    rm -rf state
    touch broken
    printf '{"n" : 2.0}\n{"n":\n' | fan-out --quiet -- ./odd
    printf '{"n":2}\n' | chain --quiet ./mark ./odd
}

claim 'list tells a line of each letter'
three
run dead list
exits 0
is "$(jq -c '[.letter, .command, .reason, .function, .stage, .message]' "$out")" \
    '[1,"fan-out","exit","./odd",null,"exit status 3"]
[2,"fan-out","bad_json",null,null,"stdin:2: unexpected end at byte 6"]
[3,"chain","exit","./odd",2,"exit status 3"]'
is "$(jq -r '.last_at | length' "$out" | sort -u)" 24

claim 'show tells all of a letter, with its number, and the command line that failed'
run dead show 1
exits 0
is "$(jq -c '[.letter, .exit, .argv, .cwd]' "$out")" \
    "[1,3,[\"fan-out\",\"--quiet\",\"--\",\"./odd\"],\"$PWD\"]"
out_like '^\{"event":\{"n" : 2\.0\},'
run dead show 2
is "$(jq -r .raw "$out")" '{"n":'

claim 'letters are picked by command, reason, time, program and number, all at once'
picks() {
    want=$1
    shift
    run dead list "$@"
    exits 0
    is "$(jq .letter "$out" | tr '\n' ' ')" "$want" "letters of $*"
}
picks '3 ' --command chain
picks '2 ' --reason bad_json
picks '1 3 ' --reason exit
picks '1 ' --reason exit --command fan-out
picks '1 3 ' --match '.exit == 3'
picks '3 ' --match '.event | has("x")'
picks '1 2 3 ' --since 1h
picks '1 2 3 ' --since 2020-02-29T23:59:59.5-01:00
picks '' --since 2200-01-01T00:00:00Z
picks '3 1 ' 3 1
picks '1 ' 3 1 --command fan-out
picks '3 ' --reason=exit 3 2

claim 'count is a number'
run dead count
out_is 3
run dead count --command none
exits 0
out_is 0

claim 'without a state directory there are no letters, and none is made'
for verb in list count redrive; do
    run dead $verb --state nowhere
    exits 0
done
out_is ''
check test ! -e nowhere

claim 'a number without a letter is said, and the others are done'
run dead list 1 9 2
exits 1
is "$(jq .letter "$out" | tr '\n' ' ')" '1 2 '
err_is 'dead: there is no letter 9'

claim 'what cannot be meant is refused'
for words in '--since yesterday' '--since 2026-02-30T00:00:00Z' '--since 2026-02-03' '0' 'x' '-1' \
    '--match .a|' '--since -1'; do
    # shellcheck disable=SC2086 # words
    run dead list $words
    exits 2
done

claim 'drop removes what is picked, and all only when that is said'
run dead drop
exits 2
err_like 'all of them: --all'
run dead drop --all 1
exits 2
run dead drop 2
exits 0
out_is ''
picks '1 3 '
run dead drop --command chain
picks '1 '
run dead drop --all
exits 0
run dead count
out_is 0

claim 'numbers of letters are never used again'
printf '{"n":2}\n' | fan-out --quiet -- ./odd
picks '4 '

claim 'redrive gives the bytes to the command that failed, in its folder, and removes what is done'
three
rm broken
mkdir -p elsewhere
run_sh 'cd elsewhere && dead redrive 1'
exits 0
out_is '{"n" : 2.0}'
err_is ''
picks '2 3 '

claim 'a letter of a chain goes on at its stage'
run dead redrive --command chain
exits 0
out_is '{"n":2,"x":1}'
picks '2 '

claim 'a malformed line dies again, with all its bytes, and keeps its place'
run dead redrive
exits 123
out_is ''
run dead show 2
is "$(jq -c '[.raw, .reason, .redriven]' "$out")" '["{\"n\":","bad_json",1]'

claim 'what fails again stays, in one letter, with what happened last'
three
run dead redrive --reason exit
exits 123
out_is ''
picks '1 2 3 '
run dead show 1 3
is "$(jq -c '[.exit, .redriven, .stage]' "$out")" '[3,1,null]
[3,1,2]'

claim 'an event keeps its identity when it is redriven'
cat >identify <<'EOF'
#!/bin/sh
[ -e broken ] && exit 1
printf '"%s"\n' "$FIT_ID"
EOF
chmod +x identify
rm -rf state
printf '1\n1\n1\n' | fan-out --quiet -- ./identify
rm broken
run dead redrive
exits 0
cp "$out" redriven
printf '1\n1\n1\n' | fan-out --quiet -- ./identify >once
same once redriven

claim 'the words of another command may follow'
three
run dead redrive 1 2 -- fan-out --quiet -- sed s/2/3/
exits 123
out_is '{"n" : 3.0}'
run dead redrive 3 -- fit chain cat cat
exits 0
out_is '{"n":2,"x":1}'
picks '2 '

claim 'a command that is no fitting gets nothing'
run dead redrive 2 -- cat
exits 127
err_like '^dead: cat: no such fitting'
picks '2 '

claim 'a fitting of redrive that writes letters elsewhere leaves those of the state where they are'
run dead redrive 2 -- fan-out --quiet --dead aside -- cat
exits 123
is "$(jq -r .raw aside)" '{"n":'
picks '2 '

claim 'events of 10 MB and bytes of any kind come back as they were'
rm -rf state
touch broken
awk 'BEGIN { printf "[\""; for (i = 0; i < 1000000; i++) printf "0123456789"; print "\" ]" }' >large
printf ' \t[ "2" ]\t\n' >blanks
printf '"\377\200"\n[2,\001]\n"2\n' >malformed
cat large blanks malformed | fan-out --quiet -- ./odd
run dead count
out_is 5
run dead redrive --reason bad_json
exits 123
run dead redrive --reason bad_json
exits 123
run dead show --reason bad_json
is "$(jq -c '[.base64, .raw, .redriven]' "$out")" '["Iv+AIg==",null,2]
[null,"[2,\u0001]",2]
[null,"\"2",2]'
rm broken
run dead redrive --reason exit
exits 0
cat large blanks >want
out_same want
run dead count
out_is 3

claim 'of an oversized line only the head was kept: it stays'
rm -rf state
fan-out --quiet --max-event 1K -- ./odd <large
run dead redrive
exits 123
err_is 'dead: letter 1 stays: only the head of its event was kept'
run dead count
out_is 1

claim 'a part that was left out goes to the function as a part'
rm -rf state
touch broken
printf '{"id":"e","p":[1,2,3]}\n' >document
run fan-out --quiet --split '.p[]' --on-part-failure skip -- ./odd <document
out_is '[1,3]'
run dead redrive
exits 0
run dead show
is "$(jq -c '[.event, .part, .parts, .redriven]' "$out")" '[2,1,3,1]'
rm broken
run dead redrive
out_is '[2]'
run dead count
out_is 0

claim 'of several functions only the one that failed is called again'
rm -rf state
touch broken closed
cat >shut <<'EOF'
#!/bin/sh
[ ! -e closed ] || exit 4
exec cat
EOF
chmod +x shut
run_sh 'echo 2 | route --quiet --all true "tee -a noted" true ./odd true ./shut'
out_is 2
is "$(dead count)" 2
run dead redrive
exits 123
out_is ''
is "$(dead count)" 2
rm broken closed
run dead redrive
exits 0
is "$(grep -c '^2$' "$out")" 2
is "$(grep -c '^2$' noted)" 1

claim 'a letter of a queue goes back into it, and its letter is gone'
rm -rf state
touch broken
echo 2 | queue push alerts
run queue work alerts --quiet --max-receives 1 --until-empty -- ./odd
is "$(dead list | jq -c '[.letter, .command]')" '[1,"queue"]'
is "$(queue show alerts | jq -c '[.ready, .dead]')" '[0,1]'
run dead redrive
exits 0
out_is ''
is "$(queue show alerts | jq -c '[.ready, .dead]')" '[1,0]'
rm broken
run queue work alerts --until-empty -- ./odd
out_is 2

claim 'one redrives at a time'
three
rm broken
mkfifo hold
mkfifo begun
run_sh 'dead redrive 1 -- fan-out -- sh -c "echo >begun; cat hold" &
    read -r _ <begun
    dead redrive 3; echo $? >second; echo 1 >hold; wait'
is "$(cat second)" 75
err_like 'another process is redriving letters'
run dead count
out_is 2

claim 'interrupted, it leaves what was not done'
three
rm broken
cat >waits <<'EOF'
#!/bin/sh
echo >>started
exec sleep 1000
EOF
chmod +x waits
status=0
dead redrive --reason exit -- fan-out --grace 100ms -- ./waits >"$out" 2>"$err" &
pid=$!
within 60 test -s started || wrong 'a start' started "$err"
kill -TERM "$pid"
wait "$pid" || status=$?
exits 143
picks '1 2 3 '
run dead show 1
is "$(jq -c '[.exit, .redriven]' "$out")" '[3,null]' 'the letter as it was'

claim 'a reader that leaves early loses nothing'
rm -rf state
touch broken
seq 2000 2999 | fan-out --quiet -- ./odd
rm broken
# More than a pipe and the reader's own buffer hold.
cat >long <<'END'
#!/usr/bin/perl
$| = 1;
print '"', 'x' x 5000, "\"\n" while <STDIN>;
END
chmod +x long
run_sh 'dead redrive -- fan-out --quiet -- lines:./long | head -n 1'
run dead list
is "$(grep -c . "$out" | sed 's/^[1-9][0-9]*$/some/')" some

finish
