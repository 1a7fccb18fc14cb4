/*
 * poll_look.h: one look after the other: the check is called, and has a value or has failed.
 *
 * The check is a function of its own (a process, a line worker, a GET), with the timeout and the
 * retries of the command; its calls count in nothing but the counts here. Its event says how far
 * things are: {"name","cursor","last_success"}. That it fails is said when it begins to, and that
 * it is well again.
 */
#ifndef FIT_ENGINE_POLL_LOOK_H
#define FIT_ENGINE_POLL_LOOK_H

#include "engine/engine.h"
#include "engine/poll_state.h"
#include "fn/http.h"

enum poll_looked {
    POLL_LOOKED_VALUE,
    POLL_LOOKED_UNCHANGED, /* the server says so, or it is the value that is remembered */
    POLL_LOOKED_FAILED,    /* that was said */
};

struct poll_look {
    /* Set by the owner. */
    struct engine *engine;
    const char *check;
    bool text;    /* its value is the array of the lines that it prints */
    bool several; /* several results are an array */
    struct str name;
    void (*done)(void *owner);
    void (*closed)(void *owner);
    void *owner;
    /* The answer. */
    enum poll_looked looked;
    struct slice value;              /* the owner's to take */
    bool permanent;                  /* of a failure: another look would come to the same */
    struct fn_validators validators; /* of the answer */
    int64_t began;                   /* clock_wall */
    uint64_t checks, failed_checks;
    /* Private. */
    bool running, closing, is_closed;
    uint64_t failing; /* looks that have failed in a row */
    bool remembers;
    struct hash128 remembered; /* of the value as it came */
    struct fn_context context;
    struct fn_http http;
    struct fn *fn;
    struct fn_call call;
    struct buf event, cursor, id;
};

/* Opens the check. -1 with err; poll_look_free in any case. */
int poll_look_open(struct poll_look *look, struct err *err);
void poll_look_free(struct poll_look *look);

/* done is called when it is over, perhaps before this returns. */
void poll_look_begin(struct poll_look *look, const struct poll_head *head);

/* The value was not what it should be: the look has failed. */
void poll_look_refuse(struct poll_look *look, const char *why);
void poll_look_accept(struct poll_look *look); /* it was; or there was none to be had */

/* This value has been handed on as a whole; NULL: the last one has not. */
void poll_look_remember(struct poll_look *look, const struct slice *value);

/* No more looks: one that is under way is ended, done is called before this returns. closed is
 * called, once, when nothing of the check runs any more. */
void poll_look_close(struct poll_look *look);
bool poll_look_is_busy(const struct poll_look *look);

#endif
