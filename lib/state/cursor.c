/* cursor.c: who has a cursor, and how it moves. */
#include "state/cursor.h"

#include "state/cursor_record.h"
#include "state/trash.h"
#include "sys/boot.h"

enum { COST = 64 }; /* bytes that an operation, and each change, writes beside its value, about */

static void ring(struct apply *apply, const struct cursor_op *own)
{
    struct buf name = {0};
    buf_addf(&name, "%s/", own->kind);
    buf_add_str(&name, own->name);
    apply_ring(apply, "cursor", buf_str(&name));
    buf_free(&name);
}

/* ---- having it ---- */

static int apply_open(struct apply *apply, struct cursor_open *open)
{
    char names[CURSOR_KIND + 8];
    struct cursor_head head;
    open->token = 0;
    open->by = 0;
    if (cursor_find(apply, open->own.kind, open->own.name, &head) == TABLE_FAILED)
        return -1;
    if (head.holder != open->holder && cursor_is_held(&head)) {
        open->own.op.status = STORE_CONFLICT;
        open->by = head.holder;
        return 0;
    }
    if (head.token)
        ring(apply, &open->own);
    open->is_new = !head.records;
    head.number = apply_name(apply, cursor_names(open->own.kind, names), open->own.name, true);
    head.token = open->token = apply_number(apply, "cursors");
    head.holder = open->holder;
    head.boot = boot_number();
    return apply->txn->failed ? -1 : cursor_write_head(apply, &head);
}

static int lose(struct cursor_op *own, enum table_result found)
{
    own->op.status = STORE_LOST;
    return found == TABLE_FAILED ? -1 : 0;
}

static int apply_close(struct apply *apply, struct cursor_close *close)
{
    struct cursor_head head;
    enum table_result found = cursor_find_with(apply, &close->own, close->token, &head);
    if (found != TABLE_FOUND)
        return lose(&close->own, found);
    ring(apply, &close->own);
    if (!head.records)
        return cursor_remove_head(apply, &close->own, head.number);
    head.token = head.holder = 0;
    return cursor_write_head(apply, &head);
}

/* ---- moving it ---- */

static int change_one(struct apply *apply, struct cursor_head *head,
                      const struct cursor_change *change, struct buf *record)
{
    unsigned char place[CURSOR_PLACE];
    struct str key = cursor_place(place, head->number, change->key), before;
    if (!change->value.data) {
        enum table_result removed = table_remove(apply->txn, SPACE_CURSOR, key);
        head->records -= removed == TABLE_FOUND;
        return removed == TABLE_FAILED ? -1 : 0;
    }
    head->records += table_get(apply->txn, SPACE_CURSOR, key, &before) == TABLE_ABSENT;
    buf_clear(record);
    apply_pack(record, change->value);
    return table_put(apply->txn, SPACE_CURSOR, key, buf_str(record));
}

static int apply_move(struct apply *apply, const struct cursor_move *move, struct cursor_head *head)
{
    struct buf record = {0};
    uint64_t before = head->records;
    int status = 0;
    for (size_t i = 0; status == 0 && i < move->count; i++)
        status = change_one(apply, head, &move->changes[i], &record);
    buf_free(&record);
    if (status == 0 && head->records != before)
        status = cursor_write_head(apply, head);
    return status;
}

static int refuse(struct cursor_op *own, const char *what, int limit)
{
    own->op.status = STORE_NOT_APPLIED;
    own->op.err = &own->why;
    err_set(&own->why, ERR_LIMIT, "%s of a cursor is longer than %d bytes", what, limit);
    return 0;
}

static int check_and_move(struct apply *apply, struct cursor_move *move)
{
    struct cursor_head head;
    for (size_t i = 0; i < move->count; i++) {
        if (move->changes[i].key.len > CURSOR_KEY)
            return refuse(&move->own, "a key", CURSOR_KEY);
        if (move->changes[i].value.len > STORE_VALUE_MAX)
            return refuse(&move->own, "a value", STORE_VALUE_MAX);
    }
    enum table_result found = cursor_find_with(apply, &move->own, move->token, &head);
    return found == TABLE_FOUND ? apply_move(apply, move, &head) : lose(&move->own, found);
}

/* ---- forgetting ---- */

/* Its records stay under the old number. Who has it keeps it. */
static int leave_records(struct apply *apply, struct cursor_forget *forget,
                         struct cursor_head *head)
{
    char names[CURSOR_KIND + 8];
    cursor_names(forget->own.kind, names);
    if (trash_add(apply, "cursor", head->number) < 0)
        return -1;
    head->number = apply_rename(apply, names, forget->own.name, forget->token != 0);
    head->records = 0;
    if (apply->txn->failed)
        return -1;
    return forget->token ? cursor_write_head(apply, head) : 0;
}

static int forget_at_once(struct apply *apply, struct cursor_forget *forget)
{
    struct cursor_head head;
    if (cursor_find(apply, forget->own.kind, forget->own.name, &head) == TABLE_FAILED)
        return -1;
    forget->by = !forget->token && cursor_is_held(&head) ? head.holder : 0;
    if (forget->by)
        forget->own.op.status = STORE_CONFLICT;
    else if (forget->token && forget->token != head.token)
        forget->own.op.status = STORE_LOST;
    else if (!head.records)
        forget->own.op.status = STORE_ABSENT;
    else
        return leave_records(apply, forget, &head);
    return 0;
}

static int apply_forget(struct apply *apply, struct cursor_forget *forget)
{
    static const enum table_space spaces[] = {SPACE_CURSOR};
    static const struct trash_kind trash = {.name = "cursor", .spaces = spaces, .count = 1};
    if (!forget->again && forget_at_once(apply, forget) < 0)
        return -1;
    return trash_clean(apply, &trash, CURSOR_STEP, &forget->more);
}

/* ---- asking ---- */

int cursor_apply(struct apply *apply, struct store_op *op)
{
    void *own = op;
    switch (((struct cursor_op *)own)->verb) {
    case CURSOR_OPEN:
        return apply_open(apply, own);
    case CURSOR_CLOSE:
        return apply_close(apply, own);
    case CURSOR_READ:
        return cursor_apply_read(apply, own);
    case CURSOR_MOVE:
        return check_and_move(apply, own);
    case CURSOR_LIST:
        return cursor_apply_list(apply, own);
    default:
        return apply_forget(apply, own);
    }
}

static void submit(struct store *store, struct cursor_op *own, enum cursor_verb verb, size_t bytes)
{
    own->verb = verb;
    own->op.kind = STORE_CURSOR;
    own->op.reads = verb == CURSOR_READ || verb == CURSOR_LIST;
    own->op.cost = COST + bytes;
    store_submit(store, &own->op);
}

void cursor_open(struct store *store, struct cursor_open *open)
{
    submit(store, &open->own, CURSOR_OPEN, 0);
}

void cursor_close(struct store *store, struct cursor_close *close)
{
    submit(store, &close->own, CURSOR_CLOSE, 0);
}

void cursor_read(struct store *store, struct cursor_read *read)
{
    submit(store, &read->own, CURSOR_READ, 0);
}

void cursor_move(struct store *store, struct cursor_move *move)
{
    size_t bytes = 0;
    for (size_t i = 0; i < move->count; i++)
        bytes += COST + move->changes[i].value.len;
    submit(store, &move->own, CURSOR_MOVE, bytes);
}

void cursor_list(struct store *store, struct cursor_list *list)
{
    submit(store, &list->own, CURSOR_LIST, 0);
}

void cursor_forget(struct store *store, struct cursor_forget *forget)
{
    forget->again = forget->more;
    submit(store, &forget->own, CURSOR_FORGET, 0);
}
