/* Where a statement of a script ends.
 * Parentheses are counted as psql does: those of CREATE RULE … DO (…; …) hold semicolons. The body of a function is found by the
 * server's grammar rather than by psql's count of BEGIN, CASE and END: it begins with BEGIN ATOMIC, behind CREATE FUNCTION or
 * PROCEDURE; each statement in it ends with a semicolon; so its END is the one that stands where a statement would begin.
 * Read first: lib/script.h. */
#include "lib/script.h"

#include <limits.h>
#include <stdint.h>

/* How much of CREATE [OR REPLACE] FUNCTION|PROCEDURE … BEGIN ATOMIC has been seen. */
typedef enum header {
    SEEN_NOTHING,
    SEEN_CREATE,
    SEEN_OR,
    SEEN_REPLACE,
    SEEN_ROUTINE, /* and whatever follows */
    SEEN_BEGIN
} header;

typedef struct cut {
    size_t parens, bodies; /* how deep */
    header seen;
    bool may_end; /* END would end the body: nothing of a statement has come yet */
} cut;

static header behind_word(header seen, const tusk__token *word)
{
    switch (seen) {
    case SEEN_CREATE:
        if (tusk__token_is_word(word, "or"))
            return SEEN_OR;
        break;
    case SEEN_OR:
        return tusk__token_is_word(word, "replace") ? SEEN_REPLACE : SEEN_NOTHING;
    case SEEN_ROUTINE:
    case SEEN_BEGIN:
        return tusk__token_is_word(word, "begin") ? SEEN_BEGIN : SEEN_ROUTINE;
    case SEEN_REPLACE:
    case SEEN_NOTHING:
        break;
    }
    if (seen != SEEN_NOTHING && (tusk__token_is_word(word, "function") || tusk__token_is_word(word, "procedure")))
        return SEEN_ROUTINE;
    return tusk__token_is_word(word, "create") ? SEEN_CREATE : SEEN_NOTHING;
}

static void begin_statement(cut *c)
{
    c->seen = SEEN_NOTHING;
    c->may_end = true;
}

/* A word outside of parentheses. */
static void count_word(cut *c, const tusk__token *word)
{
    if (c->bodies > 0 && c->may_end && tusk__token_is_word(word, "end")) {
        c->bodies--;
    } else if (c->seen == SEEN_BEGIN && tusk__token_is_word(word, "atomic")) {
        c->bodies++;
        begin_statement(c);
        return;
    }
    c->seen = behind_word(c->seen, word);
    c->may_end = false;
}

/* Does the statement end with this token? */
static bool count(cut *c, const tusk__token *token)
{
    if (tusk__token_is_char(token, ')') && c->parens > 0)
        c->parens--;
    if (c->parens > 0) {
        c->parens += tusk__token_is_char(token, '(');
        return false;
    }
    if (tusk__token_is_char(token, ';')) {
        begin_statement(c);
        return c->bodies == 0;
    }
    if (token->kind == TUSK__TOKEN_WORD) {
        count_word(c, token);
        return false;
    }
    c->parens += tusk__token_is_char(token, '(');
    c->seen = c->seen >= SEEN_ROUTINE ? SEEN_ROUTINE : SEEN_NOTHING;
    c->may_end = false;
    return false;
}

static size_t behind_blanks(tusk_str sql, size_t at)
{
    while (at < sql.len && memchr(" \t\n\v\f\r", sql.ptr[at], 6) != NULL)
        at++;
    return at;
}

tusk_code tusk__script_next(tusk__tokens *script, tusk_str *statement, tusk_error *err)
{
    size_t from = behind_blanks(script->sql, script->at), end;
    bool is_empty = true;
    cut c = {0};

    for (;;) {
        tusk__token token = tusk__token_next(script);
        bool is_over = token.kind == TUSK__TOKEN_END || count(&c, &token);

        if (token.kind == TUSK__TOKEN_OPEN)
            return tusk__token_open_error(script->sql, &token, err);
        end = (size_t)(token.text.ptr - script->sql.ptr);
        if (is_over && !is_empty)
            break;
        if (token.kind == TUSK__TOKEN_END)
            return TUSK_DONE;
        if (is_over)
            from = behind_blanks(script->sql, script->at);
        is_empty = is_over;
    }
    *statement = tusk_str_from(script->sql.ptr + from, end - from);
    return TUSK_OK;
}

int tusk__script_position(tusk_str script, tusk_str statement, int position)
{
    int begin = tusk__sql_position(script, (size_t)(statement.ptr - script.ptr));

    if (position == 0 || begin == 0 || position - 1 > INT_MAX - begin)
        return 0;
    return begin + position - 1;
}
