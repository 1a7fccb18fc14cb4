/* routes.c: pairs of predicate and function, from the command line and from a file. */
#include "engine/routes.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct route *route_new(const char *predicate, const char *function)
{
    struct route *route = mem_zalloc(sizeof *route);
    route->predicate = predicate ? mem_strdup(predicate) : NULL;
    route->function = mem_strdup(function);
    return route;
}

void route_free(struct route *route)
{
    if (!route)
        return;
    jq_free(route->program);
    free(route->predicate);
    free(route->function);
    free(route);
}

static void append(struct route_list *list, struct route *route)
{
    list->items = mem_realloc(list->items, (list->count + 1) * sizeof *list->items);
    list->items[list->count++] = route;
}

/* Compile and open what is not there. */
static int prepare(struct routes *routes, struct route *route, struct err *err)
{
    if (!route->program)
        route->program = jq_compile(route->predicate, routes->paths, err);
    if (!route->program)
        return -1;
    if (!route->target && routes->targets)
        route->target = targets_open(routes->targets, route->function, err);
    return routes->targets && !route->target ? -1 : 0;
}

int routes_add(struct routes *routes, const char *predicate, const char *function, struct err *err)
{
    struct route *route = route_new(predicate, function);
    if (prepare(routes, route, err) < 0) {
        route_free(route);
        return -1;
    }
    append(&routes->list, route);
    routes->fixed++;
    return 0;
}

/* ---- the text of a file ---- */

int routes_split(struct str text, size_t *line,
                 int (*take)(void *owner, struct str predicate, struct str function,
                             struct err *err),
                 void *owner, struct err *err)
{
    const char *end = text.data + text.len;
    *line = 0;
    for (const char *next, *at = text.data; at < end; at = next + 1) {
        next = memchr(at, '\n', (size_t)(end - at));
        if (!next)
            next = end;
        ++*line;
        struct str whole = str_trim((struct str){at, (size_t)(next - at)});
        if (!whole.len || whole.data[0] == '#')
            continue;
        if (memchr(whole.data, '\0', whole.len))
            return err_set(err, ERR_USAGE, "a NUL byte");
        if (!str_is_utf8(whole))
            return err_set(err, ERR_USAGE, "not UTF-8");
        const char *tab = memchr(at, '\t', (size_t)(next - at));
        struct str predicate = {0}, function = {0};
        if (tab) {
            predicate = str_trim((struct str){at, (size_t)(tab - at)});
            function = str_trim((struct str){tab, (size_t)(next - tab)});
        }
        if (!tab || (predicate.len && !function.len))
            return err_set(err, ERR_USAGE, "no tab and function behind the predicate");
        if (!predicate.len)
            return err_set(err, ERR_USAGE, "no predicate before the tab");
        if (take(owner, predicate, function, err) < 0)
            return -1;
    }
    return 0;
}

/* The whole of a regular file, or of a pipe if fresh (which is gone when it is read again). */
static int read_file(const char *path, bool fresh, struct buf *text, struct err *err)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | (fresh ? 0 : O_NONBLOCK));
    if (fd < 0)
        return err_sys(err, "read %s", path);
    ssize_t got = fstat(fd, &info);
    if (got == 0 && !fresh && !S_ISREG(info.st_mode)) {
        close(fd);
        return err_set(err, ERR_NOT_USABLE, "%s: only a regular file can be read again", path);
    }
    do {
        enum { PIECE = 64 * 1024 };
        buf_reserve(text, PIECE);
        got = read(fd, text->data + text->len, PIECE);
        text->len += got > 0 ? (size_t)got : 0;
    } while ((got > 0 && text->len <= ROUTES_FILE) || (got < 0 && errno == EINTR));
    int cause = errno;
    close(fd);
    errno = cause;
    if (got < 0)
        return err_sys(err, "read %s", path);
    if (text->len > ROUTES_FILE)
        return err_set(err, ERR_LIMIT, "%s: larger than %d bytes", path, ROUTES_FILE);
    return 0;
}

/* ---- reading ---- */

struct reading {
    struct routes *routes;
    struct route_list list;    /* what will be there */
    struct route_list fresh;   /* of it, what was made by this reading */
    struct route_list revived; /* and what had gone before */
};

/* A pair of those texts from place from on that this reading has not found yet. */
static struct route *find(const struct reading *reading, const struct route_list *list, size_t from,
                          struct str predicate, struct str function)
{
    for (size_t i = from; i < list->count; i++) {
        struct route *route = list->items[i];
        if (route->mark != reading->routes->marks && str_eq(str_of(route->predicate), predicate) &&
            str_eq(str_of(route->function), function))
            return route;
    }
    return NULL;
}

static struct route *make(struct reading *reading, struct str predicate, struct str function)
{
    char *first = mem_strndup(predicate.data, predicate.len);
    char *second = mem_strndup(function.data, function.len);
    struct route *route = route_new(first, second);
    free(first);
    free(second);
    append(&reading->fresh, route);
    return route;
}

static int take(void *owner, struct str predicate, struct str function, struct err *err)
{
    struct reading *reading = owner;
    struct routes *routes = reading->routes;
    size_t place = reading->list.count; /* most rereadings change little: the same place first */
    struct route *route = NULL;
    if (place < routes->list.count)
        route = find(reading, &(struct route_list){routes->list.items, place + 1}, place, predicate,
                     function);
    if (!route)
        route = find(reading, &routes->list, routes->fixed, predicate, function);
    if (!route && (route = find(reading, &routes->gone, 0, predicate, function)))
        append(&reading->revived, route);
    if (!route)
        route = make(reading, predicate, function);
    route->mark = routes->marks;
    append(&reading->list, route);
    return prepare(routes, route, err);
}

static void retire(struct route *route)
{
    targets_leave(route->target);
    route->target = NULL;
    jq_free(route->program);
    route->program = NULL;
}

static void undo(struct reading *reading)
{
    for (size_t i = 0; i < reading->revived.count; i++)
        retire(reading->revived.items[i]);
    for (size_t i = 0; i < reading->fresh.count; i++) {
        retire(reading->fresh.items[i]);
        route_free(reading->fresh.items[i]);
    }
    free(reading->list.items);
}

/* Keep of the pairs that are gone those that have counted something, which calls may still refer
 * to. */
static void bury(struct routes *routes, struct route_list *gone, struct route *route)
{
    if (route->mark == routes->marks)
        return;
    if (route->target || route->program)
        retire(route);
    if (route->matched)
        append(gone, route);
    else
        route_free(route);
}

static void replace(struct reading *reading)
{
    struct routes *routes = reading->routes;
    struct route_list gone = {0};
    for (size_t i = 0; i < routes->gone.count; i++)
        bury(routes, &gone, routes->gone.items[i]);
    for (size_t i = routes->fixed; i < routes->list.count; i++)
        bury(routes, &gone, routes->list.items[i]);
    free(routes->gone.items);
    free(routes->list.items);
    routes->gone = gone;
    routes->list = reading->list;
}

int routes_read(struct routes *routes, const char *path, struct err *err)
{
    struct buf text = {0};
    struct err cause;
    struct reading reading = {.routes = routes};
    size_t line;
    int status = read_file(path, routes->marks == 0, &text, err);
    if (status < 0)
        goto done;
    routes->marks++;
    for (size_t i = 0; i < routes->fixed; i++)
        append(&reading.list, routes->list.items[i]);
    for (size_t i = 0; i < routes->fixed; i++)
        routes->list.items[i]->mark = routes->marks;
    status = routes_split(buf_str(&text), &line, take, &reading, &cause);
    if (status == 0) {
        replace(&reading);
    } else {
        err_set(err, cause.kind == ERR_SYSTEM ? ERR_NOT_USABLE : cause.kind, "%s:%zu: %s", path,
                line, cause.text);
        undo(&reading);
    }
    free(reading.fresh.items);
    free(reading.revived.items);

done:
    buf_free(&text);
    return status;
}

static void free_list(struct route_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        route_free(list->items[i]);
    free(list->items);
}

void routes_free(struct routes *routes)
{
    free_list(&routes->list);
    free_list(&routes->gone);
}
