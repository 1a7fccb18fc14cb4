/* fanin_add.c: parts come into their groups. */
#include "state/fanin_record.h"

struct adding {
    struct apply *apply;
    struct fanin *fanin;
    struct fanin_add *add;
    struct group_part part;
    struct hash128 id;
    struct fanin_head head; /* its name is that of the key */
    bool is_new;
};

static struct group_rules stored_rules(const struct fanin_head *head)
{
    return (struct group_rules){.idle = head->idle, .within = head->within};
}

/* Is the part there? 1, 0, -1. */
static int is_there(const struct adding *all)
{
    unsigned char place[FANIN_PLACE], id[FANIN_ID];
    const struct fanin_head *head = &all->head;
    struct str value, at;
    if (all->part.indexed ? all->part.index >= head->group.span
                          : !all->add->id.data || !head->group.parts)
        return 0;
    at = all->part.indexed ? fanin_place_key(place, all->fanin, head->seq, all->part.index)
                           : fanin_id_key(id, all->fanin, head->seq, all->id);
    return table_get(all->apply->txn, SPACE_PART, at, &value);
}

/* ---- the predicate ---- */

struct array { /* of the values so far, and the new one at its place */
    struct apply *apply;
    const struct fanin_add *add;
    uint64_t place;
    bool added;
    struct buf text, scratch;
};

static void add_value(struct array *array, struct str value)
{
    if (array->text.len > 1)
        buf_addc(&array->text, ',');
    buf_add_str(&array->text, value);
}

static void add_own(struct array *array)
{
    if (array->add->value.data && !array->add->failed)
        add_value(array, array->add->value);
    array->added = true;
}

static int add_stored(void *owner, const struct fanin_stored *part)
{
    struct array *array = owner;
    struct str value;
    if (!array->added && part->place > array->place)
        add_own(array);
    if (part->failed || part->empty)
        return 0;
    if (apply_unpack(array->apply, part->packed, &array->scratch, &value) < 0)
        return -1;
    add_value(array, value);
    return 0;
}

/* GROUP_UNTIL when it is true of the values with the new one. 0; 1: it cannot be applied; -1. */
static int ask_until(const struct adding *all, uint64_t place, enum group_closing *closing)
{
    struct array array = {.apply = all->apply, .add = all->add, .place = place};
    buf_addc(&array.text, '[');
    int status = fanin_each_part(all->apply, all->fanin, all->head.seq, add_stored, &array);
    if (status == 0) {
        if (!array.added)
            add_own(&array);
        buf_addc(&array.text, ']');
        int holds = all->add->until(all->add->owner, buf_str(&array.text));
        *closing = holds > 0 ? GROUP_UNTIL : GROUP_OPEN;
        status = holds < 0;
    }
    buf_free(&array.text);
    buf_free(&array.scratch);
    return status;
}

/* ---- taking it ---- */

static int write_part(const struct adding *all, uint64_t place)
{
    unsigned char key[FANIN_PLACE];
    const struct fanin_add *add = all->add;
    struct buf *record = fanin_scratch(all->apply);
    buf_addc(record, (char)((add->failed ? PART_FAILED : 0) | (add->value.data ? 0 : PART_EMPTY)));
    if (add->value.data)
        apply_pack(record, add->value);
    struct str at = fanin_place_key(key, all->fanin, all->head.seq, place);
    return table_put(all->apply->txn, SPACE_PART, at, buf_str(record));
}

static int write_id(const struct adding *all)
{
    unsigned char key[FANIN_ID];
    if (all->part.indexed || !all->add->id.data)
        return 0;
    struct str at = fanin_id_key(key, all->fanin, all->head.seq, all->id);
    return table_put(all->apply->txn, SPACE_PART, at, (struct str){"", 0});
}

static int write_entry(const struct adding *all)
{
    const struct fanin_head *head = &all->head;
    struct fanin_entry entry = {.seq = head->seq};
    if (!all->is_new)
        return 0;
    if (fanin_write_text(all->apply, all->fanin, head, all->add->group) < 0)
        return -1;
    return fanin_write_entry(all->apply, all->fanin, buf_str(&head->name), &entry);
}

/* The group as it is with the part; it may have closed. */
static int write_group(struct adding *all)
{
    struct fanin_head *head = &all->head;
    struct group_rules rules = stored_rules(head);
    if (head->group.closing != GROUP_OPEN)
        return fanin_close(all->apply, all->fanin, head);
    int64_t due = group_due(&head->group, &rules);
    if (due < head->filed && fanin_file(all->apply, all->fanin, head, due) < 0)
        return -1;
    return fanin_write_head(all->apply, all->fanin, head);
}

static int take(struct adding *all)
{
    struct fanin_add *add = all->add;
    struct fanin_head *head = &all->head;
    struct fanin_numbers *numbers = &all->fanin->numbers;
    struct group group = head->group;
    if (all->is_new)
        head->seq = numbers->seq + 1;
    uint64_t place = group_take(&group, &add->rules, &all->part, all->apply->wall);
    if (add->rules.until && group.closing == GROUP_OPEN) {
        int status = ask_until(all, place, &group.closing);
        if (status > 0)
            add->verdict = GROUP_WRONG;
        if (status)
            return status < 0 ? -1 : 0;
    }
    head->group = group;
    head->idle = add->rules.idle;
    head->within = add->rules.within;
    add->closing = group.closing;
    numbers->seq = head->seq > numbers->seq ? head->seq : numbers->seq;
    numbers->open += all->is_new;
    numbers->parts++;
    all->fanin->dirty = true;
    if (write_entry(all) < 0 || write_part(all, place) < 0 || write_id(all) < 0)
        return -1;
    return write_group(all);
}

/* ---- the verdict ---- */

static void begin_group(struct adding *all)
{
    struct fanin_head *head = &all->head;
    all->is_new = true;
    head->seq = 0;
    head->filed = GROUP_NEVER;
    head->group = (struct group){0};
}

static int judge(struct adding *all)
{
    struct fanin_add *add = all->add;
    struct fanin_head *head = &all->head;
    struct group_rules rules = stored_rules(head);
    if (group_expire(&head->group, &rules, all->apply->wall) &&
        fanin_close(all->apply, all->fanin, head) < 0)
        return -1;
    if (head->group.closing != GROUP_OPEN && add->renews) {
        begin_group(all);
        add->verdict = group_judge(&head->group, &all->part);
        return add->verdict == GROUP_TAKEN ? take(all) : 0;
    }
    add->closing = head->group.closing;
    add->verdict = group_judge(&head->group, &all->part);
    if (add->verdict == GROUP_WRONG)
        return 0;
    int there = is_there(all);
    if (there)
        add->verdict = GROUP_DUPLICATE;
    return there || add->verdict != GROUP_TAKEN ? (there < 0 ? -1 : 0) : take(all);
}

static int judge_past(const struct adding *all, const struct fanin_entry *entry)
{
    struct fanin_add *add = all->add;
    add->closing = entry->past.closing;
    add->verdict = group_judge(&entry->past, &all->part);
    if (add->verdict == GROUP_LATE && fanin_had(entry, add, all->id))
        add->verdict = GROUP_DUPLICATE;
    return 0;
}

/* The group that the entry speaks of, and its key. 1: it is another key of the same hash. */
static int read_group(struct adding *all, const struct fanin_entry *entry)
{
    struct str key = entry->key;
    if (!entry->until) {
        all->head.seq = entry->seq;
        if (fanin_read_head(all->apply, all->fanin, &all->head) < 0 ||
            fanin_read_text(all->apply, all->fanin, &all->head, &key) < 0)
            return -1;
    }
    return all->head.name.data[0] == 'h' && !str_eq(key, all->add->group);
}

static int add_part(struct adding *all)
{
    struct fanin_entry entry;
    struct str name = buf_str(&all->head.name);
    begin_group(all);
    int found = fanin_find(all->apply, all->fanin, name, &entry);
    int other = found > 0 ? read_group(all, &entry) : 0;
    if (found < 0 || other < 0)
        return -1;
    if (other) {
        all->add->verdict = GROUP_WRONG;
        return 0;
    }
    if (found && entry.until > all->apply->wall)
        return judge_past(all, &entry);
    if (found && entry.until) {
        if (fanin_forget_one(all->apply, all->fanin, name, entry.seq, entry.until) < 0)
            return -1;
        found = 0;
    }
    all->is_new = !found;
    return judge(all);
}

int fanin_apply_add(struct apply *apply, struct fanin_add *add)
{
    add->verdict = GROUP_TAKEN;
    add->closing = GROUP_OPEN;
    struct adding all = {.apply = apply,
                         .fanin = fanin_of(apply, add->own.name, true),
                         .add = add,
                         .part = {add->indexed, add->index, add->expected}};
    if (!all.fanin)
        return -1;
    if (!add->indexed && add->id.data)
        all.id = hash_128(add->id);
    fanin_name(&all.head.name, add->group);
    int status = add_part(&all);
    buf_free(&all.head.name);
    return status;
}
