/* redrive.c: a dead letter read back. */
#include "engine/redrive.h"

#include "base/num.h"

enum { REDRIVE_DIGITS = 20 }; /* of a stage: more are more than 64 bits hold */

void redrive_watch(struct redrive_paths *paths, struct json_paths *of)
{
    paths->event = json_paths_key(of, 0, STR("event"));
    paths->raw = json_paths_key(of, 0, STR("raw"));
    paths->base64 = json_paths_key(of, 0, STR("base64"));
    paths->reason = json_paths_key(of, 0, STR("reason"));
    paths->stage = json_paths_key(of, 0, STR("stage"));
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

static int read_stage(struct str value, uint64_t *stage, struct err *err)
{
    char digits[REDRIVE_DIGITS + 1] = "";
    if (value.len <= REDRIVE_DIGITS)
        memcpy(digits, value.data, value.len);
    if (num_uint(digits, 1, UINT64_MAX, stage))
        return err_set(err, ERR_INPUT, "no dead letter: its \"stage\" is no number of a stage");
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
    if (!is_there(line, paths->stage))
        return 0;
    return read_stage(line->values[paths->stage].text, &letter->stage, err);
}
