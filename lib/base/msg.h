/*
 * msg.h: what a fitting says to people, on stderr.
 *
 * One message is one write of one line: "NAME: text". Control bytes and invalid UTF-8 in the text
 * become '?', so that hostile input cannot drive a terminal. Only lib/engine and cmd/ call this
 * (scripts/floors checks it); lower floors return errors.
 */
#ifndef FIT_BASE_MSG_H
#define FIT_BASE_MSG_H

#include "base/str.h"

enum msg_level { MSG_QUIET, MSG_NORMAL, MSG_VERBOSE };

void msg_init(const char *name); /* the command's name; kept, not copied */
const char *msg_name(void);
void msg_set_level(enum msg_level level);
enum msg_level msg_level(void);

void msg_error(const char *format, ...) __attribute__((format(printf, 1, 2))); /* always said */
void msg_warn(const char *format, ...) __attribute__((format(printf, 1, 2))); /* not with --quiet */
void msg_verbose(const char *format, ...) __attribute__((format(printf, 1, 2))); /* with -v only */

/* Whole lines as they are, all in as few writes as the kernel allows. -1 with errno on failure. */
int msg_raw(struct str lines);

/* While output is set, messages go there instead of being written: to stand in order with what else
 * goes to stderr. */
void msg_divert(void (*output)(void *owner, struct str lines), void *owner);

#endif
