/*
 * mem_page.h: a page of sorted records in memory. Internal to lib/state.
 *
 * Records lie in the page itself, packed from its end, and a list of where they begin, in the order
 * of their keys, grows from its front. Values over MEM_INLINE bytes lie outside and belong to the
 * page that has the record. A page knows nothing of others but its neighbours.
 */
#ifndef FIT_STATE_MEM_PAGE_H
#define FIT_STATE_MEM_PAGE_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    MEM_PAGE = 8192,    /* bytes of a page with its head */
    MEM_INLINE = 1024,  /* bytes of the longest value that lies in a page */
    MEM_RECORD = 2 * 8, /* bytes beside key and value that a record takes at most */
};

struct mem_page {
    struct mem_page *next, *prev; /* neighbours, of leaves */
    bool is_leaf;
    uint16_t count;   /* records */
    uint16_t begin;   /* they lie from here on */
    uint16_t waste;   /* bytes in between that belong to none */
    uint16_t place[]; /* of each record */
};

struct mem_page *mem_page_new(bool is_leaf);
void mem_page_free(struct mem_page *page); /* with the values outside; not its neighbours */

struct str mem_page_key(const struct mem_page *page, unsigned at);
struct str mem_page_value(const struct mem_page *page, unsigned at);

/* Where the first record stands whose key is not below; *found: it has this key. It is quick when
 * that is at the hint or next to it. */
unsigned mem_page_find(const struct mem_page *page, struct str key, unsigned hint, bool *found);

/* Put a record before the one that stands there. False: there is no room, nothing has changed. */
bool mem_page_insert(struct mem_page *page, unsigned at, struct str key, struct str value);
void mem_page_remove(struct mem_page *page, unsigned at);
/* Write over a value that is as long, and lies in the page. False: it is not so. */
bool mem_page_overwrite(struct mem_page *page, unsigned at, struct str value);

/* Move the records from there on behind those of another page, which has room for them. */
void mem_page_move(struct mem_page *from, unsigned at, struct mem_page *to);
unsigned mem_page_middle(const struct mem_page *page); /* half of the bytes stand before it */
unsigned mem_page_used(const struct mem_page *page);   /* bytes */

#endif
