/* test_written.c: claims about engine/written.h and written_past.h: what a process has written that
 * was killed. */
#include "engine/written.h"
#include "engine/written_past.h"

#include "base/mem.h"
#include "base/msg.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], file[80], other[80];
static struct home *home;
static struct rng rng;

static int setup(void **state)
{
    (void)state;
    struct err err;
    char path[80];
    msg_set_level(MSG_QUIET);
    snprintf(folder, sizeof folder, "/tmp/test_written.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/state", folder);
    snprintf(file, sizeof file, "%s/out", folder);
    snprintf(other, sizeof other, "%s/other out", folder);
    rng_seed(&rng, 1);
    home = home_open(path, &err);
    return home ? 0 : -1;
}

static int remove_entry(const char *name, const struct stat *stat, int kind, struct FTW *place)
{
    (void)stat;
    (void)kind;
    (void)place;
    return remove(name);
}

static int teardown(void **state)
{
    (void)state;
    home_free(home);
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

/* ---- files ---- */

static int append_to(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    return fd;
}

static void add_text(const char *path, const char *text)
{
    int fd = append_to(path);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static const char *text_of(const char *path)
{
    static char text[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = read(fd, text, sizeof text - 1);
    assert_true(got >= 0);
    text[got] = '\0';
    close(fd);
    return text;
}

/* ---- processes ---- */

struct process { /* that writes to a file */
    int fd;
    struct written *written;
};

static struct process begin(const char *path)
{
    struct process process = {.fd = append_to(path)};
    process.written = written_open(home, process.fd, &rng);
    return process;
}

static void says(struct process *process, const char *text, bool acknowledged)
{
    size_t len = strlen(text);
    assert_int_equal(write(process->fd, text, len), (ssize_t)len);
    if (acknowledged)
        written_acknowledge(process->written, len);
}

static void die(struct process *process)
{
    written_free(process->written);
    close(process->fd);
}

static void add_note(struct process *process, struct buf *notes)
{
    buf_puts(notes, notes->len ? "\n+" : "+");
    written_add_entry(process->written, notes);
}

static struct process begin_noted(struct buf *notes)
{
    struct process process = begin(file);
    add_note(&process, notes);
    return process;
}

/* And died before it could acknowledge that. */
static void one_said(const char *text, struct buf *notes)
{
    struct process process = begin_noted(notes);
    says(&process, text, false);
    die(&process);
}

static struct written_past *past_of(const struct buf *notes)
{
    return written_past_open(home, buf_str(notes));
}

#define RESTS(past, lines, rest)                                         \
    do {                                                                 \
        struct str left = written_past_rest(past, str_of(lines));        \
        assert_int_equal(left.len, strlen(rest));                        \
        assert_memory_equal(left.data ? left.data : "", rest, left.len); \
    } while (0)

/* ---- claims ---- */

static void knows_lines_that_were_written_but_not_acknowledged(void **state)
{
    (void)state;
    struct buf notes = {0};
    add_text(file, "0\n");
    struct process process = begin(file);
    says(&process, "1\n", true);
    add_note(&process, &notes);
    says(&process, "2\n3\n3\n", false);
    die(&process);
    struct written_past *past = past_of(&notes);
    RESTS(past, "2\n", "");
    RESTS(past, "", "");
    RESTS(past, "3\n", "");
    RESTS(past, "3\n4\n", "4\n"); /* a thing of several lines */
    RESTS(past, "3\n", "3\n");    /* and nothing behind it */
    written_past_free(past);
    assert_string_equal(text_of(file), "0\n1\n2\n3\n3\n");
    buf_free(&notes);
}

static void cuts_off_a_torn_line(void **state)
{
    (void)state;
    struct buf notes = {0};
    one_said("[1]\n[2", &notes);
    struct written_past *past = past_of(&notes);
    RESTS(past, "[1]\n[22]\n", "[22]\n");
    written_past_free(past);
    assert_string_equal(text_of(file), "[1]\n");
    buf_free(&notes);
}

static void leaves_a_torn_line_that_is_another(void **state)
{
    (void)state;
    struct buf notes = {0};
    one_said("[1", &notes);
    struct written_past *past = past_of(&notes);
    RESTS(past, "[2]\n", "[2]\n");
    RESTS(past, "[1]\n", "[1]\n");
    written_past_free(past);
    assert_string_equal(text_of(file), "[1");
    buf_free(&notes);
}

static void believes_no_line_of_a_later_process(void **state)
{
    (void)state;
    struct buf notes = {0};
    one_said("1\n", &notes);
    struct process next = begin(file);
    assert_non_null(next.written);
    says(&next, "2\n", true);
    struct written_past *past = past_of(&notes);
    RESTS(past, "1\n", "");
    RESTS(past, "2\n", "2\n");
    written_past_free(past);
    die(&next);
    buf_free(&notes);
}

static void mends_the_file_when_it_begins(void **state)
{
    (void)state;
    struct buf notes = {0};
    one_said("[1]\n[2", &notes);
    struct process next = begin(file);
    says(&next, "[3]\n", true);
    assert_string_equal(text_of(file), "[1]\n[3]\n");
    struct written_past *past = past_of(&notes);
    RESTS(past, "[1]\n", "");
    RESTS(past, "[2]\n", "[2]\n");
    written_past_free(past);
    die(&next);
    assert_string_equal(text_of(file), "[1]\n[3]\n");
    buf_free(&notes);
}

static void only_ends_a_last_line_that_may_be_somebodys(void **state)
{
    (void)state;
    add_text(file, "note"); /* no process of ours has written here */
    struct process process = begin(file);
    says(&process, "[1]\n[2]", false);
    die(&process);
    process = begin(file);
    die(&process);
    assert_string_equal(text_of(file), "note\n[1]\n[2]\n");
}

static void knows_nothing_of_a_file_that_two_write_to(void **state)
{
    (void)state;
    struct buf notes = {0};
    struct process first = begin(file), second = begin(file);
    assert_non_null(first.written);
    assert_null(second.written);
    add_note(&first, &notes);
    says(&second, "1\n", false);
    die(&second);
    die(&first);
    struct written_past *past = past_of(&notes);
    RESTS(past, "1\n", "1\n");
    written_past_free(past);
    buf_free(&notes);
}

static void leaves_a_torn_line_where_somebody_writes(void **state)
{
    (void)state;
    struct buf notes = {0};
    struct process process = begin_noted(&notes);
    says(&process, "[1", false);
    struct written_past *past = past_of(&notes); /* it is not dead after all */
    RESTS(past, "[1]\n", "[1]\n");
    written_past_free(past);
    assert_string_equal(text_of(file), "[1");
    die(&process);
    buf_free(&notes);
}

static void follows_one_process_after_the_other(void **state)
{
    (void)state;
    struct buf notes = {0};
    struct process first = begin(file);
    add_note(&first, &notes);
    says(&first, "1\n2\n", false);
    die(&first);
    /* The second finds 1 and 2, writes 3 and 4, and has told of 1 and 3. */
    struct process second = begin(other);
    add_note(&second, &notes);
    struct written_past *past = past_of(&notes);
    RESTS(past, "1\n", "");
    RESTS(past, "2\n", "");
    RESTS(past, "3\n", "3\n");
    written_past_free(past);
    says(&second, "3\n4\n", false);
    die(&second);
    past = past_of(&notes);
    RESTS(past, "1\n", "");
    RESTS(past, "2\n", "");
    RESTS(past, "3\n", "");
    RESTS(past, "4\n5\n", "5\n");
    written_past_free(past);
    buf_free(&notes);
}

static void goes_on_where_the_last_note_says(void **state)
{
    (void)state;
    struct buf notes = {0};
    struct process first = begin(file);
    add_note(&first, &notes);
    says(&first, "1\n1\n2\n", false);
    die(&first);
    struct written_past *past = past_of(&notes);
    RESTS(past, "1\n", "");
    buf_puts(&notes, "\n=");
    written_past_add_entries(past, &notes);
    written_past_free(past);
    past = past_of(&notes);
    RESTS(past, "1\n", "");
    RESTS(past, "1\n", "1\n");
    buf_puts(&notes, "\n=");
    written_past_add_entries(past, &notes); /* none matters any more */
    written_past_free(past);
    past = past_of(&notes);
    RESTS(past, "2\n", "2\n");
    written_past_free(past);
    buf_free(&notes);
}

static void is_not_misled_by_a_file_that_is_another_now(void **state)
{
    (void)state;
    struct buf notes = {0};
    struct process process = begin_noted(&notes);
    says(&process, "1\n", false);
    unlink(file);
    add_text(file, "1\n");
    die(&process);
    struct written_past *past = past_of(&notes);
    RESTS(past, "1\n", "1\n");
    written_past_free(past);
    buf_free(&notes);
}

static void knows_nothing_when_the_file_was_emptied(void **state)
{
    (void)state;
    struct buf notes = {0};
    struct process process = begin(file);
    says(&process, "0\n", true);
    add_note(&process, &notes);
    says(&process, "1\n", false);
    die(&process);
    assert_int_equal(truncate(file, 0), 0);
    struct process next = begin(file);
    says(&next, "1\n1\n", true);
    struct written_past *past = past_of(&notes);
    RESTS(past, "1\n", "1\n");
    written_past_free(past);
    die(&next);
    buf_free(&notes);
}

static void heeds_only_files_and_notes_that_are_well_formed(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_null(written_open(home, ends[1], &rng));
    close(ends[0]);
    close(ends[1]);
    static const char *const notes[] = {"",
                                        "+",
                                        "=",
                                        "x",
                                        "+1 2 3",
                                        "+1 2 3 4 x",
                                        "=\t\t\n\n+z\n",
                                        "+1 2 3 4 /nowhere\n=1 2 3 4 /dev/null"};
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        struct written_past *past = written_past_open(home, str_of(notes[i]));
        RESTS(past, "1\n", "1\n");
        written_past_free(past);
    }
}

static void forgets_a_file_when_all_is_said(void **state)
{
    (void)state;
    struct buf notes = {0};
    struct process process = begin_noted(&notes);
    says(&process, "1\n", false);
    written_end(process.written, home);
    die(&process);
    struct written_past *past = past_of(&notes);
    RESTS(past, "1\n", "1\n");
    written_past_free(past);
    /* not what another one has begun meanwhile */
    buf_clear(&notes);
    process = begin(file);
    add_note(&process, &notes);
    says(&process, "1\n", false);
    struct process next = {.fd = append_to(file)};
    assert_null(written_open(home, next.fd, &rng));
    written_end(process.written, home);
    die(&process);
    close(next.fd);
    past = past_of(&notes);
    RESTS(past, "1\n", "");
    written_past_free(past);
    buf_free(&notes);
}

static void forgets_the_oldest_of_many_sessions(void **state)
{
    (void)state;
    enum { MANY = 100 };
    struct buf first = {0}, late = {0};
    for (int i = 0; i < MANY; i++) {
        struct process process = begin(file);
        if (i == 0)
            add_note(&process, &first);
        if (i == MANY - 2)
            add_note(&process, &late);
        says(&process, "1\n", false);
        die(&process);
    }
    struct written_past *past = past_of(&first);
    RESTS(past, "1\n", "1\n");
    written_past_free(past);
    past = past_of(&late);
    RESTS(past, "1\n", "");
    RESTS(past, "1\n", "1\n");
    written_past_free(past);
    buf_free(&first);
    buf_free(&late);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(knows_lines_that_were_written_but_not_acknowledged),
        CLAIM(cuts_off_a_torn_line),
        CLAIM(leaves_a_torn_line_that_is_another),
        CLAIM(believes_no_line_of_a_later_process),
        CLAIM(mends_the_file_when_it_begins),
        CLAIM(only_ends_a_last_line_that_may_be_somebodys),
        CLAIM(knows_nothing_of_a_file_that_two_write_to),
        CLAIM(leaves_a_torn_line_where_somebody_writes),
        CLAIM(follows_one_process_after_the_other),
        CLAIM(goes_on_where_the_last_note_says),
        CLAIM(is_not_misled_by_a_file_that_is_another_now),
        CLAIM(knows_nothing_when_the_file_was_emptied),
        CLAIM(heeds_only_files_and_notes_that_are_well_formed),
        CLAIM(forgets_a_file_when_all_is_said),
        CLAIM(forgets_the_oldest_of_many_sessions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
