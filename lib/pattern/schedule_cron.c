/* schedule_cron.c: read the five fields of a cron line, or one of cron's names for them. */
#include "pattern/schedule_cron.h"

#include "pattern/schedule_fields.h"

#include <strings.h>

enum { FIELDS = 5, NAME_LEN = 3, SHOWN = 40 /* bytes of a field in an error; the rest is cut */ };

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                          "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static const struct kind {
    const char *name;
    unsigned low, high;
    const char *const *names; /* of low, low + 1, ... */
} kinds[FIELDS] = {
    {"minute", 0, 59, NULL},
    {"hour", 0, 23, NULL},
    {"day", 1, 31, NULL},
    {"month", 1, 12, month_names},
    {"weekday", 0, 7, weekday_names},
};

/* A field while it is read. */
struct field {
    const struct kind *kind;
    struct str text;
    size_t at;
    struct err *err;
};

static int refuse(const struct field *field, const char *reason)
{
    int len = field->text.len > SHOWN ? SHOWN : (int)field->text.len;
    return err_set(field->err, ERR_USAGE, "%s \"%.*s\": %s", field->kind->name, len,
                   field->text.data, reason);
}

/* len bytes before the present place are a number, out of range. */
static int refuse_number(const struct field *field, size_t len)
{
    int shown = field->text.len > SHOWN ? SHOWN : (int)field->text.len;
    int digits = len > SHOWN ? SHOWN : (int)len;
    return err_set(field->err, ERR_USAGE, "%s \"%.*s\": %.*s is not from %u to %u",
                   field->kind->name, shown, field->text.data, digits,
                   field->text.data + field->at - len, field->kind->low, field->kind->high);
}

static char look(const struct field *field)
{
    return field->at < field->text.len ? field->text.data[field->at] : '\0';
}

static bool passes(struct field *field, char c)
{
    if (field->at == field->text.len || look(field) != c)
        return false;
    field->at++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Digits, of which there is one at least; all that is too large is the same. */
static unsigned read_digits(struct field *field)
{
    enum { LARGE = 100000000 };
    unsigned number = 0;
    for (; is_digit(look(field)); field->at++)
        number = number < LARGE ? number * 10 + (unsigned)(look(field) - '0') : number;
    return number;
}

static int read_name(struct field *field, unsigned *number)
{
    const char *name = field->text.data + field->at;
    size_t len = 0;
    for (; is_letter(look(field)); field->at++)
        len++;
    for (unsigned i = 0; field->kind->names && field->kind->names[i]; i++) {
        if (len == NAME_LEN && strncasecmp(name, field->kind->names[i], NAME_LEN) == 0) {
            *number = field->kind->low + i;
            return 0;
        }
    }
    if (!field->kind->names)
        return refuse(field, "not a number");
    return refuse(field, field->kind->names == month_names ? "not a month (1-12, jan-dec)"
                                                           : "not a weekday (0-7, sun-sat)");
}

static int read_value(struct field *field, unsigned *number)
{
    if (is_letter(look(field)))
        return read_name(field, number);
    if (look(field) == '~')
        return refuse(field, "no random times here (~): see --jitter");
    if (!is_digit(look(field)))
        return refuse(field, field->text.len == field->at ? "a number is missing at the end"
                                                          : "not a number, range or list");
    size_t start = field->at;
    *number = read_digits(field);
    if (*number < field->kind->low || *number > field->kind->high)
        return refuse_number(field, field->at - start);
    return 0;
}

static int read_step(struct field *field, unsigned *step)
{
    if (!is_digit(look(field)))
        return refuse(field, "a step is a number");
    *step = read_digits(field);
    return *step ? 0 : refuse(field, "a step of 0");
}

/* One element of a list. */
static int read_range(struct field *field, uint64_t *bits)
{
    unsigned first = field->kind->low, last = field->kind->high, step = 1;
    bool several = passes(field, '*');
    if (!several) {
        if (read_value(field, &first))
            return -1;
        last = first;
        several = passes(field, '-');
        if (several && read_value(field, &last))
            return -1;
    }
    if (last < first && field->kind->names == weekday_names && last == 0)
        return refuse(field, "the range goes backwards (Sunday as its end is 7)");
    if (last < first)
        return refuse(field, "the range goes backwards");
    if (passes(field, '/')) {
        if (!several)
            return refuse(field, "a step is of a range or of *");
        if (read_step(field, &step))
            return -1;
    }
    for (uint64_t i = first; i <= last; i += step)
        *bits |= UINT64_C(1) << i;
    return 0;
}

static int read_list(struct field *field, uint64_t *bits)
{
    *bits = 0;
    do {
        if (read_range(field, bits))
            return -1;
    } while (passes(field, ','));
    if (field->at == field->text.len)
        return 0;
    return refuse(field, look(field) == '~' ? "no random times here (~): see --jitter"
                                            : "not a number, range or list");
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Cut text at blanks. The number of words; FIELDS of them at most are kept. */
static size_t cut(struct str text, struct str words[FIELDS])
{
    size_t count = 0;
    for (size_t at = 0; at < text.len;) {
        size_t start = at;
        while (at < text.len && !is_blank(text.data[at]))
            at++;
        if (at > start && count++ < FIELDS)
            words[count - 1] = (struct str){text.data + start, at - start};
        while (at < text.len && is_blank(text.data[at]))
            at++;
    }
    return count;
}

static int read_name_of_cron(struct str name, struct str *fields, struct err *err)
{
    static const struct {
        const char *name, *fields;
    } names[] = {
        {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
        {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
        {"@hourly", "0 * * * *"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_eq(name, str_of(names[i].name))) {
            *fields = str_of(names[i].fields);
            return 0;
        }
    }
    if (str_eq(name, STR("@reboot")))
        return err_set(err, ERR_USAGE, "@reboot is not a time: let the system start it");
    return err_set(err, ERR_USAGE,
                   "no such name (@hourly, @daily, @midnight, @weekly, @monthly, @yearly, "
                   "@annually)");
}

static bool is_starred(struct str field)
{
    return field.len && field.data[0] == '*';
}

int schedule_cron_read(struct schedule *schedule, struct str text, struct err *err)
{
    if (text.len && text.data[0] == '@' && read_name_of_cron(text, &text, err))
        return -1;
    struct str words[FIELDS];
    size_t count = cut(text, words);
    if (count != FIELDS)
        return err_set(err, ERR_USAGE,
                       "%zu fields where cron has 5: minute, hour, day, month, weekday", count);
    uint64_t bits[FIELDS];
    for (size_t i = 0; i < FIELDS; i++) {
        struct field field = {&kinds[i], words[i], 0, err};
        if (read_list(&field, &bits[i]))
            return -1;
    }
    *schedule = (struct schedule){
        .kind = SCHEDULE_CRON,
        .minutes = bits[0],
        .hours = (uint32_t)bits[1],
        .days = (uint32_t)bits[2],
        .months = (uint32_t)bits[3],
        .weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 0x7f),
        .either_day = !is_starred(words[2]) && !is_starred(words[4]),
        .starred = is_starred(words[0]) || is_starred(words[1]),
    };
    if (!schedule_fields_possible(schedule))
        return refuse(&(struct field){&kinds[2], words[2], 0, err}, "none of the months has it");
    return 0;
}
