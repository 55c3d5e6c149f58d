/* Watches a spool and tells, a line each, when a problem comes and when it goes: what a program does that raises alarms.
 * It only reads, and may run beside any number of workers.
 *
 *     monitor SPOOL [SECONDS]        between two checks; default 15
 *
 * Runs until SIGTERM or SIGINT.
 * Exit status: 0 done, 1 failure, 2 wrong usage. */

#define _POSIX_C_SOURCE 200809L

#include <multispool.h>
#include <multispool_helpers.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static multispool_stop *stop;

static void on_signal(int signal)
{
    (void)signal;
    if (multispool_stop_trigger(stop) != MULTISPOOL_OK)
        _exit(1);
}

static void report(multispool_error **error)
{
    multispool_error_print(stderr, "monitor", *error);
    multispool_error_free(*error);
    *error = NULL;
}

static int32_t tell(const multispool_event *event, void *stream, multispool_error **error)
{
    const char *word = multispool_event_kind(event) == MULTISPOOL_EVENT_START ? "start" : "end";
    const char *message = multispool_problems_message(multispool_event_problem(event), 0);
    (void)error;
    return fprintf(stream, "%s: %s\n", word, message) < 0 ? MULTISPOOL_HANDLER_FAILED : MULTISPOOL_OK;
}

/* A check that failed is told, and the next one made: the disk may come back. */
static int watch(multispool_daemon *daemon)
{
    for (;;) {
        multispool_error *error;
        int32_t status = multispool_for_each_event(daemon, stop, tell, stdout, &error);
        if (status == MULTISPOOL_OK)
            return 0;
        if (status == MULTISPOOL_HANDLER_FAILED)
            return 1;
        report(&error);
    }
}

int main(int argc, char **argv)
{
    multispool_monitor *monitor = NULL;
    multispool_daemon_options *options = NULL;
    multispool_daemon *daemon = NULL;
    multispool_error *error = NULL;
    struct sigaction action;
    double seconds = 15;
    char *end = "";
    int failed = 1;

    if (argc == 3)
        seconds = strtod(argv[2], &end);
    if (argc < 2 || argc > 3 || *end != '\0' || !(seconds >= 0 && seconds < 1e6)) {
        fprintf(stderr, "usage: monitor SPOOL [SECONDS]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    if (multispool_stop_create(&stop, &error) != MULTISPOOL_OK ||
        multispool_monitor_create(argv[1], NULL, &monitor, &error) != MULTISPOOL_OK ||
        multispool_daemon_options_new(&options, &error) != MULTISPOOL_OK ||
        multispool_daemon_options_set_check_every_ms(options, (int64_t)(seconds * 1000), &error) != MULTISPOOL_OK ||
        multispool_daemon_start(monitor, options, &daemon, &error) != MULTISPOOL_OK) {
        report(&error);
    } else {
        memset(&action, 0, sizeof action);
        action.sa_handler = on_signal;
        sigaction(SIGTERM, &action, NULL);
        sigaction(SIGINT, &action, NULL);
        failed = watch(daemon);
    }

    /* The signal handlers still point to the stop: it lives as long as the process. */
    multispool_daemon_free(daemon);
    multispool_daemon_options_free(options);
    multispool_monitor_free(monitor);
    return failed;
}
