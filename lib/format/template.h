/*
 * template.h: words of a command line with placeholders for parts of the event.
 *
 * "{}" is the whole event, "{.path.to.field}" a field (json_paths_parse): a string without its quotes, any other value as
 * its JSON text. A "{" that starts no placeholder is literal. No shell is involved: whatever the value, it stays in its word.
 */
#ifndef FIT_FORMAT_TEMPLATE_H
#define FIT_FORMAT_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct template;

/* Compile count words (copied). NULL with ERR_USAGE for a placeholder that is opened like one but broken ("{.a[}" , "{.a"). */
struct template *template_new(char *const *words, size_t count, struct err *err);
void template_free(struct template *template);

bool template_is_literal(const struct template *template); /* no word has a placeholder */

/*
 * The words for one validated event: an array ended by NULL that stays valid until the next call or template_free. NULL with ERR_INPUT when
 * a field is missing (null is not missing: it gives "null") or the value cannot be an argument (holds a NUL, a lone surrogate).
 */
char *const *template_expand(struct template *template, struct str event, struct err *err);

#endif
