/* What metadata and data are filled with. A version of either is named by a token, "ID.LENGTH", that is used
 * once in a run; its bytes are the token, a newline, and noise that follows from the token. So a file tells
 * which version it is, and whether it is whole. */

#ifndef CONTENT_H
#define CONTENT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_SIZE = 64, CONTENT_MAX = 400 * 1024 };

/* Xorshift: the next of a row of numbers, none of them 0. */
static inline uint64_t content_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* FNV-1a of the token. */
static inline uint64_t content_seed(const char *token)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *token != '\0'; token++)
        hash = (hash ^ (uint8_t)*token) * UINT64_C(1099511628211);
    return hash;
}

/* Writes the version's bytes, and gives their number; 0 if the token names no length that has room for it. */
static inline size_t content_write(const char *token, uint8_t *bytes)
{
    const char *dot = strrchr(token, '.');
    size_t head = strlen(token);
    size_t len = dot == NULL ? 0 : (size_t)strtoul(dot + 1, NULL, 10);
    uint64_t state = content_seed(token);
    if (len <= head || len > CONTENT_MAX)
        return 0;
    memcpy(bytes, token, head);
    bytes[head] = '\n';
    for (size_t i = head + 1; i < len; i++)
        bytes[i] = (uint8_t)(content_random(&state) >> 56);
    return len;
}

/* Finds out which version the bytes are: 1 and its token if they are one, whole, else 0. `room` is for
 * CONTENT_MAX bytes. */
static inline int content_read(const uint8_t *bytes, size_t len, uint8_t *room, char token[TOKEN_SIZE])
{
    const uint8_t *end = memchr(bytes, '\n', len < TOKEN_SIZE ? len : TOKEN_SIZE);
    if (end == NULL)
        return 0;
    memcpy(token, bytes, (size_t)(end - bytes));
    token[end - bytes] = '\0';
    return content_write(token, room) == len && memcmp(bytes, room, len) == 0;
}

#endif
