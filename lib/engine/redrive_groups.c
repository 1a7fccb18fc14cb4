/* redrive_groups.c: dead letters grouped by where they are to go. */
#include "engine/redrive_groups.h"

#include "base/mem.h"

#include <stdlib.h>

enum { GROUP_ROOM = 16 }; /* numbers that a group begins with; their array doubles */

static struct redrive_group *find(struct redrive_groups *groups, struct hash128 key)
{
    for (size_t i = 0; i < groups->count; i++) {
        size_t at = (groups->last + i) % groups->count; /* neighbours are mostly of one run */
        const struct hash128 *own = &groups->groups[at].key;
        if (own->high == key.high && own->low == key.low) {
            groups->last = at;
            return &groups->groups[at];
        }
    }
    return NULL;
}

static struct redrive_group *make(struct redrive_groups *groups, struct hash128 key)
{
    groups->groups = mem_realloc(groups->groups, (groups->count + 1) * sizeof *groups->groups);
    groups->last = groups->count;
    struct redrive_group *group = &groups->groups[groups->count++];
    *group = (struct redrive_group){.key = key};
    return group;
}

static void add_number(struct redrive_group *group, uint64_t number)
{
    bool full = group->count >= GROUP_ROOM && !(group->count & (group->count - 1));
    if (!group->count || full)
        group->numbers =
            mem_realloc(group->numbers,
                        (group->count ? 2 * group->count : GROUP_ROOM) * sizeof *group->numbers);
    group->numbers[group->count++] = number;
}

static char *decode(struct str string)
{
    struct buf text = {0};
    json_decode(string, &text);
    return buf_take(&text);
}

static char **decode_words(struct str array)
{
    struct json_iter iter;
    size_t count = 0;
    char **words = NULL;
    json_iter_init(&iter, array);
    while (json_iter_next(&iter)) {
        words = mem_realloc(words, (count + 2) * sizeof *words);
        words[count++] = decode(iter.value);
        words[count] = NULL;
    }
    return words;
}

void redrive_groups_add(struct redrive_groups *groups, const struct letter_seen *seen)
{
    struct str queue = seen->members[LETTER_QUEUE], argv = seen->members[LETTER_ARGV];
    struct str cwd = seen->members[LETTER_CWD];
    struct buf place = {0};
    if (queue.len) {
        buf_puts(&place, "queue");
    } else if (argv.len) {
        buf_add_str(&place, argv);
        buf_add_str(&place, cwd);
    }
    struct hash128 key = hash_128(buf_str(&place));
    buf_free(&place);
    struct redrive_group *group = find(groups, key);
    if (!group) {
        group = make(groups, key);
        group->queued = queue.len;
        if (!queue.len && argv.len && argv.data[0] == '[')
            group->argv = decode_words(argv);
        if (group->argv && cwd.len && cwd.data[0] == '"')
            group->cwd = decode(cwd);
    }
    add_number(group, seen->number);
}

void redrive_groups_add_to(struct redrive_groups *groups, uint64_t number, char *const *argv)
{
    if (!groups->count) {
        struct redrive_group *group = make(groups, (struct hash128){0});
        size_t count = 0;
        while (argv[count])
            count++;
        group->argv = mem_array(count + 1, sizeof *group->argv);
        for (size_t i = 0; i < count; i++)
            group->argv[i] = mem_strdup(argv[i]);
    }
    add_number(&groups->groups[0], number);
}

void redrive_groups_free(struct redrive_groups *groups)
{
    for (size_t i = 0; i < groups->count; i++) {
        struct redrive_group *group = &groups->groups[i];
        for (size_t word = 0; group->argv && group->argv[word]; word++)
            free(group->argv[word]);
        free(group->argv);
        free(group->cwd);
        free(group->numbers);
    }
    free(groups->groups);
}
