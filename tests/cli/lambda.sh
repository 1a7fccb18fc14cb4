# lambda.sh: runtimes for the AWS Lambda Runtime API in sh, for lambda.t and lambda-api.t.

# What runtimes in sh have in common. Each request leaves a line in the file "log": what it was
# about, its status, and what came with an error.
cat >runtime.sh <<'SH'
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime
tmp=.rt.$$
# Ask for an event: sets $id and $event, and leaves the headers in $tmp.head.
next() {
    code=$(curl -s -o $tmp.event -D $tmp.head -w '%{http_code}' "$api/invocation/next")
    event=$(cat $tmp.event)
    [ "$code" = 200 ] || echo "next $code $event" >>log
    [ "$code" = 200 ] || return 1
    id=$(tr -d '\r' <$tmp.head | sed -n 's/^Lambda-Runtime-Aws-Request-Id: //p')
}
# post NAME PATH [CURL ARGUMENT...]: a POST, logged under that name.
post() {
    name=$1 path=$2
    shift 2
    code=$(curl -s -o $tmp.reply -w '%{http_code}' -X POST "$api/$path" "$@")
    echo "$name $code $(cat $tmp.reply)" >>log
}
respond() { post response "invocation/$id/response" --data-binary "$1"; }
fail() { post error "invocation/$id/error" --data-binary "$1"; }
SH

# A runtime made of these: it runs what stands in the file of its name before it asks, and for each
# event.
runtime() {
    {
        echo '#!/bin/sh'
        echo '. ./runtime.sh'
        cat
    } >"$1"
    chmod +x "$1"
}

log() {
    touch log
    sed 's/[0-9a-f-]\{36\}/ID/' log | sort | uniq -c | sed 's/^ *//'
    rm -f log
}

refused='{"errorMessage":"not allowed while the environment is'
turn='","errorType":"InvalidStateTransition"}'
wrong_id='{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}'

runtime echo.rt <<'SH'
while next; do respond "{\"r\":$event}"; done
SH
