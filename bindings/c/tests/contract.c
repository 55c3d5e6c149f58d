/* Versions, statuses and errors: what a program relies on before it has a spool. */

#include "fixture.h"

static void the_library_is_the_version_of_the_header(void **state)
{
    (void)state;
    assert_int_equal(multispool_version(), MULTISPOOL_VERSION);
    assert_int_equal(multispool_version() >> 16, MULTISPOOL_VERSION_MAJOR);
    assert_int_equal((multispool_version() >> 8) & 0xff, MULTISPOOL_VERSION_MINOR);
    assert_int_equal(multispool_version() & 0xff, MULTISPOOL_VERSION_PATCH);
    assert_string_equal(multispool_version_string(), MULTISPOOL_VERSION_STRING);
    assert_int_equal(multispool_format_version(), 1);
}

static void every_status_has_its_number_and_its_name(void **state)
{
    static const struct {
        int32_t status, number;
        const char *name;
    } statuses[] = {
        {MULTISPOOL_OK, 0, "OK"},
        {MULTISPOOL_EMPTY, 1, "EMPTY"},
        {MULTISPOOL_STOPPED, 2, "STOPPED"},
        {MULTISPOOL_TIMED_OUT, 3, "TIMED_OUT"},
        {MULTISPOOL_INTERRUPTED, 4, "INTERRUPTED"},
        {MULTISPOOL_NOT_FOUND, 5, "NOT_FOUND"},
        {MULTISPOOL_NAME_TAKEN, 6, "NAME_TAKEN"},
        {MULTISPOOL_IO, -1, "IO"},
        {MULTISPOOL_INVALID_ARGUMENT, -2, "INVALID_ARGUMENT"},
        {MULTISPOOL_INVALID_NAME, -3, "INVALID_NAME"},
        {MULTISPOOL_NOT_A_SPOOL, -4, "NOT_A_SPOOL"},
        {MULTISPOOL_NOT_EMPTY, -5, "NOT_EMPTY"},
        {MULTISPOOL_UNKNOWN_QUEUE, -6, "UNKNOWN_QUEUE"},
        {MULTISPOOL_CORRUPT, -7, "CORRUPT"},
        {MULTISPOOL_FINISHED, -8, "FINISHED"},
        {MULTISPOOL_FORKED, -9, "FORKED"},
        {MULTISPOOL_UNSUPPORTED, -10, "UNSUPPORTED"},
        {MULTISPOOL_NO_SPACE, -11, "NO_SPACE"},
        {MULTISPOOL_PERMISSION, -12, "PERMISSION"},
        {MULTISPOOL_MISSING, -13, "MISSING"},
        {MULTISPOOL_LOST_OWNERSHIP, -14, "LOST_OWNERSHIP"},
        {MULTISPOOL_NOT_DURABLE, -15, "NOT_DURABLE"},
        {MULTISPOOL_DESCRIPTORS, -16, "DESCRIPTORS"},
        {MULTISPOOL_NAMES_EXHAUSTED, -17, "NAMES_EXHAUSTED"},
        {MULTISPOOL_PANIC, -99, "PANIC"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        assert_int_equal(statuses[i].status, statuses[i].number);
        assert_string_equal(multispool_status_name(statuses[i].status), statuses[i].name);
    }
    assert_string_equal(multispool_status_name(7), "UNKNOWN");
    assert_string_equal(multispool_status_name(-1000), "UNKNOWN");
    assert_string_equal(multispool_status_name(INT32_MIN), "UNKNOWN");
}

static void the_numbers_of_the_options_are_fixed(void **state)
{
    (void)state;
    assert_int_equal(MULTISPOOL_DURABILITY_NONE, 0);
    assert_int_equal(MULTISPOOL_DURABILITY_ORIGINAL, 1);
    assert_int_equal(MULTISPOOL_DURABILITY_FULL, 2);
    assert_int_equal(MULTISPOOL_OWNERS_LOCKING, 0);
    assert_int_equal(MULTISPOOL_OWNERS_MIXED, 1);
    assert_int_equal(MULTISPOOL_MODE_LOCAL, 0);
    assert_int_equal(MULTISPOOL_MODE_NETWORK, 1);
}

static void the_numbers_of_problems_and_repairs_are_fixed(void **state)
{
    (void)state;
    assert_int_equal(MULTISPOOL_PROBLEM_TOO_OLD, 1);
    assert_int_equal(MULTISPOOL_PROBLEM_ORPHANED, 2);
    assert_int_equal(MULTISPOOL_PROBLEM_DUPLICATED, 3);
    assert_int_equal(MULTISPOOL_PROBLEM_DEAD_OWNER, 4);
    assert_int_equal(MULTISPOOL_PROBLEM_DATA_MISSING, 5);
    assert_int_equal(MULTISPOOL_PROBLEM_DAMAGED, 6);
    assert_int_equal(MULTISPOOL_PROBLEM_HALF_MADE, 7);
    assert_int_equal(MULTISPOOL_PROBLEM_IMPOSSIBLE_NAME, 8);
    assert_int_equal(MULTISPOOL_PROBLEM_DIRECTORY_MISSING, 9);
    assert_int_equal(MULTISPOOL_PROBLEM_LOW_SPACE, 10);
    assert_int_equal(MULTISPOOL_SEVERITY_GARBAGE, 1);
    assert_int_equal(MULTISPOOL_SEVERITY_STUCK, 2);
    assert_int_equal(MULTISPOOL_SEVERITY_DAMAGE, 3);
    assert_int_equal(MULTISPOOL_MEND_REPAIR, 1);
    assert_int_equal(MULTISPOOL_MEND_RECOVER, 2);
    assert_int_equal(MULTISPOOL_MEND_WORKERS, 3);
    assert_int_equal(MULTISPOOL_MEND_INSPECT, 4);
    assert_int_equal(MULTISPOOL_MEND_MAKE_ROOM, 5);
    assert_int_equal(MULTISPOOL_DIR_REGISTRY, 1);
    assert_int_equal(MULTISPOOL_DIR_TMP, 2);
    assert_int_equal(MULTISPOOL_DIR_DATA, 3);
    assert_int_equal(MULTISPOOL_DIR_QUEUE, 4);
    assert_int_equal(MULTISPOOL_DIR_QUEUE_CHECKOUT, 5);
    assert_int_equal(MULTISPOOL_EVENT_START, 1);
    assert_int_equal(MULTISPOOL_EVENT_END, 2);
    assert_int_equal(MULTISPOOL_REPAIR_REMOVE_TEMPORARY, 1);
    assert_int_equal(MULTISPOOL_REPAIR_REMOVE_DATA, 2);
    assert_int_equal(MULTISPOOL_REPAIR_ADOPT, 3);
    assert_int_equal(MULTISPOOL_REPAIR_REMOVE_RESERVATION, 4);
}

static void an_error_tells_status_errno_path_operation_and_what_to_do(void **state)
{
    (void)state;
    GIVES_AND_TELLS(MISSING, multispool_spool_load(directory, queues, 2, NULL, &spool, &error));
    assert_null(spool);
    assert_int_equal(multispool_error_status(error), MULTISPOOL_MISSING);
    assert_int_equal(multispool_error_errno(error), ENOENT);
    assert_string_equal(multispool_error_path(error), directory);
    assert_string_equal(multispool_error_operation(error), "load");
    assert_null(multispool_error_name(error));
    assert_non_null(strstr(multispool_error_message(error), directory));
    assert_non_null(strstr(multispool_error_message(error), "; "));
}

static void an_error_belongs_to_who_got_it(void **state)
{
    multispool_error *first;
    (void)state;
    GIVES_AND_TELLS(MISSING, multispool_spool_load(directory, queues, 2, NULL, &spool, &error));
    first = error;
    GIVES(INVALID_ARGUMENT, multispool_spool_load(NULL, queues, 2, NULL, &spool, &error));
    assert_int_equal(multispool_error_status(first), MULTISPOOL_MISSING);
    multispool_error_free(first);
}

static void the_error_is_null_after_a_success(void **state)
{
    (void)state;
    error = (multispool_error *)&error;
    GIVES(OK, multispool_spool_create(directory, queues, 2, NULL, &spool, &error));
}

static void who_wants_no_error_passes_null(void **state)
{
    (void)state;
    assert_int_equal(multispool_spool_load(directory, queues, 2, NULL, &spool, NULL), MULTISPOOL_MISSING);
    assert_int_equal(multispool_spool_create(directory, queues, 2, NULL, &spool, NULL), MULTISPOOL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_is_the_version_of_the_header),
        cmocka_unit_test(every_status_has_its_number_and_its_name),
        cmocka_unit_test(the_numbers_of_the_options_are_fixed),
        cmocka_unit_test(the_numbers_of_problems_and_repairs_are_fixed),
        cmocka_unit_test_setup_teardown(an_error_tells_status_errno_path_operation_and_what_to_do, set_up_directory,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_error_belongs_to_who_got_it, set_up_directory, tear_down),
        cmocka_unit_test_setup_teardown(the_error_is_null_after_a_success, set_up_directory, tear_down),
        cmocka_unit_test_setup_teardown(who_wants_no_error_passes_null, set_up_directory, tear_down),
    };
    return cmocka_run_group_tests_name("contract", tests, NULL, NULL);
}
