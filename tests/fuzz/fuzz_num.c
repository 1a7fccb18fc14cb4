/* fuzz_num.c: every reader of numbers agrees with what the text says, or refuses it and stores
 * nothing. */
#include "base/mem.h"
#include "base/num.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void claim(bool holds)
{
    if (!holds)
        abort();
}

/* The strictness that all readers share: digits, no leading zero, at most one point with digits
 * around it. */
static size_t plain_number(const char *text)
{
    size_t whole = strspn(text, "0123456789");
    if (!whole || (whole > 1 && text[0] == '0'))
        return 0;
    if (text[whole] != '.')
        return whole;
    size_t decimals = strspn(text + whole + 1, "0123456789");
    return decimals ? whole + 1 + decimals : 0;
}

static void check_uint(const char *text)
{
    uint64_t number = 77;
    const char *reason = num_uint(text, 0, UINT64_MAX, &number);
    size_t digits = strspn(text, "0123456789");
    errno = 0;
    unsigned long long expected = digits ? strtoull(text, NULL, 10) : 0;
    bool good = digits && !text[digits] && plain_number(text) == digits && errno == 0;
    claim((reason == NULL) == good && number == (good ? expected : 77));
    if (good && expected > 5)
        claim(num_uint(text, 0, 5, &number) && num_uint(text, expected, expected, &number) == NULL);
}

static long double unit_of(const char *unit)
{
    return !*unit || !strcmp(unit, "s") ? 1e9L
           : !strcmp(unit, "ms")        ? 1e6L
           : !strcmp(unit, "m")         ? 60e9L
           : !strcmp(unit, "h")         ? 3600e9L
           : !strcmp(unit, "d")         ? 86400e9L
                                        : 0;
}

static void check_duration(const char *text)
{
    int64_t nanoseconds = -77;
    if (num_duration(text, &nanoseconds)) {
        claim(nanoseconds == -77);
        return;
    }
    size_t len = plain_number(text);
    claim(len && nanoseconds >= 0);
    long double expected = strtold(text, NULL) * unit_of(text + len);
    claim(unit_of(text + len) > 0 &&
          fabsl(expected - (long double)nanoseconds) <= 1 + expected * 1e-17L);
    char shown[NUM_TEXT];
    claim(strlen(num_format_duration(nanoseconds, shown)) > 0);
}

static void check_size(const char *text)
{
    size_t bytes = 77;
    if (num_size(text, &bytes)) {
        claim(bytes == 77);
        return;
    }
    size_t len = strspn(text, "0123456789");
    claim(len && plain_number(text) == len && strlen(text) <= len + 1);
    unsigned shift = text[len] == 'K' ? 10 : text[len] == 'M' ? 20 : text[len] == 'G' ? 30 : 0;
    claim(shift || !text[len]);
    claim(bytes >> shift == strtoull(text, NULL, 10) && bytes >> shift << shift == bytes);
    char shown[NUM_TEXT];
    claim(strlen(num_format_size(bytes, shown)) > 0);
}

static void check_rate(const char *text)
{
    uint64_t count = 77;
    int64_t period = 77, same = 0;
    if (num_rate(text, &count, &period)) {
        claim(count == 77 && period == 77);
        return;
    }
    size_t len = strspn(text, "0123456789");
    claim(len && text[len] == '/' && text[len + 1]);
    claim(count == strtoull(text, NULL, 10) && count > 0 && period > 0);
    const char *each = text + len + 1;
    if (*each >= '0' && *each <= '9')
        claim(num_duration(each, &same) == NULL && same == period);
    else
        claim((long double)period == unit_of(each));
}

static void check_percentages(const char *text)
{
    double fraction = 77;
    uint64_t number = 77;
    size_t len = plain_number(text);
    bool is_percent = len && text[len] == '%' && !text[len + 1];
    if (num_percent(text, &fraction))
        claim(fraction > 76);
    else
        claim(is_percent && fraction >= 0 && fraction <= 1 &&
              fabs(fraction * 100 - strtod(text, NULL)) < 1e-9);
    if (num_count_or_percent(text, 10, &number))
        claim(number == 77);
    else
        claim(number >= 1 && number <= UINT32_MAX && len && (is_percent || !text[len]) &&
              !memchr(text, '.', len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_strndup((const char *)data, size);
    check_uint(text);
    check_duration(text);
    check_size(text);
    check_rate(text);
    check_percentages(text);
    free(text);
    return 0;
}
