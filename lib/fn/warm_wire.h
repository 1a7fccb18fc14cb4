/*
 * warm_wire.h: what a fitting and the supervisor of a warm pool say to each other.
 *
 * Both sides send frames over a stream socket of one machine: a head of a fixed size in the
 * machine's own byte order, then up to three parts of bytes, whose lengths stand in the head. Each
 * head begins with the magic of the protocol's version, so a foreign byte stream, one that was
 * torn, and one of another version are noticed at the next frame. Requests carry a number that the
 * client has chosen; answers carry it back, in any order.
 *
 *     client      parts                    numbers
 *     REQUEST     event, identity, scope   deadline (clock_now; 0: none), attempt, 1 of a ping,
 *                                          1 of one that is sent ahead
 *     CANCEL                                                  of that request
 *     STATUS, STOP                                            of whole pools
 *
 *     supervisor
 *     HELLO                                how many may wait, workers at most; first of all
 *     ANSWER      lines                    how many, init
 *     FAILURE     an object (failure.h)    class, retry_after, init
 *     TEXT        a line of JSON                              to STATUS and STOP
 *
 * A ping is a request that counts in nothing. One that is sent ahead does not count as waiting, of
 * up to WARM_AHEAD of a client. A request is answered exactly once, unless the connection ends
 * before. What has not begun when a CANCEL or the end of the connection comes will not; what has
 * begun goes on.
 */
#ifndef FIT_FN_WARM_WIRE_H
#define FIT_FN_WARM_WIRE_H

#include "base/buf.h"
#include "base/err.h"
#include "sys/stream.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    WARM_PARTS = 3,
    WARM_VALUES = 4,
    WARM_HEAD = 64,         /* bytes of a head */
    WARM_READ = 64 * 1024,  /* bytes read at once */
    WARM_AHEAD = 512,       /* requests that a client sends ahead */
    WARM_SLACK = 64 * 1024, /* what a frame may hold beside an event or a result: an identity, the
                               end of a stderr; more is skipped as what is too large is */
};

enum warm_type {
    WARM_HELLO = 1,
    WARM_REQUEST,
    WARM_CANCEL,
    WARM_ANSWER,
    WARM_FAILURE,
    WARM_STATUS,
    WARM_STOP,
    WARM_TEXT,
    WARM_TYPES
};

struct warm_frame {
    enum warm_type type;
    uint64_t id;
    struct str parts[WARM_PARTS]; /* borrowed; of one that was read, until the next warm_read */
    int64_t values[WARM_VALUES];
    uint64_t length; /* of the parts together */
    bool too_large;  /* read: the parts are more than the reader's limit, and are skipped */
};

/* The head alone, for parts that follow in pieces; sizes are those of frame->parts. */
void warm_send_head(struct stream_out *out, const struct warm_frame *frame);
void warm_send(struct stream_out *out, const struct warm_frame *frame);

struct warm_reader { /* zeroed, but for limit */
    size_t limit;    /* bytes of a frame's parts that are kept */
    struct buf bytes;
    size_t from;   /* before it all is read */
    uint64_t skip; /* bytes of a frame that was too large, still to come */
};

void warm_reader_free(struct warm_reader *reader);

/* Read what the socket fd has, without blocking: as read(2). */
ssize_t warm_read(struct warm_reader *reader, int fd);
/* The next whole frame: 1; 0: it has not come yet; -1 with ERR_INPUT: this is no such stream. */
int warm_next(struct warm_reader *reader, struct warm_frame *frame, struct err *err);

#endif
