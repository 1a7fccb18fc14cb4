/* letters.c: the dead letters that are kept, and which of them are meant. */
#include "engine/letters.h"

#include "base/clock.h"
#include "base/mem.h"
#include "engine/state_dir.h"
#include "state/dead.h"

#include <stdlib.h>

const char *const letters_names[LETTER_MEMBERS] = {
    [LETTER_COMMAND] = "command",     [LETTER_REASON] = "reason",   [LETTER_FUNCTION] = "function",
    [LETTER_STAGE] = "stage",         [LETTER_LAST_AT] = "last_at", [LETTER_MESSAGE] = "message",
    [LETTER_QUEUE] = "queue",         [LETTER_ARGV] = "argv",       [LETTER_CWD] = "cwd",
    [LETTER_TRUNCATED] = "truncated",
};

struct letters {
    const struct letters_filter *filter;
    char *path;
    struct loop *loop;
    struct home *home;
    struct store *store;
    struct json_paths *paths;
    struct json_value *values;
    int nodes[LETTER_MEMBERS];
    struct jq_program *match;
    char since[CLOCK_TEXT]; /* times are compared as text: all are written by clock_format */
    struct buf text;
    size_t missing;
    uint64_t first_missing;
    /* Of a walk. */
    uint64_t place; /* the last number seen, or how many of the filter's */
    bool (*each)(void *owner, const struct letter_seen *seen);
    void *owner;
    struct err *err;
    bool stopped;
    bool failed; /* then stopped too */
};

/* ---- which ---- */

/* Is the member this text? Decoded only if it must be. */
static bool says(struct letters *letters, struct str member, struct str text)
{
    if (!member.len || member.data[0] != '"')
        return false;
    buf_clear(&letters->text);
    json_decode(member, &letters->text);
    return str_eq(buf_str(&letters->text), text);
}

static bool is_since(const struct letters *letters, struct str time)
{
    struct str since = str_of(letters->since);
    if (!since.len)
        return true;
    return time.len == since.len + 2 && memcmp(time.data + 1, since.data, since.len) >= 0;
}

/* 1, 0, or -1 with letters->err. */
static int is_meant(struct letters *letters, const struct jq_input *input,
                    const struct letter_seen *seen)
{
    const struct letters_filter *filter = letters->filter;
    if (filter->command && !says(letters, seen->members[LETTER_COMMAND], str_of(filter->command)))
        return 0;
    if (filter->reason && !says(letters, seen->members[LETTER_REASON], str_of(filter->reason)))
        return 0;
    if (!is_since(letters, seen->members[LETTER_LAST_AT]))
        return 0;
    return letters->match ? jq_matches(letters->match, input, letters->err) : 1;
}

static bool fail(struct letters *letters)
{
    letters->failed = letters->stopped = true;
    return false;
}

/* One that cannot be read says nothing, and must not hide the others. */
static bool picks_by_members(const struct letters_filter *filter)
{
    return filter->command || filter->reason || filter->since || filter->match;
}

static bool look(void *owner, uint64_t number, struct str text)
{
    struct letters *letters = owner;
    struct letter_seen seen = {.number = number, .text = text};
    struct json_scan scan;
    if (!letters->filter->count)
        letters->place = number;
    bool is_json = json_scan(text, letters->paths, letters->values, &scan) == 0;
    for (int i = 0; is_json && i < LETTER_MEMBERS; i++)
        seen.members[i] = letters->values[letters->nodes[i]].text;
    struct jq_input input = {text, letters->values, scan.depth};
    int meant = is_json ? is_meant(letters, &input, &seen) : !picks_by_members(letters->filter);
    if (meant < 0)
        return fail(letters);
    letters->stopped = meant && !letters->each(letters->owner, &seen);
    return !letters->stopped;
}

/* ---- the walk ---- */

static void read_done(struct store_op *op)
{
    struct letters *letters = op->owner;
    if (op->err && !letters->failed) {
        *letters->err = *op->err;
        fail(letters);
    }
}

static enum store_status read_letters(struct letters *letters, enum dead_verb verb, uint64_t number)
{
    struct dead_op read = {.op = {.done = read_done, .owner = letters},
                           .verb = verb,
                           .number = number,
                           .each = look,
                           .owner = letters};
    dead_submit(letters->store, &read);
    return read.op.status;
}

static void read_named(struct letters *letters)
{
    const struct letters_filter *filter = letters->filter;
    while (letters->place < filter->count && !letters->stopped) {
        uint64_t number = filter->numbers[letters->place++];
        enum store_status status =
            letters->store ? read_letters(letters, DEAD_GET, number) : STORE_ABSENT;
        if (status == STORE_ABSENT && !letters->missing++)
            letters->first_missing = number;
    }
}

int letters_each(struct letters *letters, bool (*each)(void *owner, const struct letter_seen *seen),
                 void *owner, struct err *err)
{
    letters->each = each;
    letters->owner = owner;
    letters->err = err;
    letters->failed = letters->stopped = false;
    if (letters->filter->count)
        read_named(letters);
    else if (letters->store)
        read_letters(letters, DEAD_LIST, letters->place);
    return letters->failed ? -1 : letters->stopped;
}

size_t letters_missing(const struct letters *letters, uint64_t *number)
{
    *number = letters->first_missing;
    return letters->missing;
}

/* ---- opening ---- */

static int open_store(struct letters *letters, struct err *err)
{
    if (!home_exists(letters->path))
        return 0;
    letters->loop = loop_new(err);
    letters->home = letters->loop ? home_open(letters->path, err) : NULL;
    if (letters->home)
        letters->store = store_open(letters->home, letters->loop, &(struct store_settings){0}, err);
    return letters->store ? 0 : -1;
}

struct letters *letters_open(const char *state, const struct letters_filter *filter,
                             struct err *err)
{
    struct letters *letters = mem_zalloc(sizeof *letters);
    letters->filter = filter;
    letters->paths = json_paths_new();
    for (int i = 0; i < LETTER_MEMBERS; i++)
        letters->nodes[i] = json_paths_key(letters->paths, 0, str_of(letters_names[i]));
    if (filter->since)
        clock_format(filter->since, letters->since);
    letters->path = state_dir_path(state, err);
    if (letters->path && filter->match)
        letters->match = jq_compile(filter->match, letters->paths, err);
    if (!letters->path || (filter->match && !letters->match) || open_store(letters, err) < 0) {
        letters_close(letters);
        return NULL;
    }
    letters->values = mem_array(json_paths_count(letters->paths), sizeof *letters->values);
    return letters;
}

void letters_close(struct letters *letters)
{
    if (!letters)
        return;
    store_free(letters->store);
    home_free(letters->home);
    if (letters->loop)
        loop_free(letters->loop);
    jq_free(letters->match);
    json_paths_free(letters->paths);
    buf_free(&letters->text);
    free(letters->values);
    free(letters->path);
    free(letters);
}

struct store *letters_store(struct letters *letters)
{
    return letters->store;
}

const char *letters_path(const struct letters *letters)
{
    return letters->path;
}
