/* What is wrong on disk, or makes no sense as a name: each has its status, and nothing is changed by it. */

#include <grp.h>

#include "fixture.h"

/* Every file and directory below the spool's parent, to see that nothing was changed. */
static char before[4096], after[4096];
static char *snapshot;

static int note(const char *path, const struct stat *st, int type, struct FTW *where)
{
    size_t used = strlen(snapshot);
    (void)type;
    (void)where;
    snprintf(snapshot + used, sizeof before - used, "%s %o %lld\n", path, st->st_mode, (long long)st->st_size);
    return 0;
}

static void take_snapshot(char *into)
{
    char parent[64];
    strcpy(parent, directory);
    *strrchr(parent, '/') = '\0';
    snapshot = into;
    *into = '\0';
    assert_int_equal(nftw(parent, note, 16, FTW_PHYS), 0);
}

/* Load and create give these; nothing is there that was not before. */
static void assert_cannot_open(int32_t by_load, int32_t by_create)
{
    take_snapshot(before);
    check(multispool_spool_load(directory, queues, 2, NULL, &spool, &error), by_load, "load", __FILE__, __LINE__);
    assert_null(spool);
    assert_non_null(strstr(multispool_error_path(error), directory));
    forget_error();
    check(multispool_spool_create(directory, queues, 2, NULL, &spool, &error), by_create, "create", __FILE__, __LINE__);
    assert_null(spool);
    forget_error();
    take_snapshot(after);
    assert_string_equal(after, before);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void create_and_close(void)
{
    DOES(multispool_spool_create(directory, queues, 2, NULL, &spool, &error));
    multispool_spool_free(spool);
    spool = NULL;
}

static void a_spool_that_is_missing(void **state)
{
    multispool_names *names;
    multispool_monitor *monitor;
    (void)state;
    GIVES(MISSING, multispool_spool_load(directory, queues, 2, NULL, &spool, &error));
    assert_null(spool);
    GIVES(MISSING, multispool_discover(directory, &names, &error));
    assert_null(names);
    GIVES(MISSING, multispool_monitor_create(directory, NULL, &monitor, &error));
    assert_null(monitor);
    assert_false(exists(""));
}

static void a_file_in_the_place_of_the_spool(void **state)
{
    multispool_names *names;
    multispool_monitor *monitor;
    (void)state;
    write_file(directory, "precious");
    assert_cannot_open(MULTISPOOL_NOT_A_SPOOL, MULTISPOOL_NOT_A_SPOOL);
    GIVES(NOT_A_SPOOL, multispool_discover(directory, &names, &error));
    assert_null(names);
    GIVES(NOT_A_SPOOL, multispool_monitor_create(directory, NULL, &monitor, &error));
    assert_null(monitor);
}

static void a_directory_that_is_no_spool(void **state)
{
    multispool_monitor *monitor;
    (void)state;
    assert_int_equal(mkdir(directory, 0755), 0);
    take_snapshot(before);
    GIVES(NOT_A_SPOOL, multispool_spool_load(directory, queues, 2, NULL, &spool, &error));
    GIVES(NOT_A_SPOOL, multispool_monitor_create(directory, NULL, &monitor, &error));
    take_snapshot(after);
    assert_string_equal(after, before);
    create_and_close();
}

static void a_directory_that_holds_other_things(void **state)
{
    (void)state;
    assert_int_equal(mkdir(directory, 0755), 0);
    write_file(in_spool("letter"), "precious");
    assert_cannot_open(MULTISPOOL_NOT_A_SPOOL, MULTISPOOL_NOT_EMPTY);
}

static void a_queue_whose_directory_is_missing(void **state)
{
    (void)state;
    create_and_close();
    assert_int_equal(rmdir(in_spool("out/.checkout")), 0);
    GIVES(MISSING, multispool_spool_load(directory, queues, 2, NULL, &spool, &error));
    assert_int_equal(rmdir(in_spool("out")), 0);
    GIVES_AND_TELLS(MISSING, multispool_spool_load(directory, queues, 2, NULL, &spool, &error));
    assert_string_equal(multispool_error_path(error), in_spool("out"));
    forget_error();
    assert_false(exists("out"));
}

static void a_spool_that_is_half_made(void **state)
{
    (void)state;
    assert_int_equal(mkdir(directory, 0755), 0);
    assert_int_equal(mkdir(in_spool(".data"), 0755), 0);
    assert_int_equal(mkdir(in_spool(".registry"), 0755), 0);
    GIVES(NOT_A_SPOOL, multispool_spool_load(directory, queues, 2, NULL, &spool, &error));
    /* The next create finishes it. */
    create_and_close();
    DOES(multispool_spool_load(directory, queues, 2, NULL, &spool, &error));
}

static void a_spool_that_needs_what_we_do_not_know(void **state)
{
    multispool_monitor *monitor;
    (void)state;
    create_and_close();
    write_file(in_spool(".multispool/format"), "multispool 1\nmode local\nowners locking\nneeds telepathy\n");
    take_snapshot(before);
    GIVES_AND_TELLS(UNSUPPORTED, multispool_spool_load(directory, queues, 2, NULL, &spool, &error));
    assert_non_null(strstr(multispool_error_message(error), "telepathy"));
    forget_error();
    GIVES(UNSUPPORTED, multispool_spool_create(directory, queues, 2, NULL, &spool, &error));
    assert_null(spool);
    GIVES(UNSUPPORTED, multispool_monitor_create(directory, NULL, &monitor, &error));
    assert_null(monitor);
    take_snapshot(after);
    assert_string_equal(after, before);
}

/* Permission binds everyone but root: as root, the child that tries is another user. */
static void become_anybody(void)
{
    if (getuid() == 0 && (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0))
        _exit(99);
}

static void a_spool_without_permission(void **state)
{
    char parent[64];
    pid_t child;
    (void)state;
    create_and_close();
    strcpy(parent, directory);
    *strrchr(parent, '/') = '\0';
    assert_int_equal(chmod(parent, 0755), 0);
    assert_int_equal(chmod(in_spool(".registry"), 0555), 0);
    child = fork();
    if (child == 0) {
        multispool_error *why;
        become_anybody();
        if (multispool_spool_load(directory, queues, 2, NULL, &spool, &why) != MULTISPOOL_PERMISSION)
            _exit(1);
        _exit(strcmp(multispool_error_path(why), in_spool(".registry")) == 0 ? 0 : 2);
    }
    assert_child_succeeds(child);
    assert_int_equal(chmod(in_spool(".registry"), 0755), 0);
}

static void a_daemon_whose_permission_was_taken_away(void **state)
{
    char parent[64];
    pid_t child;
    (void)state;
    create_and_close();
    strcpy(parent, directory);
    *strrchr(parent, '/') = '\0';
    assert_int_equal(chmod(parent, 0755), 0);
    child = fork();
    if (child == 0) {
        multispool_monitor *monitor;
        multispool_daemon *daemon;
        multispool_event *event;
        CHILD_CHECKS(multispool_monitor_create(directory, NULL, &monitor, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(multispool_daemon_start(monitor, NULL, &daemon, NULL) == MULTISPOOL_OK);
        CHILD_CHECKS(chmod(in_spool(".tmp"), 0) == 0);
        become_anybody();
        CHILD_CHECKS(multispool_daemon_next(daemon, NULL, 0, &event, &error) == MULTISPOOL_PERMISSION);
        CHILD_CHECKS(event == NULL);
        CHILD_CHECKS(strcmp(multispool_error_path(error), in_spool(".tmp")) == 0);
        _exit(0);
    }
    assert_child_succeeds(child);
    assert_int_equal(chmod(in_spool(".tmp"), 0755), 0);
}

static void a_spool_that_may_only_be_read(void **state)
{
    char parent[64];
    pid_t child;
    (void)state;
    DOES(multispool_spool_create(directory, queues, 2, NULL, &spool, &error));
    multispool_entry_free(enqueue("a"));
    plant(".data/x", "lost");
    let_pass(".data/x", 3600);
    strcpy(parent, directory);
    *strrchr(parent, '/') = '\0';
    assert_int_equal(chmod(parent, 0755), 0);
    child = fork();
    if (child == 0) {
        multispool_spool_options *options;
        multispool_entries *entries;
        multispool_entry *entry;
        multispool_spool *mine;
        multispool_monitor *monitor;
        multispool_problems *problems;
        multispool_plan *plan;
        multispool_repaired *repaired;
        become_anybody();
        if (multispool_spool_options_new(&options, NULL) != MULTISPOOL_OK ||
            multispool_spool_options_set_read_only(options, 1, NULL) != MULTISPOOL_OK ||
            multispool_spool_load(directory, queues, 2, options, &mine, NULL) != MULTISPOOL_OK)
            _exit(1);
        if (multispool_list(mine, "in", &entries, NULL) != MULTISPOOL_OK ||
            multispool_entries_next(entries, &entry, NULL) != MULTISPOOL_OK)
            _exit(2);
        if (multispool_entry_direct_remove(entry, NULL) != MULTISPOOL_PERMISSION)
            _exit(3);
        if (multispool_monitor_create(directory, NULL, &monitor, NULL) != MULTISPOOL_OK ||
            multispool_monitor_run_once(monitor, &problems, NULL) != MULTISPOOL_OK ||
            multispool_problems_count(problems) != 1 ||
            multispool_spool_problems(mine, NULL, &problems, NULL) != MULTISPOOL_OK ||
            multispool_problems_count(problems) != 1)
            _exit(4);
        if (multispool_spool_repair_plan(mine, NULL, &plan, NULL) != MULTISPOOL_OK ||
            multispool_steps_count(multispool_plan_steps(plan)) != 1 ||
            multispool_plan_apply(plan, &repaired, NULL) != MULTISPOOL_PERMISSION || repaired != NULL)
            _exit(5);
        _exit(0);
    }
    assert_child_succeeds(child);
    assert_true(exists(".data/x"));
}

static void names_that_cannot_be_names(void **state)
{
    char of_245_bytes[246];
    const char *const bad[] = {"", ".", "..", "a/b", "/", ".hidden", of_245_bytes};
    multispool_buffer *reserved;
    multispool_entry *entry;
    multispool_enqueue_options *options;
    multispool_limits *limits;
    (void)state;
    memset(of_245_bytes, 'n', 245);
    of_245_bytes[245] = '\0';
    DOES(multispool_spool_create(directory, queues, 2, NULL, &spool, &error));
    DOES(multispool_enqueue_options_new(&options, &error));
    DOES(multispool_limits_new(&limits, &error));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *const bad_queues[] = {"in", bad[i]};
        multispool_spool *other;
        take_snapshot(before);
        GIVES(INVALID_NAME, multispool_reserve(spool, bad[i], &reserved, &error));
        assert_null(reserved);
        DOES(multispool_enqueue_options_set_name(options, bad[i], &error));
        GIVES(INVALID_NAME, multispool_enqueue(spool, "in", NULL, 0, NULL, 0, options, &entry, &error));
        assert_null(entry);
        GIVES(INVALID_NAME, multispool_spool_create(directory, bad_queues, 2, NULL, &other, &error));
        assert_null(other);
        GIVES(INVALID_NAME, multispool_spool_load(directory, bad_queues, 2, NULL, &other, &error));
        assert_null(other);
        GIVES(INVALID_NAME, multispool_limits_set_max_queue_age_ms(limits, bad[i], 1, &error));
        /* What is on disk may have a name of 255 bytes. */
        if (bad[i] != of_245_bytes) {
            GIVES(INVALID_NAME, multispool_entry_create(spool, "in", bad[i], &entry, &error));
            assert_null(entry);
        }
        take_snapshot(after);
        assert_string_equal(after, before);
    }
    multispool_enqueue_options_free(options);
    multispool_limits_free(limits);
    of_245_bytes[244] = '\0';
    DOES(multispool_reserve(spool, of_245_bytes, NULL, &error));
}

static void a_name_of_any_other_bytes(void **state)
{
    static const char name[] = "\xff\xfe \n\t\x01\x7f\\\"'*";
    multispool_entry *entry;
    multispool_entries *entries;
    (void)state;
    DOES(multispool_spool_create(directory, queues, 2, NULL, &spool, &error));
    multispool_entry_free(enqueue(name));
    DOES(multispool_list(spool, "in", &entries, &error));
    DOES(multispool_entries_next(entries, &entry, &error));
    assert_string_equal(multispool_entry_name(entry), name);
    multispool_entry_free(entry);
    multispool_entries_free(entries);
}

static void a_queue_that_the_spool_does_not_know(void **state)
{
    static const char *const unknown[] = {"unknown"};
    multispool_entry *entry;
    multispool_entries *entries;
    multispool_checkouts *checkouts;
    multispool_reader *reader;
    multispool_enqueue_writer *writer;
    multispool_checkout *checkout;
    (void)state;
    DOES(multispool_spool_create(directory, queues, 2, NULL, &spool, &error));
    GIVES(UNKNOWN_QUEUE, multispool_enqueue(spool, "unknown", NULL, 0, NULL, 0, NULL, &entry, &error));
    GIVES(UNKNOWN_QUEUE, multispool_enqueue_file(spool, "unknown", NULL, 0, in_spool(".multispool/format"), NULL, &entry, &error));
    GIVES(UNKNOWN_QUEUE, multispool_enqueue_writer_create(spool, "unknown", NULL, &writer, &error));
    GIVES(UNKNOWN_QUEUE, multispool_entry_create(spool, "unknown", "a", &entry, &error));
    GIVES(UNKNOWN_QUEUE, multispool_list(spool, "unknown", &entries, &error));
    GIVES(UNKNOWN_QUEUE, multispool_list_checkouts_unsafe(spool, "unknown", &checkouts, &error));
    GIVES(UNKNOWN_QUEUE, multispool_reader_create(spool, unknown, 1, NULL, &reader, &error));
    checkout = enqueue_and_checkout("a");
    GIVES(UNKNOWN_QUEUE, multispool_checkout_save(checkout, "unknown", NULL, &error));
    multispool_checkout_free(checkout);
    assert_false(exists("unknown"));
}

static void metadata_and_data_of_any_bytes_and_length(void **state)
{
    enum { TEN_MEGABYTES = 10 * 1024 * 1024 };
    const size_t lengths[] = {0, 1, TEN_MEGABYTES};
    uint8_t *bytes = malloc(TEN_MEGABYTES);
    (void)state;
    assert_non_null(bytes);
    /* NUL and bytes that are not UTF-8 among them. */
    for (size_t i = 0; i < TEN_MEGABYTES; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    DOES(multispool_spool_create(directory, queues, 2, NULL, &spool, &error));
    for (int i = 0; i < 3; i++) {
        multispool_entry *entry;
        multispool_checkout *checkout;
        multispool_data_file *data_file;
        multispool_buffer *buffer;
        size_t len;
        const uint8_t *metadata;
        DOES(multispool_enqueue(spool, "in", bytes, lengths[i], bytes, lengths[i], NULL, &entry, &error));
        DOES(multispool_entry_checkout(entry, NULL, &checkout, &error));
        metadata = multispool_checkout_metadata(checkout, &len);
        assert_bytes(metadata, len, (const char *)bytes, lengths[i]);
        DOES(multispool_checkout_data_file(checkout, &data_file, &error));
        DOES(multispool_data_file_load(data_file, &buffer, &error));
        assert_buffer_is(buffer, (const char *)bytes, lengths[i]);
        DOES(multispool_data_file_save(data_file, bytes, lengths[i] / 2, &error));
        DOES(multispool_data_file_load(data_file, &buffer, &error));
        assert_buffer_is(buffer, (const char *)bytes, lengths[i] / 2);
        DOES(multispool_checkout_update(checkout, bytes, lengths[i] / 2, &error));
        DOES(multispool_checkout_save(checkout, "out", NULL, &error));
        multispool_data_file_free(data_file);
        multispool_checkout_free(checkout);
        multispool_entry_free(entry);
    }
    free(bytes);
}

static void an_entry_that_is_gone(void **state)
{
    multispool_entry *entry;
    multispool_checkout *checkout;
    multispool_buffer *buffer;
    (void)state;
    DOES(multispool_spool_create(directory, queues, 2, NULL, &spool, &error));
    entry = enqueue("a");
    DOES(multispool_entry_direct_remove(entry, &error));
    GIVES_AND_TELLS(MISSING, multispool_entry_checkout(entry, NULL, &checkout, &error));
    assert_string_equal(multispool_error_path(error), in_spool("in/a"));
    forget_error();
    GIVES(NOT_FOUND, multispool_entry_try_checkout(entry, NULL, &checkout, &error));
    assert_null(checkout);
    GIVES(NOT_FOUND, multispool_entry_stat(entry, NULL, NULL, NULL, &error));
    GIVES(NOT_FOUND, multispool_entry_direct_contents(entry, &buffer, &error));
    GIVES(NOT_FOUND, multispool_entry_direct_remove(entry, &error));
    multispool_entry_free(entry);
}

static void an_entry_without_data_stays_where_it_is(void **state)
{
    multispool_entry *entry;
    multispool_checkout *checkout;
    (void)state;
    DOES(multispool_spool_create(directory, queues, 2, NULL, &spool, &error));
    entry = enqueue("a");
    assert_int_equal(unlink(in_spool(".data/a")), 0);
    GIVES(CORRUPT, multispool_entry_checkout(entry, NULL, &checkout, &error));
    assert_null(checkout);
    assert_true(exists("in/a"));
    multispool_entry_free(entry);
}

#define SPOOL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up_directory, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(a_spool_that_is_missing),
        SPOOL_TEST(a_file_in_the_place_of_the_spool),
        SPOOL_TEST(a_directory_that_is_no_spool),
        SPOOL_TEST(a_directory_that_holds_other_things),
        SPOOL_TEST(a_queue_whose_directory_is_missing),
        SPOOL_TEST(a_spool_that_is_half_made),
        SPOOL_TEST(a_spool_that_needs_what_we_do_not_know),
        SPOOL_TEST(a_spool_without_permission),
        SPOOL_TEST(a_daemon_whose_permission_was_taken_away),
        SPOOL_TEST(a_spool_that_may_only_be_read),
        SPOOL_TEST(names_that_cannot_be_names),
        SPOOL_TEST(a_name_of_any_other_bytes),
        SPOOL_TEST(a_queue_that_the_spool_does_not_know),
        SPOOL_TEST(metadata_and_data_of_any_bytes_and_length),
        SPOOL_TEST(an_entry_that_is_gone),
        SPOOL_TEST(an_entry_without_data_stays_where_it_is),
    };
    return cmocka_run_group_tests_name("bad_input", tests, NULL, NULL);
}
