/* test_buf.c: what growable strings and shared blocks promise. */
#include "base/block.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void grows_by_what_is_added(void **state)
{
    (void)state;
    struct buf buf = {0};
    for (int i = 0; i < 1000; i++) {
        buf_addc(&buf, 'a');
        buf_add(&buf, "bc", 2);
        buf_puts(&buf, "de");
        buf_add_str(&buf, STR("f\0"));
        buf_add(&buf, NULL, 0);
    }
    assert_int_equal(buf.len, 7000);
    assert_memory_equal(buf.data + 6993, "abcdef", 7);
    buf_clear(&buf);
    assert_int_equal(buf.len, 0);
    buf_free(&buf);
    assert_null(buf.data);
    buf_puts(&buf, "usable again");
    assert_true(str_eq(buf_str(&buf), STR("usable again")));
    buf_free(&buf);
}

static void formats_at_its_end(void **state)
{
    (void)state;
    struct buf buf = {0};
    buf_puts(&buf, "x");
    buf_addf(&buf, "%s", "");
    buf_addf(&buf, "-%d-%s", 42, "text");
    buf_addf(&buf, "%0300d", 7);
    assert_int_equal(buf.len, 1 + 8 + 300);
    assert_memory_equal(buf.data, "x-42-text000", 12);
    buf_free(&buf);
}

static void drops_bytes_at_its_front(void **state)
{
    (void)state;
    struct buf buf = {0};
    buf_consume(&buf, 0);
    buf_puts(&buf, "abcdef");
    buf_consume(&buf, 2);
    assert_true(str_eq(buf_str(&buf), STR("cdef")));
    buf_consume(&buf, 4);
    assert_int_equal(buf.len, 0);
    buf_free(&buf);
}

static void gives_strings_that_end_in_nul(void **state)
{
    (void)state;
    struct buf buf = {0};
    assert_string_equal(buf_cstr(&buf), "");
    buf_puts(&buf, "abc");
    assert_string_equal(buf_cstr(&buf), "abc");
    assert_int_equal(buf.len, 3);
    char *text = buf_take(&buf);
    assert_string_equal(text, "abc");
    assert_null(buf.data);
    free(text);
}

static void writes_strings_as_json(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *json;
    } cases[] = {
        {STR(""), "\"\""},
        {{NULL, 0}, "\"\""},
        {STR("plain"), "\"plain\""},
        {STR("\""), "\"\\\"\""},
        {STR("a\\b\"c/"), "\"a\\\\b\\\"c/\""},
        {STR("\b\t\n\f\r"), "\"\\b\\t\\n\\f\\r\""},
        {STR("\0\x01\x1F\x7F"), "\"\\u0000\\u0001\\u001f\x7F\""},
        {STR("gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80"), "\"gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf buf = {0};
        buf_add_json(&buf, cases[i].text);
        assert_string_equal(buf_cstr(&buf), cases[i].json);
        buf_free(&buf);
    }
}

/* RFC 4648, section 10. */
static void writes_base64_with_padding(void **state)
{
    (void)state;
    static const struct {
        struct str bytes;
        const char *text;
    } cases[] = {
        {STR(""), ""},
        {STR("f"), "Zg=="},
        {STR("fo"), "Zm8="},
        {STR("foo"), "Zm9v"},
        {STR("foob"), "Zm9vYg=="},
        {STR("fooba"), "Zm9vYmE="},
        {STR("foobar"), "Zm9vYmFy"},
        {STR("\0\xFF\xFE"), "AP/+"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf buf = {0};
        buf_add_base64(&buf, cases[i].bytes);
        assert_string_equal(buf_cstr(&buf), cases[i].text);
        buf_free(&buf);
    }
}

/* ---- blocks ---- */

static void keeps_a_block_as_long_as_a_slice_of_it(void **state)
{
    (void)state;
    struct block *block = block_new(BLOCK_SIZE);
    assert_true(block->cap >= BLOCK_SIZE);
    memcpy(block->data, "abcdef", 6);
    struct slice slice = slice_of(block, block->data + 2, 3);
    struct slice other = slice_hold(slice);
    assert_int_equal(block->refs, 3);
    block_drop(block);
    slice_drop(&slice);
    assert_null(slice.block);
    assert_true(str_eq(slice_str(other), STR("cde")));
    slice_drop(&other);
    slice_drop(&other);
    block_drop(NULL);
}

static void reuses_blocks_of_the_common_size(void **state)
{
    (void)state;
    struct block *first = block_new(BLOCK_SIZE);
    block_drop(first);
    struct block *second = block_new(BLOCK_SIZE / 2);
    assert_ptr_equal(first, second);
    assert_int_equal(second->refs, 1);
    assert_int_equal(second->len, 0);
    block_drop(second);
    struct block *large = block_new(BLOCK_SIZE + 1);
    assert_true(large->cap > BLOCK_SIZE);
    block_drop(large);
    block_drop_kept();
}

static void copies_into_slices_of_their_own(void **state)
{
    (void)state;
    char text[] = "abc";
    struct slice copy = slice_dup((struct str){text, 3});
    struct slice empty = slice_dup((struct str){NULL, 0});
    text[0] = 'x';
    assert_true(str_eq(slice_str(copy), STR("abc")));
    assert_int_equal(empty.len, 0);
    slice_drop(&copy);
    slice_drop(&empty);
}

static void maps_a_file_as_a_block(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    fputs("mapped", file);
    fflush(file);
    struct block *block = block_map(fileno(file), 6);
    assert_non_null(block);
    fclose(file);
    assert_memory_equal(block->data, "mapped", 6);
    block_drop(block);
    assert_null(block_map(-1, 6));
}

static void holds_slices_of_outliving_bytes_for_nothing(void **state)
{
    (void)state;
    struct slice slice = slice_of(NULL, "static", 6);
    struct slice other = slice_hold(slice);
    slice_drop(&slice);
    assert_true(str_eq(slice_str(other), STR("static")));
    slice_drop(&other);
}

static void reads_base64_back(void **state)
{
    (void)state;
    char bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(255 - i);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        struct buf text = {0}, back = {0};
        buf_add_base64(&text, (struct str){bytes, len});
        assert_true(buf_add_from_base64(&back, buf_str(&text)));
        assert_true(str_eq(buf_str(&back), (struct str){bytes, len}));
        buf_free(&text);
        buf_free(&back);
    }
}

static void refuses_what_is_no_base64(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "A", "AAA", "AA=A", "====", "A===", "AA==AAAA", "AA A", "AAA-"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct buf back = {0};
        buf_puts(&back, "x");
        assert_false(buf_add_from_base64(&back, str_of(wrong[i])));
        assert_int_equal(back.len, 1);
        buf_free(&back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_by_what_is_added),
        cmocka_unit_test(formats_at_its_end),
        cmocka_unit_test(drops_bytes_at_its_front),
        cmocka_unit_test(gives_strings_that_end_in_nul),
        cmocka_unit_test(writes_strings_as_json),
        cmocka_unit_test(writes_base64_with_padding),
        cmocka_unit_test(reads_base64_back),
        cmocka_unit_test(refuses_what_is_no_base64),
        cmocka_unit_test(keeps_a_block_as_long_as_a_slice_of_it),
        cmocka_unit_test(reuses_blocks_of_the_common_size),
        cmocka_unit_test(copies_into_slices_of_their_own),
        cmocka_unit_test(maps_a_file_as_a_block),
        cmocka_unit_test(holds_slices_of_outliving_bytes_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
