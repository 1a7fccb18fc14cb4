/* fanin_form.c: the options of `fanin`, of all its forms. */
#include "engine/fanin_form.h"

#include "base/num.h"
#include "engine/state_dir.h"
#include "state/home.h"

#include <string.h>

struct common_options fanin_common;
struct fanin_options fanin_options;

enum id {
    ID_GROUP = 1,
    ID_ID,
    ID_COUNT,
    ID_UNTIL,
    ID_IDLE,
    ID_WITHIN,
    ID_TIMEOUT,
    ID_AT_EOF,
    ID_FAILED,
    ID_JOIN,
    ID_CLOSED_BY,
    ID_REMEMBER,
};
enum name_id { ID_NAME = 1, ID_SHOW };

static const struct option_entry collect_entries[] = {
    {"group", 0, ID_GROUP, "JQ", "collect plain events; JQ gives the key of their group",
     "Without it lines are envelopes of parts, as fan-out --parts writes them."},
    {"id", 0, ID_ID, "JQ", "with --group: events with the same id count once [CloudEvent id]",
     "Events without an id all count, also equal ones."},
    {"count", 0, ID_COUNT, "N|JQ", "a group is complete with so many parts",
     "JQ says it from the event; null says nothing. The count of an envelope goes before it."},
    {"until", 0, ID_UNTIL, "JQ", "complete when JQ is true of the array so far", NULL},
    {"idle", 0, ID_IDLE, "DUR", "close a group when no part has come for so long", NULL},
    {"within", 0, ID_WITHIN, "DUR", "close a group so long after its first part", NULL},
    {"on-timeout", 0, ID_TIMEOUT, "partial|dead", "when parts are missing then [dead]",
     "Where neither a count nor --until is known nothing is missing, and the group is complete."},
    {"at-eof", 0, ID_AT_EOF, "keep|partial|dead",
     "open groups at the end [keep if stored, or dead]",
     "Keep is for groups that are stored. With partial or dead all open groups of the name are "
     "closed, whichever process has begun them. In memory a group of which nothing is known to be "
     "missing is complete at the end."},
    {"on-part-failure", 0, ID_FAILED, "fail|skip|null", "when a part is an error [fail]",
     "With fail the group is dead once it has closed. With skip the part is left out and with null "
     "it is null; its letter is where it failed."},
    {"join", 0, ID_JOIN, "JQ", "emit what JQ makes of the array; $group is the key",
     "Each output is a line."},
    {"closed-by", 0, ID_CLOSED_BY, NULL, "emit {\"result\":...,\"closed_by\":WHY}",
     "WHY is count, until, idle, within or eof."},
    {"remember", 0, ID_REMEMBER, "DUR", "how long a closed group is known [1h]",
     "So long a part that comes again is a duplicate, and another one late. With 0 it begins a new "
     "group of the same key."},
    {0},
};

static const struct option_entry name_entries[] = {
    {"name", 0, ID_NAME, "NAME", "keep the groups in the state, under this name",
     "Processes with one name collect together. With --state the default is the name default; "
     "without both groups are in memory."},
    {"show", 0, ID_SHOW, NULL, "print what the name holds, and end", NULL},
    {0},
};

static int choose(const char *arg, const char *const *words, size_t count, int *chosen,
                  const char *all, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (words[i] && strcmp(arg, words[i]) == 0) {
            *chosen = (int)i;
            return 0;
        }
    }
    return err_set(err, ERR_USAGE, "not %s", all);
}

#define CHOOSE(arg, words, chosen, all, err) \
    choose(arg, words, sizeof(words) / sizeof *(words), chosen, all, err)

static int set_at_eof(struct fanin_rules *rules, const char *arg, struct err *err)
{
    static const char *const words[] = {
        [FANIN_KEEP] = "keep", [FANIN_PARTIAL] = "partial", [FANIN_DEAD] = "dead"};
    int chosen = FANIN_AS_FITS;
    int status = CHOOSE(arg, words, &chosen, "keep, partial or dead", err);
    rules->at_eof = (enum fanin_at_eof)chosen;
    return status;
}

static int set_failed(struct fanin_rules *rules, const char *arg, struct err *err)
{
    static const char *const words[] = {
        [FANIN_FAIL] = "fail", [FANIN_SKIP] = "skip", [FANIN_NULL] = "null"};
    int chosen = FANIN_FAIL;
    int status = CHOOSE(arg, words, &chosen, "fail, skip or null", err);
    rules->failed = (enum fanin_failed)chosen;
    return status;
}

static int set_timeout(struct fanin_rules *rules, const char *arg, struct err *err)
{
    static const char *const words[] = {"dead", "partial"};
    int chosen = 0;
    int status = CHOOSE(arg, words, &chosen, "partial or dead", err);
    rules->partial = chosen;
    return status;
}

static int set_duration(const char *arg, bool zero, int64_t *duration, struct err *err)
{
    const char *reason = num_duration(arg, duration);
    return options_check(reason ? reason : *duration || zero ? NULL : "must not be 0", err);
}

/* A number, or else a program, which does not begin with a digit unless it is one. */
static int set_count(struct fanin_settings *settings, const char *arg, struct err *err)
{
    settings->count = 0;
    settings->count_by = NULL;
    if (strspn(arg, "0123456789") == strlen(arg))
        return options_check(num_uint(arg, 1, ENVELOPE_COUNT, &settings->count), err);
    settings->count_by = arg;
    return 0;
}

static int set_collecting(void *into, int id, const char *arg, struct err *err)
{
    struct fanin_options *options = into;
    struct fanin_settings *settings = &options->settings;
    struct fanin_rules *rules = &settings->rules;
    for (size_t i = 0; collect_entries[i].name; i++) {
        if (collect_entries[i].id == id)
            options->collecting = collect_entries[i].name;
    }
    switch ((enum id)id) {
    case ID_GROUP:
        settings->group = arg;
        rules->plain = true;
        return 0;
    case ID_ID:
        settings->id = arg;
        return 0;
    case ID_COUNT:
        return set_count(settings, arg, err);
    case ID_UNTIL:
        settings->until = arg;
        rules->until = true;
        return 0;
    case ID_IDLE:
        return set_duration(arg, false, &settings->idle, err);
    case ID_WITHIN:
        return set_duration(arg, false, &settings->within, err);
    case ID_TIMEOUT:
        options->chose_timeout = true;
        return set_timeout(rules, arg, err);
    case ID_AT_EOF:
        return set_at_eof(rules, arg, err);
    case ID_FAILED:
        return set_failed(rules, arg, err);
    case ID_JOIN:
        settings->join = arg;
        return 0;
    case ID_CLOSED_BY:
        rules->closed_by = true;
        return 0;
    case ID_REMEMBER:
        options->chose_remember = true;
        return set_duration(arg, true, &settings->remember, err);
    }
    return 0;
}

static int set_naming(void *into, int id, const char *arg, struct err *err)
{
    struct fanin_options *options = into;
    if (id == ID_SHOW) {
        options->form = "--show";
        return 0;
    }
    options->name = arg;
    return home_check_name(arg, err);
}

static const struct option_group collecting = {"Groups", collect_entries, set_collecting};
const struct option_group fanin_naming = {"Where groups are", name_entries, set_naming};

const struct option_use fanin_uses[] = {
    {&collecting, &fanin_options},      {&fanin_naming, &fanin_options},
    {&fanin_merging, &fanin_options},   {&common_input, &fanin_common},
    {&common_reporting, &fanin_common}, {0}};

bool fanin_form_is_stored(void)
{
    struct err err;
    if (!fanin_common.state && !fanin_options.name)
        return false;
    if (!fanin_options.name)
        fanin_options.name = "default";
    if (!state_dir_is_named(fanin_common.state)) /* then dead letters are there too */
        fanin_common.state = state_dir_path(NULL, &err);
    return true;
}
