/* Every kind of handle: how one is made of those that are there, used again and again, and freed. Nothing here is
 * at home with cmocka, for it runs in threads and forked children too: what fails gives a status and its error. */

#ifndef HANDLES_H
#define HANDLES_H

#include "fixture.h"

/* A call gave what it should not, with a status that was right. */
enum { WRONG = MULTISPOOL_HANDLER_FAILED };

enum kind {
    NO_KIND,
    SPOOL_OPTIONS,
    SPOOL,
    NAMES,
    ENQUEUE_OPTIONS,
    ENTRY,
    ENTRIES,
    LISTED_ENTRY,
    ENQUEUE_WRITER,
    BATCH,
    READER_OPTIONS,
    READER,
    STOP,
    CHECKOUT_OPTIONS,
    CHECKOUT,
    READ_CHECKOUT,
    CHECKOUTS,
    UNSAFE_CHECKOUT,
    SAVE_OPTIONS,
    REMOVE_OPTIONS,
    DATA_FILE,
    DIRECT_DATA_FILE,
    DATA_WRITER,
    DIRECT_DATA_WRITER,
    BUFFER,
    RECOVER_OPTIONS,
    RECOVERED,
    STATS_OPTIONS,
    STATS,
    LIMITS,
    PROBLEMS,
    MONITOR,
    DAEMON_OPTIONS,
    DAEMON,
    EVENT,
    REPAIR_OPTIONS,
    PLAN,
    REPAIRED,
    ERROR,
    KINDS
};

/* Those that are there now, by their kind. */
static void *handles[KINDS];

#define TRY(call)                        \
    do {                                 \
        int32_t status_ = (call);        \
        if (status_ != MULTISPOOL_OK)    \
            return status_;              \
    } while (0)

static inline int32_t holds(int condition)
{
    return condition ? MULTISPOOL_OK : WRONG;
}

/* The spool of the row in hand, or that of the test where the row has none. */
static inline multispool_spool *spool_in_use(void)
{
    return handles[SPOOL] != NULL ? handles[SPOOL] : spool;
}

static inline int32_t enqueue_named(const char *name, multispool_entry **entry, multispool_error **why)
{
    multispool_enqueue_options *options;
    TRY(multispool_reserve(spool_in_use(), name, NULL, why));
    TRY(multispool_enqueue_options_new(&options, why));
    TRY(multispool_enqueue_options_set_name(options, name, why));
    TRY(multispool_enqueue(spool_in_use(), "in", BYTES("metadata"), BYTES("data"), options, entry, why));
    multispool_enqueue_options_free(options);
    return MULTISPOOL_OK;
}

/* An entry of a name that the library finds, checked out. */
static inline int32_t take_a_new_one(const multispool_checkout_options *options, multispool_checkout **checkout,
                                     multispool_error **why)
{
    multispool_entry *entry;
    TRY(multispool_enqueue(spool_in_use(), "in", BYTES("metadata"), BYTES("data"), NULL, &entry, why));
    TRY(multispool_entry_checkout(entry, options, checkout, why));
    multispool_entry_free(entry);
    return MULTISPOOL_OK;
}

/* Each of the functions below makes a handle, or uses one: */
#define MAKES(what) static inline int32_t make_##what(void **handle, multispool_error **why)
#define USES(what) static inline int32_t use_##what(void *handle, multispool_error **why)

/* Options are used by what takes them, which only reads them. */

MAKES(spool_options)
{
    TRY(multispool_spool_options_new((multispool_spool_options **)handle, why));
    return multispool_spool_options_set_durability(*handle, MULTISPOOL_DURABILITY_NONE, why);
}

USES(spool_options)
{
    multispool_spool *another;
    int32_t durability;
    TRY(multispool_spool_load(directory, queues, 2, handle, &another, why));
    durability = multispool_spool_durability(another);
    multispool_spool_free(another);
    return holds(durability == MULTISPOOL_DURABILITY_NONE);
}

MAKES(enqueue_options)
{
    TRY(multispool_enqueue_options_new((multispool_enqueue_options **)handle, why));
    return multispool_enqueue_options_set_durability(*handle, MULTISPOOL_DURABILITY_NONE, why);
}

USES(enqueue_options)
{
    return multispool_enqueue(spool, "out", NULL, 0, NULL, 0, handle, NULL, why);
}

MAKES(reader_options)
{
    TRY(multispool_reader_options_new((multispool_reader_options **)handle, why));
    return multispool_reader_options_set_durability(*handle, MULTISPOOL_DURABILITY_NONE, why);
}

USES(reader_options)
{
    multispool_reader *reader;
    TRY(multispool_reader_create(spool, queues, 1, handle, &reader, why));
    multispool_reader_free(reader);
    return MULTISPOOL_OK;
}

MAKES(checkout_options)
{
    TRY(multispool_checkout_options_new((multispool_checkout_options **)handle, why));
    return multispool_checkout_options_set_durability(*handle, MULTISPOOL_DURABILITY_NONE, why);
}

USES(checkout_options)
{
    multispool_checkout *checkout;
    TRY(take_a_new_one(handle, &checkout, why));
    return multispool_checkout_close(checkout, why);
}

MAKES(save_options)
{
    TRY(multispool_save_options_new((multispool_save_options **)handle, why));
    return multispool_save_options_set_durability(*handle, MULTISPOOL_DURABILITY_NONE, why);
}

USES(save_options)
{
    multispool_checkout *checkout;
    TRY(take_a_new_one(NULL, &checkout, why));
    TRY(multispool_checkout_save(checkout, "out", handle, why));
    multispool_checkout_free(checkout);
    return MULTISPOOL_OK;
}

MAKES(remove_options)
{
    TRY(multispool_remove_options_new((multispool_remove_options **)handle, why));
    return multispool_remove_options_set_durability(*handle, MULTISPOOL_DURABILITY_NONE, why);
}

USES(remove_options)
{
    multispool_checkout *checkout;
    TRY(take_a_new_one(NULL, &checkout, why));
    TRY(multispool_checkout_remove(checkout, handle, why));
    multispool_checkout_free(checkout);
    return MULTISPOOL_OK;
}

MAKES(recover_options)
{
    TRY(multispool_recover_options_new((multispool_recover_options **)handle, why));
    return multispool_recover_options_set_min_age_ms(*handle, 0, why);
}

USES(recover_options)
{
    return multispool_recover(spool, handle, NULL, why);
}

MAKES(stats_options)
{
    TRY(multispool_stats_options_new((multispool_stats_options **)handle, why));
    return multispool_stats_options_set_bytes(*handle, 1, why);
}

USES(stats_options)
{
    multispool_stats *stats;
    int64_t bytes;
    TRY(multispool_spool_stats(spool, handle, &stats, why));
    bytes = multispool_stats_data_bytes(stats, 0);
    multispool_stats_free(stats);
    return holds(bytes >= 0);
}

/* Limits that make a problem of the file "x", which make_problem puts there. */
MAKES(limits)
{
    TRY(multispool_limits_new((multispool_limits **)handle, why));
    return multispool_limits_set_max_tmp_file_age_ms(*handle, 60000, why);
}

USES(limits)
{
    multispool_problems *problems;
    TRY(multispool_spool_problems(spool, handle, &problems, why));
    multispool_problems_free(problems);
    return holds(multispool_limits_max_tmp_file_age_ms(handle) == 60000);
}

MAKES(daemon_options)
{
    TRY(multispool_daemon_options_new((multispool_daemon_options **)handle, why));
    return multispool_daemon_options_set_alert_after_cycles(*handle, 0, why);
}

USES(daemon_options)
{
    multispool_monitor *monitor;
    multispool_daemon *daemon;
    TRY(multispool_monitor_create(directory, NULL, &monitor, why));
    TRY(multispool_daemon_start(monitor, handle, &daemon, why));
    multispool_monitor_free(monitor);
    multispool_daemon_free(daemon);
    return holds(multispool_daemon_options_alert_after_cycles(handle) == 0);
}

MAKES(repair_options)
{
    TRY(multispool_repair_options_new((multispool_repair_options **)handle, why));
    return multispool_repair_options_set_min_age_ms(*handle, 0, why);
}

USES(repair_options)
{
    multispool_plan *plan;
    TRY(multispool_spool_repair_plan(spool, handle, &plan, why));
    multispool_plan_free(plan);
    return MULTISPOOL_OK;
}

/* The spool, and what lists it. */

MAKES(spool)
{
    void *options = handles[SPOOL_OPTIONS];
    if (options == NULL)
        TRY(make_spool_options(&options, why));
    TRY(multispool_spool_load(directory, queues, 2, options, (multispool_spool **)handle, why));
    if (handles[SPOOL_OPTIONS] == NULL)
        multispool_spool_options_free(options);
    return MULTISPOOL_OK;
}

USES(spool)
{
    multispool_stats *stats;
    TRY(multispool_spool_stats(handle, NULL, &stats, why));
    multispool_stats_free(stats);
    return holds(strcmp(multispool_spool_dir(handle), directory) == 0);
}

MAKES(names)
{
    return multispool_discover(directory, (multispool_names **)handle, why);
}

USES(names)
{
    const char *name;
    int32_t status = multispool_names_next(handle, &name, why);
    return status == MULTISPOOL_EMPTY ? holds(name == NULL) : status;
}

MAKES(entries)
{
    TRY(enqueue_named("a", NULL, why));
    return multispool_list(spool_in_use(), "in", (multispool_entries **)handle, why);
}

USES(entries)
{
    multispool_entry *entry;
    int32_t status = multispool_entries_next(handle, &entry, why);
    multispool_entry_free(entry);
    return status == MULTISPOOL_EMPTY ? holds(entry == NULL) : status;
}

MAKES(checkouts)
{
    /* Freed unfinished, it stays checked out. */
    multispool_entry *entry;
    multispool_checkout *checkout;
    TRY(enqueue_named("a", &entry, why));
    TRY(multispool_entry_checkout(entry, NULL, &checkout, why));
    multispool_entry_free(entry);
    multispool_checkout_free(checkout);
    return multispool_list_checkouts_unsafe(spool_in_use(), "in", (multispool_checkouts **)handle, why);
}

USES(checkouts)
{
    multispool_checkout *checkout;
    int32_t status = multispool_checkouts_next(handle, &checkout, why);
    multispool_checkout_free(checkout);
    return status == MULTISPOOL_EMPTY ? holds(checkout == NULL) : status;
}

MAKES(recovered)
{
    multispool_checkouts *cursor;
    TRY(make_checkouts((void **)&cursor, why));
    multispool_checkouts_free(cursor);
    return multispool_recover(spool_in_use(), handles[RECOVER_OPTIONS], (multispool_entries **)handle, why);
}

/* Entries, and what belongs to one. */

MAKES(entry)
{
    return enqueue_named("a", (multispool_entry **)handle, why);
}

MAKES(listed_entry)
{
    void *cursor = handles[ENTRIES] != NULL ? handles[ENTRIES] : handles[RECOVERED];
    return multispool_entries_next(cursor, (multispool_entry **)handle, why);
}

USES(entry)
{
    TRY(multispool_entry_stat(handle, NULL, NULL, NULL, why));
    return holds(strcmp(multispool_entry_name(handle), "a") == 0);
}

MAKES(checkout)
{
    return multispool_entry_checkout(handles[ENTRY], handles[CHECKOUT_OPTIONS], (multispool_checkout **)handle, why);
}

MAKES(read_checkout)
{
    TRY(enqueue_named("a", NULL, why));
    return multispool_reader_dequeue(handles[READER], NULL, 0, (multispool_checkout **)handle, why);
}

MAKES(unsafe_checkout)
{
    return multispool_checkouts_next(handles[CHECKOUTS], (multispool_checkout **)handle, why);
}

USES(checkout)
{
    TRY(multispool_checkout_update(handle, BYTES("updated"), why));
    TRY(multispool_checkout_renew(handle, why));
    return holds(strcmp(multispool_checkout_name(handle), "a") == 0);
}

MAKES(data_file)
{
    return multispool_checkout_data_file(handles[CHECKOUT], (multispool_data_file **)handle, why);
}

MAKES(direct_data_file)
{
    return multispool_entry_direct_data_file(handles[ENTRY], (multispool_data_file **)handle, why);
}

USES(data_file)
{
    multispool_buffer *data;
    size_t len;
    TRY(multispool_data_file_load(handle, &data, why));
    multispool_buffer_data(data, &len);
    multispool_buffer_free(data);
    return holds(len == 4);
}

MAKES(data_writer)
{
    return multispool_data_file_writer(handles[DATA_FILE], (multispool_data_writer **)handle, why);
}

MAKES(direct_data_writer)
{
    return multispool_data_file_writer(handles[DIRECT_DATA_FILE], (multispool_data_writer **)handle, why);
}

USES(data_writer)
{
    TRY(multispool_data_writer_write(handle, BYTES("more"), why));
    return holds(multispool_data_writer_fd(handle) >= 0);
}

MAKES(buffer)
{
    return multispool_data_file_load(handles[DIRECT_DATA_FILE], (multispool_buffer **)handle, why);
}

USES(buffer)
{
    size_t len;
    const uint8_t *bytes = multispool_buffer_data(handle, &len);
    (void)why;
    return holds(len == 4 && memcmp(bytes, "data", 4) == 0);
}

MAKES(enqueue_writer)
{
    return multispool_enqueue_writer_create(spool_in_use(), "in", handles[ENQUEUE_OPTIONS],
                                            (multispool_enqueue_writer **)handle, why);
}

USES(enqueue_writer)
{
    TRY(multispool_enqueue_writer_write(handle, BYTES("more"), why));
    return holds(multispool_enqueue_writer_fd(handle) >= 0 && multispool_enqueue_writer_name(handle) != NULL);
}

MAKES(batch)
{
    return multispool_batch_create(spool_in_use(), "in", handles[ENQUEUE_OPTIONS], (multispool_batch **)handle, why);
}

USES(batch)
{
    size_t before = multispool_batch_size(handle);
    TRY(multispool_batch_add(handle, BYTES("m"), BYTES("d"), why));
    return holds(multispool_batch_size(handle) == before + 1);
}

/* Readers and their stops. */

MAKES(reader)
{
    return multispool_reader_create(spool_in_use(), queues, 1, handles[READER_OPTIONS], (multispool_reader **)handle,
                                    why);
}

USES(reader)
{
    multispool_checkout *checkout;
    const multispool_stop *stop = handles[STOP];
    int32_t status = multispool_reader_dequeue(handle, stop, 0, &checkout, why);
    if (status < 0)
        return status;
    return holds(status == (multispool_stop_triggered(stop) ? MULTISPOOL_STOPPED : MULTISPOOL_EMPTY));
}

MAKES(stop)
{
    return multispool_stop_create((multispool_stop **)handle, why);
}

USES(stop)
{
    (void)why;
    TRY(multispool_stop_trigger(handle));
    return holds(multispool_stop_triggered(handle) == 1);
}

/* What looks at a spool, and repairs it. */

MAKES(stats)
{
    return multispool_spool_stats(spool_in_use(), handles[STATS_OPTIONS], (multispool_stats **)handle, why);
}

USES(stats)
{
    (void)why;
    return holds(multispool_stats_queue_count(handle) == 2 && strcmp(multispool_stats_queue(handle, 1), "out") == 0);
}

/* Data that is no entry's: a problem, and a step of a plan. */
static inline int32_t make_problem(void)
{
    int fd = open(in_spool(".data/x"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return holds(fd >= 0 && close(fd) == 0);
}

MAKES(problems)
{
    TRY(make_problem());
    return multispool_spool_problems(spool_in_use(), handles[LIMITS], (multispool_problems **)handle, why);
}

USES(problems)
{
    (void)why;
    return holds(multispool_problems_count(handle) == 1 && strcmp(multispool_problems_filename(handle, 0), "x") == 0);
}

MAKES(monitor)
{
    return multispool_monitor_create(directory, handles[LIMITS], (multispool_monitor **)handle, why);
}

USES(monitor)
{
    multispool_problems *problems;
    TRY(multispool_monitor_run_once(handle, &problems, why));
    multispool_problems_free(problems);
    return MULTISPOOL_OK;
}

MAKES(daemon)
{
    TRY(make_problem());
    return multispool_daemon_start(handles[MONITOR], handles[DAEMON_OPTIONS], (multispool_daemon **)handle, why);
}

USES(daemon)
{
    multispool_event *event;
    int32_t status = multispool_daemon_next(handle, NULL, 0, &event, why);
    return status == MULTISPOOL_EMPTY ? holds(event == NULL) : status;
}

MAKES(event)
{
    TRY(multispool_daemon_next(handles[DAEMON], NULL, 0, (multispool_event **)handle, why));
    /* What looks wrong is looked at twice, with a pause: the uses to come need none. */
    return holds(unlink(in_spool(".data/x")) == 0);
}

USES(event)
{
    const multispool_problems *problem = multispool_event_problem(handle);
    (void)why;
    return holds(multispool_event_kind(handle) == MULTISPOOL_EVENT_START &&
                 strcmp(multispool_problems_filename(problem, 0), "x") == 0);
}

MAKES(plan)
{
    TRY(make_problem());
    return multispool_spool_repair_plan(spool_in_use(), handles[REPAIR_OPTIONS], (multispool_plan **)handle, why);
}

static inline int32_t are_the_steps(const multispool_steps *steps)
{
    return holds(multispool_steps_count(steps) == 1 && strcmp(multispool_steps_filename(steps, 0), "x") == 0);
}

USES(plan)
{
    TRY(multispool_plan_apply(handle, NULL, why));
    return are_the_steps(multispool_plan_steps(handle));
}

MAKES(repaired)
{
    return multispool_plan_apply(handles[PLAN], (multispool_repaired **)handle, why);
}

USES(repaired)
{
    (void)why;
    return are_the_steps(multispool_repaired_steps(handle));
}

MAKES(error)
{
    multispool_entry *entry;
    (void)why;
    return holds(multispool_entry_create(spool_in_use(), "unknown", "a", &entry, (multispool_error **)handle) ==
                 MULTISPOOL_UNKNOWN_QUEUE);
}

USES(error)
{
    (void)why;
    return holds(multispool_error_status(handle) == MULTISPOOL_UNKNOWN_QUEUE &&
                 strstr(multispool_error_message(handle), "unknown") != NULL);
}

#undef MAKES
#undef USES

#define FREES(type)                               \
    static inline void free_##type(void *handle)  \
    {                                             \
        multispool_##type##_free(handle);         \
    }
FREES(spool_options)
FREES(spool)
FREES(names)
FREES(enqueue_options)
FREES(entry)
FREES(entries)
FREES(enqueue_writer)
FREES(batch)
FREES(reader_options)
FREES(reader)
FREES(stop)
FREES(checkout_options)
FREES(checkout)
FREES(checkouts)
FREES(save_options)
FREES(remove_options)
FREES(data_file)
FREES(data_writer)
FREES(buffer)
FREES(recover_options)
FREES(stats_options)
FREES(stats)
FREES(limits)
FREES(problems)
FREES(monitor)
FREES(daemon_options)
FREES(daemon)
FREES(event)
FREES(repair_options)
FREES(plan)
FREES(repaired)
FREES(error)
#undef FREES

/* What a forked child gets from a handle of its parent: what it asks for, or FORKED. */
enum in_child { CHILDS_TOO = MULTISPOOL_OK, PARENTS_ALONE = MULTISPOOL_FORKED };
/* Whether threads may use one at once; options are shared by calls that read them, as their use here does. */
enum threads { ONE_AT_A_TIME, SHAREABLE };

static const struct {
    const char *name;
    int32_t (*make)(void **handle, multispool_error **why);
    int32_t (*use)(void *handle, multispool_error **why);
    void (*free)(void *handle);
    enum in_child in_child;
    enum threads threads;
} kinds[KINDS] = {
#define A_KIND(kind, name, made, type, in_child, threads) \
    [kind] = {name, make_##made, use_##type, free_##type, in_child, threads}
    A_KIND(SPOOL_OPTIONS, "spool_options", spool_options, spool_options, CHILDS_TOO, SHAREABLE),
    A_KIND(SPOOL, "spool", spool, spool, CHILDS_TOO, SHAREABLE),
    A_KIND(NAMES, "names", names, names, PARENTS_ALONE, ONE_AT_A_TIME),
    A_KIND(ENQUEUE_OPTIONS, "enqueue_options", enqueue_options, enqueue_options, CHILDS_TOO, SHAREABLE),
    A_KIND(ENTRY, "entry", entry, entry, CHILDS_TOO, SHAREABLE),
    A_KIND(ENTRIES, "entries", entries, entries, PARENTS_ALONE, ONE_AT_A_TIME),
    A_KIND(LISTED_ENTRY, "entry of a list", listed_entry, entry, CHILDS_TOO, SHAREABLE),
    A_KIND(ENQUEUE_WRITER, "enqueue_writer", enqueue_writer, enqueue_writer, PARENTS_ALONE, ONE_AT_A_TIME),
    A_KIND(BATCH, "batch", batch, batch, PARENTS_ALONE, ONE_AT_A_TIME),
    A_KIND(READER_OPTIONS, "reader_options", reader_options, reader_options, CHILDS_TOO, SHAREABLE),
    A_KIND(READER, "reader", reader, reader, PARENTS_ALONE, ONE_AT_A_TIME),
    A_KIND(STOP, "stop", stop, stop, CHILDS_TOO, SHAREABLE),
    A_KIND(CHECKOUT_OPTIONS, "checkout_options", checkout_options, checkout_options, CHILDS_TOO, SHAREABLE),
    A_KIND(CHECKOUT, "checkout", checkout, checkout, PARENTS_ALONE, ONE_AT_A_TIME),
    A_KIND(READ_CHECKOUT, "checkout of a reader", read_checkout, checkout, PARENTS_ALONE, ONE_AT_A_TIME),
    A_KIND(CHECKOUTS, "checkouts", checkouts, checkouts, PARENTS_ALONE, ONE_AT_A_TIME),
    A_KIND(UNSAFE_CHECKOUT, "checkout of another", unsafe_checkout, checkout, PARENTS_ALONE, ONE_AT_A_TIME),
    A_KIND(SAVE_OPTIONS, "save_options", save_options, save_options, CHILDS_TOO, SHAREABLE),
    A_KIND(REMOVE_OPTIONS, "remove_options", remove_options, remove_options, CHILDS_TOO, SHAREABLE),
    A_KIND(DATA_FILE, "data_file", data_file, data_file, PARENTS_ALONE, ONE_AT_A_TIME),
    A_KIND(DIRECT_DATA_FILE, "data_file of an entry", direct_data_file, data_file, CHILDS_TOO, ONE_AT_A_TIME),
    A_KIND(DATA_WRITER, "data_writer", data_writer, data_writer, PARENTS_ALONE, ONE_AT_A_TIME),
    A_KIND(DIRECT_DATA_WRITER, "data_writer of an entry", direct_data_writer, data_writer, PARENTS_ALONE,
           ONE_AT_A_TIME),
    A_KIND(BUFFER, "buffer", buffer, buffer, CHILDS_TOO, SHAREABLE),
    A_KIND(RECOVER_OPTIONS, "recover_options", recover_options, recover_options, CHILDS_TOO, SHAREABLE),
    A_KIND(RECOVERED, "entries of a recover", recovered, entries, PARENTS_ALONE, ONE_AT_A_TIME),
    A_KIND(STATS_OPTIONS, "stats_options", stats_options, stats_options, CHILDS_TOO, SHAREABLE),
    A_KIND(STATS, "stats", stats, stats, CHILDS_TOO, SHAREABLE),
    A_KIND(LIMITS, "limits", limits, limits, CHILDS_TOO, SHAREABLE),
    A_KIND(PROBLEMS, "problems", problems, problems, CHILDS_TOO, SHAREABLE),
    A_KIND(MONITOR, "monitor", monitor, monitor, PARENTS_ALONE, ONE_AT_A_TIME),
    A_KIND(DAEMON_OPTIONS, "daemon_options", daemon_options, daemon_options, CHILDS_TOO, SHAREABLE),
    A_KIND(DAEMON, "daemon", daemon, daemon, PARENTS_ALONE, ONE_AT_A_TIME),
    A_KIND(EVENT, "event", event, event, CHILDS_TOO, SHAREABLE),
    A_KIND(REPAIR_OPTIONS, "repair_options", repair_options, repair_options, CHILDS_TOO, SHAREABLE),
    A_KIND(PLAN, "plan", plan, plan, CHILDS_TOO, SHAREABLE),
    A_KIND(REPAIRED, "repaired", repaired, repaired, CHILDS_TOO, SHAREABLE),
    A_KIND(ERROR, "error", error, error, CHILDS_TOO, SHAREABLE),
#undef A_KIND
};

/* The handle whose end is another's end too, which gives FINISHED from then on. */
static const enum kind ends_with[KINDS] = {[DATA_FILE] = CHECKOUT};

#endif
