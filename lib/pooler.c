/* Statements that mean the session, told by their first words, or by a function's name.
 * It is no parser: what a function or a DO block does is not seen.
 * Read first: lib/pooler.h. */
#include "lib/pooler.h"

#include "lib/script.h"
#include "proto/error_set.h"

#define MAX_PID 4194304u /* of Linux (PID_MAX_LIMIT); elsewhere less */

bool tusk__pooler_changes_sessions(uint32_t said, uint32_t pid)
{
    return said == TUSK__POOLER_TRANSACTION || (said == TUSK__POOLER_AUTO && pid > MAX_PID);
}

static const struct session_word {
    const char *words; /* it begins with these */
    const char *unless[3];
    const char *somewhere; /* and has these behind them */
    const char *why, *instead;
} session_words[] = {
    {"listen", {NULL}, NULL, "LISTEN would listen with a session of the server's that others have next", NULL},
    {"set",
     {"set local", "set transaction", "set constraints"},
     NULL,
     "SET would stay with a session of the server's that others have next",
     "SET LOCAL in a transaction, or ALTER ROLE … SET."},
    {"reset", {NULL}, NULL, "RESET would meet a session of the server's that others have set", NULL},
    {"prepare",
     {"prepare transaction"},
     NULL,
     "PREPARE would leave its statement with a session of the server's that others have next",
     "Without it: a plain request, or tusk_prepare(), which knows of the pooler."},
    {"declare",
     {NULL},
     "with hold",
     "a cursor WITH HOLD would stay with a session of the server's that others have next",
     "A cursor without WITH HOLD, within one transaction."},
};

static const char *const lock_functions[] = {
    "pg_advisory_lock",   "pg_advisory_lock_shared",   "pg_try_advisory_lock",   "pg_try_advisory_lock_shared",
    "pg_advisory_unlock", "pg_advisory_unlock_shared", "pg_advisory_unlock_all", NULL};

static tusk_code refuse(tusk_error *err, const char *why, const char *instead)
{
    (void)tusk__error_set(err, TUSK_ERR_USAGE, "0A000", "%s (pooler=transaction)", why);
    if (instead)
        tusk__error_hint(err, tusk_str_of(instead));
    return TUSK_ERR_USAGE;
}

static bool begins_with(tusk_str sql, const char *words)
{
    tusk__tokens tokens = tusk__tokens_of(sql);

    return tusk__tokens_take_words(&tokens, words);
}

static bool has_words(tusk_str sql, const char *words)
{
    tusk__tokens tokens = tusk__tokens_of(sql);
    tusk__token token;

    do {
        if (tusk__tokens_take_words(&tokens, words))
            return true;
        token = tusk__token_next(&tokens);
    } while (token.kind != TUSK__TOKEN_END && token.kind != TUSK__TOKEN_OPEN);
    return false;
}

static bool is_session_word(tusk_str sql, const struct session_word *word)
{
    if (!begins_with(sql, word->words))
        return false;
    for (size_t i = 0; i < sizeof word->unless / sizeof word->unless[0] && word->unless[i]; i++)
        if (begins_with(sql, word->unless[i]))
            return false;
    return !word->somewhere || has_words(sql, word->somewhere);
}

static bool is_name(tusk_str text, const char *name)
{
    size_t i = 0;

    while (i < text.len && (text.ptr[i] == name[i] || (text.ptr[i] >= 'A' && (text.ptr[i] | 0x20) == name[i])))
        i++; /* ends at the name's NUL: no letter is one */
    return i == text.len && !name[i];
}

static bool is_lock_function(tusk_str text)
{
    size_t i = 0;

    while (lock_functions[i] && !is_name(text, lock_functions[i]))
        i++;
    return lock_functions[i] != NULL;
}

static bool calls_lock(tusk_str sql)
{
    tusk__tokens tokens = tusk__tokens_of(sql);
    tusk__token token, next = tusk__token_next(&tokens);

    do {
        token = next;
        next = tusk__token_next(&tokens);
        if (token.kind == TUSK__TOKEN_WORD && tusk__token_is_char(&next, '(') && is_lock_function(token.text))
            return true;
    } while (next.kind != TUSK__TOKEN_END && next.kind != TUSK__TOKEN_OPEN);
    return false;
}

static tusk_code check_statement(tusk_str sql, tusk_error *err)
{
    for (size_t i = 0; i < sizeof session_words / sizeof session_words[0]; i++)
        if (is_session_word(sql, &session_words[i]))
            return refuse(err, session_words[i].why, session_words[i].instead);
    if (calls_lock(sql))
        return refuse(err, "an advisory lock would stay with a session of the server's that others have next",
                      "pg_advisory_xact_lock() is let go of with its transaction.");
    return TUSK_OK;
}

/* What the server will not be able to read, it says better. */
tusk_code tusk__pooler_check(tusk_str sql, tusk_error *err)
{
    tusk__tokens script = tusk__tokens_of(sql);
    tusk_str statement;

    while (tusk__script_next(&script, &statement, NULL) == TUSK_OK)
        TUSK_TRY(check_statement(statement, err));
    return TUSK_OK;
}
