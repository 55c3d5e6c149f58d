/* Readers and stops: waiting, being woken, being stopped. */

#include <poll.h>

#include "waits.h"

static multispool_reader *reader;
static multispool_checkout *checkout;

static int set_up_reader(void **state)
{
    set_up(state);
    reader = reader_of_in();
    return 0;
}

static int tear_down_reader(void **state)
{
    multispool_reader_free(reader);
    return tear_down(state);
}

static void remove_checkout(void)
{
    DOES(multispool_checkout_remove(checkout, NULL, &error));
    multispool_checkout_free(checkout);
    checkout = NULL;
}

static void a_reader_gives_the_entries_in_order_then_empty(void **state)
{
    static const char *const names[] = {"a", "b", "c"};
    (void)state;
    for (int i = 0; i < 3; i++)
        multispool_entry_free(enqueue(names[i]));
    assert_string_equal(multispool_reader_queue(reader), "in");
    for (int i = 0; i < 3; i++) {
        DOES(multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
        assert_string_equal(multispool_checkout_name(checkout), names[i]);
        remove_checkout();
    }
    GIVES(EMPTY, multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
    assert_null(checkout);
}

static void a_wait_is_over_in_time(void **state)
{
    int64_t start = now_ms();
    (void)state;
    GIVES(TIMED_OUT, multispool_reader_dequeue(reader, NULL, 50, &checkout, &error));
    assert_null(checkout);
    assert_true(now_ms() - start >= 50);
}

static void a_wait_of_an_impossible_time_is_refused(void **state)
{
    (void)state;
    GIVES(INVALID_ARGUMENT, multispool_reader_dequeue(reader, NULL, -2, &checkout, &error));
    GIVES(INVALID_ARGUMENT, multispool_reader_dequeue(reader, NULL, INT64_MIN, &checkout, &error));
}

static void the_longest_time_is_a_long_time(void **state)
{
    (void)state;
    multispool_entry_free(enqueue("a"));
    DOES(multispool_reader_dequeue(reader, NULL, INT64_MAX, &checkout, &error));
    remove_checkout();
}

static void *enqueue_from_a_thread(void *name)
{
    return multispool_enqueue(spool, "in", BYTES("m"), BYTES("d"), NULL, NULL, NULL) == MULTISPOOL_OK ? name : NULL;
}

static void an_arrival_wakes_a_wait(void **state)
{
    pthread_t thread;
    void *result;
    (void)state;
    GIVES(EMPTY, multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
    assert_int_equal(pthread_create(&thread, NULL, enqueue_from_a_thread, "sent"), 0);
    DOES(multispool_reader_dequeue(reader, NULL, -1, &checkout, &error));
    remove_checkout();
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_non_null(result);
}

static void a_released_entry_is_not_taken_again_in_the_same_pass(void **state)
{
    (void)state;
    multispool_entry_free(enqueue("a"));
    multispool_entry_free(enqueue("b"));
    DOES(multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
    DOES(multispool_checkout_release(checkout, &error));
    multispool_checkout_free(checkout);
    DOES(multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
    assert_string_equal(multispool_checkout_name(checkout), "b");
    remove_checkout();
    GIVES(EMPTY, multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
}

static void a_bad_entry_is_told_and_stops_nobody(void **state)
{
    (void)state;
    multispool_entry_free(enqueue("bad"));
    multispool_entry_free(enqueue("good"));
    assert_int_equal(unlink(in_spool(".data/bad")), 0);
    GIVES_AND_TELLS(CORRUPT, multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
    assert_non_null(strstr(multispool_error_path(error), "bad"));
    forget_error();
    assert_null(checkout);
    DOES(multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
    assert_string_equal(multispool_checkout_name(checkout), "good");
    remove_checkout();
    GIVES(EMPTY, multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
}

static void a_stop_ends_a_wait_and_those_to_come(void **state)
{
    multispool_stop *stop;
    pthread_t thread;
    void *result;
    (void)state;
    DOES(multispool_stop_create(&stop, &error));
    assert_int_equal(multispool_stop_triggered(stop), 0);
    assert_int_equal(pthread_create(&thread, NULL, trigger_from_a_thread, stop), 0);
    GIVES(STOPPED, multispool_reader_dequeue(reader, stop, -1, &checkout, &error));
    assert_null(checkout);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_non_null(result);
    assert_int_equal(multispool_stop_triggered(stop), 1);
    assert_int_equal(multispool_stop_trigger(stop), MULTISPOOL_OK);
    multispool_entry_free(enqueue("a"));
    GIVES(STOPPED, multispool_reader_dequeue(reader, stop, -1, &checkout, &error));
    GIVES(STOPPED, multispool_reader_dequeue(reader, stop, 0, &checkout, &error));
    multispool_stop_free(stop);
    DOES(multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
    remove_checkout();
}

static int32_t dequeue(const multispool_stop *stop, int64_t timeout_ms)
{
    return multispool_reader_dequeue(reader, stop, timeout_ms, &checkout, &error);
}

static void a_signal_interrupts_a_wait(void **state)
{
    (void)state;
    GIVES(INTERRUPTED, wait_under_signals(do_nothing, dequeue, NULL));
    assert_null(checkout);
}

static void a_stop_can_be_triggered_in_a_signal_handler(void **state)
{
    int32_t status;
    (void)state;
    DOES(multispool_stop_create(&stop_of_handler, &error));
    status = wait_under_signals(trigger_from_a_handler, dequeue, stop_of_handler);
    assert_true(status == MULTISPOOL_STOPPED || status == MULTISPOOL_INTERRUPTED);
    GIVES(STOPPED, multispool_reader_dequeue(reader, stop_of_handler, -1, &checkout, &error));
    multispool_stop_free(stop_of_handler);
}

static void the_descriptor_is_readable_while_a_dequeue_may_succeed(void **state)
{
    struct pollfd pollfd = {-1, POLLIN, 0};
    int again = -1;
    (void)state;
    DOES(multispool_reader_fd(reader, &pollfd.fd, &error));
    DOES(multispool_reader_fd(reader, &again, &error));
    assert_int_equal(again, pollfd.fd);
    GIVES(EMPTY, multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
    assert_int_equal(poll(&pollfd, 1, 0), 0);
    multispool_entry_free(enqueue("a"));
    assert_int_equal(poll(&pollfd, 1, A_MINUTE), 1);
    DOES(multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
    remove_checkout();
    GIVES(EMPTY, multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
    assert_int_equal(poll(&pollfd, 1, 0), 0);
}

static void a_reader_that_is_to_keep_the_order_goes_on_with_the_next_name(void **state)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
    enum { COUNT = sizeof names / sizeof *names };
    multispool_reader_options *options;
    multispool_entry *entries[COUNT];
    (void)state;
    DOES(multispool_reader_options_new(&options, &error));
    DOES(multispool_reader_options_set_strict_order(options, 1, &error));
    multispool_reader_free(reader);
    DOES(multispool_reader_create(spool, queues, 1, options, &reader, &error));
    multispool_reader_options_free(options);
    for (int i = 0; i < COUNT; i++)
        entries[i] = enqueue(names[i]);
    for (int i = 0; i < COUNT; i += 2) {
        DOES(multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
        assert_string_equal(multispool_checkout_name(checkout), names[i]);
        remove_checkout();
        /* Another is quicker with the one after it. */
        DOES(multispool_entry_checkout(entries[i + 1], NULL, &checkout, &error));
        remove_checkout();
    }
    for (int i = 0; i < COUNT; i++)
        multispool_entry_free(entries[i]);
}

static void the_options_of_a_reader_are_checked_and_obeyed(void **state)
{
    multispool_reader_options *options;
    (void)state;
    DOES(multispool_reader_options_new(&options, &error));
    GIVES(INVALID_ARGUMENT, multispool_reader_options_set_durability(options, 3, &error));
    GIVES(INVALID_ARGUMENT, multispool_reader_options_set_retry_after_ms(options, -1, 1000, &error));
    GIVES(INVALID_ARGUMENT, multispool_reader_options_set_retry_after_ms(options, 1000, 999, &error));
    GIVES(INVALID_ARGUMENT, multispool_reader_options_set_poll_interval_ms(options, -1, &error));
    GIVES(INVALID_ARGUMENT, multispool_reader_options_set_poll_interval_ms(options, 0, &error));
    GIVES(INVALID_ARGUMENT, multispool_reader_options_set_strict_order(options, 2, &error));
    DOES(multispool_reader_options_set_durability(options, MULTISPOOL_DURABILITY_NONE, &error));
    DOES(multispool_reader_options_set_retry_after_ms(options, 5, 10, &error));
    DOES(multispool_reader_options_set_poll_interval_ms(options, 10, &error));
    multispool_reader_free(reader);
    DOES(multispool_reader_create(spool, queues, 1, options, &reader, &error));
    multispool_reader_options_free(options);
    multispool_entry_free(enqueue("a"));
    for (int i = 0; i < 3; i++) {
        DOES(multispool_reader_dequeue(reader, NULL, A_MINUTE, &checkout, &error));
        DOES(multispool_checkout_release(checkout, &error));
        multispool_checkout_free(checkout);
    }
}

static void a_reader_reads_one_queue(void **state)
{
    multispool_reader *other;
    (void)state;
    GIVES(UNSUPPORTED, multispool_reader_create(spool, queues, 2, NULL, &other, &error));
    assert_null(other);
    GIVES(UNSUPPORTED, multispool_reader_create(spool, NULL, 0, NULL, &other, &error));
    assert_null(other);
}

#define READER_TEST(test) cmocka_unit_test_setup_teardown(test, set_up_reader, tear_down_reader)

int main(void)
{
    const struct CMUnitTest tests[] = {
        READER_TEST(a_reader_gives_the_entries_in_order_then_empty),
        READER_TEST(a_wait_is_over_in_time),
        READER_TEST(a_wait_of_an_impossible_time_is_refused),
        READER_TEST(the_longest_time_is_a_long_time),
        READER_TEST(an_arrival_wakes_a_wait),
        READER_TEST(a_released_entry_is_not_taken_again_in_the_same_pass),
        READER_TEST(a_bad_entry_is_told_and_stops_nobody),
        READER_TEST(a_stop_ends_a_wait_and_those_to_come),
        READER_TEST(a_signal_interrupts_a_wait),
        READER_TEST(a_stop_can_be_triggered_in_a_signal_handler),
        READER_TEST(the_descriptor_is_readable_while_a_dequeue_may_succeed),
        READER_TEST(a_reader_that_is_to_keep_the_order_goes_on_with_the_next_name),
        READER_TEST(the_options_of_a_reader_are_checked_and_obeyed),
        READER_TEST(a_reader_reads_one_queue),
    };
    return cmocka_run_group_tests_name("readers", tests, NULL, NULL);
}
