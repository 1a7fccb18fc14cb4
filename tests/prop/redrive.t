#!/bin/sh
# redrive.t: letters whose redriving is killed at any moment: nothing is lost, and nothing is removed
# whose results were not written.
# KILLS=500 EVENTS=10000 SEED=1 make prop T=tests/prop/redrive.t
. "${0%/*}/../cli/lib.sh"

kills=${KILLS:-25}
events=${EVENTS:-2000}
seed=${SEED:-1}
limit=3000
FIT_STATE=$work/fit
export FIT_STATE

# A line worker: fails while there is a file broken; numbers that 7 divides fail ever after.
cat >worker <<'PERL'
#!/usr/bin/perl
$| = 1;
while (my $line = <STDIN>) {
    chomp $line;
    print -e 'broken' || $line % 7 == 0 ? "!\"no\"\n" : "[$line]\n"; # what is cut off is no result
}
PERL
chmod +x worker

# killed KILLS SEED COMMAND...: run the command again and again, killed at random moments; its output
# is appended to "results". After each kill, letters and whole results must be all the numbers.
cat >killed <<'PERL'
#!/usr/bin/perl
use POSIX ':sys_wait_h';
use Time::HiRes qw(time sleep);
my ($kills, $seed, $events, @command) = @ARGV;
srand $seed;
my ($span, $hits, %wrong) = (0.2, 0);
for my $round (1 .. $kills) {
    my $began = time;
    my $pid = fork;
    if (!$pid) {
        open STDOUT, '>>', 'results' or die;
        exec @command or die;
    }
    my ($after, $over) = (rand $span, 0);
    while (time - $began < $after) {
        last if $over = waitpid($pid, WNOHANG);
        sleep 0.001;
    }
    if (!$over) { $hits++; kill 'KILL', $pid; waitpid $pid, 0; }
    my %left = map { $_ => 1 } split /\n/, `dead show | jq .event`;
    open(my $in, '<', 'results') or die;
    my %done = map { /^\[(\d+)\]$/ ? ($1 => 1) : () } <$in>;
    for (1 .. $events) { $wrong{$_} = $round if !$left{$_} && !$done{$_}; }
    # what a kill has cut off in the middle is no whole line
    open(my $end, '>>', 'results') or die;
    print $end "\n";
}
print "$hits kills, lost: @{[sort { $a <=> $b } keys %wrong]}\n";
PERL

claim "letters survive $kills kills of their redriving (seed $seed)"
touch broken
seq "$events" | fan-out --quiet -- lines:./worker
rm broken
is "$(dead count)" "$events"
: >results # one that is killed may not have opened it
run perl killed "$kills" "$seed" "$events" dead redrive
out_like '^[0-9]+ kills, lost: $'

claim 'in the end all are done but those that fail for good, which have one letter each'
dead redrive --reason error >>results 2>/dev/null
is "$(dead count)" $((events / 7)) letters
is "$(dead show | jq .event | sort -n | uniq | wc -l)" $((events / 7)) 'events in letters'
is "$(grep -x '\[[0-9]*\]' results | sort | uniq | wc -l)" $((events - events / 7)) results

finish
