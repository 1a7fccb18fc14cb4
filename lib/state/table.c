/* table.c: what every kind of table shares. */
#include "state/table.h"

#include <stdarg.h>
#include <stdio.h>

int table_fail(struct table_txn *txn, enum err_kind kind, const char *format, ...)
{
    if (txn->failed)
        return -1;
    char text[sizeof txn->err.text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    txn->failed = true;
    return err_set(&txn->err, kind, "%s", text);
}
