/* Takes entries out of a queue, changes them and moves them on, for ever, and tells its log before and after each step:
 *
 *     worker SPOOL LOG PROCESS SEED DURABILITY QUEUE
 *
 * Recovers now and then. Exit status: 1 something happened that must not. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storm.h"

enum { RECOVER_EVERY = 16 };

static void recover(const multispool_spool *spool)
{
    multispool_entries *entries;
    multispool_entry *entry;
    multispool_error *error;
    int32_t status;

    note(&(struct record){.event = "recovering"});
    must(multispool_recover(spool, NULL, &entries, &error), &error);
    while ((status = multispool_entries_next(entries, &entry, &error)) == MULTISPOOL_OK) {
        note(&(struct record){.event = "recovered",
                              .name = multispool_entry_name(entry),
                              .queue = multispool_entry_queue(entry)});
        multispool_entry_free(entry);
    }
    if (status != MULTISPOOL_EMPTY)
        must(status, &error);
    multispool_entries_free(entries);
}

static void change_data(multispool_data_file *file, struct record *record)
{
    multispool_data_writer *writer;
    multispool_error *error;
    char maker[SERIAL_LEN];
    size_t len;

    snprintf(maker, sizeof maker, "%s.%u", process(), record->session);
    uint8_t *data = make_data(record->serial, maker, &len);
    record->data = sum_of(data, len);
    record->event = "writing";
    note(record);
    if (below(2) == 0) {
        must(multispool_data_file_save(file, data, len, &error), &error);
    } else {
        must(multispool_data_file_writer(file, &writer, &error), &error);
        must(multispool_data_writer_write(writer, data, len / 2, &error), &error);
        linger(40);
        must(multispool_data_writer_write(writer, data + len / 2, len - len / 2, &error), &error);
        must(multispool_data_writer_commit(writer, &error), &error);
        multispool_data_writer_free(writer);
    }
    record->event = "written";
    note(record);
    free(data);
}

static void read_data(multispool_data_file *file, struct record *record)
{
    multispool_buffer *buffer;
    multispool_error *error;
    size_t len;

    must(multispool_data_file_load(file, &buffer, &error), &error);
    const uint8_t *data = multispool_buffer_data(buffer, &len);
    record->data = sum_of(data, len);
    multispool_buffer_free(buffer);
    record->event = "read";
    note(record);
}

/* Adds a hop's line to the metadata. */
static void add_hop(multispool_checkout *checkout, struct record *record, const char *to)
{
    multispool_error *error;
    size_t len;
    const uint8_t *old = multispool_checkout_metadata(checkout, &len);
    char *metadata = malloc(len + 128);

    if (metadata == NULL)
        fail("no memory for metadata");
    memcpy(metadata, old, len);
    len += (size_t)snprintf(metadata + len, 128, "%s.%u %s %s\n", process(), record->session,
                            multispool_checkout_queue(checkout), to);
    must(multispool_checkout_update(checkout, (uint8_t *)metadata, len, &error), &error);
    record->metadata = sum_of((uint8_t *)metadata, len);
    record->queue = to;
    free(metadata);
}

/* A name that is used again and again is removed in the end. */
static const char *next(const char *queue, const char *name)
{
    if (strcmp(queue, "middle") != 0)
        return "middle";
    return below(2) == 0 || strncmp(name, "again-", 6) == 0 ? "outgoing" : "done";
}

static void finish(multispool_checkout *checkout, struct record *record)
{
    multispool_error *error;
    const char *queue = multispool_checkout_queue(checkout);
    unsigned roll = below(100);

    if (roll < 80 && strcmp(queue, "outgoing") == 0) {
        record->event = "removing";
        note(record);
        must(multispool_checkout_remove(checkout, NULL, &error), &error);
        record->event = "removed";
    } else if (roll < 94) {
        add_hop(checkout, record, roll < 88 ? next(queue, record->name) : queue);
        record->event = "saving";
        note(record);
        must(multispool_checkout_save(checkout, record->queue, NULL, &error), &error);
        record->event = "saved";
    } else if (roll < 97) {
        /* A release drops the change. */
        add_hop(checkout, record, queue);
        record->event = "releasing";
        note(record);
        must(multispool_checkout_release(checkout, &error), &error);
        record->event = "released";
    } else {
        /* Freed unfinished: for a recover. */
        record->event = "dropping";
    }
    note(record);
}

static void handle(multispool_checkout *checkout, unsigned session)
{
    multispool_data_file *file;
    multispool_error *error;
    char serial[SERIAL_LEN];
    size_t len;
    const uint8_t *metadata = multispool_checkout_metadata(checkout, &len);
    struct record record = {.event = "taken",
                            .session = session,
                            .serial = serial,
                            .name = multispool_checkout_name(checkout),
                            .queue = multispool_checkout_queue(checkout),
                            .metadata = sum_of(metadata, len)};
    const uint8_t *end = memchr(metadata, '\n', len);

    if (end == NULL || end - metadata >= SERIAL_LEN)
        fail("metadata without a serial number");
    memcpy(serial, metadata, (size_t)(end - metadata));
    serial[end - metadata] = '\0';
    note(&record);
    must(multispool_checkout_data_file(checkout, &file, &error), &error);
    read_data(file, &record);
    linger(40);
    if (below(4) == 0)
        change_data(file, &record);
    linger(40);
    finish(checkout, &record);
    multispool_data_file_free(file);
    multispool_checkout_free(checkout);
}

int main(int argc, char **argv)
{
    multispool_reader_options *options;
    multispool_reader *reader;
    multispool_error *error;

    if (argc != ARGUMENTS + 2)
        fail("usage: worker SPOOL LOG PROCESS SEED DURABILITY QUEUE");
    multispool_spool *spool = begin(argv);
    const char *const queue = argv[ARGUMENTS + 1];
    must(multispool_reader_options_new(&options, &error), &error);
    must(multispool_reader_options_set_retry_after_ms(options, 50, 500, &error), &error);
    must(multispool_reader_create(spool, &queue, 1, options, &reader, &error), &error);
    multispool_reader_options_free(options);

    recover(spool);
    for (unsigned session = 1;;) {
        multispool_checkout *checkout;
        int32_t status = multispool_reader_dequeue(reader, NULL, 100, &checkout, &error);
        if (status == MULTISPOOL_OK)
            handle(checkout, session++);
        else if (status != MULTISPOOL_TIMED_OUT && status != MULTISPOOL_INTERRUPTED)
            must(status, &error);
        if (status != MULTISPOOL_OK || session % RECOVER_EVERY == 0)
            recover(spool);
    }
}
