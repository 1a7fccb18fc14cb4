/* schedule_print_crontab.c: a schedule as a line of crontab(5). */
#include "engine/schedule_print.h"

#include "engine/schedule_calendar.h"
#include "engine/schedule_gaps.h"
#include "engine/schedule_print_words.h"
#include "fn/words.h"

/*
 * A word for the shell that cron calls. cron itself takes an end of line out of "%" unless there
 * is a backslash before it, which it takes away; and one backslash keeps it from seeing the next.
 * So between a backslash and "\%" comes an empty string.
 */
static void add_word(struct buf *line, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=:,./@";
    bool quoted = !*word || word[strspn(word, plain)];
    if (quoted)
        buf_addc(line, '\'');
    for (const char *c = word; *c; c++) {
        if (*c == '\'')
            buf_puts(line, "'\\''");
        else if (*c == '%')
            buf_puts(line, c > word && c[-1] == '\\' ? "''\\%" : "\\%");
        else
            buf_addc(line, *c);
    }
    if (quoted)
        buf_addc(line, '\'');
}

static int check(const char *text, struct err *err)
{
    if (!text || !text[strcspn(text, "\r\n")])
        return 0;
    return err_set(err, ERR_USAGE, "a crontab cannot hold an end of line: '%.40s'", text);
}

/* "PATH=" changes all lines of a table that follow, so it is said in the command. */
static int add_command(const struct schedule_print *print, const char *schedule, struct buf *line,
                       struct err *err)
{
    size_t count;
    char **words = schedule_print_words(print, schedule, &count);
    int status = check(print->folder, err) < 0 || check(print->path, err) < 0 ? -1 : 0;
    buf_puts(line, "cd ");
    add_word(line, print->folder);
    buf_puts(line, " &&");
    if (print->path) {
        buf_puts(line, " PATH=");
        add_word(line, print->path);
    }
    for (size_t i = 0; status == 0 && i < count; i++) {
        buf_addc(line, ' ');
        add_word(line, words[i]);
        status = check(words[i], err);
    }
    words_free(words);
    return status;
}

static int end_line(struct buf *line, struct err *err)
{
    if (line->len > SCHEDULE_PRINT_LONGEST)
        return err_set(err, ERR_USAGE, "%zu bytes, and cron reads %d of a line: put it in a script",
                       line->len, SCHEDULE_PRINT_LONGEST);
    buf_addc(line, '\n');
    return 0;
}

static int add_line(const struct schedule_print *print, const char *fields, struct buf *text,
                    struct err *err)
{
    /* cron counts hours of the day: an interval, which counts what passes, would be out of step
     * with it from the next change of local time on */
    bool replaced = print->schedule->kind == SCHEDULE_INTERVAL;
    struct buf line = {0};
    buf_addf(&line, "%s ", fields);
    int status = add_command(print, replaced ? fields : NULL, &line, err);
    if (status == 0)
        status = end_line(&line, err);
    buf_add_str(text, buf_str(&line));
    buf_free(&line);
    return status;
}

/* The same command for times that clocks skip. cronie makes up for them itself, but not in a zone
 * other than its own. */
static int add_gaps(const struct schedule_print *print, struct buf *text, struct err *err)
{
    struct schedule_gap gaps[SCHEDULE_GAPS];
    size_t count = schedule_gaps_find(print->schedule, print->zone, print->now, gaps);
    int status = 0;
    if (count)
        buf_puts(text, "# when clocks have skipped times, they are due at once\n");
    for (size_t i = 0; status == 0 && i < count; i++) {
        struct buf fields = {0};
        buf_addf(&fields, "%u %u * %u *", gaps[i].minute, gaps[i].hour, gaps[i].month);
        status = add_line(print, buf_cstr(&fields), text, err);
        buf_free(&fields);
    }
    return status;
}

/* CRON_TZ is for all lines that follow: it is taken back at the end. */
static int add_in_zone(const struct schedule_print *print, const char *fields, struct buf *text,
                       struct err *err)
{
    buf_addf(text,
             "# CRON_TZ is known to cronie; a cron that does not know it (Debian's) takes the "
             "machine's zone\nCRON_TZ=%s\n",
             print->zone_name);
    if (add_line(print, fields, text, err) < 0 || add_gaps(print, text, err) < 0)
        return -1;
    buf_puts(text, "CRON_TZ=\"\"\n");
    return 0;
}

int schedule_print_crontab(const struct schedule_print *print, struct buf *text, struct err *err)
{
    struct buf fields = {0}, table = {0};
    buf_puts(&table, "# for the table of crontab -e\n");
    int status = schedule_calendar_crontab(&fields, print->schedule, print->text, err);
    if (status == 0)
        status = print->zone_name ? add_in_zone(print, buf_cstr(&fields), &table, err)
                                  : add_line(print, buf_cstr(&fields), &table, err);
    if (status == 0)
        buf_add_str(text, buf_str(&table));
    buf_free(&fields);
    buf_free(&table);
    return status;
}
