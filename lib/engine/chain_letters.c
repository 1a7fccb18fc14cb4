/* chain_letters.c: dead letters as the events of a chain. */
#include "engine/chain_letters.h"

/* Why a letter does not go on here, or NULL. */
static struct failure *refuse(const struct chain_letters *letters,
                              const struct redrive_letter *letter)
{
    unsigned long long at = letter->on_at;
    if (letter->way.left.len)
        return failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "still to be undone: stage %.*s",
                           (int)letter->way.left.len, letter->way.left.data);
    if (at > letters->stages)
        return failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT,
                           "a letter of stage %llu, but the chain ends with stage %u", at,
                           letters->stages);
    if (letters->from == CHAIN_FROM_STAGE && at != letters->stage + UINT64_C(1))
        return failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT,
                           "a letter of stage %llu, but --from is %u", at, letters->stage + 1);
    if (letter->way.undo && !letters->undos[at - 1])
        return failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT,
                           "the chain has no undo for stage %llu", at);
    return NULL;
}

static void identify(struct job *job, const struct redrive_letter *letter)
{
    struct buf id = {0};
    if (letter->id.data)
        json_decode(letter->id, &id);
    if (id.len)
        job_identify(job, buf_str(&id));
    buf_free(&id);
}

bool chain_letters_read(const struct chain_letters *letters, struct job *job,
                        const struct jq_input *input, struct redrive_letter *letter)
{
    struct err err;
    if (redrive_read(&letters->paths, input, letter, &err) < 0) {
        job_dead_take(job, failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "%s", err.text));
        return false;
    }
    identify(job, letter);
    struct failure *failure = refuse(letters, letter);
    if (!failure)
        return true;
    uint64_t stage = letter->stage ? letter->stage : 1;
    failure->stage = stage <= UINT32_MAX ? (unsigned)stage : UINT32_MAX;
    job_way_letter_take(job, letter->event, failure, &letter->way);
    job_done(job);
    return false;
}
