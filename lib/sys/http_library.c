/* http_library.c: libmicrohttpd, loaded when the first server is opened. */
#include "sys/http_library.h"

#include "base/library.h"

#include <stdbool.h>
#include <stddef.h>

static const struct library_function functions[] = {
#define X(name) {"MHD_" #name, offsetof(struct http_library, name)},
    HTTP_LIBRARY_FUNCTIONS(X)
#undef X
};

static const struct library library = {
    .need = "serving HTTP needs libmicrohttpd",
    .files = {"libmicrohttpd.so.12"}, /* since 0.9.49 (2016) and up to 1.0 */
    .functions = functions,
    .count = sizeof functions / sizeof functions[0],
};

const struct http_library *http_library(struct err *err)
{
    static struct http_library table;
    static bool loaded;
    if (!loaded && library_open(&library, &table, err) < 0)
        return NULL;
    loaded = true;
    return &table;
}
