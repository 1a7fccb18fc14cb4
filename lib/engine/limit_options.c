/* limit_options.c: what a call may take of the machine, as options. */
#include "engine/limit_options.h"

#include "base/buf.h"
#include "base/msg.h"
#include "base/num.h"

enum {
    MEMORY_MIN = 1 << 20, /* less is refused: no program would start */
    CPU_MAX = 100000,     /* percent; more is refused */
    NICE_MAX = 19,        /* the kernel's */
};
enum id { ID_MEMORY = 1, ID_CPU, ID_NICE };

static const struct option_entry entries[] = {
    {"memory", 0, ID_MEMORY, "SIZE", "memory that each call may take [unlimited]",
     "Where control groups (cgroup v2) can be made, with all that it starts; else of the address "
     "space of each process. -v says which."},
    {"cpu", 0, ID_CPU, "N%", "processor time that each call may take [unlimited]",
     "Of one processor. Only where control groups can be made; elsewhere it is refused."},
    {"nice", 0, ID_NICE, "N", "lower the priority of calls, 1 to 19 [0]", NULL},
    {0},
};

static int set_cpu(struct fn_limits *limits, const char *arg, struct err *err)
{
    struct buf number = {0};
    double percent = 0;
    size_t len = strlen(arg);
    if (!str_ends(str_of(arg), STR("%")))
        return err_set(err, ERR_USAGE, "not a percentage");
    buf_add(&number, arg, len - 1);
    const char *reason = num_decimal(buf_cstr(&number), &percent);
    buf_free(&number);
    if (!reason && percent < 1)
        reason = "less than 1%";
    if (!reason && percent > CPU_MAX)
        reason = "too large";
    if (!reason)
        limits->cpu = percent / 100;
    return options_check(reason, err);
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    uint64_t number = 0;
    size_t size = 0;
    const char *reason;
    struct fn_limits *limits = into;
    if (id == ID_CPU)
        return set_cpu(limits, arg, err);
    if (id == ID_NICE) {
        reason = num_uint(arg, 1, NICE_MAX, &number);
        limits->nice = (int)number;
    } else {
        reason = num_size(arg, &size);
        if (!reason && size < MEMORY_MIN)
            reason = "less than 1M, in which nothing runs";
        limits->memory = size;
    }
    return options_check(reason, err);
}

const struct option_group limit_options = {"What a call may take", entries, set};

int limit_options_settle(struct fn_limits *limits, struct err *err)
{
    if (!limits->memory && limits->cpu <= 0)
        return limits->nice != 0;
    if (limits_find(limits, err) == 0) {
        msg_verbose("calls are limited by control groups in %s", limits->folder);
        return 1;
    }
    if (limits->cpu > 0) {
        struct err cause = *err;
        return err_set(err, ERR_LIMIT, "--cpu needs control groups: %s", cause.text);
    }
    msg_verbose("calls are limited by their address space, not by control groups: %s", err->text);
    return 1;
}
