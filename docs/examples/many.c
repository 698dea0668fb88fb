/* As many rows as a file has lines: asked for one by one, sent while others are answered, all or none. A line that is no number undoes
 * the load and is named; the second time it is passed over, and the ids of the rows are counted as they come back.
 * Usage: many "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <tusk/tusk.h>

enum { N_LINES = 100000, BROKEN = 70000 };

typedef struct file {
    FILE *lines;
    bool passes_over; /* what is broken */
    int64_t n_ids;
} file;

static bool read_line(file *f, char *line, int size, bool *is_end)
{
    char *end;

    *is_end = !fgets(line, size, f->lines);
    (void)strtol(line, &end, 10);
    return *is_end || (end != line && *end == ',');
}

/* The next item: what is pushed is copied, so that the line can be the function's own. */
static tusk_code next_line(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    file *f = user;
    char line[64] = "", *name;
    bool is_end;

    (void)item;
    while (!read_line(f, line, sizeof line, &is_end)) {
        if (f->passes_over)
            continue;
        snprintf(err->message, sizeof err->message, "there is no number at the beginning of a line");
        return TUSK_ERR_VALUE;
    }
    if (is_end)
        return TUSK_DONE;
    name = strchr(line, ',') + 1;
    return tusk_many_push(
        q, TUSK_PARAMS(tusk_int8(strtol(line, NULL, 10)), tusk_text_str(tusk_str_from(name, strcspn(name, "\n")))));
}

static void got_id(tusk_query *q, const tusk_row *row, void *user)
{
    (void)q;
    ((file *)user)->n_ids += tusk_get_int4(row, 0) > 0;
}

static tusk_query *load(tusk_conn *db, file *f)
{
    rewind(f->lines);
    return tusk_many_submit(db, &(tusk_many_request){
                                    .sql = "insert into people (number, name) values ($1, $2) returning id",
                                    .pull = next_line,
                                    .on_row = got_id,
                                    .user = f,
                                });
}

static bool write_lines(FILE *lines)
{
    for (int i = 0; lines && i < N_LINES; i++)
        fprintf(lines, i == BROKEN ? "nobody\n" : "%d,name %d\n", i, i);
    return lines && fflush(lines) == 0;
}

int main(int argc, char **argv)
{
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *db = loop ? tusk_connect(loop, argc > 1 ? argv[1] : "") : NULL;
    file f = {.lines = tmpfile()};
    char text[1024] = "";
    tusk_query *q;
    bool is_fine;

    if (!db || !write_lines(f.lines))
        return 1;
    tusk_query_free(tusk_exec(
        db, "create temp table people (id int generated always as identity, number int8, name text)", TUSK_NO_PARAMS));

    q = load(db, &f);
    is_fine = tusk_await(q) == TUSK_ERR_VALUE && tusk_query_error(q)->item == BROKEN;
    tusk_error_format(tusk_query_error(q), text, sizeof text);
    printf("%s\n", text);
    tusk_query_free(q);

    f.passes_over = true;
    f.n_ids = 0;
    q = load(db, &f);
    is_fine = tusk_await(q) == TUSK_OK && is_fine && f.n_ids == N_LINES - 1;
    printf("%" PRId64 " rows, %" PRId64 " ids\n", tusk_query_rows_affected(q), f.n_ids);
    tusk_query_free(q);

    fclose(f.lines);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return !is_fine;
}
