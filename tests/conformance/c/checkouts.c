/* Steps about checkouts, their data, and what is written piece by piece. */

#include <string.h>

#include "agent.h"

static void add_checkout(const multispool_checkout *checkout)
{
    size_t len;
    const uint8_t *metadata = multispool_checkout_metadata(checkout, &len);

    answer_text("queue", multispool_checkout_queue(checkout));
    answer_text("name", multispool_checkout_name(checkout));
    answer_add("metadata", metadata, len);
}

void checkout_taken(const line *in, multispool_checkout *checkout)
{
    add_checkout(checkout);
    hand_keep(CHECKOUT, line_text(in, "as"), checkout);
}

typedef int32_t taking(const multispool_entry *entry, const multispool_checkout_options *options,
                       multispool_checkout **checkout, multispool_error **error);

static void take_by(const line *in, taking *function)
{
    multispool_checkout_options *options = NULL;
    multispool_checkout *checkout = NULL;
    multispool_error *error;
    int32_t status = MULTISPOOL_OK;
    multispool_entry *entry = entry_of(in);

    if (entry == NULL)
        return;
    if (line_has(in, "durability")) {
        status = multispool_checkout_options_new(&options, &error);
        if (status == MULTISPOOL_OK)
            status = multispool_checkout_options_set_durability(options, line_durability(in), &error);
    }
    if (status == MULTISPOOL_OK)
        status = function(entry, options, &checkout, &error);
    multispool_checkout_options_free(options);
    multispool_entry_free(entry);
    if (answer(status, &error))
        checkout_taken(in, checkout);
}

static void checkout(const line *in)
{
    take_by(in, multispool_entry_checkout);
}

static void try_checkout(const line *in)
{
    take_by(in, multispool_entry_try_checkout);
}

static void list_checkouts(const line *in)
{
    multispool_checkouts *checkouts;
    multispool_checkout *checkout;
    multispool_error *error;
    const char *take = line_text(in, "take");

    if (!answer(multispool_list_checkouts_unsafe(hand_get(in, SPOOL), line_text(in, "queue"), &checkouts, &error),
                &error))
        return;
    for (;;) {
        int32_t status = multispool_checkouts_next(checkouts, &checkout, &error);
        if (status == MULTISPOOL_CORRUPT) {
            answer_text("corrupt", "yes");
            multispool_error_free(error);
            continue;
        }
        if (status != MULTISPOOL_OK) {
            if (status != MULTISPOOL_EMPTY)
                answer(status, &error);
            break;
        }
        answer_text("entry", multispool_checkout_name(checkout));
        if (take != NULL && strcmp(take, multispool_checkout_name(checkout)) == 0)
            hand_keep(CHECKOUT, line_text(in, "as"), checkout);
        else
            multispool_checkout_free(checkout);
    }
    multispool_checkouts_free(checkouts);
}

static void show(const line *in)
{
    const multispool_checkout *checkout = hand_get(in, CHECKOUT);

    answer(MULTISPOOL_OK, NULL);
    add_checkout(checkout);
    answer_text("finished", multispool_checkout_finished(checkout) ? "yes" : "no");
}

static void update(const line *in)
{
    multispool_error *error;
    size_t len;
    const uint8_t *metadata = line_bytes(in, "metadata", &len);

    answer(multispool_checkout_update(hand_get(in, CHECKOUT), metadata, len, &error), &error);
}

static void save(const line *in)
{
    multispool_save_options *options = NULL;
    multispool_error *error;
    int32_t status = MULTISPOOL_OK;

    if (line_has(in, "durability")) {
        status = multispool_save_options_new(&options, &error);
        if (status == MULTISPOOL_OK)
            status = multispool_save_options_set_durability(options, line_durability(in), &error);
    }
    if (status == MULTISPOOL_OK)
        status = multispool_checkout_save(hand_get(in, CHECKOUT), line_text(in, "queue"), options, &error);
    multispool_save_options_free(options);
    answer(status, &error);
}

static void remove_step(const line *in)
{
    multispool_remove_options *options = NULL;
    multispool_error *error;
    int32_t status = MULTISPOOL_OK;

    if (line_has(in, "durability")) {
        status = multispool_remove_options_new(&options, &error);
        if (status == MULTISPOOL_OK)
            status = multispool_remove_options_set_durability(options, line_durability(in), &error);
    }
    if (status == MULTISPOOL_OK)
        status = multispool_checkout_remove(hand_get(in, CHECKOUT), options, &error);
    multispool_remove_options_free(options);
    answer(status, &error);
}

static void release(const line *in)
{
    multispool_error *error;
    answer(multispool_checkout_release(hand_get(in, CHECKOUT), &error), &error);
}

static void drop(const line *in)
{
    hand_free(in, CHECKOUT);
    answer(MULTISPOOL_OK, NULL);
}

/* The data file that a step is about, to be freed; NULL, and answered, if there is none. */
static multispool_data_file *data_file_of(const line *in)
{
    multispool_data_file *file = NULL;
    multispool_error *error;

    if (line_has(in, "checkout")) {
        answer(multispool_checkout_data_file(hand_get(in, CHECKOUT), &file, &error), &error);
    } else {
        multispool_entry *entry = entry_of(in);
        if (entry != NULL)
            answer(multispool_entry_direct_data_file(entry, &file, &error), &error);
        multispool_entry_free(entry);
    }
    return file;
}

static void data_path(const line *in)
{
    multispool_data_file *file = data_file_of(in);
    if (file != NULL)
        answer_text("path", multispool_data_file_path(file));
    multispool_data_file_free(file);
}

static void data_load(const line *in)
{
    multispool_buffer *buffer;
    multispool_error *error;
    size_t len;
    multispool_data_file *file = data_file_of(in);

    if (file == NULL)
        return;
    if (answer(multispool_data_file_load(file, &buffer, &error), &error)) {
        const uint8_t *data = multispool_buffer_data(buffer, &len);
        answer_add("data", data, len);
        multispool_buffer_free(buffer);
    }
    multispool_data_file_free(file);
}

static void data_stat(const line *in)
{
    multispool_error *error;
    int64_t mtime_ns;
    uint64_t size;
    multispool_data_file *file = data_file_of(in);

    if (file == NULL)
        return;
    if (answer(multispool_data_file_stat(file, &mtime_ns, NULL, &size, &error), &error)) {
        answer_number("mtime_ns", mtime_ns);
        answer_number("size", (int64_t)size);
    }
    multispool_data_file_free(file);
}

static void data_save(const line *in)
{
    multispool_error *error;
    size_t len;
    const uint8_t *data = line_bytes(in, "data", &len);
    multispool_data_file *file = data_file_of(in);

    if (file == NULL)
        return;
    answer(multispool_data_file_save(file, data, len, &error), &error);
    multispool_data_file_free(file);
}

static void begin_data(const line *in)
{
    multispool_data_writer *writer;
    multispool_error *error;
    multispool_data_file *file = data_file_of(in);

    if (file == NULL)
        return;
    if (answer(multispool_data_file_writer(file, &writer, &error), &error))
        hand_keep(DATA_WRITER, line_text(in, "as"), writer);
    multispool_data_file_free(file);
}

static void write_step(const line *in)
{
    multispool_error *error;
    size_t len;
    const uint8_t *data = line_bytes(in, "data", &len);

    if (line_has(in, "writer"))
        answer(multispool_enqueue_writer_write(hand_get(in, WRITER), data, len, &error), &error);
    else
        answer(multispool_data_writer_write(hand_get(in, DATA_WRITER), data, len, &error), &error);
}

static void commit(const line *in)
{
    multispool_entry *entry;
    multispool_error *error;
    size_t len;
    const uint8_t *metadata = line_bytes(in, "metadata", &len);

    if (!line_has(in, "writer")) {
        answer(multispool_data_writer_commit(hand_get(in, DATA_WRITER), &error), &error);
        return;
    }
    if (answer(multispool_enqueue_writer_commit(hand_get(in, WRITER), metadata, len, &entry, &error), &error)) {
        answer_text("queue", multispool_entry_queue(entry));
        answer_text("name", multispool_entry_name(entry));
        multispool_entry_free(entry);
    }
}

const step checkout_steps[] = {{"checkout", checkout},
                               {"try_checkout", try_checkout},
                               {"list_checkouts", list_checkouts},
                               {"show", show},
                               {"update", update},
                               {"save", save},
                               {"remove", remove_step},
                               {"release", release},
                               {"drop", drop},
                               {"data_path", data_path},
                               {"data_load", data_load},
                               {"data_stat", data_stat},
                               {"data_save", data_save},
                               {"begin_data", begin_data},
                               {"write", write_step},
                               {"commit", commit},
                               {NULL, NULL}};
