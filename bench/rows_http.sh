# rows_http.sh: the rows of bench/run about functions behind a URL. Sourced by it.

row_http() {
    begin_row http
    unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY
    sized 10000
    head -n 500 e200.10000 >http.few
    "$B/helpers/http_server" http.port &
    server=$!
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        [ -s http.port ] || sleep 0.1
    done
    url=http://127.0.0.1:$(cat http.port)/echo
    for many in few 10000; do
        [ "$many" = few ] && input=http.few || input=e200.10000
        sed -e 's/[\\"]/\\&/g' -e 's/.*/data-binary = "&"/' "$input" | awk -v url="$url" '
            NR > 1 { print "next" }
            { print "url = \"" url "\""; print "header = \"Content-Type: application/json\""; print }
        ' >http.config.$many
    done
    script http_xargs <<END
exec xargs -P16 -d '\n' -n1 curl -s -H 'Content-Type: application/json' $url --data-binary
END
    for many in few 10000; do
        script http_curl_$many <<END
exec curl -s --parallel --parallel-max 16 -K http.config.$many 2>http.said
END
    done
    contend 'fan-out -j16' 10000 e200.10000 http.out "fan-out -j16 $url"
    contend 'fan-out -j1' 10000 e200.10000 http.one "fan-out -j1 $url"
    contend 'fan-out -j16, few' 500 http.few http.few.out "fan-out -j16 $url"
    contend 'xargs -P16 curl' 500 http.few http.xargs 'sh http_xargs.sh'
    contend 'curl --parallel' 10000 /dev/null http.parallel 'sh http_curl_10000.sh'
    contend 'curl --parallel, few' 500 /dev/null http.parallel.few 'sh http_curl_few.sh'
    measure_row 7
    kill $server
    same 'fan-out -j16' e200.10000 http.out
    same 'fan-out -j1' e200.10000 http.one
    tr -d '\n' <e200.10000 | wc -c >http.bytes # the answers of curl, in any order
    wc -c <http.parallel >http.bytes.parallel
    same 'curl --parallel' http.bytes http.bytes.parallel
    faster 'fan-out -j16, few' 'xargs -P16 curl' 50
    faster 'fan-out -j16, few' 'curl --parallel, few' 1
    faster 'fan-out -j16' 'curl --parallel' 1
    rm -f http.*
    report 'Functions behind a URL' "10,000 events of 200 bytes are sent in POSTs to a server on the same machine, which gives them
back: sixteen at a time, over connections that are used again. xargs starts a curl for each of 500; curl --parallel has
its 500 or 10,000 requests in a file. Only fan-out keeps the order and validates the answers."
}
