/*
 * inputs.h: several inputs of lines that are read at once.
 *
 * Each input has its own framing, so that its lines are never glued to another's, and its own line
 * numbers. Files, FIFOs and devices are opened when the fitting starts, before anything is read, so
 * that one that is missing loses nothing of the others. An input that cannot be read any further is
 * said, the others go on, and only then the run ends as failed: what they hold may not come a
 * second time.
 *
 * In which order lines are taken is for the source that has the inputs (source_merge.h,
 * source_sorted.h).
 */
#ifndef FIT_ENGINE_INPUTS_H
#define FIT_ENGINE_INPUTS_H

#include "engine/source.h"

#include <stddef.h>

/* The name of stdin as an input ("-" as an operand): the origin of its lines is this pointer. */
extern const char inputs_stdin[];

/*
 * Open the files, FIFOs and devices of paths ("-": stdin; no paths: stdin alone), which are the
 * names of their lines and outlive them. What bounds their number is the descriptors of the
 * process, whose soft limit is raised for them; each takes a block for reading. The caller's array
 * of *count sources; or NULL with err, which names the one at fault: it cannot be opened, is a
 * directory, is what stdout writes to, or is a stream that stands twice (two readers would tear its
 * lines).
 */
struct source **inputs_open(struct loop *loop, const char *const *paths, size_t *count,
                            size_t max_event, struct err *err);

struct input {
    struct inputs *inputs;
    struct source *lines; /* NULL: it has ended */
    const char *name;
    struct input *next; /* the owner's: a list of inputs */
    bool listed;        /* so is this */
};

struct inputs {
    struct input *all;
    size_t count;
    size_t open;    /* have not ended */
    size_t failed;  /* ended too early, which was said */
    uint64_t read;  /* bytes, of those that have ended */
    uint64_t known; /* bytes in all of those that have ended */
    bool endless;   /* of one that has ended it was not known how much it had */
    /* After input_next has said SOURCE_LATER: something may have come. */
    void (*ready)(struct inputs *inputs, struct input *input);
};

/* Takes the lines over, and inputs->ready is set. */
void inputs_init(struct inputs *inputs, struct source *const *lines, size_t count);
void inputs_free(struct inputs *inputs);
void inputs_stop(struct inputs *inputs); /* read no more */

/* The next line, SOURCE_LATER or SOURCE_END; event->origin is set. Never SOURCE_FAILED. */
enum source_status input_next(struct input *input, struct source_event *event);

/* All have ended: SOURCE_END, or SOURCE_FAILED if one was not read to its end. */
enum source_status inputs_end(const struct inputs *inputs, struct err *err);

void inputs_extent(const struct inputs *inputs, uint64_t *read, uint64_t *all);

#endif
