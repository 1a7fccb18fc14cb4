/* spill.c: events that wait on disk until slow functions have had them. */
#include "engine/spill.h"

#include "base/list.h"
#include "base/mem.h"
#include "sys/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* What a segment begins with, in the file. */
struct segment_head {
    uint64_t size;   /* of the segment; the next one begins behind it */
    uint64_t used;   /* bytes, this head included */
    uint64_t open;   /* events that are not over */
    uint64_t closed; /* the next one has been begun */
};

/* An event in the file; behind it its identity, its bytes and a LF; then up to SPILL_ALIGN. */
struct record {
    struct parked parked; /* first */
    uint64_t length;
    uint64_t id_length;
};

enum { SPILL_ALIGN = 16 };

/* A mapped segment; its block's references are all that hold it. */
struct spill_segment {
    struct block block; /* first */
    struct spill *spill;
    uint64_t offset;
    struct spill_segment *next, *prev;
};

struct spill {
    const char *temp_dir;
    int fd;                             /* -1: not made yet */
    uint64_t end;                       /* of the last segment */
    struct spill_segment *last_segment; /* held; NULL: none has been made */
    struct spill_segment *first, *last; /* mapped */
};

static struct segment_head *head_of(const struct spill_segment *segment)
{
    return (struct segment_head *)(void *)segment->block.data;
}

static size_t round_up(size_t bytes, size_t to)
{
    return (bytes + to - 1) / to * to;
}

/* ---- segments ---- */

static void release(struct block *block)
{
    struct spill_segment *segment = (struct spill_segment *)(void *)block;
    struct spill *spill = segment->spill;
    const struct segment_head *head = head_of(segment);
    uint64_t size = head->size;
    bool is_over = head->closed && !head->open;
    munmap(block->data, size);
    if (is_over) /* where that cannot be done the file stays large: nothing else */
        (void)!fallocate(spill->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                         (off_t)segment->offset, (off_t)size);
    LIST_REMOVE(spill, segment);
    free(segment);
}

/* A new reference to the segment that has been mapped, or NULL. */
static struct spill_segment *find(const struct spill *spill, uint64_t offset)
{
    for (struct spill_segment *segment = spill->first; segment; segment = segment->next) {
        if (segment->offset == offset) {
            block_hold(&segment->block);
            return segment;
        }
    }
    return NULL;
}

/* The same after mapping it. NULL with errno. */
static struct spill_segment *map(struct spill *spill, uint64_t offset, size_t size)
{
    void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, spill->fd, (off_t)offset);
    if (data == MAP_FAILED)
        return NULL;
    struct spill_segment *segment = mem_zalloc(sizeof *segment);
    segment->block =
        (struct block){.data = data, .cap = size, .len = size, .refs = 1, .release = release};
    segment->spill = spill;
    segment->offset = offset;
    LIST_APPEND(spill, segment);
    return segment;
}

static struct spill_segment *open_next(struct spill_segment *segment)
{
    struct spill *spill = segment->spill;
    uint64_t offset = segment->offset + head_of(segment)->size;
    struct spill_segment *next = find(spill, offset);
    if (next)
        return next;
    uint64_t size;
    if (pread(spill->fd, &size, sizeof size, (off_t)offset) == (ssize_t)sizeof size)
        next = map(spill, offset, size);
    if (!next)
        mem_exhausted(SPILL_SEGMENT); /* it could be mapped when it was made */
    return next;
}

static int make_file(struct spill *spill, struct err *err)
{
    if (spill->fd < 0)
        spill->fd = dir_temp_file(spill->temp_dir, err);
    return spill->fd < 0 ? -1 : 0;
}

/* A new last segment, with room for so many bytes of records. */
static int add_segment(struct spill *spill, size_t bytes, struct err *err)
{
    size_t size = round_up(sizeof(struct segment_head) + bytes, (size_t)sysconf(_SC_PAGESIZE));
    if (size < SPILL_SEGMENT)
        size = SPILL_SEGMENT;
    if (make_file(spill, err) < 0)
        return -1;
    errno = posix_fallocate(spill->fd, (off_t)spill->end, (off_t)size);
    struct spill_segment *segment = errno ? NULL : map(spill, spill->end, size);
    if (!segment)
        return err_sys(err, "spill to a file in %s", spill->temp_dir);
    *head_of(segment) = (struct segment_head){.size = size, .used = sizeof(struct segment_head)};
    if (spill->last_segment) {
        head_of(spill->last_segment)->closed = true;
        block_drop(&spill->last_segment->block);
    }
    spill->last_segment = segment;
    spill->end += size;
    return 0;
}

/* Make the last segment one with room for so many bytes. */
static int make_room(struct spill *spill, size_t bytes, struct err *err)
{
    if (!spill->last_segment)
        return add_segment(spill, bytes, err);
    struct segment_head *head = head_of(spill->last_segment);
    if (!head->open && spill->last_segment->block.refs == 1) /* nobody is in it: once more */
        head->used = sizeof *head;
    return head->size - head->used >= bytes ? 0 : add_segment(spill, bytes, err);
}

/* ---- events ---- */

static const struct record *record_of(const struct spill_place *place)
{
    return (const struct record *)(const void *)place->parked;
}

static size_t record_size(size_t event, size_t id)
{
    return round_up(sizeof(struct record) + event + id + 1, SPILL_ALIGN);
}

static struct spill_place place_at(struct spill_segment *segment, size_t at)
{
    return (struct spill_place){segment, (struct parked *)(void *)(segment->block.data + at)};
}

int spill_add(struct spill *spill, struct str event, struct str id, struct spill_place *place,
              struct err *err)
{
    size_t size = record_size(event.len, id.len);
    if (make_room(spill, size, err) < 0)
        return -1;
    struct spill_segment *segment = spill->last_segment;
    struct segment_head *head = head_of(segment);
    *place = place_at(segment, head->used);
    struct record *record = (struct record *)(void *)place->parked;
    *record = (struct record){.length = event.len, .id_length = id.len};
    char *bytes = (char *)(record + 1);
    if (id.len)
        memcpy(bytes, id.data, id.len);
    memcpy(bytes + id.len, event.data, event.len);
    bytes[id.len + event.len] = '\n';
    head->used += size;
    head->open++;
    block_hold(&segment->block);
    return 0;
}

struct spill_place spill_hold(const struct spill_place *place)
{
    block_hold(&place->segment->block);
    return *place;
}

struct slice spill_event(const struct spill_place *place)
{
    const struct record *record = record_of(place);
    const char *bytes = (const char *)(record + 1) + record->id_length;
    return slice_of(&place->segment->block, bytes, record->length);
}

struct str spill_id(const struct spill_place *place)
{
    const struct record *record = record_of(place);
    return (struct str){(const char *)(record + 1), record->id_length};
}

void spill_release(struct spill_place *place)
{
    struct spill_segment *segment = place->segment;
    if (!place->parked->open)
        head_of(segment)->open--;
    *place = (struct spill_place){0};
    block_drop(&segment->block);
}

/* ---- reading ---- */

void spill_reader_begin(struct spill_reader *reader, const struct spill_place *first)
{
    block_hold(&first->segment->block);
    reader->segment = first->segment;
    reader->at = (size_t)((char *)first->parked - first->segment->block.data);
}

void spill_reader_end(struct spill_reader *reader)
{
    if (reader->segment)
        block_drop(&reader->segment->block);
    *reader = (struct spill_reader){0};
}

bool spill_reader_next(struct spill_reader *reader, struct spill_place *place)
{
    if (!reader->segment)
        return false;
    if (reader->at == head_of(reader->segment)->used && head_of(reader->segment)->closed) {
        struct spill_segment *next = open_next(reader->segment);
        spill_reader_end(reader);
        *reader = (struct spill_reader){next, sizeof(struct segment_head)};
    }
    if (reader->at == head_of(reader->segment)->used) {
        spill_reader_end(reader);
        return false;
    }
    *place = place_at(reader->segment, reader->at);
    block_hold(&reader->segment->block);
    reader->at += record_size(record_of(place)->length, record_of(place)->id_length);
    return true;
}

/* ---- the whole ---- */

struct spill *spill_new(const char *temp_dir)
{
    struct spill *spill = mem_zalloc(sizeof *spill);
    spill->temp_dir = temp_dir;
    spill->fd = -1;
    return spill;
}

void spill_free(struct spill *spill)
{
    if (!spill)
        return;
    if (spill->last_segment)
        block_drop(&spill->last_segment->block);
    if (spill->fd >= 0)
        close(spill->fd);
    free(spill);
}
