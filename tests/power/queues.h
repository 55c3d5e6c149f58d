/* The queues of the spool that is cut. */

#ifndef QUEUES_H
#define QUEUES_H

enum { QUEUES = 3 };

static const char *const queues[QUEUES] = {"incoming", "waiting", "done"};

#endif
