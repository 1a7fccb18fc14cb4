/*
 * zone_named.h: the time zones of the system, by name.
 *
 * They are read from the system's files (TZif), not asked of the C library: that has one zone for
 * the whole process, takes it from the environment, which functions inherit, and takes a name that
 * it does not know for UTC.
 */
#ifndef FIT_SYS_ZONE_NAMED_H
#define FIT_SYS_ZONE_NAMED_H

#include "base/err.h"
#include "base/zone.h"

/* "Europe/Berlin", "UTC"; NULL for the one that the machine is set to (/etc/localtime, else UTC).
 * NULL with ERR_USAGE: there is no such zone. */
struct zone *zone_named(const char *name, struct err *err);

/*
 * By the value of the variable TZ: a name, a path, a line of POSIX ("CET-1CEST,M3.5.0,M10.5.0/3"),
 * the former with or without a colon before it; empty is UTC, and NULL (it is not set) is the
 * machine's. NULL with ERR_USAGE.
 */
struct zone *zone_of_variable(const char *value, struct err *err);

void zone_named_free(struct zone *zone); /* NULL is a no-op */

#endif
