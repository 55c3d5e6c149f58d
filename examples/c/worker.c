/* Takes entries out of the queue `incoming` of a spool, works out a checksum of their data, writes it into
 * the metadata and saves them to `done`. Start as many as you like: each entry goes to one of them.
 *
 *     worker SPOOL [SECONDS]
 *
 * Waits for more until SIGTERM or SIGINT, or until none came for SECONDS. The entry in hand is finished
 * first. An entry whose worker dies goes back to its queue by recover, which each worker calls at its start
 * and whenever it has waited for a while.
 * Exit status: 0 done, 1 failure, 2 wrong usage. */

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <inttypes.h>
#include <multispool.h>
#include <multispool_helpers.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECOVER_EVERY_MS = 15000, LINE_LEN = sizeof "\nfnv1a 0123456789abcdef" - 1 };

static multispool_stop *stop;

static void on_signal(int signal)
{
    (void)signal;
    if (multispool_stop_trigger(stop) != MULTISPOOL_OK)
        _exit(1);
}

static void report(multispool_error **error)
{
    if (*error != NULL)
        multispool_error_print(stderr, "worker", *error);
    multispool_error_free(*error);
    *error = NULL;
}

/* FNV-1a over the data, through a descriptor, so that it may be larger than memory. */
static int32_t checksum(multispool_checkout *checkout, uint64_t *sum, multispool_error **error)
{
    static uint8_t piece[256 * 1024];
    multispool_data_file *data_file;
    ssize_t len = 0;
    int fd;

    int32_t status = multispool_checkout_data_file(checkout, &data_file, error);
    if (status != MULTISPOOL_OK)
        return status;
    status = multispool_data_file_open(data_file, &fd, error);
    multispool_data_file_free(data_file);
    if (status != MULTISPOOL_OK)
        return status;

    *sum = UINT64_C(14695981039346656037);
    while ((len = read(fd, piece, sizeof piece)) != 0) {
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            break;
        for (ssize_t i = 0; i < len; i++)
            *sum = (*sum ^ piece[i]) * UINT64_C(1099511628211);
    }
    if (len < 0)
        fprintf(stderr, "worker: the data of %s: %s\n", multispool_checkout_name(checkout), strerror(errno));
    close(fd);
    return len == 0 ? MULTISPOOL_OK : MULTISPOOL_HANDLER_FAILED;
}

/* What is done for each entry. A failure gives the entry back. */
static multispool_outcome handle(multispool_checkout *checkout, void *context, multispool_error **error)
{
    uint64_t sum = 0;
    size_t len;
    char *metadata;
    int written;
    int32_t status = checksum(checkout, &sum, error);
    (void)context;
    if (status != MULTISPOOL_OK)
        return multispool_outcome_fail(status);

    const uint8_t *old = multispool_checkout_metadata(checkout, &len);
    /* A worker that died between the two steps of its save has written the line already. */
    if (len >= LINE_LEN && memcmp(old + len - LINE_LEN, "\nfnv1a ", 7) == 0)
        len -= LINE_LEN;
    metadata = malloc(len + 32);
    if (metadata == NULL)
        return multispool_outcome_fail(MULTISPOOL_HANDLER_FAILED);
    memcpy(metadata, old, len);
    written = snprintf(metadata + len, 32, "\nfnv1a %016" PRIx64, sum);
    status = multispool_checkout_update(checkout, (uint8_t *)metadata, len + (size_t)written, error);
    free(metadata);
    if (status == MULTISPOOL_OK)
        status = multispool_checkout_save(checkout, "done", NULL, error);
    if (status != MULTISPOOL_OK)
        return multispool_outcome_fail(status);
    printf("%s %016" PRIx64 "\n", multispool_checkout_name(checkout), sum);
    return multispool_outcome_save("done");
}

/* Entries of owners that died go back to the queue, where this worker will find them. */
static void recover(const multispool_spool *spool)
{
    multispool_entries *entries;
    multispool_entry *entry;
    multispool_error *error;

    if (multispool_recover(spool, NULL, &entries, &error) != MULTISPOOL_OK)
        report(&error);
    while (entries != NULL && multispool_entries_next(entries, &entry, NULL) == MULTISPOOL_OK) {
        printf("recovered %s\n", multispool_entry_name(entry));
        multispool_entry_free(entry);
    }
    multispool_entries_free(entries);
}

/* 0 when stopped or when nothing came any more, 1 after a failure that will not go away. */
static int work(const multispool_spool *spool, multispool_reader *reader, int64_t patience_ms)
{
    int64_t waited_ms = 0;
    recover(spool);
    for (;;) {
        multispool_checkout *checkout;
        multispool_error *error;
        int64_t timeout_ms = RECOVER_EVERY_MS;
        if (patience_ms >= 0 && patience_ms - waited_ms < timeout_ms)
            timeout_ms = patience_ms - waited_ms;

        switch (multispool_reader_dequeue(reader, stop, timeout_ms, &checkout, &error)) {
        case MULTISPOOL_OK:
            waited_ms = 0;
            if (multispool_checkout_handle(checkout, handle, NULL, &error) != MULTISPOOL_OK)
                report(&error);
            break;
        case MULTISPOOL_CORRUPT:
            /* One bad entry stops nobody. */
            report(&error);
            break;
        case MULTISPOOL_EMPTY:
        case MULTISPOOL_TIMED_OUT:
            waited_ms += timeout_ms;
            if (patience_ms >= 0 && waited_ms >= patience_ms)
                return 0;
            recover(spool);
            break;
        case MULTISPOOL_INTERRUPTED:
            break;
        case MULTISPOOL_STOPPED:
            return 0;
        default:
            report(&error);
            return 1;
        }
    }
}

int main(int argc, char **argv)
{
    static const char *const queues[] = {"incoming", "done"};
    multispool_spool *spool = NULL;
    multispool_reader *reader = NULL;
    multispool_error *error = NULL;
    struct sigaction action;
    int64_t patience_ms = -1;
    int failed = 1;

    if (argc == 3) {
        char *end;
        double seconds = strtod(argv[2], &end);
        if (end == argv[2] || *end != '\0' || !(seconds >= 0 && seconds < 1e9))
            argc = 0;
        else
            patience_ms = (int64_t)(seconds * 1000);
    }
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: worker SPOOL [SECONDS]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (multispool_stop_create(&stop, &error) != MULTISPOOL_OK ||
        multispool_spool_load(argv[1], queues, 2, NULL, &spool, &error) != MULTISPOOL_OK ||
        multispool_reader_create(spool, queues, 1, NULL, &reader, &error) != MULTISPOOL_OK) {
        report(&error);
    } else {
        memset(&action, 0, sizeof action);
        action.sa_handler = on_signal;
        sigaction(SIGTERM, &action, NULL);
        sigaction(SIGINT, &action, NULL);
        failed = work(spool, reader, patience_ms);
    }

    /* The signal handlers still point to the stop: it lives as long as the process. */
    multispool_reader_free(reader);
    multispool_spool_free(spool);
    return failed;
}
