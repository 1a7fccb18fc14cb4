/* template.c: words of a command line with placeholders for parts of the event. */
#include "format/template.h"

#include "base/mem.h"
#include "format/json.h"

#include <stdlib.h>
#include <sys/types.h>

enum { SHOWN = 80 }; /* bytes of the user's text in an error: leaves room for the cause */

enum part_kind { PART_TEXT, PART_EVENT, PART_FIELD };

struct part {
    enum part_kind kind;
    bool ends_word;
    int node;        /* of a field */
    struct str text; /* as it stands in the word; a field with its braces, for errors */
};

struct template
{
    struct buf text; /* the words one behind the other: parts point into it */
    struct part *parts;
    size_t part_count;
    size_t word_count;
    bool has_placeholder;
    bool encoded; /* values are percent-encoded */
    struct json_paths *paths;
    struct json_value *values; /* NULL when no part is a field: then events are not scanned */
    struct buf expanded;       /* the words of the last event, each ended by NUL */
    struct buf value;          /* one that is to be encoded */
    char **words;
};

static struct part *add_part(struct template *template, enum part_kind kind, struct str text)
{
    template->parts =
        mem_realloc(template->parts, (template->part_count + 1) * sizeof *template->parts);
    struct part *part = &template->parts[template->part_count++];
    *part = (struct part){.kind = kind, .text = text};
    template->has_placeholder |= kind != PART_TEXT;
    return part;
}

static bool starts_placeholder(struct str text)
{
    return str_starts(text, STR("{}")) || str_starts(text, STR("{."));
}

/* The bytes of the placeholder at at, or -1 with err. */
static ssize_t read_placeholder(struct template *template, struct str word, size_t at,
                                struct err *err)
{
    struct str text = {word.data + at, word.len - at};
    if (text.data[1] == '}') {
        add_part(template, PART_EVENT, (struct str){text.data, 2});
        return 2;
    }
    struct err cause;
    int node, shown = word.len < SHOWN ? (int)word.len : SHOWN;
    size_t len;
    struct str path = {text.data + 1, text.len - 1};
    if (json_paths_parse(template->paths, path, &node, &len, &cause) != 0)
        return err_set(err, ERR_USAGE, "placeholder at byte %zu of \"%.*s\": %s", at, shown,
                       word.data, cause.text);
    if (len == path.len || path.data[len] != '}')
        return err_set(err, ERR_USAGE, "placeholder at byte %zu of \"%.*s\": no } after %.*s", at,
                       shown, word.data, len < SHOWN ? (int)len : SHOWN, path.data);
    add_part(template, PART_FIELD, (struct str){text.data, len + 2})->node = node;
    return (ssize_t)len + 2;
}

static int compile_word(struct template *template, struct str word, struct err *err)
{
    size_t at = 0, plain = 0; /* literal text goes from plain to at */
    while (at < word.len) {
        if (!starts_placeholder((struct str){word.data + at, word.len - at})) {
            at++;
            continue;
        }
        if (plain < at)
            add_part(template, PART_TEXT, (struct str){word.data + plain, at - plain});
        ssize_t used = read_placeholder(template, word, at, err);
        if (used < 0)
            return -1;
        at += (size_t)used;
        plain = at;
    }
    if (plain < word.len || word.len == 0)
        add_part(template, PART_TEXT, (struct str){word.data + plain, word.len - plain});
    template->parts[template->part_count - 1].ends_word = true;
    return 0;
}

struct template *template_new(char *const *words, size_t count, struct err *err)
{
    struct template *template = mem_zalloc(sizeof *template);
    template->paths = json_paths_new();
    template->word_count = count;
    template->words = mem_array(count + 1, sizeof *template->words);
    for (size_t i = 0; i < count; i++)
        buf_puts(&template->text, words[i]);
    const char *word = buf_cstr(&template->text);
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(words[i]);
        if (compile_word(template, (struct str){word, len}, err) != 0) {
            template_free(template);
            return NULL;
        }
        word += len;
    }
    for (size_t i = 0; i < template->part_count && !template->values; i++) {
        if (template->parts[i].kind == PART_FIELD)
            template->values =
                mem_array(json_paths_count(template->paths), sizeof *template->values);
    }
    return template;
}

void template_free(struct template *template)
{
    if (!template)
        return;
    buf_free(&template->text);
    buf_free(&template->expanded);
    buf_free(&template->value);
    json_paths_free(template->paths);
    free(template->parts);
    free(template->values);
    free(template->words);
    free(template);
}

void template_encode(struct template *template)
{
    template->encoded = true;
}

bool template_is_literal(const struct template *template)
{
    return !template->has_placeholder;
}

static int add_field(const struct template *template, const struct part *part, struct buf *out,
                     struct err *err)
{
    const struct json_value *value = &template->values[part->node];
    int len = part->text.len < SHOWN ? (int)part->text.len : SHOWN;
    if (value->type == JSON_ABSENT || value->type == JSON_MISTYPED)
        return err_set(err, ERR_INPUT, "no field for %.*s", len, part->text.data);
    if (value->type != JSON_STRING) {
        buf_add_str(out, value->text);
        return 0;
    }
    size_t start = out->len;
    if (json_decode(value->text, out) != 0)
        return err_set(err, ERR_INPUT, "lone surrogate in the value of %.*s", len, part->text.data);
    if (memchr(out->data + start, '\0', out->len - start))
        return err_set(err, ERR_INPUT, "NUL in the value of %.*s", len, part->text.data);
    return 0;
}

static void add_encoded(struct buf *out, struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '-' || c == '.' || c == '_' || c == '~')
            buf_addc(out, c);
        else
            buf_addf(out, "%%%02X", (unsigned char)c);
    }
}

static int add_part_of(struct template *template, const struct part *part, struct str event,
                       struct err *err)
{
    if (part->kind == PART_TEXT) {
        buf_add_str(&template->expanded, part->text);
        return 0;
    }
    struct buf *out = template->encoded ? &template->value : &template->expanded;
    buf_clear(&template->value);
    if (part->kind == PART_EVENT)
        buf_add_str(out, event);
    else if (add_field(template, part, out, err) < 0)
        return -1;
    if (template->encoded)
        add_encoded(&template->expanded, buf_str(&template->value));
    return 0;
}

char *const *template_expand(struct template *template, struct str event, struct err *err)
{
    struct json_scan scan;
    if (template->values && json_scan(event, template->paths, template->values, &scan) != 0) {
        err_set(err, ERR_INPUT, "%s at byte %zu", scan.reason, scan.at);
        return NULL;
    }
    buf_clear(&template->expanded);
    size_t start = 0;
    for (size_t i = 0; i < template->part_count; i++) {
        if (add_part_of(template, &template->parts[i], event, err) != 0)
            return NULL;
        size_t len = template->expanded.len - start;
        if (len > TEMPLATE_WORD) {
            buf_free(&template->expanded); /* a large event is not worth keeping the room for */
            err_set(err, ERR_INPUT, "an argument of %zu bytes, at most %d can be given", len,
                    TEMPLATE_WORD);
            return NULL;
        }
        if (template->parts[i].ends_word) {
            buf_addc(&template->expanded, '\0');
            start = template->expanded.len;
        }
    }
    /* Only now: the words moved while they grew. */
    char *word = template->expanded.data;
    for (size_t i = 0; i < template->word_count; i++) {
        template->words[i] = word;
        word += strlen(word) + 1;
    }
    return template->words;
}
