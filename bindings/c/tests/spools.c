/* Options, create, load, load_unsafe, discover. */

#include "fixture.h"

static multispool_spool_options *options;

static void new_options(void)
{
    DOES(multispool_spool_options_new(&options, &error));
}

static void free_options(void)
{
    multispool_spool_options_free(options);
    options = NULL;
}

static void create_makes_the_directories_of_a_spool(void **state)
{
    (void)state;
    DOES(multispool_spool_create(directory, queues, 2, NULL, &spool, &error));
    assert_true(exists(".registry") && exists(".tmp") && exists(".data"));
    assert_true(exists("in/.checkout") && exists("out/.checkout"));
    assert_true(exists(".multispool/format"));
}

static void a_spool_tells_how_it_was_opened(void **state)
{
    (void)state;
    DOES(multispool_spool_create(directory, queues, 2, NULL, &spool, &error));
    assert_string_equal(multispool_spool_dir(spool), directory);
    assert_int_equal(multispool_spool_queue_count(spool), 2);
    assert_string_equal(multispool_spool_queue(spool, 0), "in");
    assert_string_equal(multispool_spool_queue(spool, 1), "out");
    assert_null(multispool_spool_queue(spool, 2));
    assert_int_equal(multispool_spool_durability(spool), MULTISPOOL_DURABILITY_FULL);
    assert_int_equal(multispool_spool_read_only(spool), 0);
}

static void creating_again_and_with_more_queues_is_fine(void **state)
{
    static const char *const more[] = {"in", "out", "failed"};
    multispool_spool *second;
    (void)state;
    DOES(multispool_spool_create(directory, queues, 2, NULL, &spool, &error));
    DOES(multispool_spool_create(directory, more, 3, NULL, &second, &error));
    assert_int_equal(multispool_spool_queue_count(second), 3);
    multispool_spool_free(second);
}

static void load_opens_what_create_made(void **state)
{
    (void)state;
    DOES(multispool_spool_create(directory, queues, 2, NULL, &spool, &error));
    multispool_spool_free(spool);
    DOES(multispool_spool_load(directory, queues + 1, 1, NULL, &spool, &error));
    assert_int_equal(multispool_spool_queue_count(spool), 1);
    assert_string_equal(multispool_spool_queue(spool, 0), "out");
}

static void load_unsafe_looks_at_nothing(void **state)
{
    multispool_entries *entries;
    multispool_entry *entry;
    (void)state;
    DOES(multispool_spool_load_unsafe(directory, queues, 2, NULL, &spool, &error));
    assert_string_equal(multispool_spool_dir(spool), directory);
    DOES(multispool_list(spool, "in", &entries, &error));
    GIVES(MISSING, multispool_entries_next(entries, &entry, &error));
    assert_null(entry);
    multispool_entries_free(entries);
}

static void discover_names_the_queues_in_order(void **state)
{
    multispool_names *names;
    const char *name;
    (void)state;
    DOES(multispool_spool_create(directory, queues, 2, NULL, &spool, &error));
    DOES(multispool_discover(directory, &names, &error));
    DOES(multispool_names_next(names, &name, &error));
    assert_string_equal(name, "in");
    DOES(multispool_names_next(names, &name, &error));
    assert_string_equal(name, "out");
    for (int i = 0; i < 2; i++) {
        GIVES(EMPTY, multispool_names_next(names, &name, &error));
        assert_null(name);
    }
    multispool_names_free(names);
}

static void the_durability_of_the_options_is_the_spools(void **state)
{
    static const int32_t all[] = {MULTISPOOL_DURABILITY_NONE, MULTISPOOL_DURABILITY_ORIGINAL,
                                  MULTISPOOL_DURABILITY_FULL};
    (void)state;
    new_options();
    for (int i = 0; i < 3; i++) {
        DOES(multispool_spool_options_set_durability(options, all[i], &error));
        DOES(multispool_spool_create(directory, queues, 2, options, &spool, &error));
        assert_int_equal(multispool_spool_durability(spool), all[i]);
        multispool_spool_free(spool);
        spool = NULL;
    }
    free_options();
}

static void a_read_only_spool_refuses_to_write(void **state)
{
    multispool_entry *entry;
    multispool_entries *entries;
    (void)state;
    DOES(multispool_spool_create(directory, queues, 2, NULL, &spool, &error));
    multispool_entry_free(enqueue("a"));
    multispool_spool_free(spool);
    new_options();
    DOES(multispool_spool_options_set_read_only(options, 1, &error));
    DOES(multispool_spool_load(directory, queues, 2, options, &spool, &error));
    free_options();
    assert_int_equal(multispool_spool_read_only(spool), 1);
    GIVES(PERMISSION, multispool_enqueue(spool, "in", NULL, 0, NULL, 0, NULL, &entry, &error));
    DOES(multispool_list(spool, "in", &entries, &error));
    DOES(multispool_entries_next(entries, &entry, &error));
    GIVES(PERMISSION, multispool_entry_direct_remove(entry, &error));
    multispool_entry_free(entry);
    multispool_entries_free(entries);
}

static void the_owners_are_written_into_the_spool(void **state)
{
    char text[256];
    FILE *file;
    size_t len;
    (void)state;
    new_options();
    DOES(multispool_spool_options_set_owners(options, MULTISPOOL_OWNERS_LOCKING, &error));
    DOES(multispool_spool_options_set_owners(options, MULTISPOOL_OWNERS_MIXED, &error));
    DOES(multispool_spool_options_set_mode(options, MULTISPOOL_MODE_LOCAL, &error));
    DOES(multispool_spool_create(directory, queues, 2, options, &spool, &error));
    free_options();
    file = fopen(in_spool(".multispool/format"), "r");
    assert_non_null(file);
    len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    assert_non_null(strstr(text, "owners mixed\n"));
    assert_non_null(strstr(text, "mode local\n"));
}

static void a_spool_for_several_hosts_has_a_lease(void **state)
{
    multispool_entry *entry = NULL;
    multispool_checkout *checkout = NULL;
    (void)state;
    new_options();
    DOES(multispool_spool_options_set_mode(options, MULTISPOOL_MODE_NETWORK, &error));
    DOES(multispool_spool_options_set_lease(options, 8500, &error));
    GIVES(INVALID_ARGUMENT, multispool_spool_create(directory, queues, 2, options, &spool, &error));
    assert_null(spool);
    assert_false(exists(".multispool") || exists(".registry"));
    DOES(multispool_spool_options_set_lease(options, 8000, &error));
    DOES(multispool_spool_create(directory, queues, 2, options, &spool, &error));
    free_options();
    assert_int_equal(MULTISPOOL_MODE_NETWORK, multispool_spool_mode(spool));
    assert_int_equal(8000, multispool_spool_lease(spool));
    assert_int_equal(-1, multispool_spool_mode(NULL));
    assert_int_equal(0, multispool_spool_lease(NULL));
    assert_true(exists(".multispool/claims"));

    DOES(multispool_enqueue(spool, "in", NULL, 0, NULL, 0, NULL, &entry, &error));
    DOES(multispool_entry_checkout(entry, NULL, &checkout, &error));
    DOES(multispool_checkout_keep(checkout, &error));
    DOES(multispool_checkout_renew(checkout, &error));
    DOES(multispool_checkout_remove(checkout, NULL, &error));
    GIVES(FINISHED, multispool_checkout_renew(checkout, &error));
    GIVES(FINISHED, multispool_checkout_keep(checkout, &error));
    multispool_checkout_free(checkout);
    multispool_entry_free(entry);
}

static void modes_are_exact_whatever_the_umask(void **state)
{
    struct stat st;
    mode_t before = umask(077);
    (void)state;
    new_options();
    DOES(multispool_spool_options_set_file_mode(options, 0664, &error));
    DOES(multispool_spool_options_set_dir_mode(options, 02775, &error));
    DOES(multispool_spool_options_set_group(options, getgid(), &error));
    DOES(multispool_spool_create(directory, queues, 2, options, &spool, &error));
    free_options();
    multispool_entry_free(enqueue("a"));
    umask(before);
    assert_int_equal(stat(in_spool("in/a"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0664);
    assert_int_equal(st.st_gid, getgid());
    assert_int_equal(stat(in_spool("in"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 02775);
}

static void a_spool_that_all_may_write_to_is_refused_unless_asked_for(void **state)
{
    (void)state;
    DOES(multispool_spool_create(directory, queues, 2, NULL, &spool, &error));
    multispool_spool_free(spool);
    assert_int_equal(chmod(directory, 0777), 0);
    GIVES(PERMISSION, multispool_spool_load(directory, queues, 2, NULL, &spool, &error));
    new_options();
    DOES(multispool_spool_options_set_allow_world_writable(options, 1, &error));
    DOES(multispool_spool_load(directory, queues, 2, options, &spool, &error));
    free_options();
}

static void a_limit_on_concurrency_lets_everything_through_in_turn(void **state)
{
    (void)state;
    new_options();
    DOES(multispool_spool_options_set_max_concurrent(options, 1, &error));
    DOES(multispool_spool_create(directory, queues, 2, options, &spool, &error));
    multispool_entry_free(enqueue("a"));
    multispool_spool_free(spool);
    DOES(multispool_spool_options_set_max_concurrent(options, 0, &error));
    DOES(multispool_spool_load(directory, queues, 2, options, &spool, &error));
    multispool_entry_free(enqueue("b"));
    free_options();
}

static void options_refuse_numbers_out_of_range(void **state)
{
    (void)state;
    new_options();
    GIVES(INVALID_ARGUMENT, multispool_spool_options_set_durability(options, 3, &error));
    GIVES(INVALID_ARGUMENT, multispool_spool_options_set_durability(options, -1, &error));
    GIVES(INVALID_ARGUMENT, multispool_spool_options_set_read_only(options, 2, &error));
    GIVES(INVALID_ARGUMENT, multispool_spool_options_set_owners(options, 2, &error));
    GIVES(INVALID_ARGUMENT, multispool_spool_options_set_mode(options, -1, &error));
    GIVES(INVALID_ARGUMENT, multispool_spool_options_set_file_mode(options, 010000, &error));
    GIVES(INVALID_ARGUMENT, multispool_spool_options_set_dir_mode(options, UINT32_MAX, &error));
    GIVES(INVALID_ARGUMENT, multispool_spool_options_set_allow_world_writable(options, -1, &error));
    free_options();
}

#define SPOOL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up_directory, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(create_makes_the_directories_of_a_spool),
        SPOOL_TEST(a_spool_tells_how_it_was_opened),
        SPOOL_TEST(creating_again_and_with_more_queues_is_fine),
        SPOOL_TEST(load_opens_what_create_made),
        SPOOL_TEST(load_unsafe_looks_at_nothing),
        SPOOL_TEST(discover_names_the_queues_in_order),
        SPOOL_TEST(the_durability_of_the_options_is_the_spools),
        SPOOL_TEST(a_read_only_spool_refuses_to_write),
        SPOOL_TEST(the_owners_are_written_into_the_spool),
        SPOOL_TEST(a_spool_for_several_hosts_has_a_lease),
        SPOOL_TEST(modes_are_exact_whatever_the_umask),
        SPOOL_TEST(a_spool_that_all_may_write_to_is_refused_unless_asked_for),
        SPOOL_TEST(a_limit_on_concurrency_lets_everything_through_in_turn),
        SPOOL_TEST(options_refuse_numbers_out_of_range),
    };
    return cmocka_run_group_tests_name("spools", tests, NULL, NULL);
}
