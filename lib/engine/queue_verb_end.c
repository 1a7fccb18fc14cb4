/* queue_verb_end.c: `queue ack` and `queue nack`: what became of events that were pulled. */
#include "base/list.h"
#include "base/mem.h"
#include "base/msg.h"
#include "base/num.h"
#include "engine/queue_verb.h"
#include "format/json.h"
#include "sys/slurp.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECEIPTS_MAX = 64 * 1024 * 1024 }; /* bytes of receipts on stdin; more are refused */

struct receipt {
    struct queue_end end; /* first */
    struct receipt *next;
    char *text;
    struct buf answer; /* a line; empty: none */
};

static struct receipts {
    struct receipt *first, **last;
    struct err err; /* of the operations */
    bool failed;
} receipts = {.last = &receipts.first};

static void ended(struct store_op *op)
{
    if (op->err && !receipts.failed)
        receipts.err = *op->err;
    receipts.failed = receipts.failed || op->err;
}

static int add_receipt(void *into, const char *word, struct err *err)
{
    const char *dash = strchr(word, '-');
    struct receipt *receipt = mem_zalloc(sizeof *receipt);
    struct buf token = {0};
    uint64_t slot = 0;
    (void)into;
    receipt->text = mem_strdup(word);
    *receipts.last = receipt;
    receipts.last = &receipt->next;
    buf_add(&token, word, dash ? (size_t)(dash - word) : 0);
    const char *reason = num_uint(buf_cstr(&token), 1, UINT64_MAX, &receipt->end.token);
    if (!reason)
        reason = num_uint(dash + 1, 0, QUEUE_LEASE_MAX, &slot);
    receipt->end.slot = (uint32_t)slot;
    buf_free(&token);
    return reason ? err_set(err, ERR_USAGE, "not a receipt") : 0;
}

static const struct option_use ack_uses[] = {
    {&queue_answering, &queue_options}, {&common_state, &queue_common}, {0}};
static const struct option_use nack_uses[] = {
    {&queue_delay, &queue_options}, {&common_state, &queue_common}, {0}};

static const struct command ack_command = {
    .name = "queue ack",
    .summary = "acknowledge events that were pulled: they are done",
    .usage = (const char *const[]){"NAME [options] [RECEIPT...]", NULL},
    .uses = ack_uses,
    .operands = OPTIONS_ANYWHERE,
    .operand = add_receipt,
};

static const struct command nack_command = {
    .name = "queue nack",
    .summary = "give back events that were pulled: they come again",
    .usage = (const char *const[]){"NAME [options] [RECEIPT...]", NULL},
    .uses = nack_uses,
    .operands = OPTIONS_ANYWHERE,
    .operand = add_receipt,
};

static void add_answer(struct receipt *receipt, struct str answer)
{
    buf_add_str(&receipt->answer, answer);
    buf_addc(&receipt->answer, '\n');
}

/* A line of pull, or the receipt alone, as JSON. */
static int read_line(struct str line, uint64_t number, struct err *err)
{
    struct json_paths *paths = json_paths_new();
    struct json_value values[3];
    struct json_scan scan;
    struct buf text = {0};
    int node = json_paths_key(paths, 0, STR("receipt"));
    int answer = json_paths_key(paths, 0, STR("answer"));
    int status = json_scan(line, paths, values, &scan);
    struct str string = json_type_of(line) == JSON_STRING ? line : values[node].text;
    if (status == 0 && (string.data == line.data || values[node].type == JSON_STRING))
        json_decode(string, &text);
    status = text.len ? add_receipt(NULL, buf_cstr(&text), err) : -1;
    if (status < 0)
        err_set(err, ERR_USAGE, "stdin:%" PRIu64 ": no receipt", number);
    else if (values[answer].text.data)
        add_answer(CONTAINER_OF(receipts.last, struct receipt, next), values[answer].text);
    buf_free(&text);
    json_paths_free(paths);
    return status;
}

static int read_stdin(struct err *err)
{
    struct buf text = {0};
    int status = slurp_fd(STDIN_FILENO, "stdin", RECEIPTS_MAX, &text, err);
    uint64_t number = 0;
    for (struct str rest = buf_str(&text); status == 0 && rest.len;) {
        const char *end = memchr(rest.data, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.data) : rest.len;
        struct str line = str_trim((struct str){rest.data, len});
        number++;
        if (line.len)
            status = read_line(line, number, err);
        len += end != NULL;
        rest = (struct str){rest.data + len, rest.len - len};
    }
    buf_free(&text);
    return status;
}

static void free_receipts(void)
{
    while (receipts.first) {
        struct receipt *receipt = receipts.first;
        receipts.first = receipt->next;
        free(receipt->text);
        buf_free(&receipt->answer);
        free(receipt);
    }
}

/* All in one commit. The exit status. */
static int end_all(struct store *store, const char *name, enum queue_verb verb)
{
    int status = EXIT_OK;
    struct str given = buf_str(&queue_options.answer);
    for (struct receipt *receipt = receipts.first; receipt; receipt = receipt->next) {
        receipt->end.own.queue = str_of(name);
        receipt->end.own.op.done = ended;
        receipt->end.delay = queue_options.push.delay;
        receipt->end.answer = receipt->answer.len ? buf_str(&receipt->answer) : given;
        receipt->end.results = receipt->end.answer.len > 0;
        queue_end(store, &receipt->end, verb);
    }
    store_flush(store);
    if (receipts.failed)
        return engine_refuse(&receipts.err);
    for (struct receipt *receipt = receipts.first; receipt; receipt = receipt->next) {
        if (receipt->end.own.op.status != STORE_LOST)
            continue;
        msg_error("%s: its lease has ended", receipt->text);
        status = EXIT_DEAD;
    }
    return status;
}

static int end_receipts(const struct command *command, enum queue_verb verb, int argc, char **argv)
{
    const char *name;
    struct err err;
    struct engine *engine = NULL;
    int status = EXIT_OK;
    queue_verb_parse(command, argc, argv, &name);
    if (!receipts.first && read_stdin(&err) < 0)
        status = engine_refuse(&err);
    struct store *store = status == EXIT_OK ? asking_open(&queue_common, &engine, &status) : NULL;
    if (store)
        status = end_all(store, name, verb);
    free_receipts();
    buf_free(&queue_options.answer);
    engine_free(engine);
    return status;
}

int queue_verb_ack(int argc, char **argv)
{
    return end_receipts(&ack_command, QUEUE_ACK, argc, argv);
}

int queue_verb_nack(int argc, char **argv)
{
    return end_receipts(&nack_command, QUEUE_NACK, argc, argv);
}
