/* The first stage of the demo: walks a tree and enqueues each regular file into `incoming`.
 *
 *     walk SPOOL TREE
 *
 * The metadata is a JSON object, {"path": relative to TREE, "size": in bytes}; the data is the file's contents.
 * Once a second, and at the end, a line of progress goes to standard error:
 *
 *     {"stage":"walk","entries":1200,"bytes":9000000,"seconds":2.0}
 *
 * Left out, with a line each: what cannot be read, and names that are not UTF-8, which JSON cannot hold. Symbolic links
 * are not followed. Exit status: 0 done, 1 failure, 2 wrong usage. */

#define _XOPEN_SOURCE 700

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <multispool.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Each byte of a path takes at most six in JSON (\u001f). */
enum { METADATA_MAX = 6 * PATH_MAX + 64 };

/* nftw passes nothing of its caller's on to its callback. */
static struct {
    multispool_spool *spool;
    size_t root_len; /* of the tree's path, with the slash after it */
    uint64_t entries;
    uint64_t bytes;
    double start;
    double last_report;
} walk;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(void)
{
    walk.last_report = now();
    fprintf(stderr, "{\"stage\":\"walk\",\"entries\":%llu,\"bytes\":%llu,\"seconds\":%.1f}\n",
            (unsigned long long)walk.entries, (unsigned long long)walk.bytes, walk.last_report - walk.start);
}

/* How many bytes the UTF-8 sequence at s has, or 0 if there is none. A NUL ends the string, so it is never skipped. */
static size_t utf8_sequence(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xC2 || s[0] > 0xF4)
        return 0;
    size_t len = s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xED && s[1] > 0x9F;
    bool beyond = s[0] == 0xF4 && s[1] > 0x8F;
    return overlong || surrogate || beyond ? 0 : len;
}

/* Writes the metadata of one file to out (METADATA_MAX bytes). Its length, or 0 if the path is not UTF-8. */
static size_t write_metadata(char *out, const char *path, uint64_t size)
{
    size_t len = (size_t)sprintf(out, "{\"path\":\"");
    for (const unsigned char *s = (const unsigned char *)path; *s != '\0';) {
        size_t step = utf8_sequence(s);
        if (step == 0)
            return 0;
        if (*s < 0x20 || *s == '"' || *s == '\\') {
            len += (size_t)sprintf(out + len, "\\u%04x", (unsigned)*s);
        } else {
            memcpy(out + len, s, step);
            len += step;
        }
        s += step;
    }
    return len + (size_t)sprintf(out + len, "\",\"size\":%llu}", (unsigned long long)size);
}

static void left_out(const char *path, const char *why)
{
    fprintf(stderr, "walk: left out %s: %s\n", path, why);
}

static int enqueue(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)where;
    if (type == FTW_DNR)
        left_out(path, "this directory cannot be read");
    if (type != FTW_F || !S_ISREG(st->st_mode))
        return 0;
    if (access(path, R_OK) != 0) {
        left_out(path, strerror(errno));
        return 0;
    }

    static char metadata[METADATA_MAX];
    size_t metadata_len = write_metadata(metadata, path + walk.root_len, (uint64_t)st->st_size);
    if (metadata_len == 0) {
        left_out(path, "its name is not UTF-8");
        return 0;
    }

    multispool_error *error = NULL;
    int32_t status = multispool_enqueue_file(walk.spool, "incoming", (const uint8_t *)metadata, metadata_len, path, NULL,
                                             NULL, &error);
    if (status != MULTISPOOL_OK) {
        fprintf(stderr, "walk: %s: %s\n", multispool_status_name(status),
                error != NULL ? multispool_error_message(error) : path);
        multispool_error_free(error);
        return 1;
    }
    walk.entries++;
    walk.bytes += (uint64_t)st->st_size;
    if (now() - walk.last_report >= 1.0)
        report();
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: walk SPOOL TREE\n");
        return 2;
    }

    char root[PATH_MAX];
    if (realpath(argv[2], root) == NULL) {
        fprintf(stderr, "walk: %s: %s\n", argv[2], strerror(errno));
        return 1;
    }
    walk.root_len = strcmp(root, "/") == 0 ? 1 : strlen(root) + 1;

    const char *const queues[] = {"incoming", "compressed"};
    multispool_error *error = NULL;
    if (multispool_spool_load(argv[1], queues, 2, NULL, &walk.spool, &error) != MULTISPOOL_OK) {
        fprintf(stderr, "walk: %s\n", multispool_error_message(error));
        multispool_error_free(error);
        return 1;
    }

    walk.start = walk.last_report = now();
    errno = 0;
    int result = nftw(root, enqueue, 64, FTW_PHYS);
    if (result == -1)
        fprintf(stderr, "walk: %s: %s\n", root, strerror(errno));
    report();
    multispool_spool_free(walk.spool);
    return result == 0 ? 0 : 1;
}
