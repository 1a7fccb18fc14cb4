/* schedule_print_words.c: the command line of an entry that schedule_print.h makes. */
#include "engine/schedule_print_words.h"

#include "base/mem.h"
#include "engine/options_form.h"
#include "engine/schedule_show.h"

struct words {
    char **items;
    size_t count;
};

static void add(struct words *words, const char *word)
{
    words->items[words->count++] = mem_strdup(word);
    words->items[words->count] = NULL;
}

static void add_option(struct words *words, const char *name, const char *value)
{
    if (!value)
        return;
    add(words, name);
    add(words, value);
}

/* A time of day means today's only now: an entry says the day. */
static void add_schedule(struct words *words, const struct schedule_print *print)
{
    if (print->schedule->kind != SCHEDULE_AT) {
        add(words, print->text);
        return;
    }
    struct buf text = {0};
    buf_puts(&text, "at ");
    schedule_show_time(&text, print->zone, print->schedule->at);
    add(words, buf_cstr(&text));
    buf_free(&text);
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; name && *names; names++) {
        if (strcmp(name, *names) == 0)
            return true;
    }
    return false;
}

static void add_options(struct words *words, const struct schedule_print *print)
{
    const char *const left_out[] = {"print", "once", "tz", "state", NULL};
    for (size_t i = 0; i < print->option_count;) {
        const char *name;
        size_t end =
            i + options_span(print->command, print->options + i, print->option_count - i, &name);
        for (bool kept = !is_one_of(name, left_out); i < end; i++) {
            if (kept)
                add(words, print->options[i]);
        }
    }
}

char **schedule_print_words(const struct schedule_print *print, const char *schedule, size_t *count)
{
    enum { OURS = 8 }; /* program, schedule, --once, --tz ZONE, --state DIR, -- */
    struct words words = {
        mem_array(OURS + print->option_count + print->function_count + 1, sizeof *words.items), 0};
    add(&words, print->program);
    if (schedule)
        add(&words, schedule);
    else
        add_schedule(&words, print);
    add(&words, "--once");
    add_option(&words, "--tz", print->zone_name);
    add_option(&words, "--state", print->state);
    add_options(&words, print);
    if (print->function_count)
        add(&words, "--");
    for (size_t i = 0; i < print->function_count; i++)
        add(&words, print->function[i]);
    *count = words.count;
    return words.items;
}
