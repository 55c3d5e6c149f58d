/* The floor: each operation as the bare system calls that it cannot do without, and nothing else: no lock, no look at what
 * was found, no undoing. Nothing that keeps its entries in files of this layout can be faster. See roles.h for the command
 * line. DURABILITY:
 *
 *     off       no syncs
 *     strict    the syncs that POSIX asks for: contents, directory, rename, directory; that of .registry/ is left out,
 *               since any journal has it in the commit of the others
 *     ordered   for file systems that commit in order: contents are written out, and one sync of the queue's directory
 *               commits all the rest
 */
#define _GNU_SOURCE

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../drivers/c/roles.h"

enum { BATCH_MAX = 256, NAME_ROOM = 64 };

enum durability { OFF, STRICT, ORDERED };

/* As the kernel writes it. */
struct directory_entry {
    unsigned long long inode;
    long long next;
    unsigned short length;
    unsigned char type;
    char name[];
};

static enum durability durability;
static int registry, data, temporary, waiting, checkout, watch = -1;
static char watched[PATH_MAX];
/* Names that were read from the queue's directory, or that the kernel tells of. */
static union {
    char bytes[32768];
    struct directory_entry entry;
    struct inotify_event event;
} listed, arrived;
static size_t listed_at, listed_end, arrived_at, arrived_end;
static int listing = -1;
static char taken[NAME_MAX + 1];

static int directory(int in, const char *name)
{
    if (mkdirat(in, name, 0777) < 0 && errno != EEXIST)
        fail(name);
    return (int)must(openat(in, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), name);
}

static void open_floor(const char *peer, const char *level, const char *dir)
{
    (void)peer;
    durability = strcmp(level, "strict") == 0 ? STRICT : strcmp(level, "ordered") == 0 ? ORDERED : OFF;
    int root = directory(AT_FDCWD, dir);
    registry = directory(root, ".registry");
    data = directory(root, ".data");
    temporary = directory(root, ".tmp");
    waiting = directory(root, "queue");
    checkout = directory(waiting, ".checkout");
    must(close(root), "close");
    if (snprintf(watched, sizeof watched, "%s/queue", dir) >= (int)sizeof watched) {
        errno = ENAMETOOLONG;
        fail(dir);
    }
}

static void new_name(char name[NAME_ROOM])
{
    static unsigned count;
    struct timespec time;
    must(clock_gettime(CLOCK_REALTIME, &time), "clock_gettime");
    snprintf(name, NAME_ROOM, "%011lld.%09ld.%d.%u", (long long)time.tv_sec, time.tv_nsec, (int)getpid(), count++);
}

static int written(int dir, const char *name, const char *bytes, size_t len)
{
    int file = (int)must(openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666), name);
    if (len > 0 && write(file, bytes, len) != (ssize_t)len)
        fail(name);
    return file;
}

static void begin_write_out(int file)
{
    must(sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE), "sync_file_range");
}

static void await_write_out(int file)
{
    must(sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER),
         "sync_file_range");
}

/* Each step for all of them, so that a batch pays once for what can be shared. */
static void put_batch(const struct message *message, size_t count)
{
    char names[BATCH_MAX][NAME_ROOM];
    int files[BATCH_MAX][2];

    if (count > BATCH_MAX) {
        errno = E2BIG;
        fail("the batch");
    }
    for (size_t i = 0; i < count; i++) {
        new_name(names[i]);
        must(close(written(registry, names[i], NULL, 0)), "close");
        files[i][0] = written(data, names[i], message->data, sizeof message->data);
        if (durability == ORDERED)
            begin_write_out(files[i][0]);
        files[i][1] = written(temporary, names[i], message->metadata, sizeof message->metadata);
        if (durability == ORDERED)
            begin_write_out(files[i][1]);
    }
    for (size_t i = 0; i < count; i++) {
        for (int part = 0; part < 2; part++) {
            if (durability == STRICT)
                must(fsync(files[i][part]), "fsync");
            else if (durability == ORDERED)
                await_write_out(files[i][part]);
            must(close(files[i][part]), "close");
        }
    }
    if (durability == STRICT)
        must(fsync(data), "fsync");
    for (size_t i = 0; i < count; i++)
        must(renameat(temporary, names[i], waiting, names[i]), "rename");
    if (durability != OFF)
        must(fsync(waiting), "fsync");
}

static void put(const struct message *message)
{
    put_batch(message, 1);
}

static const char *next_listed(void)
{
    for (;;) {
        while (listed_at < listed_end) {
            struct directory_entry *entry = (struct directory_entry *)(void *)(listed.bytes + listed_at);
            listed_at += entry->length;
            if (entry->name[0] != '.')
                return entry->name;
        }
        if (listing < 0)
            listing = (int)must(openat(waiting, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "queue");
        listed_at = 0;
        listed_end = (size_t)must(syscall(SYS_getdents64, listing, listed.bytes, sizeof listed.bytes), "getdents64");
        if (listed_end == 0) {
            must(close(listing), "close");
            listing = -1;
            return NULL;
        }
    }
}

/* Whatever comes after this is told of by the kernel. */
static void begin_to_watch(void)
{
    watch = (int)must(inotify_init1(IN_CLOEXEC | IN_NONBLOCK), "inotify");
    must(inotify_add_watch(watch, watched, IN_MOVED_TO), watched);
}

static const char *next_arrived(int wait_ms)
{
    for (;;) {
        if (arrived_at < arrived_end) {
            struct inotify_event *event = (struct inotify_event *)(void *)(arrived.bytes + arrived_at);
            arrived_at += sizeof *event + event->len;
            if (event->mask & IN_Q_OVERFLOW) {
                errno = EOVERFLOW;
                fail("inotify");
            }
            return event->name;
        }
        ssize_t len = read(watch, arrived.bytes, sizeof arrived.bytes);
        if (len < 0 && errno == EAGAIN) {
            struct pollfd ready = {watch, POLLIN, 0};
            if (must(poll(&ready, 1, wait_ms), "poll") == 0)
                return NULL;
            continue;
        }
        arrived_at = 0;
        arrived_end = (size_t)must(len, "inotify");
    }
}

static void read_file(int dir, char *bytes, size_t room)
{
    int file = (int)must(openat(dir, taken, O_RDONLY | O_CLOEXEC), taken);
    must(read(file, bytes, room), taken);
    must(close(file), "close");
}

/* False if another took it. */
static bool take_named(const char *name, struct message *message)
{
    if (renameat(waiting, name, checkout, name) < 0) {
        if (errno != ENOENT)
            fail(name);
        return false;
    }
    strcpy(taken, name);
    read_file(checkout, message->metadata, sizeof message->metadata);
    read_file(data, message->data, sizeof message->data);
    return true;
}

/* Lists while there is something; then watches, lists once more for what came before the watch, and waits for arrivals. */
static bool take(struct message *message, int wait_ms)
{
    static enum { LISTING, LISTING_AGAIN, WATCHING } now = LISTING;

    for (;;) {
        const char *name = now == WATCHING ? next_arrived(wait_ms) : next_listed();
        if (name != NULL) {
            if (take_named(name, message))
                return true;
        } else if (now == WATCHING) {
            return false;
        } else if (now == LISTING) {
            begin_to_watch();
            now = LISTING_AGAIN;
        } else {
            now = WATCHING;
        }
    }
}

static void acknowledge(void)
{
    must(unlinkat(checkout, taken, 0), taken);
    if (durability != OFF)
        must(fsync(checkout), "fsync");
    must(unlinkat(data, taken, 0), taken);
    must(unlinkat(registry, taken, 0), taken);
}

static void close_floor(void)
{
    int all[] = {registry, data, temporary, waiting, checkout};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        must(close(all[i]), "close");
    if (watch >= 0)
        must(close(watch), "close");
    if (listing >= 0)
        must(close(listing), "close");
}

int main(int argc, char **argv)
{
    const struct queue queue = {open_floor, put, put_batch, take, acknowledge, close_floor};
    return play(&queue, argc, argv);
}
