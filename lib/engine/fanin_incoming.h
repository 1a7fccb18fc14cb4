/*
 * fanin_incoming.h: a line, read as the parts that it brings.
 *
 * A line is an envelope (envelope.h), or with --group an event that a program gives a key. An array
 * of envelopes is several parts: what the letter of a dead group holds. Where plain events are
 * collected it is that only when letters are redriven, as any array may be a plain event.
 */
#ifndef FIT_ENGINE_FANIN_INCOMING_H
#define FIT_ENGINE_FANIN_INCOMING_H

#include "engine/engine.h"
#include "engine/envelope.h"
#include "engine/fanin_settings.h"

struct fanin_reader {
    const struct fanin_settings *settings;
    bool redrives;
    struct envelope_paths line;    /* in the engine's paths */
    struct envelope_paths element; /* in paths: of one envelope of several */
    struct json_paths *paths;
    struct json_value *values;
    struct identity *identity;
    struct jq_program *group, *count_by, *until;
};

/* Borrows the settings. -1 with err. Then fanin_reader_free in any case. */
int fanin_reader_init(struct fanin_reader *reader, const struct fanin_settings *settings,
                      struct engine *engine, struct err *err);
void fanin_reader_free(struct fanin_reader *reader);

struct fanin_incoming {
    struct fanin_add add; /* first; its own.op.done is the owner's to set */
    const struct fanin_reader *reader;
    void *owner;
    struct str text; /* of the envelope if the line has several; else {NULL, 0} */
    struct buf group, id;
    char *wrong; /* why the predicate cannot be applied; NULL: it can */
    struct fanin_incoming *next;
};

/*
 * The parts of a job's line, in *list: all, or none and why. The only one of a line is `only`, a
 * part of the job's data; several are on the heap. They live no longer than the job.
 */
struct failure *fanin_incoming_read(const struct fanin_reader *reader, struct job *job,
                                    const struct jq_input *input, struct fanin_incoming *only,
                                    struct fanin_incoming **list);
void fanin_incoming_free(struct fanin_incoming *part); /* with what it is in, if on the heap */

/* Why a part was not taken: its verdict is GROUP_LATE or GROUP_WRONG. */
struct failure *fanin_incoming_failure(const struct fanin_incoming *part);

#endif
