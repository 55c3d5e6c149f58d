/* Cuts the power of a file system: nothing reaches its disk any more, not even its journal. What it had not
 * written is gone when it is mounted again.
 *
 *     cut MOUNTPOINT [LOG WORKERS DELAY_MS]
 *
 * With a log: waits until so many workers have written there that they are up, then for the delay, and adds
 * the line "cut" just before it cuts. Exit status: 0 done, 1 failure, 2 wrong usage. */

#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* XFS_IOC_GOINGDOWN and EXT4_IOC_SHUTDOWN, which are one number; the flag: without flushing the log. */
#define GOING_DOWN _IOR('X', 125, uint32_t)
enum { NO_LOG_FLUSH = 2, UP_WITHIN_MS = 60000 };

static int fail(const char *what)
{
    perror(what);
    return 1;
}

static void pause_ms(long ms)
{
    struct timespec left = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0)
        ;
}

/* How many lines of the log say that a worker is up; -1 if it cannot be read. */
static long count_up(const char *path)
{
    char line[512];
    long up = 0;
    FILE *log = fopen(path, "r");
    if (log == NULL)
        return -1;
    while (fgets(line, sizeof line, log) != NULL) {
        size_t len = strlen(line);
        if (len >= 4 && strcmp(line + len - 4, " up\n") == 0)
            up++;
    }
    fclose(log);
    return up;
}

static int wait_until_up(const char *path, long workers)
{
    for (long waited = 0;; waited += 5) {
        long up = count_up(path);
        if (up >= workers)
            return 1;
        if (up < 0 || waited >= UP_WITHIN_MS) {
            fprintf(stderr, "cut: %ld of %ld workers are up\n", up, workers);
            return 0;
        }
        pause_ms(5);
    }
}

int main(int argc, char **argv)
{
    uint32_t flags = NO_LOG_FLUSH;
    int mount, log;
    if (argc != 2 && argc != 5) {
        fprintf(stderr, "usage: cut MOUNTPOINT [LOG WORKERS DELAY_MS]\n");
        return 2;
    }
    mount = open(argv[1], O_RDONLY | O_DIRECTORY);
    if (mount < 0)
        return fail(argv[1]);
    if (argc == 5) {
        log = open(argv[2], O_WRONLY | O_APPEND);
        if (log < 0)
            return fail(argv[2]);
        if (!wait_until_up(argv[2], strtol(argv[3], NULL, 10)))
            return 1;
        pause_ms(strtol(argv[4], NULL, 10));
        if (write(log, "cut\n", 4) != 4)
            return fail(argv[2]);
    }
    if (ioctl(mount, GOING_DOWN, &flags) != 0)
        return fail("shutdown");
    return 0;
}
