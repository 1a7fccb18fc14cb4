/*
 * json_fault.h: why a text is not JSON, for json.c only.
 *
 * The scanner finds out that a text has a fault, in an order of its own; this one, byte by byte and
 * in plain C, finds the first one. It shares no code with the scanner: tests hold their judgements
 * equal.
 */
#ifndef FIT_FORMAT_JSON_FAULT_H
#define FIT_FORMAT_JSON_FAULT_H

#include "base/str.h"

/* NULL when the text is one JSON value; else what is wrong, and where. */
const char *json_fault(struct str text, size_t *at);

#endif
