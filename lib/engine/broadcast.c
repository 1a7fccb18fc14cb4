/* broadcast.c: the options of `broadcast`, of all its forms. */
#include "engine/broadcast.h"

#include "base/mem.h"
#include "base/msg.h"
#include "base/num.h"
#include "engine/common_http.h"
#include "engine/common_policies.h"
#include "state/home.h"

#include <stdlib.h>
#include <string.h>

struct common_options broadcast_common;
struct broadcast_options broadcast_options = {.from = UINT64_MAX};

enum id { ID_TOPIC = 1, ID_SUBSCRIBE, ID_LIST, ID_UNSUBSCRIBE, ID_DROP };
enum publish_id { ID_KEEP = 1, ID_RECEIPTS };
enum read_id { ID_FILTER = 1, ID_FROM, ID_UNTIL_EMPTY, ID_WAIT };

static const struct option_entry form_entries[] = {
    {"topic", 0, ID_TOPIC, "NAME", "publish the events of standard input to this topic", NULL},
    {"subscribe", 0, ID_SUBSCRIBE, "NAME@TOPIC", "call the function on each event of the topic",
     "NAME is the subscriber's; its position is kept by it. Without a function it is only made "
     "known, so that the topic keeps for it what comes from then on."},
    {"list", 0, ID_LIST, NULL, "print all topics, or the subscribers of one", NULL},
    {"unsubscribe", 0, ID_UNSUBSCRIBE, "NAME@TOPIC", "forget a subscriber and its position", NULL},
    {"drop", 0, ID_DROP, "TOPIC", "remove a topic, its events and its subscribers", NULL},
    {0},
};

static const struct option_entry publish_entries[] = {
    {"keep", 0, ID_KEEP, "DUR|SIZE|all", "how long, or how much, it keeps [7d]",
     "Both may be given, as in 7d,1G. It is the topic's, and holds until it is set again. What it "
     "keeps no longer is gone for all subscribers, whether they have done it or not."},
    {"receipts", 0, ID_RECEIPTS, NULL, "print the number of each event", NULL},
    {0},
};

static const struct option_entry read_entries[] = {
    {"filter", 0, ID_FILTER, "JQ", "only events that JQ selects; others are dropped", NULL},
    {"from", 0, ID_FROM, "now|start|N", "where a new subscriber begins [now]",
     "With start at the oldest event that is kept, with N at the event of that number, or the next "
     "one that comes. One that is known goes on where it was."},
    {"until-empty", 0, ID_UNTIL_EMPTY, NULL, "end when all that was published is done", NULL},
    {"wait", 0, ID_WAIT, "DUR", "wait so long for another process that reads for it [0]", NULL},
    {0},
};

/* NAME@TOPIC: a topic's name may hold an @. */
static int set_subscriber(struct broadcast_options *options, const char *arg, struct err *err)
{
    const char *at = strchr(arg, '@');
    if (!at)
        return err_set(err, ERR_USAGE, "not NAME@TOPIC");
    free(options->subscriber);
    options->subscriber = mem_strndup(arg, (size_t)(at - arg));
    options->topic = at + 1;
    if (home_check_name(options->subscriber, err) < 0)
        return -1;
    return home_check_name(options->topic, err);
}

static int set_form(void *into, int id, const char *arg, struct err *err)
{
    struct broadcast_options *options = into;
    const char *form = options->form;
    options->form = (const char *const[]){[ID_TOPIC] = "--topic",
                                          [ID_SUBSCRIBE] = "--subscribe",
                                          [ID_LIST] = "--list",
                                          [ID_UNSUBSCRIBE] = "--unsubscribe",
                                          [ID_DROP] = "--drop"}[id];
    if (form && strcmp(form, options->form) != 0)
        return err_set(err, ERR_USAGE, "not with %s", form);
    if (id == ID_LIST)
        return 0;
    if (id == ID_SUBSCRIBE || id == ID_UNSUBSCRIBE)
        return set_subscriber(options, arg, err);
    options->topic = arg;
    return home_check_name(arg, err);
}

/* A part of --keep: a size ends in its unit, as a bare number could be either. */
static const char *read_keep(struct broadcast_options *options, const char *part)
{
    size_t bytes = 0;
    size_t len = strlen(part);
    if (strcmp(part, "all") == 0)
        return "all stands alone";
    if (len && strchr("KMG", part[len - 1])) {
        const char *reason = num_size(part, &bytes);
        options->keep_bytes = bytes;
        return reason ? reason : bytes ? NULL : "must not be 0";
    }
    if (len && part[len - 1] >= '0' && part[len - 1] <= '9')
        return "no unit: 7d is a time, 1G a size";
    const char *reason = num_duration(part, &options->keep_age);
    return reason ? reason : options->keep_age ? NULL : "must not be 0";
}

static int set_keep(struct broadcast_options *options, const char *arg, struct err *err)
{
    options->keeps = true;
    options->keep_age = 0;
    options->keep_bytes = 0;
    if (strcmp(arg, "all") == 0)
        return 0;
    char *parts = mem_strdup(arg), *comma = strchr(parts, ',');
    if (comma)
        *comma = '\0';
    const char *reason = read_keep(options, parts);
    if (!reason && comma)
        reason = read_keep(options, comma + 1);
    if (!reason && comma && (!options->keep_age || !options->keep_bytes))
        reason = "not a time and a size";
    free(parts);
    return options_check(reason, err);
}

static int set_publishing(void *into, int id, const char *arg, struct err *err)
{
    struct broadcast_options *options = into;
    if (id == ID_KEEP) {
        options->misplaced = "--keep needs --topic";
        return set_keep(options, arg, err);
    }
    options->misplaced = "--receipts needs --topic";
    options->receipts = true;
    return 0;
}

static int set_from(struct broadcast_options *options, const char *arg, struct err *err)
{
    uint64_t number = 0;
    options->chose_from = true;
    options->from = strcmp(arg, "now") == 0 ? UINT64_MAX : 0;
    if (options->from || strcmp(arg, "start") == 0)
        return 0;
    if (*arg < '0' || *arg > '9')
        return err_set(err, ERR_USAGE, "not now, start or the number of an event");
    const char *reason = num_uint(arg, 1, UINT64_MAX - 1, &number);
    options->from = number - 1;
    return options_check(reason, err);
}

static int set_subscribing(void *into, int id, const char *arg, struct err *err)
{
    struct broadcast_options *options = into;
    switch ((enum read_id)id) {
    case ID_FILTER:
        options->misplaced = "--filter needs --subscribe";
        options->filter = arg;
        return 0;
    case ID_FROM:
        options->misplaced = "--from needs --subscribe";
        return set_from(options, arg, err);
    case ID_UNTIL_EMPTY:
        options->misplaced = "--until-empty needs --subscribe";
        options->until_empty = true;
        return 0;
    case ID_WAIT:
        options->misplaced = "--wait needs --subscribe";
        return options_check(num_duration(arg, &options->wait), err);
    }
    return 0;
}

const struct option_group broadcast_forms = {"Topics", form_entries, set_form};
const struct option_group broadcast_publishing = {"Publishing (--topic)", publish_entries,
                                                  set_publishing};
const struct option_group broadcast_subscribing = {"Subscribing (--subscribe)", read_entries,
                                                   set_subscribing};

const struct option_use broadcast_uses[] = {{&broadcast_giving, NULL},
                                            {&broadcast_forms, &broadcast_options},
                                            {&broadcast_publishing, &broadcast_options},
                                            {&broadcast_subscribing, &broadcast_options},
                                            {&common_calling, &broadcast_common},
                                            {&common_policies, &broadcast_common},
                                            {&common_http, &broadcast_common},
                                            {&common_flow, &broadcast_common},
                                            {&common_events, &broadcast_common},
                                            {&common_reporting, &broadcast_common},
                                            {0}};

void broadcast_check_topicless(const struct command *command)
{
    if (broadcast_options.form)
        options_fail(command, "%s must stand before the functions", broadcast_options.form);
    if (broadcast_options.misplaced)
        options_fail(command, "%s", broadcast_options.misplaced);
}

int broadcast_absent(void)
{
    const struct broadcast_options *options = &broadcast_options;
    if (options->subscriber)
        msg_error("%s@%s: there is no such subscriber", options->subscriber, options->topic);
    else
        msg_error("%s: there is no such topic", options->topic);
    return EXIT_FITTING;
}
