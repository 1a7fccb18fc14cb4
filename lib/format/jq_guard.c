/* jq_guard.c: bounds on the time, memory and stack of a run of libjq. */
#include "format/jq_guard.h"

#include "format/jq.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define TICK INT64_C(20000000) /* nanoseconds of processor time between two looks at the run */

enum {
    PATIENCE = 10,   /* ticks that a run has to heed stop */
    IDLE_TICKS = 50, /* ticks without a run after which they end until the next one */
    TEXTS = 4,       /* mapped parts of code that are remembered; others are not jumped from */
    SPARE_MEMORY = 1024 * 1024, /* left to a run whose memory is refused, for its stack */
    SIGNAL_STACK = 64 * 1024,   /* for the handler of a stack overflow */
    STACK_PROBE = 1024 * 1024,  /* a fault this near to the stack pointer is a stack overflow */
};

/* Sanitizers bring their own handlers and cannot live with refused memory. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static struct {
    int64_t time_limit;
    size_t memory_limit;
    bool ready; /* the handlers are in place */
    bool timed; /* and timer exists: without it time is not bounded */
    timer_t timer;
    struct {
        uintptr_t start, end;
    } texts[TEXTS];
    size_t text_count;

    /* Shared with the signal handlers, which run on the same thread between any two instructions.
     */
    volatile sig_atomic_t watching;
    volatile sig_atomic_t ticking;
    volatile sig_atomic_t why;
    volatile sig_atomic_t refused; /* the address space is limited; saved holds what it was */
    volatile uint64_t run;
    sigjmp_buf *escape;
    void (*stop)(void *context);
    void *context;

    /* Of the tick handler alone. */
    uint64_t seen_run;
    int64_t ticks;
    int64_t stopped_at;
    size_t memory_at_start; /* at the first tick of the run */
    unsigned idle;
    struct rlimit saved;
} guard = {.time_limit = JQ_TIME, .memory_limit = JQ_MEMORY};

static char signal_stack[SIGNAL_STACK];

void jq_guard_set_limits(int64_t time, size_t memory)
{
    guard.time_limit = time;
    guard.memory_limit = memory;
}

/* ---- what the handlers look at (async-signal-safe) ---- */

/* A field of /proc/self/statm in bytes: 0 the address space, 1 what is resident. 0 when it cannot
 * be read. */
static size_t memory_of_process(int field)
{
    char text[128];
    char *at = text;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t got;
    size_t pages = 0;

    if (fd < 0)
        return 0;
    got = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (got <= 0)
        return 0;
    text[got] = '\0';
    while (field-- > 0)
        at += strcspn(at, " ") + 1;
    while (*at >= '0' && *at <= '9')
        pages = pages * 10 + (size_t)(*at++ - '0');
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static uintptr_t program_counter(void *context)
{
    ucontext_t *machine = context;

#if defined(__x86_64__)
    return (uintptr_t)machine->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)machine->uc_mcontext.pc;
#else
    (void)machine;
    return 0;
#endif
}

static uintptr_t stack_pointer(void *context)
{
    ucontext_t *machine = context;

#if defined(__x86_64__)
    return (uintptr_t)machine->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
    return (uintptr_t)machine->uc_mcontext.sp;
#else
    (void)machine;
    return 0;
#endif
}

static bool in_library(void *context)
{
    uintptr_t at = program_counter(context);

    for (size_t i = 0; i < guard.text_count; i++)
        if (at >= guard.texts[i].start && at < guard.texts[i].end)
            return true;
    return false;
}

static void refuse_memory(void)
{
    struct rlimit limit;

    if (SANITIZED || guard.refused || getrlimit(RLIMIT_AS, &guard.saved) != 0)
        return;
    limit = guard.saved;
    limit.rlim_cur = memory_of_process(0) + SPARE_MEMORY;
    if (limit.rlim_cur < guard.saved.rlim_cur && setrlimit(RLIMIT_AS, &limit) == 0)
        guard.refused = 1;
}

static void set_ticks(int64_t period)
{
    struct itimerspec spec = {{0, (long)period}, {0, (long)period}};

    timer_settime(guard.timer, 0, &spec, NULL);
    guard.ticking = period != 0;
}

/* ---- handlers ---- */

/* In a run: find out whether it is over a limit, and once it is, by how long. */
static void look_at_run(void *context)
{
    if (guard.run != guard.seen_run) {
        guard.seen_run = guard.run;
        guard.ticks = 0;
        guard.memory_at_start = memory_of_process(1);
    }
    guard.ticks++;
    if (guard.why == JQ_GUARD_OK) {
        if (guard.ticks * TICK >= guard.time_limit)
            guard.why = JQ_GUARD_TIME;
        else if (memory_of_process(1) > guard.memory_at_start + guard.memory_limit)
            guard.why = JQ_GUARD_MEMORY;
        if (guard.why != JQ_GUARD_OK) {
            guard.stopped_at = guard.ticks;
            guard.stop(guard.context);
        }
    } else if (guard.ticks - guard.stopped_at >= PATIENCE) {
        refuse_memory();
        if (in_library(context))
            siglongjmp(*guard.escape, 1);
    }
}

static void on_tick(int signo, siginfo_t *info, void *context)
{
    int saved = errno;

    (void)signo;
    (void)info;
    if (guard.watching) {
        guard.idle = 0;
        look_at_run(context);
    } else if (++guard.idle >= IDLE_TICKS) {
        set_ticks(0);
    }
    errno = saved;
}

static void on_fault(int signo, siginfo_t *info, void *context)
{
    uintptr_t stack = stack_pointer(context);
    uintptr_t fault = (uintptr_t)info->si_addr;
    uintptr_t distance = fault > stack ? fault - stack : stack - fault;

    if (guard.watching && distance < STACK_PROBE && in_library(context)) {
        guard.why = JQ_GUARD_STACK;
        siglongjmp(*guard.escape, 1);
    }
    signal(
        signo,
        SIG_DFL); /* not ours: the instruction runs again and the process ends as it would have */
}

void jq_guard_no_memory(void *unused)
{
    (void)unused;
    if (!guard.watching)
        return; /* libjq then says so and aborts */
    if (guard.why == JQ_GUARD_OK)
        guard.why = JQ_GUARD_MEMORY;
    siglongjmp(*guard.escape, 1);
}

/* ---- set-up ---- */

/* Remember where the code of libjq and of its regex library stands. */
static int note_text(struct dl_phdr_info *info, size_t size, void *unused)
{
    const char *slash = strrchr(info->dlpi_name, '/');
    const char *name = slash ? slash + 1 : info->dlpi_name;

    (void)size;
    (void)unused;
    if (strncmp(name, "libjq.", 6) != 0 && strncmp(name, "libonig.", 8) != 0)
        return 0;
    for (size_t i = 0; i < info->dlpi_phnum && guard.text_count < TEXTS; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];

        if (part->p_type == PT_LOAD && (part->p_flags & PF_X)) {
            guard.texts[guard.text_count].start = info->dlpi_addr + part->p_vaddr;
            guard.texts[guard.text_count++].end = info->dlpi_addr + part->p_vaddr + part->p_memsz;
        }
    }
    return 0;
}

/* The handlers stay for the rest of the process. SA_NODEFER: a jump out of them must not leave them
 * blocked. */
static void set_up(void)
{
    struct sigaction tick = {.sa_sigaction = on_tick,
                             .sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER};
    struct sigaction fault = {.sa_sigaction = on_fault,
                              .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof(signal_stack)};
    sigset_t alarm;

    dl_iterate_phdr(note_text, NULL);
    sigaction(SIGALRM, &tick, NULL);
    sigemptyset(&alarm); /* it may have been inherited blocked */
    sigaddset(&alarm, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &alarm, NULL);
    if (!SANITIZED && sigaltstack(&stack, NULL) == 0)
        sigaction(SIGSEGV, &fault, NULL);
    guard.timed = timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &guard.timer) == 0;
    guard.ready = true;
}

void jq_guard_begin(sigjmp_buf *escape, void (*stop)(void *context), void *context)
{
    if (!guard.ready)
        set_up();
    guard.escape = escape;
    guard.stop = stop;
    guard.context = context;
    guard.why = JQ_GUARD_OK;
    guard.run++;
    guard.watching = 1;
    if (!guard.ticking && guard.timed) {
        guard.idle = 0;
        set_ticks(TICK);
    }
}

static void allow_memory(void)
{
    if (guard.refused) {
        setrlimit(RLIMIT_AS, &guard.saved);
        guard.refused = 0;
    }
}

enum jq_guard_end jq_guard_finish(void)
{
    guard.watching = 0;
    allow_memory();
    return guard.why;
}

void jq_guard_pause(void)
{
    guard.watching = 0;
    allow_memory();
}

void jq_guard_resume(void)
{
    guard.watching = 1;
}
