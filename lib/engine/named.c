/* named.c: functions that the command line gives a name, NAME=FUNCTION. */
#include "engine/named.h"

static bool may_begin(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool may_follow(char c)
{
    return may_begin(c) || (c >= '0' && c <= '9') || c == '-';
}

struct named named_parse(const char *text)
{
    bool optional = *text == '?';
    const char *name = text + optional;
    const char *end = name;
    if (may_begin(*end))
        while (may_follow(*end))
            end++;
    if (end == name || *end != '=')
        return (struct named){.function = text};
    return (struct named){{name, (size_t)(end - name)}, end + 1, optional};
}
