/* gathered.c: events that one read hands out, in one block. */
#include "state/gathered.h"

#include "base/mem.h"

#include <stdlib.h>

enum { FIRST_ROOM = 64 };

int gathered_add(struct gathered *gathered, struct apply *apply, struct str packed)
{
    struct str event;
    if (apply_unpack(apply, packed, &gathered->scratch, &event) < 0)
        return -1;
    if (gathered->count == gathered->room) {
        gathered->room = gathered->room ? 2 * gathered->room : FIRST_ROOM;
        gathered->ends = mem_realloc(gathered->ends, gathered->room * sizeof *gathered->ends);
    }
    buf_add_str(&gathered->bytes, event);
    buf_addc(&gathered->bytes, '\n');
    gathered->ends[gathered->count++] = gathered->bytes.len;
    return 0;
}

void gathered_seal(struct gathered *gathered)
{
    size_t len = gathered->bytes.len;
    if (gathered->count)
        gathered->all = slice_take(buf_take(&gathered->bytes), len);
}

struct slice gathered_event(const struct gathered *gathered, unsigned place)
{
    size_t begin = place ? gathered->ends[place - 1] : 0;
    return slice_of(gathered->all.block, gathered->all.data + begin,
                    gathered->ends[place] - begin - 1);
}

void gathered_free(struct gathered *gathered)
{
    slice_drop(&gathered->all);
    free(gathered->ends);
    buf_free(&gathered->bytes);
    buf_free(&gathered->scratch);
}
