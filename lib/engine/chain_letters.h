/*
 * chain_letters.h: dead letters as the events of a chain: which of them go on, and where (--from).
 */
#ifndef FIT_ENGINE_CHAIN_LETTERS_H
#define FIT_ENGINE_CHAIN_LETTERS_H

#include "engine/plan_chain.h"
#include "engine/redrive.h"

struct chain_letters {
    struct redrive_paths paths;
    enum chain_from from;
    unsigned stage;          /* of CHAIN_FROM_STAGE, from 0 */
    unsigned stages;         /* of the chain */
    struct fn *const *undos; /* of each stage; NULL: it has none */
};

/* The letter that a job is about, whose event it gets the identity of. False: it does not go on
 * here, and the job has been ended. */
bool chain_letters_read(const struct chain_letters *letters, struct job *job,
                        const struct jq_input *input, struct redrive_letter *letter);

#endif
