/* redrive.c: a dead letter read back. */
#include "engine/redrive.h"

#include "base/num.h"
#include "engine/strand.h"

enum { REDRIVE_DIGITS = 20 }; /* of a stage: more are more than 64 bits hold */

void redrive_watch(struct redrive_paths *paths, struct json_paths *of)
{
    paths->event = json_paths_key(of, 0, STR("event"));
    paths->raw = json_paths_key(of, 0, STR("raw"));
    paths->base64 = json_paths_key(of, 0, STR("base64"));
    paths->reason = json_paths_key(of, 0, STR("reason"));
    paths->stage = json_paths_key(of, 0, STR("stage"));
    paths->scope = json_paths_key(of, 0, STR("scope"));
    paths->undo = json_paths_key(of, 0, STR("undo"));
    paths->undone = json_paths_key(of, 0, STR("undone"));
    paths->left = json_paths_key(of, 0, STR("not_undone"));
    paths->others = json_paths_key(of, 0, STR("others"));
    paths->again = json_paths_key(of, 0, STR("again"));
    paths->id = json_paths_key(of, 0, STR("id"));
    paths->command = json_paths_key(of, 0, STR("command"));
    paths->truncated = json_paths_key(of, 0, STR("truncated"));
}

static bool is_there(const struct jq_input *line, int node)
{
    return line->values[node].text.data != NULL;
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
        at++;
    return at;
}

/*
 * In a letter as we write it the event stands directly behind the first colon and directly before
 * the comma of "reason"; blanks between are the event's own.
 */
static struct str with_blanks(struct str line, struct str value)
{
    static const struct str head = {"{\"event\":", 9}, tail = {",\"reason\":\"", 11};
    const char *end = line.data + line.len;
    const char *after = skip_blanks(value.data + value.len, end);
    if (!str_starts(line, head) || skip_blanks(line.data + head.len, end) != value.data ||
        !str_starts((struct str){after, (size_t)(end - after)}, tail))
        return value;
    return (struct str){line.data + head.len, (size_t)(after - line.data) - head.len};
}

static bool read_number(struct str value, uint64_t *number)
{
    char digits[REDRIVE_DIGITS + 1] = "";
    if (value.len <= REDRIVE_DIGITS)
        memcpy(digits, value.data, value.len);
    return !num_uint(digits, 1, UINT64_MAX, number);
}

static struct str text_of(const struct jq_input *line, int node)
{
    return line->values[node].text;
}

/* What stands between the quotes or brackets of a value of that type; {NULL, 0}: another type. */
static struct str inside(const struct jq_input *line, int node, enum json_type type)
{
    struct str text = text_of(line, node);
    if (line->values[node].type != type)
        return (struct str){0};
    return (struct str){text.data + 1, text.len - 2};
}

/* Where a chain had got to. */
static int read_way(const struct redrive_paths *paths, const struct jq_input *line,
                    struct redrive_letter *letter, struct err *err)
{
    uint64_t others = 0;
    unsigned at;
    struct letter_way *way = &letter->way;
    way->scope = inside(line, paths->scope, JSON_STRING);
    way->undo = line->values[paths->undo].type == JSON_TRUE;
    way->undone = inside(line, paths->undone, JSON_ARRAY);
    way->left = inside(line, paths->left, JSON_ARRAY);
    if (is_there(line, paths->others) && read_number(text_of(line, paths->others), &others))
        way->others = (unsigned)others;
    letter->placed = way->scope.data;
    if (!letter->placed)
        return 0;
    way->again = text_of(line, paths->again);
    if (way->again.data)
        letter->on_with = way->again;
    if (strand_read_scope(way->scope, &at, &letter->path) < 0 ||
        (!way->again.data && at + UINT64_C(1) != letter->stage))
        return err_set(err, ERR_INPUT, "no dead letter: its \"scope\" is none of its stage");
    letter->on_at = at + UINT64_C(1);
    return 0;
}

int redrive_read(const struct redrive_paths *paths, const struct jq_input *line,
                 struct redrive_letter *letter, struct err *err)
{
    *letter = (struct redrive_letter){0};
    if (line->values[paths->reason].type != JSON_STRING)
        return err_set(err, ERR_INPUT, "no dead letter: it has no \"reason\"");
    if (!is_there(line, paths->event)) {
        if (is_there(line, paths->raw) || is_there(line, paths->base64))
            return err_set(err, ERR_INPUT, "the letter's bytes are no event (\"%s\")",
                           is_there(line, paths->raw) ? "raw" : "base64");
        return err_set(err, ERR_INPUT, "no dead letter: it has no \"event\"");
    }
    letter->event = with_blanks(line->text, line->values[paths->event].text);
    letter->on_with = letter->event;
    letter->on_at = 1; /* it died before the first stage */
    if (is_there(line, paths->stage)) {
        if (!read_number(text_of(line, paths->stage), &letter->stage))
            return err_set(err, ERR_INPUT, "no dead letter: its \"stage\" is no number of a stage");
        letter->on_at = letter->stage;
    }
    if (read_way(paths, line, letter, err) < 0)
        return -1;
    bool of_chain =
        letter->placed || str_eq(inside(line, paths->command, JSON_STRING), STR("chain"));
    if (of_chain && line->values[paths->id].type == JSON_STRING)
        letter->id = text_of(line, paths->id);
    return 0;
}

int redrive_bytes(const struct redrive_paths *paths, const struct jq_input *line,
                  struct buf *scratch, struct str *bytes, struct err *err)
{
    struct redrive_letter letter;
    struct str base64 = inside(line, paths->base64, JSON_STRING);
    buf_clear(scratch);
    if (is_there(line, paths->truncated))
        return err_set(err, ERR_INPUT, "only the head of its event was kept");
    if (line->values[paths->raw].type == JSON_STRING && !is_there(line, paths->event)) {
        json_decode(text_of(line, paths->raw), scratch);
        *bytes = buf_str(scratch);
        return 0;
    }
    if (base64.data && !is_there(line, paths->event)) {
        if (!buf_add_from_base64(scratch, base64))
            return err_set(err, ERR_INPUT, "no dead letter: its \"base64\" is none");
        *bytes = buf_str(scratch);
        return 0;
    }
    if (redrive_read(paths, line, &letter, err) < 0)
        return -1;
    *bytes = letter.event;
    return 0;
}
