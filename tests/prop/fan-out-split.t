#!/bin/sh
# fan-out-split.t: whatever the parts, the batches and the failures, each part of each event ends in
# exactly one place: a result, a letter of its own, or the letter of its event.
# A half of SEEDS random runs [500]; SEED=N repeats one.
# SEEDS=20000 make prop T=tests/prop/fan-out-split.t
. "${0%/*}/../cli/lib.sh"
seeds=$((${SEEDS:-1000} / 2))
[ "$seeds" -gt 0 ] || seeds=1

# A stream of arrays of the numbers 1, 2, 3, ... and the options of the run, made from the seed.
generate() {
    awk -v seed="$1" '
        function below(n) { return int(rand() * n) }
        BEGIN {
            srand(seed)
            events = below(40)
            for (e = 0; e < events; e++) {
                parts = below(5) ? below(9) : below(200)
                line = "["
                for (i = 0; i < parts; i++) line = line (i ? "," : "") ++number
                print line "]" >"events"
            }
            print number + 0 >"count"
            split("fail skip null", policies, " ")
            policy = policies[1 + below(3)]
            print policy >"policy"
            options = "-j" 1 + below(4) " --on-part-failure " policy
            if (below(2)) options = options " -u"
            if (below(2)) options = options " --batch " 1 + below(7)
            if (below(2)) options = options " --retries " 1 + below(2)
            print options " --fault fail=" below(30) "%,crash=" (below(4) ? 0 : 2) "%" >"options"
            print (below(8) ? "lines:cat" : "cat") >"function"
        }'
}

check_seed() {
    rm -f -- *
    : >events
    : >dead
    generate "$1"
    # shellcheck disable=SC2046 # the options are words
    run fan-out $(cat options) --split '.[]' --backoff 1ms..1ms --seed "$1" --quiet --stats --dead dead -- \
        "$(cat function)" <events
    [ "$status" -eq 0 ] || [ "$status" -eq 123 ] || wrong "seed $1: exit status" '0 or 123' "$status"
    {
        tr -d '[]' <"$out"
        sed -n 's/^{"event":\[\{0,1\}\([0-9,]*\).*/\1/p' dead
    } | tr ',' '\n' | grep '[0-9]' | sort -n >got
    seq 1 "$(cat count)" >expected
    cmp -s expected got || wrong "seed $1 ($(cat options) -- $(cat function)): the parts" expected got
    tail -n 1 "$err" | awk -v events="$(wc -l <events)" -v lines="$(wc -l <"$out")" -v policy="$(cat policy)" '
        function count(name) { match($0, "\"" name "\":[0-9]+"); return substr($0, RSTART + length(name) + 3, RLENGTH) + 0 }
        count("read") != events || count("done") + count("dead") != events || count("done") != lines ||
            (policy != "fail" && count("dead")) { print; exit 1 }' >counts ||
        wrong "seed $1 ($(cat options)): the counts" 'counts that add up' counts
    case "$(cat options)" in
    *' -u'*) ;;
    *)
        tr -d '[]' <"$out" | tr ',' '\n' | grep '[0-9]' | sort -n -c 2>/dev/null ||
            wrong "seed $1 ($(cat options)): the order" 'as read' "$out"
        ;;
    esac
}

claim "each part ends in exactly one place, in $seeds random runs"
seed=${SEED:-1}
last=${SEED:-$seeds}
while [ "$seed" -le "$last" ] && [ "$claim_state" != failed ]; do
    check_seed "$seed"
    seed=$((seed + 1))
done

finish
