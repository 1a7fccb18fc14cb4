#!/bin/sh
# dead.t: dead letters that are kept in the state directory, looked at, redriven and dropped.
. "${0%/*}/lib.sh"

printf '{"n":1}\n{"n":2}\n{"n":3}\n' >events
cat >odd <<'EOF'
#!/bin/sh
# fails on {"n":2} while there is a file broken
read -r event
case $event in *2*) [ ! -e "${0%/*}/broken" ] || exit 3 ;; esac
printf '%s\n' "$event"
EOF
chmod +x odd
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

finish
