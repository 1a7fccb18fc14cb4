/* rings.c: the bells that a store rings once a commit is through, and those it listens to. */
#include "state/rings.h"

#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"

#include <stdlib.h>

enum { RINGS_OPEN = 64 }; /* bells that are kept open; with more, all are opened anew */

struct ring {
    struct bell *bell; /* NULL: no directory */
    uint64_t hash;     /* of the name */
    char *kind;
    struct buf name;
    bool due;
};

static struct ring *ring_of(struct rings *rings, const char *kind, struct str name)
{
    uint64_t hash = hash_64(name);
    for (size_t i = 0; i < rings->count; i++) {
        struct ring *ring = &rings->first[i];
        if (ring->hash == hash && strcmp(ring->kind, kind) == 0 &&
            str_eq(buf_str(&ring->name), name))
            return ring;
    }
    rings->first = mem_realloc(rings->first, (rings->count + 1) * sizeof *rings->first);
    struct ring *ring = &rings->first[rings->count++];
    *ring = (struct ring){.hash = hash, .kind = mem_strdup(kind)};
    if (rings->home)
        ring->bell = bell_open(rings->home, kind, name);
    buf_add_str(&ring->name, name);
    return ring;
}

void rings_add(struct rings *rings, const char *kind, struct str name)
{
    ring_of(rings, kind, name)->due = true;
}

static void ring_here(struct rings *rings, const struct ring *ring)
{
    for (struct store_ear *ear = rings->ears; ear; ear = ear->next) {
        if (strcmp(ear->kind, ring->kind) == 0 && str_eq(ear->name, buf_str(&ring->name)))
            loop_defer(rings->loop, &ear->task);
    }
}

static void rings_drop(struct rings *rings)
{
    for (size_t i = 0; i < rings->count; i++) {
        bell_free(rings->first[i].bell);
        free(rings->first[i].kind);
        buf_free(&rings->first[i].name);
    }
    free(rings->first);
    rings->first = NULL;
    rings->count = 0;
}

/* A bell that cannot be rung has no one else to tell: who waits looks again (RINGS_AGAIN). */
void rings_ring(struct rings *rings)
{
    struct err err;
    for (size_t i = 0; i < rings->count; i++) {
        struct ring *ring = &rings->first[i];
        if (ring->due && ring->bell)
            bell_ring(ring->bell, &err);
        else if (ring->due)
            ring_here(rings, ring);
        ring->due = false;
    }
    if (rings->count > RINGS_OPEN)
        rings_drop(rings);
}

void rings_forget(struct rings *rings)
{
    for (size_t i = 0; i < rings->count; i++)
        rings->first[i].due = false;
}

static void heard_task(struct loop_task *task)
{
    struct store_ear *ear = CONTAINER_OF(task, struct store_ear, task);
    ear->heard(ear->owner);
}

static void look_again(struct loop_timer *timer)
{
    struct store_ear *ear = CONTAINER_OF(timer, struct store_ear, again);
    struct loop *loop = ear->rings->loop;
    loop_timer_set(loop, &ear->again, loop_now(loop) + RINGS_AGAIN);
    ear->heard(ear->owner);
}

/* To a bell that all processes share. */
static int listen_outside(struct rings *rings, struct store_ear *ear, struct err *err)
{
    ear->bell = bell_open(rings->home, ear->kind, ear->name);
    if (bell_listen(ear->bell, rings->loop, ear->heard, ear->owner, err) < 0) {
        bell_free(ear->bell);
        ear->bell = NULL;
        return -1;
    }
    ear->rings = rings;
    ear->again = (struct loop_timer){.fire = look_again};
    loop_timer_set(rings->loop, &ear->again, loop_now(rings->loop) + RINGS_AGAIN);
    return 0;
}

int rings_listen(struct rings *rings, struct store_ear *ear, struct err *err)
{
    if (rings->home)
        return listen_outside(rings, ear, err);
    ear->task = (struct loop_task){.run = heard_task};
    ear->next = rings->ears;
    rings->ears = ear;
    return 0;
}

void rings_deafen(struct rings *rings, struct store_ear *ear)
{
    bell_free(ear->bell);
    ear->bell = NULL;
    loop_timer_clear(rings->loop, &ear->again);
    loop_undefer(rings->loop, &ear->task);
    for (struct store_ear **link = &rings->ears; *link; link = &(*link)->next) {
        if (*link != ear)
            continue;
        *link = ear->next;
        return;
    }
}

void rings_free(struct rings *rings)
{
    rings_drop(rings);
}
