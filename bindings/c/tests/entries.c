/* Reserve, enqueue, list, and what can be done to an entry without a checkout. */

#include <fcntl.h>

#include "fixture.h"

static void reserve_gives_a_new_name_each_time(void **state)
{
    multispool_buffer *first, *second;
    const char *name;
    size_t len;
    (void)state;
    DOES(multispool_reserve(spool, NULL, &first, &error));
    DOES(multispool_reserve(spool, NULL, &second, &error));
    name = (const char *)multispool_buffer_data(first, &len);
    assert_int_equal(strlen(name), len);
    assert_true(exists(".registry") && strcmp(name, (const char *)multispool_buffer_data(second, NULL)) != 0);
    multispool_buffer_free(first);
    multispool_buffer_free(second);
}

static void a_name_is_reserved_once(void **state)
{
    multispool_buffer *name;
    (void)state;
    DOES(multispool_reserve(spool, "mine", &name, &error));
    assert_buffer_is(name, "mine", 4);
    assert_true(exists(".registry/mine"));
    GIVES(NAME_TAKEN, multispool_reserve(spool, "mine", &name, &error));
    assert_null(name);
}

static void an_enqueued_entry_is_there_whole(void **state)
{
    multispool_entry *entry;
    multispool_buffer *bytes;
    multispool_data_file *data_file;
    (void)state;
    DOES(multispool_enqueue(spool, "in", BYTES("some\0meta"), BYTES("\xff\0data"), NULL, &entry, &error));
    assert_string_equal(multispool_entry_queue(entry), "in");
    assert_true(strlen(multispool_entry_name(entry)) > 20);
    DOES(multispool_entry_direct_contents(entry, &bytes, &error));
    assert_buffer_is(bytes, "some\0meta", 9);
    DOES(multispool_entry_direct_data_file(entry, &data_file, &error));
    DOES(multispool_data_file_load(data_file, &bytes, &error));
    assert_buffer_is(bytes, "\xff\0data", 6);
    multispool_data_file_free(data_file);
    multispool_entry_free(entry);
}

static void an_entry_need_not_be_asked_for(void **state)
{
    multispool_entries *entries;
    multispool_entry *entry;
    (void)state;
    DOES(multispool_enqueue(spool, "in", NULL, 0, NULL, 0, NULL, NULL, &error));
    DOES(multispool_list(spool, "in", &entries, &error));
    DOES(multispool_entries_next(entries, &entry, &error));
    multispool_entry_free(entry);
    multispool_entries_free(entries);
}

static void a_name_to_use_must_be_reserved_and_free(void **state)
{
    multispool_enqueue_options *options;
    multispool_entry *entry;
    (void)state;
    DOES(multispool_enqueue_options_new(&options, &error));
    DOES(multispool_enqueue_options_set_name(options, "mine", &error));
    DOES(multispool_enqueue_options_set_durability(options, MULTISPOOL_DURABILITY_NONE, &error));
    GIVES(NOT_FOUND, multispool_enqueue(spool, "in", BYTES("m"), BYTES("d"), options, &entry, &error));
    assert_null(entry);
    assert_false(exists(".data/mine"));
    DOES(multispool_reserve(spool, "mine", NULL, &error));
    DOES(multispool_enqueue(spool, "in", BYTES("m"), BYTES("d"), options, &entry, &error));
    assert_string_equal(multispool_entry_name(entry), "mine");
    multispool_entry_free(entry);
    GIVES(NAME_TAKEN, multispool_enqueue(spool, "out", BYTES("m"), BYTES("d"), options, &entry, &error));
    assert_null(entry);
    assert_true(exists("in/mine") && !exists("out/mine"));
    multispool_enqueue_options_free(options);
}

static void options_refuse_another_durability(void **state)
{
    multispool_enqueue_options *options;
    (void)state;
    DOES(multispool_enqueue_options_new(&options, &error));
    GIVES(INVALID_ARGUMENT, multispool_enqueue_options_set_durability(options, 3, &error));
    multispool_enqueue_options_free(options);
}

static void a_file_can_be_the_data(void **state)
{
    multispool_entry *entry;
    multispool_data_file *data_file;
    multispool_buffer *bytes;
    FILE *file = fopen(in_spool("../file"), "w");
    (void)state;
    fputs("from a file", file);
    fclose(file);
    DOES(multispool_enqueue_file(spool, "in", BYTES("m"), in_spool("../file"), NULL, &entry, &error));
    DOES(multispool_entry_direct_data_file(entry, &data_file, &error));
    DOES(multispool_data_file_load(data_file, &bytes, &error));
    assert_buffer_is(bytes, "from a file", 11);
    multispool_data_file_free(data_file);
    multispool_entry_free(entry);
    GIVES(MISSING, multispool_enqueue_file(spool, "in", BYTES("m"), in_spool("../none"), NULL, &entry, &error));
    assert_null(entry);
}

static void a_writer_shows_nothing_before_its_commit(void **state)
{
    multispool_enqueue_writer *writer;
    multispool_entries *entries;
    multispool_entry *entry;
    multispool_data_file *data_file;
    multispool_buffer *bytes;
    char *name;
    (void)state;
    DOES(multispool_enqueue_writer_create(spool, "in", NULL, &writer, &error));
    name = strdup(multispool_enqueue_writer_name(writer));
    DOES(multispool_enqueue_writer_write(writer, BYTES("one "), &error));
    assert_true(multispool_enqueue_writer_fd(writer) >= 0);
    assert_int_equal(write(multispool_enqueue_writer_fd(writer), "two ", 4), 4);
    DOES(multispool_enqueue_writer_write(writer, BYTES("three"), &error));
    DOES(multispool_enqueue_writer_write(writer, NULL, 0, &error));
    DOES(multispool_list(spool, "in", &entries, &error));
    GIVES(EMPTY, multispool_entries_next(entries, &entry, &error));
    multispool_entries_free(entries);
    DOES(multispool_enqueue_writer_commit(writer, BYTES("m"), &entry, &error));
    assert_string_equal(multispool_entry_name(entry), name);
    DOES(multispool_entry_direct_data_file(entry, &data_file, &error));
    DOES(multispool_data_file_load(data_file, &bytes, &error));
    assert_buffer_is(bytes, "one two three", 13);
    multispool_data_file_free(data_file);
    multispool_entry_free(entry);

    GIVES(FINISHED, multispool_enqueue_writer_write(writer, BYTES("more"), &error));
    GIVES(FINISHED, multispool_enqueue_writer_commit(writer, BYTES("m"), &entry, &error));
    assert_null(entry);
    assert_string_equal(multispool_enqueue_writer_name(writer), name);
    assert_int_equal(multispool_enqueue_writer_fd(writer), -1);
    multispool_enqueue_writer_free(writer);
    free(name);
}

static void a_writer_that_is_freed_uncommitted_leaves_nothing(void **state)
{
    multispool_enqueue_writer *writer;
    char path[300];
    (void)state;
    DOES(multispool_enqueue_writer_create(spool, "in", NULL, &writer, &error));
    snprintf(path, sizeof path, ".registry/%s", multispool_enqueue_writer_name(writer));
    DOES(multispool_enqueue_writer_write(writer, BYTES("lost"), &error));
    assert_true(exists(path));
    multispool_enqueue_writer_free(writer);
    assert_false(exists(path));
    assert_int_equal(rmdir(in_spool(".tmp")), 0);
    assert_int_equal(rmdir(in_spool(".data")), 0);
}

static void a_list_is_in_the_order_of_the_bytes(void **state)
{
    static const char *const names[] = {"B", "a", "b", "\xc3\xa9", "\xff"};
    multispool_entries *entries;
    multispool_entry *entry;
    (void)state;
    for (int i = 4; i >= 0; i--)
        multispool_entry_free(enqueue(names[i]));
    DOES(multispool_list(spool, "in", &entries, &error));
    for (int i = 0; i < 5; i++) {
        DOES(multispool_entries_next(entries, &entry, &error));
        assert_string_equal(multispool_entry_name(entry), names[i]);
        multispool_entry_free(entry);
    }
    for (int i = 0; i < 2; i++) {
        GIVES(EMPTY, multispool_entries_next(entries, &entry, &error));
        assert_null(entry);
    }
    multispool_entries_free(entries);
}

static void an_entry_can_be_named_before_it_is_there(void **state)
{
    multispool_entry *entry;
    multispool_checkout *checkout;
    multispool_buffer *contents;
    int64_t mtime, ctime;
    uint64_t size;
    (void)state;
    DOES(multispool_entry_create(spool, "in", "later", &entry, &error));
    assert_string_equal(multispool_entry_name(entry), "later");
    GIVES(NOT_FOUND, multispool_entry_stat(entry, &mtime, &ctime, &size, &error));
    GIVES(NOT_FOUND, multispool_entry_direct_contents(entry, &contents, &error));
    assert_null(contents);
    GIVES(NOT_FOUND, multispool_entry_direct_remove(entry, &error));
    GIVES(NOT_FOUND, multispool_entry_try_checkout(entry, NULL, &checkout, &error));
    assert_null(checkout);
    GIVES(MISSING, multispool_entry_checkout(entry, NULL, &checkout, &error));
    assert_null(checkout);
    multispool_entry_free(enqueue("later"));
    DOES(multispool_entry_stat(entry, &mtime, &ctime, &size, &error));
    multispool_entry_free(entry);
}

static void stat_is_that_of_the_registry_file(void **state)
{
    struct stat st;
    int64_t mtime, ctime;
    uint64_t size = 99;
    multispool_entry *entry = enqueue("a");
    (void)state;
    DOES(multispool_entry_stat(entry, &mtime, &ctime, &size, &error));
    assert_int_equal(stat(in_spool(".registry/a"), &st), 0);
    assert_true(mtime == (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec);
    assert_true(ctime == (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec);
    assert_int_equal(size, 0);
    DOES(multispool_entry_stat(entry, NULL, NULL, NULL, &error));
    multispool_entry_free(entry);
}

static void direct_access_changes_what_lies_in_the_queue(void **state)
{
    multispool_entry *entry = enqueue("a");
    multispool_buffer *bytes;
    (void)state;
    DOES(multispool_entry_direct_save(entry, BYTES("other"), &error));
    DOES(multispool_entry_direct_contents(entry, &bytes, &error));
    assert_buffer_is(bytes, "other", 5);
    DOES(multispool_entry_direct_save(entry, NULL, 0, &error));
    DOES(multispool_entry_direct_contents(entry, &bytes, &error));
    assert_buffer_is(bytes, "", 0);
    DOES(multispool_entry_direct_remove(entry, &error));
    assert_false(exists("in/a") || exists(".data/a") || exists(".registry/a"));
    multispool_entry_free(entry);
}

static void what_is_checked_out_can_be_listed(void **state)
{
    multispool_checkout *mine = enqueue_and_checkout("a");
    multispool_checkouts *checkouts;
    multispool_checkout *other;
    (void)state;
    DOES(multispool_list_checkouts_unsafe(spool, "in", &checkouts, &error));
    DOES(multispool_checkouts_next(checkouts, &other, &error));
    assert_string_equal(multispool_checkout_name(other), "a");
    multispool_checkout_free(other);
    GIVES(EMPTY, multispool_checkouts_next(checkouts, &other, &error));
    assert_null(other);
    multispool_checkouts_free(checkouts);
    DOES(multispool_checkout_remove(mine, NULL, &error));
    multispool_checkout_free(mine);
}

#define SPOOL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(reserve_gives_a_new_name_each_time),
        SPOOL_TEST(a_name_is_reserved_once),
        SPOOL_TEST(an_enqueued_entry_is_there_whole),
        SPOOL_TEST(an_entry_need_not_be_asked_for),
        SPOOL_TEST(a_name_to_use_must_be_reserved_and_free),
        SPOOL_TEST(options_refuse_another_durability),
        SPOOL_TEST(a_file_can_be_the_data),
        SPOOL_TEST(a_writer_shows_nothing_before_its_commit),
        SPOOL_TEST(a_writer_that_is_freed_uncommitted_leaves_nothing),
        SPOOL_TEST(a_list_is_in_the_order_of_the_bytes),
        SPOOL_TEST(an_entry_can_be_named_before_it_is_there),
        SPOOL_TEST(stat_is_that_of_the_registry_file),
        SPOOL_TEST(direct_access_changes_what_lies_in_the_queue),
        SPOOL_TEST(what_is_checked_out_can_be_listed),
    };
    return cmocka_run_group_tests_name("entries", tests, NULL, NULL);
}
