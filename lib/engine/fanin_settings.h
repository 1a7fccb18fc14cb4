/*
 * fanin_settings.h: what a command line says of groups: which there are, when they are complete,
 * and what becomes of them.
 */
#ifndef FIT_ENGINE_FANIN_SETTINGS_H
#define FIT_ENGINE_FANIN_SETTINGS_H

#include "engine/fanin_result.h"

struct fanin_settings {
    const char *name;         /* of the collection */
    bool stored;              /* in the directory: there after this process, and for others too */
    bool lasting;             /* and it was asked for: what is open there may stay so */
    const char *group;        /* a program; NULL: lines are envelopes */
    const char *id;           /* the same, as in identity.h; only with group */
    uint64_t count;           /* parts of a group where the part does not say; 0: not known */
    const char *count_by;     /* or a program that says it */
    const char *until, *join; /* programs, or NULL */
    int64_t idle, within;     /* 0: none */
    int64_t remember;         /* 0: a key can be used again at once */
    uint64_t most;            /* groups that are remembered; 0: any number */
    struct fanin_rules rules;
};

#endif
