/*
 * json_patch.c: what turns one JSON value into another.
 *
 * Both are walked at once, from the root. An operation holds when all before it are done, so the
 * places in an array are those at that moment: what was added and removed before is counted in.
 */
#include "format/json_patch.h"

#include "base/mem.h"
#include "format/json.h"
#include "format/json_order.h"
#include "format/json_tree.h"

#include <inttypes.h>
#include <stdlib.h>

struct differing {
    struct json_tree from, to;
    struct buf *out;
    struct buf path; /* a pointer, its bytes as they stand in a JSON string */
    size_t limit;    /* when out is longer, the container at hand is replaced as a whole */
    uint64_t cells;  /* that tables of subsequences may still have */
};

static void differ(struct differing *own, const struct json_node *a, const struct json_node *b);

/* ---- operations ---- */

static void begin(struct differing *own, const char *op)
{
    bool first = own->out->data[own->out->len - 1] == '[';
    buf_addf(own->out, "%s{\"op\":\"%s\",\"path\":\"", first ? "" : ",", op);
    buf_add_str(own->out, buf_str(&own->path));
}

static void add_remove(struct differing *own)
{
    begin(own, "remove");
    buf_puts(own->out, "\"}");
}

static void add_with(struct differing *own, const char *op, const struct json_node *value)
{
    begin(own, op);
    buf_puts(own->out, "\",\"value\":");
    buf_add_str(own->out, json_tree_text(&own->to, value));
    buf_addc(own->out, '}');
}

/* ---- places ---- */

/* Go into an element or member; the length of the path to come back to. */
static size_t enter_element(struct differing *own, uint32_t place)
{
    size_t back = own->path.len;
    buf_addf(&own->path, "/%" PRIu32, place);
    return back;
}

/* Append "/" and a name (RFC 6901) as the bytes of a JSON string, which has to be UTF-8. */
static void add_name(struct buf *out, struct str name)
{
    struct buf token = {0}, string = {0};
    buf_addc(out, '/');
    if (!name.len)
        return;
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '~' || name.data[i] == '/')
            buf_puts(&token, name.data[i] == '~' ? "~0" : "~1");
        else
            buf_addc(&token, name.data[i]);
    }
    buf_add_json(&string, buf_str(&token));
    buf_add(out, string.data + 1, string.len - 2);
    buf_free(&token);
    buf_free(&string);
}

static size_t enter_member(struct differing *own, struct str name)
{
    size_t back = own->path.len;
    add_name(&own->path, name);
    return back;
}

/* ---- objects ---- */

/* Of members that come in the order of their names: -1, 0, 1 as which one is next. */
static int next_of(const struct differing *own, const struct json_node *a, uint32_t i,
                   const struct json_node *b, uint32_t j)
{
    if (i == a->count || j == b->count)
        return (i == a->count) - (j == b->count);
    return json_order_compare(json_tree_name(&own->from, json_tree_child(&own->from, a, i)),
                              json_tree_name(&own->to, json_tree_child(&own->to, b, j)));
}

static void differ_member(struct differing *own, const struct json_node *old,
                          const struct json_node *new)
{
    struct str name = old ? json_tree_name(&own->from, old) : json_tree_name(&own->to, new);
    if (old && new &&json_tree_equal(&own->from, old, &own->to, new))
        return;
    size_t back = enter_member(own, name);
    if (old && new)
        differ(own, old, new);
    else if (old)
        add_remove(own);
    else
        add_with(own, "add", new);
    own->path.len = back;
}

static void differ_objects(struct differing *own, const struct json_node *a,
                           const struct json_node *b)
{
    uint32_t i = 0, j = 0;
    while ((i < a->count || j < b->count) && own->out->len <= own->limit) {
        int next = next_of(own, a, i, b, j);
        const struct json_node *old = next <= 0 ? json_tree_child(&own->from, a, i++) : NULL;
        const struct json_node *new = next >= 0 ? json_tree_child(&own->to, b, j++) : NULL;
        differ_member(own, old, new);
    }
}

/* ---- arrays ---- */

/* What is between the common beginning and the common end. */
struct middle {
    const struct json_node *a, *b;
    uint32_t start;
    uint32_t old, new; /* elements */
    uint32_t at;       /* where the next operation stands */
};

static const struct json_node *old_at(const struct differing *own, const struct middle *middle,
                                      uint32_t place)
{
    return json_tree_child(&own->from, middle->a, middle->start + place);
}

static const struct json_node *new_at(const struct differing *own, const struct middle *middle,
                                      uint32_t place)
{
    return json_tree_child(&own->to, middle->b, middle->start + place);
}

static bool equal_at(const struct differing *own, const struct json_node *a, uint32_t i,
                     const struct json_node *b, uint32_t j)
{
    return json_tree_equal(&own->from, json_tree_child(&own->from, a, i), &own->to,
                           json_tree_child(&own->to, b, j));
}

static struct middle middle_of(const struct differing *own, const struct json_node *a,
                               const struct json_node *b)
{
    uint32_t least = a->count < b->count ? a->count : b->count, start = 0, end = 0;
    while (start < least && equal_at(own, a, start, b, start))
        start++;
    while (end < least - start && equal_at(own, a, a->count - 1 - end, b, b->count - 1 - end))
        end++;
    uint32_t same = start + end;
    return (struct middle){a, b, start, a->count - same, b->count - same, start};
}

/* Which old element a new one is made of is a guess: it is replaced if that is shorter. */
static void differ_pair(struct differing *own, const struct json_node *old,
                        const struct json_node *new)
{
    size_t start = own->out->len;
    size_t whole =
        strlen(",{\"op\":\"replace\",\"path\":\"\",\"value\":}") + own->path.len + new->len;
    differ(own, old, new);
    if (own->out->len - start <= whole)
        return;
    own->out->len = start;
    add_with(own, "replace", new);
}

static void differ_element(struct differing *own, struct middle *middle,
                           const struct json_node *old, const struct json_node *new)
{
    size_t back = enter_element(own, middle->at);
    if (old && new)
        differ_pair(own, old, new);
    else if (old)
        add_remove(own);
    else
        add_with(own, "add", new);
    own->path.len = back;
    middle->at += new != NULL;
}

/* So many old elements become so many new ones: pairs as they stand, then the rest. */
static void differ_run(struct differing *own, struct middle *middle, uint32_t from, uint32_t olds,
                       uint32_t to, uint32_t news)
{
    uint32_t pairs = olds < news ? olds : news;
    for (uint32_t i = 0; i < pairs && own->out->len <= own->limit; i++)
        differ_element(own, middle, old_at(own, middle, from + i), new_at(own, middle, to + i));
    for (uint32_t i = pairs; i < olds && own->out->len <= own->limit; i++)
        differ_element(own, middle, old_at(own, middle, from + i), NULL);
    for (uint32_t i = pairs; i < news && own->out->len <= own->limit; i++)
        differ_element(own, middle, NULL, new_at(own, middle, to + i));
}

/* May two elements be equal? Whether they are is looked at when they are made a pair. */
static bool alike(const struct differing *own, const struct middle *middle, uint32_t i, uint32_t j)
{
    return old_at(own, middle, i)->hash == new_at(own, middle, j)->hash;
}

/* How long a common subsequence of the elements from i and from j on can be: a row for each i; by
 * dynamic programming, from the end. */
static uint16_t *make_table(const struct differing *own, const struct middle *middle)
{
    size_t width = (size_t)middle->new + 1;
    uint16_t *table = mem_array((size_t)middle->old + 1, width * sizeof *table);
    for (uint32_t i = middle->old; i-- > 0;) {
        uint16_t *row = table + i * width, *below = row + width;
        for (uint32_t j = middle->new; j-- > 0;) {
            if (alike(own, middle, i, j))
                row[j] = (uint16_t)(below[j + 1] + 1);
            else
                row[j] = below[j] > row[j + 1] ? below[j] : row[j + 1];
        }
    }
    return table;
}

/* What is between two elements of the subsequence is a run. */
static void differ_around_common(struct differing *own, struct middle *middle)
{
    size_t width = (size_t)middle->new + 1;
    uint32_t i = 0, j = 0, from = 0, to = 0;
    uint16_t *table = make_table(own, middle);
    while (i < middle->old && j < middle->new) {
        const uint16_t *cell = table + i * width + j;
        if (alike(own, middle, i, j)) {
            differ_run(own, middle, from, i - from, to, j - to);
            differ_run(own, middle, i, 1, j, 1);
            from = ++i;
            to = ++j;
        } else if (cell[width] >= cell[1]) {
            i++;
        } else {
            j++;
        }
    }
    differ_run(own, middle, from, middle->old - from, to, middle->new - to);
    free(table);
}

static void differ_arrays(struct differing *own, const struct json_node *a,
                          const struct json_node *b)
{
    struct middle middle = middle_of(own, a, b);
    uint64_t cells = (uint64_t)middle.old * middle.new;
    bool compares =
        middle.old <= JSON_PATCH_WINDOW && middle.new <= JSON_PATCH_WINDOW &&cells <= own->cells;
    if (compares && cells) {
        own->cells -= cells;
        differ_around_common(own, &middle);
    } else {
        differ_run(own, &middle, 0, middle.old, 0, middle.new);
    }
}

/* ---- values ---- */

/* Beyond it the operations on what is in a value are too long for what they come to. */
static size_t limit_of(const struct differing *own, const struct json_node *b)
{
    size_t allowed = JSON_PATCH_GROWTH * (size_t)b->len;
    return own->out->len + (allowed > JSON_PATCH_SMALL ? allowed : JSON_PATCH_SMALL);
}

static void differ_containers(struct differing *own, const struct json_node *a,
                              const struct json_node *b, enum json_type type)
{
    size_t start = own->out->len, outer = own->limit;
    own->limit = limit_of(own, b);
    if (type == JSON_OBJECT)
        differ_objects(own, a, b);
    else
        differ_arrays(own, a, b);
    if (own->out->len > own->limit) {
        own->out->len = start;
        add_with(own, "replace", b);
    }
    own->limit = outer;
}

static void differ(struct differing *own, const struct json_node *a, const struct json_node *b)
{
    enum json_type type = json_tree_type(b);
    if (json_tree_equal(&own->from, a, &own->to, b))
        return;
    if (json_tree_type(a) == type && (type == JSON_OBJECT || type == JSON_ARRAY))
        differ_containers(own, a, b, type);
    else
        add_with(own, "replace", b);
}

void json_patch(struct str from, struct str to, struct buf *patch)
{
    struct differing own = {.out = patch, .cells = JSON_PATCH_CELLS};
    buf_addc(patch, '[');
    own.limit = SIZE_MAX;
    if (!str_eq(from, to)) {
        json_tree_init(&own.from, from);
        json_tree_init(&own.to, to);
        differ(&own, &own.from.nodes[own.from.root], &own.to.nodes[own.to.root]);
        json_tree_free(&own.from);
        json_tree_free(&own.to);
    }
    buf_addc(patch, ']');
    buf_free(&own.path);
}

bool json_equal(struct str a, struct str b)
{
    struct json_tree left, right;
    if (str_eq(a, b))
        return true;
    json_tree_init(&left, a);
    json_tree_init(&right, b);
    bool equal = json_tree_equal(&left, &left.nodes[left.root], &right, &right.nodes[right.root]);
    json_tree_free(&left);
    json_tree_free(&right);
    return equal;
}
