/* common_http.c: the options about functions behind a URL. */
#include "engine/common_http.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/msg.h"
#include "engine/common_options.h"
#include "sys/slurp.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum id { ID_HEADER = 1, ID_HEADER_FILE, ID_CACERT, ID_CE };

static const struct option_entry entries[] = {
    {"header", 0, ID_HEADER, "FIELD", "send a function behind a URL this \"Name: value\"",
     "May be given several times. It stands in the place of the field of that name that would be "
     "sent otherwise. A command line is public: Authorization, Cookie and the like are refused "
     "here."},
    {"header-file", 0, ID_HEADER_FILE, "FILE", "the same, for secrets: a field in each line",
     "Blank lines and those that begin with # are skipped. No message, trace or dead letter shows "
     "what is in it."},
    {"cacert", 0, ID_CACERT, "FILE", "certificates to trust [the system's]",
     "In PEM form. A server whose certificate none of them has signed is never talked to."},
    {"ce", 0, ID_CE, "binary|structured", "send events as CloudEvents",
     "With binary the attributes are sent as fields and the data as body, with structured the "
     "whole as body. What is no CloudEvent is wrapped in one."},
    {0},
};

/* Takes the text over. */
static void keep(struct fn_http *http, char *header)
{
    http->headers = mem_realloc(http->headers, (http->count + 1) * sizeof *http->headers);
    http->headers[http->count++] = header;
}

static int add_header(struct fn_http *http, const char *arg, struct err *err)
{
    if (fn_http_is_secret(arg))
        return err_set(err, ERR_NOT_USABLE, "%.*s: a command line is public; use --header-file",
                       (int)strcspn(arg, ":"), arg);
    struct err cause;
    if (fn_http_check_header(arg, &cause) < 0)
        return err_set(err, ERR_NOT_USABLE, "%s", cause.text);
    keep(http, mem_strdup(arg));
    return 0;
}

/* One line of a file. */
static int add_line(struct fn_http *http, struct str line, size_t number, struct err *err)
{
    line = str_trim(line);
    if (!line.len || line.data[0] == '#')
        return 0;
    char *header = mem_strndup(line.data, line.len);
    struct err cause;
    if (strlen(header) < line.len)
        err_set(&cause, ERR_USAGE, "a NUL");
    else if (fn_http_check_header(header, &cause) == 0) {
        keep(http, header);
        return 0;
    }
    free(header);
    return err_set(err, ERR_USAGE, "line %zu: %s", number, cause.text);
}

static void warn_if_public(int fd, const char *path)
{
    struct stat about;
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_mode & (S_IRGRP | S_IROTH))
        msg_warn("--header-file: %s: others can read it (chmod 600)", path);
}

static int read_file(struct fn_http *http, const char *path, struct err *err)
{
    struct buf text = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int status =
        fd < 0 ? err_sys(err, "%s", path) : slurp_fd(fd, path, COMMON_HEADER_FILE, &text, err);
    if (status == 0)
        warn_if_public(fd, path);
    if (fd >= 0)
        close(fd);
    struct str rest = buf_str(&text);
    for (size_t number = 1; status == 0 && rest.len; number++) {
        const char *lf = memchr(rest.data, '\n', rest.len);
        size_t len = lf ? (size_t)(lf - rest.data) : rest.len;
        status = add_line(http, (struct str){rest.data, len}, number, err);
        len += lf != NULL;
        rest = (struct str){rest.data + len, rest.len - len};
    }
    if (text.len)
        explicit_bzero(text.data, text.len);
    buf_free(&text);
    return status;
}

static int set_cacert(struct fn_http *http, const char *arg, struct err *err)
{
    if (access(arg, R_OK) < 0)
        return err_sys(err, "%s", arg);
    http->cacert = arg;
    return 0;
}

static int set_ce(struct fn_http *http, const char *arg, struct err *err)
{
    static const char *const names[] = {"binary", "structured", NULL};
    int choice = options_choice(names, arg, err);
    http->ce = choice == 0 ? FN_CE_BINARY : FN_CE_STRUCTURED;
    return choice < 0 ? -1 : 0;
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    struct fn_http *http = &((struct common_options *)into)->http;
    switch ((enum id)id) {
    case ID_HEADER:
        return add_header(http, arg, err);
    case ID_HEADER_FILE:
        return read_file(http, arg, err);
    case ID_CACERT:
        return set_cacert(http, arg, err);
    case ID_CE:
        return set_ce(http, arg, err);
    }
    return err_set(err, ERR_USAGE, "not read by this command");
}

const struct option_group common_http = {"Functions behind a URL", entries, set};
