/* tsvector: lexemes with their positions, as a view of the wire that is walked from the front.
 * Read first: docs/types.md, "tsvector, tsquery". */
#ifndef TUSK_TSVECTOR_H
#define TUSK_TSVECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include <tusk/str.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What is left of a tsvector, checked. It borrows the row's bytes. */
typedef struct tusk_tsvector_view {
    const unsigned char *at; /* the next lexeme; NULL: no tsvector (SQL NULL) */
    uint32_t n_lexemes;      /* from there on */
} tusk_tsvector_view;

typedef struct tusk_lexeme {
    tusk_str text;
    uint32_t n_positions; /* 0: it was stripped of them */
    const unsigned char *positions;
} tusk_lexeme;

/** Takes the next lexeme off; false behind the last one. Lexemes ascend, byte by byte. */
static inline bool tusk_tsvector_next(tusk_tsvector_view *rest, tusk_lexeme *out)
{
    if (rest->n_lexemes == 0)
        return false;
    out->text = tusk_str_from(rest->at, strlen((const char *)rest->at));
    rest->at += out->text.len + 1;
    out->n_positions = (uint32_t)rest->at[0] << 8 | rest->at[1];
    out->positions = rest->at + 2;
    rest->at += 2 + 2 * (size_t)out->n_positions;
    rest->n_lexemes--;
    return true;
}

/** Position i < n_positions, counted in words from 1, at most 16383; they ascend. */
static inline uint16_t tusk_lexeme_position(tusk_lexeme lexeme, uint32_t i)
{
    return (uint16_t)((lexeme.positions[2 * i] & 0x3F) << 8 | lexeme.positions[2 * i + 1]);
}
/** Its weight, 'A' to 'D'. */
static inline char tusk_lexeme_weight(tusk_lexeme lexeme, uint32_t i) { return (char)('D' - (lexeme.positions[2 * i] >> 6)); }

#ifdef __cplusplus
}
#endif

#endif
