# rows_warm.sh: the row of bench/run about functions that are kept ready. Sourced by it, after
# rows_state.sh.

# warm_runs NAME COUNT FUNCTION: a script that makes so many runs of ten events each, as cron would.
warm_runs() {
    script "$1" <<END
i=0
while [ \$((i += 1)) -le $2 ]; do
    $fan -j2 -- $3 <warm.runs/\$i || exit
done
END
}

# warm_pool NAME COMMAND: a script that starts a pool, does that, and ends the pool.
warm_pool() {
    script "$1" <<END
warm start bench --detach --min 2 --max 2 -- lines:$2 || exit
$3
status=\$?
warm stop bench --wait-gone && exit \$status
END
}

row_warm() {
    state_begin warm
    slow=$bare/slow_worker
    mkdir warm.runs
    head -n 1000 e200 >warm.1000
    head -n 100 e200 >warm.100
    head -n 20 e200 >warm.20
    head -n 200000 e200 >warm.200k
    awk '{ print >("warm.runs/" int((NR - 1) / 10) + 1) }' warm.1000
    warm_runs warm_alone 10 "lines:$slow"
    warm_runs warm_each 100 warm:bench
    warm_pool warm_shared "$slow" 'sh warm_each.sh'
    warm_pool warm_fast "$bare/echo_worker flush" "$fan -j8 -- warm:bench"
    contend 'process per event' 20 warm.20 warm.process "$fan -j2 -- $slow"
    contend 'lines:, 1 run' 1000 warm.1000 warm.lines "$fan -j2 -- lines:$slow"
    contend 'lines:, 10 runs' 100 /dev/null warm.alone 'sh warm_alone.sh'
    contend 'warm:, 100 runs' 1000 /dev/null warm.shared 'sh warm_shared.sh'
    contend 'lines:, no start-up' 200000 warm.200k warm.direct "$fan -j2 -- lines:$bare/echo_worker flush"
    contend 'warm:, no start-up' 200000 warm.200k warm.fast 'sh warm_fast.sh'
    measure_row 5
    same 'warm:, 100 runs' warm.1000 warm.shared
    same 'lines:, 10 runs' warm.100 warm.alone
    same 'warm:, no start-up' warm.200k warm.fast
    faster 'warm:, 100 runs' 'process per event' 50
    faster 'warm:, 100 runs' 'lines:, 10 runs' 10
    rm -rf warm.runs warm.20 warm.100 warm.1000 warm.200k warm.process warm.lines warm.alone warm.shared \
        warm.direct warm.fast
    state_end
    report 'Kept ready' "A function that takes 300 ms to start, without using the processor, two at a time. A process per
event pays that for each event, whatever their number (20 are measured), a run with line workers once for all its
events, 1,000 here. A job that runs again and again pays it in each run: 10 runs of 10 events; with a warm pool 100
such runs pay it together once, the pool's own start and end being counted. Below, what the way through the pool's
supervisor costs where nothing has to be started: 200,000 events, of a worker that flushes each line."
}
