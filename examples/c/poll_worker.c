/* A worker with an event loop of its own: it polls the queue `incoming` of a spool among other descriptors, here standard
 * input, from which it takes orders, and a signalfd. Each entry is moved to `done`.
 *
 *     poll_worker SPOOL
 *
 * Orders, one a line: `count` prints how many entries were moved, `quit` ends it, as do the end of the input, SIGTERM and
 * SIGINT.
 * Exit status: 0 done, 1 failure, 2 wrong usage. */

#define _GNU_SOURCE

#include <multispool.h>
#include <multispool_helpers.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { RECOVER_EVERY_MS = 15000 };

/* The work. What takes long belongs to a thread or a process: nothing else is served meanwhile. */
static multispool_outcome handle(multispool_checkout *checkout, void *moved, multispool_error **error)
{
    (void)error;
    printf("%s\n", multispool_checkout_name(checkout));
    ++*(unsigned *)moved;
    return multispool_outcome_save("done");
}

static void report(multispool_error **error)
{
    multispool_error_print(stderr, "poll_worker", *error);
    multispool_error_free(*error);
    *error = NULL;
}

/* Takes what there is. The descriptor stays readable until a dequeue has answered EMPTY, so that one may as well take a
 * few entries, serve the others, and come back. */
static int take_some(multispool_reader *reader, unsigned *moved)
{
    for (int some = 0; some < 16; some++) {
        multispool_checkout *checkout;
        multispool_error *error;
        switch (multispool_reader_dequeue(reader, NULL, 0, &checkout, &error)) {
        case MULTISPOOL_OK:
            if (multispool_checkout_handle(checkout, handle, moved, &error) != MULTISPOOL_OK)
                report(&error);
            break;
        case MULTISPOOL_CORRUPT:
            /* One bad entry stops nobody. */
            report(&error);
            break;
        case MULTISPOOL_EMPTY:
            return 0;
        default:
            report(&error);
            return 1;
        }
    }
    return 0;
}

/* Entries whose owners died go back to the queue, and make the descriptor readable. */
static void recover(const multispool_spool *spool)
{
    multispool_entries *entries;
    multispool_error *error;
    if (multispool_recover(spool, NULL, &entries, &error) != MULTISPOOL_OK)
        report(&error);
    multispool_entries_free(entries);
}

/* 0 to go on. */
static int obey(unsigned moved)
{
    static char order[64];
    static size_t len;
    char *end;
    ssize_t got = read(STDIN_FILENO, order + len, sizeof order - 1 - len);
    if (got <= 0)
        return 1;
    len += (size_t)got;
    order[len] = '\0';
    while ((end = strchr(order, '\n')) != NULL) {
        *end = '\0';
        if (strcmp(order, "quit") == 0)
            return 1;
        if (strcmp(order, "count") == 0)
            printf("%u\n", moved);
        len -= (size_t)(end + 1 - order);
        memmove(order, end + 1, len + 1);
    }
    if (len == sizeof order - 1)
        len = 0;
    return 0;
}

static int work(const multispool_spool *spool, multispool_reader *reader, int queue, int signals)
{
    struct pollfd watched[] = {{queue, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}, {signals, POLLIN, 0}};
    unsigned moved = 0;
    recover(spool);
    for (;;) {
        int ready = poll(watched, sizeof watched / sizeof *watched, RECOVER_EVERY_MS);
        if (ready == 0)
            recover(spool);
        if (ready <= 0)
            continue;
        if (watched[0].revents != 0 && take_some(reader, &moved) != 0)
            return 1;
        if (watched[1].revents != 0 && obey(moved) != 0)
            return 0;
        if (watched[2].revents != 0)
            return 0;
    }
}

int main(int argc, char **argv)
{
    static const char *const queues[] = {"incoming", "done"};
    multispool_spool *spool = NULL;
    multispool_reader *reader = NULL;
    multispool_error *error = NULL;
    sigset_t ending;
    int queue, signals, failed = 1;

    if (argc != 2) {
        fprintf(stderr, "usage: poll_worker SPOOL\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    /* Blocked before the library starts its thread, and read from a descriptor instead. */
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    sigprocmask(SIG_BLOCK, &ending, NULL);
    signals = signalfd(-1, &ending, SFD_CLOEXEC);

    /* The descriptor belongs to the reader: it is polled, never read or closed. */
    if (multispool_spool_load(argv[1], queues, 2, NULL, &spool, &error) != MULTISPOOL_OK ||
        multispool_reader_create(spool, queues, 1, NULL, &reader, &error) != MULTISPOOL_OK ||
        multispool_reader_fd(reader, &queue, &error) != MULTISPOOL_OK)
        report(&error);
    else
        failed = work(spool, reader, queue, signals);
    multispool_reader_free(reader);
    multispool_spool_free(spool);
    close(signals);
    return failed;
}
