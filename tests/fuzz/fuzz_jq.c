/*
 * fuzz_jq.c: native jq programs against libjq, on events that libFuzzer makes.
 *
 * The first byte chooses one of the batches of random programs, the rest is the event; bytes that
 * are no JSON seed a random one instead. FIT_FUZZ_JQ_SEED gives other programs.
 */
#include "../helpers/jq_random.h"

#include "base/hash.h"

enum { BATCHES = 16 };

static struct batch batches[BATCHES];
static struct tally tally;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libjq keeps only a pointer to the end of its stack, which would look like a leak. */
static void free_all(void)
{
    for (int i = 0; i < BATCHES; i++)
        if (batches[i].judge)
            batch_free(&batches[i]);
    jq_free(tally.identity);
}

static void make_batch(int index)
{
    const char *seed = getenv("FIT_FUZZ_JQ_SEED");
    static bool registered;
    struct rng rng;

    if (!registered)
        atexit(free_all);
    registered = true;
    rng_seed(&rng, (seed ? strtoull(seed, NULL, 10) : 1) * BATCHES + (uint64_t)index);
    batch_make(&batches[index], &rng);
    if (batches[index].judge)
        return;
    for (int i = 0; i < BATCH; i++)
        fprintf(stderr, "program: %s\n", batches[index].texts[i]);
    abort(); /* libjq refuses one that the native parser took */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int index = size ? data[0] % BATCHES : 0;
    struct str text = {(const char *)data + 1, size ? size - 1 : 0};
    struct buf event = {0};
    struct json_scan scan;
    int differs;

    if (size == 0)
        return 0;
    if (!batches[index].judge)
        make_batch(index);
    if (json_scan(text, NULL, NULL, &scan) == 0) {
        buf_add_str(&event, text);
    } else {
        struct rng rng;

        rng_seed(&rng, hash_64(text));
        random_event(&rng, &event);
    }
    differs = batch_differs(&batches[index], buf_str(&event), &tally);
    if (differs >= 0) {
        fprintf(stderr, "program: %s\nevent: %s\n", batches[index].texts[differs],
                buf_cstr(&event));
        abort();
    }
    buf_free(&event);
    return 0;
}
