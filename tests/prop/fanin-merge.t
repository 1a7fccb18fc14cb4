#!/bin/sh
# fanin-merge.t: 16 processes write lines of 100 KB, in pieces that know nothing of lines, each into
# a FIFO of its own, and one of them kills itself inside of a line. One fanin --merge gives all
# lines, each whole and those of a writer in order; what the dead one had begun is a dead letter, or
# an event where it is one already, and is never glued to what another writes. A fiftieth of SEEDS
# runs [20]; SEED=N repeats one.
. "${0%/*}/../cli/lib.sh"
seeds=$((${SEEDS:-1000} / 50))
[ "$seeds" -gt 0 ] || seeds=1

# writer.pl FIFO WRITER SEED LINES NUMBERS: the line LINES + 1 is cut by SIGKILL; NUMBERS of the lines are
# no objects.
cat >writer.pl <<'PERL'
use strict;
use Digest::MD5 'md5_hex';
my ($fifo, $writer, $seed, $lines, $numbers) = @ARGV;
srand $seed * 100 + $writer;
open my $out, '>', $fifo or die "$fifo: $!";
my ($bytes, $cut) = ('', 0);
for my $n (1 .. $lines + 1) {
    my $length = rand() < 0.8 ? 100_000 : int rand 300_000;
    my $text = substr join('', map { chr(97 + rand 26) } 1 .. 100) x (1 + $length / 100), 0, $length;
    my $line = rand() < $numbers ? "$n" . '0' x 50 . "\n"
        : "{\"w\":$writer,\"n\":$n,\"sum\":\"" . md5_hex($text) . "\",\"text\":\"$text\"}\n";
    $line = substr $line, 0, rand length $line if $n > $lines;
    last if $n > $lines && $writer;
    $bytes .= $line;
}
while (length $bytes) {
    my $most = rand() < 0.3 ? 1 + rand 100 : 1 + rand 70_000;
    my $put = syswrite $out, $bytes, $most;
    die "write: $!" unless defined $put;
    substr $bytes, 0, $put, '';
}
kill 'KILL', $$ unless $writer;
PERL

# check.pl LINES SORTED: what of got and dead is not as it should be.
cat >check.pl <<'PERL'
use strict;
use Digest::MD5 'md5_hex';
my ($lines, $sorted) = @ARGV;
my (@seen, $numbers);
my $last = 0;
open my $got, '<', 'got' or die;
while (<$got>) {
    if (/^(\d+)0{50}$/ || /^\d+$/) {
        $numbers++;
        next;
    }
    my ($w, $n, $sum, $text) = /^\{"w":(\d+),"n":(\d+),"sum":"(\w+)","text":"([a-z]*)"\}$/
        or die 'torn: ' . substr($_, 0, 100) . "\n";
    die "writer $w, line $n: its text is another\n" if md5_hex($text) ne $sum;
    die "writer $w, line $n after ", $seen[$w], "\n" if $n <= ($seen[$w] || 0);
    die "line $n after $last\n" if $sorted && $n < $last;
    $seen[$w] = $last = $n;
    $numbers++;
}
my $dead = 0;
if (open my $letters, '<', 'dead') {
    while (<$letters>) {
        $dead++;
        /"reason":"bad_json".*"input":"fifo0","line":(\d+)/ && $1 == $lines + 1
            or die 'dead: ' . substr($_, -300);
        die 'another: ' . substr($_, 0, 100) unless /^\{"raw":"\{(?:\\"w\\":(?:0.*)?)?/;
    }
}
my $all = 16 * $lines;
die "$numbers events and $dead letters of $all\n" if $numbers + $dead < $all || $numbers + $dead > $all + 1;
PERL

# one_run SEED NUMBERS [PROGRAM]
one_run() {
    rm -f fifo* got dead
    lines=$((1 + $1 % 7))
    writer=0
    while [ $writer -lt 16 ]; do
        mkfifo fifo$writer
        perl writer.pl fifo$writer $writer "$1" $lines "$2" &
        writer=$((writer + 1))
    done
    last_command="fanin --merge ${3:+--sorted $3}, seed $1"
    status=0
    timeout 60 fanin --merge ${3:+--sorted "$3"} --dead dead fifo? fifo?? >got 2>errors || status=$?
    wait
    [ $status -eq 0 ] || [ $status -eq 123 ] || wrong 'exit status' '0 or 123' $status
    grep -v '^fanin: 1 of [0-9]* events are dead: see dead$' errors && wrong 'standard error' '' errors
    perl check.pl $lines "${3:+1}" 2>wrong || wrong 'what came' 'all, whole and in order' wrong
}

claim "tears no line of 16 writers, one of which is killed, in $seeds random runs"
seed=${SEED:-1}
last=${SEED:-$seeds}
while [ "$seed" -le "$last" ] && [ "$claim_state" != failed ]; do
    one_run "$seed" 0.1
    seed=$((seed + 1))
done

claim 'nor when it sorts them'
one_run "${SEED:-3}" 0 .n
finish
