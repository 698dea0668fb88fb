/* Rows: finding a field in a checked DataRow body, and taking a value out of it by the column's type and format.
 * What the bytes of a type mean is not known here but in lib/codec/; only the commonest pairs have a short way.
 * Read first: tusk/row.h, lib/row.h. */
#include "lib/row.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/codec/nested.h"

/* ---- finding a field ----------------------------------------------------------------------------------------------------------------- */

/* A field is an Int32 length, -1 for NULL, and so many bytes. */
static const uint8_t *skip_field(const uint8_t *p)
{
    uint32_t len = tusk__be32(p);

    return p + 4 + (len == UINT32_MAX ? 0 : len);
}

/* Mark every stride-th column: each one up to TUSK__ROW_MARKS columns, every second one up to twice as many, and so on. */
static void mark_every(tusk_row *row, uint32_t stride)
{
    const uint8_t *p = row->body + 2;

    row->stride = stride;
    for (uint32_t col = 0; col < row->n_cols; col++) {
        if (col % stride == 0)
            row->marks[col / stride] = (uint32_t)(p - row->body);
        p = skip_field(p);
    }
}

static void mark_each(tusk_row *row)
{
    uint32_t at = 2, len;

    row->stride = 1;
    for (uint32_t col = 0; col < row->n_cols; col++) {
        row->marks[col] = at;
        len = tusk__be32(row->body + at);
        at += len == UINT32_MAX ? 4 : 4 + len;
    }
}

void tusk__row_init(tusk_row *row, tusk_query *q, const uint8_t *body, uint32_t n_cols)
{
    uint32_t stride = 2;

    row->query = q;
    row->columns = n_cols ? tusk__query_row_column(q, 0) : NULL;
    row->body = body;
    row->n_cols = n_cols;
    if (n_cols <= TUSK__ROW_MARKS) { /* nearly always, so it comes without a division per column */
        mark_each(row);
        return;
    }
    while (n_cols > stride * TUSK__ROW_MARKS)
        stride *= 2;
    mark_every(row, stride);
}

/* Of a column that is there. */
static inline const uint8_t *field_at(const tusk_row *row, uint32_t col)
{
    const uint8_t *p;

    if (row->stride == 1)
        return row->body + row->marks[col];
    p = row->body + row->marks[col / row->stride];
    for (uint32_t n = col % row->stride; n > 0; n--)
        p = skip_field(p);
    return p;
}

static inline bool has_column(const tusk_row *row, int col)
{
    return (uint32_t)col < row->n_cols; /* a negative one is beyond every count */
}

bool tusk__row_field(const tusk_row *row, int col, tusk_str *bytes, bool *is_null)
{
    const uint8_t *p;
    uint32_t len;

    if (!has_column(row, col))
        return false;
    p = field_at(row, (uint32_t)col);
    len = tusk__be32(p);
    *is_null = len == UINT32_MAX;
    *bytes = *is_null ? tusk_str_from(NULL, 0) : tusk_str_from(p + 4, len);
    return true;
}

bool tusk_is_null(const tusk_row *row, int col)
{
    return !has_column(row, col) || tusk__be32(field_at(row, (uint32_t)col)) == UINT32_MAX;
}

/* ---- saying what is wrong ------------------------------------------------------------------------------------------------------------ */

/* One field with its column. */
typedef struct field {
    int col;
    const tusk_query *query;
    const tusk_column *column;
    tusk_str bytes;
} field;

/* err was made empty by the getter that the caller called. */
static tusk_code fail(tusk_error *err, int col, const char *want, tusk_code code, const char *sqlstate, const char *fmt,
                      ...) TUSK_PRINTF(6, 7) __attribute__((cold, noinline));

static tusk_code fail(tusk_error *err, int col, const char *want, tusk_code code, const char *sqlstate, const char *fmt,
                      ...)
{
    char text[sizeof err->message];
    va_list args;

    if (!err)
        return code;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    tusk__error_set(err, code, sqlstate, "%s", text);
    tusk__error_where(err, "read %s", want);
    err->fate = TUSK_FATE_ANSWERED;
    err->column = col;
    return code;
}

#define FIELD_FMT "column %d \"" TUSK_STR_FMT "\""
#define FIELD_ARG(f) (f)->col, TUSK_STR_ARG((f)->column->name)

/* What is text already becomes no more readable as text. */
static tusk_str advice_on(const field *f)
{
    uint32_t type = f->column->type;

    if (f->column->format == 0 || type == TUSK_OID_TEXT || type == TUSK_OID_VARCHAR || type == TUSK_OID_BPCHAR ||
        type == TUSK_OID_NAME)
        return tusk_str_of("cast it in the SQL");
    if (type >= TUSK__FIRST_OWN_OID && tusk__query_awaits_type(f->query, type))
        return tusk_str_of("the type is not looked up yet: await the query, prepare it first, or tusk_types_look_up()");
    return tusk_str_of("cast it in the SQL, or submit with text_results and read it as text");
}

static tusk_code fail_type(const field *f, const char *want, tusk_error *err)
{
    tusk__types types = tusk__query_types(f->query);
    char have[TUSK__TYPE_LABEL_SIZE];

    if (err)
        (void)fail(err, f->col, want, TUSK_ERR_TYPE, NULL, FIELD_FMT " is %s, not %s", FIELD_ARG(f),
                   tusk__types_label(&types, f->column->type, have), want);
    if (err)
        tusk__error_hint(err, advice_on(f));
    return TUSK_ERR_TYPE;
}

/* What the codec said, with the column in front. */
static tusk_code fail_value(const field *f, const char *want, const tusk_error *cause, tusk_error *err)
{
    return fail(err, f->col, want, cause->code, cause->sqlstate, FIELD_FMT ": %s", FIELD_ARG(f), cause->message);
}

/* ---- taking a value ------------------------------------------------------------------------------------------------------------------ */

static tusk_code take_field(const tusk_row *row, int col, const char *want, field *f, tusk_error *err)
{
    bool is_null;

    if (!tusk__row_field(row, col, &f->bytes, &is_null)) {
        fail(err, col, want, TUSK_ERR_USAGE, NULL, "there is no column %d: the row has %u", col, (unsigned)row->n_cols);
        return TUSK_ERR_USAGE;
    }
    f->col = col;
    f->query = row->query;
    f->column = &row->columns[col];
    if (is_null) {
        fail(err, col, want, TUSK_ERR_NULL, NULL, FIELD_FMT " is NULL", FIELD_ARG(f));
        return TUSK_ERR_NULL;
    }
    return TUSK_OK;
}

/* Of a type of the database's own, as far as it is known; NULL: raw, or built in. */
static inline const tusk__codec *own_codec_of(const field *f)
{
    return f->column->type < TUSK__FIRST_OWN_OID ? NULL : tusk__query_own_codec(f->query, f->column->type);
}

static const tusk__codec *codec_of(const field *f)
{
    const tusk__codec *codec = tusk__codec_of(f->column->type);

    return codec ? codec : own_codec_of(f);
}

/* A container may hold values of the database's own types, whatever its own type is. */
static tusk_code decode(const field *f, tusk_value *out, tusk_error *err)
{
    const tusk__codec *codec = codec_of(f);
    tusk__types types;

    if (codec && codec->kind == TUSK_KIND_WIRE && f->column->format != 0 && tusk__container_of(codec)) {
        types = tusk__query_types(f->query);
        return tusk__nested_decode(&types, f->column->type, f->bytes, 0, out, err);
    }
    if (codec)
        return tusk__codec_decode(codec, f->column->type, f->column->format, f->bytes, out, err);
    return tusk__value_decode(f->column->type, f->column->format, f->bytes, out, err);
}

/* A failure is decoded again, to hear why: an error is big, and most callers of a failing read do not want it. */
static tusk_code decode_field(const field *f, const char *want, tusk_value *out, tusk_error *err)
{
    tusk_code code = decode(f, out, NULL);
    tusk_error cause;

    if (code == TUSK_OK || !err)
        return code;
    memset(&cause, 0, sizeof cause);
    (void)decode(f, out, &cause);
    return fail_value(f, want, &cause, err);
}

static bool is_integer(uint32_t type)
{
    return type == TUSK_OID_INT4 || type == TUSK_OID_INT8 || type == TUSK_OID_INT2 || type == TUSK_OID_OID;
}

/* What an integer getter delivers. Types other than the integers proper are read by their own name alone. */
typedef struct wanted {
    uint32_t type;
    const char *name;
    int64_t min, max;
} wanted;

static const wanted want_bool = {TUSK_OID_BOOL, "bool", 0, 1};
static const wanted want_int2 = {TUSK_OID_INT2, "int2", INT16_MIN, INT16_MAX};
static const wanted want_int4 = {TUSK_OID_INT4, "int4", INT32_MIN, INT32_MAX};
static const wanted want_int8 = {TUSK_OID_INT8, "int8", INT64_MIN, INT64_MAX};
static const wanted want_oid = {TUSK_OID_OID, "oid", 0, UINT32_MAX};
static const wanted want_date = {TUSK_OID_DATE, "date", INT32_MIN, INT32_MAX};
static const wanted want_timestamp = {TUSK_OID_TIMESTAMP, "timestamp", INT64_MIN, INT64_MAX};
static const wanted want_timestamptz = {TUSK_OID_TIMESTAMPTZ, "timestamptz", INT64_MIN, INT64_MAX};

/* Does the getter of type `want` take a column of type `have`? */
static bool reads(uint32_t want, uint32_t have)
{
    return have == want || (is_integer(want) && is_integer(have)) || (want == TUSK_OID_OID && tusk__is_reg(have));
}

static tusk_code read_integer(const tusk_row *row, int col, const wanted *want, int64_t *out, tusk_error *err)
{
    field f;
    tusk_value value;
    int64_t n;

    tusk__error_begin(err);
    TUSK_TRY(take_field(row, col, want->name, &f, err));
    if (!reads(want->type, f.column->type))
        return fail_type(&f, want->name, err);
    TUSK_TRY(decode_field(&f, want->name, &value, err));
    n = value.kind == TUSK_KIND_BOOL ? value.as.boolean : value.as.integer;
    if (n < want->min || n > want->max)
        return fail(err, col, want->name, TUSK_ERR_VALUE, TUSK__STATE_OUT_OF_RANGE, FIELD_FMT ": %lld does not fit %s",
                    FIELD_ARG(&f), (long long)n, want->name);
    *out = n;
    return TUSK_OK;
}

static tusk_code read_real(const tusk_row *row, int col, uint32_t type, double *out, tusk_error *err)
{
    const char *name = type == TUSK_OID_FLOAT4 ? "float4" : "float8";
    field f;
    tusk_value value;
    tusk_error cause;

    tusk__error_begin(err);
    TUSK_TRY(take_field(row, col, name, &f, err));
    if (f.column->type != TUSK_OID_FLOAT4 && f.column->type != TUSK_OID_FLOAT8)
        return fail_type(&f, name, err);
    TUSK_TRY(decode_field(&f, name, &value, err));
    if (type == TUSK_OID_FLOAT4 && !tusk__fits_float4(value.as.real)) {
        memset(&cause, 0, sizeof cause);
        tusk__float_does_not_fit(&cause, value.as.real);
        return fail_value(&f, name, &cause, err);
    }
    *out = value.as.real;
    return TUSK_OK;
}

tusk_code tusk__row_decode(const tusk_row *row, int col, uint32_t type, tusk_value *out, tusk_error *err)
{
    const char *name = type == TUSK__ANY_TYPE ? "value" : tusk__codec_of(type)->name;
    field f;

    tusk__error_begin(err);
    TUSK_TRY(take_field(row, col, name, &f, err));
    if (type != TUSK__ANY_TYPE && f.column->type != type)
        return fail_type(&f, name, err);
    return decode_field(&f, name, out, err);
}

tusk_code tusk__row_take(const tusk_row *row, int col, const char *want, tusk_str *bytes, tusk_error *err)
{
    field f;

    TUSK_TRY(take_field(row, col, want, &f, err));
    *bytes = f.bytes;
    return TUSK_OK;
}

tusk_code tusk__row_refuse_type(const tusk_row *row, int col, const char *want, tusk_error *err)
{
    field f = {.query = row->query, .col = col, .column = &row->columns[col]};

    return fail_type(&f, want, err);
}

tusk_code tusk__row_blame(const tusk_row *row, int col, const char *want, const tusk_error *cause, tusk_error *err)
{
    field f = {.query = row->query, .col = col, .column = &row->columns[col]};

    return fail_value(&f, want, cause, err);
}

static bool is_named(const tusk__codec *codec, const char *name)
{
    return name && strcmp(codec->name, name) == 0;
}

tusk_code tusk__row_decode_own(const tusk_row *row, int col, const char *name, const char *other_name, tusk_value *out,
                               const tusk__codec **codec, tusk_error *err)
{
    field f;

    tusk__error_begin(err);
    TUSK_TRY(take_field(row, col, name, &f, err));
    *codec = own_codec_of(&f);
    if (!*codec || (!is_named(*codec, name) && !is_named(*codec, other_name)))
        return fail_type(&f, name, err);
    return decode_field(&f, name, out, err);
}

tusk_code tusk__row_decode_into(const tusk_row *row, int col, uint32_t type, tusk__room room, tusk_value *out,
                                tusk_error *err)
{
    const tusk__codec *codec = tusk__codec_of(type);
    tusk_error cause;
    tusk_code code;
    field f;

    if (!codec->read || !room.ptr || !has_column(row, col) || row->columns[col].type != type ||
        row->columns[col].format != 0)
        return tusk__row_decode(row, col, type, out, err);
    tusk__error_begin(err);
    TUSK_TRY(take_field(row, col, codec->name, &f, err));
    *out = tusk_null_of(type);
    code = codec->read(f.bytes, room, out, NULL);
    if (code == TUSK_OK || !err)
        return code;
    memset(&cause, 0, sizeof cause);
    (void)codec->read(f.bytes, room, out, &cause);
    return fail_value(&f, codec->name, &cause, err);
}

/* ---- the short way ---------------------------------------------------------------------------------------------------------------- */

/* The bytes of a binary field of exactly that type and width, else NULL: then the long way tells. The width is looked at before
 * the bytes (D3); NULL's length, -1, is no width. */
static inline const uint8_t *exact_field(const tusk_row *row, int col, uint32_t type, uint32_t width)
{
    const tusk_column *column;
    const uint8_t *p;

    if (!has_column(row, col))
        return NULL;
    column = &row->columns[col];
    p = field_at(row, (uint32_t)col);
    return column->type == type && column->format == 1 && tusk__be32(p) == width ? p + 4 : NULL;
}

/* Text whose bytes are the text in either format, of the two types that nearly all text has. */
static inline bool is_plain_text(const tusk_column *column)
{
    return column->type == TUSK_OID_TEXT || column->type == TUSK_OID_VARCHAR || column->format == 0;
}

/* ---- long form ----------------------------------------------------------------------------------------------------------------------- */

tusk_code tusk_read_bool(const tusk_row *row, int col, bool *out, tusk_error *err)
{
    int64_t n;

    TUSK_TRY(read_integer(row, col, &want_bool, &n, err));
    *out = n != 0;
    return TUSK_OK;
}

tusk_code tusk_read_int2(const tusk_row *row, int col, int16_t *out, tusk_error *err)
{
    int64_t n;

    TUSK_TRY(read_integer(row, col, &want_int2, &n, err));
    *out = (int16_t)n;
    return TUSK_OK;
}

tusk_code tusk_read_int4(const tusk_row *row, int col, int32_t *out, tusk_error *err)
{
    const uint8_t *p = exact_field(row, col, TUSK_OID_INT4, 4);
    int64_t n = 0;

    tusk__error_begin(err);
    if (!p)
        TUSK_TRY(read_integer(row, col, &want_int4, &n, err));
    *out = p ? (int32_t)tusk__be32(p) : (int32_t)n;
    return TUSK_OK;
}

tusk_code tusk_read_int8(const tusk_row *row, int col, int64_t *out, tusk_error *err)
{
    const uint8_t *p = exact_field(row, col, TUSK_OID_INT8, 8);

    tusk__error_begin(err);
    if (!p)
        return read_integer(row, col, &want_int8, out, err);
    *out = (int64_t)tusk__be64(p);
    return TUSK_OK;
}

tusk_code tusk_read_oid(const tusk_row *row, int col, uint32_t *out, tusk_error *err)
{
    int64_t n;

    TUSK_TRY(read_integer(row, col, &want_oid, &n, err));
    *out = (uint32_t)n;
    return TUSK_OK;
}

tusk_code tusk_read_float4(const tusk_row *row, int col, float *out, tusk_error *err)
{
    double real;

    TUSK_TRY(read_real(row, col, TUSK_OID_FLOAT4, &real, err));
    *out = (float)real;
    return TUSK_OK;
}

tusk_code tusk_read_float8(const tusk_row *row, int col, double *out, tusk_error *err)
{
    return read_real(row, col, TUSK_OID_FLOAT8, out, err);
}

tusk_code tusk_read_numeric(const tusk_row *row, int col, tusk_numeric_view *out, tusk_error *err)
{
    field f;
    tusk_value value;

    tusk__error_begin(err);
    TUSK_TRY(take_field(row, col, "numeric", &f, err));
    if (f.column->type != TUSK_OID_NUMERIC)
        return fail_type(&f, "numeric", err);
    TUSK_TRY(decode_field(&f, "numeric", &value, err));
    return tusk__numeric_view_of(value.as.bytes, out, err);
}

tusk_code tusk_read_date(const tusk_row *row, int col, int32_t *out, tusk_error *err)
{
    int64_t n;

    TUSK_TRY(read_integer(row, col, &want_date, &n, err));
    *out = (int32_t)n;
    return TUSK_OK;
}

tusk_code tusk_read_timestamp(const tusk_row *row, int col, int64_t *out, tusk_error *err)
{
    return read_integer(row, col, &want_timestamp, out, err);
}

tusk_code tusk_read_timestamptz(const tusk_row *row, int col, int64_t *out, tusk_error *err)
{
    return read_integer(row, col, &want_timestamptz, out, err);
}

/* A column that came as text is text, whatever its type. */
tusk_code tusk_read_text(const tusk_row *row, int col, tusk_str *out, tusk_error *err)
{
    field f;
    const tusk__codec *codec;
    tusk_value value;

    tusk__error_begin(err);
    TUSK_TRY(take_field(row, col, "text", &f, err));
    if (is_plain_text(f.column)) {
        *out = f.bytes;
        return TUSK_OK;
    }
    codec = codec_of(&f);
    if (!codec || codec->kind != TUSK_KIND_TEXT)
        return fail_type(&f, "text", err);
    TUSK_TRY(decode_field(&f, "text", &value, err));
    *out = value.as.bytes;
    return TUSK_OK;
}

tusk_code tusk_read_bytea(const tusk_row *row, int col, tusk_str *out, tusk_error *err)
{
    field f;
    const tusk__codec *codec;
    tusk_value value;

    tusk__error_begin(err);
    TUSK_TRY(take_field(row, col, "bytea", &f, err));
    codec = codec_of(&f);
    if (!codec || codec->kind != TUSK_KIND_BYTES)
        return fail_type(&f, "bytea", err);
    TUSK_TRY(decode_field(&f, "bytea", &value, err));
    *out = value.as.bytes;
    return TUSK_OK;
}

tusk_code tusk_read_uuid(const tusk_row *row, int col, uint8_t out[16], tusk_error *err)
{
    field f;
    tusk_value value;

    tusk__error_begin(err);
    TUSK_TRY(take_field(row, col, "uuid", &f, err));
    if (f.column->type != TUSK_OID_UUID)
        return fail_type(&f, "uuid", err);
    TUSK_TRY(decode_field(&f, "uuid", &value, err));
    memcpy(out, value.as.uuid, 16);
    return TUSK_OK;
}

tusk_code tusk_read_raw(const tusk_row *row, int col, tusk_str *out, tusk_error *err)
{
    field f;

    tusk__error_begin(err);
    TUSK_TRY(take_field(row, col, "raw", &f, err));
    *out = f.bytes;
    return TUSK_OK;
}

/* ---- short form ---------------------------------------------------------------------------------------------------------------------- */

/* Getters read without an error first: NULL is none, and only the first real one is worth its making. */
static bool is_worth_keeping(tusk_code code)
{
    return code != TUSK_OK && code != TUSK_ERR_NULL;
}

void tusk__row_keep_error(const tusk_row *row, const tusk_error *err)
{
    if (row->query)
        tusk__query_keep_value_error(row->query, err);
}

static __attribute__((noinline)) int64_t get_integer(const tusk_row *row, int col, const wanted *want)
{
    int64_t n = 0;

    if (is_worth_keeping(read_integer(row, col, want, &n, NULL))) {
        tusk_error err = {0};

        (void)read_integer(row, col, want, &n, &err);
        tusk__row_keep_error(row, &err);
    }
    return n;
}

static __attribute__((noinline)) double get_real(const tusk_row *row, int col, uint32_t type)
{
    double real = 0;

    if (is_worth_keeping(read_real(row, col, type, &real, NULL))) {
        tusk_error err = {0};

        (void)read_real(row, col, type, &real, &err);
        tusk__row_keep_error(row, &err);
    }
    return real;
}

typedef tusk_code (*read_view_fn)(const tusk_row *row, int col, tusk_str *out, tusk_error *err);

static __attribute__((noinline)) tusk_str get_view(const tusk_row *row, int col, read_view_fn read)
{
    tusk_str view = tusk_str_from(NULL, 0);

    if (is_worth_keeping(read(row, col, &view, NULL))) {
        tusk_error err = {0};

        (void)read(row, col, &view, &err);
        tusk__row_keep_error(row, &err);
    }
    return view;
}

bool tusk_get_bool(const tusk_row *row, int col)
{
    const uint8_t *p = exact_field(row, col, TUSK_OID_BOOL, 1);

    return p && *p <= 1 ? *p != 0 : get_integer(row, col, &want_bool) != 0;
}

int16_t tusk_get_int2(const tusk_row *row, int col)
{
    const uint8_t *p = exact_field(row, col, TUSK_OID_INT2, 2);

    return p ? (int16_t)tusk__be16(p) : (int16_t)get_integer(row, col, &want_int2);
}

int32_t tusk_get_int4(const tusk_row *row, int col)
{
    const uint8_t *p = exact_field(row, col, TUSK_OID_INT4, 4);

    return p ? (int32_t)tusk__be32(p) : (int32_t)get_integer(row, col, &want_int4);
}

int64_t tusk_get_int8(const tusk_row *row, int col)
{
    const uint8_t *p = exact_field(row, col, TUSK_OID_INT8, 8);

    return p ? (int64_t)tusk__be64(p) : get_integer(row, col, &want_int8);
}

uint32_t tusk_get_oid(const tusk_row *row, int col)
{
    const uint8_t *p = exact_field(row, col, TUSK_OID_OID, 4);

    return p ? tusk__be32(p) : (uint32_t)get_integer(row, col, &want_oid);
}

float tusk_get_float4(const tusk_row *row, int col)
{
    const uint8_t *p = exact_field(row, col, TUSK_OID_FLOAT4, 4);
    uint32_t bits;
    float real;

    if (!p)
        return (float)get_real(row, col, TUSK_OID_FLOAT4);
    bits = tusk__be32(p);
    memcpy(&real, &bits, sizeof real);
    return real;
}

double tusk_get_float8(const tusk_row *row, int col)
{
    const uint8_t *p = exact_field(row, col, TUSK_OID_FLOAT8, 8);
    uint64_t bits;
    double real;

    if (!p)
        return get_real(row, col, TUSK_OID_FLOAT8);
    bits = tusk__be64(p);
    memcpy(&real, &bits, sizeof real);
    return real;
}

tusk_numeric_view tusk_get_numeric(const tusk_row *row, int col)
{
    tusk_numeric_view n = {0};

    if (is_worth_keeping(tusk_read_numeric(row, col, &n, NULL))) {
        tusk_error err = {0};

        (void)tusk_read_numeric(row, col, &n, &err);
        tusk__row_keep_error(row, &err);
    }
    return n;
}

int32_t tusk_get_date(const tusk_row *row, int col)
{
    const uint8_t *p = exact_field(row, col, TUSK_OID_DATE, 4);

    if (p && tusk__date_is_valid((int32_t)tusk__be32(p)))
        return (int32_t)tusk__be32(p);
    return (int32_t)get_integer(row, col, &want_date);
}

/* Both kinds alike; what their codec refuses goes the long way to be refused. */
static inline int64_t get_timestamp(const tusk_row *row, int col, const wanted *want)
{
    const uint8_t *p = exact_field(row, col, want->type, 8);

    if (p && tusk__timestamp_is_valid((int64_t)tusk__be64(p)))
        return (int64_t)tusk__be64(p);
    return get_integer(row, col, want);
}

int64_t tusk_get_timestamp(const tusk_row *row, int col)
{
    return get_timestamp(row, col, &want_timestamp);
}

int64_t tusk_get_timestamptz(const tusk_row *row, int col)
{
    return get_timestamp(row, col, &want_timestamptz);
}

tusk_str tusk_get_text(const tusk_row *row, int col)
{
    const tusk_column *column;
    tusk_str text;
    bool is_null;

    if (!tusk__row_field(row, col, &text, &is_null))
        return get_view(row, col, tusk_read_text);
    column = &row->columns[col];
    if (is_plain_text(column))
        return text; /* {NULL, 0} if it is NULL */
    return get_view(row, col, tusk_read_text);
}

tusk_str tusk_get_bytea(const tusk_row *row, int col)
{
    return get_view(row, col, tusk_read_bytea);
}

/* A view of 16 bytes is there only in binary; text has to be parsed into a place of the caller's. This says which it is. */
static tusk_code refuse_uuid_view(const tusk_row *row, int col, tusk_str *out, tusk_error *err)
{
    uint8_t uuid[16];

    (void)out;
    TUSK_TRY(tusk_read_uuid(row, col, uuid, err));
    return fail(err, col, "uuid", TUSK_ERR_TYPE, NULL, FIELD_FMT " came in text format: take it with tusk_read_uuid()",
                col, TUSK_STR_ARG(row->columns[col].name));
}

tusk_str tusk_get_uuid(const tusk_row *row, int col)
{
    const uint8_t *p = exact_field(row, col, TUSK_OID_UUID, 16);

    return p ? tusk_str_from(p, 16) : get_view(row, col, refuse_uuid_view);
}

tusk_str tusk_get_raw(const tusk_row *row, int col)
{
    return get_view(row, col, tusk_read_raw);
}

/* ---- any value as text --------------------------------------------------------------------------------------------------------------- */

tusk_code tusk_format_value(const tusk_row *row, int col, char *buf, size_t size, size_t *len, tusk_error *err)
{
    size_t nobodys;
    field f;
    const tusk__codec *codec;
    tusk__types types;
    tusk_value value;
    tusk_error cause;
    char have[TUSK__TYPE_LABEL_SIZE];

    tusk__error_begin(err);
    TUSK_TRY(take_field(row, col, "value", &f, err));
    len = len ? len : &nobodys;
    if (f.column->format == 0) {
        *len = tusk__print_str(f.bytes, buf, size);
        return TUSK_OK;
    }
    codec = codec_of(&f);
    types = tusk__query_types(f.query);
    if (!codec)
        return fail(err, col, "value", TUSK_ERR_TYPE, NULL,
                    FIELD_FMT " is %s, which is printed by the server alone: text_results", FIELD_ARG(&f),
                    tusk__types_label(&types, f.column->type, have));
    TUSK_TRY(decode_field(&f, "value", &value, err));
    tusk__error_none(&cause);
    if (tusk__nested_print(&types, codec, &value, buf, size, len, &cause) != TUSK_OK)
        return fail_value(&f, "value", &cause, err);
    return TUSK_OK;
}
