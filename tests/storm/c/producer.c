/* Enqueues entries into `incoming` and tells its log before and after each:
 *
 *     producer SPOOL LOG PROCESS SEED DURABILITY COUNT NAMES
 *
 * Some are enqueued whole, some piece by piece, some under one of NAMES names that are used again and again.
 * Exit status: 0 done, 1 something happened that must not. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storm.h"

/* An entry to be enqueued, and what the log is told of it. */
struct draft {
    struct record record;
    uint8_t *data;
    size_t len;
    char metadata[SERIAL_LEN + 1];
};

static const uint8_t *metadata_of(const struct draft *draft, size_t *len)
{
    *len = strlen(draft->metadata);
    return (const uint8_t *)draft->metadata;
}

static void enqueued(struct draft *draft, multispool_entry *entry)
{
    draft->record.event = "enqueued";
    draft->record.name = multispool_entry_name(entry);
    note(&draft->record);
    multispool_entry_free(entry);
}

static void whole(multispool_spool *spool, struct draft *draft)
{
    multispool_entry *entry;
    multispool_error *error;
    size_t len;
    const uint8_t *metadata = metadata_of(draft, &len);

    note(&draft->record);
    must(multispool_enqueue(spool, "incoming", metadata, len, draft->data, draft->len, NULL, &entry, &error), &error);
    enqueued(draft, entry);
}

static void in_pieces(multispool_spool *spool, struct draft *draft)
{
    multispool_enqueue_writer *writer;
    multispool_entry *entry;
    multispool_error *error;
    size_t len, half = draft->len / 2;
    const uint8_t *metadata = metadata_of(draft, &len);

    note(&draft->record);
    must(multispool_enqueue_writer_create(spool, "incoming", NULL, &writer, &error), &error);
    must(multispool_enqueue_writer_write(writer, draft->data, half, &error), &error);
    linger(10);
    must(multispool_enqueue_writer_write(writer, draft->data + half, draft->len - half, &error), &error);
    must(multispool_enqueue_writer_commit(writer, metadata, len, &entry, &error), &error);
    multispool_enqueue_writer_free(writer);
    enqueued(draft, entry);
}

/* Under a name that it reserves first. 0 where the name is in use. */
static int under_name(multispool_spool *spool, struct draft *draft, const char *name)
{
    multispool_enqueue_options *options;
    multispool_entry *entry;
    multispool_error *error;
    size_t len;
    const uint8_t *metadata = metadata_of(draft, &len);

    int32_t status = multispool_reserve(spool, name, NULL, &error);
    if (status == MULTISPOOL_NAME_TAKEN)
        return 0;
    must(status, &error);
    linger(100);
    draft->record.name = name;
    note(&draft->record);
    must(multispool_enqueue_options_new(&options, &error), &error);
    must(multispool_enqueue_options_set_name(options, name, &error), &error);
    status = multispool_enqueue(spool, "incoming", metadata, len, draft->data, draft->len, options, &entry, &error);
    multispool_enqueue_options_free(options);
    if (status == MULTISPOOL_NOT_FOUND || status == MULTISPOOL_NAME_TAKEN) {
        /* A repair took the reservation for old, and perhaps another has made it anew. */
        draft->record.event = "refused";
        note(&draft->record);
    } else {
        must(status, &error);
        enqueued(draft, entry);
    }
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != ARGUMENTS + 3)
        fail("usage: producer SPOOL LOG PROCESS SEED DURABILITY COUNT NAMES");
    multispool_spool *spool = begin(argv);
    unsigned count = (unsigned)atoi(argv[ARGUMENTS + 1]);
    unsigned names = (unsigned)atoi(argv[ARGUMENTS + 2]);

    for (unsigned i = 1; i <= count; i++) {
        char serial[SERIAL_LEN], name[SERIAL_LEN];
        snprintf(serial, sizeof serial, "%s.%u", process(), i);
        snprintf(name, sizeof name, "again-%u", below(names));
        struct draft draft = {.record = {.event = "enqueuing", .session = i, .serial = serial, .queue = "incoming"}};
        snprintf(draft.metadata, sizeof draft.metadata, "%s\n", serial);
        draft.record.metadata = sum_of((uint8_t *)draft.metadata, strlen(draft.metadata));
        draft.data = make_data(serial, serial, &draft.len);
        draft.record.data = sum_of(draft.data, draft.len);

        unsigned way = below(4);
        if (way == 0)
            in_pieces(spool, &draft);
        else if (way != 1 || !under_name(spool, &draft, name))
            whole(spool, &draft);
        free(draft.data);
        linger(10);
    }
    multispool_spool_free(spool);
    return 0;
}
