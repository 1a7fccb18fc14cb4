/* saga_loss.c: a failure that waits until it is known what of its event was undone. */
#include "engine/saga_loss.h"

#include "base/mem.h"
#include "base/num.h"

#include <stdlib.h>

static struct saga_loss *new_loss(struct saga *saga, struct chain_job *own)
{
    struct saga_loss *loss = mem_zalloc(sizeof *loss);
    loss->saga = saga;
    loss->own = own;
    return loss;
}

static void hold(struct saga_loss *loss)
{
    loss->held = sizeof *loss + loss->event.len + loss->failure->errors.len;
    loss->saga->held += loss->held;
}

struct saga_loss *saga_loss_new(struct saga *saga, const struct strand *called,
                                struct failure *failure)
{
    struct saga_loss *loss = new_loss(saga, chain_job_of(called));
    failure->stage = called->stage + 1;
    loss->failure = failure;
    loss->event = slice_dup(slice_str(called->call.event));
    loss->stage = called->stage;
    loss->path = called->path;
    hold(loss);
    return loss;
}

void saga_loss_free(struct saga_loss *loss)
{
    slice_drop(&loss->event);
    slice_drop(&loss->again);
    failure_free(loss->failure);
    buf_free(&loss->undone);
    buf_free(&loss->left);
    free(loss);
}

static void add_list(struct buf *list, struct str more)
{
    if (list->len && more.len)
        buf_addc(list, ',');
    buf_add_str(list, more);
}

static void add_stage(struct buf *list, unsigned stage)
{
    buf_addf(list, list->len ? ",%u" : "%u", stage + 1);
}

struct saga_loss *saga_loss_join_take(struct saga_loss *losses)
{
    struct saga_loss *first = losses;
    while (first->next) {
        struct saga_loss *other = first->next;
        first->next = other->next;
        first->others += 1 + other->others;
        add_list(&first->undone, buf_str(&other->undone));
        add_list(&first->left, buf_str(&other->left));
        first->saga->held -= other->held;
        saga_loss_free(other);
    }
    return first;
}

void saga_loss_add_undone(struct saga_loss *loss, unsigned stage, uint64_t path,
                          struct slice *event)
{
    add_stage(&loss->undone, stage);
    loss->stage = stage;
    loss->path = path;
    slice_drop(&loss->again);
    loss->again = *event;
    *event = (struct slice){0};
}

void saga_loss_add_left(struct saga_loss *loss, unsigned stage)
{
    add_stage(&loss->left, stage);
}

/* A line each: the event, the failure, what was undone, the others. None of them holds a LF. */
void saga_loss_write(const struct saga_loss *loss, struct buf *text)
{
    buf_add_str(text, slice_str(loss->event));
    buf_addc(text, '\n');
    deadletter_failure(text, loss->failure);
    buf_addc(text, '\n');
    buf_add_str(text, buf_str(&loss->undone));
    buf_addf(text, "\n%u\n", loss->others);
}

/* The next line of a text, without its LF. */
static struct str take_line(struct str *text)
{
    const char *lf = text->len ? memchr(text->data, '\n', text->len) : NULL;
    size_t len = lf ? (size_t)(lf - text->data) : text->len;
    struct str line = {text->data, len};
    size_t taken = lf ? len + 1 : len;
    *text = (struct str){text->data + taken, text->len - taken};
    return line;
}

struct saga_loss *saga_loss_read(struct saga *saga, struct chain_job *own, struct str text)
{
    struct saga_loss *loss = new_loss(saga, own);
    struct buf members = {0}, others = {0};
    uint64_t number = 0;
    loss->event = slice_dup(take_line(&text));
    buf_add_str(&members, take_line(&text));
    loss->failure = failure_new(FAILURE_EXIT, FAILURE_PERMANENT, NULL);
    loss->failure->recorded = buf_take(&members);
    buf_add_str(&loss->undone, take_line(&text));
    buf_add_str(&others, take_line(&text));
    if (!num_uint(buf_cstr(&others), 0, UINT32_MAX, &number))
        loss->others = (unsigned)number;
    buf_free(&others);
    hold(loss);
    return loss;
}

struct letter_way saga_loss_way(const struct saga_loss *loss, char scope[STRAND_SCOPE])
{
    struct letter_way way = {
        .undone = buf_str(&loss->undone),
        .left = buf_str(&loss->left),
        .others = loss->others,
    };
    if (loss->left.len) /* it does not go on before that is done */
        return way;
    bool undone = loss->undone.len;
    uint64_t path = undone ? strand_next_round(loss->path) : loss->path;
    way.scope = strand_scope(loss->stage, path, scope);
    if (undone)
        way.again = slice_str(loss->again);
    return way;
}
