#define _POSIX_C_SOURCE 200809L

#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../drivers/c/roles.h"

enum { PIECES_MAX = 8 };

static int connection;
static char received[65536];
static size_t received_at, received_end;

void server_connect(void)
{
    struct sockaddr_in address;
    const char *port = getenv("PEER_PORT");
    int yes = 1;

    if (port == NULL) {
        errno = EINVAL;
        fail("PEER_PORT is not set");
    }
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection = (int)must(socket(AF_INET, SOCK_STREAM, 0), "socket");
    must(connect(connection, (struct sockaddr *)&address, sizeof address), "connect");
    must(setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes), "setsockopt");
}

void server_send(const struct piece *pieces, size_t count)
{
    struct iovec vector[PIECES_MAX];
    size_t len = 0;

    for (size_t i = 0; i < count; i++) {
        /* It is read only. */
        vector[i].iov_base = (void *)(size_t)pieces[i].bytes;
        vector[i].iov_len = pieces[i].len;
        len += pieces[i].len;
    }
    /* A blocking socket takes a small message whole, or fails. */
    if (must(writev(connection, vector, (int)count), "send") != (long)len) {
        errno = EIO;
        fail("send");
    }
}

static void receive(void)
{
    if (received_at > 0) {
        memmove(received, received + received_at, received_end - received_at);
        received_end -= received_at;
        received_at = 0;
    }
    long len = must(read(connection, received + received_end, sizeof received - received_end), "receive");
    if (len == 0) {
        errno = ECONNRESET;
        fail("the server");
    }
    received_end += (size_t)len;
}

const char *server_line(void)
{
    for (;;) {
        char *begin = received + received_at;
        char *end = memchr(begin, '\n', received_end - received_at);
        if (end != NULL && end > begin && end[-1] == '\r') {
            end[-1] = '\0';
            received_at = (size_t)(end + 1 - received);
            return begin;
        }
        receive();
    }
}

void server_bytes(void *bytes, size_t len)
{
    while (received_end - received_at < len + 2)
        receive();
    memcpy(bytes, received + received_at, len);
    received_at += len + 2;
}

void server_close(void)
{
    must(close(connection), "close");
}

void server_unexpected(const char *line)
{
    fprintf(stderr, "driver: the server said %s\n", line);
    exit(1);
}
