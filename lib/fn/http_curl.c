/* http_curl.c: libcurl, loaded with the first function behind a URL. */
#include "fn/http_curl.h"

#include "base/library.h"

#include <stdbool.h>
#include <stddef.h>

static const struct library_function functions[] = {
#define X(name) {"curl_" #name, offsetof(struct http_curl, name)},
    HTTP_CURL_FUNCTIONS(X)
#undef X
};

/* One interface since 2006; the second is what Debian calls the build with GnuTLS. */
static const struct library library = {
    .need = "functions behind a URL need libcurl",
    .files = {"libcurl.so.4", "libcurl-gnutls.so.4"},
    .functions = functions,
    .count = sizeof functions / sizeof functions[0],
};

static int load(struct http_curl *curl, struct err *err)
{
    if (library_open(&library, curl, err) < 0)
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
