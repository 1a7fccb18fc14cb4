# bytes.t: what is not changed comes out byte for byte.
# EVENTS=20000 make prop T=tests/prop/bytes.t
. "${0%/*}/../cli/lib.sh"

cat >odd <<'EOT'
{"n":123456789012345678901234567890,"e":1e400,"f":-0.0E-0,"z":0.10000000000000000000000000000000001}
{"a":1,"a":2,"a":{"b":1,"b":1}}
  {  "spaces"	:  [ 1 ,2,   3 ]  ,"t":	true }	
{"escapes":"\u0041\/\b\f\n\r\t\\\"\ud83d\ude00\ud800","A":"A"}
{"utf8":"é€😀 ￿","":""}
[]
 "a string"
17
-0
1E+2
null
[[[[[[[[[[1]]]]]]]]]]
{"quote":"$(rm -rf .) `x` '\"' ; | & > < * ? ~ {} {.a}"}
{"deep":{"er":[{"x":[null,true,false,1.50,"\u0000"]}]}}
EOT
perl -e 'print "[" x 9000, "]" x 9000, "\n"; print "{\"key\":\"", "v" x 300_000, "\", \"n\" : 1.0 }\n"' >>odd
# Many lines with numbers and spaces of every sort.
perl -e '
    srand 7;
    my @n = qw(0 -0 1.0 1.00 1e5 1E-5 12345678901234567890 0.1 -7.25e+3);
    my @s = ("", " ", "  ", "\t");
    sub n { $n[rand @n] } sub s_ { $s[rand @s] }
    for my $i (1 .. shift) {
        print s_, "{", s_, "\"id\"", s_, ":", s_, n, s_, ",", s_, "\"k$i\":[", s_, n, ",", n, s_, "]}", s_, "\n";
    }' "${EVENTS:-2000}" >>odd

for function in 'cat' 'lines:cat' '-' '-j3 --pipeline 5 lines:cat' '-u -j1 cat' '--raw lines:cat'; do
    claim "fan-out $function: changes no byte"
    [ "${function#*--raw}" = "$function" ] || grep -v '^ *"' odd >plain
    [ "${function#*--raw}" != "$function" ] || cp odd plain
    # shellcheck disable=SC2086 # words
    run fan-out $function <plain
    exits 0
    check cmp -s plain "$out"
done

claim 'ends lines with LF alone, and adds the last one'
run_sh "printf '\357\273\277{\"a\": 1}\r\n\n \r\n[1]\r\n2' | fan-out -- cat"
out_is '{"a": 1}
[1]
2'

claim 'dead letters hold the bytes of the event'
run_sh 'fan-out --dead letters -- lines:sed -u "s/.*/!no/" <odd'
exits 123
perl -ne 'print "$1\n" if /^\{"event":(.*),"reason":"error",/' letters >events
check cmp -s odd events

claim 'dead letters hold the bytes of what is no JSON'
perl -e 'print pack("C*", map { $_ == 10 || $_ == 13 ? 11 : $_ } 0 .. 255), "\n"; print "{\"a\":\"\xff\"}\n{bad \"x\" \\\n\0\n"' >malformed
run_sh 'fan-out --dead bad -- cat <malformed'
exits 123
perl -MMIME::Base64 -ne '
    if (/^\{"base64":"([^"]*)"/) { print decode_base64($1), "\n" }
    elsif (/^\{"raw":"((?:[^"\\]|\\.)*)"/) {
        my $text = $1;
        $text =~ s/\\u00(..)/chr hex $1/ge;
        $text =~ s/\\(["\\])/$1/g;
        print "$text\n";
    }' bad >back
check cmp -s malformed back

claim 'dead letters of oversized lines hold them whole, or say what is missing'
perl -e 'print "\"", "x" x 60, "\"\n\"", "x" x 6000, "\"\n"' >large
run_sh 'fan-out --max-event 20 -- cat <large'
exits 123
is "$(head -n 1 "$err" | grep -c '^{"raw":"\\"x\{60\}\\"","reason":"too_large"')" 1 'whole lines'
is "$(grep -c '"truncated":true,"length":6002' "$err") $(grep -c truncated "$err")" '1 1' 'heads of lines'

finish
