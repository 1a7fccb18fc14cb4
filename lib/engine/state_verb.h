/*
 * state_verb.h: what `state` does, verb by verb: a command line of its own each.
 *
 * argv[0] is the verb. Operands come first or last; a word that begins with a dash and a digit is
 * one (`incr KEY -1`). Every verb has a struct command of its own, named "state put", with the
 * groups of options that it heeds; cmd/state.c lists all groups for the page.
 */
#ifndef FIT_ENGINE_STATE_VERB_H
#define FIT_ENGINE_STATE_VERB_H

#include "engine/common_options.h"
#include "engine/engine.h"
#include "state/kv.h"

/* Durations are nanoseconds. Strings live as long as the process; NULL: not given. */
struct state_options {
    int64_t ttl; /* 0: none */
    const char *otherwise;
    bool record, receipt, keys;
    uint64_t since; /* KV_NOW: not given */
    int64_t wait;   /* 0: not given */
    const char *key, *prefix, *into;
};

extern struct common_options state_common;
extern struct state_options state_options;

extern const struct option_group state_writing;   /* --ttl */
extern const struct option_group state_receipts;  /* --receipt */
extern const struct option_group state_answering; /* of get: --default, --record */
extern const struct option_group state_listing;   /* of list: --keys */
extern const struct option_group state_watching;  /* of watch: --since */
extern const struct option_group state_locking;   /* of lock: --wait */
extern const struct option_group state_keying;    /* of filters: --key, --prefix */
extern const struct option_group state_enriching; /* of get as a filter: --into */

struct state_words {
    char **words;
    size_t count;
    char **rest; /* what stands behind them, of a verb that takes a command */
    size_t rest_count;
};

/*
 * Read the verb's command line; says what is wrong and exits 2. least and most: how many operands
 * it takes. takes_command: what follows them is a command's words.
 */
struct state_words state_verb_parse(const struct command *command, int argc, char **argv,
                                    size_t least, size_t most, bool takes_command);

/* Is the verb used as a filter (--key)? */
bool state_verb_is_filter(int argc, char **argv);

/* Is there a state directory? Who only reads makes none. */
bool state_verb_exists(void);

/* An engine without a run, for those who only ask the store. NULL: said, and *status is set. */
struct store *state_verb_open(struct engine **engine, int *status);

/* Ask, and wait for the answer. */
enum store_status state_verb_do(struct store *store, struct kv_op *op);

/* Say why it was not done: exit status. */
int state_verb_failed(const char *what, enum store_status status, const struct err *err);

/* A value from the command line (name, for the message) or, word NULL, all of standard input: one
 * line of JSON. -1: said. */
int state_verb_json(const char *word, const char *name, struct buf *value);

/* Lines on standard output, which may be gone: EXIT_OK, or EXIT_FITTING after saying why. A reader
 * that has left is no error: *left is set (may be NULL). */
int state_verb_print(struct str lines, bool *left);

int state_verb_print_line(struct str text);
int state_verb_print_version(uint64_t version);

int64_t state_verb_deadline(void); /* from --ttl */

/* The verbs; argv[0] is the verb. They return the exit status. */
int state_get(int argc, char **argv);
int state_put(int argc, char **argv);
int state_add(int argc, char **argv);
int state_cas(int argc, char **argv);
int state_del(int argc, char **argv);
int state_incr(int argc, char **argv);
int state_merge(int argc, char **argv);
int state_update(int argc, char **argv);
int state_list(int argc, char **argv);
int state_watch(int argc, char **argv);
int state_lock(int argc, char **argv);
int state_dump(int argc, char **argv);
int state_load(int argc, char **argv);
int state_seen(int argc, char **argv);
int state_ledger(int argc, char **argv);
int state_cursor(int argc, char **argv);

#endif
