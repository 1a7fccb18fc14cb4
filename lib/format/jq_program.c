/* jq_program.c: a jq program, run natively where that is exact and by libjq elsewhere. */
#include "format/jq.h"

#include "base/mem.h"
#include "format/jq_lib.h"
#include "format/jq_native.h"

#include <stdlib.h>

struct jq_program {
    char *text;
    struct jq_native *native; /* NULL: libjq only */
    struct json_paths *paths; /* of the native form, when the caller gave no set */
    struct json_value *values;
    struct jq_lib *lib;
    struct buf line; /* an element without its line breaks */
    bool forced;
    uint64_t declined;
};

/* ---- programs ---- */

/* Look the paths of the native form up by a scan of its own. -1: they are more than a set holds. */
static int bind_alone(struct jq_program *program)
{
    program->paths = json_paths_new();
    if (jq_native_bind(program->native, program->paths) != 0)
        return -1;
    program->values = mem_array(json_paths_count(program->paths), sizeof(*program->values));
    return 0;
}

/* Give the program its native form, if it has one. When the shared set is full it scans by itself.
 */
static void make_native(struct jq_program *program, struct json_paths *paths)
{
    struct str text = str_trim(str_of(program->text));

    program->native = jq_native_parse(text.len ? text : STR("."));
    if (!program->native || (paths && jq_native_bind(program->native, paths) == 0))
        return;
    if (bind_alone(program) != 0) {
        jq_native_free(program->native);
        program->native = NULL;
    }
}

static struct jq_program *compile(const char *text, const char *variable, struct json_paths *paths,
                                  struct err *err)
{
    struct jq_program *program = mem_zalloc(sizeof(*program));

    program->text = mem_strdup(text);
    program->lib = jq_lib_new(text, variable);
    make_native(program, paths);
    if (!program->native && jq_lib_compile(program->lib, err) != 0) {
        jq_free(program);
        return NULL;
    }
    return program;
}

struct jq_program *jq_compile(const char *text, struct json_paths *paths, struct err *err)
{
    return compile(text, NULL, paths, err);
}

/* The native form knows no variables: what has one does not ask for its value. */
struct jq_program *jq_compile_given(const char *text, const char *variable, struct err *err)
{
    return compile(text, variable, NULL, err);
}

void jq_free(struct jq_program *program)
{
    if (!program)
        return;
    jq_lib_free(program->lib);
    jq_native_free(program->native);
    json_paths_free(program->paths);
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
    return jq_lib_lost_digits(program->lib);
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

static int each(struct jq_program *program, const struct jq_input *input, struct str given,
                int (*emit)(void *context, struct str json), void *context, struct err *err)
{
    struct line line = {program, emit, context};
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
    return jq_lib_each(program->lib, input->text, given, emit, context, err);
}

int jq_each(struct jq_program *program, const struct jq_input *input,
            int (*emit)(void *context, struct str json), void *context, struct err *err)
{
    return each(program, input, (struct str){0}, emit, context, err);
}

int jq_each_given(struct jq_program *program, struct str input, struct str given,
                  int (*emit)(void *context, struct str json), void *context, struct err *err)
{
    return each(program, &(struct jq_input){.text = input}, given, emit, context, err);
}

static int note_truth(void *context, struct str json)
{
    bool *truth = context;

    *truth = jq_truth(json_type_of(json));
    return 1;
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
    return jq_lib_matches(program->lib, input->text, err);
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
