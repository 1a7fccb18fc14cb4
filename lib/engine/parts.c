/* parts.c: the parts of one event, as a jq program gives them. */
#include "engine/parts.h"

#include "base/mem.h"

#include <stdlib.h>

enum { PARTS_FIRST = 16 }; /* places of a new list */

/* Of a text of at most JSON_MAX_TEXT bytes, or of outputs that jq.h bounds to less. */
struct part {
    uint32_t at, len;
};

struct splitting {
    struct parts *parts;
    struct str event;
    struct buf copy; /* of all parts, once one of them does not stand in the event */
    bool copied;
};

static void add(struct parts *parts, size_t at, size_t len)
{
    if (parts->count == parts->room) {
        parts->room = parts->room ? parts->room * 2 : PARTS_FIRST;
        parts->list = mem_realloc(parts->list, parts->room * sizeof *parts->list);
    }
    parts->list[parts->count++] = (struct part){(uint32_t)at, (uint32_t)len};
}

static void copy_earlier(struct splitting *splitting)
{
    splitting->copied = true;
    for (size_t i = 0; i < splitting->parts->count; i++) {
        struct part *part = &splitting->parts->list[i];
        size_t at = splitting->copy.len;
        buf_add(&splitting->copy, splitting->event.data + part->at, part->len);
        part->at = (uint32_t)at;
    }
}

static int take(void *context, struct str json)
{
    struct splitting *splitting = context;
    const char *event = splitting->event.data;
    bool inside = json.data >= event && json.data < event + splitting->event.len;
    if (!inside && !splitting->copied)
        copy_earlier(splitting);
    if (!splitting->copied) {
        add(splitting->parts, (size_t)(json.data - event), json.len);
        return 0;
    }
    add(splitting->parts, splitting->copy.len, json.len);
    buf_add_str(&splitting->copy, json);
    return 0;
}

int parts_split(struct parts *parts, struct jq_program *program, const struct jq_input *input,
                struct slice event, struct err *err)
{
    struct splitting splitting = {.parts = parts, .event = slice_str(event)};
    int status = jq_each(program, input, take, &splitting, err);
    size_t copied = splitting.copy.len;
    if (splitting.copied)
        parts->text = slice_take(buf_take(&splitting.copy), copied);
    else
        parts->text = slice_hold(event);
    return status;
}

void parts_single(struct parts *parts, struct slice event)
{
    add(parts, 0, event.len);
    parts->text = slice_hold(event);
}

void parts_free(struct parts *parts)
{
    free(parts->list);
    slice_drop(&parts->text);
    *parts = (struct parts){0};
}

struct str parts_text(const struct parts *parts, size_t index)
{
    const struct part *part = &parts->list[index];
    return (struct str){parts->text.data + part->at, part->len};
}

struct slice parts_hold(const struct parts *parts, size_t index)
{
    struct str text = parts_text(parts, index);
    return slice_of(parts->text.block, text.data, text.len);
}
