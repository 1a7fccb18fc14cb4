/* boot.c: which run of the machine this is. */
#include "sys/boot.h"

#include "base/hash.h"

#include <fcntl.h>
#include <unistd.h>

enum { BOOT_TEXT = 64 };

uint64_t boot_number(void)
{
    static uint64_t number;
    uint64_t known = __atomic_load_n(&number, __ATOMIC_RELAXED);
    char text[BOOT_TEXT];
    if (known)
        return known;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof text);
    if (fd >= 0)
        close(fd);
    /* where the kernel does not tell, all boots are one */
    known = hash_64((struct str){text, len > 0 ? (size_t)len : 0}) | 1;
    __atomic_store_n(&number, known, __ATOMIC_RELAXED);
    return known;
}
