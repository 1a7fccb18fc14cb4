/* plan_aggregate.c: the plan of `aggregate`: one event to several functions at once, one answer. */
#include "engine/plan_aggregate.h"

#include "base/mem.h"
#include "engine/aggregate_answer.h"
#include "engine/aggregate_job.h"

#include <stdlib.h>
#include <string.h>

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    aggregate_job_start((struct plan_aggregate *)(void *)plan, job, input);
}

static int check_name(const struct plan_aggregate *aggregate, size_t place, const char *text,
                      struct err *err)
{
    const struct named *named = &aggregate->members[place].named;
    if (!named->name.data)
        return err_set(err, ERR_USAGE, "'%s': a name is missing (NAME=FUNCTION)", text);
    if (!str_trim(str_of(named->function)).len)
        return err_set(err, ERR_USAGE, "'%s': no function behind the name", text);
    if (aggregate_is_reserved(named->name))
        return err_set(err, ERR_USAGE, "'%s': the answer has a member of that name itself", text);
    if (named->optional && aggregate->settings->need)
        return err_set(err, ERR_USAGE, "'%s': with --need no part is more optional than others",
                       text);
    for (size_t i = 0; i < place; i++) {
        if (str_eq(aggregate->members[i].named.name, named->name))
            return err_set(err, ERR_USAGE, "'%s': another part has that name", text);
    }
    return 0;
}

static int open_parts(struct plan_aggregate *aggregate, struct err *err)
{
    const struct aggregate_settings *settings = aggregate->settings;
    aggregate->members = mem_array(settings->count, sizeof *aggregate->members);
    for (size_t i = 0; i < settings->count; i++) {
        struct member *member = &aggregate->members[i];
        member->named = named_parse(settings->parts[i]);
        if (check_name(aggregate, i, settings->parts[i], err) < 0)
            return -1;
        int silent = fn_string_is_silent(member->named.function, err);
        if (silent > 0)
            err_set(err, ERR_USAGE, "'%s': gives no result, so it is no part of an answer",
                    settings->parts[i]);
        if (silent)
            return -1;
        member->fn = engine_open_string(aggregate->engine, member->named.function, err);
        if (!member->fn)
            return -1;
    }
    return 0;
}

static int keep_good_answers(struct plan_aggregate *aggregate, struct err *err)
{
    const struct aggregate_settings *settings = aggregate->settings;
    const char *name = settings->cached_in;
    struct err cause;
    if (!settings->cached)
        return 0;
    if (name && home_check_name(name, &cause) < 0)
        return err_set(err, ERR_USAGE, "--cached-in: %s", cause.text);
    if (name && strchr(name, '/'))
        return err_set(err, ERR_USAGE, "--cached-in: %s: a name with a slash", name);
    struct store *store = name ? engine_store(aggregate->engine, err) : NULL;
    if (name && !store)
        return -1;
    aggregate->good = good_answers_new(settings->cached, store, name);
    if (settings->cached_by)
        aggregate->cached_by =
            jq_compile(settings->cached_by, engine_paths(aggregate->engine), err);
    return settings->cached_by && !aggregate->cached_by ? -1 : 0;
}

struct plan_aggregate *plan_aggregate_new(struct engine *engine,
                                          const struct aggregate_settings *settings,
                                          struct err *err)
{
    struct plan_aggregate *aggregate = mem_zalloc(sizeof *aggregate);
    aggregate->plan.start = start;
    aggregate->plan.job_size = aggregate_job_size(settings->count);
    aggregate->engine = engine;
    aggregate->settings = settings;
    if (settings->join)
        aggregate->join = jq_compile_given(settings->join, "event", err);
    if ((settings->join && !aggregate->join) || keep_good_answers(aggregate, err) < 0 ||
        open_parts(aggregate, err) < 0) {
        plan_aggregate_free(aggregate);
        return NULL;
    }
    return aggregate;
}

struct plan *plan_aggregate_plan(struct plan_aggregate *aggregate)
{
    return &aggregate->plan;
}

void plan_aggregate_free(struct plan_aggregate *aggregate)
{
    if (!aggregate)
        return;
    good_answers_free(aggregate->good);
    jq_free(aggregate->join);
    jq_free(aggregate->cached_by);
    free(aggregate->members);
    free(aggregate);
}
