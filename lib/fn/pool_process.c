/* pool_process.c: the process of a worker, and how it is ended. */
#include "fn/pool_process.h"

#include "base/list.h"
#include "fn/pool.h"

#include <signal.h>

static struct pool_worker *worker_of(struct loop_timer *timer)
{
    return CONTAINER_OF(timer, struct pool_worker, process.timer);
}

void pool_process_signal(struct pool_worker *worker, int signo)
{
    struct pool_process *process = &worker->process;
    int64_t turn = loop_now(worker->fn->context->loop);
    if (!process->child.pid)
        return;
    process->tree.pid = process->pid;
    process->tree.turn = worker->born > turn ? worker->born : turn;
    spawn_tree_signal(&process->tree, signo);
}

void pool_process_signal_group(struct pool_worker *worker, int signo)
{
    if (worker->process.child.pid)
        kill(-worker->process.pid, signo);
}

void pool_process_stop(struct pool_worker *worker)
{
    struct pool_process *process = &worker->process;
    if (!process->child.pid)
        return;
    process->tree.pid = process->pid;
    spawn_tree_stop(&process->tree);
}

void pool_process_wait(struct pool_worker *worker, void (*fire)(struct loop_timer *timer),
                       int64_t delay)
{
    struct loop *loop = worker->fn->context->loop;
    worker->process.timer.fire = fire;
    loop_timer_set(loop, &worker->process.timer, loop_now(loop) + delay);
}

static void kill_now(struct loop_timer *timer)
{
    pool_process_signal(worker_of(timer), SIGKILL);
}

void pool_process_kill_later(struct pool_worker *worker)
{
    pool_process_wait(worker, kill_now, worker->fn->settings.grace);
}

void pool_process_end(struct pool_worker *worker, int signo)
{
    pool_process_signal(worker, signo);
    pool_process_kill_later(worker);
}

static void terminate(struct loop_timer *timer)
{
    pool_process_end(worker_of(timer), SIGTERM);
}

void pool_process_end_later(struct pool_worker *worker)
{
    pool_process_wait(worker, terminate, worker->fn->settings.grace);
}

void pool_process_gone(struct pool_worker *worker)
{
    struct pool_process *process = &worker->process;
    loop_timer_clear(worker->fn->context->loop, &process->timer);
    kill(-process->pid, SIGKILL);
    process->tree.pid = 0;
    spawn_tree_signal(&process->tree, SIGKILL);
    spawn_tree_free(&process->tree);
}
