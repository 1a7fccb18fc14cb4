/*
 * str.h: borrowed bytes with a length.
 *
 * A struct str owns nothing and is not NUL-terminated; it is valid as long as what it points into.
 * {NULL, 0} means "absent" where a header says so and is otherwise the empty string.
 */
#ifndef FIT_BASE_STR_H
#define FIT_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
    const char *data;
    size_t len;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})

static inline struct str str_of(const char *text)
{
    return (struct str){text, text ? strlen(text) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool str_starts(struct str text, struct str prefix)
{
    return text.len >= prefix.len &&
           (prefix.len == 0 || memcmp(text.data, prefix.data, prefix.len) == 0);
}

static inline bool str_ends(struct str text, struct str suffix)
{
    return text.len >= suffix.len && (suffix.len == 0 || memcmp(text.data + text.len - suffix.len,
                                                                suffix.data, suffix.len) == 0);
}

/* Without ASCII blanks (space, tab, CR, LF) at both ends. */
struct str str_trim(struct str text);

/* True when the bytes are well-formed UTF-8 (RFC 3629: no overlong form, no surrogate, <= 10FFFF).
 */
bool str_is_utf8(struct str text);

/* Edit distance (insertions, deletions, substitutions, swaps of neighbours), for "did you mean". */
size_t str_distance(const char *a, const char *b);

#endif
