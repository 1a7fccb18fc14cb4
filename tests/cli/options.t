#!/bin/sh
# options.t: claims about command lines that hold where a function's words follow, with fan-out.
. "${0%/*}/lib.sh"

printf '[1]\n' >one

claim "a function's own options are not taken"
run fan-out -j2 sh -c 'exec cat' <one
exits 0
out_is '[1]'
err_is ''
run fan-out -j2 -- sh -c 'exec cat' <one
exits 0
out_is '[1]'
run fan-out --text printf '%s ' -j 0 --bogus <one
exits 0
out_is '"-j 0 --bogus "'
err_is ''

claim 'one of its own long options behind the function is left there, with a warning'
run fan-out --text printf '%s ' --jobs 9 <one
exits 0
out_is '"--jobs 9 "'
err_is 'fan-out: --jobs stands behind the function and is given to it; put -- before the function to say that this is meant'
run fan-out --text printf '%s ' x --timeout=9 <one
exits 0
err_like '^fan-out: --timeout=9 stands behind'

claim 'a -- before the function, or --quiet, silences that warning'
run fan-out --text -- printf '%s ' --jobs 9 <one
exits 0
out_is '"--jobs 9 "'
err_is ''
run fan-out --text --quiet printf '%s ' --jobs 9 <one
err_is ''

claim 'a -- behind the function is one of its words'
run fan-out --text -- printf '%s ' a -- b <one
exits 0
out_is '"a -- b "'

claim 'the last of a repeated option holds'
run fan-out --stats --max-event 1 --max-event 16M -- cat <one
exits 0
out_is '[1]'

claim 'control bytes of an option do not reach the terminal'
run fan-out "--$(printf 'a\033[31mb')"
exits 2
err_like '^fan-out: --a\?\[31mb: unknown option'
run fan-out --jobs "$(printf '\033[31m')" -- cat
exits 2
err_like '^fan-out: --jobs: \?\[31m: not a number'

claim 'options are read alike through fit'
run fit fan-out --jobs 010
exits 2
err_like '^fan-out: --jobs: 010: a leading zero'

finish
