# accounting.t: every line of the input ends in exactly one outcome, whatever the functions do.
# A half of SEEDS streams [500], from FIRST on.
# SEEDS=20000 FIRST=1 make prop T=tests/prop/accounting.t
. "${0%/*}/../cli/lib.sh"

seeds=$((${SEEDS:-1000} / 2))
[ "$seeds" -gt 0 ] || seeds=1
first=${FIRST:-1}
limit=$((seeds + 300))

claim "accounts for every event of $seeds streams, from seed $first on"
run trial -j 4 "$first" "$seeds"
exits 0
grep 'timed out$' "$err" >&2

finish
