#!/bin/sh
# examples.t: what the manual pages and the README show is what happens.
. "${0%/*}/lib.sh"

examples() {
    run sh "$top/scripts/examples" "$@"
    [ "$status" -eq 0 ] || wrong 'the output of each example' 'as in the file' "$err"
}

for page in "$top"/man/*.[1-9] "$top"/README.md; do
    [ -f "$page" ] || continue
    claim "${page##*/}: its examples print what it says"
    examples "$page"
done

claim 'notices an example that prints something else, in a page and in Markdown'
printf '.Bd -literal\n$ echo a\nb\n.Ed\n' >page.1
run sh "$top/scripts/examples" page.1
exits 1
out_like '^not ok 1 - page.1'
err_like '^# \$ echo a'
printf '```console\n$ echo a\n```\n' >page.md
run sh "$top/scripts/examples" page.md
exits 1

claim 'runs the examples of a file in order, in one folder, with both outputs'
cat >page.1 <<'END'
$ false
.Bd -literal
not an example
.Ed
.Bd -literal -offset indent
$ printf 'a\en\&' >made
$ cat made; echo c >&2
a
c
$ cat <<E
> two
> E
two
.Ed
.Bd -literal
$ seq 5
1
\&...
5
.Ed
END
run sh "$top/scripts/examples" page.1
exits 0
out_is "ok 1 - page.1: its 4 examples print what it says
1..1"

finish
