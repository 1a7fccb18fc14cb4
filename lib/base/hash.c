/* hash.c: fast hashes of bytes, by libxxhash. */
#include "base/hash.h"

#include <xxhash.h>

uint64_t hash_64(struct str bytes)
{
    return XXH3_64bits(bytes.data, bytes.len);
}

struct hash128 hash_128(struct str bytes)
{
    XXH128_hash_t hash = XXH3_128bits(bytes.data, bytes.len);
    return (struct hash128){hash.high64, hash.low64};
}

static void put_digits(uint64_t number, char *text)
{
    for (int i = HASH_TEXT / 2 - 1; i >= 0; i--, number >>= 4)
        text[i] = "0123456789abcdef"[number & 15];
}

const char *hash_format(struct hash128 hash, char text[HASH_TEXT])
{
    put_digits(hash.high, text);
    put_digits(hash.low, text + HASH_TEXT / 2);
    text[HASH_TEXT - 1] = '\0';
    return text;
}
