/* The conformance suite's agent for C: what its parts share. */

#ifndef AGENT_H
#define AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <multispool.h>

/* One line of the judge's: a verb, and values by their keys. */
enum { MAX_VALUES = 64 };
typedef struct line {
    char *word;
    size_t count;
    char *keys[MAX_VALUES];
    /* Decoded, each with a NUL after it that its length does not count. */
    char *values[MAX_VALUES];
    size_t lengths[MAX_VALUES];
} line;

/* Takes a line apart, where it lies. */
void line_parse(char *text, line *in);
/* The first value of a key; NULL if there is none. */
const char *line_text(const line *in, const char *key);
/* The same as bytes, none if there is no such key. */
const uint8_t *line_bytes(const line *in, const char *key, size_t *len);
/* The same as a number. */
int64_t line_number(const line *in, const char *key, int64_t otherwise);
/* The same in octal. */
uint32_t line_octal(const line *in, const char *key);
bool line_yes(const line *in, const char *key);
bool line_has(const line *in, const char *key);
/* All values of a key, as an array; its length in *count. It is good until the next call. */
const char *const *line_all(const line *in, const char *key, size_t *count);
/* The durability that a step asks for; -1 if it asks for none. */
int32_t line_durability(const line *in);

/* The answer: begun with a status, to which values are added. True for OK. An error is told and freed; its place is
   given, so that the call that makes it may stand in the same argument list. */
bool answer(int32_t status, multispool_error **error);
void answer_word(const char *word);
void answer_add(const char *key, const void *bytes, size_t len);
void answer_text(const char *key, const char *text);
void answer_number(const char *key, int64_t number);
/* Adds "DIRECTORY/NAME", after a text. */
void answer_place(const char *key, const char *before, const char *directory, const char *name);
void answer_print(void);

/* A mistake in a case, or in this program: says so instead of an answer, and ends the step. */
__attribute__((noreturn)) void mistake(const char *what);

/* What is in hand, by kind and the name that the judge gave. */
typedef enum kind { SPOOL, WRITER, DATA_WRITER, CHECKOUT, READER, STOP, PLAN, MONITOR, DAEMON, KINDS } kind;
void hand_keep(kind which, const char *name, void *handle);
/* The handle that a step names under the kind's key. */
void *hand_get(const line *in, kind which);
/* The same, NULL if the step names none. */
void *hand_get_any(const line *in, kind which);
/* Frees it, whatever the name of its key. */
void hand_free(const line *in, kind which);
void hand_free_all(void);
/* The kind's key. */
const char *kind_key(kind which);

/* The entry that a step is about, to be freed; NULL, and answered, if there is none. */
multispool_entry *entry_of(const line *in);
/* Keeps a checkout, and answers with what it is. */
void checkout_taken(const line *in, multispool_checkout *checkout);

typedef struct step {
    const char *verb;
    void (*act)(const line *in);
} step;

/* Each list ends with a verb of NULL. */
extern const step spool_steps[], entry_steps[], checkout_steps[], reader_steps[], watch_steps[];

#endif
