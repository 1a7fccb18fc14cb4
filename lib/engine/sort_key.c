/* sort_key.c: the value of a jq program by which events are sorted. */
#include "engine/sort_key.h"

#include "base/mem.h"
#include "format/jq.h"
#include "format/json_order.h"

#include <stdlib.h>

struct sort_key {
    struct jq_program *program;
    struct json_paths *paths;
    struct json_value *values;
    struct buf value;
};

struct sort_key *sort_key_new(const char *program, struct err *err)
{
    struct sort_key *key = mem_zalloc(sizeof *key);
    key->paths = json_paths_new();
    key->program = jq_compile(program, key->paths, err);
    if (!key->program) {
        sort_key_free(key);
        return NULL;
    }
    key->values = mem_array(json_paths_count(key->paths), sizeof *key->values);
    return key;
}

void sort_key_free(struct sort_key *key)
{
    if (!key)
        return;
    jq_free(key->program);
    json_paths_free(key->paths);
    free(key->values);
    buf_free(&key->value);
    free(key);
}

const char *sort_key_text(const struct sort_key *key)
{
    return jq_text(key->program);
}

int sort_key_of(struct sort_key *key, struct str event, struct buf *bytes, struct err *err)
{
    struct json_scan scan;
    if (json_scan(event, key->paths, key->values, &scan) < 0)
        return 0;
    struct jq_input input = {event, key->values, scan.depth};
    buf_clear(&key->value);
    buf_clear(bytes);
    int found = jq_first(key->program, &input, &key->value, err);
    if (found == 0)
        return err_set(err, ERR_INPUT, "jq '%s': no value", jq_text(key->program));
    if (found < 0 || json_order_key(buf_str(&key->value), bytes, err) < 0)
        return -1;
    return 1;
}
