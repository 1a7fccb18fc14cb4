#!/bin/sh
# http.t: claims about functions behind a URL, against a server that misbehaves on demand.
. "${0%/*}/lib.sh"

unset http_proxy https_proxy all_proxy no_proxy HTTPS_PROXY ALL_PROXY NO_PROXY
http_server port log &
server=$!
h2=
trap 'kill $server $h2 2>/dev/null; cd / && rm -rf "$work"' EXIT
within 60 test -e port || exit 1
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
out_is '{"a":1.50,"b":"x"}'

claim 'takes the lines of NDJSON as so many results'
run fan-out "$url/lines" <one
exits 0
out_is '{"n":1}
{"n":2}
3'

claim 'has no result where there is no body'
for path in empty created blank; do
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

claim 'fails what is no JSON, and tells of what type it is'
run fan-out "$url/html" <one
exits 123
is "$(letter '[.reason,.message]')" \
    '["bad_result","result line 1: expected a value at byte 1 (text/html)"]'

claim 'asks for what is not encoded, and fails what is'
run fan-out "$url/headers" <one
is "$(jq -r '.[]' "$out" | grep -i '^accept-encoding')" 'Accept-Encoding: identity'
run fan-out "$url/coded" <one
exits 123
is "$(letter '[.reason,.message]')" \
    '["bad_result","the answer is encoded (gzip), which is not understood"]'

claim 'fails what would go on in another protocol'
run fan-out "$url/switch" <one
exits 123
is "$(letter '[.reason,.status,.message]')" '["http",101,"101 Switching Protocols"]'
printf 'HTTP/1.1 101 Stay\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n' >answer
run fan-out --timeout 20s "$url/file?name=$PWD/answer" <one
is "$(letter '[.reason,.status,.message]')" '["http",101,"101 Stay"]'

claim 'fails what Lambda says has failed, with what it says of it'
run fan-out "$url/function-error" <one
exits 123
out_is ''
is "$(letter '[.reason,.status,.error]')" '["error",null,{"errorMessage":""}]'
check grep -q '"error":{"errorMessage":""}' "$err"
for bytes in 100000 3000000; do
    run fan-out "$url/function-error?bytes=$bytes" <one
    exits 123
    is "$(letter '[.reason,.error]')" '["error",null]'
done

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

claim 'ends a head without end'
run fan-out "$url/endless-head" <one
exits 123
is "$(letter .reason)" '"connection"'

claim 'holds little of a large answer in memory'
if sanitized; then
    skip 'sanitizers need more'
else
    run peak usage fan-out --max-result 128M "$url/huge" <one
    exits 123
    check test "$(cut -d ' ' -f 1 usage)" -lt 40000
    run peak usage fan-out -j8 "$url/echo" <three
    exits 0
    check test "$(cut -d ' ' -f 1 usage)" -lt 40000
fi

claim 'sends and takes 10 MB'
awk 'BEGIN { printf "\""; for (i = 0; i < 1000000; i++) printf "0123456789"; print "\"" }' >large
run fan-out "$url/echo" <large
exits 0
out_same large

claim 'makes as many calls at once as --jobs, and no more'
seq 12 >dozen
begin=$(date +%s%N)
run fan-out -j4 "$url/late?ms=200" <dozen
exits 0
out_same dozen
check test $((($(date +%s%N) - begin) / 1000000)) -ge 550

claim 'blames no server where there are no more descriptors'
seq 64 >many
run_sh "ulimit -n 32; exec fan-out -j64 --breaker full --dead short '$url/late?ms=500' <many"
exits 123
is "$(jq -r '.reason + " " + .message' short | sort -u)" 'spawn make a socket: Too many open files'
run breaker --name full --show
is "$(jq -c '[.state,.failed]' "$out")" '["closed",0]'
run_sh "ulimit -n 32; exec fan-out -j64 --retries 1000 --backoff 1ms..50ms '$url/late?ms=100' <many"
exits 0
out_same many

claim 'gives results as they come with -u'
printf '%s\n' '{"ms":1500}' '{"ms":1}' >two
run fan-out -u -j2 "$url/late?ms={.ms}" <two
out_is '{"ms":1}
{"ms":1500}'

claim 'stands in a chain, and as a target; an & is part of a URL'
run chain "$url/echo?a=1&b=2" 'jq -c .a' "$url/echo" <one
exits 0
is "$(grep -c '^POST /echo?a=1&b=2' log)" 1
run route .a "$url/echo" --else - <one
exits 0
out_same one
run chain "$url/echo & cat" <one
exits 2

claim 'goes through a proxy that the environment names'
http_proxy=$url run fan-out http://example.invalid/echo <one
exits 123
check grep -q '^POST http://example.invalid/echo' log
http_proxy=http://example.invalid no_proxy=127.0.0.1 run fan-out "$url/echo" <one
exits 0

claim 'does not say the password of a proxy'
for proxy in 'http://u:s3cret@127.0.0.1:1' 'socks9://u:s3cret@127.0.0.1:1' 'http://u:s3cret@:1:2' 'u:s3cret@[::1'; do
    http_proxy=$proxy
    export http_proxy
    run fan-out -v --trace trace --dead dead http://x.example/ <one
    exits 123
    is "$(jq -r .reason dead)" connection
    ! grep -q s3cret trace dead "$err" || wrong 'no password' '' "$proxy"
    rm dead
done
unset http_proxy

claim 'keeps a large answer in a file until it is whole'
run fan-out "$url/big?bytes=3000000" <one
exits 0
is "$(wc -c <"$out")" 3000003

claim 'blames no server for a file that cannot be written'
TMPDIR=$PWD/nowhere run fan-out --retries 1 --backoff 1ms..2ms "$url/big?bytes=3000000" <one
exits 123
is "$(letter '[.reason,.attempts]')" '["write",2]'

claim 'heeds no answer before the last one'
run fan-out "$url/continue" <one
exits 0
out_same one

claim 'takes no trailer for a field of the head'
chunked='HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n7\r\n0\r\n'
for trailer in 'X-Amz-Function-Error: Unhandled' 'Content-Encoding: gzip' 'HTTP/1.1 500 No: way'; do
    printf "$chunked%s\r\n\r\n" "$trailer" >answer
    run fan-out "$url/file?name=$PWD/answer" <one
    exits 0
    out_is 7
done

claim 'skips a byte order mark, however it comes, and takes nothing else for one'
mark='\357\273\277'
# shellcheck disable=SC2059,SC2086 # the bytes are a format, and no option is no word
body() {
    printf "HTTP/1.1 200 OK\r\nContent-Type: $1\r\nContent-Length: $2\r\n\r\n$3" >answer
    run fan-out ${4-} "$url/file?name=$PWD/answer" <one
}
body application/json 4 "${mark}7"
exits 0
out_is 7
body application/x-ndjson 6 "${mark}1\n2"
exits 0
out_is '1
2'
body text/plain 4 "${mark}7" --text
out_is '"7"'
body text/plain 6 '\357\273\276abc' --text
exits 0
out_is "$(printf '"\357\273\276abc"')"
body application/json 7 "${mark}${mark}7"
exits 123
for bytes in 1 2; do
    body application/json $bytes "$mark"
    exits 123
    is "$(letter .reason)" '"bad_result"'
done
printf "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\357\r\n2\r\n\273\277\r\n1\r\n7\r\n0\r\n\r\n" >answer
run fan-out "$url/file?name=$PWD/answer" <one
exits 0
out_is 7

claim 'reads a field that goes on in another line, and takes none of its lines for a field'
printf 'HTTP/1.1 400 No\r\nX-One: 1\r\n Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nno' >answer
run fan-out "$url/file?name=$PWD/answer" <one
is "$(letter '[.status,.error]')" '[400,null]'
printf 'HTTP/1.1 200 OK\r\nContent-Type:\r\n\tapplication/\r\nContent-Type: application/x-ndjson;\r\n\ta=b\r\nContent-Length: 3\r\n\r\n1\n2' >answer
run fan-out "$url/file?name=$PWD/answer" <one
exits 0
out_is '1
2'

claim 'survives a head that begins with the continuation of a line'
printf 'HTTP/1.1 200 OK\r\nX-One: 1\r\nX-Two: 2\r\nContent-Length: 1\r\n\r\n1' >plain
printf 'HTTP/1.1 200 OK\r\n X-One: 1\r\nContent-Length: 1\r\n\r\n1' >folded
for i in 1 2 3 4 5 6 7 8 9 10; do printf '"plain"\n"folded"\n'; done >pairs
run fan-out -j1 --stats --dead folds "$url/file?name=$PWD/{.}" <pairs
check test "$status" -eq 0 -o "$status" -eq 123
is "$(tail -n 1 "$err" | jq -c '[.read, .done + .dead, .done >= 10]')" '[20,20,true]'

claim 'uses its connections again'
seq 200 >many
run fan-out -j4 "$url/echo" <many
out_same many
run fan-out "$url/count" <one
before=$(jq .connections "$out")
run fan-out -j4 "$url/echo" <many
run fan-out "$url/count" <one
check test $(($(jq .connections "$out") - before)) -le 5

claim 'sends an event again whose connection was closed since it was used'
run fan-out -j1 --stats "$url/worn" <many
exits 0
out_same many
is "$(tail -n 1 "$err" | jq -c '[.done,.attempts]')" '[200,200]'
is "$(grep -c '^POST /worn' log)" 399
run fan-out -j8 --retries 20 --backoff 1ms..2ms "$url/worn" <many
exits 0
out_same many

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

claim 'sends the fields of --header and --header-file, in place of its own'
printf '# for the tests\n\nAuthorization: Bearer s3cret\r\nX-Two: 2' >fields
chmod 600 fields
run fan-out --header 'X-One: 1' --header 'user-agent: me' --header X-Empty: --header-file fields \
    "$url/headers" <one
exits 0
err_is ''
is "$(jq -r '.[]' "$out" | grep -i -e '^x-' -e '^user-agent' -e '^auth' | sort)" \
    'Authorization: Bearer s3cret
X-Empty:
X-One: 1
X-Two: 2
user-agent: me'

claim 'shows nothing of what is secret'
run fan-out -v --header-file fields --trace trace --stats --dead dead "$url/status?code=400" <one
exits 123
for file in "$out" "$err" trace dead; do
    ! grep -q s3cret "$file" || wrong "no secret in $file" '' "$file"
done
run fan-out --header 'Authorization: Bearer s3cret' "$url/echo" <one
exits 2
err_like '^fan-out: --header: Authorization: a command line is public; use --header-file$'
run fan-out --header "X-Key: s3cret$(printf '\001')" "$url/echo" <one
exits 2
err_unlike s3cret
printf 'X-One: 1\nAuthorization\001: s3cret\n' >wrong
chmod 600 wrong
run fan-out --header-file wrong "$url/echo" <one
exits 2
err_is "fan-out: --header-file: wrong: line 2: not \"Name: value\"
try 'fit fan-out --help'"

claim 'warns of secrets that others can read, and of a file that is not there'
chmod 644 fields
run fan-out --header-file fields "$url/echo" <one
exits 0
err_is 'fan-out: --header-file: fields: others can read it (chmod 600)'
run fan-out --header-file nowhere "$url/echo" <one
exits 2
err_like '^fan-out: --header-file: nowhere: No such file or directory$'

claim 'sends no fields that say where a message ends, or hold line breaks'
for field in 'Content-Length: 1' 'transfer-encoding: chunked' 'Connection: close' 'X' ': x' 'X Y: z' \
    "$(printf 'X: y\r\nZ: z')"; do
    run fan-out --header "$field" "$url/echo" <one
    exits 2
    err_like '^fan-out: --header: '
done

claim 'sends a CloudEvent as its attributes and its data with --ce binary'
printf '%s\n' '{"specversion":"1.0","id":"a \"%\u00e9","source":"/s","type":"t","n":5,"yes":true,"no":null,"data": {"x" :1}}' >event
run fan-out --ce binary "$url/headers" <event
exits 0
is "$(jq -r '.[]' "$out" | grep -e '^ce-' -e '^Content-Type' | sort)" 'Content-Type: application/json
ce-id: a%20%22%25%C3%A9
ce-n: 5
ce-source: /s
ce-specversion: 1.0
ce-type: t
ce-yes: true'
run fan-out --ce binary "$url/echo" <event
out_is '{"x" :1}'
printf '%s\n' '{"specversion":"1.0","id":"1","source":"s","type":"t","datacontenttype":"text/plain","data":"a\nb"}' \
    '{"specversion":"1.0","id":"2","source":"s","type":"t","data_base64":"aGk="}' \
    '{"specversion":"1.0","id":"3","source":"s","type":"t"}' >events
run fan-out --text --ce binary "$url/echo" <events
exits 0
out_is '"a"
"b"
"hi"'

claim 'sends a CloudEvent as it is with --ce structured, and wraps what is none'
run fan-out --ce structured "$url/echo" <event
out_same event
run fan-out --ce structured "$url/headers" <event
out_like 'Content-Type: application/cloudevents\+json; charset=utf-8'
run fan-out --id .a --ce structured "$url/echo" <one
out_is '{"specversion":"1.0","id":"1.0","source":"fit:fan-out","type":"fit.event","datacontenttype":"application/json","data":{"a": 1.0}}'
run fan-out --id .a --ce binary "$url/echo" <one
out_same one
echo '{"id":"x","a":[5,6]}' >parts
run fan-out --id .id --split '.a[]' --join 'map(.id)' --ce structured "$url/echo" <parts
out_is '["x/0","x/1"]'

claim 'sends a field that is given in place of one of a CloudEvent, too'
for mode in binary structured; do
    run fan-out --ce $mode --header 'content-type: text/mine' --header 'CE-id: mine' "$url/headers" <event
    exits 0
    is "$(jq -r '.[]' "$out" | grep -i -e '^ce-id' -e '^content-type' | sort)" 'CE-id: mine
content-type: text/mine'
done

claim 'refuses a CloudEvent that no fields can say'
printf '%s\n' '{"specversion":"1.0","id":"1","source":"s","type":"t","x\r\ny":1}' \
    '{"specversion":"1.0","id":"2","source":"s","type":"t","x":[]}' \
    '{"specversion":"1.0","id":"3","source":"s","type":"t","data_base64":"?"}' \
    '{"specversion":"1.0","id":"4","source":"s","type":"t","datacontenttype":"a\nb"}' >events
run fan-out --ce binary "$url/echo" <events
exits 123
is "$(jq -r .reason "$err" | uniq -c | tr -s ' ')" ' 4 bad_event'
run fan-out --raw --ce binary "$url/echo" <one
exits 2

claim 'waits as long as a server asks for, in seconds or until a date'
for asks in after=1 date=2; do
    echo "\"$asks\"" >asking
    begin=$(date +%s%N)
    run fan-out --retries 1 --backoff 1ms..2ms "$url/fail?code=429&times=1&$asks" <asking
    exits 0
    out_same asking
    check test $((($(date +%s%N) - begin) / 1000000)) -ge 950
done

claim 'lets a process ask so too'
cat >ask <<'end'
#!/bin/sh
[ "$FIT_ATTEMPT" = 1 ] || exec cat
echo '{"errorType":"Busy","errorMessage":"busy","retry_after":1.2}'
exit 75
end
chmod +x ask
begin=$(date +%s%N)
run fan-out --retries 1 --backoff 1ms..2ms ./ask <one
exits 0
check test $((($(date +%s%N) - begin) / 1000000)) -ge 1180

claim 'tells of the status in a trace and in the report of invoke, too'
rm -f trace
run fan-out --dead dead --trace trace "$url/status?code=418" <one
is "$(jq -c '[.outcome,.status]' trace)" '["http",418]'
run invoke --report json --event 1 -- "$url/status?code=418"
exits 123
is "$(jq -c '[.reason,.status,has("exit")]' "$err")" '["http",418,false]'
rm -f dead

claim 'can be made to lose its connections'
run fan-out --fault crash=100% --retries 1 --backoff 1ms..2ms "$url/echo" <one
exits 123
is "$(letter '[.reason,.attempts]')" '["connection",2]'

claim 'opens no breaker for what is the fault of the caller'
seq 200 >many
for code in 404 302; do
    run fan-out --breaker theirs --retries 0 --dead dead --stats "$url/status?code=$code" <many
    is "$(tail -n 1 "$err" | jq -c '[.read,.dead]')" '[200,200]'
    is "$(grep -c breaker_open dead)" 0
    rm dead
done
run fan-out --breaker ours --dead dead --stats "$url/status?code=503" <many
check test "$(grep -c breaker_open dead)" -gt 0
rm dead

claim 'talks to no server that cannot prove who it is'
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
    -addext 'subjectAltName=DNS:localhost' 2>/dev/null
printf 'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"tls":true}' >answer
mkfifo to_server
# Serves one connection after the other; the answer is what it reads.
serve() {
    rm -f served
    (cat answer && exec sleep 60) >to_server &
    feeder=$!
    openssl s_server -4 -accept 0 -cert cert.pem -key key.pem -ign_eof <to_server >served 2>&1 &
    tls=$!
    within 60 grep -q '^ACCEPT.*:[0-9]' served
    secure=https://localhost:$(sed -n 's/^ACCEPT.*:\([0-9]*\).*/\1/p' served | head -n 1)
}
unserve() {
    kill $tls $feeder
    wait $tls $feeder 2>/dev/null
}
serve
run fan-out --timeout 20s --retries 3 "$secure/" <one
exits 123
is "$(letter '[.reason,.attempts]')" '["connection",1]'
err_like 'certificate'
unserve
serve
run fan-out --timeout 20s --cacert cert.pem "$secure/" <one
exits 0
out_is '{"tls":true}'
unserve

claim 'goes on with a session of TLS where a connection was closed'
if openssl s_server -help 2>&1 | grep -q -e -trace; then
    openssl s_server -4 -accept 0 -cert cert.pem -key key.pem -www -trace >served 2>&1 &
    tls=$!
    within 60 grep -a -q '^ACCEPT.*:[0-9]' served
    secure=https://localhost:$(sed -n 's/^ACCEPT.*:\([0-9]*\).*/\1/p' served | head -n 1)
    poll --every 50ms --cacert cert.pem --check "$secure/" >"$out" 2>"$err" &
    looks=$!
    check within 60 grep -a -q -i 'psk(41)' served
    kill $looks $tls
    wait $looks $tls 2>/dev/null
else
    skip 'needs an openssl that can tell of handshakes'
fi

claim 'speaks HTTP/2 where the server does'
if command -v node >/dev/null && node -e 'require("http2")' 2>/dev/null; then
    cat >h2.js <<'end'
const fs = require('fs')
const tls = { key: fs.readFileSync('key.pem'), cert: fs.readFileSync('cert.pem') }
const server = require('http2').createSecureServer(tls)
server.on('stream', (stream, head) => {
    const body = []
    stream.on('error', () => {})
    stream.on('data', (piece) => body.push(piece))
    stream.on('end', () => {
        const path = head[':path']
        if (path === '/reset') return stream.close(2)
        if (path === '/away') stream.session.goaway(0)
        const status = path === '/busy' ? { ':status': 503 } : { ':status': 200 }
        stream.respond(status)
        stream.end(Buffer.concat(body))
    })
})
server.listen(0, '127.0.0.1', () => {
    fs.writeFileSync('h2.new', String(server.address().port))
    fs.renameSync('h2.new', 'h2')
})
end
    node h2.js &
    h2=$!
    within 60 test -e h2
    secure=https://localhost:$(cat h2)
    for path in echo away; do
        run fan-out -j8 --timeout 20s --cacert cert.pem "$secure/$path" <many
        exits 0
        out_same many
    done
    run fan-out --timeout 20s --cacert cert.pem "$secure/echo" <large
    out_same large
    run fan-out --timeout 20s --cacert cert.pem "$secure/busy" <one
    is "$(letter '[.reason,.status,.message]')" '["http",503,"503"]'
    run fan-out --timeout 20s --cacert cert.pem "$secure/reset" <one
    is "$(letter .reason)" '"connection"'
    kill $h2
    wait $h2 2>/dev/null
else
    skip 'there is no node with http2'
fi

claim 'invoke tells how long many calls of a URL took'
run invoke --times 20 --report json --event 1 -- "$url/echo"
exits 0
is "$(jq -c '[.cold.count,.warm.count,.failed]' "$err")" '[0,20,0]'

claim 'has libcurl only where there is a URL, and says so where it is missing'
mkdir -p lib
: >lib/libcurl.so.4
: >lib/libcurl-gnutls.so.4
LD_LIBRARY_PATH=$PWD/lib run fan-out -- cat <one
exits 0
out_same one
LD_LIBRARY_PATH=$PWD/lib run fan-out "$url/echo" <one
exits 126
err_like '^fan-out: functions behind a URL need libcurl: .*libcurl.so.4'

claim 'is ended in the middle of a call, at once'
rm -f dead
run_sh "fan-out --grace 100ms --dead dead --stats $url/stall?last <one 2>stats & fitting=\$!
    for i in \$(seq 1200); do grep -q last log && break; sleep 0.05; done
    kill \$fitting; wait \$fitting"
exits 143
is "$(jq -r .reason dead)" interrupted
is "$(tail -n 1 stats | jq -c '[.read,.done,.dead]')" '[1,0,1]'

finish
