/* What the tests share: a spool in a directory of its own for each test, and a check of each call that
 * looks at the error as well as at the status. */

#ifndef FIXTURE_H
#define FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <multispool.h>
#include <multispool_helpers.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BYTES(text) ((const uint8_t *)(text)), (sizeof(text) - 1)

static const char *const queues[] = {"in", "out"};
static char directory[64];
static multispool_spool *spool;
/* Of the call in hand: GIVES looks at it and frees it. */
static multispool_error *error;

/* A failure tells its error, whose status is the one returned; anything else sets none. */
static inline void check(int32_t status, int32_t expected, const char *call, const char *file, int line)
{
    if (status != expected) {
        print_error("%s\ngave %s, not %s: %s\n", call, multispool_status_name(status),
                    multispool_status_name(expected), error != NULL ? multispool_error_message(error) : "no error");
        _fail(file, line);
    }
    if (expected < 0) {
        _assert_true(error != NULL, "the error is set", file, line);
        _assert_int_equal((uintmax_t)multispool_error_status(error), (uintmax_t)status, file, line);
        _assert_true(*multispool_error_operation(error) != '\0', "it has an operation", file, line);
        _assert_true(strstr(multispool_error_message(error), multispool_error_operation(error)) != NULL,
                     "the message tells the operation", file, line);
    } else {
        _assert_true(error == NULL, "no error is set", file, line);
    }
}

static inline void forget_error(void)
{
    multispool_error_free(error);
    error = NULL;
}

/* The call has `&error` as its last argument and gives that status. */
#define GIVES_AND_TELLS(expected, call) check((call), MULTISPOOL_##expected, #call, __FILE__, __LINE__)
#define GIVES(expected, call)            \
    do {                                 \
        GIVES_AND_TELLS(expected, call); \
        forget_error();                  \
    } while (0)
#define DOES(call) GIVES(OK, call)

/* In a forked child, where cmocka's checks are not at home: ends it with the line, modulo 254; the parent
 * expects 0. */
#define CHILD_CHECKS(condition)        \
    do {                               \
        if (!(condition))              \
            _exit(1 + __LINE__ % 254); \
    } while (0)

/* The text of a path inside the spool's directory; four can be in use at once. */
static inline const char *in_spool(const char *path)
{
    static char texts[4][512];
    static unsigned next;
    char *text = texts[next++ % 4];
    snprintf(text, sizeof texts[0], "%s/%s", directory, path);
    return text;
}

static inline int exists(const char *path)
{
    struct stat st;
    return lstat(in_spool(path), &st) == 0;
}

/* Puts a file in the spool by hand, as a crash or a stranger may leave it. */
static inline void plant(const char *path, const char *text)
{
    FILE *file = fopen(in_spool(path), "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static inline void take_away(const char *path)
{
    assert_int_equal(remove(in_spool(path)), 0);
}

/* Lets it have been touched last so many seconds ago. */
static inline void let_pass(const char *path, int seconds)
{
    struct timespec times[2] = {{time(NULL) - seconds, 0}, {time(NULL) - seconds, 0}};
    assert_int_equal(utimensat(AT_FDCWD, in_spool(path), times, AT_SYMLINK_NOFOLLOW), 0);
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

/* The name of a directory that does not exist yet, inside one that does. */
static inline void new_directory(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%.32s/multispool-c-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(directory));
    strcat(directory, "/s");
}

static inline int set_up_directory(void **state)
{
    (void)state;
    new_directory();
    return 0;
}

static inline int set_up(void **state)
{
    set_up_directory(state);
    DOES(multispool_spool_create(directory, queues, 2, NULL, &spool, &error));
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    forget_error();
    multispool_spool_free(spool);
    spool = NULL;
    *strrchr(directory, '/') = '\0';
    return nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* An entry "name" with metadata "metadata" and data "data" in the queue "in". */
static inline multispool_entry *enqueue(const char *name)
{
    multispool_enqueue_options *options;
    multispool_entry *entry;
    DOES(multispool_reserve(spool, name, NULL, &error));
    DOES(multispool_enqueue_options_new(&options, &error));
    DOES(multispool_enqueue_options_set_name(options, name, &error));
    DOES(multispool_enqueue(spool, "in", BYTES("metadata"), BYTES("data"), options, &entry, &error));
    multispool_enqueue_options_free(options);
    return entry;
}

/* The same, checked out. */
static inline multispool_checkout *enqueue_and_checkout(const char *name)
{
    multispool_checkout *checkout;
    multispool_entry *entry = enqueue(name);
    DOES(multispool_entry_checkout(entry, NULL, &checkout, &error));
    multispool_entry_free(entry);
    return checkout;
}

/* A reader of the queue "in". */
static inline multispool_reader *reader_of_in(void)
{
    multispool_reader *reader;
    DOES(multispool_reader_create(spool, queues, 1, NULL, &reader, &error));
    return reader;
}

static inline void assert_bytes(const uint8_t *bytes, size_t len, const char *expected, size_t expected_len)
{
    assert_int_equal(len, expected_len);
    assert_non_null(bytes);
    assert_memory_equal(bytes, expected, expected_len);
}

static inline void assert_buffer_is(multispool_buffer *buffer, const char *expected, size_t expected_len)
{
    size_t len;
    const uint8_t *bytes = multispool_buffer_data(buffer, &len);
    assert_bytes(bytes, len, expected, expected_len);
    multispool_buffer_free(buffer);
}

/* Waits for a forked child, which must end with status 0. */
static inline void assert_child_succeeds(pid_t child)
{
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) != 0)
        print_error("a check of the child failed, in line %d modulo 254\n", WEXITSTATUS(status) - 1);
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* A child that takes the entry "name" out of "in" and dies with it. */
static inline void let_an_owner_die(const char *name)
{
    pid_t child = fork();
    if (child == 0) {
        multispool_entry *entry;
        multispool_checkout *checkout;
        if (multispool_entry_create(spool, "in", name, &entry, NULL) != MULTISPOOL_OK)
            _exit(1);
        _exit(multispool_entry_checkout(entry, NULL, &checkout, NULL) == MULTISPOOL_OK ? 0 : 2);
    }
    assert_child_succeeds(child);
}

/* A directory of the spool is the same whether told by kind and queue or by its name on disk. */
static inline void assert_dir_is_told(int32_t kind, const char *queue, const char *name_on_disk)
{
    static const struct {
        int32_t kind;
        const char *name_on_disk;
    } of_no_queue[] = {
        {MULTISPOOL_DIR_REGISTRY, ".registry"},
        {MULTISPOOL_DIR_TMP, ".tmp"},
        {MULTISPOOL_DIR_DATA, ".data"},
    };
    char expected[300];
    for (size_t i = 0; i < sizeof of_no_queue / sizeof *of_no_queue; i++)
        if (kind == of_no_queue[i].kind) {
            assert_null(queue);
            assert_string_equal(name_on_disk, of_no_queue[i].name_on_disk);
            return;
        }
    assert_true(kind == MULTISPOOL_DIR_QUEUE || kind == MULTISPOOL_DIR_QUEUE_CHECKOUT);
    snprintf(expected, sizeof expected, "%s%s", queue, kind == MULTISPOOL_DIR_QUEUE ? "" : "/.checkout");
    assert_string_equal(name_on_disk, expected);
}

#endif
