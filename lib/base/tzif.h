/*
 * tzif.h: the rules of a time zone, as RFC 8536 writes them in a file (TZif) and POSIX in a line
 * ("CET-1CEST,M3.5.0,M10.5.0/3").
 *
 * Pure: bytes in, a zone out. Both blocks of a file may be there, the second with 64 bits is read;
 * what comes after its last change follows the line in its footer. Files that count leap seconds
 * ("right/...") are refused, as no clock of ours does.
 */
#ifndef FIT_BASE_TZIF_H
#define FIT_BASE_TZIF_H

#include "base/str.h"
#include "base/zone.h"

/* The bytes of a file. NULL: they are none, damaged, or count leap seconds. */
struct zone *tzif_read(struct str bytes);

/* A line. NULL: it is none. */
struct zone *tzif_read_line(struct str line);

void tzif_free(struct zone *zone); /* NULL is a no-op */

#endif
