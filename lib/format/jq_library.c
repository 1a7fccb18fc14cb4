/* jq_library.c: libjq, opened with the first program that needs it. */
#include "format/jq_library.h"

#include "base/library.h"

#include <stdbool.h>
#include <stddef.h>

static const struct library_function functions[] = {
#define X(name) {#name, offsetof(struct jq_library, name)},
    JQ_LIBRARY_FUNCTIONS(X)
#undef X
};

static const struct library library = {
    .need = "needs libjq",
    .files = {"libjq.so.1"}, /* since 1.5 (2015) and up to 1.8 */
    .functions = functions,
    .count = sizeof functions / sizeof functions[0],
};

const struct jq_library *jq_library(struct err *err)
{
    static struct jq_library table;
    static bool loaded;
    if (!loaded && library_open(&library, &table, err) < 0)
        return NULL;
    loaded = true;
    return &table;
}
