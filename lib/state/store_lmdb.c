/*
 * store_lmdb.c: records in LMDB. The only file that sees lmdb.h.
 *
 * Pages are written with pwrite, never through the map, so a full disk is an error of the commit
 * and no signal; the file is as it was. A file that is shorter than its own header says would raise
 * SIGBUS when it is read: it is refused at open. "data.made" is written once the file is there, to
 * tell a store that was lost from one that was never made.
 */
#include "state/table.h"

#include "base/mem.h"
#include "state/table_files.h"
#include "state/table_turn.h"

#include <errno.h>
#include <lmdb.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { LMDB_READERS = 4096 }; /* processes that look at the same time; more get an error */
/* Address space that is reserved, not memory or disk; halved while the system refuses it. */
#define LMDB_MAP       (UINT64_C(64) << 30)
#define LMDB_MAP_LEAST (UINT64_C(16) << 20)

struct lmdb {
    struct table table; /* first */
    char *path;
    MDB_env *env;
    struct table_turn turn; /* held while a writer is open */
    MDB_dbi spaces[TABLE_SPACES];
    struct lmdb_txn *reader; /* ended, its place among the readers kept: the next one costs less */
};

struct lmdb_txn {
    struct table_txn txn; /* first */
    MDB_txn *own;
    MDB_cursor *cursors[TABLE_SPACES];
};

static const char *const space_names[TABLE_SPACES] = {
    [SPACE_META] = "meta",     [SPACE_KV] = "kv",           [SPACE_CHANGE] = "change",
    [SPACE_EXPIRY] = "expiry", [SPACE_LOCK] = "lock",       [SPACE_MESSAGE] = "message",
    [SPACE_READY] = "ready",   [SPACE_DELAYED] = "delayed", [SPACE_GROUP] = "group",
    [SPACE_LEASE] = "lease",   [SPACE_DEDUP] = "dedup",     [SPACE_LEDGER] = "ledger",
    [SPACE_DEAD] = "dead",     [SPACE_FANIN] = "fanin",     [SPACE_PART] = "part",
    [SPACE_TOPIC] = "topic",   [SPACE_READER] = "reader",   [SPACE_ANSWER] = "answer",
    [SPACE_CURSOR] = "cursor",
};

static struct lmdb *lmdb_of(struct table *table)
{
    return (struct lmdb *)(void *)table;
}

static struct lmdb_txn *txn_of(struct table_txn *txn)
{
    return (struct lmdb_txn *)(void *)txn;
}

static MDB_val val_of(struct str text)
{
    return (MDB_val){text.len, (void *)(uintptr_t)text.data};
}

static struct str str_of_val(MDB_val value)
{
    return (struct str){value.mv_data, value.mv_size};
}

/* LMDB says EIO when a write ended early, which is how a disk that gets full shows first. */
static int cause_of(const struct lmdb *lmdb, int code)
{
    enum { SCARCE = 4 * 1024 * 1024 };
    struct statvfs disk;
    bool scarce = code == EIO && statvfs(lmdb->path, &disk) == 0 &&
                  (uint64_t)disk.f_bavail * disk.f_frsize < SCARCE;
    return scarce ? ENOSPC : code;
}

/* An error of LMDB, or an errno that it passes on. Returns -1. */
static int set_err(struct err *err, const struct lmdb *lmdb, const char *what, int code)
{
    if (code > 0) {
        errno = cause_of(lmdb, code);
        return err_sys(err, "%s/data.mdb: %s", lmdb->path, what);
    }
    enum err_kind kind = code == MDB_MAP_FULL || code == MDB_READERS_FULL ? ERR_LIMIT : ERR_STATE;
    const char *why = mdb_strerror(code);
    if (code == MDB_INVALID || code == MDB_VERSION_MISMATCH)
        why = "not a store of this kind, or damaged; it was left as it is";
    if (code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND)
        why = "it is damaged";
    return err_set(err, kind, "%s/data.mdb: %s: %s", lmdb->path, what, why);
}

static enum table_result fail(struct table_txn *txn, const char *what, int code)
{
    if (!txn->failed) {
        txn->failed = true;
        txn->full = code == MDB_MAP_FULL;
        set_err(&txn->err, lmdb_of(txn->table), what, code);
    }
    return TABLE_FAILED;
}

/* ---- transactions ---- */

/* In this process's turn. Others may have let the map grow, which it has to follow. */
static int begin_own(struct lmdb *lmdb, unsigned flags, MDB_txn **own)
{
    int code = mdb_txn_begin(lmdb->env, NULL, flags, own);
    if (code == MDB_MAP_RESIZED && (code = mdb_env_set_mapsize(lmdb->env, 0)) == 0)
        code = mdb_txn_begin(lmdb->env, NULL, flags, own);
    if (code == MDB_READERS_FULL && mdb_reader_check(lmdb->env, NULL) == 0)
        code = mdb_txn_begin(lmdb->env, NULL, flags, own);
    return code;
}

/* Also follows a map that has grown; NULL: begin in the common way. */
static struct table_txn *renew_reader(struct lmdb *lmdb)
{
    struct lmdb_txn *reader = lmdb->reader;
    lmdb->reader = NULL;
    if (!reader)
        return NULL;
    if (mdb_txn_renew(reader->own) == 0)
        return &reader->txn;
    mdb_txn_abort(reader->own);
    free(reader);
    return NULL;
}

static struct table_txn *lmdb_begin(struct table *table, bool write, struct err *err)
{
    struct lmdb *lmdb = lmdb_of(table);
    struct table_txn *renewed = write ? NULL : renew_reader(lmdb);
    if (renewed)
        return renewed;
    MDB_txn *own;
    if (table_turn_take(&lmdb->turn, err) < 0)
        return NULL;
    int code = begin_own(lmdb, write ? 0 : MDB_RDONLY, &own);
    if (code || !write)
        table_turn_leave(&lmdb->turn);
    if (code) {
        set_err(err, lmdb, "begin a transaction", code);
        return NULL;
    }
    struct lmdb_txn *txn = mem_zalloc(sizeof *txn);
    txn->txn.table = table;
    txn->txn.writes = write;
    txn->own = own;
    return &txn->txn;
}

static void close_cursors(struct lmdb_txn *own)
{
    for (size_t i = 0; i < TABLE_SPACES; i++) {
        if (own->cursors[i])
            mdb_cursor_close(own->cursors[i]);
        own->cursors[i] = NULL;
    }
}

/* A reader holds no snapshot any more, which would keep old pages from being used again. */
static void lmdb_abort(struct table_txn *txn)
{
    struct lmdb_txn *own = txn_of(txn);
    struct lmdb *lmdb = lmdb_of(txn->table);
    close_cursors(own);
    if (!txn->writes && !txn->failed && !lmdb->reader) {
        mdb_txn_reset(own->own);
        lmdb->reader = own;
        return;
    }
    mdb_txn_abort(own->own);
    if (txn->writes)
        table_turn_leave(&lmdb->turn);
    free(own);
}

static int lmdb_commit(struct table_txn *txn, struct err *err)
{
    struct lmdb_txn *own = txn_of(txn);
    if (txn->failed) {
        *err = txn->err;
        lmdb_abort(txn);
        return -1;
    }
    close_cursors(own);
    int code = mdb_txn_commit(own->own);
    struct lmdb *lmdb = lmdb_of(txn->table);
    if (txn->writes)
        table_turn_leave(&lmdb->turn);
    free(own);
    return code ? set_err(err, lmdb, "commit", code) : 0;
}

/* ---- records ---- */

static enum table_result lmdb_get(struct table_txn *txn, enum table_space space, struct str key,
                                  struct str *value)
{
    MDB_val wanted = val_of(key), found;
    int code = mdb_get(txn_of(txn)->own, lmdb_of(txn->table)->spaces[space], &wanted, &found);
    if (code == MDB_NOTFOUND)
        return TABLE_ABSENT;
    if (code)
        return fail(txn, "read", code);
    *value = str_of_val(found);
    return TABLE_FOUND;
}

static int lmdb_put(struct table_txn *txn, enum table_space space, struct str key, struct str value)
{
    MDB_val name = val_of(key), content = val_of(value);
    int code = mdb_put(txn_of(txn)->own, lmdb_of(txn->table)->spaces[space], &name, &content, 0);
    return code ? (int)fail(txn, "write", code) : 0;
}

static enum table_result lmdb_remove(struct table_txn *txn, enum table_space space, struct str key)
{
    MDB_val name = val_of(key);
    int code = mdb_del(txn_of(txn)->own, lmdb_of(txn->table)->spaces[space], &name, NULL);
    if (code == MDB_NOTFOUND)
        return TABLE_ABSENT;
    return code ? fail(txn, "remove", code) : TABLE_FOUND;
}

static MDB_cursor *cursor(struct table_txn *txn, enum table_space space)
{
    struct lmdb_txn *own = txn_of(txn);
    if (!own->cursors[space]) {
        int code =
            mdb_cursor_open(own->own, lmdb_of(txn->table)->spaces[space], &own->cursors[space]);
        if (code)
            fail(txn, "read", code);
    }
    return own->cursors[space];
}

static enum table_result found(struct table_txn *txn, int code, MDB_val at, MDB_val content,
                               struct str *key, struct str *value)
{
    if (code == MDB_NOTFOUND)
        return TABLE_ABSENT;
    if (code)
        return fail(txn, "read", code);
    *key = str_of_val(at);
    *value = str_of_val(content);
    return TABLE_FOUND;
}

/* LMDB takes no empty key: what stands first is sought without one. */
static int seek_from(MDB_cursor *cursor, MDB_val *at, MDB_val *content)
{
    return mdb_cursor_get(cursor, at, content, at->mv_size ? MDB_SET_RANGE : MDB_FIRST);
}

static enum table_result lmdb_seek(struct table_txn *txn, enum table_space space, struct str from,
                                   bool beyond, struct str *key, struct str *value)
{
    MDB_cursor *own = cursor(txn, space);
    if (!own)
        return TABLE_FAILED;
    MDB_val at = val_of(from), content;
    int code = seek_from(own, &at, &content);
    if (!code && beyond && str_eq(str_of_val(at), from))
        code = mdb_cursor_get(own, &at, &content, MDB_NEXT);
    return found(txn, code, at, content, key, value);
}

static enum table_result lmdb_last(struct table_txn *txn, enum table_space space, struct str below,
                                   struct str *key, struct str *value)
{
    MDB_cursor *own = cursor(txn, space);
    if (!own)
        return TABLE_FAILED;
    MDB_val at = val_of(below), content;
    int code = MDB_NOTFOUND;
    if (below.len && (code = mdb_cursor_get(own, &at, &content, MDB_SET_RANGE)) == 0)
        code = mdb_cursor_get(own, &at, &content, MDB_PREV);
    else if (code == MDB_NOTFOUND)
        code = mdb_cursor_get(own, &at, &content, MDB_LAST);
    return found(txn, code, at, content, key, value);
}

/* ---- opening ---- */

static bool lmdb_grow(struct table *table, struct err *err)
{
    struct lmdb *lmdb = lmdb_of(table);
    MDB_envinfo info;
    mdb_env_info(lmdb->env, &info);
    int code = mdb_env_set_mapsize(lmdb->env, info.me_mapsize * 2);
    if (code)
        set_err(err, lmdb, "make room", code);
    return code == 0;
}

static void lmdb_close(struct table *table)
{
    struct lmdb *lmdb = lmdb_of(table);
    if (lmdb->reader)
        mdb_txn_abort(lmdb->reader->own);
    free(lmdb->reader);
    if (lmdb->env)
        mdb_env_close(lmdb->env);
    table_turn_close(&lmdb->turn);
    free(lmdb->path);
    free(lmdb);
}

static const struct table_ops lmdb_ops = {
    .begin = lmdb_begin,
    .commit = lmdb_commit,
    .abort = lmdb_abort,
    .get = lmdb_get,
    .put = lmdb_put,
    .remove = lmdb_remove,
    .seek = lmdb_seek,
    .last = lmdb_last,
    .grow = lmdb_grow,
    .close = lmdb_close,
};

/* Its address space is reserved as far as the system allows. */
static int open_env(struct lmdb *lmdb, bool sync, uint64_t map, struct err *err)
{
    int code = ENOMEM;
    if (table_files_reserve(lmdb->path, LMDB_READERS, err) < 0)
        return -1;
    for (uint64_t size = map ? map : LMDB_MAP; code == ENOMEM && (map || size >= LMDB_MAP_LEAST);
         size /= 2) {
        if (lmdb->env)
            mdb_env_close(lmdb->env);
        code = mdb_env_create(&lmdb->env);
        if (code)
            return set_err(err, lmdb, "open", code);
        mdb_env_set_maxdbs(lmdb->env, TABLE_SPACES);
        mdb_env_set_maxreaders(lmdb->env, LMDB_READERS);
        mdb_env_set_mapsize(lmdb->env, size);
        code = mdb_env_open(lmdb->env, lmdb->path,
                            MDB_NOTLS | MDB_NOMEMINIT | (sync ? 0 : MDB_NOSYNC), 0600);
    }
    return code ? set_err(err, lmdb, "open", code) : 0;
}

/* Are all pages from the first to the last in the list of free ones? */
static bool are_free(struct lmdb *lmdb, size_t first, size_t last)
{
    enum { FREE_PAGES = 0 }; /* LMDB's own database: a record is a count and that many numbers */
    MDB_txn *txn;
    MDB_cursor *cursor = NULL;
    MDB_val key, record;
    size_t found = 0;
    if (begin_own(lmdb, MDB_RDONLY, &txn))
        return false;
    if (mdb_cursor_open(txn, FREE_PAGES, &cursor))
        cursor = NULL;
    while (cursor && mdb_cursor_get(cursor, &key, &record, MDB_NEXT) == 0) {
        const size_t *pages = record.mv_data;
        for (size_t i = 1; i <= pages[0] && (i + 1) * sizeof *pages <= record.mv_size; i++)
            found += pages[i] >= first && pages[i] <= last;
    }
    if (cursor)
        mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return found == last + 1 - first;
}

/*
 * Are all pages there that the header speaks of? Those at the end that a transaction has taken and
 * freed again were never written: the file is made as long. What is missing else reads as zeros
 * then, which is no page, and the file is left as it was.
 */
static int check_length(struct lmdb *lmdb, struct err *err)
{
    MDB_envinfo info;
    MDB_stat stat;
    struct stat file;
    int fd;
    mdb_env_info(lmdb->env, &info);
    mdb_env_stat(lmdb->env, &stat);
    if (mdb_env_get_fd(lmdb->env, &fd) || fstat(fd, &file) < 0)
        return err_sys(err, "%s/data.mdb: stat", lmdb->path);
    uint64_t wanted = (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
    if ((uint64_t)file.st_size >= wanted)
        return 0;
    if (ftruncate(fd, (off_t)wanted) == 0 &&
        are_free(lmdb, (size_t)file.st_size / stat.ms_psize, info.me_last_pgno))
        return 0;
    if (ftruncate(fd, file.st_size) < 0)
        return err_sys(err, "%s/data.mdb: make it as it was", lmdb->path);
    return err_set(err, ERR_STATE, "%s/data.mdb: it was cut off: %lld bytes of %llu are there",
                   lmdb->path, (long long)file.st_size, (unsigned long long)wanted);
}

/* All spaces, in a transaction of that kind. LMDB's code. */
static int open_spaces(struct lmdb *lmdb, bool make)
{
    MDB_txn *txn;
    int code = begin_own(lmdb, make ? 0 : MDB_RDONLY, &txn);
    if (code)
        return code;
    for (size_t i = 0; !code && i < TABLE_SPACES; i++)
        code = mdb_dbi_open(txn, space_names[i], make ? MDB_CREATE : 0, &lmdb->spaces[i]);
    if (code) {
        mdb_txn_abort(txn);
        return code;
    }
    return mdb_txn_commit(txn);
}

static int prepare(struct lmdb *lmdb, bool sync, uint64_t map, struct err *err)
{
    bool made = table_files_were_made(lmdb->path);
    if ((made && table_files_check(lmdb->path, err) < 0) || open_env(lmdb, sync, map, err) < 0 ||
        check_length(lmdb, err) < 0)
        return -1;
    mdb_reader_check(lmdb->env, NULL);
    int code = open_spaces(lmdb, false);
    if (code == MDB_NOTFOUND)
        code = open_spaces(lmdb, true);
    if (code)
        return set_err(err, lmdb, "open", code);
    return made ? 0 : table_files_mark(lmdb->path, err);
}

static int prepare_in_turn(struct lmdb *lmdb, bool sync, uint64_t map, struct err *err)
{
    if (table_turn_open(&lmdb->turn, lmdb->path, err) < 0 || table_turn_take(&lmdb->turn, err) < 0)
        return -1;
    int status = prepare(lmdb, sync, map, err);
    table_turn_leave(&lmdb->turn);
    return status;
}

struct table *table_open_lmdb(const char *path, bool sync, uint64_t map, struct err *err)
{
    struct lmdb *lmdb = mem_zalloc(sizeof *lmdb);
    lmdb->table.ops = &lmdb_ops;
    lmdb->path = mem_strdup(path);
    lmdb->turn.fd = -1;
    if (prepare_in_turn(lmdb, sync, map, err) == 0)
        return &lmdb->table;
    lmdb_close(&lmdb->table);
    return NULL;
}
