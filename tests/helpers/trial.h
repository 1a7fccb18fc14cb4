/*
 * trial.h: what the runner of the accounting trials and the functions that it tries have in common.
 *
 * A trial's event says in "do" what the function shall do with it, one action for each attempt, the
 * last one for all that follow: "exit 3,ok 2". With placeholders it comes as an argument instead.
 *
 * In a broadcast it has company: a worker that is slow, notes in the file that TRIAL_NOTES names
 * what it gets, answers null, and fails for every TRIAL_SLOW_FAILS-th identity.
 */
#ifndef FIT_TESTS_TRIAL_H
#define FIT_TESTS_TRIAL_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    TRIAL_EVENTS = 256,   /* identities of events: "id" is below it */
    TRIAL_PROCESSES = 64, /* functions that the killer knows, the latest ones */
    TRIAL_PATIENCE = 100, /* milliseconds that a daemon lives on after its parent */
    TRIAL_BIG = 300000,   /* bytes that "big" adds to each result */
    TRIAL_SLOW_FAILS = 11,
};

/* Mapped by the runner and by every function from the file that TRIAL_SHARED names. */
struct trial_shared {
    _Atomic uint32_t begun[TRIAL_EVENTS]; /* how often a function has begun with the event */
    _Atomic uint32_t started;             /* processes so far */
    _Atomic int pids[TRIAL_PROCESSES];
};

/* What the function does. */
enum trial_do {
    DO_OK,      /* read all of stdin, write the results */
    DO_LATE,    /* the same, some milliseconds later */
    DO_PIECES,  /* the results in several writes, lines torn */
    DO_BIG,     /* results over 256 KiB */
    DO_NOISE,   /* and hundreds of lines on stderr */
    DO_DAEMON,  /* leave a process behind that keeps stdout open */
    DO_QUICK,   /* do not read stdin */
    DO_FIRST,   /* write before reading */
    DO_CLOSE,   /* close stdin first */
    DO_NONE,    /* a worker's empty line */
    DO_QUIT,    /* a worker's last answer: it exits 0 behind it */
    DO_SHUT,    /* the same, but its input is closed first and the exit comes later */
    DO_TWICE,   /* a worker that gives two answers */
    DO_SUCCEED, /* ---- up to here the event is done ---- */
    DO_EXIT = DO_SUCCEED,
    DO_SIGNAL,
    DO_GARBAGE, /* what is not JSON */
    DO_HALF,    /* half an answer, then the death of a worker */
    DO_ERROR,   /* a worker's "!{...}" */
    DO_HUGE,    /* results without end */
    DO_HANG,    /* sleep, deaf to SIGTERM */
    DO_SLEEP,   /* sleep until SIGTERM */
    DO_TREE,    /* hang with children in and out of the group, all deaf */
    DO_COUNT,
};

static const char *const trial_words[DO_COUNT] = {
    [DO_OK] = "ok",           [DO_LATE] = "late",     [DO_PIECES] = "pieces", [DO_BIG] = "big",
    [DO_NOISE] = "noise",     [DO_DAEMON] = "daemon", [DO_QUICK] = "quick",   [DO_FIRST] = "first",
    [DO_CLOSE] = "close",     [DO_NONE] = "none",     [DO_QUIT] = "quit",     [DO_SHUT] = "shut",
    [DO_TWICE] = "twice",     [DO_EXIT] = "exit",     [DO_SIGNAL] = "signal", [DO_HALF] = "half",
    [DO_GARBAGE] = "garbage", [DO_ERROR] = "error",   [DO_HUGE] = "huge",     [DO_HANG] = "hang",
    [DO_SLEEP] = "sleep",     [DO_TREE] = "tree",
};

#endif
