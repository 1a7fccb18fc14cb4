/* poll_list.c: what a look has found: one value, or a list of items with keys. */
#include "engine/poll_list.h"

#include "base/mem.h"
#include "format/json_order.h"

#include <stdlib.h>

enum { SHOWN = 60 }; /* bytes of a value that an error repeats */

/* ---- the form ---- */

static int compile(const char *option, const char *text, struct jq_program **program,
                   struct err *err)
{
    struct err why;
    if (!text)
        return 0;
    *program = jq_compile(text, NULL, &why);
    return *program ? 0 : err_set(err, why.kind, "%s %s", option, why.text);
}

static int compile_ignore(struct poll_form *form, const char *ignore, struct err *err)
{
    struct buf deletion = {0};
    if (!ignore)
        return 0;
    form->without = json_without_new(str_of(ignore));
    if (form->without)
        return 0;
    buf_addf(&deletion, "del(%s)", ignore);
    int status = compile("--ignore", buf_cstr(&deletion), &form->ignore, err);
    buf_free(&deletion);
    return status;
}

int poll_form_init(struct poll_form *form, const char *items, const char *key, const char *ignore,
                   struct err *err)
{
    *form = (struct poll_form){0};
    if (compile("--items", items, &form->items, err) < 0 ||
        compile("--key", key, &form->key, err) < 0)
        return -1;
    return compile_ignore(form, ignore, err);
}

void poll_form_free(struct poll_form *form)
{
    jq_free(form->items);
    jq_free(form->key);
    jq_free(form->ignore);
    json_without_free(form->without);
    *form = (struct poll_form){0};
}

bool poll_form_lost_digits(const struct poll_form *form)
{
    return (form->items && jq_lost_digits(form->items)) ||
           (form->key && jq_lost_digits(form->key)) ||
           (form->ignore && jq_lost_digits(form->ignore));
}

static int hash_canonical(struct str value, struct hash128 *hash, struct err *err)
{
    struct buf bytes = {0};
    int status = json_order_key(value, &bytes, err);
    if (status == 0)
        *hash = hash_128(buf_str(&bytes));
    buf_free(&bytes);
    return status;
}

/* Append what is compared of a value. */
static int reduce(const struct poll_form *form, struct str value, struct buf *left, struct err *err)
{
    struct err why;
    if (form->without) {
        json_without(form->without, value, left);
        return 0;
    }
    int found = jq_first(form->ignore, &(struct jq_input){.text = value}, left, &why);
    if (found > 0)
        return 0;
    return err_set(err, ERR_INPUT, "--ignore %s", found < 0 ? why.text : "gives nothing");
}

int poll_form_hash(const struct poll_form *form, struct str value, struct hash128 *hash,
                   struct err *err)
{
    if (!form->without && !form->ignore)
        return hash_canonical(value, hash, err);
    struct buf left = {0};
    int status = reduce(form, value, &left, err);
    if (status == 0)
        status = hash_canonical(buf_str(&left), hash, err);
    buf_free(&left);
    return status;
}

/* ---- the items ---- */

static void add(struct poll_list *list, struct str value)
{
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 64;
        list->hashes = mem_realloc(list->hashes, list->room * sizeof *list->hashes);
        list->texts = mem_realloc(list->texts, list->room * sizeof *list->texts);
    }
    list->texts[list->count++] = (struct poll_text){.value = value};
}

/* An output of --items is kept, with a LF behind it: it may be borrowed. */
static int keep(void *owner, struct str json)
{
    struct poll_list *list = owner;
    buf_add_str(&list->items, json);
    buf_addc(&list->items, '\n');
    return 0;
}

/* An output that is an array is a list; another one is an item. */
static int add_output(struct poll_list *list, struct str output, struct err *err)
{
    struct json_iter iter;
    switch (json_type_of(output)) {
    case JSON_NULL:
        return err_set(err, ERR_INPUT, "--items gives null");
    case JSON_ARRAY:
        for (json_iter_init(&iter, output); json_iter_next(&iter);)
            add(list, iter.value);
        return 0;
    default:
        add(list, output);
        return 0;
    }
}

static int find_items(struct poll_list *list, const struct poll_form *form, struct err *err)
{
    struct err why;
    struct jq_input input = {.text = str_trim(slice_str(list->whole))};
    if (jq_each(form->items, &input, keep, list, &why) < 0)
        return err_set(err, ERR_INPUT, "--items %s", why.text);
    struct str rest = buf_str(&list->items);
    while (rest.len) {
        const char *end = memchr(rest.data, '\n', rest.len);
        struct str output = {rest.data, (size_t)(end - rest.data)};
        if (add_output(list, output, err) < 0)
            return -1;
        rest.data += output.len + 1;
        rest.len -= output.len + 1;
    }
    return 0;
}

/* ---- their keys ---- */

static int find_key(struct poll_list *list, const struct poll_form *form, size_t item,
                    struct err *err)
{
    struct err why;
    struct poll_text *text = &list->texts[item];
    int shown = text->value.len < SHOWN ? (int)text->value.len : SHOWN;
    text->key_at = list->keys.len;
    int found = jq_first(form->key, &(struct jq_input){.text = text->value}, &list->keys, &why);
    if (found < 0)
        return err_set(err, ERR_INPUT, "--key %s", why.text);
    text->key_len = list->keys.len - text->key_at;
    struct str key = poll_list_key(list, item);
    if (!found || json_type_of(key) == JSON_NULL)
        return err_set(err, ERR_INPUT, "item %zu has no key: %.*s", item + 1, shown,
                       text->value.data);
    return hash_canonical(key, &list->hashes[item].key, err);
}

/* Items that are their own keys, by their hashes, equal ones in their order. */
struct own_key {
    struct hash128 hash;
    size_t item;
};

static int compare_own_keys(const void *a, const void *b)
{
    const struct own_key *one = a, *other = b;
    if (one->hash.high != other->hash.high)
        return one->hash.high < other->hash.high ? -1 : 1;
    if (one->hash.low != other->hash.low)
        return one->hash.low < other->hash.low ? -1 : 1;
    return one->item < other->item ? -1 : 1;
}

/* The second and later ones of equal items have keys of their own. */
static void number_own_keys(struct poll_list *list)
{
    struct own_key *keys = mem_array(list->count + 1, sizeof *keys);
    for (size_t i = 0; i < list->count; i++)
        keys[i] = (struct own_key){list->hashes[i].value, i};
    qsort(keys, list->count, sizeof *keys, compare_own_keys);
    uint64_t nth = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct hash128 hash = keys[i].hash;
        bool again = i && hash.high == keys[i - 1].hash.high && hash.low == keys[i - 1].hash.low;
        nth = again ? nth + 1 : 0;
        if (nth) {
            uint64_t numbered[3] = {hash.high, hash.low, nth};
            hash = hash_128((struct str){(const char *)numbered, sizeof numbered});
        }
        list->hashes[keys[i].item].key = hash;
    }
    free(keys);
}

static int find_hashes(struct poll_list *list, const struct poll_form *form, struct err *err)
{
    for (size_t i = 0; i < list->count; i++) {
        if (form->key && find_key(list, form, i, err) < 0)
            return -1;
        if (poll_form_hash(form, list->texts[i].value, &list->hashes[i].value, err) < 0)
            return -1;
    }
    if (!form->key)
        number_own_keys(list);
    return 0;
}

int poll_list_read(struct poll_list *list, const struct poll_form *form, struct slice value,
                   struct err *err)
{
    list->whole = value;
    if (form->items)
        return find_items(list, form, err) == 0 ? find_hashes(list, form, err) : -1;
    add(list, str_trim(slice_str(value)));
    list->hashes[0].key = hash_128(STR(""));
    return poll_form_hash(form, list->texts[0].value, &list->hashes[0].value, err);
}

void poll_list_clear(struct poll_list *list)
{
    slice_drop(&list->whole);
    buf_free(&list->items);
    buf_free(&list->keys);
    free(list->hashes);
    free(list->texts);
    *list = (struct poll_list){0};
}

struct str poll_list_key(const struct poll_list *list, size_t item)
{
    const struct poll_text *text = &list->texts[item];
    if (text->key_len)
        return (struct str){list->keys.data + text->key_at, text->key_len};
    return list->items.len ? text->value : STR("null");
}
