#!/bin/sh
# docs.t: the texts beside the pages point to what exists.
. "${0%/*}/lib.sh"

texts="README.md DESIGN.md CONTRIBUTING.md NEWS.md examples/data/README.md"

claim 'links in the texts lead to files of the tree'
for text in $texts; do
    check test -s "$top/$text"
    grep -o '](\([^)#]*\))' "$top/$text" | sed 's/](\(.*\))/\1/' | while read -r link; do
        case $link in
        *://* | bench/RESULTS.md) ;; # written by make bench
        *) [ -e "$top/${text%/*}/$link" ] || [ -e "$top/$link" ] || echo "$text: $link" ;;
        esac
    done
done >missing
is "$(cat missing)" ''

claim 'files that the texts name exist'
for text in README.md DESIGN.md CONTRIBUTING.md; do
    grep -o '`\(lib\|cmd\|tests\|scripts\|examples\|base\|sys\|format\|pattern\|state\|fn\|engine\)/[a-z0-9_/-]*\(\.[a-z]*\)\?`' \
        "$top/$text" | tr -d '`' | while read -r name; do
        case $name in
        *apply*) continue ;;
        esac
        [ -e "$top/$name" ] || [ -e "$top/lib/$name" ] || [ -e "$top/lib/$name.h" ] || echo "$text: $name"
    done
done >missing
is "$(cat missing)" ''

claim 'pages refer to pages that exist'
for page in "$top"/man/*.[1-9]; do
    sed -n 's/^\.Xr \([^ ]*\) \([0-9]\).*/\1.\2/p' "$page" | while read -r name; do
        case $name in
        crontab.5 | curl.1 | jq.1 | mdb_dump.1 | systemd.1 | zstd.1 | parallel.1 | xargs.1 | sh.1) ;;
        *) [ -e "$top/man/$name" ] || echo "${page##*/}: $name" ;;
        esac
    done
done >missing
is "$(cat missing)" ''

claim 'every page of a command is named in fittings(7)'
for page in "$top"/man/*.1; do
    name=${page##*/}
    check grep -qx "\.Xr ${name%.1} 1 *[.,]*" "$top/man/fittings.7"
done

claim 'the command that CONTRIBUTING.md shows compiles'
awk '/^ *```/ { inside = /```c$/; next } inside { sub(/^   /, ""); print }' "$top/CONTRIBUTING.md" >apply.c
run "${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -I"$top/lib" -fsyntax-only apply.c
exits 0
check grep -q plan_calls apply.c

claim 'NEWS.md begins with the version that is built'
run fit --version
version=$(sed 's/.* //' "$out")
is "$(grep -m 1 '^## ' "$top/NEWS.md" | cut -d ' ' -f 2)" "$version"

finish
