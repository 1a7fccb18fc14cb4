/* library.c: shared libraries that are opened when they are first needed. */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

static void *open_any(const struct library *library, struct err *err)
{
    for (size_t i = 0; i < LIBRARY_FILES && library->files[i]; i++) {
        void *handle = dlopen(library->files[i], RTLD_NOW | RTLD_LOCAL);
        if (handle)
            return handle;
        if (i == 0)
            err_set(err, ERR_NOT_USABLE, "%s: %s", library->need, dlerror());
    }
    return NULL;
}

int library_open(const struct library *library, void *table, struct err *err)
{
    void *handle = open_any(library, err);
    if (!handle)
        return -1;
    for (size_t i = 0; i < library->count; i++) {
        const struct library_function *function = &library->functions[i];
        void *address = dlsym(handle, function->name);
        if (!address)
            return err_set(err, ERR_NOT_USABLE, "%s: it has no %s", library->need, function->name);
        /* POSIX: pointers to functions and to objects are alike */
        memcpy((char *)table + function->place, &address, sizeof address);
    }
    return 0;
}
