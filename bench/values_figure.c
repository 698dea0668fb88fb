/* One value out of a result, of each type that most values are: by Tusk, by libpq in text with the conversion that its user would
 * write, and by libpq in binary with a byte swap. The result is fetched once, and its values are taken as often as is asked, so that the
 * difference of two runs is what taking costs. All ways add up the same sums.
 * Prints the sum. Read first: docs/performance.md, bench/values. */
#include "bench/figure.h"

#include <endian.h>
#include <libpq-fe.h>
#include <math.h>
#include <time.h>

#define ROWS 100
#define DIMENSIONS 768
#define ARRAY_HEAD 20 /* dimensions, flags, element type, elements, lower bound: of one dimension */

static float floats[DIMENSIONS];

static double sum_of_floats(void)
{
    double sum = 0;

    for (int i = 0; i < DIMENSIONS; i += 64)
        sum += (double)floats[i];
    return sum;
}

/* ---- Tusk ---- */

static double tusk_take_int8(const tusk_row *row)
{
    return (double)tusk_get_int8(row, 0);
}

static double tusk_take_timestamptz(const tusk_row *row)
{
    return (double)tusk_get_timestamptz(row, 0);
}

static double tusk_take_text(const tusk_row *row)
{
    tusk_str text = tusk_get_text(row, 0);

    return (double)text.len + (double)text.ptr[0];
}

static double tusk_take_numeric(const tusk_row *row)
{
    double number = 0;

    if (tusk_numeric_to_double(tusk_get_numeric(row, 0), &number, NULL, NULL) != TUSK_OK)
        die("numeric", "is no double");
    return number;
}

static double tusk_take_array(const tusk_row *row)
{
    tusk_array_view array = tusk_get_array(row, 0);

    if (tusk_array_to_float4(&array, floats, DIMENSIONS, NULL, NULL) != TUSK_OK)
        die("float4[]", "cannot be taken");
    return sum_of_floats();
}

static double tusk_take_vector(const tusk_row *row)
{
    size_t n;

    if (tusk_read_vector(row, 0, floats, DIMENSIONS, &n, NULL) != TUSK_OK)
        die("vector", "cannot be taken");
    return sum_of_floats();
}

/* ---- libpq in text ---- */

static double text_take_int8(const PGresult *res, int row)
{
    return (double)strtoll(PQgetvalue(res, row, 0), NULL, 10);
}

/* 2026-11-29 09:26:02.123456+00: microseconds since 2000, as the others have it. */
static double text_take_timestamptz(const PGresult *res, int row)
{
    struct tm tm = {0};
    int us = 0;

    if (sscanf(PQgetvalue(res, row, 0), "%d-%d-%d %d:%d:%d.%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec, &us) != 7)
        die("timestamptz", PQgetvalue(res, row, 0));
    tm.tm_year -= 1900;
    tm.tm_mon--;
    return (double)((int64_t)(timegm(&tm) - 946684800) * 1000000 + us);
}

static double text_take_text(const PGresult *res, int row)
{
    return (double)PQgetlength(res, row, 0) + (double)PQgetvalue(res, row, 0)[0];
}

static double text_take_numeric(const PGresult *res, int row)
{
    return strtod(PQgetvalue(res, row, 0), NULL);
}

/* {1,2,3} and [1,2,3] */
static double text_take_floats(const PGresult *res, int row)
{
    char *at = PQgetvalue(res, row, 0) + 1;

    for (int i = 0; i < DIMENSIONS; i++, at++)
        floats[i] = strtof(at, &at);
    return sum_of_floats();
}

/* ---- libpq in binary ---- */

static uint16_t swap16(const char *at)
{
    uint16_t n;

    memcpy(&n, at, sizeof n);
    return be16toh(n);
}

static uint32_t swap32(const char *at)
{
    uint32_t n;

    memcpy(&n, at, sizeof n);
    return be32toh(n);
}

static double binary_take_int8(const PGresult *res, int row)
{
    uint64_t n;

    memcpy(&n, PQgetvalue(res, row, 0), sizeof n);
    return (double)(int64_t)be64toh(n);
}

/* Digits of base 10000, summed: right to the last bit only by luck, as its user would have it. */
static double binary_take_numeric(const PGresult *res, int row)
{
    const char *at = PQgetvalue(res, row, 0);
    int n = swap16(at), weight = (int16_t)swap16(at + 2);
    double number = 0;

    for (int i = 0; i < n; i++)
        number = number * 10000 + swap16(at + 8 + 2 * i);
    number *= pow(10000, weight - n + 1);
    return swap16(at + 4) ? -number : number;
}

static double take_swapped(const char *at, size_t stride)
{
    for (int i = 0; i < DIMENSIONS; i++) {
        uint32_t bits = swap32(at + (size_t)i * stride);

        memcpy(&floats[i], &bits, sizeof bits);
    }
    return sum_of_floats();
}

static double binary_take_array(const PGresult *res, int row)
{
    return take_swapped(PQgetvalue(res, row, 0) + ARRAY_HEAD + 4, 8);
}

static double binary_take_vector(const PGresult *res, int row)
{
    return take_swapped(PQgetvalue(res, row, 0) + 4, 4);
}

/* ---- the types ---- */

typedef double take_row(const tusk_row *row);
typedef double take_result(const PGresult *res, int row);

#define FLOAT4 "((i * 768 + j) * 0.37)::float4"
#define SELECT_FLOATS(what)                                                                                            \
    "select " what " from generate_series(1, 100) i, generate_series(1, 768) j group by i order by i"

static const struct type {
    const char *name, *sql;
    take_row *by_tusk;
    take_result *in_text, *in_binary;
} types[] = {
    {"int8", "select i * 1234567890123 from generate_series(1, 100) i", tusk_take_int8, text_take_int8,
     binary_take_int8},
    {"timestamptz",
     "select '2026-11-29 09:26:02.123456+00'::timestamptz + i * interval '1 day 1.000001 s' from generate_series(1, "
     "100) i",
     tusk_take_timestamptz, text_take_timestamptz, binary_take_int8},
    {"text", "select repeat('x', i) from generate_series(1, 100) i", tusk_take_text, text_take_text, text_take_text},
    {"numeric", "select (i * 12345.6789)::numeric(20, 4) from generate_series(1, 100) i", tusk_take_numeric,
     text_take_numeric, binary_take_numeric},
    {"float4[768]", SELECT_FLOATS("array_agg(" FLOAT4 " order by j)"), tusk_take_array, text_take_floats,
     binary_take_array},
    {"vector(768)", SELECT_FLOATS("array_agg(" FLOAT4 " order by j)::vector"), tusk_take_vector, text_take_floats,
     binary_take_vector},
};

static const struct type *type_named(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    die("no such type", name);
}

static double by_tusk(const struct type *t, long times)
{
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *db = connect_ready(loop, env_of("BENCH_DSN"));
    tusk_query *q = tusk_exec(db, t->sql, TUSK_NO_PARAMS);
    tusk_row rows[ROWS];
    double sum = 0;

    await_ok(q);
    for (int r = 0; r < ROWS; r++)
        if (!tusk_next_row(q, &rows[r]))
            die(t->name, "too few rows");
    for (long i = 0; i < times; i++)
        for (int r = 0; r < ROWS; r++)
            sum += t->by_tusk(&rows[r]);
    tusk_query_free(q);
    close_all(loop, db);
    return sum;
}

static double by_libpq(const struct type *t, bool in_binary, long times)
{
    PGconn *db = PQconnectdb(env_of("BENCH_DSN"));
    PGresult *res = PQexecParams(db, t->sql, 0, NULL, NULL, NULL, NULL, in_binary);
    take_result *take = in_binary ? t->in_binary : t->in_text;
    double sum = 0;

    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        die("libpq", PQerrorMessage(db));
    for (long i = 0; i < times; i++)
        for (int r = 0; r < ROWS; r++)
            sum += take(res, r);
    PQclear(res);
    PQfinish(db);
    return sum;
}

int main(int argc, char **argv)
{
    const struct type *t;
    long times;

    if (argc != 4)
        die(argv[0], "TYPE tusk|text|binary TIMES");
    t = type_named(argv[1]);
    times = strtol(argv[3], NULL, 10);
    printf("%.9g\n",
           strcmp(argv[2], "tusk") == 0 ? by_tusk(t, times) : by_libpq(t, strcmp(argv[2], "binary") == 0, times));
    return 0;
}
