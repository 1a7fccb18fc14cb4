#!/bin/sh
# http.t: claims about functions behind a URL, against a server that misbehaves on demand.
. "${0%/*}/lib.sh"

http_server port log &
server=$!
trap 'kill $server 2>/dev/null; cd / && rm -rf "$work"' EXIT
within 10 test -e port || exit 1
url=http://127.0.0.1:$(cat port)
printf '{"a": 1.0}\n' >one
printf '1\n{"a": 1.0}\n"x y"\n' >three

# The members of the only dead letter.
letter() {
    jq -c "$1" "$err"
}

claim 'posts each event, byte for byte, and gives the body of the answer, in order'
run fan-out "$url/echo" <three
exits 0
out_same three
is "$(grep -c '^POST /echo' log)" 3

claim 'says what it sends, which event it is, and for whom'
run fan-out "$url/headers" <one
exits 0
for field in 'POST /headers HTTP/1.1' 'Content-Type: application/json' 'Content-Length: 10' \
    'User-Agent: fittings/[0-9.]*' 'Accept: application/json, .*' \
    'Idempotency-Key: [0-9a-f]\{32\}' 'traceparent: 00-[0-9a-f]\{32\}-[0-9a-f]\{16\}-01'; do
    jq -r '.[]' "$out" | grep -qx "$field" || wrong 'a field' "$field" "$out"
done

claim 'gives the same idempotency key as to a process'
run fan-out -- sh -c 'cat >/dev/null; echo "\"$FIT_IDEMPOTENCY_KEY\""' <one
key=$(jq -r . "$out")
run fan-out "$url/headers" <one
out_like "Idempotency-Key: $key"

claim 'takes a pretty-printed document as one value'
run fan-out "$url/pretty" <one
exits 0
is "$(wc -l <"$out")" 1
is "$(tr '\t' ' ' <"$out" | tr -s ' ')" '{ "a": 1.50, "b": "x" }'

claim 'takes the lines of NDJSON as so many results'
run fan-out "$url/lines" <one
exits 0
out_is '{"n":1}
{"n":2}
3'

claim 'has no result where there is no body'
for path in empty created; do
    run fan-out --stats "$url/$path" <one
    exits 0
    out_is ''
    is "$(letter '[.read,.done]')" '[1,1]'
done

claim 'takes text as lines of text with --text, and sends text with --raw'
run fan-out --text --raw "$url/text" <one
exits 0
out_is '"one"
"two \"2\""'
printf '"a\\u00e9b"\n' >accent
run fan-out --text --raw "$url/echo" <accent
out_is '"aéb"'
echo '""' >nothing
run fan-out --text --raw "$url/headers" <nothing
out_like 'text/plain; charset=utf-8.*Content-Length: 0'

claim 'fails what is no JSON'
run fan-out "$url/html" <one
exits 123
is "$(letter '[.reason,.message]')" '["bad_result","result line 1: expected a value at byte 1"]'

claim 'tells of a status, and of what the server says about it'
run fan-out "$url/status?code=503&say=busy" <one
exits 123
out_is ''
is "$(letter '[.reason,.status,.message,.error,.attempts]')" \
    '["http",503,"503 Service Unavailable",{"errorType":"Said","errorMessage":"busy"},1]'

claim 'tries temporary statuses again, and no others'
for code in 408 425 429 500 503 599; do
    run fan-out --retries 2 --backoff 1ms..2ms "$url/status?code=$code" <one
    is "$code $(letter '[.status,.attempts]')" "$code [$code,3]"
done
for code in 300 301 304 400 401 404 409 410 422; do
    run fan-out --retries 2 --backoff 1ms..2ms "$url/status?code=$code" <one
    is "$code $(letter '[.status,.attempts]')" "$code [$code,1]"
done
run fan-out --retries 2 --backoff 1ms..2ms "$url/fail?code=503&times=2" <three
exits 0
out_same three

claim 'does not send a POST on to where a redirect leads, and names no password'
run fan-out --retries 2 "$url/redirect?code=308&to=https://u:secret@other.example/x?key=secret" <one
exits 123
is "$(letter '[.status,.message,.attempts]')" \
    '[308,"308 Permanent Redirect: to https://other.example/x, which is not followed",1]'

claim 'fails what does not answer, or not in full, and gives nothing of it'
for path in reset close half chunk-cut garbage; do
    run fan-out --retries 1 --backoff 1ms..2ms "$url/$path" <one
    exits 123
    out_is ''
    is "$path $(letter '[.reason,.attempts]')" "$path [\"connection\",2]"
done

claim 'ends a call that takes too long, and its connection'
for path in stall stall-body; do
    run fan-out --timeout 200ms --stats "$url/$path" <three
    exits 123
    out_is ''
    is "$(grep -c '"reason":"timeout","message":"not done after 200ms"' "$err")" 3
    is "$(tail -n 1 "$err" | jq -c '[.read,.done,.dead]')" '[3,0,3]'
done

claim 'ends an answer of 1 GB at --max-result'
run fan-out --retries 3 "$url/huge" <one
exits 123
is "$(letter '[.reason,.message,.attempts]')" \
    '["bad_result","a result of more than 16M (--max-result)",1]'

claim 'keeps a large answer in a file until it is whole'
run fan-out "$url/big?bytes=3000000" <one
exits 0
is "$(wc -c <"$out")" 3000003

claim 'heeds no answer before the last one'
run fan-out "$url/continue" <one
exits 0
out_same one

claim 'uses its connections again'
seq 200 >many
run fan-out -j4 "$url/echo" <many
out_same many
run fan-out "$url/count" <one
before=$(jq .connections "$out")
run fan-out -j4 "$url/echo" <many
run fan-out "$url/count" <one
check test $(($(jq .connections "$out") - before)) -le 5

claim 'refuses what is no URL of a function, before there is an event'
for words in 'http://' 'http://u:secret@h/' 'https://{.host}/' 'http://h/a b' 'http://h/#a'; do
    run fan-out -- "$words" <one
    exits 2
    err_unlike secret
done
run fan-out -- "$url/echo" more <one
exits 2
err_like 'takes no further words'

claim 'fills values of the event into the URL, percent-encoded'
echo '{"id":"a/../b?c","q":"x&y"}' >tricky
run fan-out "$url/status/{.id}?code={.q}" <tricky
exits 123
is "$(tail -n 1 log)" 'POST /status/a%2F..%2Fb%3Fc?code=x%26y 27'
echo '{"id":".."}' >up
run fan-out "$url/users/{.id}" <up
exits 123
is "$(letter .reason)" '"bad_event"'

finish
