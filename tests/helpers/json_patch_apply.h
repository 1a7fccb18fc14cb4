/*
 * json_patch_apply.h: do what a JSON Patch (RFC 6902) says: the judge of those that json_patch.h
 * makes.
 *
 * All six operations, as the RFC has them, though only three are made. Values are compared as
 * json_order.h does, and those in a patch keep their bytes.
 */
#ifndef FIT_TESTS_JSON_PATCH_APPLY_H
#define FIT_TESTS_JSON_PATCH_APPLY_H

#include "format/json_patch.h"
#include "json_edit.h"
#include "json_pointer.h"

enum {
    JSON_PATCH_MAX = 64 * 1024 * 1024 /* bytes that the copy operations of a patch make; more are
                                         refused */
};

enum operation_kind { OP_ADD, OP_REMOVE, OP_REPLACE, OP_MOVE, OP_COPY, OP_TEST, OP_KINDS };

static const char *const operation_names[OP_KINDS] = {"add",  "remove", "replace",
                                                      "move", "copy",   "test"};

struct operation {
    enum operation_kind kind;
    struct json_pointer path, from;
    struct str value; /* {NULL, 0}: none */
};

struct applying {
    struct json_edit edit;
    size_t copied;
    struct err *err;
};

static int absent(struct applying *own, const struct json_pointer *pointer)
{
    return err_set(own->err, ERR_NOT_FOUND, "%.*s: there is no such place",
                   (int)pointer->string.len, pointer->string.data);
}

/* ---- places ---- */

/* What the token names in the part, which is open; *place is where it is. NULL: nothing. */
static struct json_part *child_of(const struct json_part *part, struct str token, size_t *place)
{
    if (part->type == JSON_OBJECT)
        return json_edit_member(part, token, place);
    return json_pointer_index(token, place) ? json_edit_element(part, *place) : NULL;
}

/* Follow so many tokens. NULL with err. */
static struct json_part *follow(struct applying *own, const struct json_pointer *pointer,
                                size_t count)
{
    struct json_part *part = own->edit.root;
    size_t place;
    for (size_t i = 0; part && i < count; i++) {
        bool is_open = json_edit_open(&own->edit, part);
        part = is_open ? child_of(part, pointer->tokens[i], &place) : NULL;
    }
    if (!part)
        absent(own, pointer);
    return part;
}

/* The container that the last token is about, open. NULL with err. */
static struct json_part *container_of(struct applying *own, const struct json_pointer *pointer)
{
    struct json_part *part = follow(own, pointer, pointer->count - 1);
    if (!part || json_edit_open(&own->edit, part))
        return part;
    absent(own, pointer);
    return NULL;
}

/* ---- operations ---- */

/* Would it be too deep for any reader there? Depth is at most half of the bytes. */
static int check_depth(struct applying *own, const struct json_pointer *pointer,
                       const struct json_part *part)
{
    if (part->type == JSON_ABSENT && pointer->count + part->text.len / 2 <= JSON_MAX_DEPTH)
        return 0;
    if (pointer->count + json_part_depth(part) <= JSON_MAX_DEPTH)
        return 0;
    return err_set(own->err, ERR_LIMIT, "nested deeper than %d", JSON_MAX_DEPTH);
}

static int insert_element(struct applying *own, const struct json_pointer *pointer,
                          struct json_part *array, struct json_part *part)
{
    struct str token = pointer->tokens[pointer->count - 1];
    size_t place = array->parts.count;
    if (!str_eq(token, STR("-")) &&
        (!json_pointer_index(token, &place) || place > array->parts.count))
        return absent(own, pointer);
    json_edit_insert(array, place, part);
    return 0;
}

static void add_member(struct applying *own, const struct json_pointer *pointer,
                       struct json_part *object, struct json_part *part)
{
    struct str token = pointer->tokens[pointer->count - 1];
    size_t place;
    struct json_part *old = json_edit_member(object, token, &place);
    if (old) {
        json_part_become(old, part);
        return;
    }
    char *name = mem_strndup(token.len ? token.data : "", token.len);
    json_edit_add(&own->edit, object, place, json_edit_keep(&own->edit, name, token.len), part);
}

/* The part is taken over if, and only if, 0 is returned. */
static int add(struct applying *own, const struct json_pointer *pointer, struct json_part *part)
{
    if (check_depth(own, pointer, part) < 0)
        return -1;
    if (!pointer->count) {
        json_part_become(own->edit.root, part);
        return 0;
    }
    struct json_part *container = container_of(own, pointer);
    if (!container)
        return -1;
    if (container->type == JSON_ARRAY)
        return insert_element(own, pointer, container, part);
    add_member(own, pointer, container, part);
    return 0;
}

/* Take it over in any case. */
static int add_taken(struct applying *own, const struct json_pointer *pointer,
                     struct json_part *part)
{
    int status = add(own, pointer, part);
    if (status < 0)
        json_part_free(part);
    return status;
}

/* NULL with err. */
static struct json_part *take(struct applying *own, const struct json_pointer *pointer)
{
    size_t place;
    if (!pointer->count) {
        err_set(own->err, ERR_USAGE, "the whole value cannot be removed");
        return NULL;
    }
    struct json_part *container = container_of(own, pointer);
    if (!container)
        return NULL;
    if (child_of(container, pointer->tokens[pointer->count - 1], &place))
        return json_edit_take(container, place);
    absent(own, pointer);
    return NULL;
}

static int apply_remove(struct applying *own, const struct json_pointer *pointer)
{
    struct json_part *part = take(own, pointer);
    json_part_free(part);
    return part ? 0 : -1;
}

static int apply_replace(struct applying *own, const struct json_pointer *pointer, struct str value)
{
    struct json_part *part = follow(own, pointer, pointer->count);
    if (!part)
        return -1;
    struct json_part *fresh = json_part_new(value);
    int status = check_depth(own, pointer, fresh);
    if (status == 0)
        json_part_become(part, fresh);
    else
        json_part_free(fresh);
    return status;
}

static int apply_move(struct applying *own, const struct operation *operation)
{
    const struct json_pointer *from = &operation->from, *path = &operation->path;
    if (json_pointer_leads_to(from, path) && from->count < path->count)
        return err_set(own->err, ERR_USAGE, "%.*s cannot be moved into itself",
                       (int)from->string.len, from->string.data);
    if (json_pointer_leads_to(from, path))
        return follow(own, from, from->count) ? 0 : -1;
    struct json_part *part = take(own, from);
    return part ? add_taken(own, path, part) : -1;
}

static struct str text_of(struct json_edit *edit, const struct json_part *part)
{
    struct buf text = {0};
    if (part->type == JSON_ABSENT)
        return part->text;
    json_part_write(part, &text);
    size_t len = text.len;
    return json_edit_keep(edit, buf_take(&text), len);
}

static int apply_copy(struct applying *own, const struct operation *operation)
{
    const struct json_part *part = follow(own, &operation->from, operation->from.count);
    if (!part)
        return -1;
    struct str text = text_of(&own->edit, part);
    own->copied += text.len;
    if (own->copied > JSON_PATCH_MAX)
        return err_set(own->err, ERR_LIMIT, "the copies are longer than %d bytes", JSON_PATCH_MAX);
    return add_taken(own, &operation->path, json_part_new(text));
}

static int apply_test(struct applying *own, const struct json_pointer *pointer, struct str value)
{
    const struct json_part *part = follow(own, pointer, pointer->count);
    struct buf text = {0};
    if (!part)
        return -1;
    json_part_write(part, &text);
    bool equal = json_equal(buf_str(&text), value);
    buf_free(&text);
    return equal ? 0
                 : err_set(own->err, ERR_STATE, "%.*s: another value is there",
                           (int)pointer->string.len, pointer->string.data);
}

static int apply(struct applying *own, const struct operation *operation)
{
    switch (operation->kind) {
    case OP_ADD:
        return add_taken(own, &operation->path, json_part_new(operation->value));
    case OP_REMOVE:
        return apply_remove(own, &operation->path);
    case OP_REPLACE:
        return apply_replace(own, &operation->path, operation->value);
    case OP_MOVE:
        return apply_move(own, operation);
    case OP_COPY:
        return apply_copy(own, operation);
    default:
        return apply_test(own, &operation->path, operation->value);
    }
}

/* ---- reading the patch ---- */

static int read_kind(struct str written, enum operation_kind *kind, struct err *err)
{
    struct buf name = {0};
    if (!written.data || json_type_of(written) != JSON_STRING)
        return err_set(err, ERR_USAGE, "op is missing, or is no string");
    json_decode(written, &name);
    *kind = OP_ADD;
    while (*kind < OP_KINDS && !str_eq(buf_str(&name), str_of(operation_names[*kind])))
        ++*kind;
    buf_free(&name);
    return *kind < OP_KINDS ? 0
                            : err_set(err, ERR_USAGE, "there is no operation %.*s",
                                      (int)written.len, written.data);
}

/* What an operation is made of: its members, as they stand. */
enum { MEMBER_OP, MEMBER_PATH, MEMBER_FROM, MEMBER_VALUE, MEMBERS };

static int read_members(struct str text, struct str members[MEMBERS], struct err *err)
{
    static const char *const names[MEMBERS] = {"op", "path", "from", "value"};
    struct buf name = {0};
    struct json_iter iter;
    int status = 0;
    json_iter_init(&iter, text);
    while (status == 0 && json_iter_next(&iter)) {
        size_t which = 0;
        buf_clear(&name);
        json_decode(iter.key, &name);
        while (which < MEMBERS && !str_eq(buf_str(&name), str_of(names[which])))
            which++;
        if (which < MEMBERS && members[which].data)
            status = err_set(err, ERR_USAGE, "%s stands twice", names[which]);
        else if (which < MEMBERS)
            members[which] = iter.value;
    }
    buf_free(&name);
    return status;
}

static int read_pointer(const char *name, struct str text, struct json_pointer *pointer,
                        struct err *err)
{
    if (!text.data || json_type_of(text) != JSON_STRING)
        return err_set(err, ERR_USAGE, "%s is missing, or is no string", name);
    return json_pointer_read(pointer, text, err);
}

/* Sets what is to be freed in any case. */
static int read_operation(struct str text, struct operation *operation, struct err *err)
{
    struct str members[MEMBERS] = {{NULL, 0}};
    if (json_type_of(text) != JSON_OBJECT)
        return err_set(err, ERR_USAGE, "it is no object");
    if (read_members(text, members, err) < 0 ||
        read_kind(members[MEMBER_OP], &operation->kind, err) < 0)
        return -1;
    operation->value = members[MEMBER_VALUE];
    bool has_from = operation->kind == OP_MOVE || operation->kind == OP_COPY;
    bool has_value = !has_from && operation->kind != OP_REMOVE;
    if (has_value && !operation->value.data)
        return err_set(err, ERR_USAGE, "it has no value");
    if (read_pointer("path", members[MEMBER_PATH], &operation->path, err) < 0)
        return -1;
    return has_from ? read_pointer("from", members[MEMBER_FROM], &operation->from, err) : 0;
}

static int read_and_apply(struct applying *own, struct str text)
{
    struct operation operation = {0};
    int status = read_operation(text, &operation, own->err);
    if (status == 0)
        status = apply(own, &operation);
    json_pointer_free(&operation.path);
    json_pointer_free(&operation.from);
    return status;
}

static int apply_all(struct applying *own, struct str patch)
{
    struct json_iter iter;
    struct err err;
    size_t number = 0;
    json_iter_init(&iter, patch);
    while (json_iter_next(&iter)) {
        number++;
        if (read_and_apply(own, iter.value) == 0)
            continue;
        err = *own->err;
        return err_set(own->err, err.kind, "operation %zu: %s", number, err.text);
    }
    return 0;
}

/*
 * Append what the patch (a validated value) makes of a value; all six operations. -1 with err:
 * ERR_USAGE what is no patch, ERR_NOT_FOUND a place that is not there, ERR_STATE a test that fails;
 * out is to be thrown away then.
 */
static int json_patch_apply(struct str value, struct str patch, struct buf *out, struct err *err)
{
    struct applying own = {.err = err};
    patch = str_trim(patch);
    if (json_type_of(patch) != JSON_ARRAY)
        return err_set(err, ERR_USAGE, "a patch is an array of operations");
    json_edit_init(&own.edit, str_trim(value));
    int status = apply_all(&own, patch);
    if (status == 0)
        json_part_write(own.edit.root, out);
    json_edit_free(&own.edit);
    return status;
}

#endif
