/* What the peers that are servers share: a connection to one on this machine, read line by line. */
#ifndef SERVER_H
#define SERVER_H

#include <stddef.h>

/* Connects to PEER_PORT, which the runner sets. */
void server_connect(void);

/* Sends these pieces in one go. */
struct piece {
    const void *bytes;
    size_t len;
};
void server_send(const struct piece *pieces, size_t count);

/* One line without its CR LF, valid until the next call. */
const char *server_line(void);

/* So many bytes, and the CR LF that follows them. */
void server_bytes(void *bytes, size_t len);

void server_close(void);

/* Ends the program: the server said what it must not. */
void server_unexpected(const char *line);

#endif
