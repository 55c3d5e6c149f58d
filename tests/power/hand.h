/* One thread of a worker: what it has in hand, how it chooses, and how it tells what it does. */

#ifndef HAND_H
#define HAND_H

#include <multispool.h>
#include <time.h>

#include "content.h"
#include "log.h"
#include "queues.h"

/* How many entries a thread has checked out at most. */
enum { HELD = 3 };

struct hand {
    char who[24];
    int log;
    const multispool_spool *spool;
    int (*work)(struct hand *hand);
    struct timespec think;
    multispool_reader *readers[QUEUES];
    multispool_checkout *held[HELD];
    int held_count;
    uint64_t random;
    unsigned made;
    int is_up;
    uint8_t metadata[CONTENT_MAX];
    uint8_t data[CONTENT_MAX];
};

static inline uint64_t pick(struct hand *hand, uint64_t below)
{
    return content_random(&hand->random) % below;
}

static inline const char *pick_queue(struct hand *hand)
{
    return queues[pick(hand, QUEUES)];
}

static inline void new_token(struct hand *hand, size_t len, char token[TOKEN_SIZE])
{
    /* Room for the token itself, and some noise after it. */
    snprintf(token, TOKEN_SIZE, "%s-%u.%zu", hand->who, ++hand->made, len + TOKEN_SIZE);
}

static inline size_t new_metadata(struct hand *hand, char token[TOKEN_SIZE])
{
    new_token(hand, (size_t)pick(hand, pick(hand, 5) == 0 ? 12000 : 200), token);
    return content_write(token, hand->metadata);
}

static inline size_t new_data(struct hand *hand, char token[TOKEN_SIZE])
{
    static const size_t most[] = {100, 4000, 4000, 4000, 4000, 70000, 70000, 300000};
    new_token(hand, (size_t)pick(hand, most[pick(hand, sizeof most / sizeof *most)]), token);
    return content_write(token, hand->data);
}

/* Logs how a call ended, as `who`; 1 if the hand goes on. `error` is freed. */
static inline int told_as(struct hand *hand, const char *who, int32_t status, const char *name, multispool_error *error)
{
    if (status == MULTISPOOL_OK) {
        log_line(hand->log, "%s ok %s", who, name);
        if (!hand->is_up)
            log_line(hand->log, "%s up", hand->who);
        hand->is_up = 1;
    } else {
        const char *message = multispool_error_message(error);
        log_line(hand->log, "%s failed %d %s %.600s", who, (int)multispool_error_errno(error),
                 multispool_status_name(status), message != NULL ? message : "-");
    }
    multispool_error_free(error);
    return status == MULTISPOOL_OK;
}

static inline int told(struct hand *hand, int32_t status, const char *name, multispool_error *error)
{
    return told_as(hand, hand->who, status, name, error);
}

#endif
