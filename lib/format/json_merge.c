/* json_merge.c: JSON Merge Patch (RFC 7396) on the text itself. */
#include "format/json_merge.h"

#include "base/mem.h"
#include "format/json.h"

#include <stdlib.h>

/* A member of the patch, and what the target has of that name. */
struct member {
    struct str written; /* the key with its quotes */
    char *decoded;      /* NULL: it holds no escape */
    struct str name;
    struct str value;
    struct str old; /* the last one of that name */
    size_t place;   /* in its object, from 1 */
    size_t old_place;
    bool superseded; /* by a later one of the same name */
};

struct patch {
    struct member *members; /* as they stand */
    struct member **sorted; /* by name, then place */
    size_t count;
};

static struct str name_of(struct str written, char **decoded)
{
    struct str inner = {written.data + 1, written.len - 2};
    *decoded = NULL;
    if (!memchr(inner.data, '\\', inner.len))
        return inner;
    struct buf text = {0};
    json_decode(written, &text);
    size_t len = text.len;
    *decoded = buf_take(&text);
    return (struct str){*decoded, len};
}

static int compare_names(struct str a, struct str b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    int order = least ? memcmp(a.data, b.data, least) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_members(const void *a, const void *b)
{
    const struct member *one = *(struct member *const *)a, *other = *(struct member *const *)b;
    int order = compare_names(one->name, other->name);
    return order ? order : (one->place > other->place) - (one->place < other->place);
}

static void patch_init(struct patch *patch, struct str text)
{
    struct json_iter iter;
    size_t room = 0;
    *patch = (struct patch){0};
    json_iter_init(&iter, text);
    while (json_iter_next(&iter)) {
        if (patch->count == room) {
            room = room ? room * 2 : 8;
            patch->members = mem_realloc(patch->members, room * sizeof *patch->members);
        }
        struct member *member = &patch->members[patch->count++];
        *member = (struct member){.written = iter.key, .value = iter.value, .place = patch->count};
        member->name = name_of(iter.key, &member->decoded);
    }
    patch->sorted = mem_array(patch->count, sizeof(struct member *));
    for (size_t i = 0; i < patch->count; i++)
        patch->sorted[i] = &patch->members[i];
    if (patch->count)
        qsort(patch->sorted, patch->count, sizeof(struct member *), compare_members);
    for (size_t i = 1; i < patch->count; i++)
        patch->sorted[i - 1]->superseded =
            str_eq(patch->sorted[i - 1]->name, patch->sorted[i]->name);
}

static void patch_free(struct patch *patch)
{
    for (size_t i = 0; i < patch->count; i++)
        free(patch->members[i].decoded);
    free(patch->members);
    free(patch->sorted);
}

/* The last member of the name that a key of the target has, or NULL. */
static struct member *find(const struct patch *patch, struct str written)
{
    char *decoded;
    struct str name = name_of(written, &decoded);
    size_t low = 0, high = patch->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_names(patch->sorted[middle]->name, name) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low && str_eq(patch->sorted[low - 1]->name, name);
    free(decoded);
    return found ? patch->sorted[low - 1] : NULL;
}

static void note_old(const struct patch *patch, struct str target)
{
    struct json_iter iter;
    size_t place = 0;
    json_iter_init(&iter, target);
    while (json_iter_next(&iter)) {
        struct member *member = find(patch, iter.key);
        place++;
        if (!member)
            continue;
        member->old = iter.value;
        member->old_place = place;
    }
}

static void add_key(struct buf *out, struct str written)
{
    if (out->data[out->len - 1] != '{')
        buf_addc(out, ',');
    buf_add_str(out, written);
    buf_addc(out, ':');
}

static int merge(struct str target, struct str text, unsigned depth, struct buf *out,
                 struct err *err);

static int merge_member(const struct member *member, unsigned depth, struct buf *out,
                        struct err *err)
{
    if (json_type_of(member->value) == JSON_NULL)
        return 0;
    add_key(out, member->written);
    return merge(member->old, member->value, depth + 1, out, err);
}

static int merge_members(struct str target, const struct patch *patch, unsigned depth,
                         struct buf *out, struct err *err)
{
    struct json_iter iter;
    size_t place = 0;
    json_iter_init(&iter, target);
    while (json_iter_next(&iter)) {
        const struct member *member = find(patch, iter.key);
        place++;
        if (!member) {
            add_key(out, iter.key);
            buf_add_str(out, iter.value);
        } else if (member->old_place == place && merge_member(member, depth, out, err) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < patch->count; i++) {
        const struct member *member = &patch->members[i];
        if (!member->superseded && !member->old_place && merge_member(member, depth, out, err) < 0)
            return -1;
    }
    return 0;
}

static int merge(struct str target, struct str text, unsigned depth, struct buf *out,
                 struct err *err)
{
    if (json_type_of(text) != JSON_OBJECT) {
        buf_add_str(out, text);
        return 0;
    }
    if (depth > JSON_MERGE_DEPTH)
        return err_set(err, ERR_LIMIT, "the patch is nested deeper than %d", JSON_MERGE_DEPTH);
    struct patch patch;
    struct str members = json_type_of(target) == JSON_OBJECT ? target : STR("{}");
    patch_init(&patch, text);
    note_old(&patch, members);
    buf_addc(out, '{');
    int status = merge_members(members, &patch, depth, out, err);
    buf_addc(out, '}');
    patch_free(&patch);
    return status;
}

int json_merge(struct str target, struct str patch, struct buf *out, struct err *err)
{
    return merge(target, patch, 1, out, err);
}
