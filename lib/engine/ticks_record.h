/*
 * ticks_record.h: what `every` keeps between its runs, as the record of a cursor.
 *
 * One object of JSON, under one key. Times are RFC 3339 in UTC with milliseconds; schedules have no
 * finer ones. What an earlier version has not written is absent.
 */
#ifndef FIT_ENGINE_TICKS_RECORD_H
#define FIT_ENGINE_TICKS_RECORD_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define TICKS_RECORD_KIND "every"
#define TICKS_RECORD_KEY  "ticks"

struct ticks_record {
    struct buf schedule; /* its text */
    struct buf zone;     /* as it was named; empty: the machine's */
    int64_t anchor;      /* of an interval; else 0 */
    int64_t at;          /* of one moment; else 0 */
    int64_t through;     /* struct ticks */
    int64_t success;     /* the last scheduled time whose run was done; 0: none */
    int64_t *open;       /* struct ticks: those that have not ended */
    size_t count;
};

void ticks_record_write(const struct ticks_record *record, struct buf *out);
/* Into a zeroed one. -1 with ERR_STATE: it is damaged. ticks_record_free in any case. */
int ticks_record_read(struct ticks_record *record, struct str text, struct err *err);
void ticks_record_free(struct ticks_record *record);

#endif
