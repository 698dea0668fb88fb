/* What a statement is, by its first words: what the driver has to know of it before it is sent.
 * Read first: DESIGN "The rules of the pipeline", docs/internals/tokens.md. */
#ifndef TUSK_LIB_COMMAND_H
#define TUSK_LIB_COMMAND_H

#include <stdbool.h>

#include <tusk/str.h>

typedef enum tusk__command {
    TUSK__COMMAND_OTHER = 0,
    TUSK__COMMAND_EMPTY, /* blanks, comments and semicolons */
    TUSK__COMMAND_COPY,
    TUSK__COMMAND_CALL, /* CALL, DO: what they run may commit, unless a transaction block is open */
    TUSK__COMMAND_BEGIN,    /* BEGIN, START TRANSACTION: the first of transaction control */
    TUSK__COMMAND_COMMIT,   /* COMMIT, END */
    TUSK__COMMAND_ROLLBACK, /* ROLLBACK, ABORT */
    TUSK__COMMAND_ROLLBACK_TO,
    TUSK__COMMAND_SAVEPOINT,
    TUSK__COMMAND_RELEASE,
    TUSK__COMMAND_PREPARE_TRANSACTION,
    TUSK__COMMAND_COMMIT_PREPARED,
    TUSK__COMMAND_ROLLBACK_PREPARED, /* the last of transaction control */
    TUSK__COMMAND_ALONE, /* may refuse to run in a transaction block (25001), and commits at once: VACUUM, CREATE DATABASE … Some
                           of these do so by their objects or options alone, such as CLUSTER without a table: whoever asks
                           treats them all so */
} tusk__command;

/* Blanks, comments and semicolons in front are passed over, as the server does. */
tusk__command tusk__command_of(tusk_str sql);

/* CREATE or ALTER, of a ROLE, USER (MAPPING too), GROUP, SERVER or SUBSCRIPTION, with PASSWORD: its text may be a secret. */
bool tusk__command_gives_password(tusk_str sql);

static inline bool tusk__command_is_transaction_control(tusk__command command)
{
    return command >= TUSK__COMMAND_BEGIN && command <= TUSK__COMMAND_ROLLBACK_PREPARED;
}

/* May ReadyForQuery say afterwards that a transaction is open where none was, or none where one was? */
static inline bool tusk__command_changes_status(tusk__command command)
{
    return command == TUSK__COMMAND_BEGIN || command == TUSK__COMMAND_COMMIT || command == TUSK__COMMAND_ROLLBACK ||
           command == TUSK__COMMAND_PREPARE_TRANSACTION;
}

/* May it alter what other statements mean: tables, functions, settings, prepared statements? Not SELECT, INSERT, UPDATE, DELETE, MERGE,
 * VALUES, TABLE, WITH, SHOW; what a function or a trigger of theirs does nobody knows. */
bool tusk__command_may_alter(tusk_str sql);

/* May it end a transaction? */
typedef enum tusk__ending {
    TUSK__ENDS_NOTHING = 0,
    TUSK__ENDS_PERHAPS,  /* ROLLBACK; a script in a transaction. ReadyForQuery says whether one is open behind it */
    TUSK__ENDS_BY_COMMIT /* COMMIT, END, PREPARE TRANSACTION, COMMIT PREPARED: the answer may be ROLLBACK, and if that is lost, nobody
                            knows what became of it */
} tusk__ending;

static inline tusk__ending tusk__command_ends(tusk__command command)
{
    if (command == TUSK__COMMAND_COMMIT || command == TUSK__COMMAND_PREPARE_TRANSACTION ||
        command == TUSK__COMMAND_COMMIT_PREPARED)
        return TUSK__ENDS_BY_COMMIT;
    return command == TUSK__COMMAND_ROLLBACK ? TUSK__ENDS_PERHAPS : TUSK__ENDS_NOTHING;
}

#endif
