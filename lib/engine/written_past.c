/* written_past.c: what processes have written that were killed. */
#include "engine/written_past.h"

#include "base/mem.h"
#include "engine/written_sessions.h"
#include "sys/dir.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { PIECE = 64 * 1024 }; /* bytes of a file that are compared at once */

struct entry {
    char *text; /* as in a note; the path is a part of it */
    const char *path;
    uint64_t id, dev, ino, at;
    uint64_t end; /* of what it has written */
    bool last;    /* no session has begun there after it */
    struct stat info;
    int fd; /* -1: what it has written is not known, or compared to its end */
};

struct written_past {
    const struct home *home;
    struct entry list[WRITTEN_PASTS]; /* the oldest first */
    unsigned count;
    char piece[PIECE];
};

/* ---- entries ---- */

static void close_entry(struct entry *entry)
{
    if (entry->fd >= 0)
        close(entry->fd);
    entry->fd = -1;
}

/* The end of what the session has written. False: that is not known. */
static bool find_end(const struct home *home, struct entry *entry)
{
    struct written_sessions sessions;
    if (written_sessions_open(&sessions, home, &entry->info) < 0)
        return false;
    uint64_t end = written_sessions_end(&sessions, entry->id);
    bool known = end && fstat(entry->fd, &entry->info) == 0;
    uint64_t size = known ? (uint64_t)entry->info.st_size : 0;
    written_sessions_close(&sessions);
    entry->last = end == UINT64_MAX;
    entry->end = end < size ? end : size;
    return known;
}

static void open_entry(const struct home *home, struct entry *entry)
{
    entry->fd = open(entry->path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (entry->fd < 0) /* then nothing can be cut off */
        entry->fd = open(entry->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (entry->fd >= 0 && (fstat(entry->fd, &entry->info) < 0 || !S_ISREG(entry->info.st_mode) ||
                           entry->info.st_dev != (dev_t)entry->dev ||
                           entry->info.st_ino != (ino_t)entry->ino || !find_end(home, entry)))
        close_entry(entry);
}

static void add_entry(struct written_past *past, struct str text)
{
    struct entry entry = {.text = mem_strndup(text.data, text.len), .fd = -1};
    int used = 0;
    int got = sscanf(entry.text, "%" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNu64 " %n", &entry.id,
                     &entry.dev, &entry.ino, &entry.at, &used);
    entry.path = entry.text + used;
    if (got != 4 || *entry.path != '/') {
        free(entry.text);
        return;
    }
    if (past->count == WRITTEN_PASTS) {
        close_entry(&past->list[0]);
        free(past->list[0].text);
        memmove(past->list, past->list + 1, --past->count * sizeof *past->list);
    }
    open_entry(past->home, &entry);
    past->list[past->count++] = entry;
}

/* The part of the text before the mark; the text becomes what is behind it. */
static struct str cut_word(struct str *text, char mark)
{
    const char *end = memchr(text->data, mark, text->len);
    struct str word = {text->data, end ? (size_t)(end - text->data) : text->len};
    size_t used = word.len + (end != NULL);
    *text = (struct str){text->data + used, text->len - used};
    return word;
}

/* The notes from the last one on that has all of those before. */
static struct str that_matter(struct str notes)
{
    struct str matter = notes, rest = notes;
    while (rest.len) {
        struct str from = rest, line = cut_word(&rest, '\n');
        if (line.len && line.data[0] == '=')
            matter = from;
    }
    return matter;
}

struct written_past *written_past_open(const struct home *home, struct str notes)
{
    struct written_past *past = mem_zalloc(sizeof *past);
    past->home = home;
    notes = that_matter(notes);
    while (notes.len) {
        struct str line = cut_word(&notes, '\n');
        cut_word(&line, line.len ? line.data[0] : '+');
        while (line.len)
            add_entry(past, cut_word(&line, '\t'));
    }
    return past;
}

void written_past_free(struct written_past *past)
{
    if (!past)
        return;
    for (unsigned i = 0; i < past->count; i++) {
        close_entry(&past->list[i]);
        free(past->list[i].text);
    }
    free(past);
}

void written_past_add_entries(const struct written_past *past, struct buf *note)
{
    bool more = false;
    for (unsigned i = 0; i < past->count; i++) {
        const struct entry *entry = &past->list[i];
        if (entry->fd < 0)
            continue;
        buf_addf(note, "%s%" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIu64 " %s", more ? "\t" : "",
                 entry->id, entry->dev, entry->ino, entry->at, entry->path);
        more = true;
    }
}

/* ---- comparing ---- */

/* How many bytes at the entry's place are those of the lines. */
static size_t count_equal(struct written_past *past, const struct entry *entry, struct str lines)
{
    size_t equal = 0;
    uint64_t left = entry->end > entry->at ? entry->end - entry->at : 0;
    size_t most = lines.len < left ? lines.len : (size_t)left;
    while (equal < most) {
        size_t want = most - equal < PIECE ? most - equal : PIECE;
        ssize_t got = pread(entry->fd, past->piece, want, (off_t)(entry->at + equal));
        if (got <= 0)
            break;
        size_t same = 0;
        if (memcmp(past->piece, lines.data + equal, (size_t)got) == 0)
            same = (size_t)got;
        while (same < (size_t)got && past->piece[same] == lines.data[equal + same])
            same++;
        equal += same;
        if (same < (size_t)got)
            break;
    }
    return equal;
}

static size_t whole_lines(struct str text)
{
    const char *lf = text.len ? memrchr(text.data, '\n', text.len) : NULL;
    return lf ? (size_t)(lf - text.data) + 1 : 0;
}

/* Nothing of the file is lost that is no torn line of that session: it was the last, nobody writes
 * there now, nor can anybody begin. */
static void cut_off(const struct written_past *past, const struct entry *entry, uint64_t at)
{
    struct written_sessions sessions;
    struct stat now;
    if (written_sessions_open(&sessions, past->home, &entry->info) < 0)
        return;
    if (written_sessions_end(&sessions, entry->id) == UINT64_MAX && dir_lock(entry->fd) == 0) {
        if (fstat(entry->fd, &now) == 0 && (uint64_t)now.st_size == entry->end &&
            ftruncate(entry->fd, (off_t)at) < 0)
            now.st_size = 0; /* not ours to write: the next session there sees to it */
        flock(entry->fd, LOCK_UN);
    }
    written_sessions_close(&sessions);
}

struct str written_past_rest(struct written_past *past, struct str lines)
{
    for (unsigned i = 0; i < past->count && lines.len; i++) {
        struct entry *entry = &past->list[i];
        if (entry->fd < 0)
            continue;
        size_t equal = count_equal(past, entry, lines);
        size_t whole = whole_lines((struct str){lines.data, equal});
        bool torn = equal > whole && entry->last && entry->at + equal == entry->end;
        entry->at += whole;
        if (torn)
            cut_off(past, entry, entry->at);
        lines = (struct str){lines.data + whole, lines.len - whole};
        if (lines.len) /* what comes later was not written either */
            close_entry(entry);
    }
    return lines;
}
