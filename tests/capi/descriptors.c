/* What was freed leaves no descriptor behind, however often it is done. argv[1]: a directory to use. */

#define _GNU_SOURCE

#include <dirent.h>
#include <multispool.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHECK(condition)                                                 \
    do {                                                                 \
        if (!(condition)) {                                              \
            fprintf(stderr, "line %d: not " #condition "\n", __LINE__);  \
            exit(1);                                                     \
        }                                                                \
    } while (0)

static int entries_of(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;
    CHECK(directory != NULL);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count - 2;
}

/* The watcher thread takes its descriptors with it: it ends some time after the last reader it served. */
static int open_descriptors(void)
{
    alarm(60);
    while (entries_of("/proc/self/task") > 1)
        sched_yield();
    alarm(0);
    return entries_of("/proc/self/fd");
}

static void once(const char *path)
{
    static const char *const queues[] = {"in", "out"};
    multispool_spool *spool;
    multispool_reader *reader;
    multispool_checkout *checkout, *unfinished;
    multispool_data_file *data_file;
    multispool_data_writer *data_writer;
    multispool_enqueue_writer *writer;
    multispool_entries *entries;
    multispool_entry *entry;
    multispool_stop *stop;
    multispool_monitor *monitor;
    multispool_problems *problems;
    multispool_daemon *daemon;
    multispool_event *event;
    multispool_repair_options *options;
    multispool_plan *plan;
    multispool_repaired *repaired;
    char lost[4096];
    int fd;

    CHECK(multispool_spool_create(path, queues, 2, NULL, &spool, NULL) == MULTISPOOL_OK);
    CHECK(multispool_enqueue_writer_create(spool, "in", NULL, &writer, NULL) == MULTISPOOL_OK);
    CHECK(multispool_enqueue_writer_commit(writer, NULL, 0, NULL, NULL) == MULTISPOOL_OK);
    multispool_enqueue_writer_free(writer);
    CHECK(multispool_enqueue_writer_create(spool, "in", NULL, &writer, NULL) == MULTISPOOL_OK);
    multispool_enqueue_writer_free(writer);
    CHECK(multispool_enqueue(spool, "in", NULL, 0, NULL, 0, NULL, NULL, NULL) == MULTISPOOL_OK);
    CHECK(multispool_list(spool, "in", &entries, NULL) == MULTISPOOL_OK);
    CHECK(multispool_entries_next(entries, &entry, NULL) == MULTISPOOL_OK);
    CHECK(multispool_entry_checkout(entry, NULL, &unfinished, NULL) == MULTISPOOL_OK);
    multispool_entry_free(entry);
    multispool_entries_free(entries);
    CHECK(multispool_stop_create(&stop, NULL) == MULTISPOOL_OK);
    CHECK(multispool_reader_create(spool, queues, 1, NULL, &reader, NULL) == MULTISPOOL_OK);
    CHECK(multispool_reader_fd(reader, &fd, NULL) == MULTISPOOL_OK);
    CHECK(multispool_reader_dequeue(reader, stop, -1, &checkout, NULL) == MULTISPOOL_OK);
    CHECK(multispool_checkout_data_file(checkout, &data_file, NULL) == MULTISPOOL_OK);
    CHECK(multispool_data_file_writer(data_file, &data_writer, NULL) == MULTISPOOL_OK);
    multispool_data_writer_free(data_writer);
    multispool_data_file_free(data_file);
    CHECK(multispool_checkout_remove(checkout, NULL, NULL) == MULTISPOOL_OK);
    multispool_checkout_free(checkout);
    multispool_checkout_free(unfinished);
    CHECK(multispool_recover(spool, NULL, NULL, NULL) == MULTISPOOL_OK);
    CHECK(multispool_reader_dequeue(reader, stop, -1, &checkout, NULL) == MULTISPOOL_OK);
    CHECK(multispool_checkout_remove(checkout, NULL, NULL) == MULTISPOOL_OK);
    multispool_checkout_free(checkout);
    multispool_reader_free(reader);
    multispool_stop_free(stop);

    CHECK(multispool_monitor_create(path, NULL, &monitor, NULL) == MULTISPOOL_OK);
    CHECK(multispool_monitor_run_once(monitor, &problems, NULL) == MULTISPOOL_OK);
    multispool_problems_free(problems);
    CHECK(multispool_daemon_start(monitor, NULL, &daemon, NULL) == MULTISPOOL_OK);
    CHECK(multispool_daemon_next(daemon, NULL, 0, &event, NULL) == MULTISPOOL_EMPTY);
    multispool_daemon_free(daemon);
    multispool_monitor_free(monitor);
    CHECK(multispool_reserve(spool, "unused", NULL, NULL) == MULTISPOOL_OK);
    snprintf(lost, sizeof lost, "%s.lost", path);
    CHECK(multispool_repair_options_new(&options, NULL) == MULTISPOOL_OK);
    CHECK(multispool_repair_options_set_min_age_ms(options, 0, NULL) == MULTISPOOL_OK);
    CHECK(multispool_repair_options_set_to(options, lost, NULL) == MULTISPOOL_OK);
    CHECK(multispool_spool_repair_plan(spool, options, &plan, NULL) == MULTISPOOL_OK);
    multispool_repair_options_free(options);
    CHECK(multispool_plan_apply(plan, &repaired, NULL) == MULTISPOOL_OK);
    CHECK(multispool_steps_count(multispool_repaired_steps(repaired)) == 1);
    multispool_repaired_free(repaired);
    multispool_plan_free(plan);
    snprintf(lost, sizeof lost, "%s.lost/.registry/unused", path);
    CHECK(unlink(lost) == 0);
    multispool_spool_free(spool);
}

int main(int argc, char **argv)
{
    int after_one;
    CHECK(argc >= 2);
    once(argv[1]);
    after_one = open_descriptors();
    for (int i = 0; i < 20; i++)
        once(argv[1]);
    CHECK(open_descriptors() == after_one);
    return 0;
}
