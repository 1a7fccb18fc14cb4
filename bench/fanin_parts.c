/*
 * fanin_parts.c: what it costs to bring parts together: fanin_parts DIR|memory PARTS OPEN [keep]
 *
 * PARTS parts of about 200 bytes in groups of ten, of which OPEN groups are filled in turn, are
 * added in commits of COMMIT; what is complete is taken and ended with the next commit. keep: the
 * last part of each group does not come, so that all stay open. One line: parts, how many groups
 * were open, parts a second, kilobytes resident at the most, and of these such as map no file.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "state/fanin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 10, COMMIT = 1000, KEY = 32, ROOM = 16 * 1024 * 1024 };

static const char value[] =
    "{\"id\":1234567,\"type\":\"order\",\"user\":{\"name\":\"somebody\"},\"amount\":"
    "1234,\"city\":\"Oslo\",\"note\":\"as long as events usually are, which is "
    "about two hundred bytes, more or less, with all that is in them\"}";

static struct store *store;
static struct fanin_take take;
static uint64_t complete, emitted;
static unsigned long most_own; /* kilobytes that are no map of a file */

static void die(const char *what)
{
    fprintf(stderr, "fanin_parts: %s\n", what);
    exit(1);
}

static void done(struct store_op *op)
{
    if (op->status != STORE_OK)
        die(op->err ? op->err->text : store_status_name(op->status));
}

static void added(struct store_op *op)
{
    struct fanin_add *add = (struct fanin_add *)(void *)op;
    done(op);
    if (add->verdict != GROUP_TAKEN)
        die("a part was not taken");
    complete += add->closing == GROUP_COUNT;
}

/* A line of /proc/self/status, in kilobytes. */
static unsigned long memory_of(const char *name)
{
    char line[128];
    unsigned long kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, name, strlen(name)) == 0)
            kilobytes = strtoul(line + strlen(name), NULL, 10);
    }
    if (file)
        fclose(file);
    return kilobytes;
}

static void sample(void)
{
    unsigned long own = memory_of("RssAnon:");
    if (own > most_own)
        most_own = own;
}

/* The next commit ends what was taken, and takes what is complete. */
static void take_and_end(void)
{
    static struct fanin_end ends[FANIN_TAKE_MAX];
    for (unsigned i = 0; i < take.got; i++) {
        ends[i] = (struct fanin_end){.token = take.token, .remember = INT64_C(3600000000000)};
        ends[i].own.name = STR("bench");
        ends[i].own.op.done = done;
        ends[i].seq = take.groups[i].seq;
        ends[i].most = 100000;
        fanin_end(store, &ends[i]);
    }
    emitted += take.got;
    fanin_take_clear(&take);
    if (emitted == complete)
        return;
    take = (struct fanin_take){.count = FANIN_TAKE_MAX, .bytes = ROOM};
    take.own.name = STR("bench");
    take.own.op.done = done;
    fanin_take(store, &take);
}

static void add_all(uint64_t count, uint64_t open, bool keep)
{
    static struct fanin_add adds[COMMIT];
    static char keys[COMMIT][KEY];
    for (uint64_t at = 0; at < count; at += COMMIT) {
        size_t batch = count - at < COMMIT ? (size_t)(count - at) : COMMIT;
        for (size_t i = 0; i < batch; i++) {
            uint64_t turn = (at + i) / open, group = turn / PARTS * open + (at + i) % open;
            int len = snprintf(keys[i], KEY, "group-%llu", (unsigned long long)group);
            adds[i] = (struct fanin_add){.group = {keys[i], (size_t)len},
                                         .indexed = true,
                                         .index = turn % PARTS,
                                         .expected = keep ? PARTS + 1 : PARTS,
                                         .value = str_of(value)};
            adds[i].own.name = STR("bench");
            adds[i].own.op.done = added;
            fanin_add(store, &adds[i]);
        }
        take_and_end();
        store_flush(store);
        if (at % (100 * COMMIT) == 0)
            sample();
    }
    sample();
    while (emitted < complete || take.got) {
        take_and_end();
        store_flush(store);
    }
}

int main(int argc, char **argv)
{
    struct err err;
    uint64_t count = argc > 3 ? strtoull(argv[2], NULL, 10) : 0;
    uint64_t open = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    bool keep = argc == 5 && strcmp(argv[4], "keep") == 0;
    if (!count || !open || argc > 5 || (argc == 5 && !keep)) {
        fputs("usage: fanin_parts DIR|memory PARTS OPEN [keep]\n", stderr);
        return 2;
    }
    struct loop *loop = loop_new(&err);
    struct home *home = NULL;
    if (strcmp(argv[1], "memory") == 0) {
        store = store_open_memory(loop, NULL);
    } else {
        home = home_open(argv[1], &err);
        store = home ? store_open(home, loop, &(struct store_settings){0}, &err) : NULL;
    }
    if (!store)
        die(err.text);
    int64_t began = clock_now();
    add_all(count, open, keep);
    double seconds = (double)(clock_now() - began) / 1e9;
    printf("%llu %llu %.0f %lu %lu\n", (unsigned long long)count, (unsigned long long)open,
           (double)count / seconds, memory_of("VmHWM:"), most_own);
    store_free(store);
    home_free(home);
    loop_free(loop);
    return fflush(stdout) == 0 ? 0 : 1;
}
