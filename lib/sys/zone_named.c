/* zone_named.c: the time zones of the system, by name. */
#include "sys/zone_named.h"

#include "base/buf.h"
#include "base/tzif.h"
#include "sys/slurp.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGEST = 1 << 20 /* bytes of a file; those that exist have a few thousand */ };

static const char machine[] = "/etc/localtime";
static const char utc[] = "UTC0";

/* Where distributions keep the files. */
static const char *const folders[] = {"/usr/share/zoneinfo", "/usr/lib/zoneinfo",
                                      "/usr/share/lib/zoneinfo", "/share/zoneinfo",
                                      "/etc/zoneinfo"};

static int refuse(struct err *err, const char *name)
{
    return err_set(err, ERR_USAGE, "%s: no such time zone", name);
}

static struct zone *read_file(const char *path, const char *name, struct err *err)
{
    struct stat status;
    struct buf bytes = {0};
    /* A FIFO or device would be waited for. */
    if (stat(path, &status) || !S_ISREG(status.st_mode)) {
        refuse(err, name);
        return NULL;
    }
    struct zone *zone = NULL;
    if (slurp_file(path, LARGEST, &bytes, err) == 0) {
        zone = tzif_read(buf_str(&bytes));
        if (!zone)
            refuse(err, name);
    }
    buf_free(&bytes);
    return zone;
}

/* A path below a folder that leads nowhere else: no part begins with a dot or is empty. */
static bool is_name(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "+-_./";
    for (const char *part = name;; part++) {
        if (*part == '.' || *part == '/' || !*part)
            return false;
        part = strchr(part, '/');
        if (!part)
            return name[strspn(name, allowed)] == '\0';
    }
}

struct zone *zone_named(const char *name, struct err *err)
{
    if (!name)
        return access(machine, F_OK) ? tzif_read_line(str_of(utc))
                                     : read_file(machine, machine, err);
    if (!is_name(name)) {
        refuse(err, name);
        return NULL;
    }
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        int len = snprintf(path, sizeof path, "%s/%s", folders[i], name);
        if (len < (int)sizeof path && access(path, F_OK) == 0)
            return read_file(path, name, err);
    }
    if (strcmp(name, "UTC") == 0) /* a system without files of zones */
        return tzif_read_line(str_of(utc));
    refuse(err, name);
    return NULL;
}

struct zone *zone_of_variable(const char *value, struct err *err)
{
    if (!value)
        return zone_named(NULL, err);
    value += *value == ':';
    if (!*value)
        return tzif_read_line(str_of(utc));
    if (*value == '/')
        return read_file(value, value, err);
    struct zone *zone = zone_named(value, err);
    return zone ? zone : tzif_read_line(str_of(value));
}

void zone_named_free(struct zone *zone)
{
    tzif_free(zone);
}
