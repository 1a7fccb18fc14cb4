/*
 * http_curl.h: libcurl, loaded with the first function behind a URL.
 *
 * Loading it and the libraries below it takes longer than all else that a fitting does before its
 * first event, so it is no part of the executables: who names no URL never has it. Internal to
 * lib/fn.
 */
#ifndef FIT_FN_HTTP_CURL_H
#define FIT_FN_HTTP_CURL_H

#include "base/err.h"

#include <curl/curl.h>

#define HTTP_CURL_FUNCTIONS(X) \
    X(global_init)             \
    X(easy_init)               \
    X(easy_cleanup)            \
    X(easy_setopt)             \
    X(easy_getinfo)            \
    X(easy_strerror)           \
    X(share_init)              \
    X(share_setopt)            \
    X(share_cleanup)           \
    X(multi_init)              \
    X(multi_cleanup)           \
    X(multi_setopt)            \
    X(multi_strerror)          \
    X(multi_add_handle)        \
    X(multi_remove_handle)     \
    X(multi_assign)            \
    X(multi_socket_action)     \
    X(multi_info_read)

/* Its functions, each under its name without "curl_". */
struct http_curl {
#define X(name) __typeof__(curl_##name) *name;
    HTTP_CURL_FUNCTIONS(X)
#undef X
};

/* The same each time. NULL with ERR_NOT_USABLE when it is not installed. It stays loaded. */
const struct http_curl *http_curl_load(struct err *err);

#endif
