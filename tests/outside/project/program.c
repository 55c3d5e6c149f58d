/* Puts an entry in a new spool, takes it, and prints its data: what a first program with multispool does.
 *
 *     program SPOOL */

#include <multispool.h>
#include <multispool_helpers.h>
#include <stdio.h>
#include <string.h>

#define BYTES(text) (const uint8_t *)(text), strlen(text)

static multispool_outcome print(multispool_checkout *checkout, void *context, multispool_error **error)
{
    multispool_data_file *file;
    multispool_buffer *data = NULL;
    size_t len;
    int32_t status = multispool_checkout_data_file(checkout, &file, error);
    (void)context;
    if (status == MULTISPOOL_OK)
        status = multispool_data_file_load(file, &data, error);
    multispool_data_file_free(file);
    if (status != MULTISPOOL_OK)
        return multispool_outcome_fail(status);
    const uint8_t *bytes = multispool_buffer_data(data, &len);
    printf("%.*s\n", (int)len, (const char *)bytes);
    multispool_buffer_free(data);
    return multispool_outcome_remove();
}

int main(int argc, char **argv)
{
    static const char *const queues[] = {"in"};
    multispool_spool *spool = NULL;
    multispool_reader *reader = NULL;
    multispool_error *error = NULL;
    int failed = 1;

    if (argc != 2)
        return 2;
    if (strcmp(multispool_version_string(), MULTISPOOL_VERSION_STRING) != 0)
        return 3;
    if (multispool_spool_create(argv[1], queues, 1, NULL, &spool, &error) == MULTISPOOL_OK &&
        multispool_enqueue(spool, "in", BYTES("metadata"), BYTES("from outside"), NULL, NULL, &error) == MULTISPOOL_OK &&
        multispool_reader_create(spool, queues, 1, NULL, &reader, &error) == MULTISPOOL_OK &&
        multispool_for_each_available(reader, print, NULL, &error) == MULTISPOOL_OK)
        failed = 0;
    else
        multispool_error_print(stderr, "program", error);
    multispool_error_free(error);
    multispool_reader_free(reader);
    multispool_spool_free(spool);
    return failed;
}
