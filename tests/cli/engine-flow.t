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

# ---- nobody reads any more ----

claim 'what has printed something ends without more of it when its reader leaves'
mkfifo silent
exec 7<>silent
printf '1\n' >&7
run_into 'head -n 1' fan-out --stats -- cat <&7
exits 0
out_is 1
check grep -q '"read":1,"done":1,"dead":0,"dropped":0' "$err"

claim 'so it does while its function takes long'
printf '1\n2\n' >&7
run_into 'head -n 1' fan-out -j1 --grace 100ms --stats -- sh -c 'read -r n; [ $n = 1 ] || exec sleep 1000; echo 1' <&7
exits 0
out_is 1
check grep -q '"read":2,"done":1,"dead":0,"dropped":1' "$err"
exec 7>&-

claim 'what all dies ends, too'
run_unread sh -c "yes '{}' | fan-out --quiet --dead letters -- false"
exits 123
run_unread sh -c "yes '{' | fan-out --quiet --dead letters -- true"
exits 123

claim 'what is done without a result goes on: it may be called for what it does'
seq 50 >fifty
run_unread fan-out --stats -- sh -c 'read -r n; [ $n != 7 ] || exit 65; echo $n >>effects' <fifty
exits 123
is "$(sort -n effects)" "$(seq 50 | grep -vx 7)"
check grep -q '"read":50,"done":49,"dead":1,"dropped":0' "$err"

claim 'and it ends at the first result that it has'
run_unread sh -c "yes 1 | fan-out -- sh -c 'test -e printing && cat; : >printing'"
exits 0

claim 'a command whose results go elsewhere does not mind'
cat >three <<'END'
#!/bin/sh
echo '{'
until [ -s letters ]; do sleep 0.02; done
printf '1\n2\n'
END
chmod +x three
printf 'true\tfile:x\n' >rows
said='--stats --dead letters'
for command in "queue push q $said" "fan-out $said -- file:x" "fan-out $said --split . -- file:x" \
    "route $said true file:x" "route $said --table rows --else file:y" "chain $said cat file:x" \
    "broadcast $said --result none cat" "broadcast $said file:x" "broadcast --topic t $said" \
    "throttle --rate 9999/s $said -- file:x"; do
    rm -f letters
    run_unread sh -c "./three | $command"
    exits 123
    check grep -q '"read":3,"done":2,"dead":1,"dropped":0' "$err"
done

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
