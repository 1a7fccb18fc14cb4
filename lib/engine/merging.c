/* merging.c: merging inputs into one stream (fanin --merge): its options and its run. */
#include "engine/merging.h"

#include "engine/plan_merge.h"
#include "engine/source_merge.h"
#include "engine/source_sorted.h"

enum id { ID_MERGE = 1, ID_SORTED, ID_TAG };

static const struct option_entry entries[] = {
    {"merge", 0, ID_MERGE, NULL, "no groups: merge the inputs into one stream",
     "Events are passed on byte for byte, as they come."},
    {"sorted", 0, ID_SORTED, "JQ", "the inputs are sorted by JQ, and so is the output",
     "In jq's order; equal ones in the order of the inputs. See MERGING."},
    {"tag", 0, ID_TAG, "NAME", "add the event's input as the member NAME",
     "The path as it was given, \"-\" for standard input. See MERGING."},
    {0},
};

static int check_tag(const char *tag, struct err *err)
{
    if (!*tag)
        return err_set(err, ERR_USAGE, "empty");
    if (!str_is_utf8(str_of(tag)))
        return err_set(err, ERR_USAGE, "not UTF-8");
    if (str_eq(str_of(tag), STR(PLAN_MERGE_VALUE)))
        return err_set(err, ERR_USAGE, "it holds events that are no objects");
    return 0;
}

static int set(void *into, int id, const char *arg, struct err *err)
{
    struct merging *merging = into;
    switch ((enum id)id) {
    case ID_MERGE:
        merging->on = true;
        return 0;
    case ID_SORTED:
        merging->sorted = arg;
        return 0;
    case ID_TAG:
        merging->tag = arg;
        return check_tag(arg, err);
    }
    return 0;
}

const struct option_group merging_options = {"Merging", entries, set};

const char *merging_conflict(const struct merging *merging)
{
    if (!merging->on && merging->sorted)
        return "--sorted needs --merge";
    return !merging->on && merging->tag ? "--tag needs --merge" : NULL;
}

int merging_run(struct engine *engine, const struct merging *merging, char *const *inputs,
                size_t count, size_t max_event)
{
    struct err err;
    struct source *source = NULL;
    static struct plan_merge plan; /* the engine's until it is freed */
    struct sort_key *key = NULL;
    if (!merging->sorted)
        source = source_merge_open(engine_loop(engine), inputs, count, max_event, &err);
    else if ((key = sort_key_new(merging->sorted, &err)))
        source = source_sorted_open(engine_loop(engine), inputs, count, max_event, key, &err);
    plan_merge_init(&plan, merging->tag, key);
    int status = source ? engine_run(engine, source, &plan.plan) : engine_refuse(&err);
    plan_merge_free(&plan);
    sort_key_free(key);
    return status;
}
