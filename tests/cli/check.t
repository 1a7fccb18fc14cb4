#!/bin/sh
# check.t: claims about scripts/check and .ci/run, over a made-up tree whose steps say what we like.
. "${0%/*}/lib.sh"

mkdir -p tree/scripts tree/.ci
cp "$top/scripts/check" tree/scripts
cp "$top/.ci/run" tree/.ci
echo 'exit 0' >tree/scripts/deps
steps='lint unit cli prop asan tsan fuzz-smoke'

# Every step of the tree passes two tests of prove; then some are made to differ.
plain_tree() {
    {
        echo ".PHONY: $steps"
        for name in $steps; do
            printf '%s:\n\t@cat %s.log; exit `cat %s.status`\n' "$name" "$name" "$name"
        done
    } >tree/Makefile
    for name in $steps; do
        printf 'a.t .. ok\nFiles=1, Tests=2,  0 wallclock secs\nResult: PASS\n' >"tree/$name.log"
        echo 0 >"tree/$name.status"
    done
}

# The last line of a run from another folder.
last_line_is() {
    run env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS sh tree/.ci/run
    exits "$1"
    is "$(tail -n 1 "$out")" "$2" 'last line'
}

claim 'adds up what the steps ran'
plain_tree
printf 'ok 1 - x\nok 2 - y\nok 3 - z\n1..3\n' >tree/lint.log
printf 'Files=1, Tests=10, 0 w\nFiles=2, Tests=20, 0 w\n' >tree/asan.log
last_line_is 0 '43 passed, 0 failed'

claim 'counts failed tests, and fails'
plain_tree
printf 'Failed 1/1 test programs. 2/7 subtests failed.\nFiles=1, Tests=7, 0 w\nResult: FAIL\n' >tree/cli.log
echo 2 >tree/cli.status
printf 'ok 1 - x\nnot ok 2 - y\n1..2\n' >tree/lint.log
echo 1 >tree/lint.status
last_line_is 1 '16 passed, 3 failed'

claim 'a step that fails without a failed test counts as one failure'
plain_tree
echo 'error: does not compile' >tree/unit.log
echo 2 >tree/unit.status
last_line_is 1 '12 passed, 1 failed'

claim 'a step that runs nothing counts as one failure'
plain_tree
: >tree/prop.log
last_line_is 1 '12 passed, 1 failed'

claim 'fails when what is missing cannot be installed'
plain_tree
echo 'exit 1' >tree/scripts/deps
run sh tree/.ci/run
exits 1

finish
