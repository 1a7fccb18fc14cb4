/*
 * redrive.h: a dead letter read back: the event that died, byte for byte, and its stage.
 *
 * A dead letter is an object with a "reason" (deadletter.h). The fitting that takes letters as its
 * input registers their paths with the engine's scan and asks for each line what it holds.
 */
#ifndef FIT_ENGINE_REDRIVE_H
#define FIT_ENGINE_REDRIVE_H

#include "base/err.h"
#include "format/jq.h"
#include "format/json.h"

struct redrive_paths { /* nodes of the engine's paths */
    int event, raw, base64, reason, stage;
};

struct redrive_letter {
    struct str event; /* part of the line */
    uint64_t stage;   /* from 1; 0: the letter names none */
};

void redrive_watch(struct redrive_paths *paths, struct json_paths *of);

/*
 * The bytes of the event are those that were written into the letter, blanks around it included, as
 * long as the letter is as deadletter_format wrote it; of one that another program has rewritten,
 * the value as it stands there. -1 with ERR_INPUT when the line is no dead letter, or one whose
 * bytes are no event ("raw", "base64").
 */
int redrive_read(const struct redrive_paths *paths, const struct jq_input *line,
                 struct redrive_letter *letter, struct err *err);

#endif
