#!/bin/sh
# route.t: random predicates over random events: each event goes, byte for byte and in order, where
# jq says that the first (with --all: every) predicate that selects it leads. A fortieth of SEEDS
# streams [25]; SEED=N repeats one.
# SEEDS=10000 make prop T=tests/prop/route.t
. "${0%/*}/../cli/lib.sh"
seeds=$((${SEEDS:-1000} / 40))
[ "$seeds" -gt 0 ] || seeds=1

# Events with odd numbers, escapes, blanks and keys that stand twice, and 2 to 6 predicates.
generate() {
    awk -v seed="$1" '
        function below(n) { return int(rand() * n) }
        function one(list, parts) { return parts[1 + below(split(list, parts, "|"))] }
        function scalar() {
            return one("0|1|-1|1.0|10e-1|2|3.5|-0|100000000000000000000|1e400|\"a\"|\"b\"|\"ab\"|" \
                "\"a\\u0062\"|\"\\u00e9\"|\"\"|null|true|false|\"1\"")
        }
        function blank() { return one("|||| |  ") }
        function value() {
            return below(8) ? scalar() : one("[]|{}|[1]|{\"a\":1}|{\"c\":\"a\"}|[\"a\",null]")
        }
        function member(key) { return blank() "\"" key "\"" blank() ":" blank() value() blank() }
        function event(text, i, n) {
            if (!below(30))
                return value()
            n = below(5)
            for (i = 0; i < n; i++)
                text = text (i ? "," : "") member(one("a|b|c|a|\\u0061"))
            return "{" text "}"
        }
        function path() { return below(20) ? one(".a|.b|.c") : one(".b.a|.c[\"c\"]|.") }
        function literal() { return one("0|1|2|1.5|\"a\"|\"ab\"|\"b\"|null|true|false|\"\"|-1") }
        function test(kind) {
            kind = below(60) # few can fail: with --all one failure is the end of the event
            if (kind < 45)
                return path() " " one("==|!=|<|<=|>|>=") " " literal()
            if (kind == 45)
                return "(" path() " | has(\"" one("a|b|c") "\"))"
            if (kind == 46)
                return "(" path() " | " one("startswith|endswith") "(\"" one("a|b|") "\"))"
            if (kind < 55)
                return "(" path() " | type == \"" one("string|number|null|object") "\")"
            return path()
        }
        function predicate(text) {
            text = test()
            if (!below(3))
                text = text " " one("and|or") " " test()
            if (!below(6))
                text = "(" text ") | not"
            return text
        }
        BEGIN {
            srand(seed)
            for (i = 0; i < 300; i++)
                print event() >"events"
            n = 2 + below(5)
            for (i = 1; i <= n; i++)
                print predicate() >"predicates"
        }
    '
}

# What jq says of each event: the numbers of its predicates, "none" or "bad".
expect() {
    awk -v all="$1" '
        {
            test = "first((" $0 "), null)"
            if (all)
                program = program "(if " test " then \"" NR "\" else empty end),"
            else
                program = program "if " test " then \"" NR "\" else "
            ends = ends " end"
        }
        END {
            if (all)
                program = "[" program "empty] | if . == [] then \"none\" else join(\" \") end"
            else
                program = program "\"none\"" ends
            print "try (" program ") catch \"bad\""
        }
    ' predicates >program
    jq -r -f program events >chosen
}

# The files that the events must stand in.
place() {
    rm -rf want
    mkdir want
    paste chosen events | awk -F '\t' '{
        line = substr($0, length($1) + 2)
        n = split($1, to, " ")
        for (i = 1; i <= n; i++) print line >("want/" to[i])
    }'
}

# against WORDS...: run route with them and the predicates, each with a file of its own.
against() {
    rm -rf got
    mkdir got
    each=0
    while read -r predicate; do
        each=$((each + 1))
        set -- "$@" "$predicate" "file:got/$each"
    done <predicates
    run route --dead letters --else file:got/none --stats "$@" <events
    jq -c .event letters >bad.got 2>/dev/null
    : >>want/bad
    jq -c . want/bad >bad.want
    for file in want/* got/*; do
        name=${file##*/}
        [ "$name" != bad ] || continue
        : >>"want/$name"
        : >>"got/$name"
        same "want/$name" "got/$name"
    done
    same bad.want bad.got
    is "$(tail -n 1 "$err" | jq '.read == .done + .dead + .dropped')" true 'read = done + dead + dropped'
    rm -f letters
}

each_seed() {
    generate "$seed"
    expect "$1"
    place
    against ${1:+--all}
    [ "$claim_state" != failed ] || echo "# seed $seed" >&2
    rm -f events predicates
}

first=${SEED:-1}
last=${SEED:-$seeds}
for all in '' 1; do
    claim "agrees with jq about $seeds streams${all:+ with --all}"
    seed=$first
    while [ "$seed" -le "$last" ] && [ "$claim_state" != failed ]; do
        each_seed "$all"
        seed=$((seed + 1))
    done
done

finish
