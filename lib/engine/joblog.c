/* joblog.c: the log of GNU parallel (--joblog). */
#include "engine/joblog.h"

#include "engine/attempt_log.h"

static int exit_value(const struct failure *failure)
{
    if (!failure)
        return 0;
    if (failure->exit >= 0)
        return failure->exit;
    return failure->signal ? 0 : -1;
}

/* The columns end at tabs and the line at its LF: in the command they become blanks. */
static void add_command(struct buf *line, const char *command)
{
    for (; *command; command++)
        buf_addc(line, (unsigned char)*command < 0x20 ? ' ' : *command);
}

static void add_line(struct buf *line, const struct fn_attempt *attempt)
{
    const struct failure *failure = attempt->failure;
    buf_addf(line, "%llu\t:\t%.3f\t%10.3f\t%zu\t%zu\t%d\t%d\t",
             (unsigned long long)attempt->call->number, (double)attempt->started / 1e9,
             (double)attempt->duration / 1e9, attempt->bytes_in, attempt->bytes_out,
             exit_value(failure), failure ? failure->signal : 0);
    add_command(line, fn_name(attempt->call->fn));
    buf_addc(line, '\n');
}

int joblog_open(struct engine *engine, const char *path, struct err *err)
{
    struct attempt_log *log = attempt_log_open(engine, path, true, add_line, err);
    if (!log)
        return -1;
    attempt_log_add(log, STR("Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\t"
                             "Command\n"));
    return 0;
}
