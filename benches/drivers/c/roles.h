/* The roles that a driver plays in a comparison, over any queue.
 *
 *     DRIVER PEER DURABILITY DIR ROLE ARGUMENT...
 *
 *     put N SECONDS          enqueues N messages, for so long at most
 *     batch N SECONDS SIZE   the same in batches of SIZE
 *     get N SECONDS          takes and removes them; ends two seconds after the last one
 *     latp N MICROSECONDS    enqueues N messages that hold the time, with a pause before each
 *     latc N                 says "ready", waits for them, and tells how long they were on their way
 *     idle SECONDS           waits for a message that does not come
 *
 * put, batch and get print one line of JSON: {"n", "t0", "t1", "cpu", "rss_kb", "p50us", "p99us"}, times in seconds of
 * CLOCK_MONOTONIC, cpu in seconds, rss_kb at its highest. latc prints {"n", "min", "p50", "p99"} in microseconds, idle
 * prints {"rss_kb"} as it is while it waits. A failure ends the program with a message and status 1. */
#ifndef ROLES_H
#define ROLES_H

#include <stdbool.h>
#include <stddef.h>

/* The two parts of a message. */
enum { METADATA_BYTES = 100, DATA_BYTES = 1024 };

struct message {
    char metadata[METADATA_BYTES];
    char data[DATA_BYTES];
};

struct queue {
    void (*open)(const char *peer, const char *durability, const char *dir);
    void (*put)(const struct message *message);
    /* Enqueues the same message `count` times; NULL where there are no batches. */
    void (*put_batch)(const struct message *message, size_t count);
    /* Takes one message; false if none came within so many milliseconds. */
    bool (*take)(struct message *message, int wait_ms);
    /* Removes the message that was taken last. */
    void (*acknowledge)(void);
    void (*close)(void);
};

/* Plays the role of the command line, and returns the exit status. */
int play(const struct queue *queue, int argc, char **argv);

/* Ends the program with the name of what failed, and the reason in errno. */
void fail(const char *what);

/* `result`, unless it is negative: then the program ends. */
long must(long result, const char *what);

#endif
