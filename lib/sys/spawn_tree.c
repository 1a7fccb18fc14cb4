/* spawn_tree.c: signal a process with everything it started. */
#include "sys/spawn.h"

#include "base/clock.h"
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

enum { STAT_BYTES = 512 }; /* enough of /proc/PID/stat for its first 22 fields */

struct spawn_member {
    pid_t pid;
    pid_t parent;
    pid_t group;
    unsigned long long start; /* with pid: who it is */
    bool ours;
};

static void add(struct spawn_tree *list, struct spawn_member member)
{
    if (list->count == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 64;
        list->members = mem_realloc(list->members, list->cap * sizeof *list->members);
    }
    list->members[list->count++] = member;
}

/* False when it vanished or is dead already. */
static bool read_member(int proc, const char *name, struct spawn_member *member)
{
    char path[32], stat[STAT_BYTES];
    char state;
    int pid, parent, group;
    unsigned long long start;
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
        sscanf(rest,
               ") %c %d %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
               &state, &parent, &group, &start) != 4)
        return false;
    *member = (struct spawn_member){.pid = pid, .parent = parent, .group = group, .start = start};
    return state != 'Z' && state != 'X';
}

static int compare(const void *a, const void *b)
{
    pid_t left = ((const struct spawn_member *)a)->pid;
    pid_t right = ((const struct spawn_member *)b)->pid;
    return (left > right) - (left < right);
}

/* Everybody, in the order of their pids. */
static void read_all(struct spawn_tree *list)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    struct spawn_member member;
    if (!proc)
        return;
    while ((entry = readdir(proc))) {
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            read_member(dirfd(proc), entry->d_name, &member))
            add(list, member);
    }
    closedir(proc);
    if (list->count)
        qsort(list->members, list->count, sizeof *list->members, compare);
}

static struct spawn_member *find(const struct spawn_tree *list, pid_t pid)
{
    const struct spawn_member key = {.pid = pid};
    return list->count ? bsearch(&key, list->members, list->count, sizeof key, compare) : NULL;
}

static bool is_remembered(const struct spawn_tree *tree, const struct spawn_member *member)
{
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->members[i].pid == member->pid && tree->members[i].start == member->start)
            return true;
    }
    return false;
}

/* Ours are the root, its group, who is remembered, and their descendants; never this process. */
static void mark_ours(struct spawn_tree *list, const struct spawn_tree *tree)
{
    pid_t self = getpid();
    bool grown = true;
    for (size_t i = 0; i < list->count; i++) {
        struct spawn_member *member = &list->members[i];
        member->ours = (tree->pid && (member->pid == tree->pid || member->group == tree->pid)) ||
                       is_remembered(tree, member);
    }
    while (grown) { /* twice, unless a child has a lower pid than its parent */
        grown = false;
        for (size_t i = 0; i < list->count; i++) {
            struct spawn_member *member = &list->members[i];
            const struct spawn_member *parent = find(list, member->parent);
            if (member->ours || member->pid == self || !parent || !parent->ours)
                continue;
            member->ours = true;
            grown = true;
        }
    }
}

/*
 * Everybody, as seen since that time. A search takes some milliseconds, and so what it has found is
 * as old at its end: for as long again it serves others.
 */
static struct spawn_tree *look(int64_t since)
{
    static struct spawn_tree list;
    static int64_t begun, until;
    int64_t now = clock_now();
    if (begun > since && now < until)
        return &list;
    list.count = 0;
    begun = now;
    read_all(&list);
    now = clock_now();
    until = now + (now - begun);
    return &list;
}

/* Signal who is outside the group. Whoever is new is remembered. True when there was one. */
static bool signal_leavers(struct spawn_tree *tree, int signo, int64_t since, bool only_new)
{
    struct spawn_tree *list = look(since);
    bool grown = false;
    mark_ours(list, tree);
    for (size_t i = 0; i < list->count; i++) {
        const struct spawn_member *member = &list->members[i];
        if (!member->ours || (tree->pid && member->group == tree->pid))
            continue;
        bool known = is_remembered(tree, member);
        if (!known) {
            add(tree, *member);
            grown = true;
        }
        if (!known || !only_new)
            kill(member->pid, signo);
    }
    return grown;
}

void spawn_tree_stop(struct spawn_tree *tree)
{
    if (tree->pid <= 1)
        return;
    kill(-tree->pid, SIGSTOP);
    if (!tree->stopped)
        tree->stopped = clock_now();
}

/*
 * The search comes before the signal to the group: when a process dies, its children are given to
 * init and show no longer where they come from. For SIGKILL everybody is stopped first, as a
 * stopped process starts no further ones; who leaves and who searches would race without end
 * otherwise.
 */
void spawn_tree_signal(struct spawn_tree *tree, int signo)
{
    if (tree->pid < 0 || tree->pid == 1) /* kill(2) would take -1 for everybody */
        return;
    if (!tree->pid && !tree->count)
        return;
    int64_t since = tree->turn ? tree->turn : clock_now();
    if (signo == SIGKILL) {
        bool grown = true;
        spawn_tree_stop(tree);
        since = tree->pid ? tree->stopped : clock_now();
        for (int search = 1; search < TREE_SEARCHES && grown; search++) {
            grown = signal_leavers(tree, SIGSTOP, since, search > 1);
            since = clock_now();
        }
    }
    if (signo != SIGKILL || tree->count)
        signal_leavers(tree, signo, since, false);
    if (tree->pid)
        kill(-tree->pid, signo);
}

void spawn_tree_free(struct spawn_tree *tree)
{
    free(tree->members);
    *tree = (struct spawn_tree){.pid = tree->pid};
}

void spawn_signal_tree(pid_t pid, int signo)
{
    struct spawn_tree tree = {.pid = pid};
    spawn_tree_signal(&tree, signo);
    spawn_tree_free(&tree);
}
