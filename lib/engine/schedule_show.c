/* schedule_show.c: the next times of a schedule, for people and for scripts. */
#include "engine/schedule_show.h"

#include "base/msg.h"
#include "base/num.h"
#include "engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void schedule_show_time(struct buf *text, const struct zone *zone, int64_t at)
{
    int64_t seconds = at / NUM_SECOND - (at % NUM_SECOND < 0);
    int32_t offset = zone->offset(zone, seconds);
    if (offset % 60)
        offset = 0;
    struct zone_civil date = zone_civil_of(seconds + offset);
    buf_addf(text, "%04d-%02u-%02uT%02u:%02u:%02u", (int)date.year, date.month, date.day, date.hour,
             date.minute, date.second);
    int64_t fraction = at - seconds * NUM_SECOND;
    if (fraction) {
        buf_addf(text, ".%09d", (int)fraction);
        while (text->data[text->len - 1] == '0')
            text->len--;
    }
    buf_addf(text, "%c%02d:%02d", offset < 0 ? '-' : '+', abs(offset) / 3600,
             abs(offset) / 60 % 60);
}

/* The line is written whole. False: it could not be, or nobody reads any more. */
static bool print(struct buf *line)
{
    bool written = fwrite(line->data, 1, line->len, stdout) == line->len;
    buf_clear(line);
    return written;
}

int schedule_show_next(const struct schedule *schedule, const struct zone *zone, int64_t after,
                       uint64_t count)
{
    struct buf line = {0};
    bool written = true;
    for (uint64_t i = 0; written && i < count; i++) {
        if (!schedule_next(schedule, zone, after, &after))
            break;
        schedule_show_time(&line, zone, after);
        buf_addc(&line, '\n');
        written = print(&line);
    }
    buf_free(&line);
    if (fflush(stdout) == 0 && written)
        return EXIT_OK;
    if (errno == EPIPE)
        return EXIT_OK;
    msg_error("write to standard output: %s", strerror(errno));
    return EXIT_FITTING;
}
