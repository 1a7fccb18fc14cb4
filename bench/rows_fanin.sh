# rows_fanin.sh: the rows of bench/run about many into one. Sourced by it, after rows_state.sh.

# parts.near: 1 M parts of 100,000 groups of ten, as a few hundred workers would answer: out of order,
# but near it. parts.far: in no order, so that nearly all groups are open for most of the time.
fanin_inputs() {
    awk 'BEGIN {
        for (group = 0; group < 100000; group++)
            for (i = 0; i < 10; i++)
                printf "{\"part\":{\"group\":%d,\"index\":%d,\"count\":10},\"value\":%d}\n", group, i, group * 10 + i
    }' >parts
    split -a 3 -l 5000 parts parts.piece.
    for piece in parts.piece.*; do
        shuf --random-source=e200 "$piece"
    done >parts.near
    shuf --random-source=e200 parts >parts.far
    head -n 100000 parts.near >parts.100k
    rm -f parts parts.piece.*
}

row_fanin() {
    state_begin fanin
    fanin_inputs
    script fanin_stored <<END
rm -rf "$disk/state"
exec fanin --name parts
END
    cat >join.py <<'END'
import json, sys
groups = {}
for line in sys.stdin:
    part = json.loads(line)
    of = part["part"]
    values = groups.setdefault(of["group"], {})
    values[of["index"]] = part["value"]
    if len(values) == of["count"]:
        print(json.dumps([values[i] for i in range(of["count"])], separators=(",", ":")))
        del groups[of["group"]]
END
    for order in near far; do
        contend "fanin, $order" 1000000 parts.$order fanin.$order fanin
        contend "fanin --name, $order" 1000000 parts.$order stored.$order 'sh fanin_stored.sh'
        contend "python, $order" 1000000 parts.$order python.$order 'python3 join.py'
    done
    contend 'jq' 100000 parts.100k jq.out 'jq -cs group_by(.part.group)[]|sort_by(.part.index)|map(.value)'
    measure_row 5
    for order in near far; do
        sort fanin.$order >fanin.sorted
        sort stored.$order >stored.sorted
        [ ! -s python.$order ] || same "fanin, $order" python.$order fanin.$order
        same "fanin --name, $order" fanin.sorted stored.sorted
        faster "fanin, $order" "python, $order" 1
    done
    faster 'fanin, near' jq 2
    judge 'stored' "$(divide "$(rate 'fanin --name, near')" 1000)" '>=' 100 ' k/s'
    rm -f parts.* fanin.* stored.* python.* jq.out
    state_end
    report 'Fan-in' "1 million parts of 100,000 groups of ten become 100,000 results: in memory, and stored on disk as they
arrive; beside a dict in Python (which checks nothing, and forgets what is complete) and jq, which reads all before it
writes. near: parts are out of order within 5,000; far: in no order, so that most groups are open at once."
}

row_merge() {
    begin_row merge
    sized 1000000
    split -n r/4 e200.1000000 merge.in.
    head -n 100000 e200.1000000 >merge.100k
    inputs='merge.in.aa merge.in.ab merge.in.ac merge.in.ad'
    script merge_cat <<END
cat $inputs | cat
END
    script merge_pipe <<END
fanin --merge $inputs | cat
END
    contend 'cat, through a pipe' 1000000 /dev/null merge.cat 'sh merge_cat.sh'
    contend 'fanin --merge, through a pipe' 1000000 /dev/null merge.pipe 'sh merge_pipe.sh'
    contend 'fanin --merge' 1000000 /dev/null merge.out "fanin --merge $inputs"
    contend 'fanin --merge --tag' 1000000 /dev/null merge.tagged "fanin --merge --tag from $inputs"
    contend 'fanin --merge --sorted' 1000000 /dev/null merge.sorted "fanin --merge --sorted .id $inputs"
    contend 'sort -m' 1000000 /dev/null merge.sort "sort -m -t: -k2,2n $inputs"
    contend 'jq' 100000 merge.100k merge.jq 'jq -cs sort_by(.id)[]'
    measure_row 7
    same 'fanin --merge --sorted' e200.1000000 merge.sorted
    faster 'fanin --merge, through a pipe' 'cat, through a pipe' 0.5
    faster 'fanin --merge --sorted' 'sort -m' 0.3
    faster 'fanin --merge --sorted' jq 20
    rm -f merge.in.* merge.100k merge.cat merge.pipe merge.out merge.tagged merge.sorted merge.sort merge.jq
    report 'Merging' "1 million events of 200 bytes in four files: merged as they come beside \`cat\`, with the file's name in each,
and by .id, by which the files are sorted, beside \`sort -m\`, which knows no JSON and is told where the number stands, and
jq, which sorts a tenth of them. Every event is validated; with --sorted twice."
}
