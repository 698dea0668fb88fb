/* Codecs of your own: amounts of money as a struct of ours, and JSON by functions of ours.
 * Usage: codec "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tusk/tusk.h>

/* ---- text: money as the digits that the server prints, without the currency -------------------------------------------------- */

struct amount {
    char digits[32];
};

static tusk_code decode_amount(tusk_str text, uint32_t type, void *object, tusk_error *err, void *user)
{
    struct amount *amount = object;
    size_t n = 0;

    (void)type, (void)user;
    for (size_t i = 0; i < text.len; i++) {
        if (!strchr("-.0123456789", text.ptr[i]))
            continue;
        if (n + 1 == sizeof amount->digits) {
            snprintf(err->message, sizeof err->message, "an amount of more than %zu digits", sizeof amount->digits - 1);
            return TUSK_ERR_LIMIT;
        }
        amount->digits[n++] = text.ptr[i];
    }
    amount->digits[n] = '\0';
    return TUSK_OK;
}

static tusk_code encode_amount(const void *object, uint32_t type, tusk_out *out, tusk_error *err, void *user)
{
    const struct amount *amount = object;

    (void)type, (void)err, (void)user;
    tusk_out_put(out, amount->digits, strlen(amount->digits));
    return TUSK_OK;
}

static const tusk_codec amounts = {
    .type = TUSK_OID_MONEY, .size = sizeof(struct amount), .encode = encode_amount, .decode = decode_amount};

/* ---- JSON by functions of ours: here a document is an int in an object ------------------------------------------------------- */

static tusk_code decode_count(tusk_str text, uint32_t type, void *object, tusk_error *err, void *user)
{
    char copy[64];

    (void)type, (void)user;
    snprintf(copy, sizeof copy, TUSK_STR_FMT, TUSK_STR_ARG(text));
    if (sscanf(copy, "{\"count\": %d}", (int *)object) == 1)
        return TUSK_OK;
    snprintf(err->message, sizeof err->message, "no count in it");
    return TUSK_ERR_VALUE;
}

static tusk_code encode_count(const void *object, uint32_t type, tusk_out *out, tusk_error *err, void *user)
{
    char text[64];
    int len = snprintf(text, sizeof text, "{\"count\": %d}", *(const int *)object);

    (void)type, (void)err, (void)user;
    tusk_out_put(out, text, (size_t)len);
    return TUSK_OK;
}

static const tusk_codec counts = {
    .format = TUSK_CODEC_JSON, .size = sizeof(int), .encode = encode_count, .decode = decode_count};

/* ---- use ---------------------------------------------------------------------------------------------------------------------- */

static tusk_code print_answer(tusk_conn *db, tusk_error *err)
{
    struct amount price = {"12.50"}, twice;
    int three = 3, count = 0;
    tusk_query *q = tusk_exec(db, "select $1::money * 2, $2::jsonb",
                              TUSK_PARAMS(tusk_object(TUSK_OID_MONEY, &price), tusk_object(TUSK_OID_JSONB, &three)));
    tusk_row row;
    tusk_code code = tusk_query_one(q, &row, err);

    if (code == TUSK_OK)
        code = tusk_read_object(&row, 0, &twice, sizeof twice, err);
    if (code == TUSK_OK)
        code = tusk_read_object(&row, 1, &count, sizeof count, err);
    if (code == TUSK_OK)
        printf("%s, %d\n", twice.digits, count);
    tusk_query_free(q);
    return code;
}

int main(int argc, char **argv)
{
    tusk_loop *loop = tusk_loop_new();
    tusk_error err = {0};
    tusk_conn *db;
    char text[1024];
    int status = 0;

    /* for all connections of the loop … */
    if (!loop || tusk_loop_set_type_codec(loop, &counts, &err) != TUSK_OK)
        return 1;
    db = tusk_connect(loop, argc > 1 ? argv[1] : "");
    if (!db)
        return 1;
    /* … and for one */
    if (tusk_await_free(tusk_set_type_codec(db, &amounts), &err) != TUSK_OK || print_answer(db, &err) != TUSK_OK) {
        tusk_error_format(&err, text, sizeof text);
        fprintf(stderr, "%s\n", text);
        status = 1;
    }
    (void)tusk_await_free(tusk_close(db), NULL);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return status;
}
