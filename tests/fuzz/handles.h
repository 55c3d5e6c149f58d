/* A handle of each type to call functions with, and what the answers must be like whatever was asked: an output is
 * written even where a call fails, a status is known, and an error is set exactly where it is negative.
 * The program that includes this says where choices come from: pick(), take_text(), take_texts(), take_bytes(),
 * take_number(), take_wish(), and answered() for what it wants of an answer. */

#ifndef HANDLES_H
#define HANDLES_H

#include <fcntl.h>
#include <ftw.h>
#include <multispool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLOTS = 2, MANY = 4 };
/* What an output holds before a call: it must not be there after it. */
#define UNSET ((void *)1)

#define MUST(condition)                                                                                       \
    do {                                                                                                      \
        if (!(condition)) {                                                                                   \
            fprintf(stderr, "%s: must hold: %s (%s:%d)\n", function, #condition, __FILE__, __LINE__);         \
            abort();                                                                                          \
        }                                                                                                     \
    } while (0)

enum kind { NOTHING, STATUS, NUMBER, POINTER };

/* The name of the function in hand. */
static const char *function = "";

static unsigned pick(unsigned n);
static const char *take_text(const char *parameter);
static size_t take_texts(const char **texts, const char *parameter);
static const uint8_t *take_bytes(size_t *len);
static int64_t take_number(const char *parameter);
static int take_wish(const char *parameter);
/* For pointers 1 stands for any but NULL. */
static void answered(enum kind kind, int64_t answer);
/* Whether the next handle is to be NULL. */
static int take_absent(void);

/* The slots of one type; a new handle takes the place of an old one, which is freed whenever that is. */
#define SLOTS_OF(type)                                             \
    static multispool_##type *of_##type[SLOTS];                      \
    static inline multispool_##type *take_##type(void)             \
    {                                                              \
        return take_absent() ? NULL : of_##type[pick(SLOTS)];        \
    }                                                              \
    static inline multispool_##type *give_up_##type(void)          \
    {                                                              \
        unsigned at = pick(SLOTS);                                 \
        multispool_##type *handle = take_absent() ? NULL : of_##type[at]; \
        if (handle != NULL)                                        \
            of_##type[at] = NULL;                                    \
        return handle;                                             \
    }                                                              \
    static inline void keep_##type(multispool_##type *handle)      \
    {                                                              \
        unsigned at;                                               \
        MUST(handle != UNSET);                                     \
        if (handle == NULL)                                        \
            return;                                                \
        at = pick(SLOTS);                                          \
        multispool_##type##_free(of_##type[at]);                     \
        of_##type[at] = handle;                                      \
    }                                                              \
    static inline void drop_##type(void)                        \
    {                                                              \
        for (unsigned at = 0; at < SLOTS; at++) {                  \
            multispool_##type##_free(of_##type[at]);                 \
            of_##type[at] = NULL;                                    \
        }                                                          \
    }

#define EACH_TYPE(DO)                                                                                         \
    DO(error) DO(buffer) DO(names) DO(spool_options) DO(spool) DO(checkouts) DO(enqueue_options)              \
    DO(enqueue_writer) DO(entries) DO(entry) DO(checkout) DO(checkout_options) DO(remove_options)             \
    DO(save_options) DO(data_file) DO(data_writer) DO(stop) DO(reader) DO(reader_options) DO(batch)           \
    DO(recover_options) DO(stats) DO(stats_options) DO(limits) DO(problems) DO(monitor) DO(event) DO(daemon)  \
    DO(daemon_options) DO(plan) DO(repair_options) DO(repaired)
EACH_TYPE(SLOTS_OF)

static void drop_all(void)
{
#define DROP(type) drop_##type();
    EACH_TYPE(DROP)
#undef DROP
}

/* Reads every byte, so that a checker of memory sees one that is not there. */
static void touch(const void *bytes, size_t len)
{
    const volatile unsigned char *each = bytes;
    for (size_t i = 0; i < len; i++)
        (void)each[i];
}

static void touch_text(const char *text)
{
    if (text != NULL)
        touch(text, strlen(text) + 1);
}

static inline void keep_descriptor(int descriptor, int owned)
{
    if (owned && descriptor >= 0)
        MUST(close(descriptor) == 0);
}

static inline size_t take_count(size_t most)
{
    return pick((unsigned)most + 1);
}

static inline void keep_many(multispool_checkout **many, size_t count)
{
    MUST(count <= MANY);
    for (size_t i = 0; i < count; i++)
        keep_checkout(many[i]);
}

/* No handle twice. */
static inline size_t take_many(multispool_checkout **many)
{
    size_t count = 0;
    for (size_t i = 0; i < SLOTS; i++)
        if (of_checkout[i] != NULL && !take_absent())
            many[count++] = of_checkout[i];
    return count;
}

static inline multispool_steps *take_steps(void)
{
    const multispool_steps *steps = NULL;
    if (!take_absent())
        steps = pick(2) == 0 ? multispool_plan_steps(take_plan()) : multispool_repaired_steps(take_repaired());
    return (multispool_steps *)steps;
}

static inline void answered_nothing(void)
{
    answered(NOTHING, 0);
}

static inline void answered_number(int64_t number)
{
    answered(NUMBER, number);
}

static inline void answered_text(const char *text)
{
    touch_text(text);
    answered(POINTER, text != NULL);
}

static inline void answered_bytes(const uint8_t *bytes, size_t len)
{
    MUST(bytes != NULL || len == 0);
    touch(bytes, len);
    answered(POINTER, bytes != NULL);
}

static inline void answered_status(int32_t status, multispool_error *error)
{
    MUST(strcmp(multispool_status_name(status), "UNKNOWN") != 0);
    if (error != UNSET) {
        MUST((error != NULL) == (status < 0));
        if (error != NULL) {
            MUST(multispool_error_message(error) == NULL || *multispool_error_message(error) != '\0');
            touch_text(multispool_error_path(error));
            keep_error(error);
        }
    }
    answered(STATUS, status);
}

/* What is borrowed is read at once: what it is borrowed from may be freed by the next call. */
static inline void answered_error(const multispool_error *error)
{
    touch_text(multispool_error_message(error));
    answered(POINTER, error != NULL);
}

static inline void answered_problems(const multispool_problems *problems)
{
    for (size_t i = 0; i < multispool_problems_count(problems); i++) {
        touch_text(multispool_problems_message(problems, i));
        touch_text(multispool_problems_filename(problems, i));
        for (size_t dir = 0; dir < multispool_problems_dir_count(problems, i); dir++)
            touch_text(multispool_problems_dir_name_on_disk(problems, i, dir));
    }
    answered(POINTER, problems != NULL);
}

static inline void answered_steps(const multispool_steps *steps)
{
    for (size_t i = 0; i < multispool_steps_count(steps); i++) {
        touch_text(multispool_steps_filename(steps, i));
        touch_text(multispool_steps_dir_name_on_disk(steps, i));
    }
    answered(POINTER, steps != NULL);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    return where->level == 0 ? 0 : remove(path);
}

/* Empties the working directory. */
static void clear_directory(void)
{
    MUST(nftw(".", remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

static void plant(const char *path, const char *text)
{
    static const struct timespec long_ago[2] = {{1000000000, 0}, {1000000000, 0}};
    FILE *file = fopen(path, "w");
    MUST(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
    MUST(utimensat(AT_FDCWD, path, long_ago, 0) == 0);
}

#define MAKE(type, call, ...) MUST(call(__VA_ARGS__, &of_##type[0], NULL) == MULTISPOOL_OK)
#define NEW(type) MUST(multispool_##type##_new(&of_##type[0], NULL) == MULTISPOOL_OK)

/* One handle of each type that a queue has, in the first slot, on a spool with a few entries. */
static void furnish(void)
{
    static const char *const queues[] = {"in", "out"};
    static const uint8_t bytes[] = "bytes";
    multispool_entry *entry;
    function = "furnish";
    plant("file", "the text of a file");
    NEW(spool_options);
    MUST(multispool_spool_options_set_durability(of_spool_options[0], MULTISPOOL_DURABILITY_NONE, NULL) == MULTISPOOL_OK);
    NEW(enqueue_options);
    NEW(checkout_options);
    NEW(remove_options);
    NEW(save_options);
    NEW(reader_options);
    NEW(recover_options);
    NEW(stats_options);
    NEW(limits);
    NEW(daemon_options);
    MUST(multispool_daemon_options_set_alert_after_cycles(of_daemon_options[0], 0, NULL) == MULTISPOOL_OK);
    MUST(multispool_daemon_options_set_check_every_ms(of_daemon_options[0], 0, NULL) == MULTISPOOL_OK);
    NEW(repair_options);
    MUST(multispool_repair_options_set_min_age_ms(of_repair_options[0], 0, NULL) == MULTISPOOL_OK);
    MUST(multispool_stop_create(&of_stop[0], NULL) == MULTISPOOL_OK);

    MAKE(spool, multispool_spool_create, "spool", queues, 2, of_spool_options[0]);
    MAKE(names, multispool_discover, "spool");
    MAKE(buffer, multispool_reserve, of_spool[0], "name");
    for (int i = 0; i < 3; i++) {
        multispool_entry_free(of_entry[0]);
        MAKE(entry, multispool_enqueue, of_spool[0], "in", bytes, sizeof bytes, bytes, sizeof bytes, NULL);
    }
    MAKE(checkout, multispool_entry_checkout, of_entry[0], NULL);
    multispool_entry_free(of_entry[0]);
    MAKE(entries, multispool_list, of_spool[0], "in");
    MUST(multispool_entries_next(of_entries[0], &of_entry[0], NULL) == MULTISPOOL_OK);
    MAKE(data_file, multispool_checkout_data_file, of_checkout[0]);
    MAKE(data_writer, multispool_data_file_writer, of_data_file[0]);
    MAKE(checkouts, multispool_list_checkouts_unsafe, of_spool[0], "in");
    MAKE(enqueue_writer, multispool_enqueue_writer_create, of_spool[0], "in", NULL);
    MAKE(reader, multispool_reader_create, of_spool[0], queues, 1, NULL);
    MAKE(batch, multispool_batch_create, of_spool[0], "out", NULL);
    MUST(multispool_batch_add(of_batch[0], bytes, 1, bytes, 1, NULL) == MULTISPOOL_OK);

    MAKE(stats, multispool_spool_stats, of_spool[0], NULL);
    MAKE(monitor, multispool_monitor_create, "spool", NULL);
    MAKE(daemon, multispool_daemon_start, of_monitor[0], of_daemon_options[0]);
    MUST(multispool_entry_create(of_spool[0], "unknown", "name", &entry, &of_error[0]) == MULTISPOOL_UNKNOWN_QUEUE);
}

/* Something that is wrong with the spool, and a handle of each type that tells of it. Whatever seems wrong is looked at
 * again after a pause: this takes much longer. */
static void furnish_problems(void)
{
    function = "furnish_problems";
    plant("spool/.data/left", "left by nobody");
    MAKE(problems, multispool_spool_problems, of_spool[0], NULL);
    MAKE(event, multispool_daemon_next, of_daemon[0], NULL, 0);
    MAKE(plan, multispool_spool_repair_plan, of_spool[0], of_repair_options[0]);
    MAKE(repaired, multispool_plan_apply, of_plan[0]);
    plant("spool/.data/left", "left by nobody");
}
#undef NEW
#undef MAKE

#endif
