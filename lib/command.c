/* The table of commands. Each request asks it, so two letters decide about most.
 * It is no parser: what begins like a command and is none fails on the server.
 * Read first: lib/command.h; PostgreSQL docs, "SQL Commands". */
#include "lib/command.h"

#include "lib/sql.h"
#include "lib/tokens.h"

/* What may stand behind the first word, and what it makes of the statement. */
typedef struct continuation {
    const char *words; /* with one blank in between */
    tusk__command command;
    const char *later; /* and this one somewhere behind them, if not NULL; "'": a string next to them */
} continuation;

typedef struct command_word {
    const char *word;
    tusk__command command; /* if nothing of these follows: */
    const continuation *more;
} command_word;

#define ALONE TUSK__COMMAND_ALONE

static const continuation behind_alter[] = {
    {"database", ALONE, NULL},                                           /* SET TABLESPACE */
    {"subscription", ALONE, NULL},                                       /* REFRESH PUBLICATION, SET PUBLICATION … */
    {"system", ALONE, NULL},           {"table", ALONE, "concurrently"}, /* DETACH PARTITION … */
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const continuation behind_commit[] = {
    {"prepared", TUSK__COMMAND_COMMIT_PREPARED, NULL},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const continuation behind_create[] = {
    {"database", ALONE, NULL},         {"index concurrently", ALONE, NULL},
    {"subscription", ALONE, NULL}, /* that creates its slot */
    {"tablespace", ALONE, NULL},       {"unique index concurrently", ALONE, NULL},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const continuation behind_discard[] = {
    {"all", ALONE, NULL},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const continuation behind_drop[] = {
    {"database", ALONE, NULL},     {"index concurrently", ALONE, NULL},
    {"subscription", ALONE, NULL}, /* that has a slot */
    {"tablespace", ALONE, NULL},   {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const continuation behind_prepare[] = {
    {"transaction", TUSK__COMMAND_PREPARE_TRANSACTION, "'"}, /* else it is a statement of that name */
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const continuation behind_rollback[] = {
    {"prepared", TUSK__COMMAND_ROLLBACK_PREPARED, NULL},
    {"to", TUSK__COMMAND_ROLLBACK_TO, NULL},
    {"transaction to", TUSK__COMMAND_ROLLBACK_TO, NULL},
    {"work to", TUSK__COMMAND_ROLLBACK_TO, NULL},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const continuation behind_start[] = {
    {"transaction", TUSK__COMMAND_BEGIN, NULL},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};

static const command_word words_a[] = {
    {"abort", TUSK__COMMAND_ROLLBACK, NULL},
    {"alter", TUSK__COMMAND_OTHER, behind_alter},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const command_word words_b[] = {
    {"begin", TUSK__COMMAND_BEGIN, NULL},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const command_word words_c[] = {
    {"commit", TUSK__COMMAND_COMMIT, behind_commit},
    {"copy", TUSK__COMMAND_COPY, NULL},
    {"call", TUSK__COMMAND_CALL, NULL},
    {"create", TUSK__COMMAND_OTHER, behind_create},
    {"cluster", ALONE, NULL}, /* all tables, or a partitioned one */
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const command_word words_d[] = {
    {"do", TUSK__COMMAND_CALL, NULL},
    {"drop", TUSK__COMMAND_OTHER, behind_drop},
    {"discard", TUSK__COMMAND_OTHER, behind_discard},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const command_word words_e[] = {
    {"end", TUSK__COMMAND_COMMIT, NULL},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const command_word words_p[] = {
    {"prepare", TUSK__COMMAND_OTHER, behind_prepare},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const command_word words_r[] = {
    {"rollback", TUSK__COMMAND_ROLLBACK, behind_rollback},
    {"release", TUSK__COMMAND_RELEASE, NULL},
    {"reindex", ALONE, NULL}, /* CONCURRENTLY, SCHEMA, DATABASE, SYSTEM, or something partitioned */
    {"repack", ALONE, NULL},  /* PostgreSQL 19: as CLUSTER, and CONCURRENTLY */
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const command_word words_s[] = {
    {"savepoint", TUSK__COMMAND_SAVEPOINT, NULL},
    {"start", TUSK__COMMAND_OTHER, behind_start},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const command_word words_v[] = {
    {"vacuum", ALONE, NULL},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};

#define AT(letter) [(letter) - 'a']

static const command_word *const by_letter[26] = {
    AT('a') = words_a, AT('b') = words_b, AT('c') = words_c, AT('d') = words_d, AT('e') = words_e,
    AT('p') = words_p, AT('r') = words_r, AT('s') = words_s, AT('v') = words_v,
};

static bool has_string_next(tusk__tokens tokens)
{
    return tusk__token_next(&tokens).kind == TUSK__TOKEN_STRING;
}

static bool has_word_behind(tusk__tokens tokens, const char *word)
{
    tusk__token token;

    do {
        token = tusk__token_next(&tokens);
        if (tusk__token_is_word(&token, word))
            return true;
    } while (token.kind != TUSK__TOKEN_END && token.kind != TUSK__TOKEN_OPEN);
    return false;
}

static bool has_later(tusk__tokens tokens, const char *later)
{
    return !later || (*later == '\'' ? has_string_next(tokens) : has_word_behind(tokens, later));
}

static tusk__command command_behind(tusk__tokens tokens, const command_word *word)
{
    for (const continuation *more = word->more; more && more->words; more++) {
        tusk__tokens behind = tokens;

        if (tusk__tokens_take_words(&behind, more->words) && has_later(behind, more->later))
            return more->command;
    }
    return word->command;
}

static char letter_at(tusk_str sql, size_t at)
{
    return at < sql.len ? (char)(sql.ptr[at] | 0x20) : '\0';
}

static void skip_empty(tusk__tokens *tokens)
{
    tusk__tokens_skip_blanks(tokens);
    while (tokens->at < tokens->sql.len && tokens->sql.ptr[tokens->at] == ';') {
        tokens->at++;
        tusk__tokens_skip_blanks(tokens);
    }
}

tusk__command tusk__command_of(tusk_str sql)
{
    tusk__tokens tokens = tusk__tokens_of(sql);
    unsigned char nth;
    char second;

    skip_empty(&tokens);
    if (tokens.at == sql.len)
        return TUSK__COMMAND_EMPTY;
    nth = (unsigned char)(letter_at(sql, tokens.at) - 'a');
    if (nth >= 26 || !by_letter[nth])
        return TUSK__COMMAND_OTHER;
    second = letter_at(sql, tokens.at + 1);
    for (const command_word *word = by_letter[nth]; word->word; word++)
        if (word->word[1] == second && tusk__tokens_take_words(&tokens, word->word))
            return command_behind(tokens, word);
    return TUSK__COMMAND_OTHER;
}

bool tusk__command_may_alter(tusk_str sql)
{
    static const char *const harmless[] = {"select", "insert", "update", "delete", "merge",
                                           "values", "table",  "with",   "show",   NULL};
    tusk__tokens tokens = tusk__tokens_of(sql);
    tusk__token token;
    int i = 0;

    do
        token = tusk__token_next(&tokens);
    while (tusk__token_is_char(&token, '(') || tusk__token_is_char(&token, ';'));
    while (harmless[i] && !tusk__token_is_word(&token, harmless[i]))
        i++;
    return harmless[i] == NULL;
}

bool tusk__command_gives_password(tusk_str sql)
{
    static const char *const words[] = {"role", "user", "group", "server", "subscription"};
    tusk__tokens tokens = tusk__tokens_of(sql);

    skip_empty(&tokens);
    if (!tusk__tokens_take_words(&tokens, "create") && !tusk__tokens_take_words(&tokens, "alter"))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (tusk__tokens_take_words(&tokens, words[i]))
            return tusk__sql_may_hold_secret(tusk_str_from(sql.ptr + tokens.at, sql.len - tokens.at));
    return false;
}
