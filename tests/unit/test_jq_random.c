/* test_jq_random.c: random native programs give what libjq gives. */
#include "../helpers/jq_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

enum {
    BATCHES = 100,
    EVENTS = 50, /* for each batch: 100 * 40 * 50 = 200,000 pairs of a program and an event */
};

static void agrees_with_libjq_on_200000_random_pairs(void **state)
{
    struct tally tally = {0};
    struct rng rng;

    (void)state;
    rng_seed(&rng, 20261123);
    for (int i = 0; i < BATCHES; i++) {
        struct batch batch;

        batch_make(&batch, &rng);
        if (!batch.judge) {
            for (int k = 0; k < BATCH; k++)
                print_error("program: %s\n", batch.texts[k]);
            fail_msg("batch %d: libjq refuses a program that is native", i);
        }
        for (int k = 0; k < EVENTS; k++) {
            struct buf event = {0};
            int differs;

            random_event(&rng, &event);
            differs = batch_differs(&batch, buf_str(&event), &tally);
            if (differs >= 0)
                fail_msg("batch %d: program: %s event: %s", i, batch.texts[differs],
                         buf_cstr(&event));
            buf_free(&event);
        }
        batch_free(&batch);
    }
    jq_free(tally.identity);
    assert_true(tally.pairs > (uint64_t)BATCHES * EVENTS * BATCH * 9 / 10);
    print_message("# %llu pairs, %llu declined, %llu events that libjq cannot read\n",
                  (unsigned long long)tally.pairs, (unsigned long long)tally.declined,
                  (unsigned long long)tally.unreadable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_libjq_on_200000_random_pairs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
