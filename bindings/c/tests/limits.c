/* Limits and specs: what was set can be read back, and all of it goes to JSON and comes back. */

#include "fixture.h"

static multispool_limits *limits_of(const char *json)
{
    multispool_limits *limits;
    DOES(multispool_limits_from_json(json, &limits, &error));
    return limits;
}

/* The limits as JSON; they are freed. */
static void assert_json(multispool_limits *limits, const char *expected)
{
    multispool_buffer *json;
    DOES(multispool_limits_to_json(limits, &json, &error));
    /* It can be read as a C string too. */
    assert_string_equal((const char *)multispool_buffer_data(json, NULL), expected);
    assert_buffer_is(json, expected, strlen(expected));
    multispool_limits_free(limits);
}

static const char defaults[] = "{\"max_checked_out_age\":\"10m\",\"max_tmp_file_age\":\"10m\",\"max_queue_ages\":{},"
                               "\"max_reservation_age\":\"10m\",\"min_free_bytes\":16777216,\"min_free_inodes\":1000}";

static void each_limit_begins_at_its_default(void **state)
{
    multispool_limits *limits;
    (void)state;
    DOES(multispool_limits_new(&limits, &error));
    assert_true(multispool_limits_max_checked_out_age_ms(limits) == 600000);
    assert_true(multispool_limits_max_tmp_file_age_ms(limits) == 600000);
    assert_int_equal(multispool_limits_queue_count(limits), 0);
    assert_true(multispool_limits_max_reservation_age_ms(limits) == 600000);
    assert_true(multispool_limits_min_free_bytes(limits) == 16 << 20);
    assert_true(multispool_limits_min_free_inodes(limits) == 1000);
    assert_json(limits, defaults);
    assert_json(limits_of("{}"), defaults);
}

static void what_was_set_can_be_read_back(void **state)
{
    multispool_limits *limits;
    (void)state;
    DOES(multispool_limits_new(&limits, &error));
    DOES(multispool_limits_set_max_checked_out_age_ms(limits, 1, &error));
    DOES(multispool_limits_set_max_tmp_file_age_ms(limits, 1500, &error));
    DOES(multispool_limits_set_max_reservation_age_ms(limits, INT64_MAX, &error));
    DOES(multispool_limits_set_min_free_bytes(limits, UINT64_MAX, &error));
    DOES(multispool_limits_set_min_free_inodes(limits, 0, &error));
    assert_true(multispool_limits_max_checked_out_age_ms(limits) == 1);
    assert_true(multispool_limits_max_tmp_file_age_ms(limits) == 1500);
    assert_true(multispool_limits_max_reservation_age_ms(limits) == INT64_MAX);
    assert_true(multispool_limits_min_free_bytes(limits) == UINT64_MAX);
    assert_true(multispool_limits_min_free_inodes(limits) == 0);
    multispool_limits_free(limits);
}

static void queues_have_their_ages_and_the_last_one_counts(void **state)
{
    static const char *const names[] = {"out", "\xff \"", "in"};
    multispool_limits *limits;
    (void)state;
    DOES(multispool_limits_new(&limits, &error));
    DOES(multispool_limits_set_max_queue_age_ms(limits, "in", 5, &error));
    DOES(multispool_limits_set_max_queue_age_ms(limits, "out", 0, &error));
    DOES(multispool_limits_set_max_queue_age_ms(limits, "\xff \"", 1, &error));
    DOES(multispool_limits_set_max_queue_age_ms(limits, "in", 2, &error));
    assert_int_equal(multispool_limits_queue_count(limits), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(multispool_limits_queue(limits, i), names[i]);
        assert_true(multispool_limits_max_queue_age_ms(limits, i) == (int64_t)i);
    }
    for (size_t past = 3; past != 0; past = past == 3 ? SIZE_MAX : 0) {
        assert_null(multispool_limits_queue(limits, past));
        assert_true(multispool_limits_max_queue_age_ms(limits, past) == -1);
    }
    multispool_limits_free(limits);
}

static void limits_survive_the_way_to_json_and_back(void **state)
{
    static const char json[] = "{\"max_checked_out_age\":\"1m 30s\",\"max_tmp_file_age\":\"1s 500ms\","
                               "\"max_queue_ages\":{\"in\":\"1day\",\"out\":\"0s\"},\"max_reservation_age\":\"2h\","
                               "\"min_free_bytes\":18446744073709551615,\"min_free_inodes\":0}";
    multispool_limits *limits;
    (void)state;
    DOES(multispool_limits_new(&limits, &error));
    DOES(multispool_limits_set_max_checked_out_age_ms(limits, 90000, &error));
    DOES(multispool_limits_set_max_tmp_file_age_ms(limits, 1500, &error));
    DOES(multispool_limits_set_max_queue_age_ms(limits, "out", 0, &error));
    DOES(multispool_limits_set_max_queue_age_ms(limits, "in", 86400000, &error));
    DOES(multispool_limits_set_max_reservation_age_ms(limits, 7200000, &error));
    DOES(multispool_limits_set_min_free_bytes(limits, UINT64_MAX, &error));
    DOES(multispool_limits_set_min_free_inodes(limits, 0, &error));
    assert_json(limits, json);
    limits = limits_of(json);
    assert_true(multispool_limits_max_checked_out_age_ms(limits) == 90000);
    assert_true(multispool_limits_max_tmp_file_age_ms(limits) == 1500);
    assert_int_equal(multispool_limits_queue_count(limits), 2);
    assert_string_equal(multispool_limits_queue(limits, 0), "in");
    assert_true(multispool_limits_max_queue_age_ms(limits, 0) == 86400000);
    assert_string_equal(multispool_limits_queue(limits, 1), "out");
    assert_true(multispool_limits_max_queue_age_ms(limits, 1) == 0);
    assert_true(multispool_limits_max_reservation_age_ms(limits) == 7200000);
    assert_true(multispool_limits_min_free_bytes(limits) == UINT64_MAX);
    assert_true(multispool_limits_min_free_inodes(limits) == 0);
    assert_json(limits, json);
}

static void the_longest_time_and_the_shortest_are_whole_milliseconds(void **state)
{
    multispool_limits *limits;
    multispool_buffer *json;
    (void)state;
    DOES(multispool_limits_new(&limits, &error));
    DOES(multispool_limits_set_max_checked_out_age_ms(limits, INT64_MAX, &error));
    DOES(multispool_limits_to_json(limits, &json, &error));
    multispool_limits_free(limits);
    limits = limits_of((const char *)multispool_buffer_data(json, NULL));
    multispool_buffer_free(json);
    assert_true(multispool_limits_max_checked_out_age_ms(limits) == INT64_MAX);
    multispool_limits_free(limits);
    /* More than 63 bits of milliseconds, and less than one. */
    limits = limits_of("{\"max_checked_out_age\":\"500000000000years\",\"max_tmp_file_age\":\"1ns\"}");
    assert_true(multispool_limits_max_checked_out_age_ms(limits) == INT64_MAX);
    assert_true(multispool_limits_max_tmp_file_age_ms(limits) == 1);
    multispool_limits_free(limits);
}

static void what_json_cannot_hold_is_refused(void **state)
{
    multispool_limits *limits;
    multispool_buffer *json;
    (void)state;
    DOES(multispool_limits_new(&limits, &error));
    DOES(multispool_limits_set_max_queue_age_ms(limits, "\xff", 1, &error));
    GIVES(INVALID_ARGUMENT, multispool_limits_to_json(limits, &json, &error));
    assert_null(json);
    GIVES(INVALID_ARGUMENT, multispool_monitor_spec_to_json("s", limits, &json, &error));
    assert_null(json);
    GIVES(INVALID_ARGUMENT, multispool_monitor_spec_to_json("\xff", NULL, &json, &error));
    assert_null(json);
    multispool_limits_free(limits);
}

static void what_is_no_json_of_limits_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "1",
        "{} {}",
        "{\"max_age\":\"1s\"}",
        "{\"max_tmp_file_age\":10}",
        "{\"max_tmp_file_age\":\"soon\"}",
        "{\"max_tmp_file_age\":\"-1s\"}",
        "{\"min_free_bytes\":-1}",
        "{\"min_free_bytes\":18446744073709551616}",
        "{\"max_queue_ages\":[]}",
        "{\"max_queue_ages\":{\"\xff\":\"1s\"}}",
    };
    multispool_limits *limits;
    multispool_buffer *dir;
    char spec[128];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        GIVES(INVALID_ARGUMENT, multispool_limits_from_json(bad[i], &limits, &error));
        assert_null(limits);
        snprintf(spec, sizeof spec, "{\"spool_dir\":\"s\",\"limits\":%s}", bad[i]);
        GIVES(INVALID_ARGUMENT, multispool_monitor_spec_from_json(spec, &dir, &limits, &error));
        assert_null(dir);
        assert_null(limits);
    }
    GIVES(INVALID_NAME, multispool_limits_from_json("{\"max_queue_ages\":{\".in\":\"1s\"}}", &limits, &error));
    assert_null(limits);
    GIVES(INVALID_NAME, multispool_limits_from_json("{\"max_queue_ages\":{\"a\\u0000\":\"1s\"}}", &limits, &error));
    assert_null(limits);
}

static void a_spec_survives_the_way_to_json_and_back(void **state)
{
    static const char dir[] = "/var/spool/\xc3\xa4 \"quoted\"";
    multispool_limits *limits;
    multispool_buffer *json, *dir_again;
    char expected[512];
    (void)state;
    DOES(multispool_monitor_spec_to_json(dir, NULL, &json, &error));
    snprintf(expected, sizeof expected, "{\"spool_dir\":\"/var/spool/\xc3\xa4 \\\"quoted\\\"\",\"limits\":%s}", defaults);
    DOES(multispool_monitor_spec_from_json((const char *)multispool_buffer_data(json, NULL), &dir_again, &limits, &error));
    assert_buffer_is(json, expected, strlen(expected));
    assert_string_equal((const char *)multispool_buffer_data(dir_again, NULL), dir);
    assert_buffer_is(dir_again, dir, strlen(dir));
    assert_json(limits, defaults);
}

static void a_monitor_is_made_by_a_spec_from_json(void **state)
{
    multispool_limits *limits;
    multispool_buffer *json, *dir;
    multispool_monitor *monitor;
    multispool_problems *problems;
    (void)state;
    multispool_entry_free(enqueue("a"));
    let_pass("in/a", 3600);
    limits = limits_of("{\"max_queue_ages\":{\"in\":\"1m\"}}");
    DOES(multispool_monitor_spec_to_json(directory, limits, &json, &error));
    multispool_limits_free(limits);
    DOES(multispool_monitor_spec_from_json((const char *)multispool_buffer_data(json, NULL), &dir, &limits, &error));
    multispool_buffer_free(json);
    DOES(multispool_monitor_create((const char *)multispool_buffer_data(dir, NULL), limits, &monitor, &error));
    multispool_buffer_free(dir);
    multispool_limits_free(limits);
    DOES(multispool_monitor_run_once(monitor, &problems, &error));
    assert_int_equal(multispool_problems_count(problems), 1);
    assert_int_equal(multispool_problems_kind(problems, 0), MULTISPOOL_PROBLEM_TOO_OLD);
    multispool_problems_free(problems);
    multispool_monitor_free(monitor);
}

static void what_is_no_json_of_a_spec_is_refused(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"spool_dir\":1}",
        "{\"spool_dir\":\"s\",\"queue\":\"in\"}",
        "{\"spool_dir\":\"\xff\"}",
        "{\"spool_dir\":\"a\\u0000b\"}",
    };
    multispool_limits *limits;
    multispool_buffer *dir;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        GIVES(INVALID_ARGUMENT, multispool_monitor_spec_from_json(bad[i], &dir, &limits, &error));
        assert_null(dir);
        assert_null(limits);
    }
}

#define SPOOL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_limit_begins_at_its_default),
        cmocka_unit_test(what_was_set_can_be_read_back),
        cmocka_unit_test(queues_have_their_ages_and_the_last_one_counts),
        cmocka_unit_test(limits_survive_the_way_to_json_and_back),
        cmocka_unit_test(the_longest_time_and_the_shortest_are_whole_milliseconds),
        cmocka_unit_test(what_json_cannot_hold_is_refused),
        cmocka_unit_test(what_is_no_json_of_limits_is_refused),
        cmocka_unit_test(a_spec_survives_the_way_to_json_and_back),
        SPOOL_TEST(a_monitor_is_made_by_a_spec_from_json),
        cmocka_unit_test(what_is_no_json_of_a_spec_is_refused),
    };
    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
