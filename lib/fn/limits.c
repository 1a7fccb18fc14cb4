/* limits.c: what the processes of a function may take of the machine. */
#include "fn/limits.h"

#include "base/mem.h"
#include "sys/cgroup.h"

#include <stdlib.h>
#include <unistd.h>

struct limits {
    struct fn_limits settings;
    struct spawn_limits spawn;
    int *groups; /* of each slot: 1 + its descriptor; 0: not made yet */
    unsigned slots;
};

static struct cgroup_limits group_limits(const struct fn_limits *settings)
{
    return (struct cgroup_limits){.memory = settings->memory, .cpu = settings->cpu};
}

int limits_find(struct fn_limits *limits, struct err *err)
{
    struct cgroup_limits wanted = group_limits(limits);
    limits->folder = cgroup_folder(err);
    if (!limits->folder)
        return -1;
    int probe = cgroup_open(limits->folder, 0, &wanted, err);
    if (probe < 0) {
        free(limits->folder);
        limits->folder = NULL;
        return -1;
    }
    close(probe);
    cgroup_remove(limits->folder, 0);
    return 0;
}

struct limits *limits_new(const struct fn_limits *settings, unsigned slots)
{
    struct limits *limits = mem_zalloc(sizeof *limits);
    limits->settings = *settings;
    limits->slots = slots;
    limits->groups = mem_array(slots, sizeof *limits->groups);
    return limits;
}

void limits_free(struct limits *limits)
{
    if (!limits)
        return;
    for (unsigned i = 0; i < limits->slots; i++) {
        if (!limits->groups[i])
            continue;
        close(limits->groups[i] - 1);
        cgroup_remove(limits->settings.folder, i + 1);
    }
    free(limits->groups);
    free(limits);
}

const struct spawn_limits *limits_of(struct limits *limits, unsigned slot, struct err *err)
{
    const struct fn_limits *settings = &limits->settings;
    int *group = &limits->groups[slot - 1];
    if (settings->folder && !*group) {
        struct cgroup_limits wanted = group_limits(settings);
        int fd = cgroup_open(settings->folder, slot, &wanted, err);
        if (fd < 0)
            return NULL;
        *group = fd + 1;
    }
    limits->spawn = (struct spawn_limits){
        .address_space = settings->folder ? 0 : settings->memory,
        .nice = settings->nice,
        .cgroup = *group - 1,
    };
    return &limits->spawn;
}
