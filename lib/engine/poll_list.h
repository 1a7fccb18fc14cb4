/*
 * poll_list.h: what a look has found: one value, or a list of items with keys.
 *
 * A form says what is compared: the value as a whole, or the items that --items gives, told apart
 * by --key, without what --ignore deletes. Items are compared by hashes of their canonical bytes
 * (format/json_order.h), so the order of members is no difference. What is handed on are the full
 * values, with their bytes.
 *
 * Items without --key are their own keys: of equal ones each is an item of its own. Of a key that
 * --key gives twice the last item counts.
 */
#ifndef FIT_ENGINE_POLL_LIST_H
#define FIT_ENGINE_POLL_LIST_H

#include "base/block.h"
#include "format/jq.h"
#include "format/json_without.h"
#include "pattern/change.h"

struct poll_form {
    struct jq_program *items; /* NULL: the value as a whole */
    struct jq_program *key;   /* NULL: an item is its own key */
    /* What is left out when comparing: one of these, or nothing. */
    struct json_without *without;
    struct jq_program *ignore; /* del(...), of what is more than paths */
};

/* The texts of the options, NULL where not given. -1 with err; poll_form_free in any case. */
int poll_form_init(struct poll_form *form, const char *items, const char *key, const char *ignore,
                   struct err *err);
void poll_form_free(struct poll_form *form);
bool poll_form_lost_digits(const struct poll_form *form); /* jq_lost_digits of one of them */

struct poll_list {
    struct change_item *hashes;
    struct poll_text {
        struct str value;
        size_t key_at, key_len; /* in keys */
    } * texts;
    size_t count, room;
    struct slice whole; /* the value that was looked at */
    struct buf items;   /* what the values are parts of, but for that of a form without items */
    struct buf keys;    /* JSON */
};

/* Read a value (the reference is the list's) into a zeroed or cleared list. -1 with err: it is not
 * of that form; poll_list_clear in any case. */
int poll_list_read(struct poll_list *list, const struct poll_form *form, struct slice value,
                   struct err *err);
void poll_list_clear(struct poll_list *list);

/* The key of an item as JSON; null of a whole value. */
struct str poll_list_key(const struct poll_list *list, size_t item);

/* The hash by which a value is compared. -1 with err. */
int poll_form_hash(const struct poll_form *form, struct str value, struct hash128 *hash,
                   struct err *err);

#endif
