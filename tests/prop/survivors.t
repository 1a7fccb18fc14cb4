# survivors.t: when a fitting has ended, so has everything that it started to be ended.
. "${0%/*}/../cli/lib.sh"

# tree LEADER KIND...: a process that sleeps, deaf to SIGTERM or not, after it has started others:
# in its group or out of it, all of them deaf. It says the fitting's pid in the file "ready".
cat >tree <<'PERL'
#!/usr/bin/perl
use POSIX;
sub start {
    my ($leave, $twice) = @_;
    pipe(my $read, my $write);
    if (!fork) {
        $SIG{TERM} = $SIG{HUP} = $SIG{INT} = 'IGNORE';
        POSIX::setsid() if $leave;
        if ($twice) { exit if fork; POSIX::setsid() }
        close $read; close $write;
        close STDERR if $leave;
        sleep 100;
        exit;
    }
    close $write;
    my $byte = <$read>;
}
my ($leader, @kinds) = @ARGV;
$SIG{TERM} = $SIG{INT} = 'IGNORE' if $leader eq 'deaf';
start($_ ne 'group', $_ eq 'twice') for @kinds;
open(my $ready, '>', "ready.$$"); print $ready getppid(); close $ready;
rename "ready.$$", 'ready';
sleep 100 while 1;
PERL
chmod +x tree

# The same as a worker: it reads a line first.
cat >worker <<'SH'
#!/bin/sh
read -r line && exec ./tree "$@"
SH
# And as a runtime of AWS Lambda: it asks for an event first.
cat >runtime <<'SH'
#!/bin/sh
curl -s "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next" >event && exec ./tree "$@"
SH
chmod +x worker runtime

# Begin to run in the background under the reaper, with one event: sets $pid. A shell's background
# jobs ignore SIGINT, and so would the fitting.
begin() {
    last_command=$*
    rm -f ready
    perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' reaper "$@" <one >"$out" 2>"$err" &
    pid=$!
    within 60 test -f ready || wrong 'start of' "$*" 'nothing'
}

end() {
    status=0
    wait "$pid" || status=$?
}

echo 1 >one
for function in ./tree lines:./worker lambda:./runtime; do
    claim "$function: nothing survives a timeout"
    run reaper fan-out --timeout 2s --grace 100ms -- $function mild group <one
    exits 123
    run reaper fan-out --timeout 2s --grace 100ms -- $function deaf group <one
    exits 123

    claim "$function: nor does what has left the group, whoever dies of SIGTERM"
    run reaper fan-out --timeout 2s --grace 100ms -- $function mild leaver <one
    exits 123
    run reaper fan-out --timeout 2s --grace 100ms -- $function deaf leaver group leaver <one
    exits 123

    claim "$function: nothing survives SIGTERM, which waits for the grace"
    for kinds in 'mild group' 'deaf group leaver' 'mild leaver'; do
        # shellcheck disable=SC2086 # words
        begin fan-out --grace 200ms -- $function $kinds
        kill -TERM $pid
        end
        exits 143
    done

    claim "$function: nothing survives a second signal, which waits for nothing"
    begin fan-out --grace 100s -- $function deaf group leaver
    kill -INT $pid
    kill -TERM $pid # the same one twice at once would be one
    end
    check test "$status" = 130 -o "$status" = 143 # of two at once either can be first

    claim "$function: nothing survives --halt now"
    printf '1\n2\nbad\n' >three
    run reaper fan-out -j2 --grace 100ms --halt now,fail=1 -- $function mild group leaver <three
    exits 123

    claim "$function: nothing survives a reader that leaves"
    printf '1\n2\n' >two
    cat >leave <<SH
#!/bin/sh
reaper fan-out -j2 -u --grace 100ms -- sh -c 'read -r line; case \$line in
    1) until [ -e gone ]; do sleep 0.02; done; echo 1 ;;
    *) exec ./tree deaf group leaver ;;
    esac' <two
echo \$? >left
SH
    run_sh 'sh ./leave | { exec <&-; : >gone; }'
    within 60 test -s left
    is "$(cat left)" 0 'exit status'
    rm -f left gone
done

claim 'functions die with a fitting that is killed'
for function in ./tree lines:./worker lambda:./runtime; do
    begin fan-out -- $function deaf
    kill -KILL "$(cat ready)"
    end
    exits 137
done

claim 'a daemon of a function that succeeds is let alone'
cat >daemon <<'SH'
#!/bin/sh
setsid sh -c 'exec sleep 0.5' & # keeps stdout open
echo 1
SH
chmod +x daemon
run reaper fan-out --timeout 60s -- ./daemon <one
exits 0
out_is 1

claim 'what a worker leaves behind ends with it'
cat >leaving <<'SH'
#!/bin/sh
(trap '' TERM; sleep 100) &
while read -r line; do echo "$line"; done
SH
chmod +x leaving
run reaper fan-out --grace 1s -- lines:./leaving <one
exits 0
out_is 1

finish
