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

static bool pass_unseen(struct scan *scan);

/*
 * Pass the container at the cursor. Compiled twice: seen, for the containers of which parts are
 * wanted, and for all others without what has to do with values.
 */
JSON_INLINE bool pass_container(struct scan *scan, const bool seen)
{
    struct json_cursor *const cursor = &scan->cursor;
    struct json_match *const match = &scan->match;
    const struct str text = cursor->text;
    const char *const t = text.data;
    const uint32_t *quote = cursor->quote;
    size_t pos = cursor->pos;
    unsigned depth = cursor->depth;
    const unsigned outside = depth;
    const struct json_node *here = NULL; /* of the innermost container */
    int node = 0;                        /* of the value at pos; the text's own at first */
    bool array;

open:
    if (JSON_UNLIKELY(depth == JSON_MAX_DEPTH))
        return false;
    array = t[pos] == '[';
    if (seen) {
        if (node != JSON_NO_NODE)
            json_match_record(match, node, array ? JSON_ARRAY : JSON_OBJECT, pos, pos);
        const struct json_node *inner = wants(scan, node, array);
        if (!inner) {
            cursor->pos = pos;
            cursor->quote = quote;
            cursor->depth = depth;
            if (!pass_unseen(scan))
                return false;
            pos = cursor->pos;
            quote = cursor->quote;
            goto closed;
        }
        here = inner;
        scan->node[depth] = (int16_t)node;
        match->elements[node] = 0;
    }
    scan->array[depth] = array;
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
    if (seen)
        node = json_match_member(match, &cursor->index, here, quote);
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
        if (seen && node != JSON_NO_NODE)
            json_match_record(match, node, JSON_STRING, quote[0], pos);
        quote += 2;
    } else if (json_starts_number(t[pos])) {
        size_t end = json_number_end(text, pos, cursor->level);
        if (JSON_UNLIKELY(!end))
            return false;
        if (seen && node != JSON_NO_NODE)
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
        if (seen && node != JSON_NO_NODE)
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
    if (seen)
        node = scan->node[depth];
closed:
    if (seen && node != JSON_NO_NODE) {
        struct str *value = &match->values[node].text;
        value->len = (size_t)(t + pos - value->data);
    }
    if (depth == outside) {
        cursor->pos = pos;
        cursor->quote = quote;
        return true;
    }
    if (JSON_UNLIKELY(pos == text.len))
        return false;
    array = scan->array[depth - 1];
    if (seen)
        here = &match->paths->nodes[scan->node[depth - 1]];
    goto after;

element:
    if (seen)
        node = json_match_element(match, here);
    goto value;
}

static bool pass_unseen(struct scan *scan)
{
    return pass_container(scan, false);
}

static bool pass_seen(struct scan *scan)
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
        return (last == '}' || last == ']') && (wanted ? pass_seen(scan) : pass_unseen(scan)) &&
               scan->cursor.pos == text.len;
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
