/* slurp.c: all bytes of a descriptor or file at once, up to a limit. */
#include "sys/slurp.h"

#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

enum { SLURP_READ = 64 * 1024 };

int slurp_fd(int fd, const char *name, size_t limit, struct buf *bytes, struct err *err)
{
    for (;;) {
        buf_reserve(bytes, SLURP_READ);
        ssize_t got = read(fd, bytes->data + bytes->len, SLURP_READ);
        if (got < 0 && errno == EAGAIN) {
            struct pollfd readable = {.fd = fd, .events = POLLIN};
            poll(&readable, 1, -1);
            continue;
        }
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_sys(err, "read %s", name);
        if (got == 0)
            return 0;
        bytes->len += (size_t)got;
        if (bytes->len > limit) {
            char most[NUM_TEXT];
            return err_set(err, ERR_LIMIT, "%s: more than %s", name, num_format_size(limit, most));
        }
    }
}

int slurp_file(const char *path, size_t limit, struct buf *bytes, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, "open %s", path);
    int status = slurp_fd(fd, path, limit, bytes, err);
    close(fd);
    return status;
}
