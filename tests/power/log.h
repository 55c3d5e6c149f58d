/* The log that all workers share, outside the file system that is cut: a line for each thing that is about to
 * be done, and for each answer. A line is one write(2) at the file's end, so the order of the lines is the
 * order in which things were told.
 *
 *     WHO enqueue QUEUE NAME METADATA DATA   an entry is about to be made; NAME is - where none is known yet
 *     WHO take QUEUE NAME METADATA           it was checked out, and had this metadata
 *     WHO data NAME DATA                     its data is about to be replaced
 *     WHO save NAME QUEUE METADATA           it is about to be saved; METADATA is - where it was not changed
 *     WHO release NAME
 *     WHO remove NAME
 *     WHO ok NAME                            what WHO was about to do is acknowledged
 *     WHO up                                 for the first time
 *     WHO failed ERRNO STATUS MESSAGE        it is not acknowledged, and WHO stops
 *     cut                                    from here on nothing reaches the disk
 */

#ifndef LOG_H
#define LOG_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A worker that cannot tell what it does proves nothing: it ends at once. */
static inline void log_line(int log, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    int len;
    va_start(arguments, format);
    len = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof line - 1) {
        fprintf(stderr, "worker: a line is too long for the log\n");
        exit(1);
    }
    line[len] = '\n';
    if (write(log, line, (size_t)len + 1) != len + 1) {
        perror("worker: log");
        exit(1);
    }
}

#endif
