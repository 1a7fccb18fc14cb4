/* http_url.c: the URL of a function: checked once, filled in for each event. */
#include "fn/http_url.h"

#include "base/mem.h"
#include "base/num.h"
#include "format/template.h"

#include <stdlib.h>
#include <strings.h>

enum { PORT_MAX = 65535, PORT_HTTP = 80, PORT_HTTPS = 443 };

static const char host_bytes[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

/* What of a path must be the same for all events. */
struct shape {
    unsigned empty; /* segments */
    unsigned dots;  /* segments that are "." or "..", which servers resolve */
};

struct http_url {
    struct template *path, *query; /* NULL: it holds no placeholders; path has all before it too */
    char *text;                    /* as the user wrote it */
    size_t path_at;                /* where its path begins */
    struct shape shape;
    struct buf filled;
};

struct parts { /* of a URL */
    bool secure;
    struct str user; /* with its @; empty: none */
    struct str host; /* an IPv6 address with its brackets */
    struct str port;
    struct str rest; /* path and query */
};

static struct parts split(const char *text)
{
    struct parts parts = {.secure = strncasecmp(text, "https://", 8) == 0};
    const char *at = strstr(text, "://");
    at = at ? at + 3 : text;
    const char *end = at + strcspn(at, "/?#");
    parts.rest = str_of(end);
    for (const char *c = at; c < end; c++) {
        if (*c == '@')
            parts.user = (struct str){at, (size_t)(c + 1 - at)};
    }
    at += parts.user.len;
    const char *colon = at;
    if (*at == '[') {
        while (colon < end && *colon != ']')
            colon++;
    }
    while (colon < end && *colon != ':')
        colon++;
    parts.host = (struct str){at, (size_t)(colon - at)};
    if (colon < end)
        parts.port = (struct str){colon + 1, (size_t)(end - colon - 1)};
    return parts;
}

/* ---- checking ---- */

static bool starts_placeholder(const char *at)
{
    return at[0] == '{' && (at[1] == '}' || at[1] == '.');
}

static bool is_address(struct str host)
{
    return host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']' &&
           strspn(host.data + 1, "0123456789abcdefABCDEF:.") == host.len - 2;
}

static int check_server(const struct parts *parts, bool literal, struct err *err)
{
    struct str host = parts->host;
    for (const char *at = host.data; !literal && at < parts->rest.data; at++) {
        if (starts_placeholder(at))
            return err_set(err, ERR_USAGE,
                           "no event may choose the server: a placeholder can "
                           "stand in the path and in the query only");
    }
    if (!host.len)
        return err_set(err, ERR_USAGE, "names no host");
    if (strspn(host.data, host_bytes) < host.len && !is_address(host))
        return err_set(err, ERR_USAGE, "no host is named '%.*s'", (int)host.len, host.data);
    if (!parts->port.data)
        return 0;
    char *digits = mem_strndup(parts->port.data, parts->port.len);
    uint64_t port;
    const char *reason = num_uint(digits, 1, PORT_MAX, &port);
    free(digits);
    return reason ? err_set(err, ERR_USAGE, "port: %s", reason) : 0;
}

/* Behind the placeholder that may begin there, in a path or query as the user wrote it. */
static const char *skip_placeholder(const char *at, bool literal)
{
    const char *end = !literal && starts_placeholder(at) ? strchr(at, '}') : NULL;
    return end ? end + 1 : at;
}

static int check_rest(struct str rest, bool literal, struct err *err)
{
    for (const char *at = rest.data; *at;) {
        const char *next = skip_placeholder(at, literal);
        if (next > at) {
            at = next;
            continue;
        }
        if (*at == '#')
            return err_set(err, ERR_USAGE, "what follows a # is never sent (%%23 is a # itself)");
        if (*at <= ' ' || *at > '~' || strchr("\"<>\\^`|", *at))
            return err_set(err, ERR_USAGE, "byte %zu behind the host must be percent-encoded",
                           (size_t)(at - rest.data) + 1);
        at++;
    }
    return 0;
}

/* Of a path up to its query; literal: it holds no placeholders (any more). */
static struct shape shape_of(const char *path, bool literal)
{
    struct shape shape = {0};
    const char *at = *path == '/' ? path + 1 : path;
    for (bool more = *path == '/'; more;) {
        size_t len = 0, dots = 0;
        for (; *at && !strchr("/?", *at); len++) {
            const char *next = skip_placeholder(at, literal);
            dots += *at == '.';
            at = next > at ? next : at + 1;
        }
        shape.empty += len == 0;
        shape.dots += len && len < 3 && dots == len;
        more = *at == '/';
        at += more;
    }
    return shape;
}

/* ---- making it ---- */

static struct template *compile(const char *text, size_t len, struct err *err)
{
    char *word = mem_strndup(text, len);
    struct template *template = template_new(&word, 1, err);
    if (template)
        template_encode(template);
    free(word);
    return template;
}

static int find_placeholders(struct http_url *url, struct err *err)
{
    const char *query = strchr(url->text, '?');
    size_t len = query ? (size_t)(query - url->text) : strlen(url->text);
    url->path = compile(url->text, len, err);
    url->query = url->path ? compile(url->text + len, strlen(url->text + len), err) : NULL;
    if (!url->query)
        return -1;
    if (!template_is_literal(url->path) || !template_is_literal(url->query))
        return 0;
    template_free(url->path);
    template_free(url->query);
    url->path = url->query = NULL;
    return 0;
}

/* An @ may end a password that was not percent-encoded, and so does not stand where it should. */
static void refuse(const char *text, const struct err *cause, struct err *err)
{
    if (!strchr(text, '@'))
        err_set(err, ERR_USAGE, "'%.120s': %s", text, cause->text);
    else
        err_set(err, ERR_USAGE, "a URL with an @, which is not shown: %s",
                strchr(cause->text, '@') ? "a broken placeholder" : cause->text);
}

struct http_url *http_url_new(const char *text, bool literal, struct err *err)
{
    struct parts parts = split(text);
    struct err cause;
    if (parts.user.len) {
        err_set(err, ERR_USAGE,
                "a URL holds no user and password here, as a command line is public: give "
                "\"Authorization: Basic ...\" in a --header-file");
        return NULL;
    }
    struct http_url *url = mem_zalloc(sizeof *url);
    url->text = mem_strdup(text);
    url->path_at = (size_t)(parts.rest.data - text);
    if (check_server(&parts, literal, &cause) == 0 &&
        check_rest(parts.rest, literal, &cause) == 0 &&
        (literal || find_placeholders(url, &cause) == 0)) {
        url->shape = shape_of(parts.rest.data, literal);
        return url;
    }
    refuse(text, &cause, err);
    http_url_free(url);
    return NULL;
}

void http_url_free(struct http_url *url)
{
    if (!url)
        return;
    template_free(url->path);
    template_free(url->query);
    buf_free(&url->filled);
    free(url->text);
    free(url);
}

const char *http_url_for(struct http_url *url, struct str event, struct err *err)
{
    if (!url->path)
        return url->text;
    char *const *path = template_expand(url->path, event, err);
    if (!path)
        return NULL;
    struct shape shape = shape_of(path[0] + url->path_at, true);
    if (shape.empty != url->shape.empty || shape.dots != url->shape.dots) {
        err_set(err, ERR_INPUT, "its values would change the path of the URL: %.100s",
                path[0] + url->path_at);
        return NULL;
    }
    buf_clear(&url->filled);
    buf_puts(&url->filled, path[0]);
    char *const *query = template_expand(url->query, event, err);
    if (!query)
        return NULL;
    buf_puts(&url->filled, query[0]);
    return buf_cstr(&url->filled);
}

/* ---- comparing and showing ---- */

static long port_of(const struct parts *parts)
{
    if (parts->port.len)
        return strtol(parts->port.data, NULL, 10);
    return parts->secure ? PORT_HTTPS : PORT_HTTP;
}

bool http_url_may_follow(const char *from, const char *to)
{
    if (strncasecmp(to, "http://", 7) != 0 && strncasecmp(to, "https://", 8) != 0)
        return false;
    struct parts a = split(from), b = split(to);
    if (b.user.len || a.host.len != b.host.len ||
        strncasecmp(a.host.data, b.host.data, a.host.len) != 0)
        return false;
    return a.secure == b.secure ? port_of(&a) == port_of(&b) : b.secure;
}

void http_url_show(struct buf *out, const char *url)
{
    struct parts parts = split(url);
    const char *user = parts.user.len ? parts.user.data : parts.host.data;
    size_t before = (size_t)(user - url);
    buf_add(out, url, before);
    for (const char *at = user + parts.user.len; *at && *at != '?' && *at != '#'; at++)
        buf_addc(out, *at > ' ' && *at <= '~' ? *at : '?');
}
