# narrate.sh: what the examples have in common: say what comes, show a command and run it, and hold
# the counts to each other. Sourced.
wrong=0
say() {
    printf '\n%s\n\n' "$*"
}

# try COMMAND STATUS: show it, run it, and expect that exit status.
try() {
    printf '    $ %s\n' "$1"
    got=0
    eval "$1" >.out 2>.err || got=$?
    cat .out .err | fold -s -w 96 | sed 's/^/    /'
    case $got in
    75) printf '    (exit status 75: run it again)\n' ;;
    123) printf '    (exit status 123: some events are dead)\n' ;;
    esac
    [ "$got" -eq "$2" ] || {
        printf '    WRONG: exit status %s, not %s\n' "$got" "$2"
        wrong=1
    }
}

lines() {
    if [ -f "$1" ]; then wc -l <"$1" | tr -d ' '; else echo 0; fi
}

# equal WHAT EXPECTED GOT
equal() {
    if [ "$2" = "$3" ]; then
        printf '    counted: %s: %s\n' "$1" "$3"
    else
        printf '    WRONG: %s: %s expected, %s counted\n' "$1" "$2" "$3"
        wrong=1
    fi
}

finish() {
    if [ "$wrong" -eq 0 ]; then
        printf '\nAll counts add up.\n'
    else
        printf '\nSome counts are wrong.\n'
    fi
    exit "$wrong"
}
