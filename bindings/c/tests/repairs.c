/* A repair clears what crashes left, each thing in its way, and leaves alone what lives and what is damaged. */

#include "fixture.h"

/* The steps, one a line: what is done, and to what. */
static const char *told(const multispool_steps *steps)
{
    static const char *const actions[] = {"remove_temporary", "remove_data", "adopt", "remove_reservation"};
    static char text[4096];
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < multispool_steps_count(steps); i++) {
        int32_t action = multispool_steps_action(steps, i);
        const char *dir = multispool_steps_dir_name_on_disk(steps, i);
        assert_true(action >= 1 && action <= (int32_t)(sizeof actions / sizeof *actions));
        assert_dir_is_told(multispool_steps_dir_kind(steps, i), multispool_steps_dir_queue(steps, i), dir);
        len += snprintf(text + len, sizeof text - len, "%s %s/%s\n", actions[action - 1], dir,
                        multispool_steps_filename(steps, i));
        assert_true(len < sizeof text);
    }
    return text;
}

/* A plan of what may be of any age; what it would remove is moved to `to`, if that is not NULL. */
static multispool_plan *plan_with(const char *to)
{
    multispool_repair_options *options;
    multispool_plan *plan;
    DOES(multispool_repair_options_new(&options, &error));
    DOES(multispool_repair_options_set_min_age_ms(options, 0, &error));
    if (to != NULL)
        DOES(multispool_repair_options_set_to(options, to, &error));
    DOES(multispool_spool_repair_plan(spool, options, &plan, &error));
    multispool_repair_options_free(options);
    return plan;
}

static void assert_applied_does(const multispool_plan *plan, const char *expected)
{
    multispool_repaired *repaired;
    DOES(multispool_plan_apply(plan, &repaired, &error));
    assert_string_equal(told(multispool_repaired_steps(repaired)), expected);
    assert_int_equal(multispool_repaired_failure_count(repaired), 0);
    multispool_repaired_free(repaired);
}

/* Nothing is wrong with the spool, however young. */
static void assert_clean(void)
{
    multispool_limits *limits;
    multispool_problems *problems;
    DOES(multispool_limits_new(&limits, &error));
    DOES(multispool_limits_set_max_tmp_file_age_ms(limits, 0, &error));
    DOES(multispool_limits_set_max_reservation_age_ms(limits, 0, &error));
    DOES(multispool_spool_problems(spool, limits, &problems, &error));
    assert_int_equal(multispool_problems_count(problems), 0);
    multispool_problems_free(problems);
    multispool_limits_free(limits);
}

static void assert_can_be_checked_out(const char *queue, const char *name)
{
    multispool_entry *entry;
    multispool_checkout *checkout;
    DOES(multispool_entry_create(spool, queue, name, &entry, &error));
    DOES(multispool_entry_checkout(entry, NULL, &checkout, &error));
    DOES(multispool_checkout_release(checkout, &error));
    multispool_checkout_free(checkout);
    multispool_entry_free(entry);
}

/* Good entries, and all that crashes can leave beside them. */
static void litter(void)
{
    multispool_entry_free(enqueue("good"));
    multispool_entry_free(enqueue("orphan"));
    take_away(".registry/orphan");
    plant(".tmp/good.tmp.aaaaaa", "");
    plant(".tmp/gone.tmp.bbbbbb", "");
    plant(".data/bare", "lost");
    DOES(multispool_reserve(spool, "reserved", NULL, &error));
    plant(".data/reserved", "half made");
}

static void a_plan_changes_nothing_and_applied_it_leaves_the_spool_clean(void **state)
{
    static const char expected[] = "remove_temporary .tmp/gone.tmp.bbbbbb\n"
                                   "remove_temporary .tmp/good.tmp.aaaaaa\n"
                                   "remove_data .data/bare\n"
                                   "adopt in/orphan\n"
                                   "remove_reservation .registry/reserved\n";
    multispool_plan *plan;
    multispool_repaired *repaired;
    (void)state;
    litter();
    plan = plan_with(NULL);
    /* The data of what is adopted is no garbage. */
    assert_string_equal(told(multispool_plan_steps(plan)), expected);
    assert_true(exists(".tmp/good.tmp.aaaaaa") && exists(".tmp/gone.tmp.bbbbbb") && exists(".data/bare"));
    assert_true(!exists(".registry/orphan") && exists(".registry/reserved") && exists(".data/reserved"));
    DOES(multispool_plan_apply(plan, &repaired, &error));
    assert_string_equal(told(multispool_repaired_steps(repaired)), expected);
    assert_int_equal(multispool_repaired_failure_count(repaired), 0);
    assert_null(multispool_repaired_failure(repaired, 0));
    multispool_repaired_free(repaired);
    assert_true(!exists(".tmp/good.tmp.aaaaaa") && !exists(".tmp/gone.tmp.bbbbbb") && !exists(".data/bare"));
    assert_true(exists(".registry/orphan") && !exists(".registry/reserved") && !exists(".data/reserved"));
    assert_clean();
    assert_can_be_checked_out("in", "good");
    assert_can_be_checked_out("in", "orphan");
    /* Nothing is left to do, for this plan and for a new one. */
    assert_applied_does(plan, "");
    multispool_plan_free(plan);
    plan = plan_with(NULL);
    assert_int_equal(multispool_steps_count(multispool_plan_steps(plan)), 0);
    multispool_plan_free(plan);
}

static void a_checked_out_entry_is_adopted_too(void **state)
{
    multispool_plan *plan;
    (void)state;
    multispool_entry_free(enqueue("a"));
    let_an_owner_die("a");
    take_away(".registry/a");
    plan = plan_with(NULL);
    assert_string_equal(told(multispool_plan_steps(plan)), "adopt in/.checkout/a\n");
    DOES(multispool_plan_apply(plan, NULL, &error));
    multispool_plan_free(plan);
    DOES(multispool_recover(spool, NULL, NULL, &error));
    assert_can_be_checked_out("in", "a");
    assert_clean();
}

static void half_of_an_entry_goes_with_its_reservation(void **state)
{
    multispool_plan *plan;
    (void)state;
    /* Half made, a minute ago and an hour ago. */
    DOES(multispool_reserve(spool, "minute", NULL, &error));
    DOES(multispool_reserve(spool, "hour", NULL, &error));
    plant(".data/minute", "");
    plant(".data/hour", "");
    let_pass(".registry/minute", 60);
    let_pass(".registry/hour", 3600);
    plan = plan_with(NULL);
    assert_applied_does(plan, "remove_reservation .registry/hour\n"
                              "remove_reservation .registry/minute\n");
    assert_string_equal(told(multispool_plan_steps(plan)), "remove_reservation .registry/hour\n"
                                                           "remove_reservation .registry/minute\n");
    multispool_plan_free(plan);
    assert_clean();
    assert_true(!exists(".data/hour") && !exists(".data/minute"));
}

static void what_is_young_is_left_alone(void **state)
{
    multispool_repair_options *options;
    multispool_plan *plan;
    (void)state;
    litter();
    /* By default ten minutes. */
    DOES(multispool_spool_repair_plan(spool, NULL, &plan, &error));
    assert_int_equal(multispool_steps_count(multispool_plan_steps(plan)), 0);
    multispool_plan_free(plan);
    let_pass(".data/bare", 601);
    DOES(multispool_spool_repair_plan(spool, NULL, &plan, &error));
    assert_string_equal(told(multispool_plan_steps(plan)), "remove_data .data/bare\n");
    multispool_plan_free(plan);
    DOES(multispool_repair_options_new(&options, &error));
    GIVES(INVALID_ARGUMENT, multispool_repair_options_set_min_age_ms(options, -1, &error));
    DOES(multispool_repair_options_set_min_age_ms(options, 3600000, &error));
    DOES(multispool_spool_repair_plan(spool, options, &plan, &error));
    assert_int_equal(multispool_steps_count(multispool_plan_steps(plan)), 0);
    multispool_plan_free(plan);
    multispool_repair_options_free(options);
}

static void what_would_be_removed_is_moved_instead(void **state)
{
    multispool_plan *plan;
    (void)state;
    litter();
    plan = plan_with(in_spool("../lost"));
    assert_false(exists("../lost"));
    DOES(multispool_plan_apply(plan, NULL, &error));
    multispool_plan_free(plan);
    assert_clean();
    assert_true(exists("../lost/.tmp/good.tmp.aaaaaa") && exists("../lost/.tmp/gone.tmp.bbbbbb"));
    assert_true(exists("../lost/.data/bare") && exists("../lost/.data/reserved"));
    assert_true(exists("../lost/.registry/reserved") && !exists("../lost/.data/orphan"));
}

static void what_was_done_is_told_though_another_step_failed(void **state)
{
    multispool_plan *plan;
    multispool_repaired *repaired;
    const multispool_error *failure;
    (void)state;
    plant(".data/a", "");
    plant(".data/b", "");
    plant(".data/c", "");
    assert_int_equal(mkdir(in_spool("../lost"), 0755), 0);
    assert_int_equal(mkdir(in_spool("../lost/.data"), 0755), 0);
    /* Nothing there is replaced. */
    plant("../lost/.data/a", "precious");
    plant("../lost/.data/c", "precious");
    plan = plan_with(in_spool("../lost"));
    GIVES_AND_TELLS(IO, multispool_plan_apply(plan, &repaired, &error));
    assert_int_equal(multispool_error_errno(error), EEXIST);
    assert_string_equal(told(multispool_repaired_steps(repaired)), "remove_data .data/b\n");
    assert_int_equal(multispool_repaired_failure_count(repaired), 2);
    /* The first of them is the one that the call told. */
    failure = multispool_repaired_failure(repaired, 0);
    assert_int_equal(multispool_error_status(failure), MULTISPOOL_IO);
    assert_string_equal(multispool_error_message(failure), multispool_error_message(error));
    assert_string_equal(multispool_error_operation(failure), "repair");
    failure = multispool_repaired_failure(repaired, 1);
    assert_int_equal(multispool_error_errno(failure), EEXIST);
    assert_non_null(strstr(multispool_error_path(failure), "/lost/.data/c"));
    assert_null(multispool_repaired_failure(repaired, 2));
    assert_null(multispool_repaired_failure(repaired, SIZE_MAX));
    forget_error();
    multispool_repaired_free(repaired);
    /* What failed has left no reservation behind, and can be tried again; here for the status alone. */
    assert_false(exists(".registry/a") || exists(".registry/c"));
    assert_int_equal(multispool_plan_apply(plan, NULL, NULL), MULTISPOOL_IO);
    multispool_plan_free(plan);
    assert_true(exists(".data/a") && !exists(".data/b") && exists(".data/c") && exists("../lost/.data/b"));
}

static void a_directory_to_move_to_that_cannot_be_had(void **state)
{
    multispool_plan *plan;
    multispool_repaired *repaired;
    (void)state;
    plant(".data/a", "");
    plant("../file", "precious");
    plan = plan_with(in_spool("../file"));
    GIVES_AND_TELLS(INVALID_ARGUMENT, multispool_plan_apply(plan, &repaired, &error));
    assert_string_equal(multispool_error_path(error), in_spool("../file"));
    forget_error();
    assert_null(repaired);
    multispool_plan_free(plan);
    plan = plan_with(in_spool("../none/lost"));
    GIVES(MISSING, multispool_plan_apply(plan, &repaired, &error));
    assert_null(repaired);
    multispool_plan_free(plan);
    assert_true(exists(".data/a"));
}

static void a_directory_to_move_to_on_another_file_system(void **state)
{
    static const char *const elsewhere[] = {"/dev/shm", "/tmp", "/var/tmp", "/run"};
    struct stat here, there;
    (void)state;
    assert_int_equal(stat(directory, &here), 0);
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        char to[64];
        multispool_plan *plan;
        multispool_repaired *repaired;
        snprintf(to, sizeof to, "%s/multispool-c-XXXXXX", elsewhere[i]);
        if (stat(elsewhere[i], &there) != 0 || there.st_dev == here.st_dev || mkdtemp(to) == NULL)
            continue;
        plant(".data/a", "");
        plan = plan_with(to);
        GIVES_AND_TELLS(INVALID_ARGUMENT, multispool_plan_apply(plan, &repaired, &error));
        assert_int_equal(multispool_error_errno(error), EXDEV);
        forget_error();
        assert_int_equal(multispool_steps_count(multispool_repaired_steps(repaired)), 0);
        multispool_repaired_free(repaired);
        multispool_plan_free(plan);
        assert_true(exists(".data/a"));
        assert_int_equal(nftw(to, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
        return;
    }
    print_message("no second file system that can be written to\n");
    skip();
}

static void what_has_come_to_life_since_the_plan_is_left_alone(void **state)
{
    multispool_enqueue_options *options;
    multispool_plan *plan;
    (void)state;
    DOES(multispool_reserve(spool, "used", NULL, &error));
    DOES(multispool_reserve(spool, "unused", NULL, &error));
    plan = plan_with(NULL);
    assert_string_equal(told(multispool_plan_steps(plan)), "remove_reservation .registry/unused\n"
                                                           "remove_reservation .registry/used\n");
    DOES(multispool_enqueue_options_new(&options, &error));
    DOES(multispool_enqueue_options_set_name(options, "used", &error));
    DOES(multispool_enqueue(spool, "in", BYTES("m"), BYTES("d"), options, NULL, &error));
    multispool_enqueue_options_free(options);
    assert_applied_does(plan, "remove_reservation .registry/unused\n");
    multispool_plan_free(plan);
    assert_can_be_checked_out("in", "used");
}

static void the_temporary_file_of_a_live_writer_is_left_alone(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    multispool_data_file *data_file;
    multispool_data_writer *writer;
    multispool_buffer *data;
    multispool_plan *plan;
    (void)state;
    DOES(multispool_checkout_data_file(checkout, &data_file, &error));
    DOES(multispool_data_file_writer(data_file, &writer, &error));
    DOES(multispool_data_writer_write(writer, BYTES("new"), &error));
    plan = plan_with(NULL);
    assert_int_equal(multispool_steps_count(multispool_plan_steps(plan)), 1);
    assert_applied_does(plan, "");
    multispool_plan_free(plan);
    DOES(multispool_data_writer_commit(writer, &error));
    multispool_data_writer_free(writer);
    DOES(multispool_data_file_load(data_file, &data, &error));
    assert_buffer_is(data, "new", 3);
    multispool_data_file_free(data_file);
    DOES(multispool_checkout_remove(checkout, NULL, &error));
    multispool_checkout_free(checkout);
}

static void damage_is_for_a_person_and_in_no_plan(void **state)
{
    multispool_plan *plan;
    (void)state;
    multispool_entry_free(enqueue("double"));
    multispool_entry_free(enqueue("bare"));
    plant("out/double", "");
    take_away(".data/bare");
    take_away(".registry/bare");
    plan = plan_with(NULL);
    assert_int_equal(multispool_steps_count(multispool_plan_steps(plan)), 0);
    multispool_plan_free(plan);
}

static void a_spool_that_may_only_be_read_is_planned_for_and_not_changed(void **state)
{
    multispool_spool_options *options;
    multispool_repaired *repaired;
    multispool_plan *plan;
    (void)state;
    plant(".data/x", "");
    multispool_spool_free(spool);
    DOES(multispool_spool_options_new(&options, &error));
    DOES(multispool_spool_options_set_read_only(options, 1, &error));
    DOES(multispool_spool_load(directory, queues, 2, options, &spool, &error));
    multispool_spool_options_free(options);
    plan = plan_with(NULL);
    assert_string_equal(told(multispool_plan_steps(plan)), "remove_data .data/x\n");
    GIVES(PERMISSION, multispool_plan_apply(plan, &repaired, &error));
    assert_null(repaired);
    assert_true(exists(".data/x"));
    multispool_plan_free(plan);
}

static void a_plan_needs_the_spools_directories(void **state)
{
    multispool_plan *plan;
    (void)state;
    take_away(".registry");
    GIVES(MISSING, multispool_spool_repair_plan(spool, NULL, &plan, &error));
    assert_null(plan);
}

static void each_durability_repairs(void **state)
{
    static const int32_t levels[] = {MULTISPOOL_DURABILITY_NONE, MULTISPOOL_DURABILITY_ORIGINAL,
                                     MULTISPOOL_DURABILITY_FULL};
    multispool_repair_options *options;
    (void)state;
    DOES(multispool_repair_options_new(&options, &error));
    DOES(multispool_repair_options_set_min_age_ms(options, 0, &error));
    GIVES(INVALID_ARGUMENT, multispool_repair_options_set_durability(options, 3, &error));
    for (int i = 0; i < 3; i++) {
        multispool_plan *plan;
        plant(".data/x", "");
        DOES(multispool_repair_options_set_durability(options, levels[i], &error));
        DOES(multispool_spool_repair_plan(spool, options, &plan, &error));
        assert_applied_does(plan, "remove_data .data/x\n");
        assert_false(exists(".data/x"));
        multispool_plan_free(plan);
    }
    multispool_repair_options_free(options);
}

static void past_the_end_there_is_nothing(void **state)
{
    const multispool_steps *steps;
    multispool_plan *plan;
    (void)state;
    plant(".data/x\xff", "");
    plan = plan_with(NULL);
    steps = multispool_plan_steps(plan);
    assert_string_equal(multispool_steps_filename(steps, 0), "x\xff");
    for (size_t i = 1; i != 0; i = i == 1 ? SIZE_MAX : 0) {
        assert_int_equal(multispool_steps_action(steps, i), 0);
        assert_null(multispool_steps_filename(steps, i));
        assert_int_equal(multispool_steps_dir_kind(steps, i), 0);
        assert_null(multispool_steps_dir_queue(steps, i));
        assert_null(multispool_steps_dir_name_on_disk(steps, i));
    }
    multispool_plan_free(plan);
}

#define SPOOL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(a_plan_changes_nothing_and_applied_it_leaves_the_spool_clean),
        SPOOL_TEST(a_checked_out_entry_is_adopted_too),
        SPOOL_TEST(half_of_an_entry_goes_with_its_reservation),
        SPOOL_TEST(what_is_young_is_left_alone),
        SPOOL_TEST(what_would_be_removed_is_moved_instead),
        SPOOL_TEST(what_was_done_is_told_though_another_step_failed),
        SPOOL_TEST(a_directory_to_move_to_that_cannot_be_had),
        SPOOL_TEST(a_directory_to_move_to_on_another_file_system),
        SPOOL_TEST(what_has_come_to_life_since_the_plan_is_left_alone),
        SPOOL_TEST(the_temporary_file_of_a_live_writer_is_left_alone),
        SPOOL_TEST(damage_is_for_a_person_and_in_no_plan),
        SPOOL_TEST(a_spool_that_may_only_be_read_is_planned_for_and_not_changed),
        SPOOL_TEST(a_plan_needs_the_spools_directories),
        SPOOL_TEST(each_durability_repairs),
        SPOOL_TEST(past_the_end_there_is_nothing),
    };
    return cmocka_run_group_tests_name("repairs", tests, NULL, NULL);
}
