#!/bin/sh
# demo.t: the examples run, and their counts add up.
. "${0%/*}/lib.sh"

examples=$top/examples

# What every example promises: each count is right, and it leaves nothing behind.
example() {
    run sh "$examples/$1/run"
    exits 0
    out_unlike WRONG
    err_is ''
    is "$(find "$work" -mindepth 1 -maxdepth 1 ! -name .t ! -name here)" '' 'left in TMPDIR'
    is "$(find . -mindepth 1)" '' 'left in the current folder'
}

claim 'earthquakes: 1707 events end where they should'
example earthquakes
out_like 'counted: features in the document: 1707$'
out_like 'counted: blasts \+ small \+ felt = events: 1707$'
out_like 'counted: delivered \+ dead = felt: 297$'
out_like 'counted: events of Taiwan = dead letters: 20$'
out_like 'counted: delivered in all: 297$'
out_like 'counted: delivered twice: 0$'
out_like 'counted: parts: 12$'
out_like '"name":"summary","open":1,"parts":5,'
out_like '"duplicates":5,'
out_like '^ +all +297 '
out_like 'counted: on the map: 39$'
out_like 'counted: printed \+ refused: 39$'
out_like 'counted: in the archive: 39$'
out_like '^All counts add up\.$'

claim 'earthquakes: finds the commands through fit when they are not in PATH'
saved=$PATH
PATH=$FIT_BUILD/bin:/usr/local/bin:/usr/bin:/bin
example earthquakes
PATH=$saved
out_like '^All counts add up\.$'

claim 'logs: every package is counted, failed calls included'
example logs
if command -v dpkg-query >/dev/null; then
    out_like '^All counts add up\.$'
    out_like 'counted: results in all: '
else
    out_like '^skipped: '
fi

claim 'logs: says that it is skipped where there is no dpkg-query, and succeeds'
shell=$(command -v sh)
mkdir empty
run env PATH="$PWD/empty" "$shell" "$examples/logs/run"
exits 0
out_like '^skipped: no dpkg-query'
rmdir empty

claim 'payments: one worker is killed, and each order is paid once'
example payments
out_like 'counted: payments: 200$'
out_like 'counted: orders that were paid twice: 0$'
out_like 'counted: orders without a payment: 0$'
out_like '^All counts add up\.$'

claim 'monitor: changes are told once, a refused one again, and the worker started once'
example monitor
out_like 'counted: changes that the first look finds: 0$'
out_like 'counted: changes: one new, one grown: 2$'
out_like 'counted: answers that said 304 Not Modified: 1$'
out_like 'counted: patches that say what has changed: 1$'
out_like 'counted: notices, still: 1$'
out_like 'counted: scheduled times: 2$'
out_like '^ +cold: [3-9][0-9][0-9]ms$'
out_like '^ +warm: [0-9.]+[um]s '
out_like 'counted: starts of the worker in the pool: 1$'
out_like '^All counts add up\.$'

claim 'a wrong count fails an example'
run sh -c '. "$1/narrate.sh"; equal a 1 2; finish' sh "$examples"
exits 1
out_like 'WRONG: a: 1 expected, 2 counted'
run sh -c '. "$1/narrate.sh"; try false 0; finish' sh "$examples"
exits 1
out_like 'WRONG: exit status 1, not 0'

finish
