# lambda-api.t: the states, the sizes and the port of the AWS Lambda Runtime API.
. "${0%/*}/lib.sh"
. "$top/tests/cli/lambda.sh"

seq 5 >five
seq 2 >two
echo 1 >one

# ---- the state machine ----

claim 'refuses an answer before there is an event, and an error of the initialisation after it'
runtime early.rt <<'SH'
post response invocation/8476a536-e9f4-11e8-9739-2dfe598c3fcd/response -d 1
post error invocation/8476a536-e9f4-11e8-9739-2dfe598c3fcd/error -d 1
while next; do
    post late init/error -d 1
    respond "$event"
    post later init/error -d 1
done
SH
run fan-out -j1 -- lambda:./early.rt <one
exits 0
out_is 1
is "$(log)" "1 error 400 $wrong_id
1 late 403 $refused invoked$turn
1 later 403 $refused answered$turn
1 response 202 {\"status\":\"OK\"}
1 response 400 $wrong_id"

claim 'refuses a second answer, and one with another id'
runtime twice.rt <<'SH'
while next; do
    post other "invocation/8476a536-e9f4-11e8-9739-2dfe598c3fcd/response" -d '"wrong"'
    post none "invocation//response" -d '"wrong"'
    respond "$event"
    respond '"twice"'
    post after "invocation/$id/error" -d '{}'
    before=$id
    next || exit
    post before "invocation/$before/response" -d '"wrong"'
    respond "$event"
done
SH
run fan-out -j1 -- lambda:./twice.rt <two
exits 0
out_is '1
2'
is "$(log)" "1 after 403 $refused answered$turn
1 before 400 $wrong_id
1 none 404 {\"errorMessage\":\"no such resource\",\"errorType\":\"NotFound\"}
1 other 400 $wrong_id
2 response 202 {\"status\":\"OK\"}
1 response 403 $refused answered$turn"

claim 'gives the same event again to who asks before the answer'
runtime again.rt <<'SH'
while next; do
    first="$id $event"
    next || exit
    [ "$first" = "$id $event" ] && echo same >>log
    respond "$event"
done
SH
run fan-out -j1 -- lambda:./again.rt <two
out_is '1
2'
is "$(log)" '2 response 202 {"status":"OK"}
2 same'

claim 'refuses a second request for an event while one waits, and forgets one whose client has left'
# The first may be either: who is refused says so. Only when nobody asks any more the second event
# comes.
runtime second.rt <<'SH'
next
respond "$event"
(until [ "$(curl -s -o $tmp.other -w '%{http_code}' "$api/invocation/next")" = 200 ]; do :; done) &
until [ "$(curl -s -m 0.3 -o $tmp.body -w '%{http_code}' "$api/invocation/next")" = 403 ]; do :; done
echo "next 403 $(cat $tmp.body)" >>log
kill $!
pkill -P $$ curl
touch free
until next; do :; done
respond "$event"
next
SH
mkfifo events
fan-out -j1 -- lambda:./second.rt <events >"$out" 2>"$err" &
exec 3>events
echo 1 >&3
within 60 test -e free || wrong 'the state' free never
echo 2 >&3
exec 3>&-
wait $! || wrong 'success' 0 $?
out_is '1
2'
check grep -q "^next 403 $refused waiting$turn" log
rm -f log free

claim 'knows no other resources, methods and versions'
runtime other.rt <<'SH'
next
for path in / /2018-06-01 /2018-06-01/runtime/invocation/ /2018-06-01/runtime/invocation/next/ \
    /2018-06-01/runtime/restore/next /2015-03-31/functions/f/invocations /2020-01-01/extension/register \
    /2018-06-02/runtime/invocation/next '/2018-06-01/runtime/invocation/%2e%2e/next'; do
    echo "$(curl -s --path-as-is -o /dev/null -w '%{http_code}' "http://$AWS_LAMBDA_RUNTIME_API$path")" >>log
done
for method in POST PUT DELETE HEAD; do
    curl -s -o /dev/null -D - -m 10 -X $method "$api/invocation/next" | tr -d '\r' | sed -n '1s/^/next /p;s/^Allow/next Allow/p' >>log
done
curl -s -o /dev/null -D - "$api/invocation/$id/response" | tr -d '\r' | sed -n '1s/^/response /p;s/^Allow/response Allow/p' >>log
curl -s "$api/init/error" >>log
echo >>log
respond "$event"
SH
run fan-out -j1 -- lambda:./other.rt <one
exits 0
is "$(log)" "9 404
4 next Allow: GET
4 next HTTP/1.1 405 Method Not Allowed
1 response 202 {\"status\":\"OK\"}
1 response Allow: POST
1 response HTTP/1.1 405 Method Not Allowed
1 {\"errorMessage\":\"no such method of this resource\",\"errorType\":\"MethodNotAllowed\"}"

# ---- sizes ----

# text BYTES: a string of so many bytes, quotes and all
text() { perl -e 'print "\"", "x" x ($ARGV[0] - 2), "\""' "$1"; }
text 6291556 >fits
text 6291557 >too-large
text 6291456 >event-fits
text 6291457 >event-too-large

claim 'refuses a response of more than 6291556 bytes, which ends the call for good'
runtime large.rt <<'SH'
while next; do
    file=fits
    [ "$event" = 1 ] && file=too-large
    [ "$event" = 2 ] && chunked=-HTransfer-Encoding:\ chunked && file=too-large
    post response "invocation/$id/response" ${chunked:+"$chunked"} --data-binary @$file
    post twice "invocation/$id/response" -d 1
    chunked=
    echo $$ >>pids
done
SH
seq 3 >three
run fan-out -j1 --retries 3 --dead dead -- lambda:./large.rt <three
exits 123
{ cat fits && echo; } >expected
out_same expected
is "$(jq -c '[.reason, .message, .attempts, .error]' dead | sort -u)" '["bad_result","a response of more than 6291556 bytes",1,{"errorMessage":"Response payload size (6291557 bytes) exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"}]'
is "$(sort -u pids | wc -l)" 1 'environments'
is "$(log)" "1 response 202 {\"status\":\"OK\"}
2 response 413 {\"errorMessage\":\"Exceeded maximum allowed payload size (6291556 bytes).\",\"errorType\":\"RequestEntityTooLarge\"}
3 twice 403 $refused answered$turn"
rm -f dead pids

claim 'heeds --max-result where that is less'
runtime hello.rt <<'SH'
while next; do respond "\"hello$event\""; done
SH
run fan-out -j1 --max-result 7 --dead dead -- lambda:./hello.rt <two
exits 123
is "$(jq -r .message dead | sort -u)" 'a result of more than 7B (--max-result)'
rm -f dead log

claim 'hands out an event of 6291456 bytes, and calls nothing for a larger one'
runtime size.rt <<'SH'
while curl -s -o $tmp.event -D $tmp.head "$api/invocation/next"; do
    id=$(tr -d '\r' <$tmp.head | sed -n 's/^Lambda-Runtime-Aws-Request-Id: //p')
    respond "$(wc -c <$tmp.event)"
done
SH
{ cat event-too-large && echo && cat event-fits && echo; } >sizes
run fan-out -j1 --retries 3 --dead dead -- lambda:./size.rt <sizes
exits 123
out_is 6291456
is "$(jq -c '[.reason, .message, .attempts]' dead)" '["too_large","an event of more than 6291456 bytes, which AWS Lambda refuses",1]'
is "$(log)" '1 response 202 {"status":"OK"}'
rm -f dead

claim 'takes a streamed response, which may be larger'
runtime stream.rt <<'SH'
while next; do
    post stream "invocation/$id/response" -H 'Lambda-Runtime-Function-Response-Mode: streaming' \
        -H 'Transfer-Encoding: chunked' --data-binary @too-large
done
SH
run fan-out -j1 -- lambda:./stream.rt <one
exits 0
{ cat too-large && echo; } >expected
out_same expected
is "$(log)" '1 stream 202 {"status":"OK"}'

claim 'makes a failure of a stream that says behind its end that it broke off'
cat >trailer.pl <<'PERL'
#!/usr/bin/perl
use IO::Socket::INET;
my $socket = IO::Socket::INET->new($ENV{AWS_LAMBDA_RUNTIME_API}) or die;
print $socket "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n";
my $id;
while (<$socket>) { $id = $1 if /^Lambda-Runtime-Aws-Request-Id: (\S+)/; last if /^\r/ }
read $socket, my $event, 1;
print $socket "POST /2018-06-01/runtime/invocation/$id/response HTTP/1.1\r\nHost: x\r\n",
    "Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n",
    "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n",
    "3\r\n[1,\r\n0\r\nLambda-Runtime-Function-Error-Type: Function.Broke\r\n",
    "Lambda-Runtime-Function-Error-Body: eyJlcnJvclR5cGUiOiJCIiwiZXJyb3JNZXNzYWdlIjoibSJ9\r\n\r\n";
print STDERR scalar <$socket>;
PERL
chmod +x trailer.pl
run fan-out -j1 --dead dead -- lambda:./trailer.pl <one
exits 123
err_like '^HTTP/1.1 202 Accepted'
is "$(jq -c '[.reason, .message, .error]' dead)" '["error","the function failed within its response",{"errorType":"B","errorMessage":"m"}]'
rm -f dead

# ---- whoever else finds the port ----

claim 'is not disturbed by whoever knocks at its port'
cat >knock.pl <<'PERL'
#!/usr/bin/perl
# Connections that say nothing, half a head, rubbish; and answers with guessed ids.
use IO::Socket::INET;
my ($to) = @ARGV;
for my $text ('', 'G', "GET / HTTP/1.1\r\nX: y", "\0\1\2\3\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab") {
    push @open, my $socket = IO::Socket::INET->new($to);
    print $socket $text;
    $socket->flush;
}
for my $guess (1 .. 50) {
    my $socket = IO::Socket::INET->new($to);
    print $socket "POST /2018-06-01/runtime/invocation/$guess/response HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n9";
    my $status = <$socket>;
    print $status;
}
PERL
runtime knocked.rt <<'SH'
perl knock.pl "$AWS_LAMBDA_RUNTIME_API" | sort | uniq -c >knocks
while next; do respond "$event"; done
SH
run fan-out -j1 -- lambda:./knocked.rt <five
exits 0
out_same five
is "$(sed 's/^ *//' knocks | tr -d '\r')" '50 HTTP/1.1 400 Bad Request'
rm -f log

claim 'does not talk with other users'
runtime other-user.rt <<'SH'
next
setpriv --reuid 65534 curl -s -o /dev/null -w '%{http_code}' "$api/invocation/next" >stranger
respond "$event"
SH
if [ "$(id -u)" -eq 0 ] && setpriv --reuid 65534 true 2>"$err"; then
    run fan-out -j1 -- lambda:./other-user.rt <one
    exits 0
    out_is 1
    is "$(cat stranger)" 000
else
    skip 'needs root, to be another user'
fi

finish
