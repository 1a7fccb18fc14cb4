/* cursor_read.c: looking at cursors: their records, and which there are. */
#include "state/cursor_record.h"

#include "base/mem.h"
#include "state/pack.h"

#include <stdlib.h>

/* ---- records ---- */

/* What a read gathers: keys and values one behind another, offsets until all are there. */
struct gathering {
    struct apply *apply;
    struct cursor_read *asked;
    struct buf bytes;
    struct place {
        size_t key, value; /* where they end */
    } * places;
    unsigned room;
};

void cursor_read_clear(struct cursor_read *asked)
{
    for (unsigned i = 0; i < asked->got; i++) {
        slice_drop(&asked->records[i].key);
        slice_drop(&asked->records[i].value);
    }
    free(asked->records);
    asked->records = NULL;
    asked->got = 0;
}

static int gather_one(struct gathering *all, struct str key, struct str packed)
{
    struct cursor_read *asked = all->asked;
    struct err err;
    if (asked->got == all->room) {
        all->room = all->room ? 2 * all->room : 64;
        all->places = mem_realloc(all->places, all->room * sizeof *all->places);
    }
    struct place *place = &all->places[asked->got];
    buf_add_str(&all->bytes, key);
    place->key = all->bytes.len;
    if (pack_read(packed, &all->bytes, &err) < 0)
        return table_fail(all->apply->txn, err.kind, "%s", err.text);
    place->value = all->bytes.len;
    asked->got++;
    return 0;
}

static void set_records(struct gathering *all)
{
    struct cursor_read *asked = all->asked;
    size_t len = all->bytes.len, begin = 0;
    if (!asked->got)
        return;
    struct slice bytes = slice_take(buf_take(&all->bytes), len);
    asked->records = mem_array(asked->got, sizeof *asked->records);
    for (unsigned i = 0; i < asked->got; i++) {
        const struct place *place = &all->places[i];
        asked->records[i].key = slice_of(bytes.block, bytes.data + begin, place->key - begin);
        asked->records[i].value =
            slice_of(bytes.block, bytes.data + place->key, place->value - place->key);
        begin = place->value;
    }
    slice_drop(&bytes);
}

static int gather(struct gathering *all, uint32_t number)
{
    struct cursor_read *asked = all->asked;
    unsigned char from[CURSOR_PLACE];
    bool longer = asked->from.len > CURSOR_KEY; /* than any key: what it begins with is below it */
    bool beyond = asked->beyond || longer;
    struct str first = {asked->from.data, longer ? CURSOR_KEY : asked->from.len};
    struct str at = cursor_place(from, number, first), key, packed;
    while (true) {
        enum table_result found =
            table_seek(all->apply->txn, SPACE_CURSOR, at, beyond, &key, &packed);
        if (found == TABLE_FAILED)
            return -1;
        asked->more = found == TABLE_FOUND && key.len <= CURSOR_PLACE &&
                      str_starts(key, (struct str){(const char *)from, CURSOR_PREFIX});
        if (!asked->more || asked->got == asked->count || all->bytes.len >= asked->bytes)
            return 0;
        key.data += CURSOR_PREFIX;
        key.len -= CURSOR_PREFIX;
        at = cursor_place(from, number, key);
        beyond = true;
        if (gather_one(all, key, packed) < 0)
            return -1;
    }
}

int cursor_apply_read(struct apply *apply, struct cursor_read *asked)
{
    struct gathering all = {.apply = apply, .asked = asked};
    struct cursor_head head;
    cursor_read_clear(asked);
    asked->more = false;
    if (asked->count > CURSOR_READ_MAX)
        asked->count = CURSOR_READ_MAX;
    enum table_result found = cursor_find(apply, asked->own.kind, asked->own.name, &head);
    int status = found == TABLE_FOUND ? gather(&all, head.number) : (int)found;
    if (status < 0)
        asked->got = 0;
    set_records(&all);
    buf_free(&all.bytes);
    free(all.places);
    return status;
}

/* ---- which there are ---- */

static int tell(void *owner, struct apply *apply, struct str name)
{
    struct cursor_list *list = owner;
    struct cursor_head head;
    if (cursor_find(apply, list->own.kind, name, &head) == TABLE_FAILED)
        return -1;
    bool held = cursor_is_held(&head);
    if (head.records || held)
        list->each(list->owner, name, head.records, held ? head.holder : 0);
    else if (list->own.name.data)
        list->own.op.status = STORE_ABSENT;
    return 0;
}

int cursor_apply_list(struct apply *apply, struct cursor_list *list)
{
    char names[CURSOR_KIND + 8];
    if (list->own.name.data)
        return tell(list, apply, list->own.name);
    return apply_names(apply, cursor_names(list->own.kind, names), tell, list);
}
