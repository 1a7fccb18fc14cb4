/*
 * cursor_record.h: the records of cursors. Internal to lib/state: shared by the files cursor*.c.
 *
 *     SPACE_CURSOR  cursor (4), 0 -> token (8), holder (8), boot (8), number of records (8)
 *                   cursor (4), 1, key -> value (packed)
 *
 * A cursor's number is that of its name among those of the kind "cursor/KIND" (apply_name). It has
 * a name and a head as long as it has records or is open. What is forgotten stays under its old
 * number until it is made free (trash.h).
 */
#ifndef FIT_STATE_CURSOR_RECORD_H
#define FIT_STATE_CURSOR_RECORD_H

#include "state/apply.h"
#include "state/cursor.h"

enum {
    CURSOR_PREFIX = 4 + 1,                    /* of the keys of records */
    CURSOR_PLACE = CURSOR_PREFIX + CURSOR_KEY /* bytes of such a key */
};

struct cursor_head {
    uint32_t number;
    uint64_t token; /* of who has it; 0: nobody */
    cell_holder holder;
    uint64_t boot; /* the run of the machine that the holder is of */
    uint64_t records;
};

/* The cursor of that name. TABLE_ABSENT: *head is zeroed. */
enum table_result cursor_find(struct apply *apply, const char *kind, struct str name,
                              struct cursor_head *head);
/* The same, if the token is that of who has it. */
enum table_result cursor_find_with(struct apply *apply, const struct cursor_op *own, uint64_t token,
                                   struct cursor_head *head);
int cursor_write_head(struct apply *apply, const struct cursor_head *head);
/* Of one without records: nothing is left of it. */
int cursor_remove_head(struct apply *apply, const struct cursor_op *own, uint32_t number);

/* Does a process have it that is alive? */
bool cursor_is_held(const struct cursor_head *head);

/* The kind of the name for apply_name. */
const char *cursor_names(const char *kind, char text[CURSOR_KIND + 8]);

/* The key of a record; key is at most CURSOR_KEY long. */
struct str cursor_place(unsigned char place[CURSOR_PLACE], uint32_t number, struct str key);

int cursor_apply_read(struct apply *apply, struct cursor_read *read);
int cursor_apply_list(struct apply *apply, struct cursor_list *list);

#endif
