/* fanin_incoming.c: a line, read as the parts that it brings. */
#include "engine/fanin_incoming.h"

#include "base/mem.h"
#include "base/num.h"
#include "engine/identity.h"

#include <stdlib.h>

enum { KEY_SHOWN = 60 }; /* bytes of a key that a message repeats */

static struct failure *bad_event(const char *option, const struct err *err)
{
    return failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "%s%s", option, err->text);
}

/* The element, from 1, of a line that holds several; 0: it does not. */
static struct failure *bad_line(const struct job *job, size_t element, const struct err *err)
{
    struct buf place = {0};
    if (element)
        buf_addf(&place, "element %zu: ", element);
    struct failure *failure =
        failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "%s:%llu: %s%s", job->origin,
                    (unsigned long long)job->line, buf_cstr(&place), err->text);
    buf_free(&place);
    return failure;
}

/* ---- a part ---- */

void fanin_incoming_free(struct fanin_incoming *part)
{
    buf_free(&part->group);
    buf_free(&part->id);
    free(part->wrong);
    part->wrong = NULL;
    if (part->text.data)
        free(part);
}

static int ask_until(void *owner, struct str array)
{
    struct fanin_incoming *part = owner;
    struct json_scan scan;
    struct err err;
    int holds = -1;
    if (json_scan(array, NULL, NULL, &scan) < 0) {
        err_set(&err, ERR_INPUT, "%s at byte %zu", scan.reason, scan.at + 1);
    } else {
        struct jq_input input = {array, NULL, scan.depth};
        holds = jq_matches(part->reader->until, &input, &err);
    }
    free(part->wrong);
    part->wrong = holds < 0 ? mem_strdup(err.text) : NULL;
    return holds;
}

static void set_add(struct fanin_incoming *part, struct str key, uint64_t expected,
                    struct str value)
{
    const struct fanin_settings *settings = part->reader->settings;
    part->add = (struct fanin_add){
        .own.name = str_of(settings->name),
        .group = envelope_key(key, &part->group),
        .expected = expected,
        .value = value,
        .renews = !settings->remember,
        .rules = {.until = settings->until, .idle = settings->idle, .within = settings->within},
        .until = ask_until,
        .owner = part,
    };
}

/* How many parts its group has, as --count says; 0: that is not known. -1 with err. */
static int count_parts(const struct fanin_reader *reader, struct str text, unsigned depth,
                       uint64_t *count, struct err *err)
{
    struct jq_input input = {text, NULL, depth};
    struct buf value = {0};
    *count = reader->settings->count;
    if (!reader->count_by)
        return 0;
    int found = jq_first(reader->count_by, &input, &value, err);
    if (found > 0 && !str_eq(buf_str(&value), STR("null")) &&
        num_uint(buf_cstr(&value), 1, ENVELOPE_COUNT, count))
        found = err_set(err, ERR_INPUT, "%s: gives no number from 1 to %d",
                        jq_text(reader->count_by), ENVELOPE_COUNT);
    buf_free(&value);
    return found < 0 ? -1 : 0;
}

static int check_value(struct str value, unsigned depth, struct err *err)
{
    if (value.len > STORE_VALUE_MAX)
        return err_set(err, ERR_INPUT, "a value of %zu bytes, more than %d can be kept", value.len,
                       STORE_VALUE_MAX);
    /* in an array, in an envelope, in a letter */
    if (depth > JSON_MAX_DEPTH - 4)
        return err_set(err, ERR_INPUT, "nested too deeply to be put into an array");
    return 0;
}

/* ---- envelopes ---- */

/* Does anything but a number of parts say when a group closes? */
static bool has_rule(const struct fanin_settings *settings)
{
    return settings->until || settings->idle || settings->within || settings->count_by;
}

static int set_envelope(struct fanin_incoming *part, const struct envelope *envelope,
                        struct str text, unsigned depth, struct err *err)
{
    uint64_t expected = envelope->count;
    if (check_value(envelope->value, depth, err) < 0 ||
        (!expected && count_parts(part->reader, text, depth, &expected, err) < 0))
        return -1;
    if (!expected && !has_rule(part->reader->settings))
        return err_set(err, ERR_INPUT, "part.count is missing");
    set_add(part, envelope->group, expected, envelope->value);
    part->add.indexed = true;
    part->add.index = envelope->index;
    part->add.failed = envelope->failed;
    return 0;
}

/* ---- plain events ---- */

/* -1 with err: --id cannot be applied. */
static int set_id(struct fanin_incoming *part, struct str event, struct err *err)
{
    int found = identity_own(part->reader->identity, event, &part->id, err);
    if (found > 0)
        part->add.id = buf_str(&part->id);
    return found < 0 ? -1 : 0;
}

static struct failure *set_plain(struct fanin_incoming *part, struct str key,
                                 const struct jq_input *input)
{
    uint64_t expected = 0;
    struct err err;
    if (count_parts(part->reader, input->text, input->depth, &expected, &err) < 0)
        return bad_event("--count ", &err);
    if (check_value(input->text, input->depth, &err) < 0)
        return bad_event("", &err);
    set_add(part, key, expected, input->text);
    if (part->add.group.data == key.data) { /* which does not live as long */
        buf_add_str(&part->group, key);
        part->add.group = buf_str(&part->group);
    }
    return set_id(part, input->text, &err) < 0 ? bad_event("", &err) : NULL;
}

static struct failure *read_plain(struct fanin_incoming *part, const struct jq_input *input)
{
    struct buf key = {0};
    struct err err;
    int found = jq_first(part->reader->group, input, &key, &err);
    if (found == 0)
        err_set(&err, ERR_INPUT, "%s: gives nothing", jq_text(part->reader->group));
    struct failure *failure =
        found > 0 ? set_plain(part, buf_str(&key), input) : bad_event("--group ", &err);
    buf_free(&key);
    return failure;
}

/* ---- several ---- */

/* One envelope of several. Its number makes an event without a name this one and no other. */
static int read_element(struct fanin_incoming *part, struct job *job, size_t number,
                        struct err *err)
{
    const struct fanin_reader *reader = part->reader;
    struct json_scan scan;
    struct envelope envelope;
    json_scan(part->text, reader->paths, reader->values, &scan);
    if (envelope_read(&reader->element, reader->values, &envelope, err) < 0)
        return -1;
    if (!reader->group)
        return set_envelope(part, &envelope, part->text, scan.depth, err);
    if (check_value(envelope.value, scan.depth, err) < 0)
        return -1;
    set_add(part, envelope.group, envelope.count, envelope.value);
    if (set_id(part, envelope.value, err) < 0)
        return -1;
    if (!part->id.len) {
        buf_add_str(&part->id, job_id(job));
        buf_addf(&part->id, "/%zu", number);
        part->add.id = buf_str(&part->id);
    }
    return 0;
}

static struct failure *read_several(const struct fanin_reader *reader, struct job *job,
                                    struct str array, struct fanin_incoming **list)
{
    struct fanin_incoming **end = list, *part;
    struct json_iter iter;
    struct err err;
    size_t number = 0;
    json_iter_init(&iter, array);
    while (json_iter_next(&iter)) {
        part = *end = mem_zalloc(sizeof *part);
        end = &part->next;
        part->reader = reader;
        part->text = iter.value;
        if (read_element(part, job, number++, &err) == 0)
            continue;
        while ((part = *list)) {
            *list = part->next;
            fanin_incoming_free(part);
        }
        return bad_line(job, number, &err);
    }
    return NULL;
}

static bool is_envelope(const struct fanin_reader *reader, struct str text)
{
    struct json_scan scan;
    struct envelope envelope;
    struct err err;
    json_scan(text, reader->paths, reader->values, &scan);
    return envelope_read(&reader->element, reader->values, &envelope, &err) == 0 &&
           envelope.value.data;
}

/* Is it an array of envelopes, of which there is at least one? */
static bool is_several(const struct fanin_reader *reader, struct str text)
{
    struct json_iter iter;
    if (text.data[0] != '[' || (reader->group && !reader->redrives))
        return false;
    json_iter_init(&iter, text);
    bool some = json_iter_next(&iter);
    for (bool more = some; reader->group && more; more = json_iter_next(&iter)) {
        if (!is_envelope(reader, iter.value))
            return false;
    }
    return some;
}

/* ---- lines ---- */

struct failure *fanin_incoming_read(const struct fanin_reader *reader, struct job *job,
                                    const struct jq_input *input, struct fanin_incoming *only,
                                    struct fanin_incoming **list)
{
    struct str text = str_trim(input->text);
    struct envelope envelope;
    struct failure *failure = NULL;
    struct err err;
    *list = NULL;
    only->reader = reader;
    if (is_several(reader, text))
        return read_several(reader, job, text, list);
    if (reader->group)
        failure = read_plain(only, input);
    else if (envelope_read(&reader->line, input->values, &envelope, &err) < 0 ||
             set_envelope(only, &envelope, input->text, input->depth, &err) < 0)
        failure = bad_line(job, 0, &err);
    if (failure)
        fanin_incoming_free(only);
    else
        *list = only;
    return failure;
}

struct failure *fanin_incoming_failure(const struct fanin_incoming *part)
{
    const struct fanin_add *add = &part->add;
    int shown = (int)(add->group.len < KEY_SHOWN ? add->group.len : KEY_SHOWN);
    const char *dots = add->group.len > KEY_SHOWN ? "..." : "";
    if (add->verdict == GROUP_LATE)
        return failure_new(FAILURE_LATE, FAILURE_PERMANENT,
                           "group %.*s%s has closed without it, by %s", shown, add->group.data,
                           dots, group_closing_name(add->closing));
    if (part->wrong)
        return failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "--until %s", part->wrong);
    return failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT,
                       "its place or number of parts contradicts the others of group %.*s%s", shown,
                       add->group.data, dots);
}

/* ---- the reader ---- */

static int compile(struct jq_program **program, const char *text, struct json_paths *paths,
                   struct err *err)
{
    *program = text ? jq_compile(text, paths, err) : NULL;
    return text && !*program ? -1 : 0;
}

int fanin_reader_init(struct fanin_reader *reader, const struct fanin_settings *settings,
                      struct engine *engine, struct err *err)
{
    struct json_paths *paths = engine_paths(engine);
    *reader = (struct fanin_reader){
        .settings = settings, .redrives = engine_redrives(engine), .paths = json_paths_new()};
    envelope_watch(&reader->element, reader->paths);
    reader->values = mem_array(json_paths_count(reader->paths), sizeof *reader->values);
    if (!settings->group)
        envelope_watch(&reader->line, paths);
    reader->identity = identity_new(settings->id, err);
    if (!reader->identity || compile(&reader->group, settings->group, paths, err) < 0 ||
        compile(&reader->count_by, settings->count_by, NULL, err) < 0)
        return -1;
    return compile(&reader->until, settings->until, NULL, err);
}

void fanin_reader_free(struct fanin_reader *reader)
{
    json_paths_free(reader->paths);
    free(reader->values);
    identity_free(reader->identity);
    jq_free(reader->group);
    jq_free(reader->count_by);
    jq_free(reader->until);
    *reader = (struct fanin_reader){0};
}
