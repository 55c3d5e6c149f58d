/* What is in hand. */

#include <stdlib.h>
#include <string.h>

#include "agent.h"

typedef struct hand {
    kind which;
    char *name;
    void *handle;
} hand;

static hand *hands;
static size_t count;

static const char *const keys[KINDS] = {"spool", "writer", "data_writer", "checkout", "reader",
                                        "stop",  "plan",   "monitor",     "daemon"};

const char *kind_key(kind which)
{
    return keys[which];
}

static void free_handle(kind which, void *handle)
{
    switch (which) {
    case SPOOL: multispool_spool_free(handle); break;
    case WRITER: multispool_enqueue_writer_free(handle); break;
    case DATA_WRITER: multispool_data_writer_free(handle); break;
    case CHECKOUT: multispool_checkout_free(handle); break;
    case READER: multispool_reader_free(handle); break;
    case STOP: multispool_stop_free(handle); break;
    case PLAN: multispool_plan_free(handle); break;
    case MONITOR: multispool_monitor_free(handle); break;
    case DAEMON: multispool_daemon_free(handle); break;
    case KINDS: break;
    }
}

static hand *find(kind which, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (hands[i].which == which && strcmp(hands[i].name, name) == 0)
            return &hands[i];
    return NULL;
}

static void forget(hand *gone)
{
    free_handle(gone->which, gone->handle);
    free(gone->name);
    *gone = hands[--count];
}

void hand_keep(kind which, const char *name, void *handle)
{
    if (name == NULL)
        mistake("a step that makes something needs as=");
    hand *old = find(which, name);
    if (old != NULL)
        forget(old);
    hands = realloc(hands, (count + 1) * sizeof *hands);
    if (hands == NULL)
        abort();
    hand *new = &hands[count++];
    new->which = which;
    new->handle = handle;
    new->name = malloc(strlen(name) + 1);
    if (new->name == NULL)
        abort();
    strcpy(new->name, name);
}

void *hand_get(const line *in, kind which)
{
    const char *name = line_text(in, keys[which]);
    hand *found = name != NULL ? find(which, name) : NULL;

    if (found == NULL)
        mistake(keys[which]);
    return found->handle;
}

void *hand_get_any(const line *in, kind which)
{
    return line_has(in, keys[which]) ? hand_get(in, which) : NULL;
}

void hand_free(const line *in, kind which)
{
    hand_get(in, which);
    forget(find(which, line_text(in, keys[which])));
}

void hand_free_all(void)
{
    while (count > 0)
        forget(&hands[count - 1]);
}
