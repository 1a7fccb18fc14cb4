/* fanin_form_show.c: `fanin --show`: what a collection holds. */
#include "base/msg.h"
#include "engine/asking.h"
#include "engine/fanin_form.h"

#include <inttypes.h>

static const struct option_use uses[] = {
    {&fanin_naming, &fanin_options}, {&common_state, &fanin_common}, {0}};

static const struct command command = {
    .name = "fanin",
    .summary = "how many groups and parts a name holds",
    .usage = (const char *const[]){"--show [--name NAME] [--state DIR]", NULL},
    .uses = uses,
    .form = "--show",
    .elsewhere = fanin_uses,
    .operands = OPTIONS_ANYWHERE,
};

static int absent(void)
{
    msg_error("no groups of the name %s", fanin_options.name);
    return EXIT_FITTING;
}

static int show(struct engine *engine, struct store *store)
{
    struct fanin_show show = {.own.name = str_of(fanin_options.name)};
    struct asking asking;
    struct buf text = {0};
    asking_expect(&asking, store, &show.own.op);
    fanin_show(store, &show);
    if (asking_wait(&asking) < 0)
        return EXIT_FITTING;
    if (show.own.op.status == STORE_ABSENT)
        return absent();
    buf_puts(&text, "{\"name\":");
    buf_add_json(&text, show.own.name);
    buf_addf(&text,
             ",\"open\":%" PRIu64 ",\"parts\":%" PRIu64 ",\"closed\":%" PRIu64
             ",\"remembered\":%" PRIu64 "}\n",
             show.open, show.parts, show.closed, show.remembered);
    int status = asking_print(engine, buf_str(&text));
    buf_free(&text);
    return status;
}

int fanin_form_show(int argc, char **argv)
{
    struct engine *engine = NULL;
    int status;
    options_parse(&command, argc, argv);
    if (!fanin_options.name)
        fanin_options.name = "default";
    if (!asking_has_state(&fanin_common, &status))
        return status ? status : absent();
    struct store *store = asking_open(&fanin_common, &engine, &status);
    if (store)
        status = show(engine, store);
    engine_free(engine);
    return status;
}
