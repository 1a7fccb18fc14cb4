/*
 * jq.h: jq programs on events, compiled once.
 *
 * A program is the user's text in the language of jq 1.6. Simple programs (paths, comparisons of
 * paths and constants, and/or/not, "//", has, startswith, endswith, test("^literal"), pipes of
 * these, select of these, and PATH[]; jq_native.h has the grammar) run natively on the spans of a
 * json_scan and never load libjq (whose compilation costs 20 ms); at run time the native path
 * declines what it cannot decide exactly as libjq would, and then the event goes through libjq.
 * Results that are parts of the event are its own bytes: equal to libjq's as values, not as text.
 *
 * A program cannot read files, the environment or modules. What libjq may take for one event is
 * bounded (below); beyond that the event fails with ERR_LIMIT and the program stays usable. A run
 * that had to be ended by force, inside one long instruction, leaves its memory behind. libjq needs
 * SIGALRM and SIGSEGV for that, from its first event on; one thread.
 */
#ifndef FIT_FORMAT_JQ_H
#define FIT_FORMAT_JQ_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "format/json.h"

#include <stdbool.h>
#include <stdint.h>

#define JQ_TIME INT64_C(5000000000) /* nanoseconds of processor time that one event may take */
enum {
    JQ_OUTPUTS = 1000000,               /* outputs of a program for one event */
    JQ_OUTPUT_BYTES = 64 * 1024 * 1024, /* their bytes together */
    JQ_MEMORY = 512 * 1024 * 1024,      /* growth of the process during one event */
};

struct jq_program;

/*
 * Compile text. Paths that the native form wants are added to paths (may be NULL: the program then
 * scans by itself); the caller scans each event once for all programs that share the set and hands
 * the values over. NULL with ERR_USAGE naming the program and the cause. Compilation by libjq is
 * put off until an event needs it for programs with a native form; others are compiled here, so
 * that a mistake shows at start. Where libjq is not installed they are ERR_NOT_USABLE, and so is an
 * event that a native form declines.
 */
struct jq_program *jq_compile(const char *text, struct json_paths *paths, struct err *err);
void jq_free(struct jq_program *program);

/*
 * Compile a program that is given a second value with each event, as the variable of that name
 * (without its "$"; letters, digits and _). Runs only by jq_each_given.
 */
struct jq_program *jq_compile_given(const char *text, const char *variable, struct err *err);

const char *jq_text(const struct jq_program *program); /* as the user wrote it */
bool jq_is_native(
    const struct jq_program *program); /* has a native form (it may still decline an event) */

/*
 * An event as the programs want it: its validated bytes, and the values of a json_scan with the set
 * of paths given to jq_compile (NULL if that was NULL), and the scan's depth.
 */
struct jq_input {
    struct str text;
    const struct json_value *values;
    unsigned depth;
};

/* Does the program select the event? The first output counts: false, null and no output do not. 1,
 * 0, or -1 with err. */
int jq_matches(struct jq_program *program, const struct jq_input *input, struct err *err);

/*
 * Hand each output, as one line of JSON without LF, to emit (borrowed until it returns; a non-zero
 * return stops the program early without an error). Outputs that are parts of the event keep its
 * bytes. 0, or -1 with err; outputs before an error have been emitted, so collect before acting.
 */
int jq_each(struct jq_program *program, const struct jq_input *input,
            int (*emit)(void *context, struct str json), void *context, struct err *err);

/* Append the first output (JSON text) to out. 1, 0 when there is none, or -1 with err. */
int jq_first(struct jq_program *program, const struct jq_input *input, struct buf *out,
             struct err *err);

/* jq_each for a program of jq_compile_given; input and given are validated JSON. */
int jq_each_given(struct jq_program *program, struct str input, struct str given,
                  int (*emit)(void *context, struct str json), void *context, struct err *err);

/* True once a transform by libjq has changed the digits of a number of over 15 digits: the command
 * warns once. */
bool jq_lost_digits(const struct jq_program *program);

#endif
