/* Fuzz target: any bytes as SQL text.
 * Holds: no read beyond the text; the tokens follow each other with nothing but blanks and comments in between, and each is one by
 * itself too; the statements of a script hold its tokens, all but the semicolons between them, and are not cut again.
 * Read first: lib/tokens.h, lib/script.h, lib/command.h. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/command.h"
#include "lib/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static bool is_last(const tusk__token *token)
{
    return token->kind == TUSK__TOKEN_END || token->kind == TUSK__TOKEN_OPEN;
}

static void is_one_token(const tusk__token *token)
{
    tusk__tokens alone = tusk__tokens_of(token->text);
    tusk__token again = tusk__token_next(&alone);

    require(again.kind == token->kind && tusk_str_equal(again.text, token->text));
    require(tusk__token_next(&alone).kind == (token->kind == TUSK__TOKEN_OPEN ? TUSK__TOKEN_OPEN : TUSK__TOKEN_END));
}

static size_t count_tokens(tusk_str sql, bool *is_open)
{
    tusk__tokens tokens = tusk__tokens_of(sql), blanks;
    const char *behind = sql.ptr;
    tusk__token token;
    size_t n = 0;

    for (;; n++) {
        token = tusk__token_next(&tokens);
        require(token.text.ptr >= behind && token.text.ptr + token.text.len <= sql.ptr + sql.len);
        blanks = tusk__tokens_of(tusk_str_from(behind, (size_t)(token.text.ptr - behind)));
        require(tusk__token_next(&blanks).kind == TUSK__TOKEN_END);
        behind = token.text.ptr + token.text.len;
        if (token.kind == TUSK__TOKEN_END)
            break;
        require(token.text.len > 0);
        is_one_token(&token);
        if (token.kind == TUSK__TOKEN_OPEN)
            break;
    }
    require(behind == sql.ptr + sql.len);
    *is_open = token.kind == TUSK__TOKEN_OPEN;
    return n;
}

/* So many semicolons, and nothing else. */
static size_t count_semicolons(tusk_str between)
{
    tusk__tokens tokens = tusk__tokens_of(between);
    tusk__token token = tusk__token_next(&tokens);
    size_t n = 0;

    for (; !is_last(&token); token = tusk__token_next(&tokens), n++)
        require(tusk__token_is_char(&token, ';'));
    return n;
}

static void is_one_statement(tusk_str statement)
{
    tusk__tokens alone = tusk__tokens_of(statement);
    tusk_str again;

    require(tusk__script_next(&alone, &again, NULL) == TUSK_OK && tusk_str_equal(again, statement));
    require(tusk__script_next(&alone, &again, NULL) == TUSK_DONE);
    require(tusk__command_of(statement) != TUSK__COMMAND_EMPTY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + (size == 0)); /* exactly */
    tusk_str sql = tusk_str_from(text, size), statement;
    tusk__tokens script = tusk__tokens_of(sql);
    const char *behind = text;
    size_t n_tokens, n = 0;
    tusk_error err = {0};
    bool is_open;
    tusk_code code;

    require(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    n_tokens = count_tokens(sql, &is_open);
    while ((code = tusk__script_next(&script, &statement, &err)) == TUSK_OK) {
        bool is_statement_open;

        require(statement.ptr >= behind && statement.ptr + statement.len <= text + size);
        n += count_semicolons(tusk_str_from(behind, (size_t)(statement.ptr - behind)));
        n += count_tokens(statement, &is_statement_open);
        require(!is_statement_open);
        is_one_statement(statement);
        behind = statement.ptr + statement.len;
    }
    require((code == TUSK_ERR_USAGE) == is_open && (code == TUSK_DONE) != is_open);
    if (is_open)
        require(err.position > 0 && (size_t)err.position <= size);
    else
        require(n + count_semicolons(tusk_str_from(behind, (size_t)(text + size - behind))) == n_tokens);
    if (tusk__command_of(sql) == TUSK__COMMAND_EMPTY)
        require(n_tokens == count_semicolons(sql));
    free(text);
    return 0;
}
