/* Steps about entries in their queues. */

#include <string.h>

#include <multispool_helpers.h>

#include "agent.h"

multispool_entry *entry_of(const line *in)
{
    multispool_entry *entry;
    multispool_error *error;

    answer(multispool_entry_create(hand_get(in, SPOOL), line_text(in, "queue"), line_text(in, "name"), &entry, &error),
           &error);
    return entry;
}

static bool reserve_name(const line *in)
{
    multispool_buffer *reserved;
    multispool_error *error;
    size_t len;

    if (!answer(multispool_reserve(hand_get(in, SPOOL), line_text(in, "name"), &reserved, &error), &error))
        return false;
    const uint8_t *name = multispool_buffer_data(reserved, &len);
    answer_add("name", name, len);
    multispool_buffer_free(reserved);
    return true;
}

static void reserve(const line *in)
{
    reserve_name(in);
}

/* Options as a step says; NULL, and answered, if they make no sense. */
static multispool_enqueue_options *options_of(const line *in)
{
    multispool_enqueue_options *options;
    multispool_error *error;
    int32_t status = multispool_enqueue_options_new(&options, &error);

    if (status == MULTISPOOL_OK && line_has(in, "name"))
        status = multispool_enqueue_options_set_name(options, line_text(in, "name"), &error);
    if (status == MULTISPOOL_OK && line_has(in, "durability"))
        status = multispool_enqueue_options_set_durability(options, line_durability(in), &error);
    if (!answer(status, &error)) {
        multispool_enqueue_options_free(options);
        return NULL;
    }
    return options;
}

static void add_entry(multispool_entry *entry)
{
    answer_text("queue", multispool_entry_queue(entry));
    answer_text("name", multispool_entry_name(entry));
    multispool_entry_free(entry);
}

static void enqueue(const line *in)
{
    multispool_entry *entry;
    multispool_error *error;
    size_t metadata_len, data_len;
    const uint8_t *metadata = line_bytes(in, "metadata", &metadata_len), *data = line_bytes(in, "data", &data_len);
    int32_t status;

    if (line_yes(in, "reserve") && !reserve_name(in))
        return;
    multispool_enqueue_options *options = options_of(in);
    if (options == NULL)
        return;
    if (line_has(in, "path"))
        status = multispool_enqueue_file(hand_get(in, SPOOL), line_text(in, "queue"), metadata, metadata_len,
                                         line_text(in, "path"), options, &entry, &error);
    else
        status = multispool_enqueue(hand_get(in, SPOOL), line_text(in, "queue"), metadata, metadata_len, data,
                                    data_len, options, &entry, &error);
    multispool_enqueue_options_free(options);
    if (answer(status, &error))
        add_entry(entry);
}

static void begin_enqueue(const line *in)
{
    multispool_enqueue_writer *writer;
    multispool_error *error;
    multispool_enqueue_options *options = options_of(in);

    if (options == NULL)
        return;
    int32_t status =
        multispool_enqueue_writer_create(hand_get(in, SPOOL), line_text(in, "queue"), options, &writer, &error);
    multispool_enqueue_options_free(options);
    if (answer(status, &error)) {
        answer_text("name", multispool_enqueue_writer_name(writer));
        hand_keep(WRITER, line_text(in, "as"), writer);
    }
}

static void list(const line *in)
{
    multispool_entries *entries;
    multispool_entry *entry;
    multispool_error *error;
    int32_t status;

    if (!answer(multispool_list(hand_get(in, SPOOL), line_text(in, "queue"), &entries, &error), &error))
        return;
    while ((status = multispool_entries_next(entries, &entry, &error)) == MULTISPOOL_OK) {
        answer_text("entry", multispool_entry_name(entry));
        multispool_entry_free(entry);
    }
    if (status != MULTISPOOL_EMPTY)
        answer(status, &error);
    multispool_entries_free(entries);
}

static void entry_step(const line *in)
{
    multispool_entry *entry = entry_of(in);
    if (entry != NULL)
        add_entry(entry);
}

static void stat_step(const line *in)
{
    multispool_error *error;
    int64_t mtime_ns;
    uint64_t size;
    multispool_entry *entry = entry_of(in);

    if (entry == NULL)
        return;
    if (answer(multispool_entry_stat(entry, &mtime_ns, NULL, &size, &error), &error)) {
        answer_number("mtime_ns", mtime_ns);
        answer_number("size", (int64_t)size);
    }
    multispool_entry_free(entry);
}

static void direct_contents(const line *in)
{
    multispool_buffer *contents;
    multispool_error *error;
    size_t len;
    multispool_entry *entry = entry_of(in);

    if (entry == NULL)
        return;
    if (answer(multispool_entry_direct_contents(entry, &contents, &error), &error)) {
        const uint8_t *metadata = multispool_buffer_data(contents, &len);
        answer_add("metadata", metadata, len);
        multispool_buffer_free(contents);
    }
    multispool_entry_free(entry);
}

static void direct_save(const line *in)
{
    multispool_error *error;
    size_t len;
    const uint8_t *metadata = line_bytes(in, "metadata", &len);
    multispool_entry *entry = entry_of(in);

    if (entry == NULL)
        return;
    answer(multispool_entry_direct_save(entry, metadata, len, &error), &error);
    multispool_entry_free(entry);
}

static void direct_remove(const line *in)
{
    multispool_error *error;
    multispool_entry *entry = entry_of(in);

    if (entry == NULL)
        return;
    answer(multispool_entry_direct_remove(entry, &error), &error);
    multispool_entry_free(entry);
}

/* What the handler below was given. */
typedef struct given {
    const line *in;
    multispool_buffer *data;
    uint8_t metadata[4096];
    size_t metadata_len;
} given;

static multispool_outcome handle(multispool_checkout *checkout, void *context, multispool_error **error)
{
    given *to = context;
    multispool_data_file *file;
    const char *outcome = line_text(to->in, "outcome");
    const uint8_t *metadata = multispool_checkout_metadata(checkout, &to->metadata_len);
    size_t len;

    if (to->metadata_len > sizeof to->metadata)
        mistake("metadata too long for this program");
    memcpy(to->metadata, metadata, to->metadata_len);
    int32_t status = multispool_checkout_data_file(checkout, &file, error);
    if (status == MULTISPOOL_OK)
        status = multispool_data_file_load(file, &to->data, error);
    const uint8_t *data = line_bytes(to->in, "data", &len);
    if (status == MULTISPOOL_OK && data != NULL)
        status = multispool_data_file_save(file, data, len, error);
    multispool_data_file_free(file);
    const uint8_t *new = line_bytes(to->in, "metadata", &len);
    if (status == MULTISPOOL_OK && new != NULL)
        status = multispool_checkout_update(checkout, new, len, error);
    if (status != MULTISPOOL_OK)
        return multispool_outcome_fail(status);
    if (strcmp(outcome, "save") == 0)
        return multispool_outcome_save(line_text(to->in, "to"));
    if (strcmp(outcome, "remove") == 0)
        return multispool_outcome_remove();
    if (strcmp(outcome, "release") == 0)
        return multispool_outcome_release();
    return multispool_outcome_fail(MULTISPOOL_HANDLER_FAILED);
}

typedef int32_t handling(const multispool_entry *entry, multispool_handler handler, void *context,
                         multispool_error **error);

static void handle_by(const line *in, handling *function)
{
    given to = {.in = in};
    multispool_error *error;
    size_t len;
    multispool_entry *entry = entry_of(in);

    if (entry == NULL)
        return;
    int32_t status = function(entry, handle, &to, &error);
    multispool_entry_free(entry);
    if (status == MULTISPOOL_HANDLER_FAILED) {
        answer_word("HANDLER_FAILED");
    } else if (answer(status, &error)) {
        answer_add("metadata", to.metadata, to.metadata_len);
        const uint8_t *data = multispool_buffer_data(to.data, &len);
        answer_add("data", data, len);
    }
    multispool_buffer_free(to.data);
}

static void with_entry(const line *in)
{
    handle_by(in, multispool_with_entry);
}

static void try_with_entry(const line *in)
{
    handle_by(in, multispool_try_with_entry);
}

const step entry_steps[] = {{"reserve", reserve},
                            {"enqueue", enqueue},
                            {"begin_enqueue", begin_enqueue},
                            {"list", list},
                            {"entry", entry_step},
                            {"stat", stat_step},
                            {"direct_contents", direct_contents},
                            {"direct_save", direct_save},
                            {"direct_remove", direct_remove},
                            {"with_entry", with_entry},
                            {"try_with_entry", try_with_entry},
                            {NULL, NULL}};
