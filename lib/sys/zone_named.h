/*
 * zone_named.h: the time zones of the system, by name.
 *
 * "Europe/Berlin", "UTC", or NULL for the one that the machine is set to (TZ, /etc/localtime). The
 * rules are those of the C library, which keeps one zone for the process: one is open at a time.
 */
#ifndef FIT_SYS_ZONE_NAMED_H
#define FIT_SYS_ZONE_NAMED_H

#include "base/err.h"
#include "base/zone.h"

/* NULL with ERR_USAGE: there is no such zone (the C library alone would take it for UTC). */
struct zone *zone_named(const char *name, struct err *err);
void zone_named_free(struct zone *zone); /* NULL is a no-op */

#endif
