/* source_letters.c: dead letters that are kept, as events. */
#include "engine/source_letters.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/msg.h"
#include "base/num.h"
#include "engine/inputs.h"
#include "engine/redrive.h"
#include "state/dead.h"
#include "state/home.h"
#include "sys/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LETTERS_NUMBERS = 512 }; /* numbers read at once */

/* A letter whose event is under way: the token. */
struct redriven {
    struct dead_op op; /* first: its end, in the store */
    struct letters_source *source;
    uint64_t number;
    uint64_t times;      /* that it was redriven, this one included */
    struct buf id;       /* the identity that the event had, and keeps */
    struct buf function; /* that failed; empty: none */
    struct buf input;    /* that it was a line of; empty: not said */
    struct buf whence;   /* members that say where it came from; may be empty */
    struct str *letters; /* what it has died of again, owned */
    size_t count;
    struct redriven *next;
};

struct letters_source {
    struct source source; /* first */
    struct store *store;
    int fd, lock;
    bool whole, stopped, failed;
    uint64_t numbers[LETTERS_NUMBERS];
    size_t have, place;
    uint64_t read, all; /* bytes of fd */
    size_t open;        /* operations that have not ended */
    struct json_paths *paths;
    struct redrive_paths nodes;
    int times, queue, topic, subscriber, part, parts, function, input, line;
    struct json_value *values;
    struct slice letter; /* the one that was read last */
    struct buf scratch;
    struct redriven *free;
};

static struct letters_source *of(struct source *source)
{
    return (struct letters_source *)(void *)source;
}

static struct redriven *redriven_of(uint64_t token)
{
    return (struct redriven *)(uintptr_t)token;
}

/* ---- letters under way ---- */

static struct redriven *take(struct letters_source *own, uint64_t number)
{
    struct redriven *redriven = own->free;
    if (redriven)
        own->free = redriven->next;
    else
        redriven = mem_zalloc(sizeof *redriven);
    redriven->source = own;
    redriven->number = number;
    return redriven;
}

static void give_back(struct redriven *redriven)
{
    struct letters_source *own = redriven->source;
    for (size_t i = 0; i < redriven->count; i++)
        free((char *)(uintptr_t)redriven->letters[i].data);
    redriven->count = 0;
    buf_clear(&redriven->id);
    buf_clear(&redriven->whence);
    buf_clear(&redriven->function);
    buf_clear(&redriven->input);
    redriven->next = own->free;
    own->free = redriven;
}

/* A whole number; 0 where there is none. */
static uint64_t number_in(struct letters_source *own, int node)
{
    uint64_t number = 0;
    struct buf digits = {0};
    buf_add_str(&digits, own->values[node].text);
    if (num_uint(buf_cstr(&digits), 0, INT64_MAX, &number))
        number = 0;
    buf_free(&digits);
    return number;
}

static void remember_member(struct letters_source *own, struct redriven *redriven, const char *name,
                            int node)
{
    if (!own->values[node].text.len)
        return;
    buf_addf(&redriven->whence, ",\"%s\":", name);
    buf_add_str(&redriven->whence, own->values[node].text);
}

static void remember(struct letters_source *own, struct redriven *redriven)
{
    const struct json_value *id = &own->values[own->nodes.id];
    redriven->times = number_in(own, own->times) + 1;
    if (id->type == JSON_STRING)
        json_decode(id->text, &redriven->id);
    if (own->values[own->function].type == JSON_STRING)
        json_decode(own->values[own->function].text, &redriven->function);
    if (own->values[own->input].type == JSON_STRING)
        json_decode(own->values[own->input].text, &redriven->input);
    remember_member(own, redriven, "queue", own->queue);
    remember_member(own, redriven, "topic", own->topic);
    remember_member(own, redriven, "subscriber", own->subscriber);
}

/* ---- reading ---- */

static bool keep_letter(void *owner, uint64_t number, struct str letter)
{
    struct letters_source *own = owner;
    (void)number;
    own->letter = slice_dup(letter);
    return false;
}

/* The next number. 1; 0: no more; -1. */
static int next_number(struct letters_source *own, uint64_t *number, struct err *err)
{
    if (own->place == own->have) {
        ssize_t got = pread(own->fd, own->numbers, sizeof own->numbers, (off_t)own->read);
        if (got < 0)
            return err_sys(err, "read the numbers of the letters");
        own->have = (size_t)got / sizeof *own->numbers;
        own->place = 0;
        if (!own->have)
            return 0;
    }
    *number = own->numbers[own->place++];
    own->read += sizeof *number;
    return 1;
}

/* What the letter that was read holds, as the event. -1: it must stay as it is. */
static int make_event(struct letters_source *own, uint64_t number, struct source_event *event,
                      struct err *err)
{
    struct str text = slice_str(own->letter), bytes;
    struct json_scan scan;
    if (json_scan(text, own->paths, own->values, &scan) < 0)
        return err_set(err, ERR_STATE, "%s at byte %zu", scan.reason, scan.at + 1);
    struct jq_input input = {text, own->values, scan.depth};
    if (redrive_bytes(&own->nodes, &input, &own->scratch, &bytes, err) < 0)
        return -1;
    struct redriven *redriven = take(own, number);
    remember(own, redriven);
    *event = (struct source_event){.number = number, .token = (uintptr_t)redriven};
    if (bytes.data == own->scratch.data)
        event->bytes = slice_dup(bytes);
    else if (own->whole)
        event->bytes = slice_hold(own->letter);
    else
        event->bytes = slice_of(own->letter.block, bytes.data, bytes.len);
    event->length = event->bytes.len;
    if (redriven->function.len)
        event->failed = buf_cstr(&redriven->function);
    if (redriven->input.len) {
        const char *origin = buf_cstr(&redriven->input);
        event->origin = strcmp(origin, inputs_stdin) == 0 ? inputs_stdin : origin;
        event->number = number_in(own, own->line);
    }
    if (own->values[own->part].type == JSON_NUMBER) {
        event->part = number_in(own, own->part) + 1;
        event->parts = number_in(own, own->parts);
    }
    return 0;
}

static enum source_status next(struct source *source, struct source_event *event, struct err *err)
{
    struct letters_source *own = of(source);
    for (;;) {
        uint64_t number = 0;
        struct err damage = {0};
        int more = own->stopped ? 0 : next_number(own, &number, err);
        if (more <= 0)
            return more < 0 ? SOURCE_FAILED : SOURCE_END;
        struct dead_op get = {.op = {.done = store_keep_error, .owner = err},
                              .verb = DEAD_GET,
                              .number = number,
                              .each = keep_letter,
                              .owner = own};
        dead_submit(own->store, &get);
        if (get.op.status == STORE_ABSENT) /* somebody has dropped it meanwhile */
            continue;
        if (get.op.status != STORE_OK)
            return SOURCE_FAILED;
        int status = make_event(own, number, event, &damage);
        slice_drop(&own->letter);
        if (status == 0)
            return SOURCE_EVENT;
        msg_warn("dead letter %" PRIu64 " stays: %s", number, damage.text);
    }
}

static void stop(struct source *source)
{
    of(source)->stopped = true;
}

static void extent(struct source *source, uint64_t *read, uint64_t *all)
{
    *read = of(source)->read;
    *all = of(source)->all;
}

/* ---- outcomes ---- */

static void settled(struct store_op *op)
{
    struct redriven *redriven = (struct redriven *)(void *)op;
    struct letters_source *own = redriven->source;
    if (op->err && !own->failed) {
        own->failed = true;
        own->source.fail(own->source.owner, op->err);
    }
    give_back(redriven);
    if (--own->open == 0)
        own->source.ready(own->source.owner);
}

/* Without new letters a dead event has them elsewhere (--dead), and its old one stays. */
static void outcome(struct source *source, uint64_t token, enum source_outcome outcome)
{
    struct letters_source *own = of(source);
    struct redriven *redriven = redriven_of(token);
    if (outcome != SOURCE_DONE && (outcome != SOURCE_DEAD || !redriven->count)) {
        give_back(redriven);
        return;
    }
    redriven->op = (struct dead_op){.op = {.done = settled},
                                    .verb = DEAD_REPLACE,
                                    .number = redriven->number,
                                    .letters = redriven->letters,
                                    .count = redriven->count};
    own->open++;
    dead_submit(own->store, &redriven->op);
}

static bool busy(struct source *source)
{
    return of(source)->open > 0;
}

static bool keeps(struct source *source, uint64_t token, const struct failure *failure)
{
    (void)source;
    (void)token;
    return failure->reason == FAILURE_INTERRUPTED || failure->reason == FAILURE_HALTED;
}

static void describe(struct source *source, uint64_t token, struct buf *members)
{
    const struct redriven *redriven = redriven_of(token);
    (void)source;
    buf_add_str(members, buf_str(&redriven->whence));
    buf_addf(members, ",\"redriven\":%" PRIu64, redriven->times);
}

static bool bury(struct source *source, uint64_t token, struct str letter)
{
    struct redriven *redriven = redriven_of(token);
    (void)source;
    redriven->letters =
        mem_realloc(redriven->letters, (redriven->count + 1) * sizeof *redriven->letters);
    redriven->letters[redriven->count++] =
        (struct str){mem_strndup(letter.data, letter.len), letter.len};
    return true;
}

static void identify(struct source *source, uint64_t token, struct buf *id)
{
    (void)source;
    buf_add_str(id, buf_str(&redriven_of(token)->id));
}

/* ---- opening ---- */

static void free_source(struct source *source)
{
    struct letters_source *own = of(source);
    store_flush(own->store);
    while (own->free) {
        struct redriven *redriven = own->free;
        own->free = redriven->next;
        buf_free(&redriven->id);
        buf_free(&redriven->whence);
        buf_free(&redriven->function);
        buf_free(&redriven->input);
        free(redriven->letters);
        free(redriven);
    }
    if (own->lock >= 0)
        close(own->lock);
    buf_free(&own->scratch);
    json_paths_free(own->paths);
    free(own->values);
    free(own);
}

static int lock(struct letters_source *own, struct err *err)
{
    const struct home *home = store_home(own->store);
    own->lock = openat(home->run, "redrive", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (own->lock < 0 || dir_lock(own->lock) < 0) {
        if (errno != EWOULDBLOCK)
            return err_sys(err, "lock %s/run/redrive", home->path);
        err_set(err, ERR_STATE, "another process is redriving letters");
        err->sys_errno = EWOULDBLOCK;
        return -1;
    }
    return 0;
}

static void watch(struct letters_source *own)
{
    own->paths = json_paths_new();
    redrive_watch(&own->nodes, own->paths);
    own->times = json_paths_key(own->paths, 0, STR("redriven"));
    own->queue = json_paths_key(own->paths, 0, STR("queue"));
    own->topic = json_paths_key(own->paths, 0, STR("topic"));
    own->subscriber = json_paths_key(own->paths, 0, STR("subscriber"));
    own->function = json_paths_key(own->paths, 0, STR("function"));
    own->part = json_paths_key(own->paths, 0, STR("part"));
    own->parts = json_paths_key(own->paths, 0, STR("parts"));
    own->input = json_paths_key(own->paths, 0, STR("input"));
    own->line = json_paths_key(own->paths, 0, STR("line"));
    own->values = mem_array(json_paths_count(own->paths), sizeof *own->values);
}

struct source *source_letters(struct store *store, int fd, bool whole, struct err *err)
{
    struct letters_source *own = mem_zalloc(sizeof *own);
    struct stat stat;
    own->source = (struct source){.name = "letter",
                                  .releases = true,
                                  .next = next,
                                  .outcome = outcome,
                                  .stop = stop,
                                  .free = free_source,
                                  .extent = extent,
                                  .busy = busy,
                                  .keeps = keeps,
                                  .describe = describe,
                                  .bury = bury,
                                  .identify = identify};
    own->store = store;
    own->fd = fd;
    own->whole = whole;
    watch(own);
    if (lock(own, err) < 0) {
        free_source(&own->source);
        return NULL;
    }
    own->all = fstat(fd, &stat) == 0 ? (uint64_t)stat.st_size : 0;
    return &own->source;
}
