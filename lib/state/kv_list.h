/* kv_list.h: operations on values by key that give many records. Internal to lib/state. */
#ifndef FIT_STATE_KV_LIST_H
#define FIT_STATE_KV_LIST_H

#include "state/apply.h"
#include "state/kv.h"

int kv_list_apply(struct apply *apply, struct kv_op *own);
int kv_changes_apply(struct apply *apply, struct kv_op *own);

#endif
