/* showing.c: commands that only look at shared state, one line of JSON for each name. */
#include "engine/showing.h"

#include "base/mem.h"
#include "base/msg.h"
#include "engine/engine.h"
#include "engine/state_dir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct names {
    const char *wanted;
    char **items;
    size_t count;
};

static void add_name(void *owner, struct str name)
{
    struct names *names = owner;
    if (names->wanted && !str_eq(str_of(names->wanted), name))
        return;
    names->items = mem_realloc(names->items, (names->count + 1) * sizeof *names->items);
    names->items[names->count++] = mem_strndup(name.data, name.len);
}

static int by_name(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

static int describe_all(const struct showing *showing, struct home *home, struct names *names,
                        struct buf *text, struct err *err)
{
    if (showing->list(home, add_name, names, err) < 0)
        return -1;
    if (names->count)
        qsort(names->items, names->count, sizeof *names->items, by_name);
    for (size_t i = 0; i < names->count; i++) {
        if (showing->describe(home, names->items[i], text, err) < 0)
            return -1;
        buf_addc(text, '\n');
    }
    return 0;
}

static int print(struct buf *text)
{
    bool written = !text->len || fwrite(text->data, 1, text->len, stdout) == text->len;
    if (written && fflush(stdout) == 0)
        return EXIT_OK;
    msg_error("write to standard output: %s", strerror(errno));
    return EXIT_FITTING;
}

int showing_run(const struct showing *showing)
{
    struct names names = {.wanted = showing->name};
    struct buf text = {0};
    struct err err;
    struct home *home = NULL;
    int status = EXIT_FITTING;
    char *path = state_dir_path(showing->state, &err);
    if (path && home_exists(path))
        home = home_open(path, &err);
    if (!path || (!home && home_exists(path)) ||
        (home && describe_all(showing, home, &names, &text, &err) < 0))
        status = engine_refuse(&err);
    else if (showing->name && !names.count)
        msg_error("no %s of the name %s", showing->what, showing->name);
    else
        status = print(&text);
    for (size_t i = 0; i < names.count; i++)
        free(names.items[i]);
    free(names.items);
    buf_free(&text);
    home_free(home);
    free(path);
    return status;
}

void showing_begin(struct buf *line, const char *name)
{
    buf_puts(line, "{\"name\":");
    buf_add_json(line, str_of(name));
}
