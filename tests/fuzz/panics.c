/* A bug inside each function of the library, asked for by MULTISPOOL_PANIC in a build that can (src/omit.rs): it must
 * come back as PANIC, or as what the getter gives for NULL, with the handle spoilt and the process in good order.
 *
 *     panics DIRECTORY        an empty one, to work in
 *
 * Each function has a process of its own, so that what a bug leaves behind is not the next one's. */

#include "handles.h"

#include <sys/wait.h>

static enum kind kind;
static int64_t answer;
/* Whether handles are to be NULL, to see what that gives. */
static int absent;

static void answered(enum kind of, int64_t is)
{
    kind = of;
    answer = is;
}

static int take_absent(void)
{
    return absent;
}

static unsigned pick(unsigned n)
{
    (void)n;
    return 0;
}

static const char *take_text(const char *parameter)
{
    if (strcmp(parameter, "queue") == 0)
        return "in";
    if (strcmp(parameter, "dir") == 0)
        return "spool";
    if (strcmp(parameter, "path") == 0)
        return "file";
    return strcmp(parameter, "json") == 0 ? "{}" : "other";
}

static size_t take_texts(const char **texts, const char *parameter)
{
    (void)parameter;
    texts[0] = "in";
    return 1;
}

static const uint8_t *take_bytes(size_t *len)
{
    *len = 1;
    return (const uint8_t *)"b";
}

static int64_t take_number(const char *parameter)
{
    (void)parameter;
    return 0;
}

static int take_wish(const char *parameter)
{
    (void)parameter;
    return 1;
}

#include "calls.h"

/* The only ones that run outside the guard: they take no handle and give a constant, or must be safe in a signal
 * handler. */
static int has_no_guard(const char *name)
{
    static const char *const names[] = {
        "multispool_version",     "multispool_version_string", "multispool_format_version",
        "multispool_status_name", "multispool_stop_trigger",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return 1;
    return 0;
}

/* Does it with a bug in it, and looks at what comes back. */
static void break_and_look(size_t at)
{
    enum kind when_broken;
    int64_t broken;

    clear_directory();
    furnish();
    furnish_problems();
    function = calls[at].name;
    MUST(setenv("MULTISPOOL_PANIC", "1", 1) == 0);
    calls[at].call();
    MUST(unsetenv("MULTISPOOL_PANIC") == 0);
    when_broken = kind;
    broken = answer;
    if (when_broken == STATUS) {
        MUST(broken == MULTISPOOL_PANIC);
        MUST(multispool_error_status(of_error[0]) == MULTISPOOL_PANIC);
        MUST(strstr(multispool_error_message(of_error[0]), "asked for") != NULL);
    } else if (when_broken != NOTHING) {
        absent = 1;
        calls[at].call();
        absent = 0;
        MUST(broken == answer);
    }

    /* The process lives, and so does the library in it. */
    drop_all();
    clear_directory();
    furnish();
    furnish_problems();
    function = calls[at].name;
    calls[at].call();
    MUST(kind != STATUS || answer != MULTISPOOL_PANIC);
    drop_all();
}

int main(int argc, char **argv)
{
    unsigned passed = 0, failed = 0;
    int32_t before;

    if (argc != 2 || chdir(argv[1]) != 0) {
        fprintf(stderr, "usage: panics DIRECTORY\n");
        return 2;
    }
    /* A build in which nothing can be broken would pass without a look. */
    multispool_limits *limits;
    if (setenv("MULTISPOOL_PANIC", "1", 1) != 0)
        return 2;
    before = multispool_limits_new(&limits, NULL);
    unsetenv("MULTISPOOL_PANIC");
    if (before != MULTISPOOL_PANIC) {
        fprintf(stderr, "panics: this build of the library has no bugs to ask for\n");
        return 2;
    }
    for (size_t at = 0; at < CALLS; at++) {
        int status = 0;
        pid_t child;
        if (has_no_guard(calls[at].name))
            continue;
        child = fork();
        if (child == 0) {
            break_and_look(at);
            exit(0);
        }
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
            fprintf(stderr, "%s: status %d\n", calls[at].name, status);
            failed++;
        } else {
            passed++;
        }
    }
    printf("panics: %u passed, %u failed, 0 skipped\n", passed, failed);
    return failed != 0 || passed < 200;
}
