/* http_curl.c: libcurl, loaded with the first function behind a URL. */
#include "fn/http_curl.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* One interface since 2006; the second is what Debian calls the build with GnuTLS. */
static const char *const libraries[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};

static int find(void *library, const char *name, void *function, struct err *err)
{
    void *symbol = dlsym(library, name);
    if (!symbol)
        return err_set(err, ERR_NOT_USABLE, "libcurl has no %s", name);
    memcpy(function, &symbol, sizeof symbol); /* POSIX: the two kinds of pointers are alike */
    return 0;
}

static int find_all(void *library, struct http_curl *curl, struct err *err)
{
#define X(name)                                                     \
    if (find(library, "curl_" #name, (void *)&curl->name, err) < 0) \
        return -1;
    HTTP_CURL_FUNCTIONS(X)
#undef X
    return 0;
}

static int load(struct http_curl *curl, struct err *err)
{
    void *library = NULL;
    for (size_t i = 0; !library && i < sizeof libraries / sizeof *libraries; i++) {
        library = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
        if (!library && i == 0)
            err_set(err, ERR_NOT_USABLE, "functions behind a URL need libcurl: %s", dlerror());
    }
    if (!library)
        return -1;
    if (find_all(library, curl, err) < 0)
        return -1;
    CURLcode code = curl->global_init(CURL_GLOBAL_DEFAULT);
    if (code)
        return err_set(err, ERR_NOT_USABLE, "libcurl: %s", curl->easy_strerror(code));
    return 0;
}

const struct http_curl *http_curl_load(struct err *err)
{
    static struct http_curl curl;
    static bool loaded;
    if (!loaded && load(&curl, err) < 0)
        return NULL;
    loaded = true;
    return &curl;
}
