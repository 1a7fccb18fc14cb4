/*
 * envelope.h: a part of a group as it travels from who makes it to who collects it.
 *
 *     {"part":{"group":KEY,"index":I,"count":N},"value":...}     or "error", or neither
 *
 * fan-out --parts writes them (split_result.h), fanin reads them, and writes them into the letters
 * of groups that died. KEY is any JSON value; equal strings are equal however they are escaped,
 * other values if their text is. I counts from 0. N may be missing where another rule says when the
 * group is complete. A group without parts travels as one envelope with count 0.
 */
#ifndef FIT_ENGINE_ENVELOPE_H
#define FIT_ENGINE_ENVELOPE_H

#include "base/buf.h"
#include "base/err.h"
#include "format/json.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    ENVELOPE_COUNT = 1 << 24, /* parts of a group; an envelope that says more is refused: what is
                                 missing is written as null */
};

struct envelope_paths { /* nodes */
    int part, group, index, count, value, error;
};

/* Texts are parts of the line. */
struct envelope {
    struct str group;
    uint64_t index, count; /* count 0: it does not say */
    struct str value;      /* or the error; {NULL, 0}: neither */
    bool failed;           /* it is the error */
};

void envelope_watch(struct envelope_paths *nodes, struct json_paths *paths);

/* -1 with ERR_INPUT: it is none. One of a group without parts is read as the only part of its
 * group, without a value. */
int envelope_read(const struct envelope_paths *nodes, const struct json_value *values,
                  struct envelope *envelope, struct err *err);

/* Append it; count 0 is left out. */
void envelope_add(struct buf *out, const struct envelope *envelope);

/* The text of a key so that equal keys are equal bytes: as it is, or in scratch. */
struct str envelope_key(struct str key, struct buf *scratch);

#endif
