/* cgroup.c: control groups (cgroup v2) for single processes. */
#include "sys/cgroup.h"

#include "base/buf.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

enum {
    CGROUP_PERIOD_US = 100000, /* the kernel's own default: how often a share of time is given */
    CGROUP_SELF = 4096,        /* bytes of /proc/self/cgroup that are read; v2 has one short line */
};

char *cgroup_folder_of(const char *mount, const char *self, struct err *err)
{
    const char *line = strncmp(self, "0::/", 4) == 0 ? self : strstr(self, "\n0::/");
    if (!line) {
        err_set(err, ERR_NOT_USABLE, "this process is in no group of cgroup v2");
        return NULL;
    }
    const char *path = strchr(line, '/');
    size_t len = strcspn(path, "\n");
    while (len && path[len - 1] != '/') /* the folder above */
        len--;
    if (strcspn(path, "\n") == 1) {
        err_set(err, ERR_NOT_USABLE, "this process is in the root of its control groups");
        return NULL;
    }
    struct buf folder = {0};
    buf_puts(&folder, mount);
    buf_add(&folder, path, len);
    if (access(buf_cstr(&folder), W_OK) == 0)
        return buf_take(&folder);
    err_sys(err, "make a control group in %s", buf_cstr(&folder));
    err->kind = ERR_NOT_USABLE;
    buf_free(&folder);
    return NULL;
}

char *cgroup_folder(struct err *err)
{
    static const char mount[] = "/sys/fs/cgroup";
    struct statfs info;
    char self[CGROUP_SELF] = "";
    if (statfs(mount, &info) < 0 || info.f_type != CGROUP2_SUPER_MAGIC) {
        err_set(err, ERR_NOT_USABLE, "%s is not of cgroup v2", mount);
        return NULL;
    }
    int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, self, sizeof self - 1);
    if (got < 0)
        err_sys(err, "read /proc/self/cgroup");
    if (fd >= 0)
        close(fd);
    return got < 0 ? NULL : cgroup_folder_of(mount, self, err);
}

/* Remove the groups of fittings that were killed; one in which something runs refuses that. */
static void clear_up(const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char *end;
        if (strncmp(entry->d_name, "fit-", 4) != 0)
            continue;
        long pid = strtol(entry->d_name + 4, &end, 10);
        if (pid > 0 && *end == '-' && kill((pid_t)pid, 0) < 0 && errno == ESRCH)
            unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
    }
    closedir(dir);
}

static void name_group(struct buf *path, const char *folder, unsigned number)
{
    buf_addf(path, "%s%sfit-%ld-%u", folder, str_ends(str_of(folder), STR("/")) ? "" : "/",
             (long)getpid(), number);
}

/* A controller that is not handed down has no file: that is an error. */
static int set_limit(int group, const char *file, const char *value, struct err *err)
{
    int fd = openat(group, file, O_WRONLY | O_CLOEXEC);
    ssize_t len = (ssize_t)strlen(value);
    if (fd >= 0 && write(fd, value, (size_t)len) == len) {
        close(fd);
        return 0;
    }
    err_sys(err, "set %s of a control group", file);
    if (fd >= 0)
        close(fd);
    return -1;
}

static int set_limits(int group, const struct cgroup_limits *limits, struct err *err)
{
    char value[64];
    if (limits->memory) {
        snprintf(value, sizeof value, "%llu", (unsigned long long)limits->memory);
        if (set_limit(group, "memory.max", value, err) < 0)
            return -1;
    }
    if (limits->cpu > 0) {
        double quota = limits->cpu * CGROUP_PERIOD_US;
        snprintf(value, sizeof value, "%.0f %d", quota, CGROUP_PERIOD_US);
        if (set_limit(group, "cpu.max", value, err) < 0)
            return -1;
    }
    return 0;
}

int cgroup_open(const char *folder, unsigned number, const struct cgroup_limits *limits,
                struct err *err)
{
    struct buf path = {0};
    int procs = -1;
    clear_up(folder);
    name_group(&path, folder, number);
    if (mkdir(buf_cstr(&path), 0755) < 0 && errno != EEXIST) {
        err_sys(err, "make the control group %s", buf_cstr(&path));
        buf_free(&path);
        return -1;
    }
    int group = open(buf_cstr(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (group < 0)
        err_sys(err, "open the control group %s", buf_cstr(&path));
    if (group >= 0 && set_limits(group, limits, err) == 0) {
        procs = openat(group, "cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (procs < 0)
            err_sys(err, "open cgroup.procs of %s", buf_cstr(&path));
    }
    if (group >= 0)
        close(group);
    if (procs < 0)
        rmdir(buf_cstr(&path));
    buf_free(&path);
    return procs;
}

void cgroup_remove(const char *folder, unsigned number)
{
    struct buf path = {0};
    name_group(&path, folder, number);
    rmdir(buf_cstr(&path));
    buf_free(&path);
}
