/*
 * num.h: numbers, durations, sizes and rates as people write them, read strictly.
 *
 * Each function reads the whole of text and returns NULL on success, else a short static reason
 * ("not a number", "too large") to be put behind the option's name. Refused everywhere: the empty
 * string, a sign, blanks, a leading zero before another digit ("010"), an exponent, overflow.
 */
#ifndef FIT_BASE_NUM_H
#define FIT_BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUM_SECOND INT64_C(1000000000) /* nanoseconds */

/* A whole number from min to max. */
const char *num_uint(const char *text, uint64_t min, uint64_t max, uint64_t *number);

/* The longest duration, a hundred years: a time of today and two of them are within 64 bits. */
#define NUM_LONGEST (INT64_C(36525) * 86400 * NUM_SECOND)

/* Nanoseconds, up to NUM_LONGEST. A decimal number ("1.5") and ms, s, m, h or d; a bare number is
 * seconds. */
const char *num_duration(const char *text, int64_t *nanoseconds);

/* Bytes. A whole number and optionally K, M or G (powers of 1024). */
const char *num_size(const char *text, size_t *bytes);

/* count events each period nanoseconds: "10/s", "600/m", "5/100ms", "1/h". Both are at least 1. */
const char *num_rate(const char *text, uint64_t *count, int64_t *period);

/* Bytes each period: "64K/s", "1M/m". Both are at least 1. */
const char *num_byte_rate(const char *text, uint64_t *bytes, int64_t *period);

/* A decimal number: "1.5", "2". Up to six decimals. */
const char *num_decimal(const char *text, double *number);

/* A percentage ("10%", "2.5%") as a fraction from 0 to 1. */
const char *num_percent(const char *text, double *fraction);

/* "8" or "50%" of whole: a whole number from 1 on (a percentage is rounded up). */
const char *num_count_or_percent(const char *text, uint64_t whole, uint64_t *number);

/* A duration for people, in the largest unit that keeps it exact or three digits: "1.50s", "20us".
 */
enum { NUM_TEXT = 32 };
const char *num_format_duration(int64_t nanoseconds, char text[NUM_TEXT]);
const char *num_format_size(uint64_t bytes, char text[NUM_TEXT]);

#endif
