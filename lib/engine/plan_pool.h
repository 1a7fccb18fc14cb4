/*
 * plan_pool.h: the plan of a warm pool: each request is a call of the pool's function.
 *
 * The call has the identity that the client has given its event, and what of it this is. Of a cold
 * worker the client is told how long it took. A ping is a call that counts in nothing, and
 * passes by the policies.
 */
#ifndef FIT_ENGINE_PLAN_POOL_H
#define FIT_ENGINE_PLAN_POOL_H

#include "engine/engine.h"
#include "engine/source_socket.h"

struct plan_pool {
    struct plan plan; /* first */
    struct fn *fn;
    struct source_socket *source;
};

void plan_pool_init(struct plan_pool *pool, struct fn *fn, struct source_socket *source);

#endif
