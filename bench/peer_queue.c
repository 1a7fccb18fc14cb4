/*
 * peer_queue.c: a queue's whole way through another queue server, for comparison:
 *
 *     peer_queue redis|beanstalkd SOCKET push|work BATCH [GROUP]
 *
 * push sends each line of stdin, BATCH of them before it waits for their answers (XADD; put). work
 * takes events until there are none, BATCH at a time, and acknowledges them so (XREADGROUP and
 * XACK; reserve and delete), writing each to stdout. GROUP is redis' group of consumers [g]: each
 * of them is given all events. The servers are told elsewhere to sync every write.
 */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int server;
static struct buf out, in;
static size_t at; /* read of in */
static const char *group = "g";

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void send_all(void)
{
    for (size_t sent = 0; sent < out.len;) {
        ssize_t put = write(server, out.data + sent, out.len - sent);
        if (put <= 0)
            die("write to the server");
        sent += (size_t)put;
    }
    buf_clear(&out);
}

static void read_more(void)
{
    if (at == in.len)
        at = in.len = 0;
    buf_reserve(&in, 1 << 16);
    ssize_t got = read(server, in.data + in.len, 1 << 16);
    if (got <= 0)
        die("read from the server");
    in.len += (size_t)got;
}

/* The next line of the answer, without CRLF; valid until the next read. */
static struct str next_line(void)
{
    char *end;
    while (!(end = memchr(in.data + at, '\n', in.len - at)))
        read_more();
    struct str line = {in.data + at, (size_t)(end - in.data) - at - 1};
    at = (size_t)(end - in.data) + 1;
    return line;
}

/* So many bytes and a CRLF. */
static struct str next_bytes(size_t len)
{
    while (in.len - at < len + 2)
        read_more();
    struct str bytes = {in.data + at, len};
    at += len + 2;
    return bytes;
}

static size_t number_in(struct str line, size_t skip)
{
    return strtoul(line.data + skip, NULL, 10);
}

static void print(struct str event)
{
    if (fwrite(event.data, 1, event.len, stdout) != event.len || putchar('\n') < 0)
        die("write");
}

/* ---- redis: RESP ---- */

static void add_words(size_t count, const char *const *words)
{
    for (size_t i = 0; i < count; i++)
        buf_addf(&out, "$%zu\r\n%s\r\n", strlen(words[i]), words[i]);
}

static void redis_add(struct str event)
{
    static const char *const words[] = {"XADD", "q", "*", "e"};
    buf_puts(&out, "*5\r\n");
    add_words(4, words);
    buf_addf(&out, "$%zu\r\n", event.len);
    buf_add_str(&out, event);
    buf_puts(&out, "\r\n");
}

static void redis_added(void)
{
    next_bytes(number_in(next_line(), 1));
}

static size_t redis_take(size_t batch, struct buf *acks)
{
    char count[32];
    snprintf(count, sizeof count, "%zu", batch);
    const char *words[] = {"XREADGROUP", "GROUP", group, "c", "COUNT", count, "STREAMS", "q", ">"};
    buf_puts(&out, "*9\r\n");
    add_words(9, words);
    send_all();
    struct str head = next_line();
    if (head.data[0] == '-')
        die(head.data);
    if (number_in(head, 1) != 1)
        return 0;
    next_line();
    next_bytes(number_in(next_line(), 1));
    size_t taken = number_in(next_line(), 1);
    for (size_t i = 0; i < taken; i++) {
        next_line();
        struct str id = next_bytes(number_in(next_line(), 1));
        buf_addf(acks, "*4\r\n$4\r\nXACK\r\n$1\r\nq\r\n$%zu\r\n%s\r\n", strlen(group), group);
        buf_addf(acks, "$%zu\r\n", id.len);
        buf_add_str(acks, id);
        buf_puts(acks, "\r\n");
        next_line();
        next_bytes(number_in(next_line(), 1));
        print(next_bytes(number_in(next_line(), 1)));
    }
    return taken;
}

/* ---- beanstalkd ---- */

static void beanstalk_add(struct str event)
{
    buf_addf(&out, "put 0 0 60 %zu\r\n", event.len);
    buf_add_str(&out, event);
    buf_puts(&out, "\r\n");
}

static void line_answered(void)
{
    next_line();
}

static size_t beanstalk_take(size_t batch, struct buf *acks)
{
    size_t taken = 0;
    for (size_t i = 0; i < batch; i++)
        buf_puts(&out, "reserve-with-timeout 0\r\n");
    send_all();
    for (size_t i = 0; i < batch; i++) {
        struct str line = next_line();
        if (!str_starts(line, STR("RESERVED ")))
            continue;
        char *end;
        unsigned long id = strtoul(line.data + strlen("RESERVED "), &end, 10);
        print(next_bytes(strtoul(end, NULL, 10)));
        buf_addf(acks, "delete %lu\r\n", id);
        taken++;
    }
    return taken;
}

/* ---- the same for both ---- */

struct peer {
    void (*add)(struct str event);
    void (*added)(void);
    size_t (*take)(size_t batch, struct buf *acks);
};

static const struct peer redis = {redis_add, redis_added, redis_take};
static const struct peer beanstalk = {beanstalk_add, line_answered, beanstalk_take};

static void push(const struct peer *peer, size_t batch)
{
    char *line = NULL;
    size_t room = 0, waiting = 0;
    ssize_t len;
    do {
        len = getline(&line, &room, stdin);
        if (len > 0) {
            peer->add((struct str){line, (size_t)len - (line[len - 1] == '\n')});
            waiting++;
        }
        if (waiting == batch || len <= 0) {
            send_all();
            for (; waiting; waiting--)
                peer->added();
        }
    } while (len > 0);
    free(line);
}

static void work(const struct peer *peer, size_t batch)
{
    struct buf acks = {0};
    size_t taken;
    while ((taken = peer->take(batch, &acks)) > 0) {
        buf_add_str(&out, buf_str(&acks));
        buf_clear(&acks);
        send_all();
        while (taken--)
            next_line();
    }
    buf_free(&acks);
}

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t batch = argc == 5 || argc == 6 ? strtoul(argv[4], NULL, 10) : 0;
    if (!batch || strlen(argv[2]) >= sizeof address.sun_path) {
        fputs("usage: peer_queue redis|beanstalkd SOCKET push|work BATCH [GROUP]\n", stderr);
        return 2;
    }
    if (argc == 6)
        group = argv[5];
    const struct peer *peer = strcmp(argv[1], "redis") == 0 ? &redis : &beanstalk;
    memcpy(address.sun_path, argv[2], strlen(argv[2]));
    server = socket(AF_UNIX, SOCK_STREAM, 0);
    if (server < 0 || connect(server, (struct sockaddr *)&address, sizeof address) < 0)
        die(argv[2]);
    if (strcmp(argv[3], "push") == 0)
        push(peer, batch);
    else
        work(peer, batch);
    return fflush(stdout) == 0 ? 0 : 1;
}
