/* subscribers.c: who is given the events of a broadcast, and how each gets the next one. */
#include "engine/subscribers.h"

#include "base/mem.h"
#include "base/msg.h"
#include "engine/named.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- opening ---- */

static int check_name(const struct subscribers *subscribers, struct str name, struct err *err)
{
    if (!str_is_utf8(name))
        return err_set(err, ERR_USAGE, "'%.*s': a name must be UTF-8", (int)name.len, name.data);
    if (subscribers_find(subscribers, name))
        return err_set(err, ERR_USAGE, "'%.*s' is named twice: NAME=FUNCTION gives another name",
                       (int)name.len, name.data);
    return 0;
}

int subscribers_add(struct subscribers *subscribers, const char *text, struct err *err)
{
    struct named named = named_parse(text);
    if (named.optional)
        return err_set(err, ERR_USAGE, "'%s': no subscriber is more optional than others", text);
    struct str name = named.name.len ? named.name : str_of(text);
    if (check_name(subscribers, name, err) < 0)
        return -1;
    struct target *target = targets_open_own(&subscribers->targets, named.function, err);
    if (!target)
        return -1;
    subscribers->items =
        mem_realloc(subscribers->items, (subscribers->count + 1) * sizeof *subscribers->items);
    struct subscriber *subscriber = &subscribers->items[subscribers->count++];
    *subscriber = (struct subscriber){.text = text, .name = name, .target = target};
    buf_add_json(&subscriber->key, name);
    buf_addc(&subscriber->key, ':');
    return 0;
}

struct subscriber *subscribers_find(const struct subscribers *subscribers, struct str name)
{
    for (size_t i = 0; i < subscribers->count; i++) {
        if (str_eq(subscribers->items[i].name, name))
            return &subscribers->items[i];
    }
    return NULL;
}

void subscribers_free(struct subscribers *subscribers)
{
    for (size_t i = 0; i < subscribers->count; i++) {
        spill_reader_end(&subscribers->items[i].backlog);
        buf_free(&subscribers->items[i].key);
    }
    free(subscribers->items);
    targets_free(&subscribers->targets);
}

/* ---- giving ---- */

bool subscribers_have_room(struct subscribers *subscribers)
{
    if (subscribers->full == SUBSCRIBERS_BLOCK)
        return targets_have_room(&subscribers->targets);
    for (size_t i = 0; i < subscribers->count; i++) {
        const struct subscriber *subscriber = &subscribers->items[i];
        if (subscriber->awaited && !fn_has_room(subscriber->target->fn))
            return false;
    }
    return true;
}

static enum subscriber_way choose(const struct subscribers *subscribers,
                                  const struct subscriber *subscriber)
{
    if (subscribers->full == SUBSCRIBERS_BLOCK || subscriber->awaited)
        return WAY_NOW;
    if (!subscriber->behind && !targets_is_full(subscriber->target, subscribers->buffer))
        return WAY_NOW;
    return subscribers->full == SUBSCRIBERS_SPILL ? WAY_LATER : WAY_NOT;
}

/* A letter can be of none of them: then it died before it was given to any. */
static bool is_for_some(const struct subscribers *subscribers, const struct job *job)
{
    for (size_t i = 0; i < subscribers->count; i++) {
        if (job_is_for(job, subscribers->items[i].text))
            return true;
    }
    return false;
}

struct ways subscribers_choose(struct subscribers *subscribers, const struct job *job, bool hurry)
{
    struct ways ways = {0};
    bool for_all = !is_for_some(subscribers, job);
    for (size_t i = 0; i < subscribers->count; i++) {
        struct subscriber *subscriber = &subscribers->items[i];
        subscriber->way = WAY_NOT;
        if (!for_all && !job_is_for(job, subscriber->text))
            continue;
        subscriber->way = hurry ? WAY_NOW : choose(subscribers, subscriber);
        ways.now += subscriber->way == WAY_NOW;
        ways.later += subscriber->way == WAY_LATER;
        ways.dropped += subscriber->way == WAY_NOT;
        subscriber->dropped += subscriber->way == WAY_NOT;
    }
    return ways;
}

void subscribers_leave_behind(struct subscribers *subscribers, const struct spill_place *place)
{
    for (size_t i = 0; i < subscribers->count; i++) {
        struct subscriber *subscriber = &subscribers->items[i];
        if (subscriber->way != WAY_LATER)
            continue;
        subscriber->spilled++;
        if (subscriber->behind)
            continue;
        subscriber->behind = true;
        subscribers->behind++;
        spill_reader_begin(&subscriber->backlog, place);
    }
}

bool subscribers_read(struct subscribers *subscribers, struct subscriber *subscriber, bool hurry,
                      struct spill_place *place)
{
    if (!subscriber->behind || (!hurry && targets_is_full(subscriber->target, subscribers->buffer)))
        return false;
    if (spill_reader_next(&subscriber->backlog, place))
        return true;
    subscriber->behind = false;
    subscribers->behind--;
    return false;
}

/* ---- counts ---- */

void subscribers_tell(const struct subscribers *subscribers)
{
    for (size_t i = 0; i < subscribers->count; i++) {
        const struct subscriber *subscriber = &subscribers->items[i];
        if (subscriber->dropped)
            msg_warn("%" PRIu64 " event%s dropped: %s", subscriber->dropped,
                     subscriber->dropped == 1 ? "" : "s", subscriber->text);
        if (subscriber->spilled)
            msg_verbose("%" PRIu64 " event%s spilled: %s", subscriber->spilled,
                        subscriber->spilled == 1 ? "" : "s", subscriber->text);
    }
}
