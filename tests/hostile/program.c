/* A worker in C on a spool that is full of things which are no entries: returns what dead owners held, takes
 * all that waits in `in`, looks at it and saves it to `out`, then looks for what is wrong. It tells what it
 * does line by line: `had NAME`, `bad PATH` for one bad entry, `failed MESSAGE` for what should not happen.
 *
 *     program SPOOL
 */

#define _POSIX_C_SOURCE 200809L

#include <multispool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char secret[] = "a secret from outside";
static const char *const queues[] = {"in", "out"};

static void fail(multispool_error *error)
{
    printf("failed %s\n", multispool_error_message(error));
    multispool_error_free(error);
}

static void must(int32_t status, multispool_error *error)
{
    if (status == MULTISPOOL_OK)
        return;
    fail(error);
    exit(0);
}

static void bad(multispool_error *error)
{
    printf("bad %s\n", multispool_error_path(error));
    printf("because %s\n", multispool_error_message(error));
    multispool_error_free(error);
}

static void saw(const uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at + sizeof secret - 1 <= len; at++) {
        if (memcmp(bytes + at, secret, sizeof secret - 1) == 0)
            printf("leaked\n");
    }
}

/* Data, by a descriptor and whole. A terabyte is no failure of ours: it is told, and stops nobody. */
static void look(multispool_checkout *checkout)
{
    multispool_data_file *data_file;
    multispool_buffer *buffer;
    multispool_error *error;
    uint8_t piece[4096];
    size_t len;
    int fd;

    const uint8_t *metadata = multispool_checkout_metadata(checkout, &len);
    saw(metadata, len);
    must(multispool_checkout_data_file(checkout, &data_file, &error), error);
    if (multispool_data_file_open(data_file, &fd, &error) == MULTISPOOL_OK) {
        ssize_t had = read(fd, piece, sizeof piece);
        if (had > 0)
            saw(piece, (size_t)had);
        close(fd);
    } else {
        bad(error);
    }
    if (multispool_data_file_load(data_file, &buffer, &error) == MULTISPOOL_OK) {
        const uint8_t *data = multispool_buffer_data(buffer, &len);
        saw(data, len);
        multispool_buffer_free(buffer);
    } else {
        bad(error);
    }
    multispool_data_file_free(data_file);
}

static void recover(const multispool_spool *spool)
{
    multispool_entries *entries;
    multispool_entry *entry;
    multispool_error *error;

    if (multispool_recover(spool, NULL, &entries, &error) != MULTISPOOL_OK)
        bad(error);
    while (entries != NULL && multispool_entries_next(entries, &entry, NULL) == MULTISPOOL_OK)
        multispool_entry_free(entry);
    multispool_entries_free(entries);
}

static void drain(const multispool_spool *spool)
{
    multispool_reader *reader;
    multispool_checkout *checkout;
    multispool_error *error;

    must(multispool_reader_create(spool, queues, 1, NULL, &reader, &error), error);
    for (;;) {
        int32_t status = multispool_reader_dequeue(reader, NULL, 0, &checkout, &error);
        if (status == MULTISPOOL_EMPTY)
            break;
        if (status == MULTISPOOL_CORRUPT) {
            bad(error);
            continue;
        }
        must(status, error);
        look(checkout);
        status = multispool_checkout_save(checkout, "out", NULL, &error);
        if (status == MULTISPOOL_OK)
            printf("had %s\n", multispool_checkout_name(checkout));
        else
            bad(error);
        multispool_checkout_free(checkout);
    }
    multispool_reader_free(reader);
}

static void find_what_is_wrong(const multispool_spool *spool)
{
    multispool_problems *problems;
    multispool_plan *plan;
    multispool_error *error;

    must(multispool_spool_problems(spool, NULL, &problems, &error), error);
    if (multispool_problems_count(problems) == 0)
        printf("failed nothing is wrong with the spool\n");
    multispool_problems_free(problems);
    must(multispool_spool_repair_plan(spool, NULL, &plan, &error), error);
    multispool_plan_free(plan);
}

int main(int argc, char **argv)
{
    multispool_spool_options *options;
    multispool_spool *spool;
    multispool_error *error;

    if (argc != 2) {
        fprintf(stderr, "usage: program SPOOL\n");
        return 2;
    }
    must(multispool_spool_options_new(&options, &error), error);
    must(multispool_spool_options_set_durability(options, MULTISPOOL_DURABILITY_NONE, &error), error);
    must(multispool_spool_load(argv[1], queues, 2, options, &spool, &error), error);
    multispool_spool_options_free(options);
    recover(spool);
    drain(spool);
    find_what_is_wrong(spool);
    multispool_spool_free(spool);
    return 0;
}
