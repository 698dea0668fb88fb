/* jsonb by jansson: a document goes in as a parameter, and comes out as another one. Link it with -ljansson.
 * Usage: json "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <jansson.h>
#include <stdio.h>

#include <tusk/json.h>
#include <tusk/tusk.h>

static tusk_code print_answer(tusk_conn *db, tusk_error *err)
{
    json_t *json = json_pack("{s:s, s:[i, i]}", "name", "tusk", "numbers", 1, 2), *answer;
    tusk_query *q = tusk_exec(db, "select $1 || '{\"seen\": true}'", TUSK_PARAMS(tusk_jsonb(json)));
    tusk_row row;
    tusk_code code = tusk_query_one(q, &row, err);

    if (code == TUSK_OK)
        code = tusk_read_json(&row, 0, &answer, err);
    if (code == TUSK_OK) {
        printf("%zu members, seen: %s\n", json_object_size(answer),
               json_is_true(json_object_get(answer, "seen")) ? "yes" : "no");
        json_decref(answer);
    }
    json_decref(json);
    tusk_query_free(q);
    return code;
}

int main(int argc, char **argv)
{
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *db = loop ? tusk_connect(loop, argc > 1 ? argv[1] : "") : NULL;
    tusk_error err = {0};
    char text[1024];
    int status = 0;

    if (!db)
        return 1;
    if (print_answer(db, &err) != TUSK_OK) {
        tusk_error_format(&err, text, sizeof text);
        fprintf(stderr, "%s\n", text);
        status = 1;
    }
    (void)tusk_await_free(tusk_close(db), NULL);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return status;
}
