/* inputs.c: several inputs of lines that are read at once. */
#include "engine/inputs.h"

#include "base/mem.h"
#include "base/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

const char inputs_stdin[] = "stdin";

enum { INPUTS_SPARE = 64 }; /* descriptors that are left for other things */

/* ---- opening ---- */

struct opening {
    struct loop *loop;
    const char *const *paths;
    size_t count;
    size_t max_event;
    struct source **lines; /* NULL: not opened yet */
    struct stat *infos;
    struct stat output;
};

static bool is_stdin(const char *path)
{
    return strcmp(path, "-") == 0;
}

static void raise_limit(size_t count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= count + INPUTS_SPARE)
        return;
    limit.rlim_cur =
        limit.rlim_max < count + INPUTS_SPARE ? limit.rlim_max : (rlim_t)(count + INPUTS_SPARE);
    setrlimit(RLIMIT_NOFILE, &limit); /* if it is refused opening says so */
}

static int refuse(struct err *err, const char *path)
{
    if (errno != EMFILE)
        return err_sys(err, "open %s", path);
    return err_set(err, ERR_LIMIT, "open %s: too many inputs for the limit of open files", path);
}

static int look(struct opening *opening, size_t i, struct err *err)
{
    const char *path = opening->paths[i];
    struct stat *info = &opening->infos[i];
    if (is_stdin(path) ? fstat(STDIN_FILENO, info) : stat(path, info)) /* the fd is held open */
        return err_sys(err, "open %s", path);
    if (S_ISDIR(info->st_mode)) {
        errno = EISDIR;
        return err_sys(err, "read %s", path);
    }
    const struct stat *output = &opening->output;
    if (S_ISREG(info->st_mode) && S_ISREG(output->st_mode) && info->st_dev == output->st_dev &&
        info->st_ino == output->st_ino)
        return err_set(err, ERR_INPUT, "%s: input file is output file", path);
    return 0;
}

static int open_input(struct opening *opening, size_t i, struct err *err)
{
    const char *path = opening->paths[i];
    size_t max_event = opening->max_event;
    if (is_stdin(path)) {
        opening->lines[i] = source_lines(opening->loop, STDIN_FILENO, inputs_stdin, max_event, err);
        return opening->lines[i] ? 0 : -1;
    }
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return refuse(err, path);
    opening->lines[i] = source_lines_take(opening->loop, fd, path, max_event, err);
    return opening->lines[i] ? 0 : -1;
}

struct stream_name {
    dev_t dev;
    ino_t ino;
    const char *path;
};

static int by_file(const void *left, const void *right)
{
    const struct stream_name *a = left, *b = right;
    if (a->dev != b->dev)
        return a->dev < b->dev ? -1 : 1;
    return (a->ino > b->ino) - (a->ino < b->ino);
}

/* Of a regular file each reader has its own place, but for stdin; a terminal gives whole lines. */
static bool is_shared(const struct opening *opening, size_t i)
{
    mode_t mode = opening->infos[i].st_mode;
    return S_ISFIFO(mode) || S_ISSOCK(mode);
}

static int refuse_twins(const struct opening *opening, struct err *err)
{
    struct stream_name *names = mem_array(opening->count, sizeof *names);
    const char *twin = NULL;
    size_t count = 0, stdins = 0;
    for (size_t i = 0; i < opening->count; i++) {
        const char *path = opening->paths[i];
        const struct stat *info = &opening->infos[i];
        if (is_stdin(path) && stdins++)
            twin = path;
        if (is_shared(opening, i))
            names[count++] = (struct stream_name){info->st_dev, info->st_ino, path};
    }
    qsort(names, count, sizeof *names, by_file);
    for (size_t i = 1; i < count && !twin; i++)
        twin = by_file(&names[i - 1], &names[i]) == 0 ? names[i].path : NULL;
    free(names);
    return twin ? err_set(err, ERR_INPUT, "%s: the same stream twice", twin) : 0;
}

/* FIFOs come last: one that is closed again, because another input cannot be opened, breaks who
 * writes to it. */
static int open_all(struct opening *opening, struct err *err)
{
    for (size_t i = 0; i < opening->count; i++) {
        if (look(opening, i, err) < 0)
            return -1;
    }
    if (refuse_twins(opening, err) < 0)
        return -1;
    for (int fifos = 0; fifos <= 1; fifos++) {
        for (size_t i = 0; i < opening->count; i++) {
            if (S_ISFIFO(opening->infos[i].st_mode) == (bool)fifos &&
                open_input(opening, i, err) < 0)
                return -1;
        }
    }
    return 0;
}

static void close_all(struct source **lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (lines[i])
            lines[i]->free(lines[i]);
    }
    free(lines);
}

struct source **inputs_open(struct loop *loop, const char *const *paths, size_t *count,
                            size_t max_event, struct err *err)
{
    static const char *const none[] = {"-"};
    struct opening opening = {
        .loop = loop, .paths = *count ? paths : none, .count = *count, .max_event = max_event};
    if (!*count)
        *count = opening.count = 1;
    if (fstat(STDOUT_FILENO, &opening.output) < 0)
        opening.output.st_mode = 0; /* closed: writing to it says so */
    opening.lines = mem_array(*count, sizeof(struct source *));
    opening.infos = mem_array(*count, sizeof *opening.infos);
    raise_limit(*count);
    int status = open_all(&opening, err);
    free(opening.infos);
    if (status == 0)
        return opening.lines;
    close_all(opening.lines, *count);
    return NULL;
}

/* ---- reading ---- */

static void ready(void *owner)
{
    struct input *input = owner;
    input->inputs->ready(input->inputs, input);
}

void inputs_init(struct inputs *inputs, struct source *const *lines, size_t count)
{
    inputs->all = mem_array(count, sizeof *inputs->all);
    inputs->count = inputs->open = count;
    for (size_t i = 0; i < count; i++) {
        inputs->all[i] =
            (struct input){.inputs = inputs, .lines = lines[i], .name = lines[i]->name};
        lines[i]->ready = ready;
        lines[i]->owner = &inputs->all[i];
    }
}

void inputs_free(struct inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++) {
        struct source *lines = inputs->all[i].lines;
        if (lines)
            lines->free(lines);
    }
    free(inputs->all);
}

void inputs_stop(struct inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++) {
        struct source *lines = inputs->all[i].lines;
        if (lines)
            lines->stop(lines);
    }
}

/* Its descriptor and its block are given back: there may be thousands of inputs. */
static void end(struct inputs *inputs, struct input *input)
{
    uint64_t read, all;
    input->lines->extent(input->lines, &read, &all);
    inputs->read += read;
    inputs->known += all;
    inputs->endless = inputs->endless || !all;
    inputs->open--;
    input->lines->free(input->lines);
    input->lines = NULL;
}

enum source_status input_next(struct input *input, struct source_event *event)
{
    struct inputs *inputs = input->inputs;
    struct err err;
    enum source_status status = input->lines->next(input->lines, event, &err);
    event->origin = input->name;
    if (status == SOURCE_FAILED) {
        msg_error("%s", err.text);
        inputs->failed++;
        status = SOURCE_END;
    }
    if (status == SOURCE_END)
        end(inputs, input);
    return status;
}

enum source_status inputs_end(const struct inputs *inputs, struct err *err)
{
    if (!inputs->failed)
        return SOURCE_END;
    err_set(err, ERR_INPUT, "%zu of %zu inputs could not be read to the end", inputs->failed,
            inputs->count);
    return SOURCE_FAILED;
}

void inputs_extent(const struct inputs *inputs, uint64_t *read, uint64_t *all)
{
    bool endless = inputs->endless;
    *read = inputs->read;
    *all = inputs->known;
    for (size_t i = 0; i < inputs->count; i++) {
        const struct input *input = &inputs->all[i];
        uint64_t some = 0, most = 0;
        if (input->lines)
            input->lines->extent(input->lines, &some, &most);
        *read += some;
        *all += most;
        endless = endless || (input->lines && !most);
    }
    if (endless)
        *all = 0;
}
