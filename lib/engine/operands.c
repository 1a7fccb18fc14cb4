/* operands.c: the operands of a command line, in their order. */
#include "engine/operands.h"

#include "base/mem.h"

#include <stdlib.h>

int operands_take(void *into, const char *word, struct err *err)
{
    struct operands *operands = into;
    (void)err;
    operands->words = mem_realloc(operands->words, (operands->count + 1) * sizeof *operands->words);
    operands->words[operands->count++] = word;
    return 0;
}

void operands_free(struct operands *operands)
{
    free(operands->words);
    *operands = (struct operands){0};
}
