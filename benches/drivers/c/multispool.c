/* The driver that goes through the C interface: see roles.h. DURABILITY is off, original or on. */
#include <multispool.h>
#include <multispool_helpers.h>
#include <stdlib.h>
#include <string.h>

#include "roles.h"

static multispool_spool *spool;
static multispool_reader *reader;
static multispool_checkout *checkout;

static void check(int32_t status, multispool_error *error)
{
    if (status == MULTISPOOL_OK)
        return;
    multispool_error_print(stderr, "driver", error);
    exit(1);
}

static void open_spool(const char *peer, const char *durability, const char *dir)
{
    static const char *const queues[] = {"queue"};
    multispool_spool_options *options;
    multispool_error *error;
    int32_t level = MULTISPOOL_DURABILITY_NONE;

    (void)peer;
    if (strcmp(durability, "on") == 0)
        level = MULTISPOOL_DURABILITY_FULL;
    else if (strcmp(durability, "original") == 0)
        level = MULTISPOOL_DURABILITY_ORIGINAL;
    check(multispool_spool_options_new(&options, &error), error);
    check(multispool_spool_options_set_durability(options, level, &error), error);
    check(multispool_spool_create(dir, queues, 1, options, &spool, &error), error);
    multispool_spool_options_free(options);
}

static void put(const struct message *message)
{
    multispool_error *error;
    check(multispool_enqueue(spool, "queue", (const uint8_t *)message->metadata, sizeof message->metadata,
                             (const uint8_t *)message->data, sizeof message->data, NULL, NULL, &error),
          error);
}

static void put_batch(const struct message *message, size_t count)
{
    multispool_batch *batch;
    multispool_error *error;
    check(multispool_batch_create(spool, "queue", NULL, &batch, &error), error);
    for (size_t i = 0; i < count; i++)
        check(multispool_batch_add(batch, (const uint8_t *)message->metadata, sizeof message->metadata,
                                   (const uint8_t *)message->data, sizeof message->data, &error),
              error);
    check(multispool_batch_commit(batch, &error), error);
    multispool_batch_free(batch);
}

/* As many bytes as there is room for. */
static void copy(void *to, size_t room, const uint8_t *from, size_t len)
{
    memcpy(to, from, len < room ? len : room);
}

static bool take(struct message *message, int wait_ms)
{
    static const char *const queues[] = {"queue"};
    multispool_data_file *file;
    multispool_buffer *data;
    multispool_error *error;
    size_t len;

    if (reader == NULL)
        check(multispool_reader_create(spool, queues, 1, NULL, &reader, &error), error);
    int32_t status = multispool_reader_dequeue(reader, NULL, wait_ms, &checkout, &error);
    if (status == MULTISPOOL_TIMED_OUT || status == MULTISPOOL_EMPTY)
        return false;
    check(status, error);
    const uint8_t *metadata = multispool_checkout_metadata(checkout, &len);
    copy(message->metadata, sizeof message->metadata, metadata, len);
    check(multispool_checkout_data_file(checkout, &file, &error), error);
    check(multispool_data_file_load(file, &data, &error), error);
    const uint8_t *bytes = multispool_buffer_data(data, &len);
    copy(message->data, sizeof message->data, bytes, len);
    multispool_buffer_free(data);
    multispool_data_file_free(file);
    return true;
}

static void acknowledge(void)
{
    multispool_error *error;
    check(multispool_checkout_remove(checkout, NULL, &error), error);
    multispool_checkout_free(checkout);
}

static void close_spool(void)
{
    multispool_reader_free(reader);
    multispool_spool_free(spool);
}

int main(int argc, char **argv)
{
    const struct queue queue = {open_spool, put, put_batch, take, acknowledge, close_spool};
    return play(&queue, argc, argv);
}
