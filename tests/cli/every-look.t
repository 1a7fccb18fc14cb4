#!/bin/sh
# every-look.t: claims about what every says of a schedule without running it: --next, --print.
. "${0%/*}/lib.sh"
unset TZ XDG_STATE_HOME

# The command line of an entry for cron, as cron gives it to its shell.
command_of() {
    sed -n 's/^[^#C].* cd /cd /p' "$1" | sed 's/\\%/%/g'
}

claim 'the next times are local ones, with their offset, one a line'
run every '30 2 1 1 *' --tz Asia/Kathmandu --next 2
exits 0
err_is ''
is "$(wc -l <"$out")" 2
is "$(sed 's/^[0-9]*//' "$out" | sort -u)" '-01-01T02:30:00+05:45'

claim 'an interval is counted from now'
run every 1h30m --next 3
exits 0
is "$(jq -Rs 'split("\n")[:-1] | map(sub("\\+00:00$"; "Z") | fromdate) |
    [.[1] - .[0], .[2] - .[1], (.[0] - now | . > -60 and . < 60)]' -c "$out")" '[5400,5400,true]'

claim 'with a name the times of an interval are those that will run'
# since FILE: how many seconds after the time of an event the times of $out are.
since() {
    jq -Rs --arg first "$(jq -r .data.scheduled "$1" | sed 's/\..*/Z/')" 'split("\n")[:-1] |
        map(sub("\\.[0-9]+"; "") | sub("\\+00:00$"; "Z") | fromdate - ($first | fromdate))' -c "$out"
}
run every 2h --name kept --tz UTC --next 1
exits 0
out_like '^20'
check test ! -e "$HOME/.local/state/fittings"
every 2h --name kept --count 1 >first
run every 2h --name kept --next 2
exits 0
is "$(since first)" '[7200,14400]'

claim 'also while a process has the name, which is not kept from it'
every 1h --name held --count 1 --grace 100ms -- sh -c 'cat >begun; exec sleep 1000' &
pid=$!
check within 60 test -s begun
run every 1h --name held --next 1
exits 0
is "$(since begun)" '[3600]'
kill -TERM $pid
wait $pid
is $? 143

claim 'another schedule under the name would begin now'
run every 3h --name kept --next 2
exits 0
is "$(jq -Rs 'split("\n")[:-1] | map(sub("\\+00:00$"; "Z") | fromdate) | [.[1] - .[0], (.[0] - now | . > -60 and . < 60)]' \
    -c "$out")" '[10800,true]'

claim 'a moment that has passed has no next time, one to come has one'
run every 'at 2020-01-01T00:00' --next 5
exits 0
out_is ''
run every at 2200-06-30T12:00:00.5-08:00 --tz America/New_York --next 5
out_is '2200-06-30T16:00:00.5-04:00'

claim 'many times are printed as they come, and nobody has to read them all'
run sh -c 'every "* * * * *" --next 18446744073709551615 | head -n 1000 | tail -n 1 | wc -l'
out_is 1
err_is ''

claim 'times end with the year 2261'
run sh -c 'every "0 0 1 1 *" --tz UTC --next 1000 | tail -n 1'
out_is '2261-01-01T00:00:00+00:00'

claim 'says that times could not be written'
run sh -c 'every "* * * * *" --next 10 >/dev/full'
exits 1
err_is 'every: write to standard output: No space left on device'
run sh -c 'every "* * * * *" --print crontab >/dev/full'
exits 1
err_is 'every: write to standard output: No space left on device'

claim 'a line for cron runs the same command line, in this folder and with this PATH'
cat >report <<'END'
#!/bin/sh
# report: says where it is, what it was given, and what it finds in PATH.
cat >/dev/null
jq -nc --arg folder "$(pwd)" --arg tool "$(command -v tool)" '{folder: $folder, tool: $tool} +
    {words: $ARGS.positional}' --args -- "$@"
END
mkdir -p 'my tools'
cp report 'my tools/tool'
chmod +x report 'my tools/tool'
folder=$(pwd)
run env PATH="$folder/my tools:$PATH" every '* * * * *' --print crontab --dead 'a b' -- \
    ./report '50%' "it's" '\%' '$HOME' '' '--once' '*'
exits 0
err_is ''
is "$(grep -c '^\* \* \* \* \* cd ' "$out")" 1
command_of "$out" >cronline
run env -i HOME="$HOME" sh -c "$(cat cronline)"
exits 0
is "$(jq -c .words "$out")" '["50%","it'\''s","\\%","$HOME","","--once","*"]'
is "$(jq -r .folder "$out")" "$folder"
is "$(jq -r .tool "$out")" "$folder/my tools/tool"

claim 'an interval becomes the line, so that both count alike when clocks change'
run every 12h --print crontab -- ./report
exits 0
is "$(grep -c "^0 \*/12 \* \* \* cd .*/every '0 \*/12 \* \* \*' --once -- ./report\$" "$out")" 1

claim 'the time zone and the state of the environment are said'
run env TZ=:Asia/Tokyo FIT_STATE=here every @daily --print=crontab -- ./report
exits 0
is "$(grep CRON_TZ= "$out")" 'CRON_TZ=Asia/Tokyo
CRON_TZ=""'
is "$(grep -c -- "--once --tz Asia/Tokyo --state $folder/here -- ./report\$" "$out")" 1
run env TZ=:/etc/localtime every @daily --print=crontab -- ./report
exits 0
is "$(grep -c -e TZ -e --tz "$out")" 0
run env TZ= every @daily --print=crontab -- ./report
is "$(grep CRON_TZ= "$out" | head -n 1)" CRON_TZ=UTC
run env XDG_STATE_HOME=/var/x every @daily --tz=Asia/Tokyo --print crontab -- ./report
is "$(grep -c -- '--once --tz Asia/Tokyo --state /var/x/fittings -- ./report$' "$out")" 1
run env TZ=CET-1CEST,M3.5.0,M10.5.0/3 every @daily --print crontab -- ./report
exits 2
err_like 'every: --print: TZ is not the name of a time zone: say it with --tz'

claim 'what cron cannot say is refused'
for schedule in 7m 90s 5h 36h 'at 2200-01-01T00:00'; do
    run every "$schedule" --print crontab -- ./report
    exits 2
    out_is ''
    err_like "every: --print crontab: $schedule: cron knows "
done
run every @daily --print crontab -- ./report 'a
b'
exits 2
err_like 'a crontab cannot hold an end of line'

claim 'units for systemd begin with the names of their files'
run every '0 5 * * mon' --name 'week: 1/2' --print systemd --jitter 90s --tz Europe/Berlin -- \
    ./report '50%' '$HOME' 'a
b'
exits 0
is "$(grep -c '^# ~/.config/systemd/user/every-week--1-2.service$' "$out")" 1
is "$(grep -c '^# ~/.config/systemd/user/every-week--1-2.timer$' "$out")" 1
is "$(sed -n 's/^ExecStart=.* --once/--once/p' "$out")" \
    '--once --tz Europe/Berlin --name "week: 1/2" --jitter 90s -- ./report "50%%" "$$HOME" "a\x0ab"'
is "$(sed -n '/^\[Timer]/,/^$/p' "$out" | grep '=')" 'Persistent=true
OnCalendar=Mon *-*-* 05:00:00 Europe/Berlin
AccuracySec=1s'
run every 90s --missed none --print systemd -- ./report
is "$(sed -n '/^\[Timer]/,/^$/p' "$out" | grep '=')" 'OnActiveSec=0s
OnUnitActiveSec=90s
AccuracySec=1s'

claim 'only one look at a time'
run every @daily --next 3 --print crontab -- ./report
exits 2
err_like 'only one of --next, --print and --test-at'
run every @daily --once --next 3
exits 2
err_like '--next and --once do not go together'
run every @daily --next 0
exits 2
run every @daily --print launchd -- ./report
exits 2
err_like '--print: launchd: not crontab or systemd'

finish
