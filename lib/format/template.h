/*
 * template.h: words of a command line with placeholders for parts of the event.
 *
 * "{}" is the whole event as its JSON text, "{.path.to.field}" a field (json_paths_parse): a string
 * without its quotes, any other value as its JSON text ("{.}" is so the event without the quotes of
 * a string). A "{" that starts no placeholder is literal ("{print}", "{ .a}"). No shell is
 * involved: whatever the value, it stays in its word.
 */
#ifndef FIT_FORMAT_TEMPLATE_H
#define FIT_FORMAT_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

/* Bytes of one word: Linux executes nothing with a longer one (MAX_ARG_STRLEN, its NUL included).
 * The event fails beyond it. */
enum { TEMPLATE_WORD = 128 * 1024 - 1 };

struct template;

/* Compile count words (copied). NULL with ERR_USAGE for a placeholder that is opened like one
 * ("{.") but broken ("{.a[}", "{.a"). */
struct template *template_new(char *const *words, size_t count, struct err *err);
void template_free(struct template *template);

/* From here on values are percent-encoded, all but the unreserved characters of RFC 3986 (2.3), so
 * that they stay within their part of a URL. */
void template_encode(struct template *template);

bool template_is_literal(const struct template *template); /* no word has a placeholder */

/*
 * The words for one validated event: an array ended by NULL that stays valid until the next call or
 * template_free. NULL with ERR_INPUT when a field is missing (null is not missing: it gives
 * "null"), the value cannot be an argument (holds a NUL, a lone surrogate) or a word is over
 * TEMPLATE_WORD.
 */
char *const *template_expand(struct template *template, struct str event, struct err *err);

#endif
