/*
 * fn_script.h: a function that runs a script in the scratch folder, and a few calls of it, each of
 * which ends at most once.
 */
#ifndef FIT_TESTS_FN_SCRIPT_H
#define FIT_TESTS_FN_SCRIPT_H

#include "fn_world.h"

#include "base/buf.h"

#include <fcntl.h>
#include <string.h>

enum { CALLS = 4 };

struct
try {
    struct fn_call call; /* first */
    unsigned ended;      /* how often done was called */
    struct buf lines;
    enum failure_reason reason; /* FAILURE_REASONS: success */
    unsigned attempts;
};

static struct fn *fn;
static struct try tries[CALLS];
static bool closed;
static unsigned seen;                /* attempts that were reported */
static const char *script_head = ""; /* what all scripts begin with */

static int script_set_up(void **state)
{
    if (world_make(state) < 0)
        return -1;
    closed = false;
    seen = 0;
    memset(tries, 0, sizeof tries);
    return 0;
}

static void script_free(void)
{
    for (size_t i = 0; i < CALLS; i++)
        buf_free(&tries[i].lines);
    fn_free(fn);
    fn = NULL;
}

/* ---- files of the scratch folder ---- */

/* Its text, "" as long as it is not there. */
static const char *text_of(const char *name)
{
    static char text[4096];
    char path[128];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[got > 0 ? got : 0] = '\0';
    return text;
}

static unsigned lines_of(const char *name)
{
    unsigned lines = 0;
    for (const char *at = text_of(name); *at; at++)
        lines += *at == '\n';
    return lines;
}

/* The scripts wait for files. */
static void make(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    assert_true(close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) == 0);
}

static void write_script(const char *script)
{
    char path[128];
    snprintf(path, sizeof path, "%s/script", scratch);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out, "#!/bin/sh\ncd '%s'\n%s%s\n", scratch, script_head, script);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(path, 0700), 0);
}

/* A function of that scheme. */
static void open_script(const char *scheme, const char *script)
{
    char name[160];
    write_script(script);
    snprintf(name, sizeof name, "%s%s/script", scheme, scratch);
    char *words[] = {name, NULL};
    fn = fn_open(&context, &settings, words, 1, &err);
    if (!fn)
        fail_msg("%s", err.text);
}

/* ---- calls ---- */

static void done(struct fn_call *call)
{
    struct try *try = (struct try *)(void *)call;
    try->ended++;
    try->reason = call->failure ? call->failure->reason : FAILURE_REASONS;
    try->attempts = call->attempts;
    buf_add_str(&try->lines, slice_str(call->lines));
    slice_drop(&call->lines);
    failure_free(call->failure);
    slice_drop(&call->event);
    memset(&call->event, 0xff, sizeof call->event); /* the struct is the caller's again */
}

/* The event is its number. */
static void begin(size_t i)
{
    char event[16];
    snprintf(event, sizeof event, "%zu", i);
    tries[i].call = (struct fn_call){
        .event = slice_dup(str_of(event)), .id = STR("id"), .scope = STR("part"), .done = done};
    fn_call(fn, &tries[i].call);
}

static void expect(size_t i, const char *lines)
{
    assert_int_equal(tries[i].ended, 1);
    assert_int_equal(tries[i].reason, FAILURE_REASONS);
    assert_string_equal(buf_cstr(&tries[i].lines), lines);
}

static bool first_ended(void)
{
    return tries[0].ended;
}

static bool second_ended(void)
{
    return tries[1].ended;
}

static inline bool third_ended(void)
{
    return tries[2].ended;
}

static bool has_begun(void)
{
    return lines_of("begun") > 0;
}

static void note_closed(void *owner)
{
    (void)owner;
    assert_false(closed);
    closed = true;
}

static bool has_closed(void)
{
    return closed;
}

static void close_it(void)
{
    closed = false; /* which another function may have set */
    fn_close(fn, note_closed, NULL);
    until(has_closed);
    assert_int_equal(fn_workers(fn).running, 0);
    for (size_t i = 0; i < CALLS; i++)
        assert_true(tries[i].ended <= 1);
}

#endif
