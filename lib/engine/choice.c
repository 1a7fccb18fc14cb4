/* choice.c: which routes an event takes. */
#include "engine/choice.h"

#include "base/mem.h"
#include "base/msg.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

/* ---- setting up ---- */

static void fit_matches(struct choice *choice)
{
    choice->matches =
        mem_realloc(choice->matches, (choice->routes.list.count + 1) * sizeof *choice->matches);
}

/* From before the table is read until the loop hears of it SIGHUP waits, so that no change is
 * missed. */
static void hold_hangups(void)
{
    sigset_t hangup;
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    sigprocmask(SIG_BLOCK, &hangup, NULL);
}

static int open_by(struct choice *choice, struct err *err)
{
    const struct choice_options *options = choice->options;
    choice->by = jq_compile(options->by, choice->routes.paths, err);
    if (!choice->by)
        return -1;
    choice->folder = folder_new(options->dir, options->by, choice->routes.targets, err);
    return choice->folder ? 0 : -1;
}

static int open_otherwise(struct choice *choice, struct err *err)
{
    const char *function = choice->options->otherwise;
    choice->otherwise = route_new(NULL, function);
    if (!choice->routes.targets)
        return 0;
    choice->otherwise->target = targets_open(choice->routes.targets, function, err);
    return choice->otherwise->target ? 0 : -1;
}

int choice_init(struct choice *choice, const struct choice_options *options,
                struct json_paths *paths, struct targets *targets, struct err *err)
{
    choice->options = options;
    choice->routes.paths = paths;
    choice->routes.targets = targets;
    if (options->by && open_by(choice, err) < 0)
        return -1;
    for (size_t i = 0; i + 1 < options->pair_words; i += 2) {
        if (routes_add(&choice->routes, options->pairs[i], options->pairs[i + 1], err) < 0)
            return -1;
    }
    if (options->table)
        hold_hangups();
    if (options->table && routes_read(&choice->routes, options->table, err) < 0)
        return -1;
    fit_matches(choice);
    return options->otherwise ? open_otherwise(choice, err) : 0;
}

void choice_free(struct choice *choice)
{
    routes_free(&choice->routes);
    folder_free(choice->folder);
    route_free(choice->otherwise);
    jq_free(choice->by);
    buf_free(&choice->value);
    free(choice->matches);
}

void choice_reread(struct choice *choice)
{
    const char *table = choice->options->table;
    struct err err;
    if (routes_read(&choice->routes, table, &err) < 0) {
        msg_warn("%s; the table stays as it was", err.text);
        return;
    }
    fit_matches(choice);
    msg_verbose("%s: read again, %zu pairs", table,
                choice->routes.list.count - choice->routes.fixed);
}

/* ---- choosing ---- */

static void match(struct choice *choice, struct route *route)
{
    choice->matches[choice->count++] = route;
}

/* 0, or -1 with the failure of the event. */
static int match_predicates(struct choice *choice, const struct jq_input *input,
                            struct failure **failure)
{
    struct err err;
    for (size_t i = 0; i < choice->routes.list.count; i++) {
        struct route *route = choice->routes.list.items[i];
        int matches = jq_matches(route->program, input, &err);
        if (matches < 0) {
            *failure = failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "%s", err.text);
            return -1;
        }
        if (!matches)
            continue;
        match(choice, route);
        if (!choice->options->all)
            return 0;
    }
    return 0;
}

/* An event whose value names no executable of the folder matches nothing, and *failure says why; it
 * fails only with -1. */
static int match_name(struct choice *choice, const struct jq_input *input, struct failure **failure)
{
    struct err err;
    struct buf name = {0};
    struct route *route = NULL;
    buf_clear(&choice->value);
    int found = jq_first(choice->by, input, &choice->value, &err);
    if (found < 0) {
        *failure = failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "--by %s", err.text);
        return -1;
    }
    if (found && choice->value.data[0] == '"') {
        json_decode(buf_str(&choice->value), &name);
        route = folder_find(choice->folder, buf_str(&name), &err);
        buf_free(&name);
    } else {
        err_set(&err, ERR_NOT_FOUND, found ? "not a string" : "no value");
    }
    if (route) {
        match(choice, route);
        return 0;
    }
    bool no_route = err.kind == ERR_NOT_FOUND || err.kind == ERR_NOT_USABLE;
    *failure = failure_new(no_route ? FAILURE_NO_ROUTE : FAILURE_SPAWN,
                           no_route ? FAILURE_PERMANENT : FAILURE_ORDINARY, "--by %s: %s",
                           choice->options->by, err.text);
    return no_route ? 0 : -1;
}

int choice_make(struct choice *choice, const struct jq_input *input, struct failure **failure)
{
    choice->count = 0;
    int chosen =
        choice->by ? match_name(choice, input, failure) : match_predicates(choice, input, failure);
    if (chosen < 0)
        return -1;
    if (!choice->count && choice->otherwise) {
        match(choice, choice->otherwise);
        failure_free(*failure);
        *failure = NULL;
    }
    if (!choice->count && !*failure)
        *failure = failure_new(FAILURE_NO_ROUTE, FAILURE_PERMANENT, "no predicate selects it");
    choice->unrouted += !choice->count;
    return 0;
}

/* ---- counts ---- */

/* These lines were asked for: they are said with --quiet, too. */
static void tell_branch(uint64_t matched, uint64_t dead, uint64_t dropped, const char *branch,
                        const char *function)
{
    struct buf line = {0};
    buf_addf(&line, "%" PRIu64 " event%s", matched, matched == 1 ? "" : "s");
    if (dead)
        buf_addf(&line, ", %" PRIu64 " dead", dead);
    if (dropped)
        buf_addf(&line, ", %" PRIu64 " dropped", dropped);
    buf_addf(&line, ": %s", branch);
    if (function)
        buf_addf(&line, " -> %s", function);
    msg_error("%s", buf_cstr(&line));
    buf_free(&line);
}

static void tell_list(const struct route_list *list, const char *note)
{
    struct buf branch = {0};
    for (size_t i = 0; i < list->count; i++) {
        const struct route *route = list->items[i];
        buf_clear(&branch);
        buf_addf(&branch, "%s%s", route->predicate, note);
        tell_branch(route->matched, route->dead, route->dropped, buf_cstr(&branch),
                    route->function);
    }
    buf_free(&branch);
}

void choice_tell(struct choice *choice)
{
    const struct route *otherwise = choice->otherwise;
    if (choice->folder)
        tell_list(folder_routes(choice->folder), "");
    tell_list(&choice->routes.list, "");
    tell_list(&choice->routes.gone, " (no longer in the table)");
    if (otherwise)
        tell_branch(otherwise->matched, otherwise->dead, otherwise->dropped, "else",
                    otherwise->function);
    else
        tell_branch(choice->unrouted, 0, 0, "no route", NULL);
}
