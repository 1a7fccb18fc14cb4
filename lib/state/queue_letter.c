/*
 * queue_letter.c: what is said of messages that no function has failed.
 *
 * An expired message, or one that was received as often as is allowed by workers who died, or let
 * its visibility pass, without saying anything of it. Its last failure is told if a nack has said
 * one. The form is that of all dead letters (DESIGN.md 1.3); the event is known to be JSON. One
 * that asks for an answer gets the same without the event.
 */
#include "state/queue_record.h"

#include "base/clock.h"

static void add_time(struct buf *letter, const char *name, int64_t wall)
{
    char text[CLOCK_TEXT];
    buf_addf(letter, ",\"%s\":\"%s\"", name, clock_format(wall, text));
}

static int add_failure(struct apply *apply, const struct queue *queue,
                       const struct queue_first *first, struct buf *letter)
{
    unsigned char key[QUEUE_KEY];
    struct str failure;
    if (!(first->state.flags & STATE_FAILED))
        return 0;
    struct str at = queue_key(key, queue->number, LANE_FAILURE, first->seq);
    enum table_result found = table_get(apply->txn, SPACE_MESSAGE, at, &failure);
    while (found == TABLE_FOUND && failure.len && !str_is_utf8(failure))
        failure.len--; /* it was cut inside a character */
    if (found == TABLE_FOUND) {
        buf_puts(letter, ",\"last_failure\":");
        buf_add_json(letter, failure);
    }
    return found == TABLE_FAILED ? -1 : 0;
}

static int add_event(struct apply *apply, const struct message *message, struct buf *letter)
{
    struct buf scratch = {0};
    struct str event;
    int status = apply_unpack(apply, message->packed, &scratch, &event);
    if (status == 0) {
        buf_puts(letter, "\"event\":");
        buf_add_str(letter, event);
        buf_addc(letter, ',');
    }
    buf_free(&scratch);
    return status;
}

static int write_letter(struct apply *apply, const struct queue *queue,
                        const struct queue_first *first, const struct message *message,
                        const char *reason, struct buf *letter)
{
    buf_addc(letter, '{');
    if (!(message->flags & MESSAGE_ASKS) && add_event(apply, message, letter) < 0)
        return -1;
    buf_addf(letter, "\"reason\":\"%s\",\"message\":", reason);
    buf_add_json(letter, str_of(reason[0] == 'e' ? "it expired before it was handled"
                                                 : "received as often as is allowed, and "
                                                   "never acknowledged"));
    buf_puts(letter, ",\"queue\":");
    buf_add_json(letter, buf_str(&queue->name));
    buf_addf(letter, ",\"receives\":%u,\"attempts\":0", first->state.receives);
    add_time(letter, "first_at", message->pushed_at);
    add_time(letter, "last_at", apply->wall);
    int status = add_failure(apply, queue, first, letter);
    buf_puts(letter, ",\"command\":\"queue\"}");
    return status;
}

static int keep_letter(struct apply *apply, struct queue *queue, const struct queue_first *first,
                       const struct message *message, struct str letter)
{
    if (message->flags & MESSAGE_ASKS) {
        queue->numbers.done++;
        return queue_refuse(apply, queue->number, first->seq, &message->ask, letter);
    }
    queue->numbers.letters++;
    return dead_add(apply, buf_str(&queue->name), letter);
}

int queue_bury_stale(struct apply *apply, struct queue *queue, const struct queue_first *first,
                     const struct message *message, const char *reason)
{
    struct buf letter = {0};
    int status = write_letter(apply, queue, first, message, reason, &letter);
    if (status == 0 && (status = queue_take_first(apply, queue, first)) == 0 &&
        (status = keep_letter(apply, queue, first, message, buf_str(&letter))) == 0)
        status = queue_erase(apply, queue, first->seq, first->state);
    queue->out++;
    buf_free(&letter);
    return status;
}
