/* jq.c: jq programs by libjq, where the native form does not do. The only file that sees libjq's
 * jq.h. */
#include "format/jq.h"

#include "base/mem.h"
#include "format/jq_digits.h"
#include "format/jq_guard.h"
#include "format/jq_native.h"

#define jq_compile                                                                                \
    jq_compile_of_libjq /* its declaration would collide with ours; jq_compile_args does the same \
                         */
#include <jq.h>
#undef jq_compile

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
    "def implode:if type==\"array\" and all(.[];type==\"number\" and .>=0 and .<1114112) then " \
    "_fit_implode "                                                                             \
    "else error(\"implode wants an array of code points\") end;"

enum { TEXT_IN_ERRORS = 80 }; /* bytes of the program that an error shows */

struct jq_program {
    char *text;
    struct jq_native *native; /* NULL: libjq only */
    struct json_paths *paths; /* of the native form, when the caller gave no set */
    struct json_value *values;
    jq_state *jq; /* NULL until libjq is needed, and after it was abandoned */
    struct jq_digits digits;
    struct buf line; /* an element without its line breaks */
    bool lost_digits;
    bool forced;
    uint64_t declined;
};

/* ---- errors ---- */

static int program_error(const struct jq_program *program, struct err *err, enum err_kind kind,
                         const char *what, struct str cause)
{
    bool cut = strlen(program->text) > TEXT_IN_ERRORS;

    return err_set(err, kind, "jq '%.*s%s': %s%.*s", TEXT_IN_ERRORS, program->text,
                   cut ? "..." : "", what, (int)(cause.len < INT_MAX ? cause.len : INT_MAX),
                   cause.len ? cause.data : "");
}

/* Consumes message, an error value of any type. */
static int value_error(const struct jq_program *program, struct err *err, const char *what,
                       jv message)
{
    jv text = jv_get_kind(message) == JV_KIND_STRING ? message : jv_dump_string(message, 0);

    program_error(
        program, err, ERR_INPUT, what,
        (struct str){jv_string_value(text), (size_t)jv_string_length_bytes(jv_copy(text))});
    jv_free(text);
    return -1;
}

static int limit_error(const struct jq_program *program, struct err *err, enum jq_guard_end why)
{
    static const char *const reasons[] = {
        [JQ_GUARD_OK] = "was stopped",
        [JQ_GUARD_TIME] = "the event took too much processor time",
        [JQ_GUARD_MEMORY] = "the event took too much memory",
        [JQ_GUARD_STACK] = "a value is nested too deeply",
    };

    return program_error(program, err, ERR_LIMIT, reasons[why], (struct str){0});
}

/* ---- compiling with libjq ---- */

static jv no_more_inputs(jq_state *jq, void *unused)
{
    (void)jq;
    (void)unused;
    return jv_invalid();
}

/* Keep the first message of the compiler. */
static void note_message(void *context, jv message)
{
    struct buf *first = context;

    if (first->len == 0 && jv_get_kind(message) == JV_KIND_STRING)
        buf_puts(first, jv_string_value(message));
    jv_free(message);
}

/*
 * The cause in "jq: error: syntax error, unexpected ... (Unix shell quoting issues?) at
 * <top-level>, line 1:\n...". The place is told only for a program of several lines: columns would
 * count the prefix.
 */
static void compile_error(const struct jq_program *program, struct buf *message, struct err *err)
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
    if (cut && !strchr(program->text, '\n'))
        len = (size_t)(cut - text);
    while (len && (text[len - 1] == ':' || text[len - 1] == ' '))
        len--;
    program_error(program, err, ERR_USAGE, "",
                  (struct str){len ? text : "is not a jq program", len ? len : 19});
}

static int compile(struct jq_program *program, struct err *err)
{
    static char home[] = "HOME=/dev/null"; /* libjq reads ~/.jq, which could redefine anything */
    char *nowhere[] = {home, NULL};
    char **environment = environ;
    struct buf source = {0};
    struct buf message = {0};
    bool compiled = false;
    jq_state *jq;

    buf_puts(&source, PREFIX);
    buf_puts(&source, str_trim(str_of(program->text)).len ? program->text : ".");
    environ = nowhere;
    jq = jq_init();
    if (jq) {
        /* All of these, because 1.6 leaves them uninitialised. */
        jq_set_error_cb(jq, note_message, &message);
        jq_set_input_cb(jq, no_more_inputs, NULL);
        jq_set_debug_cb(jq, NULL, NULL);
        jq_set_nomem_handler(jq, jq_guard_no_memory, NULL);
        jq_set_attr(jq, jv_string("JQ_LIBRARY_PATH"), jv_array());
        compiled = jq_compile_args(jq, buf_cstr(&source), jv_object());
        jq_set_error_cb(jq, NULL, NULL);
    }
    environ = environment;
    if (compiled) {
        program->jq = jq;
    } else {
        compile_error(program, &message, err);
        jq_teardown(&jq);
    }
    buf_free(&source);
    buf_free(&message);
    return compiled ? 0 : -1;
}

/* ---- running with libjq ---- */

struct run {
    struct jq_program *program;
    struct str event;
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

    if (!jq_halted(jq))
        jq_halt(jq, jv_null(), jv_null());
}

static jv parse_event(struct str event)
{
    jv_parser *parser = jv_parser_new(0);
    jv value;

    jv_parser_set_buf(parser, event.data, (int)event.len,
                      0); /* jv_parse would put the event into its error */
    value = jv_parser_next(parser);
    jv_parser_free(parser);
    return value;
}

/* An output on its way to the caller. Returns non-zero to end the run. */
static int hand_out(struct run *run, struct str json)
{
    struct jq_program *program = run->program;
    struct json_scan scan;

    /* Nested beyond what we read, or a string of surrogates out of implode. */
    if (json_scan(json, NULL, NULL, &scan) != 0) {
        run->result = program_error(program, run->err, ERR_INPUT,
                                    "the output is not valid JSON: ", str_of(scan.reason));
        return 1;
    }
    if (!program->lost_digits) {
        if (run->outputs == 1)
            jq_digits_note(&program->digits, run->event);
        program->lost_digits = jq_digits_lost(&program->digits, json);
    }
    return run->emit(run->context, json);
}

/* Consumes output. Returns non-zero to end the run. */
static int take_output(struct run *run, jv output)
{
    struct jq_program *program = run->program;
    struct str json;
    jv text;
    int stop;

    run->outputs++;
    if (!run->emit) {
        run->truth = jv_get_kind(output) != JV_KIND_FALSE && jv_get_kind(output) != JV_KIND_NULL;
        jv_free(output);
        return 1;
    }
    text = jv_dump_string(output, 0);
    json = (struct str){jv_string_value(text), (size_t)jv_string_length_bytes(jv_copy(text))};
    run->bytes += json.len;
    if (run->outputs > JQ_OUTPUTS || run->bytes > JQ_OUTPUT_BYTES) {
        jv_free(text);
        run->result = program_error(program, run->err, ERR_LIMIT, "the event gives too much output",
                                    (struct str){0});
        return 1;
    }
    jq_guard_pause();
    stop = hand_out(run, json);
    jq_guard_resume();
    jv_free(text);
    return stop;
}

/* The end of the outputs: none are left, an error, or the program has halted. Consumes last. */
static void end_run(struct run *run, jv last)
{
    jq_state *jq = run->program->jq;

    if (jq_halted(jq)) {
        jv code = jq_get_exit_code(jq);

        jv_free(last);
        if (jv_get_kind(code) == JV_KIND_NUMBER) /* halt_error; plain halt only ends the outputs */
            run->result =
                value_error(run->program, run->err, "halt_error: ", jq_get_error_message(jq));
        jv_free(code);
    } else if (jv_invalid_has_msg(jv_copy(last))) {
        run->result = value_error(run->program, run->err, "", jv_invalid_get_msg(last));
    } else {
        jv_free(last);
    }
}

static void run_event(struct run *run)
{
    jq_state *jq = run->program->jq;
    jv value = parse_event(run->event);

    if (!jv_is_valid(value)) {
        value = jv_invalid_get_msg(value); /* null for no message */
        run->result = value_error(run->program, run->err, "libjq cannot read the event: ", value);
        return;
    }
    jq_start(jq, value, 0);
    for (;;) {
        jv output = jq_next(jq);

        if (!jv_is_valid(output)) {
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
    jq_state *jq = run->program->jq;

    jq_start(jq, jv_null(), 0);
    jq_halt(jq, jv_null(), jv_null());
}

static void tear_down(struct run *run)
{
    jq_teardown(&run->program->jq);
}

/* Do step of the run under guard. A run that had to be jumped out of costs the program its libjq
 * state, which leaks. */
static enum jq_guard_end guarded(struct run *run, void (*step)(struct run *run))
{
    sigjmp_buf escape;

    if (sigsetjmp(escape, 0) == 0) {
        jq_guard_begin(&escape, stop_run, run->program->jq);
        step(run);
    } else {
        run->program->jq = NULL;
    }
    return jq_guard_finish();
}

static int run_libjq(struct run *run)
{
    struct jq_program *program = run->program;
    enum jq_guard_end why;

    if (run->event.len > INT_MAX)
        return program_error(program, run->err, ERR_LIMIT, "the event is too large for libjq",
                             (struct str){0});
    if (!program->jq && compile(program, run->err) != 0)
        return -1;
    why = guarded(run, run_event);
    if (program->jq && jq_halted(program->jq))
        guarded(run, scrub);
    if (why != JQ_GUARD_OK)
        return limit_error(program, run->err, why);
    return run->result;
}

/* ---- programs ---- */

/* Give the program its native form, if it has one that fits into the paths. */
static void make_native(struct jq_program *program, struct json_paths *paths)
{
    struct str text = str_trim(str_of(program->text));

    program->native = jq_native_parse(text.len ? text : STR("."));
    if (!program->native)
        return;
    if (!paths)
        paths = program->paths = json_paths_new();
    if (jq_native_bind(program->native, paths) != 0) {
        jq_native_free(program->native);
        program->native = NULL;
    } else if (program->paths) {
        program->values = mem_array(json_paths_count(program->paths), sizeof(*program->values));
    }
}

struct jq_program *jq_compile(const char *text, struct json_paths *paths, struct err *err)
{
    struct jq_program *program = mem_zalloc(sizeof(*program));

    program->text = mem_strdup(text);
    make_native(program, paths);
    if (!program->native && compile(program, err) != 0) {
        jq_free(program);
        return NULL;
    }
    return program;
}

void jq_free(struct jq_program *program)
{
    if (!program)
        return;
    if (program->jq)
        guarded(&(struct run){.program = program}, tear_down);
    jq_native_free(program->native);
    json_paths_free(program->paths);
    jq_digits_free(&program->digits);
    buf_free(&program->line);
    free(program->values);
    free(program->text);
    free(program);
}

const char *jq_text(const struct jq_program *program)
{
    return program->text;
}

bool jq_is_native(const struct jq_program *program)
{
    return program->native != NULL;
}

bool jq_lost_digits(const struct jq_program *program)
{
    return program->lost_digits;
}

void jq_force_libjq(struct jq_program *program, bool force)
{
    program->forced = force;
}

uint64_t jq_declined(const struct jq_program *program)
{
    return program->declined;
}

/* ---- events ---- */

/* The program's result by its native form; JQ_DECLINED also when it has none. */
static enum jq_result native_result(struct jq_program *program, const struct jq_input *input,
                                    struct json_value *value)
{
    const struct json_value *values = input->values;
    unsigned depth = input->depth;
    enum jq_result result = JQ_DECLINED;

    if (!program->native || program->forced)
        return JQ_DECLINED;
    if (program->paths) {
        struct json_scan scan;

        if (json_scan(input->text, program->paths, program->values, &scan) != 0)
            return JQ_DECLINED; /* libjq names the fault */
        values = program->values;
        depth = scan.depth;
    }
    if (depth <= JQ_NATIVE_DEPTH)
        result = jq_native_eval(program->native, values, value);
    program->declined += result == JQ_DECLINED;
    return result;
}

/* A part of the event, which may hold line breaks between its tokens, as one line. */
struct line {
    struct jq_program *program;
    int (*emit)(void *context, struct str json);
    void *context;
};

static int emit_line(void *context, struct str json)
{
    struct line *line = context;

    if (memchr(json.data, '\n', json.len) || memchr(json.data, '\r', json.len)) {
        buf_clear(&line->program->line);
        json_compact(json, &line->program->line);
        json = buf_str(&line->program->line);
    }
    return line->emit(line->context, json);
}

int jq_each(struct jq_program *program, const struct jq_input *input,
            int (*emit)(void *context, struct str json), void *context, struct err *err)
{
    struct line line = {program, emit, context};
    struct run run = {
        .program = program, .event = input->text, .emit = emit, .context = context, .err = err};
    struct json_value value;

    switch (native_result(program, input, &value)) {
    case JQ_NOTHING:
        return 0;
    case JQ_VALUE:
        emit_line(&line, value.text);
        return 0;
    case JQ_ELEMENTS:
        jq_native_elements(value.text, emit_line, &line);
        return 0;
    case JQ_DECLINED:
        break;
    }
    return run_libjq(&run);
}

static int note_truth(void *context, struct str json)
{
    bool *truth = context;

    *truth = jq_truth(json_type_of(json));
    return 1;
}

static int matches_by_libjq(struct jq_program *program, struct str event, struct err *err)
{
    struct run run = {.program = program, .event = event, .err = err};

    return run_libjq(&run) == 0 ? run.truth : -1;
}

int jq_matches(struct jq_program *program, const struct jq_input *input, struct err *err)
{
    struct json_value value;
    bool truth = false;

    switch (native_result(program, input, &value)) {
    case JQ_NOTHING:
        return 0;
    case JQ_VALUE:
        return jq_truth(value.type);
    case JQ_ELEMENTS:
        jq_native_elements(value.text, note_truth, &truth);
        return truth;
    case JQ_DECLINED:
        break;
    }
    return matches_by_libjq(program, input->text, err);
}

struct first {
    struct buf *out;
    bool found;
};

static int append_first(void *context, struct str json)
{
    struct first *first = context;

    buf_add_str(first->out, json);
    first->found = true;
    return 1;
}

int jq_first(struct jq_program *program, const struct jq_input *input, struct buf *out,
             struct err *err)
{
    struct first first = {out, false};

    if (jq_each(program, input, append_first, &first, err) != 0)
        return -1;
    return first.found;
}
