/*
 * operands.h: the operands of a command line, in their order.
 *
 * For commands whose operands may stand anywhere among the options: operands_take is the operand of
 * their struct command, and a struct operands what it fills.
 */
#ifndef FIT_ENGINE_OPERANDS_H
#define FIT_ENGINE_OPERANDS_H

#include "base/err.h"

#include <stddef.h>

/* The words live as long as the process (options.h). */
struct operands {
    const char **words;
    size_t count;
};

int operands_take(void *operands, const char *word, struct err *err); /* as command.operand */
void operands_free(struct operands *operands);

#endif
