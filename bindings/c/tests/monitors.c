/* A monitor finds each kind of damage, in each kind of directory, and only it; in a healthy spool nothing. */

#include "fixture.h"

static const char *word(const char *const *words, size_t count, int32_t number)
{
    assert_true(number >= 1 && (size_t)number <= count);
    return words[number - 1];
}

/* The problems, one a line: kind, directories, name, severity, and what mends it. */
static const char *told(const multispool_problems *problems)
{
    static const char *const kinds[] = {"too_old", "orphaned", "duplicated", "dead_owner", "data_missing",
                                        "damaged", "half_made", "impossible_name", "directory_missing", "low_space"};
    static const char *const severities[] = {"garbage", "stuck", "damage"};
    static const char *const mends[] = {"repair", "recover", "workers", "inspect", "make_room"};
    static char text[4096];
    size_t len = 0;
    text[0] = '\0';
#define WORD(words, number) word(words, sizeof words / sizeof *words, number)
    for (size_t i = 0; i < multispool_problems_count(problems); i++) {
        len += snprintf(text + len, sizeof text - len, "%s ", WORD(kinds, multispool_problems_kind(problems, i)));
        for (size_t dir = 0; dir < multispool_problems_dir_count(problems, i); dir++) {
            const char *name = multispool_problems_dir_name_on_disk(problems, i, dir);
            assert_dir_is_told(multispool_problems_dir_kind(problems, i, dir),
                               multispool_problems_dir_queue(problems, i, dir), name);
            len += snprintf(text + len, sizeof text - len, "%s%s", dir == 0 ? "" : "+", name);
        }
        len += snprintf(text + len, sizeof text - len, " %s (%s, %s)\n", multispool_problems_filename(problems, i),
                        WORD(severities, multispool_problems_severity(problems, i)),
                        WORD(mends, multispool_problems_mend(problems, i)));
        assert_true(len < sizeof text);
        assert_true(strlen(multispool_problems_message(problems, i)) > 0);
    }
    return text;
}

/* A monitor with these limits, which may be NULL, finds just this; and so does the spool itself. */
static void assert_finds(const multispool_limits *limits, const char *expected)
{
    multispool_monitor *monitor;
    multispool_problems *problems;
    DOES(multispool_monitor_create(directory, limits, &monitor, &error));
    DOES(multispool_monitor_run_once(monitor, &problems, &error));
    assert_string_equal(told(problems), expected);
    multispool_problems_free(problems);
    multispool_monitor_free(monitor);
    DOES(multispool_spool_problems(spool, limits, &problems, &error));
    assert_string_equal(told(problems), expected);
    multispool_problems_free(problems);
}

static multispool_problems *problems_of_the_spool(void)
{
    multispool_problems *problems;
    DOES(multispool_spool_problems(spool, NULL, &problems, &error));
    return problems;
}

static void a_healthy_spool_has_no_problem(void **state)
{
    multispool_checkout *mine = enqueue_and_checkout("mine");
    multispool_data_file *data_file;
    multispool_data_writer *writer;
    (void)state;
    multispool_entry_free(enqueue("waiting"));
    DOES(multispool_reserve(spool, "reserved", NULL, &error));
    DOES(multispool_checkout_data_file(mine, &data_file, &error));
    DOES(multispool_data_file_writer(data_file, &writer, &error));
    DOES(multispool_data_writer_write(writer, BYTES("half"), &error));
    assert_finds(NULL, "");
    multispool_data_writer_free(writer);
    multispool_data_file_free(data_file);
    DOES(multispool_checkout_release(mine, &error));
    multispool_checkout_free(mine);
}

/* Each of these changes a spool whose queue "in" has the entries "a" and "b". */
static void an_old_temporary_file(void)
{
    plant(".tmp/a.tmp.abcdef", "half");
    let_pass(".tmp/a.tmp.abcdef", 3600);
}

static void a_temporary_file_of_no_entry(void)
{
    plant(".tmp/x.tmp.abcdef", "half");
}

static void data_of_no_entry(void)
{
    plant(".data/x", "data");
}

static void an_entry_that_is_not_reserved(void)
{
    take_away(".registry/a");
}

static void a_checkout_that_is_not_reserved(void)
{
    let_an_owner_die("a");
    take_away(".registry/a");
}

static void an_old_reservation(void)
{
    DOES(multispool_reserve(spool, "r", NULL, &error));
    let_pass(".registry/r", 3600);
}

static void a_name_in_two_queues(void)
{
    plant("out/a", "metadata");
}

static void a_name_in_a_queue_and_in_checkouts(void)
{
    plant("in/.checkout/a", "metadata");
    plant("out/.checkout/a", "metadata");
}

static void a_dead_owner(void)
{
    let_an_owner_die("a");
}

static void an_entry_without_data(void)
{
    take_away(".data/a");
}

static void a_checkout_without_data(void)
{
    let_an_owner_die("a");
    take_away(".data/a");
}

static void a_directory_for_an_entry(void)
{
    take_away("in/a");
    assert_int_equal(mkdir(in_spool("in/a"), 0755), 0);
}

static void a_link_for_data(void)
{
    take_away(".data/a");
    assert_int_equal(symlink("b", in_spool(".data/a")), 0);
}

static void a_fifo_for_a_reservation(void)
{
    take_away(".registry/a");
    assert_int_equal(mkfifo(in_spool(".registry/a"), 0644), 0);
}

static void two_names_for_a_checked_out_file(void)
{
    let_an_owner_die("a");
    assert_int_equal(link(in_spool("in/.checkout/a"), in_spool("../second")), 0);
}

static void a_half_made_entry(void)
{
    DOES(multispool_reserve(spool, "h", NULL, &error));
    plant(".data/h", "data");
    let_pass(".registry/h", 60);
}

static void names_with_a_dot(void)
{
    plant(".registry/.1", "");
    plant(".tmp/.2", "");
    plant(".data/.3", "");
    plant("in/.4", "");
    plant("in/.checkout/.5", "");
}

static void no_directory_for_data(void)
{
    take_away(".data/a");
    take_away(".data/b");
    take_away(".data");
}

struct damage {
    void (*make)(void);
    const char *expected;
};

static void is_found_and_nothing_else(void **state)
{
    const struct damage *damage = *state;
    multispool_entry_free(enqueue("a"));
    multispool_entry_free(enqueue("b"));
    damage->make();
    assert_finds(NULL, damage->expected);
}

static void a_limit_tells_from_when_on_something_is_too_old(void **state)
{
    multispool_limits *limits;
    multispool_checkout *slow = enqueue_and_checkout("slow");
    (void)state;
    multispool_entry_free(enqueue("waiting"));
    DOES(multispool_reserve(spool, "reserved", NULL, &error));
    plant(".tmp/waiting.tmp.abcdef", "");
    let_pass("in/.checkout/slow", 300);
    let_pass("in/waiting", 300);
    let_pass(".registry/reserved", 300);
    let_pass(".tmp/waiting.tmp.abcdef", 300);
    assert_finds(NULL, "");

    DOES(multispool_limits_new(&limits, &error));
    DOES(multispool_limits_set_max_checked_out_age_ms(limits, 200000, &error));
    assert_finds(limits, "too_old in/.checkout slow (stuck, workers)\n");
    DOES(multispool_limits_set_max_checked_out_age_ms(limits, 400000, &error));
    DOES(multispool_limits_set_max_queue_age_ms(limits, "out", 0, &error));
    DOES(multispool_limits_set_max_queue_age_ms(limits, "none", 0, &error));
    DOES(multispool_limits_set_max_queue_age_ms(limits, "in", 400000, &error));
    assert_finds(limits, "");
    /* The second limit of a queue counts. */
    DOES(multispool_limits_set_max_queue_age_ms(limits, "in", 200000, &error));
    assert_finds(limits, "too_old in waiting (stuck, workers)\n");
    DOES(multispool_limits_set_max_queue_age_ms(limits, "in", INT64_MAX, &error));
    DOES(multispool_limits_set_max_tmp_file_age_ms(limits, 200000, &error));
    assert_finds(limits, "too_old .tmp waiting.tmp.abcdef (garbage, repair)\n");
    DOES(multispool_limits_set_max_tmp_file_age_ms(limits, 400000, &error));
    DOES(multispool_limits_set_max_reservation_age_ms(limits, 200000, &error));
    assert_finds(limits, "orphaned .registry reserved (garbage, repair)\n");
    DOES(multispool_limits_set_max_reservation_age_ms(limits, 400000, &error));

    GIVES(INVALID_ARGUMENT, multispool_limits_set_max_checked_out_age_ms(limits, -1, &error));
    GIVES(INVALID_ARGUMENT, multispool_limits_set_max_tmp_file_age_ms(limits, -1, &error));
    GIVES(INVALID_ARGUMENT, multispool_limits_set_max_queue_age_ms(limits, "in", -1, &error));
    GIVES(INVALID_ARGUMENT, multispool_limits_set_max_reservation_age_ms(limits, INT64_MIN, &error));
    assert_finds(limits, "");
    multispool_limits_free(limits);
    DOES(multispool_checkout_release(slow, &error));
    multispool_checkout_free(slow);
}

static void a_limit_tells_how_much_room_there_must_be(void **state)
{
    multispool_limits *limits;
    multispool_problems *problems;
    (void)state;
    DOES(multispool_limits_new(&limits, &error));
    DOES(multispool_limits_set_min_free_bytes(limits, UINT64_MAX, &error));
    assert_finds(limits, "low_space  s (stuck, make_room)\n");
    DOES(multispool_spool_problems(spool, limits, &problems, &error));
    assert_int_equal(multispool_problems_dir_count(problems, 0), 0);
    assert_int_equal(multispool_problems_dir_kind(problems, 0, 0), 0);
    assert_null(multispool_problems_dir_queue(problems, 0, 0));
    assert_null(multispool_problems_dir_name_on_disk(problems, 0, 0));
    multispool_problems_free(problems);
    DOES(multispool_limits_set_min_free_bytes(limits, 0, &error));
    DOES(multispool_limits_set_min_free_inodes(limits, 0, &error));
    assert_finds(limits, "");
    multispool_limits_free(limits);
}

static void each_look_is_a_new_one(void **state)
{
    static const char *const more[] = {"in", "new"};
    multispool_monitor *monitor;
    multispool_problems *problems;
    (void)state;
    DOES(multispool_monitor_create(directory, NULL, &monitor, &error));
    DOES(multispool_monitor_run_once(monitor, &problems, &error));
    assert_int_equal(multispool_problems_count(problems), 0);
    multispool_problems_free(problems);
    multispool_spool_free(spool);
    DOES(multispool_spool_create(directory, more, 2, NULL, &spool, &error));
    plant("new/x", "");
    plant("out/y", "");
    DOES(multispool_monitor_run_once(monitor, &problems, &error));
    assert_string_equal(told(problems), "orphaned new x (stuck, repair)\n"
                                        "orphaned out y (stuck, repair)\n"
                                        "data_missing new x (damage, inspect)\n"
                                        "data_missing out y (damage, inspect)\n");
    multispool_problems_free(problems);
    multispool_monitor_free(monitor);
}

static void a_look_changes_nothing_and_needs_the_directories(void **state)
{
    multispool_monitor *monitor;
    multispool_problems *problems;
    struct stat before, after;
    (void)state;
    plant(".data/x", "");
    assert_int_equal(stat(in_spool(".registry"), &before), 0);
    DOES(multispool_monitor_create(directory, NULL, &monitor, &error));
    DOES(multispool_monitor_run_once(monitor, &problems, &error));
    multispool_problems_free(problems);
    assert_int_equal(stat(in_spool(".registry"), &after), 0);
    assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof before.st_mtim);
    assert_true(exists(".data/x"));
    multispool_monitor_free(monitor);
    take_away(".data/x");
    take_away(".registry");
    GIVES(MISSING, multispool_spool_problems(spool, NULL, &problems, &error));
    assert_null(problems);
    GIVES(NOT_A_SPOOL, multispool_monitor_create(directory, NULL, &monitor, &error));
    assert_null(monitor);
}

static void names_are_bytes_and_messages_are_text(void **state)
{
    multispool_problems *problems;
    (void)state;
    plant(".data/x\xff\n", "");
    problems = problems_of_the_spool();
    assert_int_equal(multispool_problems_count(problems), 1);
    assert_string_equal(multispool_problems_filename(problems, 0), "x\xff\n");
    assert_non_null(strstr(multispool_problems_message(problems, 0), ".data/x\xef\xbf\xbd"));
    multispool_problems_free(problems);
}

static void a_problem_has_the_files_time(void **state)
{
    struct timespec times[2] = {{1, 0}, {1000000000, 123456789}};
    multispool_problems *problems;
    (void)state;
    plant(".data/x", "");
    plant(".data/y", "");
    assert_int_equal(utimensat(AT_FDCWD, in_spool(".data/x"), times, 0), 0);
    times[1].tv_sec = -2;
    times[1].tv_nsec = 500000000;
    assert_int_equal(utimensat(AT_FDCWD, in_spool(".data/y"), times, 0), 0);
    problems = problems_of_the_spool();
    assert_true(multispool_problems_mtime_ns(problems, 0) == INT64_C(1000000000123456789));
    /* Before 1970. */
    assert_true(multispool_problems_mtime_ns(problems, 1) == INT64_C(-1500000000));
    multispool_problems_free(problems);
}

static void problems_are_in_order_and_the_same_or_not(void **state)
{
    multispool_problems *first, *second;
    (void)state;
    plant(".data/x", "");
    plant(".data/y", "");
    multispool_entry_free(enqueue("a"));
    take_away(".data/a");
    first = problems_of_the_spool();
    second = problems_of_the_spool();
    assert_int_equal(multispool_problems_count(first), 3);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++) {
            int32_t order = multispool_problems_compare(first, i, second, j);
            assert_int_equal(order, i < j ? -1 : i > j ? 1 : 0);
        }
    multispool_problems_free(second);
    /* The same name with another time is another problem. */
    let_pass(".data/x", -60);
    second = problems_of_the_spool();
    assert_int_equal(multispool_problems_compare(first, 0, second, 0), -1);
    assert_int_equal(multispool_problems_compare(second, 0, first, 0), 1);
    assert_int_equal(multispool_problems_compare(first, 1, second, 1), 0);
    multispool_problems_free(second);
    multispool_problems_free(first);
}

static void past_the_end_there_is_nothing(void **state)
{
    multispool_problems *problems;
    (void)state;
    plant(".data/x", "");
    problems = problems_of_the_spool();
    for (size_t i = 1; i != 0; i = i == 1 ? SIZE_MAX : 0) {
        assert_int_equal(multispool_problems_kind(problems, i), 0);
        assert_int_equal(multispool_problems_severity(problems, i), 0);
        assert_int_equal(multispool_problems_mend(problems, i), 0);
        assert_null(multispool_problems_message(problems, i));
        assert_null(multispool_problems_filename(problems, i));
        assert_true(multispool_problems_mtime_ns(problems, i) == 0);
        assert_int_equal(multispool_problems_dir_count(problems, i), 0);
        assert_int_equal(multispool_problems_dir_kind(problems, i, 0), 0);
        assert_null(multispool_problems_dir_queue(problems, i, 0));
        assert_null(multispool_problems_dir_name_on_disk(problems, i, 0));
        assert_int_equal(multispool_problems_dir_kind(problems, 0, i), 0);
        assert_null(multispool_problems_dir_queue(problems, 0, i));
        assert_null(multispool_problems_dir_name_on_disk(problems, 0, i));
        assert_int_equal(multispool_problems_compare(problems, 0, problems, i), -1);
        assert_int_equal(multispool_problems_compare(problems, i, problems, 0), 1);
        assert_int_equal(multispool_problems_compare(problems, i, NULL, 0), 0);
        assert_int_equal(multispool_problems_compare(NULL, 0, problems, 0), 1);
    }
    multispool_problems_free(problems);
}

#define SPOOL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define DAMAGE(make, expected)                                                         \
    {#make "_is_found_and_nothing_else", is_found_and_nothing_else, set_up, tear_down, \
     &(struct damage){make, expected}}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(a_healthy_spool_has_no_problem),
        DAMAGE(an_old_temporary_file, "too_old .tmp a.tmp.abcdef (garbage, repair)\n"),
        DAMAGE(a_temporary_file_of_no_entry, "orphaned .tmp x.tmp.abcdef (garbage, repair)\n"),
        DAMAGE(data_of_no_entry, "orphaned .data x (garbage, repair)\n"),
        DAMAGE(an_entry_that_is_not_reserved, "orphaned .data a (garbage, repair)\n"
                                              "orphaned in a (stuck, repair)\n"),
        DAMAGE(a_checkout_that_is_not_reserved, "orphaned .data a (garbage, repair)\n"
                                                "orphaned in/.checkout a (stuck, repair)\n"),
        DAMAGE(an_old_reservation, "orphaned .registry r (garbage, repair)\n"),
        DAMAGE(a_name_in_two_queues, "duplicated in+out a (damage, inspect)\n"),
        DAMAGE(a_name_in_a_queue_and_in_checkouts, "duplicated in+in/.checkout+out/.checkout a (damage, inspect)\n"
                                                   "dead_owner in/.checkout a (stuck, recover)\n"
                                                   "dead_owner out/.checkout a (stuck, recover)\n"),
        DAMAGE(a_dead_owner, "dead_owner in/.checkout a (stuck, recover)\n"),
        DAMAGE(an_entry_without_data, "data_missing in a (damage, inspect)\n"),
        DAMAGE(a_checkout_without_data, "dead_owner in/.checkout a (stuck, recover)\n"
                                        "data_missing in/.checkout a (damage, inspect)\n"),
        DAMAGE(a_directory_for_an_entry, "damaged in a (damage, inspect)\n"),
        DAMAGE(a_link_for_data, "damaged .data a (damage, inspect)\n"),
        DAMAGE(a_fifo_for_a_reservation, "damaged .registry a (damage, inspect)\n"),
        DAMAGE(two_names_for_a_checked_out_file, "dead_owner in/.checkout a (stuck, recover)\n"
                                                 "damaged in/.checkout a (damage, inspect)\n"),
        DAMAGE(a_half_made_entry, "half_made .data h (garbage, repair)\n"),
        DAMAGE(names_with_a_dot, "impossible_name .registry .1 (garbage, inspect)\n"
                                 "impossible_name .tmp .2 (garbage, inspect)\n"
                                 "impossible_name .data .3 (garbage, inspect)\n"
                                 "impossible_name in .4 (garbage, inspect)\n"
                                 "impossible_name in/.checkout .5 (garbage, inspect)\n"),
        /* The file is the spool's own directory, "s". */
        DAMAGE(no_directory_for_data, "directory_missing .data s (damage, inspect)\n"),
        SPOOL_TEST(a_limit_tells_from_when_on_something_is_too_old),
        SPOOL_TEST(a_limit_tells_how_much_room_there_must_be),
        SPOOL_TEST(each_look_is_a_new_one),
        SPOOL_TEST(a_look_changes_nothing_and_needs_the_directories),
        SPOOL_TEST(names_are_bytes_and_messages_are_text),
        SPOOL_TEST(a_problem_has_the_files_time),
        SPOOL_TEST(problems_are_in_order_and_the_same_or_not),
        SPOOL_TEST(past_the_end_there_is_nothing),
    };
    return cmocka_run_group_tests_name("monitors", tests, NULL, NULL);
}
