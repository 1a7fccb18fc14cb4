/* state_dump.c: `state dump` and `load`: all values as a file, and back. */
#include "engine/state_filter.h"
#include "engine/state_verb.h"

#include "base/msg.h"
#include "engine/state_record.h"
#include "format/zst.h"
#include "sys/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where a dump goes: standard output, or a new file that takes the place of an old one at the end.
 */
struct dump {
    const char *path; /* NULL: standard output */
    struct buf new_path;
    int fd;
    bool compresses;
    struct buf lines;
    uint64_t records;
};

static int open_dump(struct dump *dump, struct err *err)
{
    if (!dump->path)
        return 0;
    dump->compresses = zst_is_name(dump->path);
    buf_addf(&dump->new_path, "%s.%ld.tmp", dump->path, (long)getpid());
    dump->fd = open(buf_cstr(&dump->new_path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return dump->fd < 0 ? err_sys(err, "make %s", buf_cstr(&dump->new_path)) : 0;
}

static int flush(struct dump *dump, struct err *err)
{
    struct buf frame = {0};
    struct str bytes = buf_str(&dump->lines);
    int status = 0;
    if (!dump->path) {
        bool left = false;
        if (state_verb_print(bytes, &left) != EXIT_OK || left)
            status = err_set(err, ERR_SYSTEM, "the dump is not complete");
    } else {
        if (dump->compresses && (status = zst_frame(bytes, &frame, err)) == 0)
            bytes = buf_str(&frame);
        if (status == 0 && dir_write(dump->fd, bytes) < 0)
            status = err_sys(err, "write %s", buf_cstr(&dump->new_path));
    }
    buf_clear(&dump->lines);
    buf_free(&frame);
    return status;
}

static int add_page(struct dump *dump, const struct kv_op *op, struct err *err)
{
    for (size_t i = 0; i < op->count; i++) {
        state_record_add(&dump->lines, &op->records[i]);
        dump->records++;
        if (dump->lines.len >= ZST_FRAME && flush(dump, err) < 0)
            return -1;
    }
    return 0;
}

static int add_all(struct dump *dump, struct store *store, struct str prefix, struct err *err)
{
    struct kv_op op = {.verb = KV_LIST, .key = prefix};
    struct buf after = {0};
    int status = 0;
    do {
        enum store_status ended = state_verb_do(store, &op);
        if (ended != STORE_OK)
            status = err_set(err, ERR_STATE, "%s",
                             op.op.err ? op.op.err->text : store_status_name(ended));
        else
            status = add_page(dump, &op, err);
        if (status == 0 && op.count) {
            buf_clear(&after);
            buf_add_str(&after, op.records[op.count - 1].key);
            op.after = (struct str){buf_cstr(&after), after.len};
        }
    } while (status == 0 && op.more);
    buf_free(&after);
    kv_op_free(&op);
    return status;
}

/* The last line lets load see that the dump is whole. */
static int close_dump(struct dump *dump, struct err *err)
{
    buf_addf(&dump->lines, "{\"records\":%llu}\n", (unsigned long long)dump->records);
    if (flush(dump, err) < 0)
        return -1;
    if (!dump->path)
        return 0;
    if (fsync(dump->fd) < 0)
        return err_sys(err, "sync %s", buf_cstr(&dump->new_path));
    int fd = dump->fd;
    dump->fd = -1;
    if (close(fd) < 0)
        return err_sys(err, "close %s", buf_cstr(&dump->new_path));
    return rename(buf_cstr(&dump->new_path), dump->path) < 0
               ? err_sys(err, "rename %s to %s", buf_cstr(&dump->new_path), dump->path)
               : 0;
}

static int dump_all(struct store *store, const char *path)
{
    struct dump dump = {.path = path, .fd = -1};
    struct err err;
    int status = EXIT_OK;
    if (open_dump(&dump, &err) < 0 || (store && add_all(&dump, store, STR(""), &err) < 0) ||
        close_dump(&dump, &err) < 0) {
        msg_error("%s", err.text);
        status = EXIT_FITTING;
    }
    if (status != EXIT_OK && dump.new_path.len)
        unlink(buf_cstr(&dump.new_path));
    if (dump.fd >= 0)
        close(dump.fd);
    buf_free(&dump.new_path);
    buf_free(&dump.lines);
    return status;
}

static const struct option_use dump_uses[] = {{&common_state, &state_common}, {0}};
static const struct command dump_command = {
    .name = "state dump",
    .summary = "write all values to a file",
    .usage = (const char *const[]){"[FILE] [options]", NULL},
    .uses = dump_uses,
    .operands = OPTIONS_STOP_AT_WORD,
};

int state_dump(int argc, char **argv)
{
    struct state_words words = state_verb_parse(&dump_command, argc, argv, 0, 1, false);
    struct engine *engine = NULL;
    struct store *store = NULL;
    int status = EXIT_OK;
    if (state_verb_exists())
        store = state_verb_open(&engine, &status);
    if (status == EXIT_OK)
        status = dump_all(store, words.count ? words.words[0] : NULL);
    engine_free(engine);
    free(words.words);
    return status;
}

/* ---- load ---- */

static const struct option_use load_uses[] = {
    {&common_input, &state_common}, {&common_reporting, &state_common}, {0}};
static const struct command load_command = {
    .name = "state load",
    .summary = "put the values of a dump back",
    .usage = (const char *const[]){"[FILE] [options]", NULL},
    .uses = load_uses,
    .operands = OPTIONS_STOP_AT_WORD,
};

int state_load(int argc, char **argv)
{
    struct state_words words = state_verb_parse(&load_command, argc, argv, 0, 1, false);
    struct plan_state_settings settings = {.kind = PLAN_STATE_LOAD};
    const char *name = words.count ? words.words[0] : "stdin";
    struct err err;
    bool complete;
    int fd = words.count ? open(name, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    int status = EXIT_FITTING;
    if (fd < 0) {
        err_sys(&err, "open %s", name);
        status = engine_refuse(&err);
    } else {
        status = state_filter_lines(&settings, fd, name, &complete);
        if ((status == EXIT_OK || status == EXIT_DEAD) && !complete) {
            msg_error("%s: the dump is not whole: its last line does not say how many there are",
                      name);
            status = EXIT_FITTING;
        }
    }
    if (words.count && fd >= 0)
        close(fd);
    free(words.words);
    return status;
}
