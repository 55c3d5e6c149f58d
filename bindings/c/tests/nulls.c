/* NULL in each pointer argument of each function: refused, or allowed and harmless, but never a crash;
 * the outputs are cleared whatever else is wrong. */

#include "fixture.h"

#define REFUSES(call) GIVES(INVALID_ARGUMENT, call)

/* The output, which holds anything before, is NULL afterwards. */
#define REFUSES_AND_CLEARS(output, call)     \
    do {                                     \
        (output) = (void *)&error;           \
        GIVES(INVALID_ARGUMENT, call);       \
        assert_null(output);                 \
    } while (0)

static void getters_of_null_give_nothing(void **state)
{
    size_t len = 99;
    (void)state;
    assert_int_equal(multispool_error_status(NULL), 0);
    assert_int_equal(multispool_error_errno(NULL), 0);
    assert_null(multispool_error_path(NULL));
    assert_null(multispool_error_operation(NULL));
    assert_null(multispool_error_message(NULL));
    assert_null(multispool_error_name(NULL));
    assert_null(multispool_buffer_data(NULL, &len));
    assert_int_equal(len, 0);
    assert_null(multispool_buffer_data(NULL, NULL));
    assert_null(multispool_spool_dir(NULL));
    assert_int_equal(multispool_spool_queue_count(NULL), 0);
    assert_null(multispool_spool_queue(NULL, 0));
    assert_int_equal(multispool_spool_durability(NULL), 0);
    assert_int_equal(multispool_spool_read_only(NULL), 0);
    assert_int_equal(-1, multispool_spool_mode(NULL));
    assert_int_equal(0, multispool_spool_lease(NULL));
    assert_null(multispool_enqueue_writer_name(NULL));
    assert_int_equal(multispool_enqueue_writer_fd(NULL), -1);
    assert_int_equal(multispool_batch_size(NULL), 0);
    assert_null(multispool_batch_name(NULL, 0));
    assert_null(multispool_entry_name(NULL));
    assert_null(multispool_entry_queue(NULL));
    assert_null(multispool_checkout_name(NULL));
    assert_null(multispool_checkout_queue(NULL));
    len = 99;
    assert_null(multispool_checkout_metadata(NULL, &len));
    assert_int_equal(len, 0);
    assert_null(multispool_checkout_metadata(NULL, NULL));
    assert_int_equal(multispool_checkout_finished(NULL), 0);
    assert_null(multispool_data_file_path(NULL));
    assert_int_equal(multispool_data_writer_fd(NULL), -1);
    assert_int_equal(multispool_stop_triggered(NULL), 0);
    assert_null(multispool_reader_queue(NULL));
    assert_int_equal(multispool_stats_queue_count(NULL), 0);
    assert_null(multispool_stats_queue(NULL, 0));
    assert_int_equal(multispool_stats_entries(NULL, 0), 0);
    assert_int_equal(multispool_stats_checked_out_alive(NULL, 0), 0);
    assert_int_equal(multispool_stats_checked_out_dead(NULL, 0), 0);
    assert_true(multispool_stats_oldest_age_ms(NULL, 0) == -1);
    assert_true(multispool_stats_metadata_bytes(NULL, 0) == -1);
    assert_true(multispool_stats_data_bytes(NULL, 0) == -1);
    assert_true(multispool_stats_free_bytes(NULL) == 0);
    assert_true(multispool_stats_free_inodes(NULL) == -1);
    assert_true(multispool_limits_max_checked_out_age_ms(NULL) == -1);
    assert_true(multispool_limits_max_tmp_file_age_ms(NULL) == -1);
    assert_int_equal(multispool_limits_queue_count(NULL), 0);
    assert_null(multispool_limits_queue(NULL, 0));
    assert_true(multispool_limits_max_queue_age_ms(NULL, 0) == -1);
    assert_true(multispool_limits_max_reservation_age_ms(NULL) == -1);
    assert_true(multispool_limits_min_free_bytes(NULL) == 0);
    assert_true(multispool_limits_min_free_inodes(NULL) == 0);
    assert_int_equal(multispool_problems_count(NULL), 0);
    assert_int_equal(multispool_problems_kind(NULL, 0), 0);
    assert_int_equal(multispool_problems_severity(NULL, 0), 0);
    assert_int_equal(multispool_problems_mend(NULL, 0), 0);
    assert_null(multispool_problems_message(NULL, 0));
    assert_null(multispool_problems_filename(NULL, 0));
    assert_true(multispool_problems_mtime_ns(NULL, 0) == 0);
    assert_int_equal(multispool_problems_dir_count(NULL, 0), 0);
    assert_int_equal(multispool_problems_dir_kind(NULL, 0, 0), 0);
    assert_null(multispool_problems_dir_queue(NULL, 0, 0));
    assert_null(multispool_problems_dir_name_on_disk(NULL, 0, 0));
    assert_int_equal(multispool_problems_compare(NULL, 0, NULL, 0), 0);
    assert_int_equal(multispool_event_kind(NULL), 0);
    assert_true(multispool_event_time_ns(NULL) == 0);
    assert_null(multispool_event_problem(NULL));
    assert_int_equal(multispool_event_compare(NULL, NULL), 0);
    assert_true(multispool_daemon_options_check_every_ms(NULL) == -1);
    assert_true(multispool_daemon_options_alert_after_cycles(NULL) == 0);
    assert_true(multispool_daemon_until_check_ms(NULL) == 0);
    assert_null(multispool_plan_steps(NULL));
    assert_null(multispool_repaired_steps(NULL));
    assert_int_equal(multispool_repaired_failure_count(NULL), 0);
    assert_null(multispool_repaired_failure(NULL, 0));
    assert_int_equal(multispool_steps_count(NULL), 0);
    assert_int_equal(multispool_steps_action(NULL, 0), 0);
    assert_null(multispool_steps_filename(NULL, 0));
    assert_int_equal(multispool_steps_dir_kind(NULL, 0), 0);
    assert_null(multispool_steps_dir_queue(NULL, 0));
    assert_null(multispool_steps_dir_name_on_disk(NULL, 0));
}

static void options_refuse_null(void **state)
{
    (void)state;
    REFUSES(multispool_spool_options_new(NULL, &error));
    REFUSES(multispool_spool_options_set_durability(NULL, 0, &error));
    REFUSES(multispool_spool_options_set_read_only(NULL, 0, &error));
    REFUSES(multispool_spool_options_set_owners(NULL, 0, &error));
    REFUSES(multispool_spool_options_set_mode(NULL, 0, &error));
    REFUSES(multispool_spool_options_set_lease(NULL, 8000, &error));
    REFUSES(multispool_spool_options_set_max_concurrent(NULL, 0, &error));
    REFUSES(multispool_spool_options_set_file_mode(NULL, 0, &error));
    REFUSES(multispool_spool_options_set_dir_mode(NULL, 0, &error));
    REFUSES(multispool_spool_options_set_group(NULL, 0, &error));
    REFUSES(multispool_spool_options_set_allow_world_writable(NULL, 0, &error));
    REFUSES(multispool_enqueue_options_new(NULL, &error));
    REFUSES(multispool_enqueue_options_set_durability(NULL, 0, &error));
    REFUSES(multispool_enqueue_options_set_name(NULL, "a", &error));
    REFUSES(multispool_checkout_options_new(NULL, &error));
    REFUSES(multispool_checkout_options_set_durability(NULL, 0, &error));
    REFUSES(multispool_save_options_new(NULL, &error));
    REFUSES(multispool_save_options_set_durability(NULL, 0, &error));
    REFUSES(multispool_remove_options_new(NULL, &error));
    REFUSES(multispool_remove_options_set_durability(NULL, 0, &error));
    REFUSES(multispool_reader_options_new(NULL, &error));
    REFUSES(multispool_reader_options_set_durability(NULL, 0, &error));
    REFUSES(multispool_reader_options_set_retry_after_ms(NULL, 1, 1, &error));
    REFUSES(multispool_reader_options_set_poll_interval_ms(NULL, 1, &error));
    REFUSES(multispool_reader_options_set_strict_order(NULL, 1, &error));
    REFUSES(multispool_recover_options_new(NULL, &error));
    REFUSES(multispool_recover_options_set_min_age_ms(NULL, 1, &error));
    REFUSES(multispool_recover_options_set_durability(NULL, 0, &error));
    REFUSES(multispool_stats_options_new(NULL, &error));
    REFUSES(multispool_stats_options_set_bytes(NULL, 1, &error));
    REFUSES(multispool_limits_new(NULL, &error));
    REFUSES(multispool_limits_set_max_checked_out_age_ms(NULL, 1, &error));
    REFUSES(multispool_limits_set_max_tmp_file_age_ms(NULL, 1, &error));
    REFUSES(multispool_limits_set_max_queue_age_ms(NULL, "in", 1, &error));
    REFUSES(multispool_limits_set_max_reservation_age_ms(NULL, 1, &error));
    REFUSES(multispool_limits_set_min_free_bytes(NULL, 1, &error));
    REFUSES(multispool_limits_set_min_free_inodes(NULL, 1, &error));
    REFUSES(multispool_daemon_options_new(NULL, &error));
    REFUSES(multispool_daemon_options_set_check_every_ms(NULL, 1, &error));
    REFUSES(multispool_daemon_options_set_alert_after_cycles(NULL, 1, &error));
    REFUSES(multispool_repair_options_new(NULL, &error));
    REFUSES(multispool_repair_options_set_min_age_ms(NULL, 1, &error));
    REFUSES(multispool_repair_options_set_to(NULL, "/tmp", &error));
    REFUSES(multispool_repair_options_set_durability(NULL, 0, &error));
}

static void a_name_in_the_options_is_not_null(void **state)
{
    multispool_enqueue_options *options;
    multispool_limits *limits;
    multispool_repair_options *repair_options;
    (void)state;
    DOES(multispool_enqueue_options_new(&options, &error));
    REFUSES(multispool_enqueue_options_set_name(options, NULL, &error));
    multispool_enqueue_options_free(options);
    DOES(multispool_limits_new(&limits, &error));
    REFUSES(multispool_limits_set_max_queue_age_ms(limits, NULL, 1, &error));
    multispool_limits_free(limits);
    DOES(multispool_repair_options_new(&repair_options, &error));
    REFUSES(multispool_repair_options_set_to(repair_options, NULL, &error));
    multispool_repair_options_free(repair_options);
}

static void json_is_not_null(void **state)
{
    multispool_limits *limits;
    multispool_daemon_options *options;
    multispool_buffer *bytes;
    (void)state;
    REFUSES_AND_CLEARS(limits, multispool_limits_from_json(NULL, &limits, &error));
    REFUSES(multispool_limits_from_json("{}", NULL, &error));
    REFUSES_AND_CLEARS(bytes, multispool_limits_to_json(NULL, &bytes, &error));
    DOES(multispool_limits_new(&limits, &error));
    REFUSES(multispool_limits_to_json(limits, NULL, &error));
    multispool_limits_free(limits);

    REFUSES_AND_CLEARS(bytes, multispool_monitor_spec_to_json(NULL, NULL, &bytes, &error));
    REFUSES(multispool_monitor_spec_to_json("s", NULL, NULL, &error));
    bytes = (void *)&error;
    REFUSES_AND_CLEARS(limits, multispool_monitor_spec_from_json(NULL, &bytes, &limits, &error));
    assert_null(bytes);
    REFUSES_AND_CLEARS(limits, multispool_monitor_spec_from_json("{\"spool_dir\":\"s\"}", NULL, &limits, &error));
    REFUSES_AND_CLEARS(bytes, multispool_monitor_spec_from_json("{\"spool_dir\":\"s\"}", &bytes, NULL, &error));

    REFUSES_AND_CLEARS(options, multispool_daemon_options_from_json(NULL, &options, &error));
    REFUSES(multispool_daemon_options_from_json("{}", NULL, &error));
    REFUSES_AND_CLEARS(bytes, multispool_daemon_options_to_json(NULL, &bytes, &error));
    DOES(multispool_daemon_options_new(&options, &error));
    REFUSES(multispool_daemon_options_to_json(options, NULL, &error));
    multispool_daemon_options_free(options);
}

static void opening_a_spool_refuses_null(void **state)
{
    typedef int32_t open(const char *, const char *const *, size_t, const multispool_spool_options *,
                         multispool_spool **, multispool_error **);
    static open *const opens[] = {multispool_spool_create, multispool_spool_load, multispool_spool_load_unsafe};
    static const char *const with_null[] = {"in", NULL};
    multispool_spool *other;
    multispool_names *names;
    const char *name;
    (void)state;
    for (int i = 0; i < 3; i++) {
        REFUSES_AND_CLEARS(other, opens[i](NULL, queues, 2, NULL, &other, &error));
        REFUSES_AND_CLEARS(other, opens[i](directory, NULL, 2, NULL, &other, &error));
        REFUSES_AND_CLEARS(other, opens[i](directory, with_null, 2, NULL, &other, &error));
        REFUSES_AND_CLEARS(other, opens[i](directory, queues, SIZE_MAX, NULL, &other, &error));
        REFUSES(opens[i](directory, queues, 2, NULL, NULL, &error));
        assert_int_equal(opens[i](NULL, NULL, 2, NULL, NULL, NULL), MULTISPOOL_INVALID_ARGUMENT);
    }
    REFUSES_AND_CLEARS(names, multispool_discover(NULL, &names, &error));
    REFUSES(multispool_discover(directory, NULL, &error));
    REFUSES_AND_CLEARS(name, multispool_names_next(NULL, &name, &error));
    DOES(multispool_discover(directory, &names, &error));
    REFUSES(multispool_names_next(names, NULL, &error));
    DOES(multispool_names_next(names, &name, &error));
    assert_string_equal(name, "in");
    multispool_names_free(names);
}

static void enqueueing_refuses_null(void **state)
{
    multispool_buffer *buffer;
    multispool_entry *entry;
    multispool_enqueue_writer *writer;
    const char *a_file = in_spool(".multispool/format");
    (void)state;
    REFUSES_AND_CLEARS(buffer, multispool_reserve(NULL, "a", &buffer, &error));
    REFUSES(multispool_reserve(spool, NULL, NULL, &error));

    REFUSES_AND_CLEARS(entry, multispool_enqueue(NULL, "in", NULL, 0, NULL, 0, NULL, &entry, &error));
    REFUSES_AND_CLEARS(entry, multispool_enqueue(spool, NULL, NULL, 0, NULL, 0, NULL, &entry, &error));
    REFUSES_AND_CLEARS(entry, multispool_enqueue(spool, "in", NULL, 1, NULL, 0, NULL, &entry, &error));
    REFUSES_AND_CLEARS(entry, multispool_enqueue(spool, "in", NULL, 0, NULL, 1, NULL, &entry, &error));
    REFUSES_AND_CLEARS(entry, multispool_enqueue(spool, "in", (const uint8_t *)"", SIZE_MAX, NULL, 0, NULL, &entry,
                                                 &error));
    REFUSES_AND_CLEARS(entry, multispool_enqueue_file(NULL, "in", NULL, 0, a_file, NULL, &entry, &error));
    REFUSES_AND_CLEARS(entry, multispool_enqueue_file(spool, NULL, NULL, 0, a_file, NULL, &entry, &error));
    REFUSES_AND_CLEARS(entry, multispool_enqueue_file(spool, "in", NULL, 1, a_file, NULL, &entry, &error));
    REFUSES_AND_CLEARS(entry, multispool_enqueue_file(spool, "in", NULL, 0, NULL, NULL, &entry, &error));
    DOES(multispool_enqueue_file(spool, "in", NULL, 0, a_file, NULL, NULL, &error));

    REFUSES_AND_CLEARS(writer, multispool_enqueue_writer_create(NULL, "in", NULL, &writer, &error));
    REFUSES_AND_CLEARS(writer, multispool_enqueue_writer_create(spool, NULL, NULL, &writer, &error));
    REFUSES(multispool_enqueue_writer_create(spool, "in", NULL, NULL, &error));
    REFUSES(multispool_enqueue_writer_write(NULL, BYTES("d"), &error));
    REFUSES_AND_CLEARS(entry, multispool_enqueue_writer_commit(NULL, BYTES("m"), &entry, &error));
    DOES(multispool_enqueue_writer_create(spool, "in", NULL, &writer, &error));
    REFUSES(multispool_enqueue_writer_write(writer, NULL, 1, &error));
    REFUSES_AND_CLEARS(entry, multispool_enqueue_writer_commit(writer, NULL, 1, &entry, &error));
    DOES(multispool_enqueue_writer_commit(writer, NULL, 0, NULL, &error));
    multispool_enqueue_writer_free(writer);
}

static void listing_refuses_null(void **state)
{
    multispool_entries *entries;
    multispool_entry *entry;
    multispool_checkouts *checkouts;
    multispool_checkout *checkout;
    (void)state;
    multispool_entry_free(enqueue("a"));
    REFUSES_AND_CLEARS(entries, multispool_list(NULL, "in", &entries, &error));
    REFUSES_AND_CLEARS(entries, multispool_list(spool, NULL, &entries, &error));
    REFUSES(multispool_list(spool, "in", NULL, &error));
    REFUSES_AND_CLEARS(entry, multispool_entries_next(NULL, &entry, &error));
    DOES(multispool_list(spool, "in", &entries, &error));
    REFUSES(multispool_entries_next(entries, NULL, &error));
    DOES(multispool_entries_next(entries, &entry, &error));
    multispool_entry_free(entry);
    multispool_entries_free(entries);

    multispool_checkout_free(enqueue_and_checkout("b"));
    REFUSES_AND_CLEARS(checkouts, multispool_list_checkouts_unsafe(NULL, "in", &checkouts, &error));
    REFUSES_AND_CLEARS(checkouts, multispool_list_checkouts_unsafe(spool, NULL, &checkouts, &error));
    REFUSES(multispool_list_checkouts_unsafe(spool, "in", NULL, &error));
    REFUSES_AND_CLEARS(checkout, multispool_checkouts_next(NULL, &checkout, &error));
    DOES(multispool_list_checkouts_unsafe(spool, "in", &checkouts, &error));
    REFUSES(multispool_checkouts_next(checkouts, NULL, &error));
    DOES(multispool_checkouts_next(checkouts, &checkout, &error));
    multispool_checkout_free(checkout);
    multispool_checkouts_free(checkouts);
}

static void an_entry_refuses_null(void **state)
{
    multispool_entry *entry;
    multispool_checkout *checkout;
    multispool_buffer *buffer;
    multispool_data_file *data_file;
    int64_t mtime = 99, ctime = 99;
    uint64_t size = 99;
    (void)state;
    REFUSES_AND_CLEARS(entry, multispool_entry_create(NULL, "in", "a", &entry, &error));
    REFUSES_AND_CLEARS(entry, multispool_entry_create(spool, NULL, "a", &entry, &error));
    REFUSES_AND_CLEARS(entry, multispool_entry_create(spool, "in", NULL, &entry, &error));
    REFUSES(multispool_entry_create(spool, "in", "a", NULL, &error));
    REFUSES(multispool_entry_stat(NULL, &mtime, &ctime, &size, &error));
    assert_true(mtime == 0 && ctime == 0 && size == 0);
    REFUSES_AND_CLEARS(checkout, multispool_entry_checkout(NULL, NULL, &checkout, &error));
    REFUSES_AND_CLEARS(checkout, multispool_entry_try_checkout(NULL, NULL, &checkout, &error));
    REFUSES_AND_CLEARS(buffer, multispool_entry_direct_contents(NULL, &buffer, &error));
    REFUSES(multispool_entry_direct_save(NULL, BYTES("m"), &error));
    REFUSES(multispool_entry_direct_remove(NULL, &error));
    REFUSES_AND_CLEARS(data_file, multispool_entry_direct_data_file(NULL, &data_file, &error));

    entry = enqueue("a");
    REFUSES(multispool_entry_checkout(entry, NULL, NULL, &error));
    REFUSES(multispool_entry_try_checkout(entry, NULL, NULL, &error));
    assert_true(exists("in/a"));
    REFUSES(multispool_entry_direct_contents(entry, NULL, &error));
    REFUSES(multispool_entry_direct_save(entry, NULL, 1, &error));
    REFUSES(multispool_entry_direct_data_file(entry, NULL, &error));
    multispool_entry_free(entry);
}

static void a_checkout_refuses_null(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    multispool_data_file *data_file;
    multispool_buffer *data;
    (void)state;
    REFUSES(multispool_checkout_update(NULL, BYTES("m"), &error));
    REFUSES_AND_CLEARS(data_file, multispool_checkout_data_file(NULL, &data_file, &error));
    REFUSES(multispool_checkout_save(NULL, "out", NULL, &error));
    REFUSES(multispool_checkout_remove(NULL, NULL, &error));
    REFUSES_AND_CLEARS(data, multispool_checkout_load_data(NULL, &data, &error));
    REFUSES(multispool_checkout_renew(NULL, &error));
    REFUSES(multispool_checkout_keep(NULL, &error));
    REFUSES(multispool_checkout_release(NULL, &error));

    REFUSES(multispool_checkout_update(checkout, NULL, 1, &error));
    REFUSES(multispool_checkout_data_file(checkout, NULL, &error));
    REFUSES(multispool_checkout_load_data(checkout, NULL, &error));
    REFUSES(multispool_checkout_save(checkout, NULL, NULL, &error));
    assert_int_equal(multispool_checkout_finished(checkout), 0);
    DOES(multispool_checkout_release(checkout, &error));
    multispool_checkout_free(checkout);
}

static void data_refuses_null(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    multispool_data_file *data_file;
    multispool_data_writer *writer;
    multispool_buffer *buffer;
    int64_t mtime = 99, ctime = 99;
    uint64_t size = 99;
    int fd = 99;
    (void)state;
    REFUSES_AND_CLEARS(buffer, multispool_data_file_load(NULL, &buffer, &error));
    REFUSES(multispool_data_file_save(NULL, BYTES("d"), &error));
    REFUSES(multispool_data_file_stat(NULL, &mtime, &ctime, &size, &error));
    assert_true(mtime == 0 && ctime == 0 && size == 0);
    REFUSES(multispool_data_file_open(NULL, &fd, &error));
    assert_int_equal(fd, -1);
    REFUSES_AND_CLEARS(writer, multispool_data_file_writer(NULL, &writer, &error));
    REFUSES(multispool_data_writer_write(NULL, BYTES("d"), &error));
    REFUSES(multispool_data_writer_commit(NULL, &error));

    DOES(multispool_checkout_data_file(checkout, &data_file, &error));
    REFUSES(multispool_data_file_load(data_file, NULL, &error));
    REFUSES(multispool_data_file_save(data_file, NULL, 1, &error));
    REFUSES(multispool_data_file_open(data_file, NULL, &error));
    REFUSES(multispool_data_file_writer(data_file, NULL, &error));
    DOES(multispool_data_file_writer(data_file, &writer, &error));
    REFUSES(multispool_data_writer_write(writer, NULL, 1, &error));
    multispool_data_writer_free(writer);
    multispool_data_file_free(data_file);
    multispool_checkout_free(checkout);
}

static void readers_and_stops_refuse_null(void **state)
{
    static const char *const with_null[] = {NULL};
    multispool_reader *reader;
    multispool_checkout *checkout;
    multispool_stop *stop;
    int fd = 99;
    (void)state;
    REFUSES(multispool_stop_create(NULL, &error));
    assert_int_equal(multispool_stop_trigger(NULL), MULTISPOOL_INVALID_ARGUMENT);
    DOES(multispool_stop_create(&stop, &error));
    multispool_stop_free(stop);

    REFUSES_AND_CLEARS(reader, multispool_reader_create(NULL, queues, 1, NULL, &reader, &error));
    REFUSES_AND_CLEARS(reader, multispool_reader_create(spool, NULL, 1, NULL, &reader, &error));
    REFUSES_AND_CLEARS(reader, multispool_reader_create(spool, with_null, 1, NULL, &reader, &error));
    REFUSES(multispool_reader_create(spool, queues, 1, NULL, NULL, &error));
    REFUSES_AND_CLEARS(checkout, multispool_reader_dequeue(NULL, NULL, 0, &checkout, &error));
    REFUSES(multispool_reader_fd(NULL, &fd, &error));
    assert_int_equal(fd, -1);
    reader = reader_of_in();
    multispool_entry_free(enqueue("a"));
    REFUSES(multispool_reader_dequeue(reader, NULL, 0, NULL, &error));
    assert_true(exists("in/a"));
    REFUSES(multispool_reader_fd(reader, NULL, &error));
    multispool_reader_free(reader);
}

static void batches_refuse_null(void **state)
{
    multispool_batch *batch;
    multispool_reader *reader = reader_of_in();
    multispool_checkout *checkouts[1];
    multispool_checkout *const null[1] = {NULL};
    size_t count = 99;
    (void)state;
    REFUSES_AND_CLEARS(batch, multispool_batch_create(NULL, "in", NULL, &batch, &error));
    REFUSES_AND_CLEARS(batch, multispool_batch_create(spool, NULL, NULL, &batch, &error));
    REFUSES(multispool_batch_create(spool, "in", NULL, NULL, &error));
    REFUSES(multispool_batch_add(NULL, BYTES("m"), BYTES("d"), &error));
    REFUSES(multispool_batch_add_file(NULL, BYTES("m"), "/dev/null", &error));
    REFUSES(multispool_batch_commit(NULL, &error));
    REFUSES(multispool_batch_status(NULL, 0, &error));
    DOES(multispool_batch_create(spool, "in", NULL, &batch, &error));
    REFUSES(multispool_batch_add(batch, NULL, 1, BYTES("d"), &error));
    REFUSES(multispool_batch_add(batch, BYTES("m"), NULL, 1, &error));
    REFUSES(multispool_batch_add_file(batch, NULL, 1, "/dev/null", &error));
    REFUSES(multispool_batch_add_file(batch, BYTES("m"), NULL, &error));
    multispool_batch_free(batch);
    multispool_entry_free(enqueue("a"));
    checkouts[0] = (multispool_checkout *)&error;
    REFUSES(multispool_reader_dequeue_many(NULL, NULL, 0, 1, checkouts, &count, &error));
    assert_null(checkouts[0]);
    assert_int_equal(count, 0);
    REFUSES(multispool_reader_dequeue_many(reader, NULL, 0, 1, NULL, &count, &error));
    REFUSES(multispool_reader_dequeue_many(reader, NULL, 0, 1, checkouts, NULL, &error));
    assert_true(exists("in/a"));
    REFUSES(multispool_save_many(NULL, 1, "out", NULL, &error));
    REFUSES(multispool_save_many(null, 1, "out", NULL, &error));
    REFUSES(multispool_save_many(null, 0, NULL, NULL, &error));
    REFUSES(multispool_remove_many(NULL, 1, NULL, &error));
    REFUSES(multispool_remove_many(null, 1, NULL, &error));
    multispool_reader_free(reader);
}

static void recover_and_stats_refuse_null(void **state)
{
    multispool_entries *entries;
    multispool_stats *stats;
    (void)state;
    REFUSES_AND_CLEARS(entries, multispool_recover(NULL, NULL, &entries, &error));
    REFUSES_AND_CLEARS(stats, multispool_spool_stats(NULL, NULL, &stats, &error));
    REFUSES(multispool_spool_stats(spool, NULL, NULL, &error));
}

static void monitors_and_repairs_refuse_null(void **state)
{
    multispool_monitor *monitor;
    multispool_problems *problems;
    multispool_daemon *daemon;
    multispool_event *event;
    multispool_plan *plan;
    multispool_repaired *repaired;
    (void)state;
    REFUSES_AND_CLEARS(problems, multispool_spool_problems(NULL, NULL, &problems, &error));
    REFUSES(multispool_spool_problems(spool, NULL, NULL, &error));
    REFUSES_AND_CLEARS(monitor, multispool_monitor_create(NULL, NULL, &monitor, &error));
    REFUSES(multispool_monitor_create(directory, NULL, NULL, &error));
    REFUSES_AND_CLEARS(problems, multispool_monitor_run_once(NULL, &problems, &error));
    DOES(multispool_monitor_create(directory, NULL, &monitor, &error));
    REFUSES(multispool_monitor_run_once(monitor, NULL, &error));
    REFUSES_AND_CLEARS(daemon, multispool_daemon_start(NULL, NULL, &daemon, &error));
    REFUSES(multispool_daemon_start(monitor, NULL, NULL, &error));
    REFUSES_AND_CLEARS(event, multispool_daemon_next(NULL, NULL, 0, &event, &error));
    DOES(multispool_daemon_start(monitor, NULL, &daemon, &error));
    REFUSES(multispool_daemon_next(daemon, NULL, 0, NULL, &error));
    multispool_daemon_free(daemon);
    multispool_monitor_free(monitor);

    REFUSES_AND_CLEARS(plan, multispool_spool_repair_plan(NULL, NULL, &plan, &error));
    REFUSES(multispool_spool_repair_plan(spool, NULL, NULL, &error));
    REFUSES_AND_CLEARS(repaired, multispool_plan_apply(NULL, &repaired, &error));
    DOES(multispool_spool_repair_plan(spool, NULL, &plan, &error));
    DOES(multispool_plan_apply(plan, NULL, &error));
    multispool_plan_free(plan);
}

#define SPOOL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(getters_of_null_give_nothing),
        cmocka_unit_test(options_refuse_null),
        cmocka_unit_test(a_name_in_the_options_is_not_null),
        cmocka_unit_test(json_is_not_null),
        SPOOL_TEST(opening_a_spool_refuses_null),
        SPOOL_TEST(enqueueing_refuses_null),
        SPOOL_TEST(listing_refuses_null),
        SPOOL_TEST(an_entry_refuses_null),
        SPOOL_TEST(a_checkout_refuses_null),
        SPOOL_TEST(data_refuses_null),
        SPOOL_TEST(readers_and_stops_refuse_null),
        SPOOL_TEST(batches_refuse_null),
        SPOOL_TEST(recover_and_stats_refuse_null),
        SPOOL_TEST(monitors_and_repairs_refuse_null),
    };
    return cmocka_run_group_tests_name("nulls", tests, NULL, NULL);
}
