#!/bin/sh
# chain_model.t: random chains of functions that give 0 to 3 results and fail, some of whose
# processes are killed: against a model that runs each event alone. A tenth of SEEDS chains [100].
# SEEDS=10000 make prop T=tests/prop/chain_model.t
. "${0%/*}/../cli/lib.sh"
seeds=$((${SEEDS:-1000} / 10))
[ "$seeds" -gt 0 ] || seeds=1

# draw WHAT BELOW: a number that depends on the seed and on what it is for.
draw() {
    awk -v s="$seed$1" -v n="$2" 'BEGIN { srand(s); rand(); print int(rand() * n) }'
}

# The functions of the chain, one a line, failing in $1 of 100 cases.
functions() {
    each=1
    while [ "$each" -le "$stages" ]; do
        case $(chain_stage kind "$seed" "$each") in
        stage) echo "chain_stage stage $seed $each $1" ;;
        worker) echo "lines:chain_stage worker $seed $each $1" ;;
        esac
        each=$((each + 1))
    done
}

# run_chain FAIL ARGUMENT...: the chain with those options; with $killing under fire, which must not
# hit the process that a sanitizer starts to look for leaks.
run_chain() {
    fail=$1
    shift
    functions "$fail" >list
    set -- chain --quiet --stats "$@"
    [ -z "$killing" ] ||
        set -- env ASAN_OPTIONS=detect_leaks=0 sh -c 'chain_stage killer "$0" "$$" & exec "$@"' "$seed" "$@" --retries 20 \
            --backoff 1ms..2ms
    while read -r function; do
        set -- "$@" "$function"
    done <list
    [ -z "$sink" ] || set -- "$@" "$sink"
    rm -f taken
    run "$@"
    [ "$sink" != file:taken ] || [ ! -e taken ] || cat taken >>"$out"
}

# Letters as the model tells of failures: "STAGE EVENT".
letters() {
    sed -n 's/^{"event":\(.*\),"reason":"[a-z_]*",.*"stage":\([0-9]*\),.*/\2 \1/p' "$1" | sort
}

# Within an event results stand in the order of the model; --unordered mixes only events.
by_event() {
    sed 's/^{"id":"\([0-9]*\)/\1 &/' "$1" | sort -s -n -k 1,1
}

count() {
    jq "select(.read) | .$1" "$err"
}

one_chain() {
    stages=$((1 + $(draw 1 5)))
    number=$(draw 2 12)
    percent=$((5 * $(draw 3 6)))
    jobs=$((1 + $(draw 4 4)))
    bad=$(draw 5 3)
    order=$(draw 6 2)
    killing=$(draw 7 2)
    case $(draw 9 4) in
    0) sink=- ;;
    1) sink=file:taken ;;
    *) sink= ;;
    esac
    [ "$order" -eq 0 ] && order= || order=--unordered
    [ "$killing" -eq 0 ] && killing=
    rm -f dead again
    i=0
    : >events
    while [ "$i" -lt "$number" ]; do
        i=$((i + 1))
        echo "{\"id\":\"$i\",\"n\" : 12345678901234567890123456789$i}" >>events
    done
    i=0
    cp events input
    while [ "$i" -lt "$bad" ]; do
        i=$((i + 1))
        echo "{broken $i"
    done >>input
    chain_stage model "$seed" "$stages" "$percent" <events >wanted 3>failed
    sort failed >failed.sorted
    chain_stage model "$seed" "$stages" 0 <events 3>none | sort >whole

    # shellcheck disable=SC2086 # no order is no word
    run_chain "$percent" -j "$jobs" --dead dead $order <input
    touch dead
    if [ -s dead ]; then exits 123; else exits 0; fi
    if [ -n "$order" ]; then
        by_event "$out" >got
        by_event wanted >wanted.sorted
        same wanted.sorted got
    else
        out_same wanted
    fi
    letters dead >got
    same failed.sorted got
    roots=$(sed 's/.*"id":"\([0-9]*\).*/\1/' failed | sort -u | grep -c .)
    is "$(count read)" "$((number + bad))" read
    is "$(count dead)" "$((roots + bad))" dead
    is "$(count "done")" "$((number - roots))" 'done'
    is "$(count letters)" "$(($(wc -l <failed) + bad))" letters
    cp "$out" first
    if [ "$bad" -eq 0 ]; then expected=0; else expected=123; fi
    killing=

    # Repaired, the dead letters give exactly what is missing.
    if [ "$(draw 8 2)" -eq 0 ]; then
        run_chain 0 -j "$jobs" --from auto --dead again <dead
        exits "$expected"
        cp "$out" second
    else
        : >second
        i=0
        while [ "$i" -lt "$stages" ]; do
            i=$((i + 1))
            grep "\"stage\":$i," dead >stage.letters
            run_chain 0 -j "$jobs" --from "$i" --dead again <stage.letters
            exits 0
            cat "$out" >>second
        done
    fi
    sort first second >got
    same whole got
    [ "$expected" -eq 123 ] || [ ! -s again ] || wrong 'letters of the redrive' none again
}

claim "$seeds random chains give what a sequential run gives, and redriven the rest"
seed=0
while [ "$seed" -lt "$seeds" ] && [ "$claim_state" != failed ]; do
    seed=$((seed + 1))
    one_chain
done
[ "$seeds" -lt 20 ] || check awk '{ n += $1 } END { exit n == 0 }' kills
[ "$claim_state" != failed ] || echo "# seed $seed: $stages stages, $number events" >&2

finish
