#!/bin/sh
# completions.t: claims about the completion scripts, with bash doing the completing.
. "${0%/*}/lib.sh"

command -v bash >/dev/null || {
    echo '1..0 # SKIP bash is not installed'
    exit 0
}
mkdir folder
touch file.ndjson

# offers WORD...: what bash would offer for the last word; the first is fit or a command.
offers() {
    run bash -c '
        . <(if [[ $1 == fit ]]; then cat "$0/share/fittings/completions/bash/fit"
            else "$1" --dump-options=bash; fi)
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        function=_fit
        [[ $1 == fit ]] || function=_fit_${1//-/_}
        "$function"
        printf "%s\n" "${COMPREPLY[@]}"
    ' "$FIT_BUILD" "$@"
    exits 0
    err_is ''
}

claim 'completes the names of options'
offers fan-out --ser
out_is --serial-by
offers fan-out -j4 --unordered --max-ev
out_is --max-event

claim 'completes values by their kind: words, files, or nothing'
offers fan-out --pipeline a
out_is auto
offers fan-out --dead = fil
out_is file.ndjson
offers fan-out --dead =
out_like '^file.ndjson$'
out_like '^folder$'
offers fan-out --timeout ''
out_is ''
offers fan-out --dead --un
out_is ''

claim 'completes a function and then files, and no options behind it'
offers fan-out -j 4 redu
out_unlike '^--'
offers fan-out -- sleep fil
out_is file.ndjson
offers fan-out sleep --ser
out_is ''
offers fan-out --stats -- fan-ou
out_like '^fan-out$'

claim 'completes the commands behind fit, and then their options'
offers fit fan-o
out_is fan-out
offers fit --exec
out_is --exec-path
offers fit help fan-o
out_is fan-out
offers fit fan-out --ser
out_is --serial-by
offers fit fan-out -- sleep fil
out_is file.ndjson
offers fit ../x --ser
out_is ''
offers fit help fit-s
out_is fit-state

claim 'completes verbs, and options behind what they are about'
offers warm st
out_is 'start
stop
status'
offers warm start jobs --wait-r
out_is --wait-ready
offers warm list --sta
out_is '--state
--stats'
offers warm start jobs --detach -- fan-ou
out_like '^fan-out$'
offers state dump fil
out_is file.ndjson
offers queue --he
out_is '--header
--header-file
--help'
offers fit queue wo
out_is work
offers fit queue work jobs --until
out_is --until-empty

finish
