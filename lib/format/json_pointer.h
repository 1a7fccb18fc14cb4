/*
 * json_pointer.h: JSON Pointer (RFC 6901): where a value stands in another.
 */
#ifndef FIT_FORMAT_JSON_POINTER_H
#define FIT_FORMAT_JSON_POINTER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct json_pointer {
    struct str string;  /* as it stands, with its quotes */
    struct str *tokens; /* decoded, in text */
    size_t count;       /* 0: the whole value */
    struct buf text;
};

/* Take apart a pointer that stands in a validated JSON string (with its quotes). The pointer is
 * zeroed before, and freed in any case. -1 with ERR_USAGE. */
int json_pointer_read(struct json_pointer *pointer, struct str string, struct err *err);
void json_pointer_free(struct json_pointer *pointer);

/* Does a lead to where b leads, or to what that is in? */
bool json_pointer_leads_to(const struct json_pointer *a, const struct json_pointer *b);

/* The place in an array that a token names: digits without leading zeros. False: it names none. */
bool json_pointer_index(struct str token, size_t *index);

/* Append "/" and a name as the bytes of a JSON string, which has to be UTF-8. */
void json_pointer_add_name(struct buf *out, struct str name);

#endif
