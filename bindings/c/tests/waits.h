/* What the tests of waits share. Nothing here sleeps to be in time: each wait ends by the event that the test is
 * about, or fails after a minute. */

#ifndef WAITS_H
#define WAITS_H

#include <pthread.h>
#include <signal.h>

#include "fixture.h"

enum { A_MINUTE = 60000 };

static inline int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* For a thread: triggers the stop, and gives NULL where that fails. */
static inline void *trigger_from_a_thread(void *stop)
{
    return multispool_stop_trigger(stop) == MULTISPOOL_OK ? stop : NULL;
}

static multispool_stop *stop_of_handler;

static inline void trigger_from_a_handler(int signal)
{
    (void)signal;
    if (multispool_stop_trigger(stop_of_handler) != MULTISPOOL_OK)
        abort();
}

static inline void do_nothing(int signal)
{
    (void)signal;
}

/* Signals a thread every millisecond, until what it was sent for has happened. */
struct signaller {
    pthread_t target;
    int done; /* written by the one thread while the other reads it: with __atomic alone */
};

static inline void *signal_until_done(void *argument)
{
    static const struct timespec a_millisecond = {0, 1000000};
    struct signaller *signaller = argument;
    while (!__atomic_load_n(&signaller->done, __ATOMIC_SEQ_CST)) {
        pthread_kill(signaller->target, SIGUSR1);
        nanosleep(&a_millisecond, NULL);
    }
    return NULL;
}

/* A wait of at most a minute, while signals come that this handler gets. */
static inline int32_t wait_under_signals(void (*handler)(int), int32_t (*wait)(const multispool_stop *, int64_t),
                                         const multispool_stop *stop)
{
    struct sigaction action, before;
    struct signaller signaller = {pthread_self(), 0};
    pthread_t thread;
    int32_t status;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    assert_int_equal(pthread_create(&thread, NULL, signal_until_done, &signaller), 0);
    status = wait(stop, A_MINUTE);
    __atomic_store_n(&signaller.done, 1, __ATOMIC_SEQ_CST);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
    return status;
}

#endif
