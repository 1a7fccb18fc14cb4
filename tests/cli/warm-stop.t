#!/bin/sh
# warm-stop.t: ending supervisors that do not understand what they are asked.
. "${0%/*}/lib.sh"

FIT_STATE=$PWD/state
export FIT_STATE

# A supervisor of another version: it has the pool's name and socket, and greets in its own way. Its
# lock file says that it is process $1 [its own]. SIGTERM ends it, with a file "ended".
cat >foreign <<'END'
#!/usr/bin/perl
use strict;
use warnings;
use Fcntl;
use Socket;
my ($pid) = (@ARGV, $$);
chdir 'state/run' or die;
sysopen my $lock, 'warm-old.lock', O_RDWR | O_CREAT | O_TRUNC or die;
my $whole = pack 's s x4 q q i x4', F_WRLCK, 0, 0, 0, 0;
fcntl $lock, 37, $whole or die; # F_OFD_SETLK
syswrite $lock, qq({"pool":"old","pid":$pid,"since":"2026-01-01T00:00:00.000Z"}\n);
unlink 'warm-old.sock';
socket my $door, AF_UNIX, SOCK_STREAM, 0 or die;
bind $door, pack_sockaddr_un('warm-old.sock') or die;
listen $door, 8 or die;
$SIG{TERM} = sub {
    unlink 'warm-old.sock', 'warm-old.lock';
    open my $said, '>', '../../ended';
    exit;
};
open my $said, '>', '../../listens';
my @clients;
while (accept my $client, $door) {
    syswrite $client, 'an older greeting' . "\0" x 64;
    push @clients, $client;
}
END
chmod +x foreign

foreign() {
    rm -f listens ended
    ./foreign "$@" &
    foreign=$!
    trap 'kill "$foreign" 2>/dev/null; cd / && rm -rf "$work"' EXIT
    check within 60 test -e listens
}
version='it is of another version of fittings: stop it, and start it again'

claim 'a pool of another version is said to be one'
run state put made 1
foreign
run warm status old
exits 1
err_is "warm: old: $version"
run_sh 'echo 1 | fan-out --dead dead -- warm:old'
exits 123
is "$(jq -r .message dead)" "warm:old: $version"
run warm start old --quiet -- lines:cat
exits 75

claim 'stop ends it by a signal'
run warm stop old --wait-gone
exits 0
err_is ''
check test -e ended
wait "$foreign"
run warm status old
exits 1
err_is "warm: no pool 'old' is running"

claim 'a process that the lock file only names is left alone'
sleep 1000 &
bystander=$!
foreign "$bystander"
run warm stop old
exits 1
err_is "warm: old: $version"
check kill -0 "$bystander"
kill "$bystander" "$foreign"
wait "$bystander" "$foreign" 2>/dev/null

finish
