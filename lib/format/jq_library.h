/*
 * jq_library.h: libjq, opened with the first program that needs it. Internal to jq.c.
 *
 * With it, and the library of regular expressions that it needs, a start takes a third longer, and
 * most programs have a native form. The only file that includes its jq.h.
 */
#ifndef FIT_FORMAT_JQ_LIBRARY_H
#define FIT_FORMAT_JQ_LIBRARY_H

#include "base/err.h"

/* Its jq_compile would collide with ours; jq_compile_args does the same. */
#define jq_compile jq_compile_of_libjq
#include <jq.h>
#undef jq_compile

#define JQ_LIBRARY_FUNCTIONS(X) \
    X(jq_compile_args)          \
    X(jq_get_error_message)     \
    X(jq_get_exit_code)         \
    X(jq_halt)                  \
    X(jq_halted)                \
    X(jq_init)                  \
    X(jq_next)                  \
    X(jq_set_attr)              \
    X(jq_set_debug_cb)          \
    X(jq_set_error_cb)          \
    X(jq_set_input_cb)          \
    X(jq_set_nomem_handler)     \
    X(jq_start)                 \
    X(jq_teardown)              \
    X(jv_array)                 \
    X(jv_array_append)          \
    X(jv_copy)                  \
    X(jv_dump_string)           \
    X(jv_free)                  \
    X(jv_get_kind)              \
    X(jv_invalid)               \
    X(jv_invalid_get_msg)       \
    X(jv_invalid_has_msg)       \
    X(jv_null)                  \
    X(jv_object)                \
    X(jv_parser_free)           \
    X(jv_parser_new)            \
    X(jv_parser_next)           \
    X(jv_parser_set_buf)        \
    X(jv_string)                \
    X(jv_string_length_bytes)   \
    X(jv_string_value)

/* Its functions, each under its own name. */
struct jq_library {
#define X(name) __typeof__(name) *name;
    JQ_LIBRARY_FUNCTIONS(X)
#undef X
};

/* The same each time. NULL with ERR_NOT_USABLE when it is not installed. It stays loaded. */
const struct jq_library *jq_library(struct err *err);

#endif
