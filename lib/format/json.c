/* json.c: scan a text and note where the values of paths stand. */
#include "format/json.h"

#include "format/json_cursor.h"
#include "format/json_fault.h"
#include "format/json_match.h"
#include "format/json_scalar.h"

struct scan {
    struct json_cursor cursor;
    struct json_match match;
    /* Of the open containers: their kind and, where values are wanted, their node. */
    bool array[JSON_MAX_DEPTH];
    int16_t node[JSON_MAX_DEPTH];
};

/* The node when parts of the container that has it are wanted, else NULL. */
JSON_INLINE const struct json_node *wants(const struct scan *scan, int node, bool array)
{
    if (node == JSON_NO_NODE)
        return NULL;
    const struct json_node *here = &scan->match.paths->nodes[node];
    return (array ? here->indexes : here->keys) != JSON_NO_NODE ? here : NULL;
}

/*
 * Pass the container that is the text. Compiled twice: without wanted, what has to do with values
 * is not there, and with it, it costs two tests for a member where no value is wanted.
 */
JSON_INLINE bool pass_container(struct scan *scan, const bool wanted)
{
    struct json_cursor *const cursor = &scan->cursor;
    struct json_match *const match = &scan->match;
    const struct str text = cursor->text;
    const char *const t = text.data;
    const uint32_t *quote = cursor->quote;
    size_t pos = cursor->pos;
    unsigned depth = 0;
    const struct json_node *here = NULL;  /* of the innermost container, if parts are wanted */
    int node = wanted ? 0 : JSON_NO_NODE; /* of the value at pos */
    bool array;

open:
    if (JSON_UNLIKELY(depth == JSON_MAX_DEPTH))
        return false;
    array = t[pos] == '[';
    scan->array[depth] = array;
    if (wanted) {
        scan->node[depth] = (int16_t)node;
        here = wants(scan, node, array);
        if (node != JSON_NO_NODE) {
            json_match_record(match, node, array ? JSON_ARRAY : JSON_OBJECT, pos, pos);
            match->elements[node] = 0;
        }
    }
    if (++depth > cursor->deepest)
        cursor->deepest = depth;
    pos++;
    if (JSON_UNLIKELY(json_is_blank(t[pos])))
        JSON_MOVE(json_pass_blanks);
    if (JSON_UNLIKELY(t[pos] == (array ? ']' : '}')))
        goto close;
    if (array)
        goto element;

key:
    if (JSON_UNLIKELY(*quote != (uint32_t)pos)) {
        JSON_MOVE(json_pass_blanks);
        if (*quote != pos)
            return false;
    }
    if (wanted)
        node = here ? json_match_member(match, &cursor->index, here, quote) : JSON_NO_NODE;
    pos = (size_t)quote[1] + 1;
    quote += 2;
    if (JSON_UNLIKELY(t[pos] != ':')) {
        JSON_MOVE(json_pass_blanks);
        if (t[pos] != ':')
            return false;
    }
    pos++;

value:
    if (*quote == (uint32_t)pos) {
        pos = (size_t)quote[1] + 1;
        if (wanted && node != JSON_NO_NODE)
            json_match_record(match, node, JSON_STRING, quote[0], pos);
        quote += 2;
    } else if (json_starts_number(t[pos])) {
        size_t end = json_number_end(text, pos, cursor->level);
        if (JSON_UNLIKELY(!end))
            return false;
        if (wanted && node != JSON_NO_NODE)
            json_match_record(match, node, JSON_NUMBER, pos, end);
        pos = end;
    } else if ((t[pos] | 0x20) == '{') {
        goto open;
    } else if (json_is_blank(t[pos]) || t[pos] == '"') {
        JSON_MOVE(json_pass_blanks);
        if (t[pos] == '"' && *quote != pos)
            return false;
        goto value;
    } else {
        size_t end = json_word_end(text, pos);
        if (JSON_UNLIKELY(!end))
            return false;
        if (wanted && node != JSON_NO_NODE)
            json_match_record(match, node, json_type_of((struct str){t + pos, 1}), pos, end);
        pos = end;
    }

after:
    if (JSON_LIKELY(t[pos] == ',')) {
        pos++;
        if (array)
            goto element;
        goto key;
    }
    if (JSON_UNLIKELY(t[pos] != (array ? ']' : '}'))) {
        if (!json_is_blank(t[pos]))
            return false;
        JSON_MOVE(json_pass_blanks);
        goto after;
    }

close:
    pos++;
    depth--;
    if (wanted && (node = scan->node[depth]) != JSON_NO_NODE) {
        struct str *value = &match->values[node].text;
        value->len = (size_t)(t + pos - value->data);
    }
    if (depth == 0)
        return pos == text.len;
    if (JSON_UNLIKELY(pos == text.len))
        return false;
    array = scan->array[depth - 1];
    if (wanted)
        here = wants(scan, scan->node[depth - 1], array);
    goto after;

element:
    if (wanted)
        node = here ? json_match_element(match, here) : JSON_NO_NODE;
    goto value;
}

static bool pass_unseen(struct scan *scan)
{
    return pass_container(scan, false);
}

static bool pass_wanted(struct scan *scan)
{
    return pass_container(scan, true);
}

/* The text neither starts nor ends with a blank. */
static bool scan_text(struct scan *scan, struct str text, bool wanted, enum json_level level)
{
    if (!text.len || !json_cursor_init(&scan->cursor, text, level))
        return false;
    char first = text.data[0], last = text.data[text.len - 1];
    if (first == '{' || first == '[')
        return (last == '}' || last == ']') && (wanted ? pass_wanted(scan) : pass_unseen(scan));
    if (!json_pass_lone_scalar(&scan->cursor))
        return false;
    if (wanted)
        json_match_record(&scan->match, 0, json_type_of(text), 0, text.len);
    return true;
}

int json_scan_at_level(struct str text, const struct json_paths *paths, struct json_value *values,
                       struct json_scan *found, enum json_level level)
{
    if (JSON_UNLIKELY(text.len > JSON_MAX_TEXT)) {
        found->at = JSON_MAX_TEXT;
        found->reason = "longer than 4 GiB";
        return -1;
    }
    struct scan scan;
    struct str bare = text;
    if (text.len && (text.data[0] <= ' ' || text.data[text.len - 1] <= ' '))
        bare = str_trim(text);
    bool wanted = paths && values;
    if (wanted)
        json_match_init(&scan.match, paths, values, bare);
    if (JSON_UNLIKELY(!scan_text(&scan, bare, wanted, level))) {
        found->reason = json_fault(text, &found->at);
        return -1;
    }
    found->depth = scan.cursor.deepest;
    if (wanted)
        json_match_end(&scan.match);
    return 0;
}

int json_scan(struct str text, const struct json_paths *paths, struct json_value *values,
              struct json_scan *scan)
{
    return json_scan_at_level(text, paths, values, scan, json_level_best());
}
