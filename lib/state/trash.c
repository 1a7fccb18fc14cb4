/* trash.c: what was removed at once, and is made free piece by piece. */
#include "state/trash.h"

#include <stdio.h>

enum { TRASH_KEY = 32 };

static struct str trash_prefix(char key[TRASH_KEY], const char *kind)
{
    int len = snprintf(key, TRASH_KEY - 4, "trash/%s/", kind);
    return (struct str){key, (size_t)len};
}

static struct str trash_key(char key[TRASH_KEY], const char *kind, uint32_t number)
{
    struct str prefix = trash_prefix(key, kind);
    table_put_u32((unsigned char *)key + prefix.len, number);
    return (struct str){key, prefix.len + 4};
}

int trash_add(struct apply *apply, const char *kind, uint32_t number)
{
    char key[TRASH_KEY];
    return table_put(apply->txn, SPACE_META, trash_key(key, kind, number), (struct str){"", 0});
}

/* Remove records of the space under that number. How many, at most limit, or -1. */
static int clean_space(struct apply *apply, const struct trash_kind *kind, enum table_space space,
                       uint32_t number, int limit)
{
    unsigned char prefix[4], own[TABLE_KEY];
    struct str key, value, from = {(const char *)prefix, sizeof prefix};
    int removed = 0;
    table_put_u32(prefix, number);
    for (; removed < limit; removed++) {
        enum table_result found = table_seek(apply->txn, space, from, false, &key, &value);
        if (found == TABLE_FAILED)
            return -1;
        if (found == TABLE_ABSENT || !str_starts(key, from))
            break;
        memcpy(own, key.data, key.len);
        key.data = (const char *)own;
        if ((kind->before && kind->before(apply, space, key, value) < 0) ||
            table_remove(apply->txn, space, key) == TABLE_FAILED)
            return -1;
    }
    return removed;
}

int trash_clean(struct apply *apply, const struct trash_kind *kind, int limit, bool *more)
{
    char text[TRASH_KEY];
    struct str key, value, prefix = trash_prefix(text, kind->name);
    enum table_result found = table_seek(apply->txn, SPACE_META, prefix, false, &key, &value);
    *more = found == TABLE_FOUND && str_starts(key, prefix) && key.len == prefix.len + 4;
    if (!*more)
        return found == TABLE_FAILED ? -1 : 0;
    uint32_t number = table_u32(key.data + prefix.len);
    for (size_t i = 0; i < kind->count && limit > 0; i++) {
        int removed = clean_space(apply, kind, kind->spaces[i], number, limit);
        if (removed < 0)
            return -1;
        limit -= removed;
    }
    struct str own = trash_key(text, kind->name, number);
    return limit > 0 && table_remove(apply->txn, SPACE_META, own) == TABLE_FAILED ? -1 : 0;
}
