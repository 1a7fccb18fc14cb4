/* ledger_log.c: one ledger of the embedded store: a log of records that only grows. */
#include "state/ledger_log.h"

#include "base/mem.h"
#include "state/ledger_file.h"
#include "state/ledger_index.h"
#include "state/pack.h"
#include "sys/boot.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SCAN_ROOM = 1024 * 1024, /* bytes of the log that are looked at together */
    FIND_ROOM = 4096,        /* bytes read at first, in the hope that they hold the record */
    LOG_RECORD_MAX = STORE_VALUE_MAX + 1, /* bytes of packed lines */
    /* What is cut off at most: a group of records and the last of them. A longer rest behind a bad
     * record was not torn by a crash: it is refused. */
    LOG_TORN_MAX = STORE_GROUP_BYTES * 2 + LOG_RECORD_MAX,
};

/* check covers what follows place; run and place may change later. */
struct record {
    uint32_t check;
    uint32_t run;
    uint64_t place;
    uint32_t len; /* of the packed lines that follow, padded to INDEX_ALIGN */
    uint32_t count;
    struct hash128 key;
};

struct ledger_log {
    struct ledger_file file;
    uint64_t end; /* as far as this process knows */
    struct ledger_index *index;
    struct buf batch;   /* records to be appended */
    struct buf scratch; /* a record that was read */
};

static size_t padded(size_t len)
{
    return (len + INDEX_ALIGN - 1) / INDEX_ALIGN * INDEX_ALIGN;
}

static struct ledger_op *ledger_op_of(struct store_op *op)
{
    return (struct ledger_op *)(void *)op;
}

static uint32_t check_of(const struct record *record, const void *lines)
{
    size_t skipped = offsetof(struct record, len);
    uint64_t head = hash_64((struct str){(const char *)record + skipped, sizeof *record - skipped});
    return (uint32_t)(head ^ hash_64((struct str){lines, record->len}));
}

/* ---- reading ---- */

struct search {
    struct ledger_log *log;
    struct hash128 key;
    struct record record;
    uint64_t offset;
};

/* The same of a record that is still to be written. The index may point anywhere: a process that
 * was killed before it had written leaves entries to what others write there. */
static bool read_batch(struct ledger_log *log, uint64_t at, struct record *record)
{
    if (at + sizeof *record > log->batch.len)
        return false;
    memcpy(record, log->batch.data + at, sizeof *record);
    if (record->len > log->batch.len - at - sizeof *record)
        return false;
    buf_add(&log->scratch, log->batch.data + at, sizeof *record + record->len);
    return true;
}

/* Read the record at offset into scratch, its lines behind it. False: there is no whole one. */
static bool read_record(struct ledger_log *log, uint64_t offset, struct record *record)
{
    struct buf *scratch = &log->scratch;
    buf_clear(scratch);
    if (log->batch.len && offset >= log->end)
        return read_batch(log, offset - log->end, record);
    buf_reserve(scratch, FIND_ROOM);
    ssize_t got = pread(log->file.log, scratch->data, FIND_ROOM, (off_t)offset);
    if (got < (ssize_t)sizeof *record)
        return false;
    memcpy(record, scratch->data, sizeof *record);
    if (record->len > LOG_RECORD_MAX)
        return false;
    size_t whole = sizeof *record + record->len;
    scratch->len = (size_t)got;
    if (scratch->len < whole) {
        size_t missing = whole - scratch->len;
        buf_reserve(scratch, missing);
        got = pread(log->file.log, scratch->data + scratch->len, missing,
                    (off_t)(offset + scratch->len));
        if (got < (ssize_t)missing)
            return false;
    }
    scratch->len = whole;
    return true;
}

static bool is_record(void *context, uint64_t offset)
{
    struct search *search = context;
    struct ledger_log *log = search->log;
    if (!read_record(log, offset, &search->record) || search->record.key.high != search->key.high ||
        search->record.key.low != search->key.low ||
        search->record.check !=
            check_of(&search->record, log->scratch.data + sizeof(struct record)))
        return false;
    search->offset = offset;
    return true;
}

static bool find(struct ledger_log *log, struct hash128 key, uint64_t since, struct search *search)
{
    *search = (struct search){.log = log, .key = key};
    return ledger_index_find(log->index, key, since, is_record, search);
}

static uint64_t printed(const struct ledger_log *log, uint32_t run)
{
    uint64_t place = 0;
    ssize_t got = pread(log->file.runs, &place, sizeof place, (off_t)run * (off_t)sizeof place);
    return got == sizeof place ? place : 0;
}

/* The record that a search has found, as the answer. */
static int answer(struct ledger_log *log, const struct search *search, struct ledger_op *op,
                  struct err *err)
{
    struct str packed = {log->scratch.data + sizeof search->record, search->record.len};
    op->count = search->record.count;
    op->shown = search->record.place < printed(log, search->record.run);
    buf_clear(&op->answer);
    return pack_read(packed, &op->answer, err);
}

int ledger_log_find(struct ledger_log *log, struct ledger_op *op, struct err *err)
{
    struct search search;
    if (!find(log, op->key, 0, &search)) {
        op->op.status = STORE_ABSENT;
        op->since = ledger_index_mark(log->index);
        return 0;
    }
    if (answer(log, &search, op, err) < 0)
        return -1;
    op->lines = buf_str(&op->answer);
    return 0;
}

/* ---- the index follows the log ---- */

/* Insert the whole records of a piece of the log. How many bytes they are; -1 with err. */
static int64_t index_piece(struct ledger_log *log, struct str piece, uint64_t offset,
                           struct err *err)
{
    size_t at = 0;
    while (piece.len - at >= sizeof(struct record)) {
        struct record record;
        memcpy(&record, piece.data + at, sizeof record);
        size_t whole = sizeof record + padded(record.len);
        if (record.len > LOG_RECORD_MAX || whole > piece.len - at ||
            record.check != check_of(&record, piece.data + at + sizeof record))
            break;
        if (ledger_index_add(log->index, record.key, offset + at, err) < 0)
            return -1;
        at += whole;
    }
    return (int64_t)at;
}

/* From what the index covers up to the end of the log; a torn end is cut off. */
static int catch_up(struct ledger_log *log, uint64_t size, struct err *err)
{
    uint64_t at = ledger_index_covered(log->index);
    size_t room = SCAN_ROOM;
    if (at < log->file.start || at > size) { /* a log that was cut by hand is indexed anew */
        ledger_index_reset(log->index);
        at = log->file.start;
    }
    while (at < size) {
        buf_clear(&log->scratch);
        buf_reserve(&log->scratch, room);
        ssize_t got = pread(log->file.log, log->scratch.data, room, (off_t)at);
        if (got < 0)
            return ledger_file_err(&log->file, "read the log", err);
        int64_t used = index_piece(log, (struct str){log->scratch.data, (size_t)got}, at, err);
        if (used < 0)
            return -1;
        at += (uint64_t)used;
        if (!used && room < sizeof(struct record) + LOG_RECORD_MAX + INDEX_ALIGN &&
            room < size - at)
            room *= 2; /* a record that is longer, or torn */
        else if (!used)
            break;
    }
    if (size - at > LOG_TORN_MAX)
        return err_set(err, ERR_STATE,
                       "ledger '%.*s': its log is damaged at byte %llu, with %llu bytes behind it",
                       (int)log->file.name.len, log->file.name.data, (unsigned long long)at,
                       (unsigned long long)(size - at));
    if (at < size && ftruncate(log->file.log, (off_t)at) < 0)
        return ledger_file_err(&log->file, "cut off a torn record", err);
    ledger_index_cover(log->index, at);
    log->end = at;
    return 0;
}

static int follow(struct ledger_log *log, struct err *err)
{
    struct stat stat;
    if (fstat(log->file.log, &stat) < 0)
        return ledger_file_err(&log->file, "stat the log", err);
    if (ledger_index_refresh(log->index, err) < 0)
        return -1;
    if ((uint64_t)stat.st_size == ledger_index_covered(log->index)) {
        log->end = (uint64_t)stat.st_size;
        return 0;
    }
    return catch_up(log, (uint64_t)stat.st_size, err);
}

/* ---- writing ---- */

static int add(struct ledger_log *log, struct ledger_op *op, struct err *err)
{
    struct search search;
    if (op->lines.len > STORE_VALUE_MAX)
        return err_set(err, ERR_LIMIT, "ledger '%.*s': a result of %zu bytes is too large",
                       (int)log->file.name.len, log->file.name.data, op->lines.len);
    if (find(log, op->key, op->since, &search)) {
        op->op.status = STORE_CONFLICT;
        return answer(log, &search, op, err);
    }
    size_t at = log->batch.len;
    struct record record = {
        .run = (uint32_t)op->run, .place = op->place, .count = (uint32_t)op->count, .key = op->key};
    buf_add(&log->batch, &record, sizeof record);
    pack_add(&log->batch, op->lines);
    record.len = (uint32_t)(log->batch.len - at - sizeof record);
    record.check = check_of(&record, log->batch.data + at + sizeof record);
    memcpy(log->batch.data + at, &record, sizeof record);
    while (log->batch.len % INDEX_ALIGN)
        buf_addc(&log->batch, '\0');
    return ledger_index_add(log->index, op->key, log->end + at, err);
}

/* This run has printed its places up to this one. Not synced: what a power cut takes is printed
 * again. */
static int show(struct ledger_log *log, const struct ledger_op *op, struct err *err)
{
    ssize_t put =
        pwrite(log->file.runs, &op->place, sizeof op->place, (off_t)(op->run * sizeof op->place));
    return put == sizeof op->place ? 0 : ledger_file_err(&log->file, "write runs", err);
}

static int claim(struct ledger_log *log, const struct ledger_op *op, struct err *err)
{
    struct search search;
    if (!find(log, op->key, 0, &search))
        return 0;
    search.record.run = (uint32_t)op->run;
    search.record.place = op->place;
    size_t skipped = offsetof(struct record, run);
    size_t len = offsetof(struct record, len) - skipped;
    ssize_t put = pwrite(log->file.log, (const char *)&search.record + skipped, len,
                         (off_t)(search.offset + skipped));
    return put == (ssize_t)len ? 0 : ledger_file_err(&log->file, "write the log", err);
}

static int begin_run(struct ledger_log *log, struct ledger_op *op, struct err *err)
{
    struct stat stat;
    uint64_t place = 0;
    if (fstat(log->file.runs, &stat) < 0)
        return ledger_file_err(&log->file, "stat runs", err);
    op->run = ((uint64_t)stat.st_size + sizeof place - 1) / sizeof place;
    if (op->run > UINT32_MAX)
        return err_set(err, ERR_LIMIT, "the ledger has had too many runs");
    ssize_t put = pwrite(log->file.runs, &place, sizeof place, (off_t)(op->run * sizeof place));
    return put == sizeof place ? 0 : ledger_file_err(&log->file, "write runs", err);
}

static int prepare(struct ledger_log *log, struct ledger_op *op, struct err *err)
{
    switch (op->verb) {
    case LEDGER_BEGIN:
        return begin_run(log, op, err);
    case LEDGER_ADD:
        return add(log, op, err);
    case LEDGER_SHOW:
        return show(log, op, err);
    case LEDGER_CLAIM:
        return claim(log, op, err);
    default:
        return err_set(err, ERR_USAGE, "no such operation on a ledger");
    }
}

static int write_batch(struct ledger_log *log, bool sync, struct err *err)
{
    size_t at = 0;
    while (at < log->batch.len) {
        ssize_t put = pwrite(log->file.log, log->batch.data + at, log->batch.len - at,
                             (off_t)(log->end + at));
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return ledger_file_err(&log->file, "write the log", err);
        at += (size_t)put;
    }
    if (at && sync && fdatasync(log->file.log) < 0)
        return ledger_file_err(&log->file, "sync the log", err);
    log->end += at;
    buf_clear(&log->batch);
    ledger_index_cover(log->index, log->end);
    return 0;
}

static int do_all(struct ledger_log *log, struct store_op *first, bool sync, struct err *err)
{
    buf_clear(&log->batch);
    for (struct store_op *op = first; op; op = op->next) {
        struct ledger_op *own = ledger_op_of(op);
        if (op->kind == STORE_LEDGER && own->verb != LEDGER_DROP && !own->settled &&
            str_eq(own->ledger, buf_str(&log->file.name)) && prepare(log, own, err) < 0)
            return -1;
    }
    return write_batch(log, sync, err);
}

/* The log is as it was; the index has entries of records that are not there, and is made anew. What
 * cannot be done now is done before the next commit. */
static void undo(struct ledger_log *log)
{
    struct err err;
    buf_clear(&log->batch);
    (void)!ftruncate(log->file.log, (off_t)log->end);
    ledger_index_reset(log->index);
    follow(log, &err);
}

int ledger_log_commit(struct ledger_log *log, struct store_op *first, bool sync, struct err *err)
{
    if (ledger_file_lock(&log->file, err) < 0)
        return -1;
    int status = follow(log, err);
    if (status == 0 && (status = do_all(log, first, sync, err)) < 0)
        undo(log);
    ledger_file_unlock(&log->file);
    return status;
}

/* ---- opening ---- */

/* The files are locked. */
static int open_index(struct ledger_log *log, struct err *err)
{
    log->index = ledger_index_open(log->file.dir, boot_number(), err);
    return log->index ? follow(log, err) : -1;
}

struct ledger_log *ledger_log_open(struct home *home, struct str name, bool make, struct err *err)
{
    struct ledger_log *log = mem_zalloc(sizeof *log);
    int status = ledger_file_open(&log->file, home, name, make, err);
    if (status == 0)
        status = open_index(log, err);
    ledger_file_unlock(&log->file);
    if (status == 0)
        return log;
    ledger_log_free(log);
    return NULL;
}

void ledger_log_free(struct ledger_log *log)
{
    if (!log)
        return;
    ledger_index_free(log->index);
    ledger_file_close(&log->file);
    buf_free(&log->batch);
    buf_free(&log->scratch);
    free(log);
}

struct str ledger_log_name(const struct ledger_log *log)
{
    return buf_str(&log->file.name);
}

int ledger_log_drop(struct home *home, struct str name, struct err *err)
{
    struct ledger_log *log = ledger_log_open(home, name, false, err);
    if (!log)
        return err->kind == ERR_NOT_FOUND ? 0 : -1;
    ledger_index_reset(log->index);
    int status = ledger_file_remove(&log->file, err);
    ledger_log_free(log);
    return status < 0 ? -1 : 1;
}
