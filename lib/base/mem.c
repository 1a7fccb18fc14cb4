/* mem.c: allocation that ends the process instead of returning NULL. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void (*exhausted)(size_t size);

void mem_on_exhaustion(void (*handler)(size_t size))
{
    exhausted = handler;
}

void mem_exhausted(size_t size)
{
    if (exhausted)
        exhausted(size);
    abort();
}

static void *checked(void *memory, size_t size)
{
    if (!memory)
        mem_exhausted(size);
    return memory;
}

void *mem_alloc(size_t size)
{
    return checked(malloc(size ? size : 1), size);
}

void *mem_zalloc(size_t size)
{
    return checked(calloc(1, size ? size : 1), size);
}

void *mem_array(size_t count, size_t size)
{
    return checked(calloc(count ? count : 1, size ? size : 1), count * size);
}

void *mem_realloc(void *old, size_t size)
{
    return checked(realloc(old, size ? size : 1), size);
}

char *mem_strdup(const char *text)
{
    return mem_strndup(text, strlen(text));
}

char *mem_strndup(const char *bytes, size_t len)
{
    char *copy = mem_alloc(len + 1);
    if (len)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}
