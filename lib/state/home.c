/* home.c: the state directory: what lies where in it, and which format it has. */
#include "state/home.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "fittings-state "

enum { FORMAT_TEXT = 64, PLAIN_NAME = 32 };

bool home_is_url(const char *path)
{
    size_t scheme = strspn(path, "abcdefghijklmnopqrstuvwxyz0123456789+.-");
    return scheme && strncmp(path + scheme, "://", 3) == 0;
}

/* Make the directory and those above it. */
static int make_path(const char *path, struct err *err)
{
    struct buf part = {0};
    int status = 0;
    for (size_t len = 1; status == 0; len++) {
        if (path[len] != '/' && path[len] != '\0')
            continue;
        buf_clear(&part);
        buf_add(&part, path, len);
        if (mkdir(buf_cstr(&part), 0700) < 0 && errno != EEXIST)
            status = err_sys(err, "make %s", buf_cstr(&part));
        if (path[len] == '\0')
            break;
    }
    buf_free(&part);
    return status;
}

/* Does a directory without a format hold anything? Only an empty one is made into a home; what
 * another process is just making is no more than these. */
static bool is_empty(int fd)
{
    int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = own < 0 ? NULL : fdopendir(own);
    bool empty = true;
    if (!dir) {
        if (own >= 0)
            close(own);
        return false;
    }
    for (struct dirent *entry; empty && (entry = readdir(dir));)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                strncmp(entry->d_name, "format", strlen("format")) == 0 ||
                strcmp(entry->d_name, "run") == 0;
    closedir(dir);
    return empty;
}

/* The file appears with its content, whoever else makes it at the same time. */
static int write_format(const struct home *home, struct err *err)
{
    char name[FORMAT_TEXT], text[FORMAT_TEXT];
    snprintf(name, sizeof name, "format.%ld", (long)getpid());
    int len = snprintf(text, sizeof text, MAGIC "%d\n", HOME_FORMAT);
    int fd = openat(home->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_sys(err, "%s: make the file format", home->path);
    bool written = write(fd, text, (size_t)len) == len && fsync(fd) == 0;
    if (close(fd) < 0 || !written) {
        err_sys(err, "%s: write the file format", home->path);
        unlinkat(home->fd, name, 0);
        return -1;
    }
    int linked = linkat(home->fd, name, home->fd, "format", 0);
    int cause = errno;
    unlinkat(home->fd, name, 0);
    errno = cause;
    if (linked < 0 && cause != EEXIST)
        return err_sys(err, "%s: make the file format", home->path);
    if (fsync(home->fd) < 0)
        return err_sys(err, "sync %s", home->path);
    return 0;
}

/* 1: it is one that this build reads; 0: there is no format; -1 with err. */
static int read_format(const struct home *home, struct err *err)
{
    char text[FORMAT_TEXT] = "";
    int fd = openat(home->fd, "format", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_sys(err, "%s: open the file format", home->path);
    ssize_t len = read(fd, text, sizeof text - 1);
    close(fd);
    if (len < 0)
        return err_sys(err, "%s: read the file format", home->path);
    size_t magic = strlen(MAGIC);
    size_t digits = strspn(text + magic, "0123456789");
    if (strncmp(text, MAGIC, magic) != 0 || !digits || digits > 9 || text[magic + digits] != '\n')
        return err_set(err, ERR_STATE, "%s: its file format is not of a state directory",
                       home->path);
    long format = strtol(text + magic, NULL, 10);
    if (format != HOME_FORMAT)
        return err_set(err, ERR_STATE,
                       "%s: a state directory of format %ld, and this build knows format %d",
                       home->path, format, HOME_FORMAT);
    return 1;
}

static int check_format(const struct home *home, struct err *err)
{
    int found = read_format(home, err);
    bool empty = found || is_empty(home->fd);
    if (!found && !empty) /* another process may just have made it */
        found = read_format(home, err);
    if (found)
        return found > 0 ? 0 : -1;
    if (!empty)
        return err_set(err, ERR_STATE,
                       "%s: not a state directory: it holds other files, and no file format",
                       home->path);
    if (write_format(home, err) < 0)
        return -1;
    return read_format(home, err) > 0 ? 0 : -1;
}

struct home *home_open(const char *path, struct err *err)
{
    if (!*path) {
        err_set(err, ERR_USAGE, "the name of the state directory is empty");
        return NULL;
    }
    if (home_is_url(path)) {
        err_set(err, ERR_USAGE, "%s: no distributed engine is built in; name a directory", path);
        return NULL;
    }
    struct home *home = mem_zalloc(sizeof *home);
    home->path = mem_strdup(path);
    home->run = -1;
    home->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (home->fd < 0 && errno == ENOENT && make_path(path, err) < 0)
        goto fail;
    if (home->fd < 0)
        home->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (home->fd < 0) {
        err_sys(err, "open the state directory %s", path);
        goto fail;
    }
    if (check_format(home, err) < 0)
        goto fail;
    if (mkdirat(home->fd, "run", 0700) < 0 && errno != EEXIST) {
        err_sys(err, "make %s/run", path);
        goto fail;
    }
    home->run = openat(home->fd, "run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (home->run < 0) {
        err_sys(err, "open %s/run", path);
        goto fail;
    }
    return home;

fail:
    home_free(home);
    return NULL;
}

void home_free(struct home *home)
{
    if (!home)
        return;
    if (home->run >= 0)
        close(home->run);
    if (home->fd >= 0)
        close(home->fd);
    free(home->path);
    free(home);
}

bool home_exists(const char *path)
{
    struct buf format = {0};
    buf_addf(&format, "%s/format", path);
    bool exists = access(buf_cstr(&format), F_OK) == 0;
    buf_free(&format);
    return exists;
}

int home_check_name(const char *name, struct err *err)
{
    struct str text = str_of(name);
    if (!text.len)
        return err_set(err, ERR_USAGE, "the name is empty");
    if (text.len > HOME_NAME)
        return err_set(err, ERR_USAGE, "the name is longer than %d bytes", HOME_NAME);
    if (!str_is_utf8(text))
        return err_set(err, ERR_USAGE, "the name is not UTF-8");
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return err_set(err, ERR_USAGE, "the name holds a control byte");
    }
    return 0;
}

static bool is_plain(struct str name)
{
    if (!name.len || name.len > PLAIN_NAME || name.data[0] == '.')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '_' || c == '-' || c == '.';
        if (!plain)
            return false;
    }
    return true;
}

const char *home_file(const char *kind, struct str name, char file[HOME_FILE])
{
    char hash[HASH_TEXT];
    if (is_plain(name))
        snprintf(file, HOME_FILE, "%.24s-%.*s", kind, (int)name.len, name.data);
    else
        snprintf(file, HOME_FILE, "%.24s=%s", kind, hash_format(hash_128(name), hash));
    return file;
}
