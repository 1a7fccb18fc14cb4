/* socket_turns.c: whose request is begun next. */
#include "engine/socket_turns.h"

#include "base/list.h"

static void set(struct socket_turns *turns, struct socket_client *client, bool has_turn)
{
    turns->waiting -= client->counted;
    turns->ahead -= client->counted_ahead;
    turns->bytes -= client->counted_bytes;
    client->counted = has_turn ? client->waiting.count : 0;
    client->counted_ahead = has_turn ? client->waiting_ahead : 0;
    client->counted_bytes = has_turn ? client->waiting_bytes : 0;
    turns->waiting += client->counted;
    turns->ahead += client->counted_ahead;
    turns->bytes += client->counted_bytes;
    if (has_turn == client->has_turn)
        return;
    client->has_turn = has_turn;
    if (has_turn)
        LIST_APPEND(turns, &client->turn);
    else
        LIST_REMOVE(turns, &client->turn);
}

bool socket_turns_look(struct socket_turns *turns, struct socket_client *client)
{
    bool had_turn = client->has_turn;
    set(turns, client, client->waiting.count && client->unread <= SOCKET_CLIENT_UNREAD);
    return client->has_turn && !had_turn;
}

void socket_turns_leave(struct socket_turns *turns, struct socket_client *client)
{
    set(turns, client, false);
}

struct socket_request *socket_turns_next(struct socket_turns *turns)
{
    if (!turns->first)
        return NULL;
    struct socket_client *client = CONTAINER_OF(turns->first, struct socket_client, turn);
    struct socket_request *request = socket_client_take(client);
    socket_turns_leave(turns, client);
    socket_turns_look(turns, client);
    return request;
}
