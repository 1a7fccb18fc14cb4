/* group.c: when the parts of a group are together. */
#include "pattern/group.h"

static const char *const names[GROUP_CLOSINGS] = {
    [GROUP_OPEN] = "open", [GROUP_COUNT] = "count",   [GROUP_UNTIL] = "until",
    [GROUP_IDLE] = "idle", [GROUP_WITHIN] = "within", [GROUP_AT_EOF] = "eof",
};

const char *group_closing_name(enum group_closing closing)
{
    return names[closing];
}
