#!/bin/sh
# install.t: claims about make install and make uninstall.
. "${0%/*}/lib.sh"

in_dest() {
    run make -s -C "$top" B="$FIT_BUILD" DESTDIR="$PWD/dest" PREFIX=/usr "$@"
    exits 0
}

claim 'installs fit into bin and the other commands where they hide nothing'
in_dest install
is "$(ls dest/usr/bin)" fit
is "$(ls dest/usr/libexec/fittings)" "$(ls "$FIT_BUILD/libexec/fittings")"

claim 'what is installed finds its commands and its pages'
run dest/usr/bin/fit --exec-path
out_is "$PWD/dest/usr/libexec/fittings"
run dest/usr/bin/fit fan-out --version
exits 0
out_like '^fan-out '
check test -f dest/usr/share/man/man1/fit.1

claim 'installs the completions of fit where shells look'
check test -s dest/usr/share/bash-completion/completions/fit
check test -s dest/usr/share/zsh/site-functions/_fit
check test -s dest/usr/share/fish/vendor_completions.d/fit.fish
is "$(ls dest/usr/share/bash-completion/completions)" fit
check test -s dest/usr/share/fittings/completions/bash/fan-out

claim 'links archives of libraries where the compiler has some, shared libraries with SHARED=1'
linked() {
    MAKEFLAGS='' make -n V=1 -C "$top" B="$PWD/none" "$@" "$PWD/none/bin/fit" | grep ' -o [^ ]*/bin/fit '
}
for library in popt zstd xxhash lmdb; do
    is "$(linked SHARED=1 | grep -c -e " -l$library ")" 1
    case $("${CC:-cc}" -print-file-name=lib$library.a) in
    /*) is "$(linked | grep -c -e " -l:lib$library.a ")" 1 ;;
    *) is "$(linked | grep -c -e " -l$library ")" 1 ;;
    esac
done
is "$(linked CC=false | grep -c -e ' -lpopt .* -llmdb ')" 1 'no archives'

claim 'uninstalls every file that it installed, and no other'
echo theirs >dest/usr/bin/other
in_dest uninstall
is "$(find dest -type f)" dest/usr/bin/other

finish
