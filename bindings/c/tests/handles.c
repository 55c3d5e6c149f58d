/* Handles of every kind, by tables: those that depend on each other are freed in every order, moved between threads,
 * shared by threads, and left to a forked child; what was finished says so. */

#include <dirent.h>
#include <pthread.h>

#include "calls.h"

enum { MOST_IN_ROW = 6, THREADS = 4, USES_EACH = 10 };

/* Kinds that depend on each other, in the order in which they are made. */
static const struct row {
    const char *name;
    enum kind kinds[MOST_IN_ROW];
} rows[] = {
    {"a spool", {SPOOL_OPTIONS, SPOOL, ENTRY, ERROR}},
    {"a spool's queues", {SPOOL, NAMES}},
    {"a list", {SPOOL, ENTRIES, LISTED_ENTRY}},
    {"a new entry", {SPOOL, ENQUEUE_OPTIONS, ENQUEUE_WRITER}},
    {"a batch", {SPOOL, ENQUEUE_OPTIONS, BATCH}},
    {"what is checked out", {SPOOL, ENTRY, CHECKOUT, DATA_FILE, DATA_WRITER}},
    {"what a checkout is made with", {ENTRY, CHECKOUT_OPTIONS, CHECKOUT, DATA_FILE}},
    {"what a checkout is ended with", {SPOOL, SAVE_OPTIONS, REMOVE_OPTIONS}},
    {"what another has checked out", {SPOOL, CHECKOUTS, UNSAFE_CHECKOUT}},
    {"what is written without a checkout", {SPOOL, ENTRY, DIRECT_DATA_FILE, DIRECT_DATA_WRITER}},
    {"what is read without a checkout", {ENTRY, DIRECT_DATA_FILE, BUFFER}},
    {"a reader", {SPOOL, READER_OPTIONS, READER, STOP, READ_CHECKOUT}},
    {"what went back", {SPOOL, RECOVER_OPTIONS, RECOVERED, LISTED_ENTRY}},
    {"what was counted", {SPOOL, STATS_OPTIONS, STATS}},
    {"what is wrong", {SPOOL, LIMITS, PROBLEMS}},
    {"a monitor", {LIMITS, MONITOR, DAEMON_OPTIONS, DAEMON, EVENT}},
    {"a repair", {SPOOL, REPAIR_OPTIONS, PLAN, REPAIRED}},
};
enum { ROWS = sizeof rows / sizeof *rows };

/* The spools of these tests are many, and none must survive the loss of power. */
static int set_up_quickly(void **state)
{
    multispool_spool_options *options;
    set_up_directory(state);
    memset(handles, 0, sizeof handles);
    DOES(multispool_spool_options_new(&options, &error));
    DOES(multispool_spool_options_set_durability(options, MULTISPOOL_DURABILITY_NONE, &error));
    DOES(multispool_spool_create(directory, queues, 2, options, &spool, &error));
    multispool_spool_options_free(options);
    return 0;
}

static void free_handle(enum kind kind)
{
    kinds[kind].free(handles[kind]);
    handles[kind] = NULL;
}

/* What went wrong, and with which kind. */
struct failure {
    const char *what, *with;
    int32_t status;
    multispool_error *why;
};

static int failed(struct failure *failure, const char *what, enum kind kind, int32_t status)
{
    failure->what = what;
    failure->with = kinds[kind].name;
    failure->status = status;
    return 1;
}

/* Also for a child, where cmocka is not at home. */
static void tell(const struct failure *failure)
{
    fprintf(stderr, "to %s: %s gives %s: %s\n", failure->what, failure->with,
            failure->status == WRONG ? "what it should not" : multispool_status_name(failure->status),
            failure->why != NULL ? multispool_error_message(failure->why) : "no error");
}

static void assert_nothing_failed(struct failure *failure)
{
    if (failure->what != NULL) {
        tell(failure);
        multispool_error_free(failure->why);
        fail();
    }
}

static int make_all(const enum kind *row, struct failure *failure)
{
    for (int i = 0; i < MOST_IN_ROW && row[i] != NO_KIND; i++) {
        int32_t status = kinds[row[i]].make(&handles[row[i]], &failure->why);
        if (status != MULTISPOOL_OK || handles[row[i]] == NULL)
            return failed(failure, "make", row[i], status);
    }
    return 0;
}

/* Uses all that are there. */
static int use_all(const enum kind *row, struct failure *failure)
{
    for (int i = 0; i < MOST_IN_ROW && row[i] != NO_KIND; i++)
        if (handles[row[i]] != NULL) {
            enum kind end = ends_with[row[i]];
            int32_t expected = end == NO_KIND || handles[end] != NULL ? MULTISPOOL_OK : MULTISPOOL_FINISHED;
            int32_t status = kinds[row[i]].use(handles[row[i]], &failure->why);
            if (status != expected || multispool_error_status(failure->why) != expected)
                return failed(failure, "use", row[i], status);
            multispool_error_free(failure->why);
            failure->why = NULL;
        }
    return 0;
}

static void free_all(const enum kind *row)
{
    for (int i = 0; i < MOST_IN_ROW && row[i] != NO_KIND; i++)
        free_handle(row[i]);
}

/* In every order
 * ============== */

static int files_in(const char *path)
{
    DIR *dir = opendir(path);
    int count = 0;
    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count - 2;
}

/* The next order, as numbers grow; 0 after the last. */
static int next_order(int *order, int count)
{
    int at = count - 2, with = count - 1, swapped;
    while (at >= 0 && order[at] > order[at + 1])
        at--;
    if (at < 0)
        return 0;
    while (order[with] < order[at])
        with--;
    swapped = order[at], order[at] = order[with], order[with] = swapped;
    for (int low = at + 1, high = count - 1; low < high; low++, high--)
        swapped = order[low], order[low] = order[high], order[high] = swapped;
    return 1;
}

/* Whatever is left works, and when none is left nothing of them is: no descriptor, no temporary file, no lock. */
static void free_in_this_order(const enum kind *row, const int *order, int count)
{
    struct failure failure = {0};
    int descriptors = files_in("/proc/self/fd");
    int owned;
    make_all(row, &failure);
    assert_nothing_failed(&failure);
    owned = exists("in/.checkout/a");
    for (int i = 0; i < count; i++) {
        use_all(row, &failure);
        if (failure.what != NULL) {
            print_error("freed so far:");
            for (int j = 0; j < i; j++)
                print_error(" %s", kinds[row[order[j]]].name);
            print_error("\n");
        }
        assert_nothing_failed(&failure);
        free_handle(row[order[i]]);
    }
    assert_int_equal(files_in("/proc/self/fd"), descriptors);
    assert_int_equal(files_in(in_spool(".tmp")), 0);
    DOES(multispool_recover(spool, NULL, NULL, &error));
    assert_false(exists("in/.checkout/a"));
    assert_true(!owned || exists("in/a"));
}

static void freed_in_every_order(void **state)
{
    const struct row *row = *state;
    int order[MOST_IN_ROW], count = 0, orders = 0, expected = 1;
    for (; count < MOST_IN_ROW && row->kinds[count] != NO_KIND; count++) {
        order[count] = count;
        expected *= count + 1;
    }
    do {
        set_up_quickly(NULL);
        free_in_this_order(row->kinds, order, count);
        assert_int_equal(tear_down(NULL), 0);
        orders++;
    } while (next_order(order, count));
    assert_int_equal(orders, expected);
}

static void every_kind_is_in_a_row(void **state)
{
    int found[KINDS] = {0};
    (void)state;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < MOST_IN_ROW; j++)
            found[rows[i].kinds[j]] = 1;
    for (int kind = NO_KIND + 1; kind < KINDS; kind++) {
        assert_non_null(kinds[kind].name);
        if (!found[kind])
            print_error("in no row: %s\n", kinds[kind].name);
        assert_true(found[kind]);
    }
}

static void freed_as_null(void **state)
{
    (void)state;
    for (int kind = NO_KIND + 1; kind < KINDS; kind++)
        kinds[kind].free(NULL);
}

/* In threads
 * ========== */

struct task {
    const enum kind *row;
    struct failure failure;
    /* No thread begins before all are there. */
    pthread_barrier_t *start;
};

static void *make_in_a_thread(void *task)
{
    make_all(((struct task *)task)->row, &((struct task *)task)->failure);
    return NULL;
}

static void *use_in_a_thread(void *task)
{
    use_all(((struct task *)task)->row, &((struct task *)task)->failure);
    return NULL;
}

static void *use_and_free_in_a_thread(void *task)
{
    use_in_a_thread(task);
    free_all(((struct task *)task)->row);
    return NULL;
}

static void moved_between_threads(void **state)
{
    void *(*const steps[])(void *) = {make_in_a_thread, use_in_a_thread, use_and_free_in_a_thread};
    const struct row *row = *state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct task task = {row->kinds, {0}, NULL};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, steps[i], &task), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_nothing_failed(&task.failure);
    }
    for (int kind = 0; kind < KINDS; kind++)
        assert_null(handles[kind]);
}

static void *use_again_and_again(void *argument)
{
    struct task *task = argument;
    pthread_barrier_wait(task->start);
    for (int i = 0; i < USES_EACH; i++)
        if (use_all(task->row, &task->failure))
            break;
    return NULL;
}

/* All of a row that may be are used by several threads at once. */
static void shared_by_threads(void **state)
{
    const struct row *row = *state;
    enum kind shared[MOST_IN_ROW] = {NO_KIND};
    struct failure failure = {0};
    struct task tasks[THREADS];
    pthread_t threads[THREADS];
    pthread_barrier_t start;
    int count = 0;
    make_all(row->kinds, &failure);
    assert_nothing_failed(&failure);
    for (int i = 0; i < MOST_IN_ROW && row->kinds[i] != NO_KIND; i++)
        if (kinds[row->kinds[i]].threads == SHAREABLE)
            shared[count++] = row->kinds[i];
    assert_true(count > 0);
    assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
    for (int i = 0; i < THREADS; i++) {
        tasks[i] = (struct task){shared, {0}, &start};
        assert_int_equal(pthread_create(&threads[i], NULL, use_again_and_again, &tasks[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_nothing_failed(&tasks[i].failure);
    assert_int_equal(pthread_barrier_destroy(&start), 0);
    free_all(row->kinds);
}

/* Once finished
 * ============= */

/* Each function of a handle gives that status, and its error. `kind` may be another of the same functions. */
static int all_refuse(enum kind kind, int32_t expected, struct failure *failure)
{
    for (int i = 0; i < CALLS_COUNT; i++)
        if (kinds[calls[i].of].use == kinds[kind].use) {
            int32_t status = calls[i].call(handles[kind], &failure->why);
            if (status != expected || multispool_error_status(failure->why) != expected)
                return failed(failure, calls[i].name, kind, status);
            multispool_error_free(failure->why);
            failure->why = NULL;
        }
    return 0;
}

/* What can still be asked of what is finished. */

static int knows_checkout(void)
{
    size_t len;
    return multispool_checkout_finished(handles[CHECKOUT]) == 1 &&
           strcmp(multispool_checkout_name(handles[CHECKOUT]), "a") == 0 &&
           strcmp(multispool_checkout_queue(handles[CHECKOUT]), "in") == 0 &&
           multispool_checkout_metadata(handles[CHECKOUT], &len) != NULL &&
           strcmp(multispool_data_file_path(handles[DATA_FILE]), in_spool(".data/a")) == 0;
}

static int knows_data_writer(void)
{
    return multispool_data_writer_fd(handles[DATA_WRITER]) == -1 &&
           multispool_checkout_finished(handles[CHECKOUT]) == 0;
}

static int knows_enqueue_writer(void)
{
    return multispool_enqueue_writer_fd(handles[ENQUEUE_WRITER]) == -1 &&
           multispool_enqueue_writer_name(handles[ENQUEUE_WRITER]) != NULL;
}

static int knows_batch(void)
{
    return multispool_batch_size(handles[BATCH]) == 1 && multispool_batch_name(handles[BATCH], 0) != NULL &&
           multispool_batch_status(handles[BATCH], 0, NULL) == MULTISPOOL_OK;
}

/* A call that finishes handles, which then refuse all but what they know. */
static const struct finish {
    const char *name;
    enum kind made[MOST_IN_ROW];
    enum kind of;
    int32_t (*call)(void *handle, multispool_error **why);
    enum kind finished[2];
    int (*knows)(void);
} finishes[] = {
#define A_CHECKOUTS_END(name)                                                                 \
    {"after multispool_" #name, {ENTRY, CHECKOUT, DATA_FILE}, CHECKOUT, call_##name, {CHECKOUT, DATA_FILE}, \
     knows_checkout}
    A_CHECKOUTS_END(checkout_save),
    A_CHECKOUTS_END(checkout_remove),
    A_CHECKOUTS_END(checkout_release),
    A_CHECKOUTS_END(save_many),
    A_CHECKOUTS_END(remove_many),
    {"after multispool_data_writer_commit",
     {ENTRY, CHECKOUT, DATA_FILE, DATA_WRITER},
     DATA_WRITER,
     call_data_writer_commit,
     {DATA_WRITER},
     knows_data_writer},
    {"after multispool_enqueue_writer_commit",
     {ENQUEUE_WRITER},
     ENQUEUE_WRITER,
     call_enqueue_writer_commit,
     {ENQUEUE_WRITER},
     knows_enqueue_writer},
    {"after multispool_batch_commit", {BATCH}, BATCH, call_batch_commit, {BATCH}, knows_batch},
};
enum { FINISHES = sizeof finishes / sizeof *finishes };

static void finished(void **state)
{
    const struct finish *finish = *state;
    struct failure failure = {0};
    make_all(finish->made, &failure);
    use_all(finish->made, &failure);
    assert_nothing_failed(&failure);
    DOES(finish->call(handles[finish->of], &error));
    for (int twice = 0; twice < 2; twice++)
        for (int i = 0; i < 2 && finish->finished[i] != NO_KIND; i++) {
            all_refuse(finish->finished[i], MULTISPOOL_FINISHED, &failure);
            assert_nothing_failed(&failure);
        }
    assert_true(finish->knows());
    free_all(finish->made);
    assert_int_equal(files_in(in_spool(".tmp")), 0);
}

/* In a forked child
 * ================= */

/* What others may take of the handles, with a recover and a repair of whatever age: nothing. */
static int32_t others_get_nothing(multispool_error **why)
{
    multispool_spool *another;
    multispool_entry *entry;
    multispool_checkout *checkout;
    multispool_repair_options *options;
    multispool_plan *plan;
    multispool_repaired *repaired;
    const multispool_steps *steps;
    int32_t status = MULTISPOOL_OK;
    TRY(multispool_spool_load(directory, queues, 2, NULL, &another, why));
    if (handles[CHECKOUT] != NULL || handles[READ_CHECKOUT] != NULL) {
        TRY(multispool_recover(another, NULL, NULL, why));
        TRY(multispool_entry_create(another, "in", "a", &entry, why));
        status = multispool_entry_try_checkout(entry, NULL, &checkout, why);
        status = holds(status == MULTISPOOL_NOT_FOUND && exists("in/.checkout/a"));
        multispool_entry_free(entry);
    }
    /* What is written without a checkout has no owner, and only its age keeps it. */
    if (handles[DIRECT_DATA_WRITER] == NULL) {
        TRY(make_repair_options((void **)&options, why));
        TRY(multispool_spool_repair_plan(another, options, &plan, why));
        TRY(multispool_plan_apply(plan, &repaired, why));
        steps = multispool_repaired_steps(repaired);
        for (size_t i = 0; i < multispool_steps_count(steps); i++)
            if (strcmp(multispool_steps_filename(steps, i), "x") != 0)
                status = WRONG;
        multispool_repaired_free(repaired);
        multispool_plan_free(plan);
        multispool_repair_options_free(options);
    }
    multispool_spool_free(another);
    return status;
}

/* The child uses and frees all that it inherited. */
static int used_in_the_child(const enum kind *row, struct failure *failure)
{
    for (int i = 0; i < MOST_IN_ROW && row[i] != NO_KIND; i++) {
        int32_t expected = (int32_t)kinds[row[i]].in_child;
        int32_t status = kinds[row[i]].use(handles[row[i]], &failure->why);
        if (status != expected || multispool_error_status(failure->why) != expected)
            return failed(failure, "use in a child", row[i], status);
        multispool_error_free(failure->why);
        failure->why = NULL;
        if (expected != MULTISPOOL_OK && all_refuse(row[i], expected, failure))
            return 1;
    }
    free_all(row);
    return 0;
}

static void assert_a_child_does(int (*what)(const enum kind *row, struct failure *failure), const enum kind *row)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct failure failure = {0};
        if (what(row, &failure)) {
            tell(&failure);
            _exit(1);
        }
        _exit(0);
    }
    assert_child_succeeds(child);
}

static int others_in_a_child_get_nothing(const enum kind *row, struct failure *failure)
{
    int32_t status = others_get_nothing(&failure->why);
    return status == MULTISPOOL_OK ? 0 : failed(failure, "take what is another's", row[0], status);
}

static void left_to_a_child(void **state)
{
    /* In this order: what is written, then what it belongs to. */
    static const struct {
        enum kind of;
        int32_t (*call)(void *handle, multispool_error **why);
    } ends[] = {
        {DATA_WRITER, call_data_writer_commit},       {DIRECT_DATA_WRITER, call_data_writer_commit},
        {ENQUEUE_WRITER, call_enqueue_writer_commit}, {BATCH, call_batch_commit},
        {CHECKOUT, call_checkout_save},               {READ_CHECKOUT, call_checkout_save},
        {UNSAFE_CHECKOUT, call_checkout_save},
    };
    const struct row *row = *state;
    struct failure failure = {0};
    make_all(row->kinds, &failure);
    use_all(row->kinds, &failure);
    assert_nothing_failed(&failure);
    assert_a_child_does(used_in_the_child, row->kinds);
    assert_a_child_does(others_in_a_child_get_nothing, row->kinds);
    DOES(others_get_nothing(&error));
    use_all(row->kinds, &failure);
    assert_nothing_failed(&failure);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (handles[ends[i].of] != NULL)
            DOES(ends[i].call(handles[ends[i].of], &error));
    free_all(row->kinds);
}

/* A test for each row of a table, by the name of the row. */
#define EACH(of, test, table, set_up, tear_down)                                                           \
    static int of(void)                                                                                    \
    {                                                                                                      \
        struct CMUnitTest tests[sizeof table / sizeof *table];                                             \
        for (size_t i = 0; i < sizeof table / sizeof *table; i++)                                          \
            tests[i] = (struct CMUnitTest){table[i].name, test, set_up, tear_down, (void *)&table[i]};     \
        return cmocka_run_group_tests_name("handles " #test, tests, NULL, NULL);                           \
    }
EACH(each_freed, freed_in_every_order, rows, NULL, NULL)
EACH(each_moved, moved_between_threads, rows, set_up_quickly, tear_down)
EACH(each_shared, shared_by_threads, rows, set_up_quickly, tear_down)
EACH(each_left, left_to_a_child, rows, set_up_quickly, tear_down)
EACH(each_finished, finished, finishes, set_up_quickly, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_in_a_row),
        cmocka_unit_test(freed_as_null),
    };
    int failures = cmocka_run_group_tests_name("handles", tests, NULL, NULL);
    failures += each_freed();
    failures += each_moved();
    failures += each_shared();
    failures += each_left();
    failures += each_finished();
    return failures;
}
