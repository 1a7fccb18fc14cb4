/* jq.c: programs by libjq. */
#include "format/jq.h"

#include "base/mem.h"
#include "format/jq_digits.h"
#include "format/jq_guard.h"
#include "format/jq_lib.h"
#include "format/jq_library.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * What stands before every program, on its line. The first two hide the environment; any definition
 * makes import and include, which read files, syntax errors; stderr would write to ours; modulemeta
 * reads files; in libjq 1.6 implode of what is no code point ends the process.
 */
#define PREFIX                                                                                  \
    "{} as $ENV|def env:{};def stderr:.;def modulemeta:error(\"modulemeta is not available\");" \
    "def _fit_implode:implode;"                                                                 \
    "def implode:if type==\"array\" and all(.[];type==\"number\" and .>=0 and .<1114112) "      \
    "then _fit_implode else error(\"implode wants an array of code points\") end;"

enum { TEXT_IN_ERRORS = 80 }; /* bytes of the program that an error shows */

struct jq_lib {
    char *text;
    char *variable; /* NULL: none is given */
    jq_state *jq;   /* NULL until it is needed, and after it was abandoned */
    struct jq_digits digits;
    bool lost_digits;
};

static const struct jq_library *libjq; /* NULL until the first program is compiled */

/* ---- errors ---- */

static int program_error(const struct jq_lib *lib, struct err *err, enum err_kind kind,
                         const char *what, struct str cause)
{
    bool cut = strlen(lib->text) > TEXT_IN_ERRORS;

    return err_set(err, kind, "jq '%.*s%s': %s%.*s", TEXT_IN_ERRORS, lib->text, cut ? "..." : "",
                   what, (int)(cause.len < INT_MAX ? cause.len : INT_MAX),
                   cause.len ? cause.data : "");
}

/* Borrows value. */
static bool is_valid(jv value)
{
    return libjq->jv_get_kind(value) != JV_KIND_INVALID;
}

/* The bytes of a string, as long as it lives. */
static struct str bytes_of(jv string)
{
    return (struct str){libjq->jv_string_value(string),
                        (size_t)libjq->jv_string_length_bytes(libjq->jv_copy(string))};
}

/* Consumes message, an error value of any type. */
static int value_error(const struct jq_lib *lib, struct err *err, const char *what, jv message)
{
    jv text =
        libjq->jv_get_kind(message) == JV_KIND_STRING ? message : libjq->jv_dump_string(message, 0);

    program_error(lib, err, ERR_INPUT, what, bytes_of(text));
    libjq->jv_free(text);
    return -1;
}

static int limit_error(const struct jq_lib *lib, struct err *err, enum jq_guard_end why)
{
    static const char *const reasons[] = {
        [JQ_GUARD_OK] = "was stopped",
        [JQ_GUARD_TIME] = "the event took too much processor time",
        [JQ_GUARD_MEMORY] = "the event took too much memory",
        [JQ_GUARD_STACK] = "a value is nested too deeply",
    };

    return program_error(lib, err, ERR_LIMIT, reasons[why], (struct str){0});
}

/* ---- compiling with libjq ---- */

static jv no_more_inputs(jq_state *jq, void *unused)
{
    (void)jq;
    (void)unused;
    return libjq->jv_invalid();
}

/* Keep the first message of the compiler. */
static void note_message(void *context, jv message)
{
    struct buf *first = context;

    if (first->len == 0 && libjq->jv_get_kind(message) == JV_KIND_STRING)
        buf_puts(first, libjq->jv_string_value(message));
    libjq->jv_free(message);
}

/*
 * The cause in "jq: error: syntax error, unexpected ... (Unix shell quoting issues?) at
 * <top-level>, line 1:\n...". The place is told only for a program of several lines: columns would
 * count the prefix.
 */
static void compile_error(const struct jq_lib *lib, struct buf *message, struct err *err)
{
    const char *text = buf_cstr(message);
    size_t len = strcspn(text, "\n");
    const char *cut;

    if (strncmp(text, "jq: error: ", 11) == 0) {
        text += 11;
        len -= 11;
    }
    cut = memmem(text, len, " (Unix shell quoting", 20);
    if (!cut)
        cut = memmem(text, len, " at <top-level>", 15);
    if (cut && !strchr(lib->text, '\n'))
        len = (size_t)(cut - text);
    while (len && (text[len - 1] == ':' || text[len - 1] == ' '))
        len--;
    program_error(lib, err, ERR_USAGE, "",
                  (struct str){len ? text : "is not a jq program", len ? len : 19});
}

static int load(const struct jq_lib *lib, struct err *err)
{
    struct err why;

    libjq = jq_library(&why);
    return libjq ? 0 : program_error(lib, err, ERR_NOT_USABLE, "", str_of(why.text));
}

int jq_lib_compile(struct jq_lib *lib, struct err *err)
{
    static char home[] = "HOME=/dev/null"; /* libjq reads ~/.jq, which could redefine anything */
    char *nowhere[] = {home, NULL};
    char **environment = environ;
    struct buf source = {0};
    struct buf message = {0};
    bool compiled = false;
    jq_state *jq;

    if (!libjq && load(lib, err) != 0)
        return -1;
    buf_puts(&source, PREFIX);
    if (lib->variable) /* in front only, so that no text of the user can get out of it; the blank
                          keeps a text that begins with "=" from making "|=" */
        buf_addf(&source, ".[1] as $%s|.[0]| ", lib->variable);
    buf_puts(&source, str_trim(str_of(lib->text)).len ? lib->text : ".");
    environ = nowhere;
    jq = libjq->jq_init();
    if (jq) {
        /* All of these, because 1.6 leaves them uninitialised. */
        libjq->jq_set_error_cb(jq, note_message, &message);
        libjq->jq_set_input_cb(jq, no_more_inputs, NULL);
        libjq->jq_set_debug_cb(jq, NULL, NULL);
        libjq->jq_set_nomem_handler(jq, jq_guard_no_memory, NULL);
        libjq->jq_set_attr(jq, libjq->jv_string("JQ_LIBRARY_PATH"), libjq->jv_array());
        compiled = libjq->jq_compile_args(jq, buf_cstr(&source), libjq->jv_object());
        libjq->jq_set_error_cb(jq, NULL, NULL);
    }
    environ = environment;
    if (compiled) {
        lib->jq = jq;
    } else {
        compile_error(lib, &message, err);
        libjq->jq_teardown(&jq);
    }
    buf_free(&source);
    buf_free(&message);
    return compiled ? 0 : -1;
}

/* ---- running with libjq ---- */

struct run {
    struct jq_lib *lib;
    struct str event, given;
    int (*emit)(void *context, struct str json); /* NULL: the truth of the first output is wanted */
    void *context;
    struct err *err;
    size_t outputs;
    size_t bytes;
    bool truth;
    int result;
};

static void stop_run(void *context)
{
    jq_state *jq = context;

    if (!libjq->jq_halted(jq))
        libjq->jq_halt(jq, libjq->jv_null(), libjq->jv_null());
}

static jv parse(struct str event)
{
    jv_parser *parser = libjq->jv_parser_new(0);
    jv value;

    /* jv_parse would put the event into its error */
    libjq->jv_parser_set_buf(parser, event.data, (int)event.len, 0);
    value = libjq->jv_parser_next(parser);
    libjq->jv_parser_free(parser);
    return value;
}

/*
 * What the program runs on. With a variable that is a pair, made of two values that were parsed
 * each by itself: as one text they would be nested deeper by one.
 */
static jv parse_input(const struct run *run)
{
    jv event = parse(run->event);
    jv given;

    if (!run->lib->variable || !is_valid(event))
        return event;
    given = parse(run->given);
    if (is_valid(given))
        return libjq->jv_array_append(libjq->jv_array_append(libjq->jv_array(), event), given);
    libjq->jv_free(event);
    return given;
}

/* An output on its way to the caller. Returns non-zero to end the run. */
static int hand_out(struct run *run, struct str json)
{
    struct jq_lib *lib = run->lib;
    struct json_scan scan;

    /* Nested beyond what we read, or a string of surrogates out of implode. */
    if (json_scan(json, NULL, NULL, &scan) != 0) {
        run->result = program_error(lib, run->err, ERR_INPUT,
                                    "the output is not valid JSON: ", str_of(scan.reason));
        return 1;
    }
    if (!lib->lost_digits) {
        if (run->outputs == 1) {
            jq_digits_clear(&lib->digits);
            jq_digits_note(&lib->digits, run->event);
            if (lib->variable)
                jq_digits_note(&lib->digits, run->given);
        }
        lib->lost_digits = jq_digits_lost(&lib->digits, json);
    }
    return run->emit(run->context, json);
}

/* Consumes output. Returns non-zero to end the run. */
static int take_output(struct run *run, jv output)
{
    struct jq_lib *lib = run->lib;
    struct str json;
    jv text;
    int stop;

    run->outputs++;
    if (!run->emit) {
        run->truth = libjq->jv_get_kind(output) != JV_KIND_FALSE &&
                     libjq->jv_get_kind(output) != JV_KIND_NULL;
        libjq->jv_free(output);
        return 1;
    }
    text = libjq->jv_dump_string(output, 0);
    json = bytes_of(text);
    run->bytes += json.len;
    if (run->outputs > JQ_OUTPUTS || run->bytes > JQ_OUTPUT_BYTES) {
        libjq->jv_free(text);
        run->result = program_error(lib, run->err, ERR_LIMIT, "the event gives too much output",
                                    (struct str){0});
        return 1;
    }
    jq_guard_pause();
    stop = hand_out(run, json);
    jq_guard_resume();
    libjq->jv_free(text);
    return stop;
}

/* The end of the outputs: none are left, an error, or the program has halted. Consumes last. */
static void end_run(struct run *run, jv last)
{
    jq_state *jq = run->lib->jq;

    if (libjq->jq_halted(jq)) {
        jv code = libjq->jq_get_exit_code(jq);

        libjq->jv_free(last);
        /* halt_error; plain halt only ends the outputs */
        if (libjq->jv_get_kind(code) == JV_KIND_NUMBER)
            run->result =
                value_error(run->lib, run->err, "halt_error: ", libjq->jq_get_error_message(jq));
        libjq->jv_free(code);
    } else if (libjq->jv_invalid_has_msg(libjq->jv_copy(last))) {
        run->result = value_error(run->lib, run->err, "", libjq->jv_invalid_get_msg(last));
    } else {
        libjq->jv_free(last);
    }
}

static void run_event(struct run *run)
{
    jq_state *jq = run->lib->jq;
    jv value = parse_input(run);

    if (!is_valid(value)) {
        value = libjq->jv_invalid_get_msg(value); /* null for no message */
        run->result = value_error(run->lib, run->err, "libjq cannot read the event: ", value);
        return;
    }
    libjq->jq_start(jq, value, 0);
    for (;;) {
        jv output = libjq->jq_next(jq);

        if (!is_valid(output)) {
            end_run(run, output);
            return;
        }
        if (take_output(run, output) != 0)
            return;
    }
}

/* Free what an ended run has left; until the halt, libjq 1.6 and 1.7 would free the message of
 * halt_error twice. */
static void scrub(struct run *run)
{
    jq_state *jq = run->lib->jq;

    libjq->jq_start(jq, libjq->jv_null(), 0);
    libjq->jq_halt(jq, libjq->jv_null(), libjq->jv_null());
}

static void tear_down(struct run *run)
{
    libjq->jq_teardown(&run->lib->jq);
}

/* Do step of the run under guard. A run that had to be jumped out of costs the program its libjq
 * state, which leaks. */
static enum jq_guard_end guarded(struct run *run, void (*step)(struct run *run))
{
    sigjmp_buf escape;

    if (sigsetjmp(escape, 0) == 0) {
        jq_guard_begin(&escape, stop_run, run->lib->jq);
        step(run);
    } else {
        run->lib->jq = NULL;
    }
    return jq_guard_finish();
}

static int run_libjq(struct run *run)
{
    struct jq_lib *lib = run->lib;
    enum jq_guard_end why;

    if (run->event.len > INT_MAX || run->given.len > INT_MAX)
        return program_error(lib, run->err, ERR_LIMIT, "the event is too large for libjq",
                             (struct str){0});
    if (!lib->jq && jq_lib_compile(lib, run->err) != 0)
        return -1;
    why = guarded(run, run_event);
    if (lib->jq && libjq->jq_halted(lib->jq))
        guarded(run, scrub);
    if (why != JQ_GUARD_OK)
        return limit_error(lib, run->err, why);
    return run->result;
}

/* ---- the module ---- */

struct jq_lib *jq_lib_new(const char *text, const char *variable)
{
    struct jq_lib *lib = mem_zalloc(sizeof(*lib));

    lib->text = mem_strdup(text);
    lib->variable = variable ? mem_strdup(variable) : NULL;
    return lib;
}

void jq_lib_free(struct jq_lib *lib)
{
    if (!lib)
        return;
    if (lib->jq)
        guarded(&(struct run){.lib = lib}, tear_down);
    jq_digits_free(&lib->digits);
    free(lib->variable);
    free(lib->text);
    free(lib);
}

int jq_lib_each(struct jq_lib *lib, struct str event, struct str given,
                int (*emit)(void *context, struct str json), void *context, struct err *err)
{
    struct run run = {
        .lib = lib, .event = event, .given = given, .emit = emit, .context = context, .err = err};

    return run_libjq(&run);
}

int jq_lib_matches(struct jq_lib *lib, struct str event, struct err *err)
{
    struct run run = {.lib = lib, .event = event, .err = err};

    return run_libjq(&run) == 0 ? run.truth : -1;
}

bool jq_lib_lost_digits(const struct jq_lib *lib)
{
    return lib->lost_digits;
}
