/* spawn_tree.c: signal a process with everything it started. */
#include "sys/spawn.h"

#include "base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * How often /proc is searched for processes that were started since the last search. Each search
 * stops what it finds, so that a second one normally finds nothing; what shows up after the last
 * one survives.
 */
enum { TREE_SEARCHES = 16 };

enum { STAT_BYTES = 256 }; /* enough of /proc/PID/stat for its first five fields */

struct process {
    pid_t pid;
    pid_t parent;
    pid_t group;
    bool ours;
};

struct process_list {
    struct process *all;
    size_t count;
    size_t cap;
};

static void list_add(struct process_list *list, struct process process)
{
    if (list->count == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 64;
        list->all = mem_realloc(list->all, list->cap * sizeof *list->all);
    }
    list->all[list->count++] = process;
}

/* False when it vanished or is dead already. */
static bool read_process(int proc, const char *name, struct process *process)
{
    char path[32], stat[STAT_BYTES];
    char state;
    int pid, parent, group;
    if ((size_t)snprintf(path, sizeof path, "%s/stat", name) >= sizeof path)
        return false;
    int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = read(fd, stat, sizeof stat - 1);
    close(fd);
    if (got <= 0)
        return false;
    stat[got] = '\0';
    /* The name in parentheses may hold anything, also parentheses and line ends. */
    const char *rest = strrchr(stat, ')');
    if (!rest || sscanf(stat, "%d", &pid) != 1 ||
        sscanf(rest, ") %c %d %d", &state, &parent, &group) != 3)
        return false;
    *process = (struct process){.pid = pid, .parent = parent, .group = group};
    return state != 'Z' && state != 'X';
}

static void read_processes(struct process_list *list)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    struct process process;
    if (!proc)
        return;
    while ((entry = readdir(proc))) {
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            read_process(dirfd(proc), entry->d_name, &process))
            list_add(list, process);
    }
    closedir(proc);
}

static bool list_has(const struct process_list *list, pid_t pid)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->all[i].pid == pid)
            return true;
    }
    return false;
}

static int compare(const void *a, const void *b)
{
    pid_t left = ((const struct process *)a)->pid, right = ((const struct process *)b)->pid;
    return (left > right) - (left < right);
}

static bool is_ours(const struct process_list *list, pid_t pid)
{
    const struct process key = {.pid = pid};
    const struct process *found =
        list->count ? bsearch(&key, list->all, list->count, sizeof key, compare) : NULL;
    return found && found->ours;
}

/* Ours are root, its group, and what descends from them; never this process itself. */
static void mark_ours(struct process_list *list, pid_t root)
{
    pid_t self = getpid();
    bool grown = true;
    if (list->count)
        qsort(list->all, list->count, sizeof *list->all, compare);
    for (size_t i = 0; i < list->count; i++)
        list->all[i].ours = list->all[i].pid == root || list->all[i].group == root;
    while (grown) { /* twice, unless a child has a lower pid than its parent */
        grown = false;
        for (size_t i = 0; i < list->count; i++) {
            struct process *process = &list->all[i];
            if (process->ours || process->pid == self || !is_ours(list, process->parent))
                continue;
            process->ours = true;
            grown = true;
        }
    }
}

/* Add to leavers who is not in the group and not known yet. True when there was one. */
static bool find_leavers(struct process_list *leavers, pid_t root)
{
    struct process_list list = {0};
    size_t before = leavers->count;
    read_processes(&list);
    mark_ours(&list, root);
    for (size_t i = 0; i < list.count; i++) {
        if (list.all[i].ours && list.all[i].group != root && !list_has(leavers, list.all[i].pid))
            list_add(leavers, list.all[i]);
    }
    free(list.all);
    return leavers->count > before;
}

/*
 * The search comes before the signal: when a process dies, its children are given to init and show
 * no longer where they come from. For SIGKILL everybody is stopped first, as a stopped process
 * starts no further ones; a process that leaves and one that searches would race without end
 * otherwise.
 */
void spawn_signal_tree(pid_t pid, int signo)
{
    struct process_list leavers = {0};
    if (pid <= 1) /* kill(2) would take -1 and 0 for everybody */
        return;
    if (signo == SIGKILL)
        kill(-pid, SIGSTOP);
    for (int search = 0; search < TREE_SEARCHES; search++) {
        size_t known = leavers.count;
        if (!find_leavers(&leavers, pid) || signo != SIGKILL)
            break;
        for (size_t i = known; i < leavers.count; i++)
            kill(leavers.all[i].pid, SIGSTOP);
    }
    for (size_t i = 0; i < leavers.count; i++)
        kill(leavers.all[i].pid, signo);
    kill(-pid, signo);
    free(leavers.all);
}
