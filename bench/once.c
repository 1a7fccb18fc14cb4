/* once.c: the function that starts fastest: gives its stdin back and ends. Linked statically. */
#include <unistd.h>

int main(void)
{
    static char bytes[65536];
    ssize_t got;
    while ((got = read(0, bytes, sizeof bytes)) > 0) {
        if (write(1, bytes, (size_t)got) != got)
            return 1;
    }
    return got < 0;
}
