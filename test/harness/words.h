/*
 * Backend messages in words, for tests that a person can read: `ready I`, `row 1 NULL "a b"`, `error S=FATAL C=57P01 M="bye"`.
 * It knows no state: any message may follow any other. docs/internals/wire-cases.md lists all words.
 * Read first: proto/message.h.
 */
#ifndef TUSK_TEST_WORDS_H
#define TUSK_TEST_WORDS_H

#include "proto/message.h"

enum { WORDS_MAX = 64, WORDS_SIZE = 8192 };

/*
 * A line cut into words at its blanks. "…" holds blanks and the escapes \n \t \\ \" \0 \xHH, also in the middle of a word
 * (M="a b"); x:0a0b is the bytes 0a 0b. `#` begins a comment. Each word is followed by a NUL that is not counted.
 */
typedef struct words {
    size_t n;
    tusk_str word[WORDS_MAX];
    bool bare[WORDS_MAX]; /* it held no quote: NULL is null and "NULL" is not */
    char text[WORDS_SIZE];
} words;

/* NULL, or what is wrong with the line (static). */
const char *words_split(words *w, const char *line);

/* The word's number; 0 if it is none or not there. Decimal, or 0x…. */
uint32_t words_number(const words *w, size_t i);
bool words_is(const words *w, size_t i, const char *text);
tusk_str words_at(const words *w, size_t i); /* {NULL, 0} if not there */

/* Append the backend message that the words from `first` on describe. NULL, or what is wrong (static). */
const char *words_write(tusk__writer *b, const words *w, size_t first);

/* The same from a text of several messages, separated by ';' or newlines. */
const char *words_write_text(tusk__writer *b, const char *text);

#endif
