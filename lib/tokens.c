/* The tokeniser: PostgreSQL's lexical rules, as far as they decide where a token ends.
 * It judges nothing: what is no SQL passes through as it is, for the server to refuse.
 * Read first: lib/tokens.h; PostgreSQL docs, "Lexical Structure". */
#include "lib/tokens.h"

#include <limits.h>
#include <stdint.h>

#include "proto/error_set.h"

/* Where something ends that has no end. */
#define OPEN SIZE_MAX

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26 || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_word(char c)
{
    return is_word_start(c) || is_digit(c) || c == '$';
}

bool tusk__char_is_of_word(char c)
{
    return is_word(c);
}

static bool is_newline(char c)
{
    return c == '\n' || c == '\r';
}

/* \v is blank from PostgreSQL 16 on; before, it was an error. */
static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_operator(char c)
{
    switch (c) {
    case '~':
    case '!':
    case '@':
    case '#':
    case '^':
    case '&':
    case '|':
    case '`':
    case '?':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '<':
    case '>':
    case '=':
        return true;
    default:
        return false;
    }
}

static bool at_char(tusk_str sql, size_t at, char c)
{
    return at < sql.len && sql.ptr[at] == c;
}

static bool at_pair(tusk_str sql, size_t at, const char *pair)
{
    return at + 1 < sql.len && sql.ptr[at] == pair[0] && sql.ptr[at + 1] == pair[1];
}

static bool at_digit(tusk_str sql, size_t at)
{
    return at < sql.len && is_digit(sql.ptr[at]);
}

/* ---- blanks and comments ------------------------------------------------------------------------------------------------------------- */

static size_t behind_line(tusk_str sql, size_t at)
{
    while (at < sql.len && !is_newline(sql.ptr[at]))
        at++;
    return at;
}

/* Block comments nest. */
static size_t behind_block(tusk_str sql, size_t at)
{
    size_t depth = 0;

    while (at < sql.len) {
        if (at_pair(sql, at, "/*")) {
            depth++;
            at += 2;
        } else if (at_pair(sql, at, "*/")) {
            at += 2;
            if (--depth == 0)
                return at;
        } else {
            at++;
        }
    }
    return OPEN;
}

void tusk__tokens_skip_blanks(tusk__tokens *tokens)
{
    tusk_str sql = tokens->sql;
    size_t next = tokens->at;

    do {
        tokens->at = next;
        if (next < sql.len && is_blank(sql.ptr[next]))
            next++;
        else if (at_pair(sql, next, "--"))
            next = behind_line(sql, next);
        else if (at_pair(sql, next, "/*"))
            next = behind_block(sql, next);
    } while (next != tokens->at && next != OPEN);
}

/* ---- quotes -------------------------------------------------------------------------------------------------------------------------- */

/* Behind the closing quote; at is behind the opening one. A quote that is doubled does not close, nor one that is escaped. */
static size_t behind_quote(tusk_str sql, size_t at, char quote, bool has_escapes)
{
    for (; at < sql.len; at++) {
        if (sql.ptr[at] == quote) {
            if (!at_char(sql, at + 1, quote))
                return at + 1;
            at++;
        } else if (has_escapes && sql.ptr[at] == '\\') {
            at++;
        }
    }
    return OPEN;
}

/* A literal goes on in the next quotes if a line ends in between, and its backslashes mean what they meant. 0: it does not. */
static size_t behind_next_opening(tusk_str sql, size_t at)
{
    bool has_newline = false;

    for (; at < sql.len; at++) {
        if (at_pair(sql, at, "--"))
            at = behind_line(sql, at);
        if (at == sql.len || !is_blank(sql.ptr[at]))
            break;
        has_newline = has_newline || is_newline(sql.ptr[at]);
    }
    return has_newline && at_char(sql, at, '\'') ? at + 1 : 0;
}

static size_t behind_string(tusk_str sql, size_t at, bool has_escapes)
{
    size_t end;

    do {
        end = behind_quote(sql, at, '\'', has_escapes);
        at = end == OPEN ? 0 : behind_next_opening(sql, end);
    } while (at > 0);
    return end;
}

/* The length of $tag$, which lies at `at`; 0 if it is none. */
static size_t dollar_tag_len(tusk_str sql, size_t at)
{
    size_t end = at + 1;

    if (end < sql.len && is_word_start(sql.ptr[end]))
        while (end < sql.len && sql.ptr[end] != '$' && is_word(sql.ptr[end]))
            end++;
    return at_char(sql, end, '$') ? end + 1 - at : 0;
}

/* Behind the same tag once more. What lies in between has no meaning at all. */
static size_t behind_dollar_quote(tusk_str sql, size_t at, size_t tag_len)
{
    const char *tag = sql.ptr + at, *p = tag + tag_len, *end = sql.ptr + sql.len;

    while ((p = memchr(p, '$', (size_t)(end - p))) != NULL) {
        if ((size_t)(end - p) < tag_len)
            return OPEN;
        if (memcmp(p, tag, tag_len) == 0)
            return (size_t)(p - sql.ptr) + tag_len;
        p++;
    }
    return OPEN;
}

/* ---- tokens -------------------------------------------------------------------------------------------------------------------------- */

/* From here to `end`. An open one is not passed: it is all that will ever come. */
static tusk__token take(tusk__tokens *tokens, tusk__token_kind kind, size_t end)
{
    size_t from = tokens->at;

    if (end == OPEN)
        return (tusk__token){TUSK__TOKEN_OPEN, {tokens->sql.ptr + from, tokens->sql.len - from}};
    tokens->at = end;
    return (tusk__token){kind, {tokens->sql.ptr + from, end - from}};
}

static size_t behind_word(tusk_str sql, size_t at)
{
    while (at < sql.len && is_word(sql.ptr[at]))
        at++;
    return at;
}

static tusk__token take_unicode(tusk__tokens *tokens, size_t quote)
{
    if (tokens->sql.ptr[quote] == '"')
        return take(tokens, TUSK__TOKEN_QUOTED, behind_quote(tokens->sql, quote + 1, '"', false));
    return take(tokens, TUSK__TOKEN_STRING, behind_string(tokens->sql, quote + 1, false));
}

/* A word; but a single letter may be the prefix of a quote. */
static tusk__token take_word_or_prefixed(tusk__tokens *tokens)
{
    tusk_str sql = tokens->sql;
    size_t end = behind_word(sql, tokens->at);

    if (end - tokens->at > 1 || end == sql.len)
        return take(tokens, TUSK__TOKEN_WORD, end);
    switch (sql.ptr[tokens->at] | 0x20) {
    case 'e':
    case 'b':
    case 'x':
        if (sql.ptr[end] == '\'')
            return take(tokens, TUSK__TOKEN_STRING, behind_string(sql, end + 1, (sql.ptr[tokens->at] | 0x20) == 'e'));
        break;
    case 'u':
        if (at_pair(sql, end, "&'") || at_pair(sql, end, "&\""))
            return take_unicode(tokens, end + 1);
        break;
    default:
        break;
    }
    return take(tokens, TUSK__TOKEN_WORD, end);
}

/* Digits with underscores, 0x…, a fraction, an exponent; and whatever letters follow without a blank, for the server to refuse. Of
 * 1..2 the first dot is not its own. */
static tusk__token take_number(tusk__tokens *tokens)
{
    tusk_str sql = tokens->sql;
    size_t at = tokens->at;

    while (at < sql.len && (is_digit(sql.ptr[at]) || sql.ptr[at] == '_'))
        at++;
    if (at_char(sql, at, '.') && !at_char(sql, at + 1, '.'))
        at++;
    while (at < sql.len && (is_digit(sql.ptr[at]) || sql.ptr[at] == '_'))
        at++;
    if (at + 2 < sql.len && (sql.ptr[at] | 0x20) == 'e' && (sql.ptr[at + 1] == '+' || sql.ptr[at + 1] == '-') &&
        is_digit(sql.ptr[at + 2]))
        at += 2;
    if (at < sql.len && sql.ptr[at] != '$')
        at = behind_word(sql, at);
    return take(tokens, TUSK__TOKEN_NUMBER, at);
}

static tusk__token take_dollar(tusk__tokens *tokens)
{
    tusk_str sql = tokens->sql;
    size_t at = tokens->at + 1, tag_len;

    if (at_digit(sql, at)) {
        while (at_digit(sql, at))
            at++;
        return take(tokens, TUSK__TOKEN_PARAM, at);
    }
    tag_len = dollar_tag_len(sql, tokens->at);
    if (tag_len > 0)
        return take(tokens, TUSK__TOKEN_STRING, behind_dollar_quote(sql, tokens->at, tag_len));
    return take(tokens, TUSK__TOKEN_CHAR, at);
}

static tusk__token take_operator(tusk__tokens *tokens)
{
    tusk_str sql = tokens->sql;
    size_t at = tokens->at + 1;

    while (at < sql.len && is_operator(sql.ptr[at]) && !at_pair(sql, at, "--") && !at_pair(sql, at, "/*"))
        at++;
    return take(tokens, TUSK__TOKEN_OPERATOR, at);
}

static tusk__token take_mark(tusk__tokens *tokens, char c)
{
    size_t at = tokens->at;

    if (c == ':' && at_char(tokens->sql, at + 1, ':'))
        return take(tokens, TUSK__TOKEN_CAST, at + 2);
    if (c == ':' && at_char(tokens->sql, at + 1, '='))
        return take(tokens, TUSK__TOKEN_ASSIGN, at + 2);
    return take(tokens, TUSK__TOKEN_CHAR, at + 1);
}

tusk__token tusk__token_next(tusk__tokens *tokens)
{
    tusk_str sql = tokens->sql;
    size_t at;
    char c;

    tusk__tokens_skip_blanks(tokens);
    at = tokens->at;
    if (at == sql.len)
        return take(tokens, TUSK__TOKEN_END, at);
    c = sql.ptr[at];
    if (is_word_start(c))
        return take_word_or_prefixed(tokens);
    if (is_digit(c) || (c == '.' && at_digit(sql, at + 1)))
        return take_number(tokens);
    if (c == '\'')
        return take(tokens, TUSK__TOKEN_STRING, behind_string(sql, at + 1, false));
    if (c == '"')
        return take(tokens, TUSK__TOKEN_QUOTED, behind_quote(sql, at + 1, '"', false));
    if (c == '$')
        return take_dollar(tokens);
    if (at_pair(sql, at, "/*"))
        return take(tokens, TUSK__TOKEN_OPEN, OPEN);
    return is_operator(c) ? take_operator(tokens) : take_mark(tokens, c);
}

/* ---- words --------------------------------------------------------------------------------------------------------------------------- */

/* So many bytes of the text are the word, which ends with a blank or a NUL; 0 if they are not. */
static size_t match_word(tusk_str sql, size_t at, const char *word)
{
    size_t n = 0;

    for (; word[n] && word[n] != ' '; n++)
        if (at + n == sql.len || (sql.ptr[at + n] | 0x20) != word[n])
            return 0;
    return at + n < sql.len && is_word(sql.ptr[at + n]) ? 0 : n;
}

bool tusk__tokens_take_words(tusk__tokens *tokens, const char *words)
{
    tusk__tokens ahead = *tokens;
    size_t len;

    for (;; words += len + 1) {
        tusk__tokens_skip_blanks(&ahead);
        len = match_word(ahead.sql, ahead.at, words);
        if (len == 0)
            return false;
        ahead.at += len;
        if (!words[len])
            break;
    }
    *tokens = ahead;
    return true;
}

bool tusk__token_is_word(const tusk__token *token, const char *word)
{
    return token->kind == TUSK__TOKEN_WORD && match_word(token->text, 0, word) == token->text.len;
}

/* ---- errors -------------------------------------------------------------------------------------------------------------------------- */

int tusk__sql_position(tusk_str sql, size_t at)
{
    size_t n = 1;

    for (size_t i = 0; i < at; i++)
        n += ((unsigned char)sql.ptr[i] & 0xC0) != 0x80;
    return n <= INT_MAX ? (int)n : 0;
}

static const char *what_is_open(tusk_str text)
{
    switch (text.ptr[0]) {
    case '/':
        return "/* comment";
    case '"':
        return "quoted identifier";
    case '$':
        return "dollar-quoted string";
    case 'B':
    case 'b':
        return "bit string literal";
    case 'X':
    case 'x':
        return "hexadecimal string literal";
    case 'U':
    case 'u':
        return text.ptr[2] == '"' ? "quoted identifier" : "quoted string";
    default:
        return "quoted string";
    }
}

tusk_code tusk__token_open_error(tusk_str sql, const tusk__token *open, tusk_error *err)
{
    tusk_code code = tusk__error_set(err, TUSK_ERR_USAGE, NULL, "unterminated %s", what_is_open(open->text));

    if (err && err->position == 0)
        err->position = tusk__sql_position(sql, (size_t)(open->text.ptr - sql.ptr));
    return code;
}
