/*
 * mem.h: memory that is never NULL.
 *
 * Everything that fittings allocates is bounded by a named limit, so running out of memory is not a
 * condition that a caller could handle better than by ending the process. These functions therefore
 * do not return on exhaustion: they call the handler (the engine's says so on stderr and exits 1)
 * and abort when there is none. Sizes are in bytes; what they return is freed with free(3).
 */
#ifndef FIT_BASE_MEM_H
#define FIT_BASE_MEM_H

#include <stddef.h>

/* Called once on exhaustion with the size that was refused; must not return. NULL: abort(3). */
void mem_on_exhaustion(void (*handler)(size_t size));

/* For memory that was asked for in another way (a mapping). */
_Noreturn void mem_exhausted(size_t size);

void *mem_alloc(size_t size);               /* uninitialised; size 0 gives a valid pointer */
void *mem_zalloc(size_t size);              /* zeroed */
void *mem_array(size_t count, size_t size); /* zeroed; count * size is checked */
void *mem_realloc(void *old, size_t size);  /* consumes old */
char *mem_strdup(const char *text);
char *mem_strndup(const char *bytes, size_t len); /* copies len bytes and adds a NUL */

#endif
