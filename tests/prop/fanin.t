#!/bin/sh
# fanin.t: shuffled, doubled and interleaved parts through three processes of one name that are killed,
# or told to end, at random: each group is written exactly once, over all outputs, and is what one
# process makes of it.
# EVENTS=10000 KILLS=500 SEED=1 make prop T=tests/prop/fanin.t
. "${0%/*}/../cli/lib.sh"

groups=${EVENTS:-4000}
kills=${KILLS:-100}
seed=${SEED:-1}
limit=3000

# trial SEED GROUPS KILLS KIND [OPTIONS...]: prints how often each process was killed. KIND "equal":
# many groups have equal lines, so that a line that is there says little; "large": some lines are long
# enough to be torn; "plain": neither.
cat >trial <<'PERL'
#!/usr/bin/perl
use POSIX ':sys_wait_h';
use Time::HiRes qw(time sleep);
use List::Util 'shuffle';
my ($seed, $groups, $kills, $kind, @options) = @ARGV;
srand $seed;
my @parts;
for my $group (1 .. $groups) {
    my $count = 1 + int rand 7;
    my $long = $kind eq 'large' && rand() < 0.1 ? 'x' x int rand 300_000 : '';
    for my $index (0 .. $count - 1) {
        my $value = $kind eq 'equal' ? int rand 2 : "\"$group.$index$long\"";
        push @parts, "{\"part\":{\"group\":$group,\"index\":$index,\"count\":$count},\"value\":$value}\n";
    }
}
sub spill { open(my $out, '>', shift) or die; print $out @_; close $out or die }
sub slurp { open(my $in, '<', $_[0]) or return ''; local $/; my $all = <$in>; defined $all ? $all : '' }
my @inputs = ([], [], []);
for my $part (shuffle(@parts)) {
    push @{ $inputs[rand 3] }, $part;
    push @{ $inputs[rand 3] }, $part if rand() < 0.3;
}
spill('whole', @parts);
for my $i (0 .. 2) {
    spill("in.$i", shuffle(@{ $inputs[$i] }));
    spill("out.$i");
}
my (@pid, @wrong, @killed);
sub start {
    my ($i, $in) = @_;
    my $pid = fork;
    return $pid if $pid;
    open STDIN, '<', $in or die;
    open STDOUT, '>>', "out.$i" or die;
    open STDERR, '>>', "err.$i" or die;
    exec 'fanin', '--state', 'state', '--quiet', @options or die;
}
sub reap {
    my ($i, $block) = @_;
    return 0 if waitpid($pid[$i], $block ? 0 : WNOHANG) == 0;
    push @wrong, "process $i ended with status $?" if $? && $? != 9 && $? != 15 && $? != 143 << 8; # 15: at its start
    $pid[$i] = 0;
    return 1;
}
$pid[$_] = start($_, "in.$_") for 0 .. 2;
my $took = 0.02;
while ($kills > 0) {
    sleep rand $took;
    my $i = int rand 3;
    kill rand() < 0.2 ? 'TERM' : 'KILL', $pid[$i] if $pid[$i];
    my $late = rand() < 0.3;
    if ($pid[$i]) {
        reap($i, 1);
        $killed[$i]++;
        $kills--;
    }
    sleep rand 0.02 if $late; # the others have taken over what it left, or not
    $pid[$i] = start($i, "in.$i");
    $took = 0.02 + rand() * 0.1;
    for my $j (0 .. 2) { # one that has read all of its input reads it again
        reap($j, 0) and $pid[$j] = start($j, "in.$j") if $pid[$j] && $j != $i;
    }
}
reap($_, 1) for grep { $pid[$_] } 0 .. 2;
$pid[0] = start(0, '/dev/null'); # what the last one has left
reap(0, 1);
my $want = `fanin @options <whole | sort`;
my $got = join '', sort map { /.*\n|.+/g } map { slurp("out.$_") } 0 .. 2;
spill('want', $want);
spill('got', $got);
push @wrong, map { slurp("err.$_") } grep { -s "err.$_" && slurp("err.$_") !~ /\A(?:fanin: a torn line.*\n)*\z/ } 0 .. 2;
my $left = `fanin --show --state state`;
push @wrong, "left: $left" if $left !~ /"open":0,"parts":0,"closed":0,/;
if ($got ne $want) {
    my (%count, @lines);
    $count{$_}++ for split /\n/, $want;
    $count{$_}-- for split /\n/, $got;
    push @lines, sprintf '%s %d times: %.80s', $count{$_} > 0 ? 'missing' : 'too often', abs $count{$_}, $_
        for grep { $count{$_} } keys %count;
    push @wrong, @lines > 5 ? (@lines[0 .. 4], scalar(@lines) . ' such lines') : @lines;
}
print "$_\n" for @wrong;
print "# killed @killed\n";
exit(@wrong > 0);
PERL
chmod +x trial

kinds='plain equal large lines'
for kind in $kinds; do
    claim "each group is written once, whoever is killed: $kind"
    rm -rf state out.* err.* in.*
    # every kind gets its share of groups and kills
    case $kind in
    lines) set -- equal --join '.[]' ;; # several lines of a group
    *) set -- "$kind" ;;
    esac
    run ./trial "$seed" "$((groups / 4))" "$((kills / 4 + 1))" "$@"
    exits 0
    [ "$status" -eq 0 ] || show "$out"
    sed -n 's/^#/# '"$kind"'/p' "$out" >&2
done

finish
