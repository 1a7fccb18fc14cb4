/* retry_after.c: how long a server asks to wait. */
#include "fn/retry_after.h"

#include "base/num.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum { LONGEST = 40 }; /* bytes of a date, or of a number that is read */

/* The formats of RFC 9110, 5.6.7: the one that is sent today, that of RFC 850, that of asctime. */
static const char *const formats[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                      "%a %b %e %H:%M:%S %Y"};

static int64_t until(const char *date, int64_t wall)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct tm tm = {0};
        const char *end = strptime(date, formats[i], &tm);
        if (end && !*end)
            return (int64_t)timegm(&tm) - wall / NUM_SECOND;
    }
    return 0;
}

static int64_t number(const char *digits)
{
    int64_t seconds = 0;
    while (*digits && seconds < RETRY_AFTER_MAX)
        seconds = seconds * 10 + (*digits++ - '0');
    return seconds;
}

int64_t retry_after_read(struct str value, int64_t wall)
{
    char text[LONGEST + 1];
    value = str_trim(value);
    if (!value.len || value.len > LONGEST)
        return 0;
    memcpy(text, value.data, value.len);
    text[value.len] = '\0';
    bool is_number = strspn(text, "0123456789") == value.len;
    int64_t seconds = is_number ? number(text) : until(text, wall);
    if (seconds <= 0)
        return 0;
    return (seconds < RETRY_AFTER_MAX ? seconds : RETRY_AFTER_MAX) * NUM_SECOND;
}
