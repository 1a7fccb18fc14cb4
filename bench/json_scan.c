/*
 * json_scan.c: how fast the scanner is: json_scan FILE.ndjson [PATH...]
 *
 * Scans the file's lines in memory again and again and prints, for validation alone and for
 * extraction of the paths, the median and the best round: MB/s (10^6 bytes) and events a second.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "format/json_index.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 101, ROUND_BYTES = 8 * 1000 * 1000 }; /* short, so that some are undisturbed */

struct lines {
    struct str *line;
    size_t count;
    size_t bytes;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "json_scan: %s: %s\n", what, why);
    exit(1);
}

static void read_file(const char *name, struct buf *out)
{
    FILE *file = fopen(name, "rb");
    if (!file)
        die(name, "cannot be opened");
    size_t got = 1;
    while (got) {
        buf_reserve(out, BUFSIZ);
        got = fread(out->data + out->len, 1, out->cap - out->len, file);
        out->len += got;
    }
    if (ferror(file))
        die(name, "cannot be read");
    fclose(file);
}

static struct lines split(struct str text)
{
    struct lines lines = {0};
    for (size_t i = 0; i < text.len; i++)
        lines.count += text.data[i] == '\n';
    lines.line = mem_array(lines.count + 1, sizeof *lines.line);
    lines.count = 0;
    while (text.len) {
        const char *stop = memchr(text.data, '\n', text.len);
        size_t len = stop ? (size_t)(stop - text.data) : text.len;
        if (len)
            lines.line[lines.count++] = (struct str){text.data, len};
        lines.bytes += len;
        text.data += len + (stop != NULL);
        text.len -= len + (stop != NULL);
    }
    return lines;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Seconds for one pass over the lines: median and best of the rounds. */
static void measure(const struct lines *lines, const struct json_paths *paths,
                    enum json_level level, double *median, double *best)
{
    struct json_value *values = mem_array(JSON_MAX_NODES, sizeof *values);
    size_t passes = ROUND_BYTES / lines->bytes + 1;
    double rounds[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = clock_now();
        for (size_t pass = 0; pass < passes; pass++) {
            for (size_t i = 0; i < lines->count; i++) {
                struct json_scan scan;
                if (json_scan_at_level(lines->line[i], paths, values, &scan, level) != 0)
                    die("malformed line", scan.reason);
            }
        }
        rounds[round] = (double)(clock_now() - start) / 1e9 / (double)passes;
    }
    qsort(rounds, ROUNDS, sizeof *rounds, by_size);
    *median = rounds[ROUNDS / 2];
    *best = rounds[0];
    free(values);
}

static void report(const char *what, const struct lines *lines, const struct json_paths *paths)
{
    static const char *const names[] = {"plain", "sse2", "avx512"};
    for (enum json_level level = json_level_best() + 1; level-- > JSON_PLAIN;) {
        double median, best;
        measure(lines, paths, level, &median, &best);
        printf("%-8s %-6s %7.0f MB/s %7.2f M events/s   best %7.0f MB/s\n", what, names[level],
               (double)lines->bytes / 1e6 / median, (double)lines->count / 1e6 / median,
               (double)lines->bytes / 1e6 / best);
    }
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: json_scan FILE.ndjson [PATH...]\n");
        return 2;
    }
    struct buf text = {0};
    read_file(argv[1], &text);
    struct lines lines = split(buf_str(&text));
    if (!lines.count)
        die(argv[1], "no lines");
    struct json_paths *paths = json_paths_new();
    for (int i = 2; i < argc; i++) {
        struct err err;
        int node;
        size_t used;
        if (json_paths_parse(paths, str_of(argv[i]), &node, &used, &err) != 0)
            die(argv[i], err.text);
        if (argv[i][used])
            die(argv[i], "not a path");
    }
    report("validate", &lines, NULL);
    if (argc > 2)
        report("extract", &lines, paths);
    json_paths_free(paths);
    free(lines.line);
    buf_free(&text);
    return fflush(stdout) == 0 ? 0 : 1;
}
