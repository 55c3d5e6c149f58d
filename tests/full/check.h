/* Checks that are counted, and looks at the spool's directory. */

#ifndef CHECK_H
#define CHECK_H

#include <multispool.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int passed, failed;
static const char *spool_dir;

#define CHECK(what) check((what), #what, __LINE__)

static bool check(bool is_so, const char *what, int line)
{
    if (is_so) {
        passed++;
    } else {
        failed++;
        printf("FAILED line %d: %s\n", line, what);
    }
    return is_so;
}

/* For what the test itself stands on. */
#define MUST(what) must((what), #what, __LINE__)

static void must(bool is_so, const char *what, int line)
{
    if (is_so)
        return;
    printf("FAILED line %d, and cannot go on: %s\n", line, what);
    exit(1);
}

/* Where every call puts its error. */
static multispool_error *error;

static void no_error(void)
{
    multispool_error_free(error);
    error = NULL;
}

/* That a call gave this status. Its error is freed. */
#define GIVES(status, call) gives((status), (call), #call, __LINE__)

static bool gives(int32_t expected, int32_t status, const char *what, int line)
{
    const char *message = multispool_error_message(error);
    bool is_so = check(status == expected, what, line);
    if (!is_so)
        printf("    %d, not %d: %s\n", (int)status, (int)expected, message != NULL ? message : "no error");
    no_error();
    return is_so;
}

static bool has(const char *text, const char *words)
{
    bool is_so = text != NULL && strstr(text, words) != NULL;
    if (!is_so)
        printf("    no \"%s\" in: %s\n", words, text != NULL ? text : "nothing");
    return is_so;
}

/* All that is in the spool, a line each: kind, path, and the size of files. To be freed. */
static char *tree(void)
{
    char command[1024];
    size_t len = 0, room = 1 << 20;
    char *lines = malloc(room);
    FILE *from;

    MUST(lines != NULL);
    snprintf(command, sizeof command, "find '%s' '(' -type f -printf 'f %%p %%s\\n' ')' -o -printf '%%y %%p\\n' | sort",
             spool_dir);
    fflush(stdout);
    from = popen(command, "r");
    MUST(from != NULL);
    len = fread(lines, 1, room - 1, from);
    MUST(len > 0 && len < room - 1 && pclose(from) == 0);
    lines[len] = '\0';
    return lines;
}

/* That the spool is as it was. `before` is freed. */
#define UNCHANGED(before) unchanged((before), __LINE__)

static void unchanged(char *before, int line)
{
    char *after = tree();
    if (!check(strcmp(before, after) == 0, "the spool is as it was before the call", line))
        printf("before:\n%safter:\n%s", before, after);
    free(before);
    free(after);
}

static int finish(void)
{
    printf("%d %d\n", passed, failed);
    return failed == 0 ? 0 : 1;
}

#endif
