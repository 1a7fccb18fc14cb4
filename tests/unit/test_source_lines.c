/* test_source_lines.c: what the lines of a descriptor promise beyond what the commands show. */
#include "engine/source.h"

#include "base/block.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAX_EVENT = 1024, PATIENCE = 20 };

static struct loop *loop;
static struct err err;

/* A terminal's two ends: what is typed is written into master. */
static int master, slave;

static void open_terminal(void)
{
    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0)
        skip();
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(slave >= 0);
}

static void is_ready(void *owner)
{
    (void)owner;
    loop_stop(loop);
}

/* What comes next, however long it takes. */
static enum source_status next(struct source *source, struct source_event *event)
{
    enum source_status status;
    while ((status = source->next(source, event, &err)) == SOURCE_LATER)
        assert_int_equal(loop_run(loop, &err), 0);
    return status;
}

static void ends_with_the_first_end_that_is_typed(const char *typed, unsigned events)
{
    struct source_event event;
    open_terminal();
    struct source *source = source_lines(loop, slave, "stdin", MAX_EVENT, &err);
    assert_non_null(source);
    source->ready = is_ready;
    assert_int_equal(write(master, typed, strlen(typed)), strlen(typed));
    alarm(PATIENCE);
    for (unsigned i = 0; i < events; i++) {
        assert_int_equal(next(source, &event), SOURCE_EVENT);
        slice_drop(&event.bytes);
    }
    assert_int_equal(next(source, &event), SOURCE_END);
    alarm(0);
    source->free(source);
    close(slave);
    close(master);
}

static void ends_with_the_first_end_that_is_typed_before_a_line(void **state)
{
    (void)state;
    ends_with_the_first_end_that_is_typed("\004", 0);
}

static void ends_with_the_first_end_that_is_typed_behind_a_line(void **state)
{
    (void)state;
    ends_with_the_first_end_that_is_typed("1\n\004", 1);
}

static int set_up(void **state)
{
    (void)state;
    loop = loop_new(&err);
    return loop ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    loop_free(loop);
    block_drop_kept();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_with_the_first_end_that_is_typed_before_a_line),
        cmocka_unit_test(ends_with_the_first_end_that_is_typed_behind_a_line),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
