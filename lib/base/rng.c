/* rng.c: random numbers, which a test can repeat. */
#include "base/rng.h"

#include "base/clock.h"

#include <sys/random.h>
#include <unistd.h>

static uint64_t rotate(uint64_t word, int by)
{
    return (word << by) | (word >> (64 - by));
}

void rng_seed(struct rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += UINT64_C(0x9E3779B97F4A7C15);
        uint64_t mixed = (seed ^ (seed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
        mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94D049BB133111EB);
        rng->state[i] = mixed ^ (mixed >> 31);
    }
}

void rng_seed_random(struct rng *rng)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
        seed = (uint64_t)clock_wall() ^ ((uint64_t)getpid() << 40);
    rng_seed(rng, seed);
}

uint64_t rng_next(struct rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t number = rotate(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return number;
}

/* Lemire, "Fast random integer generation in an interval", 2019: multiply, reject the biased part.
 */
uint64_t rng_below(struct rng *rng, uint64_t n)
{
    if (!n)
        return 0;
    unsigned __int128 product = (unsigned __int128)rng_next(rng) * n;
    if ((uint64_t)product < n) {
        uint64_t biased = -n % n;
        while ((uint64_t)product < biased)
            product = (unsigned __int128)rng_next(rng) * n;
    }
    return (uint64_t)(product >> 64);
}

double rng_unit(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}
