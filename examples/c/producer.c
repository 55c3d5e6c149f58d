/* Puts files into the queue `incoming` of a spool: the path is the metadata, the contents are the data.
 *
 *     producer SPOOL FILE...
 *     ... | producer SPOOL -        standard input, as one entry
 *
 * Prints the name of each entry once it is safe on disk: from then on it survives a loss of power.
 * Exit status: 0 done, 1 some file failed, 2 wrong usage. */

#include <errno.h>
#include <multispool.h>
#include <multispool_helpers.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Streams standard input into an entry; it is visible only once it is whole. */
static int32_t enqueue_input(const multispool_spool *spool, multispool_entry **entry, multispool_error **error)
{
    static const char metadata[] = "-";
    static uint8_t piece[64 * 1024];
    multispool_enqueue_writer *writer;
    size_t len;

    int32_t status = multispool_enqueue_writer_create(spool, "incoming", NULL, &writer, error);
    while (status == MULTISPOOL_OK && (len = fread(piece, 1, sizeof piece, stdin)) > 0)
        status = multispool_enqueue_writer_write(writer, piece, len, error);
    if (status == MULTISPOOL_OK && ferror(stdin)) {
        fprintf(stderr, "producer: standard input: %s\n", strerror(errno));
        status = MULTISPOOL_HANDLER_FAILED;
    }
    if (status == MULTISPOOL_OK)
        status = multispool_enqueue_writer_commit(writer, (const uint8_t *)metadata, strlen(metadata), entry, error);
    /* What was not committed is undone. */
    multispool_enqueue_writer_free(writer);
    return status;
}

int main(int argc, char **argv)
{
    static const char *const queues[] = {"incoming", "done"};
    multispool_error *error = NULL;
    multispool_spool *spool;
    int failed = 0;

    if (argc < 3) {
        fprintf(stderr, "usage: producer SPOOL FILE...\n");
        return 2;
    }
    if (multispool_spool_create(argv[1], queues, 2, NULL, &spool, &error) != MULTISPOOL_OK) {
        multispool_error_print(stderr, "producer", error);
        multispool_error_free(error);
        return 1;
    }
    for (int i = 2; i < argc; i++) {
        multispool_entry *entry = NULL;
        const char *file = argv[i];
        int32_t status = strcmp(file, "-") == 0
                             ? enqueue_input(spool, &entry, &error)
                             : multispool_enqueue_file(spool, "incoming", (const uint8_t *)file, strlen(file), file,
                                                       NULL, &entry, &error);
        if (status == MULTISPOOL_OK) {
            puts(multispool_entry_name(entry));
        } else {
            /* With NOT_DURABLE the entry is in the queue, and the message names it: do not enqueue it again. */
            failed = 1;
            if (error != NULL)
                multispool_error_print(stderr, "producer", error);
            multispool_error_free(error);
            error = NULL;
        }
        multispool_entry_free(entry);
    }
    multispool_spool_free(spool);
    return failed;
}
