/* collect.c: what a function prints, gathered until it is known to be a result. */
#include "fn/collect.h"

#include "fn/function.h"
#include "base/num.h"
#include "format/json.h"
#include "sys/dir.h"

#include <errno.h>
#include <unistd.h>

enum { COLLECT_READ = 32 * 1024 }; /* bytes offered to a read */

void collect_init(struct collect *collect, size_t limit, bool text, const char *temp_dir)
{
    *collect = (struct collect){
        .limit = limit, .text = text, .clean = true, .spill = -1, .temp_dir = temp_dir};
}

static void reset(struct collect *collect)
{
    if (collect->spill >= 0)
        close(collect->spill);
    if (collect->bytes.cap > FN_SPILL + 2 * COLLECT_READ)
        buf_free(&collect->bytes);
    collect->bytes.len = collect->checked = collect->searched = collect->total = collect->lines =
        collect->spilled = 0;
    collect->clean = true;
    collect->in_long = false;
    collect->spill = -1;
    collect->bad.kind = ERR_NONE;
}

void collect_free(struct collect *collect)
{
    reset(collect);
    buf_free(&collect->bytes);
}

char *collect_space(struct collect *collect, size_t *room)
{
    buf_reserve(&collect->bytes, COLLECT_READ);
    *room = COLLECT_READ;
    return collect->bytes.data + collect->bytes.len;
}

/* One line without its LF. Is it a result? 1, 0 for a blank one, -1 when it is bad. */
static int check_line(struct collect *collect, struct str line)
{
    if (collect->text) {
        if (str_is_utf8(line))
            return 1;
        err_set(&collect->bad, ERR_INPUT, "result line %zu: not UTF-8", collect->lines + 1);
        return -1;
    }
    struct json_scan scan;
    if (json_scan(line, NULL, NULL, &scan) == 0)
        return 1;
    if (!str_trim(line).len)
        return 0;
    err_set(&collect->bad, ERR_INPUT, "result line %zu: %s at byte %zu%s", collect->lines + 1,
            scan.reason, scan.at + 1,
            scan.at == line.len && !collect->document
                ? " (one JSON value a line: is it pretty-printed?)"
                : "");
    return -1;
}

/* Text lines and lines that are not clean are rewritten; they wait behind the bytes that they came
 * from. */
static void rewrite_line(struct collect *collect, struct buf *out, struct str line)
{
    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    if (collect->text)
        buf_add_json(out, line);
    else
        buf_add_str(out, line);
    buf_addc(out, '\n');
}

/* Check the lines that have become whole. What needs rewriting is rewritten in place. */
static void check_lines(struct collect *collect)
{
    struct buf *bytes = &collect->bytes;
    struct buf rewritten = {0};
    size_t from = collect->checked;
    size_t search = collect->searched > from ? collect->searched : from;
    const char *lf;
    while (search < bytes->len && (lf = memchr(bytes->data + search, '\n', bytes->len - search))) {
        struct str line = {bytes->data + from, (size_t)(lf - bytes->data) - from};
        int kept = check_line(collect, line);
        if (kept < 0)
            break;
        bool as_it_is = kept && !collect->text && !(line.len && line.data[line.len - 1] == '\r');
        if (collect->clean && !as_it_is) {
            buf_add(&rewritten, bytes->data + collect->checked, from - collect->checked);
            collect->clean = false;
        }
        if (kept && !collect->clean)
            rewrite_line(collect, &rewritten, line);
        collect->lines += (size_t)kept;
        search = from += line.len + 1;
    }
    if (collect->clean) {
        collect->checked = from;
        collect->searched = bytes->len;
        return;
    }
    /* The rewritten lines replace their originals; the rest, a line begun, moves behind them. */
    size_t rest = bytes->len - from;
    struct buf tail = {0};
    buf_add(&tail, bytes->data + from, rest);
    bytes->len = collect->checked;
    buf_add_str(bytes, buf_str(&rewritten));
    collect->checked = bytes->len;
    buf_add_str(bytes, buf_str(&tail));
    collect->searched = bytes->len;
    collect->clean = true;
    buf_free(&tail);
    buf_free(&rewritten);
}

/* Move the checked lines, or all bytes of a line that is longer than the memory allowed, to the
 * file. */
static void spill(struct collect *collect, size_t count)
{
    if (collect->spill < 0)
        collect->spill = dir_temp_file(collect->temp_dir, &collect->bad);
    if (collect->spill < 0)
        return;
    if (dir_write(collect->spill, (struct str){collect->bytes.data, count}) < 0) {
        err_sys(&collect->bad, "write a temporary file in %s", collect->temp_dir);
        return;
    }
    collect->spilled += count;
    buf_consume(&collect->bytes, count);
    collect->checked = collect->searched = 0;
}

/* A line that is longer than the memory allowed goes to the file as it comes. */
static void begin_long_line(struct collect *collect)
{
    size_t before = collect->spilled + collect->checked;
    spill(collect, collect->bytes.len);
    collect->in_long = true;
    collect->long_at = before;
}

/* A long line as the file has it is no result as it is: keep only its first bytes, and a LF unless
 * it is blank. */
static void cut_long_line(struct collect *collect, size_t keep)
{
    collect->spilled = collect->long_at + keep;
    if (ftruncate(collect->spill, (off_t)collect->spilled) < 0 ||
        lseek(collect->spill, 0, SEEK_END) < 0 ||
        (keep && dir_write(collect->spill, STR("\n")) < 0))
        err_sys(&collect->bad, "write a temporary file in %s", collect->temp_dir);
    collect->spilled += keep > 0;
}

/* Its end: what has not been spilled of it ends at `end` of the bytes, with its LF. It is checked
 * where it lies. */
static void end_long_line(struct collect *collect, size_t end)
{
    spill(collect, end);
    collect->in_long = false;
    if (collect->bad.kind)
        return;
    struct block *block = block_map(collect->spill, collect->spilled);
    if (!block) {
        err_sys(&collect->bad, "map a temporary file");
        return;
    }
    struct str line = {block->data + collect->long_at, collect->spilled - collect->long_at - 1};
    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    int kept = check_line(collect, line);
    bool as_it_is = kept && collect->long_at + line.len + 1 == collect->spilled;
    block_drop(block);
    if (kept < 0)
        return;
    collect->lines += (size_t)kept;
    if (!as_it_is)
        cut_long_line(collect, kept ? line.len : 0);
}

static void continue_long_line(struct collect *collect)
{
    const char *lf = memchr(collect->bytes.data, '\n', collect->bytes.len);
    if (lf)
        end_long_line(collect, (size_t)(lf - collect->bytes.data) + 1);
    else
        spill(collect, collect->bytes.len);
}

int collect_filled(struct collect *collect, size_t count)
{
    collect->total += count;
    if (collect->total > collect->limit) {
        char limit[NUM_TEXT];
        err_set(&collect->bad, ERR_LIMIT, "a result of more than %s (--max-result)",
                num_format_size(collect->limit, limit));
        return -1;
    }
    if (collect->bad.kind)
        return 0; /* of no interest any more */
    collect->bytes.len += count;
    if (collect->document)
        return 0;
    if (collect->in_long)
        continue_long_line(collect);
    if (!collect->in_long && !collect->bad.kind)
        check_lines(collect);
    if (!collect->bad.kind && collect->checked > FN_SPILL)
        spill(collect, collect->checked);
    if (!collect->bad.kind && !collect->text && collect->bytes.len - collect->checked > FN_SPILL)
        begin_long_line(collect);
    return collect->bad.kind == ERR_SYSTEM ? -1 : 0;
}

/* A last line without LF. */
static int finish_line(struct collect *collect)
{
    if (collect->in_long) {
        buf_addc(&collect->bytes, '\n');
        end_long_line(collect, collect->bytes.len);
    } else if (collect->checked < collect->bytes.len) {
        buf_addc(&collect->bytes, '\n');
        check_lines(collect);
    }
    return collect->bad.kind ? -1 : 0;
}

/* Is it one value? Then it becomes one line. */
static bool join_document(struct collect *collect, struct json_scan *scan)
{
    struct str text = str_trim(buf_str(&collect->bytes));
    struct buf line = {0};
    if (!text.len)
        collect->bytes.len = 0;
    if (!text.len || json_scan(text, NULL, NULL, scan) < 0)
        return !text.len;
    if (memchr(text.data, '\n', text.len) || memchr(text.data, '\r', text.len))
        json_compact(text, &line);
    else
        buf_add_str(&line, text);
    buf_addc(&line, '\n');
    buf_free(&collect->bytes);
    collect->bytes = line;
    collect->checked = line.len;
    collect->lines = 1;
    return true;
}

/* It may still be several values, a line each; if the first is none, the whole was meant. */
static int finish_document(struct collect *collect)
{
    struct json_scan scan = {0};
    if (join_document(collect, &scan) || finish_line(collect) == 0)
        return 0;
    if (!collect->lines)
        err_set(&collect->bad, ERR_INPUT, "the result is not JSON: %s at byte %zu", scan.reason,
                scan.at + 1);
    return -1;
}

int collect_finish(struct collect *collect, struct slice *lines, size_t *count, struct err *err)
{
    int status = collect->bad.kind   ? -1
                 : collect->document ? finish_document(collect)
                                     : finish_line(collect);
    *lines = (struct slice){0};
    *count = 0;
    if (status == 0 && collect->spill >= 0)
        spill(collect, collect->bytes.len);
    if (status == 0 && collect->spill >= 0 && (collect->spilled || collect->bad.kind)) {
        struct block *block =
            collect->bad.kind ? NULL : block_map(collect->spill, collect->spilled);
        if (block)
            *lines = (struct slice){block, block->data, block->len};
        else if (!collect->bad.kind)
            err_sys(&collect->bad, "map a temporary file");
        status = block ? 0 : -1;
    } else if (status == 0 && collect->bytes.len) {
        *lines = slice_dup(buf_str(&collect->bytes));
    }
    if (status == 0)
        *count = collect->lines;
    if (status < 0)
        *err = collect->bad;
    reset(collect);
    return status;
}

struct failure *collect_failure(const struct err *err)
{
    enum failure_reason reason = err->kind == ERR_SYSTEM ? FAILURE_WRITE : FAILURE_BAD_RESULT;
    enum failure_class class = err->kind == ERR_LIMIT ? FAILURE_PERMANENT : FAILURE_ORDINARY;
    return failure_new(reason, class, "%s", err->text);
}

struct str collect_error_object(struct collect *collect)
{
    struct str none = {0};
    if (collect->spill >= 0 || collect->total > FN_SPILL || finish_line(collect) < 0 ||
        collect->lines != 1)
        return none;
    struct str object = str_trim(buf_str(&collect->bytes));
    if (json_type_of(object) != JSON_OBJECT)
        return none;
    struct json_iter iter;
    bool type = false, message = false;
    for (json_iter_init(&iter, object); json_iter_next(&iter);) {
        type = type || str_eq(iter.key, STR("\"errorType\""));
        message = message || str_eq(iter.key, STR("\"errorMessage\""));
    }
    return type && message ? object : none;
}

int collect_spill(struct str bytes, const char *temp_dir, struct slice *lines, struct err *err)
{
    int fd = dir_temp_file(temp_dir, err);
    if (fd < 0)
        return -1;
    struct block *block = dir_write(fd, bytes) == 0 ? block_map(fd, bytes.len) : NULL;
    if (block)
        *lines = (struct slice){block, block->data, block->len};
    else
        err_sys(err, "write a temporary file in %s", temp_dir);
    close(fd);
    return block ? 0 : -1;
}
