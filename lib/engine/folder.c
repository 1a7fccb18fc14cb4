/* folder.c: functions that events name: the executables of one folder. */
#include "engine/folder.h"

#include "base/hash.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUCKETS = 256 };

struct member {
    struct member *next; /* of its bucket */
    struct route *route;
    const char *name; /* in route->function */
    uint64_t used;    /* when: a number that grows with each use */
};

struct folder {
    char *prefix; /* the path with a slash behind it, that cannot be taken for a scheme */
    char *predicate;
    struct targets *targets;
    struct member *buckets[BUCKETS];
    struct route_list routes;
    unsigned open;
    uint64_t uses;
};

struct folder *folder_new(const char *path, const char *predicate, struct targets *targets,
                          struct err *err)
{
    struct stat info;
    if (stat(path, &info) < 0) {
        err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_NOT_USABLE, "%s: %s", path,
                strerror(errno));
        return NULL;
    }
    if (!S_ISDIR(info.st_mode)) {
        err_set(err, ERR_NOT_USABLE, "%s: not a folder", path);
        return NULL;
    }
    struct folder *folder = mem_zalloc(sizeof *folder);
    struct buf prefix = {0};
    buf_addf(&prefix, "%s%s/", path[0] == '/' || path[0] == '.' ? "" : "./", path);
    folder->prefix = buf_take(&prefix);
    folder->predicate = mem_strdup(predicate);
    folder->targets = targets;
    return folder;
}

void folder_free(struct folder *folder)
{
    if (!folder)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (folder->buckets[i]) {
            struct member *member = folder->buckets[i];
            folder->buckets[i] = member->next;
            route_free(member->route);
            free(member);
        }
    }
    free(folder->routes.items);
    free(folder->prefix);
    free(folder->predicate);
    free(folder);
}

bool folder_is_plain(struct str name)
{
    return name.len && name.len <= FOLDER_NAME && name.data[0] != '.' && name.data[0] != '-' &&
           !memchr(name.data, '/', name.len) && !memchr(name.data, '\0', name.len);
}

static int check_executable(const char *path, struct err *err)
{
    struct stat info;
    if (stat(path, &info) < 0) {
        bool missing = errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG;
        return err_set(err, missing ? ERR_NOT_FOUND : ERR_NOT_USABLE, "%s: %s", path,
                       strerror(errno));
    }
    if (!S_ISREG(info.st_mode) || access(path, X_OK) < 0)
        return err_set(err, ERR_NOT_USABLE, "%s: not an executable file", path);
    return 0;
}

static void shut(struct folder *folder, struct member *member)
{
    targets_leave(member->route->target);
    member->route->target = NULL;
    folder->open--;
}

/* Close the one that was not used for longest and has no calls. */
static void make_room(struct folder *folder)
{
    struct member *oldest = NULL;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct member *member = folder->buckets[i]; member; member = member->next) {
            struct target *target = member->route->target;
            if (target && !target->open && (!oldest || member->used < oldest->used))
                oldest = member;
        }
    }
    if (oldest)
        shut(folder, oldest);
}

static int open_target(struct folder *folder, struct member *member, struct err *err)
{
    struct route *route = member->route;
    if (route->target || !folder->targets)
        return 0;
    if (folder->open >= FOLDER_OPEN)
        make_room(folder);
    route->target = targets_open_program(folder->targets, route->function, err);
    if (!route->target)
        return -1;
    folder->open++;
    return 0;
}

static struct member *add(struct folder *folder, struct member **bucket, const char *path)
{
    struct member *member = mem_zalloc(sizeof *member);
    member->route = route_new(folder->predicate, path);
    member->name = member->route->function + strlen(folder->prefix);
    member->next = *bucket;
    *bucket = member;
    folder->routes.items = mem_realloc(folder->routes.items,
                                       (folder->routes.count + 1) * sizeof *folder->routes.items);
    folder->routes.items[folder->routes.count++] = member->route;
    return member;
}

struct route *folder_find(struct folder *folder, struct str name, struct err *err)
{
    if (!folder_is_plain(name)) {
        err_set(err, ERR_NOT_FOUND, "not a plain name");
        return NULL;
    }
    struct member **bucket = &folder->buckets[hash_64(name) % BUCKETS];
    struct member *member = *bucket;
    while (member && !str_eq(str_of(member->name), name))
        member = member->next;
    if (!member || (!member->route->target && folder->targets)) {
        struct buf path = {0};
        buf_puts(&path, folder->prefix);
        buf_add_str(&path, name);
        int found = check_executable(buf_cstr(&path), err);
        if (found == 0 && !member)
            member = add(folder, bucket, buf_cstr(&path));
        buf_free(&path);
        if (found < 0)
            return NULL;
    }
    member->used = ++folder->uses;
    return open_target(folder, member, err) < 0 ? NULL : member->route;
}

static int by_name(const void *a, const void *b)
{
    const struct route *const *left = a, *const *right = b;
    return strcmp((*left)->function, (*right)->function);
}

const struct route_list *folder_routes(struct folder *folder)
{
    if (folder->routes.count)
        qsort(folder->routes.items, folder->routes.count, sizeof *folder->routes.items, by_name);
    return &folder->routes;
}
