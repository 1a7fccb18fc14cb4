/*
 * json_edit.h: a JSON value whose parts are changed one after another: for json_patch_apply.c only.
 *
 * A part is the text it has always been until something in it is asked for, and what is not changed
 * is written as it was. To find, add and remove a part costs the logarithm of its neighbours, or
 * nothing, when the last change was near it.
 */
#ifndef FIT_FORMAT_JSON_EDIT_H
#define FIT_FORMAT_JSON_EDIT_H

#include "format/json.h"

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

struct json_edit {
    struct json_part *root;
    uint64_t places;
    char **kept; /* bytes that parts point into */
    size_t kept_count, kept_room;
};

/* The value (validated, without blanks around it) is borrowed, as all texts here. */
void json_edit_init(struct json_edit *edit, struct str value);
void json_edit_free(struct json_edit *edit);

/* Hand over bytes from the heap that parts will point into. */
struct str json_edit_keep(struct json_edit *edit, char *bytes, size_t len);

/* Is it a container? Opens it. */
bool json_edit_open(struct json_edit *edit, struct json_part *part);

struct json_part *json_edit_element(const struct json_part *array, size_t place);
/* NULL: there is none; *place is where it would be. */
struct json_part *json_edit_member(const struct json_part *object, struct str name, size_t *place);

struct json_part *json_part_new(struct str text);
void json_part_free(struct json_part *part); /* NULL is a no-op */

/* Put it, which is taken over, at that place; the name is borrowed. */
void json_edit_insert(struct json_part *array, size_t place, struct json_part *part);
void json_edit_add(struct json_edit *edit, struct json_part *object, size_t place, struct str name,
                   struct json_part *part);
/* Take it out: it is the caller's. */
struct json_part *json_edit_take(struct json_part *container, size_t place);
/* Give it the value of the other one, which is consumed. It keeps its name and place. */
void json_part_become(struct json_part *part, struct json_part *other);

void json_part_write(const struct json_part *part, struct buf *out);
unsigned json_part_depth(const struct json_part *part); /* as json_scan's */

#endif
