/* A reliable queue on redis: LPUSH, a move to a list of the worker's own, LREM. See ../drivers/c/roles.h for the command line.
 * What is durable is the server's choice. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../drivers/c/roles.h"
#include "server.h"

static char own[32];
static struct message taken;

static void open_queue(const char *peer, const char *durability, const char *dir)
{
    (void)peer, (void)durability, (void)dir;
    snprintf(own, sizeof own, "taken.%d", (int)getpid());
    server_connect();
}

static struct piece text(const char *of)
{
    const struct piece piece = {of, strlen(of)};
    return piece;
}

/* A command of words whose last one may be a message. */
static void send_command(const char *const *words, size_t count, const struct message *message)
{
    char head[256];
    size_t len = (size_t)snprintf(head, sizeof head, "*%zu\r\n", count + (message != NULL));
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(head + len, sizeof head - len, "$%zu\r\n%s\r\n", strlen(words[i]), words[i]);
    if (message != NULL)
        len += (size_t)snprintf(head + len, sizeof head - len, "$%zu\r\n", sizeof *message);
    const struct piece pieces[] = {{head, len}, {message, message == NULL ? 0 : sizeof *message}, text("\r\n")};
    server_send(pieces, message == NULL ? 1 : 3);
}

static void put(const struct message *message)
{
    const char *const words[] = {"LPUSH", "queue"};
    send_command(words, 2, message);
    const char *answer = server_line();
    if (answer[0] != ':')
        server_unexpected(answer);
}

static bool take(struct message *message, int wait_ms)
{
    char seconds[32];
    snprintf(seconds, sizeof seconds, "%d.%03d", wait_ms / 1000, wait_ms % 1000);
    const char *const wait[] = {"BLMOVE", "queue", own, "RIGHT", "LEFT", seconds};
    const char *const look[] = {"LMOVE", "queue", own, "RIGHT", "LEFT"};
    /* No timeout at all means for ever. */
    if (wait_ms > 0)
        send_command(wait, 6, NULL);
    else
        send_command(look, 5, NULL);
    const char *answer = server_line();
    if (strcmp(answer, "$-1") == 0 || strcmp(answer, "*-1") == 0)
        return false;
    if (answer[0] != '$' || strtoul(answer + 1, NULL, 10) != sizeof *message)
        server_unexpected(answer);
    server_bytes(message, sizeof *message);
    taken = *message;
    return true;
}

static void acknowledge(void)
{
    const char *const words[] = {"LREM", own, "-1"};
    send_command(words, 3, &taken);
    const char *answer = server_line();
    if (strcmp(answer, ":1") != 0)
        server_unexpected(answer);
}

int main(int argc, char **argv)
{
    const struct queue queue = {open_queue, put, NULL, take, acknowledge, server_close};
    return play(&queue, argc, argv);
}
