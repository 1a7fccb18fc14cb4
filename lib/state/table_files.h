/*
 * table_files.h: the files of records on disk, before LMDB has them open. Internal to lib/state.
 *
 * "data.mdb" holds the records, "lock.mdb" who reads and writes them just now. "data.made" is an
 * empty file that is written once data.mdb is there, to tell a store that was lost from one that
 * was never made.
 */
#ifndef FIT_STATE_TABLE_FILES_H
#define FIT_STATE_TABLE_FILES_H

#include "base/err.h"

#include <stdbool.h>

bool table_files_were_made(const char *path);             /* the mark is there */
int table_files_check(const char *path, struct err *err); /* so are the data? -1: not any more */
int table_files_mark(const char *path, struct err *err);

/*
 * The table of so many readers is written through a map: give it blocks, or a full disk is a
 * SIGBUS. To be called while this process does not have it open: to close any descriptor of the
 * file would drop LMDB's locks.
 */
int table_files_reserve(const char *path, int readers, struct err *err);

#endif
