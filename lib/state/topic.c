/* topic.c: durable topics. */
#include "state/topic.h"

#include "state/apply.h"

int topic_apply(struct apply *apply, struct store_op *op)
{
    (void)apply;
    op->status = STORE_UNSUPPORTED;
    return 0;
}
