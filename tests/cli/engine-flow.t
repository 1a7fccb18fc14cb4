#!/bin/sh
# engine-flow.t: claims about waiting and about readers that leave.
. "${0%/*}/lib.sh"

# One result of 2 MB, more than a pipe and the engine's own buffer hold.
awk 'BEGIN { printf "\""; for (i = 0; i < 200000; i++) printf "0123456789"; print "\"" }' >large
awk 'BEGIN { for (i = 0; i < 200000; i++) print "{\"n\":" i "}" }' >many

for command in 'fan-out -- -' 'fan-out -- cat' 'route true -' 'chain -'; do
    claim "$command: ends when its reader has left a large result unread"
    run_sh "timeout -s KILL 60 $command <large | head -c 1 >first; cat first"
    exits 0
    out_is '"'

    claim "$command: is not left behind by a reader that leaves"
    run_sh "{ timeout -s KILL 60 $command <large 2>&3; echo \$? >&3; } 3>code | head -c 1 >first"
    out_is ''
    [ "$(cat code)" = 0 ] || wrong 'exit status' 0 code
done

claim 'fan-out: ends when its reader leaves many results unread'
run_sh "{ timeout -s KILL 60 fan-out -- - <many 2>&3; echo \$? >&3; } 3>code | head -c 1 >first"
[ "$(cat code)" = 0 ] || wrong 'exit status' 0 code

# The processor time of the shell's children, in seconds: the fitting's and its functions'.
for command in 'fan-out -j2 -- sleep 2' 'chain "sleep 2"' 'route true "sleep 2"'; do
    claim "$command: takes no processor time while it waits for its function"
    run_sh "echo '{}' | $command; times | tail -n 1"
    exits 0
    spent=$(awk '{ split($0, part, /[ms ]+/); print int(part[2] + part[4]) }' "$out")
    [ "$spent" = 0 ] || wrong 'seconds of processor time' 0 "$spent"
done

claim 'fan-out: takes no processor time while stdin is silent'
run_sh "{ echo '{}'; sleep 2; } | fan-out -j2 -- -; times | tail -n 1"
exits 0
spent=$(sed 1d "$out" | awk '{ split($0, part, /[ms ]+/); print int(part[2] + part[4]) }')
[ "$spent" = 0 ] || wrong 'seconds of processor time' 0 "$spent"

# A line that never ends, of an input that always has more.
claim 'fan-out: its budget ends the reading of a line without an end'
run timeout -s KILL 60 fan-out --budget 100ms -- cat </dev/zero
exits 75

claim 'fan-out: SIGTERM ends the reading of a line without an end'
run_sh 'timeout -k 20 0.2 fan-out -- cat </dev/zero'
exits 124

finish
