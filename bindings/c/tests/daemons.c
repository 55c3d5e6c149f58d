/* Daemons and their events: what came, what went, and the ways in which a wait for it ends. */

#include "waits.h"

static multispool_monitor *monitor;
static multispool_daemon *running;
static multispool_event *event;

static int set_up_monitor(void **state)
{
    set_up(state);
    DOES(multispool_monitor_create(directory, NULL, &monitor, &error));
    return 0;
}

static int tear_down_monitor(void **state)
{
    multispool_event_free(event);
    event = NULL;
    multispool_daemon_free(running);
    running = NULL;
    multispool_monitor_free(monitor);
    return tear_down(state);
}

/* A pause of 0 lets each call with a timeout of 0 make just one check. */
static void start(int64_t check_every_ms, uint64_t alert_after_cycles)
{
    multispool_daemon_options *options;
    DOES(multispool_daemon_options_new(&options, &error));
    DOES(multispool_daemon_options_set_check_every_ms(options, check_every_ms, &error));
    DOES(multispool_daemon_options_set_alert_after_cycles(options, alert_after_cycles, &error));
    DOES(multispool_daemon_start(monitor, options, &running, &error));
    multispool_daemon_options_free(options);
}

static int32_t next(const multispool_stop *stop, int64_t timeout_ms)
{
    multispool_event_free(event);
    return multispool_daemon_next(running, stop, timeout_ms, &event, &error);
}

/* The event in hand is about data of no entry, of that name. */
static void assert_event(int32_t kind, const char *filename)
{
    const multispool_problems *problem = multispool_event_problem(event);
    assert_int_equal(multispool_event_kind(event), kind);
    assert_int_equal(multispool_problems_count(problem), 1);
    assert_int_equal(multispool_problems_kind(problem, 0), MULTISPOOL_PROBLEM_ORPHANED);
    assert_string_equal(multispool_problems_filename(problem, 0), filename);
    assert_int_equal(multispool_problems_dir_kind(problem, 0, 0), MULTISPOOL_DIR_DATA);
}

static int64_t wall_clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void a_problem_comes_and_goes(void **state)
{
    multispool_problems *problems;
    int64_t before;
    (void)state;
    start(0, 0);
    GIVES(EMPTY, next(NULL, 0));
    assert_null(event);
    plant(".data/x", "");
    before = wall_clock_ns();
    DOES(next(NULL, 0));
    assert_event(MULTISPOOL_EVENT_START, "x");
    assert_true(multispool_event_time_ns(event) >= before && multispool_event_time_ns(event) <= wall_clock_ns());
    DOES(multispool_spool_problems(spool, NULL, &problems, &error));
    assert_int_equal(multispool_problems_compare(multispool_event_problem(event), 0, problems, 0), 0);
    assert_string_equal(multispool_problems_message(multispool_event_problem(event), 0),
                        multispool_problems_message(problems, 0));
    multispool_problems_free(problems);
    GIVES(EMPTY, next(NULL, 0));
    take_away(".data/x");
    before = wall_clock_ns();
    DOES(next(NULL, 0));
    assert_event(MULTISPOOL_EVENT_END, "x");
    assert_true(multispool_event_time_ns(event) >= before);
    GIVES(EMPTY, next(NULL, 0));
}

static void a_problem_is_told_when_more_checks_have_seen_it_than_the_daemon_waits_for(void **state)
{
    (void)state;
    plant(".data/x", "");
    start(0, 2);
    GIVES(EMPTY, next(NULL, 0));
    GIVES(EMPTY, next(NULL, 0));
    DOES(next(NULL, 0));
    assert_event(MULTISPOOL_EVENT_START, "x");
}

static void one_that_goes_before_it_is_told_is_never_told(void **state)
{
    (void)state;
    plant(".data/x", "");
    start(0, 1);
    GIVES(EMPTY, next(NULL, 0));
    take_away(".data/x");
    GIVES(EMPTY, next(NULL, 0));
    plant(".data/x", "");
    GIVES(EMPTY, next(NULL, 0));
    DOES(next(NULL, 0));
    assert_event(MULTISPOOL_EVENT_START, "x");
}

static void in_one_check_ends_come_before_starts(void **state)
{
    static const char *const ended[] = {"b", "c"};
    int64_t time = 0;
    (void)state;
    plant(".data/b", "");
    plant(".data/c", "");
    start(0, 0);
    DOES(next(NULL, 0));
    assert_event(MULTISPOOL_EVENT_START, "b");
    DOES(next(NULL, 0));
    assert_event(MULTISPOOL_EVENT_START, "c");
    take_away(".data/b");
    take_away(".data/c");
    plant(".data/a", "");
    for (int i = 0; i < 2; i++) {
        DOES(next(NULL, 0));
        assert_event(MULTISPOOL_EVENT_END, ended[i]);
        assert_true(i == 0 || multispool_event_time_ns(event) == time);
        time = multispool_event_time_ns(event);
    }
    DOES(next(NULL, 0));
    assert_event(MULTISPOOL_EVENT_START, "a");
    assert_true(multispool_event_time_ns(event) == time);
    GIVES(EMPTY, next(NULL, 0));
}

static void events_are_in_order_and_the_same_or_not(void **state)
{
    multispool_event *events[4];
    (void)state;
    plant(".data/x", "");
    plant(".data/y", "");
    start(0, 0);
    DOES(multispool_daemon_next(running, NULL, 0, &events[0], &error));
    DOES(multispool_daemon_next(running, NULL, 0, &events[1], &error));
    take_away(".data/x");
    DOES(multispool_daemon_next(running, NULL, 0, &events[2], &error));
    events[3] = NULL;
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            assert_int_equal(multispool_event_compare(events[i], events[j]), i < j ? -1 : i > j ? 1 : 0);
    for (int i = 0; i < 3; i++)
        multispool_event_free(events[i]);
}

static void no_time_makes_a_check_that_is_due_and_no_other(void **state)
{
    (void)state;
    start(A_MINUTE, 0);
    assert_true(multispool_daemon_until_check_ms(running) == 0);
    GIVES(EMPTY, next(NULL, 0));
    plant(".data/x", "");
    GIVES(EMPTY, next(NULL, 0));
    assert_null(event);
}

static void who_waits_elsewhere_is_told_how_long(void **state)
{
    (void)state;
    plant(".data/x", "");
    plant(".data/y", "");
    start(A_MINUTE, 0);
    for (int i = 0; i < 2; i++) {
        /* A check is due, then an event is there. */
        assert_true(multispool_daemon_until_check_ms(running) == 0);
        DOES(next(NULL, 0));
    }
    assert_true(multispool_daemon_until_check_ms(running) > 0);
    assert_true(multispool_daemon_until_check_ms(running) <= A_MINUTE);
    GIVES(EMPTY, next(NULL, 0));
}

static void who_has_waited_so_long_finds_a_check_due(void **state)
{
    struct timespec pause = {0, 0};
    int64_t left;
    (void)state;
    start(20, 0);
    GIVES(EMPTY, next(NULL, 0));
    plant(".data/x", "");
    left = multispool_daemon_until_check_ms(running);
    /* The pause is longer than was asked for where the check took long. */
    assert_true(left <= A_MINUTE);
    pause.tv_sec = left / 1000;
    pause.tv_nsec = left % 1000 * 1000000;
    assert_int_equal(nanosleep(&pause, NULL), 0);
    assert_true(multispool_daemon_until_check_ms(running) == 0);
    DOES(next(NULL, 0));
}

static void a_wait_goes_on_from_check_to_check(void **state)
{
    int64_t begun = now_ms();
    (void)state;
    plant(".data/x", "");
    start(20, 2);
    DOES(next(NULL, -1));
    assert_event(MULTISPOOL_EVENT_START, "x");
    assert_true(now_ms() - begun >= 40);
}

static void a_wait_is_over_in_time_and_loses_nothing(void **state)
{
    int64_t begun = now_ms();
    (void)state;
    start(A_MINUTE, 0);
    GIVES(TIMED_OUT, next(NULL, 50));
    assert_null(event);
    assert_true(now_ms() - begun >= 50);
    multispool_daemon_free(running);
    start(0, 0);
    GIVES(TIMED_OUT, next(NULL, 1));
    plant(".data/x", "");
    DOES(next(NULL, INT64_MAX));
}

static void a_wait_of_an_impossible_time_is_refused(void **state)
{
    (void)state;
    start(A_MINUTE, 0);
    GIVES(INVALID_ARGUMENT, next(NULL, -2));
    assert_null(event);
    GIVES(INVALID_ARGUMENT, next(NULL, INT64_MIN));
    assert_null(event);
}

static void a_stop_ends_a_wait_and_loses_nothing(void **state)
{
    multispool_stop *stop;
    pthread_t thread;
    void *result;
    (void)state;
    start(A_MINUTE, 0);
    DOES(multispool_stop_create(&stop, &error));
    assert_int_equal(pthread_create(&thread, NULL, trigger_from_a_thread, stop), 0);
    GIVES(STOPPED, next(stop, -1));
    assert_null(event);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_non_null(result);
    multispool_daemon_free(running);

    plant(".data/x", "");
    plant(".data/y", "");
    start(A_MINUTE, 0);
    GIVES(STOPPED, next(stop, 0));
    DOES(next(NULL, 0));
    assert_event(MULTISPOOL_EVENT_START, "x");
    GIVES(STOPPED, next(stop, -1));
    DOES(next(NULL, 0));
    assert_event(MULTISPOOL_EVENT_START, "y");
    multispool_stop_free(stop);
}

static void a_signal_interrupts_a_wait_and_loses_nothing(void **state)
{
    (void)state;
    plant(".data/x", "");
    start(100, 1);
    GIVES(INTERRUPTED, wait_under_signals(do_nothing, next, NULL));
    assert_null(event);
    DOES(next(NULL, -1));
    assert_event(MULTISPOOL_EVENT_START, "x");
}

static void a_stop_can_be_triggered_in_a_signal_handler(void **state)
{
    int32_t status;
    (void)state;
    start(A_MINUTE, 0);
    DOES(multispool_stop_create(&stop_of_handler, &error));
    status = wait_under_signals(trigger_from_a_handler, next, stop_of_handler);
    assert_true(status == MULTISPOOL_STOPPED || status == MULTISPOOL_INTERRUPTED);
    GIVES(STOPPED, next(stop_of_handler, -1));
    multispool_stop_free(stop_of_handler);
}

static void a_daemon_outlives_checks_that_fail(void **state)
{
    char kept[512];
    (void)state;
    snprintf(kept, sizeof kept, "%s", in_spool(".tmp.kept"));
    plant(".data/x", "");
    start(0, 1);
    GIVES(EMPTY, next(NULL, 0));
    assert_int_equal(rename(in_spool(".tmp"), kept), 0);
    for (int i = 0; i < 3; i++) {
        GIVES_AND_TELLS(MISSING, next(NULL, i - 1));
        assert_non_null(strstr(multispool_error_path(error), ".tmp"));
        forget_error();
        assert_null(event);
    }
    assert_int_equal(rename(kept, in_spool(".tmp")), 0);
    /* Those checks have seen nothing, and so changed nothing. */
    DOES(next(NULL, 0));
    assert_event(MULTISPOOL_EVENT_START, "x");
}

static void a_check_that_failed_is_not_made_again_at_once(void **state)
{
    (void)state;
    start(A_MINUTE, 0);
    take_away(".tmp");
    GIVES(MISSING, next(NULL, -1));
    assert_true(multispool_daemon_until_check_ms(running) > 0);
    GIVES(TIMED_OUT, next(NULL, 1));
}

static void daemons_of_one_monitor_are_their_own(void **state)
{
    multispool_daemon *other;
    multispool_event *others;
    (void)state;
    plant(".data/x", "");
    start(0, 0);
    DOES(multispool_daemon_start(monitor, NULL, &other, &error));
    GIVES(EMPTY, multispool_daemon_next(other, NULL, 0, &others, &error));
    DOES(next(NULL, 0));
    assert_true(multispool_daemon_until_check_ms(other) > 0);
    multispool_daemon_free(other);
}

static void *next_in_a_thread(void *out)
{
    if (multispool_daemon_next(running, NULL, 0, out, NULL) != MULTISPOOL_OK)
        return "next";
    multispool_daemon_free(running);
    running = NULL;
    return NULL;
}

static void a_daemon_moves_to_another_thread_and_its_events_back(void **state)
{
    pthread_t thread;
    void *result;
    (void)state;
    plant(".data/x", "");
    start(0, 1);
    GIVES(EMPTY, next(NULL, 0));
    assert_int_equal(pthread_create(&thread, NULL, next_in_a_thread, &event), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_null(result);
    assert_event(MULTISPOOL_EVENT_START, "x");
}

/* The options as JSON; they are freed. */
static void assert_json(multispool_daemon_options *options, const char *expected)
{
    multispool_buffer *json;
    DOES(multispool_daemon_options_to_json(options, &json, &error));
    assert_string_equal((const char *)multispool_buffer_data(json, NULL), expected);
    assert_buffer_is(json, expected, strlen(expected));
    multispool_daemon_options_free(options);
}

static void each_option_begins_at_its_default(void **state)
{
    static const char defaults[] = "{\"check_every\":\"15s\",\"alert_after_cycles\":2}";
    multispool_daemon_options *options;
    (void)state;
    DOES(multispool_daemon_options_new(&options, &error));
    assert_true(multispool_daemon_options_check_every_ms(options) == 15000);
    assert_true(multispool_daemon_options_alert_after_cycles(options) == 2);
    assert_json(options, defaults);
    DOES(multispool_daemon_options_from_json("{}", &options, &error));
    assert_json(options, defaults);
}

static void the_options_of_a_daemon_survive_the_way_to_json_and_back(void **state)
{
    static const char json[] = "{\"check_every\":\"1m 500ms\",\"alert_after_cycles\":18446744073709551615}";
    multispool_daemon_options *options;
    (void)state;
    DOES(multispool_daemon_options_new(&options, &error));
    GIVES(INVALID_ARGUMENT, multispool_daemon_options_set_check_every_ms(options, -1, &error));
    DOES(multispool_daemon_options_set_check_every_ms(options, 60500, &error));
    DOES(multispool_daemon_options_set_alert_after_cycles(options, UINT64_MAX, &error));
    assert_json(options, json);
    DOES(multispool_daemon_options_from_json(json, &options, &error));
    assert_true(multispool_daemon_options_check_every_ms(options) == 60500);
    assert_true(multispool_daemon_options_alert_after_cycles(options) == UINT64_MAX);
    assert_json(options, json);
}

static void what_is_no_json_of_options_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "{\"check_every\":15}",
        "{\"check_every\":\"often\"}",
        "{\"alert_after_cycles\":-1}",
        "{\"alert_after_cycles\":\"2\"}",
        "{\"every\":\"1s\"}",
        "{\"check_every\":\"\xff\"}",
    };
    multispool_daemon_options *options;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        GIVES(INVALID_ARGUMENT, multispool_daemon_options_from_json(bad[i], &options, &error));
        assert_null(options);
    }
}

#define MONITOR_TEST(test) cmocka_unit_test_setup_teardown(test, set_up_monitor, tear_down_monitor)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MONITOR_TEST(a_problem_comes_and_goes),
        MONITOR_TEST(a_problem_is_told_when_more_checks_have_seen_it_than_the_daemon_waits_for),
        MONITOR_TEST(one_that_goes_before_it_is_told_is_never_told),
        MONITOR_TEST(in_one_check_ends_come_before_starts),
        MONITOR_TEST(events_are_in_order_and_the_same_or_not),
        MONITOR_TEST(no_time_makes_a_check_that_is_due_and_no_other),
        MONITOR_TEST(who_waits_elsewhere_is_told_how_long),
        MONITOR_TEST(who_has_waited_so_long_finds_a_check_due),
        MONITOR_TEST(a_wait_goes_on_from_check_to_check),
        MONITOR_TEST(a_wait_is_over_in_time_and_loses_nothing),
        MONITOR_TEST(a_wait_of_an_impossible_time_is_refused),
        MONITOR_TEST(a_stop_ends_a_wait_and_loses_nothing),
        MONITOR_TEST(a_signal_interrupts_a_wait_and_loses_nothing),
        MONITOR_TEST(a_stop_can_be_triggered_in_a_signal_handler),
        MONITOR_TEST(a_daemon_outlives_checks_that_fail),
        MONITOR_TEST(a_check_that_failed_is_not_made_again_at_once),
        MONITOR_TEST(daemons_of_one_monitor_are_their_own),
        MONITOR_TEST(a_daemon_moves_to_another_thread_and_its_events_back),
        cmocka_unit_test(each_option_begins_at_its_default),
        cmocka_unit_test(the_options_of_a_daemon_survive_the_way_to_json_and_back),
        cmocka_unit_test(what_is_no_json_of_options_is_refused),
    };
    return cmocka_run_group_tests_name("daemons", tests, NULL, NULL);
}
