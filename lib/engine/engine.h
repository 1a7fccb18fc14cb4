/*
 * engine.h: events in, exactly one outcome each.
 *
 * The engine owns what every fitting shares: it takes events from a source, identifies and
 * validates them, keeps a window of jobs bounded by count and bytes, starts them in a plan, writes
 * results in input order (or as they finish), writes dead letters, tells the source the outcome
 * once results and letters are written, drains on signals, counts, and says how it ended.
 *
 * A command gives it a plan: what to do with one job. A plan calls functions (fn_call) and ends
 * every job exactly once with job_done, job_dead or job_drop. It need not keep order, nor count,
 * nor know where an event came from.
 *
 *     source --event--> engine --job--> plan --call--> function
 *                         |  <--outcome---'  <--answer----'
 *                         `--lines--> sink, --letters--> dead letters, --outcome--> source
 *
 * Life of a job: read -> (held while another job of its key runs) -> started -> finished -> emitted
 * (its results are in the sink, in order) -> settled (they are written; the source is told). read =
 * done + dead + dropped at the end, whatever happens (and + returned, if the source takes events
 * back). With a ledger (recall.h) a call is looked up
 * before it is made and its answer committed before the plan has it; how far results are written is
 * noted as jobs are settled. An event may leave the window with nothing but its record kept by the
 * plan (job_park), and come back as further jobs, before it ends.
 */
#ifndef FIT_ENGINE_ENGINE_H
#define FIT_ENGINE_ENGINE_H

#include "base/block.h"
#include "base/err.h"
#include "engine/common_options.h"
#include "engine/report.h"
#include "engine/source.h"
#include "fn/function.h"
#include "format/jq.h"
#include "format/json.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    ENGINE_WINDOW = 4096,                  /* jobs between read and settled; then reading waits */
    ENGINE_WINDOW_BYTES = 2 * 1024 * 1024, /* their events, results and letters; then too */
    /* What one event counts at most: a large one leaves room for its neighbours, two do not. */
    ENGINE_EVENT_BYTES = ENGINE_WINDOW_BYTES / 2,
    ENGINE_TURN = 1024,         /* events taken before the descriptors are looked at again */
    ENGINE_OUTPUT = 256 * 1024, /* result bytes handed to a slow reader; then emission waits */
};

/* Exit statuses (DESIGN.md 1.3). */
enum {
    EXIT_OK = 0,
    EXIT_FITTING = 1,
    EXIT_USAGE = 2,
    EXIT_AGAIN = 75,
    EXIT_DEAD = 123,
    EXIT_CANNOT_EXECUTE = 126,
    EXIT_NOT_FOUND = 127,
    EXIT_SIGNALLED = 128, /* plus the signal */
};

struct engine;
struct letter_way;
struct home;
struct store;
struct job;
struct shared_breaker;

struct plan {
    /*
     * Begin a job. input holds its validated bytes and the values of the paths in engine_paths,
     * valid only during this call. Must lead, now or later, to exactly one job_done, job_dead or
     * job_drop.
     */
    void (*start)(struct plan *plan, struct job *job, const struct jq_input *input);

    /* Optional. Can another event be taken? Without it: when every function has room. A function
     * that gets room asks again, and engine_room. */
    bool (*has_room)(struct plan *plan);

    /* Optional. No event is at hand now, or none will come any more (end): send on what was
     * gathered (a partial batch). */
    void (*flush)(struct plan *plan, bool end);

    /* Optional. A function, or stdout for job_emit_now, has room again: begin calls that were put
     * off. Also after the last event. */
    void (*room)(struct plan *plan);

    /* Optional. The job's outcome is final. written: it is done, and so are its results. */
    void (*settled)(struct plan *plan, struct job *job, bool written);

    /* Optional. End the jobs that the plan itself holds back, with that reason: those in functions
     * are being ended. */
    void (*cancel)(struct plan *plan, enum failure_reason reason);

    /* Optional. A job is about to be forgotten: free what job_data refers to. */
    void (*release)(struct plan *plan, struct job *job);

    /* Optional. Append what a letter about the whole job holds, if that is not its event. */
    void (*letter_event)(struct plan *plan, struct job *job, struct buf *event);

    /* Optional. SIGHUP has arrived: reread what can be reread. Without it SIGHUP ends the fitting
     * as SIGTERM does. */
    void (*reload)(struct plan *plan);

    bool silent; /* it prints no results: that nobody reads stdout does not matter */

    bool takes_letters; /* dead letters that are redriven are events as they are: the plan reads
                           what is in them. Else the event in them is */

    size_t job_size; /* bytes of job_data, zeroed for each job */
};

struct job {
    struct slice event; /* the line, without LF; held until the job is settled */
    const char *origin; /* the input that it came from, for messages ("stdin", "b.ndjson") */
    uint64_t line;      /* its number there, from 1 */
    uint64_t part;      /* as in source_event: it is a part already, and not to be split */
    uint64_t parts;
    const char *failed; /* as there: of several functions only this one is to have it again */
    struct engine *engine;
};

/* ---- setting up, in this order: new, functions and programs, run, free ---- */

/* The options may be changed until engine_run; they outlive the engine. NULL with err. */
struct engine *engine_new(const struct common_options *options, struct err *err);
void engine_free(struct engine *engine);

struct loop *engine_loop(struct engine *engine);
struct json_paths *
engine_paths(struct engine *engine); /* for jq_compile: one scan serves all programs */
struct fn_context *engine_functions(struct engine *engine);       /* for fn_open; then engine_add */
const struct fn_settings *engine_settings(struct engine *engine); /* from the options */

/*
 * The state directory (--state, FIT_STATE or the default), opened and made when it is first asked
 * for; the engine's. NULL with err. Who does not need it does not ask.
 */
struct home *engine_home(struct engine *engine, struct err *err);
/* The store in it, the same way. */
struct store *engine_store(struct engine *engine, struct err *err);

/* One in memory, the engine's, for what ends with this process. */
struct store *engine_memory(struct engine *engine);

/* Does it redrive letters (source_letters.h)? The source of engine_run is not read then. */
bool engine_redrives(const struct engine *engine);

/* Of the process, at its start: with 0, 1 or 2 closed the next file opened would become stdin or
 * stdout. In their place stand descriptors that fail as the closed ones would have. */
void engine_hold_descriptors(void);

/* The engine closes and frees the function; its room is the plan's room. */
void engine_add(struct engine *engine, struct fn *fn);
struct fn *engine_open(struct engine *engine, char *const *words, size_t count,
                       struct err *err); /* open and add */
struct fn *engine_open_string(struct engine *engine, const char *text, struct err *err);

/* The plan calls fn no more, and no call of it is open: it is closed when the stack has unwound,
 * then freed. */
void engine_remove(struct engine *engine, struct fn *fn);

/* Observe every attempt (a report, a trace, a job log); owner is handed back. Observers are called
 * in the order in which they came. */
void engine_observe(struct engine *engine,
                    void (*attempted)(void *owner, const struct fn_attempt *attempt), void *owner);

/* A further count in --stats and --metrics. */
void engine_count(struct engine *engine, const struct report_count *count);

/* The breaker, for commands that tell of it; NULL: none. changed is called when it is seen in
 * another state. */
struct shared_breaker *engine_breaker(struct engine *engine, void (*changed)(void *owner),
                                      void *owner);

/* Identities are needed for every event (a report, a trace), also by functions that do not want
 * them. */
void engine_want_ids(struct engine *engine);

/*
 * Run the plan over the events of the source (taken over) until both are through, and return the
 * exit status. Says on stderr what went wrong, and the statistics if asked.
 */
int engine_run(struct engine *engine, struct source *source, struct plan *plan);

/* For who runs no plan: all of text on stdout, however long its reader takes. 0 also when the
 * reader has left; -1 with err. */
int engine_print(struct engine *engine, struct str text, struct err *err);

/* What a failure before engine_run means as an exit status (usage 2, not found 127, ...), after
 * saying it. */
int engine_refuse(const struct err *err);

/* ---- for plans ---- */

void *job_data(struct job *job);
struct job *job_of_data(void *data);

/* What the source knows the event by (source_event.token): for plans that come with a source of
 * their own. */
uint64_t job_token(const struct job *job);

/* Is it for this function? Of an event that is redriven only the one that failed has it again: the
 * others have letters of their own, or have done it. */
bool job_is_for(const struct job *job, const char *function);

/* The identity of the event (DESIGN.md 1.1), computed on first use; valid as long as the job. */
struct str job_id(struct job *job);

/* It is an event that an earlier fitting has identified. Only from start. */
void job_identify(struct job *job, struct str id);

/* Add count result lines, each with its LF; takes over the slice's reference. They are written in
 * order when the job ends. */
void job_emit_take(struct job *job, struct slice lines, size_t count);
/* The event itself is a result, byte for byte. */
void job_emit_event(struct job *job);
/*
 * Write count lines now, before the job ends and regardless of order. Borrowed. Not in a plan that
 * also uses the two above: lines could come between the pieces of a large result. A plan that has
 * much to write asks first and waits for its room hook.
 */
void job_emit_now(struct job *job, struct str lines, size_t count);
bool engine_may_emit(const struct engine *engine);

/*
 * An event that several jobs are about, at once or one after the other. The plan keeps this as long
 * as one of them lives, wherever it likes: so an event can leave the window, and memory, before it
 * has ended. It is counted, and the source hears of it, when the last of them is settled.
 */
struct parked {
    uint64_t token; /* the engine's; so with the next */
    const char *origin;
    uint64_t line;
    bool made;       /* source_event.made */
    uint8_t outcome; /* so far, enum source_outcome; also the engine's */
    uint32_t open;   /* jobs that are not settled; to which the plan adds those still to be made */
};

/* The job is the first of such an event: fills parked in, with one open. Only from start. */
void job_park(struct job *job, struct parked *parked);

/*
 * Another job about it, which is one of the open already: silent, started, and to be ended like any
 * other. Takes over the slice's reference; id as job_known_id said. Who is not in start asks
 * engine_may_resume before.
 */
struct job *job_resume(struct engine *engine, struct parked *parked, struct slice event,
                       struct str id);
bool engine_may_resume(const struct engine *engine);

/* The identity if it has been asked for, which a parked event must not lose; else empty. */
struct str job_known_id(struct job *job);

/*
 * No results will be added (the event goes to a file): the results of later jobs need not wait for
 * this one. Only from start, and before anything else.
 */
void job_silent(struct job *job);

/* A dead letter about a part of the job (a later stage's input); takes over the failure. The job
 * will count as dead. No letter, and dropped, where it was ended because the reader of stdout has
 * left. */
void job_letter_take(struct job *job, struct str event, struct failure *failure);
/* The same, with the way on in a chain (deadletter.h). */
void job_way_letter_take(struct job *job, struct str event, struct failure *failure,
                         const struct letter_way *way);
/* The same about a part that the user asked to do without: the job may still be done. */
void job_part_letter_take(struct job *job, struct str part, struct failure *failure);

/* The outcome: exactly one of these, after which the job is the engine's. Results that were added
 * are written in any case. */
void job_done(struct job *job);
void job_dead_take(struct job *job,
                   struct failure *failure); /* a letter with the whole event, then dead */
void job_drop(struct job *job);

/*
 * The plain end of a call: its results and done, or its failure and dead. What a plan with one call
 * a job needs. The call is one that the plan keeps in job_data; call->owner must be the job.
 */
void job_end_with(struct job *job, struct fn_call *call);

/* Prepare a call about the whole event of a job (event, id, owner); the plan sets done. */
void job_prepare(struct job *job, struct fn_call *call);

/* For calls that are not prepared so: where to note what is kept for them until the job is settled
 * (fn_call.kept). */
struct fn_kept **job_kept(struct job *job);

/*
 * Make a call about a job, or a part of it (call->scope). With --ledger the answer of an earlier
 * run is given instead, if there is one (call->shown: it has been printed), and a new answer is
 * recorded before call->done hears of it.
 */
void job_call(struct job *job, struct fn *fn, struct fn_call *call);

/* --new: results of a call that is over are not to be printed again. */
bool job_hides(const struct job *job, const struct fn_call *call);

/* For calls about several jobs: end the job with the answer that an earlier run has recorded for
 * it. False: there is none. */
bool job_recall(struct job *job);
/* Record what such a call gave for this job (one of them), and end it so. */
void job_end_recorded_take(struct job *job, struct slice lines, size_t count);

/*
 * What a plan has to know of a job in later runs, beside the answers of its calls: a text under a
 * scope that no call has. job_knows appends it (text may be NULL); without --ledger nothing is
 * known. job_note calls done when it is recorded, perhaps at once; text is borrowed until then,
 * scope only during the call. What is there already stays.
 */
bool job_knows(struct job *job, struct str scope, struct buf *text);
void job_note(struct job *job, struct str scope, struct str text, void (*done)(void *owner),
              void *owner);

/* Calls must come by job_call: there is a ledger (fn_put would pass it by). */
bool engine_records(const struct engine *engine);

/* Is the window half full? A plan with has_room, which may refuse events, then looks who holds it.
 */
bool engine_is_crowded(const struct engine *engine);

/* The plan can take events again (only for plans with has_room). */
void engine_room(struct engine *engine);

/* End as on a first signal, but with the exit status of a run that was through: take no more
 * events, and give what is in flight the grace. */
void engine_drain(struct engine *engine);

/* The fitting itself cannot go on: said on stderr, reading stops, what is in flight drains, exit
 * status 1. */
void engine_fail(struct engine *engine, const struct err *err);

#endif
