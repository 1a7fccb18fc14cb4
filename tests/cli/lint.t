#!/bin/sh
# lint.t: the checkers of scripts/ can fail: each is shown a tree with what it should find.
. "${0%/*}/lib.sh"

# A tree that the checkers accept; each claim then spoils it.
plain_tree() {
    rm -rf tree
    mkdir -p tree/lib/base tree/lib/format tree/lib/engine tree/cmd
    for floor in base format engine; do
        echo "/* $floor.h: a header. */" >"tree/lib/$floor/$floor.h"
        printf '/* %s.c: a source. */\n#include "%s/%s.h"\n' $floor $floor $floor >"tree/lib/$floor/$floor.c"
    done
    echo '/* thing.c: a command. */' >tree/cmd/thing.c
}

# add FILE LINE...: append lines to a file of the tree.
add() {
    file=tree/$1
    shift
    printf '%s\n' "$@" >>"$file"
}

floors_finds() {
    run sh "$top/scripts/floors" tree
    exits 1
    out_like "$1"
    plain_tree
}

have() {
    for tool; do
        command -v "$tool" >/dev/null || return 1
    done
}

plain_tree

claim 'floors accepts a tree that stands'
add lib/format/format.c '#include "base/base.h"' '#include <stdio.h>' 'snprintf(a, 1, "exit(1)"); /* exit(1) */'
add lib/engine/engine.c '#include "base/msg.h"' '#include <math.h>' 'exit(1);'
run sh "$top/scripts/floors" tree
exits 0
out_is ''
plain_tree

claim 'floors finds an include that points up'
add lib/base/base.c '#include "format/format.h"'
floors_finds '^lib/base/base.c:3: floor base includes "format/format.h"'

claim 'floors finds an include of a neighbouring floor'
mkdir tree/lib/sys
echo '/* loop.c: a neighbour. */' >tree/lib/sys/loop.c
add lib/sys/loop.c '#include "format/format.h"'
floors_finds '^lib/sys/loop.c:2: floor sys includes'

claim 'floors finds an include without a floor'
add lib/base/base.c '#include "base.h"'
floors_finds 'without its floor'

claim 'floors finds a third-party header outside its owner'
add lib/format/format.c '#include <zstd.h>'
floors_finds 'lib/format/format.c:3: includes <zstd.h>'
add cmd/thing.c '#include <popt.h>'
floors_finds 'cmd/thing.c:2: includes <popt.h>'

claim 'floors finds a source that does not begin with its own header'
printf '/* base.c: a source. */\n#include <stdio.h>\n#include "base/base.h"\n' >tree/lib/base/base.c
floors_finds 'lib/base/base.c:2: includes another header before its own'

claim 'floors finds printing, exiting and reading the environment below the engine'
for code in 'printf("x");' 'fputs(x, f);' 'exit(1);' 'x = getenv("HOME");' 'write(STDERR_FILENO, x, 1);'; do
    add lib/format/format.c "$code"
    floors_finds '^lib/format/format.c:3: prints, exits or reads'
done

claim 'floors finds messages below the engine'
add lib/format/format.c '#include "base/msg.h"'
floors_finds 'includes base/msg.h below the engine'

claim 'floors finds a file that does not say what it is for'
echo 'int x;' >tree/cmd/thing.c
floors_finds '^cmd/thing.c:1: does not begin'

claim 'floors finds names that say nothing, unknown floors and empty trees'
echo '/* util.c: everything. */' >tree/lib/base/util.c
floors_finds 'lib/base/util.c:1: a name that says nothing'
mkdir tree/lib/attic
echo '/* old.c: a source. */' >tree/lib/attic/old.c
add lib/attic/old.c 'int x;'
floors_finds 'no known floor'
rm -rf tree/lib tree/cmd
floors_finds 'no sources'

claim 'banned finds each call, and nothing in comments and strings'
add lib/base/base.c '/* strcpy(a, b) */ puts("system(x)"); my_system(x); x.gets(y); x->gets(y);' '/*' 'gets(x)' '*/'
run sh "$top/scripts/banned" tree
exits 0
for call in strcpy strcat sprintf strtok gets atoi system popen alloca fork sleep malloc; do
    plain_tree
    add cmd/thing.c "    x = $call (y);"
    run sh "$top/scripts/banned" tree
    exits 1
    out_like "^cmd/thing.c:2: banned.*$call"
done

claim 'banned lets tests wait and fork, but not copy without bounds'
plain_tree
mkdir -p tree/tests/helpers
add tests/helpers/x.c 'fork();'
run sh "$top/scripts/banned" tree
exits 0
add tests/helpers/x.c 'strcpy(a, b);'
run sh "$top/scripts/banned" tree
exits 1

# A tree with a command, complete for surface and man-options.
complete_tree() {
    plain_tree
    mkdir -p tree/man tree/tests/cli tree/build/libexec/fittings
    for shell in bash zsh fish; do
        mkdir -p tree/build/share/fittings/completions/$shell
        echo 'complete --deep --help' >tree/build/share/fittings/completions/$shell/thing
    done
    touch tree/tests/cli/thing.t
    printf '| `thing` | things |\n' >tree/README.md
    cat >tree/build/libexec/fittings/thing <<'EOF'
#!/bin/sh
case $1 in
--help) printf 'Group:\n  -d, --deep N   how deep\n      --help     help\n' ;;
--dump-options=mdoc) printf '.It Fl d , Fl \\-deep Ar N\nDeep.\n.It Fl \\-help\nHelp.\n' ;;
--dump-options=summary) printf 'Things\tdo things\n' ;;
esac
EOF
    chmod +x tree/build/libexec/fittings/thing
    {
        printf '.Sh %s\n' NAME SYNOPSIS DESCRIPTION EXAMPLES 'EXIT STATUS' 'SEE ALSO'
        printf '.Nd do things\n.\\" begin options\n'
        tree/build/libexec/fittings/thing --dump-options=mdoc
        printf '.\\" end options\n'
    } >tree/man/thing.1
}

surface_finds() {
    B=build run sh "$top/scripts/surface" tree
    exits 1
    out_like "$1"
    complete_tree
}

claim 'surface accepts a complete command'
complete_tree
B=build run sh "$top/scripts/surface" tree
exits 0
out_is ''

claim 'surface finds what a command lacks'
rm tree/tests/cli/thing.t
surface_finds 'thing: no tests/cli/thing.t'
echo '| `other` | things |' >tree/README.md
surface_finds 'thing: no row'
rm tree/build/share/fittings/completions/fish/thing
surface_finds 'thing: no completion for fish'
echo >tree/build/share/fittings/completions/bash/thing
surface_finds 'thing: --deep is not completed'
rm tree/man/thing.1
surface_finds 'thing: no man/thing.1'
rm tree/build/libexec/fittings/thing
surface_finds 'thing: not built'
sed 's/^.Sh EXAMPLES//' tree/man/thing.1 >tree/new && mv tree/new tree/man/thing.1
surface_finds 'no section EXAMPLES'

claim 'surface finds a page that differs from the help'
echo '.It Fl \-wide' >>tree/man/thing.1
surface_finds 'list different options'
sed 's/deep/steep/' tree/man/thing.1 >tree/new && mv tree/new tree/man/thing.1
surface_finds 'list different options'
sed 's/do things/do other things/' tree/man/thing.1 >tree/new && mv tree/new tree/man/thing.1
surface_finds 'does not say ".Nd do things"'

claim 'man-options finds a page that is not current, and renews it'
B=$PWD/tree/build
export B
run sh "$top/scripts/man-options" --check tree/man/thing.1
exits 0
cp tree/man/thing.1 current
sed 's/^Deep/Shallow/' current >tree/man/thing.1
run sh "$top/scripts/man-options" --check tree/man/thing.1
exits 1
out_like 'not those of thing'
run sh "$top/scripts/man-options" tree/man/thing.1
exits 0
same current tree/man/thing.1
unset B

claim 'lint fails each of its checks on a tree in which all is wrong'
if have clang clang-format shellcheck mandoc; then
    plain_tree
    mkdir -p tree/man tree/tests/cli
    cp -R "$top/Makefile" "$top/.clang-format" "$top/scripts" tree
    add lib/base/base.c 'static   int unused;' 'void f(void){system("");}'
    add lib/base/base.h 'struct x *f(undeclared y);'
    echo '#include <popt.h>' >>tree/cmd/thing.c
    printf '#!/bin/sh\necho $unquoted `x`\n' >tree/tests/cli/bad.t
    printf '.Dd yesterday\n.Zz\n' >tree/man/thing.1
    : >tree/README.md
    run env -u MAKEFLAGS -u MAKELEVEL B=build CC= sh -c 'unset CC; sh tree/scripts/lint'
    exits 1
    out_like '^1\.\.12$'
    out_unlike '^ok ([1-9]|10|11) '
else
    skip 'the tools of lint are not installed here'
fi

finish
