# rows_broadcast.sh: the rows of bench/run about one to many. Sourced by it, after rows_state.sh.

# each N FORMAT: the format once for each number from 1 on.
each() {
    awk -v n="$1" -v format=" $2" 'BEGIN { for (i = 1; i <= n; i++) printf format, i }'
}

# The same bytes through N pipes to N readers; the last cat waits for them all.
broadcast_scripts() {
    for n in 1 4 16; do
        script "pipes.$n" <<END
exec broadcast --result none$(each $n 'p%d=file:>(cat >/dev/null)') | cat
END
        script "tee.$n" <<END
exec tee$(each $n '>(cat >/dev/null; : %d)') >/dev/null | cat
END
        script "pee.$n" <<END
exec pee$(each $n '"cat >/dev/null; : %d"')
END
        script "workers.$n" <<END
exec broadcast --result none -j1$(each $n "'w%d=lines:$bare/echo_worker batch'")
END
    done
}

# Before anything is measured: does each reader get all?
broadcast_is_right() {
    script "right" <<'END'
broadcast --result none a=file:>(cat >right.1) b=file:>(cat >right.2) 'c=lines:tee right.3' -j1 | cat
END
    timeout 60 bash right.sh <e271.part 2>>errors
    for i in 1 2 3; do
        cmp -s e271.part "right.$i" || die "subscriber $i was not given the bytes that were read"
    done
    rm -f right.*
}

row_broadcast() {
    begin_row broadcast
    broadcast_is_right
    broadcast_scripts
    for n in 1 4 16; do
        contend "broadcast, $n pipes" 1000000 e200 /dev/null "bash pipes.$n.sh"
        contend "tee >(cat), $n" 1000000 e200 /dev/null "bash tee.$n.sh"
        command -v pee >/dev/null && contend "pee cat, $n" 1000000 e200 /dev/null "bash pee.$n.sh"
        contend "broadcast, $n line workers" 1000000 e200 /dev/null "bash workers.$n.sh"
    done
    command -v pee >/dev/null || skipped="$skipped- pee: it is not installed (moreutils).$tab"
    measure_row 5
    for n in 4 16; do
        faster "broadcast, $n pipes" "tee >(cat), $n" 0.5
    done
    report 'Broadcast' "1 million events of 200 bytes to 1, 4 and 16 subscribers. Pipes: each subscriber is a pipe to
\`cat >/dev/null\`, for \`broadcast --result none 'file:...'\`, for \`tee\` with process substitutions of bash, and
for \`pee\`. tee and pee copy blocks of bytes; broadcast validates each line, knows of each subscriber whether
it has it, and waits for no other than the slow ones. Line workers: each gets the events, and answers them."
}
