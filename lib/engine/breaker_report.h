/*
 * breaker_report.h: what a breaker is and was, as JSON: for breaker --show and --events.
 */
#ifndef FIT_ENGINE_BREAKER_REPORT_H
#define FIT_ENGINE_BREAKER_REPORT_H

#include "base/buf.h"
#include "pattern/breaker.h"

/* Print a line for the breaker, or for all (name NULL), with its settings. The exit status. */
int breaker_report_show(const char *state, const char *name);

/* The transitions behind number seen, each as a line; those older than the log are lost. Returns
 * the number of the last one. */
uint64_t breaker_report_since(struct buf *lines, const char *name, const struct breaker *breaker,
                              uint64_t seen);

#endif
