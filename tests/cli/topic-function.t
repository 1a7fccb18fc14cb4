#!/bin/sh
# topic-function.t: claims about topic:NAME, the function that publishes.
. "${0%/*}/lib.sh"

FIT_STATE=$work/topics
export FIT_STATE
printf '1\n{"a": 1.0 }\n3\n' >three

# All events of a topic, each as a new subscriber is given them.
all_of() {
    run broadcast --subscribe "all$claims@$1" --from start --until-empty -- -
}

claim 'publishes each event, byte for byte, in order, and has no result'
run fan-out topic:news <three
exits 0
out_is ''
all_of news
exits 0
out_same three

claim 'stands where a function does: a target, the last stage, after options'
run route '. == 1' topic:ones --else topic:others <three
exits 0
all_of ones
out_is 1
all_of others
is "$(wc -l <"$out")" 2
run chain cat topic:chained <three
exits 0
all_of chained
is "$(wc -l <"$out")" 3
run chain topic:chained cat <three
exits 2
err_like 'only the last function may be a sink'

claim 'takes dead letters'
run fan-out --quiet --dead topic:failures -- false <three
exits 123
err_is ''
all_of failures
is "$(jq -r .reason "$out" | sort | uniq -c | tr -s ' ')" ' 3 exit'
out_like '"event":{"a": 1.0 }'

claim 'counts an event as done when it is published'
run fan-out --stats topic:counted <three
exits 0
is "$(jq -c '[.read,.done,.dead]' "$err")" '[3,3,0]'

claim 'does not end the fitting while a worker of another stage still ends'
cat >last_words <<'end'
#!/bin/sh
while read -r event; do echo "$event"; done
sleep 0.3
echo ended >last
end
chmod +x last_words
run chain lines:./last_words topic:words <three
exits 0
is "$(cat last)" ended

claim 'takes events of any length'
{ printf '"'; head -c 10000000 /dev/zero | tr '\0' x; printf '"\n'; } >long
run fan-out topic:long <long
exits 0
all_of long
out_same long

claim 'wakes a subscriber that waits'
broadcast --subscribe waits@woken --from start -- file:woken &
subscriber=$!
check within 60 sh -c 'broadcast --list woken 2>/dev/null | jq -e .pid >/dev/null'
run fan-out topic:woken <three
check within 60 cmp -s three woken
kill "$subscriber"
wait "$subscriber" 2>/dev/null

claim 'gives the same events to all subscribers that there are'
seq 1000 >thousand
for name in a b c; do
    run broadcast --subscribe "$name@shared" --from start --until-empty -- -
done
run fan-out topic:shared <thousand
for name in a b c; do
    run broadcast --subscribe "$name@shared" --until-empty -- -
    out_same thousand
done

claim 'refuses what names no topic'
run fan-out topic:a b
exits 2
run fan-out 'topic:' <three
exits 2
run fan-out "topic:$(printf 'a\001b')" <three
exits 2
is "$(broadcast --list | jq -r .topic | grep -c '^a$')" 0

claim 'ends with 1 when the state cannot be written, and says why once'
mkdir foreign
: >foreign/something
run fan-out --state foreign topic:news <three
exits 1
is "$(wc -l <"$err")" 1
err_like foreign

finish
