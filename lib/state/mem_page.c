/* mem_page.c: a page of sorted records in memory. */
#include "state/mem_page.h"

#include "base/mem.h"

#include <stdlib.h>

/* A record: this, without padding, the key, and the value or where it lies. */
struct head {
    uint32_t value_len;
    uint16_t key_len;
};

enum {
    HEAD = sizeof(uint32_t) + sizeof(uint16_t),
    PLACE = sizeof(uint16_t),
    FRONT = sizeof(struct mem_page),
};

static unsigned char *bytes_at(const struct mem_page *page, unsigned offset)
{
    return (unsigned char *)(uintptr_t)page + offset;
}

static struct head head_of(const unsigned char *record)
{
    struct head head;
    memcpy(&head.value_len, record, sizeof head.value_len);
    memcpy(&head.key_len, record + sizeof head.value_len, sizeof head.key_len);
    return head;
}

static bool is_outside(struct head head)
{
    return head.value_len > MEM_INLINE;
}

static size_t length_of(struct head head)
{
    return HEAD + head.key_len + (is_outside(head) ? sizeof(char *) : head.value_len);
}

static char *outside(const unsigned char *record, struct head head)
{
    char *value;
    memcpy(&value, record + HEAD + head.key_len, sizeof value);
    return value;
}

struct mem_page *mem_page_new(bool is_leaf)
{
    struct mem_page *page = mem_alloc(MEM_PAGE);
    *page = (struct mem_page){.is_leaf = is_leaf, .begin = MEM_PAGE};
    return page;
}

void mem_page_free(struct mem_page *page)
{
    while (page->count)
        mem_page_remove(page, page->count - 1U);
    free(page);
}

struct str mem_page_key(const struct mem_page *page, unsigned at)
{
    const unsigned char *record = bytes_at(page, page->place[at]);
    return (struct str){(const char *)record + HEAD, head_of(record).key_len};
}

struct str mem_page_value(const struct mem_page *page, unsigned at)
{
    const unsigned char *record = bytes_at(page, page->place[at]);
    struct head head = head_of(record);
    if (is_outside(head))
        return (struct str){outside(record, head), head.value_len};
    return (struct str){(const char *)record + HEAD + head.key_len, head.value_len};
}

static int compare(struct str a, struct str b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    int order = least ? memcmp(a.data, b.data, least) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

struct search { /* it stands at low, high, or in between */
    const struct mem_page *page;
    struct str key;
    unsigned low, high;
};

/* Compare with one: true if it has the key. */
static bool probe(struct search *search, unsigned at)
{
    int order = compare(mem_page_key(search->page, at), search->key);
    if (order < 0)
        search->low = at + 1;
    else
        search->high = at;
    if (order == 0)
        search->low = at;
    return order == 0;
}

unsigned mem_page_find(const struct mem_page *page, struct str key, unsigned hint, bool *found)
{
    struct search search = {.page = page, .key = key, .high = page->count};
    *found = hint < page->count && probe(&search, hint);
    if (!*found && hint && search.high == hint)
        *found = probe(&search, hint - 1);
    else if (!*found && search.low == hint + 1 && search.low < search.high)
        *found = probe(&search, search.low);
    while (search.low < search.high)
        *found = probe(&search, search.low + (search.high - search.low) / 2) || *found;
    return search.low;
}

/* ---- room ---- */

unsigned mem_page_used(const struct mem_page *page)
{
    return FRONT + page->count * PLACE + MEM_PAGE - page->begin - page->waste;
}

/* Records stand without gaps again. */
static void pack(struct mem_page *page)
{
    unsigned char old[MEM_PAGE];
    memcpy(old + page->begin, bytes_at(page, page->begin), MEM_PAGE - page->begin);
    page->begin = MEM_PAGE;
    page->waste = 0;
    for (unsigned i = 0; i < page->count; i++) {
        const unsigned char *record = old + page->place[i];
        size_t len = length_of(head_of(record));
        page->begin = (uint16_t)(page->begin - len);
        page->place[i] = page->begin;
        memcpy(bytes_at(page, page->begin), record, len);
    }
}

/* Room for a record of that length before the one that stands there; NULL: there is none. */
static unsigned char *make_room(struct mem_page *page, unsigned at, size_t len)
{
    if (mem_page_used(page) + PLACE + len > MEM_PAGE)
        return NULL;
    if (FRONT + (page->count + 1U) * PLACE + len > page->begin)
        pack(page);
    memmove(page->place + at + 1, page->place + at, (page->count - at) * PLACE);
    page->begin = (uint16_t)(page->begin - len);
    page->place[at] = page->begin;
    page->count++;
    return bytes_at(page, page->begin);
}

/* The record is elsewhere now, or nowhere. */
static void leave(struct mem_page *page, unsigned at)
{
    page->waste = (uint16_t)(page->waste + length_of(head_of(bytes_at(page, page->place[at]))));
    page->count--;
    memmove(page->place + at, page->place + at + 1, (page->count - at) * PLACE);
}

/* ---- records ---- */

bool mem_page_insert(struct mem_page *page, unsigned at, struct str key, struct str value)
{
    struct head head = {.value_len = (uint32_t)value.len, .key_len = (uint16_t)key.len};
    unsigned char *record = make_room(page, at, length_of(head));
    if (!record)
        return false;
    memcpy(record, &head.value_len, sizeof head.value_len);
    memcpy(record + sizeof head.value_len, &head.key_len, sizeof head.key_len);
    if (key.len)
        memcpy(record + HEAD, key.data, key.len);
    record += HEAD + key.len;
    if (is_outside(head)) {
        char *copy = mem_strndup(value.data, value.len);
        memcpy(record, &copy, sizeof copy);
    } else if (value.len) {
        memcpy(record, value.data, value.len);
    }
    return true;
}

void mem_page_remove(struct mem_page *page, unsigned at)
{
    const unsigned char *record = bytes_at(page, page->place[at]);
    struct head head = head_of(record);
    if (is_outside(head))
        free(outside(record, head));
    leave(page, at);
}

bool mem_page_overwrite(struct mem_page *page, unsigned at, struct str value)
{
    unsigned char *record = bytes_at(page, page->place[at]);
    struct head head = head_of(record);
    if (head.value_len != value.len || is_outside(head))
        return false;
    if (value.len)
        memcpy(record + HEAD + head.key_len, value.data, value.len);
    return true;
}

void mem_page_move(struct mem_page *from, unsigned at, struct mem_page *to)
{
    for (unsigned i = at; i < from->count; i++) {
        const unsigned char *record = bytes_at(from, from->place[i]);
        size_t len = length_of(head_of(record));
        memcpy(make_room(to, to->count, len), record, len);
    }
    while (from->count > at)
        leave(from, from->count - 1U);
}

unsigned mem_page_middle(const struct mem_page *page)
{
    size_t half = (MEM_PAGE - page->begin - page->waste) / 2, len = 0;
    unsigned at = 0;
    while (at < page->count && len < half)
        len += length_of(head_of(bytes_at(page, page->place[at++])));
    return at;
}
