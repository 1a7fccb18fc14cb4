#!/bin/sh
# breaker.t: claims about breaker, and about --breaker of the other commands.
. "${0%/*}/lib.sh"

FIT_STATE=$work/fit
export FIT_STATE
seq 5 >five
seq 20 >twenty
echo 1 >one

# Leaves a file for each time that it is called, and fails.
cat >down <<'END'
#!/bin/sh
cat >/dev/null
mkdir -p called
mktemp called/XXXXXX >/dev/null
exit 1
END
# The same, and gives the event back.
cat >up <<'END'
#!/bin/sh
mkdir -p called
mktemp called/XXXXXX >/dev/null
cat
END
chmod +x down up

calls() {
    find called -type f 2>/dev/null | wc -l | tr -d ' '
}

anew() {
    rm -rf called dead
    breaker --name x --reset --failure-rate 50% --slow 60s --slow-rate 100% --window 100 --min-calls 10 \
        --consecutive 0 --open-for 60s --open-growth 1 --open-max 0 --probes 10
}

field() {
    breaker --name x --show | jq -c "$1"
}

claim 'lets events through while it is closed'
run breaker --name x -- cat <five
exits 0
out_same five

claim 'opens at the call that brings the failures to the rate, and then calls nothing'
anew
run breaker --name x --min-calls 4 --dead dead -j1 -- ./down <twenty
exits 123
is "$(calls)" 4 calls
is "$(jq -r .reason dead | sort | uniq -c | tr -s ' ' | tr '\n' ';')" ' 16 breaker_open; 4 exit;'
is "$(field '[.state,.denied >= 16]')" '["open",true]'

claim 'its state outlives the process: the next one calls nothing either'
rm -rf called dead
run breaker --name x --dead dead -- ./up <five
exits 123
is "$(calls)" 0 calls
is "$(jq -c '[.reason,.attempts,.message]' dead | sort -u)" '["breaker_open",0,"the breaker x is open"]'

claim 'what it refuses is not tried again'
rm -f dead
run breaker --name x --dead dead --retries 9 --backoff 1h..1h -- ./up <five
exits 123
is "$(calls)" 0 calls

claim 'is the same for every command that names it, and for each stage of a chain'
for command in 'fan-out --breaker x -- ./up' 'route --breaker x true ./up' 'chain --breaker x cat ./up'; do
    rm -f dead
    run_sh "${command%% *} --quiet --dead dead ${command#* } <five"
    exits 123
    is "$(jq -r .reason dead | sort | uniq -c | tr -s ' ')" ' 5 breaker_open' "reasons of $command"
done
is "$(calls)" 0 calls
run invoke --breaker x --event 1 ./up
exits 123

claim 'its settings belong to the name: another command is judged by them'
breaker --name mine --reset --window 20 --failure-rate 30% --min-calls 2
run breaker --name mine --show
is "$(jq -c '.settings|[.window_calls,.failure_rate,.min_calls,.probes]' "$out")" '[20,30,2,10]'
run fan-out --breaker mine -j1 --quiet --dead dead1 -- ./down <five
is "$(calls)" 2 'calls until it opened'
breaker --name mine --reset --min-calls 3
rm -rf called
run breaker --name mine -j1 --quiet --dead dead1 -- ./down <five
is "$(calls)" 3 'calls until it opened'
run breaker --name mine --show
is "$(jq -c '[.state,.settings.window_calls,.settings.min_calls]' "$out")" '["open",20,3]'

claim 'to give settings changes no state, and the same window keeps its counts'
breaker --name mine --reset --consecutive 0
breaker --name mine --min-calls 5 -j1 --quiet --dead dead1 -- sh -c 'exit 1' <one
run breaker --name mine --window 20 --probes 2 -- cat <one
exits 0
run breaker --name mine --show
is "$(jq -c '[.state,.calls,.failed,.settings.probes]' "$out")" '["closed",2,1,2]'
rm -rf called

claim 'a retry ends when the breaker opens in between'
anew
rm -f dead
run breaker --name x --consecutive 2 --retries 50 --backoff 1ms..1ms --dead dead -- ./down <one
exits 123
is "$(calls)" 2 calls
is "$(jq -c '[.reason,.attempts]' dead)" '["breaker_open",2]'

claim 'counts slow calls, and judges them by their own rate'
anew
run breaker --name x --slow 1ms --slow-rate 100% --min-calls 2 -j1 --quiet --dead dead -- sh -c 'sleep 0.01; cat' <five
is "$(wc -l <"$out" | tr -d ' ')" 2 'calls that were made'
is "$(field '.transitions[-1].cause')" '"slow_rate"'

claim 'the fault of the event is no failure; a timeout is one'
anew
run breaker --name x --consecutive 1 -j1 --quiet --dead dead -- sh -c 'exit 65' <five
is "$(jq -r .reason dead | sort -u)" exit
is "$(field '[.state,.calls]')" '["closed",0]'
rm dead
run breaker --name x --consecutive 1 -j1 --quiet --dead dead --timeout 50ms --grace 1ms -- sleep 60 <five
is "$(jq -r .reason dead | tr '\n' ' ')" 'timeout breaker_open breaker_open breaker_open breaker_open '

claim 'a result that finds no room to wait is no failure of the function'
anew
rm -f dead
TMPDIR=$PWD/nowhere run breaker --name x --consecutive 1 -j1 --quiet --dead dead -- \
    sh -c 'head -c 1000000 /dev/zero | tr "\0" 7' <five
is "$(jq -r .reason dead | sort -u)" write
is "$(field '[.state,.calls]')" '["closed",0]'

claim 'calls of line workers count as they are answered'
anew
run breaker --name x --min-calls 3 -j1 --pipeline 1 --quiet --dead dead2 -- lines:sed -u 's/^/!/' <twenty
exits 123
is "$(jq -r .reason dead2 | sort | uniq -c | tr -s ' ' | tr '\n' ';')" ' 17 breaker_open; 3 error;'

claim '--on-open pass gives the events as they are, fallback calls another function'
anew
breaker --name x --trip
printf '{"a":1.0e+2, "a":2}\n' >odd
run breaker --name x --on-open pass -- ./up <odd
exits 0
out_same odd
run breaker --name x --on-open fallback --fallback "sed 's/.*/0&/;s/^0/[1,/;s/$/]/'" -- ./up <five
exits 0
is "$(head -n 1 "$out")" '[1,1]'
run breaker --name x --fallback 'false' --quiet --dead dead3 -- ./up <one
exits 123
is "$(jq -c '[.reason,.function]' dead3)" '["exit","false"]'
is "$(calls)" 0 calls

claim '--trip holds it open, --reset closes it, --disable lets all through'
run breaker --name x --show
is "$(jq -r .state "$out")" forced_open
breaker --name x --disable
run breaker --name x --consecutive 1 --quiet --dead dead4 -- ./down <five
is "$(calls)" 5 calls
is "$(field .state)" '"disabled"'
breaker --name x --reset
is "$(field '[.state,.calls,.failed]')" '["closed",0,0]'
breaker --name x --trip --open-for 1h
is "$(field '[.state,has("until")]')" '["open",true]'

claim '--on-open hold waits, reads no more, and goes on when the breaker is closed by hand'
anew
breaker --name x --trip
run_sh 'seq 100 | breaker --name x --on-open hold -j1 -- cat >held & echo $! >pid; wait $!' &
within 60 test -s pid
check test ! -s held
breaker --name x --reset
within 60 sh -c 'test "$(wc -l <held)" -eq 100' || wrong 'results after the reset' 100 held
wait

claim '--on-open hold goes on by itself when the time is over'
breaker --name x --trip --open-for 300ms
run breaker --name x --on-open hold --open-for 300ms --probes 1 -- cat <five
exits 0
out_same five
is "$(field .state)" '"closed"'

claim 'after the time twenty processes make as many probes as are wanted, and no more'
anew
cat >probe <<'END'
#!/bin/sh
mkdir -p called
mktemp called/XXXXXX >/dev/null
while [ ! -e go ]; do sleep 0.02; done
cat
END
chmod +x probe
breaker --name x --trip --open-for 1ms
for i in $(seq 20); do
    echo "$i" | breaker --name x --open-for 1ms --probes 4 --dead "dead.$i" -- ./probe >"out.$i" 2>/dev/null &
done
finished() {
    [ $(($(calls) + $(cat dead.* 2>/dev/null | wc -l))) -eq 20 ]
}
within 60 finished || wrong 'probes and refusals' 20 "$(calls)"
is "$(calls)" 4 probes
: >go
wait
is "$(cat out.* | wc -l | tr -d ' ')" 4 results
is "$(field .state)" '"closed"'
rm -f go

claim 'a prober that is killed gives its probe back'
anew
breaker --name x --trip --open-for 1ms
echo 1 | breaker --name x --open-for 1ms --probes 1 -- ./probe >/dev/null 2>&1 &
pid=$!
within 60 sh -c 'test "$(find called -type f | wc -l)" -eq 1' || wrong 'probes' 1 "$(calls)"
run breaker --name x --probes 1 --quiet --dead dead5 -- cat <one
exits 123
kill -KILL "$pid"
wait "$pid" 2>/dev/null
probe_again() {
    [ "$(breaker --name x --probes 1 --quiet --dead dead5 -- cat <one)" = 1 ]
}
within 60 probe_again || wrong 'another probe' 1 none
is "$(field .state)" '"closed"'

claim 'a result of an older generation changes nothing'
anew
rm -f go
echo 1 | breaker --name x --consecutive 1 --quiet --dead dead6 -- sh -c './probe; exit 1' >/dev/null 2>&1 &
within 60 sh -c 'test "$(find called -type f | wc -l)" -eq 1'
breaker --name x --reset
: >go
wait
is "$(field '[.state,.calls]')" '["closed",0]'

claim '--events tells of each change'
anew
run breaker --name x --consecutive 1 --open-for 1ms --probes 1 --events changes --quiet --dead dead7 -j1 -- sh -c 'read -r n; [ "$n" != 1 ]' <five
is "$(head -n 1 changes | jq -c '[.name,.from,.to,.cause]')" '["x","closed","open","consecutive"]'

claim '--show without a name lists all, and makes no state'
breaker --name 'odd name/..' --reset
run breaker --show
exits 0
is "$(jq -rc .name "$out" | tr '\n' ';')" 'mine;odd name/..;x;'
run breaker --state nowhere --show
exits 0
out_is ''
check test ! -e nowhere
run breaker --name other --show
exits 1
err_is 'breaker: no breaker of the name other'

claim 'says what does not go together'
run breaker -- cat
exits 2
err_like '^breaker: no --name'
run breaker --name x --show -- cat
exits 2
run breaker --name x --show --trip
exits 2
run breaker --name x --show --window 5
exits 2
run breaker --name x --on-open fallback -- cat
exits 2
err_like 'needs --fallback'
run breaker --name x --on-open hold --fallback cat -- cat
exits 2
for wrong in '--failure-rate 0' '--failure-rate 101' '--window 0' '--window 1500ms' '--window 2h' '--open-growth 0.5' '--probes 0'; do
    run_sh "breaker --name x $wrong -- cat"
    exits 2
done

finish
