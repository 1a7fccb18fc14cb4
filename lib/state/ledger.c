/* ledger.c: operations on ledgers, and the ledgers that a store has open. */
#include "state/ledger.h"

#include "base/mem.h"
#include "state/ledger_file.h"
#include "state/ledger_log.h"
#include "state/ledgers.h"

#include <stdlib.h>

struct opened {
    struct opened *next;
    struct ledger_log *log;
    struct err err; /* of the last commit that failed */
};

struct ledgers {
    struct home *home;
    struct opened *first;
    struct err err; /* of the last opening or reading that failed */
};

void ledger_submit(struct store *store, struct ledger_op *op)
{
    op->op.kind = STORE_LEDGER;
    op->op.reads = op->verb == LEDGER_FIND || op->verb == LEDGER_LIST;
    op->op.cost = sizeof *op + op->lines.len;
    op->settled = false;
    store_submit(store, &op->op);
}

static struct ledger_op *of(struct store_op *op)
{
    return (struct ledger_op *)(void *)op;
}

static void fail(struct store_op *op, const struct err *err)
{
    op->status = STORE_NOT_APPLIED;
    op->err = err;
}

struct ledgers *ledgers_new(struct home *home)
{
    struct ledgers *ledgers = mem_zalloc(sizeof *ledgers);
    ledgers->home = home;
    return ledgers;
}

static void forget(struct opened **link)
{
    struct opened *opened = *link;
    *link = opened->next;
    ledger_log_free(opened->log);
    free(opened);
}

void ledgers_free(struct ledgers *ledgers)
{
    if (!ledgers)
        return;
    while (ledgers->first)
        forget(&ledgers->first);
    free(ledgers);
}

static struct opened **place_of(struct ledgers *ledgers, struct str name)
{
    struct opened **link = &ledgers->first;
    while (*link && !str_eq(ledger_log_name((*link)->log), name))
        link = &(*link)->next;
    return link;
}

/* NULL with ledgers->err. */
static struct opened *open_ledger(struct ledgers *ledgers, struct str name, bool make)
{
    struct opened *opened = *place_of(ledgers, name);
    if (opened)
        return opened;
    struct ledger_log *log = ledger_log_open(ledgers->home, name, make, &ledgers->err);
    if (!log)
        return NULL;
    opened = mem_zalloc(sizeof *opened);
    opened->log = log;
    opened->next = ledgers->first;
    ledgers->first = opened;
    return opened;
}

/* ---- reading ---- */

static void find(struct ledgers *ledgers, struct ledger_op *op)
{
    struct opened *opened = open_ledger(ledgers, op->ledger, false);
    if (!opened && ledgers->err.kind == ERR_NOT_FOUND)
        op->op.status = STORE_ABSENT;
    else if (!opened || ledger_log_find(opened->log, op, &ledgers->err) < 0)
        fail(&op->op, &ledgers->err);
}

static void add_name(void *owner, struct str name, uint64_t bytes)
{
    struct ledger_op *op = owner;
    buf_puts(&op->answer, "{\"ledger\":");
    buf_add_json(&op->answer, name);
    buf_addf(&op->answer, ",\"bytes\":%llu}\n", (unsigned long long)bytes);
}

void ledgers_read(struct ledgers *ledgers, struct store_op *op)
{
    struct ledger_op *own = of(op);
    buf_clear(&own->answer);
    if (own->verb == LEDGER_FIND)
        find(ledgers, own);
    else if (ledger_file_list(ledgers->home, add_name, own, &ledgers->err) < 0)
        fail(op, &ledgers->err);
    own->lines = buf_str(&own->answer);
}

/* ---- changing ---- */

static void drop(struct ledgers *ledgers, struct ledger_op *op)
{
    struct opened **link = place_of(ledgers, op->ledger);
    if (*link)
        forget(link);
    int dropped = ledger_log_drop(ledgers->home, op->ledger, &ledgers->err);
    if (dropped < 0)
        fail(&op->op, &ledgers->err);
    else
        op->op.status = dropped ? STORE_OK : STORE_ABSENT;
    op->settled = true;
}

static bool is_of(struct store_op *op, struct str ledger)
{
    return op->kind == STORE_LEDGER && of(op)->verb != LEDGER_DROP && !of(op)->settled &&
           str_eq(of(op)->ledger, ledger);
}

/* All operations from this one on that are of its ledger. */
static void commit(struct ledgers *ledgers, struct store_op *first, bool sync)
{
    struct str name = of(first)->ledger;
    struct opened *opened = open_ledger(ledgers, name, true);
    struct err *err = opened ? &opened->err : &ledgers->err;
    bool failed = !opened || ledger_log_commit(opened->log, first, sync, err) < 0;
    for (struct store_op *op = first; op; op = op->next) {
        if (!is_of(op, name))
            continue;
        if (failed)
            fail(op, err);
        of(op)->settled = true;
    }
}

void ledgers_commit(struct ledgers *ledgers, struct store_op *first, bool sync)
{
    for (struct store_op *op = first; op; op = op->next) {
        if (op->kind != STORE_LEDGER || of(op)->settled)
            continue;
        if (of(op)->verb == LEDGER_DROP)
            drop(ledgers, of(op));
        else
            commit(ledgers, op, sync);
    }
}
