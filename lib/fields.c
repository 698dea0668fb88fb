/* Fields: the table of a struct's members, and the one time that it is held against the columns of a result.
 * It looks at no value.
 * Read first: tusk/fields.h, lib/fields.h. */
#include "lib/fields.h"

#include "lib/codec/own.h"
#include "lib/query.h"
#include "lib/stmt.h"
#include "proto/size.h"

/* ---- the table --------------------------------------------------------------------------------------------------------------------- */

/* Of each C type: its name for people, and its size; 0: any. */
static const struct {
    const char *name;
    size_t size;
} c_types[] = {
    [TUSK_C_BOOL] = {"bool", sizeof(bool)},
    [TUSK_C_INT16] = {"int16_t", 2},
    [TUSK_C_INT32] = {"int32_t", 4},
    [TUSK_C_INT64] = {"int64_t", 8},
    [TUSK_C_UINT32] = {"uint32_t", 4},
    [TUSK_C_UINT64] = {"uint64_t", 8},
    [TUSK_C_FLOAT] = {"float", sizeof(float)},
    [TUSK_C_DOUBLE] = {"double", sizeof(double)},
    [TUSK_C_STR] = {"tusk_str", sizeof(tusk_str)},
    [TUSK_C_CHARS] = {"char[]", 0},
    [TUSK_C_UUID] = {"uint8_t[16]", 16},
    [TUSK_C_NUMERIC] = {"tusk_numeric_view", sizeof(tusk_numeric_view)},
    [TUSK_C_TIMETZ] = {"tusk_timetz_parts", sizeof(tusk_timetz_parts)},
    [TUSK_C_INTERVAL] = {"tusk_interval_parts", sizeof(tusk_interval_parts)},
    [TUSK_C_MACADDR] = {"tusk_macaddr_octets", sizeof(tusk_macaddr_octets)},
    [TUSK_C_MACADDR8] = {"tusk_macaddr8_octets", sizeof(tusk_macaddr8_octets)},
    [TUSK_C_INET] = {"tusk_inet_parts", sizeof(tusk_inet_parts)},
    [TUSK_C_BITS] = {"tusk_bits_view", sizeof(tusk_bits_view)},
    [TUSK_C_ARRAY] = {"tusk_array_view", sizeof(tusk_array_view)},
    [TUSK_C_INT16S] = {"int16_t[]", 0},
    [TUSK_C_INT32S] = {"int32_t[]", 0},
    [TUSK_C_INT64S] = {"int64_t[]", 0},
    [TUSK_C_UINT32S] = {"uint32_t[]", 0},
    [TUSK_C_FLOATS] = {"float[]", 0},
    [TUSK_C_DOUBLES] = {"double[]", 0},
    [TUSK_C_RANGE] = {"tusk_range_parts", sizeof(tusk_range_parts)},
    [TUSK_C_MULTIRANGE] = {"tusk_multirange_view", sizeof(tusk_multirange_view)},
    [TUSK_C_RECORD] = {"tusk_record_view", sizeof(tusk_record_view)},
    [TUSK_C_HSTORE] = {"tusk_hstore_view", sizeof(tusk_hstore_view)},
    [TUSK_C_POINT] = {"tusk_point_parts", sizeof(tusk_point_parts)},
    [TUSK_C_LSEG] = {"tusk_lseg_parts", sizeof(tusk_lseg_parts)},
    [TUSK_C_BOX] = {"tusk_box_parts", sizeof(tusk_box_parts)},
    [TUSK_C_CIRCLE] = {"tusk_circle_parts", sizeof(tusk_circle_parts)},
    [TUSK_C_TID] = {"tusk_tid_parts", sizeof(tusk_tid_parts)},
};
#define N_C_TYPES (sizeof c_types / sizeof *c_types)

static bool lies_inside(size_t offset, size_t size, size_t struct_size)
{
    return size <= struct_size && offset <= struct_size - size;
}

/* What a type of the database's own is, its column will tell. */
static bool may_hold(const tusk_field *f)
{
    return !tusk__c_is_container(f->c_type) || f->type == 0 || f->type >= TUSK__FIRST_OWN_OID ||
           tusk__c_holds(NULL, f->c_type, f->type);
}

static const char does_not_hold[] = "its C type does not hold its PostgreSQL type";

/* What is wrong with an entry that no macro made; NULL: nothing. */
static const char *wrong_with(const tusk_field *f, size_t struct_size)
{
    size_t size, element;

    if (f->c_type < TUSK_C_BOOL || (size_t)f->c_type >= N_C_TYPES)
        return "there is no such C type";
    size = c_types[f->c_type].size;
    element = tusk__c_element_size(f->c_type);
    if (f->size == 0 || (size && f->size != size) || (element && f->size % element))
        return "its size is not that of its C type";
    if (!lies_inside(f->offset, f->size, struct_size))
        return "it does not lie inside the struct";
    if (f->has_flag && !lies_inside(f->flag_offset, sizeof(bool), struct_size))
        return "its flag does not lie inside the struct";
    if (!TUSK__C_FITS(f->type, f->c_type) || !may_hold(f))
        return does_not_hold;
    return f->column || f->position >= 0 ? NULL : "it has neither name nor position";
}

static TUSK_COLD void refuse_field(const tusk_field *f, size_t i, const char *wrong, tusk_error *err)
{
    const char *begin = f->column ? " \"" : "", *name = f->column ? f->column : "", *end = f->column ? "\"" : "";
    char type[TUSK__TYPE_LABEL_SIZE];

    if (wrong != does_not_hold)
        (void)tusk__error_set(err, TUSK_ERR_USAGE, NULL, "field %zu%s%.64s%s: %s", i, begin, name, end, wrong);
    else
        (void)tusk__error_set(err, TUSK_ERR_USAGE, NULL, "field %zu%s%.64s%s: a %s does not hold %s", i, begin, name,
                              end, c_types[f->c_type].name,
                              f->type ? tusk__type_label(f->type, type) : "a column of a type that is not given");
}

/* The block: the struct, a slot for each field, the table. */
static tusk_fields *fields_alloc(const tusk_allocator *allocator, size_t n)
{
    size_t size;

    if (!tusk__size_mul(n, sizeof(tusk__slot) + sizeof(tusk_field), &size) ||
        !tusk__size_add(size, sizeof(tusk_fields), &size))
        return NULL;
    return allocator->malloc(size, allocator->user);
}

tusk_fields *tusk_fields_new(tusk_loop *loop, size_t struct_size, const tusk_field *fields, size_t n_fields,
                             tusk_error *err)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    tusk_fields *made;

    tusk__error_begin(err);
    for (size_t i = 0; i < n_fields; i++) {
        const char *wrong = wrong_with(&fields[i], struct_size);

        if (wrong) {
            refuse_field(&fields[i], i, wrong, err);
            return NULL;
        }
    }
    made = fields_alloc(allocator, n_fields);
    if (!made) {
        (void)tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a table of %zu fields", n_fields);
        return NULL;
    }
    *made = (tusk_fields){.allocator = allocator, .struct_size = struct_size, .n_fields = n_fields};
    made->fields = (tusk_field *)(void *)&made->slots[n_fields];
    if (n_fields)
        memcpy(made->fields, fields, n_fields * sizeof *fields);
    return made;
}

void tusk_fields_free(tusk_fields *fields)
{
    if (!fields)
        return;
    tusk__desc_unref(fields->desc);
    fields->allocator->free(fields, fields->allocator->user);
}

/* ---- which column --------------------------------------------------------------------------------------------------------------------- */

static tusk_code find_by_name(const tusk__desc *desc, const tusk_field *f, size_t i, uint32_t *col, tusk_error *err)
{
    int found = -1;

    for (int c = 0; c < desc->n_cols; c++) {
        if (!tusk_str_is(desc->cols[c].name, f->column))
            continue;
        if (found >= 0)
            return tusk__error_set(err, TUSK_ERR_USAGE, NULL, "field %zu: columns %d and %d are both named \"%s\"", i,
                                   found, c, f->column);
        found = c;
    }
    if (found < 0)
        return tusk__error_set(err, TUSK_ERR_USAGE, NULL, "field %zu: no column is named \"%s\"; the result has %d", i,
                               f->column, desc->n_cols);
    *col = (uint32_t)found;
    return TUSK_OK;
}

static tusk_code find_column(const tusk__desc *desc, const tusk_field *f, size_t i, uint32_t *col, tusk_error *err)
{
    if (f->column)
        return find_by_name(desc, f, i, col, err);
    if (f->position >= desc->n_cols)
        return tusk__error_set(err, TUSK_ERR_USAGE, NULL, "field %zu: there is no column %d; the result has %d", i,
                               f->position, desc->n_cols);
    *col = (uint32_t)f->position;
    return TUSK_OK;
}

/* ---- how it is stored ------------------------------------------------------------------------------------------------------------------ */

static bool is_text(uint32_t type)
{
    const tusk__codec *codec = tusk__codec_of(type);

    return codec && codec->kind == TUSK_KIND_TEXT;
}

/* Text whose bytes have something in front: jsonb, ltree. */
static bool is_decoded_text(const tusk__codec *codec)
{
    return codec && codec->kind == TUSK_KIND_TEXT && codec->decode != tusk__text_decode;
}

/* What is read as another type without loss. */
static const struct {
    uint32_t have, want;
    tusk__store store;
} widened[] = {
    {TUSK_OID_INT2, TUSK_OID_INT4, TUSK__STORE_INT2_AS_4},       {TUSK_OID_INT2, TUSK_OID_INT8, TUSK__STORE_INT2_AS_8},
    {TUSK_OID_INT4, TUSK_OID_INT8, TUSK__STORE_INT4_AS_8},       {TUSK_OID_OID, TUSK_OID_INT8, TUSK__STORE_OID_AS_8},
    {TUSK_OID_FLOAT4, TUSK_OID_FLOAT8, TUSK__STORE_FLOAT4_AS_8},
};

/* The bytes of these types in binary, where the column's type is the field's. */
static tusk__store store_of_own(uint32_t type)
{
    switch (type) {
    case TUSK_OID_BOOL:
        return TUSK__STORE_BOOL;
    case TUSK_OID_INT2:
        return TUSK__STORE_2;
    case TUSK_OID_INT4:
    case TUSK_OID_OID:
    case TUSK_OID_XID:
    case TUSK_OID_CID:
    case TUSK_OID_FLOAT4:
        return TUSK__STORE_4;
    case TUSK_OID_INT8:
    case TUSK_OID_MONEY:
    case TUSK_OID_XID8:
    case TUSK_OID_PG_LSN:
    case TUSK_OID_FLOAT8:
        return TUSK__STORE_8;
    case TUSK_OID_DATE:
        return TUSK__STORE_DATE;
    case TUSK_OID_TIME:
        return TUSK__STORE_TIME;
    case TUSK_OID_TIMESTAMP:
    case TUSK_OID_TIMESTAMPTZ:
        return TUSK__STORE_TIMESTAMP;
    case TUSK_OID_UUID:
        return TUSK__STORE_UUID;
    default:
        return TUSK__STORE_DECODED;
    }
}

/* Into a tusk_str or char[]: text, and what nobody knows better. False: not that type. */
static bool store_of_bytes(const tusk__types *types, const tusk_column *c, const tusk_field *f, tusk__store *store)
{
    const tusk__codec *codec = tusk__resolve_type(types, c->type).codec;
    bool text = c->format == 0 || (codec && codec->kind == TUSK_KIND_TEXT);
    bool any = f->type == 0, wants_text = is_text(f->type) || any;

    if (c->type != f->type && !(text && wants_text) && !any)
        return false;
    if (c->type == TUSK_OID_BYTEA && c->format == 0 && f->type == TUSK_OID_BYTEA)
        return false; /* a view of what is not there */
    if (f->c_type == TUSK_C_CHARS && !text && tusk__type_name(c->type))
        return false; /* an enum's label is text, an array's bytes are not */
    *store = c->format && is_decoded_text(codec) ? TUSK__STORE_DECODED
             : f->c_type == TUSK_C_STR           ? TUSK__STORE_VIEW
                                                 : TUSK__STORE_CHARS;
    return true;
}

/* Into a float[] of a field without an OID: what is floats. */
static bool store_of_floats(const tusk__types *types, uint32_t type, tusk__store *store)
{
    const tusk__codec *codec = tusk__resolve_type(types, type).codec;

    *store = type == TUSK_OID_FLOAT4_ARRAY                   ? TUSK__STORE_ELEMENTS
             : codec && codec->decode == tusk__vector_decode ? TUSK__STORE_VECTOR
                                                             : TUSK__STORE_HALFVEC;
    return *store != TUSK__STORE_HALFVEC || (codec && codec->decode == tusk__halfvec_decode);
}

/* Not from text: what these hold are views of the binary format, or made of one. */
static bool store_of_binary(const tusk__types *types, const tusk_column *c, const tusk_field *f, tusk__store *store)
{
    if (f->c_type == TUSK_C_FLOATS && f->type == 0)
        return c->format && store_of_floats(types, c->type, store);
    *store = tusk__c_is_container(f->c_type)   ? TUSK__STORE_CONTAINER
             : tusk__c_element_size(f->c_type) ? TUSK__STORE_ELEMENTS
                                               : TUSK__STORE_DECODED;
    if (*store == TUSK__STORE_CONTAINER && (f->type == 0 || f->type == c->type))
        return c->format && tusk__c_holds(types, f->c_type, c->type);
    return c->format && c->type == f->type;
}

static bool is_by_value(tusk_c_type c_type)
{
    return c_type < TUSK_C_INET || c_type == TUSK_C_POINT || c_type == TUSK_C_TID;
}

static bool store_of(const tusk__types *types, const tusk_column *c, const tusk_field *f, tusk__store *store)
{
    if (f->c_type == TUSK_C_STR || f->c_type == TUSK_C_CHARS)
        return store_of_bytes(types, c, f, store);
    if (!is_by_value(f->c_type))
        return store_of_binary(types, c, f, store);
    if (c->type == f->type) {
        *store = c->format ? store_of_own(c->type) : TUSK__STORE_DECODED;
        return c->format || c->type != TUSK_OID_NUMERIC;
    }
    for (size_t i = 0; i < sizeof widened / sizeof *widened; i++)
        if (widened[i].have == c->type && widened[i].want == f->type) {
            *store = c->format ? widened[i].store : TUSK__STORE_DECODED;
            return true;
        }
    return false;
}

static TUSK_COLD tusk_code refuse(const tusk__types *types, const tusk__desc *desc, uint32_t col, const tusk_field *f,
                                  tusk_error *err)
{
    const tusk_column *c = &desc->cols[col];
    char have[TUSK__TYPE_LABEL_SIZE], want[TUSK__TYPE_LABEL_SIZE];

    (void)tusk__error_set(err, TUSK_ERR_TYPE, NULL, TUSK__FIELD_COLUMN_FMT " is %s%s, but its field is %s (%s)",
                          TUSK__FIELD_COLUMN_ARG(desc, col), tusk__types_label(types, c->type, have),
                          c->format ? "" : " in text format",
                          f->type                     ? tusk__types_label(types, f->type, want)
                          : f->c_type <= TUSK_C_CHARS ? "text"
                                                      : "any",
                          c_types[f->c_type].name);
    if (err)
        err->column = (int)col;
    return TUSK_ERR_TYPE;
}

/* ---- binding --------------------------------------------------------------------------------------------------------------------------- */

/* Rows are walked once: slots go by column. A table mostly does already. */
static void insert(tusk__slot *slots, size_t n, tusk__slot slot)
{
    for (; n > 0 && slots[n - 1].col > slot.col; n--)
        slots[n] = slots[n - 1];
    slots[n] = slot;
}

static tusk_code bind_field(tusk_fields *fields, const tusk__types *types, const tusk__desc *desc, size_t i,
                            tusk_error *err)
{
    const tusk_field *f = &fields->fields[i];
    tusk__store store = TUSK__STORE_DECODED;
    uint32_t col = 0;

    TUSK_TRY(find_column(desc, f, i, &col, err));
    if (!store_of(types, &desc->cols[col], f, &store))
        return refuse(types, desc, col, f, err);
    insert(fields->slots, i,
           (tusk__slot){.col = col,
                        .store = (uint8_t)store,
                        .has_flag = f->has_flag,
                        .c_type = (uint8_t)f->c_type,
                        .size = f->size,
                        .offset = f->offset,
                        .flag_offset = f->flag_offset});
    return TUSK_OK;
}

/* How far it is from each slot to the next. A result has at most as many columns as an Int16 counts. */
static void measure(tusk__slot *slots, size_t n)
{
    uint32_t next = 0;

    for (size_t i = 0; i < n; i++) {
        slots[i].is_again = slots[i].col < next;
        slots[i].n_passed = slots[i].is_again ? 0 : (uint16_t)(slots[i].col - next);
        next = slots[i].col + 1;
    }
}

static tusk_code bind_all(tusk_fields *fields, const tusk_conn *conn, tusk__desc *desc, tusk_error *err)
{
    tusk__types types = tusk__conn_types(conn);

    for (size_t i = 0; i < fields->n_fields; i++)
        TUSK_TRY(bind_field(fields, &types, desc, i, err));
    measure(fields->slots, fields->n_fields);
    fields->desc = tusk__desc_ref(desc);
    return TUSK_OK;
}

tusk_code tusk__fields_bind(tusk_fields *fields, const tusk_conn *conn, tusk__desc *desc, tusk_error *err)
{
    tusk_code code;

    if (desc && desc == fields->desc)
        return TUSK_OK;
    tusk__desc_unref(fields->desc);
    fields->desc = NULL;
    code = desc ? bind_all(fields, conn, desc, err)
                : tusk__error_set(err, TUSK_ERR_USAGE, NULL, "there are no columns to be put into fields");
    if (code != TUSK_OK && err) {
        tusk__error_where(err, "bind fields");
        err->fate = TUSK_FATE_ANSWERED;
    }
    return code;
}

tusk_code tusk_fields_check(tusk_fields *fields, const tusk_query *q, tusk_error *err)
{
    tusk__error_begin(err);
    return tusk__fields_bind(fields, q ? q->conn : NULL, q ? q->present->desc : NULL, err);
}

tusk_code tusk_fields_check_stmt(tusk_fields *fields, const tusk_stmt *stmt, tusk_error *err)
{
    tusk__error_begin(err);
    return tusk__fields_bind(fields, stmt ? stmt->conn : NULL, stmt ? stmt->desc : NULL, err);
}
