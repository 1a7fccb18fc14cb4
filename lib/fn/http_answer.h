/*
 * http_answer.h: what a server answers: its status, the fields that matter, the body as a result or
 * as what it says of its failure. Internal to lib/fn.
 *
 * A body of JSON is one document, on however many lines. While it comes its line breaks become
 * tabs, which JSON allows where it allows these and nowhere else, so that it is one line. Several
 * results are a body of lines (application/x-ndjson), and with --text every body is. A byte order
 * mark at the start of a body is skipped, as in input (RFC 8259, 8.1, allows it).
 */
#ifndef FIT_FN_HTTP_ANSWER_H
#define FIT_FN_HTTP_ANSWER_H

#include "fn/collect.h"
#include "fn/failure.h"
#include "fn/function.h"
#include "fn/http_curl.h"

enum http_field {
    HTTP_CONTENT_TYPE,
    HTTP_CONTENT_ENCODING,
    HTTP_RETRY_AFTER,
    HTTP_ETAG,
    HTTP_LAST_MODIFIED,
    HTTP_FUNCTION_ERROR, /* of Lambda's Invoke: the function has failed, though the status is 200 */
    HTTP_FIELDS
};

struct http_answer {
    int status;       /* 0: none has come */
    size_t head;      /* bytes of all heads, and of trailers */
    bool over;        /* the last head: what still comes of fields are trailers */
    struct buf *last; /* the field that the line before has set, or NULL */
    struct buf title; /* "503 Service Unavailable" */
    struct buf fields[HTTP_FIELDS];
    struct collect output; /* of a 2xx answer */
    struct buf error;      /* the begin of the body of another */
    size_t received;       /* bytes of the body */
    size_t mark;           /* bytes of a byte order mark that have come, or all if there is none */
    bool text;
    bool begun, broken; /* of a document: it has begun; a line break is owed */
    bool joined;        /* there were some within it */
    bool cut;           /* we had enough of the body of a failure */
};

void http_answer_init(struct http_answer *answer, const struct fn *fn);
void http_answer_free(struct http_answer *answer);
void http_answer_clear(struct http_answer *answer); /* for the next one */

/* CURLOPT_HEADERFUNCTION and CURLOPT_WRITEFUNCTION; the owner is the answer. */
size_t http_answer_header(char *line, size_t size, size_t count, void *answer);
size_t http_answer_body(char *bytes, size_t size, size_t count, void *answer);

/*
 * The transfer has ended so; text is what libcurl says of an error, place where a redirect leads to
 * or NULL. NULL: call->lines and count are set; unchanged (304) is a success without them.
 */
struct failure *http_answer_end(struct http_answer *answer, CURLcode result, const char *text,
                                const char *place, struct fn_call *call);

#endif
