/* test_spill.c: what the log of spilled events promises. */
#include "engine/spill.h"

#include "base/buf.h"
#include "base/rng.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { READERS = 3, EVENTS = 60000 };

static struct spill *new_spill(void)
{
    const char *folder = getenv("TMPDIR");
    return spill_new(folder && *folder ? folder : "/tmp");
}

/* An event of its number: mostly small, at times larger than a segment. */
static void make_event(uint64_t number, struct buf *event)
{
    buf_clear(event);
    buf_addf(event, "[%llu,\"", (unsigned long long)number);
    size_t len = number % 9973 == 9972 ? SPILL_SEGMENT + number : number * 7 % 600;
    buf_reserve(event, len);
    memset(event->data + event->len, 'a' + (int)(number % 26), len);
    event->len += len;
    buf_puts(event, "\"]");
}

static void make_id(uint64_t number, struct buf *id)
{
    buf_clear(id);
    for (uint64_t i = number % 5; i; i--)
        buf_addf(id, "%llu#", (unsigned long long)number);
}

static struct spill_place add(struct spill *spill, uint64_t number, uint32_t open)
{
    struct buf event = {0}, id = {0};
    struct spill_place place;
    struct err err;
    make_event(number, &event);
    make_id(number, &id);
    assert_int_equal(spill_add(spill, buf_str(&event), buf_str(&id), &place, &err), 0);
    assert_int_equal(place.parked->open, 0);
    place.parked->line = number;
    place.parked->open = open;
    buf_free(&event);
    buf_free(&id);
    return place;
}

static void check_place(const struct spill_place *place, uint64_t number)
{
    struct buf event = {0}, id = {0};
    make_event(number, &event);
    make_id(number, &id);
    struct slice got = spill_event(place);
    assert_int_equal(place->parked->line, number);
    assert_int_equal(got.len, event.len);
    assert_memory_equal(got.data, event.data, event.len);
    assert_int_equal(got.data[got.len], '\n');
    struct slice line = slice_line(got);
    assert_ptr_equal(line.data, got.data); /* no copy */
    slice_drop(&line);
    slice_drop(&got);
    assert_true(str_eq(spill_id(place), buf_str(&id)));
    buf_free(&event);
    buf_free(&id);
}

static void end_one(struct spill_place *place)
{
    place->parked->open--;
    spill_release(place);
}

/* ---- one reader ---- */

static void gives_back_what_was_added_in_order(void **state)
{
    (void)state;
    struct spill *spill = new_spill();
    struct spill_reader reader = {0};
    struct spill_place place;
    assert_false(spill_reader_next(&reader, &place));
    for (uint64_t number = 0; number < 20000; number++) {
        struct spill_place added = add(spill, number, 1);
        if (!number)
            spill_reader_begin(&reader, &added);
        spill_release(&added);
    }
    for (uint64_t number = 0; number < 20000; number++) {
        assert_true(spill_reader_next(&reader, &place));
        check_place(&place, number);
        end_one(&place);
    }
    assert_false(spill_reader_next(&reader, &place));
    assert_null(reader.segment);
    spill_free(spill);
}

static void makes_no_file_before_it_is_needed(void **state)
{
    (void)state;
    struct spill *spill = spill_new("/nonexistent");
    struct spill_place place;
    struct err err;
    assert_int_equal(spill_add(spill, STR("1"), STR(""), &place, &err), -1);
    assert_non_null(strstr(err.text, "/nonexistent"));
    spill_free(spill);
}

static void an_event_may_be_held_longer_than_its_place(void **state)
{
    (void)state;
    struct spill *spill = new_spill();
    struct spill_place first = add(spill, 1, 1);
    struct slice event = spill_event(&first);
    end_one(&first);
    for (uint64_t number = 2; number < 10000; number++) { /* over it all, if it could be */
        struct spill_place place = add(spill, number, 1);
        end_one(&place);
    }
    assert_true(str_starts(slice_str(event), STR("[1,\"bbbbbbb\"")));
    slice_drop(&event);
    spill_free(spill);
}

/* ---- several readers ---- */

/* Readers begin, read and fall back at random; every event is read by those that wait for it. */
static void every_reader_gets_all_from_where_it_began(void **state)
{
    (void)state;
    struct spill *spill = new_spill();
    struct spill_reader readers[READERS] = {{0}};
    struct spill_place held[READERS][64], place;
    uint64_t next[READERS], added = 0;
    size_t holds[READERS] = {0};
    bool behind[READERS] = {false};
    struct rng rng;
    rng_seed(&rng, 7);
    while (added < EVENTS) {
        bool begins[READERS];
        uint32_t open = 1;
        for (int i = 0; i < READERS; i++) {
            begins[i] = !behind[i] && rng_below(&rng, 50) == 0;
            open += behind[i] || begins[i];
        }
        struct spill_place fresh = add(spill, added, open);
        for (int i = 0; i < READERS; i++) {
            if (!begins[i])
                continue;
            behind[i] = true;
            next[i] = added;
            spill_reader_begin(&readers[i], &fresh);
        }
        end_one(&fresh);
        added++;
        for (int i = 0; i < READERS; i++) {
            for (uint64_t n = rng_below(&rng, 3); n && behind[i]; n--) {
                behind[i] = spill_reader_next(&readers[i], &place);
                if (!behind[i]) {
                    assert_int_equal(next[i], added);
                    break;
                }
                check_place(&place, next[i]++);
                if (holds[i] == 64) { /* ended in another order than begun */
                    size_t out = (size_t)rng_below(&rng, 64);
                    end_one(&held[i][out]);
                    held[i][out] = held[i][--holds[i]];
                }
                held[i][holds[i]++] = place;
            }
        }
    }
    for (int i = 0; i < READERS; i++) {
        while (spill_reader_next(&readers[i], &place)) {
            check_place(&place, next[i]++);
            end_one(&place);
        }
        while (holds[i])
            end_one(&held[i][--holds[i]]);
    }
    spill_free(spill);
}

/* ---- limits ---- */

/* Of files without a name that this process has open. */
static uint64_t disk_used(void)
{
    uint64_t bytes = 0;
    for (int fd = 3; fd < 64; fd++) {
        char link[32], path[256];
        struct stat info;
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t len = readlink(link, path, sizeof path);
        if (len > 0 && str_ends((struct str){path, (size_t)len}, STR(" (deleted)")) &&
            fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
            bytes += (uint64_t)info.st_blocks * 512;
    }
    return bytes;
}

static void takes_no_more_disk_than_waits(void **state)
{
    (void)state;
    enum { BEHIND = 1000 };
    struct spill *spill = new_spill();
    struct spill_reader quick, slow;
    struct spill_place place;
    uint64_t most = 0;
    for (uint64_t number = 0; number < 200000; number++) {
        place = add(spill, number % 9000, 3);
        if (!number) {
            spill_reader_begin(&quick, &place);
            spill_reader_begin(&slow, &place);
        }
        end_one(&place);
        assert_true(spill_reader_next(&quick, &place));
        end_one(&place);
        if (number >= BEHIND) {
            assert_true(spill_reader_next(&slow, &place));
            end_one(&place);
        }
        uint64_t used = number % 1000 ? 0 : disk_used();
        most = used > most ? used : most;
    }
    assert_true(most >= SPILL_SEGMENT); /* it is there to be seen */
    assert_true(most <= 4 * SPILL_SEGMENT);
    spill_reader_end(&quick);
    spill_reader_end(&slow);
    spill_free(spill);
}

/* Once nothing waits the same segment serves again. */
static void does_not_grow_while_each_event_is_over_at_once(void **state)
{
    (void)state;
    struct spill *spill = new_spill();
    for (uint64_t number = 0; number < 9000; number++) {
        struct spill_place place = add(spill, number, 1);
        end_one(&place);
    }
    assert_int_equal(disk_used(), SPILL_SEGMENT);
    spill_free(spill);
}

static void a_full_disk_is_an_error_that_changes_nothing(void **state)
{
    (void)state;
    struct spill *spill = new_spill();
    struct spill_reader reader;
    struct rlimit old, limit;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    limit = (struct rlimit){SPILL_SEGMENT, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    struct spill_place place = add(spill, 0, 1);
    spill_reader_begin(&reader, &place);
    spill_release(&place);
    uint64_t added = 1, refused = 0;
    struct buf event = {0};
    struct err err;
    for (; refused < 3; added += !refused) {
        make_event(added, &event);
        if (spill_add(spill, buf_str(&event), STR(""), &place, &err) < 0) {
            refused++;
            continue;
        }
        place.parked->line = added;
        place.parked->open = 1;
        spill_release(&place);
    }
    setrlimit(RLIMIT_FSIZE, &old);
    assert_non_null(strstr(err.text, "spill to a file in "));
    for (uint64_t number = 0; number < added; number++) {
        assert_true(spill_reader_next(&reader, &place));
        assert_int_equal(place.parked->line, number);
        end_one(&place);
    }
    place = add(spill, added, 1); /* there is room again */
    check_place(&place, added);
    end_one(&place);
    spill_reader_end(&reader);
    buf_free(&event);
    spill_free(spill);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_was_added_in_order),
        cmocka_unit_test(makes_no_file_before_it_is_needed),
        cmocka_unit_test(an_event_may_be_held_longer_than_its_place),
        cmocka_unit_test(every_reader_gets_all_from_where_it_began),
        cmocka_unit_test(takes_no_more_disk_than_waits),
        cmocka_unit_test(does_not_grow_while_each_event_is_over_at_once),
        cmocka_unit_test(a_full_disk_is_an_error_that_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
