/* What a process does that has no file descriptor left: its calls fail and are undone, what it has in hand can
 * be ended all the same, and it goes on when it has closed some files.
 *
 *     descriptors SPOOL
 *
 * Its last line is the number of checks that passed, and of those that failed. */

#define _XOPEN_SOURCE 700

#include <fcntl.h>
#include <sys/resource.h>

#include "check.h"

enum { MOST = 128, ENTRIES = 8, ENOUGH = 12 };

static const char *const queues[] = {"in", "out"};
static multispool_spool *spool;
static int taken[MOST], count;

/* Leaves the process so many descriptors. */
static void leave(int descriptors)
{
    int fd;
    while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) {
        MUST(count < MOST);
        taken[count++] = fd;
    }
    for (; descriptors > 0; descriptors--)
        close(taken[--count]);
}

static void leave_all(void)
{
    while (count > 0)
        close(taken[--count]);
}

/* That the process has none left, in a sentence with operation (unless that is NULL), path, reason and advice. */
static bool is_told(int32_t status, const char *operation)
{
    const char *message = multispool_error_message(error);
    bool is_so = status == MULTISPOOL_DESCRIPTORS;
    if (!is_so)
        printf("    %d: %s\n", (int)status, message != NULL ? message : "no error");
    if (is_so && operation != NULL)
        is_so = strncmp(message, operation, strlen(operation)) == 0;
    is_so = is_so && has(message, spool_dir) && has(message, "Too many open files")
        && has(message, "raise the limit on open files");
    no_error();
    return is_so;
}

static const uint8_t bytes[4] = "text";

static int32_t enqueue(void)
{
    return multispool_enqueue(spool, "in", bytes, sizeof bytes, bytes, sizeof bytes, NULL, NULL, &error);
}

/* With ever more descriptors, until it works: every failure before that is undone. */
static void an_enqueue_fails_and_is_undone(void)
{
    for (int left = 0; left <= ENOUGH; left++) {
        char *before = tree();
        int32_t status;
        leave(left);
        status = enqueue();
        leave_all();
        if (status == MULTISPOOL_OK) {
            CHECK(left > 0);
            free(before);
            return;
        }
        CHECK(is_told(status, "enqueue"));
        UNCHANGED(before);
    }
    CHECK(!"it never works");
}

static void nothing_is_lost_by_a_reader(void)
{
    multispool_reader *reader;
    multispool_checkout *checkout;
    int had = 0;

    MUST(multispool_reader_create(spool, queues, 1, NULL, &reader, NULL) == MULTISPOOL_OK);
    while (had < ENTRIES) {
        int32_t status = MULTISPOOL_DESCRIPTORS;
        for (int left = 0; status == MULTISPOOL_DESCRIPTORS && left <= ENOUGH; left++) {
            leave(left);
            status = multispool_reader_dequeue(reader, NULL, 0, &checkout, &error);
            leave_all();
            if (status == MULTISPOOL_DESCRIPTORS)
                CHECK(is_told(status, NULL));
        }
        if (!GIVES(MULTISPOOL_OK, status))
            break;
        had++;
        GIVES(MULTISPOOL_OK, multispool_checkout_release(checkout, &error));
        multispool_checkout_free(checkout);
    }
    GIVES(MULTISPOOL_EMPTY, multispool_reader_dequeue(reader, NULL, 0, &checkout, &error));
    multispool_reader_free(reader);
}

static void what_is_in_hand_gets_out_of_it(void)
{
    multispool_checkout *held[4];
    multispool_reader *reader;
    char *before;

    MUST(multispool_reader_create(spool, queues, 1, NULL, &reader, NULL) == MULTISPOOL_OK);
    for (int i = 0; i < 4; i++)
        MUST(multispool_reader_dequeue(reader, NULL, 0, &held[i], NULL) == MULTISPOOL_OK);
    multispool_reader_free(reader);

    before = tree();
    MUST(multispool_checkout_update(held[0], bytes, 2, NULL) == MULTISPOOL_OK);
    leave(0);
    CHECK(is_told(multispool_checkout_save(held[0], "out", NULL, &error), "save"));
    CHECK(multispool_checkout_finished(held[0]) == 0);
    leave_all();
    UNCHANGED(before);

    leave(0);
    GIVES(MULTISPOOL_OK, multispool_checkout_save(held[1], "out", NULL, &error));
    GIVES(MULTISPOOL_OK, multispool_checkout_release(held[2], &error));
    GIVES(MULTISPOOL_OK, multispool_checkout_remove(held[3], NULL, &error));
    leave_all();
    GIVES(MULTISPOOL_OK, multispool_checkout_save(held[0], "out", NULL, &error));
    for (int i = 0; i < 4; i++)
        multispool_checkout_free(held[i]);
}

static void those_that_only_look_say_so(void)
{
    multispool_entries *entries;
    multispool_entry *entry;
    multispool_problems *problems;
    multispool_stats *stats;

    MUST(multispool_list(spool, "in", &entries, NULL) == MULTISPOOL_OK);
    leave(0);
    CHECK(is_told(multispool_entries_next(entries, &entry, &error), "list"));
    CHECK(is_told(multispool_recover(spool, NULL, NULL, &error), "recover"));
    CHECK(is_told(multispool_spool_problems(spool, NULL, &problems, &error), "scan"));
    CHECK(is_told(multispool_spool_stats(spool, NULL, &stats, &error), "stats"));
    leave_all();
    multispool_entries_free(entries);
    GIVES(MULTISPOOL_OK, multispool_spool_problems(spool, NULL, &problems, &error));
    for (size_t i = 0; i < multispool_problems_count(problems); i++) {
        if (!CHECK(multispool_problems_kind(problems, i) == MULTISPOOL_PROBLEM_LOW_SPACE))
            printf("    %s\n", multispool_problems_message(problems, i));
    }
    multispool_problems_free(problems);
}

int main(int argc, char **argv)
{
    struct rlimit limit = {64, 64};
    if (argc != 2) {
        fprintf(stderr, "usage: descriptors SPOOL\n");
        return 2;
    }
    spool_dir = argv[1];
    MUST(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    MUST(multispool_spool_create(spool_dir, queues, 2, NULL, &spool, NULL) == MULTISPOOL_OK);
    for (int i = 0; i < ENTRIES - 1; i++)
        MUST(enqueue() == MULTISPOOL_OK);
    an_enqueue_fails_and_is_undone();
    nothing_is_lost_by_a_reader();
    what_is_in_hand_gets_out_of_it();
    those_that_only_look_say_so();
    multispool_spool_free(spool);
    return finish();
}
