/* report.c: what a run has counted, and how it is told. */
#include "engine/report.h"

#include <inttypes.h>

static void add_made(const struct report *report, struct buf *line)
{
    const struct report_made *made = &report->made;
    buf_addf(line,
             ",\"%s\":{\"read\":%" PRIu64 ",\"done\":%" PRIu64 ",\"dead\":%" PRIu64
             ",\"dropped\":%" PRIu64 ",\"returned\":%" PRIu64 "}",
             report->makes, made->read, made->done, made->dead, made->dropped, made->returned);
}

void report_format(const struct report *report, int64_t now, struct buf *line)
{
    buf_addf(line,
             "{\"read\":%" PRIu64 ",\"done\":%" PRIu64 ",\"dead\":%" PRIu64 ",\"dropped\":%" PRIu64,
             report->read, report->done, report->dead, report->dropped);
    if (report->returns)
        buf_addf(line, ",\"returned\":%" PRIu64, report->returned);
    if (report->makes)
        add_made(report, line);
    for (unsigned i = 0; i < report->counted; i++)
        buf_addf(line, ",\"%s\":%" PRIu64, report->counts[i].name, *report->counts[i].count);
    buf_addf(line,
             ",\"letters\":%" PRIu64 ",\"results\":%" PRIu64 ",\"attempts\":%" PRIu64
             ",\"failed_attempts\":%" PRIu64 ",\"replayed\":%" PRIu64 ",\"bytes_in\":%" PRIu64
             ",\"bytes_out\":%" PRIu64 ",\"seconds\":%.3f}\n",
             report->letters, report->results, report->attempts, report->failed_attempts,
             report->replayed, report->bytes_in, report->bytes_out,
             (double)(now - report->started) / 1e9);
}
