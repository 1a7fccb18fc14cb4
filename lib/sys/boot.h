/*
 * boot.h: which run of the machine this is.
 */
#ifndef FIT_SYS_BOOT_H
#define FIT_SYS_BOOT_H

#include <stdint.h>

/*
 * A number for it: another one after a restart (a hash of the kernel's boot_id). What was in memory
 * only, and times of clock_now, mean nothing in another. Never 0. Cheap after the first time.
 */
uint64_t boot_number(void);

#endif
