/*
 * http_library.h: libmicrohttpd, loaded when the first server is opened. Internal to http_server.c.
 *
 * It brings TLS libraries along, which take milliseconds to load: only who serves HTTP pays for
 * them, and a machine without the library lacks nothing else.
 */
#ifndef FIT_SYS_HTTP_LIBRARY_H
#define FIT_SYS_HTTP_LIBRARY_H

#include "base/err.h"

#include <microhttpd.h>

#define HTTP_LIBRARY_FUNCTIONS(X)  \
    X(start_daemon)                \
    X(stop_daemon)                 \
    X(run)                         \
    X(get_timeout)                 \
    X(get_daemon_info)             \
    X(get_connection_info)         \
    X(lookup_connection_value)     \
    X(suspend_connection)          \
    X(resume_connection)           \
    X(create_response_from_buffer) \
    X(add_response_header)         \
    X(queue_response)              \
    X(destroy_response)

/* Its functions, each under its name without "MHD_". */
struct http_library {
#define X(name) __typeof__(MHD_##name) *name;
    HTTP_LIBRARY_FUNCTIONS(X)
#undef X
};

/* The same each time. NULL with ERR_NOT_USABLE when it is not installed. It stays loaded. */
const struct http_library *http_library(struct err *err);

#endif
