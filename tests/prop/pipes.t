# pipes.t: nothing deadlocks, whatever a function does with its pipes, and no line is torn.
. "${0%/*}/../cli/lib.sh"

# megabyte: an event of 1 MB.
megabyte() {
    perl -e 'print "\"", "x" x 1048574, "\"\n" for 1 .. shift' "$1"
}

megabyte 1 >one
megabyte 12 >twelve

for function in 'cat' 'lines:cat'; do
    claim "$function: passes 1 MB each way"
    run fan-out -j1 --timeout 60s -- $function <one
    exits 0
    check cmp -s one "$out"

    claim "$function: passes 1 MB each way, several at once"
    run fan-out -j4 --timeout 60s -- $function <twelve
    exits 0
    check cmp -s twelve "$out"
done

claim 'lines: passes 1 MB each way with several in flight'
run fan-out -j2 --pipeline 8 --timeout 60s -- lines:cat <twelve
exits 0
check cmp -s twelve "$out"

claim 'passes results of 1 MB before all of the event is read'
cat >early <<'PERL'
#!/usr/bin/perl
$| = 1;
print '"', 'y' x 1048574, "\"\n";
my $event = <STDIN>;
print length($event), "\n";
PERL
chmod +x early
run fan-out -j4 --timeout 60s -- ./early <twelve
exits 0
is "$(grep -c '^1048577$' "$out") $(grep -c '^"y*"$' "$out")" '12 12' 'results'

claim 'does without a function that reads 1 MB'
for function in 'exec true' 'exec 0<&-; echo 1' 'echo 1; exec sleep 0.1' 'read -r line; echo 1'; do
    run fan-out -j4 --timeout 60s -- sh -c "$function" <twelve
    exits 0
done
is "$(wc -l <"$out")" 12 'results'

claim 'lets a worker that does not read time out'
run fan-out -j2 --timeout 1s --grace 100ms --stats -- lines:sleep 100 <one
exits 123
check grep -q '"reason":"timeout"' "$err"
check grep -q '"read":1,"done":0,"dead":1' "$err"

claim 'takes a worker that answers 1 MB before it reads the rest of its event'
cat >eager <<'PERL'
#!/usr/bin/perl
$| = 1;
while (sysread STDIN, my $byte, 1) {
    print '"', 'y' x 1048574, "\"\n";
    my $rest = <STDIN>;
}
PERL
chmod +x eager
run fan-out -j2 --timeout 60s -- lines:./eager <twelve
exits 0
is "$(grep -c '^"y*"$' "$out")" 12 'results'

claim 'keeps the lines of 200 functions at once whole, 100 KB each in small writes'
cat >dribble <<'PERL'
#!/usr/bin/perl
my $event = <STDIN>;
chomp $event;
my $line = "\"$event " . ('z' x 100_000) . "\"\n";
while (length $line) {
    my $sent = syswrite STDOUT, $line, 7_000;
    substr $line, 0, $sent, '';
}
PERL
chmod +x dribble
seq 200 >events
run fan-out -j200 -u -- ./dribble <events
exits 0
is "$(perl -ne '$n++ if /^"\d+ (z+)"$/ && length $1 == 100_000; END { print $n }' "$out")" 200 'whole lines'
is "$(cut -d' ' -f1 "$out" | sort -u | wc -l)" 200 'different events'

claim 'keeps the lines on the stderr of many functions whole'
cat >shout <<'PERL'
#!/usr/bin/perl
my $event = <STDIN>;
chomp $event;
for my $i (1 .. 200) {
    my $line = "note $event $i " . ('e' x 300) . " end\n";
    while (length $line) {
        my $sent = syswrite STDERR, $line, 97;
        substr $line, 0, $sent, '';
    }
}
print "$event\n";
PERL
chmod +x shout
seq 40 >events
run fan-out -j20 -- ./shout <events
exits 0
check cmp -s events "$out"
is "$(grep -c '^note [0-9]* [0-9]* e\{300\} end$' "$err")" 8000 'whole lines'
is "$(wc -l <"$err")" 8000 'lines'

claim 'lets functions flood stderr, and a worker too'
cat >flood <<'SH'
#!/bin/sh
yes 'a line of noise' | head -n 500000 >&2
echo 1
SH
cat >flooding <<'SH'
#!/bin/sh
while read -r line; do
    yes 'a line of noise' | head -n 100000 >&2
    echo "$line"
done
SH
chmod +x flood flooding
run fan-out -j2 -- ./flood <one
exits 0
out_is 1
is "$(wc -l <"$err")" 500000 'lines'
seq 3 >events
run fan-out -j1 -- lines:./flooding <events
exits 0
check cmp -s events "$out"
is "$(wc -l <"$err")" 300000 'lines'

claim 'waits for a slow reader, and loses nothing to it'
run_sh "fan-out -j4 -- cat <twelve | perl -e 'select undef, undef, undef, 0.001 while sysread STDIN, \$x, 9000 and print \$x'"
exits 0
check cmp -s twelve "$out"

claim 'passes events and results of 10 MB'
perl -e 'print "\"", "x" x 10_485_758, "\"\n" for 1 .. 3' >tens
run fan-out -j2 -- cat <tens
exits 0
check cmp -s tens "$out"
run fan-out -j2 -- lines:cat <tens
exits 0
check cmp -s tens "$out"

claim 'refuses a line, and a result, over 16 MB, and goes on'
perl -e 'print "\"", "x" x 16_777_215, "\"\n1\n\"", "x" x 16_777_214, "\"\n"' >sixteens
run fan-out -j2 --stats -- sh -c 'wc -c' <sixteens
exits 123
is "$(cat "$out")" "2
16777217" 'results'
check grep -q '"reason":"too_large"' "$err"
check grep -q '"read":3,"done":2,"dead":1' "$err"
run fan-out -j2 --stats -- sh -c 'cat; echo 1' <sixteens
exits 123
out_is '1
1'
check grep -q '"reason":"bad_result"' "$err"
run fan-out -j2 --stats -- lines:cat <sixteens
check grep -q '"read":3' "$err"

claim 'ends a function that writes without end as a bad result, quickly'
run fan-out --timeout 100s --grace 1s -- yes <<EOT
1
2
EOT
exits 123
is "$(grep -c '"reason":"bad_result"' "$err")" 2 'letters'
run fan-out --timeout 100s --grace 1s -- head -c 1G /dev/zero <<EOT
1
EOT
exits 123
is "$(grep -c '"reason":"bad_result"' "$err")" 1 'letters'
run fan-out --timeout 100s --grace 1s -- lines:head -c 1G /dev/zero <<EOT
1
EOT
exits 123
is "$(grep -c '"reason":"bad_result"' "$err")" 1 'letters'

finish
