/* ticks_record.c: what `every` keeps between its runs, as the record of a cursor. */
#include "engine/ticks_record.h"

#include "base/clock.h"
#include "base/mem.h"
#include "format/json.h"

#include <stdlib.h>

/* ---- writing ---- */

static void add_time(struct buf *out, int64_t time)
{
    char text[CLOCK_TEXT];
    buf_addf(out, "\"%s\"", clock_format(time, text));
}

static void add_member(struct buf *out, const char *name, int64_t time)
{
    if (!time)
        return;
    buf_addf(out, ",\"%s\":", name);
    add_time(out, time);
}

void ticks_record_write(const struct ticks_record *record, struct buf *out)
{
    buf_puts(out, "{\"schedule\":");
    buf_add_json(out, buf_str(&record->schedule));
    if (record->zone.len) {
        buf_puts(out, ",\"zone\":");
        buf_add_json(out, buf_str(&record->zone));
    }
    add_member(out, "anchor", record->anchor);
    add_member(out, "at", record->at);
    buf_puts(out, ",\"through\":");
    add_time(out, record->through > 0 ? record->through : 0); /* no time is before 1970 */
    add_member(out, "success", record->success);
    buf_puts(out, ",\"open\":[");
    for (size_t i = 0; i < record->count; i++) {
        if (i)
            buf_addc(out, ',');
        add_time(out, record->open[i]);
    }
    buf_puts(out, "]}");
}

/* ---- reading ---- */

static int damaged(struct err *err)
{
    return err_set(err, ERR_STATE, "what is kept of an earlier run is damaged");
}

static int read_time(struct str value, int64_t *time, struct err *err)
{
    struct buf text = {0};
    if (json_type_of(value) == JSON_STRING)
        json_decode(value, &text);
    const char *reason = clock_parse(buf_cstr(&text), time);
    buf_free(&text);
    return reason ? damaged(err) : 0;
}

static int read_open(struct ticks_record *record, struct str array, struct err *err)
{
    struct json_iter iter;
    size_t room = 0;
    if (json_type_of(array) != JSON_ARRAY)
        return damaged(err);
    json_iter_init(&iter, array);
    while (json_iter_next(&iter)) {
        if (record->count == room) {
            room = room ? 2 * room : 8;
            record->open = mem_realloc(record->open, room * sizeof *record->open);
        }
        if (read_time(iter.value, &record->open[record->count++], err) < 0)
            return -1;
    }
    return 0;
}

static int read_text(struct str value, struct buf *text, struct err *err)
{
    if (json_type_of(value) != JSON_STRING)
        return damaged(err);
    json_decode(value, text);
    return 0;
}

static int read_member(struct ticks_record *record, struct str key, struct str value,
                       struct err *err)
{
    if (str_eq(key, STR("\"schedule\"")))
        return read_text(value, &record->schedule, err);
    if (str_eq(key, STR("\"zone\"")))
        return read_text(value, &record->zone, err);
    if (str_eq(key, STR("\"anchor\"")))
        return read_time(value, &record->anchor, err);
    if (str_eq(key, STR("\"at\"")))
        return read_time(value, &record->at, err);
    if (str_eq(key, STR("\"through\"")))
        return read_time(value, &record->through, err);
    if (str_eq(key, STR("\"success\"")))
        return read_time(value, &record->success, err);
    return str_eq(key, STR("\"open\"")) ? read_open(record, value, err) : 0;
}

int ticks_record_read(struct ticks_record *record, struct str text, struct err *err)
{
    struct json_scan scan;
    struct json_iter iter;
    bool has_through = false;
    if (json_scan(text, NULL, NULL, &scan) < 0 || json_type_of(str_trim(text)) != JSON_OBJECT)
        return damaged(err);
    json_iter_init(&iter, str_trim(text));
    while (json_iter_next(&iter)) {
        if (read_member(record, iter.key, iter.value, err) < 0)
            return -1;
        has_through = has_through || str_eq(iter.key, STR("\"through\""));
    }
    return record->schedule.len && has_through ? 0 : damaged(err);
}

void ticks_record_free(struct ticks_record *record)
{
    buf_free(&record->schedule);
    buf_free(&record->zone);
    free(record->open);
    *record = (struct ticks_record){0};
}
