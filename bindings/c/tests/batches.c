/* Batches: many entries with the syncs made once, each with a status of its own. */

#include "waits.h"

enum { MANY = 300 };

static multispool_batch *batch;

static int set_up_batch(void **state)
{
    set_up(state);
    DOES(multispool_batch_create(spool, "in", NULL, &batch, &error));
    return 0;
}

static int tear_down_batch(void **state)
{
    multispool_batch_free(batch);
    batch = NULL;
    return tear_down(state);
}

static int count_in(const char *queue)
{
    multispool_entries *entries;
    multispool_entry *entry;
    int count = 0;
    DOES(multispool_list(spool, queue, &entries, &error));
    while (multispool_entries_next(entries, &entry, &error) == MULTISPOOL_OK) {
        multispool_entry_free(entry);
        count++;
    }
    assert_null(error);
    multispool_entries_free(entries);
    return count;
}

static void the_entries_of_a_batch_are_visible_after_its_commit(void **state)
{
    (void)state;
    DOES(multispool_batch_add(batch, BYTES("m"), BYTES("d"), &error));
    DOES(multispool_batch_add_file(batch, BYTES("m"), "/dev/null", &error));
    assert_int_equal(multispool_batch_size(batch), 2);
    assert_int_equal(count_in("in"), 0);
    GIVES(INVALID_ARGUMENT, multispool_batch_status(batch, 0, &error));
    DOES(multispool_batch_commit(batch, &error));
    assert_int_equal(count_in("in"), 2);
    DOES(multispool_batch_status(batch, 0, &error));
    DOES(multispool_batch_status(batch, 1, &error));
    GIVES(INVALID_ARGUMENT, multispool_batch_status(batch, 2, &error));
    assert_non_null(multispool_batch_name(batch, 1));
    assert_null(multispool_batch_name(batch, 2));
    GIVES(FINISHED, multispool_batch_commit(batch, &error));
    GIVES(FINISHED, multispool_batch_add(batch, BYTES("m"), BYTES("d"), &error));
}

static void nothing_is_left_of_a_batch_that_is_freed(void **state)
{
    char registered[256];
    (void)state;
    DOES(multispool_batch_add(batch, BYTES("m"), BYTES("d"), &error));
    snprintf(registered, sizeof registered, ".registry/%s", multispool_batch_name(batch, 0));
    assert_true(exists(registered));
    multispool_batch_free(batch);
    batch = NULL;
    assert_false(exists(registered));
    assert_int_equal(count_in("in"), 0);
}

static void one_that_fails_keeps_no_other_back(void **state)
{
    char taken[256];
    (void)state;
    DOES(multispool_batch_add(batch, BYTES("m"), BYTES("d"), &error));
    GIVES(MISSING, multispool_batch_add_file(batch, BYTES("m"), "/nowhere/at/all", &error));
    DOES(multispool_batch_add(batch, BYTES("m"), BYTES("d"), &error));
    assert_int_equal(multispool_batch_size(batch), 2);
    snprintf(taken, sizeof taken, "in/%s", multispool_batch_name(batch, 0));
    plant(taken, "");
    GIVES(NAME_TAKEN, multispool_batch_commit(batch, &error));
    GIVES(NAME_TAKEN, multispool_batch_status(batch, 0, &error));
    DOES(multispool_batch_status(batch, 1, &error));
}

static void a_batch_is_refused_before_anything_is_done(void **state)
{
    multispool_batch *other;
    multispool_enqueue_options *options;
    (void)state;
    GIVES(UNKNOWN_QUEUE, multispool_batch_create(spool, "nowhere", NULL, &other, &error));
    assert_null(other);
    DOES(multispool_enqueue_options_new(&options, &error));
    DOES(multispool_enqueue_options_set_name(options, "name", &error));
    GIVES(INVALID_ARGUMENT, multispool_batch_create(spool, "in", options, &other, &error));
    multispool_enqueue_options_free(options);
}

/* All that the reader has, which is the caller's to free. */
static size_t take_all(multispool_checkout **checkouts)
{
    multispool_reader *reader = reader_of_in();
    size_t count, more;
    DOES(multispool_reader_dequeue_many(reader, NULL, 0, MANY, checkouts, &count, &error));
    GIVES(EMPTY, multispool_reader_dequeue_many(reader, NULL, 0, MANY - count, checkouts + count, &more, &error));
    assert_int_equal(more, 0);
    multispool_reader_free(reader);
    return count;
}

static void more_than_a_piece_is_enqueued_taken_saved_and_removed(void **state)
{
    multispool_checkout *checkouts[MANY];
    int32_t statuses[MANY];
    size_t count;
    (void)state;
    for (int i = 0; i < MANY - 1; i++)
        DOES(multispool_batch_add(batch, BYTES("m"), BYTES("d"), &error));
    DOES(multispool_batch_commit(batch, &error));
    count = take_all(checkouts);
    assert_int_equal(count, MANY - 1);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(multispool_checkout_name(checkouts[i]), multispool_batch_name(batch, i));
    DOES(multispool_save_many(checkouts, 10, "out", statuses, &error));
    assert_int_equal(count_in("out"), 10);
    assert_int_equal(statuses[9], MULTISPOOL_OK);
    DOES(multispool_remove_many(checkouts + 10, count - 10, statuses, &error));
    assert_int_equal(count_in("in"), 0);
    for (size_t i = 0; i < count; i++)
        multispool_checkout_free(checkouts[i]);
}

static void each_of_many_has_a_status_of_its_own(void **state)
{
    multispool_checkout *checkouts[MANY];
    int32_t statuses[3];
    size_t count;
    (void)state;
    multispool_entry_free(enqueue("a"));
    multispool_entry_free(enqueue("b"));
    multispool_entry_free(enqueue("c"));
    count = take_all(checkouts);
    assert_int_equal(count, 3);
    take_away("in/.checkout/b");
    GIVES(LOST_OWNERSHIP, multispool_remove_many(checkouts, count, statuses, &error));
    assert_int_equal(statuses[0], MULTISPOOL_OK);
    assert_int_equal(statuses[1], MULTISPOOL_LOST_OWNERSHIP);
    assert_int_equal(statuses[2], MULTISPOOL_OK);
    assert_false(exists(".data/a") || exists(".registry/c"));
    GIVES(FINISHED, multispool_save_many(checkouts, 1, "out", NULL, &error));
    for (size_t i = 0; i < count; i++)
        multispool_checkout_free(checkouts[i]);
}

static void one_checkout_twice_is_refused_and_nothing_is_done(void **state)
{
    multispool_checkout *checkouts[MANY];
    int32_t statuses[2] = {99, 99};
    (void)state;
    multispool_entry_free(enqueue("a"));
    assert_int_equal(take_all(checkouts), 1);
    checkouts[1] = checkouts[0];
    GIVES(INVALID_ARGUMENT, multispool_remove_many(checkouts, 2, statuses, &error));
    GIVES(INVALID_ARGUMENT, multispool_save_many(checkouts, 2, "out", statuses, &error));
    assert_int_equal(statuses[0], 99);
    assert_true(exists("in/.checkout/a"));
    DOES(multispool_remove_many(checkouts, 0, NULL, &error));
    DOES(multispool_remove_many(checkouts, 1, NULL, &error));
    multispool_checkout_free(checkouts[0]);
}

static void many_are_waited_for_as_one_is(void **state)
{
    multispool_checkout *checkouts[2];
    multispool_reader *reader = reader_of_in();
    multispool_stop *stop;
    size_t count = 99;
    (void)state;
    GIVES(TIMED_OUT, multispool_reader_dequeue_many(reader, NULL, 20, 2, checkouts, &count, &error));
    assert_int_equal(count, 0);
    assert_null(checkouts[0]);
    DOES(multispool_stop_create(&stop, &error));
    DOES(multispool_stop_trigger(stop));
    GIVES(STOPPED, multispool_reader_dequeue_many(reader, stop, -1, 2, checkouts, &count, &error));
    GIVES(INVALID_ARGUMENT, multispool_reader_dequeue_many(reader, NULL, -1, 0, checkouts, &count, &error));
    multispool_stop_free(stop);
    multispool_reader_free(reader);
}

static void a_batch_of_the_parent_is_not_the_child_s(void **state)
{
    pid_t child;
    int status;
    (void)state;
    DOES(multispool_batch_add(batch, BYTES("m"), BYTES("d"), &error));
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        CHILD_CHECKS(multispool_batch_add(batch, BYTES("m"), BYTES("d"), NULL) == MULTISPOOL_FORKED);
        CHILD_CHECKS(multispool_batch_commit(batch, NULL) == MULTISPOOL_FORKED);
        multispool_batch_free(batch);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    DOES(multispool_batch_commit(batch, &error));
    assert_int_equal(count_in("in"), 1);
}

#define BATCH_TEST(test) cmocka_unit_test_setup_teardown(test, set_up_batch, tear_down_batch)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BATCH_TEST(the_entries_of_a_batch_are_visible_after_its_commit),
        BATCH_TEST(nothing_is_left_of_a_batch_that_is_freed),
        BATCH_TEST(one_that_fails_keeps_no_other_back),
        BATCH_TEST(a_batch_is_refused_before_anything_is_done),
        BATCH_TEST(more_than_a_piece_is_enqueued_taken_saved_and_removed),
        BATCH_TEST(each_of_many_has_a_status_of_its_own),
        BATCH_TEST(one_checkout_twice_is_refused_and_nothing_is_done),
        BATCH_TEST(many_are_waited_for_as_one_is),
        BATCH_TEST(a_batch_of_the_parent_is_not_the_child_s),
    };
    return cmocka_run_group_tests_name("batches", tests, NULL, NULL);
}
