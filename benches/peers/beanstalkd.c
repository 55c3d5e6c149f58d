/* beanstalkd, by its text protocol: see ../drivers/c/roles.h for the command line. What is durable is the server's choice. */
#include <stdio.h>
#include <string.h>

#include "../drivers/c/roles.h"
#include "server.h"

static unsigned long long job;

static void open_queue(const char *peer, const char *durability, const char *dir)
{
    (void)peer, (void)durability, (void)dir;
    server_connect();
}

static void put(const struct message *message)
{
    char head[64];
    int len = snprintf(head, sizeof head, "put 0 0 600 %zu\r\n", sizeof *message);
    const struct piece pieces[] = {{head, (size_t)len}, {message, sizeof *message}, {"\r\n", 2}};
    server_send(pieces, 3);
    const char *answer = server_line();
    if (strncmp(answer, "INSERTED ", 9) != 0)
        server_unexpected(answer);
}

/* The protocol counts in seconds. */
static bool take(struct message *message, int wait_ms)
{
    char request[64];
    size_t len;
    int request_len = snprintf(request, sizeof request, "reserve-with-timeout %d\r\n", (wait_ms + 999) / 1000);
    const struct piece piece = {request, (size_t)request_len};
    server_send(&piece, 1);
    const char *answer = server_line();
    if (strcmp(answer, "TIMED_OUT") == 0)
        return false;
    if (sscanf(answer, "RESERVED %llu %zu", &job, &len) != 2 || len != sizeof *message)
        server_unexpected(answer);
    server_bytes(message, len);
    return true;
}

static void acknowledge(void)
{
    char request[64];
    int len = snprintf(request, sizeof request, "delete %llu\r\n", job);
    const struct piece piece = {request, (size_t)len};
    server_send(&piece, 1);
    const char *answer = server_line();
    if (strcmp(answer, "DELETED") != 0)
        server_unexpected(answer);
}

int main(int argc, char **argv)
{
    const struct queue queue = {open_queue, put, NULL, take, acknowledge, server_close};
    return play(&queue, argc, argv);
}
