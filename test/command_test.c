/* Tests of what a statement is by its first words.
 * Whether the server refuses those that must run alone is asked in live/tokens_live_test.c.
 * Read first: lib/command.h. */
#include <ctype.h>

#include "lib/command.h"
#include "test/harness/harness.h"

#define N_OF(array) (int)(sizeof(array) / sizeof(array)[0])

static const struct {
    const char *sql;
    tusk__command command;
} rows[] = {
    {"", TUSK__COMMAND_EMPTY},
    {" ; -- commit\n /* copy */;", TUSK__COMMAND_EMPTY},
    {"/* no end", TUSK__COMMAND_OTHER},
    {"'commit", TUSK__COMMAND_OTHER},
    {"select 1", TUSK__COMMAND_OTHER},
    {"(select 1)", TUSK__COMMAND_OTHER},
    {"\"commit\"", TUSK__COMMAND_OTHER},
    {"insert into t values (1)", TUSK__COMMAND_OTHER},
    {"with commit as (select 1) select 2", TUSK__COMMAND_OTHER},
    {"explain analyze copy", TUSK__COMMAND_OTHER},
    {"@commit", TUSK__COMMAND_OTHER},
    {"{commit", TUSK__COMMAND_OTHER},
    {"\xc3\xa4", TUSK__COMMAND_OTHER},

    {"copy t from stdin", TUSK__COMMAND_COPY},
    {" /* ; */ -- ;\n;; copy(select 1) to stdout", TUSK__COMMAND_COPY},
    {"copyt from stdin", TUSK__COMMAND_OTHER},

    {"begin", TUSK__COMMAND_BEGIN},
    {"begin isolation level serializable", TUSK__COMMAND_BEGIN},
    {"start transaction read only", TUSK__COMMAND_BEGIN},
    {"start_replication", TUSK__COMMAND_OTHER},
    {"start", TUSK__COMMAND_OTHER},
    {"commit", TUSK__COMMAND_COMMIT},
    {"commit and chain", TUSK__COMMAND_COMMIT},
    {"commit work", TUSK__COMMAND_COMMIT},
    {"end", TUSK__COMMAND_COMMIT},
    {"end;", TUSK__COMMAND_COMMIT},
    {"end transaction", TUSK__COMMAND_COMMIT},
    {"rollback", TUSK__COMMAND_ROLLBACK},
    {"rollback work and no chain", TUSK__COMMAND_ROLLBACK},
    {"abort", TUSK__COMMAND_ROLLBACK},
    {"rollback to a", TUSK__COMMAND_ROLLBACK_TO},
    {"rollback/**/to savepoint a", TUSK__COMMAND_ROLLBACK_TO},
    {"rollback work to a", TUSK__COMMAND_ROLLBACK_TO},
    {"rollback transaction to a", TUSK__COMMAND_ROLLBACK_TO},
    {"savepoint a", TUSK__COMMAND_SAVEPOINT},
    {"release a", TUSK__COMMAND_RELEASE},
    {"release savepoint a", TUSK__COMMAND_RELEASE},
    {"prepare transaction 'a'", TUSK__COMMAND_PREPARE_TRANSACTION},
    {"prepare transaction/**/E'a'", TUSK__COMMAND_PREPARE_TRANSACTION},
    {"prepare a as select 1", TUSK__COMMAND_OTHER},
    {"prepare transaction as select 1", TUSK__COMMAND_OTHER},
    {"prepare transaction (int) as select $1", TUSK__COMMAND_OTHER},
    {"prepare transaction", TUSK__COMMAND_OTHER},
    {"commit prepared 'a'", TUSK__COMMAND_COMMIT_PREPARED},
    {"rollback prepared 'a'", TUSK__COMMAND_ROLLBACK_PREPARED},

    {"call p()", TUSK__COMMAND_CALL},
    {"do $$ begin end $$", TUSK__COMMAND_CALL},
    {"double", TUSK__COMMAND_OTHER},
    {"vacuum", TUSK__COMMAND_ALONE},
    {"vacuum (full) t", TUSK__COMMAND_ALONE},
    {"analyze t", TUSK__COMMAND_OTHER},
    {"create database d", TUSK__COMMAND_ALONE},
    {"drop database if exists d", TUSK__COMMAND_ALONE},
    {"alter database d set tablespace s", TUSK__COMMAND_ALONE},
    {"create tablespace s location ''", TUSK__COMMAND_ALONE},
    {"drop tablespace s", TUSK__COMMAND_ALONE},
    {"alter tablespace s rename to t", TUSK__COMMAND_OTHER},
    {"alter system set work_mem = 1", TUSK__COMMAND_ALONE},
    {"create subscription s connection '' publication p", TUSK__COMMAND_ALONE},
    {"alter subscription s refresh publication", TUSK__COMMAND_ALONE},
    {"drop subscription s", TUSK__COMMAND_ALONE},
    {"create index concurrently on t (a)", TUSK__COMMAND_ALONE},
    {"create unique index concurrently i on t (a)", TUSK__COMMAND_ALONE},
    {"create index i on t (a)", TUSK__COMMAND_OTHER},
    {"create unique index i on t (a)", TUSK__COMMAND_OTHER},
    {"create table concurrently", TUSK__COMMAND_OTHER},
    {"drop index concurrently i", TUSK__COMMAND_ALONE},
    {"drop index i", TUSK__COMMAND_OTHER},
    {"drop table t", TUSK__COMMAND_OTHER},
    {"refresh materialized view concurrently v", TUSK__COMMAND_OTHER},
    {"reindex table t", TUSK__COMMAND_ALONE},
    {"cluster", TUSK__COMMAND_ALONE},
    {"repack", TUSK__COMMAND_ALONE},
    {"discard all", TUSK__COMMAND_ALONE},
    {"discard plans", TUSK__COMMAND_OTHER},
    {"alter table t detach partition p concurrently", TUSK__COMMAND_ALONE},
    {"alter table if exists t detach partition p /* */ concurrently;", TUSK__COMMAND_ALONE},
    {"alter table t detach partition p", TUSK__COMMAND_OTHER},
    {"alter table t add c text default 'concurrently' -- concurrently", TUSK__COMMAND_OTHER},
    {"alter table t 'concurrently", TUSK__COMMAND_OTHER},
};

START_TEST(a_statement_is_known_by_its_first_words)
{
    ck_assert_msg(tusk__command_of(tusk_str_of(rows[_i].sql)) == rows[_i].command, "%s: %d", rows[_i].sql,
                  tusk__command_of(tusk_str_of(rows[_i].sql)));
}
END_TEST

START_TEST(the_case_of_letters_does_not_matter)
{
    char sql[128] = "";

    for (size_t i = 0; rows[_i].sql[i]; i++)
        sql[i] = (char)toupper((unsigned char)rows[_i].sql[i]);
    ck_assert_msg(tusk__command_of(tusk_str_of(sql)) == rows[_i].command, "%s", sql);
}
END_TEST

START_TEST(transaction_control_is_told_apart)
{
    static const tusk__command control[] = {
        TUSK__COMMAND_BEGIN,
        TUSK__COMMAND_COMMIT,
        TUSK__COMMAND_ROLLBACK,
        TUSK__COMMAND_ROLLBACK_TO,
        TUSK__COMMAND_SAVEPOINT,
        TUSK__COMMAND_RELEASE,
        TUSK__COMMAND_PREPARE_TRANSACTION,
        TUSK__COMMAND_COMMIT_PREPARED,
        TUSK__COMMAND_ROLLBACK_PREPARED,
    };
    static const tusk__command others[] = {TUSK__COMMAND_OTHER, TUSK__COMMAND_EMPTY, TUSK__COMMAND_COPY,
                                           TUSK__COMMAND_ALONE};

    for (int i = 0; i < N_OF(control); i++)
        ck_assert(tusk__command_is_transaction_control(control[i]));
    for (int i = 0; i < N_OF(others); i++)
        ck_assert(!tusk__command_is_transaction_control(others[i]) &&
                  tusk__command_ends(others[i]) == TUSK__ENDS_NOTHING);
    ck_assert_int_eq(tusk__command_ends(TUSK__COMMAND_COMMIT), TUSK__ENDS_BY_COMMIT);
    ck_assert_int_eq(tusk__command_ends(TUSK__COMMAND_PREPARE_TRANSACTION), TUSK__ENDS_BY_COMMIT);
    ck_assert_int_eq(tusk__command_ends(TUSK__COMMAND_COMMIT_PREPARED), TUSK__ENDS_BY_COMMIT);
    ck_assert_int_eq(tusk__command_ends(TUSK__COMMAND_ROLLBACK_PREPARED), TUSK__ENDS_NOTHING);
    ck_assert_int_eq(tusk__command_ends(TUSK__COMMAND_ROLLBACK), TUSK__ENDS_PERHAPS);
    ck_assert_int_eq(tusk__command_ends(TUSK__COMMAND_ROLLBACK_TO), TUSK__ENDS_NOTHING);
}
END_TEST

START_TEST(what_may_alter_what_others_mean_is_told_apart)
{
    static const char *const harmless[] = {"select 1",
                                           "((select 1) union select 2)",
                                           " ;; INSERT into t values (1)",
                                           "update t set a = 1",
                                           "delete from t",
                                           "merge into t using s on true when matched then do nothing",
                                           "values (1)",
                                           "table t",
                                           "/* */ with a as (select 1) table a",
                                           "show search_path"};
    static const char *const others[] = {
        "",         "alter table t add a int4", "set search_path = a", "do $$ begin end $$", "selecting",
        "call p()", "explain select 1",         "\"select\"",          "'select'",           "("};

    for (int i = 0; i < N_OF(harmless); i++)
        ck_assert_msg(!tusk__command_may_alter(tusk_str_of(harmless[i])), "%s", harmless[i]);
    for (int i = 0; i < N_OF(others); i++)
        ck_assert_msg(tusk__command_may_alter(tusk_str_of(others[i])), "%s", others[i]);
}
END_TEST

static const struct {
    const char *sql;
    bool gives;
} passwords[] = {
    {"alter role a password 'x'", true},
    {" ; /* x */ CREATE\nUSER a LOGIN PASSWORD 'x'", true},
    {"alter group a encrypted password 'x'", true},
    {"create user mapping for a server s options (user 'a', password 'x')", true},
    {"create subscription s connection 'host=h password=x' publication p", true},
    {"alter role a nologin", false},
    {"alter roles a password 'x'", false},
    {"alter table users add password text", false},
    {"select * from users where password = $1", false},
    {"explain alter role a password 'x'", false},
    {"", false},
};

START_TEST(a_statement_that_gives_a_password_is_known)
{
    ck_assert_msg(tusk__command_gives_password(tusk_str_of(passwords[_i].sql)) == passwords[_i].gives, "%s",
                  passwords[_i].sql);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("command");
    TCase *tcase = tcase_create("command");

    tcase_add_loop_test(tcase, a_statement_is_known_by_its_first_words, 0, N_OF(rows));
    tcase_add_loop_test(tcase, the_case_of_letters_does_not_matter, 0, N_OF(rows));
    tcase_add_test(tcase, transaction_control_is_told_apart);
    tcase_add_test(tcase, what_may_alter_what_others_mean_is_told_apart);
    tcase_add_loop_test(tcase, a_statement_that_gives_a_password_is_known, 0, N_OF(passwords));
    suite_add_tcase(suite, tcase);
    return suite;
}
