#define _POSIX_C_SOURCE 200809L

#include "roles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* How long a consumer waits for one more message before it says that there are no more. */
enum { PATIENCE_MS = 2000 };

static const struct queue *queue;

void fail(const char *what)
{
    fprintf(stderr, "driver: %s: %s\n", what, strerror(errno));
    exit(1);
}

long must(long result, const char *what)
{
    if (result < 0)
        fail(what);
    return result;
}

static double now(void)
{
    struct timespec time;
    must(clock_gettime(CLOCK_MONOTONIC, &time), "clock_gettime");
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static double cpu(void)
{
    struct rusage used;
    must(getrusage(RUSAGE_SELF, &used), "getrusage");
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

static void pause_for(double seconds)
{
    struct timespec left;
    left.tv_sec = (time_t)seconds;
    left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        continue;
}

/* A line of /proc/self/status: VmHWM is the most memory so far, VmRSS what is in use now. */
static long resident_kb(const char *field)
{
    char line[256];
    long kb = -1;
    size_t len = strlen(field);
    FILE *status = fopen("/proc/self/status", "r");
    if (status == NULL)
        fail("/proc/self/status");
    while (kb < 0 && fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, field, len) == 0 && line[len] == ':')
            kb = strtol(line + len + 1, NULL, 10);
    }
    fclose(status);
    return kb;
}

/* Durations in seconds. */
struct samples {
    double *values;
    size_t count, room;
};

static void add(struct samples *samples, double value)
{
    if (samples->count == samples->room) {
        samples->room = samples->room == 0 ? 4096 : samples->room * 2;
        samples->values = realloc(samples->values, samples->room * sizeof *samples->values);
        if (samples->values == NULL)
            fail("memory");
    }
    samples->values[samples->count++] = value;
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void sort(struct samples *samples)
{
    if (samples->count > 0)
        qsort(samples->values, samples->count, sizeof *samples->values, ascending);
}

/* Of sorted samples, in microseconds. */
static double at(const struct samples *samples, double part)
{
    return samples->count == 0 ? 0 : samples->values[(size_t)((double)samples->count * part)] * 1e6;
}

static void fill(struct message *message)
{
    memset(message->metadata, 'm', sizeof message->metadata);
    memset(message->data, 'd', sizeof message->data);
}

static void report(struct samples *samples, long n, double began, double ended, double used)
{
    sort(samples);
    printf("{\"n\":%ld,\"t0\":%.6f,\"t1\":%.6f,\"cpu\":%.6f,\"rss_kb\":%ld,\"p50us\":%.1f,\"p99us\":%.1f}\n", n, began, ended,
           used, resident_kb("VmHWM"), at(samples, 0.5), at(samples, 0.99));
    free(samples->values);
}

/* A batch is one sample. */
static void put(long n, double seconds, size_t size)
{
    struct message message;
    struct samples samples = {NULL, 0, 0};
    long done = 0;
    fill(&message);
    double used = cpu(), began = now(), last = began;
    while (done < n && last - began < seconds) {
        if (size == 0)
            queue->put(&message);
        else
            queue->put_batch(&message, size);
        done += size == 0 ? 1 : (long)size;
        double time = now();
        add(&samples, time - last);
        last = time;
    }
    report(&samples, done, began, last, cpu() - used);
}

static void get(long n, double seconds)
{
    struct message message;
    struct samples samples = {NULL, 0, 0};
    double used = cpu(), began = now(), last = began;
    while ((long)samples.count < n && last - began < seconds) {
        if (!queue->take(&message, PATIENCE_MS))
            break;
        queue->acknowledge();
        double time = now();
        add(&samples, time - last);
        last = time;
    }
    report(&samples, (long)samples.count, began, last, cpu() - used);
}

static void put_times(long n, double pause)
{
    struct message message;
    fill(&message);
    while (n-- > 0) {
        pause_for(pause);
        double time = now();
        memcpy(message.metadata, &time, sizeof time);
        queue->put(&message);
    }
}

static void get_times(long n)
{
    struct message message;
    struct samples samples = {NULL, 0, 0};
    /* So that it waits, whatever is made when that is done first. */
    queue->take(&message, 0);
    puts("ready");
    fflush(stdout);
    while ((long)samples.count < n) {
        double sent;
        if (!queue->take(&message, 10 * PATIENCE_MS)) {
            errno = ETIMEDOUT;
            fail("a message did not come");
        }
        double time = now();
        memcpy(&sent, message.metadata, sizeof sent);
        add(&samples, time - sent);
        queue->acknowledge();
    }
    sort(&samples);
    printf("{\"n\":%ld,\"min\":%.1f,\"p50\":%.1f,\"p99\":%.1f}\n", n, at(&samples, 0), at(&samples, 0.5), at(&samples, 0.99));
    free(samples.values);
}

static void idle(double seconds)
{
    struct message message;
    queue->take(&message, (int)(seconds * 1000));
    printf("{\"rss_kb\":%ld}\n", resident_kb("VmRSS"));
}

int play(const struct queue *of, int argc, char **argv)
{
    const char *role = argc > 5 ? argv[4] : "";
    double n = argc > 5 ? strtod(argv[5], NULL) : 0;
    double second = argc > 6 ? strtod(argv[6], NULL) : 1e9;
    size_t size = argc > 7 ? strtoul(argv[7], NULL, 10) : 0;

    queue = of;
    if (n <= 0 || (strcmp(role, "batch") == 0) != (size > 0)) {
        fprintf(stderr, "usage: driver PEER DURABILITY DIR put|batch|get|latp|latc|idle ARGUMENT...\n");
        return 2;
    }
    if (size > 0 && queue->put_batch == NULL) {
        fprintf(stderr, "driver: there are no batches\n");
        return 1;
    }
    queue->open(argv[1], argv[2], argv[3]);
    if (strcmp(role, "put") == 0 || strcmp(role, "batch") == 0)
        put((long)n, second, size);
    else if (strcmp(role, "get") == 0)
        get((long)n, second);
    else if (strcmp(role, "latp") == 0)
        put_times((long)n, second * 1e-6);
    else if (strcmp(role, "latc") == 0)
        get_times((long)n);
    else if (strcmp(role, "idle") == 0)
        idle(n);
    else {
        fprintf(stderr, "driver: unknown role %s\n", role);
        return 2;
    }
    queue->close();
    return 0;
}
