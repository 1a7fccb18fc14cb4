#!/bin/sh
# common.t: claims that hold for every fitting that is built, found by listing them.
. "${0%/*}/lib.sh"

# What each command needs at least. A filter's line passes each event through once.
# "filter WORDS..." or "other WORDS...".
minimal() {
    case $1 in
    fan-out) echo filter -- cat ;;
    fanin) echo other --group . ;;
    route) echo filter true - ;;
    chain) echo filter cat cat ;;
    aggregate) echo filter --join .a a=- ;;
    invoke) echo other -- cat ;;
    queue) echo other push work ;;
    broadcast) echo filter --result cat true cat ;;
    dead) echo other count ;;
    breaker) echo filter --name b -- cat ;;
    throttle) echo filter --rate 100000/s ;;
    bulkhead) echo filter --slots 2 -- cat ;;
    state) echo other put --key . ;;
    poll) echo other --once --check nproc ;;
    warm) echo other status none ;;
    every) echo other 1h --count 1 -- true ;;
    *) echo unknown ;;
    esac
}

value_options() {
    "$1" --help | sed -n 's/^  \(-[A-Za-z0-9], \|    \)--\([a-z0-9-]*\) [^ ].*/\2/p'
}

flags() {
    "$1" --help | sed -n 's/^  \(-[A-Za-z0-9], \|    \)--\([a-z0-9-]*\)\(  .*\|\)$/\2/p'
}

takes() {
    "$1" --help | grep -q -e "--$2\\( \\|\$\\)"
}

printf '{"n":%s,"n" : 1.0e+5}\n' 123456789012345678901234567890 1 2 3 >events
printf '[1]\r\n\n \t\n[2]\r\n[3]' >loose
printf '[1]\n[2]\n[3]\n' >strict

options_of() {
    name=$1

    claim "$name: --help and -h fit 80 columns and name every form"
    run "$name" --help
    exits 0
    err_is ''
    out_like "^usage: $name "
    out_unlike '.{81}'
    cp "$out" help
    run "$name" -h
    exits 0
    out_same help

    claim "$name: --help, --version and dumps that cannot be written fail"
    for option in --help --version --dump-options=json --dump-options=mdoc; do
        run_sh "$name $option >/dev/full"
        exits 1
        err_like "^$name: write to standard output: "
    done

    claim "$name: its tables can be dumped as JSON"
    run "$name" --dump-options=json
    exits 0
    is "$(jq -r '.name, (.groups | length > 0)' "$out")" "$name
true"
    run "$name" --dump-options=xml
    exits 2

    claim "$name: --version names the command, the package and the version"
    run "$name" --version
    exits 0
    out_like "^$name \(fittings\) [0-9]+\.[0-9]+\.[0-9]+\$"

    claim "$name: an unknown option is named, a near one suggested"
    run "$name" --xyzzy
    exits 2
    out_is ''
    err_is "$name: --xyzzy: unknown option
try 'fit $name --help'"
    run "$name" --verzion
    exits 2
    err_like "^$name: --verzion: unknown option \(did you mean --version\?\)\$"
    run "$name" --vers=1
    exits 2
    err_like "^$name: --vers: unknown option \(did you mean --version\?\)\$"
    run "$name" -_
    exits 2
    err_like "^$name: -_: unknown option"

    claim "$name: without its operands it says what is missing"
    run "$name"
    out_is ''
    case $name in
    broadcast) err_like "^$name: " ;; # for which no subscriber is one of the numbers
    fanin) exits 0 ;; # which needs none
    *)
        exits 2
        err_like "^$name: "
        err_like "^try 'fit $name --help'"
        ;;
    esac

    claim "$name: no option takes an empty value, or a missing one"
    for option in $(value_options "$name"); do
        run "$name" "--$option="
        exits 2
        err_like "^$name: --$option: the value is empty"
        run "$name" "--$option"
        exits 2
        err_like "^$name: --$option: a value must follow"
    done

    claim "$name: no flag takes a value"
    for option in $(flags "$name"); do
        run "$name" "--$option=yes"
        exits 2
        err_like "^$name: --$option: takes no value"
    done

    claim "$name: numbers, durations and sizes are strict"
    for option in jobs retries pipeline max-uses seed timeout grace budget max-age max-event max-result \
        every slots burst waiting wait probes consecutive min-calls slow open-for open-max memory nice rate; do
        takes "$name" "$option" || continue
        for value in 010 -5 1e3 0x10 ' 1' '1 ' +1 99999999999999999999999; do
            run "$name" "--$option" "$value"
            exits 2
            case $value in
            +*) err_like "^$name: --$option: \\$value: " ;;
            *) err_like "^$name: --$option: $value: " ;;
            esac
        done
    done
    if takes "$name" jobs; then
        run "$name" -j0
        exits 2
        err_like "^$name: --jobs: 0: must not be 0"
    fi

    claim "$name: an option means the same with POSIXLY_CORRECT"
    printf '1\n' >one
    run_sh "$name $minimal --quiet <one"
    cp "$out" without
    POSIXLY_CORRECT=1 run_sh "$name $minimal --quiet <one"
    out_same without
}

filter() {
    name=$1
    command="$name $minimal"

    claim "$name: an event passes through byte for byte"
    run_sh "$command <events"
    exits 0
    err_is ''
    out_same events

    claim "$name: empty input is no error and gives no output"
    run_sh "$command </dev/null"
    exits 0
    out_is ''
    err_is ''

    claim "$name: CRLF, blank lines and a missing last newline are accepted"
    run_sh "$command <loose"
    exits 0
    out_same strict

    claim "$name: a leading byte order mark is skipped"
    printf '\357\273\277[1]\n[2]\n[3]\n' >marked
    run_sh "$command <marked"
    exits 0
    out_same strict

    claim "$name: compressed input is read"
    zstd -q -c strict >strict.zst
    run_sh "$command <strict.zst"
    exits 0
    out_same strict

    claim "$name: a line of 2 MB passes"
    awk 'BEGIN { for (i = 0; i < 200000; i++) printf "0123456789"; print "" }' | sed 's/.*/{"x":"&"}/' >long
    cat long strict >mixed
    run_sh "$command <mixed"
    exits 0
    out_same mixed

    claim "$name: a malformed line is a dead letter, and the others pass"
    printf '[1]\n{"broken\n[2]\n[3]\n' >broken
    run_sh "$command <broken"
    exits 123
    out_same strict
    is "$(jq -r .raw "$err")" '{"broken' 'the raw line in the dead letter'
    is "$(jq -r .reason "$err")" bad_json reason
    is "$(jq -r .command "$err")" "$name" command

    claim "$name: a NUL byte makes a line malformed"
    printf '[1]\n"a\000b"\n[2]\n[3]\n' >broken
    run_sh "$command <broken"
    exits 123
    out_same strict

    claim "$name: a line over --max-event is a dead letter, and the others pass"
    { printf '[1]\n' && cat long && printf '[2]\n[3]\n'; } >mixed
    run_sh "$name --max-event 64K --dead dead.ndjson $minimal <mixed"
    exits 123
    out_same strict
    is "$(jq -r .reason dead.ndjson)" too_large reason
    rm -f dead.ndjson

    claim "$name: dead letters are appended to --dead, with what happened"
    printf '[1]\n{\n[2]\n' >broken
    for _ in 1 2; do
        run_sh "$name --quiet --dead dead.ndjson $minimal <broken"
        exits 123
        err_is ''
    done
    is "$(jq -c '[.raw,.reason,.attempts]' dead.ndjson)" '["{","bad_json",0]
["{","bad_json",0]' letters
    rm -f dead.ndjson

    claim "$name: --stats adds up"
    run_sh "$name --quiet --stats --dead dead.ndjson $minimal <broken"
    exits 123
    is "$(jq -c '[.read,.done,.dead,.dropped]' "$err")" '[3,2,1,0]' counts
    is "$(jq '.read == .done + .dead + .dropped' "$err")" true sum
    rm -f dead.ndjson

    claim "$name: a closed standard input is an error that is said"
    run_sh "$command <&-"
    exits 1
    err_like "^$name: "

    claim "$name: a closed standard output is an error that is said"
    run_sh "$command <strict >&-"
    exits 1
    err_like "^$name: "

    claim "$name: output that cannot be written is an error that is said"
    run_sh "$command <strict >/dev/full"
    exits 1
    err_like "^$name: .*No space left on device"

    claim "$name: dead letters that cannot be written are an error that is said"
    run_sh "$name --dead none/dead.ndjson $minimal <broken"
    exits 1
    err_like "^$name: .*none/dead.ndjson"

    claim "$name: a reader that leaves early ends it quietly"
    run_sh "yes '[1]' | reaper $command | head -n 1"
    out_is '[1]'
    err_is ''

    claim "$name: SIGTERM ends it while it waits for input, and nothing survives"
    mkfifo idle
    last_command="$command <idle, then SIGTERM"
    status=0
    # shellcheck disable=SC2086 # the words of the table are words
    reaper $command <idle >"$out" 2>"$err" &
    pid=$!
    exec 9>idle
    printf '[1]\n' >&9
    within 60 grep -q '\[1\]' "$out" || wrong 'output before the signal' '[1]' "$out"
    kill -TERM "$pid"
    wait "$pid" || status=$?
    exec 9>&-
    rm idle
    exits 143
    out_is '[1]'
}

for path in "$FIT_BUILD"/libexec/fittings/*; do
    each=${path##*/}
    minimal=$(minimal "$each")
    kind=${minimal%% *}
    minimal=${minimal#* }
    claim "$each: is in the table of this test"
    is "$([ "$kind" = unknown ] && echo missing)" ''
    options_of "$each"
    [ "$kind" != filter ] || filter "$each"
done

claim 'fit: says the same of help, version and unknown options'
run fit --help
exits 0
out_unlike '.{81}'
run fit --version
out_like '^fit \(fittings\) '
run fit --xyzzy
exits 2

claim 'fit: lists every command that is built, with a summary'
run fit
exits 0
for path in "$FIT_BUILD"/libexec/fittings/*; do
    out_like "^  ${path##*/}  +[a-z]"
done
out_unlike '.{81}'

finish
