# lib.sh: claims about commands, printed as TAP. Each *.t here and in tests/prop begins with
#   . "${0%/*}/../cli/lib.sh"
# and then stands in an empty folder of its own, with the built commands and helpers in PATH.
#
#   claim 'passes an event through unchanged'    begins a claim and ends the one before
#   run fan-out -j2 -- cat <events               runs; redirections and here-documents work
#   exits 0                                      what must hold for the claim
#   out_is '{"a":1}'
#   finish                                       at the end of the file
#
# A claim that fails shows the command, what was expected and what was got (on stderr).

set -u
top=$(cd "${0%/*}/../.." && pwd)
FIT_BUILD=${FIT_BUILD:-$top/build}
[ -x "$FIT_BUILD/bin/fit" ] || {
    echo "Bail out! $FIT_BUILD/bin/fit is not built"
    exit 1
}
work=$(mktemp -d "${TMPDIR:-/tmp}/fit-test.XXXXXX") || exit 1
trap 'cd / && rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work/.t" "$work/here"
cd "$work/here" || exit 1
PATH=$FIT_BUILD/libexec/fittings:$FIT_BUILD/bin:$FIT_BUILD/helpers:$PATH
LC_ALL=C
HOME=$work
XDG_STATE_HOME=$work/state
TMPDIR=$work
export PATH LC_ALL HOME XDG_STATE_HOME TMPDIR FIT_BUILD
unset FIT_STATE FIT_EXEC_PATH POSIXLY_CORRECT
exec </dev/null

out=$work/.t/out  # standard output of the last run
err=$work/.t/err  # standard error of the last run
status=0          # exit status of the last run
limit=120         # seconds after which a run is killed (status 124)
claims=0
failures=0
claim_text=
claim_state=
last_command='(nothing was run)'

# End the current claim: "ok" or "not ok".
end_claim() {
    [ -n "$claim_text" ] || return 0
    claims=$((claims + 1))
    case $claim_state in
    failed)
        failures=$((failures + 1))
        echo "not ok $claims - $claim_text"
        ;;
    skipped*) echo "ok $claims - $claim_text # SKIP ${claim_state#skipped }" ;;
    *) echo "ok $claims - $claim_text" ;;
    esac
    claim_text=
    claim_state=
}

# What the claim before has left in $out and $err is not taken for what a process in the background,
# which may not have begun, has written.
claim() {
    end_claim
    claim_text=$*
    : >"$out"
    : >"$err"
}

skip() {
    claim_state="skipped $*"
}

finish() {
    end_claim
    echo "1..$claims"
    [ "$failures" -eq 0 ] || exit 1
    exit 0
}

# A text or a file, indented, its first lines only.
show() {
    {
        if [ -f "$1" ]; then cat "$1"; else printf '%s\n' "$1"; fi
    } | head -n 20 | cut -c 1-300 | sed 's/^/#     /' >&2
}

# wrong WHAT EXPECTED GOT: the claim fails. EXPECTED and GOT are texts or files.
wrong() {
    [ "$claim_state" = failed ] || echo "# not ok: $claim_text" >&2
    claim_state=failed
    echo "#   $last_command" >&2
    echo "#   $1, expected:" >&2
    show "$2"
    echo "#   got:" >&2
    show "$3"
}

# Run a command to its end: sets $status, and the files $out and $err.
run() {
    last_command=$*
    status=0
    timeout --foreground -k 5 "$limit" "$@" >"$out" 2>"$err" || status=$?
}

# The same through the shell, for pipelines: run_sh 'a | b'.
run_sh() {
    last_command=$1
    status=0
    timeout --foreground -k 5 "$limit" sh -c "$1" >"$out" 2>"$err" || status=$?
}

# run_unread COMMAND...: run it with a pipe as its standard output from which nobody reads any more.
run_unread() {
    last_command="$* | (nobody)"
    status=0
    rm -f "$work/.t/unread"
    mkfifo "$work/.t/unread"
    exec 8<>"$work/.t/unread"
    exec 9>"$work/.t/unread" 8<&-
    timeout --foreground -k 5 "$limit" "$@" >&9 2>"$err" || status=$?
    exec 9>&-
}

# run_into READER COMMAND...: run COMMAND | READER, which is a text for the shell and writes $out.
# $status is that of the command, $err too.
run_into() {
    reader=$1
    shift
    last_command="$* | $reader"
    {
        timeout --foreground -k 5 "$limit" "$@" 2>"$err"
        echo $? >"$work/.t/status"
    } | sh -c "$reader" >"$out"
    status=$(cat "$work/.t/status")
}

# run_trials COUNT FIRST COMMAND...: so many runs of a command, with a seed as its last word, each in a
# folder of its own with a state there. Four at once: most of the time they wait.
run_trials() {
    seq "$2" $(($2 + $1 - 1)) >seeds
    shift 2
    rm -rf run.*
    run xargs -P 4 -I SEED sh -c 'mkdir "run.$0" && cd "run.$0" && FIT_STATE=$PWD/state "$@" "$0"' SEED "$@" <seeds
    last_command="$* SEED"
}

exits() {
    [ "$status" -eq "$1" ] && return 0
    wrong 'exit status' "$1" "$status"
    show "$err"
}

# The whole of standard output, without its last newline.
out_is() {
    [ "$(cat "$out")" = "$1" ] || wrong 'standard output' "$1" "$out"
}

err_is() {
    [ "$(cat "$err")" = "$1" ] || wrong 'standard error' "$1" "$err"
}

# Some line matches an extended regular expression.
out_like() {
    grep -Eq -e "$1" "$out" || wrong 'a line of standard output like' "$1" "$out"
}

err_like() {
    grep -Eq -e "$1" "$err" || wrong 'a line of standard error like' "$1" "$err"
}

out_unlike() {
    ! grep -Eq -e "$1" "$out" || wrong 'no line of standard output like' "$1" "$out"
}

err_unlike() {
    ! grep -Eq -e "$1" "$err" || wrong 'no line of standard error like' "$1" "$err"
}

# Standard output is byte for byte that file.
out_same() {
    cmp -s "$1" "$out" || wrong 'standard output' "$1" "$out"
}

same() {
    cmp -s "$1" "$2" || wrong "$2" "$1" "$2"
}

# is GOT EXPECTED [WHAT]
is() {
    [ "$1" = "$2" ] || wrong "${3:-value}" "$2" "$1"
}

# A command that must succeed: check test -e file
check() {
    "$@" || wrong 'success of' "$*" 'failure'
}

# within SECONDS COMMAND...: try until it succeeds; 1 when the time is over. It costs nothing to give
# a minute, and a machine may be ten times slower than this one. A file that is looked into must not
# be there from before: what is in the background may not have opened it yet.
within() {
    deadline=$(($(date +%s) + $1))
    shift
    until "$@" 2>/dev/null; do
        [ "$(date +%s)" -le "$deadline" ] || return 1
        sleep 0.05
    done
}

# True in a build with sanitizers, whose memory and address space cannot be limited.
sanitized() {
    grep -q __asan_init "$FIT_BUILD/bin/fit"
}
