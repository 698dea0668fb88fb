/* Getters of containers: a column, or a value that lies in another, as its view. Which types are such is in the catalogue and in the
 * codecs' table; what their bytes mean, in lib/codec/.
 * Read first: tusk/array.h, lib/row.h. */
#include "lib/codec/nested.h"
#include "lib/row.h"

static tusk_code came_as_text(const tusk_row *row, int col, const char *want, tusk_error *err)
{
    tusk_value value = tusk_null_of(row->columns[col].type);
    tusk_error cause;

    if (!err)
        return TUSK_ERR_TYPE;
    tusk__error_none(&cause);
    (void)tusk__container_parse(tusk_str_of(""), &value, &cause);
    return tusk__row_blame(row, col, want, &cause, err);
}

/* How each kind of container is told by its type, and made into its view. */
typedef struct wanted {
    const char *name, *an; /* array, an array */
    bool (*is_such)(const tusk__resolved *type);
    tusk_code (*view)(const tusk_query *q, const tusk__resolved *type, tusk_str wire, void *out, tusk_error *err);
} wanted;

static tusk_code read_view(const tusk_row *row, int col, const wanted *want, void *out, tusk_error *err)
{
    tusk__types types = tusk__query_types(row->query);
    tusk__resolved type;
    tusk_str bytes;
    tusk_code code;
    tusk_error cause;

    tusk__error_begin(err);
    TUSK_TRY(tusk__row_take(row, col, want->name, &bytes, err));
    type = tusk__resolve_type(&types, row->columns[col].type);
    if (!want->is_such(&type))
        return tusk__row_refuse_type(row, col, want->an, err);
    if (row->columns[col].format == 0)
        return came_as_text(row, col, want->name, err);
    code = want->view(row->query, &type, bytes, out, NULL);
    if (code == TUSK_OK || !err)
        return code;
    tusk__error_none(&cause);
    (void)want->view(row->query, &type, bytes, out, &cause);
    return tusk__row_blame(row, col, want->name, &cause, err);
}

/* The short form: *out stays what it is but on success. */
static void get_view(const tusk_row *row, int col, const wanted *want, void *out)
{
    tusk_code code = read_view(row, col, want, out, NULL);

    if (code != TUSK_OK && code != TUSK_ERR_NULL) {
        tusk_error err = {0};

        (void)read_view(row, col, want, out, &err);
        tusk__row_keep_error(row, &err);
    }
}

static bool is_binary(tusk_kind kind)
{
    return kind == TUSK_KIND_WIRE || kind == TUSK_KIND_RAW;
}

/* Came it from the server, in binary, as one of these? Bytes of a type that is not built in are what the caller says. */
static tusk_code view_value(const tusk_value *value, const wanted *want, void *out, tusk_error *err)
{
    char have[TUSK__TYPE_LABEL_SIZE];
    tusk__resolved type = tusk__resolve_type(NULL, value->type);
    bool is_such = want->is_such(&type);

    tusk__error_begin(err);
    if (value->kind == TUSK_KIND_NULL)
        return tusk__error_set(err, TUSK_ERR_NULL, NULL, "the value is NULL");
    if (is_binary(value->kind) && (is_such || !tusk__type_name(value->type)))
        return want->view(NULL, &type, value->as.bytes, out, err);
    return tusk__error_set(err, TUSK_ERR_TYPE, NULL, "the value is %s, not %s%s", tusk__type_label(value->type, have),
                           want->an, is_such ? " as the server sends it" : "");
}

#define GETTERS(name, c_type)                                                                                          \
    tusk_code tusk_read_##name(const tusk_row *row, int col, c_type *out, /* NOLINT(bugprone-macro-parentheses) */     \
                               tusk_error *err)                                                                        \
    {                                                                                                                  \
        return read_view(row, col, &want_##name, out, err);                                                            \
    }                                                                                                                  \
    c_type tusk_get_##name(const tusk_row *row, int col)                                                               \
    {                                                                                                                  \
        c_type view;                                                                                                   \
                                                                                                                       \
        memset(&view, 0, sizeof view);                                                                                 \
        get_view(row, col, &want_##name, &view);                                                                       \
        return view;                                                                                                   \
    }                                                                                                                  \
    VALUE_TO(name, c_type)

#define VALUE_TO(name, c_type)                                                                                         \
    tusk_code tusk_value_to_##name(const tusk_value *value, c_type *out, /* NOLINT(bugprone-macro-parentheses) */      \
                                   tusk_error *err)                                                                    \
    {                                                                                                                  \
        return view_value(value, &want_##name, out, err);                                                              \
    }

static bool has_decode(const tusk__resolved *type,
                       tusk_code (*decode)(tusk_str bytes, tusk_value *out, tusk_error *err))
{
    return type->codec && type->codec->decode == decode;
}

/* Those whose elements have no codec, too. */
static bool is_array(const tusk__resolved *type)
{
    return has_decode(type, tusk__array_decode) || tusk__type_is_array(type->type);
}

static tusk_code view_array(const tusk_query *q, const tusk__resolved *type, tusk_str wire, void *out, tusk_error *err)
{
    tusk_array_view *view = out;

    TUSK_TRY(tusk__array_view_of(type->type, wire, view, err));
    view->query = q;
    return TUSK_OK;
}

static const wanted want_array = {"array", "an array", is_array, view_array};

GETTERS(array, tusk_array_view)

static bool is_range(const tusk__resolved *type)
{
    return has_decode(type, tusk__range_decode);
}

static tusk_code view_range(const tusk_query *q, const tusk__resolved *type, tusk_str wire, void *out, tusk_error *err)
{
    tusk__types types = tusk__query_types(q);

    return tusk__range_parts_of(&types, type, wire, 0, out, err);
}

static const wanted want_range = {"range", "a range", is_range, view_range};

GETTERS(range, tusk_range_parts)

static bool is_multirange(const tusk__resolved *type)
{
    return has_decode(type, tusk__multirange_decode);
}

static tusk_code view_multirange(const tusk_query *q, const tusk__resolved *type, tusk_str wire, void *out,
                                 tusk_error *err)
{
    tusk_multirange_view *view = out;

    TUSK_TRY(tusk__multirange_view_of(type, wire, view, err));
    view->query = q;
    return TUSK_OK;
}

static const wanted want_multirange = {"multirange", "a multirange", is_multirange, view_multirange};

GETTERS(multirange, tusk_multirange_view)

static bool is_record(const tusk__resolved *type)
{
    return has_decode(type, tusk__record_decode);
}

static tusk_code view_record(const tusk_query *q, const tusk__resolved *type, tusk_str wire, void *out, tusk_error *err)
{
    tusk_record_view *view = out;

    TUSK_TRY(tusk__record_view_of(type->type, wire, view, err));
    view->query = q;
    return TUSK_OK;
}

static const wanted want_record = {"record", "a record", is_record, view_record};

GETTERS(record, tusk_record_view)

/* ---- values that are views themselves --------------------------------------------------------------------------------------------------- */

static bool is_numeric(const tusk__resolved *type)
{
    return type->type == TUSK_OID_NUMERIC;
}

static tusk_code view_numeric(const tusk_query *q, const tusk__resolved *type, tusk_str wire, void *out,
                              tusk_error *err)
{
    (void)q;
    (void)type;
    return tusk__numeric_view_of(wire, out, err);
}

static const wanted want_numeric = {"numeric", "numeric", is_numeric, view_numeric};

VALUE_TO(numeric, tusk_numeric_view)

static bool is_inet(const tusk__resolved *type)
{
    return type->type == TUSK_OID_INET || type->type == TUSK_OID_CIDR;
}

static tusk_code view_inet(const tusk_query *q, const tusk__resolved *type, tusk_str wire, void *out, tusk_error *err)
{
    tusk_inet_parts *inet = out;
    tusk_value value;

    (void)q;
    TUSK_TRY(tusk__value_decode(type->type == TUSK_OID_CIDR ? TUSK_OID_CIDR : TUSK_OID_INET, 1, wire, &value, err));
    *inet = tusk__inet_of(wire);
    return TUSK_OK;
}

static const wanted want_inet = {"inet", "inet", is_inet, view_inet};

VALUE_TO(inet, tusk_inet_parts)

static bool is_bits(const tusk__resolved *type)
{
    return type->type == TUSK_OID_BIT || type->type == TUSK_OID_VARBIT;
}

static tusk_code view_bits(const tusk_query *q, const tusk__resolved *type, tusk_str wire, void *out, tusk_error *err)
{
    (void)q;
    (void)type;
    return tusk__bits_view_of(wire, out, err);
}

static const wanted want_bits = {"bits", "bit or varbit", is_bits, view_bits};

VALUE_TO(bits, tusk_bits_view)
