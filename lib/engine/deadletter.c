/* deadletter.c: what is written about an event that died, and where. */
#include "engine/deadletter.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

struct deadletter {
    struct deadletter_place place;
    struct store *store; /* NULL: not opened yet */
    bool failed;         /* it cannot be written, and that was told */
};

/* Text of any bytes as a JSON string: what is not UTF-8 becomes '?'. */
static void add_text(struct buf *line, const char *name, struct str text)
{
    struct buf clean = {0};
    buf_add_str(&clean, text);
    if (!str_is_utf8(text)) {
        for (size_t i = 0; i < clean.len; i++)
            clean.data[i] = (unsigned char)clean.data[i] < 0x80 ? clean.data[i] : '?';
    }
    buf_addf(line, ",\"%s\":", name);
    buf_add_json(line, buf_str(&clean));
    buf_free(&clean);
}

static void add_event(struct buf *line, const struct letter_facts *facts)
{
    if (facts->is_json) {
        buf_puts(line, "{\"event\":");
        buf_add_str(line, facts->event);
    } else if (str_is_utf8(facts->event)) {
        buf_puts(line, "{\"raw\":");
        buf_add_json(line, facts->event);
    } else {
        buf_puts(line, "{\"base64\":\"");
        buf_add_base64(line, facts->event);
        buf_addc(line, '"');
    }
}

static void add_time(struct buf *line, const char *name, int64_t wall)
{
    char text[CLOCK_TEXT];
    if (wall)
        buf_addf(line, ",\"%s\":\"%s\"", name, clock_format(wall, text));
}

void deadletter_cause(struct buf *line, const struct failure *failure)
{
    buf_addf(line, "\"reason\":\"%s\"", failure_name(failure->reason));
    if (failure->exit >= 0)
        buf_addf(line, ",\"exit\":%d", failure->exit);
    if (failure->status)
        buf_addf(line, ",\"status\":%d", failure->status);
    if (failure->signal)
        buf_addf(line, ",\"signal\":%d", failure->signal);
    if (failure->message)
        add_text(line, "message", str_of(failure->message));
    if (failure->detail)
        buf_addf(line, ",\"error\":%s", failure->detail);
}

void deadletter_failure(struct buf *line, const struct failure *failure)
{
    if (failure->recorded) {
        buf_puts(line, failure->recorded);
        return;
    }
    deadletter_cause(line, failure);
    if (failure->function)
        add_text(line, "function", str_of(failure->function));
    if (failure->stage)
        buf_addf(line, ",\"stage\":%u", failure->stage);
    if (failure->part)
        buf_addf(line, ",\"part\":%llu,\"parts\":%llu", (unsigned long long)failure->part - 1,
                 (unsigned long long)failure->parts);
    buf_addf(line, ",\"attempts\":%u", failure->attempts);
    add_time(line, "first_at", failure->first_at);
    add_time(line, "last_at", failure->last_at);
    if (failure->errors.len)
        add_text(line, "stderr", buf_str(&failure->errors));
}

static void add_way(struct buf *line, const struct letter_way *way)
{
    if (way->undo)
        buf_puts(line, ",\"undo\":true");
    if (way->undone.len)
        buf_addf(line, ",\"undone\":[%.*s]", (int)way->undone.len, way->undone.data);
    if (way->left.len)
        buf_addf(line, ",\"not_undone\":[%.*s]", (int)way->left.len, way->left.data);
    if (way->others)
        buf_addf(line, ",\"others\":%u", way->others);
    if (way->again.len) {
        buf_puts(line, ",\"again\":");
        buf_add_str(line, way->again);
    }
    if (way->scope.len)
        add_text(line, "scope", way->scope);
}

void deadletter_format(struct buf *line, const struct letter_facts *facts,
                       const struct failure *failure)
{
    add_event(line, facts);
    buf_addc(line, ',');
    deadletter_failure(line, failure);
    if (facts->source) {
        add_text(line, "input", str_of(facts->source));
        buf_addf(line, ",\"line\":%llu", (unsigned long long)facts->line);
    }
    if (facts->length > facts->event.len)
        buf_addf(line, ",\"truncated\":true,\"length\":%llu", (unsigned long long)facts->length);
    if (facts->way)
        add_way(line, facts->way);
    if (facts->id.data)
        add_text(line, "id", facts->id);
    add_text(line, "command", str_of(facts->command));
    buf_add_str(line, facts->members);
    buf_add_str(line, facts->origin);
    buf_puts(line, "}\n");
}

void deadletter_origin(struct buf *members, const char *command, char *const *words)
{
    char folder[PATH_MAX];
    size_t before = members->len;
    bool is_text = getcwd(folder, sizeof folder) && str_is_utf8(str_of(folder));
    buf_puts(members, ",\"argv\":[");
    buf_add_json(members, str_of(command));
    for (; is_text && *words; words++) {
        is_text = str_is_utf8(str_of(*words));
        buf_addc(members, ',');
        buf_add_json(members, str_of(*words));
    }
    if (!is_text) {
        members->len = before;
        return;
    }
    buf_puts(members, "],\"cwd\":");
    buf_add_json(members, str_of(folder));
}

struct deadletter *deadletter_new(const struct deadletter_place *place)
{
    struct deadletter *deadletter = mem_zalloc(sizeof *deadletter);
    deadletter->place = *place;
    return deadletter;
}

void deadletter_free(struct deadletter *deadletter)
{
    free(deadletter);
}

struct letter *deadletter_letter(struct buf *line, void *owner)
{
    struct letter *letter = mem_zalloc(sizeof *letter);
    letter->owner = owner;
    letter->call.event =
        slice_dup((struct str){line->data, line->len - 1}); /* sinks add the LF themselves */
    buf_free(line);
    return letter;
}

static void finish(struct letter *letter)
{
    void (*written)(void *owner) = letter->writer->place.written;
    void *owner = letter->owner;
    slice_drop(&letter->call.event);
    free(letter);
    written(owner);
}

static void say(struct letter *letter)
{
    const struct deadletter_place *place = &letter->writer->place;
    struct slice line = slice_line(letter->call.event);
    place->say(place->owner, slice_str(line));
    slice_drop(&line);
}

/* ---- to a function ---- */

static void sunk(struct fn_call *call)
{
    struct letter *letter = CONTAINER_OF(call, struct letter, call);
    slice_drop(&call->lines);
    if (call->failure) /* the sink has failed, and says so itself; the letter must not be lost */
        say(letter);
    failure_free(call->failure);
    finish(letter);
}

/* ---- to a store ---- */

static void refused(struct deadletter *deadletter, const char *what, const struct err *err)
{
    const struct deadletter_place *place = &deadletter->place;
    if (deadletter->failed)
        return;
    deadletter->failed = true;
    struct err told;
    err_set(&told, err ? err->kind : ERR_STATE, "keep a dead letter: %s", err ? err->text : what);
    place->failed(place->owner, &told);
}

static void kept(struct store_op *op)
{
    struct letter *letter = op->owner;
    if (op->status != STORE_OK) {
        say(letter);
        refused(letter->writer, store_status_name(op->status), op->err);
    }
    finish(letter);
}

static bool open_store(struct deadletter *deadletter)
{
    const struct deadletter_place *place = &deadletter->place;
    struct err err;
    if (deadletter->store || deadletter->failed)
        return deadletter->store && !deadletter->failed;
    deadletter->store = place->store(place->owner, &err);
    if (!deadletter->store)
        refused(deadletter, NULL, &err);
    return deadletter->store;
}

static void keep(struct letter *letter)
{
    letter->line = slice_str(letter->call.event);
    letter->keep = (struct dead_op){
        .op = {.done = kept, .owner = letter},
        .verb = DEAD_ADD,
        .letters = &letter->line,
        .count = 1,
    };
    dead_submit(letter->writer->store, &letter->keep);
}

void deadletter_write(struct deadletter *deadletter, struct letter *letter)
{
    const struct deadletter_place *place = &deadletter->place;
    letter->writer = deadletter;
    if (place->sink) {
        letter->call.done = sunk;
        fn_call(place->sink, &letter->call);
        return;
    }
    if (place->store && open_store(deadletter)) {
        keep(letter);
        return;
    }
    say(letter);
    finish(letter);
}
