/*
 * redrive.h: a dead letter read back: the event that died, byte for byte, and where it goes on.
 *
 * A dead letter is an object with a "reason" (deadletter.h). The fitting that takes letters as its
 * input registers their paths with the engine's scan and asks for each line what it holds.
 *
 * An event goes on at the stage where it died; one whose stages have been undone begins again at
 * the first of these, with the event of that stage ("again"); a letter of an undo goes to the undo
 * of its stage.
 */
#ifndef FIT_ENGINE_REDRIVE_H
#define FIT_ENGINE_REDRIVE_H

#include "base/err.h"
#include "engine/deadletter.h"
#include "format/jq.h"
#include "format/json.h"

struct redrive_paths { /* nodes of the engine's paths */
    int event, raw, base64, reason, stage;
    int scope, undo, undone, left, others, again, id, command, truncated;
};

/* Texts are parts of the line. */
struct redrive_letter {
    struct str event;
    uint64_t stage; /* from 1; 0: the letter names none */
    struct letter_way way;
    struct str on_with; /* the event to go on with */
    uint64_t on_at;     /* and the stage, from 1 */
    bool placed;        /* the letter has a scope: */
    uint64_t path;      /* which sub-event it is (strand.h) */
    struct str id;      /* its identity as a JSON string; {NULL, 0}: a chain has not written it */
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

/*
 * The bytes that died, whatever they are: those of redrive_read, or what "raw" or "base64" stand
 * for. In the line or in scratch, which is overwritten. -1 with ERR_INPUT: no dead letter, or only
 * the head of its event was kept.
 */
int redrive_bytes(const struct redrive_paths *paths, const struct jq_input *line,
                  struct buf *scratch, struct str *bytes, struct err *err);

#endif
