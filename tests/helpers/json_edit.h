/*
 * json_edit.h: a JSON value whose parts are changed one after another: for json_patch_apply.h only.
 *
 * A part is the text it has always been until something in it is asked for, and what is not changed
 * is written as it was. To find, add and remove a part costs the logarithm of its neighbours, or
 * nothing, when the last change was near it.
 */
#ifndef FIT_TESTS_JSON_EDIT_H
#define FIT_TESTS_JSON_EDIT_H

#include "base/mem.h"
#include "format/json.h"
#include "format/json_order.h"

#include <stdlib.h>

/* Parts of a container in a row with a gap, which is where the last change was: elements as they
 * stand, members in the order of their names. */
struct json_parts {
    struct json_part **items;
    size_t count, room, gap;
};

struct json_part {
    enum json_type type; /* JSON_ARRAY, JSON_OBJECT: it is open; JSON_ABSENT: it is its text */
    struct str text;
    struct json_parts parts;
    /* Of a member: */
    struct str name;
    struct str written; /* its key as it stands; {NULL, 0}: it is to be made of the name */
    uint64_t place;     /* the order in which members are written */
};

static void json_part_free(struct json_part *part); /* NULL is a no-op */
static void json_part_write(const struct json_part *part, struct buf *out);

struct json_edit {
    struct json_part *root;
    uint64_t places;
    char **kept; /* bytes that parts point into */
    size_t kept_count, kept_room;
};

/* ---- rows with a gap ---- */

static struct json_part **at(const struct json_parts *parts, size_t place)
{
    return &parts->items[place < parts->gap ? place : place + parts->room - parts->count];
}

static void move_gap(struct json_parts *parts, size_t to)
{
    size_t gap = parts->room - parts->count, from = parts->gap;
    struct json_part **items = parts->items;
    if (to < from)
        memmove(items + to + gap, items + to, (from - to) * sizeof *items);
    else if (to > from)
        memmove(items + from, items + from + gap, (to - from) * sizeof *items);
    parts->gap = to;
}

static void insert(struct json_parts *parts, size_t place, struct json_part *part)
{
    if (parts->count == parts->room) {
        parts->room = parts->room ? 2 * parts->room : 8;
        parts->items = mem_realloc(parts->items, parts->room * sizeof *parts->items);
        parts->gap = parts->count;
    }
    move_gap(parts, place);
    parts->items[parts->gap++] = part;
    parts->count++;
}

static struct json_part *parts_take(struct json_parts *parts, size_t place)
{
    move_gap(parts, place + 1);
    struct json_part *part = parts->items[--parts->gap];
    parts->count--;
    return part;
}

/* ---- parts ---- */

static struct json_part *json_part_new(struct str text)
{
    struct json_part *part = mem_zalloc(sizeof *part);
    part->text = text;
    return part;
}

static void free_parts(struct json_parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        json_part_free(*at(parts, i));
    free(parts->items);
}

static void json_part_free(struct json_part *part)
{
    if (!part)
        return;
    free_parts(&part->parts);
    free(part);
}

/* Give it the value of the other one, which is consumed. It keeps its name and place. */
static void json_part_become(struct json_part *part, struct json_part *other)
{
    free_parts(&part->parts);
    part->type = other->type;
    part->text = other->text;
    part->parts = other->parts;
    free(other);
}

static unsigned json_part_depth(const struct json_part *part)
{
    struct json_scan scan;
    unsigned deepest = 0;
    if (part->type == JSON_ABSENT) {
        json_scan(part->text, NULL, NULL, &scan);
        return scan.depth;
    }
    for (size_t i = 0; i < part->parts.count; i++) {
        unsigned depth = json_part_depth(*at(&part->parts, i));
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

/* ---- opening ---- */

static int by_name(const void *left, const void *right)
{
    const struct json_part *a = *(struct json_part *const *)left;
    const struct json_part *b = *(struct json_part *const *)right;
    int order = json_order_compare(a->name, b->name);
    return order ? order : (a->place > b->place) - (a->place < b->place);
}

/* Of the same name the last one stays. */
static void put_in_order(struct json_parts *parts)
{
    size_t kept = 0;
    if (parts->count)
        qsort(parts->items, parts->count, sizeof(struct json_part *), by_name);
    for (size_t i = 0; i < parts->count; i++) {
        struct json_part *part = parts->items[i];
        if (i + 1 < parts->count && str_eq(part->name, parts->items[i + 1]->name))
            json_part_free(part);
        else
            parts->items[kept++] = part;
    }
    parts->count = parts->gap = kept;
}

/* Hand over bytes from the heap that parts will point into. */
static struct str json_edit_keep(struct json_edit *edit, char *bytes, size_t len)
{
    if (edit->kept_count == edit->kept_room) {
        edit->kept_room = edit->kept_room ? 2 * edit->kept_room : 8;
        edit->kept = mem_realloc(edit->kept, edit->kept_room * sizeof *edit->kept);
    }
    edit->kept[edit->kept_count++] = bytes;
    return (struct str){bytes, len};
}

static struct str name_of(struct json_edit *edit, struct str written)
{
    struct str inner = {written.data + 1, written.len - 2};
    struct buf name = {0};
    if (!memchr(inner.data, '\\', inner.len))
        return inner;
    json_decode(written, &name);
    size_t len = name.len;
    return json_edit_keep(edit, buf_take(&name), len);
}

/* Is it a container? Opens it. */
static bool json_edit_open(struct json_edit *edit, struct json_part *part)
{
    if (part->type != JSON_ABSENT)
        return true;
    enum json_type type = json_type_of(part->text);
    if (type != JSON_ARRAY && type != JSON_OBJECT)
        return false;
    struct json_iter iter;
    json_iter_init(&iter, part->text);
    while (json_iter_next(&iter)) {
        struct json_part *child = json_part_new(iter.value);
        insert(&part->parts, part->parts.count, child);
        child->place = ++edit->places;
        child->written = iter.key;
        if (type == JSON_OBJECT)
            child->name = name_of(edit, iter.key);
    }
    if (type == JSON_OBJECT)
        put_in_order(&part->parts);
    part->type = type;
    return true;
}

/* The value (validated, without blanks around it) is borrowed, as all texts here. */
static void json_edit_init(struct json_edit *edit, struct str value)
{
    *edit = (struct json_edit){.root = json_part_new(value)};
}

static void json_edit_free(struct json_edit *edit)
{
    json_part_free(edit->root);
    for (size_t i = 0; i < edit->kept_count; i++)
        free(edit->kept[i]);
    free(edit->kept);
}

/* ---- finding and changing ---- */

static struct json_part *json_edit_element(const struct json_part *array, size_t place)
{
    return place < array->parts.count ? *at(&array->parts, place) : NULL;
}

/* NULL: there is none; *place is where it would be. */
static struct json_part *json_edit_member(const struct json_part *object, struct str name,
                                          size_t *place)
{
    const struct json_parts *parts = &object->parts;
    size_t low = 0, high = parts->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (json_order_compare((*at(parts, middle))->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *place = low;
    return low < parts->count && str_eq((*at(parts, low))->name, name) ? *at(parts, low) : NULL;
}

/* Put it, which is taken over, at that place; the name is borrowed. */
static void json_edit_insert(struct json_part *array, size_t place, struct json_part *part)
{
    insert(&array->parts, place, part);
}

static void json_edit_add(struct json_edit *edit, struct json_part *object, size_t place,
                          struct str name, struct json_part *part)
{
    part->name = name;
    part->written = (struct str){NULL, 0};
    part->place = ++edit->places;
    insert(&object->parts, place, part);
}

/* Take it out: it is the caller's. */
static struct json_part *json_edit_take(struct json_part *container, size_t place)
{
    return parts_take(&container->parts, place);
}

/* ---- writing ---- */

static void write_array(const struct json_parts *parts, struct buf *out)
{
    buf_addc(out, '[');
    for (size_t i = 0; i < parts->count; i++) {
        if (i)
            buf_addc(out, ',');
        json_part_write(*at(parts, i), out);
    }
    buf_addc(out, ']');
}

static int by_place(const void *left, const void *right)
{
    const struct json_part *a = *(struct json_part *const *)left;
    const struct json_part *b = *(struct json_part *const *)right;
    return (a->place > b->place) - (a->place < b->place);
}

static void write_object(const struct json_parts *parts, struct buf *out)
{
    struct json_part **members = mem_array(parts->count + 1, sizeof(struct json_part *));
    for (size_t i = 0; i < parts->count; i++)
        members[i] = *at(parts, i);
    qsort(members, parts->count, sizeof(struct json_part *), by_place);
    buf_addc(out, '{');
    for (size_t i = 0; i < parts->count; i++) {
        if (i)
            buf_addc(out, ',');
        if (members[i]->written.data)
            buf_add_str(out, members[i]->written);
        else
            buf_add_json(out, members[i]->name);
        buf_addc(out, ':');
        json_part_write(members[i], out);
    }
    buf_addc(out, '}');
    free(members);
}

static void json_part_write(const struct json_part *part, struct buf *out)
{
    if (part->type == JSON_ABSENT)
        buf_add_str(out, part->text);
    else if (part->type == JSON_ARRAY)
        write_array(&part->parts, out);
    else
        write_object(&part->parts, out);
}

#endif
