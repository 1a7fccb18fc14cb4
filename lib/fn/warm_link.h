/*
 * warm_link.h: a connection to the supervisor of a warm pool, seen from the client.
 *
 * It knows of frames (warm_wire.h) and of the socket's name, not of calls. It is opened at once or
 * not at all; when it is lost the owner hears of it and may open it again.
 */
#ifndef FIT_FN_WARM_LINK_H
#define FIT_FN_WARM_LINK_H

#include "fn/warm_wire.h"
#include "state/home.h"

enum warm_file { WARM_SOCKET, WARM_LOCK, WARM_LOG };
enum { WARM_FILE = HOME_FILE + 8 };

/* The name in run/ of a file of that pool. */
const char *warm_file(struct str pool, enum warm_file which, char file[WARM_FILE]);

struct warm_link {
    /* Set by the owner before warm_link_open. */
    struct loop *loop;
    /* A frame has come; it may close the link. */
    void (*heard)(void *owner, const struct warm_frame *frame);
    /* That was all for now. NULL: nobody asks. */
    void (*paused)(void *owner);
    /* The link was closed, as the other side has gone or does not speak our language. */
    void (*lost)(void *owner, const char *why);
    void *owner;
    /* To be read. */
    bool open;
    pid_t pid; /* of the supervisor, once it is open */
    /* Private, but for the reader's limit. */
    bool refused; /* it is root's, this process is not, and nothing has been heard yet */
    struct warm_reader reader;
    struct loop_fd in;
    struct stream_out out;
    struct loop_task flush;
};

/*
 * Connect. -1 with ERR_NOT_FOUND: no pool of that name is running; ERR_NOT_USABLE: it is another
 * user's; ERR_SYSTEM with EAGAIN: it is too busy to accept.
 */
int warm_link_open(struct warm_link *link, const struct home *home, struct str pool,
                   struct err *err);
void warm_link_close(struct warm_link *link); /* no-op when it is not open */

/* Gathered, and sent at the end of this turn of the loop. */
void warm_link_send(struct warm_link *link, const struct warm_frame *frame);

#endif
