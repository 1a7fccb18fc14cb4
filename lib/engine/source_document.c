/*
 * source_document.c: everything that another source of lines gives, as one event.
 *
 * Line breaks between the tokens of the document become blanks, so that the event is one line; its
 * other bytes stay as they are. A document that is no JSON keeps them, and the engine says why.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "engine/source.h"
#include "format/json.h"

#include <stdlib.h>

struct document {
    struct source source; /* first */
    struct source *lines;
    size_t limit;
    struct buf text; /* its head, once it is over the limit */
    uint64_t length;
    bool given;
};

static struct document *of(struct source *source)
{
    return (struct document *)(void *)source;
}

static void add_line(struct document *document, const struct source_event *line)
{
    document->length += line->length + (document->length > 0);
    if (document->text.len > document->limit)
        return;
    if (document->text.len)
        buf_addc(&document->text, '\n');
    buf_add_str(&document->text, slice_str(line->bytes));
}

static void break_no_lines(struct buf *text)
{
    struct json_scan scan;
    if (!text->len || json_scan(buf_str(text), NULL, NULL, &scan) < 0)
        return;
    char *end = text->data + text->len;
    for (char *at = text->data; (at = memchr(at, '\n', (size_t)(end - at)));)
        *at = ' ';
}

static enum source_status give(struct document *document, struct source_event *event)
{
    bool too_large = document->length > document->limit;
    document->given = true;
    if (!document->length)
        return SOURCE_END;
    if (!too_large)
        break_no_lines(&document->text);
    size_t len = document->text.len < document->limit ? document->text.len : document->limit;
    *event = (struct source_event){.number = 1, .length = document->length};
    event->bytes = slice_take(buf_take(&document->text), len);
    return too_large ? SOURCE_TOO_LARGE : SOURCE_EVENT;
}

static enum source_status next(struct source *source, struct source_event *event, struct err *err)
{
    struct document *document = of(source);
    if (document->given)
        return SOURCE_END;
    document->lines->ready = source->ready;
    document->lines->owner = source->owner;
    for (;;) {
        struct source_event line;
        enum source_status status = document->lines->next(document->lines, &line, err);
        if (status == SOURCE_END)
            return give(document, event);
        if (status != SOURCE_EVENT && status != SOURCE_TOO_LARGE)
            return status;
        add_line(document, &line);
        slice_drop(&line.bytes);
    }
}

static void stop(struct source *source)
{
    struct document *document = of(source);
    document->given = true;
    document->lines->stop(document->lines);
}

static void free_source(struct source *source)
{
    struct document *document = of(source);
    document->lines->free(document->lines);
    buf_free(&document->text);
    free(document);
}

static void extent(struct source *source, uint64_t *read, uint64_t *all)
{
    struct document *document = of(source);
    *read = *all = 0;
    if (document->lines->extent)
        document->lines->extent(document->lines, read, all);
}

struct source *source_document(struct source *lines, size_t limit)
{
    struct document *document = mem_zalloc(sizeof *document);
    document->source = (struct source){
        .name = lines->name, .next = next, .stop = stop, .free = free_source, .extent = extent};
    document->lines = lines;
    document->limit = limit;
    return &document->source;
}
