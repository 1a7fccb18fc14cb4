#!/bin/sh
# topic.t: whatever is killed, each subscriber gets every event that was published, in order, and none
# again that it has acknowledged.
# KILLS=200 SEED=1 make prop T=tests/prop/topic.t
. "${0%/*}/../cli/lib.sh"

kills=${KILLS:-40}
seed=${SEED:-1}
limit=3000

# worker LOG: notes each event when it is received, and answers it; now and then it takes a while.
# With a second word it fails on every seventh event of a publisher.
cat >worker <<'PERL'
#!/usr/bin/perl
use Time::HiRes qw(sleep);
my ($log, $fails) = @ARGV;
open(my $out, '>>', $log) or die;
$| = 1;
while (my $line = <STDIN>) {
    syswrite $out, $line;
    sleep rand 0.004 if rand() < 0.3;
    print $fails && $line =~ /"n":\d*7\}/ ? "!{\"errorType\":\"seven\"}\n" : $line;
}
PERL

# trial SEED KILLS: one or two publishers and three subscribers at a time, of which one is killed again
# and again and started anew. A fourth subscriber is down all the time.
#   ordered    one event at a time
#   parallel   several, each acknowledged as it ends
#   failing    one at a time, of which some are dead
# What each run of a worker receives, and what each run of a subscriber prints, goes to a file of its
# own; after each kill it is noted how far --list says the subscriber is.
cat >trial <<'PERL'
#!/usr/bin/perl
use POSIX ':sys_wait_h';
use Time::HiRes qw(time sleep);
my ($seed, $kills) = @ARGV;
srand $seed;
my @wrong;
sub slurp { open(my $in, '<', $_[0]) or return ''; local $/; my $all = <$in>; defined $all ? $all : '' }
sub whole { my $text = slurp($_[0]); $text =~ s/[^\n]*\z//; split /\n/, $text }
sub start {
    my ($in, $out, @command) = @_;
    my $pid = fork;
    return $pid if $pid;
    setpgrp;
    open STDIN, '<', $in or die;
    open STDOUT, '>', $out or die;
    open STDERR, '>>', 'errors' or die;
    exec @command or die;
}
# A commit whose process was killed right behind it is seen by who only looks when another process
# begins to write.
sub facts {
    my ($name) = @_;
    system 'broadcast --topic other --keep 1h </dev/null' and die;
    my ($line) = grep { /"subscriber":"$name"/ } `broadcast --list t`;
    my %facts = map { $_ => $line =~ /"$_":(\d+)/ ? $1 : die "no $_ of $name" }
        qw(position lag done dead missed);
    return \%facts;
}

# A run of a publisher has lines of its own.
my (@published, %publisher);
sub publish {
    my ($name) = @_;
    my $run = @published;
    my $count = 1 + int rand 400;
    open my $in, '>', "in.$run" or die;
    print $in qq({"run":$run,"n":$_}\n) for 1 .. $count;
    close $in;
    push @published, {count => $count};
    $publisher{$name} = {run => $run,
        pid => start("in.$run", "receipts.$run", 'broadcast', '--topic', 't', '--receipts')};
}
sub published {
    my ($name, $status) = @_;
    $published[$publisher{$name}{run}]{status} = $status;
    delete $publisher{$name};
}
sub turn_publisher {
    my ($name) = @_;
    my $publisher = $publisher{$name} or return publish($name);
    if (waitpid($publisher->{pid}, WNOHANG) == $publisher->{pid}) {
        published($name, $?);
    } elsif (rand() < 0.3) {
        kill 'KILL', $publisher->{pid}, -$publisher->{pid};
        waitpid $publisher->{pid}, 0;
        published($name, $?);
    }
}

my %options = (
    ordered => ['--grace', '1ms'],
    parallel => ['-j4', '-u', '--grace', '1ms'],
    failing => ['--retries', 1, '--backoff', '0s..1ms'],
);
my (%pid, %runs);
sub subscribe {
    my ($name, @more) = @_;
    my $run = $runs{$name}++;
    my @fails = $name eq 'failing' ? ('fails') : ();
    $pid{$name} = start('/dev/null', "out.$name.$run", 'broadcast', '--subscribe', "$name\@t",
        '--from', 'start', '--quiet', @{$options{$name}}, @more, '--', 'lines:./worker', "log.$name.$run",
        @fails);
}
my (%checks, $killed);
sub kill_subscriber {
    my ($name) = @_;
    if (rand() < 0.8) {
        kill 'KILL', $pid{$name}, -$pid{$name}; # it may not have its group yet
        waitpid $pid{$name}, 0;
    } else {
        kill 'TERM', $pid{$name}; # perhaps before it hears of signals
        waitpid $pid{$name}, 0;
        push @wrong, "$name ended with status $?" if $? != 143 << 8 && $? != 15;
    }
    push @{$checks{$name}}, {run => $runs{$name}, %{facts($name)}};
    $killed++;
    subscribe($name);
}
my @names = sort keys %options;
system 'broadcast --quiet --subscribe down@t' and die;
for my $name (@names) {
    system "broadcast --quiet --subscribe $name\@t" and die;
    subscribe($name);
}
while ($killed < $kills) {
    sleep rand 0.05;
    turn_publisher(rand() < 0.5 ? 'a' : 'b');
    kill_subscriber($names[rand @names]) if rand() < 0.7;
}
# In the end nobody is killed any more.
for my $name (keys %publisher) {
    waitpid $publisher{$name}{pid}, 0;
    published($name, $?);
}
for my $name (@names) {
    kill 'TERM', $pid{$name};
    waitpid $pid{$name}, 0;
    push @wrong, "$name ended with status $?" if $? != 143 << 8 && $? != 15;
    push @{$checks{$name}}, {run => $runs{$name}, %{facts($name)}};
    subscribe($name, '--until-empty');
    waitpid $pid{$name}, 0;
    push @wrong, "$name ended its last run with status $?"
        if $? && !($name eq 'failing' && $? == 123 << 8);
}
system 'broadcast --subscribe down@t --until-empty --quiet -- lines:cat >down' and push @wrong, "down: $?";

# What is in the topic: of each publisher's run its first lines, in order, each once; all of them if it
# ended well, and in any case those that it has given a number for, under that number.
my @events = whole('down');
my (%number, @of_run);
for my $event (@events) {
    my ($run, $n) = $event =~ /^\{"run":(\d+),"n":(\d+)\}$/ or push(@wrong, "no event: $event"), next;
    push @wrong, "$event comes behind number " . ($of_run[$run] || 0) if $n != ($of_run[$run] || 0) + 1;
    $of_run[$run] = $n;
    $number{$event} = 1 + keys %number;
}
for my $run (0 .. $#published) {
    my ($there, $all) = ($of_run[$run] || 0, $published[$run]{count});
    my @receipts = whole("receipts.$run");
    push @wrong, "publisher $run ended well, and $there of $all events are there"
        if $published[$run]{status} == 0 && $there != $all;
    push @wrong, "publisher $run gave " . @receipts . " receipts, and $there events are there"
        if @receipts > $there;
    for my $n (1 .. @receipts) {
        push @wrong, "receipt $receipts[$n - 1] of a run's event $n"
            if ($number{qq({"run":$run,"n":$n})} || 0) != $receipts[$n - 1];
    }
}

# What a subscriber has received in a run, as numbers.
sub received {
    my ($name, $run) = @_;
    return map { $number{$_} or push(@wrong, "$name received $_"), () } whole("log.$name.$run");
}
for my $name (@names) {
    my %printed;
    my ($place, $done) = (0, 0);
    my (%seen, @later);
    for my $run (0 .. $runs{$name} - 1) {
        $seen{$_}++ for received($name, $run);
    }
    push @wrong, "$name has not received " . (@events - keys %seen) . ' of ' . @events
        if keys %seen != @events;
    my $next = 0; # run
    for my $check (@{$checks{$name}}) {
        my ($position, $ended) = ($check->{position}, $check->{done} + $check->{dead});
        for my $run ($next .. $check->{run} - 1) {
            # From its place on, one by one; a retry is the same event again.
            if ($name ne 'parallel') {
                my $last = $place;
                for my $n (received($name, $run)) {
                    push @wrong, "$name, run $run: $n comes behind $last, and all up to $place were done"
                        unless $n == $last + 1 || ($name eq 'failing' && $n == $last && $n > $place);
                    $last = $n;
                }
                push @wrong, "$name, run $run: position $position, and $last was received last"
                    if $run == $check->{run} - 1 && $position > $last;
            }
            $printed{$_} = 1 for whole("out.$name.$run");
        }
        $next = $check->{run};
        push @wrong, "$name: position $position behind $place, $ended behind $done"
            if $position < $place || $ended < $done;
        push @wrong, "$name: $check->{done} are done, and " . keys(%printed) . ' results were printed'
            if $check->{done} > keys %printed;
        if ($name ne 'parallel') {
            push @wrong, "$name: position $position, and $ended have ended" if $position != $ended;
        }
        # Nothing comes again that has ended, and all the rest does.
        my %again;
        for my $run ($next .. $runs{$name} - 1) {
            $again{$_} = 1 for received($name, $run);
        }
        push @wrong, "$name: $ended of " . @events . ' had ended, and then ' . keys(%again) . ' were received'
            if keys %again != @events - $ended;
        my @undone = grep { $_ <= $position } keys %again;
        push @wrong, "$name: $undone[0] was received behind position $position" if @undone;
        ($place, $done) = ($position, $ended);
    }
    my $facts = facts($name);
    push @wrong, "$name: " . join ' ', map { "$_ $facts->{$_}" } sort keys %$facts
        if $facts->{position} != @events || $facts->{lag} || $facts->{missed} ||
            $facts->{done} + $facts->{dead} != @events;
}
# Each event that fails has one letter, and no other has any.
my %dead;
$dead{$_}++ for grep { chomp; 1 } `dead show --match '.topic == "t"' | jq -c .event`;
my @failing = grep { /"n":\d*7\}/ } @events;
push @wrong, @failing . ' events fail, and ' . keys(%dead) . ' have letters' if @failing != keys %dead;
$dead{$_} == 1 or push @wrong, "$_ has " . ($dead{$_} || 0) . ' letters' for @failing;
print STDERR "seed $seed: $_\n" for @wrong[0 .. ($#wrong < 9 ? $#wrong : 9)];
print scalar(@events), " events, ", scalar(@published), " publishers, $killed kills\n";
exit(@wrong ? 1 : 0);
PERL
chmod +x worker trial

claim "subscribers killed $kills times get every event, in order, and none after its acknowledgement"
last_command="trial $seed $kills"
status=0
FIT_STATE=$PWD/state ./trial "$seed" "$kills" >"$out" 2>"$err" || status=$?
exits 0
sed 's/^/# /' "$out"

finish
