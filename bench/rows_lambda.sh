# rows_lambda.sh: the row of bench/run about functions that speak the Lambda runtime API. Sourced by
# it.

row_lambda() {
    begin_row lambda
    runtime=$B/helpers/lambda_bootstrap
    head -n 50000 e200 >lambda.50k
    head -n 500 e200 >lambda.500
    contend 'lambda:, warm' 50000 lambda.50k lambda.warm "$fan -j1 -- lambda:$runtime"
    contend 'lambda:, -j2' 50000 lambda.50k lambda.two "$fan -j2 -- lambda:$runtime"
    contend 'lines:, --pipeline 1' 50000 lambda.50k lambda.lines "$fan -j1 --pipeline 1 -- lines:$bare/echo_worker flush"
    contend 'lambda:, cold each time' 500 lambda.500 lambda.cold "$fan -j1 --max-uses 1 -- lambda:$runtime"
    contend 'lines:, cold each time' 500 lambda.500 lambda.fresh "$fan -j1 --max-uses 1 -- lines:$bare/echo_worker flush"
    measure_row 5
    sed 's/.*/{"r":&}/' lambda.50k >lambda.expected
    same 'lambda:, warm' lambda.expected lambda.warm
    same 'lambda:, -j2' lambda.expected lambda.two
    rm -f lambda.*
    report 'AWS Lambda' "Events of 200 bytes to a runtime in C that speaks the Lambda runtime API: two requests over
one connection for each event, one event at a time, as the API has it. Beside it a line worker that is given one line
at a time: the difference is HTTP and TCP on both sides. Cold: a new environment for each event, with its server, its
process and its connection; beside it a new line worker for each."
}
