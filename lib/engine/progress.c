/* progress.c: the line on a terminal that tells how far a run is. */
#include "engine/progress.h"

#include "base/num.h"

enum { HOUR_S = 3600, MINUTE_S = 60, RATE_MEMORY_S = 3 };

static void add_left(struct buf *line, int64_t left)
{
    long long seconds = (left + NUM_SECOND - 1) / NUM_SECOND;
    if (seconds >= HOUR_S)
        buf_addf(line, ", %lld:%02lld:%02lld left", seconds / HOUR_S, seconds % HOUR_S / MINUTE_S,
                 seconds % MINUTE_S);
    else
        buf_addf(line, ", %lld:%02lld left", seconds / MINUTE_S, seconds % MINUTE_S);
}

static void add_bar(struct buf *line, double fraction)
{
    int full = (int)(fraction * PROGRESS_BAR);
    buf_addc(line, '[');
    for (int i = 0; i < PROGRESS_BAR; i++)
        buf_addc(line, i < full ? '#' : '.');
    buf_addf(line, "] %d%% ", (int)(fraction * 100));
}

void progress_format(struct buf *line, const struct progress_facts *facts, unsigned columns)
{
    size_t start = line->len;
    if (facts->fraction >= 0)
        add_bar(line, facts->fraction < 1 ? facts->fraction : 1);
    buf_addf(line, "%llu done, ", (unsigned long long)facts->done);
    if (facts->dead)
        buf_addf(line, "%llu dead, ", (unsigned long long)facts->dead);
    buf_addf(line, "%llu in flight, %.*f calls/s", (unsigned long long)facts->in_flight,
             facts->rate < 10 ? 1 : 0, facts->rate);
    if (facts->fraction > 0)
        add_left(line, progress_left(facts->fraction, facts->elapsed));
    if (line->len - start > columns)
        line->len = start + columns;
}

int64_t progress_left(double fraction, int64_t elapsed)
{
    if (fraction <= 0 || fraction >= 1)
        return 0;
    return (int64_t)((double)elapsed * (1 - fraction) / fraction);
}

double progress_rate(double rate, uint64_t count, int64_t interval)
{
    double seconds = (double)interval / (double)NUM_SECOND;
    if (seconds <= 0)
        return rate;
    double weight = seconds < RATE_MEMORY_S ? seconds / RATE_MEMORY_S : 1;
    double now = (double)count / seconds;
    return rate > 0 ? rate + weight * (now - rate) : now;
}
