#!/bin/sh
# deps.t: claims about scripts/deps, on a made-up machine: PATH holds only what is put there, and
# the package manager writes down what it is asked for.
. "${0%/*}/lib.sh"

sh=$(command -v sh)

# A machine with the tools that any system has, a user and nothing else.
machine() {
    rm -rf bin installed calls
    mkdir bin installed
    for tool in sh tr grep sort env cat touch; do
        ln -s "$(command -v $tool)" bin/$tool
    done
    printf '#!%s\necho %s\n' "$sh" "$1" >bin/id
    chmod +x bin/id
}

# A package manager that gives the machine everything once it is asked to install something.
manager() {
    cat >"bin/$1" <<EOF
#!$sh
echo "$1 \$*" >>"$PWD/calls"
case \$* in
*update*) exit 0 ;;
*fail*) exit 1 ;;
esac
[ ! -e "$PWD/refuse" ] || exit 100
for tool in make pkg-config prove gcc clang clang-format mandoc shellcheck bash timeout cmp ps curl jq zstd openssl; do
    [ -e "$PWD/bin/\$tool" ] || printf '#!$sh\n' >"$PWD/bin/\$tool"
done
printf '#!$sh\nexit 0\n' >"$PWD/bin/cc"
/bin/chmod +x "$PWD"/bin/*
EOF
    chmod +x "bin/$1"
}

deps() {
    run env PATH="$PWD/bin" "$sh" "$top/scripts/deps" "$@"
}

claim 'installs what is missing, says so, and then does nothing'
machine 0
manager apt-get
deps
exits 0
out_like '^deps: missing: .*<popt.h>.* cc make pkg-config'
out_like '^deps: installing with apt-get: gcc libc6-dev libcurl4-openssl-dev libjq-dev liblmdb-dev libmicrohttpd-dev libpopt-dev libxxhash-dev libzstd-dev make pkg-config'
is "$(wc -l <calls)" 2 'calls of apt-get'
check grep -q '^apt-get update' calls
check grep -q '^apt-get install -y .* gcc libc6-dev ' calls
deps
exits 0
out_is ''
is "$(wc -l <calls)" 2 'calls of apt-get'

claim 'installs only what is missing'
rm bin/make
deps build test
exits 0
out_is 'deps: missing: make 
deps: installing with apt-get: make '

claim 'knows the package managers of other platforms'
for name in dnf apk pacman brew; do
    machine 0
    manager $name
    deps
    exits 0
    out_like "^deps: installing with $name: .*popt"
done

claim 'uses sudo when it is not root'
machine 1000
manager apt-get
printf '#!%s\necho "sudo $*" >>%s/calls\nexec "$@"\n' "$sh" "$PWD" >bin/sudo
chmod +x bin/sudo
deps
exits 0
check grep -q '^sudo env DEBIAN_FRONTEND=noninteractive apt-get install' calls

claim 'tells a user without sudo what root should do'
machine 1000
manager apt-get
deps
exits 1
err_like '^deps: missing: .* as root run: apt-get install gcc'
check test ! -e calls

claim 'names what is missing where no package manager is known'
machine 0
deps
exits 1
err_like '^deps: missing: .*<popt.h>.*no package manager known'

claim 'fails when the package manager fails, or did not give what was asked'
machine 0
manager apt-get
touch refuse
deps
exits 1
err_like '^deps: apt-get failed'
rm refuse
printf '#!%s\n' "$sh" >bin/apt-get
deps
exits 1
err_like '^deps: still missing after the installation: '

claim 'refuses an unknown purpose'
deps everything
exits 1
err_like 'everything: not one of build, test, bench'

finish
