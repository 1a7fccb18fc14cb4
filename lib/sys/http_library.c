/* http_library.c: libmicrohttpd, loaded when the first server is opened. */
#include "sys/http_library.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

/* Since 0.9.49 (2016) and up to 1.0 its binary interface has had this number. */
#define HTTP_LIBRARY "libmicrohttpd.so.12"

#define SYMBOL(name)                                      \
    {                                                     \
        "MHD_" #name, offsetof(struct http_library, name) \
    }

static const struct symbol {
    const char *name;
    size_t place;
} symbols[] = {
    SYMBOL(start_daemon),
    SYMBOL(stop_daemon),
    SYMBOL(run),
    SYMBOL(get_timeout),
    SYMBOL(get_daemon_info),
    SYMBOL(get_connection_info),
    SYMBOL(lookup_connection_value),
    SYMBOL(suspend_connection),
    SYMBOL(resume_connection),
    SYMBOL(create_response_from_buffer),
    SYMBOL(add_response_header),
    SYMBOL(queue_response),
    SYMBOL(destroy_response),
};

const struct http_library *http_library(struct err *err)
{
    static struct http_library library;
    static bool loaded;
    if (loaded)
        return &library;
    void *handle = dlopen(HTTP_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        err_set(err, ERR_NOT_FOUND, "libmicrohttpd, which serves HTTP, cannot be loaded: %s",
                dlerror());
        return NULL;
    }
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        void *address = dlsym(handle, symbols[i].name);
        if (!address) {
            err_set(err, ERR_NOT_FOUND, "%s lacks %s", HTTP_LIBRARY, symbols[i].name);
            return NULL;
        }
        *(void **)((char *)&library + symbols[i].place) = address;
    }
    loaded = true;
    return &library;
}
