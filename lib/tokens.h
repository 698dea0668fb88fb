/* SQL text as PostgreSQL's scanner cuts it: one token after the other, views of the text, nothing allocated.
 * It knows where quotes and comments begin and end, and no grammar. It takes standard_conforming_strings to be on, as it is by
 * default since PostgreSQL 9.1 and always from 19 on. Where it is off, a backslash in '…' escapes the character behind it: then a
 * text with such quotes is cut elsewhere than the server would cut it; E'…' and $$…$$ mean the same either way.
 * Read first: PostgreSQL docs, "Lexical Structure"; docs/internals/tokens.md. */
#ifndef TUSK_LIB_TOKENS_H
#define TUSK_LIB_TOKENS_H

#include <stdbool.h>

#include <tusk/error.h>

typedef enum tusk__token_kind {
    TUSK__TOKEN_END,      /* nothing more */
    TUSK__TOKEN_WORD,     /* a keyword, or an identifier without quotes; the N of N'…' too */
    TUSK__TOKEN_QUOTED,   /* "identifier", U&"identifier" */
    TUSK__TOKEN_STRING,   /* '…', E'…', U&'…', B'…', X'…', each with its continuations on further lines; $tag$…$tag$ */
    TUSK__TOKEN_NUMBER,   /* 1, 1_000, 0xff, .5, 1.5e-3 */
    TUSK__TOKEN_PARAM,    /* $1 */
    TUSK__TOKEN_OPERATOR, /* a run of operator characters: +, ->>, =* … up to a comment */
    TUSK__TOKEN_CAST,     /* :: */
    TUSK__TOKEN_ASSIGN,   /* := */
    TUSK__TOKEN_CHAR,     /* any other character by itself: ( ) [ ] , ; : . and those that SQL has no use for */
    TUSK__TOKEN_OPEN      /* a quote or a comment without an end: from where it begins to the end of the text */
} tusk__token_kind;

typedef struct tusk__token {
    tusk__token_kind kind;
    tusk_str text; /* a view of the SQL text; of END an empty one behind it */
} tusk__token;

/* A place in a text. Begin with tusk__tokens_of(). */
typedef struct tusk__tokens {
    tusk_str sql;
    size_t at;
} tusk__tokens;

static inline tusk__tokens tusk__tokens_of(tusk_str sql)
{
    return (tusk__tokens){sql, 0};
}

/* The next token. END and OPEN come again and again. */
tusk__token tusk__token_next(tusk__tokens *tokens);

/* Move behind blanks and comments; a comment without an end is stayed at. */
void tusk__tokens_skip_blanks(tusk__tokens *tokens);

/* Move behind `words` (lower case letters, one blank in between), if these come next; blanks and comments may stand in front of each.
 * If not, nothing moves. */
bool tusk__tokens_take_words(tusk__tokens *tokens, const char *words);

/* Is it this word (lower case letters), or this character? */
bool tusk__token_is_word(const tusk__token *token, const char *word);
static inline bool tusk__token_is_char(const tusk__token *token, char c)
{
    return token->kind == TUSK__TOKEN_CHAR && token->text.ptr[0] == c;
}

/* Does a word go on with it? */
bool tusk__char_is_of_word(char c);

/* The position, as the server and tusk_error count it, of the byte at `at`: characters, from 1 on. */
int tusk__sql_position(tusk_str sql, size_t at);

/* The error of an OPEN token of sql: TUSK_ERR_USAGE, 42601, the server's words, the position where it begins. */
tusk_code tusk__token_open_error(tusk_str sql, const tusk__token *open, tusk_error *err);

#endif
