/* A stack: several operations in one write and one round trip; all of them or none, or each by itself.
 * Usage: stack "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <stdio.h>

#include <tusk/tusk.h>

static void print_results(tusk_query *q)
{
    tusk_row row;

    do {
        const tusk_error *err = tusk_query_result_error(q);

        printf("  %d: " TUSK_STR_FMT ": ", tusk_query_result_operation(q), TUSK_STR_ARG(tusk_query_result_sql(q)));
        if (err->code != TUSK_OK)
            printf("%s\n", err->message);
        else if (tusk_next_row(q, &row))
            printf("%lld\n", (long long)tusk_get_int8(&row, 0));
        else
            printf(TUSK_STR_FMT "\n", TUSK_STR_ARG(tusk_query_tag(q)));
    } while (tusk_next_result(q));
}

static tusk_code run(tusk_stack *stack, tusk_stack_mode mode, const char *name)
{
    tusk_query *q = tusk_stack_run(stack, mode);
    tusk_code code = tusk_await(q);

    printf("%s: %s\n", name, code == TUSK_OK ? "done" : tusk_query_error(q)->message);
    print_results(q);
    tusk_query_free(q);
    return code;
}

int main(int argc, char **argv)
{
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *db = loop ? tusk_connect(loop, argc > 1 ? argv[1] : "") : NULL;
    tusk_stack *stack = tusk_stack_new(db);
    tusk_value logins[] = {tusk_text("anna"), tusk_text("bob")};
    tusk_params sets[] = {tusk_params_of(&logins[0], 1), tusk_params_of(&logins[1], 1)};
    int status = 1;

    if (!stack)
        return 1;
    tusk_query_free(tusk_exec(db, "create temp table audit_log (message text)", TUSK_NO_PARAMS));
    /* an operation may be one statement, one with many sets of parameters, or a script; a wrong one is told by the run */
    (void)tusk_stack_push(stack, "insert into audit_log values ($1)", TUSK_PARAMS(tusk_text("start")));
    (void)tusk_stack_push_many(stack, "insert into audit_log values ($1)", sets, 2);
    (void)tusk_stack_push(stack, "select 1 / $1", TUSK_PARAMS(tusk_int4(0)));
    (void)tusk_stack_push_script(stack, "delete from audit_log where message = 'bob'; select count(*) from audit_log");
    if (run(stack, TUSK_STACK_ATOMIC, "all or none") == TUSK_ERR_SERVER &&
        run(stack, TUSK_STACK_CONTINUE, "each by itself") == TUSK_OK)
        status = 0;
    tusk_stack_free(stack);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return status;
}
