/* tzif.c: the rules of a time zone, as RFC 8536 writes them in a file (TZif) and POSIX in a line.
 */
#include "base/tzif.h"

#include "base/mem.h"
#include "base/tzif_line.h"

#include <stdlib.h>

enum { HEADER = 44, VERSION = 4, COUNTS = 20, MOST_TYPES = 256 };

struct change {
    int64_t at;
    int32_t offset; /* from then on */
};

struct tzif {
    struct zone zone;
    int32_t before; /* the first change */
    size_t count;
    struct change *changes;
    bool has_line; /* after the last change */
    struct tzif_line line;
};

static int32_t offset_at(const struct zone *zone, int64_t at)
{
    const struct tzif *tzif = (const struct tzif *)zone;
    size_t low = 0, high = tzif->count; /* changes below low are not above at */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tzif->changes[middle].at <= at)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == tzif->count && tzif->has_line)
        return tzif_line_offset(&tzif->line, at);
    return low ? tzif->changes[low - 1].offset : tzif->before;
}

static int64_t number_at(const char *bytes, size_t width)
{
    uint64_t number = bytes[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < width; i++)
        number = number << 8 | (unsigned char)bytes[i];
    return (int64_t)number;
}

/* A block: where its parts are. */
struct block {
    size_t leaps, times, types;
    const char *at, *type_of, *type; /* transition times, the type of each, the types */
    size_t width;                    /* of a time */
    size_t len;                      /* with its header */
};

static bool find_block(struct str bytes, size_t width, struct block *block)
{
    if (bytes.len < HEADER || memcmp(bytes.data, "TZif", 4) != 0)
        return false;
    size_t counts[6]; /* isut, isstd, leap, time, type, char */
    for (size_t i = 0; i < 6; i++)
        counts[i] = (uint32_t)number_at(bytes.data + COUNTS + 4 * i, 4);
    block->width = width;
    block->leaps = counts[2];
    block->times = counts[3];
    block->types = counts[4];
    block->at = bytes.data + HEADER;
    block->type_of = block->at + block->times * width;
    block->type = block->type_of + block->times;
    block->len = HEADER + block->times * (width + 1) + block->types * 6 + counts[5] +
                 block->leaps * (width + 4) + counts[1] + counts[0];
    return block->types && block->types <= MOST_TYPES && block->len <= bytes.len;
}

/* ut offset of a type; false: there is no such type, or its offset is out of range. */
static bool offset_of(const struct block *block, size_t type, int32_t *offset)
{
    if (type >= block->types)
        return false;
    *offset = (int32_t)number_at(block->type + type * 6, 4);
    return *offset >= -ZONE_FURTHEST && *offset <= ZONE_FURTHEST;
}

static bool read_block(struct tzif *tzif, const struct block *block)
{
    if (block->leaps || !offset_of(block, 0, &tzif->before))
        return false;
    tzif->count = block->times;
    tzif->changes = mem_array(block->times, sizeof *tzif->changes);
    for (size_t i = 0; i < block->times; i++) {
        struct change *change = &tzif->changes[i];
        change->at = number_at(block->at + i * block->width, block->width);
        if ((i && change->at <= change[-1].at) ||
            !offset_of(block, (unsigned char)block->type_of[i], &change->offset))
            return false;
    }
    return true;
}

/* What is behind the second block: a line between two ends of line, which may be empty. */
static bool read_footer(struct tzif *tzif, struct str rest)
{
    const char *end =
        rest.len > 1 && rest.data[0] == '\n' ? memchr(rest.data + 1, '\n', rest.len - 1) : NULL;
    if (!end)
        return false;
    struct str line = {rest.data + 1, (size_t)(end - rest.data - 1)};
    tzif->has_line = line.len > 0;
    return !line.len || tzif_line_read(&tzif->line, line);
}

static bool read_all(struct tzif *tzif, struct str bytes)
{
    struct block block;
    if (!find_block(bytes, 4, &block))
        return false;
    if (bytes.data[VERSION] < '2')
        return read_block(tzif, &block);
    struct str second = {bytes.data + block.len, bytes.len - block.len};
    if (!find_block(second, 8, &block) || !read_block(tzif, &block))
        return false;
    return read_footer(tzif, (struct str){second.data + block.len, second.len - block.len});
}

struct zone *tzif_read(struct str bytes)
{
    struct tzif *tzif = mem_zalloc(sizeof *tzif);
    tzif->zone.offset = offset_at;
    if (read_all(tzif, bytes))
        return &tzif->zone;
    tzif_free(&tzif->zone);
    return NULL;
}

struct zone *tzif_read_line(struct str line)
{
    struct tzif *tzif = mem_zalloc(sizeof *tzif);
    tzif->zone.offset = offset_at;
    tzif->has_line = true;
    if (tzif_line_read(&tzif->line, line))
        return &tzif->zone;
    tzif_free(&tzif->zone);
    return NULL;
}

void tzif_free(struct zone *zone)
{
    struct tzif *tzif = (struct tzif *)zone;
    if (!tzif)
        return;
    free(tzif->changes);
    free(tzif);
}
