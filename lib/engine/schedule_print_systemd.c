/* schedule_print_systemd.c: a schedule as a service and a timer of systemd. */
#include "engine/schedule_print.h"

#include "base/num.h"
#include "engine/schedule_calendar.h"
#include "engine/schedule_print_words.h"
#include "fn/words.h"

#include <stdlib.h>

/* ---- words (systemd.service(5), COMMAND LINES; systemd.syntax(7), QUOTING) ---- */

static void add_escaped(struct buf *text, const char *word, bool command)
{
    for (const char *c = word; *c; c++) {
        if (*c == '"' || *c == '\\')
            buf_addf(text, "\\%c", *c);
        else if (*c == '%')
            buf_puts(text, "%%");
        else if (*c == '$' && command)
            buf_puts(text, "$$");
        else if ((unsigned char)*c < ' ' || *c == 0x7f)
            buf_addf(text, "\\x%02x", (unsigned)*c);
        else
            buf_addc(text, *c);
    }
}

/* In the first word, the program's path, "$" is nothing special. */
static void add_word(struct buf *text, const char *word, bool first)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=:,./@";
    bool quoted = !*word || word[strspn(word, plain)];
    buf_puts(text, quoted ? "\"" : "");
    add_escaped(text, word, !first);
    buf_puts(text, quoted ? "\"" : "");
}

/* One line, for people: "%" is not a specifier, and nothing ends the line or goes on after it. */
static void add_text(struct buf *text, const char *words)
{
    for (; *words; words++) {
        if (*words == '%')
            buf_puts(text, "%%");
        else
            buf_addc(text, (unsigned char)*words < ' ' || *words == '\\' ? ' ' : *words);
    }
}

static int check(const char *text, struct err *err)
{
    if (!text || str_is_utf8(str_of(text)))
        return 0;
    return err_set(err, ERR_USAGE, "a unit of systemd holds only UTF-8: '%.40s'", text);
}

/* A path is a whole line, without quotes. */
static int check_folder(const char *folder, struct err *err)
{
    size_t len = strlen(folder);
    if (folder[strcspn(folder, "\r\n\\")] || folder[len - 1] == ' ' || folder[len - 1] == '\t')
        return err_set(err, ERR_USAGE, "a unit of systemd cannot hold the folder '%.40s'", folder);
    return check(folder, err);
}

/* ---- names ---- */

/* "every-NAME": of --name, else of the function, with the bytes that a file name of a unit may
 * have. */
static char *unit_name(const struct schedule_print *print)
{
    enum { LONGEST = 200 };
    const char *name = print->name;
    if (!name && print->function_count) {
        const char *slash = strrchr(print->function[0], '/');
        name = slash ? slash + 1 : print->function[0];
    }
    struct buf unit = {0};
    buf_puts(&unit, "every");
    if (name)
        buf_addc(&unit, '-');
    for (; name && *name && unit.len < LONGEST; name++) {
        bool kept = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
                    (*name >= '0' && *name <= '9') || *name == '.' || *name == '_';
        buf_addc(&unit, kept ? *name : '-');
    }
    return buf_take(&unit);
}

static void add_description(struct buf *text, const struct schedule_print *print)
{
    char *function = words_join(print->function, print->function_count);
    buf_puts(text, "Description=every ");
    add_text(text, print->text);
    buf_puts(text, print->function_count ? ": " : "");
    add_text(text, function);
    buf_addc(text, '\n');
    free(function);
}

/* ---- the units ---- */

static int add_service(const struct schedule_print *print, struct buf *text, struct err *err)
{
    size_t count;
    char **words = schedule_print_words(print, NULL, &count);
    int status = check_folder(print->folder, err) < 0 || check(print->path, err) < 0 ? -1 : 0;
    add_description(text, print);
    buf_puts(text, "\n[Service]\nType=oneshot\nWorkingDirectory=");
    add_text(text, print->folder);
    if (print->path) {
        buf_puts(text, "\nEnvironment=\"PATH=");
        add_escaped(text, print->path, false);
        buf_addc(text, '"');
    }
    buf_puts(text, "\nExecStart=");
    for (size_t i = 0; status == 0 && i < count; i++) {
        buf_puts(text, i ? " " : "");
        add_word(text, words[i], i == 0);
        status = check(words[i], err);
    }
    /* another run has the lock: no failure */
    buf_puts(text, "\nSuccessExitStatus=75\n");
    words_free(words);
    return status;
}

/* In seconds, with its fraction. */
static void add_span(struct buf *text, const char *name, int64_t length)
{
    buf_addf(text, "%s=%jd", name, (intmax_t)(length / NUM_SECOND));
    if (length % NUM_SECOND)
        buf_addf(text, ".%06d", (int)(length % NUM_SECOND / 1000));
    buf_puts(text, "s\n");
}

static int add_times(const struct schedule_print *print, struct buf *text, struct err *err)
{
    if (print->schedule->kind == SCHEDULE_INTERVAL) {
        buf_puts(text, "# systemd counts from start to start, and drifts\nOnActiveSec=0s\n");
        add_span(text, "OnUnitActiveSec", print->schedule->interval);
        return 0;
    }
    buf_puts(text, print->missed ? "Persistent=true\n" : "");
    return schedule_calendar_systemd(text, print->schedule, print->zone, print->zone_name,
                                     print->now, err);
}

static int add_timer(const struct schedule_print *print, struct buf *text, struct err *err)
{
    bool fine =
        print->schedule->kind == SCHEDULE_INTERVAL && print->schedule->interval < 60 * NUM_SECOND;
    buf_puts(text, "[Unit]\n");
    add_description(text, print);
    buf_puts(text, "\n[Timer]\n");
    int status = add_times(print, text, err);
    /* no RandomizedDelaySec for --jitter: the command waits by itself, and one that is started late
     * takes its time for missed */
    buf_puts(text, fine ? "AccuracySec=1ms\n" : "AccuracySec=1s\n");
    buf_puts(text, "\n[Install]\nWantedBy=timers.target\n");
    return status;
}

static int add_units(const struct schedule_print *print, struct buf *units, struct err *err)
{
    char *unit = unit_name(print);
    buf_addf(units, "# ~/.config/systemd/user/%s.service\n[Unit]\n", unit);
    int status = add_service(print, units, err);
    buf_addf(units,
             "\n# ~/.config/systemd/user/%s.timer\n"
             "# then: systemctl --user daemon-reload && systemctl --user enable --now %s.timer\n",
             unit, unit);
    if (status == 0)
        status = add_timer(print, units, err);
    free(unit);
    return status;
}

int schedule_print_systemd(const struct schedule_print *print, struct buf *text, struct err *err)
{
    struct schedule_print told = *print;
    struct schedule line;
    struct buf fields = {0}, units = {0};
    /* what systemd would count from start to start drifts: where a line of cron says the same, it
     * is that */
    if (print->schedule->kind == SCHEDULE_INTERVAL &&
        schedule_calendar_crontab(&fields, print->schedule, print->text, err) == 0 &&
        schedule_parse(&line, buf_cstr(&fields), print->zone, print->now, err) == 0) {
        told.schedule = &line;
        told.text = buf_cstr(&fields);
    }
    int status = add_units(&told, &units, err);
    if (status == 0)
        buf_add_str(text, buf_str(&units));
    buf_free(&units);
    buf_free(&fields);
    return status;
}
