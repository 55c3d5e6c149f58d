/* multispool_helpers.h: what becomes of an entry is what its handler returned. */

#include <pthread.h>

#include "fixture.h"

static multispool_outcome save_with_new_metadata(multispool_checkout *checkout, void *context, multispool_error **why)
{
    int32_t status = multispool_checkout_update(checkout, BYTES("handled"), why);
    ++*(int *)context;
    return status == MULTISPOOL_OK ? multispool_outcome_save("out") : multispool_outcome_fail(status);
}

static multispool_outcome remove_it(multispool_checkout *checkout, void *context, multispool_error **why)
{
    (void)checkout;
    (void)why;
    ++*(int *)context;
    return multispool_outcome_remove();
}

static multispool_outcome give_it_back(multispool_checkout *checkout, void *context, multispool_error **why)
{
    ++*(int *)context;
    assert_int_equal(multispool_checkout_update(checkout, BYTES("dropped"), why), MULTISPOOL_OK);
    return multispool_outcome_release();
}

static multispool_outcome fail_always(multispool_checkout *checkout, void *context, multispool_error **why)
{
    (void)checkout;
    (void)why;
    ++*(int *)context;
    return multispool_outcome_fail(MULTISPOOL_HANDLER_FAILED + 7);
}

static multispool_outcome fail_with_ok(multispool_checkout *checkout, void *context, multispool_error **why)
{
    (void)checkout;
    (void)why;
    (void)context;
    return multispool_outcome_fail(MULTISPOOL_OK);
}

/* Passes on the failure of a call of the library. */
static multispool_outcome fail_by_a_call(multispool_checkout *checkout, void *context, multispool_error **why)
{
    (void)context;
    return multispool_outcome_fail(multispool_checkout_save(checkout, "unknown", NULL, why));
}

static multispool_outcome save_to_an_unknown_queue(multispool_checkout *checkout, void *context,
                                                   multispool_error **why)
{
    (void)checkout;
    (void)context;
    (void)why;
    return multispool_outcome_save("unknown");
}

/* Gets over a failure, and finishes the entry itself. */
static multispool_outcome finish_by_itself(multispool_checkout *checkout, void *context, multispool_error **why)
{
    (void)context;
    assert_int_equal(multispool_checkout_save(checkout, "unknown", NULL, why), MULTISPOOL_UNKNOWN_QUEUE);
    assert_int_equal(multispool_checkout_save(checkout, "out", NULL, NULL), MULTISPOOL_OK);
    return multispool_outcome_remove();
}

static void assert_metadata(const char *queue, const char *name, const char *expected)
{
    multispool_entry *entry;
    multispool_buffer *bytes;
    DOES(multispool_entry_create(spool, queue, name, &entry, &error));
    DOES(multispool_entry_direct_contents(entry, &bytes, &error));
    assert_buffer_is(bytes, expected, strlen(expected));
    multispool_entry_free(entry);
}

static void with_entry_saves_removes_or_releases(void **state)
{
    multispool_entry *entry = enqueue("a");
    int calls = 0;
    (void)state;
    DOES(multispool_with_entry(entry, give_it_back, &calls, &error));
    assert_metadata("in", "a", "metadata");
    DOES(multispool_with_entry(entry, save_with_new_metadata, &calls, &error));
    assert_metadata("out", "a", "handled");
    multispool_entry_free(entry);
    entry = enqueue("b");
    DOES(multispool_try_with_entry(entry, remove_it, &calls, &error));
    assert_false(exists("in/b") || exists(".registry/b"));
    multispool_entry_free(entry);
    assert_int_equal(calls, 3);
}

static void with_entry_of_an_entry_that_is_gone(void **state)
{
    multispool_entry *entry;
    int calls = 0;
    (void)state;
    DOES(multispool_entry_create(spool, "in", "none", &entry, &error));
    GIVES(MISSING, multispool_with_entry(entry, remove_it, &calls, &error));
    GIVES(NOT_FOUND, multispool_try_with_entry(entry, remove_it, &calls, &error));
    assert_int_equal(calls, 0);
    multispool_entry_free(entry);
}

static void a_failing_handler_gives_the_entry_back_and_its_failure_on(void **state)
{
    multispool_entry *entry = enqueue("a");
    int calls = 0;
    (void)state;
    assert_int_equal(multispool_with_entry(entry, fail_always, &calls, &error), MULTISPOOL_HANDLER_FAILED + 7);
    assert_null(error);
    assert_int_equal(multispool_with_entry(entry, fail_with_ok, NULL, &error), MULTISPOOL_HANDLER_FAILED);
    assert_null(error);
    GIVES(UNKNOWN_QUEUE, multispool_with_entry(entry, fail_by_a_call, NULL, &error));
    GIVES(UNKNOWN_QUEUE, multispool_with_entry(entry, save_to_an_unknown_queue, NULL, &error));
    assert_int_equal(multispool_with_entry(entry, fail_by_a_call, NULL, NULL), MULTISPOOL_UNKNOWN_QUEUE);
    assert_metadata("in", "a", "metadata");
    multispool_entry_free(entry);
}

static void a_handler_may_finish_the_entry_itself(void **state)
{
    multispool_entry *entry = enqueue("a");
    (void)state;
    DOES(multispool_with_entry(entry, finish_by_itself, NULL, &error));
    assert_true(exists("out/a"));
    multispool_entry_free(entry);
}

static void for_each_available_handles_each_entry_once(void **state)
{
    multispool_reader *reader = reader_of_in();
    int calls = 0;
    (void)state;
    DOES(multispool_for_each_available(reader, remove_it, &calls, &error));
    assert_int_equal(calls, 0);
    multispool_entry_free(enqueue("a"));
    multispool_entry_free(enqueue("b"));
    DOES(multispool_for_each_available(reader, give_it_back, &calls, &error));
    assert_int_equal(calls, 2);
    multispool_reader_free(reader);
    reader = reader_of_in();
    assert_int_equal(multispool_for_each_available(reader, fail_always, &calls, &error), MULTISPOOL_HANDLER_FAILED + 7);
    assert_int_equal(calls, 3);
    DOES(multispool_for_each_available(reader, save_with_new_metadata, &calls, &error));
    assert_true(exists("in/a") && exists("out/b"));
    multispool_reader_free(reader);
}

static multispool_stop *stop;

static multispool_outcome stop_after_three(multispool_checkout *checkout, void *context, multispool_error **why)
{
    (void)checkout;
    (void)why;
    if (++*(int *)context == 3)
        assert_int_equal(multispool_stop_trigger(stop), MULTISPOOL_OK);
    return multispool_outcome_remove();
}

static void *enqueue_three(void *unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++)
        if (multispool_enqueue(spool, "in", NULL, 0, NULL, 0, NULL, NULL, NULL) != MULTISPOOL_OK)
            return "enqueue";
    return NULL;
}

static void for_each_waits_until_it_is_stopped(void **state)
{
    multispool_reader *reader = reader_of_in();
    pthread_t thread;
    void *result;
    int calls = 0;
    (void)state;
    DOES(multispool_stop_create(&stop, &error));
    assert_int_equal(pthread_create(&thread, NULL, enqueue_three, NULL), 0);
    DOES(multispool_for_each(reader, stop, stop_after_three, &calls, &error));
    assert_int_equal(calls, 3);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_null(result);
    multispool_stop_free(stop);
    multispool_reader_free(reader);
}

static void for_each_ends_at_a_failure_and_goes_on_when_called_again(void **state)
{
    multispool_reader *reader = reader_of_in();
    int calls = 0;
    (void)state;
    multispool_entry_free(enqueue("bad"));
    multispool_entry_free(enqueue("good"));
    assert_int_equal(unlink(in_spool(".data/bad")), 0);
    DOES(multispool_stop_create(&stop, &error));
    GIVES(CORRUPT, multispool_for_each(reader, stop, remove_it, &calls, &error));
    assert_int_equal(multispool_for_each(reader, stop, fail_always, &calls, &error), MULTISPOOL_HANDLER_FAILED + 7);
    assert_int_equal(calls, 1);
    assert_int_equal(multispool_stop_trigger(stop), MULTISPOOL_OK);
    DOES(multispool_for_each(reader, stop, fail_always, &calls, &error));
    assert_int_equal(calls, 1);
    multispool_stop_free(stop);
    multispool_reader_free(reader);
}

/* A daemon that tells each problem at once. */
static multispool_daemon *daemon_at_once(void)
{
    multispool_monitor *monitor;
    multispool_daemon_options *options;
    multispool_daemon *daemon;
    DOES(multispool_monitor_create(directory, NULL, &monitor, &error));
    DOES(multispool_daemon_options_new(&options, &error));
    DOES(multispool_daemon_options_set_check_every_ms(options, 0, &error));
    DOES(multispool_daemon_options_set_alert_after_cycles(options, 0, &error));
    DOES(multispool_daemon_start(monitor, options, &daemon, &error));
    multispool_daemon_options_free(options);
    multispool_monitor_free(monitor);
    return daemon;
}

/* Notes the event, and mends its problem; the end of the second is also the end. */
static int32_t note_and_mend(const multispool_event *event, void *context, multispool_error **why)
{
    const char *filename = multispool_problems_filename(multispool_event_problem(event), 0);
    char *notes = context, path[64];
    int started = multispool_event_kind(event) == MULTISPOOL_EVENT_START;
    sprintf(notes + strlen(notes), " %c%s", started ? '+' : '-', filename);
    snprintf(path, sizeof path, ".data/%s", filename);
    if (started)
        take_away(path);
    else if (strcmp(filename, "y") == 0)
        assert_int_equal(multispool_stop_trigger(stop), MULTISPOOL_OK);
    /* Gets over a failure. */
    assert_int_equal(multispool_reserve(spool, "", NULL, why), MULTISPOOL_INVALID_NAME);
    return MULTISPOOL_OK;
}

static int32_t fail_at_once(const multispool_event *event, void *context, multispool_error **why)
{
    (void)event;
    (void)why;
    ++*(int *)context;
    return MULTISPOOL_HANDLER_FAILED + 7;
}

/* Passes on the failure of a call of the library. */
static int32_t fail_at_once_by_a_call(const multispool_event *event, void *context, multispool_error **why)
{
    (void)event;
    (void)context;
    return multispool_reserve(spool, "", NULL, why);
}

static void for_each_event_tells_what_comes_and_goes_until_it_is_stopped(void **state)
{
    multispool_daemon *daemon = daemon_at_once();
    char notes[64] = "";
    (void)state;
    plant(".data/x", "");
    plant(".data/y", "");
    DOES(multispool_stop_create(&stop, &error));
    DOES(multispool_for_each_event(daemon, stop, note_and_mend, notes, &error));
    assert_string_equal(notes, " +x +y -x -y");
    plant(".data/z", "");
    assert_int_equal(multispool_for_each_event(daemon, stop, note_and_mend, notes, NULL), MULTISPOOL_OK);
    assert_string_equal(notes, " +x +y -x -y");
    multispool_stop_free(stop);
    multispool_daemon_free(daemon);
}

static void for_each_event_ends_at_a_failure_and_goes_on_when_called_again(void **state)
{
    multispool_daemon *daemon = daemon_at_once();
    char kept[512], notes[64] = "";
    int calls = 0;
    (void)state;
    snprintf(kept, sizeof kept, "%s", in_spool(".tmp.kept"));
    plant(".data/w", "");
    plant(".data/x", "");
    plant(".data/y", "");
    DOES(multispool_stop_create(&stop, &error));
    assert_int_equal(rename(in_spool(".tmp"), kept), 0);
    GIVES(MISSING, multispool_for_each_event(daemon, stop, fail_at_once, &calls, &error));
    assert_int_equal(rename(kept, in_spool(".tmp")), 0);
    assert_int_equal(calls, 0);
    assert_int_equal(multispool_for_each_event(daemon, stop, fail_at_once, &calls, &error), MULTISPOOL_HANDLER_FAILED + 7);
    assert_null(error);
    assert_int_equal(calls, 1);
    GIVES(INVALID_NAME, multispool_for_each_event(daemon, stop, fail_at_once_by_a_call, NULL, &error));
    DOES(multispool_for_each_event(daemon, stop, note_and_mend, notes, &error));
    assert_string_equal(notes, " +y -y");
    multispool_stop_free(stop);
    multispool_daemon_free(daemon);
}

static void close_gives_back_what_was_not_finished(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    (void)state;
    DOES(multispool_checkout_close(checkout, &error));
    assert_true(exists("in/a"));
    checkout = enqueue_and_checkout("b");
    DOES(multispool_checkout_save(checkout, "out", NULL, &error));
    DOES(multispool_checkout_close(checkout, &error));
    assert_true(exists("out/b"));
    DOES(multispool_checkout_close(NULL, &error));
}

static void handles_free_themselves_at_the_end_of_their_block(void **state)
{
    (void)state;
    {
        MULTISPOOL_AUTO(entry) entry = enqueue("a");
        MULTISPOOL_AUTO(reader) reader = reader_of_in();
        MULTISPOOL_AUTO(error) nothing = NULL;
        MULTISPOOL_AUTO(checkout) checkout = NULL;
        MULTISPOOL_AUTO(limits) limits = NULL;
        MULTISPOOL_AUTO(monitor) monitor = NULL;
        MULTISPOOL_AUTO(problems) problems = NULL;
        MULTISPOOL_AUTO(daemon_options) at_once = NULL;
        MULTISPOOL_AUTO(daemon) daemon = NULL;
        MULTISPOOL_AUTO(event) event = NULL;
        MULTISPOOL_AUTO(repair_options) options = NULL;
        MULTISPOOL_AUTO(plan) plan = NULL;
        MULTISPOOL_AUTO(repaired) repaired = NULL;
        assert_null(nothing);
        DOES(multispool_entry_checkout(entry, NULL, &checkout, &error));
        assert_true(exists("in/.checkout/a"));
        assert_non_null(reader);
        DOES(multispool_limits_new(&limits, &error));
        DOES(multispool_monitor_create(directory, limits, &monitor, &error));
        DOES(multispool_monitor_run_once(monitor, &problems, &error));
        plant(".data/x", "");
        DOES(multispool_daemon_options_new(&at_once, &error));
        DOES(multispool_daemon_options_set_alert_after_cycles(at_once, 0, &error));
        DOES(multispool_daemon_start(monitor, at_once, &daemon, &error));
        DOES(multispool_daemon_next(daemon, NULL, 0, &event, &error));
        DOES(multispool_repair_options_new(&options, &error));
        DOES(multispool_spool_repair_plan(spool, options, &plan, &error));
        DOES(multispool_plan_apply(plan, &repaired, &error));
    }
    assert_true(exists("in/a"));
}

static void an_error_can_be_printed(void **state)
{
    multispool_entry *entry;
    char text[512] = "";
    FILE *stream = tmpfile();
    (void)state;
    assert_non_null(stream);
    GIVES_AND_TELLS(UNKNOWN_QUEUE, multispool_entry_create(spool, "unknown", "a", &entry, &error));
    multispool_error_print(stream, "program", error);
    multispool_error_print(stream, "program", NULL);
    rewind(stream);
    assert_true(fread(text, 1, sizeof text - 1, stream) > 0);
    fclose(stream);
    assert_int_equal(strncmp(text, "program: ", 9), 0);
    assert_non_null(strstr(text, multispool_error_message(error)));
    assert_non_null(strstr(text, "program: no error\n"));
}

#define SPOOL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(with_entry_saves_removes_or_releases),
        SPOOL_TEST(with_entry_of_an_entry_that_is_gone),
        SPOOL_TEST(a_failing_handler_gives_the_entry_back_and_its_failure_on),
        SPOOL_TEST(a_handler_may_finish_the_entry_itself),
        SPOOL_TEST(for_each_available_handles_each_entry_once),
        SPOOL_TEST(for_each_waits_until_it_is_stopped),
        SPOOL_TEST(for_each_ends_at_a_failure_and_goes_on_when_called_again),
        SPOOL_TEST(for_each_event_tells_what_comes_and_goes_until_it_is_stopped),
        SPOOL_TEST(for_each_event_ends_at_a_failure_and_goes_on_when_called_again),
        SPOOL_TEST(close_gives_back_what_was_not_finished),
        SPOOL_TEST(handles_free_themselves_at_the_end_of_their_block),
        SPOOL_TEST(an_error_can_be_printed),
    };
    return cmocka_run_group_tests_name("handlers", tests, NULL, NULL);
}
