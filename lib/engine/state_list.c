/* state_list.c: `state list` and `watch`: keys that begin with a prefix, and their changes. */
#include "engine/state_verb.h"

#include "base/list.h"
#include "base/msg.h"
#include "engine/state_record.h"
#include "state/kv_watch.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- list ---- */

/* Page by page: a slow reader holds no snapshot of the store. */
static int list_keys(struct store *store, struct str prefix)
{
    struct kv_op op = {.verb = KV_LIST, .key = prefix};
    struct buf lines = {0}, after = {0};
    int status = EXIT_OK;
    bool left = false;
    do {
        enum store_status ended = state_verb_do(store, &op);
        if (ended != STORE_OK) {
            status = state_verb_failed("list", ended, op.op.err);
            break;
        }
        buf_clear(&lines);
        for (size_t i = 0; i < op.count; i++) {
            if (!state_options.keys) {
                state_record_add(&lines, &op.records[i]);
                continue;
            }
            state_record_add_key(&lines, op.records[i].key);
            buf_addc(&lines, '\n');
        }
        if (op.count) {
            buf_clear(&after);
            buf_add_str(&after, op.records[op.count - 1].key);
            op.after = (struct str){buf_cstr(&after), after.len};
        }
        status = state_verb_print(buf_str(&lines), &left);
    } while (op.more && status == EXIT_OK && !left);
    buf_free(&lines);
    buf_free(&after);
    kv_op_free(&op);
    return status;
}

static const struct option_use list_uses[] = {
    {&state_listing, &state_options}, {&common_state, &state_common}, {0}};
static const struct command list_command = {
    .name = "state list",
    .summary = "list the values whose keys begin so",
    .usage = (const char *const[]){"[PREFIX] [options]", NULL},
    .uses = list_uses,
    .operands = OPTIONS_STOP_AT_WORD,
};

int state_list(int argc, char **argv)
{
    struct state_words words = state_verb_parse(&list_command, argc, argv, 0, 1, false);
    struct engine *engine = NULL;
    int status = EXIT_OK;
    if (state_verb_exists()) {
        struct store *store = state_verb_open(&engine, &status);
        if (store)
            status = list_keys(store, words.count ? str_of(words.words[0]) : STR(""));
    }
    engine_free(engine);
    free(words.words);
    return status;
}

/* ---- watch ---- */

struct watching {
    struct loop *loop;
    struct loop_fd out; /* whether its reader has left */
    struct loop_idle idle;
    struct buf lines;
    int status;
};

static void end(struct watching *watching, int status)
{
    watching->status = status;
    loop_stop(watching->loop);
}

static void write_lines(struct watching *watching)
{
    bool left = false;
    int status = state_verb_print(buf_str(&watching->lines), &left);
    buf_clear(&watching->lines);
    if (left || status != EXIT_OK)
        end(watching, status);
}

static void before_sleep(struct loop_idle *idle)
{
    struct watching *watching = CONTAINER_OF(idle, struct watching, idle);
    if (watching->lines.len)
        write_lines(watching);
}

static void changed(void *owner, const struct kv_record *record)
{
    enum { ENOUGH = 64 * 1024 };
    struct watching *watching = owner;
    state_record_add(&watching->lines, record);
    if (watching->lines.len >= ENOUGH)
        write_lines(watching);
}

static void resync(void *owner, uint64_t version)
{
    struct watching *watching = owner;
    buf_addf(&watching->lines, "{\"resync\":true,\"version\":%llu}\n", (unsigned long long)version);
    msg_warn("watch: changes before version %llu are not known any more: list again",
             (unsigned long long)version);
}

static void failed(void *owner, const struct err *err)
{
    msg_error("watch: %s", err->text);
    end(owner, EXIT_FITTING);
}

static void reader_left(struct loop_fd *watch, uint32_t events)
{
    (void)events;
    end(CONTAINER_OF(watch, struct watching, out), EXIT_OK);
}

static void signalled(void *context, int signo)
{
    end(context, EXIT_SIGNALLED + signo);
}

static int watch_keys(struct store *store, struct str prefix)
{
    static const struct kv_watch_calls calls = {changed, resync, failed};
    struct watching watching = {.loop = store_loop(store), .out.ready = reader_left};
    struct err err;
    watching.idle.run = before_sleep;
    struct kv_watch *watch =
        kv_watch_open(store, prefix, state_options.since, &calls, &watching, &err);
    if (!watch)
        return engine_refuse(&err);
    loop_fd_add(watching.loop, &watching.out, STDOUT_FILENO, EPOLLERR); /* not of a file */
    loop_idle_add(watching.loop, &watching.idle);
    loop_signal(watching.loop, SIGTERM, signalled, &watching);
    loop_signal(watching.loop, SIGINT, signalled, &watching);
    if (loop_run(watching.loop, &err) < 0)
        watching.status = engine_refuse(&err);
    if (watching.lines.len && watching.status > EXIT_SIGNALLED)
        state_verb_print(buf_str(&watching.lines), NULL);
    loop_idle_remove(watching.loop, &watching.idle);
    loop_fd_remove(watching.loop, &watching.out);
    kv_watch_free(watch);
    buf_free(&watching.lines);
    return watching.status;
}

static const struct option_use watch_uses[] = {
    {&state_watching, &state_options}, {&common_state, &state_common}, {0}};
static const struct command watch_command = {
    .name = "state watch",
    .summary = "print each write as it comes",
    .usage = (const char *const[]){"[PREFIX] [options]", NULL},
    .uses = watch_uses,
    .operands = OPTIONS_STOP_AT_WORD,
};

int state_watch(int argc, char **argv)
{
    struct state_words words = state_verb_parse(&watch_command, argc, argv, 0, 1, false);
    struct engine *engine = NULL;
    int status;
    struct store *store = state_verb_open(&engine, &status);
    if (store)
        status = watch_keys(store, words.count ? str_of(words.words[0]) : STR(""));
    engine_free(engine);
    free(words.words);
    return status;
}
