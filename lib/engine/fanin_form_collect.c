/* fanin_form_collect.c: `fanin`: parts of lines and inputs become groups. */
#include "base/hash.h"
#include "base/msg.h"
#include "engine/fanin_form.h"
#include "engine/source_fanin.h"
#include "engine/source_merge.h"

#include <unistd.h>

/* Closed groups that are known where there is only memory for them. */
enum { REMEMBERED = 65536 };
#define REMEMBER (INT64_C(3600) * 1000000000)

static bool has_rule(const struct fanin_settings *settings)
{
    return settings->count || settings->count_by || settings->until || settings->idle ||
           settings->within;
}

static void check_options(const struct command *command)
{
    const struct fanin_settings *settings = &fanin_options.settings;
    enum fanin_at_eof at_eof = settings->rules.at_eof;
    if (fanin_options.form)
        options_fail(command, "%s must stand before the inputs", fanin_options.form);
    if (fanin_options.sorted || fanin_options.tag)
        options_fail(command, "--%s needs --merge", fanin_options.sorted ? "sorted" : "tag");
    if (settings->id && !settings->group)
        options_fail(command, "--id needs --group: envelopes name their parts");
    if (fanin_options.chose_timeout && !settings->idle && !settings->within)
        options_fail(command, "--on-timeout needs --idle or --within");
    if (at_eof == FANIN_KEEP && !settings->stored)
        options_fail(command,
                     "--at-eof keep needs --name or --state: groups in memory cannot stay");
    if (settings->group && !has_rule(settings) && settings->stored && at_eof == FANIN_AS_FITS)
        options_fail(command, "nothing closes a group: --count, --until, --idle, --within "
                              "or --at-eof");
}

static void finish_settings(void)
{
    struct fanin_settings *settings = &fanin_options.settings;
    settings->stored = settings->lasting = fanin_form_is_stored();
    settings->name = fanin_options.name ? fanin_options.name : "memory";
    if (!fanin_options.chose_remember)
        settings->remember = REMEMBER;
    settings->most = settings->stored ? 0 : REMEMBERED;
}

/*
 * Letters of groups that were in memory: what they hold must not be lost on its way, so it is
 * collected in the state, under a name of this command line. Nothing is remembered there: groups of
 * two runs may have the same keys.
 */
static void store_redriven(void)
{
    struct fanin_settings *settings = &fanin_options.settings;
    static struct buf name;
    struct buf words = {0};
    char text[HASH_TEXT];
    for (char *const *word = options_line(); *word; word++) {
        buf_puts(&words, *word);
        buf_addc(&words, '\0');
    }
    buf_addf(&name, "redriven-%s", hash_format(hash_128(buf_str(&words)), text));
    buf_free(&words);
    settings->stored = true;
    settings->remember = 0;
    settings->name = buf_cstr(&name);
}

static struct source *open_source(struct engine *engine, struct store *store, struct err *err)
{
    struct loop *loop = engine_loop(engine);
    size_t count = engine_redrives(engine) ? 0 : fanin_options.inputs.count;
    struct source *lines =
        source_merge_open(loop, fanin_options.inputs.words, count, fanin_common.max_event, err);
    if (!lines)
        return NULL;
    struct written *written = NULL;
    if (fanin_options.settings.stored)
        written = written_open(store_home(store), STDOUT_FILENO, engine_functions(engine)->rng);
    return source_fanin(store, &fanin_options.settings, lines, written, err);
}

int fanin_form_collect(const struct command *command, int argc, char **argv)
{
    static struct plan_fanin plan;
    struct fanin_settings *settings = &fanin_options.settings;
    struct source *source = NULL;
    struct store *store = NULL;
    struct err err;
    options_parse(command, argc, argv);
    finish_settings();
    check_options(command);
    struct engine *engine = engine_new(&fanin_common, &err);
    if (engine && engine_redrives(engine) && !settings->stored)
        store_redriven();
    if (engine)
        store = settings->stored ? engine_store(engine, &err) : engine_memory(engine);
    if (store && plan_fanin_init(&plan, engine, store, settings, &err) == 0)
        source = open_source(engine, store, &err);
    int status = source ? engine_run(engine, source, &plan.plan) : engine_refuse(&err);
    if (plan.late)
        msg_warn("%llu %s had closed", (unsigned long long)plan.late,
                 plan.late == 1 ? "part came after its group" : "parts came after their groups");
    plan_fanin_free(&plan);
    engine_free(engine);
    return status;
}
