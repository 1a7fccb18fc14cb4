/* holder_watch.c: hear in the loop that a process which holds a part of a cell has ended. */
#include "state/holder_watch.h"

#include "base/list.h"
#include "base/mem.h"
#include "sys/watch.h"

#include <stdlib.h>

struct holder_watched {
    struct holder_watched *next;
    struct holder_watch *set;
    struct watch_process process;
    cell_holder holder;
};

void holder_watch_init(struct holder_watch *watch, struct loop *loop, void (*ended)(void *owner),
                       void *owner)
{
    *watch = (struct holder_watch){.loop = loop, .ended = ended, .owner = owner};
}

/* ---- sorted lists ---- */

static int by_value(const void *left, const void *right)
{
    const cell_holder *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

size_t holder_watch_sort(cell_holder *list, size_t len)
{
    size_t others = 0, kept = 0;
    for (size_t i = 0; i < len; i++) {
        if (list[i] && list[i] != cell_self())
            list[others++] = list[i];
    }
    if (others) /* else there may be no list */
        qsort(list, others, sizeof *list, by_value);
    for (size_t i = 0; i < others; i++) {
        if (!kept || list[kept - 1] != list[i])
            list[kept++] = list[i];
    }
    return kept;
}

bool holder_watch_has(const cell_holder *list, size_t len, cell_holder holder)
{
    return len && bsearch(&holder, list, len, sizeof *list, by_value);
}

/* ---- the set ---- */

static struct holder_watched *find(const struct holder_watch *watch, cell_holder holder)
{
    struct holder_watched *watched = watch->first;
    while (watched && watched->holder != holder)
        watched = watched->next;
    return watched;
}

/* Drop those that are not in the list, and those that have ended. */
static void keep_only(struct holder_watch *watch, const cell_holder *list, size_t len)
{
    for (struct holder_watched **link = &watch->first; *link;) {
        struct holder_watched *watched = *link;
        if (watched->process.fd.active && holder_watch_has(list, len, watched->holder)) {
            link = &watched->next;
            continue;
        }
        *link = watched->next;
        watch_process_remove(&watched->process);
        watch->count--;
        free(watched);
    }
}

void holder_watch_free(struct holder_watch *watch)
{
    keep_only(watch, NULL, 0);
}

static void process_ended(struct watch_process *process)
{
    struct holder_watch *watch = CONTAINER_OF(process, struct holder_watched, process)->set;
    watch->ended(watch->owner);
}

/* False: it ended meanwhile. One that cannot be watched, for want of descriptors, is not. */
static bool add(struct holder_watch *watch, cell_holder holder)
{
    struct holder_watched *watched = mem_zalloc(sizeof *watched);
    watched->set = watch;
    watched->holder = holder;
    watched->process.ended = process_ended;
    int added = watch_process_add(watch->loop, &watched->process, cell_holder_pid(holder));
    /* The number may have been another's before the watch: whose it is, is asked only now. */
    bool gone = cell_holder_gone(holder);
    if (added == 0 && !gone) {
        watched->next = watch->first;
        watch->first = watched;
        watch->count++;
        return true;
    }
    if (added == 0)
        watch_process_remove(&watched->process);
    free(watched);
    return !gone;
}

bool holder_watch_set(struct holder_watch *watch, const cell_holder *list, size_t len)
{
    bool all_live = true;
    keep_only(watch, list, len);
    for (size_t i = 0; i < len && watch->count < HOLDER_WATCH_MAX; i++) {
        if (!find(watch, list[i]))
            all_live = add(watch, list[i]) && all_live;
    }
    return all_live;
}

bool holder_watch_gone(const struct holder_watch *watch, cell_holder holder)
{
    const struct holder_watched *watched = find(watch, holder);
    if (watched && watched->process.fd.active)
        return watch_process_ended(&watched->process);
    return cell_holder_gone(holder);
}
