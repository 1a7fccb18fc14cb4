/* lambda_variables.c: what an environment of AWS Lambda is called, and its variables. */
#include "fn/lambda_variables.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "fn/limits.h"

#include <limits.h>
#include <stdlib.h>
#include <time.h>

#define REGION  "us-east-1"
#define ACCOUNT "000000000000"

enum {
    LAMBDA_VARIABLES = 16,  /* at most so many are added */
    LAMBDA_MEMORY_MB = 3008 /* said of a function whose memory is not limited */
};

static const char *inherited(const struct fn *fn, const char *name)
{
    size_t len = strlen(name);
    for (char *const *variable = fn->context->environment; *variable; variable++) {
        if (strncmp(*variable, name, len) == 0 && (*variable)[len] == '=')
            return *variable + len + 1;
    }
    return NULL;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Names of functions have these characters, and so do ARNs. */
static void restrict_name(char *name)
{
    for (; *name; name++) {
        if (!(*name >= 'a' && *name <= 'z') && !(*name >= 'A' && *name <= 'Z') &&
            !(*name >= '0' && *name <= '9') && *name != '-' && *name != '_')
            *name = '_';
    }
}

/* The folder of the program; that of the link, where it is one. */
static char *root_of(const char *program)
{
    char folder[PATH_MAX];
    struct buf path = {0};
    const char *slash = strrchr(program, '/');
    if (slash)
        buf_add(&path, program, slash == program ? 1 : (size_t)(slash - program));
    else
        buf_addc(&path, '.');
    const char *real = realpath(buf_cstr(&path), folder);
    char *root = mem_strdup(real ? real : buf_cstr(&path));
    buf_free(&path);
    return root;
}

void lambda_names_init(struct lambda_names *names, const struct fn *fn)
{
    const char *region = inherited(fn, "AWS_REGION");
    const char *name = inherited(fn, "AWS_LAMBDA_FUNCTION_NAME");
    struct buf arn = {0};
    names->root = root_of(fn->program);
    if (!name)
        name = base_name(fn->program);
    if (strcmp(name, "bootstrap") == 0 && *base_name(names->root))
        name = base_name(names->root);
    names->name = mem_strdup(name);
    restrict_name(names->name);
    names->region = mem_strdup(region ? region : REGION);
    buf_addf(&arn, "arn:aws:lambda:%s:%s:function:%s", names->region, ACCOUNT, names->name);
    names->arn = buf_take(&arn);
}

void lambda_names_free(struct lambda_names *names)
{
    free(names->name);
    free(names->root);
    free(names->arn);
    free(names->region);
}

struct variables {
    const struct fn *fn;
    char **list;
    size_t count;
};

/* Unless the user has set it. */
static void add(struct variables *variables, const char *name, const char *value)
{
    struct buf text = {0};
    if (inherited(variables->fn, name))
        return;
    buf_addf(&text, "%s=%s", name, value);
    variables->list[variables->count++] = buf_take(&text);
}

static void add_log_names(struct variables *variables, const struct lambda_names *names,
                          uint64_t stream)
{
    struct buf text = {0};
    struct tm day;
    time_t now = (time_t)(clock_wall() / NUM_SECOND);
    gmtime_r(&now, &day);
    buf_addf(&text, "/aws/lambda/%s", names->name);
    add(variables, "AWS_LAMBDA_LOG_GROUP_NAME", buf_cstr(&text));
    buf_clear(&text);
    buf_addf(&text, "%04d/%02d/%02d/[$LATEST]%016llx", day.tm_year + 1900, day.tm_mon + 1,
             day.tm_mday, (unsigned long long)stream);
    add(variables, "AWS_LAMBDA_LOG_STREAM_NAME", buf_cstr(&text));
    buf_free(&text);
}

static void add_memory(struct variables *variables)
{
    const struct fn_limits *limits = variables->fn->settings.limits;
    struct buf text = {0};
    unsigned long long megabytes =
        limits && limits->memory ? limits->memory / (1024 * 1024) : LAMBDA_MEMORY_MB;
    buf_addf(&text, "%llu", megabytes);
    add(variables, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", buf_cstr(&text));
    buf_free(&text);
}

static void add_api(struct variables *variables, uint16_t port)
{
    struct buf text = {0};
    buf_addf(&text, "AWS_LAMBDA_RUNTIME_API=127.0.0.1:%u", (unsigned)port);
    variables->list[variables->count++] = buf_take(&text);
}

char **lambda_variables(const struct lambda_names *names, const struct fn *fn, uint16_t port,
                        uint64_t stream)
{
    static const char api[] = "AWS_LAMBDA_RUNTIME_API=";
    size_t count = 0;
    while (fn->context->environment[count])
        count++;
    struct variables variables = {.fn = fn,
                                  .list = mem_array(count + LAMBDA_VARIABLES + 1, sizeof(char *))};
    for (size_t i = 0; i < count; i++) {
        if (strncmp(fn->context->environment[i], api, sizeof api - 1) != 0)
            variables.list[variables.count++] = mem_strdup(fn->context->environment[i]);
    }
    add_api(&variables, port);
    if (fn->word_count > 1)
        add(&variables, "_HANDLER", fn->words[1]);
    add(&variables, "LAMBDA_TASK_ROOT", names->root);
    add(&variables, "AWS_REGION", names->region);
    add(&variables, "AWS_DEFAULT_REGION", names->region);
    add(&variables, "AWS_LAMBDA_FUNCTION_NAME", names->name);
    add(&variables, "AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
    add(&variables, "AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");
    add(&variables, "TZ", ":UTC");
    add_memory(&variables);
    add_log_names(&variables, names, stream);
    return variables.list;
}

void lambda_variables_free(char **list)
{
    for (size_t i = 0; list[i]; i++)
        free(list[i]);
    free(list);
}
