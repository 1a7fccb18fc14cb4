/*
 * fuzz_template.c: expansion against the plainest reading of the contract.
 *
 * The input is a word, a NUL, and an event. Literal text, "{}" and "{.path}" are filled in here one
 * by one (paths and values by json.h, which has its own tests); the words must agree.
 */
#include "base/mem.h"
#include "format/json.h"
#include "format/template.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void claim(bool holds)
{
    if (!holds)
        abort();
}

/* Append the text of a path's value; false when the event has to fail. */
static bool add_value(struct str path, struct str event, struct buf *out)
{
    struct json_paths *paths = json_paths_new();
    struct err err;
    int node;
    size_t used;
    claim(json_paths_parse(paths, path, &node, &used, &err) == 0 && used == path.len);
    struct json_value *values = mem_array(json_paths_count(paths), sizeof *values);
    struct json_scan scan;
    bool good = json_scan(event, paths, values, &scan) == 0;
    if (good) {
        struct json_value value = values[node];
        size_t start = out->len;
        good = value.type != JSON_ABSENT && value.type != JSON_MISTYPED;
        if (good && value.type == JSON_STRING)
            good = json_decode(value.text, out) == 0;
        else if (good)
            buf_add_str(out, value.text);
        good = good && (out->len == start || !memchr(out->data + start, '\0', out->len - start));
    }
    json_paths_free(paths);
    free(values);
    return good;
}

/* The length of the placeholder's path at the start of text, or 0: none that is whole. */
static size_t path_length(struct str text)
{
    struct json_paths *paths = json_paths_new();
    struct err err;
    int node;
    size_t used = 0;
    struct str path = {text.data + 1, text.len - 1};
    bool good = json_paths_parse(paths, path, &node, &used, &err) == 0 && used < path.len &&
                path.data[used] == '}';
    json_paths_free(paths);
    return good ? used : 0;
}

enum plainly { PLAINLY_GOOD, PLAINLY_BROKEN, PLAINLY_FAILED };

static enum plainly expand_plainly(struct str word, struct str event, struct buf *out,
                                   bool *is_literal)
{
    enum plainly result = PLAINLY_GOOD;
    *is_literal = true;
    while (word.len) {
        size_t used = 1;
        if (str_starts(word, STR("{}"))) {
            buf_add_str(out, event);
            used = 2;
        } else if (str_starts(word, STR("{."))) {
            size_t len = path_length(word);
            if (!len)
                return PLAINLY_BROKEN; /* before any event */
            if (!add_value((struct str){word.data + 1, len}, event, out))
                result = PLAINLY_FAILED;
            used = len + 2;
        } else {
            buf_addc(out, *word.data);
        }
        *is_literal &= used == 1;
        word.data += used;
        word.len -= used;
    }
    return result;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    const unsigned char *nul = size ? memchr(data, '\0', size) : NULL;
    if (!nul)
        return 0;
    struct str word = {(const char *)data, (size_t)(nul - data)};
    struct str event = {(const char *)nul + 1, size - word.len - 1};
    struct json_scan scan;
    if (json_scan(event, NULL, NULL, &scan) != 0)
        event = STR("{\"a\":{\"b\":[1,\"x\\u0000\",{\"c\":\"\\u00e9\"}]},\"id\":\"7 8\"}");

    struct buf expected = {0};
    bool is_literal;
    enum plainly plainly = expand_plainly(word, event, &expected, &is_literal);
    struct err err = {0};
    char *words[] = {mem_strndup(word.data, word.len), mem_strdup("last")};
    struct template *template = template_new(words, 2, &err);
    claim((template == NULL) == (plainly == PLAINLY_BROKEN));
    if (!template) {
        claim(err.kind == ERR_USAGE);
    } else {
        claim(template_is_literal(template) == is_literal);
        char *const *got = template_expand(template, event, &err);
        claim((got == NULL) == (plainly == PLAINLY_FAILED));
        if (got)
            claim(str_eq(str_of(got[0]), buf_str(&expected)) && strcmp(got[1], "last") == 0 &&
                  !got[2]);
        else
            claim(err.kind == ERR_INPUT);
    }
    template_free(template);
    buf_free(&expected);
    free(words[0]);
    free(words[1]);
    return 0;
}
