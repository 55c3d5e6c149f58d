/* Random sequences of calls with random arguments, for libFuzzer: each input is a list of choices. Nothing that a
 * program may do, however little sense it makes, may crash the library, make it leak, or answer PANIC.
 * Works in the directory that MULTISPOOL_FUZZ_DIRECTORY names. */

#include "handles.h"

static const uint8_t *choices;
static size_t choices_left;

static void answered(enum kind kind, int64_t answer)
{
    MUST(kind != STATUS || answer != MULTISPOOL_PANIC);
}

static unsigned next_byte(void)
{
    if (choices_left == 0)
        return 0;
    choices_left--;
    return *choices++;
}

static unsigned pick(unsigned n)
{
    return n < 2 ? 0 : next_byte() % n;
}

static int take_absent(void)
{
    return next_byte() >= 0xf8;
}

static int take_wish(const char *parameter)
{
    (void)parameter;
    return next_byte() < 0xf0;
}

/* Often one that means something; else bytes of the input, which name nothing outside the working directory. */
static const char *take_text(const char *parameter)
{
    static const char *const known[] = {
        "in", "out", "name", "spool", "other", "file", "spool/in", "away", "", ".", "in/name", "{}",
        "{\"max_checked_out_age\":\"10m\"}", "{\"spool_dir\":\"spool\",\"limits\":{}}", "{\"check_every\":\"15s\"}",
    };
    static char texts[MANY + 4][300];
    static unsigned turn;
    char *text;
    unsigned choice = next_byte();
    size_t len;

    if (choice < 0x80) {
        if (strcmp(parameter, "queue") == 0 || strcmp(parameter, "queues") == 0)
            return choice < 0x60 ? "in" : "out";
        if (strcmp(parameter, "dir") == 0)
            return "spool";
        if (strcmp(parameter, "path") == 0)
            return "file";
    }
    if (choice >= 0xfc)
        return NULL;
    if (choice < 0xd0)
        return known[choice % (sizeof known / sizeof *known)];
    text = texts[turn++ % (sizeof texts / sizeof *texts)];
    len = next_byte() + (choice & 1 ? 0 : 40);
    if (len > sizeof texts[0] - 1)
        len = sizeof texts[0] - 1;
    for (size_t i = 0; i < len; i++) {
        text[i] = (char)(choices_left > 0 ? next_byte() : 'x');
        if (text[i] == '/')
            text[i] = '_';
    }
    text[len] = '\0';
    return text;
}

static size_t take_texts(const char **texts, const char *parameter)
{
    size_t count = pick(MANY + 1);
    for (size_t i = 0; i < count; i++)
        texts[i] = take_text(parameter);
    return count;
}

/* Memory of exactly that length, so that one byte too many is seen. */
static uint8_t *pieces[8];

static const uint8_t *take_bytes(size_t *len)
{
    static unsigned turn;
    uint8_t **piece = &pieces[turn++ % 8];
    *len = next_byte();
    if (*len == 0xff)
        *len = 70000;
    if (*len == 0)
        return NULL;
    free(*piece);
    *piece = malloc(*len);
    MUST(*piece != NULL);
    memset(*piece, 'b', *len);
    for (size_t i = 0; i < *len && i < 8; i++)
        (*piece)[i] = (uint8_t)next_byte();
    return *piece;
}

static int64_t take_number(const char *parameter)
{
    static const int64_t known[] = {-1, -2, 2, 3, 600000, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, 0644, 0755};
    unsigned choice = next_byte();
    /* A wait for ever has no end here. */
    if (strcmp(parameter, "timeout_ms") == 0)
        return choice < 0xf0 ? (int64_t)(choice & 1) : -2;
    return choice < 0xc0 ? (int64_t)(choice & 1) : known[choice % (sizeof known / sizeof *known)];
}

#include "calls.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *directory = getenv("MULTISPOOL_FUZZ_DIRECTORY");
    (void)argc;
    (void)argv;
    function = "MULTISPOOL_FUZZ_DIRECTORY";
    MUST(directory != NULL && chdir(directory) == 0);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    choices = NULL;
    choices_left = 0;
    clear_directory();
    furnish();
    choices = data;
    choices_left = size;
    if (pick(16) == 1)
        furnish_problems();
    while (choices_left > 0) {
        unsigned at = next_byte() % CALLS;
        function = calls[at].name;
        calls[at].call();
    }
    function = "the end";
    drop_all();
    for (unsigned i = 0; i < 8; i++) {
        free(pieces[i]);
        pieces[i] = NULL;
    }
    return 0;
}
