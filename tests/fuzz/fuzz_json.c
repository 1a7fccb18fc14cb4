/* fuzz_json.c: the scanner at every level, its values, the iterator, decoding and compacting. */
#include "../helpers/json_check.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *wrong = json_check((struct str){(const char *)data, size});
    if (wrong) {
        fprintf(stderr, "fuzz_json: %s\n", wrong);
        abort();
    }
    return 0;
}
