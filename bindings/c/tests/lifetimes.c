/* Handles are freed in any order, once each, and NULL is fine everywhere. */

#include "fixture.h"

static void each_free_accepts_null(void **state)
{
    (void)state;
    multispool_error_free(NULL);
    multispool_buffer_free(NULL);
    multispool_names_free(NULL);
    multispool_spool_options_free(NULL);
    multispool_spool_free(NULL);
    multispool_enqueue_options_free(NULL);
    multispool_enqueue_writer_free(NULL);
    multispool_batch_free(NULL);
    multispool_entries_free(NULL);
    multispool_checkouts_free(NULL);
    multispool_entry_free(NULL);
    multispool_checkout_options_free(NULL);
    multispool_save_options_free(NULL);
    multispool_remove_options_free(NULL);
    multispool_checkout_free(NULL);
    multispool_data_file_free(NULL);
    multispool_data_writer_free(NULL);
    multispool_stop_free(NULL);
    multispool_reader_options_free(NULL);
    multispool_reader_free(NULL);
    multispool_recover_options_free(NULL);
    multispool_stats_options_free(NULL);
    multispool_stats_free(NULL);
    multispool_limits_free(NULL);
    multispool_problems_free(NULL);
    multispool_monitor_free(NULL);
    multispool_event_free(NULL);
    multispool_daemon_options_free(NULL);
    multispool_daemon_free(NULL);
    multispool_repair_options_free(NULL);
    multispool_plan_free(NULL);
    multispool_repaired_free(NULL);
}

static void a_child_outlives_what_it_came_from(void **state)
{
    multispool_entries *entries;
    multispool_entry *entry;
    multispool_reader *reader;
    multispool_checkout *checkout;
    multispool_data_file *data_file;
    multispool_data_writer *writer;
    multispool_enqueue_writer *enqueue_writer;
    multispool_buffer *bytes;
    (void)state;
    multispool_entry_free(enqueue("a"));
    multispool_entry_free(enqueue("b"));
    DOES(multispool_list(spool, "in", &entries, &error));
    DOES(multispool_enqueue_writer_create(spool, "in", NULL, &enqueue_writer, &error));
    reader = reader_of_in();
    multispool_spool_free(spool);
    spool = NULL;

    DOES(multispool_entries_next(entries, &entry, &error));
    multispool_entries_free(entries);
    DOES(multispool_entry_checkout(entry, NULL, &checkout, &error));
    multispool_entry_free(entry);
    DOES(multispool_checkout_data_file(checkout, &data_file, &error));
    DOES(multispool_data_file_load(data_file, &bytes, &error));
    DOES(multispool_data_file_writer(data_file, &writer, &error));
    multispool_data_file_free(data_file);
    DOES(multispool_data_writer_write(writer, BYTES("kept"), &error));
    DOES(multispool_data_writer_commit(writer, &error));
    DOES(multispool_checkout_save(checkout, "out", NULL, &error));
    multispool_checkout_free(checkout);
    multispool_data_writer_free(writer);
    assert_buffer_is(bytes, "data", 4);

    DOES(multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
    multispool_reader_free(reader);
    DOES(multispool_checkout_release(checkout, &error));
    multispool_checkout_free(checkout);
    DOES(multispool_enqueue_writer_commit(enqueue_writer, BYTES("m"), &entry, &error));
    multispool_enqueue_writer_free(enqueue_writer);
    DOES(multispool_entry_stat(entry, NULL, NULL, NULL, &error));
    multispool_entry_free(entry);
}

static void a_data_file_outlives_its_checkout(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    multispool_data_file *data_file;
    (void)state;
    DOES(multispool_checkout_data_file(checkout, &data_file, &error));
    DOES(multispool_checkout_remove(checkout, NULL, &error));
    multispool_checkout_free(checkout);
    assert_non_null(multispool_data_file_path(data_file));
    GIVES(FINISHED, multispool_data_file_save(data_file, BYTES("d"), &error));
    multispool_data_file_free(data_file);
}

static void what_a_monitor_found_outlives_it(void **state)
{
    multispool_limits *limits;
    multispool_monitor *monitor;
    multispool_problems *found, *same;
    char *queue = strdup("in");
    (void)state;
    multispool_entry_free(enqueue("a"));
    let_pass("in/a", 3600);
    DOES(multispool_limits_new(&limits, &error));
    DOES(multispool_limits_set_max_queue_age_ms(limits, queue, 60000, &error));
    memset(queue, 'x', 2);
    free(queue);
    DOES(multispool_monitor_create(directory, limits, &monitor, &error));
    DOES(multispool_spool_problems(spool, limits, &same, &error));
    multispool_limits_free(limits);
    multispool_spool_free(spool);
    spool = NULL;
    DOES(multispool_monitor_run_once(monitor, &found, &error));
    multispool_monitor_free(monitor);
    assert_int_equal(multispool_problems_count(found), 1);
    assert_string_equal(multispool_problems_filename(found, 0), "a");
    assert_int_equal(multispool_problems_compare(found, 0, same, 0), 0);
    multispool_problems_free(found);
    multispool_problems_free(same);
}

static void a_daemon_outlives_its_monitor_and_its_events_outlive_it(void **state)
{
    multispool_limits *limits;
    multispool_monitor *monitor;
    multispool_daemon_options *options;
    multispool_daemon *daemon;
    multispool_event *event;
    (void)state;
    multispool_entry_free(enqueue("a"));
    let_pass("in/a", 3600);
    DOES(multispool_limits_new(&limits, &error));
    DOES(multispool_limits_set_max_queue_age_ms(limits, "in", 60000, &error));
    DOES(multispool_monitor_create(directory, limits, &monitor, &error));
    multispool_limits_free(limits);
    DOES(multispool_daemon_options_new(&options, &error));
    DOES(multispool_daemon_options_set_alert_after_cycles(options, 0, &error));
    DOES(multispool_daemon_start(monitor, options, &daemon, &error));
    multispool_daemon_options_free(options);
    multispool_monitor_free(monitor);
    multispool_spool_free(spool);
    spool = NULL;
    DOES(multispool_daemon_next(daemon, NULL, 0, &event, &error));
    multispool_daemon_free(daemon);
    assert_string_equal(multispool_problems_filename(multispool_event_problem(event), 0), "a");
    multispool_event_free(event);
}

static void a_plan_outlives_its_spool_and_what_was_done_its_plan(void **state)
{
    multispool_repair_options *options;
    multispool_plan *plan;
    multispool_repaired *repaired;
    char *to = strdup(in_spool("lost"));
    (void)state;
    plant(".data/x", "lost");
    DOES(multispool_repair_options_new(&options, &error));
    DOES(multispool_repair_options_set_min_age_ms(options, 0, &error));
    DOES(multispool_repair_options_set_to(options, to, &error));
    memset(to, 'x', strlen(to));
    free(to);
    DOES(multispool_spool_repair_plan(spool, options, &plan, &error));
    multispool_repair_options_free(options);
    multispool_spool_free(spool);
    spool = NULL;
    DOES(multispool_plan_apply(plan, &repaired, &error));
    multispool_plan_free(plan);
    assert_int_equal(multispool_steps_count(multispool_repaired_steps(repaired)), 1);
    assert_string_equal(multispool_steps_filename(multispool_repaired_steps(repaired), 0), "x");
    multispool_repaired_free(repaired);
    assert_true(exists("lost/.data/x") && !exists(".data/x"));
}

static void options_can_go_once_they_were_used(void **state)
{
    multispool_reader_options *options;
    multispool_reader *reader;
    multispool_checkout *checkout;
    char *name = strdup("mine");
    multispool_enqueue_options *enqueue_options;
    (void)state;
    DOES(multispool_reader_options_new(&options, &error));
    DOES(multispool_reader_create(spool, queues, 1, options, &reader, &error));
    multispool_reader_options_free(options);
    DOES(multispool_reserve(spool, name, NULL, &error));
    DOES(multispool_enqueue_options_new(&enqueue_options, &error));
    DOES(multispool_enqueue_options_set_name(enqueue_options, name, &error));
    memset(name, 'x', 4);
    free(name);
    DOES(multispool_enqueue(spool, "in", NULL, 0, NULL, 0, enqueue_options, NULL, &error));
    multispool_enqueue_options_free(enqueue_options);
    DOES(multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
    assert_string_equal(multispool_checkout_name(checkout), "mine");
    multispool_checkout_free(checkout);
    multispool_reader_free(reader);
}

static void a_stop_can_go_once_no_wait_has_it(void **state)
{
    multispool_reader *reader = reader_of_in();
    multispool_checkout *checkout;
    multispool_stop *stop;
    (void)state;
    DOES(multispool_stop_create(&stop, &error));
    GIVES(TIMED_OUT, multispool_reader_dequeue(reader, stop, 1, &checkout, &error));
    multispool_stop_free(stop);
    GIVES(TIMED_OUT, multispool_reader_dequeue(reader, NULL, 1, &checkout, &error));
    multispool_reader_free(reader);
}

#define SPOOL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_free_accepts_null),
        SPOOL_TEST(a_child_outlives_what_it_came_from),
        SPOOL_TEST(a_data_file_outlives_its_checkout),
        SPOOL_TEST(what_a_monitor_found_outlives_it),
        SPOOL_TEST(a_daemon_outlives_its_monitor_and_its_events_outlive_it),
        SPOOL_TEST(a_plan_outlives_its_spool_and_what_was_done_its_plan),
        SPOOL_TEST(options_can_go_once_they_were_used),
        SPOOL_TEST(a_stop_can_go_once_no_wait_has_it),
    };
    return cmocka_run_group_tests_name("lifetimes", tests, NULL, NULL);
}
