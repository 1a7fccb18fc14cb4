/* table_turn.c: take turns at LMDB's locks. */
#include "state/table_turn.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

int table_turn_open(struct table_turn *turn, const char *path, struct err *err)
{
    struct buf name = {0};
    buf_addf(&name, "%s/data.turn", path);
    turn->fd = open(buf_cstr(&name), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int status = turn->fd < 0 ? err_sys(err, "open %s", buf_cstr(&name)) : 0;
    buf_free(&name);
    return status;
}

void table_turn_close(struct table_turn *turn)
{
    if (turn->fd >= 0)
        close(turn->fd);
    turn->fd = -1;
}

int table_turn_take(struct table_turn *turn, struct err *err)
{
    int status;
    do
        status = flock(turn->fd, LOCK_EX);
    while (status < 0 && errno == EINTR);
    return status < 0 ? err_sys(err, "lock data.turn") : 0;
}

void table_turn_leave(struct table_turn *turn)
{
    flock(turn->fd, LOCK_UN);
}
