/* The table of commands. Each request asks it, so the first letter decides at once about most.
 * It is no parser: what begins like a command and is none fails on the server.
 * Read first: lib/command.h; PostgreSQL docs, "SQL Commands". */
#include "lib/command.h"

#include "lib/tokens.h"

typedef struct phrase {
    const char *words; /* with one blank in between */
    tusk__command command;
    const char *later; /* and this one somewhere behind them, if not NULL */
} phrase;

/* By first letter; the longer one before what it begins with. */
static const phrase of_a[] = {
    {"abort", TUSK__COMMAND_ROLLBACK, NULL},
    {"alter database", TUSK__COMMAND_ALONE, NULL},     /* SET TABLESPACE */
    {"alter subscription", TUSK__COMMAND_ALONE, NULL}, /* REFRESH PUBLICATION, SET PUBLICATION … */
    {"alter system", TUSK__COMMAND_ALONE, NULL},
    {"alter table", TUSK__COMMAND_ALONE, "concurrently"}, /* DETACH PARTITION … */
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const phrase of_b[] = {
    {"begin", TUSK__COMMAND_BEGIN, NULL},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const phrase of_c[] = {
    {"cluster", TUSK__COMMAND_ALONE, NULL}, /* all tables, or a partitioned one */
    {"commit prepared", TUSK__COMMAND_COMMIT_PREPARED, NULL},
    {"commit", TUSK__COMMAND_COMMIT, NULL},
    {"copy", TUSK__COMMAND_COPY, NULL},
    {"create database", TUSK__COMMAND_ALONE, NULL},
    {"create index concurrently", TUSK__COMMAND_ALONE, NULL},
    {"create subscription", TUSK__COMMAND_ALONE, NULL}, /* that creates its slot */
    {"create tablespace", TUSK__COMMAND_ALONE, NULL},
    {"create unique index concurrently", TUSK__COMMAND_ALONE, NULL},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const phrase of_d[] = {
    {"discard all", TUSK__COMMAND_ALONE, NULL},
    {"drop database", TUSK__COMMAND_ALONE, NULL},
    {"drop index concurrently", TUSK__COMMAND_ALONE, NULL},
    {"drop subscription", TUSK__COMMAND_ALONE, NULL}, /* that has a slot */
    {"drop tablespace", TUSK__COMMAND_ALONE, NULL},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const phrase of_e[] = {
    {"end", TUSK__COMMAND_COMMIT, NULL},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const phrase of_p[] = {
    {"prepare transaction", TUSK__COMMAND_PREPARE_TRANSACTION, NULL},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const phrase of_r[] = {
    {"reindex", TUSK__COMMAND_ALONE, NULL}, /* CONCURRENTLY, SCHEMA, DATABASE, SYSTEM, or something partitioned */
    {"release", TUSK__COMMAND_RELEASE, NULL},
    {"repack", TUSK__COMMAND_ALONE, NULL}, /* PostgreSQL 19: as CLUSTER, and CONCURRENTLY */
    {"rollback prepared", TUSK__COMMAND_ROLLBACK_PREPARED, NULL},
    {"rollback to", TUSK__COMMAND_ROLLBACK_TO, NULL},
    {"rollback transaction to", TUSK__COMMAND_ROLLBACK_TO, NULL},
    {"rollback work to", TUSK__COMMAND_ROLLBACK_TO, NULL},
    {"rollback", TUSK__COMMAND_ROLLBACK, NULL},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const phrase of_s[] = {
    {"savepoint", TUSK__COMMAND_SAVEPOINT, NULL},
    {"start transaction", TUSK__COMMAND_BEGIN, NULL},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};
static const phrase of_v[] = {
    {"vacuum", TUSK__COMMAND_ALONE, NULL},
    {NULL, TUSK__COMMAND_OTHER, NULL},
};

#define AT(letter) [(letter) - 'a']

static const phrase *const by_letter[26] = {
    AT('a') = of_a, AT('b') = of_b, AT('c') = of_c, AT('d') = of_d, AT('e') = of_e,
    AT('p') = of_p, AT('r') = of_r, AT('s') = of_s, AT('v') = of_v,
};

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

static bool is_phrase(tusk__tokens tokens, const phrase *p)
{
    return tusk__tokens_take_words(&tokens, p->words) && (!p->later || has_word_behind(tokens, p->later));
}

tusk__command tusk__command_of(tusk_str sql)
{
    tusk__tokens tokens = tusk__tokens_of(sql);
    unsigned char letter;

    tusk__tokens_skip_blanks(&tokens);
    while (tokens.at < sql.len && sql.ptr[tokens.at] == ';') {
        tokens.at++;
        tusk__tokens_skip_blanks(&tokens);
    }
    if (tokens.at == sql.len)
        return TUSK__COMMAND_EMPTY;
    letter = (unsigned char)((sql.ptr[tokens.at] | 0x20) - 'a');
    if (letter >= 26 || !by_letter[letter])
        return TUSK__COMMAND_OTHER;
    for (const phrase *p = by_letter[letter]; p->words; p++)
        if (is_phrase(tokens, p))
            return p->command;
    return TUSK__COMMAND_OTHER;
}
