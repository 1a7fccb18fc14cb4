/* poll: react to what publishes no events. */
#include "base/num.h"
#include "engine/common_http.h"
#include "engine/common_policies.h"
#include "engine/filter.h"
#include "engine/plan_calls.h"
#include "engine/source_poll.h"
#include "state/home.h"

#include <string.h>

enum id {
    ID_CHECK = 1,
    ID_EVERY,
    ID_ONCE,
    ID_NAME,
    ID_CHECK_TEXT,
    ID_IGNORE,
    ID_ITEMS,
    ID_KEY,
    ID_CURSOR,
    ID_DATA,
    ID_FIRST,
    ID_IDLE_BACKOFF,
};

static struct common_options common;
static struct source_poll_settings settings = {.pace = {.factor = 1}};

static const struct option_entry entries[] = {
    {"check", 0, ID_CHECK, "FUNCTION", "what to look at: a command, lines:, or a URL (GET)",
     "One string, split as a shell would. Its event holds name, cursor and last_success, which its "
     "words may name: {.cursor}."},
    {"every", 0, ID_EVERY, "DUR", "from the begin of a look to the next",
     "A look begins late when the one before, or what was found, is still under way; that is not "
     "made up for."},
    {"once", 0, ID_ONCE, NULL, "one look, for cron; exit 75 while another process has the name",
     NULL},
    {"name", 0, ID_NAME, "NAME", "what is seen is kept under it [the check's text]",
     "It is kept in the state directory with --name, --state or --once; without them it is "
     "forgotten when the process ends."},
    {"check-text", 0, ID_CHECK_TEXT, NULL, "the check prints text: an array of its lines", NULL},
    {"ignore", 0, ID_IGNORE, "JQ", "paths that are deleted before comparing", NULL},
    {"items", 0, ID_ITEMS, "JQ", "the value holds a list: events are of its items",
     "An array that JQ gives is a list of items; anything else but null is an item."},
    {"key", 0, ID_KEY, "JQ", "with --items: what tells items apart [the whole item]", NULL},
    {"cursor", 0, ID_CURSOR, "JQ", "what to hand to the next check, as FIT_CURSOR",
     "It moves when all changes of a look are handled. With --items the check gives what is new "
     "since then, and an item that is missing is not deleted."},
    {"data", 0, ID_DATA, NULL, "an event is the new value itself",
     "What is deleted makes no event then."},
    {"first", 0, ID_FIRST, "baseline|emit", "what the first look finds is known, or new [baseline]",
     NULL},
    {"idle-backoff", 0, ID_IDLE_BACKOFF, "N,max=DUR", "wait N times as long after each idle look",
     "As long as looks find no change, up to DUR: --idle-backoff 2,max=10m."},
    {0},
};

static int set_backoff(const char *arg, struct err *err)
{
    const char *comma = strstr(arg, ",max=");
    if (!comma)
        return err_set(err, ERR_USAGE, "not N,max=DUR");
    struct buf factor = {0};
    buf_add(&factor, arg, (size_t)(comma - arg));
    const char *reason = num_decimal(buf_cstr(&factor), &settings.pace.factor);
    buf_free(&factor);
    if (!reason && settings.pace.factor < 1)
        reason = "below 1";
    if (!reason)
        reason = num_duration(comma + strlen(",max="), &settings.pace.most);
    return options_check(reason, err);
}

static int set_first(const char *arg, struct err *err)
{
    static const char *const names[] = {"baseline", "emit", NULL};
    int choice = options_choice(names, arg, err);
    settings.emit_first = choice == 1;
    return choice < 0 ? -1 : 0;
}

static int set_every(const char *arg, struct err *err)
{
    const char *reason = num_duration(arg, &settings.pace.every);
    return options_check(reason ? reason : settings.pace.every ? NULL : "must not be 0", err);
}

static int set_text(const char **text, const char *arg)
{
    *text = arg;
    return 0;
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    (void)into;
    switch ((enum id)id) {
    case ID_CHECK:
        return set_text(&settings.made_of.check, arg);
    case ID_EVERY:
        return set_every(arg, err);
    case ID_ONCE:
        settings.once = true;
        return 0;
    case ID_NAME:
        settings.name = arg;
        return home_check_name(arg, err);
    case ID_CHECK_TEXT:
        settings.text = true;
        return 0;
    case ID_IGNORE:
        return set_text(&settings.made_of.ignore, arg);
    case ID_ITEMS:
        return set_text(&settings.made_of.items, arg);
    case ID_KEY:
        return set_text(&settings.made_of.key, arg);
    case ID_CURSOR:
        return set_text(&settings.cursor, arg);
    case ID_DATA:
        settings.data = true;
        return 0;
    case ID_FIRST:
        return set_first(arg, err);
    case ID_IDLE_BACKOFF:
        return set_backoff(arg, err);
    }
    return 0;
}

static const struct option_group group = {"Poll", entries, set};
static const struct option_use uses[] = {{&group, NULL},
                                         {&common_calling, &common},
                                         {&common_policies, &common},
                                         {&common_http, &common},
                                         {&common_flow, &common},
                                         {&common_events, &common},
                                         {&common_reporting, &common},
                                         {0}};

static const struct command command = {
    .name = "poll",
    .summary = "react to what publishes no events",
    .purpose = "Time",
    .usage = (const char *const[]){"--every DUR --check FUNCTION [options] [--] [FUNCTION...]",
                                   "--once --check FUNCTION [options] [--] [FUNCTION...]", NULL},
    .uses = uses,
    .operands = OPTIONS_STOP_AT_WORD,
    .operand_arg = "FUNCTION",
};

static void check_options(void)
{
    struct err err;
    if (!settings.made_of.check)
        options_fail(&command, "no --check");
    if (!settings.once && !settings.pace.every)
        options_fail(&command, "no --every, nor --once");
    if (settings.made_of.key && !settings.made_of.items)
        options_fail(&command, "--key needs --items");
    if (!settings.name && home_check_name(settings.made_of.check, &err) < 0)
        options_fail(&command, "--check: %s: give it a --name", err.text);
    if (settings.pace.factor > 1 && settings.pace.most < settings.pace.every)
        options_fail(&command, "--idle-backoff: max is below --every");
    settings.durable = settings.once || settings.name || common.state;
    settings.max_event = common.max_event;
}

/* What is due again goes before what has died: the letters are there, the changes are not yet. */
static int run(struct engine *engine, struct plan_calls *calls)
{
    int status;
    settings.durable =
        settings.durable && !engine_redrives(engine); /* letters are not looked for */
    struct source *source = source_poll(engine, &settings, &status);
    if (!source)
        return status;
    status = engine_run(engine, source, &calls->plan);
    int owed = engine_redrives(engine) ? EXIT_OK : source_poll_status(source);
    return owed && (status == EXIT_OK || status == EXIT_DEAD) ? owed : status;
}

int main(int argc, char **argv)
{
    static struct plan_calls calls;
    common_options_init(&common);
    struct options_words function = options_parse(&command, argc, argv);
    check_options();
    struct err err;
    struct engine *engine = engine_new(&common, &err);
    struct fn *fn = filter_open(engine, &function, &err);
    if (fn)
        plan_calls_init(&calls, fn, 0);
    int status = fn ? run(engine, &calls) : engine_refuse(&err);
    engine_free(engine);
    return status;
}
