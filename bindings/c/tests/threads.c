/* What may be shared between threads is; what may move between them moves. */

#include <pthread.h>

#include "fixture.h"

enum { THREADS = 8, EACH = 50 };

/* cmocka's checks belong to the main thread: a thread that fails answers with what failed. */
static const char *failed(const char *what, multispool_error *why)
{
    fprintf(stderr, "%s: %s\n", what, why != NULL ? multispool_error_message(why) : "no error");
    multispool_error_free(why);
    return what;
}

static void *reserve_the_same_names(void *taken)
{
    multispool_error *why;
    char name[32];
    for (int i = 0; i < EACH; i++) {
        int32_t status;
        snprintf(name, sizeof name, "name-%d", i);
        status = multispool_reserve(spool, name, NULL, &why);
        if (status == MULTISPOOL_OK)
            ++*(int *)taken;
        else if (status != MULTISPOOL_NAME_TAKEN)
            return (void *)failed("reserve", why);
    }
    return NULL;
}

static void each_name_is_reserved_by_one_thread(void **state)
{
    pthread_t threads[THREADS];
    int taken[THREADS] = {0}, sum = 0;
    void *result;
    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, reserve_the_same_names, &taken[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
        sum += taken[i];
    }
    assert_int_equal(sum, EACH);
}

static void *enqueue_many(void *unused)
{
    multispool_error *why;
    (void)unused;
    for (int i = 0; i < EACH; i++)
        if (multispool_enqueue(spool, "in", BYTES("m"), BYTES("d"), NULL, NULL, &why) != MULTISPOOL_OK)
            return (void *)failed("enqueue", why);
    return NULL;
}

static multispool_stop *stop;

/* Moves all it gets to "out", until it is stopped. */
static void *move_until_stopped(void *moved)
{
    multispool_reader *reader;
    multispool_error *why;
    if (multispool_reader_create(spool, queues, 1, NULL, &reader, &why) != MULTISPOOL_OK)
        return (void *)failed("reader", why);
    for (;;) {
        multispool_checkout *checkout;
        int32_t status = multispool_reader_dequeue(reader, stop, -1, &checkout, &why);
        if (status == MULTISPOOL_STOPPED)
            break;
        if (status != MULTISPOOL_OK)
            return (void *)failed("dequeue", why);
        if (multispool_checkout_save(checkout, "out", NULL, &why) != MULTISPOOL_OK)
            return (void *)failed("save", why);
        multispool_checkout_free(checkout);
        ++*(int *)moved;
    }
    multispool_reader_free(reader);
    return NULL;
}

static void producers_and_consumers_share_a_spool(void **state)
{
    pthread_t producers[THREADS / 2], consumers[THREADS / 2];
    int moved[THREADS / 2] = {0}, sum = 0;
    multispool_reader *reader;
    multispool_checkout *checkout;
    void *result;
    (void)state;
    DOES(multispool_stop_create(&stop, &error));
    for (int i = 0; i < THREADS / 2; i++) {
        assert_int_equal(pthread_create(&consumers[i], NULL, move_until_stopped, &moved[i]), 0);
        assert_int_equal(pthread_create(&producers[i], NULL, enqueue_many, NULL), 0);
    }
    DOES(multispool_reader_create(spool, queues + 1, 1, NULL, &reader, &error));
    for (int i = 0; i < THREADS / 2 * EACH; i++) {
        DOES(multispool_reader_dequeue(reader, NULL, 60000, &checkout, &error));
        DOES(multispool_checkout_remove(checkout, NULL, &error));
        multispool_checkout_free(checkout);
    }
    assert_int_equal(multispool_stop_trigger(stop), MULTISPOOL_OK);
    for (int i = 0; i < THREADS / 2; i++) {
        assert_int_equal(pthread_join(producers[i], &result), 0);
        assert_null(result);
        assert_int_equal(pthread_join(consumers[i], &result), 0);
        assert_null(result);
        sum += moved[i];
    }
    assert_int_equal(sum, THREADS / 2 * EACH);
    GIVES(EMPTY, multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
    multispool_reader_free(reader);
    multispool_stop_free(stop);
}

static void *save_and_free(void *checkout)
{
    multispool_error *why;
    if (multispool_checkout_save(checkout, "out", NULL, &why) != MULTISPOOL_OK)
        return (void *)failed("save", why);
    multispool_checkout_free(checkout);
    return NULL;
}

static void a_checkout_moves_to_another_thread(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    pthread_t thread;
    void *result;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, save_and_free, checkout), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_null(result);
    assert_true(exists("out/a"));
}

static void *fail_and_hand_over(void *out)
{
    multispool_entry *entry;
    if (multispool_entry_create(spool, "unknown", "a", &entry, out) != MULTISPOOL_UNKNOWN_QUEUE)
        return "the queue is known";
    return NULL;
}

static void an_error_moves_to_another_thread(void **state)
{
    pthread_t thread;
    void *result;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, fail_and_hand_over, &error), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_null(result);
    assert_int_equal(multispool_error_status(error), MULTISPOOL_UNKNOWN_QUEUE);
}

#define SPOOL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(each_name_is_reserved_by_one_thread),
        SPOOL_TEST(producers_and_consumers_share_a_spool),
        SPOOL_TEST(a_checkout_moves_to_another_thread),
        SPOOL_TEST(an_error_moves_to_another_thread),
    };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
