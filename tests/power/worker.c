/* One process that works on a spool until its file system fails, and logs what it is about to do and what was
 * acknowledged.
 *
 *     worker SPOOL LOG NUMBER THREADS MIX THINK_MS SEED
 *
 * NUMBER sets its names and contents apart from those of all other processes of a run. MIX is what each thread
 * does: `all` at random, or only `enqueues` (to one queue), `moves` (from queue to queue), `data` (replaced again
 * and again), or `removes` (of what it enqueued for it). THINK_MS is for how long it then does nothing each time.
 * Exit status: 0 stopped by failures that are in the log, 1 something else failed, 2 wrong usage. */

#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <multispool.h>
#include <multispool_helpers.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#include "hand.h"

/* Of how many threads a process is made at most. */
enum { THREADS = 16 };

/* How many entries a batch has at most. */
enum { BATCH = 5 };

/* An entry of the default generator's name, at once. */
static int enqueue_to(struct hand *hand, const char *queue)
{
    char metadata[TOKEN_SIZE], data[TOKEN_SIZE];
    MULTISPOOL_AUTO(entry) entry = NULL;
    multispool_error *error;
    size_t metadata_len = new_metadata(hand, metadata), data_len = new_data(hand, data);
    int32_t status;

    log_line(hand->log, "%s enqueue %s - %s %s", hand->who, queue, metadata, data);
    status = multispool_enqueue(hand->spool, queue, hand->metadata, metadata_len, hand->data, data_len, NULL, &entry,
                                &error);
    return told(hand, status, multispool_entry_name(entry), error);
}

static int enqueue(struct hand *hand)
{
    return enqueue_to(hand, pick_queue(hand));
}

/* An entry of a name that was reserved before. */
static int enqueue_reserved(struct hand *hand)
{
    char metadata[TOKEN_SIZE], data[TOKEN_SIZE], name[TOKEN_SIZE];
    const char *queue = pick_queue(hand);
    MULTISPOOL_AUTO(enqueue_options) options = NULL;
    multispool_error *error;
    size_t metadata_len = new_metadata(hand, metadata), data_len = new_data(hand, data);
    int32_t status;

    snprintf(name, sizeof name, "own-%s-%u", hand->who, ++hand->made);
    status = multispool_reserve(hand->spool, name, NULL, &error);
    if (status == MULTISPOOL_OK)
        status = multispool_enqueue_options_new(&options, &error);
    if (status == MULTISPOOL_OK)
        status = multispool_enqueue_options_set_name(options, name, &error);
    if (status != MULTISPOOL_OK)
        return told(hand, status, name, error);
    log_line(hand->log, "%s enqueue %s %s %s %s", hand->who, queue, name, metadata, data);
    status = multispool_enqueue(hand->spool, queue, hand->metadata, metadata_len, hand->data, data_len, options, NULL,
                                &error);
    return told(hand, status, name, error);
}

/* An entry whose data is written in two pieces. */
static int enqueue_pieces(struct hand *hand)
{
    char metadata[TOKEN_SIZE], data[TOKEN_SIZE], name[TOKEN_SIZE] = "-";
    const char *queue = pick_queue(hand);
    MULTISPOOL_AUTO(enqueue_writer) writer = NULL;
    multispool_error *error;
    size_t metadata_len = new_metadata(hand, metadata), data_len = new_data(hand, data);
    size_t half = data_len / 2;
    int32_t status = multispool_enqueue_writer_create(hand->spool, queue, NULL, &writer, &error);

    if (status == MULTISPOOL_OK) {
        snprintf(name, sizeof name, "%s", multispool_enqueue_writer_name(writer));
        log_line(hand->log, "%s enqueue %s %s %s %s", hand->who, queue, name, metadata, data);
        status = multispool_enqueue_writer_write(writer, hand->data, half, &error);
    }
    if (status == MULTISPOOL_OK)
        status = multispool_enqueue_writer_write(writer, hand->data + half, data_len - half, &error);
    if (status == MULTISPOOL_OK)
        status = multispool_enqueue_writer_commit(writer, hand->metadata, metadata_len, NULL, &error);
    return told(hand, status, name, error);
}

/* Each of a batch has an operation of its own under way, and so a name of its own. */
static const char *of_batch(const struct hand *hand, int index, char who[TOKEN_SIZE])
{
    snprintf(who, TOKEN_SIZE, "%sb%d", hand->who, index);
    return who;
}

/* A few entries with the syncs made once. */
static int enqueue_batch(struct hand *hand)
{
    char metadata[TOKEN_SIZE], data[TOKEN_SIZE], who[TOKEN_SIZE];
    const char *queue = pick_queue(hand);
    MULTISPOOL_AUTO(batch) batch = NULL;
    multispool_error *error;
    int count = 1 + (int)pick(hand, BATCH), goes_on = 1;
    int32_t status = multispool_batch_create(hand->spool, queue, NULL, &batch, &error);

    for (int i = 0; status == MULTISPOOL_OK && i < count; i++) {
        size_t metadata_len = new_metadata(hand, metadata), data_len = new_data(hand, data);
        status = multispool_batch_add(batch, hand->metadata, metadata_len, hand->data, data_len, &error);
        if (status == MULTISPOOL_OK)
            log_line(hand->log, "%s enqueue %s %s %s %s", of_batch(hand, i, who), queue,
                     multispool_batch_name(batch, (size_t)i), metadata, data);
    }
    if (status != MULTISPOOL_OK)
        return told(hand, status, "-", error);
    /* The status of each is what counts. */
    (void)!multispool_batch_commit(batch, NULL);
    for (int i = 0; i < count; i++) {
        status = multispool_batch_status(batch, (size_t)i, &error);
        goes_on &= told_as(hand, of_batch(hand, i, who), status, multispool_batch_name(batch, (size_t)i), error);
    }
    return goes_on;
}

/* Ends all that is in the hand, with the syncs made once. */
static int finish_batch(struct hand *hand, const char *queue)
{
    char who[TOKEN_SIZE];
    int32_t status, statuses[HELD];
    multispool_error *error;
    int count = hand->held_count, goes_on = 1;

    for (int i = 0; i < count; i++) {
        const char *name = multispool_checkout_name(hand->held[i]);
        if (queue != NULL)
            log_line(hand->log, "%s save %s %s -", of_batch(hand, i, who), name, queue);
        else
            log_line(hand->log, "%s remove %s", of_batch(hand, i, who), name);
    }
    if (queue != NULL)
        status = multispool_save_many(hand->held, (size_t)count, queue, statuses, &error);
    else
        status = multispool_remove_many(hand->held, (size_t)count, statuses, &error);
    for (int i = 0; i < count; i++) {
        if (statuses[i] == MULTISPOOL_OK)
            goes_on &= told_as(hand, of_batch(hand, i, who), MULTISPOOL_OK, multispool_checkout_name(hand->held[i]), NULL);
        multispool_checkout_free(hand->held[i]);
    }
    hand->held_count = 0;
    return goes_on && (status == MULTISPOOL_OK || told(hand, status, "-", error));
}

/* The next entry of some queue, if there is one, into the hand. */
static int take(struct hand *hand)
{
    char token[TOKEN_SIZE];
    size_t queue = (size_t)pick(hand, QUEUES), len;
    multispool_checkout *checkout;
    multispool_error *error;
    const uint8_t *metadata;
    int32_t status = multispool_reader_dequeue(hand->readers[queue], NULL, 0, &checkout, &error);

    if (status == MULTISPOOL_EMPTY)
        return 1;
    if (status != MULTISPOOL_OK)
        return told(hand, status, "-", error);
    metadata = multispool_checkout_metadata(checkout, &len);
    log_line(hand->log, "%s take %s %s %s", hand->who, queues[queue], multispool_checkout_name(checkout),
             content_read(metadata, len, hand->metadata, token) ? token : "torn");
    hand->held[hand->held_count++] = checkout;
    return 1;
}

static int replace_data(struct hand *hand, multispool_checkout *checkout)
{
    char token[TOKEN_SIZE];
    const char *name = multispool_checkout_name(checkout);
    MULTISPOOL_AUTO(data_file) data_file = NULL;
    MULTISPOOL_AUTO(data_writer) writer = NULL;
    multispool_error *error;
    size_t len = new_data(hand, token);
    int32_t status;

    log_line(hand->log, "%s data %s %s", hand->who, name, token);
    status = multispool_checkout_data_file(checkout, &data_file, &error);
    if (status == MULTISPOOL_OK && pick(hand, 2) == 0) {
        status = multispool_data_file_save(data_file, hand->data, len, &error);
    } else if (status == MULTISPOOL_OK) {
        status = multispool_data_file_writer(data_file, &writer, &error);
        if (status == MULTISPOOL_OK)
            status = multispool_data_writer_write(writer, hand->data, len, &error);
        if (status == MULTISPOOL_OK)
            status = multispool_data_writer_commit(writer, &error);
    }
    return told(hand, status, name, error);
}

static int update(struct hand *hand, multispool_checkout *checkout, char token[TOKEN_SIZE])
{
    multispool_error *error;
    size_t len = new_metadata(hand, token);
    int32_t status = multispool_checkout_update(checkout, hand->metadata, len, &error);
    return status == MULTISPOOL_OK || told(hand, status, "-", error);
}

static int save(struct hand *hand, multispool_checkout *checkout, int is_changed)
{
    char token[TOKEN_SIZE] = "-";
    const char *queue = pick_queue(hand), *name = multispool_checkout_name(checkout);
    multispool_error *error;
    int32_t status;
    if (is_changed && !update(hand, checkout, token))
        return 0;
    log_line(hand->log, "%s save %s %s %s", hand->who, name, queue, token);
    status = multispool_checkout_save(checkout, queue, NULL, &error);
    return told(hand, status, name, error);
}

static int release(struct hand *hand, multispool_checkout *checkout, int is_changed)
{
    char token[TOKEN_SIZE];
    const char *name = multispool_checkout_name(checkout);
    multispool_error *error;
    int32_t status;
    /* A release drops the update. */
    if (is_changed && !update(hand, checkout, token))
        return 0;
    log_line(hand->log, "%s release %s", hand->who, name);
    status = multispool_checkout_release(checkout, &error);
    return told(hand, status, name, error);
}

static int remove_entry(struct hand *hand, multispool_checkout *checkout)
{
    const char *name = multispool_checkout_name(checkout);
    multispool_error *error;
    int32_t status;
    log_line(hand->log, "%s remove %s", hand->who, name);
    status = multispool_checkout_remove(checkout, NULL, &error);
    return told(hand, status, name, error);
}

static int move_on(struct hand *hand, multispool_checkout *checkout)
{
    return save(hand, checkout, 0);
}

/* In some way, every third time with new data before. */
static int end_somehow(struct hand *hand, multispool_checkout *checkout)
{
    uint64_t way = pick(hand, 10);
    if (pick(hand, 3) == 0 && !replace_data(hand, checkout))
        return 0;
    if (way < 5)
        return save(hand, checkout, way < 3);
    if (way < 7)
        return release(hand, checkout, way == 5);
    return remove_entry(hand, checkout);
}

/* Ends one of the checkouts in hand. */
static int finish(struct hand *hand, int (*end)(struct hand *hand, multispool_checkout *checkout))
{
    int which = (int)pick(hand, (uint64_t)hand->held_count), goes_on;
    multispool_checkout *checkout = hand->held[which];
    hand->held[which] = hand->held[--hand->held_count];
    goes_on = end(hand, checkout);
    multispool_checkout_free(checkout);
    return goes_on;
}

static int work_on_all(struct hand *hand)
{
    switch (pick(hand, 12)) {
    case 0:
    case 1:
        return enqueue(hand);
    case 10:
        return enqueue_batch(hand);
    case 11:
        return hand->held_count == 0 || finish_batch(hand, pick(hand, 2) == 0 ? pick_queue(hand) : NULL);
    case 2:
        return enqueue_reserved(hand);
    case 3:
        return enqueue_pieces(hand);
    case 4:
    case 5:
    case 6:
        return hand->held_count == HELD || take(hand);
    default:
        return hand->held_count == 0 || finish(hand, end_somehow);
    }
}

static int work_on_enqueues(struct hand *hand)
{
    return enqueue_to(hand, queues[0]);
}

static int work_on_moves(struct hand *hand)
{
    /* A few entries for each thread, two versions each. */
    if (hand->made < 12)
        return enqueue(hand);
    if (hand->held_count < HELD && pick(hand, 2) == 0)
        return take(hand);
    return hand->held_count == 0 || finish(hand, move_on);
}

static int work_on_data(struct hand *hand)
{
    if (hand->held_count > 0)
        return replace_data(hand, hand->held[0]);
    return take(hand) && (hand->held_count > 0 || enqueue(hand));
}

static int work_on_removes(struct hand *hand)
{
    if (!enqueue(hand))
        return 0;
    while (hand->held_count == 0) {
        if (!take(hand))
            return 0;
    }
    return finish(hand, remove_entry);
}

static const struct {
    const char *name;
    int (*work)(struct hand *hand);
} mixes[] = {
    {"all", work_on_all},   {"enqueues", work_on_enqueues}, {"moves", work_on_moves},
    {"data", work_on_data}, {"removes", work_on_removes},
};

static void *work(void *argument)
{
    struct hand *hand = argument;
    while (hand->work(hand)) {
        if (hand->think.tv_nsec > 0)
            nanosleep(&hand->think, NULL);
    }
    for (int i = 0; i < hand->held_count; i++)
        multispool_checkout_free(hand->held[i]);
    return NULL;
}

static int (*mix_named(const char *name))(struct hand *)
{
    for (size_t i = 0; i < sizeof mixes / sizeof *mixes; i++) {
        if (strcmp(mixes[i].name, name) == 0)
            return mixes[i].work;
    }
    return NULL;
}

/* A thread's hand, with a reader for each queue. NULL after a failure, which is told. */
static struct hand *new_hand(const multispool_spool *spool, int log, const char *number, int thread, uint64_t seed)
{
    multispool_error *error;
    struct hand *hand = calloc(1, sizeof *hand);
    if (hand == NULL)
        return NULL;
    snprintf(hand->who, sizeof hand->who, "p%.8st%d", number, thread);
    hand->log = log;
    hand->spool = spool;
    /* The seed of the run and the name of the hand: no two hands do the same. Never 0, where the row would stay. */
    hand->random = (content_seed(hand->who) ^ (seed * UINT64_C(0x9e3779b97f4a7c15))) | 1;
    for (size_t i = 0; i < QUEUES; i++) {
        if (multispool_reader_create(spool, &queues[i], 1, NULL, &hand->readers[i], &error) != MULTISPOOL_OK) {
            multispool_error_print(stderr, "worker", error);
            return NULL;
        }
    }
    return hand;
}

int main(int argc, char **argv)
{
    static struct hand *hands[THREADS];
    pthread_t threads[THREADS];
    multispool_spool *spool;
    multispool_error *error;
    long count = argc == 8 ? strtol(argv[4], NULL, 10) : 0;
    int (*mix)(struct hand *) = argc == 8 ? mix_named(argv[5]) : NULL;
    int log;

    if (count < 1 || count > THREADS || mix == NULL) {
        fprintf(stderr, "usage: worker SPOOL LOG NUMBER THREADS MIX THINK_MS SEED, with 1 to %d threads\n", THREADS);
        return 2;
    }
    /* Who started it may be killed, and then nobody would cut. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    log = open(argv[2], O_WRONLY | O_APPEND);
    if (log < 0) {
        perror(argv[2]);
        return 1;
    }
    if (multispool_spool_load(argv[1], queues, QUEUES, NULL, &spool, &error) != MULTISPOOL_OK) {
        multispool_error_print(stderr, "worker", error);
        return 1;
    }
    for (int i = 0; i < count; i++) {
        hands[i] = new_hand(spool, log, argv[3], i, strtoull(argv[7], NULL, 10));
        if (hands[i] == NULL)
            return 1;
        hands[i]->work = mix;
        hands[i]->think.tv_nsec = strtol(argv[6], NULL, 10) * 1000000;
    }
    for (int i = 0; i < count; i++) {
        if (pthread_create(&threads[i], NULL, work, hands[i]) != 0) {
            fprintf(stderr, "worker: a thread cannot be started\n");
            return 1;
        }
    }
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
