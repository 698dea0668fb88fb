/* A login with a Kerberos ticket where the server wants one; where it does not, the same connection string goes on as ever. Needs the
 * GSSAPI library: cc gssapi.c $(pkg-config --cflags --libs --static tusk-gssapi)
 * Usage: gssapi "postgresql://user@host/dbname?sslmode=verify-full" */
#include <stdio.h>

#include <tusk/gssapi.h>
#include <tusk/tusk.h>

static const char question[] =
    "select principal from pg_stat_gssapi where pid = pg_backend_pid() and gss_authenticated";

int main(int argc, char **argv)
{
    const tusk_auth_mechanism *const mechanisms[] = {tusk_gssapi(), NULL};
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *db = tusk_conn_open(loop, &(tusk_config){.dsn = argc > 1 ? argv[1] : "", .auth_mechanisms = mechanisms});
    tusk_query *q = tusk_exec(db, question, TUSK_NO_PARAMS);
    tusk_code code = tusk_await(q);
    tusk_row row;
    char text[1024];

    if (code != TUSK_OK) {
        tusk_error_format(tusk_query_error(q), text, sizeof text);
        fprintf(stderr, "%s\n", text);
    } else if (tusk_next_row(q, &row)) {
        printf("the realm knows us as " TUSK_STR_FMT "\n", TUSK_STR_ARG(tusk_get_text(&row, 0)));
    } else {
        printf("the server wanted no ticket\n");
    }
    tusk_query_free(q);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return code == TUSK_OK ? 0 : 1;
}
