/* What the owner of an entry can do, and what is left of the handle afterwards; its data, too. */

#include <fcntl.h>

#include "fixture.h"

static multispool_data_file *data_file_of(const multispool_checkout *checkout)
{
    multispool_data_file *data_file;
    DOES(multispool_checkout_data_file(checkout, &data_file, &error));
    return data_file;
}

static void a_checkout_has_name_queue_and_metadata(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    size_t len;
    const uint8_t *metadata;
    (void)state;
    assert_string_equal(multispool_checkout_name(checkout), "a");
    assert_string_equal(multispool_checkout_queue(checkout), "in");
    metadata = multispool_checkout_metadata(checkout, &len);
    assert_bytes(metadata, len, "metadata", 8);
    assert_int_equal(multispool_checkout_finished(checkout), 0);
    assert_true(exists("in/.checkout/a") && !exists("in/a"));
    multispool_checkout_free(checkout);
}

static void an_entry_has_one_owner(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a"), *second;
    multispool_entry *entry;
    (void)state;
    DOES(multispool_entry_create(spool, "in", "a", &entry, &error));
    GIVES(NOT_FOUND, multispool_entry_try_checkout(entry, NULL, &second, &error));
    GIVES(MISSING, multispool_entry_checkout(entry, NULL, &second, &error));
    DOES(multispool_checkout_release(checkout, &error));
    DOES(multispool_entry_try_checkout(entry, NULL, &second, &error));
    multispool_checkout_free(second);
    multispool_checkout_free(checkout);
    multispool_entry_free(entry);
}

static void save_moves_the_updated_entry_to_a_queue(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    multispool_entry *entry;
    multispool_buffer *bytes;
    size_t len;
    const uint8_t *metadata;
    (void)state;
    DOES(multispool_checkout_update(checkout, BYTES("new\0er"), &error));
    metadata = multispool_checkout_metadata(checkout, &len);
    assert_bytes(metadata, len, "new\0er", 6);
    DOES(multispool_checkout_save(checkout, "out", NULL, &error));
    assert_int_equal(multispool_checkout_finished(checkout), 1);
    multispool_checkout_free(checkout);
    DOES(multispool_entry_create(spool, "out", "a", &entry, &error));
    DOES(multispool_entry_direct_contents(entry, &bytes, &error));
    assert_buffer_is(bytes, "new\0er", 6);
    multispool_entry_free(entry);
    assert_false(exists("in/.checkout/a"));
}

static void metadata_may_become_empty(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    size_t len = 99;
    (void)state;
    DOES(multispool_checkout_update(checkout, NULL, 0, &error));
    assert_non_null(multispool_checkout_metadata(checkout, &len));
    assert_int_equal(len, 0);
    assert_non_null(multispool_checkout_metadata(checkout, NULL));
    DOES(multispool_checkout_save(checkout, "in", NULL, &error));
    multispool_checkout_free(checkout);
}

static void release_gives_the_entry_back_as_it_was(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    multispool_entry *entry;
    multispool_buffer *bytes;
    (void)state;
    DOES(multispool_checkout_update(checkout, BYTES("dropped"), &error));
    DOES(multispool_checkout_release(checkout, &error));
    multispool_checkout_free(checkout);
    DOES(multispool_entry_create(spool, "in", "a", &entry, &error));
    DOES(multispool_entry_direct_contents(entry, &bytes, &error));
    assert_buffer_is(bytes, "metadata", 8);
    multispool_entry_free(entry);
}

static void remove_leaves_nothing(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    (void)state;
    DOES(multispool_checkout_remove(checkout, NULL, &error));
    multispool_checkout_free(checkout);
    assert_false(exists("in/a") || exists("in/.checkout/a") || exists(".data/a") || exists(".registry/a"));
}

static void a_finished_checkout_refuses_each_use(void **state)
{
    multispool_data_file *data_file;
    (void)state;
    for (int end = 0; end < 3; end++) {
        multispool_checkout *checkout = enqueue_and_checkout(end == 0 ? "a" : end == 1 ? "b" : "c");
        if (end == 0)
            DOES(multispool_checkout_save(checkout, "out", NULL, &error));
        else if (end == 1)
            DOES(multispool_checkout_remove(checkout, NULL, &error));
        else
            DOES(multispool_checkout_release(checkout, &error));
        assert_int_equal(multispool_checkout_finished(checkout), 1);
        GIVES(FINISHED, multispool_checkout_save(checkout, "in", NULL, &error));
        GIVES(FINISHED, multispool_checkout_remove(checkout, NULL, &error));
        GIVES(FINISHED, multispool_checkout_release(checkout, &error));
        GIVES(FINISHED, multispool_checkout_update(checkout, BYTES("m"), &error));
        GIVES(FINISHED, multispool_checkout_data_file(checkout, &data_file, &error));
        assert_null(data_file);
        assert_non_null(multispool_checkout_name(checkout));
        multispool_checkout_free(checkout);
    }
    assert_true(exists("out/a") && !exists("in/b") && exists("in/c"));
}

static void a_failed_save_can_be_tried_again(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    (void)state;
    GIVES(UNKNOWN_QUEUE, multispool_checkout_save(checkout, "elsewhere", NULL, &error));
    GIVES(INVALID_NAME, multispool_checkout_save(checkout, "else/where", NULL, &error));
    assert_int_equal(multispool_checkout_finished(checkout), 0);
    DOES(multispool_checkout_save(checkout, "out", NULL, &error));
    multispool_checkout_free(checkout);
}

static void an_entry_lost_meanwhile_is_told(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    (void)state;
    assert_int_equal(unlink(in_spool("in/.checkout/a")), 0);
    GIVES(LOST_OWNERSHIP, multispool_checkout_save(checkout, "out", NULL, &error));
    assert_false(exists("out/a"));
    assert_true(exists(".data/a"));
    multispool_checkout_free(checkout);
}

static void durability_can_be_chosen_for_each_step(void **state)
{
    multispool_checkout_options *checkout_options;
    multispool_save_options *save_options;
    multispool_remove_options *remove_options;
    multispool_entry *entry = enqueue("a");
    multispool_checkout *checkout;
    (void)state;
    DOES(multispool_checkout_options_new(&checkout_options, &error));
    DOES(multispool_save_options_new(&save_options, &error));
    DOES(multispool_remove_options_new(&remove_options, &error));
    for (int32_t level = MULTISPOOL_DURABILITY_NONE; level <= MULTISPOOL_DURABILITY_FULL; level++) {
        DOES(multispool_checkout_options_set_durability(checkout_options, level, &error));
        DOES(multispool_save_options_set_durability(save_options, level, &error));
        DOES(multispool_remove_options_set_durability(remove_options, level, &error));
        DOES(multispool_entry_checkout(entry, checkout_options, &checkout, &error));
        DOES(multispool_checkout_release(checkout, &error));
        multispool_checkout_free(checkout);
        DOES(multispool_entry_try_checkout(entry, checkout_options, &checkout, &error));
        DOES(multispool_checkout_save(checkout, "in", save_options, &error));
        multispool_checkout_free(checkout);
    }
    GIVES(INVALID_ARGUMENT, multispool_checkout_options_set_durability(checkout_options, 3, &error));
    GIVES(INVALID_ARGUMENT, multispool_save_options_set_durability(save_options, -1, &error));
    GIVES(INVALID_ARGUMENT, multispool_remove_options_set_durability(remove_options, 3, &error));
    DOES(multispool_entry_checkout(entry, NULL, &checkout, &error));
    DOES(multispool_checkout_remove(checkout, remove_options, &error));
    multispool_checkout_free(checkout);
    multispool_entry_free(entry);
    multispool_remove_options_free(remove_options);
    multispool_save_options_free(save_options);
    multispool_checkout_options_free(checkout_options);
}

static void data_is_replaced_whole(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    multispool_data_file *data_file = data_file_of(checkout);
    multispool_buffer *bytes;
    uint64_t size = 0;
    int64_t mtime = 0, ctime = 0;
    (void)state;
    assert_string_equal(multispool_data_file_path(data_file), in_spool(".data/a"));
    DOES(multispool_data_file_load(data_file, &bytes, &error));
    assert_buffer_is(bytes, "data", 4);
    DOES(multispool_data_file_save(data_file, BYTES("new data"), &error));
    DOES(multispool_checkout_load_data(checkout, &bytes, &error));
    assert_buffer_is(bytes, "new data", 8);
    DOES(multispool_data_file_load(data_file, &bytes, &error));
    assert_buffer_is(bytes, "new data", 8);
    DOES(multispool_data_file_stat(data_file, &mtime, &ctime, &size, &error));
    assert_int_equal(size, 8);
    assert_true(mtime > INT64_C(1700000000000000000) && ctime > INT64_C(1700000000000000000));
    DOES(multispool_data_file_stat(data_file, NULL, NULL, NULL, &error));
    DOES(multispool_data_file_save(data_file, NULL, 0, &error));
    DOES(multispool_data_file_load(data_file, &bytes, &error));
    assert_buffer_is(bytes, "", 0);
    multispool_data_file_free(data_file);
    DOES(multispool_checkout_remove(checkout, NULL, &error));
    multispool_checkout_free(checkout);
}

static void a_descriptor_of_the_data_is_the_callers(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    multispool_data_file *data_file = data_file_of(checkout);
    char text[8];
    int fd = 99;
    (void)state;
    DOES(multispool_data_file_open(data_file, &fd, &error));
    assert_true(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    multispool_data_file_free(data_file);
    DOES(multispool_checkout_remove(checkout, NULL, &error));
    multispool_checkout_free(checkout);
    assert_int_equal(read(fd, text, sizeof text), 4);
    assert_memory_equal(text, "data", 4);
    assert_int_equal(close(fd), 0);
}

static void a_data_writer_publishes_at_its_commit(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    multispool_data_file *data_file = data_file_of(checkout);
    multispool_data_writer *writer;
    multispool_buffer *bytes;
    (void)state;
    DOES(multispool_data_file_writer(data_file, &writer, &error));
    DOES(multispool_data_writer_write(writer, BYTES("piece by "), &error));
    assert_int_equal(write(multispool_data_writer_fd(writer), "piece", 5), 5);
    DOES(multispool_data_file_load(data_file, &bytes, &error));
    assert_buffer_is(bytes, "data", 4);
    DOES(multispool_data_writer_commit(writer, &error));
    DOES(multispool_data_file_load(data_file, &bytes, &error));
    assert_buffer_is(bytes, "piece by piece", 14);
    GIVES(FINISHED, multispool_data_writer_write(writer, BYTES("x"), &error));
    GIVES(FINISHED, multispool_data_writer_commit(writer, &error));
    assert_int_equal(multispool_data_writer_fd(writer), -1);
    multispool_data_writer_free(writer);

    DOES(multispool_data_file_writer(data_file, &writer, &error));
    DOES(multispool_data_writer_write(writer, BYTES("thrown away"), &error));
    multispool_data_writer_free(writer);
    DOES(multispool_data_file_load(data_file, &bytes, &error));
    assert_buffer_is(bytes, "piece by piece", 14);
    multispool_data_file_free(data_file);
    DOES(multispool_checkout_save(checkout, "out", NULL, &error));
    multispool_checkout_free(checkout);
    assert_int_equal(rmdir(in_spool(".tmp")), 0);
}

static void the_data_file_of_a_finished_checkout_refuses_to_write(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    multispool_data_file *data_file = data_file_of(checkout);
    multispool_data_writer *writer;
    (void)state;
    DOES(multispool_data_file_writer(data_file, &writer, &error));
    DOES(multispool_data_writer_write(writer, BYTES("late"), &error));
    DOES(multispool_checkout_save(checkout, "out", NULL, &error));
    GIVES(FINISHED, multispool_data_file_save(data_file, BYTES("late"), &error));
    GIVES(FINISHED, multispool_data_writer_commit(writer, &error));
    multispool_data_writer_free(writer);
    GIVES(FINISHED, multispool_data_file_writer(data_file, &writer, &error));
    assert_null(writer);
    multispool_data_file_free(data_file);
    multispool_checkout_free(checkout);
}

static void data_that_is_gone_is_not_found(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    multispool_data_file *data_file = data_file_of(checkout);
    multispool_buffer *bytes;
    int fd = 99;
    (void)state;
    assert_int_equal(unlink(in_spool(".data/a")), 0);
    GIVES(NOT_FOUND, multispool_data_file_load(data_file, &bytes, &error));
    assert_null(bytes);
    GIVES(NOT_FOUND, multispool_checkout_load_data(checkout, &bytes, &error));
    assert_null(bytes);
    GIVES(NOT_FOUND, multispool_data_file_open(data_file, &fd, &error));
    assert_int_equal(fd, -1);
    GIVES(NOT_FOUND, multispool_data_file_stat(data_file, NULL, NULL, NULL, &error));
    GIVES(LOST_OWNERSHIP, multispool_data_file_save(data_file, BYTES("data"), &error));
    multispool_data_file_free(data_file);
    multispool_checkout_free(checkout);
}

#define SPOOL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(a_checkout_has_name_queue_and_metadata),
        SPOOL_TEST(an_entry_has_one_owner),
        SPOOL_TEST(save_moves_the_updated_entry_to_a_queue),
        SPOOL_TEST(metadata_may_become_empty),
        SPOOL_TEST(release_gives_the_entry_back_as_it_was),
        SPOOL_TEST(remove_leaves_nothing),
        SPOOL_TEST(a_finished_checkout_refuses_each_use),
        SPOOL_TEST(a_failed_save_can_be_tried_again),
        SPOOL_TEST(an_entry_lost_meanwhile_is_told),
        SPOOL_TEST(durability_can_be_chosen_for_each_step),
        SPOOL_TEST(data_is_replaced_whole),
        SPOOL_TEST(a_descriptor_of_the_data_is_the_callers),
        SPOOL_TEST(a_data_writer_publishes_at_its_commit),
        SPOOL_TEST(the_data_file_of_a_finished_checkout_refuses_to_write),
        SPOOL_TEST(data_that_is_gone_is_not_found),
    };
    return cmocka_run_group_tests_name("checkouts", tests, NULL, NULL);
}
