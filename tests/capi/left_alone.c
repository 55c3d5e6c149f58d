/* Uses a spool in every way, and looks whether the process is as it was before: signal handlers and mask,
 * umask, working directory, environment, locale, standard streams, threads. argv[1]: a directory to use. */

#define _GNU_SOURCE

#include <dirent.h>
#include <fcntl.h>
#include <locale.h>
#include <multispool.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

#define CHECK(condition)                                                 \
    do {                                                                 \
        if (!(condition)) {                                              \
            fprintf(stderr, "line %d: not " #condition "\n", __LINE__);  \
            exit(1);                                                     \
        }                                                                \
    } while (0)

struct process {
    struct sigaction actions[65];
    sigset_t blocked;
    mode_t mask;
    char working_directory[4096];
    char environment[65536];
    char locale[256];
};

static void look(struct process *process)
{
    memset(process, 0, sizeof *process);
    for (int signal = 1; signal <= 64; signal++)
        sigaction(signal, NULL, &process->actions[signal]);
    sigprocmask(SIG_BLOCK, NULL, &process->blocked);
    process->mask = umask(0);
    umask(process->mask);
    CHECK(getcwd(process->working_directory, sizeof process->working_directory) != NULL);
    for (char **variable = environ; *variable != NULL; variable++)
        if (strlen(process->environment) + strlen(*variable) + 2 < sizeof process->environment) {
            strcat(process->environment, *variable);
            strcat(process->environment, "\n");
        }
    snprintf(process->locale, sizeof process->locale, "%s", setlocale(LC_ALL, NULL));
}

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

static int threads(void)
{
    return entries_of("/proc/self/task");
}

/* All signals are blocked in the thread that is not this one. */
static void check_watcher_is_deaf(void)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    char path[300], line[256], self[32];
    int looked_at = 0;
    snprintf(self, sizeof self, "%d", getpid());
    while ((task = readdir(tasks)) != NULL) {
        FILE *status;
        unsigned long long blocked = 0;
        if (task->d_name[0] == '.' || strcmp(task->d_name, self) == 0)
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
        status = fopen(path, "r");
        CHECK(status != NULL);
        while (fgets(line, sizeof line, status) != NULL)
            sscanf(line, "SigBlk: %llx", &blocked);
        fclose(status);
        for (int signal = 1; signal < 32; signal++)
            CHECK(signal == SIGKILL || signal == SIGSTOP || (blocked >> (signal - 1) & 1) == 1);
        looked_at++;
    }
    closedir(tasks);
    CHECK(looked_at == 1);
}

/* What was open at the start is not the library's. */
static char inherited[1024];

static void note_inherited(void)
{
    for (int fd = 0; fd < (int)sizeof inherited; fd++)
        inherited[fd] = fcntl(fd, F_GETFD) >= 0;
}

static void check_close_on_exec(void)
{
    for (int fd = 0; fd < (int)sizeof inherited; fd++) {
        int flags = fcntl(fd, F_GETFD);
        CHECK(inherited[fd] || flags < 0 || (flags & FD_CLOEXEC) != 0);
    }
}

static void use_everything(const char *directory)
{
    static const char *const queues[] = {"in", "out"};
    const uint8_t bytes[] = "bytes";
    multispool_spool *spool;
    multispool_entry *entry;
    multispool_checkout *checkout;
    multispool_reader *reader;
    multispool_stop *stop;
    multispool_monitor *monitor;
    multispool_problems *problems;
    multispool_daemon *daemon;
    multispool_event *event;
    multispool_plan *plan;
    multispool_error *error;
    int fd;

    CHECK(multispool_spool_load(directory, queues, 2, NULL, &spool, &error) == MULTISPOOL_MISSING);
    multispool_error_free(error);
    CHECK(multispool_spool_create(directory, queues, 2, NULL, &spool, NULL) == MULTISPOOL_OK);
    for (int i = 0; i < 2; i++)
        CHECK(multispool_enqueue(spool, "in", bytes, 5, bytes, 5, NULL, &entry, NULL) == MULTISPOOL_OK &&
              (multispool_entry_free(entry), 1));
    CHECK(multispool_stop_create(&stop, NULL) == MULTISPOOL_OK);
    CHECK(multispool_reader_create(spool, queues, 1, NULL, &reader, NULL) == MULTISPOOL_OK);
    CHECK(multispool_reader_dequeue(reader, stop, -1, &checkout, NULL) == MULTISPOOL_OK);
    CHECK(threads() == 1);
    check_close_on_exec();
    CHECK(multispool_checkout_save(checkout, "out", NULL, NULL) == MULTISPOOL_OK);
    multispool_checkout_free(checkout);
    CHECK(multispool_reader_fd(reader, &fd, NULL) == MULTISPOOL_OK);
    CHECK(threads() == 2);
    check_watcher_is_deaf();
    check_close_on_exec();
    CHECK(multispool_reader_dequeue(reader, stop, 0, &checkout, NULL) == MULTISPOOL_OK);
    CHECK(multispool_checkout_remove(checkout, NULL, NULL) == MULTISPOOL_OK);
    multispool_checkout_free(checkout);
    CHECK(multispool_stop_trigger(stop) == MULTISPOOL_OK);
    CHECK(multispool_reader_dequeue(reader, stop, -1, &checkout, NULL) == MULTISPOOL_STOPPED);
    CHECK(multispool_recover(spool, NULL, NULL, NULL) == MULTISPOOL_OK);
    multispool_reader_free(reader);
    CHECK(multispool_monitor_create(directory, NULL, &monitor, NULL) == MULTISPOOL_OK);
    CHECK(multispool_monitor_run_once(monitor, &problems, NULL) == MULTISPOOL_OK);
    multispool_problems_free(problems);
    CHECK(multispool_daemon_start(monitor, NULL, &daemon, NULL) == MULTISPOOL_OK);
    CHECK(multispool_daemon_next(daemon, NULL, 0, &event, NULL) == MULTISPOOL_EMPTY);
    CHECK(multispool_daemon_next(daemon, stop, -1, &event, NULL) == MULTISPOOL_STOPPED);
    CHECK(multispool_spool_repair_plan(spool, NULL, &plan, NULL) == MULTISPOOL_OK);
    CHECK(multispool_plan_apply(plan, NULL, NULL) == MULTISPOOL_OK);
    check_close_on_exec();
    multispool_plan_free(plan);
    multispool_daemon_free(daemon);
    multispool_stop_free(stop);
    multispool_monitor_free(monitor);
    multispool_spool_free(spool);
}

int main(int argc, char **argv)
{
    static struct process before, after;
    CHECK(argc >= 2);
    note_inherited();
    umask(027);
    signal(SIGPIPE, SIG_DFL);
    look(&before);
    use_everything(argv[1]);
    look(&after);
    for (int signal = 1; signal <= 64; signal++)
        CHECK(before.actions[signal].sa_handler == after.actions[signal].sa_handler);
    CHECK(memcmp(&before.blocked, &after.blocked, sizeof before.blocked) == 0);
    CHECK(before.mask == after.mask);
    CHECK(strcmp(before.working_directory, after.working_directory) == 0);
    CHECK(strcmp(before.environment, after.environment) == 0);
    CHECK(strcmp(before.locale, after.locale) == 0);
    return 0;
}
