/* str.c: borrowed bytes with a length. */
#include "base/str.h"

#include "base/mem.h"

#include <stdlib.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str text)
{
    while (text.len && is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len && is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

/* The table of well-formed sequences is Table 3-7 of the Unicode Standard. */
bool str_is_utf8(struct str text)
{
    const unsigned char *p = (const unsigned char *)text.data;
    const unsigned char *end = p + text.len;
    while (p < end) {
        unsigned char lead = *p++;
        if (lead < 0x80)
            continue;
        size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
        unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        if (lead < 0xC2 || lead > 0xF4 || (size_t)(end - p) < more || *p < low || *p > high)
            return false;
        for (size_t i = 1; i < more; i++) {
            if ((p[i] & 0xC0) != 0x80)
                return false;
        }
        p += more;
    }
    return true;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: three rows of the dynamic programme are enough. */
size_t str_distance(const char *a, const char *b)
{
    size_t width = strlen(b) + 1;
    size_t *rows = mem_array(3 * width, sizeof *rows);
    size_t *before = rows, *last = rows + width, *now = rows + 2 * width;
    for (size_t j = 0; j < width; j++)
        last[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        now[0] = i;
        for (size_t j = 1; j < width; j++) {
            size_t change = last[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = least(change, least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    size_t distance = last[width - 1];
    free(rows);
    return distance;
}
