/*
 * jq_guard.h: ends a run of libjq that takes too much time, memory or stack.
 *
 * Internal to format; knows nothing of libjq's types. While a run is watched, SIGALRM ticks with
 * the processor time that the process uses (a process that sleeps gets none; after a while without
 * runs the ticks end). Three means, from gentle to rough:
 *
 * 1. stop() is called in signal context; it makes the interpreter return at its next instruction.
 * 2. A run that does not return soon is inside one long instruction. Then memory is refused to it
 *    (jq_guard_no_memory is libjq's handler for that), and
 * 3. if the program counter stands in the text of libjq or its regex library, so not inside malloc
 *    or any other code that holds something, control jumps to *escape. So does a stack overflow
 * there.
 *
 * After a jump libjq's state for the program must be abandoned (it leaks; nothing else is
 * possible). One run at a time, one thread.
 */
#ifndef FIT_FORMAT_JQ_GUARD_H
#define FIT_FORMAT_JQ_GUARD_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

enum jq_guard_end { JQ_GUARD_OK, JQ_GUARD_TIME, JQ_GUARD_MEMORY, JQ_GUARD_STACK };

/* Watch a run until jq_guard_finish, which says why it was stopped (also after a jump to *escape).
 */
void jq_guard_begin(sigjmp_buf *escape, void (*stop)(void *context), void *context);
enum jq_guard_end jq_guard_finish(void);

/* Around calls from the run to code that is not libjq's: nothing happens to it. */
void jq_guard_pause(void);
void jq_guard_resume(void);

/* For libjq to call when an allocation failed: does not return during a run. */
void jq_guard_no_memory(void *unused);

/* Other limits than JQ_TIME and JQ_MEMORY, for tests. */
void jq_guard_set_limits(int64_t time, size_t memory);

#endif
