#define _POSIX_C_SOURCE 200809L

#include "storm.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RECORD_LEN = 256 };

static const char *const queues[] = {"incoming", "middle", "outgoing", "done"};

static int log_fd = -1;
static const char *number;
static uint64_t luck;

void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", number != NULL ? number : "storm", what);
    exit(1);
}

void must(int32_t status, multispool_error **error)
{
    if (status == MULTISPOOL_OK)
        return;
    fprintf(stderr, "%s: %s: ", number, multispool_status_name(status));
    fail(*error != NULL ? multispool_error_message(*error) : "no error");
}

static int32_t level(const char *word)
{
    if (strcmp(word, "full") == 0)
        return MULTISPOOL_DURABILITY_FULL;
    if (strcmp(word, "original") == 0)
        return MULTISPOOL_DURABILITY_ORIGINAL;
    if (strcmp(word, "none") != 0)
        fail("a durability is none, original or full");
    return MULTISPOOL_DURABILITY_NONE;
}

multispool_spool *begin(char **argv)
{
    multispool_spool_options *options;
    multispool_spool *spool;
    multispool_error *error;

    number = argv[3];
    luck = strtoull(argv[4], NULL, 10) | 1;
    log_fd = open(argv[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (log_fd < 0)
        fail("the log cannot be opened");
    must(multispool_spool_options_new(&options, &error), &error);
    must(multispool_spool_options_set_durability(options, level(argv[5]), &error), &error);
    must(multispool_spool_load(argv[1], queues, sizeof queues / sizeof *queues, options, &spool, &error), &error);
    multispool_spool_options_free(options);
    return spool;
}

const char *process(void)
{
    return number;
}

static const char *or_dash(const char *text)
{
    return text != NULL ? text : "-";
}

void note(const struct record *record)
{
    char line[RECORD_LEN + 1];
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    int len = snprintf(line, sizeof line, "%" PRIu64 " %s %s %u %s %s %s %08" PRIx32 " %08" PRIx32,
                       (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec, record->event, number,
                       record->session, or_dash(record->serial), or_dash(record->name), or_dash(record->queue),
                       record->metadata, record->data);
    if (len < 0 || len >= RECORD_LEN)
        fail("a record is too long");
    memset(line + len, ' ', RECORD_LEN - (size_t)len);
    line[RECORD_LEN - 1] = '\n';
    if (write(log_fd, line, RECORD_LEN) != RECORD_LEN)
        fail("the log cannot be written");
}

/* CRC-32 as in zlib. */
uint32_t sum_of(const uint8_t *bytes, size_t len)
{
    static uint32_t table[256];
    if (table[1] == 0)
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t crc = i;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ ((crc & 1) != 0 ? UINT32_C(0xedb88320) : 0);
            table[i] = crc;
        }
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++)
        crc = (crc >> 8) ^ table[(crc ^ bytes[i]) & 0xff];
    return ~crc;
}

/* xorshift64* */
unsigned below(unsigned n)
{
    luck ^= luck >> 12;
    luck ^= luck << 25;
    luck ^= luck >> 27;
    return (unsigned)((luck * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % n;
}

void linger(unsigned most_ms)
{
    if (below(2) == 0) {
        struct timespec pause = {0, (long)below(most_ms * 1000) * 1000};
        nanosleep(&pause, NULL);
    }
}

uint8_t *make_data(const char *serial, const char *maker, size_t *len)
{
    char line[80];
    int line_len = snprintf(line, sizeof line, "%s by %s\n", serial, maker);
    *len = below(below(16) == 0 ? 256 * 1024 : 4096);
    uint8_t *data = malloc(*len + 1);
    if (data == NULL || line_len < 0 || line_len >= (int)sizeof line)
        fail("no memory for data");
    for (size_t i = 0; i < *len; i++)
        data[i] = (uint8_t)line[i % (size_t)line_len];
    return data;
}
