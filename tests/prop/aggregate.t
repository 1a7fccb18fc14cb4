# aggregate.t: random aggregates of parts that succeed, fail, crash, hang and are killed: each event
# ends once, as its parts say, and nothing survives. A fifth of SEEDS aggregates [200], from FIRST on.
. "${0%/*}/../cli/lib.sh"
seeds=$((${SEEDS:-1000} / 5))
[ "$seeds" -gt 0 ] || seeds=1
first=${FIRST:-1}

one_aggregate() {
    rm -f dead
    set -- aggregate --dead dead
    aggregate_trial words "$seed" >list
    while read -r word; do
        set -- "$@" "$word"
    done <list
    # It must not hit the process that a sanitizer starts to look for leaks.
    ! aggregate_trial killing "$seed" ||
        set -- env ASAN_OPTIONS=detect_leaks=0 sh -c 'chain_stage killer "$0" "$$" & exec "$@"' "$seed" "$@"
    aggregate_trial input "$seed" >events
    run reaper "$@" <events
    aggregate_trial judge "$seed" "$out" dead "$err" "$status" 2>why || wrong 'no fault' '' why
}

claim "$seeds random aggregates answer as their parts do, from seed $first on"
seed=$first
while [ "$seed" -lt $((first + seeds)) ] && [ "$claim_state" != failed ]; do
    one_aggregate
    seed=$((seed + 1))
done
[ "$claim_state" != failed ] || echo "# seed $((seed - 1))" >&2

finish
