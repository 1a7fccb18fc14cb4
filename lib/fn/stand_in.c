/* stand_in.c: a call in the place of one that was ended while its attempt goes on. */
#include "fn/stand_in.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdlib.h>

struct stand_in {
    struct fn_call call; /* first */
    struct buf text;     /* of its id and scope */
};

static void done(struct fn_call *call)
{
    struct stand_in *own = (struct stand_in *)(void *)call;
    slice_drop(&call->lines);
    slice_drop(&call->event);
    failure_free(call->failure);
    buf_free(&own->text);
    free(own);
}

struct fn_call *stand_in_for(struct fn_call *call)
{
    struct stand_in *own = mem_zalloc(sizeof *own);
    own->call = *call;
    own->call.unwanted = true;
    own->call.done = done;
    own->call.owner = NULL;
    own->call.kept = NULL;
    own->call.event = slice_hold(call->event);
    own->call.timer = (struct loop_timer){0};
    buf_add_str(&own->text, call->id);
    buf_add_str(&own->text, call->scope);
    own->call.id = (struct str){own->text.data, call->id.len};
    own->call.scope =
        (struct str){call->scope.len ? own->text.data + call->id.len : NULL, call->scope.len};
    call->pass = NULL;
    return &own->call;
}
