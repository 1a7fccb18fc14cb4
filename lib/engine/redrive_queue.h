/*
 * redrive_queue.h: dead letters of queues go back into their queues.
 *
 * Each event is pushed, and its letter goes away when the push is committed. The push has an id of
 * the letter's own, so that who is killed in between pushes it once (QUEUE_ID_WINDOW).
 */
#ifndef FIT_ENGINE_REDRIVE_QUEUE_H
#define FIT_ENGINE_REDRIVE_QUEUE_H

#include "base/err.h"
#include "state/store.h"

#include <stdbool.h>
#include <stdint.h>

enum { REDRIVE_QUEUE_ROUND = 1024 }; /* letters that are gathered; their events are in memory */

struct redrive_queue;

struct redrive_queue *redrive_queue_new(struct store *store);
void redrive_queue_free(struct redrive_queue *redrive);

/*
 * Gather a letter of the queue, while letters are being read: nothing is pushed yet. 1: a round is
 * full; 0: it takes more; -1 with err: it is no letter that could go back, and stays.
 */
int redrive_queue_add(struct redrive_queue *redrive, uint64_t number, struct str queue,
                      struct str letter, struct err *err);

/* Push what was gathered, and remove the letters. -1 with err: some are still there. */
int redrive_queue_round(struct redrive_queue *redrive, struct err *err);

#endif
