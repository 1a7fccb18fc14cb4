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

/* Its functions by their names, without the "MHD_". */
struct http_library {
    __typeof__(&MHD_start_daemon) start_daemon;
    __typeof__(&MHD_stop_daemon) stop_daemon;
    __typeof__(&MHD_run) run;
    __typeof__(&MHD_get_timeout) get_timeout;
    __typeof__(&MHD_get_daemon_info) get_daemon_info;
    __typeof__(&MHD_get_connection_info) get_connection_info;
    __typeof__(&MHD_lookup_connection_value) lookup_connection_value;
    __typeof__(&MHD_suspend_connection) suspend_connection;
    __typeof__(&MHD_resume_connection) resume_connection;
    __typeof__(&MHD_create_response_from_buffer) create_response_from_buffer;
    __typeof__(&MHD_add_response_header) add_response_header;
    __typeof__(&MHD_queue_response) queue_response;
    __typeof__(&MHD_destroy_response) destroy_response;
};

/* The same each time; it is never unloaded. NULL with ERR_NOT_FOUND or ERR_SYSTEM. */
const struct http_library *http_library(struct err *err);

#endif
