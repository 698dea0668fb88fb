/* A transaction that is repeated when the server cannot serialize it.
 * Usage: transact "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <stdio.h>

#include <tusk/tusk.h>

/* Called once per attempt. It may wait; whatever it returns but TUSK_OK rolls back. */
static tusk_code transfer(tusk_conn *db, void *user, tusk_error *err)
{
    const int32_t *amount = user;
    tusk_query *q = tusk_exec(db, "update accounts set balance = balance - $1 where name = 'anna' returning balance",
                              TUSK_PARAMS(tusk_int4(*amount)));
    tusk_row row;
    int32_t left = 0;
    tusk_code code = tusk_query_scalar(q, &row, err);

    if (code == TUSK_OK)
        code = tusk_read_int4(&row, 0, &left, err);
    tusk_query_free(q);
    if (code == TUSK_OK && left < 0) {
        printf("anna does not have %d\n", (int)*amount);
        return TUSK_DONE;
    }
    if (code == TUSK_OK) /* the commit waits for it */
        tusk_query_free(tusk_exec(db, "update accounts set balance = balance + $1 where name = 'bob'",
                                  TUSK_PARAMS(tusk_int4(*amount))));
    return code;
}

int main(int argc, char **argv)
{
    tusk_transact_options options = {.transaction = {.isolation = TUSK_SERIALIZABLE}};
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *db = loop ? tusk_connect(loop, argc > 1 ? argv[1] : "") : NULL;
    int32_t amounts[] = {30, 80};
    tusk_error err = {0};
    int status = 1;

    if (!db)
        return 1;
    tusk_query_free(tusk_exec(db, "create temp table accounts (name text, balance int4)", TUSK_NO_PARAMS));
    tusk_query_free(tusk_exec(db, "insert into accounts values ('anna', 100), ('bob', 0)", TUSK_NO_PARAMS));
    if (tusk_transact(db, &options, transfer, &amounts[0], &err) == TUSK_OK &&
        tusk_transact(db, &options, transfer, &amounts[1], &err) == TUSK_DONE)
        status = 0;
    else
        fprintf(stderr, "%s\n", err.message);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return status;
}
