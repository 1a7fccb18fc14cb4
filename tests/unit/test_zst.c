/* test_zst.c: what compressed streams and files promise, also torn and damaged ones. */
#include "format/zst.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const struct str SKIPPABLE = {"\x53\x2A\x4D\x18\x05\x00\x00\x00hello", 13};

/* Made by others: {"a":1} LF without checksum, content size or single segment (a stream of the zstd
 * command). */
static const struct str FOREIGN = {"\x28\xB5\x2F\xFD\x00\x58\x41\x00\x00{\"a\":1}\n", 17};

static void add_frame(struct buf *file, struct str content)
{
    struct err err;
    assert_int_equal(zst_frame(content, file, &err), 0);
}

/* Lines that compress about as events do. */
static void add_lines(struct buf *text, unsigned seed, size_t lines)
{
    struct rng rng;
    rng_seed(&rng, seed);
    for (size_t i = 0; i < lines; i++)
        buf_addf(text, "{\"id\":%zu,\"value\":%llu,\"kind\":\"earthquake\"}\n", i,
                 (unsigned long long)rng_below(&rng, 1000000));
}

/* Everything that a stream gives before its end or its damage; *status of zst_decode or
 * zst_decode_end. */
static void decode(struct str file, size_t part, size_t room, struct buf *out, int *status,
                   struct err *err)
{
    struct zst_decoder *decoder = zst_decoder_new();
    ssize_t produced = 0;
    while (file.len && produced >= 0) {
        struct str in = {file.data, part < file.len ? part : file.len};
        file.data += in.len;
        file.len -= in.len;
        do {
            buf_reserve(out, room);
            produced = zst_decode(decoder, &in, out->data + out->len, room, err);
            assert_true(produced <= (ssize_t)room);
            out->len += produced > 0 ? (size_t)produced : 0;
        } while (produced > 0);
        assert_true(produced < 0 || in.len == 0);
    }
    *status = produced < 0 ? -1 : zst_decode_end(decoder, err);
    zst_decoder_free(decoder);
}

static void assert_decodes(struct str file, struct str content)
{
    static const size_t sizes[] = {1, 2, 7, 1000, 65536, 1 << 20};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    for (size_t i = 0; i < SIZES * SIZES; i++) {
        struct buf out = {0};
        struct err err;
        int status;
        size_t part = sizes[i / SIZES], room = sizes[i % SIZES];
        if ((file.len + content.len) / (part < room ? part : room) > 300000)
            continue;
        decode(file, part, room, &out, &status, &err);
        assert_int_equal(status, 0);
        assert_true(str_eq(buf_str(&out), content));
        buf_free(&out);
    }
}

static void recognises_the_magic_of_frames(void **state)
{
    (void)state;
    assert_true(zst_is_magic(STR("\x28\xB5\x2F\xFD")));
    assert_true(zst_is_magic(STR("\x28\xB5\x2F\xFD and more")));
    assert_true(zst_is_magic(STR("\x50\x2A\x4D\x18")));
    assert_true(zst_is_magic(STR("\x5F\x2A\x4D\x18")));
    assert_false(zst_is_magic(STR("\x60\x2A\x4D\x18")));
    assert_false(zst_is_magic(STR("\x27\xB5\x2F\xFD"))); /* zstd 0.7 and older */
    assert_false(zst_is_magic(STR("\x28\xB5\x2F")));
    assert_false(zst_is_magic(STR("")));
    assert_false(zst_is_magic(STR("{\"a\":1}")));
}

static void recognises_names_by_their_end(void **state)
{
    (void)state;
    assert_true(zst_is_name("out.ndjson.zst"));
    assert_true(zst_is_name("/tmp/.zst"));
    assert_false(zst_is_name("out.zst.ndjson"));
    assert_false(zst_is_name("zst"));
    assert_false(zst_is_name(""));
}

static void gives_back_what_was_compressed_however_it_is_cut(void **state)
{
    (void)state;
    struct buf text = {0}, file = {0};
    add_lines(&text, 1, 8000);
    add_frame(&file, buf_str(&text));
    assert_true(file.len * 3 < text.len);
    assert_decodes(buf_str(&file), buf_str(&text));
    buf_free(&text);
    buf_free(&file);
}

static void reads_concatenated_skippable_empty_and_foreign_frames(void **state)
{
    (void)state;
    struct buf file = {0};
    buf_add_str(&file, SKIPPABLE);
    add_frame(&file, STR("one\n"));
    add_frame(&file, STR(""));
    buf_add_str(&file, SKIPPABLE);
    buf_add_str(&file, SKIPPABLE);
    buf_add_str(&file, FOREIGN);
    add_frame(&file, STR("two\n"));
    buf_add_str(&file, SKIPPABLE);
    assert_decodes(buf_str(&file), STR("one\n{\"a\":1}\ntwo\n"));
    buf_free(&file);
    assert_decodes(STR(""), STR(""));
}

static void gives_everything_before_a_torn_tail_and_then_reports_it(void **state)
{
    (void)state;
    struct buf file = {0};
    add_frame(&file, STR("one\n"));
    size_t whole = file.len;
    add_frame(&file, STR("two\n"));
    for (size_t len = whole + 1; len < file.len; len++) {
        struct buf out = {0};
        struct err err;
        int status;
        decode((struct str){file.data, len}, 1 + len % 9, 100, &out, &status, &err);
        assert_int_equal(status, -1);
        assert_int_equal(err.kind, ERR_INPUT);
        assert_true(str_starts(buf_str(&out), STR("one\n")));
        assert_true(str_starts(STR("one\ntwo\n"), buf_str(&out)));
        buf_free(&out);
    }
    buf_free(&file);
}

/* Every block before the damage arrives, also when all comes in one piece. */
static void gives_the_blocks_before_damage(void **state)
{
    (void)state;
    struct buf text = {0}, file = {0}, out = {0};
    add_lines(&text, 2, 40000);
    add_frame(&file, buf_str(&text));
    file.data[file.len - 1] ^= 1; /* the checksum, behind all blocks */
    struct err err;
    int status;
    decode(buf_str(&file), file.len, text.len, &out, &status, &err);
    assert_int_equal(status, -1);
    assert_int_equal(err.kind, ERR_INPUT);
    assert_true(str_eq(buf_str(&out), buf_str(&text)));
    buf_free(&text);
    buf_free(&file);
    buf_free(&out);
}

static void names_the_kind_of_what_it_cannot_decode(void **state)
{
    (void)state;
    static const struct {
        struct str file;
        enum err_kind kind;
    } cases[] = {
        {STR("{\"a\":1}\n"), ERR_INPUT},
        {STR("\x28\xB5\x2F\xFD\x08\x58\x41\x00\x00"), ERR_INPUT},          /* a reserved bit */
        {STR("\x28\xB5\x2F\xFD\x00\x58\x07\x00\x00"), ERR_INPUT},          /* a reserved block */
        {STR("\x28\xB5\x2F\xFD\x00\xA0\x01\x00\x00"), ERR_LIMIT},          /* a window of 1 GiB */
        {STR("\x28\xB5\x2F\xFD\x01\x58\x07\x01\x00\x00"), ERR_NOT_USABLE}, /* dictionary 7 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = {0};
        struct err err = {0};
        int status;
        decode(cases[i].file, 100, 100, &out, &status, &err);
        assert_int_equal(status, -1);
        assert_int_equal(err.kind, cases[i].kind);
        assert_int_equal(out.len, 0);
        buf_free(&out);
    }
}

static void decodes_again_after_damage_and_reset(void **state)
{
    (void)state;
    struct zst_decoder *decoder = zst_decoder_new();
    struct err err;
    struct buf file = {0};
    char out[16];
    add_frame(&file, STR("one\n"));
    struct str in = STR("garbage");
    assert_int_equal(zst_decode(decoder, &in, out, sizeof out, &err), -1);
    zst_decode_reset(decoder);
    in = buf_str(&file);
    assert_int_equal(zst_decode(decoder, &in, out, sizeof out, &err), 4);
    zst_decoder_free(decoder);
    zst_decoder_free(NULL);
    buf_free(&file);
}

/* ---- recovery ---- */

static FILE *file_with(struct str bytes)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.len, file), bytes.len);
    assert_int_equal(fflush(file), 0);
    return file;
}

/* Recover a file with these bytes: so many are cut, and what is left is their head. */
static void assert_cuts(struct str bytes, size_t expected)
{
    FILE *file = file_with(bytes);
    struct err err = {0};
    uint64_t cut = 77;
    if (zst_recover(fileno(file), &cut, &err) != 0)
        fail_msg("refused %zu bytes: %s", bytes.len, err.text);
    assert_int_equal(cut, expected);
    char *left = malloc(bytes.len + 1);
    rewind(file);
    assert_int_equal(fread(left, 1, bytes.len + 1, file), bytes.len - expected);
    assert_memory_equal(left, bytes.data, bytes.len - expected);
    free(left);
    fclose(file);
}

static void assert_refuses(struct str bytes, enum err_kind kind)
{
    FILE *file = file_with(bytes);
    struct err err = {0};
    uint64_t cut = 77;
    assert_int_equal(zst_recover(fileno(file), &cut, &err), -1);
    assert_int_equal(err.kind, kind);
    assert_int_equal(cut, 0);
    assert_int_equal(lseek(fileno(file), 0, SEEK_END), bytes.len);
    fclose(file);
}

static void leaves_good_files_alone(void **state)
{
    (void)state;
    struct buf file = {0}, text = {0};
    assert_cuts(STR(""), 0);
    assert_cuts(SKIPPABLE, 0);
    assert_cuts(FOREIGN, 0);
    add_frame(&file, STR(""));
    assert_cuts(buf_str(&file), 0);
    add_lines(&text, 3, 20000);
    add_frame(&file, buf_str(&text));
    buf_add_str(&file, FOREIGN);
    add_frame(&file, STR("two\n"));
    buf_add_str(&file, SKIPPABLE);
    assert_cuts(buf_str(&file), 0);
    buf_free(&text);
    buf_free(&file);
}

static void cuts_a_frame_torn_at_any_byte(void **state)
{
    (void)state;
    struct buf file = {0}, text = {0};
    add_frame(&file, STR("one\n"));
    buf_add_str(&file, SKIPPABLE);
    size_t whole = file.len;
    add_lines(&text, 4, 6000);
    add_frame(&file, buf_str(&text));
    for (size_t len = whole; len < file.len;
         len += len < whole + 40 || len + 40 > file.len ? 1 : 997)
        assert_cuts((struct str){file.data, len}, len - whole);
    for (size_t len = 1; len < whole - SKIPPABLE.len; len++)
        assert_cuts((struct str){file.data, len}, len);
    buf_free(&text);
    buf_free(&file);
}

static void cuts_a_torn_skippable_frame(void **state)
{
    (void)state;
    for (size_t len = 1; len < SKIPPABLE.len; len++) {
        struct buf file = {0};
        add_frame(&file, STR("one\n"));
        buf_add(&file, SKIPPABLE.data, len);
        assert_cuts(buf_str(&file), len);
        buf_free(&file);
    }
}

/* After a power cut pages of the tail may be zeros although the size is right. */
static void cuts_what_a_power_cut_leaves(void **state)
{
    (void)state;
    struct buf file = {0};
    add_frame(&file, STR("one\n"));
    size_t whole = file.len;
    for (int i = 0; i < 3; i++)
        add_frame(&file, STR("a frame whose blocks never reached the disk\n"));
    size_t full = file.len;
    struct buf zeros = {0};
    buf_add(&zeros, file.data, full);
    memset(zeros.data + whole, 0, full - whole);
    assert_cuts(buf_str(&zeros), full - whole);
    buf_clear(&zeros);
    buf_add(&zeros, file.data, full);
    memset(zeros.data + whole + 20, 0, full - whole - 20);
    assert_cuts(buf_str(&zeros), full - whole);
    for (size_t at = whole + 9; at < full; at += (full - whole) / 3)
        file.data[at + 20] ^= 0x55;
    assert_cuts(buf_str(&file), full - whole); /* three whole frames with wrong content */
    buf_free(&file);
    buf_free(&zeros);
}

static void refuses_what_it_must_not_cut(void **state)
{
    (void)state;
    struct buf file = {0};
    assert_refuses(STR("{\"a\":1}\n"), ERR_INPUT);
    assert_refuses(STR("{\n"), ERR_INPUT);
    assert_refuses(STR("\0\0\0\0\0\0\0\0\0\0"), ERR_INPUT);
    assert_refuses(STR("\x28\xB5\x2F\xFD\x01\x58\x07\x01\x00\x00"), ERR_NOT_USABLE);
    assert_refuses(STR("\x28\xB5\x2F\xFD\x00\xA0\x01\x00\x00"), ERR_LIMIT);

    add_frame(&file, STR("one\n"));
    buf_puts(&file, "{\"appended\":\"as plain text\"}\n");
    assert_refuses(buf_str(&file), ERR_INPUT);

    buf_clear(&file);
    add_frame(&file, STR("one\n"));
    add_frame(&file, STR("torn, and appended to all the same\n"));
    file.len -= 9;
    for (int i = 0; i < 5; i++)
        add_frame(&file, STR("lines that a cut would destroy\n"));
    assert_refuses(buf_str(&file), ERR_INPUT);
    buf_free(&file);
}

static void refuses_damage_before_good_frames(void **state)
{
    (void)state;
    struct buf file = {0};
    add_frame(&file, STR("one\n"));
    size_t second = file.len;
    add_frame(&file, STR("two\n"));
    size_t third = file.len;
    add_frame(&file, STR("three\n"));
    memset(file.data + second, 'x', third - second);
    assert_refuses(buf_str(&file), ERR_INPUT);
    buf_free(&file);
}

/* Much of a large torn frame of another writer can be salvaged; ours is worth one batch of lines.
 */
static void refuses_to_cut_a_large_torn_frame_of_another_writer(void **state)
{
    (void)state;
    enum { BLOCKS = 100, BLOCK = 20000, HEADER = 6 };
    struct buf file = {0};
    buf_add(&file, FOREIGN.data, HEADER);
    char *noise = calloc(1, BLOCK);
    for (int i = 0; i < BLOCKS; i++) {
        unsigned bits = BLOCK << 3;
        buf_add(&file,
                (unsigned char[]){(unsigned char)bits, (unsigned char)(bits >> 8),
                                  (unsigned char)(bits >> 16)},
                3);
        buf_add(&file, noise, BLOCK);
    }
    assert_refuses(buf_str(&file), ERR_INPUT);
    file.len = ZST_CUT_FOREIGN;
    assert_cuts(buf_str(&file), file.len);
    free(noise);
    buf_free(&file);

    struct rng rng;
    rng_seed(&rng, 5);
    struct buf text = {0};
    while (text.len < 3 * ZST_CUT_FOREIGN)
        buf_addf(&text, "%016llx", (unsigned long long)rng_next(&rng));
    add_frame(&file, buf_str(&text));
    assert_true(file.len > ZST_CUT_FOREIGN + 10);
    file.len -= 10;
    assert_cuts(buf_str(&file), file.len);
    buf_free(&text);
    buf_free(&file);
}

static void appends_readable_frames_after_recovery(void **state)
{
    (void)state;
    struct buf bytes = {0};
    add_frame(&bytes, STR("one\n"));
    add_frame(&bytes, STR("torn\n"));
    bytes.len -= 3;
    FILE *file = file_with(buf_str(&bytes));
    struct err err;
    uint64_t cut;
    assert_int_equal(zst_recover(fileno(file), &cut, &err), 0);
    off_t end = lseek(fileno(file), 0, SEEK_END);
    buf_clear(&bytes);
    add_frame(&bytes, STR("two\n"));
    assert_int_equal(pwrite(fileno(file), bytes.data, bytes.len, end), bytes.len);
    char all[200];
    ssize_t len = pread(fileno(file), all, sizeof all, 0);
    assert_decodes((struct str){all, (size_t)len}, STR("one\ntwo\n"));
    fclose(file);
    buf_free(&bytes);
}

static void reports_a_descriptor_that_cannot_be_read(void **state)
{
    (void)state;
    struct err err = {0};
    uint64_t cut;
    assert_int_equal(zst_recover(-1, &cut, &err), -1);
    assert_int_equal(err.kind, ERR_SYSTEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recognises_the_magic_of_frames),
        cmocka_unit_test(recognises_names_by_their_end),
        cmocka_unit_test(gives_back_what_was_compressed_however_it_is_cut),
        cmocka_unit_test(reads_concatenated_skippable_empty_and_foreign_frames),
        cmocka_unit_test(gives_everything_before_a_torn_tail_and_then_reports_it),
        cmocka_unit_test(gives_the_blocks_before_damage),
        cmocka_unit_test(names_the_kind_of_what_it_cannot_decode),
        cmocka_unit_test(decodes_again_after_damage_and_reset),
        cmocka_unit_test(leaves_good_files_alone),
        cmocka_unit_test(cuts_a_frame_torn_at_any_byte),
        cmocka_unit_test(cuts_a_torn_skippable_frame),
        cmocka_unit_test(cuts_what_a_power_cut_leaves),
        cmocka_unit_test(refuses_what_it_must_not_cut),
        cmocka_unit_test(refuses_damage_before_good_frames),
        cmocka_unit_test(refuses_to_cut_a_large_torn_frame_of_another_writer),
        cmocka_unit_test(appends_readable_frames_after_recovery),
        cmocka_unit_test(reports_a_descriptor_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
