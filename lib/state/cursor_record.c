/* cursor_record.c: the records of cursors, as they stand in the table. */
#include "state/cursor_record.h"

#include "sys/boot.h"

#include <stdio.h>

enum { HEAD_KEY = 4 + 1, HEAD = 8 + 8 + 8 + 8 };

const char *cursor_names(const char *kind, char text[CURSOR_KIND + 8])
{
    snprintf(text, CURSOR_KIND + 8, "cursor/%s", kind);
    return text;
}

static struct str head_key(unsigned char key[HEAD_KEY], uint32_t number)
{
    table_put_u32(key, number);
    key[4] = 0;
    return (struct str){(const char *)key, HEAD_KEY};
}

struct str cursor_place(unsigned char place[CURSOR_PLACE], uint32_t number, struct str key)
{
    table_put_u32(place, number);
    place[4] = 1;
    if (key.len)
        memcpy(place + CURSOR_PREFIX, key.data, key.len);
    return (struct str){(const char *)place, CURSOR_PREFIX + key.len};
}

static enum table_result read_head(struct apply *apply, struct cursor_head *head)
{
    unsigned char key[HEAD_KEY];
    struct str record;
    enum table_result found =
        table_get(apply->txn, SPACE_CURSOR, head_key(key, head->number), &record);
    if (found != TABLE_FOUND)
        return found;
    if (record.len != HEAD) {
        table_fail(apply->txn, ERR_NOT_USABLE, "the record of a cursor is damaged");
        return TABLE_FAILED;
    }
    head->token = table_u64(record.data);
    head->holder = table_u64(record.data + 8);
    head->boot = table_u64(record.data + 16);
    head->records = table_u64(record.data + 24);
    return TABLE_FOUND;
}

enum table_result cursor_find(struct apply *apply, const char *kind, struct str name,
                              struct cursor_head *head)
{
    char names[CURSOR_KIND + 8];
    *head = (struct cursor_head){0};
    head->number = apply_name(apply, cursor_names(kind, names), name, false);
    if (!head->number)
        return apply->txn->failed ? TABLE_FAILED : TABLE_ABSENT;
    return read_head(apply, head);
}

enum table_result cursor_find_with(struct apply *apply, const struct cursor_op *own, uint64_t token,
                                   struct cursor_head *head)
{
    enum table_result found = cursor_find(apply, own->kind, own->name, head);
    return found == TABLE_FOUND && (!token || head->token != token) ? TABLE_ABSENT : found;
}

int cursor_write_head(struct apply *apply, const struct cursor_head *head)
{
    unsigned char key[HEAD_KEY], record[HEAD];
    table_put_u64(record, head->token);
    table_put_u64(record + 8, head->holder);
    table_put_u64(record + 16, head->boot);
    table_put_u64(record + 24, head->records);
    return table_put(apply->txn, SPACE_CURSOR, head_key(key, head->number),
                     (struct str){(const char *)record, HEAD});
}

int cursor_remove_head(struct apply *apply, const struct cursor_op *own, uint32_t number)
{
    unsigned char key[HEAD_KEY];
    char names[CURSOR_KIND + 8];
    table_remove(apply->txn, SPACE_CURSOR, head_key(key, number));
    apply_rename(apply, cursor_names(own->kind, names), own->name, false);
    return apply->txn->failed ? -1 : 0;
}

bool cursor_is_held(const struct cursor_head *head)
{
    return head->holder && head->boot == boot_number() && !cell_holder_gone(head->holder);
}
