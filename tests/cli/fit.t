#!/bin/sh
# fit.t: claims about fit(1), over folders of commands made up here.
. "${0%/*}/lib.sh"

# A command of the suite, as far as fit can see: command NAME PURPOSE SUMMARY
command_file() {
    cat >"commands/$1" <<EOF
#!/bin/sh
[ "\$1" = --dump-options=summary ] && printf '%s\t%s\n' '$2' '$3' && exit
[ "\$1" = --help ] && echo 'help of $1' && exit
echo "\${0##*/}: \$*"
exit 42
EOF
    chmod +x "commands/$1"
}

mkdir commands
command_file widen Shape 'make events wider'
command_file narrow Shape 'make events narrower'
command_file after Order 'put events later'
echo 'not a command' >commands/README
mkdir commands/folder
FIT_EXEC_PATH=$PWD/commands
export FIT_EXEC_PATH

claim 'lists the commands of the folder by purpose, with their summaries'
run fit
exits 0
is "$(grep -E '^(Order|Shape):$|^  ' "$out")" 'Order:
  after   put events later
Shape:
  narrow  make events narrower
  widen   make events wider'
out_unlike 'README|folder'

claim 'lists a command that does not say what it is for'
printf '#!/bin/sh\nexit 2\n' >commands/stranger
chmod +x commands/stranger
run fit
exits 0
out_like '^Other:$'
out_like '^  stranger$'
rm commands/stranger

claim 'shows the overview for "fit help" too'
run fit help
exits 0
out_like '^  widen '

claim 'runs a command with its words, and ends as it does'
run fit widen -x 'a b' --help
exits 42
out_is "widen: -x a b --help"

claim 'leaves --help behind a command to the command'
run fit widen --help
exits 0
out_is 'help of widen'
err_is ''

claim 'shows the help of a command that has no page'
run fit help widen
exits 0
out_is 'help of widen'

claim 'suggests the nearest command for a mistyped one'
run fit widne
exits 127
err_is 'fit: widne: no such command (did you mean widen?)'
run fit help narow
exits 127
err_like 'did you mean narrow'

claim 'refuses a command that is not near any'
run fit xyzzyxyzzy
exits 127
err_is "fit: xyzzyxyzzy: no such command; 'fit' lists the commands"

claim 'never runs anything outside the folder'
printf '#!/bin/sh\necho outside\n' >outside
chmod +x outside
for name in ../outside ./outside "$PWD/outside" . .. '' folder README; do
    run fit "$name"
    exits 127
    out_is ''
done

claim 'says which folder it looks in'
run fit --exec-path
exits 0
out_is "$FIT_EXEC_PATH"

claim 'fails when the folder does not exist'
FIT_EXEC_PATH=$PWD/none run fit
exits 1
err_like '^fit: open .*/none: No such file or directory$'

claim 'fails when the overview cannot be written'
run_sh 'fit >/dev/full'
exits 1
err_like '^fit: write to standard output: '

unset FIT_EXEC_PATH

claim 'finds the commands beside its own folder'
run fit --exec-path
exits 0
out_is "$(cd "$FIT_BUILD" && pwd)/libexec/fittings"

claim 'still finds them when the installation is moved as a whole'
mkdir -p moved/bin moved/libexec/fittings moved/share/man/man7
cp "$FIT_BUILD/bin/fit" moved/bin
cp commands/widen moved/libexec/fittings
run moved/bin/fit widen 1
exits 42
run moved/bin/fit --exec-path
out_is "$PWD/moved/libexec/fittings"

claim 'opens a page of its own installation'
cat >moved/share/man/man7/widening.7 <<'EOF'
.Dd November 23, 2026
.Dt WIDENING 7
.Os
.Sh NAME
.Nm widening
.Nd how events widen
EOF
MANPAGER=cat MANWIDTH=80 run moved/bin/fit help widening
if command -v man >/dev/null || command -v mandoc >/dev/null; then
    exits 0
    out_like 'how events widen'
else
    skip 'no reader of pages here'
fi

claim 'refuses a page that is a path'
run moved/bin/fit help ../man7/widening
exits 127

finish
