/* A disk that fails, and a process without descriptors: the status tells the truth about what is visible.
 * A child makes its own system calls fail (seccomp), so that no root and no special disk are needed. */

#include <dirent.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "fixture.h"

enum { EVERY = -1 };

/* From now on each fsync of that descriptor, or of every one, gives EIO. */
static void let_syncs_fail(int fd)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fsync, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fdatasync, 0, 3),
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
#else
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 4),
#endif
        /* A descriptor never has its highest bit set. */
        BPF_JUMP(BPF_JMP | (fd == EVERY ? BPF_JSET : BPF_JEQ) | BPF_K, fd == EVERY ? 0x80000000u : (unsigned)fd,
                 fd == EVERY ? 1 : 0, fd == EVERY ? 0 : 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    CHILD_CHECKS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHILD_CHECKS(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* The descriptor that this process has of a directory in the spool. */
static int descriptor_of(const char *path)
{
    char real[512], link[64], target[512];
    DIR *directory_of_links = opendir("/proc/self/fd");
    struct dirent *found;
    int fd = -1;
    CHILD_CHECKS(realpath(in_spool(path), real) != NULL && directory_of_links != NULL);
    while (fd < 0 && (found = readdir(directory_of_links)) != NULL) {
        ssize_t len;
        snprintf(link, sizeof link, "/proc/self/fd/%.32s", found->d_name);
        len = readlink(link, target, sizeof target - 1);
        if (len > 0) {
            target[len] = '\0';
            if (strcmp(target, real) == 0)
                fd = atoi(found->d_name);
        }
    }
    closedir(directory_of_links);
    return fd;
}

static void an_enqueue_that_cannot_be_synced_leaves_nothing(void **state)
{
    pid_t child = fork();
    (void)state;
    if (child == 0) {
        multispool_entry *entry;
        let_syncs_fail(EVERY);
        CHILD_CHECKS(multispool_enqueue(spool, "in", BYTES("m"), BYTES("d"), NULL, &entry, &error) == MULTISPOOL_IO);
        CHILD_CHECKS(entry == NULL);
        CHILD_CHECKS(multispool_error_errno(error) == EIO);
        CHILD_CHECKS(multispool_error_path(error) != NULL);
        CHILD_CHECKS(multispool_error_name(error) == NULL);
        CHILD_CHECKS(rmdir(in_spool(".registry")) == 0 && rmdir(in_spool(".data")) == 0);
        CHILD_CHECKS(rmdir(in_spool(".tmp")) == 0);
        _exit(0);
    }
    assert_child_succeeds(child);
}

static void an_entry_that_may_not_be_durable_is_given_and_named(void **state)
{
    pid_t child = fork();
    (void)state;
    if (child == 0) {
        multispool_entry *entry;
        char path[300];
        int queue;
        CHILD_CHECKS(multispool_enqueue(spool, "in", BYTES("m"), BYTES("d"), NULL, NULL, NULL) == MULTISPOOL_OK);
        queue = descriptor_of("in");
        CHILD_CHECKS(queue >= 0);
        let_syncs_fail(queue);
        CHILD_CHECKS(multispool_enqueue(spool, "in", BYTES("m"), BYTES("d"), NULL, &entry, &error) ==
                     MULTISPOOL_NOT_DURABLE);
        CHILD_CHECKS(entry != NULL);
        CHILD_CHECKS(strcmp(multispool_error_name(error), multispool_entry_name(entry)) == 0);
        CHILD_CHECKS(strcmp(multispool_entry_queue(entry), "in") == 0);
        CHILD_CHECKS(strstr(multispool_error_message(error), multispool_entry_name(entry)) != NULL);
        snprintf(path, sizeof path, "in/%s", multispool_entry_name(entry));
        CHILD_CHECKS(exists(path));
        _exit(0);
    }
    assert_child_succeeds(child);
}

static void a_commit_that_may_not_be_durable_gives_its_entry(void **state)
{
    pid_t child = fork();
    (void)state;
    if (child == 0) {
        multispool_enqueue_writer *writer;
        multispool_entry *entry;
        CHILD_CHECKS(multispool_enqueue(spool, "in", BYTES("m"), BYTES("d"), NULL, NULL, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_enqueue_writer_create(spool, "in", NULL, &writer, NULL) == MULTISPOOL_OK);
        let_syncs_fail(descriptor_of("in"));
        CHILD_CHECKS(multispool_enqueue_writer_commit(writer, BYTES("m"), &entry, NULL) == MULTISPOOL_NOT_DURABLE);
        CHILD_CHECKS(strcmp(multispool_entry_name(entry), multispool_enqueue_writer_name(writer)) == 0);
        CHILD_CHECKS(multispool_enqueue_writer_commit(writer, BYTES("m"), NULL, NULL) == MULTISPOOL_FINISHED);
        _exit(0);
    }
    assert_child_succeeds(child);
}

static void a_checkout_that_ended_not_durable_is_finished(void **state)
{
    pid_t child = fork();
    (void)state;
    if (child == 0) {
        multispool_checkout *saved = enqueue_and_checkout("saved");
        multispool_checkout *removed = enqueue_and_checkout("removed");
        multispool_checkout *released = enqueue_and_checkout("released");
        let_syncs_fail(EVERY);
        CHILD_CHECKS(multispool_checkout_save(saved, "out", NULL, NULL) == MULTISPOOL_NOT_DURABLE);
        CHILD_CHECKS(multispool_checkout_remove(removed, NULL, NULL) == MULTISPOOL_NOT_DURABLE);
        CHILD_CHECKS(multispool_checkout_release(released, NULL) == MULTISPOOL_NOT_DURABLE);
        CHILD_CHECKS(multispool_checkout_finished(saved) && multispool_checkout_finished(removed));
        CHILD_CHECKS(multispool_checkout_finished(released));
        CHILD_CHECKS(multispool_checkout_save(saved, "out", NULL, NULL) == MULTISPOOL_FINISHED);
        CHILD_CHECKS(exists("out/saved") && !exists("in/.checkout/removed") && exists("in/released"));
        _exit(0);
    }
    assert_child_succeeds(child);
}

static void a_save_whose_metadata_cannot_be_synced_can_be_tried_again(void **state)
{
    pid_t child = fork();
    (void)state;
    if (child == 0) {
        multispool_checkout *checkout = enqueue_and_checkout("a");
        CHILD_CHECKS(multispool_checkout_update(checkout, BYTES("new"), NULL) == MULTISPOOL_OK);
        let_syncs_fail(EVERY);
        CHILD_CHECKS(multispool_checkout_save(checkout, "out", NULL, NULL) == MULTISPOOL_IO);
        CHILD_CHECKS(!multispool_checkout_finished(checkout) && exists("in/.checkout/a"));
        _exit(0);
    }
    assert_child_succeeds(child);
}

static void a_repair_that_may_not_be_durable_tells_what_was_done(void **state)
{
    pid_t child = fork();
    (void)state;
    if (child == 0) {
        multispool_repair_options *options;
        multispool_plan *plan;
        multispool_repaired *repaired;
        plant(".tmp/unused.tmp.abcdef", "half");
        CHILD_CHECKS(multispool_repair_options_new(&options, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_repair_options_set_min_age_ms(options, 0, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_spool_repair_plan(spool, options, &plan, NULL) == MULTISPOOL_OK);
        let_syncs_fail(EVERY);
        CHILD_CHECKS(multispool_plan_apply(plan, &repaired, &error) == MULTISPOOL_NOT_DURABLE);
        CHILD_CHECKS(multispool_error_errno(error) == EIO);
        CHILD_CHECKS(multispool_steps_count(multispool_repaired_steps(repaired)) == 1);
        CHILD_CHECKS(multispool_repaired_failure_count(repaired) >= 1);
        CHILD_CHECKS(multispool_error_status(multispool_repaired_failure(repaired, 0)) == MULTISPOOL_NOT_DURABLE);
        CHILD_CHECKS(!exists(".tmp/unused.tmp.abcdef"));
        _exit(0);
    }
    assert_child_succeeds(child);
}

static void a_repair_that_cannot_be_synced_before_takes_nothing(void **state)
{
    pid_t child = fork();
    (void)state;
    if (child == 0) {
        multispool_repair_options *options;
        multispool_plan *plan;
        multispool_repaired *repaired;
        CHILD_CHECKS(multispool_reserve(spool, "unused", NULL, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_repair_options_new(&options, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_repair_options_set_min_age_ms(options, 0, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_spool_repair_plan(spool, options, &plan, NULL) == MULTISPOOL_OK);
        let_syncs_fail(EVERY);
        CHILD_CHECKS(multispool_plan_apply(plan, &repaired, &error) == MULTISPOOL_IO);
        CHILD_CHECKS(multispool_error_errno(error) == EIO);
        CHILD_CHECKS(repaired == NULL);
        CHILD_CHECKS(exists(".registry/unused"));
        _exit(0);
    }
    assert_child_succeeds(child);
}

static void a_process_without_descriptors_is_told_so(void **state)
{
    pid_t child = fork();
    (void)state;
    if (child == 0) {
        multispool_stop *stop;
        multispool_monitor *monitor;
        multispool_daemon_options *options;
        multispool_daemon *daemon;
        multispool_event *event;
        struct rlimit limit;
        CHILD_CHECKS(getrlimit(RLIMIT_NOFILE, &limit) == 0);
        CHILD_CHECKS(multispool_enqueue(spool, "in", NULL, 0, NULL, 0, NULL, NULL, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_monitor_create(directory, NULL, &monitor, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_daemon_options_new(&options, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_daemon_options_set_check_every_ms(options, 0, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_daemon_start(monitor, options, &daemon, NULL) == MULTISPOOL_OK);
        limit.rlim_cur = 3;
        CHILD_CHECKS(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        CHILD_CHECKS(multispool_enqueue(spool, "in", NULL, 0, NULL, 0, NULL, NULL, &error) == MULTISPOOL_DESCRIPTORS);
        CHILD_CHECKS(multispool_error_errno(error) == EMFILE);
        CHILD_CHECKS(multispool_stop_create(&stop, NULL) == MULTISPOOL_DESCRIPTORS);
        CHILD_CHECKS(stop == NULL);
        CHILD_CHECKS(multispool_daemon_next(daemon, NULL, -1, &event, NULL) == MULTISPOOL_DESCRIPTORS);
        CHILD_CHECKS(event == NULL);
        limit.rlim_cur = limit.rlim_max;
        CHILD_CHECKS(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        CHILD_CHECKS(multispool_enqueue(spool, "in", NULL, 0, NULL, 0, NULL, NULL, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_daemon_next(daemon, NULL, 0, &event, NULL) == MULTISPOOL_EMPTY);
        _exit(0);
    }
    assert_child_succeeds(child);
}

#define SPOOL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(an_enqueue_that_cannot_be_synced_leaves_nothing),
        SPOOL_TEST(an_entry_that_may_not_be_durable_is_given_and_named),
        SPOOL_TEST(a_commit_that_may_not_be_durable_gives_its_entry),
        SPOOL_TEST(a_checkout_that_ended_not_durable_is_finished),
        SPOOL_TEST(a_save_whose_metadata_cannot_be_synced_can_be_tried_again),
        SPOOL_TEST(a_repair_that_cannot_be_synced_before_takes_nothing),
        SPOOL_TEST(a_repair_that_may_not_be_durable_tells_what_was_done),
        SPOOL_TEST(a_process_without_descriptors_is_told_so),
    };
    return cmocka_run_group_tests_name("failing_disks", tests, NULL, NULL);
}
