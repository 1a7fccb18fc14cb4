/*
 * store.h: durable state behind one interface, whichever engine keeps it.
 *
 * What is asked of a store is an operation: a struct that its caller owns, which is submitted, and
 * whose done is called once, in the loop or before store_submit has returned. kv.h, queue.h,
 * topic.h, fanin.h, cursor.h, ledger.h, dead.h and lease.h have the operations; here is what they
 * share. The embedded engine (store_embedded.c) keeps records in a directory; a distributed one
 * will take the same operations and do each of them in its own way. So nothing here promises what
 * only one machine can keep:
 *
 *   - an operation concerns one key, queue, event or name: there is no transaction over several;
 *   - it ends as applied and durable, as not applied, or as *unknown*: the connection broke after
 * it was sent. Who cares settles that by looking (a nonce of his own in the value, the receipt of
 *     a push, which may be repeated with the same id);
 *   - versions and tokens are opaque, only grow, and are never used again, also not after a delete;
 *   - a lease of a key or a message hands out a fencing token: what is done with an old one is
 * lost;
 *   - times to live are good to a second; their end is an absolute time of day, looked at when the
 *     value is read;
 *   - a watch may coalesce changes, and may say "resync": read everything again;
 *   - what an engine cannot do ends as unsupported, with an error that says so.
 *
 * Group commit: operations that write are gathered while the loop has events at hand, or while the
 * last commit was being synced, and are committed together; none is done before its sync. Their
 * order is that of their submission. Reads see what is committed.
 */
#ifndef FIT_STATE_STORE_H
#define FIT_STATE_STORE_H

#include "base/buf.h"
#include "base/err.h"
#include "state/home.h"
#include "sys/loop.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    STORE_GROUP = 4096,                  /* operations of one commit; more begin the next */
    STORE_GROUP_BYTES = 4 * 1024 * 1024, /* bytes that they write; then the same */
    STORE_COMPRESS = 4096,               /* longer values are stored compressed */
    STORE_VALUE_MAX = 64 * 1024 * 1024,  /* a longer value is refused: not applied */
};
/* A commit is made after this long even while there is no idle moment: nanoseconds. */
#define STORE_LATENCY INT64_C(20000000)

enum store_status {
    STORE_OK,          /* applied, and durable; of a read: found */
    STORE_ABSENT,      /* there is no such thing; nothing has changed */
    STORE_CONFLICT,    /* another version, or it exists already; nothing has changed */
    STORE_FULL,        /* the queue is at its limit; nothing has changed */
    STORE_LOST,        /* the lease is no longer held: the token is an old one */
    STORE_NOT_APPLIED, /* it failed (err says why) and nothing has changed: may be tried again */
    STORE_UNKNOWN,     /* it failed, and may have been applied or not */
    STORE_UNSUPPORTED, /* this engine cannot do it (err) */
};

enum store_kind {
    STORE_KV,
    STORE_LEASE,
    STORE_QUEUE,
    STORE_LEDGER,
    STORE_DEAD,
    STORE_FANIN,
    STORE_TOPIC,
    STORE_REPLY,
    STORE_CURSOR,
    STORE_KINDS
};

struct store_op { /* first in the operations' own structs */
    enum store_kind kind;
    bool reads;   /* changes nothing: it is done at once, on what is committed */
    bool patient; /* nobody waits for its end: while nothing else is to be committed, it may wait
                     for STORE_LATENCY, or twice as long as the last commit has taken */
    void (*done)(struct store_op *op);
    void *owner;
    size_t cost; /* bytes that it writes, about */
    /* The answer. */
    enum store_status status;
    const struct err *err; /* of the last three; valid during done */
    /* Private to state/. */
    struct store_op *next;
};

struct store;

struct store_settings {
    bool unsynced; /* --sync off: commits survive a kill, not a power cut */
    uint64_t map;  /* bytes that the store may hold before it has to grow; 0: plenty */
};

/* The embedded store of the directory (kept open by the caller, longer). NULL with err. */
struct store *store_open(struct home *home, struct loop *loop,
                         const struct store_settings *settings, struct err *err);

/* Commits what is pending, then closes. NULL is a no-op. */
void store_free(struct store *store);

/* Ask. The operation is the store's until its done is called. */
void store_submit(struct store *store, struct store_op *op);

/* Commit what is pending now, and wait for it; no-op when nothing is. For the end of a run, and for
 * callers without a turning loop. */
void store_flush(struct store *store);

/* ---- waiting for what others do ---- */

/*
 * An ear for a bell of that kind and name, embedded in its owner: heard is called in the loop after
 * something was committed that concerns it, by any process; some seconds after if that process was
 * killed just then. Rings coalesce, and one may come without a reason. Listen first, then look,
 * then sleep.
 */
struct store_ear {
    const char *kind; /* "kv", "lease", "queue": as the operations' headers say */
    struct str name;  /* borrowed as long as it listens */
    void (*heard)(void *owner);
    void *owner;
    /* Private to state/. */
    struct bell *bell;
    struct rings *rings;
    struct loop_task task;
    struct loop_timer again;
    struct store_ear *next;
};

int store_listen(struct store *store, struct store_ear *ear, struct err *err); /* -1 with err */
void store_deafen(struct store *store, struct store_ear *ear); /* no-op when it does not listen */

/* ---- a store in memory ---- */

/*
 * How it may differ from an embedded one, in tests: like a distributed engine it may answer later,
 * lose its connection, and know no processes.
 */
struct store_faults {
    bool later;         /* operations end in later turns of the loop, not during store_submit */
    bool ignores_death; /* leases end by time only */
    /*
     * How an operation ends, asked when its turn has come. STORE_OK: as it should. STORE_UNKNOWN:
     * applied or not, as *applied is set. Others: not applied, with that status; of KV_CHANGES
     * STORE_LOST says resync. NULL: all as they should.
     */
    enum store_status (*judge)(void *owner, const struct store_op *op, bool *applied);
    void *owner;
};

/* An empty store in memory, lost with the process; faults (NULL: none) may be changed meanwhile. */
struct store *store_open_memory(struct loop *loop, const struct store_faults *faults);

struct loop *store_loop(const struct store *store);
struct home *store_home(const struct store *store); /* NULL: the engine has no directory */

/* For done, of who looks at the answer himself: keeps the error of an operation that failed in the
 * struct err that is its owner. */
void store_keep_error(struct store_op *op);

const char *store_status_name(enum store_status status); /* for messages: "not applied" */

#endif
