/* Steps about readers and stops. */

#include <string.h>

#include <multispool_helpers.h>

#include "agent.h"

static void reader_step(const line *in)
{
    multispool_reader_options *options;
    multispool_reader *reader = NULL;
    multispool_error *error;
    const char *queue = line_text(in, "queue");
    int64_t first = line_number(in, "retry_after_ms", 0);
    int32_t status = multispool_reader_options_new(&options, &error);

    if (status == MULTISPOOL_OK && first > 0)
        status = multispool_reader_options_set_retry_after_ms(options, first, 2 * first, &error);
    if (status == MULTISPOOL_OK)
        status = multispool_reader_options_set_strict_order(options, line_yes(in, "strict_order"), &error);
    if (status == MULTISPOOL_OK)
        status = multispool_reader_create(hand_get(in, SPOOL), &queue, 1, options, &reader, &error);
    multispool_reader_options_free(options);
    if (answer(status, &error))
        hand_keep(READER, line_text(in, "as"), reader);
}

static void dequeue_for(const line *in, int64_t timeout_ms)
{
    multispool_checkout *checkout;
    multispool_error *error;
    int32_t status =
        multispool_reader_dequeue(hand_get(in, READER), hand_get_any(in, STOP), timeout_ms, &checkout, &error);

    if (answer(status, &error))
        checkout_taken(in, checkout);
}

static void dequeue(const line *in)
{
    dequeue_for(in, line_number(in, "timeout_ms", -1));
}

static void dequeue_available(const line *in)
{
    dequeue_for(in, 0);
}

/* What a handler does, and when it stops the wait for more. */
typedef struct work {
    const line *in;
    const multispool_stop *stop;
    int64_t left;
} work;

static multispool_outcome handle(multispool_checkout *checkout, void *context, multispool_error **error)
{
    work *on = context;
    const char *outcome = line_text(on->in, "outcome");
    size_t len;
    const uint8_t *metadata = multispool_checkout_metadata(checkout, &len);

    answer_add("metadata", metadata, len);
    if (on->stop != NULL && --on->left == 0) {
        int32_t status = multispool_stop_trigger(on->stop);
        if (status != MULTISPOOL_OK)
            return multispool_outcome_fail(status);
    }
    const uint8_t *new = line_bytes(on->in, "metadata", &len);
    if (new != NULL) {
        int32_t status = multispool_checkout_update(checkout, new, len, error);
        if (status != MULTISPOOL_OK)
            return multispool_outcome_fail(status);
    }
    if (strcmp(outcome, "save") == 0)
        return multispool_outcome_save(line_text(on->in, "to"));
    if (strcmp(outcome, "remove") == 0)
        return multispool_outcome_remove();
    if (strcmp(outcome, "release") == 0)
        return multispool_outcome_release();
    return multispool_outcome_fail(MULTISPOOL_HANDLER_FAILED);
}

/* The helpers end at each failure, and go on when they are called again. */
static void work_through(const line *in, work *on, bool waiting)
{
    multispool_reader *reader = hand_get(in, READER);
    multispool_error *error;

    answer(MULTISPOOL_OK, NULL);
    for (;;) {
        int32_t status = waiting ? multispool_for_each(reader, on->stop, handle, on, &error)
                                 : multispool_for_each_available(reader, handle, on, &error);
        if (status == MULTISPOOL_OK)
            return;
        if (status == MULTISPOOL_CORRUPT) {
            answer_text("corrupt", "yes");
        } else if (status == MULTISPOOL_HANDLER_FAILED) {
            answer_text("failed", "yes");
        } else {
            answer(status, &error);
            return;
        }
        multispool_error_free(error);
    }
}

static void each(const line *in)
{
    work on = {in, hand_get(in, STOP), line_number(in, "count", 0)};
    work_through(in, &on, true);
}

static void each_available(const line *in)
{
    work on = {in, NULL, 0};
    work_through(in, &on, false);
}

static void stop_step(const line *in)
{
    multispool_stop *stop;
    multispool_error *error;

    if (answer(multispool_stop_create(&stop, &error), &error))
        hand_keep(STOP, line_text(in, "as"), stop);
}

static void trigger(const line *in)
{
    answer(multispool_stop_trigger(hand_get(in, STOP)), NULL);
}

const step reader_steps[] = {{"reader", reader_step},
                             {"dequeue", dequeue},
                             {"dequeue_available", dequeue_available},
                             {"each", each},
                             {"each_available", each_available},
                             {"stop", stop_step},
                             {"trigger", trigger},
                             {NULL, NULL}};
