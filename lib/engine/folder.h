/*
 * folder.h: functions that events name: the executables of one folder.
 *
 * A name comes from an event and is not trusted: only a plain name leads to a file of the folder
 * itself (a symbolic link there is its owner's decision). Functions are opened on first use; the
 * FOLDER_OPEN used last are kept open.
 */
#ifndef FIT_ENGINE_FOLDER_H
#define FIT_ENGINE_FOLDER_H

#include "engine/routes.h"

enum {
    FOLDER_OPEN = 64, /* functions kept open; beyond it the one unused for longest is closed, unless
                         all have calls */
    FOLDER_NAME = 255, /* bytes of a name; a longer one is no file's */
};

struct folder;

/* folder is the path of a folder; it is kept. NULL with err. targets may be NULL: nothing is
 * opened. */
struct folder *folder_new(const char *path, const char *predicate, struct targets *targets,
                          struct err *err);
void folder_free(struct folder *folder); /* leaves the targets to targets_free */

/* Not empty, no "/" and no NUL, no leading "." or "-", at most FOLDER_NAME bytes. */
bool folder_is_plain(struct str name);

/*
 * The route to the executable of that name, with an open target. NULL with err: ERR_NOT_FOUND or
 * ERR_NOT_USABLE when there is no such executable or the name is not plain, ERR_SYSTEM and others
 * when it cannot be opened now.
 */
struct route *folder_find(struct folder *folder, struct str name, struct err *err);

/* All that were ever found, for their counts; sorted by name. */
const struct route_list *folder_routes(struct folder *folder);

#endif
