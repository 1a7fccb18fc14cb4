#!/bin/sh
# every.t: claims about every.
# shellcheck disable=SC2016 # functions hold $
. "${0%/*}/lib.sh"

# The scheduled times of events (in $1) in milliseconds, one a line.
times_of() {
    jq -r '(.data // .).scheduled | sub("\\.(?<ms>[0-9]+)Z$"; "Z \(.ms)") | split(" ") |
        (.[0] | fromdate) * 1000 + (.[1] | tonumber)' "$1"
}

# Those that are not `$2` milliseconds, or a multiple of them, behind the one before.
out_of_step() {
    times_of "$1" | awk -v step="$2" 'NR > 1 && ($1 <= last || ($1 - last) % step) { print } { last = $1 }'
}

# Those that are not `$2` milliseconds behind the one before.
gaps() {
    times_of "$1" | awk -v step="$2" 'NR > 1 && $1 - last != step { print last, $1 } { last = $1 }'
}

# Let time pass: $1 milliseconds.
pass() {
    every "${1}ms" --count 2 -- true
}

cat >overlaps <<'END'
#!/bin/sh
# overlaps: takes a while; notes when it is not alone.
cat
mkdir busy 2>/dev/null || echo overlap >>wrong
sleep 0.2
rmdir busy
END
chmod +x overlaps

claim 'an interval begins at once, and then in step'
run every 20ms --count 6 --data
exits 0
err_is ''
is "$(grep -c scheduled "$out")" 6
is "$(out_of_step "$out" 20)" ''
is "$(jq -c 'select(.started < .scheduled)' "$out")" '' 'events before their time'

claim 'an event is a CloudEvent with the scheduled time as its id'
run every 1h --count 1
exits 0
is "$(jq -c '[.specversion, .source, .type, .id == .time, .id == .data.scheduled,
    .data.last_success, .data.missed, .data.skipped, (.data.run | length)]' "$out")" \
    '["1.0","fit:every/1h","fit.every.tick",true,true,null,0,0,16]'

claim 'the name is encoded where a URI needs it'
run every 1h --count 1 --name 'a b/ü%'
is "$(jq -r .source "$out")" 'fit:every/a%20b%2F%C3%BC%25'
run every '1h' --count 1 -- jq -c .source
out_is '"fit:every/1h%20jq%20-c%20.source"'

claim 'a function knows the time by its identity, also with --data'
run every 1h --count 1 -- sh -c 'jq -c --arg id "$FIT_ID" "[.source + \"#\" + .id == \$id]"'
out_is '[true]'
run every 1h --count 1 --data --name n -- sh -c 'jq -c --arg id "$FIT_ID" "[\"fit:every/n#\" + .scheduled == \$id]"'
out_is '[true]'

claim 'a word "at" takes the next one'
run every at 2000-01-01T00:00 --test-at 2000-01-01T00:00:00Z --data -- jq -c .scheduled
exits 0
out_is '"2000-01-01T00:00:00.000Z"'

claim '--test-at runs the function once as at that time, and keeps nothing'
run every '0 5 * * *' --name t --tz Europe/Berlin --test-at 2026-07-01T05:00 --state st -- \
    jq -c '[.data.scheduled, .data.started, .id != .time]'
exits 0
out_is '["2026-07-01T03:00:00.000Z","2026-07-01T03:00:00.000Z",true]'
[ ! -e st ] || wrong 'no state directory' '' "$(ls st)"
run every '0 5 * * *' --test-at 05:00 --state st -- false
exits 123
[ ! -e st ] || wrong 'no state directory' '' "$(ls st)"
is "$(jq -r '.event.id | sub("^.*(?=/)"; "") | sub("-.*"; "")' "$err")" /test

claim 'what is wrong is said'
run every
exits 2
err_like "^every: no schedule \(30s, '0 5 \* \* mon', @daily, at 17:30\)"
run every '61 5 * * *' true
exits 2
err_like '^every: 61 5 \* \* \*: '
run every 0 5 '*' '*' mon ./report
exits 2
err_like "^every: 0 5: the schedule is one word: quote it \('0 5 \* \* mon'\)"
run every nonsense true
exits 2
err_like '^every: nonsense: '
run every '' true
exits 2
err_like '^every: .*empty'
run every 1.0001s true
exits 2
err_like '^every: 1.0001s: finer than 1ms'
run every 1s --tz Nowhere/Else true
exits 2
err_like '^every: --tz: .*Nowhere/Else'
run every 1s --test-at yesterday true
exits 2
err_like '^every: --test-at: yesterday: '
run every at 2001-01-01T00:00 true
exits 2
err_like '^every: at 2001-01-01T00:00: has passed'
run every 1s --missed some true
exits 2
err_is "every: --missed: some: not none, one or all
try 'fit every --help'"
run every 1s --overlap maybe true
exits 2
err_like '^every: --overlap: maybe: not forbid, allow, replace or queue'
run every 1s --start-deadline 0 true
exits 2
err_like '^every: --start-deadline: 0: must not be 0'
run every 1s -j2 true
exits 2
err_like '^every: --jobs needs --overlap allow'
run every 1s --once --test-at 18:00 true
exits 2
err_like '^every: --test-at and --once do not go together'
run every 1s --name "$(printf 'a\nb')" true
exits 2
err_like '^every: --name: '

claim 'a function that is missing is told at the start'
run every 1h -- ./missing
exits 127
run every 1h --once -- ./missing
exits 127

claim 'output that cannot be written is an error that is said'
run_sh 'every 10ms --count 2 >/dev/full'
exits 1
err_like '^every: .*No space left on device'
run_sh 'every 10ms --count 2 >&-'
exits 1

claim 'a reader that leaves ends it'
run_sh 'every 10ms -- cat | head -n 1 | jq -r .type'
out_is 'fit.every.tick'
err_is ''

claim 'a reader that leaves ends what only prints events, also hours before the next one'
run_sh 'every 10h | head -n 1 | jq -r .type'
exits 0
out_is 'fit.every.tick'
err_is ''
run_sh 'every 10h --name reader | head -n 1 | jq -r .type'
exits 0
run every 10h --name reader --budget 200ms
exits 75
out_is ''

claim 'a reader that leaves ends what runs a function, also hours before the next time'
run_into 'head -n 1 | jq -r .type' every 10h --stats -- cat
exits 0
out_is 'fit.every.tick'
check grep -q '"read":1,"done":1,' "$err"
run_unread every 10h -- true
exits 0
run_unread every 10h --jitter 5h -- cat
exits 0

claim 'a run that is under way then has the grace'
run_unread every 10h --grace 100ms --stats -- sleep 1000
exits 0
check grep -q '"read":1,"done":0,"dead":0,"dropped":1' "$err"

claim 'nobody reads: that does not matter to what prints no results, nor to --once'
run_unread every 20ms --count 3 --data -- file:unread
exits 0
is "$(wc -l <unread | tr -d ' ')" 3
run_unread every 1h --once --name effect -- sh -c ': >effect'
exits 0
check test -e effect

claim 'with a name, a result that comes when nobody reads any more is none: the time begins again'
cat >late <<'END'
#!/bin/sh
: >begun
until [ -e left ]; do sleep 0.02; done
sleep 0.1
echo 1
END
chmod +x late
mkfifo results
every 1h --name late --grace 100s --stats -- ./late >results 2>"$err" &
pid=$!
exec 7<results
check within 60 test -e begun
exec 7<&-
: >left
wait $pid
is $? 0
check grep -q '"read":1,"done":0,"dead":0,"dropped":0,"returned":1' "$err"
run every 1h --name late --count 1 --budget 60s -- jq -c .data.last_success
exits 0
out_is null

claim 'with a name, what nobody has read begins again'
run_sh "every 1h --name unread --overlap queue -- sh -c 'seq 100000' | true"
run every 1h --name unread --count 1 -- jq -c .data.last_success
exits 0
out_is null

claim 'a closed standard input does not matter'
run_sh 'every 1h --count 1 -- jq -c .type <&-'
exits 0
out_is '"fit.every.tick"'

claim 'forbid: a time that comes while a run is under way is skipped'
run every 20ms --count 3 --stats -- ./overlaps
exits 0
[ ! -e wrong ] || wrong 'one run at a time' '' wrong
is "$(out_of_step "$out" 20)" ''
is "$(jq '.skipped >= 2 and .done == 3' "$err")" true 'skipped, done'
is "$(jq -s '.[0].data.skipped == 0 and .[1].data.skipped + .[1].data.missed >= 1' "$out")" true \
    'what an event says was left out before it'

claim 'queue: it waits for its turn, and none is left out'
run every 50ms --count 4 --overlap queue --missed all --stats -- ./overlaps
exits 0
[ ! -e wrong ] || wrong 'one run at a time' '' wrong
is "$(gaps "$out" 50)" ''
is "$(jq -c '[.missed, .skipped]' "$err")" '[0,0]'

claim 'allow: up to --jobs runs are under way at once'
cat >meet <<'END'
#!/bin/sh
# meet: waits for two others.
cat >/dev/null
mktemp met.XXXXXX >/dev/null
n=0
until [ "$(ls met.* | wc -l)" -ge 3 ] || [ $n -ge 2000 ]; do sleep 0.01; n=$((n + 1)); done
ls met.* | wc -l | tr -d ' '
END
chmod +x meet
run every 50ms --count 3 --overlap allow -j3 -- ./meet
exits 0
out_is '3
3
3'
run every 20ms --count 3 --overlap allow -j2 --stats -- sleep 0.5
is "$(jq '.skipped >= 1' "$err")" true skipped

# replaces NAME OPTIONS...: runs of ./NAME take each other's place until there were three, and then
# one may end. Its output is in $out, the counts in $err.
replaces() {
    rm -f runs go
    last_command="every 200ms --overlap replace $*"
    name=$1
    shift
    every 200ms --overlap replace --stats "$@" -- "./$name" >"$out" 2>"$err" &
    pid=$!
    within 60 sh -c '[ "$(wc -l <runs)" -ge 3 ]' || wrong 'three runs' 3 runs
    touch go
    within 60 test -s "$out" || wrong 'a run that ends' '' "$out"
    kill -TERM "$pid"
    status=0
    wait "$pid" || status=$?
    exits 143
    is "$(grep '^{"read"' "$err" | jq -c '[.done >= 1, .dropped >= 2, .read == .done + .dropped + .dead]')" \
        '[true,true,true]' 'counts'
}

# It must end before the next one takes its place: the shell alone does it.
cat >last_success <<'END'
#!/bin/sh
read -r event
case $event in *'"last_success":null'*) echo null ;; *) echo '"some"' ;; esac
END
chmod +x last_success

claim 'replace: the run under way is ended, and its event dropped'
cat >hangs <<'END'
#!/bin/sh
# hangs: until there is a file "go".
echo >>runs
[ -e go ] || exec sleep 100
exec ./last_success
END
chmod +x hangs
replaces hangs --grace 10s
is "$(jq '.dead + .letters' "$err")" 0 'dead, and letters'
is "$(head -n 1 "$out")" null

claim 'replace: also one that does not want to end'
cat >stubborn <<'END'
#!/bin/sh
# stubborn: hangs, and does not heed SIGTERM, until there is a file "go".
trap '' TERM
echo >>runs
until [ -e go ]; do sleep 0.05; done
exec ./last_success
END
chmod +x stubborn
replaces stubborn --grace 50ms
is "$(head -n 1 "$out")" null

claim 'a run may be an event in a queue'
run every 1h --count 1 --name pushes -- queue:ticks
exits 0
is "$(queue peek ticks | jq -r '.event.source // .source')" fit:every/pushes

claim '--jitter delays the start, and the scheduled times stay in step'
run every 40ms --jitter 30ms --count 6 --data --missed all --overlap queue
exits 0
is "$(gaps "$out" 40)" ''
is "$(jq -c 'select(.started < .scheduled)' "$out")" ''
is "$(jq -s 'map(.started == .scheduled) | all' "$out")" false 'all at once'

claim 'with a name times are kept: the next run goes on, in step'
run every 100ms --name kept --count 2 --data
exits 0
cp "$out" first
pass 350
run every 100ms --name kept --count 2 --data
exits 0
err_is ''
cat first "$out" >both
is "$(out_of_step both 100)" ''
is "$(jq -s '.[2].last_success == .[1].scheduled and .[2].missed >= 2' both)" true \
    'last success, and missed'

claim 'a process that slept runs the last time that it missed, and goes on in step'
every 50ms --data >slept &
pid=$!
within 60 test -s slept || wrong 'it runs' '' slept
kill -STOP "$pid"
pass 400
kill -CONT "$pid"
within 60 grep -q '"missed":[1-9]' slept || wrong 'an event with what was missed' '' slept
before=$(wc -l <slept)
within 60 sh -c "[ \$(wc -l <slept) -gt $((before + 2)) ]"
kill -TERM "$pid"
wait "$pid" 2>/dev/null
is "$(out_of_step slept 50)" ''
is "$(jq 'select(.missed >= 6) | 1' slept | head -n 1)" 1 'missed at once'

claim 'missed all: each is made up for'
pass 350
run every 100ms --name kept --count 4 --missed all --overlap queue --data
cat both "$out" >three
is "$(tail -n 5 three >four && gaps four 100)" ''

claim 'start-deadline: what would begin later is missed'
pass 350
run every 100ms --name kept --count 2 --missed all --start-deadline 90ms --data
exits 0
is "$(jq -s '.[0].missed >= 2' "$out")" true missed

claim 'the state keeps nothing because of FIT_STATE alone'
for _ in 1 2; do
    run env FIT_STATE="$work/fit-state" every 1h --count 1 -- jq -c .data.last_success
    out_is 'null'
done
for _ in null '"2'; do
    run env FIT_STATE="$work/fit-state" every 30ms --name x --count 1 -- jq -c .data.last_success
    out_like "^$_"
done

claim 'without a name the schedule and the words are the name, with --state'
run every 1h --state st --count 1 -- jq -c .source
out_is '"fit:every/1h%20jq%20-c%20.source"'
run every 1h --state st --count 1 --budget 300ms -- jq -c .source
exits 75
out_is ''

claim 'another schedule under the name goes on from now, and says so with -v'
run every 1h --name change --count 1 -- true
run every 2h --name change --count 1 -v -- jq -c '.data.last_success | type'
exits 0
out_is '"string"'
err_like "^every: the schedule was '1h': going on from now"
run every 2h --name change --tz UTC --count 1 -v -- true
err_like "^every: the schedule was '2h': going on from now"
run every 2h --name change --count 1 -v -- true
err_like "^every: the schedule was '2h', of the zone UTC: going on from now"

claim 'a run that failed has ended: its letter is kept, and the last success stays'
run every 1h --name fails --count 1 -- sh -c 'exit 9'
exits 123
err_like '^every: 1 of 1 events are dead: see fit dead list'
is "$(dead show | jq -c '[.command, .exit, .event.source]')" '["every",9,"fit:every/fails"]'
run every 1h --name fails --count 1 --budget 300ms -- echo 1
exits 75
out_is ''

claim 'dead redrive runs it again, with the same identity'
cat >twice <<'END'
#!/bin/sh
echo "$FIT_ID $FIT_IDEMPOTENCY_KEY" >>ids
[ -e ready ]
END
chmod +x twice
dead drop --all
run every 1h --name again --count 1 -- ./twice
exits 123
touch ready
run dead redrive
exits 0
is "$(sort -u ids | wc -l)" 1 'identities'
is "$(wc -l <ids)" 2 'runs'

claim 'two of one name: the second says who has it, and exits with 75'
every 1h --name both -- sh -c 'echo $$ >running; sleep 100' &
pid=$!
within 60 test -s running || wrong 'the first one runs' '' ''
run every 1h --name both -- true
exits 75
err_is "every: both: process $pid has it"
kill -9 "$pid"
wait "$pid" 2>/dev/null

claim 'a run that was killed begins again, with the same identity'
cat >once-hangs <<'END'
#!/bin/sh
echo "$FIT_ID $FIT_IDEMPOTENCY_KEY" >>killed
[ -e second ] || exec sleep 100
END
chmod +x once-hangs
every 1h --name killed -- ./once-hangs &
pid=$!
within 60 test -s killed || wrong 'the first one runs' '' ''
kill -9 "$pid"
wait "$pid" 2>/dev/null
touch second
run every 1h --name killed --count 1 -- ./once-hangs
exits 0
is "$(wc -l <killed)" 2 'runs'
is "$(sort -u killed | wc -l)" 1 'identities'

claim 'SIGTERM drains; what did not end in the grace begins again'
rm -f second killed
every 1h --name term --grace 100ms -- ./once-hangs 2>"$err" &
pid=$!
within 60 test -s killed || wrong 'the first one runs' '' ''
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
last_command='every, SIGTERM'
exits 143
err_is ''
touch second
run every 1h --name term --count 1 -- ./once-hangs
exits 0
is "$(sort -u killed | wc -l)" 1 'identities'

claim '--once runs what is due, and then nothing'
run every 1h --once -- echo 1
exits 0
out_is 1
run every 1h --once -- echo 1
exits 0
out_is ''
err_is ''

claim '--once waits for the next time of a cron line, but for one of this minute'
run every '@yearly' --once -- echo 1
exits 0
out_is ''
err_is ''
run every '* * * * *' --once -- echo 2
exits 0
out_is 2

claim '--once waits for what --jitter holds up'
for name in a b c; do
    run every 3601s --once --jitter 500ms --name "jitter $name" --data
    exits 0
    cat "$out" >>jittered
done
is "$(wc -l <jittered)" 3
is "$(jq -s 'map(.started > .scheduled) | any' jittered)" true 'a delay'

claim '--once that has nothing to do takes no lock'
every 1h --name lock -- sh -c 'touch locked; sleep 100' &
pid=$!
within 60 test -e locked || wrong 'it runs' '' ''
run every 1h --name lock --once -- echo 1
exits 75
out_is ''
err_is "every: lock: process $pid has it"
kill -9 "$pid"
wait "$pid" 2>/dev/null
run every 1h --name lock --once -- true
every 1h --name idle -- echo 1 >ran &
pid=$!
within 60 test -s ran || wrong 'it runs' '' ''
idle() { # not before what has run is committed
    run every 1h --name idle --once -- echo 1
    [ "$status" = 0 ]
}
within 60 idle
exits 0
out_is ''
err_is ''
check kill -0 "$pid"
kill -9 "$pid"
wait "$pid" 2>/dev/null

claim '--once makes up for what was missed'
run every 100ms --once --name made-up --data
pass 450
run every 100ms --once --name made-up --data
is "$(jq '.missed >= 3' "$out")" true
pass 450
run every 100ms --once --name made-up --data --missed all
is "$(jq -s 'length >= 4' "$out")" true
is "$(gaps "$out" 100)" ''

claim 'a moment is the first one that was meant, until it has ended'
for ahead in 2 4 8 16 32; do # where that is over before it is read, a later one
    moment=$(date -u -d "@$(($(date +%s) + ahead))" +%Y-%m-%dT%H:%M:%SZ)
    run every at "$moment" --name moment -- jq -c .data.scheduled
    grep -q ': has passed$' "$err" || break
done
exits 0
out_is "\"${moment%Z}.000Z\""
run every at "$moment" --name moment -- echo 1
exits 2
err_like ': has passed$'
run every at "$moment" --once --name moment -- echo 1
exits 0
out_is ''

claim 'a moment that has passed is run by the first --once, as a timer may be late, and not again'
run every at 2020-02-29T12:00:00Z --once --name passed -- jq -c .data.scheduled
exits 0
out_is '"2020-02-29T12:00:00.000Z"'
run every at 2020-02-29T12:00:00Z --once --name passed -- jq -c .data.scheduled
exits 0
out_is ''
run every at 2020-02-29T12:00:00Z --once --name none --missed none -- jq -c .data.scheduled
exits 0
out_is ''

claim '--metrics has what was left out'
run every 20ms --count 2 --metrics every.prom -- ./overlaps
exits 0
check grep -q '^fit_every_skipped_total\|skipped' every.prom

finish
