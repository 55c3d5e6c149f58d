/* Lines: taken apart, and answered. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    mistake("a % without two hexadecimal digits");
}

/* Decodes a value where it lies; returns its length. */
static size_t decode(char *value)
{
    char *to = value;

    for (const char *from = value; *from != '\0'; from++) {
        if (*from == '%') {
            *to++ = (char)(digit(from[1]) * 16 + digit(from[2]));
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    return (size_t)(to - value);
}

void line_parse(char *text, line *in)
{
    in->count = 0;
    in->word = strtok(text, " \n");
    if (in->word == NULL)
        in->word = text;
    for (char *word; (word = strtok(NULL, " \n")) != NULL;) {
        char *value = strchr(word, '=');
        if (value == NULL || in->count == MAX_VALUES)
            mistake("no key=value, or too many");
        *value++ = '\0';
        in->keys[in->count] = word;
        in->values[in->count] = value;
        in->lengths[in->count++] = decode(value);
    }
}

const char *line_text(const line *in, const char *key)
{
    for (size_t i = 0; i < in->count; i++)
        if (strcmp(in->keys[i], key) == 0)
            return in->values[i];
    return NULL;
}

const uint8_t *line_bytes(const line *in, const char *key, size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < in->count; i++) {
        if (strcmp(in->keys[i], key) == 0) {
            *len = in->lengths[i];
            return (const uint8_t *)in->values[i];
        }
    }
    return NULL;
}

int64_t line_number(const line *in, const char *key, int64_t otherwise)
{
    const char *text = line_text(in, key);
    return text != NULL ? strtoll(text, NULL, 10) : otherwise;
}

uint32_t line_octal(const line *in, const char *key)
{
    const char *text = line_text(in, key);
    return text != NULL ? (uint32_t)strtoul(text, NULL, 8) : 0;
}

bool line_has(const line *in, const char *key)
{
    return line_text(in, key) != NULL;
}

bool line_yes(const line *in, const char *key)
{
    const char *text = line_text(in, key);
    return text != NULL && strcmp(text, "yes") == 0;
}

const char *const *line_all(const line *in, const char *key, size_t *count)
{
    static const char *values[MAX_VALUES];

    *count = 0;
    for (size_t i = 0; i < in->count; i++)
        if (strcmp(in->keys[i], key) == 0)
            values[(*count)++] = in->values[i];
    return values;
}

int32_t line_durability(const line *in)
{
    const char *word = line_text(in, "durability");

    if (word == NULL)
        return -1;
    if (strcmp(word, "none") == 0)
        return MULTISPOOL_DURABILITY_NONE;
    if (strcmp(word, "original") == 0)
        return MULTISPOOL_DURABILITY_ORIGINAL;
    if (strcmp(word, "full") == 0)
        return MULTISPOOL_DURABILITY_FULL;
    mistake("an unknown durability");
}

static char *said;
static size_t said_len, said_room;

static void add(const char *bytes, size_t len)
{
    if (said_len + len + 1 > said_room) {
        said_room = 2 * (said_len + len + 1);
        said = realloc(said, said_room);
        if (said == NULL)
            abort();
    }
    memcpy(said + said_len, bytes, len);
    said_len += len;
    said[said_len] = '\0';
}

static void add_encoded(const uint8_t *bytes, size_t len)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/:,{}\"";
    char encoded[4];

    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != '\0' && strchr(plain, bytes[i]) != NULL) {
            add((const char *)bytes + i, 1);
        } else {
            snprintf(encoded, sizeof encoded, "%%%02X", bytes[i]);
            add(encoded, 3);
        }
    }
}

void answer_word(const char *word)
{
    said_len = 0;
    add(word, strlen(word));
}

bool answer(int32_t status, multispool_error **error)
{
    answer_word(multispool_status_name(status));
    if (error != NULL && *error != NULL) {
        answer_text("message", multispool_error_message(*error));
        multispool_error_free(*error);
        *error = NULL;
    }
    return status == MULTISPOOL_OK;
}

static void add_key(const char *key)
{
    add(" ", 1);
    add(key, strlen(key));
    add("=", 1);
}

void answer_add(const char *key, const void *bytes, size_t len)
{
    add_key(key);
    add_encoded(bytes, len);
}

void answer_text(const char *key, const char *text)
{
    answer_add(key, text, strlen(text));
}

void answer_number(const char *key, int64_t number)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%lld", (long long)number);
    answer_text(key, digits);
}

void answer_place(const char *key, const char *before, const char *directory, const char *name)
{
    answer_text(key, before);
    if (*before != '\0')
        add_encoded((const uint8_t *)" ", 1);
    add_encoded((const uint8_t *)directory, strlen(directory));
    add("/", 1);
    add_encoded((const uint8_t *)name, strlen(name));
}

void answer_print(void)
{
    puts(said);
    fflush(stdout);
}
