/* json_diff.c: where two JSON values differ. */
#include "format/json_diff.h"

#include "base/buf.h"
#include "base/mem.h"
#include "format/json.h"

#include <stdlib.h>

struct diff {
    void (*differs)(void *context, struct str path, struct str expected, struct str found);
    void *context;
    struct buf path;
    unsigned depth;
    size_t count;
};

struct member {
    struct buf key; /* decoded */
    struct str value;
    size_t place;
};

struct members {
    struct member *all;
    size_t count, cap;
};

static void tell(struct diff *diff, struct str expected, struct str found)
{
    diff->count++;
    diff->differs(diff->context, diff->path.len ? buf_str(&diff->path) : STR("."), expected, found);
}

/* ---- scalars ---- */

static bool same_string(struct str a, struct str b)
{
    struct buf left = {0}, right = {0};
    json_decode(a, &left);
    json_decode(b, &right);
    bool same = str_eq(buf_str(&left), buf_str(&right));
    buf_free(&left);
    buf_free(&right);
    return same;
}

static bool same_number(struct str a, struct str b)
{
    enum { EXACT = 15 }; /* digits that a double always keeps */
    if (str_eq(a, b))
        return true;
    if (a.len > EXACT || b.len > EXACT)
        return false;
    char left[EXACT + 1] = {0}, right[EXACT + 1] = {0};
    memcpy(left, a.data, a.len);
    memcpy(right, b.data, b.len);
    return strtod(left, NULL) == strtod(right, NULL);
}

/* ---- containers ---- */

static int compare_keys(const struct member *a, const struct member *b)
{
    size_t len = a->key.len < b->key.len ? a->key.len : b->key.len;
    int order = len ? memcmp(a->key.data, b->key.data, len) : 0;
    return order ? order : (a->key.len > b->key.len) - (a->key.len < b->key.len);
}

static int compare_members(const void *a, const void *b)
{
    const struct member *left = a, *right = b;
    int order = compare_keys(left, right);
    return order ? order : (left->place > right->place) - (left->place < right->place);
}

/* The members in the order of their keys, the last of each key only. */
static struct members read_members(struct str object)
{
    struct members members = {0};
    struct json_iter iter;
    for (json_iter_init(&iter, object); json_iter_next(&iter);) {
        if (members.count == members.cap) {
            members.cap = members.cap ? members.cap * 2 : 16;
            members.all = mem_realloc(members.all, members.cap * sizeof *members.all);
        }
        struct member *member = &members.all[members.count];
        *member = (struct member){.value = iter.value, .place = members.count++};
        json_decode(iter.key, &member->key);
    }
    if (!members.count)
        return members;
    qsort(members.all, members.count, sizeof *members.all, compare_members);
    size_t kept = 0;
    for (size_t i = 1; i < members.count; i++) {
        if (str_eq(buf_str(&members.all[kept].key), buf_str(&members.all[i].key)))
            buf_free(&members.all[kept].key);
        else
            kept++;
        members.all[kept] = members.all[i];
    }
    members.count = kept + 1;
    return members;
}

static void free_members(struct members *members)
{
    for (size_t i = 0; i < members->count; i++)
        buf_free(&members->all[i].key);
    free(members->all);
}

static void compare(struct diff *diff, struct str expected, struct str found);

static void compare_member(struct diff *diff, struct str key, struct str expected, struct str found)
{
    size_t len = diff->path.len;
    buf_addc(&diff->path, '.');
    bool plain = key.len && !(key.data[0] >= '0' && key.data[0] <= '9');
    for (size_t i = 0; i < key.len && plain; i++)
        plain = (key.data[i] | 32) >= 'a' ? (key.data[i] | 32) <= 'z' || key.data[i] == '_'
                                          : key.data[i] >= '0' && key.data[i] <= '9';
    if (plain)
        buf_add_str(&diff->path, key);
    else
        buf_add_json(&diff->path, key);
    compare(diff, expected, found);
    diff->path.len = len;
}

static void compare_objects(struct diff *diff, struct str expected, struct str found)
{
    const struct str none = {0};
    struct members left = read_members(expected), right = read_members(found);
    size_t i = 0, j = 0;
    while (i < left.count || j < right.count) {
        const struct member *a = i < left.count ? &left.all[i] : NULL;
        const struct member *b = j < right.count ? &right.all[j] : NULL;
        int order = !a ? 1 : !b ? -1 : compare_keys(a, b);
        compare_member(diff, buf_str(order <= 0 ? &a->key : &b->key), order <= 0 ? a->value : none,
                       order >= 0 ? b->value : none);
        i += order <= 0;
        j += order >= 0;
    }
    free_members(&left);
    free_members(&right);
}

static void compare_arrays(struct diff *diff, struct str expected, struct str found)
{
    const struct str none = {0};
    struct json_iter left, right;
    size_t len = diff->path.len;
    json_iter_init(&left, expected);
    json_iter_init(&right, found);
    for (size_t i = 0;; i++) {
        bool more_left = json_iter_next(&left), more_right = json_iter_next(&right);
        if (!more_left && !more_right)
            break;
        buf_addf(&diff->path, "%s[%zu]", len ? "" : ".", i);
        compare(diff, more_left ? left.value : none, more_right ? right.value : none);
        diff->path.len = len;
    }
}

static void compare(struct diff *diff, struct str expected, struct str found)
{
    enum json_type type = expected.data ? json_type_of(expected) : JSON_ABSENT;
    if (!expected.data || !found.data || type != json_type_of(found)) {
        tell(diff, expected, found);
        return;
    }
    bool same = true;
    diff->depth++;
    if (type == JSON_STRING)
        same = same_string(expected, found);
    else if (type == JSON_NUMBER)
        same = same_number(expected, found);
    else if (diff->depth > JSON_DIFF_DEPTH)
        same = str_eq(expected, found);
    else if (type == JSON_OBJECT)
        compare_objects(diff, expected, found);
    else if (type == JSON_ARRAY)
        compare_arrays(diff, expected, found);
    diff->depth--;
    if (!same)
        tell(diff, expected, found);
}

size_t json_diff(struct str expected, struct str found,
                 void (*differs)(void *context, struct str path, struct str expected,
                                 struct str found),
                 void *context)
{
    struct diff diff = {.differs = differs, .context = context};
    compare(&diff, str_trim(expected), str_trim(found));
    buf_free(&diff.path);
    return diff.count;
}
