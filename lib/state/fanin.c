/* fanin.c: parts that wait for each other, in groups, until each group is complete. */
#include "state/fanin.h"

#include "state/apply.h"

int fanin_apply(struct apply *apply, struct store_op *op)
{
    (void)apply;
    op->status = STORE_UNSUPPORTED;
    return 0;
}
