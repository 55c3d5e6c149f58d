/* What is left by owners that died goes back; what a spool holds can be counted. */

#include "fixture.h"

static void a_dead_owners_entry_goes_back_and_a_live_ones_does_not(void **state)
{
    multispool_checkout *mine;
    multispool_entries *entries;
    multispool_entry *entry;
    (void)state;
    multispool_entry_free(enqueue("dead"));
    let_an_owner_die("dead");
    mine = enqueue_and_checkout("mine");
    assert_true(exists("in/.checkout/dead"));
    DOES(multispool_recover(spool, NULL, &entries, &error));
    DOES(multispool_entries_next(entries, &entry, &error));
    assert_string_equal(multispool_entry_name(entry), "dead");
    assert_string_equal(multispool_entry_queue(entry), "in");
    multispool_entry_free(entry);
    GIVES(EMPTY, multispool_entries_next(entries, &entry, &error));
    multispool_entries_free(entries);
    assert_true(exists("in/dead") && exists("in/.checkout/mine"));
    DOES(multispool_checkout_remove(mine, NULL, &error));
    multispool_checkout_free(mine);
}

static void a_handle_freed_unfinished_is_recovered(void **state)
{
    (void)state;
    multispool_checkout_free(enqueue_and_checkout("a"));
    assert_true(exists("in/.checkout/a"));
    DOES(multispool_recover(spool, NULL, NULL, &error));
    assert_true(exists("in/a") && !exists("in/.checkout/a"));
}

static void an_age_can_be_asked_for(void **state)
{
    multispool_recover_options *options;
    multispool_entries *entries;
    multispool_entry *entry;
    (void)state;
    multispool_checkout_free(enqueue_and_checkout("a"));
    DOES(multispool_recover_options_new(&options, &error));
    GIVES(INVALID_ARGUMENT, multispool_recover_options_set_min_age_ms(options, -1, &error));
    GIVES(INVALID_ARGUMENT, multispool_recover_options_set_durability(options, 3, &error));
    DOES(multispool_recover_options_set_durability(options, MULTISPOOL_DURABILITY_NONE, &error));
    DOES(multispool_recover_options_set_min_age_ms(options, 3600000, &error));
    DOES(multispool_recover(spool, options, &entries, &error));
    GIVES(EMPTY, multispool_entries_next(entries, &entry, &error));
    multispool_entries_free(entries);
    DOES(multispool_recover_options_set_min_age_ms(options, 0, &error));
    DOES(multispool_recover(spool, options, NULL, &error));
    assert_true(exists("in/a"));
    multispool_recover_options_free(options);
}

static void what_went_back_is_told_though_another_failed(void **state)
{
    multispool_entries *entries;
    multispool_entry *entry;
    (void)state;
    multispool_checkout_free(enqueue_and_checkout("a"));
    multispool_checkout_free(enqueue_and_checkout("b"));
    /* The way back of "a" is blocked. */
    plant("in/a", "");
    assert_int_not_equal(multispool_recover(spool, NULL, &entries, &error), MULTISPOOL_OK);
    forget_error();
    assert_non_null(entries);
    DOES(multispool_entries_next(entries, &entry, &error));
    assert_string_equal(multispool_entry_name(entry), "b");
    multispool_entry_free(entry);
    multispool_entries_free(entries);
    assert_true(exists("in/.checkout/a") && exists("in/b"));
}

static void stats_count_each_queue(void **state)
{
    multispool_checkout *mine;
    multispool_stats_options *options;
    multispool_stats *stats;
    (void)state;
    multispool_entry_free(enqueue("waiting"));
    mine = enqueue_and_checkout("mine");
    multispool_checkout_free(enqueue_and_checkout("dropped"));
    DOES(multispool_spool_stats(spool, NULL, &stats, &error));
    assert_int_equal(multispool_stats_queue_count(stats), 2);
    assert_string_equal(multispool_stats_queue(stats, 0), "in");
    assert_string_equal(multispool_stats_queue(stats, 1), "out");
    assert_null(multispool_stats_queue(stats, 2));
    assert_int_equal(multispool_stats_entries(stats, 0), 1);
    assert_int_equal(multispool_stats_checked_out_alive(stats, 0), 1);
    assert_int_equal(multispool_stats_checked_out_dead(stats, 0), 1);
    assert_true(multispool_stats_oldest_age_ms(stats, 0) >= 0);
    assert_int_equal(multispool_stats_entries(stats, 1), 0);
    assert_true(multispool_stats_oldest_age_ms(stats, 1) == -1);
    assert_true(multispool_stats_metadata_bytes(stats, 0) == -1 && multispool_stats_data_bytes(stats, 0) == -1);
    assert_true(multispool_stats_free_bytes(stats) > 0);
    assert_true(multispool_stats_free_inodes(stats) >= -1);
    multispool_stats_free(stats);

    DOES(multispool_stats_options_new(&options, &error));
    GIVES(INVALID_ARGUMENT, multispool_stats_options_set_bytes(options, 2, &error));
    DOES(multispool_stats_options_set_bytes(options, 1, &error));
    DOES(multispool_spool_stats(spool, options, &stats, &error));
    multispool_stats_options_free(options);
    assert_true(multispool_stats_metadata_bytes(stats, 0) >= 8 && multispool_stats_data_bytes(stats, 0) >= 4);
    assert_true(multispool_stats_metadata_bytes(stats, 1) == 0 && multispool_stats_data_bytes(stats, 1) == 0);
    multispool_stats_free(stats);
    DOES(multispool_checkout_remove(mine, NULL, &error));
    multispool_checkout_free(mine);
}

static void stats_past_the_end_are_nothing(void **state)
{
    multispool_stats *stats;
    (void)state;
    DOES(multispool_spool_stats(spool, NULL, &stats, &error));
    assert_int_equal(multispool_stats_entries(stats, 2), 0);
    assert_int_equal(multispool_stats_checked_out_alive(stats, SIZE_MAX), 0);
    assert_int_equal(multispool_stats_checked_out_dead(stats, 2), 0);
    assert_true(multispool_stats_oldest_age_ms(stats, 2) == -1);
    assert_true(multispool_stats_metadata_bytes(stats, 2) == -1 && multispool_stats_data_bytes(stats, 2) == -1);
    multispool_stats_free(stats);
}

#define SPOOL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(a_dead_owners_entry_goes_back_and_a_live_ones_does_not),
        SPOOL_TEST(a_handle_freed_unfinished_is_recovered),
        SPOOL_TEST(an_age_can_be_asked_for),
        SPOOL_TEST(what_went_back_is_told_though_another_failed),
        SPOOL_TEST(stats_count_each_queue),
        SPOOL_TEST(stats_past_the_end_are_nothing),
    };
    return cmocka_run_group_tests_name("recovers", tests, NULL, NULL);
}
