/* Empties a spool, and puts one more entry through it, to see that it works on. Prints each entry that it
 * took: NAME QUEUE METADATA DATA, the versions of the last two.
 *
 *     drain SPOOL
 *
 * Exit status: 0 done, 1 something is wrong with the spool, 2 wrong usage. */

#define _POSIX_C_SOURCE 200809L

#include <multispool.h>
#include <multispool_helpers.h>
#include <stdio.h>

#include "content.h"
#include "queues.h"

static int fail(multispool_error *error)
{
    multispool_error_print(stderr, "drain", error);
    multispool_error_free(error);
    return 0;
}

static multispool_outcome print_and_remove(multispool_checkout *checkout, void *context, multispool_error **error)
{
    static uint8_t room[CONTENT_MAX];
    char metadata[TOKEN_SIZE], data[TOKEN_SIZE];
    MULTISPOOL_AUTO(data_file) data_file = NULL;
    MULTISPOOL_AUTO(buffer) buffer = NULL;
    size_t metadata_len, data_len;
    const uint8_t *bytes = multispool_checkout_metadata(checkout, &metadata_len);
    const char *name = multispool_checkout_name(checkout);
    int32_t status = multispool_checkout_data_file(checkout, &data_file, error);
    (void)context;

    if (status == MULTISPOOL_OK)
        status = multispool_data_file_load(data_file, &buffer, error);
    if (status != MULTISPOOL_OK)
        return multispool_outcome_fail(status);
    if (!content_read(bytes, metadata_len, room, metadata)) {
        fprintf(stderr, "drain: the metadata of %s is torn\n", name);
        return multispool_outcome_fail(MULTISPOOL_HANDLER_FAILED);
    }
    bytes = multispool_buffer_data(buffer, &data_len);
    if (!content_read(bytes, data_len, room, data)) {
        fprintf(stderr, "drain: the data of %s is torn\n", name);
        return multispool_outcome_fail(MULTISPOOL_HANDLER_FAILED);
    }
    printf("%s %s %s %s\n", name, multispool_checkout_queue(checkout), metadata, data);
    return multispool_outcome_remove();
}

static int drain(const multispool_spool *spool, const char *const *queue)
{
    MULTISPOOL_AUTO(reader) reader = NULL;
    multispool_error *error;
    if (multispool_reader_create(spool, queue, 1, NULL, &reader, &error) != MULTISPOOL_OK)
        return fail(error);
    return multispool_for_each_available(reader, print_and_remove, NULL, &error) == MULTISPOOL_OK || fail(error);
}

static multispool_outcome save_on(multispool_checkout *checkout, void *context, multispool_error **error)
{
    int32_t status = multispool_checkout_update(checkout, (const uint8_t *)"more", 4, error);
    (void)context;
    return status == MULTISPOOL_OK ? multispool_outcome_save(queues[1]) : multispool_outcome_fail(status);
}

static multispool_outcome remove_more(multispool_checkout *checkout, void *context, multispool_error **error)
{
    size_t len;
    const uint8_t *metadata = multispool_checkout_metadata(checkout, &len);
    (void)context;
    (void)error;
    if (len != 4 || memcmp(metadata, "more", 4) != 0)
        return multispool_outcome_fail(MULTISPOOL_HANDLER_FAILED);
    return multispool_outcome_remove();
}

/* A new entry: into the first queue, on to the second with other metadata, and away. */
static int put_through(const multispool_spool *spool)
{
    MULTISPOOL_AUTO(entry) first = NULL;
    MULTISPOOL_AUTO(entry) second = NULL;
    multispool_error *error;
    int32_t status = multispool_enqueue(spool, queues[0], (const uint8_t *)"one", 3, (const uint8_t *)"data", 4, NULL,
                                        &first, &error);
    if (status == MULTISPOOL_OK)
        status = multispool_with_entry(first, save_on, NULL, &error);
    if (status == MULTISPOOL_OK)
        status = multispool_entry_create(spool, queues[1], multispool_entry_name(first), &second, &error);
    if (status == MULTISPOOL_OK)
        status = multispool_with_entry(second, remove_more, NULL, &error);
    return status == MULTISPOOL_OK || fail(error);
}

int main(int argc, char **argv)
{
    multispool_spool *spool;
    multispool_error *error;
    int goes_on = 1;
    if (argc != 2) {
        fprintf(stderr, "usage: drain SPOOL\n");
        return 2;
    }
    if (multispool_spool_load(argv[1], queues, QUEUES, NULL, &spool, &error) != MULTISPOOL_OK)
        return !fail(error);
    for (size_t i = 0; i < QUEUES && goes_on; i++)
        goes_on = drain(spool, &queues[i]);
    goes_on = goes_on && put_through(spool);
    multispool_spool_free(spool);
    return goes_on ? 0 : 1;
}
