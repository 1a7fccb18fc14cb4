/*
 * rng.h: random numbers, which a test can repeat.
 *
 * xoshiro256** 1.0 seeded through splitmix64 (Blackman and Vigna, "Scrambled linear pseudorandom
 * number generators", 2021). For jitter, sampling and identifiers; not for secrets.
 */
#ifndef FIT_BASE_RNG_H
#define FIT_BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t state[4];
};

void rng_seed(struct rng *rng, uint64_t seed); /* the same seed gives the same numbers */
void rng_seed_random(struct rng *rng);         /* from the kernel (getrandom), else clock and pid */
uint64_t rng_next(struct rng *rng);            /* all 64 bits */
uint64_t rng_below(struct rng *rng, uint64_t n); /* 0 .. n-1 without bias; n = 0 gives 0 */
double rng_unit(struct rng *rng);                /* [0, 1) */

#endif
