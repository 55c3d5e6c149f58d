/* What a forked child may do with the handles of its parent. */

#include <poll.h>
#include <signal.h>

#include "fixture.h"

static void a_child_works_with_the_spool(void **state)
{
    multispool_entry *entry = enqueue("a");
    pid_t child;
    (void)state;
    child = fork();
    if (child == 0) {
        multispool_checkout *checkout;
        multispool_reader *reader;
        CHILD_CHECKS(multispool_entry_checkout(entry, NULL, &checkout, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_checkout_save(checkout, "out", NULL, NULL) == MULTISPOOL_OK);
        multispool_checkout_free(checkout);
        CHILD_CHECKS(multispool_enqueue(spool, "in", NULL, 0, NULL, 0, NULL, NULL, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_reader_create(spool, queues, 1, NULL, &reader, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_reader_dequeue(reader, NULL, -1, &checkout, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_checkout_remove(checkout, NULL, NULL) == MULTISPOOL_OK);
        multispool_checkout_free(checkout);
        multispool_reader_free(reader);
        multispool_entry_free(entry);
        multispool_spool_free(spool);
        _exit(0);
    }
    assert_child_succeeds(child);
    assert_true(exists("out/a"));
    multispool_entry_free(entry);
}

static void what_belongs_to_the_parent_answers_forked_in_the_child(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    multispool_data_file *data_file;
    multispool_data_writer *data_writer;
    multispool_enqueue_writer *enqueue_writer;
    multispool_entries *entries;
    multispool_checkouts *checkouts;
    multispool_names *names;
    multispool_reader *reader = reader_of_in();
    multispool_monitor *monitor;
    multispool_problems *problems;
    multispool_daemon *daemon;
    multispool_event *event;
    int watched;
    pid_t child;
    (void)state;
    DOES(multispool_checkout_data_file(checkout, &data_file, &error));
    DOES(multispool_data_file_writer(data_file, &data_writer, &error));
    DOES(multispool_enqueue_writer_create(spool, "in", NULL, &enqueue_writer, &error));
    DOES(multispool_list(spool, "in", &entries, &error));
    DOES(multispool_list_checkouts_unsafe(spool, "in", &checkouts, &error));
    DOES(multispool_discover(directory, &names, &error));
    DOES(multispool_reader_fd(reader, &watched, &error));
    DOES(multispool_monitor_create(directory, NULL, &monitor, &error));
    DOES(multispool_daemon_start(monitor, NULL, &daemon, &error));
    GIVES(EMPTY, multispool_daemon_next(daemon, NULL, 0, &event, &error));
    child = fork();
    if (child == 0) {
        multispool_checkout *other;
        multispool_data_file *other_file;
        multispool_data_writer *other_writer;
        multispool_daemon *other_daemon;
        multispool_entry *entry;
        multispool_buffer *buffer;
        const char *name;
        int fd;
#define FORKED(call)                                                        \
    do {                                                                    \
        CHILD_CHECKS((call) == MULTISPOOL_FORKED);                          \
        CHILD_CHECKS(multispool_error_status(error) == MULTISPOOL_FORKED);  \
        multispool_error_free(error);                                       \
    } while (0)
        FORKED(multispool_checkout_save(checkout, "out", NULL, &error));
        FORKED(multispool_checkout_remove(checkout, NULL, &error));
        FORKED(multispool_checkout_renew(checkout, &error));
        FORKED(multispool_checkout_keep(checkout, &error));
        FORKED(multispool_checkout_release(checkout, &error));
        FORKED(multispool_checkout_update(checkout, BYTES("m"), &error));
        FORKED(multispool_checkout_data_file(checkout, &other_file, &error));
        FORKED(multispool_data_file_load(data_file, &buffer, &error));
        FORKED(multispool_data_file_save(data_file, BYTES("d"), &error));
        FORKED(multispool_data_file_stat(data_file, NULL, NULL, NULL, &error));
        FORKED(multispool_data_file_open(data_file, &fd, &error));
        FORKED(multispool_data_file_writer(data_file, &other_writer, &error));
        FORKED(multispool_data_writer_write(data_writer, BYTES("d"), &error));
        FORKED(multispool_data_writer_commit(data_writer, &error));
        FORKED(multispool_enqueue_writer_write(enqueue_writer, BYTES("d"), &error));
        FORKED(multispool_enqueue_writer_commit(enqueue_writer, BYTES("m"), &entry, &error));
        FORKED(multispool_entries_next(entries, &entry, &error));
        FORKED(multispool_checkouts_next(checkouts, &other, &error));
        FORKED(multispool_names_next(names, &name, &error));
        FORKED(multispool_reader_dequeue(reader, NULL, -1, &other, &error));
        FORKED(multispool_reader_dequeue(reader, NULL, 0, &other, &error));
        FORKED(multispool_reader_fd(reader, &fd, &error));
        FORKED(multispool_monitor_run_once(monitor, &problems, &error));
        CHILD_CHECKS(problems == NULL);
        FORKED(multispool_daemon_start(monitor, NULL, &other_daemon, &error));
        FORKED(multispool_daemon_next(daemon, NULL, 0, &event, &error));
        FORKED(multispool_daemon_next(daemon, NULL, -1, &event, &error));
        CHILD_CHECKS(event == NULL);
        /* Whoever waits elsewhere is told at once. */
        CHILD_CHECKS(multispool_daemon_until_check_ms(daemon) == 0);
        CHILD_CHECKS(strcmp(multispool_checkout_name(checkout), "a") == 0);
        multispool_data_writer_free(data_writer);
        multispool_data_file_free(data_file);
        multispool_enqueue_writer_free(enqueue_writer);
        multispool_checkout_free(checkout);
        multispool_entries_free(entries);
        multispool_checkouts_free(checkouts);
        multispool_names_free(names);
        multispool_reader_free(reader);
        multispool_daemon_free(daemon);
        multispool_monitor_free(monitor);
        multispool_spool_free(spool);
        _exit(0);
    }
    assert_child_succeeds(child);

    /* Nothing that the child did or freed is lost here. */
    DOES(multispool_data_writer_write(data_writer, BYTES("whole"), &error));
    DOES(multispool_data_writer_commit(data_writer, &error));
    DOES(multispool_enqueue_writer_write(enqueue_writer, BYTES("d"), &error));
    DOES(multispool_enqueue_writer_commit(enqueue_writer, BYTES("m"), NULL, &error));
    DOES(multispool_checkout_save(checkout, "out", NULL, &error));
    multispool_checkout_free(checkout);
    DOES(multispool_reader_dequeue(reader, NULL, -1, &checkout, &error));
    multispool_checkout_free(checkout);
    multispool_data_writer_free(data_writer);
    multispool_data_file_free(data_file);
    multispool_enqueue_writer_free(enqueue_writer);
    multispool_entries_free(entries);
    multispool_checkouts_free(checkouts);
    multispool_names_free(names);
    multispool_reader_free(reader);
    DOES(multispool_monitor_run_once(monitor, &problems, &error));
    multispool_problems_free(problems);
    assert_true(multispool_daemon_until_check_ms(daemon) > 0);
    GIVES(TIMED_OUT, multispool_daemon_next(daemon, NULL, 1, &event, &error));
    multispool_daemon_free(daemon);
    multispool_monitor_free(monitor);
}

static void a_child_looks_and_repairs(void **state)
{
    multispool_repair_options *options;
    multispool_problems *problems;
    multispool_plan *plan;
    multispool_monitor *parents;
    multispool_daemon_options *at_once;
    multispool_daemon *daemon;
    multispool_event *event;
    pid_t child;
    (void)state;
    plant(".data/x", "");
    DOES(multispool_monitor_create(directory, NULL, &parents, &error));
    DOES(multispool_daemon_options_new(&at_once, &error));
    DOES(multispool_daemon_options_set_alert_after_cycles(at_once, 0, &error));
    DOES(multispool_daemon_start(parents, at_once, &daemon, &error));
    DOES(multispool_daemon_next(daemon, NULL, 0, &event, &error));
    DOES(multispool_repair_options_new(&options, &error));
    DOES(multispool_repair_options_set_min_age_ms(options, 0, &error));
    DOES(multispool_spool_repair_plan(spool, options, &plan, &error));
    multispool_repair_options_free(options);
    DOES(multispool_spool_problems(spool, NULL, &problems, &error));
    child = fork();
    if (child == 0) {
        multispool_monitor *monitor;
        multispool_problems *mine;
        multispool_event *other;
        CHILD_CHECKS(strcmp(multispool_problems_filename(problems, 0), "x") == 0);
        CHILD_CHECKS(multispool_event_kind(event) == MULTISPOOL_EVENT_START);
        CHILD_CHECKS(multispool_problems_compare(multispool_event_problem(event), 0, problems, 0) == 0);
        CHILD_CHECKS(multispool_plan_apply(plan, NULL, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_spool_problems(spool, NULL, &mine, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_problems_count(mine) == 0);
        multispool_problems_free(mine);
        CHILD_CHECKS(multispool_monitor_create(directory, NULL, &monitor, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_monitor_run_once(monitor, &mine, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_daemon_start(monitor, at_once, &daemon, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_daemon_next(daemon, NULL, 0, &other, NULL) == MULTISPOOL_EMPTY);
        _exit(0);
    }
    assert_child_succeeds(child);
    assert_false(exists(".data/x"));
    multispool_event_free(event);
    multispool_daemon_free(daemon);
    multispool_daemon_options_free(at_once);
    multispool_monitor_free(parents);
    multispool_problems_free(problems);
    multispool_plan_free(plan);
}

static void a_childs_end_does_not_let_go_of_the_parents_lock(void **state)
{
    multispool_checkout *checkout = enqueue_and_checkout("a");
    pid_t child;
    (void)state;
    child = fork();
    if (child == 0) {
        /* The lock is the parent's also in here: nothing is dead. */
        CHILD_CHECKS(multispool_recover(spool, NULL, NULL, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(exists("in/.checkout/a"));
        multispool_checkout_free(checkout);
        _exit(0);
    }
    assert_child_succeeds(child);
    DOES(multispool_recover(spool, NULL, NULL, &error));
    assert_true(exists("in/.checkout/a") && !exists("in/a"));
    DOES(multispool_checkout_save(checkout, "out", NULL, &error));
    multispool_checkout_free(checkout);
}

static void a_child_that_lives_on_does_not_keep_a_dead_parents_lock(void **state)
{
    int ready[2], go_on[2], status;
    pid_t owner, heir = -1;
    char byte = 0;
    (void)state;
    multispool_entry_free(enqueue("a"));
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go_on), 0);
    owner = fork();
    if (owner == 0) {
        multispool_entry *entry;
        multispool_checkout *checkout;
        CHILD_CHECKS(multispool_entry_create(spool, "in", "a", &entry, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_entry_checkout(entry, NULL, &checkout, NULL) == MULTISPOOL_OK);
        heir = fork();
        if (heir == 0) {
            /* Lives until the test closes its end. */
            close(go_on[1]);
            CHILD_CHECKS(write(ready[1], &byte, 1) == 1);
            CHILD_CHECKS(read(go_on[0], &byte, 1) == 0);
            _exit(0);
        }
        close(go_on[0]);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    DOES(multispool_recover(spool, NULL, NULL, &error));
    assert_true(exists("in/.checkout/a"));
    assert_int_equal(kill(owner, SIGKILL), 0);
    assert_int_equal(waitpid(owner, &status, 0), owner);
    DOES(multispool_recover(spool, NULL, NULL, &error));
    assert_true(exists("in/a"));
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(go_on[i]);
    }
}

static void a_childs_stop_is_its_own(void **state)
{
    multispool_stop *stop;
    multispool_reader *reader;
    multispool_checkout *checkout;
    pid_t child;
    (void)state;
    DOES(multispool_stop_create(&stop, &error));
    child = fork();
    if (child == 0) {
        CHILD_CHECKS(multispool_reader_create(spool, queues, 1, NULL, &reader, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_stop_trigger(stop) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_reader_dequeue(reader, stop, -1, &checkout, NULL) == MULTISPOOL_STOPPED);
        _exit(0);
    }
    assert_child_succeeds(child);
    assert_int_equal(multispool_stop_triggered(stop), 0);
    reader = reader_of_in();
    GIVES(TIMED_OUT, multispool_reader_dequeue(reader, stop, 1, &checkout, &error));
    multispool_reader_free(reader);
    multispool_stop_free(stop);
}

static void a_childs_reader_takes_none_of_the_parents_events(void **state)
{
    multispool_reader *reader = reader_of_in();
    multispool_checkout *checkout;
    struct pollfd pollfd = {-1, POLLIN, 0};
    pid_t child;
    (void)state;
    DOES(multispool_reader_fd(reader, &pollfd.fd, &error));
    GIVES(EMPTY, multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
    child = fork();
    if (child == 0) {
        /* With a watcher of its own, in a process that had none of its threads. */
        struct pollfd mine = {-1, POLLIN, 0};
        multispool_reader *my_reader;
        CHILD_CHECKS(multispool_reader_create(spool, queues, 1, NULL, &my_reader, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_reader_fd(my_reader, &mine.fd, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_reader_dequeue(my_reader, NULL, 0, &checkout, NULL) == MULTISPOOL_EMPTY);
        CHILD_CHECKS(multispool_enqueue(spool, "in", NULL, 0, NULL, 0, NULL, NULL, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(poll(&mine, 1, 60000) == 1);
        _exit(0);
    }
    assert_child_succeeds(child);
    assert_int_equal(poll(&pollfd, 1, 60000), 1);
    DOES(multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
    DOES(multispool_checkout_remove(checkout, NULL, &error));
    multispool_checkout_free(checkout);
    multispool_reader_free(reader);
}

#define SPOOL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(a_child_works_with_the_spool),
        SPOOL_TEST(what_belongs_to_the_parent_answers_forked_in_the_child),
        SPOOL_TEST(a_child_looks_and_repairs),
        SPOOL_TEST(a_childs_end_does_not_let_go_of_the_parents_lock),
        SPOOL_TEST(a_child_that_lives_on_does_not_keep_a_dead_parents_lock),
        SPOOL_TEST(a_childs_stop_is_its_own),
        SPOOL_TEST(a_childs_reader_takes_none_of_the_parents_events),
    };
    return cmocka_run_group_tests_name("forks", tests, NULL, NULL);
}
