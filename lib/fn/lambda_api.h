/*
 * lambda_api.h: the AWS Lambda Runtime API, version 2018-06-01, as a pure state machine. Internal
 * to lib/fn.
 *
 * It says what a request is about, and what becomes of it in the state that an environment is in:
 * the status, the error that is told, the next state. Who waits, which process it is and what an
 * event is are the business of lambda.c.
 *
 * Sources: "Using the Lambda runtime API for custom runtimes" of the AWS Lambda Developer Guide and
 * the OpenAPI file that it names, for paths, headers and statuses; the public Runtime Interface
 * Emulator for what they leave open: a wrong id is found before a wrong state; `next` is refused
 * while another one waits, and gives the same event again before it was answered; a response that
 * is too large ends its invocation.
 */
#ifndef FIT_FN_LAMBDA_API_H
#define FIT_FN_LAMBDA_API_H

#include "base/str.h"

#include <stdbool.h>

enum {
    /* Bytes of an event: 6 MiB, beyond which AWS refuses to invoke. */
    LAMBDA_API_EVENT = 6 * 1024 * 1024,
    /* Bytes of a response: 6 MiB and 100, which is the number in what AWS says of a larger one. */
    LAMBDA_API_RESPONSE = 6 * 1024 * 1024 + 100,
};

enum lambda_state {
    LAMBDA_STARTING, /* its process runs and has asked for nothing yet */
    LAMBDA_WAITING,  /* a `next` is open */
    LAMBDA_INVOKED,  /* an event was handed out and is not answered */
    LAMBDA_ANSWERED, /* the last event is answered; it has to ask for the next */
    LAMBDA_LEAVING,  /* the same, and there will be none: it is ended when it asks */
    LAMBDA_FAILED,   /* its initialisation has failed, as it says */
    LAMBDA_OVER,     /* it is being ended: nothing that it says counts any more */
    LAMBDA_STATES
};

enum lambda_ask {
    LAMBDA_NEXT,       /* GET .../runtime/invocation/next */
    LAMBDA_RESPONSE,   /* POST .../runtime/invocation/ID/response */
    LAMBDA_ERROR,      /* POST .../runtime/invocation/ID/error */
    LAMBDA_INIT_ERROR, /* POST .../runtime/init/error */
    LAMBDA_ASKS
};

/* What a request is about: *ask, and *id for RESPONSE and ERROR (borrowed from path). 0, or the
 * status that refuses it: 404, 405. */
unsigned lambda_api_route(const char *method, const char *path, enum lambda_ask *ask,
                          struct str *id);

enum lambda_effect {
    LAMBDA_NOTHING,    /* it is refused */
    LAMBDA_OPEN,       /* `next` waits for an event */
    LAMBDA_LEAVES,     /* `next` waits, and never gets one: its process can be ended */
    LAMBDA_AGAIN,      /* `next` gets the event that it got before */
    LAMBDA_SUCCEEDS,   /* the invocation has its response */
    LAMBDA_OVERSIZED,  /* the invocation fails: what it sent was too large */
    LAMBDA_FAILS,      /* the invocation has failed, as the function says */
    LAMBDA_INIT_FAILS, /* the environment is of no use */
};

struct lambda_verdict {
    enum lambda_effect effect;
    enum lambda_state state; /* the state from here on */
    unsigned status;         /* of HTTP; 0: it waits, or it is an event (200) */
    const char *error_type;  /* with a status of 400 and above, else NULL */
};

/*
 * A request has come. known: its id is that of the last invocation that was handed out (meaningless
 * for NEXT and INIT_ERROR). too_large: so was its body.
 */
struct lambda_verdict lambda_api_judge(enum lambda_state state, enum lambda_ask ask, bool known,
                                       bool too_large);

/* For messages: "ready". */
const char *lambda_api_state_name(enum lambda_state state);

#endif
