/* Fuzz target: any bytes as a statement with names.
 * Holds: no read beyond the text; the text with numbers has the tokens of the text with names, with one parameter for each name and
 * its colon; put back, the names make the text that was given; each value goes to its own name; a position in the one text leads to
 * the same token in the other.
 * Read first: tusk/named.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <tusk/named.h>

#include "lib/tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static size_t number_of(tusk_str param)
{
    size_t n = 0;

    for (size_t i = 1; i < param.len; i++)
        n = 10 * n + (size_t)(param.ptr[i] - '0');
    return n;
}

/* The place of a token in its text, as the server counts. */
static int position_of(tusk_str sql, const tusk__token *token)
{
    return tusk__sql_position(sql, (size_t)(token->text.ptr - sql.ptr));
}

static void same_tokens(const tusk_named *named, tusk_str sql, tusk_str numbered)
{
    tusk__tokens ours = tusk__tokens_of(sql), theirs = tusk__tokens_of(numbered);
    tusk__token a, b;

    do {
        a = tusk__token_next(&ours);
        b = tusk__token_next(&theirs);
        require(tusk_named_position(named, position_of(numbered, &b)) == position_of(sql, &a));
        if (b.kind != TUSK__TOKEN_PARAM) {
            require(a.kind == b.kind && tusk_str_equal(a.text, b.text));
            continue;
        }
        require(tusk__token_is_char(&a, ':'));
        require(tusk_named_position(named, position_of(numbered, &b) + 1) == position_of(sql, &a));
        a = tusk__token_next(&ours);
        require(a.kind == TUSK__TOKEN_WORD);
        require(tusk_str_equal(a.text, tusk_named_param(named, number_of(b.text) - 1)));
    } while (b.kind != TUSK__TOKEN_END);
}

static void put_back(const tusk_named *named, tusk_str sql, tusk_str numbered)
{
    tusk__tokens tokens = tusk__tokens_of(numbered);
    size_t from = 0, at = 0;

    for (;;) {
        tusk__token token = tusk__token_next(&tokens);
        size_t end = (size_t)(token.text.ptr - numbered.ptr);
        tusk_str name;

        if (token.kind != TUSK__TOKEN_PARAM && token.kind != TUSK__TOKEN_END)
            continue;
        require(end - from <= sql.len - at && memcmp(sql.ptr + at, numbered.ptr + from, end - from) == 0);
        at += end - from;
        from = end + token.text.len;
        if (token.kind == TUSK__TOKEN_END)
            break;
        name = tusk_named_param(named, number_of(token.text) - 1);
        require(at < sql.len && sql.ptr[at] == ':' && name.len <= sql.len - at - 1);
        require(memcmp(sql.ptr + at + 1, name.ptr, name.len) == 0);
        at += 1 + name.len;
    }
    require(at == sql.len);
}

/* In the reverse order, each value the number of its name. */
static void bind_all(tusk_named *named)
{
    size_t n = tusk_named_n_params(named);
    tusk_arg *args = malloc((n + 1) * sizeof *args);
    char **names = malloc((n + 1) * sizeof *names);
    tusk_params params;

    require(args && names);
    for (size_t i = 0; i < n; i++) {
        tusk_str name = tusk_named_param(named, i);

        names[i] = malloc(name.len + 1);
        require(names[i] != NULL);
        memcpy(names[i], name.ptr, name.len);
        names[i][name.len] = '\0';
        args[n - 1 - i] = (tusk_arg){names[i], tusk_int8((int64_t)i)};
    }
    require(tusk_named_bind(named, tusk_args_of(args, n), &params, NULL) == TUSK_OK && params.n == n);
    for (size_t i = 0; i < n; i++)
        require(params.values[i].as.integer == (int64_t)i);
    args[n] = (tusk_arg){n ? names[0] : "x", tusk_null()};
    require(tusk_named_bind(named, tusk_args_of(args, n + 1), &params, NULL) == TUSK_ERR_USAGE);
    require(n == 0 || tusk_named_bind(named, tusk_args_of(args, n - 1), &params, NULL) == TUSK_ERR_USAGE);
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
    free(args);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + (size == 0)); /* exactly */
    tusk_str sql = tusk_str_from(text, size), numbered;
    tusk_error err = {0};
    tusk_named *named;

    require(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    named = tusk_named_parse(sql, NULL, &err);
    require((named == NULL) == (err.code != TUSK_OK) && err.position >= 0 && (size_t)err.position <= size);
    if (named) {
        numbered = tusk_str_of(tusk_named_sql(named));
        same_tokens(named, sql, numbered);
        put_back(named, sql, numbered);
        bind_all(named);
        tusk_named_free(named);
    }
    free(text);
    return 0;
}
