/* boot.c: which run of the machine this is. */
#include "sys/boot.h"

#include "base/hash.h"

#include <fcntl.h>
#include <unistd.h>

enum { BOOT_TEXT = 64 };

uint64_t boot_number(void)
{
    static uint64_t number;
    char text[BOOT_TEXT];
    if (number)
        return number;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof text);
    if (fd >= 0)
        close(fd);
    /* without it all boots are one: state that should be made anew is then only looked at */
    number = hash_64((struct str){text, len > 0 ? (size_t)len : 0}) | 1;
    return number;
}
