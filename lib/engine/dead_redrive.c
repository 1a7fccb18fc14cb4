/* dead_redrive.c: `dead redrive`: letters go back to the command that failed. */
#include "engine/dead_verb.h"

#include "base/mem.h"
#include "base/msg.h"
#include "engine/engine.h"
#include "engine/redrive_groups.h"
#include "engine/redrive_queue.h"
#include "engine/redrive_run.h"

#include <stdlib.h>
#include <string.h>

static const struct option_use uses[] = {
    {&dead_selecting, &dead_options}, {&common_state, &dead_common}, {0}};

static const struct command command = {
    .name = "dead redrive",
    .summary = "give dead events to the command that failed, or to another one",
    .usage = (const char *const[]){"[options] [NUMBER...] [-- COMMAND...]", NULL},
    .uses = uses,
    .operands = OPTIONS_ANYWHERE,
    .operand_arg = "NUMBER",
    .operand = dead_verb_operand,
    .operand_into = &dead_options.filter,
};

struct redrive {
    struct redrive_groups groups;
    char *const *argv; /* COMMAND; NULL: none */
    struct redrive_queue *queue;
    size_t left; /* letters that cannot be redriven */
};

/* ---- which letters go where ---- */

static bool gather(void *owner, const struct letter_seen *seen)
{
    struct redrive *redrive = owner;
    if (seen->members[LETTER_TRUNCATED].len) {
        redrive->left++;
        msg_warn("letter %llu stays: only the head of its event was kept",
                 (unsigned long long)seen->number);
    } else if (redrive->argv) {
        redrive_groups_add_to(&redrive->groups, seen->number, redrive->argv);
    } else {
        redrive_groups_add(&redrive->groups, seen);
    }
    return true;
}

/* ---- queues ---- */

static bool add_back(void *owner, const struct letter_seen *seen)
{
    struct redrive *redrive = owner;
    struct buf queue = {0};
    struct err err;
    json_decode(seen->members[LETTER_QUEUE], &queue);
    int full = redrive_queue_add(redrive->queue, seen->number, buf_str(&queue), seen->text, &err);
    buf_free(&queue);
    if (full < 0) {
        redrive->left++;
        msg_warn("letter %llu stays: %s", (unsigned long long)seen->number, err.text);
    }
    return full <= 0;
}

static int push_back(void *owner, struct err *err)
{
    return redrive_queue_round(((struct redrive *)owner)->queue, err);
}

static int redrive_queued(struct redrive *redrive, const struct redrive_group *group)
{
    int status = EXIT_OK;
    struct letters_filter filter = {.numbers = group->numbers, .count = group->count};
    struct letters *letters = dead_verb_open(&filter, &status);
    if (!letters)
        return status;
    redrive->queue = redrive_queue_new(letters_store(letters));
    status = dead_verb_each(letters, add_back, push_back, redrive);
    redrive_queue_free(redrive->queue);
    letters_close(letters);
    return status;
}

/* ---- all of them ---- */

/* The worst of two: what is more than dead events is told before them. */
static int worse(int status, int other)
{
    if (status == EXIT_OK || (status == EXIT_DEAD && other != EXIT_OK))
        return other;
    return status;
}

static int redrive_groups(struct redrive *redrive, const char *state)
{
    int status = EXIT_OK;
    bool signalled = false;
    for (size_t i = 0; i < redrive->groups.count && !signalled; i++) {
        const struct redrive_group *group = &redrive->groups.groups[i];
        if (group->queued) {
            status = worse(status, redrive_queued(redrive, group));
        } else if (group->argv) {
            status = worse(status, redrive_run(group, state, &signalled));
        } else {
            redrive->left += group->count;
            msg_warn("letter %llu and %zu more stay: they name no command; give one behind --",
                     (unsigned long long)group->numbers[0], group->count - 1);
        }
    }
    return redrive->left ? worse(status, EXIT_DEAD) : status;
}

int dead_verb_redrive(int argc, char **argv)
{
    struct options_words words = dead_verb_parse(&command, argc, argv);
    if (words.separated && !words.count)
        options_fail(&command, "no command behind --");
    if (words.count > 1 && strcmp(words.words[0], "fit") == 0)
        words.words++;
    struct redrive redrive = {.argv = words.count ? words.words : NULL};
    int status = EXIT_OK;
    struct letters *letters = dead_verb_open(&dead_options.filter, &status);
    if (!letters)
        return status;
    status = dead_verb_each(letters, gather, NULL, &redrive);
    char *state = mem_strdup(letters_path(letters));
    letters_close(letters);
    if (status == EXIT_OK)
        status = redrive_groups(&redrive, state);
    free(state);
    redrive_groups_free(&redrive.groups);
    return status;
}
