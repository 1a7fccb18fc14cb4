/* queue_verb.c: what the verbs of `queue` share. */
#include "engine/queue_verb.h"

#include "base/msg.h"
#include "base/num.h"
#include "format/json.h"
#include "state/home.h"

struct common_options queue_common;
struct queue_options queue_options = {
    .push = {.priority = QUEUE_PRIORITY, .dedup_window = 300 * NUM_SECOND},
    .visibility = 30 * NUM_SECOND,
    .max_receives = 5,
    .wait = -1,
};

/* ---- options ---- */

enum id {
    ID_DELAY,
    ID_PRIORITY,
    ID_GROUP,
    ID_DEDUP,
    ID_DEDUP_WINDOW,
    ID_MAX_LENGTH,
    ID_ON_FULL,
    ID_EXPIRE,
    ID_RECEIPTS,
    ID_VISIBILITY,
    ID_MAX_RECEIVES,
    ID_WAIT,
    ID_UNTIL_EMPTY,
    ID_COUNT,
    ID_ANSWER,
};

static const struct option_entry push_entries[] = {
    {"priority", 0, ID_PRIORITY, "N", "0 to 9, the highest is leased first [4]", NULL},
    {"group", 0, ID_GROUP, "JQ", "events with the same value one at a time, in order",
     "Only the oldest of a group is leased; those behind it wait until it has ended, also while it "
     "is delayed or tried again. Groups do not wait for each other."},
    {"dedup", 0, ID_DEDUP, "JQ", "an event with the same value was pushed: add nothing",
     "A repetition within the window is done, and no second message."},
    {"dedup-window", 0, ID_DEDUP_WINDOW, "DUR", "for how long --dedup remembers [5m]", NULL},
    {"max-length", 0, ID_MAX_LENGTH, "N", "messages that may wait in the queue [any]",
     "Those that are in flight are not counted."},
    {"on-full", 0, ID_ON_FULL, "block|fail|drop-oldest", "what then: see the page [block]",
     "With block the push waits for room, with fail the event is dead (queue_full), with "
     "drop-oldest the oldest message is dropped for it."},
    {"expire", 0, ID_EXPIRE, "DUR", "dead if its turn has not come by then [never]", NULL},
    {"receipts", 0, ID_RECEIPTS, NULL, "print the number of each message", NULL},
    {0},
};

static const struct option_entry delay_entries[] = {
    {"delay", 0, ID_DELAY, "DUR", "to be leased after this long [0]", NULL},
    {0},
};

static const struct option_entry leasing_entries[] = {
    {"visibility", 0, ID_VISIBILITY, "DUR", "a lease ends after this long [30s]",
     "work extends its leases while it lives, and what a killed worker held comes back at once. "
     "What pull has taken comes back after this time."},
    {"max-receives", 0, ID_MAX_RECEIVES, "N", "then a failed event is dead; 0: never [5]", NULL},
    {"wait", 0, ID_WAIT, "DUR", "end when nothing has come for this long",
     "work waits without end, and pull not at all, when it is not given."},
    {0},
};

static const struct option_entry emptying_entries[] = {
    {"until-empty", 0, ID_UNTIL_EMPTY, NULL, "end when nothing is ready or in flight",
     "In flight of anybody: what fails elsewhere comes back and is still handled. Delayed messages "
     "do not count, nor what waits behind them."},
    {0},
};

static const struct option_entry counting_entries[] = {
    {"count", 0, ID_COUNT, "N", "how many messages [1; redrive: all]", NULL},
    {0},
};

static const struct option_entry answering_entries[] = {
    {"answer", 0, ID_ANSWER, "JSON", "the result for who asks [none]",
     "An event that pull has printed with \"asks\" is a request, and its result goes to who asks. "
     "On standard input it is the \"answer\" of a line, beside its \"receipt\"."},
    {0},
};

static int set_answer(const char *arg, struct buf *answer, struct err *err)
{
    struct json_scan scan;
    if (json_scan(str_of(arg), NULL, NULL, &scan) < 0)
        return err_set(err, ERR_USAGE, "%s at byte %zu", scan.reason, scan.at + 1);
    buf_clear(answer);
    json_compact(str_of(arg), answer);
    buf_addc(answer, '\n');
    return 0;
}

static int set_full(const char *arg, struct err *err)
{
    static const char *const words[] = {
        [PUSH_BLOCK] = "block", [PUSH_FAIL] = "fail", [PUSH_DROP_OLDEST] = "drop-oldest", NULL};
    queue_options.chose_full = true;
    int choice = options_choice(words, arg, err);
    if (choice < 0)
        return -1;
    queue_options.push.full = (enum plan_push_full)choice;
    return 0;
}

static int set_priority(const char *arg, struct err *err)
{
    uint64_t priority = 0;
    const char *reason = num_uint(arg, 0, QUEUE_PRIORITIES - 1, &priority);
    queue_options.push.priority = (unsigned)priority;
    return options_check(reason, err);
}

/* A duration that must be some time. */
static int set_time(const char *arg, int64_t *time, struct err *err)
{
    const char *reason = num_duration(arg, time);
    return options_check(reason ? reason : *time ? NULL : "must not be 0", err);
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    struct queue_options *options = into;
    struct push_settings *push = &options->push;
    switch ((enum id)id) {
    case ID_DELAY:
        return options_check(num_duration(arg, &push->delay), err);
    case ID_PRIORITY:
        return set_priority(arg, err);
    case ID_GROUP:
        push->group = arg;
        return 0;
    case ID_DEDUP:
        push->dedup = arg;
        return 0;
    case ID_DEDUP_WINDOW:
        options->chose_window = true;
        return set_time(arg, &push->dedup_window, err);
    case ID_MAX_LENGTH:
        return options_check(num_uint(arg, 1, UINT64_MAX, &push->max_length), err);
    case ID_ON_FULL:
        return set_full(arg, err);
    case ID_EXPIRE:
        return set_time(arg, &push->expire, err);
    case ID_RECEIPTS:
        push->receipts = true;
        return 0;
    case ID_VISIBILITY:
        return set_time(arg, &options->visibility, err);
    case ID_MAX_RECEIVES:
        return options_check(num_uint(arg, 0, QUEUE_RECEIVES_MAX, &options->max_receives), err);
    case ID_WAIT:
        return options_check(num_duration(arg, &options->wait), err);
    case ID_UNTIL_EMPTY:
        options->until_empty = true;
        return 0;
    case ID_COUNT:
        return options_check(num_uint(arg, 1, UINT64_MAX, &options->count), err);
    case ID_ANSWER:
        return set_answer(arg, &options->answer, err);
    }
    return 0;
}

const struct option_group queue_pushing = {"Pushing", push_entries, set};
const struct option_group queue_delay = {"Delay (push, nack)", delay_entries, set};
const struct option_group queue_leasing = {"Leasing (work, pull)", leasing_entries, set};
const struct option_group queue_emptying = {"Ending (work)", emptying_entries, set};
const struct option_group queue_counting = {"Number (pull, peek, redrive)", counting_entries, set};
const struct option_group queue_answering = {"Answers (ack)", answering_entries, set};

struct options_words queue_verb_parse(const struct command *command, int argc, char **argv,
                                      const char **name)
{
    return options_parse_named(command, argc, argv, "queue", "queue", name);
}

int queue_verb_absent(const char *name)
{
    msg_error("%s: there is no such queue", name);
    return EXIT_FITTING;
}
