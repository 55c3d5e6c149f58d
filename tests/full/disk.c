/* What a spool does on a file system without room: fails and undoes, drains, and goes on when there is room.
 *
 *     disk SPOOL FILL LITTLE FREE COMMANDS WHAT
 *
 * FILL is a command that takes all the room; LITTLE gives a little of it back, FREE all. COMMANDS tries the
 * command line. WHAT is `bytes` or `inodes`: what is used up; or `quota-of-moves`, of a file system on which
 * moving a file takes room too. Its last line is the number of checks that passed, and of those that failed. */

#define _XOPEN_SOURCE 700

#include "check.h"

#include <fcntl.h>

enum { LARGE = 256 * 1024, SMALL = 8 * 1024, ENTRIES = 32, HELD = 6, PARKED = 8 };

static const char *const queues[] = {"in", "out"};
static uint8_t large[LARGE];
static multispool_spool *spool;
static const char *fill, *little, *free_all, *commands;
static bool is_inodes, moves_need_room;

static multispool_checkout *held[HELD];
/* In hand, and saved to `out`, from before there was no room to the end: a move needs none, but a directory that
 * must grow for it does. These have grown. */
static multispool_checkout *parked[PARKED];

static bool run(const char *command)
{
    int status;
    fflush(stdout);
    status = system(command);
    return status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* No room: the sentence says what was done, where, why, and what to do. */
#define HAS_NO_ROOM(operation, call) has_no_room((operation), (call), #call, __LINE__)

static void has_no_room(const char *operation, int32_t status, const char *what, int line)
{
    const char *message = multispool_error_message(error);
    if (!check(status == MULTISPOOL_NO_SPACE, what, line)) {
        printf("    %d: %s\n", (int)status, message != NULL ? message : "no error");
    } else {
        check(strncmp(message, operation, strlen(operation)) == 0, "the message says the operation", line);
        check(has(message, spool_dir), "the message says the path", line);
        check(strstr(message, "No space left on device") != NULL || has(message, "Disk quota exceeded"),
              "the message says the reason", line);
        check(has(message, "free space or inodes"), "the message says what to do", line);
    }
    no_error();
}

/* A move needs no room; or it does, on such a file system, and then the entry is in hand as before. */
static bool moved(int32_t status, multispool_checkout *checkout, const char *what, int line)
{
    if (moves_need_room && status == MULTISPOOL_NO_SPACE) {
        check(multispool_checkout_finished(checkout) == 0, "it is still in hand", line);
        no_error();
        return false;
    }
    return gives(MULTISPOOL_OK, status, what, line);
}

#define MOVED(checkout, call) moved((call), (checkout), #call, __LINE__)

static multispool_checkout *take(void)
{
    multispool_reader *reader;
    multispool_checkout *checkout = NULL;
    int32_t status;

    MUST(multispool_reader_create(spool, queues, 1, NULL, &reader, &error) == MULTISPOOL_OK);
    status = multispool_reader_dequeue(reader, NULL, 0, &checkout, &error);
    if (!(moves_need_room && status == MULTISPOOL_NO_SPACE))
        gives(MULTISPOOL_OK, status, "an entry is taken", __LINE__);
    else
        no_error();
    multispool_reader_free(reader);
    return checkout;
}

static int32_t enqueue(size_t metadata_len, size_t data_len)
{
    return multispool_enqueue(spool, "in", large, metadata_len, large, data_len, NULL, NULL, &error);
}

/* `in` is drained, and filled again when there is no room: on xfs a directory of a few names shrinks into its inode, and
 * must grow out of it again. Two long names that nobody takes keep it large. */
static void keep_in_large(bool keep)
{
    char path[1024], name[200];
    memset(name, 'x', sizeof name);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/in/.%d%.*s", spool_dir, i, (int)sizeof name, name);
        if (keep) {
            int file = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
            MUST(file >= 0 && close(file) == 0);
        } else {
            MUST(unlink(path) == 0);
        }
    }
}

static void set_up(void)
{
    memset(large, 'x', sizeof large);
    GIVES(MULTISPOOL_OK, multispool_spool_create(spool_dir, queues, 2, NULL, &spool, &error));
    keep_in_large(true);
    for (int i = 0; i < ENTRIES; i++)
        GIVES(MULTISPOOL_OK, enqueue(10, SMALL));
    GIVES(MULTISPOOL_OK, multispool_reserve(spool, "reserved", NULL, &error));
    for (int i = 0; i < PARKED; i++) {
        multispool_checkout *checkout = take();
        parked[i] = take();
        GIVES(MULTISPOOL_OK, multispool_checkout_save(checkout, "out", NULL, &error));
        multispool_checkout_free(checkout);
    }
    for (int i = 0; i < HELD; i++)
        held[i] = take();
}

static void enqueues_fail_and_are_undone(bool is_full)
{
    multispool_enqueue_options *options;
    multispool_enqueue_writer *writer;
    multispool_buffer *reserved;
    int32_t status;
    char *before = tree();

    HAS_NO_ROOM("enqueue", enqueue(10, LARGE));
    HAS_NO_ROOM("enqueue", enqueue(LARGE, 0));
    if (is_inodes)
        HAS_NO_ROOM("enqueue", enqueue(0, 0));
    if (is_inodes && is_full)
        HAS_NO_ROOM("reserve", multispool_reserve(spool, NULL, &reserved, &error));
    UNCHANGED(before);

    before = tree();
    MUST(multispool_enqueue_options_new(&options, NULL) == MULTISPOOL_OK);
    MUST(multispool_enqueue_options_set_name(options, "reserved", NULL) == MULTISPOOL_OK);
    HAS_NO_ROOM("enqueue", multispool_enqueue(spool, "in", large, 10, large, LARGE, options, NULL, &error));
    multispool_enqueue_options_free(options);
    UNCHANGED(before);

    before = tree();
    status = multispool_enqueue_writer_create(spool, "in", NULL, &writer, &error);
    if (status == MULTISPOOL_OK) {
        for (int i = 0; i < LARGE / 4096 && status == MULTISPOOL_OK; i++)
            status = multispool_enqueue_writer_write(writer, large, 4096, &error);
        HAS_NO_ROOM("enqueue", status);
        GIVES(MULTISPOOL_FINISHED, multispool_enqueue_writer_commit(writer, large, 10, NULL, &error));
        multispool_enqueue_writer_free(writer);
    } else {
        HAS_NO_ROOM("enqueue", status);
    }
    UNCHANGED(before);
}

static void the_entry_stays_in_hand(void)
{
    multispool_data_file *data_file;
    multispool_buffer *data;
    size_t len;
    char *before = tree();

    GIVES(MULTISPOOL_OK, multispool_checkout_update(held[0], large, LARGE, &error));
    for (int i = 0; i < 2; i++) {
        HAS_NO_ROOM("save", multispool_checkout_save(held[0], "out", NULL, &error));
        CHECK(multispool_checkout_finished(held[0]) == 0);
    }
    UNCHANGED(before);

    before = tree();
    GIVES(MULTISPOOL_OK, multispool_checkout_data_file(held[1], &data_file, &error));
    HAS_NO_ROOM("data save", multispool_data_file_save(data_file, large, LARGE, &error));
    if (GIVES(MULTISPOOL_OK, multispool_data_file_load(data_file, &data, &error))) {
        CHECK(multispool_buffer_data(data, &len) != NULL && len == SMALL);
        multispool_buffer_free(data);
    }
    multispool_data_file_free(data_file);
    UNCHANGED(before);
}

static void one_that_dies(void)
{
    pid_t child = fork();
    int status;
    MUST(child >= 0);
    if (child == 0) {
        multispool_checkout *checkout = take();
        _exit(checkout != NULL || moves_need_room ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static size_t recovered(void)
{
    multispool_entries *entries = NULL;
    multispool_entry *entry;
    size_t count = 0;
    int32_t status = multispool_recover(spool, NULL, &entries, &error);

    if (!(moves_need_room && status == MULTISPOOL_NO_SPACE))
        gives(MULTISPOOL_OK, status, "recover", __LINE__);
    else
        no_error();
    while (entries != NULL && multispool_entries_next(entries, &entry, NULL) == MULTISPOOL_OK) {
        multispool_entry_free(entry);
        count++;
    }
    multispool_entries_free(entries);
    return count;
}

static void it_drains(void)
{
    multispool_checkout *checkout;

    MOVED(held[1], multispool_checkout_save(held[1], "out", NULL, &error));
    MOVED(held[2], multispool_checkout_release(held[2], &error));
    MOVED(held[3], multispool_checkout_save(held[3], "in", NULL, &error));
    for (int i = 0; i < 2; i++) {
        checkout = take();
        if (checkout != NULL)
            MOVED(checkout, multispool_checkout_save(checkout, "out", NULL, &error));
        multispool_checkout_free(checkout);
    }
    one_that_dies();
    CHECK(recovered() == 1 || moves_need_room);
    GIVES(MULTISPOOL_OK, multispool_checkout_remove(held[4], NULL, &error));
    MUST(run(fill));
}

/* Two who cannot enqueue beside two who drain, and what they leave is whole. */
static void several_at_once(void)
{
    pid_t children[4];
    for (int i = 0; i < 4; i++) {
        children[i] = fork();
        MUST(children[i] >= 0);
        if (children[i] > 0)
            continue;
        failed = 0;
        for (int round = 0; round < 10; round++) {
            if (i < 2) {
                HAS_NO_ROOM("enqueue", round % 2 == 0 ? enqueue(10, LARGE) : enqueue(LARGE, 0));
            } else {
                multispool_reader *reader;
                multispool_checkout *checkout = NULL;
                int32_t status;
                MUST(multispool_reader_create(spool, queues, 1, NULL, &reader, &error) == MULTISPOOL_OK);
                status = multispool_reader_dequeue(reader, NULL, 0, &checkout, &error);
                if (status == MULTISPOOL_OK)
                    MOVED(checkout, multispool_checkout_save(checkout, round % 2 == 0 ? "out" : "in", NULL, &error));
                else if (!CHECK(status == MULTISPOOL_EMPTY || (moves_need_room && status == MULTISPOOL_NO_SPACE)))
                    printf("    %s\n", multispool_error_message(error));
                multispool_checkout_free(checkout);
                multispool_reader_free(reader);
            }
        }
        fflush(stdout);
        _exit(failed == 0 ? 0 : 1);
    }
    for (int i = 0; i < 4; i++) {
        int status;
        CHECK(waitpid(children[i], &status, 0) == children[i] && status == 0);
    }
}

static int32_t drain_whole(size_t *entries)
{
    multispool_reader *reader;
    multispool_checkout *checkout;
    int32_t status;

    MUST(multispool_reader_create(spool, queues, 1, NULL, &reader, &error) == MULTISPOOL_OK);
    for (*entries = 0; (status = multispool_reader_dequeue(reader, NULL, 0, &checkout, &error)) == MULTISPOOL_OK;
         ++*entries) {
        multispool_data_file *data_file;
        multispool_buffer *data;
        size_t len, metadata_len;
        MUST(multispool_checkout_data_file(checkout, &data_file, NULL) == MULTISPOOL_OK);
        GIVES(MULTISPOOL_OK, multispool_data_file_load(data_file, &data, &error));
        multispool_checkout_metadata(checkout, &metadata_len);
        multispool_buffer_data(data, &len);
        CHECK((len == SMALL && metadata_len == 10) || (len == LARGE && metadata_len == LARGE));
        multispool_buffer_free(data);
        multispool_data_file_free(data_file);
        GIVES(MULTISPOOL_OK, multispool_checkout_save(checkout, "out", NULL, &error));
        multispool_checkout_free(checkout);
    }
    multispool_reader_free(reader);
    return status;
}

static void it_goes_on(void)
{
    multispool_limits *limits;
    multispool_problems *problems;
    multispool_entries *entries;
    multispool_entry *entry;
    size_t drained, out = 0;

    MUST(run(free_all));
    keep_in_large(false);
    /* What was in hand all the time. */
    GIVES(MULTISPOOL_OK, multispool_checkout_save(held[0], "out", NULL, &error));
    GIVES(MULTISPOOL_OK, multispool_checkout_release(held[5], &error));
    for (int i = 0; i < PARKED; i++) {
        GIVES(MULTISPOOL_OK, multispool_checkout_release(parked[i], &error));
        multispool_checkout_free(parked[i]);
    }
    for (int i = 0; i < HELD; i++) {
        if (multispool_checkout_finished(held[i]) == 0)
            GIVES(MULTISPOOL_OK, multispool_checkout_release(held[i], &error));
        multispool_checkout_free(held[i]);
    }
    recovered();
    GIVES(MULTISPOOL_OK, enqueue(LARGE, LARGE));
    CHECK(drain_whole(&drained) == MULTISPOOL_EMPTY);
    CHECK(drained > 0);
    GIVES(MULTISPOOL_OK, multispool_list(spool, "out", &entries, &error));
    for (; multispool_entries_next(entries, &entry, NULL) == MULTISPOOL_OK; out++)
        multispool_entry_free(entry);
    multispool_entries_free(entries);
    /* One was removed here, one by the command unless it could not take it, and one came. */
    if (!CHECK(out == ENTRIES - 1 || (moves_need_room && out == ENTRIES)))
        printf("    %zu\n", out);

    MUST(multispool_limits_new(&limits, NULL) == MULTISPOOL_OK);
    MUST(multispool_limits_set_max_reservation_age_ms(limits, 3600000, NULL) == MULTISPOOL_OK);
    GIVES(MULTISPOOL_OK, multispool_spool_problems(spool, limits, &problems, &error));
    for (size_t i = 0; i < multispool_problems_count(problems); i++) {
        if (!CHECK(multispool_problems_kind(problems, i) == MULTISPOOL_PROBLEM_LOW_SPACE))
            printf("    %s\n", multispool_problems_message(problems, i));
    }
    multispool_problems_free(problems);
    multispool_limits_free(limits);
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "usage: disk SPOOL FILL LITTLE FREE COMMANDS WHAT\n");
        return 2;
    }
    spool_dir = argv[1], fill = argv[2], little = argv[3], free_all = argv[4], commands = argv[5];
    is_inodes = strcmp(argv[6], "inodes") == 0;
    moves_need_room = strcmp(argv[6], "quota-of-moves") == 0;

    set_up();
    MUST(run(fill));
    enqueues_fail_and_are_undone(true);
    the_entry_stays_in_hand();
    /* With a little room, what is large fails half way. */
    MUST(run(little));
    enqueues_fail_and_are_undone(false);
    /* One inode is all that a save needs. */
    if (!is_inodes)
        the_entry_stays_in_hand();
    MUST(run(fill));
    it_drains();
    several_at_once();
    CHECK(run(commands));
    it_goes_on();
    multispool_spool_free(spool);
    return finish();
}
