/* json.c: the scanner's second stage: what stands between the strings, and the values of paths. */
#include "format/json.h"

#include "format/json_fault.h"
#include "format/json_index.h"
#include "format/json_paths.h"

#ifdef JSON_X86
#include <emmintrin.h>
#endif

#define INLINE      static inline __attribute__((always_inline))
#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

INLINE bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

INLINE bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t skip_digits(struct str text, size_t at)
{
    while (at < text.len && is_digit(text.data[at]))
        at++;
    return at;
}

/* The end of the number that starts at, or 0 when it is not one. */
static size_t number_end(struct str text, size_t at)
{
    const char *t = text.data;
    at += t[at] == '-';
    size_t digits = at;
    at = skip_digits(text, at);
    if (at == digits || (t[digits] == '0' && at - digits > 1))
        return 0;
    if (at < text.len && t[at] == '.') {
        digits = ++at;
        at = skip_digits(text, at);
        if (at == digits)
            return 0;
    }
    if (at < text.len && (t[at] | 0x20) == 'e') {
        at++;
        at += at < text.len && (t[at] == '+' || t[at] == '-');
        digits = at;
        at = skip_digits(text, at);
        if (at == digits)
            return 0;
    }
    return at;
}

#ifdef JSON_X86
/*
 * number_end for the common number: no exponent, up to 15 bytes, in a text of 16 bytes or more that
 * a bracket ends. One load tells the digits, so that their count costs no branch. Others go on to
 * number_end.
 */
INLINE size_t number_end_sse2(struct str text, size_t at)
{
    const char *t = text.data;
    if (UNLIKELY(text.len < 16))
        return number_end(text, at);
    size_t start = at + (t[at] == '-');
    size_t from = start + 16 <= text.len ? start : text.len - 16;
    __m128i bytes = _mm_loadu_si128((const __m128i *)(t + from));
    __m128i values = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    __m128i small = _mm_cmpeq_epi8(_mm_min_epu8(values, _mm_set1_epi8(9)), values);
    unsigned others = ~((unsigned)_mm_movemask_epi8(small) >> (start - from));
    unsigned whole = (unsigned)__builtin_ctz(others);
    if (UNLIKELY(whole == 0 || (t[start] == '0' && whole > 1)))
        return 0;
    if (UNLIKELY(whole >= 15))
        return number_end(text, at);
    size_t end = start + whole;
    if (t[end] == '.') {
        unsigned fraction = (unsigned)__builtin_ctz(others >> (whole + 1));
        if (UNLIKELY(fraction == 0))
            return 0;
        end += 1 + fraction;
        if (UNLIKELY(end - start >= 16))
            return number_end(text, at);
    }
    return LIKELY((t[end] | 0x20) != 'e') ? end : number_end(text, at);
}
#endif

/* All that a scan keeps while it walks. Offsets are 32 bits wide: JSON_MAX_TEXT. */
struct walk {
    struct str text; /* without blanks at its end */
    const struct json_paths *paths;
    struct json_value *values; /* NULL: nothing is wanted */
    unsigned deepest;
    struct json_index index;
    size_t element[JSON_MAX_NODES];     /* of arrays with wanted elements: how many have begun */
    int16_t frames[JSON_MAX_DEPTH + 1]; /* of open containers: their node * 2, and 1 for an array */
};

/* A wanted key has come again, the last one counts: forget what the earlier one had. */
static void forget(struct walk *walk, int node)
{
    walk->values[node] = (struct json_value){JSON_ABSENT, {NULL, 0}};
    const struct json_node *nodes = walk->paths->nodes;
    for (int i = nodes[node].keys; i != JSON_NO_NODE; i = nodes[i].sibling)
        forget(walk, i);
    for (int i = nodes[node].indexes; i != JSON_NO_NODE; i = nodes[i].sibling)
        forget(walk, i);
}

static int find_key(const struct walk *walk, const struct json_node *node, struct str key)
{
    if (!(node->lengths >> json_length_bit(key.len) & 1))
        return JSON_NO_NODE;
    const struct json_node *nodes = walk->paths->nodes;
    int child = node->keys;
    while (child != JSON_NO_NODE &&
           (nodes[child].key.len != key.len || memcmp(nodes[child].key.data, key.data, key.len)))
        child = nodes[child].sibling;
    return child;
}

static int find_escaped_key(const struct walk *walk, const struct json_node *node, struct str key)
{
    struct buf decoded = {0};
    json_decode((struct str){key.data - 1, key.len + 2}, &decoded);
    int child = find_key(walk, node, (struct str){decoded.data ? decoded.data : "", decoded.len});
    buf_free(&decoded);
    return child;
}

/* The child of node for a member whose key's quotes stand at open and close. */
static int enter_member(struct walk *walk, const struct json_node *node, uint32_t open,
                        uint32_t close)
{
    struct str key = {walk->text.data + open + 1, close - open - 1};
    bool escaped = walk->index.backslashes && key.len && memchr(key.data, '\\', key.len);
    int child = escaped ? find_escaped_key(walk, node, key) : find_key(walk, node, key);
    if (child != JSON_NO_NODE && walk->values[child].type != JSON_ABSENT)
        forget(walk, child);
    return child;
}

static int enter_element(struct walk *walk, const struct json_node *node)
{
    const struct json_node *nodes = walk->paths->nodes;
    size_t at = walk->element[node - nodes]++;
    if (at > node->last)
        return JSON_NO_NODE;
    int child = node->indexes;
    while (child != JSON_NO_NODE && nodes[child].index != at)
        child = nodes[child].sibling;
    return child;
}

/* The node of an object or array just entered when its members or elements are wanted, else NULL.
 */
INLINE const struct json_node *wanted(const struct walk *walk, int frame)
{
    if (LIKELY(frame < 0))
        return NULL;
    const struct json_node *node = &walk->paths->nodes[frame >> 1];
    return (frame & 1 ? node->indexes : node->keys) != JSON_NO_NODE ? node : NULL;
}

INLINE void record(struct walk *walk, int node, enum json_type type, size_t at, size_t end)
{
    walk->values[node] = (struct json_value){type, {walk->text.data + at, end - at}};
}

static bool refill(struct walk *walk, enum json_level level)
{
    return walk->index.next < walk->index.len && json_index_fill(&walk->index, level);
}

/*
 * The text starts with a bracket and ends with one. That last byte, which no number, word or run of
 * blanks passes, is why few places ask whether the text is at its end: only where a bracket has
 * closed one of several containers can it be.
 */
INLINE bool walk_container(struct walk *walk, size_t pos, enum json_level level)
{
    const char *const t = walk->text.data;
    const size_t end = walk->text.len;
    const uint32_t *quote = walk->index.quotes;  /* the next one */
    const struct json_node *here = NULL;         /* of the container that pos is in, if wanted */
    int child = walk->values ? 0 : JSON_NO_NODE; /* the node of the value at pos */
    unsigned depth = 0;
    bool array = false; /* what pos is in */

    goto value;

key:
    if (UNLIKELY(*quote != pos)) {
        if (t[pos] == ' ' && *quote == pos + 1) {
            pos++;
        } else if (is_blank(t[pos])) {
            pos++;
            goto key;
        } else if (t[pos] == '"' && *quote == JSON_NO_QUOTE && refill(walk, level)) {
            quote = walk->index.quotes;
            goto key;
        } else {
            return false;
        }
    }
    child = JSON_NO_NODE;
    if (here)
        child = enter_member(walk, here, quote[0], quote[1]);
    pos = (size_t)quote[1] + 1;
    quote += 2;
    while (UNLIKELY(t[pos] != ':')) {
        if (!is_blank(t[pos++]))
            return false;
    }
    pos++;

value:
    if (*quote == pos) {
        pos = (size_t)quote[1] + 1;
        if (child != JSON_NO_NODE)
            record(walk, child, JSON_STRING, quote[0], pos);
        quote += 2;
        goto after;
    }
    switch (t[pos]) {
    case '-':
    case '0' ... '9': {
#ifdef JSON_X86
        size_t stop =
            level == JSON_PLAIN ? number_end(walk->text, pos) : number_end_sse2(walk->text, pos);
#else
        size_t stop = number_end(walk->text, pos);
#endif
        if (UNLIKELY(!stop))
            return false;
        if (child != JSON_NO_NODE)
            record(walk, child, JSON_NUMBER, pos, stop);
        pos = stop;
        goto after;
    }
    case 't':
    case 'n':
        if (end - pos < 4 || (memcmp(t + pos, "true", 4) && memcmp(t + pos, "null", 4)))
            return false;
        if (child != JSON_NO_NODE)
            record(walk, child, t[pos] == 't' ? JSON_TRUE : JSON_NULL, pos, pos + 4);
        pos += 4;
        goto after;
    case 'f':
        if (end - pos < 5 || memcmp(t + pos + 1, "alse", 4))
            return false;
        if (child != JSON_NO_NODE)
            record(walk, child, JSON_FALSE, pos, pos + 5);
        pos += 5;
        goto after;
    case '{':
    case '[': {
        if (UNLIKELY(depth == JSON_MAX_DEPTH))
            return false;
        array = t[pos] == '[';
        int frame = child * 2 + array;
        walk->frames[++depth] = (int16_t)frame;
        if (depth > walk->deepest)
            walk->deepest = depth;
        if (child != JSON_NO_NODE) {
            record(walk, child, array ? JSON_ARRAY : JSON_OBJECT, pos, pos);
            walk->element[child] = 0;
        }
        here = wanted(walk, frame);
        pos++;
        if (!array && *quote == pos)
            goto key;
        while (is_blank(t[pos]))
            pos++;
        if (t[pos] == (array ? ']' : '}'))
            goto close;
        if (!array)
            goto key;
        goto element;
    }
    case ' ':
    case '\t':
    case '\n':
    case '\r':
        pos++;
        goto value;
    case '"':
        if (*quote != JSON_NO_QUOTE || !refill(walk, level))
            return false;
        quote = walk->index.quotes;
        goto value;
    default:
        return false;
    }

after:
    if (LIKELY(t[pos] == ',')) {
        pos++;
        if (!array)
            goto key;
        goto element;
    }
    if (t[pos] == (array ? ']' : '}'))
        goto close;
    if (!is_blank(t[pos++]))
        return false;
    goto after;

element:
    child = JSON_NO_NODE;
    if (here)
        child = enter_element(walk, here);
    goto value;

close:
    pos++;
    int frame = walk->frames[depth--];
    if (UNLIKELY(frame >= 0)) {
        struct str *text = &walk->values[frame >> 1].text;
        text->len = (size_t)(t + pos - text->data);
    }
    if (!depth)
        return pos == end;
    if (UNLIKELY(pos == end))
        return false;
    frame = walk->frames[depth];
    array = frame & 1;
    here = wanted(walk, frame);
    goto after;
}

static bool walk_scalar(struct walk *walk, size_t pos)
{
    struct str value = {walk->text.data + pos, walk->text.len - pos};
    enum json_type type = json_type_of(value);
    bool good;
    switch (type) {
    case JSON_STRING:
        good = walk->index.quotes[0] == pos && walk->index.quotes[1] == walk->text.len - 1;
        break;
    case JSON_NUMBER:
        good = number_end(walk->text, pos) == walk->text.len;
        break;
    case JSON_TRUE:
        good = str_eq(value, STR("true"));
        break;
    case JSON_FALSE:
        good = str_eq(value, STR("false"));
        break;
    case JSON_NULL:
        good = str_eq(value, STR("null"));
        break;
    default:
        good = false;
    }
    if (good && walk->values)
        record(walk, 0, type, pos, walk->text.len);
    return good;
}

INLINE bool walk_text(struct walk *walk, enum json_level level)
{
    struct str text = walk->text;
    size_t pos = 0;
    while (pos < text.len && is_blank(text.data[pos]))
        pos++;
    while (text.len > pos && is_blank(text.data[text.len - 1]))
        text.len--;
    if (pos == text.len)
        return false;
    walk->text = text;
    json_index_init(&walk->index, text);
    if (!json_index_fill(&walk->index, level))
        return false;
    char first = text.data[pos], last = text.data[text.len - 1];
    if ((first == '{' || first == '[') && (last == '}' || last == ']'))
        return walk_container(walk, pos, level);
    return walk_scalar(walk, pos);
}

static bool walk_plain(struct walk *walk)
{
    return walk_text(walk, JSON_PLAIN);
}

static bool walk_sse2(struct walk *walk)
{
    return walk_text(walk, JSON_SSE2);
}

static bool walk_avx2(struct walk *walk)
{
    return walk_text(walk, JSON_AVX2);
}

static bool walk_avx512(struct walk *walk)
{
    return walk_text(walk, JSON_AVX512);
}

/* A value that did not come is absent when its parent could have had it. */
static void settle_absent(const struct json_paths *paths, struct json_value *values)
{
    for (int i = 1; i < paths->count; i++) {
        const struct json_node *node = &paths->nodes[i];
        enum json_type parent = values[node->parent].type;
        enum json_type fitting = node->key.data ? JSON_OBJECT : JSON_ARRAY;
        if (values[i].type == JSON_ABSENT && parent != JSON_ABSENT && parent != JSON_NULL &&
            parent != fitting)
            values[i].type = JSON_MISTYPED;
    }
}

int json_scan_at_level(struct str text, const struct json_paths *paths, struct json_value *values,
                       struct json_scan *scan, enum json_level level)
{
    static bool (*const walks[])(struct walk *) = {walk_plain, walk_sse2, walk_avx2, walk_avx512};
    struct walk walk;
    walk.text = text;
    walk.paths = paths;
    walk.values = paths ? values : NULL;
    walk.deepest = 0;
    for (int i = 0; walk.values && i < paths->count; i++)
        values[i] = (struct json_value){JSON_ABSENT, {NULL, 0}};
    if (text.len > JSON_MAX_TEXT) {
        scan->at = JSON_MAX_TEXT;
        scan->reason = "longer than 4 GiB";
        return -1;
    }
    if (UNLIKELY(!walks[level](&walk))) {
        scan->reason = json_fault(text, &scan->at);
        return -1;
    }
    scan->depth = walk.deepest;
    if (walk.values)
        settle_absent(paths, values);
    return 0;
}

int json_scan(struct str text, const struct json_paths *paths, struct json_value *values,
              struct json_scan *scan)
{
    return json_scan_at_level(text, paths, values, scan, json_level_best());
}
