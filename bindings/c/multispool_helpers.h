/*
 * multispool_helpers.h: shorter ways to use multispool.h, in the header alone.
 *
 * - multispool_with_entry, multispool_try_with_entry: check out, handle, finish.
 * - multispool_for_each, multispool_for_each_available: the same for all that a reader gives.
 * - multispool_for_each_event: what a monitor's daemon has to tell.
 * - multispool_checkout_close: give back what was not finished.
 * - MULTISPOOL_AUTO: handles that free themselves at the end of their block (gcc and clang).
 * - multispool_error_print: an error on a stream.
 *
 * A handler gets an entry that is checked out, works on it with the functions of multispool.h, and
 * returns what shall become of it:
 *
 *     static multispool_outcome handle(multispool_checkout *checkout, void *context,
 *                                      multispool_error **error)
 *     {
 *         size_t len;
 *         const uint8_t *metadata = multispool_checkout_metadata(checkout, &len);
 *         if (!work(metadata, len, context))
 *             return multispool_outcome_fail(MULTISPOOL_HANDLER_FAILED);
 *         return multispool_outcome_save("done");
 *     }
 *
 * Handlers run on the thread that called, never inside the library: they may longjmp or throw, at the
 * price of an entry that stays checked out until this process ends and somebody recovers it.
 */

#ifndef MULTISPOOL_HELPERS_H
#define MULTISPOOL_HELPERS_H

#include <stdio.h>

#include "multispool.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A status for handlers that fail for reasons of their own. The library never uses 1000 and above. */
#define MULTISPOOL_HANDLER_FAILED 1000

/* What shall become of an entry: made by the functions below. */
typedef struct multispool_outcome {
    /* A MULTISPOOL_OUTCOME_ number. */
    int32_t kind;
    /* MULTISPOOL_OUTCOME_FAIL: the status to pass on. */
    int32_t status;
    /* MULTISPOOL_OUTCOME_SAVE: the queue's name, which must outlive the handler. */
    const char *queue;
} multispool_outcome;

/* To the queue that the outcome names. */
#define MULTISPOOL_OUTCOME_SAVE 0
/* Away with it. */
#define MULTISPOOL_OUTCOME_REMOVE 1
/* Back to its queue, as it was. */
#define MULTISPOOL_OUTCOME_RELEASE 2
/* Back to its queue, and the helper returns the outcome's status. */
#define MULTISPOOL_OUTCOME_FAIL 3

/*
 * The work on one entry. `context` is what the caller of the helper gave. `error` is the caller's too (it
 * may be NULL): hand it to the calls made here whose failure is returned by multispool_outcome_fail.
 * The checkout belongs to the helper: finish it here if you like, but do not free it.
 */
typedef multispool_outcome (*multispool_handler)(multispool_checkout *checkout, void *context,
                                                 multispool_error **error);

/* To `queue`, with the metadata as updated. The string must outlive the handler. */
static inline multispool_outcome multispool_outcome_save(const char *queue)
{
    multispool_outcome outcome = {MULTISPOOL_OUTCOME_SAVE, MULTISPOOL_OK, NULL};
    outcome.queue = queue;
    return outcome;
}

/* Away with it: metadata, data and name. */
static inline multispool_outcome multispool_outcome_remove(void)
{
    multispool_outcome outcome = {MULTISPOOL_OUTCOME_REMOVE, MULTISPOOL_OK, NULL};
    return outcome;
}

/* Back to its queue, as it was. */
static inline multispool_outcome multispool_outcome_release(void)
{
    multispool_outcome outcome = {MULTISPOOL_OUTCOME_RELEASE, MULTISPOOL_OK, NULL};
    return outcome;
}

/*
 * Back to its queue, as it was, and the helper returns `status`: that of the call that failed, or
 * MULTISPOOL_HANDLER_FAILED and above. MULTISPOOL_OK counts as MULTISPOOL_HANDLER_FAILED.
 */
static inline multispool_outcome multispool_outcome_fail(int32_t status)
{
    multispool_outcome outcome = {MULTISPOOL_OUTCOME_FAIL, MULTISPOOL_OK, NULL};
    outcome.status = status == MULTISPOOL_OK ? MULTISPOOL_HANDLER_FAILED : status;
    return outcome;
}

/*
 * Gives back what was not finished, and frees the handle, whatever the status. NULL is fine.
 *
 * Gives: OK, also for what was finished before; otherwise as multispool_checkout_release.
 */
MULTISPOOL_MUST_USE
static inline int32_t multispool_checkout_close(multispool_checkout *checkout,
                                                multispool_error **error)
{
    int32_t status = MULTISPOOL_OK;
    if (error != NULL)
        *error = NULL;
    if (checkout != NULL && !multispool_checkout_finished(checkout))
        status = multispool_checkout_release(checkout, error);
    multispool_checkout_free(checkout);
    return status;
}

/* For the functions below: runs the handler, does what it wants, and frees the checkout. */
MULTISPOOL_MUST_USE
static inline int32_t multispool_checkout_handle(multispool_checkout *checkout,
                                                 multispool_handler handler, void *context,
                                                 multispool_error **error)
{
    multispool_outcome outcome = handler(checkout, context, error);
    int32_t status = MULTISPOOL_OK;
    int32_t closed;

    if (outcome.kind == MULTISPOOL_OUTCOME_FAIL) {
        status = outcome.status;
    } else {
        if (error != NULL) {
            /* What the handler got over. */
            multispool_error_free(*error);
            *error = NULL;
        }
        if (multispool_checkout_finished(checkout))
            status = MULTISPOOL_OK;
        else if (outcome.kind == MULTISPOOL_OUTCOME_SAVE)
            status = multispool_checkout_save(checkout, outcome.queue, NULL, error);
        else if (outcome.kind == MULTISPOOL_OUTCOME_REMOVE)
            status = multispool_checkout_remove(checkout, NULL, error);
        else
            status = multispool_checkout_release(checkout, error);
    }
    /* The first failure is the one to tell. */
    closed = multispool_checkout_close(checkout, NULL);
    return status != MULTISPOOL_OK ? status : closed;
}

/*
 * Checks the entry out, calls the handler with it, and does what the handler returns. For who expects to
 * be the only one to take it.
 *
 * Gives: what the handler fails with; otherwise as multispool_entry_checkout, and as
 * multispool_checkout_save, _remove or _release.
 */
MULTISPOOL_MUST_USE
static inline int32_t multispool_with_entry(const multispool_entry *entry,
                                            multispool_handler handler, void *context,
                                            multispool_error **error)
{
    multispool_checkout *checkout;
    int32_t status = multispool_entry_checkout(entry, NULL, &checkout, error);
    if (status != MULTISPOOL_OK)
        return status;
    return multispool_checkout_handle(checkout, handler, context, error);
}

/* The same for who expects that another may be faster: NOT_FOUND, and the handler is not called. */
MULTISPOOL_MUST_USE
static inline int32_t multispool_try_with_entry(const multispool_entry *entry,
                                                multispool_handler handler, void *context,
                                                multispool_error **error)
{
    multispool_checkout *checkout;
    int32_t status = multispool_entry_try_checkout(entry, NULL, &checkout, error);
    if (status != MULTISPOOL_OK)
        return status;
    return multispool_checkout_handle(checkout, handler, context, error);
}

/*
 * Calls the handler for each entry that the reader gives, waiting for more, until `stop` (which may be
 * NULL) is triggered. It ends at the first failure, of a handler too; call it again to go on with the
 * next entry. Signals do not end it: trigger a stop in their handler.
 *
 * Gives: OK when stopped; what the handler fails with; otherwise as multispool_reader_dequeue, CORRUPT
 * for one bad entry included, and as multispool_checkout_save, _remove or _release.
 */
MULTISPOOL_MUST_USE
static inline int32_t multispool_for_each(multispool_reader *reader, const multispool_stop *stop,
                                          multispool_handler handler, void *context,
                                          multispool_error **error)
{
    for (;;) {
        multispool_checkout *checkout;
        int32_t status = multispool_reader_dequeue(reader, stop, -1, &checkout, error);
        if (status == MULTISPOOL_INTERRUPTED)
            continue;
        if (status == MULTISPOOL_STOPPED)
            return MULTISPOOL_OK;
        if (status == MULTISPOOL_OK)
            status = multispool_checkout_handle(checkout, handler, context, error);
        if (status != MULTISPOOL_OK)
            return status;
    }
}

/* The same for what is there now, each entry at most once: OK when there is no more. It does not wait. */
MULTISPOOL_MUST_USE
static inline int32_t multispool_for_each_available(multispool_reader *reader,
                                                    multispool_handler handler, void *context,
                                                    multispool_error **error)
{
    for (;;) {
        multispool_checkout *checkout;
        int32_t status = multispool_reader_dequeue(reader, NULL, 0, &checkout, error);
        if (status == MULTISPOOL_EMPTY)
            return MULTISPOOL_OK;
        if (status == MULTISPOOL_OK)
            status = multispool_checkout_handle(checkout, handler, context, error);
        if (status != MULTISPOOL_OK)
            return status;
    }
}

/*
 * What to do when a problem came or went: MULTISPOOL_OK goes on, anything else ends the loop. `context` and
 * `error` are as a handler's. The event belongs to the helper: do not free it.
 *
 *     static int32_t tell(const multispool_event *event, void *context, multispool_error **error)
 *     {
 *         const char *word = multispool_event_kind(event) == MULTISPOOL_EVENT_START ? "start" : "end";
 *         const char *message = multispool_problems_message(multispool_event_problem(event), 0);
 *         (void)error;
 *         return fprintf(context, "%s: %s\n", word, message) < 0 ? MULTISPOOL_HANDLER_FAILED : MULTISPOOL_OK;
 *     }
 */
typedef int32_t (*multispool_event_handler)(const multispool_event *event, void *context,
                                            multispool_error **error);

/*
 * Calls the handler for each event that the daemon has to tell, until `stop` (which may be NULL) is
 * triggered. It ends at the first failure, of a handler, or of a check, which the daemon outlives; call it
 * again to go on with the next event. Signals do not end it: trigger a stop in their handler.
 *
 *     status = multispool_for_each_event(daemon, stop, tell, stdout, &error);
 *
 * Gives: OK when stopped; what the handler returns; otherwise as multispool_daemon_next.
 */
MULTISPOOL_MUST_USE
static inline int32_t multispool_for_each_event(multispool_daemon *daemon, const multispool_stop *stop,
                                                multispool_event_handler handler, void *context,
                                                multispool_error **error)
{
    for (;;) {
        multispool_event *event;
        int32_t status = multispool_daemon_next(daemon, stop, -1, &event, error);
        if (status == MULTISPOOL_INTERRUPTED)
            continue;
        if (status == MULTISPOOL_STOPPED)
            return MULTISPOOL_OK;
        if (status == MULTISPOOL_OK) {
            status = handler(event, context, error);
            multispool_event_free(event);
            if (status == MULTISPOOL_OK && error != NULL) {
                /* What the handler got over. */
                multispool_error_free(*error);
                *error = NULL;
            }
        }
        if (status != MULTISPOOL_OK)
            return status;
    }
}

/* Writes "PROGRAM: MESSAGE" and a newline. An error of NULL has the message "no error". */
static inline void multispool_error_print(FILE *stream, const char *program,
                                          const multispool_error *error)
{
    const char *message = multispool_error_message(error);
    fprintf(stream, "%s: %s\n", program, message != NULL ? message : "no error");
}

/*
 * MULTISPOOL_AUTO(spool) spool = NULL;
 *
 * declares a `multispool_spool *` that is freed when its block ends, in whatever way but longjmp. It must
 * be initialised. A checkout that was not finished is released first.
 */
#if defined(__GNUC__) || defined(__clang__)
#define MULTISPOOL_AUTO(type) \
    __attribute__((cleanup(multispool_auto_##type))) multispool_##type *

#define MULTISPOOL_AUTO_FREE(type)                                        \
    static inline void multispool_auto_##type(multispool_##type **handle) \
    {                                                                     \
        multispool_##type##_free(*handle);                                \
    }
MULTISPOOL_AUTO_FREE(error)
MULTISPOOL_AUTO_FREE(buffer)
MULTISPOOL_AUTO_FREE(names)
MULTISPOOL_AUTO_FREE(spool_options)
MULTISPOOL_AUTO_FREE(spool)
MULTISPOOL_AUTO_FREE(enqueue_options)
MULTISPOOL_AUTO_FREE(enqueue_writer)
MULTISPOOL_AUTO_FREE(batch)
MULTISPOOL_AUTO_FREE(entries)
MULTISPOOL_AUTO_FREE(checkouts)
MULTISPOOL_AUTO_FREE(entry)
MULTISPOOL_AUTO_FREE(checkout_options)
MULTISPOOL_AUTO_FREE(save_options)
MULTISPOOL_AUTO_FREE(remove_options)
MULTISPOOL_AUTO_FREE(data_file)
MULTISPOOL_AUTO_FREE(data_writer)
MULTISPOOL_AUTO_FREE(stop)
MULTISPOOL_AUTO_FREE(reader_options)
MULTISPOOL_AUTO_FREE(reader)
MULTISPOOL_AUTO_FREE(recover_options)
MULTISPOOL_AUTO_FREE(stats_options)
MULTISPOOL_AUTO_FREE(stats)
MULTISPOOL_AUTO_FREE(limits)
MULTISPOOL_AUTO_FREE(problems)
MULTISPOOL_AUTO_FREE(monitor)
MULTISPOOL_AUTO_FREE(event)
MULTISPOOL_AUTO_FREE(daemon_options)
MULTISPOOL_AUTO_FREE(daemon)
MULTISPOOL_AUTO_FREE(repair_options)
MULTISPOOL_AUTO_FREE(plan)
MULTISPOOL_AUTO_FREE(repaired)
#undef MULTISPOOL_AUTO_FREE

static inline void multispool_auto_checkout(multispool_checkout **checkout)
{
    /* Nobody is left to tell: what cannot be released is for recover. */
    int32_t status = multispool_checkout_close(*checkout, NULL);
    (void)status;
}
#endif

#ifdef __cplusplus
}
#endif

#endif
