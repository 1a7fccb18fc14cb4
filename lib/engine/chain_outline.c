/* chain_outline.c: a chain as its words tell of it. */
#include "engine/chain_outline.h"

#include "base/num.h"
#include "fn/words.h"

#include <stdlib.h>
#include <string.h>

/* What a stage is, by its first word; the kind that has no scheme comes last. */
static const struct kind {
    const char *scheme;
    const char *what;
    bool whole; /* the scheme is the whole word */
    bool sink;
} kinds[] = {
    {"lines:", "line workers", false, false}, {"file:", "a file", false, true},
    {"queue:", "a queue", false, true},       {"topic:", "a topic", false, true},
    {"-", "standard output", true, true},     {"", "a process for each event", false, false},
};

static const struct kind *kind_of(const char *word)
{
    const struct kind *kind = kinds;
    while (kind->whole ? strcmp(word, kind->scheme) != 0
                       : !str_starts(str_of(word), str_of(kind->scheme)))
        kind++;
    return kind;
}

static int check_undo(const char *function, struct err *err)
{
    size_t count;
    char **words = words_split(function, &count, err);
    if (!words)
        return -1;
    bool prints = strcmp(words[0], "-") == 0;
    words_free(words);
    return prints ? err_set(err, ERR_USAGE, "--undo: '-': what an undo gives is no result") : 0;
}

int chain_outline_check(const struct chain_settings *settings, struct err *err)
{
    for (size_t i = 0; i < settings->count; i++) {
        size_t count;
        char **words = words_split(settings->functions[i], &count, err);
        if (!words)
            return -1;
        bool sink = kind_of(words[0])->sink;
        words_free(words);
        if (sink && i + 1 < settings->count)
            return err_set(err, ERR_USAGE, "'%s': only the last function may be a sink",
                           settings->functions[i]);
        if (settings->undos[i] && check_undo(settings->undos[i], err) < 0)
            return -1;
    }
    return 0;
}

/* Its words, joined as they stand in dead letters. */
static char *name_of(const char *function, const struct kind **kind)
{
    size_t count;
    struct err err;
    char **words = words_split(function, &count, &err);
    char *name = words_join(words, count);
    *kind = kind_of(words[0]);
    words_free(words);
    return name;
}

static int widest_name(const struct chain_settings *settings)
{
    size_t width = strlen("function");
    for (size_t i = 0; i < 2 * settings->count; i++) {
        const char *function = i % 2 ? settings->undos[i / 2] : settings->functions[i / 2];
        const struct kind *kind;
        char *name = function ? name_of(function, &kind) : NULL;
        width = name && strlen(name) > width ? strlen(name) : width;
        free(name);
    }
    return (int)width;
}

/* The rest of the line of a stage or, in the row of a stage, of its undo. */
static void print_function(const struct chain_settings *settings, const struct fn_settings *calling,
                           size_t i, const char *function, int width, struct buf *text)
{
    const struct kind *kind;
    char *name = name_of(function, &kind);
    buf_addf(text, "  %-*s  ", width, name);
    if (kind->sink) {
        buf_puts(text, kind->what);
    } else {
        char timeout[NUM_TEXT];
        buf_addf(text, "%-24s  %4u  %7s  %7u", kind->what,
                 settings->jobs ? settings->jobs[i] : calling->jobs,
                 calling->timeout ? num_format_duration(calling->timeout, timeout) : "none",
                 calling->retries);
    }
    buf_addc(text, '\n');
    free(name);
}

static void print_stage(const struct chain_settings *settings, const struct fn_settings *calling,
                        size_t i, int width, struct buf *text)
{
    buf_addf(text, "%5zu", i + 1);
    print_function(settings, calling, i, settings->functions[i], width, text);
    if (!settings->undos[i])
        return;
    buf_addf(text, "%5s", "undo");
    print_function(settings, calling, i, settings->undos[i], width, text);
}

void chain_outline_print(const struct chain_settings *settings,
                         const struct common_options *options, struct buf *text)
{
    int width = widest_name(settings);
    buf_addf(text, "%5s  %-*s  %-24s  %4s  %7s  %7s\n", "stage", width, "function", "as", "jobs",
             "timeout", "retries");
    for (size_t i = 0; i < settings->count; i++)
        print_stage(settings, &options->calling, i, width, text);
    if (settings->from == CHAIN_FROM_LETTER)
        buf_puts(text, "Dead letters go on at their own stage.\n");
    if (settings->from == CHAIN_FROM_STAGE)
        buf_addf(text, "Dead letters of stage %u go on there.\n", settings->stage);
    buf_addf(text, "Results come %s.\n",
             options->unordered ? "as events finish" : "in the order of the input");
    buf_addf(text, "What fails goes to %s.\n", options->dead ? options->dead : "standard error");
}
