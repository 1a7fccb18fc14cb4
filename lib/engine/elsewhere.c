/* elsewhere.c: --to queue:NAME: the function is called by the workers of a queue. */
#include "engine/elsewhere.h"

#include "base/mem.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static struct {
    const char *to, *reply; /* "queue:NAME" */
} elsewhere;

enum id { ID_TO, ID_REPLY };

static const struct option_entry entries[] = {
    {"to", 0, ID_TO, "queue:NAME", "have it done by the workers of a queue",
     "No FUNCTION is called here: each call is a request in the queue, which queue work NAME -- "
     "FUNCTION does, in any process, and its answer comes back. --timeout and --retries are of an "
     "answer, and so many are asked at once as fit, unless --jobs says less."},
    {"reply", 0, ID_REPLY, "NAME", "the reply set [named as the queue]",
     "Who asks the same by the same name has the same answer: a run that was killed finds what it "
     "had asked, and two at once share it. Under another name it is asked anew."},
    {0},
};

static int set(void *into, int id, const char *arg, struct err *err)
{
    (void)into;
    if (id == ID_TO && !str_starts(str_of(arg), STR("queue:")))
        return err_set(err, ERR_USAGE, "not queue:NAME");
    *(id == ID_TO ? &elsewhere.to : &elsewhere.reply) = arg;
    return 0;
}

const struct option_group elsewhere_options = {"Workers elsewhere", entries, set};

const char *elsewhere_conflict(const struct common_options *common,
                               const struct options_words *function)
{
    const struct fn_settings *calling = &common->calling;
    if (elsewhere.to && function->count)
        return "--to: no function is called here";
    if (!elsewhere.to)
        return elsewhere.reply ? "--reply needs --to" : function->count ? NULL : "no function";
    return calling->text       ? "--text: the workers call the function"
           : calling->raw      ? "--raw: the workers call the function"
           : calling->literal  ? "--literal: the workers call the function"
           : calling->pipeline ? "--pipeline: the workers call the function"
           : calling->max_uses ? "--max-uses: the workers call the function"
           : calling->max_age  ? "--max-age: the workers call the function"
                               : NULL;
}

struct fn *elsewhere_open(struct engine *engine, struct common_options *common,
                          const struct options_words *function, struct err *err)
{
    struct fn_settings *calling = &common->calling;
    if (!elsewhere.to)
        return engine_open(engine, function->words, function->count, err);
    calling->replies = elsewhere.reply ? elsewhere.reply : elsewhere.to + strlen("queue:");
    calling->jobs = common->chose_jobs ? calling->jobs : FN_MAX_JOBS;
    calling->buffer = 1;                   /* what cannot be asked yet need not be read */
    char *word = mem_strdup(elsewhere.to); /* as it is: a name may hold blanks */
    struct fn *fn = engine_open(engine, &word, 1, err);
    free(word);
    return fn;
}
