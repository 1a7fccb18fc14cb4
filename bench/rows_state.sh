# rows_state.sh: the rows of bench/run about shared state. Sourced by it.
#
# Durable state is measured on a disk: in BENCH_DISK, else in bench/work of the tree.

state_begin() {
    begin_row "$1"
    disk=${BENCH_DISK:-$top/bench/work}
    rm -rf "$disk"
    mkdir -p "$disk/state" || die "cannot make $disk"
    FIT_STATE=$disk/state
    export FIT_STATE
}

state_end() {
    rm -rf "$disk"
    unset FIT_STATE
}

# script NAME: a contender that is a script, from stdin.
script() {
    cat >"$1.sh"
}

# ratio WHAT A B OPERATOR TARGET: of two measured times.
slower() {
    judge "$1 beside $2" "$(divide "$(seconds "$1")" "$(seconds "$2")")" '<=' "$3" x
}

# A server of its own that syncs every write. 1 and a note: it is not installed.
redis_begin() {
    if ! command -v redis-server >/dev/null; then
        skipped="$skipped- redis streams: \`redis-server\` is not installed.$tab"
        return 1
    fi
    mkdir -p "$disk/redis"
    redis-server --port 0 --unixsocket "$work/redis.sock" --appendonly yes --appendfsync always \
        --auto-aof-rewrite-percentage 0 --dir "$disk/redis" --save '' --daemonize yes >/dev/null 2>>errors
}

redis_end() {
    redis-cli -s "$work/redis.sock" shutdown nosave >/dev/null 2>&1
}

row_admission() {
    state_begin admission
    cells=$(timeout -k 5 120 cells "$disk/state" 2>>errors)
    together=$(echo "$cells" | sed -n 's/.*breaker, rate and slots[^0-9]*\([0-9.]*\).*/\1/p')
    check=$(echo "$cells" | sed -n 's/^breaker: check  *\([0-9.]*\).*/\1/p')
    judge 'breaker, rate and slots together' "$together" '<' 300 ' ns'
    judge 'a breaker check' "$check" '<' 50 ' ns'
    contend 'fan-out' 1000000 e200 admission.plain "$fan -- -"
    contend 'fan-out, three policies' 1000000 e200 admission.all \
        "$fan --breaker b --rate 1000000000/s --rate-key r --bulkhead s:4 -- -"
    measure_row 5
    same 'fan-out, three policies' e200 admission.all
    each=$(awk -v a="$(seconds 'fan-out, three policies')" -v b="$(seconds fan-out)" \
        'BEGIN { if (a > 0 && b > 0) print (a - b) * 1000 }')
    judge 'what all three add to an event in a fitting' "$each" '<' 300 ' ns'
    rm -f admission.plain admission.all
    state_end
    report 'Admission' "Nanoseconds for one operation on shared state, alone and beside a second process that does the same
without a pause; then 1 million events through fan-out with and without all three policies.

\`\`\`
$cells
\`\`\`"
}

row_queue() {
    state_begin queue
    events e200.50k 50000 200
    head -n 2000 e200 >e200.2k
    head -n 200 e200 >e200.200
    script queue_push <<END
rm -rf "$disk/state"
exec queue push q
END
    script queue_cycle <<END
rm -rf "$disk/state"
queue push q && exec queue work q -j2 --until-empty -- lines:$bare/echo_worker batch
END
    script queue_once <<END
rm -rf "$disk/state"
queue push q && exec queue work q -j2 --until-empty -- $bare/once
END
    contend 'queue push' 1000000 e200 /dev/null 'sh queue_push.sh'
    contend 'queue push, work' 1000000 e200 queue.out 'sh queue_cycle.sh'
    contend 'queue push, work, 50 k' 50000 e200.50k queue.50k 'sh queue_cycle.sh'
    if redis_begin; then
        script redis_cycle <<END
redis-cli -s "$work/redis.sock" del q >/dev/null
redis-cli -s "$work/redis.sock" xgroup create q g 0 mkstream >/dev/null
peer_queue redis "$work/redis.sock" push 100 && exec peer_queue redis "$work/redis.sock" work 100
END
        contend 'redis streams' 50000 e200.50k redis.out 'sh redis_cycle.sh'
    fi
    if command -v beanstalkd >/dev/null; then
        mkdir -p "$disk/beanstalk"
        beanstalkd -l "unix:$work/beanstalk.sock" -b "$disk/beanstalk" -f0 >/dev/null 2>>errors &
        beanstalk=$!
        script beanstalk_cycle <<END
peer_queue beanstalkd "$work/beanstalk.sock" push 100 && exec peer_queue beanstalkd "$work/beanstalk.sock" work 100
END
        contend 'beanstalkd' 2000 e200.2k beanstalk.out 'sh beanstalk_cycle.sh'
    else
        skipped="$skipped- beanstalkd: it is not installed.$tab"
    fi
    contend 'queue push, work, a process each' 200 e200.200 /dev/null 'sh queue_once.sh'
    if command -v nq >/dev/null; then
        script nq_cycle <<END
rm -rf "$disk/nq" && mkdir "$disk/nq" && NQDIR=$disk/nq && export NQDIR
while read -r event; do nq -q $bare/once </dev/null; done
exec nq -w
END
        contend 'nq, a process each' 200 e200.200 /dev/null 'sh nq_cycle.sh'
    else
        skipped="$skipped- nq: it is not installed.$tab"
    fi
    sleep 1 # the servers make their sockets
    measure_row 5
    [ -z "${beanstalk:-}" ] || kill "$beanstalk"
    redis_end
    same 'queue push, work' e200 queue.out
    judge 'durable in' "$(divide "$(rate 'queue push')" 1000)" '>=' 300 ' k/s'
    out=$(awk -v all="$(seconds 'queue push, work')" -v pushed="$(seconds 'queue push')" \
        'BEGIN { if (all > pushed) print 1000 / (all - pushed) }')
    judge 'leased, called and acknowledged' "$out" '>=' 100 ' k/s'
    faster 'queue push, work, 50 k' 'redis streams' 5
    faster 'queue push, work, 50 k' beanstalkd 5
    faster 'queue push, work, a process each' 'nq, a process each' 1
    rm -f queue.out queue.50k redis.out beanstalk.out
    state_end
    report 'Durable queues' "Events of 200 bytes through a queue on disk: all pushed, then all taken out by a line worker that
answers, and acknowledged. redis streams: XADD, then XREADGROUP and XACK, 100 at a time, appendfsync
always. beanstalkd: put, reserve and delete, 100 at a time, -f0; both without a function. nq keeps
commands, not events, and runs one at a time."
}

row_topic() {
    state_begin topic
    events e200.50k 50000 200
    script topic_publish <<END
rm -rf "$disk/state"
exec broadcast --topic t
END
    script topic_work <<END
rm -rf "$disk/state"
broadcast --topic t && exec broadcast --subscribe s@t --from start --until-empty -j2 -- lines:$bare/echo_worker batch
END
    script topic_follow <<END
rm -rf "$disk/state"
broadcast --topic t || exit
for i in \$(seq "\$1"); do
    broadcast --subscribe "s\$i@t" --from start --until-empty -- - >"topic.\$i" &
done
wait
END
    contend 'broadcast --topic' 1000000 e200 /dev/null 'sh topic_publish.sh'
    contend 'published, worked' 1000000 e200 topic.out 'sh topic_work.sh'
    for many in 1 4 16; do
        contend "subscribers: $many" 50000 e200.50k /dev/null "sh topic_follow.sh $many"
    done
    if redis_begin; then
        script redis_follow <<END
redis-cli -s "$work/redis.sock" del q >/dev/null
for i in \$(seq "\$1"); do
    redis-cli -s "$work/redis.sock" xgroup create q "g\$i" 0 mkstream >/dev/null
done
peer_queue redis "$work/redis.sock" push 100
for i in \$(seq "\$1"); do
    peer_queue redis "$work/redis.sock" work 100 "g\$i" >"redis.\$i" &
done
wait
END
        for many in 1 4 16; do
            contend "redis groups: $many" 50000 e200.50k /dev/null "sh redis_follow.sh $many"
        done
    fi
    sleep 1 # the server makes its socket
    measure_row 5
    redis_end
    same 'published, worked' e200 topic.out
    for i in $(seq 16); do
        cmp -s e200.50k "topic.$i" || die "subscriber $i was not given the events in their order"
    done
    judge 'durable in' "$(divide "$(rate 'broadcast --topic')" 1000)" '>=' 300 ' k/s'
    out=$(awk -v all="$(seconds 'published, worked')" -v published="$(seconds 'broadcast --topic')" \
        'BEGIN { if (all > published) print 1000 / (all - published) }')
    judge 'read, called and acknowledged' "$out" '>=' 100 ' k/s'
    for many in 1 4 16; do
        faster "subscribers: $many" "redis groups: $many" 5
    done
    rm -f topic.out topic.[0-9]* redis.[0-9]*
    state_end
    report 'Durable topics' "Events of 200 bytes published to a topic on disk, then read and acknowledged: by a subscriber that calls
a line worker; by 1, 4 and 16 subscribers at once, a process each, that print them. redis streams: XADD, then
XREADGROUP and XACK by as many groups of one consumer, 100 at a time, appendfsync always."
}

row_ledger() {
    state_begin ledger
    events e200.300k 300000 200
    script ledger_run <<END
rm -rf "$disk/state"
exec $fan -j2 --ledger l -- "\$@"
END
    # shellcheck disable=SC2016
    printf 'import sys\nfor line in sys.stdin:\n    sys.stdout.write(line)\n    sys.stdout.flush()\n' >worker.py
    for way in 'C, batch' 'C, flush' mawk python; do
        case $way in
        C*) worker="lines:$bare/echo_worker ${way#C, }" ;;
        mawk) worker='lines:mawk -W interactive {print}' ;;
        python) worker='lines:python3 worker.py' ;;
        esac
        [ "${way#C}" != "$way" ] || command -v "$(echo "${worker#lines:}" | cut -d ' ' -f 1)" >/dev/null || {
            skipped="$skipped- $way: it is not installed.$tab"
            continue
        }
        contend "$way" 300000 e200.300k ledger.out "$fan -j2 -- $worker"
        contend "$way, ledger" 300000 e200.300k ledger.out "sh ledger_run.sh $worker"
    done
    script replay <<END
exec $fan -j2 --ledger l -- false
END
    sh ledger_run.sh "lines:$bare/echo_worker" batch <e200.300k >ledger.first 2>>errors
    cp -r "$disk/state" "$disk/kept"
    script replay <<END
FIT_STATE=$disk/kept exec $fan -j2 --ledger l -- false
END
    contend 'replayed' 300000 e200.300k ledger.replay 'sh replay.sh'
    measure_row 5
    same replayed e200.300k ledger.replay
    for way in 'C, batch' 'C, flush' mawk python; do
        [ -z "$(seconds "$way")" ] || slower "$way, ledger" "$way" 1.15
    done
    rm -f ledger.out ledger.first ledger.replay
    state_end
    report 'Ledger' "300,000 events of 200 bytes through two line workers that give each line back, with and without a
fresh ledger on disk. replayed: a rerun with all results in the ledger; its function would fail."
}

row_values() {
    state_begin values
    events e200.100k 100000 200
    script values_put <<END
rm -rf "$disk/state"
exec state put --key .id
END
    script values_seen <<END
rm -rf "$disk/state"
exec state seen --key .id --ttl 24h
END
    contend 'state put --key' 100000 e200.100k /dev/null 'sh values_put.sh'
    contend 'state seen --key' 100000 e200.100k values.seen 'sh values_seen.sh'
    measure_row 5
    same 'state seen --key' e200.100k values.seen
    FIT_STATE=$disk/fill
    export FIT_STATE
    growth=$(timeout -k 5 300 store_growth "$disk" "$most" 2>>errors)
    flat() { # WHAT FIRST LAST TARGET
        judge "$1: $3 beside $2" "$(divide \
            "$(echo "$growth" | awk -v w="$1" -v n="$3" '$1 == w && $2 == n { print $3 }')" \
            "$(echo "$growth" | awk -v w="$1" -v n="$2" '$1 == w && $2 == n { print $3 }')")" '<=' "$4" x
    }
    flat push_at_depth 1 "$most" 1.5
    flat work_at_depth 1 "$most" 1.5
    flat publish_at_depth 1 "$most" 1.5
    flat follow_at_depth 1 "$most" 1.5
    flat publish_to_subscribers 1 1000 1.5
    flat get_of_keys 1 10000 1.5
    flat push_to_queues 1 10000 1.5
    flat put_of_keys 1 10000 1.5
    rm -f values.seen
    state_end
    report 'Values, and the store as it fills' "100,000 events, each a value under a key of its own, or told apart by it. Then nanoseconds for an operation in
commits of 1,000: by messages in the queue, by events in the topic and by its subscribers, by queues or
keys that they are spread over.

| what | how many | ns |
|---|--:|--:|
$(echo "$growth" | awk '{ printf "| %s | %s | %s |\n", $1, $2, $3 }')"
}

row_parts() {
    state_begin parts
    table=
    of() { # COLUMN: of the last run
        echo "$got" | cut -d ' ' -f "$1"
    }
    bring() { # WHERE PARTS OPEN [keep]
        rm -rf "$disk/parts"
        got=$(timeout -k 5 300 fanin_parts "$1" "$2" "$3" ${4:+"$4"} 2>>errors)
        where=disk
        [ "$1" != memory ] || where=memory
        table="$table| $where${4:+, none complete} | $2 | $3 | $(of 3) | $(of 4) | $(of 5) |$tab"
    }
    bring memory "$most" 100
    judge 'in memory, few groups open' "$(divide "$(of 3)" 1000)" '>=' 500 ' k/s'
    bring memory "$most" $((most / 10))
    judge 'in memory, all open at once' "$(divide "$(of 3)" 1000)" '>=' 500 ' k/s'
    bring "$disk/parts" "$most" 100
    bring "$disk/parts" "$most" $((most / 10))
    bring "$disk/parts" $((most / 10)) $((most / 100)) keep
    few=$(of 5)
    bring "$disk/parts" "$most" $((most / 10)) keep
    judge "memory, $most parts beside $((most / 10))" "$(divide "$(of 5)" "$few")" '<=' 1.05 x
    : >results
    state_end
    report 'Parts of groups' "Parts of 200 bytes in groups of ten, added to the store that \`fanin\` keeps them in, in commits of 1,000, and
taken and ended as they are complete. In memory, and durably on disk.

| where | parts | groups open | parts/s | KiB resident | of these no map of a file |
|---|--:|--:|--:|--:|--:|
$(lines_of "$table")"
}
