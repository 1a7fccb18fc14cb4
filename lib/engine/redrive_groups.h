/*
 * redrive_groups.h: dead letters grouped by where they are to go: a command line and its folder, or
 * a queue. Groups stand in the order of their first letters, and letters in theirs.
 */
#ifndef FIT_ENGINE_REDRIVE_GROUPS_H
#define FIT_ENGINE_REDRIVE_GROUPS_H

#include "base/hash.h"
#include "engine/letters.h"

struct redrive_group {
    struct hash128 key;
    char **argv; /* ended by NULL; NULL: the letters go to a queue (or nowhere: they say neither) */
    char *cwd;   /* NULL: where we are */
    bool queued;
    uint64_t *numbers;
    size_t count;
};

struct redrive_groups {
    struct redrive_group *groups;
    size_t count, last;
};

void redrive_groups_add(struct redrive_groups *groups, const struct letter_seen *seen);
/* To a command line that was given, whatever the letter says; argv is borrowed. */
void redrive_groups_add_to(struct redrive_groups *groups, uint64_t number, char *const *argv);
void redrive_groups_free(struct redrive_groups *groups);

#endif
