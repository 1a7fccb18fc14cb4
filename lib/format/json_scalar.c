/* json_scalar.c: where any number ends. */
#include "format/json_scalar.h"

static size_t pass_digits(struct str text, size_t pos)
{
    while (pos < text.len && text.data[pos] >= '0' && text.data[pos] <= '9')
        pos++;
    return pos;
}

size_t json_any_number_end(struct str text, size_t pos)
{
    const char *t = text.data;
    pos += t[pos] == '-';
    size_t digits = pos;
    pos = pass_digits(text, pos);
    if (pos == digits || (t[digits] == '0' && pos - digits > 1))
        return 0;
    if (pos < text.len && t[pos] == '.') {
        digits = ++pos;
        pos = pass_digits(text, pos);
        if (pos == digits)
            return 0;
    }
    if (pos < text.len && (t[pos] | 0x20) == 'e') {
        pos++;
        pos += pos < text.len && (t[pos] == '+' || t[pos] == '-');
        digits = pos;
        pos = pass_digits(text, pos);
        if (pos == digits)
            return 0;
    }
    return pos;
}
