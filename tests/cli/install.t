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

claim 'uninstalls every file that it installed, and no other'
echo theirs >dest/usr/bin/other
in_dest uninstall
is "$(find dest -type f)" dest/usr/bin/other

finish
