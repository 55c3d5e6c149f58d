/* The conformance suite's agent for C: does each step by the public header. */

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

static jmp_buf next_step;

void mistake(const char *what)
{
    answer_word("ERROR");
    answer_text("message", what);
    longjmp(next_step, 1);
}

static void hello(const line *in)
{
    (void)in;
    answer(MULTISPOOL_OK, NULL);
    answer_text("language", "C");
}

static void reset(const line *in)
{
    (void)in;
    hand_free_all();
    answer(MULTISPOOL_OK, NULL);
}

static void close_any(const line *in)
{
    for (kind which = SPOOL; which < KINDS; which++) {
        if (line_has(in, kind_key(which))) {
            hand_free(in, which);
            answer(MULTISPOOL_OK, NULL);
            return;
        }
    }
    mistake("close what?");
}

static const step own_steps[] = {{"agent", hello}, {"reset", reset}, {"close", close_any}, {NULL, NULL}};

static void act(const line *in)
{
    const step *const all[] = {own_steps, spool_steps, entry_steps, checkout_steps, reader_steps, watch_steps};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        for (const step *its = all[i]; its->verb != NULL; its++) {
            if (strcmp(its->verb, in->word) == 0) {
                its->act(in);
                return;
            }
        }
    }
    mistake("unknown step");
}

int main(void)
{
    char *text = NULL;
    size_t room = 0;
    static line in;

    while (getline(&text, &room, stdin) != -1) {
        if (setjmp(next_step) == 0) {
            line_parse(text, &in);
            act(&in);
        }
        answer_print();
    }
    free(text);
    hand_free_all();
    return ferror(stdin) ? 1 : 0;
}
