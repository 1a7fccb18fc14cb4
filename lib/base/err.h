/*
 * err.h: the error that a library function returns.
 *
 * Functions that can fail take a struct err * as their last argument (never NULL) and return -1 or
 * NULL after filling it. The text is one line, lower case, without a full stop, and says what was
 * wrong and where ("open work/x.json: permission denied"); the command adds its own name.
 */
#ifndef FIT_BASE_ERR_H
#define FIT_BASE_ERR_H

enum err_kind {
    ERR_NONE,
    ERR_SYSTEM,     /* the operating system refused; sys_errno holds why */
    ERR_INPUT,      /* bytes that are not what they should be */
    ERR_USAGE,      /* the user's own words: an option, a program, a template, a function string */
    ERR_NOT_FOUND,  /* a command or file that does not exist (exit 127 for a function) */
    ERR_NOT_USABLE, /* it exists but cannot be executed or opened so (exit 126 for a function) */
    ERR_LIMIT,      /* a named limit was passed */
    ERR_STATE,      /* shared state that is damaged, foreign, or of a newer format */
};

struct err {
    enum err_kind kind;
    int sys_errno; /* for ERR_SYSTEM, else 0 */
    char text[256];
};

/* Fill err; always returns -1, so that a caller can `return err_set(...)`. */
int err_set(struct err *err, enum err_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ERR_SYSTEM from errno: the formatted text, a colon and strerror. Always returns -1. */
int err_sys(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
