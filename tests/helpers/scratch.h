/*
 * scratch.h: a folder for one test, and a state directory in it, removed with all that is in them.
 */
#ifndef FIT_TESTS_SCRATCH_H
#define FIT_TESTS_SCRATCH_H

#include "state/home.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char scratch[64];
static struct home *scratch_home;

static int scratch_remove_one(const char *path, const struct stat *stat, int type,
                              struct FTW *place)
{
    (void)stat;
    (void)type;
    (void)place;
    return remove(path);
}

/* For cmocka's set-up: a fresh folder `scratch`, and `scratch_home` in scratch/state. */
static int scratch_make(void **state)
{
    struct err err;
    char path[sizeof scratch + 8];
    (void)state;
    snprintf(scratch, sizeof scratch, "/tmp/fit-unit.XXXXXX");
    if (!mkdtemp(scratch))
        return -1;
    snprintf(path, sizeof path, "%s/state", scratch);
    scratch_home = home_open(path, &err);
    return scratch_home ? 0 : -1;
}

static int scratch_remove(void **state)
{
    (void)state;
    home_free(scratch_home);
    scratch_home = NULL;
    return nftw(scratch, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
