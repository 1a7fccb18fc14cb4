/* peer.c: whose the other end of a TCP connection of this machine is. */
#include "sys/peer.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEER_READ = 64 * 1024 }; /* bytes of the list that are read at once */

struct question {
    struct nlmsghdr head;
    struct inet_diag_req_v2 body;
};

static struct question question_for(const struct sockaddr_in *peer, const struct sockaddr_in *own)
{
    struct question question = {
        .head = {.nlmsg_len = sizeof question,
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST},
        .body = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0U},
    };
    struct inet_diag_sockid *id = &question.body.id;
    id->idiag_sport = peer->sin_port;
    id->idiag_dport = own->sin_port;
    id->idiag_src[0] = peer->sin_addr.s_addr;
    id->idiag_dst[0] = own->sin_addr.s_addr;
    id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    return question;
}

/* A socket that was closed belongs to user 0 and has no inode: whose it was is not known. */
static int read_answer(const void *bytes, size_t len, uid_t *user)
{
    const struct nlmsghdr *head = bytes;
    const struct inet_diag_msg *found = (const void *)((const char *)bytes + NLMSG_HDRLEN);
    if (len < NLMSG_HDRLEN + sizeof *found || head->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        !found->idiag_inode)
        return -1;
    *user = found->idiag_uid;
    return 0;
}

/* 1: the kernel was asked, and knows of none. */
static int ask(const struct sockaddr_in *peer, const struct sockaddr_in *own, uid_t *user)
{
    struct question question = question_for(peer, own);
    _Alignas(struct nlmsghdr) char answer[1024];
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0)
        return -1;
    ssize_t got = send(fd, &question, sizeof question, MSG_NOSIGNAL);
    if (got == (ssize_t)sizeof question)
        got = recv(fd, answer, sizeof answer, MSG_DONTWAIT);
    close(fd);
    if (got < (ssize_t)NLMSG_HDRLEN)
        return -1;
    if (read_answer(answer, (size_t)got, user) == 0)
        return 0;
    const struct nlmsghdr *head = (const void *)answer;
    if (head->nlmsg_type != NLMSG_ERROR || (size_t)got < NLMSG_HDRLEN + sizeof(struct nlmsgerr))
        return 1;
    const struct nlmsgerr *error = (const void *)(answer + NLMSG_HDRLEN);
    /* ENOENT is also said by a kernel without the module that knows of TCP. */
    return error->error == -ENOENT ? -1 : 1;
}

/* Where an address of IPv4 stands: as it is, or in the last of the words of one of IPv6. */
static bool read_address(const char *text, int words, uint32_t *address)
{
    uint32_t before[3] = {0};
    if (words == 1)
        return sscanf(text, "%8" SCNx32, address) == 1;
    return sscanf(text, "%8" SCNx32 "%8" SCNx32 "%8" SCNx32 "%8" SCNx32, &before[0], &before[1],
                  &before[2], address) == 4 &&
           !before[0] && !before[1] && before[2] == htonl(0xFFFF);
}

/* One line of the list: addresses in hexadecimal, as they stand in memory. */
static bool is_of(const char *line, const struct sockaddr_in *peer, const struct sockaddr_in *own,
                  uid_t *user)
{
    char from_text[33], to_text[33];
    uint32_t from, to, owner, inode;
    unsigned from_port, to_port;
    if (sscanf(line,
               " %*u: %32[0-9A-F]:%4x %32[0-9A-F]:%4x %*x %*x:%*x %*x:%*x %*x %" SCNu32
               " %*u %" SCNu32,
               from_text, &from_port, to_text, &to_port, &owner, &inode) != 6)
        return false;
    int words = (int)strlen(from_text) / 8;
    if (!read_address(from_text, words, &from) || !read_address(to_text, words, &to) ||
        from != peer->sin_addr.s_addr || from_port != ntohs(peer->sin_port) ||
        to != own->sin_addr.s_addr || to_port != ntohs(own->sin_port) || !inode)
        return false;
    *user = owner;
    return true;
}

static int look(int fd, const struct sockaddr_in *peer, const struct sockaddr_in *own, uid_t *user)
{
    struct buf list = {0};
    int found = -1;
    ssize_t got;
    do {
        buf_reserve(&list, PEER_READ);
        got = read(fd, list.data + list.len, PEER_READ);
        if (got > 0)
            list.len += (size_t)got;
        size_t from = 0;
        char *lf;
        while (found < 0 && (lf = memchr(list.data + from, '\n', list.len - from))) {
            *lf = '\0';
            if (is_of(list.data + from, peer, own, user))
                found = 0;
            from = (size_t)(lf - list.data) + 1;
        }
        buf_consume(&list, from);
    } while (found < 0 && (got > 0 || (got < 0 && errno == EINTR)));
    buf_free(&list);
    return found;
}

static int look_in(const char *list, const struct sockaddr_in *peer, const struct sockaddr_in *own,
                   uid_t *user)
{
    int fd = open(list, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int found = look(fd, peer, own, user);
    close(fd);
    return found;
}

int peer_user_listed(const struct sockaddr_in *peer, const struct sockaddr_in *own, uid_t *user)
{
    if (look_in("/proc/net/tcp", peer, own, user) == 0)
        return 0;
    /* a socket of IPv6 that is connected to an address of IPv4 */
    return look_in("/proc/net/tcp6", peer, own, user);
}

int peer_user(const struct sockaddr_in *peer, const struct sockaddr_in *own, uid_t *user)
{
    int answer = ask(peer, own, user);
    if (answer >= 0)
        return answer ? -1 : 0;
    return peer_user_listed(peer, own, user);
}
