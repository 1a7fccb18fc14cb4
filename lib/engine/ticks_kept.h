/* ticks_kept.h: what is kept of a schedule under its name, read from the store. */
#ifndef FIT_ENGINE_TICKS_KEPT_H
#define FIT_ENGINE_TICKS_KEPT_H

#include "engine/cursor_hold.h"
#include "engine/ticks_record.h"

/*
 * The record of hold's name (kind TICKS_RECORD_KIND), whoever has it: no lock is taken, and nothing
 * is written. What record held is freed; it is zeroed where nothing is kept. False: said why, and
 * *status is what to exit with. Turns the loop meanwhile.
 */
bool ticks_kept_read(struct cursor_hold *hold, struct ticks_record *record, int *status);

#endif
