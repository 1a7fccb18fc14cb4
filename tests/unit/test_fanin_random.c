/* test_fanin_random.c: state/fanin.h against a naive model: parts, times, processes that are killed
 * while they hold groups, writes that fail, restarts. */
#include "fanin_world.h"

#include "base/rng.h"

enum {
    KEYS = 8,
    PLACES = 6,
    IDS = 4,
    PARTS = PLACES + 2 * IDS,
    GROUPS = 20000,
    PROCESSES = 3,
    HOLDS = 64,
    STEPS = 3000,
    SEEDS = 20,
    ENOUGH = 4, /* values that make the predicate true */
    LONG = 450, /* bytes of a key that is hashed */
};

enum place { OPEN, READY, HELD, REMEMBERED, GONE };

struct part {
    uint64_t index;
    int id;         /* or -1 */
    unsigned value; /* 0: none */
    bool failed;
};

struct group_model {
    enum place place;
    unsigned key;
    struct part parts[PARTS];
    unsigned count;
    uint64_t expected;
    int64_t first_at, last_at, until;
    enum group_closing closing;
    uint64_t order, token;
};

struct hold_model {
    uint64_t token;
    unsigned process; /* PROCESSES: none */
    char notes[240], note[16];
};

static struct group_model *groups; /* by seq, from 1 */
static uint64_t group_count, orders, next_value, next_note;
static uint64_t current[KEYS]; /* the group that a key stands for; 0: none */
static struct hold_model holds[HOLDS];
static struct process processes[PROCESSES];
static bool is_dead[PROCESSES];
static struct group_rules rules;
static bool renews;
static int64_t remember;
static uint64_t most;

static const char *key_of(unsigned key, char text[LONG + 1])
{
    memset(text, 'k', LONG);
    text[key % 2 ? LONG : 3] = '\0'; /* each second one is too long to stand in a key */
    text[0] = (char)('a' + key);
    return text;
}

/* ---- what groups are ---- */

static uint64_t span_of(const struct group_model *group)
{
    uint64_t span = 0;
    for (unsigned i = 0; i < group->count; i++)
        span = group->parts[i].index >= span ? group->parts[i].index + 1 : span;
    return span;
}

static bool has(const struct group_model *group, const struct fanin_add *add, int id)
{
    for (unsigned i = 0; i < group->count; i++) {
        const struct part *part = &group->parts[i];
        if (add->indexed ? part->index == add->index : id >= 0 && part->id == id)
            return true;
    }
    return false;
}

static unsigned values_of(const struct group_model *group)
{
    unsigned count = 0;
    for (unsigned i = 0; i < group->count; i++)
        count += group->parts[i].value && !group->parts[i].failed;
    return count;
}

static void close_group(struct group_model *group, enum group_closing closing)
{
    group->place = READY;
    group->closing = closing;
    group->order = ++orders;
}

/* When its time is over, and why. */
static int64_t due_of(const struct group_model *group, enum group_closing *closing)
{
    int64_t due = INT64_MAX;
    if (rules.within) {
        due = group->first_at + rules.within;
        *closing = GROUP_WITHIN;
    }
    if (rules.idle && group->last_at + rules.idle <= due) {
        due = group->last_at + rules.idle;
        *closing = GROUP_IDLE;
    }
    return due;
}

/* ---- adding ---- */

static int has_enough(void *owner, struct str array)
{
    unsigned values = array.len > 2;
    (void)owner;
    for (size_t i = 0; i < array.len; i++)
        values += array.data[i] == ',';
    return values >= ENOUGH;
}

static enum group_verdict judge_model(const struct group_model *group, const struct fanin_add *add,
                                      int id)
{
    uint64_t expected = group->expected ? group->expected : add->expected;
    uint64_t place = add->indexed ? add->index : span_of(group);
    bool open = group->place == OPEN;
    if (group->expected && add->expected && group->expected != add->expected)
        return GROUP_WRONG;
    if (expected && open && (place >= expected || span_of(group) > expected))
        return GROUP_WRONG;
    if (expected && !open && add->indexed && place >= expected)
        return GROUP_WRONG;
    /* of those that are over only the count is known, of the others also their places */
    if (expected && !open && add->indexed && group->place != REMEMBERED &&
        span_of(group) > expected)
        return GROUP_WRONG;
    if (has(group, add, id))
        return GROUP_DUPLICATE;
    return open ? GROUP_TAKEN : GROUP_LATE;
}

static void take_part(struct group_model *group, const struct fanin_add *add, int id)
{
    uint64_t index = add->indexed ? add->index : span_of(group);
    struct part *part = &group->parts[group->count++];
    *part = (struct part){.index = index, .id = add->indexed ? -1 : id, .failed = add->failed};
    if (add->value.data)
        part->value = (unsigned)next_value;
    if (add->expected)
        group->expected = add->expected;
    if (group->count == 1)
        group->first_at = wall;
    group->last_at = wall;
    uint64_t needed = rules.count ? rules.count : group->expected;
    if (needed && group->count >= needed)
        close_group(group, GROUP_COUNT);
    else if (rules.until && values_of(group) >= ENOUGH)
        close_group(group, GROUP_UNTIL);
}

/* What the model makes of the part. */
static enum group_verdict add_model(unsigned key, const struct fanin_add *add, int id,
                                    enum group_closing *closing)
{
    struct group_model *group = &groups[current[key]];
    if (current[key] && group->place == REMEMBERED && group->until <= wall) {
        group->place = GONE;
        current[key] = 0;
    }
    if (current[key] && group->place == OPEN && due_of(group, closing) <= wall)
        close_group(group, *closing);
    bool begins = !current[key] || (renews && (group->place == READY || group->place == HELD));
    struct group_model fresh = {.key = key};
    if (begins)
        group = &fresh;
    *closing = group->place == OPEN ? GROUP_OPEN : group->closing;
    enum group_verdict verdict = judge_model(group, add, id);
    if (verdict != GROUP_TAKEN)
        return verdict;
    if (begins) {
        assert_in_range(group_count, 0, GROUPS - 2);
        current[key] = ++group_count;
        group = &groups[group_count];
        *group = fresh;
    }
    take_part(group, add, id);
    *closing = group->place == OPEN ? GROUP_OPEN : group->closing;
    return verdict;
}

static void add_random(struct rng *rng)
{
    char text[LONG + 1], value[24], id_text[2] = "0";
    unsigned key = (unsigned)rng_below(rng, KEYS);
    struct fanin_add add = {.rules = rules, .renews = renews, .until = has_enough};
    int id = rng_below(rng, 4) ? (int)rng_below(rng, IDS) : -1;
    enum group_closing closing = GROUP_OPEN;
    add.indexed = rng_below(rng, 3);
    add.index = rng_below(rng, PLACES);
    add.expected = rng_below(rng, 3) ? 0 : 4 + (rng_below(rng, 10) == 0);
    add.failed = rng_below(rng, 8) == 0;
    id_text[0] = (char)('0' + id);
    if (id >= 0)
        add.id = str_of(id_text);
    add.group = str_of(key_of(key, text));
    snprintf(value, sizeof value, "%llu", (unsigned long long)++next_value);
    if (rng_below(rng, 8))
        add.value = str_of(value);
    if (groups[current[key]].count >= PARTS - 1)
        return;
    SUBMIT(fanin_add, &add);
    enum group_verdict verdict = add_model(key, &add, add.indexed ? -1 : id, &closing);
    assert_int_equal(add.verdict, verdict);
    assert_int_equal(add.closing, closing);
}

/* ---- taking ---- */

static void sweep_model(bool at_eof)
{
    for (;;) { /* the earliest first; of the same time the oldest group */
        enum group_closing closing = GROUP_OPEN, first_closing = GROUP_OPEN;
        struct group_model *first = NULL;
        int64_t first_due = wall;
        for (uint64_t i = 1; i <= group_count; i++) {
            int64_t due = groups[i].place == OPEN ? due_of(&groups[i], &closing) : INT64_MAX;
            if (due > wall || (first && due >= first_due))
                continue;
            first = &groups[i];
            first_due = due;
            first_closing = closing;
        }
        if (!first)
            break;
        close_group(first, first_closing);
    }
    for (uint64_t i = 1; i <= group_count; i++) {
        struct group_model *group = &groups[i];
        if (at_eof && group->place == OPEN)
            close_group(group, GROUP_AT_EOF);
        if (group->place != REMEMBERED || group->until > wall)
            continue;
        group->place = GONE;
        current[group->key] = current[group->key] == i ? 0 : current[group->key];
    }
}

static struct hold_model *hold_of(uint64_t token)
{
    for (unsigned i = 0; i < HOLDS; i++) {
        if (holds[i].token == token)
            return &holds[i];
    }
    return NULL;
}

/* The first that is to be taken: of that token, or of those that are ready. 0: none. */
static uint64_t first_of(enum place place, uint64_t token)
{
    uint64_t first = 0;
    for (uint64_t i = 1; i <= group_count; i++) {
        if (groups[i].place == place && (place == READY || groups[i].token == token) &&
            (!first || groups[i].order < groups[first].order))
            first = i;
    }
    return first;
}

static struct hold_model *dead_hold(void)
{
    struct hold_model *dead = NULL;
    for (unsigned i = 0; i < HOLDS; i++) {
        if (holds[i].token && holds[i].process < PROCESSES && is_dead[holds[i].process] &&
            (!dead || holds[i].token < dead->token))
            dead = &holds[i];
    }
    return dead;
}

static void check_group(const struct fanin_group *got, uint64_t seq, const char *notes)
{
    char text[LONG + 1];
    struct group_model *group = &groups[seq];
    uint64_t index = 0;
    assert_int_equal(got->seq, seq);
    assert_true(str_eq(got->key, str_of(key_of(group->key, text))));
    assert_int_equal(got->group.parts, group->count);
    assert_int_equal(got->group.closing, group->closing);
    assert_int_equal(got->group.expected, group->expected);
    assert_int_equal(got->group.first_at, group->first_at);
    assert_true(str_eq(got->note, str_of(notes)));
    for (unsigned i = 0; i < group->count; i++, index++) {
        const struct part *part = NULL;
        while (!part) { /* of the next place */
            for (unsigned j = 0; j < group->count && !part; j++)
                part = group->parts[j].index == index ? &group->parts[j] : NULL;
            index += !part;
        }
        char value[24];
        snprintf(value, sizeof value, "%u", part->value);
        assert_int_equal(got->parts[i].index, index);
        assert_int_equal(got->parts[i].failed, part->failed);
        if (part->value)
            assert_true(str_eq(got->parts[i].value, str_of(value)));
        else
            assert_null(got->parts[i].value.data);
    }
}

static void check_held(const struct fanin_take *take, unsigned process)
{
    uint64_t held = 0;
    size_t holders = 0;
    for (unsigned i = 0; i < PROCESSES; i++) {
        bool holds_some = false, is_named = false;
        for (unsigned j = 0; j < HOLDS; j++)
            holds_some = holds_some || (holds[j].token && holds[j].process == i);
        for (size_t j = 0; j < take->holder_count; j++)
            is_named = is_named || take->holders[j] == processes[i].holder;
        assert_int_equal(is_named, holds_some && i != process && !is_dead[i]);
        holders += is_named;
    }
    assert_int_equal(take->holder_count, holders);
    for (uint64_t i = 1; i <= group_count; i++) {
        if (groups[i].place != HELD || groups[i].token == take->token)
            continue;
        unsigned holder = hold_of(groups[i].token)->process;
        held += holder != process && (holder == PROCESSES || !is_dead[holder]);
    }
    assert_int_equal(take->held, held);
}

/* One of the processes takes; or nobody in particular. */
static void take_random(struct rng *rng)
{
    struct hold_model *hold = hold_of(0), *dead = dead_hold();
    unsigned process = (unsigned)rng_below(rng, PROCESSES + 1);
    struct fanin_take take = {
        .count = (unsigned)rng_below(rng, 5), .bytes = 1 << 20, .at_eof = rng_below(rng, 40) == 0};
    char note[16], notes[256] = "";
    if (!hold || (process < PROCESSES && is_dead[process]))
        return;
    snprintf(note, sizeof note, "%llu", (unsigned long long)++next_note);
    take.note = str_of(note);
    take.holder = process < PROCESSES ? processes[process].holder : 0;
    SUBMIT(fanin_take, &take);
    sweep_model(take.at_eof);
    if (dead && take.count)
        snprintf(notes, sizeof notes, "%s%s%s", dead->notes, dead->notes[0] ? "\n" : "",
                 dead->note);
    for (unsigned i = 0; i < take.count || (dead && take.count); i++) {
        uint64_t seq = dead ? first_of(HELD, dead->token) : first_of(READY, 0);
        if (!seq)
            break;
        assert_in_range(i + 1, 1, take.got);
        check_group(&take.groups[i], seq, dead ? notes : NULL);
        groups[seq].place = HELD;
        groups[seq].token = take.token;
    }
    if (dead && take.count)
        dead->token = 0;
    if (take.got) {
        assert_int_equal(groups[take.groups[take.got - 1].seq].token, take.token);
        *hold = (struct hold_model){.token = take.token, .process = process};
        memcpy(hold->notes, notes, sizeof notes);
        memcpy(hold->note, note, sizeof note);
    }
    assert_int_equal(take.more, first_of(READY, 0) || dead_hold());
    check_held(&take, process);
    int64_t next = INT64_MAX;
    enum group_closing closing;
    for (uint64_t i = 1; i <= group_count; i++) {
        if (groups[i].place == OPEN && due_of(&groups[i], &closing) < next)
            next = due_of(&groups[i], &closing);
    }
    assert_int_equal(take.next_due > 0, next < INT64_MAX);
    assert_true(!take.next_due || (take.next_due <= next && take.next_due > wall));
    fanin_take_clear(&take);
}

/* ---- ending ---- */

static void forget_oldest(void)
{
    for (int i = 0; i < 2; i++) {
        uint64_t oldest = 0, count = 0;
        for (uint64_t j = 1; j <= group_count; j++) {
            if (groups[j].place != REMEMBERED)
                continue;
            count++;
            if (!oldest || groups[j].until < groups[oldest].until)
                oldest = j;
        }
        if (!oldest || (groups[oldest].until > wall && !(most && count > most)))
            return;
        groups[oldest].place = GONE;
        if (current[groups[oldest].key] == oldest)
            current[groups[oldest].key] = 0;
    }
}

static void end_model(uint64_t seq, const struct fanin_end *end)
{
    struct group_model *group = &groups[seq];
    struct hold_model *hold = hold_of(group->token);
    uint64_t token = group->token;
    bool is_current = current[group->key] == seq;
    if (end->given_back) {
        group->place = READY;
    } else {
        group->place = is_current && end->remember ? REMEMBERED : GONE;
        group->until = wall + end->remember;
        if (is_current && !end->remember)
            current[group->key] = 0;
        forget_oldest();
    }
    if (end->note.data)
        snprintf(hold->note, sizeof hold->note, "%.*s", (int)end->note.len, end->note.data);
    if (!first_of(HELD, token))
        hold->token = 0;
}

static void end_random(struct rng *rng)
{
    char note[16];
    uint64_t seq = 0, seen = 0;
    for (uint64_t i = 1; i <= group_count; i++) {
        if (groups[i].place == HELD && rng_below(rng, ++seen) == 0)
            seq = i;
    }
    if (!seq)
        return;
    struct fanin_end end = {.token = groups[seq].token,
                            .seq = seq,
                            .given_back = rng_below(rng, 5) == 0,
                            .remember = rng_below(rng, 4) ? remember : 0,
                            .most = most};
    snprintf(note, sizeof note, "%llu", (unsigned long long)++next_note);
    if (rng_below(rng, 3) == 0)
        end.note = str_of(note);
    struct fanin_end other = {.token = end.token + 1000000, .seq = seq};
    SUBMIT(fanin_end, &other);
    assert_int_equal(other.own.op.status, STORE_LOST);
    SUBMIT(fanin_end, &end);
    assert_int_equal(end.own.op.status, STORE_OK);
    end_model(seq, &end);
    SUBMIT(fanin_end, &end);
    assert_int_equal(end.own.op.status, STORE_LOST);
}

/* ---- what goes wrong ---- */

static void kill_random(struct rng *rng)
{
    unsigned process = (unsigned)rng_below(rng, PROCESSES);
    if (!is_dead[process])
        process_kill(&processes[process]);
    is_dead[process] = true;
}

/* A new process in the place of a dead one, of which nothing is left. */
static void replace_dead(void)
{
    for (unsigned i = 0; i < PROCESSES; i++) {
        bool holds_some = false;
        for (unsigned j = 0; j < HOLDS; j++)
            holds_some = holds_some || (holds[j].token && holds[j].process == i);
        if (!is_dead[i] || holds_some)
            continue;
        processes[i] = process_begin();
        is_dead[i] = false;
    }
}

/* A group commit of everything, which fails at one of its writes or at the end: nothing has
 * happened. */
static void fail_random(struct rng *rng)
{
    char text[LONG + 1];
    struct fanin_add add = {.rules = rules, .value = STR("1"), .until = has_enough};
    struct fanin_take take = {.count = 9, .bytes = 1 << 20};
    struct fanin_end end = {.remember = remember};
    struct fanin_op *ops[] = {&end.own, &add.own, &take.own};
    bool done[3] = {0};
    for (uint64_t i = 1; i <= group_count; i++) {
        if (groups[i].place == HELD) {
            end.token = groups[i].token;
            end.seq = i;
        }
    }
    add.group = str_of(key_of((unsigned)rng_below(rng, KEYS), text));
    for (int i = 0; i < 3; i++) {
        ops[i]->name = STR("parts");
        ops[i]->op.done = ended;
        ops[i]->op.owner = &done[i];
    }
    writes_left = (unsigned)rng_below(rng, 20);
    commits_fail = may_fail = true;
    fanin_end(store, &end);
    fanin_add(store, &add);
    fanin_take(store, &take);
    store_flush(store);
    writes_left = 0;
    commits_fail = may_fail = false;
    for (int i = 0; i < 3; i++) {
        assert_true(done[i]);
        assert_int_equal(ops[i]->op.status, STORE_NOT_APPLIED);
    }
    fanin_take_clear(&take);
}

static void check_facts(void)
{
    struct fanin_show show = facts();
    uint64_t places[GONE + 1] = {0}, parts = 0;
    for (uint64_t i = 1; i <= group_count; i++) {
        places[groups[i].place]++;
        parts += groups[i].place == OPEN ? groups[i].count : 0;
    }
    if (show.own.op.status == STORE_ABSENT)
        assert_int_equal(group_count, 0);
    assert_int_equal(show.open, places[OPEN]);
    assert_int_equal(show.parts, parts);
    assert_int_equal(show.closed, places[READY] + places[HELD]);
    assert_int_equal(show.remembered, places[REMEMBERED]);
}

/* ---- all together ---- */

static void begin_run(struct rng *rng)
{
    rules = (struct group_rules){.count = rng_below(rng, 3) ? 0 : 3,
                                 .until = rng_below(rng, 3) == 0,
                                 .idle = rng_below(rng, 2) ? 0 : 5 * SECOND,
                                 .within = rng_below(rng, 2) ? 0 : 12 * SECOND};
    renews = rng_below(rng, 3) == 0;
    remember = rng_below(rng, 4) ? 30 * SECOND : 0;
    most = rng_below(rng, 2) ? 0 : 3;
    group_count = orders = 0;
    memset(groups, 0, GROUPS * sizeof *groups);
    memset(current, 0, sizeof current);
    memset(holds, 0, sizeof holds);
    for (unsigned i = 0; i < PROCESSES; i++) {
        processes[i] = process_begin();
        is_dead[i] = false;
    }
}

static void step(struct rng *rng)
{
    uint64_t dice = rng_below(rng, 100);
    if (dice < 50) {
        add_random(rng);
    } else if (dice < 65) {
        take_random(rng);
    } else if (dice < 85) {
        end_random(rng);
    } else if (dice < 95) {
        advance((int64_t)rng_below(rng, 4) * SECOND / 2);
    } else if (dice < 97) {
        kill_random(rng);
        replace_dead();
    } else if (dice < 99) {
        fail_random(rng);
    } else if (!in_memory) {
        close_store();
        open_store();
    }
}

static void behaves_like_its_model(void **state)
{
    struct rng rng;
    (void)state;
    groups = mem_array(GROUPS, sizeof *groups);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        rng_seed(&rng, seed + (in_memory ? 100 : 0));
        begin_run(&rng);
        for (int i = 0; i < STEPS; i++) {
            step(&rng);
            check_facts();
        }
        for (unsigned i = 0; i < PROCESSES; i++) {
            if (!is_dead[i])
                process_kill(&processes[i]);
        }
        if (seed < SEEDS) { /* an empty store for the next one */
            void *next = NULL;
            teardown(&next);
            set_up(in_memory);
        }
    }
    free(groups);
}

/* ---- processes that are killed in the middle of it ---- */

enum {
    WORKERS = 3,
    SHARED = 400,
    OF_EACH = 5,
    SHARED_PARTS = SHARED * OF_EACH,
    CHUNK = 25,
    KILLS = 60
};

/* Add a chunk of the parts, from there on; those that others have added are duplicates. */
static void add_chunk(uint64_t from)
{
    static struct fanin_add adds[CHUNK];
    static char keys[CHUNK][16];
    bool done[CHUNK] = {0};
    for (uint64_t i = 0; i < CHUNK; i++) {
        uint64_t part = (from + i) * 7919 % SHARED_PARTS;
        snprintf(keys[i], sizeof keys[i], "%u", (unsigned)(part % SHARED));
        adds[i] = (struct fanin_add){.own.name = STR("parts"), .own.op.done = ended};
        adds[i].own.op.owner = &done[i];
        adds[i].group = adds[i].value = str_of(keys[i]);
        adds[i].indexed = true;
        adds[i].index = part / SHARED;
        adds[i].expected = OF_EACH;
        fanin_add(store, &adds[i]);
    }
    store_flush(store);
    for (int i = 0; i < CHUNK; i++) {
        if (!done[i] || (adds[i].verdict != GROUP_TAKEN && adds[i].verdict != GROUP_DUPLICATE))
            fail_msg("a part was not taken");
    }
}

/* Take some, end them, and tell which ones. */
static void end_some(int log)
{
    struct fanin_take take = take_with((struct fanin_take){.count = 4, .holder = cell_self()});
    for (unsigned i = 0; i < take.got; i++) {
        char text[16];
        uint64_t group;
        snprintf(text, sizeof text, "%.*s", (int)take.groups[i].key.len, take.groups[i].key.data);
        group = strtoull(text, NULL, 10);
        for (uint64_t j = 0; j < OF_EACH; j++) {
            if (take.groups[i].group.parts != OF_EACH || take.groups[i].parts[j].index != j ||
                !str_eq(take.groups[i].parts[j].value, take.groups[i].key))
                fail_msg("a group is not whole");
        }
        struct fanin_end end = {.remember = 3600 * SECOND};
        if (end_with(&take, i, end) == STORE_OK && write(log, &group, sizeof group) < 0)
            _exit(1);
    }
    fanin_take_clear(&take);
}

/* Until every group has been ended by somebody. */
static pid_t begin_worker(const int log[2], uint64_t from)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(log[0]);
    open_store();
    do {
        add_chunk(from += CHUNK);
        end_some(log[1]);
    } while (facts().remembered < SHARED);
    _exit(0);
}

static void ends_each_group_once_while_processes_are_killed(void **state)
{
    unsigned ends[SHARED] = {0}, told = 0, kills = 0;
    pid_t workers[WORKERS];
    struct rng rng;
    uint64_t group;
    int log[2];
    (void)state;
    close_store(); /* before a fork: LMDB is for one process each */
    clock_invent(NULL, NULL);
    rng_seed(&rng, 3);
    assert_int_equal(pipe(log), 0);
    for (int i = 0; i < WORKERS; i++)
        workers[i] = begin_worker(log, rng_below(&rng, SHARED_PARTS));
    while (kills < KILLS && read(log[0], &group, sizeof group) == sizeof group) {
        assert_in_range(++ends[group], 1, 1);
        if (++told % 4)
            continue;
        unsigned which = (unsigned)rng_below(&rng, WORKERS);
        kill(workers[which], SIGKILL);
        waitpid(workers[which], NULL, 0);
        workers[which] = begin_worker(log, rng_below(&rng, SHARED_PARTS));
        kills++;
    }
    close(log[1]);
    while (read(log[0], &group, sizeof group) == sizeof group) {
        assert_in_range(++ends[group], 1, 1);
        told++;
    }
    close(log[0]);
    for (int i = 0; i < WORKERS; i++) {
        int status;
        waitpid(workers[i], &status, 0);
        assert_int_equal(status, 0);
    }
    open_store();
    struct fanin_show show = facts();
    assert_int_equal(show.remembered, SHARED);
    assert_int_equal(show.open + show.parts + show.closed, 0);
    assert_int_equal(kills, KILLS);
    assert_in_range(told, SHARED - KILLS, SHARED); /* who was killed could not always tell */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(behaves_like_its_model),
        ON_DISK(ends_each_group_once_while_processes_are_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
