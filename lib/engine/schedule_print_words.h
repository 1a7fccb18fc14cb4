/*
 * schedule_print_words.h: the command line of an entry that schedule_print.h makes.
 */
#ifndef FIT_ENGINE_SCHEDULE_PRINT_WORDS_H
#define FIT_ENGINE_SCHEDULE_PRINT_WORDS_H

#include "engine/schedule_print.h"

/* The words, NULL-terminated and with their count, freed with words_free. schedule: another text
 * for the schedule, or NULL. */
char **schedule_print_words(const struct schedule_print *print, const char *schedule,
                            size_t *count);

#endif
