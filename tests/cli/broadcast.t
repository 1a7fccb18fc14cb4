#!/bin/sh
# broadcast.t: claims about the forms of broadcast and their options.
. "${0%/*}/lib.sh"

FIT_STATE=$work/topics
export FIT_STATE
printf '1\n2\n3\n' >events

claim 'options of a topic need its form'
run broadcast --keep 7d
exits 2
err_like 'broadcast: --keep needs --topic'
for option in '--filter .x' '--from start' '--until-empty' '--wait 1s'; do
    # shellcheck disable=SC2086
    run broadcast $option
    exits 2
    err_like "broadcast: ${option%% *} needs --subscribe"
done

claim 'options of another form are refused by their name'
run broadcast --topic t --retries 3
exits 2
err_like '^broadcast: --retries: not with --topic'
run broadcast --topic t -j2
exits 2
err_like '^broadcast: -j: not with --topic'
run broadcast --retries=3 --topic t
exits 2
err_like '^broadcast: --retries: not with --topic'
run broadcast --topic t --result none
exits 2
err_like '^broadcast: --result: not with --topic'
run broadcast cat --topic t
exits 2
err_is "broadcast: --topic must stand before the functions
try 'fit broadcast --help'"
run broadcast --topic t --list
exits 2
err_like '^broadcast: --list: not with --topic'
run broadcast --list --topic t
exits 2
err_like '^broadcast: --topic: t: not with --list'
run broadcast --subscribe a@t --keep 7d -- cat
exits 2
err_like '^broadcast: --keep: not with --subscribe'
run broadcast --unsubscribe a@t --filter .x
exits 2
err_like '^broadcast: --filter: not with --unsubscribe'
run broadcast --topic t --retrys 3
exits 2
err_like '^broadcast: --retrys: unknown option'

claim 'a value that looks like a form is a value'
run broadcast --topic t --dead --list <events
exits 0
check test -e ./--list

claim 'each form has its own help'
run broadcast --topic t --help
exits 0
out_like '^usage: broadcast --topic NAME'
out_like '--keep'
out_unlike '--retries'
run broadcast --list --help
exits 0
out_unlike '--keep '

claim 'topics and subscribers have names'
for name in '' 'a	b'; do
    run broadcast --topic "$name" <events
    exits 2
    run broadcast --subscribe "$name@t" -- cat
    exits 2
    run broadcast --subscribe "a@$name" -- cat
    exits 2
    run broadcast --drop "$name"
    exits 2
done
run broadcast --subscribe nobody -- cat
exits 2
err_like 'not NAME@TOPIC'
for name in ../x 'a b' 'ä' a@b --help "$(awk 'BEGIN { while (i++ < 1000) printf "n" }')"; do
    run broadcast --topic "$name" <events
    exits 0
    run broadcast --subscribe "ü/..@$name" --from start --until-empty -- cat
    exits 0
    out_same events
done

finish
