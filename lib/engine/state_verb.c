/* state_verb.c: what the verbs of `state` share: options, the store, and waiting for an answer. */
#include "engine/state_verb.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/msg.h"
#include "base/num.h"
#include "engine/state_dir.h"
#include "state/home.h"
#include "sys/slurp.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct common_options state_common;
struct state_options state_options = {.since = KV_NOW};

/* ---- options ---- */

enum id {
    ID_TTL,
    ID_RECEIPT,
    ID_DEFAULT,
    ID_RECORD,
    ID_KEYS,
    ID_SINCE,
    ID_WAIT,
    ID_KEY,
    ID_PREFIX,
    ID_INTO,
};

static int set(void *into, int id, const char *arg, struct err *err)
{
    struct state_options *options = into;
    int status = 0;
    switch ((enum id)id) {
    case ID_TTL:
        status = options_check(num_duration(arg, &options->ttl), err);
        return status == 0 && options->ttl == 0 ? err_set(err, ERR_USAGE, "must not be 0") : status;
    case ID_RECEIPT:
        options->receipt = true;
        return 0;
    case ID_DEFAULT:
        options->otherwise = arg;
        return 0;
    case ID_RECORD:
        options->record = true;
        return 0;
    case ID_KEYS:
        options->keys = true;
        return 0;
    case ID_SINCE:
        return options_check(num_uint(arg, 0, KV_NOW - 1, &options->since), err);
    case ID_WAIT:
        return options_check(num_duration(arg, &options->wait), err);
    case ID_KEY:
        options->key = arg;
        return 0;
    case ID_PREFIX:
        options->prefix = arg;
        return 0;
    case ID_INTO:
        options->into = arg;
        return str_is_utf8(str_of(arg)) ? 0 : err_set(err, ERR_USAGE, "not UTF-8");
    }
    return 0;
}

static const struct option_entry writing_entries[] = {
    {"ttl", 0, ID_TTL, "DUR", "the value is gone after this long [never]",
     "Its end is a time of day that is stored with it. Without the option incr, merge and update "
     "keep the one that is there, and other writes leave none."},
    {0},
};
const struct option_group state_writing = {"Writing values", writing_entries, set};

static const struct option_entry receipt_entries[] = {
    {"receipt", 0, ID_RECEIPT, NULL, "print the version that was written", NULL},
    {0},
};
const struct option_group state_receipts = {"Receipts", receipt_entries, set};

static const struct option_entry answering_entries[] = {
    {"default", 0, ID_DEFAULT, "JSON", "the value of a key that has none", NULL},
    {"record", 0, ID_RECORD, NULL, "print key, version and end with the value", NULL},
    {0},
};
const struct option_group state_answering = {"Reading values", answering_entries, set};

static const struct option_entry listing_entries[] = {
    {"keys", 0, ID_KEYS, NULL, "print only the keys, as JSON strings", NULL},
    {0},
};
const struct option_group state_listing = {"Listing", listing_entries, set};

static const struct option_entry watching_entries[] = {
    {"since", 0, ID_SINCE, "VERSION", "changes after that version [from now on]", NULL},
    {0},
};
const struct option_group state_watching = {"Watching", watching_entries, set};

static const struct option_entry locking_entries[] = {
    {"wait", 0, ID_WAIT, "DUR", "wait so long for a lock that is taken [0]", NULL},
    {0},
};
const struct option_group state_locking = {"Locking", locking_entries, set};

static const struct option_entry keying_entries[] = {
    {"key", 0, ID_KEY, "JQ", "read events from standard input; this is their key",
     "A string is taken as it is, another value as its JSON text; null and no value are failures "
     "of the event."},
    {"prefix", 0, ID_PREFIX, "TEXT", "what stands before each key [seen: seen/]", NULL},
    {0},
};
const struct option_group state_keying = {"Filtering", keying_entries, set};

static const struct option_entry enriching_entries[] = {
    {"into", 0, ID_INTO, "NAME", "with --key: put the value into that member",
     "An event whose key has no value stays as it is. Without this option the value itself is the "
     "result."},
    {0},
};
const struct option_group state_enriching = {"Enriching", enriching_entries, set};

/* ---- the command line ---- */

static bool is_option(const char *word)
{
    return word[0] == '-' && (isalpha((unsigned char)word[1]) || word[1] == '-');
}

/* Read options from there on. Where the next operand stands; *operands_only: none follow. */
static int take_options(const struct command *command, int argc, char **argv, int at,
                        bool *operands_only)
{
    char *before = argv[at - 1];
    argv[at - 1] = argv[0];
    struct options_words words = options_parse(command, argc - at + 1, argv + at - 1);
    argv[at - 1] = before;
    *operands_only = words.separated;
    return argc - (int)words.count;
}

struct state_words state_verb_parse(const struct command *command, int argc, char **argv,
                                    size_t least, size_t most, bool takes_command)
{
    struct state_words words = {.words = mem_array((size_t)argc, sizeof(char *))};
    bool operands_only = false;
    common_options_init(&state_common);
    take_options(command, 1, argv, 1, &operands_only);
    for (int at = 1; at < argc;) {
        if (!operands_only && is_option(argv[at])) {
            at = take_options(command, argc, argv, at, &operands_only);
        } else if (words.count < most) {
            words.words[words.count++] = argv[at++];
        } else if (takes_command) {
            words.rest = argv + at;
            words.rest_count = (size_t)(argc - at);
            break;
        } else {
            options_fail(command, "one operand too many: '%s'", argv[at]);
        }
    }
    if (words.count < least)
        options_fail(command, "%s", words.count ? "an operand is missing" : "no operand");
    if (takes_command && !words.rest_count)
        options_fail(command, "no command");
    return words;
}

bool state_verb_is_filter(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--key") == 0 || strncmp(argv[i], "--key=", strlen("--key=")) == 0)
            return true;
    }
    return false;
}

/* ---- the store ---- */

bool state_verb_exists(void)
{
    struct err err;
    char *path = state_dir_path(state_common.state, &err);
    bool exists = path && (home_is_url(path) || home_exists(path));
    free(path);
    return exists;
}

struct store *state_verb_open(struct engine **engine, int *status)
{
    struct err err;
    state_common.no_letters = true;
    *engine = engine_new(&state_common, &err);
    struct store *store = *engine ? engine_store(*engine, &err) : NULL;
    if (store)
        return store;
    *status = engine_refuse(&err);
    engine_free(*engine);
    *engine = NULL;
    return NULL;
}

struct wait {
    struct loop *loop;
    bool done;
    struct err err;
};

static void answered(struct store_op *op)
{
    struct wait *wait = op->owner;
    wait->done = true;
    if (op->err) {
        wait->err = *op->err;
        op->err = &wait->err;
    }
    loop_stop(wait->loop);
}

enum store_status state_verb_do(struct store *store, struct kv_op *op)
{
    static struct wait wait; /* its error is looked at after this call */
    struct err err;
    wait = (struct wait){.loop = store_loop(store)};
    op->op.done = answered;
    op->op.owner = &wait;
    kv_submit(store, op);
    if (!wait.done)
        store_flush(store);
    while (!wait.done && loop_run(wait.loop, &err) == 0)
        continue;
    return op->op.status;
}

int state_verb_failed(const char *what, enum store_status status, const struct err *err)
{
    if (err)
        msg_error("%s: %s", what, err->text);
    else
        msg_error("%s: %s", what, store_status_name(status));
    return EXIT_FITTING;
}

int64_t state_verb_deadline(void)
{
    return state_options.ttl ? clock_wall() + state_options.ttl : 0;
}

/* ---- values and lines ---- */

int state_verb_json(const char *word, const char *name, struct buf *value)
{
    struct buf text = {0};
    struct json_scan scan;
    struct err err;
    int status = 0;
    if (word)
        buf_puts(&text, word);
    else
        status = slurp_fd(STDIN_FILENO, "stdin", STORE_VALUE_MAX, &text, &err);
    if (status < 0) {
        msg_error("%s", err.text);
    } else if (json_scan(buf_str(&text), NULL, NULL, &scan) < 0) {
        msg_error("%s: %s at byte %zu", word ? name : "stdin", scan.reason, scan.at + 1);
        status = -1;
    } else if (memchr(text.data, '\n', text.len) || memchr(text.data, '\r', text.len)) {
        json_compact(buf_str(&text), value);
    } else {
        buf_add_str(value, str_trim(buf_str(&text)));
    }
    buf_free(&text);
    return status;
}

/* It may be a pipe that another process has made non-blocking. */
static void wait_for_room(void)
{
    struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};
    poll(&room, 1, -1);
}

int state_verb_print(struct str lines, bool *left)
{
    while (lines.len) {
        ssize_t wrote = write(STDOUT_FILENO, lines.data, lines.len);
        if (wrote >= 0) {
            lines.data += wrote;
            lines.len -= (size_t)wrote;
        } else if (errno == EAGAIN) {
            wait_for_room();
        } else if (errno == EPIPE) {
            if (left)
                *left = true;
            return EXIT_OK;
        } else if (errno != EINTR) {
            msg_error("write to standard output: %s", strerror(errno));
            return EXIT_FITTING;
        }
    }
    return EXIT_OK;
}

int state_verb_print_line(struct str text)
{
    struct buf line = {0};
    buf_add_str(&line, text);
    buf_addc(&line, '\n');
    int status = state_verb_print(buf_str(&line), NULL);
    buf_free(&line);
    return status;
}

int state_verb_print_version(uint64_t version)
{
    struct buf line = {0};
    buf_addf(&line, "%llu\n", (unsigned long long)version);
    int status = state_verb_print(buf_str(&line), NULL);
    buf_free(&line);
    return status;
}
