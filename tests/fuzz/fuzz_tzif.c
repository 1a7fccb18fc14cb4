/* fuzz_tzif.c: bytes are no time zone, or one whose offsets are in range at any time. */
#include "base/tzif.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(struct zone *zone)
{
    static const int64_t times[] = {INT64_MIN / 2, -1, 0, 1, INT64_C(1795672800), INT64_MAX / 64};
    for (size_t i = 0; zone && i < sizeof times / sizeof *times; i++) {
        int32_t offset = zone->offset(zone, times[i]);
        if (offset < -ZONE_FURTHEST || offset > ZONE_FURTHEST)
            abort();
    }
    tzif_free(zone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = {(const char *)data, size};
    look(tzif_read(bytes));
    look(tzif_read_line(bytes));
    return 0;
}
