/*
 * make_events.c: events to measure with: make_events COUNT BYTES
 *
 * Prints COUNT events of BYTES bytes each with their LF: objects as they come from applications,
 * with numbers, text, a nested object and an array; one in ten has the type "order".
 */
#include "base/num.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_SHORTEST = 192, EVENTS_LONGEST = 4096, EVENTS_MOST = 1000000000 };

int main(int argc, char **argv)
{
    static const char *const types[] = {"order", "click", "view",  "login", "view",
                                        "click", "error", "click", "view",  "search"};
    static const char *const cities[] = {"Oslo", "Turin", "Quito", "Osaka"};
    static char fill[EVENTS_LONGEST], line[EVENTS_LONGEST + 1];
    uint64_t count, bytes;
    if (argc != 3 || num_uint(argv[1], 1, EVENTS_MOST, &count) ||
        num_uint(argv[2], EVENTS_SHORTEST, EVENTS_LONGEST, &bytes)) {
        fprintf(stderr, "usage: make_events COUNT BYTES\n");
        return 2;
    }
    memset(fill, 'x', sizeof fill);
    for (uint64_t i = 0; i < count; i++) {
        int len =
            snprintf(line, sizeof line,
                     "{\"id\":%" PRIu64 ",\"type\":\"%s\",\"amount\":%" PRIu64 ".%02" PRIu64
                     ",\"user\":{\"name\":\"user %" PRIu64 "\",\"city\":\"%s\",\"age\":%" PRIu64 "}"
                     ",\"tags\":[\"a%" PRIu64 "\",\"b\"],\"paid\":%s,\"note\":\"",
                     i, types[i % 10], i * 7919 % 1000, i * 31 % 100, i % 5000, cities[i % 4],
                     18 + i % 60, i % 7, i % 3 ? "true" : "false");
        int room = (int)bytes - len - 3; /* for "}, and the LF */
        printf("%s%.*s\"}\n", line, room > 0 ? room : 0, fill);
    }
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    fprintf(stderr, "make_events: cannot write\n");
    return 1;
}
