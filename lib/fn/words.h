/*
 * words.h: a function string as words, split as a shell would, without expansion.
 *
 * Blanks separate words; 'single quotes' keep everything, "double quotes" and a backslash quote as
 * in sh. $ ` * ? ~ { are ordinary bytes. What a shell would take for an operator (| & ; < > ( )) is
 * refused outside quotes, because no shell is involved.
 */
#ifndef FIT_FN_WORDS_H
#define FIT_FN_WORDS_H

#include "base/err.h"

#include <stddef.h>

/* A NULL-terminated array, freed with words_free; *count without the NULL. NULL with ERR_USAGE that
 * shows the place. */
char **words_split(const char *text, size_t *count, struct err *err);
char **words_dup(char *const *words, size_t count);
void words_free(char **words);

/* The words in one string for people, quoted where a shell would need it; the caller frees it. */
char *words_join(char *const *words, size_t count);

#endif
