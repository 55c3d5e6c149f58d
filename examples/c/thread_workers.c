/* Workers in threads: each has a reader of its own on one spool that all share, and one stop ends them all. Each entry of
 * `incoming` is moved to `done`.
 *
 *     thread_workers SPOOL THREADS
 *
 * Runs until SIGTERM or SIGINT; each thread finishes the entry it has in hand. Prints how many each has moved.
 * Exit status: 0 done, 1 failure, 2 wrong usage. */

#define _POSIX_C_SOURCE 200809L

#include <multispool.h>
#include <multispool_helpers.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { RECOVER_EVERY_S = 15, MOST = 64 };

struct worker {
    pthread_t thread;
    /* Shareable: the same for all. */
    const multispool_spool *spool;
    const multispool_stop *stop;
    unsigned moved;
    int failed;
};

/* The work on one entry; it runs in the worker's thread. */
static multispool_outcome handle(multispool_checkout *checkout, void *context, multispool_error **error)
{
    struct worker *worker = context;
    (void)checkout;
    (void)error;
    worker->moved++;
    return multispool_outcome_save("done");
}

static void *run(void *context)
{
    static const char *const queues[] = {"incoming"};
    struct worker *worker = context;
    multispool_reader *reader;
    multispool_error *error;
    /* A reader is for one thread at a time; what arrives wakes one of them. */
    int32_t status = multispool_reader_create(worker->spool, queues, 1, NULL, &reader, &error);
    while (status == MULTISPOOL_OK) {
        status = multispool_for_each(reader, worker->stop, handle, worker, &error);
        if (status == MULTISPOOL_OK)
            break;
        if (status == MULTISPOOL_CORRUPT) {
            /* One bad entry stops nobody. */
            multispool_error_print(stderr, "thread_workers", error);
            multispool_error_free(error);
            status = MULTISPOOL_OK;
        }
    }
    if (status != MULTISPOOL_OK) {
        multispool_error_print(stderr, "thread_workers", error);
        multispool_error_free(error);
        worker->failed = 1;
    }
    multispool_reader_free(reader);
    return NULL;
}

/* Entries whose owners died go back to the queue. */
static void recover(const multispool_spool *spool)
{
    multispool_entries *entries;
    multispool_error *error;
    if (multispool_recover(spool, NULL, &entries, &error) != MULTISPOOL_OK) {
        multispool_error_print(stderr, "thread_workers", error);
        multispool_error_free(error);
    }
    multispool_entries_free(entries);
}

int main(int argc, char **argv)
{
    static const char *const queues[] = {"incoming", "done"};
    static const struct timespec while_waiting = {RECOVER_EVERY_S, 0};
    static struct worker workers[MOST];
    multispool_spool *spool = NULL;
    multispool_stop *stop = NULL;
    multispool_error *error = NULL;
    sigset_t ending;
    int threads = argc == 3 ? atoi(argv[2]) : 0, started = 0, failed = 0;

    if (threads < 1 || threads > MOST) {
        fprintf(stderr, "usage: thread_workers SPOOL THREADS (1 to %d)\n", MOST);
        return 2;
    }
    /* Blocked in all threads; the main one waits for them. */
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ending, NULL);

    if (multispool_spool_load(argv[1], queues, 2, NULL, &spool, &error) != MULTISPOOL_OK ||
        multispool_stop_create(&stop, &error) != MULTISPOOL_OK) {
        multispool_error_print(stderr, "thread_workers", error);
        multispool_error_free(error);
        failed = 1;
    }
    recover(spool);
    while (!failed && started < threads) {
        workers[started].spool = spool;
        workers[started].stop = stop;
        failed = pthread_create(&workers[started].thread, NULL, run, &workers[started]) != 0;
        started += !failed;
    }
    while (!failed && sigtimedwait(&ending, NULL, &while_waiting) < 0)
        recover(spool);

    if (stop != NULL && multispool_stop_trigger(stop) != MULTISPOOL_OK)
        failed = 1;
    for (int i = 0; i < started; i++) {
        pthread_join(workers[i].thread, NULL);
        printf("%u\n", workers[i].moved);
        failed |= workers[i].failed;
    }
    multispool_stop_free(stop);
    multispool_spool_free(spool);
    return failed;
}
