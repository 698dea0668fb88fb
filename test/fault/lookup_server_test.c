/* The look-up of types before a server that answers it badly, or dies of it. Whatever comes: the request that it was made for has its answer,
 * and a connection that can go on does.
 * Read first: test/harness/script_server.h, docs/internals/types-known.md. */
#include "test/harness/harness.h"

#include <stdio.h>

#include <tusk/tusk.h>

#include "test/harness/script_server.h"

#define N_OF(array) (int)(sizeof(array) / sizeof(array)[0])
#define OWN 16400

#define DESCRIBED "parse_complete; parameter_description; row_description m:16400:1; "
#define ROWS "bind_complete; row happy; command_complete SELECT 1; "
#define FIRST "login\nskip until sync\nsend " DESCRIBED ROWS "ready I\n"
#define RUN "expect bind\nskip until sync\nsend " ROWS "ready I\n"
#define LOOK_UP "expect parse recursive\nskip until sync\nsend "
#define HEAD                                                                                                           \
    "parse_complete; parameter_description 1028; row_description a:26 b:19 c:19 d:18 e:26 f:16 g:16 h:18 i:19 j:26; "  \
    "bind_complete; "
#define TAIL "; command_complete SELECT 1; ready I\n"
#define HURRY "error S=ERROR V=ERROR C=57014 M=no; ready I\n"
#define GOOD HEAD "row 16400 app mood e 0 t t , NULL NULL" TAIL

/* clang-format off */
static const struct {
    const char *name, *script;
    tusk_code known;       /* behind the first request */
    int runs;              /* that are answered behind it */
    tusk_code then;        /* … and known behind these */
} cases[] = {
    {"it is told", FIRST LOOK_UP GOOD RUN, TUSK_OK, 1, TUSK_OK},
    {"it is gone", FIRST LOOK_UP HEAD "command_complete SELECT 0; ready I\n" RUN, TUSK_DONE, 1, TUSK_DONE},
    {"no such catalogue", FIRST LOOK_UP "error S=ERROR V=ERROR C=42P01 M=no; ready I\n" RUN, TUSK_DONE, 1, TUSK_DONE},
    {"nothing of it is implemented", FIRST LOOK_UP "error S=ERROR V=ERROR C=0A000 M=no; ready I\n" RUN, TUSK_DONE, 1, TUSK_DONE},
    {"in a hurry", FIRST LOOK_UP HURRY RUN LOOK_UP GOOD, TUSK_AGAIN, 1, TUSK_OK},
    {"in a hurry, twice", FIRST LOOK_UP HURRY RUN LOOK_UP HURRY RUN LOOK_UP GOOD, TUSK_AGAIN, 2, TUSK_OK},
    {"met twice", "login\nskip until sync\nsend parse_complete; parameter_description; row_description m:16400:1 n:16400:1; bind_complete; "
     "row happy happy; command_complete SELECT 1; ready I\nexpect parse recursive\nexpect describe\nexpect bind {16400}\nskip until sync\n"
     "send " GOOD, TUSK_OK, 0, TUSK_OK},
    {"other columns", FIRST LOOK_UP "parse_complete; parameter_description 1028; row_description a b; bind_complete; row 16400 app" TAIL,
     TUSK_DONE, 0, TUSK_DONE},
    {"no OID", FIRST LOOK_UP HEAD "row mood app mood e 0 t t , NULL NULL" TAIL RUN, TUSK_DONE, 1, TUSK_DONE},
    {"all NULL", FIRST LOOK_UP HEAD "row NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL" TAIL, TUSK_DONE, 0, TUSK_DONE},
    {"another type", FIRST LOOK_UP HEAD "row 16401 app mood e 0 t t , NULL NULL" TAIL, TUSK_DONE, 0, TUSK_DONE},
    {"a kind that there is not", FIRST LOOK_UP HEAD "row 16400 app mood ? 0 t t , NULL NULL" TAIL, TUSK_OK, 0, TUSK_OK},
    {"domain of itself", FIRST LOOK_UP HEAD "row 16400 app mood d 16400 t t , NULL NULL" TAIL, TUSK_OK, 0, TUSK_OK},
    {"attributes out of the blue", FIRST LOOK_UP HEAD "row 16400 app mood e 0 t t , a 23; row 16400 app mood e 0 t t , b x" TAIL, TUSK_OK, 0,
     TUSK_OK},
    {"twice", FIRST LOOK_UP HEAD "row 16400 app mood b 0 t t , NULL NULL; row 16401 app x b 0 t t , NULL NULL; row 16400 app mood e 0 t t , NULL NULL" TAIL,
     TUSK_OK, 0, TUSK_OK},
    {"it hangs up", FIRST "expect parse recursive\nskip until sync\nclose\n", TUSK_AGAIN, 0, TUSK_AGAIN},
    {"it hangs up in the middle", FIRST LOOK_UP HEAD "row 16400 app mood e 0 t t , NULL NULL\nclose\n", TUSK_AGAIN, 0, TUSK_AGAIN},
    {"it breaks the protocol", FIRST LOOK_UP "row 1; ready I\nwait until closed\n", TUSK_AGAIN, 0, TUSK_AGAIN},
    {"it dies", FIRST LOOK_UP "error S=FATAL V=FATAL C=57P01 M=no\nclose\n", TUSK_AGAIN, 0, TUSK_AGAIN},
    {"in a transaction", "login\nskip until sync\nsend " DESCRIBED ROWS "ready T\n"
     "expect parse savepoint\nexpect bind\nexpect execute\n" "expect parse recursive\nskip until sync\nexpect parse rollback\nexpect bind\n"
     "expect execute\nexpect parse release\nskip until sync\n"
     "send parse_complete; bind_complete; command_complete SAVEPOINT; " HEAD "row 16400 app mood e 0 t t , NULL NULL; "
     "command_complete SELECT 1; ready T; parse_complete; bind_complete; command_complete ROLLBACK; "
     "parse_complete; bind_complete; command_complete RELEASE; ready T\n", TUSK_OK, 0, TUSK_OK},
    {"in a transaction, and it fails", "login\nskip until sync\nsend " DESCRIBED ROWS "ready T\n"
     "expect parse savepoint\nskip until sync\nskip until sync\n"
     "send parse_complete; bind_complete; command_complete SAVEPOINT; error S=ERROR V=ERROR C=42501 M=no; ready E; "
     "parse_complete; bind_complete; command_complete ROLLBACK; parse_complete; bind_complete; command_complete RELEASE; ready T\n" RUN,
     TUSK_DONE, 1, TUSK_DONE},
};
/* clang-format on */

static void ck_told(tusk_query *q, const char *name)
{
    tusk_row row;

    ck_assert_msg(tusk_await(q) == TUSK_OK, "%s: %s", name, tusk_query_error(q)->message);
    ck_assert_msg(tusk_next_row(q, &row), "%s", name);
    ck_assert(tusk_str_is(tusk_get_raw(&row, 0), "happy"));
    (void)tusk_get_text(&row, 0);
    tusk_query_free(q);
}

START_TEST(request_has_its_answer_whatever_comes_of_the_look_up)
{
    script_server *server = script_start(cases[_i].script);
    tusk_loop *loop = tusk_loop_new();
    char dsn[200];
    tusk_conn *db;
    tusk_type type;
    const char *wrong;

    ck_assert_ptr_nonnull(server);
    snprintf(dsn, sizeof dsn, "postgresql://app:secret@127.0.0.1:%d/db?sslmode=disable", script_port(server));
    db = tusk_connect(loop, dsn);
    ck_told(tusk_exec(db, "select m", TUSK_NO_PARAMS), cases[_i].name);
    ck_assert_msg(tusk_type_of(db, OWN, &type) == cases[_i].known, "%s", cases[_i].name);
    for (int i = 0; i < cases[_i].runs; i++)
        ck_told(tusk_exec(db, "select m", TUSK_NO_PARAMS), cases[_i].name);
    ck_assert_msg(tusk_type_of(db, OWN, &type) == cases[_i].then, "%s", cases[_i].name);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    wrong = script_stop(server);
    ck_assert_msg(!wrong, "%s: %s", cases[_i].name, wrong);
}
END_TEST

/* Each of the two by itself. */
START_TEST(what_goes_in_binary_is_told)
{
    script_server *server = script_start(_i ? FIRST LOOK_UP HEAD "row 16400 app mood e 0 t f , NULL NULL" TAIL
                                            : FIRST LOOK_UP HEAD "row 16400 app mood e 0 f t , NULL NULL" TAIL);
    tusk_loop *loop = tusk_loop_new();
    char dsn[200];
    tusk_conn *db;
    tusk_type type;

    ck_assert_ptr_nonnull(server);
    snprintf(dsn, sizeof dsn, "postgresql://app:secret@127.0.0.1:%d/db?sslmode=disable", script_port(server));
    db = tusk_connect(loop, dsn);
    ck_told(tusk_exec(db, "select m", TUSK_NO_PARAMS), "binary");
    ck_assert_int_eq(tusk_type_of(db, OWN, &type), TUSK_OK);
    ck_assert(type.has_binary_output == (_i == 1) && type.has_binary_input == (_i == 0));
    tusk_conn_free(db);
    tusk_loop_free(loop);
    ck_assert_ptr_null(script_stop(server));
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("fault/lookup");
    TCase *tcase = tcase_create("a scripted server");

    tcase_add_loop_test(tcase, request_has_its_answer_whatever_comes_of_the_look_up, 0, N_OF(cases));
    tcase_add_loop_test(tcase, what_goes_in_binary_is_told, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
