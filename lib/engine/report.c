/* report.c: what a run has counted, and how it is told. */
#include "engine/report.h"

#include <inttypes.h>

void report_format(const struct report *report, int64_t now, struct buf *line)
{
    buf_addf(line,
             "{\"read\":%" PRIu64 ",\"done\":%" PRIu64 ",\"dead\":%" PRIu64 ",\"dropped\":%" PRIu64,
             report->read, report->done, report->dead, report->dropped);
    if (report->returns)
        buf_addf(line, ",\"returned\":%" PRIu64, report->returned);
    buf_addf(line,
             ",\"letters\":%" PRIu64 ",\"results\":%" PRIu64 ",\"attempts\":%" PRIu64
             ",\"failed_attempts\":%" PRIu64 ",\"replayed\":%" PRIu64 ",\"bytes_in\":%" PRIu64
             ",\"bytes_out\":%" PRIu64 ",\"seconds\":%.3f}\n",
             report->letters, report->results, report->attempts, report->failed_attempts,
             report->replayed, report->bytes_in, report->bytes_out,
             (double)(now - report->started) / 1e9);
}
