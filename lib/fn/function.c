/* function.c: functions: opened by scheme, called, cancelled, closed. */
#include "fn/function.h"

#include "base/list.h"
#include "base/mem.h"
#include "fn/gate.h"
#include "fn/kind.h"
#include "fn/limits.h"
#include "fn/words.h"
#include "sys/spawn.h"

#include <stdlib.h>

const struct fn_settings fn_defaults = {
    .jobs = 1,
    .grace = INT64_C(2000000000),
    .backoff_base = INT64_C(100000000),
    .backoff_cap = INT64_C(30000000000),
    .max_result = 16 * 1024 * 1024,
};

static const struct fn_kind *const kinds[] = {&lines_kind,  &lambda_kind, &file_kind, &queue_kind,
                                              &topic_kind,  &warm_kind,   &http_kind, &https_kind,
                                              &stdout_kind, &exec_kind};

/* The last kind has no scheme and takes what is left. */
static const struct fn_kind *kind_of(const char *word)
{
    size_t i = 0;
    for (; kinds[i]->scheme[0]; i++) {
        const char *scheme = kinds[i]->scheme;
        size_t len = strlen(scheme);
        bool alone = strcmp(scheme, "-") == 0; /* it must be the whole word */
        if (strncmp(word, scheme, len) == 0 && (!alone || word[len] == '\0'))
            break;
    }
    return kinds[i];
}

/* Does the word begin as a scheme does ("queue:alerts"), so that no program was meant? */
static bool has_scheme(const char *word)
{
    size_t len = 0;
    while ((word[len] >= 'a' && word[len] <= 'z') || (len && word[len] >= '0' && word[len] <= '9'))
        len++;
    return len > 1 && word[len] == ':';
}

/* The scheme that was meant ("line:" for "lines:"), or NULL. */
static const char *nearest_scheme(const char *written)
{
    const char *best = NULL;
    size_t best_distance = strlen(written) / 3 + 2;
    for (size_t i = 0; kinds[i]->scheme[0]; i++) {
        const char *scheme = kinds[i]->scheme;
        size_t distance = strcmp(scheme, "-") ? str_distance(written, scheme) : best_distance;
        if (distance < best_distance) {
            best = scheme;
            best_distance = distance;
        }
    }
    return best;
}

static int unknown_scheme(const struct fn *fn, struct err *err)
{
    struct buf written = {0};
    size_t len = strcspn(fn->words[0], ":") + 1;
    buf_add(&written, fn->words[0], len + strspn(fn->words[0] + len, "/"));
    const char *nearest = nearest_scheme(buf_cstr(&written));
    err_set(err, ERR_USAGE, "'%s': unknown scheme '%s'%s%s%s, and no program of that name",
            fn->name, buf_cstr(&written), nearest ? " (did you mean " : "", nearest ? nearest : "",
            nearest ? "?)" : "");
    buf_free(&written);
    return -1;
}

/* Resolve the program, unless it depends on the event. */
static int find_program(struct fn *fn, struct err *err)
{
    if (!fn->settings.literal) {
        fn->template = template_new(fn->words, fn->word_count, err);
        if (!fn->template)
            return -1;
        if (template_is_literal(fn->template)) {
            template_free(fn->template);
            fn->template = NULL;
        }
    }
    fn->program = spawn_resolve(fn->words[0], fn->context->path, err);
    if (fn->program && fn->template && fn->kind->workers)
        return err_set(
            err, ERR_USAGE,
            "'%s': a worker's words hold no placeholders (--literal takes them as they are)",
            fn->name);
    if (fn->program)
        return 0;
    return err->kind == ERR_NOT_FOUND && has_scheme(fn->words[0]) ? unknown_scheme(fn, err) : -1;
}

struct fn *fn_open(struct fn_context *context, const struct fn_settings *settings,
                   char *const *words, size_t count, struct err *err)
{
    struct fn *fn = mem_zalloc(sizeof *fn);
    fn->context = context;
    fn->settings = *settings;
    const struct fn_fault *fault = &fn->settings.fault;
    fn->kind = kind_of(words[0]);
    if (fn->kind == &queue_kind && settings->replies)
        fn->kind = &request_kind;
    fn->putable = fn->kind->put && !fault->delay && fault->fail <= 0 && fault->crash <= 0 &&
                  !settings->policy;
    fn->name = words_join(words, count);
    fn->words = words_dup(words, count);
    fn->word_count = count;
    size_t scheme = fn->kind->whole ? 0 : strlen(fn->kind->scheme);
    memmove(fn->words[0], fn->words[0] + scheme, strlen(fn->words[0]) - scheme + 1);
    if (fn->kind != &stdout_kind && !fn->words[0][0]) {
        err_set(err, ERR_USAGE, "'%s': names nothing", fn->name);
        goto fail;
    }
    if (fn->kind->sink && count > 1) {
        err_set(err, ERR_USAGE, "'%s': takes no further words", fn->name);
        goto fail;
    }
    if (fn->kind->program && find_program(fn, err) < 0)
        goto fail;
    if (settings->limits)
        fn->limits = limits_new(settings->limits, settings->jobs);
    if (fn->kind->open(fn, err) < 0)
        goto fail;
    if (settings->policy)
        fn->gate = gate_new(fn, settings->policy);
    return fn;

fail:
    fn->kind = NULL;
    fn_free(fn);
    return NULL;
}

struct fn *fn_open_string(struct fn_context *context, const struct fn_settings *settings,
                          const char *text, struct err *err)
{
    size_t count;
    char **words = words_split(text, &count, err);
    if (!words)
        return NULL;
    struct fn *fn = fn_open(context, settings, words, count, err);
    words_free(words);
    return fn;
}

void fn_free(struct fn *fn)
{
    if (!fn)
        return;
    gate_free(fn->gate);
    if (fn->kind)
        fn->kind->free(fn);
    limits_free(fn->limits);
    template_free(fn->template);
    free(fn->program);
    free(fn->name);
    words_free(fn->words);
    free(fn);
}

const char *fn_name(const struct fn *fn)
{
    return fn->name;
}

bool fn_is_sink(const struct fn *fn)
{
    return fn->kind->sink;
}

bool fn_is_silent(const struct fn *fn)
{
    return fn->kind->silent;
}

int fn_string_is_silent(const char *text, struct err *err)
{
    size_t count;
    char **words = words_split(text, &count, err);
    if (!words)
        return -1;
    int silent = count && kind_of(words[0])->silent;
    words_free(words);
    return silent;
}

bool fn_wants_id(const struct fn *fn)
{
    return fn->kind->wants_id;
}

void fn_close(struct fn *fn, void (*closed)(void *owner), void *owner)
{
    fn->closed = closed;
    fn->closed_owner = owner;
    fn->kind->close(fn);
}

void fn_closed(struct fn *fn)
{
    fn->closed(fn->closed_owner);
}

void fn_call(struct fn *fn, struct fn_call *call)
{
    call->fn = fn;
    attempt_admit(fn, call);
}

bool fn_put(struct fn *fn, struct fn_put *put, struct str line)
{
    if (!fn->putable || fn->cancelled || fn->waiting.count || fn->context->attempted ||
        !fn->kind->has_slot(fn) || !fn->kind->put(fn, put, line))
        return false;
    fn->context->attempts++;
    return true;
}

bool fn_has_room(const struct fn *fn)
{
    if (fn->gate)
        return gate_has_room(fn->gate);
    unsigned buffer = fn->settings.buffer ? fn->settings.buffer : fn->settings.jobs;
    return fn->waiting.count < buffer || fn->kind->has_slot(fn);
}

bool fn_has_slot(const struct fn *fn)
{
    return !fn->waiting.count && !fn->aside.count && fn->kind->has_slot(fn) &&
           (!fn->gate || gate_has_room(fn->gate));
}

void fn_prepare(struct fn *fn)
{
    if (fn->kind->prepare)
        fn->kind->prepare(fn);
    else if (fn->context->prepared)
        fn->context->prepared(fn->context->owner, fn);
}

struct fn_workers fn_workers(const struct fn *fn)
{
    return fn->kind->workers ? fn->kind->workers(fn) : (struct fn_workers){0};
}

void fn_flush(struct fn *fn)
{
    if (fn->kind->flush)
        fn->kind->flush(fn);
}

void fn_press(struct fn *fn)
{
    if (fn->kind->press)
        fn->kind->press(fn);
    else
        fn_flush(fn);
}

void fn_cancel(struct fn *fn, enum failure_reason reason, bool now)
{
    fn->cancelled = true;
    fn->cancel_reason = reason;
    attempt_cancel_idle(fn);
    fn->kind->cancel(fn, reason, now);
}

void fn_kept_end(struct fn_kept *kept, bool used)
{
    while (kept) {
        struct fn_kept *next = kept->next;
        kept->fn->kind->unkeep(kept->fn, kept, used);
        kept = next;
    }
}

void fn_list_append(struct fn_list *list, struct fn_call *call)
{
    LIST_APPEND(list, call);
    list->count++;
}

void fn_list_prepend(struct fn_list *list, struct fn_call *call)
{
    LIST_PREPEND(list, call);
    list->count++;
}

void fn_list_replace(struct fn_list *list, struct fn_call *call, struct fn_call *by)
{
    by->next = call->next;
    by->prev = call->prev;
    *(by->prev ? &by->prev->next : &list->first) = by;
    *(by->next ? &by->next->prev : &list->last) = by;
    call->next = call->prev = NULL;
}

void fn_list_remove(struct fn_list *list, struct fn_call *call)
{
    LIST_REMOVE(list, call);
    call->next = call->prev = NULL;
    list->count--;
}
