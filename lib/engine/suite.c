/* suite.c: the fittings that are installed, as a folder shows them. */
#include "engine/suite.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "sys/spawn.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The folder beside the one that holds the running program, if there is one; else NULL. */
static char *beside_program(const char *folder)
{
    char program[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    if (len <= 0)
        return NULL;
    program[len] = 0;
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(program, '/');
        if (!slash)
            return NULL;
        *slash = 0;
    }
    struct buf path = {0};
    buf_addf(&path, "%s/%s", program, folder);
    struct stat status;
    if (stat(buf_cstr(&path), &status) == 0 && S_ISDIR(status.st_mode))
        return buf_take(&path);
    buf_free(&path);
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    const struct suite_command *left = a, *right = b;
    return strcmp(left->name, right->name);
}

static int by_purpose(const void *a, const void *b)
{
    const struct suite_command *left = a, *right = b;
    if (!*left->purpose != !*right->purpose)
        return *left->purpose ? -1 : 1; /* those that say none come last */
    int order = strcmp(left->purpose, right->purpose);
    return order ? order : by_name(a, b);
}

static bool is_command(int folder, const char *name)
{
    struct stat status;
    return name[0] != '.' && !strchr(name, '/') && fstatat(folder, name, &status, 0) == 0 &&
           S_ISREG(status.st_mode) && faccessat(folder, name, X_OK, 0) == 0;
}

int suite_open(struct suite *suite, const char *exec_path, struct err *err)
{
    *suite = (struct suite){0};
    suite->exec_path =
        exec_path && *exec_path ? mem_strdup(exec_path) : beside_program("libexec/fittings");
    if (!suite->exec_path) /* of a command that stands there itself */
        suite->exec_path = beside_program("fittings");
    if (!suite->exec_path)
        suite->exec_path = mem_strdup(FIT_LIBEXECDIR);
    DIR *folder = opendir(suite->exec_path);
    if (!folder)
        return err_set(err, ERR_NOT_FOUND, "open %s: %s", suite->exec_path, strerror(errno));
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        if (!is_command(dirfd(folder), entry->d_name))
            continue;
        suite->commands =
            mem_realloc(suite->commands, (suite->count + 1) * sizeof *suite->commands);
        suite->commands[suite->count++] = (struct suite_command){
            .name = mem_strdup(entry->d_name),
            .purpose = mem_strdup(""),
            .summary = mem_strdup(""),
        };
    }
    closedir(folder);
    if (suite->count)
        qsort(suite->commands, suite->count, sizeof *suite->commands, by_name);
    return 0;
}

void suite_close(struct suite *suite)
{
    for (size_t i = 0; i < suite->count; i++) {
        free(suite->commands[i].name);
        free(suite->commands[i].purpose);
        free(suite->commands[i].summary);
    }
    free(suite->commands);
    free(suite->exec_path);
    *suite = (struct suite){0};
}

char *suite_find(const struct suite *suite, const char *name)
{
    for (size_t i = 0; i < suite->count; i++) {
        if (strcmp(suite->commands[i].name, name) == 0) {
            struct buf path = {0};
            buf_addf(&path, "%s/%s", suite->exec_path, name);
            return buf_take(&path);
        }
    }
    return NULL;
}

const char *suite_nearest(const struct suite *suite, const char *name)
{
    const char *best = NULL;
    size_t best_distance = strlen(name) / 3 + 2;
    for (size_t i = 0; i < suite->count; i++) {
        size_t distance = str_distance(name, suite->commands[i].name);
        if (distance < best_distance) {
            best = suite->commands[i].name;
            best_distance = distance;
        }
    }
    return best;
}

/* What comes out of the descriptor until its end, the limit or the deadline. */
static void read_all(int fd, struct buf *text)
{
    int64_t deadline = clock_now() + SUITE_SUMMARY_WAIT * INT64_C(1000000);
    while (text->len < SUITE_SUMMARY_MAX) {
        int64_t left = (deadline - clock_now()) / 1000000;
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        int ready = left > 0 ? poll(&readable, 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return;
        buf_reserve(text, SUITE_SUMMARY_MAX);
        ssize_t got = read(fd, text->data + text->len, SUITE_SUMMARY_MAX - text->len);
        if (got <= 0)
            return;
        text->len += (size_t)got;
    }
}

/* "purpose TAB summary LF", said by the command itself; -1 when it does not say it so. */
static int ask(const char *path, const char *name, char *const *environment, struct buf *text)
{
    char *argv[] = {mem_strdup(name), mem_strdup("--dump-options=summary"), NULL};
    struct spawn_spec spec = {.path = path, .argv = argv, .envp = environment, .fds = {-1, -1, -1}};
    struct err err;
    int ends[2], status = -1;
    if (spawn_pipe(ends, 0, 0) == 0) {
        spec.fds[1] = ends[1];
        pid_t pid = spawn_process(&spec, &err);
        close(ends[1]);
        if (pid > 0) {
            read_all(ends[0], text);
            spawn_signal_tree(pid, SIGKILL); /* one that hangs; the others have ended */
            while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                continue;
        }
        close(ends[0]);
    }
    free(argv[0]);
    free(argv[1]);
    return text->len && text->data[text->len - 1] == '\n' && memchr(text->data, '\t', text->len)
               ? 0
               : -1;
}

void suite_summarise(struct suite *suite, char *const *environment)
{
    for (size_t i = 0; i < suite->count; i++) {
        struct suite_command *command = &suite->commands[i];
        char *path = suite_find(suite, command->name);
        struct buf text = {0};
        if (ask(path, command->name, environment, &text) == 0) {
            const char *tab = memchr(text.data, '\t', text.len);
            size_t purpose = (size_t)(tab - text.data);
            free(command->purpose);
            free(command->summary);
            command->purpose = mem_strndup(text.data, purpose);
            command->summary = mem_strndup(tab + 1, text.len - purpose - 2);
        }
        buf_free(&text);
        free(path);
    }
    if (suite->count)
        qsort(suite->commands, suite->count, sizeof *suite->commands, by_purpose);
}

char *suite_page(const char *name)
{
    if (strchr(name, '/') || name[0] == '.')
        return NULL;
    char *folder = beside_program("share/man");
    struct buf path = {0};
    char *found = NULL;
    for (const char *section = "157"; *section && !found; section++) {
        buf_clear(&path);
        buf_addf(&path, "%s/man%c/%s.%c", folder ? folder : FIT_MANDIR, *section, name, *section);
        if (access(buf_cstr(&path), R_OK) == 0)
            found = buf_take(&path);
    }
    buf_free(&path);
    free(folder);
    return found;
}
