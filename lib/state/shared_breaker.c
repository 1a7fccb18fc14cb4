/* shared_breaker.c: a circuit breaker shared by name between processes. */
#include "state/shared_breaker.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"

#include <stdlib.h>

/* A process looks for dead probers at most so often: a denial must stay cheap. */
#define REAP_PAUSE (NUM_SECOND / 100)

/* What lies in the cell. */
struct board {
    uint64_t word; /* generation and state, for those who only look */
    struct breaker_settings settings;
    struct breaker breaker;
};

enum { STATE_BITS = 3 };

struct shared_breaker {
    struct cell *cell;
    struct breaker_choice choice; /* of who opened it: also for one that has to be made anew */
    bool reaped;                  /* this process, at: */
    int64_t reaped_at;
};

static void publish(struct board *board)
{
    uint64_t word = board->breaker.generation << STATE_BITS | board->breaker.state;
    if (board->word != word)
        __atomic_store_n(&board->word, word, __ATOMIC_RELEASE);
}

/* ---- the cell ---- */

static void choose(struct board *board, const struct shared_breaker *shared)
{
    if (!breaker_settings_are_good(&board->settings)) /* new, or torn by a power cut */
        board->settings = breaker_defaults;
    breaker_settings_lay(&board->settings, &shared->choice);
}

static void init(void *payload, const void *context)
{
    struct board *board = payload;
    const struct shared_breaker *shared = context;
    choose(board, shared);
    breaker_init(&board->breaker, &board->settings, clock_now());
    publish(board);
}

/*
 * The state is kept; the counts that belong to it may be half written, and begin anew. This is a
 * transition, so that calls under way do not count.
 */
static void begin_anew(struct board *board, const struct shared_breaker *shared)
{
    struct breaker *breaker = &board->breaker;
    uint64_t generation = breaker->generation;
    choose(board, shared);
    if (breaker->state > BREAKER_DISABLED) {
        breaker_init(breaker, &board->settings, clock_now());
        breaker->generation = generation + 1;
    } else {
        if (breaker->state == BREAKER_OPEN && breaker->openings)
            breaker->openings--; /* it is the same opening */
        breaker_set(breaker, &board->settings, (enum breaker_state)breaker->state, clock_now());
    }
    publish(board);
}

static void repair(void *payload, const void *context)
{
    begin_anew(payload, context);
}

/* What was open stays so, measured anew. Of a power cut a window may be torn: it is forgotten, and
 * so are the probes, whose holders are gone. */
static void rebase(void *payload, const void *context)
{
    struct board *board = payload;
    const struct shared_breaker *shared = context;
    if (board->breaker.state != BREAKER_OPEN) {
        begin_anew(board, shared);
        return;
    }
    choose(board, shared);
    breaker_rebase(&board->breaker, &board->settings, clock_now());
}

static const struct cell_kind breaker_kind = {
    .name = "breaker",
    .layout = 2,
    .size = sizeof(struct board),
    .init = init,
    .rebase = rebase,
    .repair = repair,
};

static void write_choice(struct shared_breaker *shared)
{
    struct board *board = cell_lock(shared->cell);
    breaker_settings_lay(&board->settings, &shared->choice);
    breaker_fit(&board->breaker, &board->settings, clock_now());
    publish(board);
    cell_unlock(shared->cell);
}

struct shared_breaker *shared_breaker_open(struct home *home, struct str name,
                                           const struct breaker_choice *choice, bool *reset,
                                           struct err *err)
{
    struct shared_breaker *shared = mem_zalloc(sizeof *shared);
    if (choice)
        shared->choice = *choice;
    shared->cell = cell_open(home, &breaker_kind, name, shared, reset, err);
    if (!shared->cell) {
        free(shared);
        return NULL;
    }
    if (shared->choice.chosen)
        write_choice(shared);
    return shared;
}

void shared_breaker_free(struct shared_breaker *shared)
{
    if (!shared)
        return;
    cell_free(shared->cell);
    free(shared);
}

/* ---- use ---- */

/* Neighbours often have one holder: it is looked for once. */
struct look {
    uint64_t holder;
    bool gone;
};

static bool is_gone(void *context, uint64_t holder)
{
    struct look *last = context;
    if (last->holder != holder)
        *last = (struct look){holder, cell_holder_gone(holder)};
    return last->gone;
}

/* Give back the probes of dead processes; true if there were any. */
static bool reap(struct shared_breaker *shared, struct board *board, int64_t now)
{
    struct look last = {0};
    if (board->breaker.state != BREAKER_HALF_OPEN)
        return false;
    if (shared->reaped && now >= shared->reaped_at && now - shared->reaped_at < REAP_PAUSE)
        return false;
    shared->reaped = true;
    shared->reaped_at = now;
    return breaker_reap(&board->breaker, is_gone, &last) > 0;
}

/* Closed or disabled it admits without the lock. */
static bool admit_at_a_look(struct shared_breaker *shared, struct breaker_ticket *ticket)
{
    const struct board *board = cell_peek(shared->cell);
    uint64_t word = __atomic_load_n(&board->word, __ATOMIC_ACQUIRE);
    enum breaker_state state = (enum breaker_state)(word & ((1 << STATE_BITS) - 1));
    if (state != BREAKER_CLOSED && state != BREAKER_DISABLED)
        return false;
    *ticket = (struct breaker_ticket){.generation = word >> STATE_BITS};
    return true;
}

bool shared_breaker_admit(struct shared_breaker *shared, int64_t now, struct breaker_ticket *ticket)
{
    if (admit_at_a_look(shared, ticket))
        return true;
    struct board *board = cell_lock(shared->cell);
    struct breaker *breaker = &board->breaker;
    if (!breaker_would_admit(breaker, &board->settings, now))
        reap(shared, board, now);
    bool admitted = breaker_admit(breaker, &board->settings, now, cell_self(), ticket);
    publish(board);
    cell_unlock(shared->cell);
    return admitted;
}

void shared_breaker_release(struct shared_breaker *shared, const struct breaker_ticket *ticket)
{
    if (!ticket->probe)
        return;
    struct board *board = cell_lock(shared->cell);
    breaker_release(&board->breaker, ticket);
    cell_unlock(shared->cell);
}

bool shared_breaker_record(struct shared_breaker *shared, const struct breaker_ticket *ticket,
                           enum breaker_outcome outcome, int64_t duration, int64_t now)
{
    struct board *board = cell_lock(shared->cell);
    bool changed =
        breaker_record(&board->breaker, &board->settings, ticket, outcome, duration, now);
    publish(board);
    cell_unlock(shared->cell);
    return changed;
}

void shared_breaker_set(struct shared_breaker *shared, enum breaker_state state, int64_t now)
{
    struct board *board = cell_lock(shared->cell);
    breaker_set(&board->breaker, &board->settings, state, now);
    publish(board);
    cell_unlock(shared->cell);
}

int64_t shared_breaker_next_chance(struct shared_breaker *shared, int64_t now)
{
    struct board *board = cell_lock(shared->cell);
    int64_t chance = breaker_next_chance(&board->breaker, &board->settings, now);
    if (chance > now && reap(shared, board, now))
        chance = breaker_next_chance(&board->breaker, &board->settings, now);
    cell_unlock(shared->cell);
    return chance;
}

void shared_breaker_read(struct shared_breaker *shared, struct breaker *copy,
                         struct breaker_settings *settings)
{
    const struct board *board = cell_lock(shared->cell);
    *copy = board->breaker;
    if (settings)
        *settings = board->settings;
    cell_unlock(shared->cell);
}

int shared_breaker_list(struct home *home, void (*each)(void *owner, struct str name), void *owner,
                        struct err *err)
{
    return cell_list(home, &breaker_kind, each, owner, err);
}
