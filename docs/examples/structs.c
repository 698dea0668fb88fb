/* Rows straight into structs: a table says which column goes into which member.
 * Usage: structs "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <inttypes.h>
#include <stdio.h>

#include <tusk/tusk.h>

struct relation {
    uint32_t oid;
    char name[64];   /* copied */
    tusk_str access; /* a view, as long as the rows are there */
    bool has_no_access;
    int64_t pages;
    float rows;
};

/* A member of another C type than the column's does not compile. */
static const tusk_field fields_of_relation[] = {
    TUSK_FIELD(struct relation, oid, TUSK_OID_OID),
    TUSK_FIELD_AS(struct relation, name, TUSK_OID_NAME, "relname"),
    TUSK_NULLABLE_AS(struct relation, access, TUSK_OID_NAME, "amname", has_no_access),
    TUSK_FIELD_AS(struct relation, pages, TUSK_OID_INT8, "relpages"), /* an int4, widened */
    TUSK_FIELD_AS(struct relation, rows, TUSK_OID_FLOAT4, "reltuples"),
};

static void print(const struct relation *r)
{
    printf("%6" PRIu32 " %-24s " TUSK_STR_FMT " %6" PRId64 " pages %8.0f rows\n", r->oid, r->name,
           TUSK_STR_ARG(r->has_no_access ? tusk_str_of("-") : r->access), r->pages, (double)r->rows);
}

static tusk_code print_relations(tusk_conn *db, tusk_fields *fields, tusk_error *err)
{
    tusk_query *q = tusk_exec(db,
                              "select c.oid, relname, amname, relpages, reltuples from pg_class c "
                              "left join pg_am a on a.oid = relam order by relpages desc limit 20",
                              TUSK_NO_PARAMS);
    struct relation relations[8];
    size_t n = 0;
    tusk_code code;

    do { /* so many as the array holds, until fewer come */
        code = tusk_fields_fetch(fields, q, relations, 8, &n, err);
        for (size_t i = 0; i < n; i++)
            print(&relations[i]);
    } while (code == TUSK_OK && n == 8);
    tusk_query_free(q); /* and the views with it */
    return code;
}

int main(int argc, char **argv)
{
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *db = loop ? tusk_connect(loop, argc > 1 ? argv[1] : "") : NULL;
    tusk_error err;
    tusk_fields *fields;
    char text[1024];
    int status = 1;

    if (!db)
        return 1;
    fields = tusk_fields_new(loop, sizeof(struct relation), fields_of_relation,
                             sizeof fields_of_relation / sizeof *fields_of_relation, &err);
    if (fields && print_relations(db, fields, &err) == TUSK_OK) {
        status = 0;
    } else {
        tusk_error_format(&err, text, sizeof text);
        fprintf(stderr, "%s\n", text);
    }
    tusk_fields_free(fields);
    (void)tusk_await_free(tusk_close(db), NULL);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return status;
}
