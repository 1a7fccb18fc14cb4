/* ticks_kept.c: what is kept of a schedule under its name, read from the store. */
#include "engine/ticks_kept.h"

#include "engine/engine.h"

struct reading {
    struct ticks_record *record;
    int status;
    struct err err;
};

static void read_one(void *owner, const struct cursor_record *record)
{
    struct reading *reading = owner;
    if (reading->status == 0 && str_eq(slice_str(record->key), STR(TICKS_RECORD_KEY)))
        reading->status =
            ticks_record_read(reading->record, slice_str(record->value), &reading->err);
}

bool ticks_kept_read(struct cursor_hold *hold, struct ticks_record *record, int *status)
{
    struct reading reading = {.record = record};
    ticks_record_free(record);
    if (cursor_hold_read(hold, read_one, &reading) < 0)
        *status = EXIT_FITTING;
    else if (reading.status < 0)
        *status = engine_refuse(&reading.err);
    else
        return true;
    return false;
}
