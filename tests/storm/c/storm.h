/* What the two programs of the storm in C share: their log, and their luck. */

#ifndef STORM_H
#define STORM_H

#include <multispool.h>
#include <stddef.h>
#include <stdint.h>

/* One line of the log; NULL stands for nothing. The two sums are those of the metadata and the data. */
struct record {
    const char *event;
    unsigned session;
    const char *serial;
    const char *name;
    const char *queue;
    uint32_t metadata;
    uint32_t data;
};

/* The arguments that both programs have: SPOOL LOG PROCESS SEED DURABILITY. */
enum { ARGUMENTS = 5, SERIAL_LEN = 32 };

/* Takes them, opens the log and the spool. */
multispool_spool *begin(char **argv);

/* This process's number, as the driver gave it. */
const char *process(void);

/* Adds a line to the log, by one write; the time is that of the call. */
void note(const struct record *record);

/* Ends the process unless the call has succeeded. */
void must(int32_t status, multispool_error **error);

/* Ends the process: `what` went wrong. */
void fail(const char *what);

uint32_t sum_of(const uint8_t *bytes, size_t len);

/* A random number below n. */
unsigned below(unsigned n);

/* Half of the time nothing, else up to so many milliseconds. */
void linger(unsigned most_ms);

/* Data that tells which entry it is of, and who made it; the caller frees it. */
uint8_t *make_data(const char *serial, const char *maker, size_t *len);

#endif
