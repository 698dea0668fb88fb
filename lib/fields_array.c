/* Fields: arrays and vectors element by element into arrays of C's that have as many places, and containers as views.
 * Read first: tusk/fields.h, lib/fields.h. */
#include "lib/codec/own.h"
#include "lib/fields.h"

size_t tusk__c_element_size(tusk_c_type c_type)
{
    switch (c_type) {
    case TUSK_C_INT16S:
        return sizeof(int16_t);
    case TUSK_C_INT32S:
        return sizeof(int32_t);
    case TUSK_C_UINT32S:
        return sizeof(uint32_t);
    case TUSK_C_INT64S:
        return sizeof(int64_t);
    case TUSK_C_FLOATS:
        return sizeof(float);
    case TUSK_C_DOUBLES:
        return sizeof(double);
    case TUSK_C_BOOL:
    case TUSK_C_INT16:
    case TUSK_C_INT32:
    case TUSK_C_INT64:
    case TUSK_C_UINT32:
    case TUSK_C_UINT64:
    case TUSK_C_FLOAT:
    case TUSK_C_DOUBLE:
    case TUSK_C_STR:
    case TUSK_C_CHARS:
    case TUSK_C_UUID:
    case TUSK_C_NUMERIC:
    case TUSK_C_TIMETZ:
    case TUSK_C_INTERVAL:
    case TUSK_C_MACADDR:
    case TUSK_C_MACADDR8:
    case TUSK_C_INET:
    case TUSK_C_BITS:
    case TUSK_C_ARRAY:
    case TUSK_C_RANGE:
    case TUSK_C_MULTIRANGE:
    case TUSK_C_RECORD:
    case TUSK_C_HSTORE:
    case TUSK_C_POINT:
    case TUSK_C_LSEG:
    case TUSK_C_BOX:
    case TUSK_C_CIRCLE:
    case TUSK_C_TID:
        break;
    }
    return 0;
}

static tusk_code to_int64s(const tusk_array_view *view, void *out, size_t n, tusk_error *err)
{
    if (view->element == TUSK_OID_TIME)
        return tusk_array_to_time(view, out, n, NULL, err);
    if (view->element == TUSK_OID_TIMESTAMP)
        return tusk_array_to_timestamp(view, out, n, NULL, err);
    if (view->element == TUSK_OID_TIMESTAMPTZ)
        return tusk_array_to_timestamptz(view, out, n, NULL, err);
    return tusk_array_to_int8(view, out, n, NULL, err);
}

static tusk_code to_elements(const tusk_array_view *view, tusk_c_type c_type, void *out, size_t n, tusk_error *err)
{
    if (c_type == TUSK_C_FLOATS)
        return tusk_array_to_float4(view, out, n, NULL, err);
    if (c_type == TUSK_C_DOUBLES)
        return tusk_array_to_float8(view, out, n, NULL, err);
    if (c_type == TUSK_C_INT16S)
        return tusk_array_to_int2(view, out, n, NULL, err);
    if (c_type == TUSK_C_UINT32S)
        return tusk_array_to_oid(view, out, n, NULL, err);
    if (c_type == TUSK_C_INT64S)
        return to_int64s(view, out, n, err);
    return view->element == TUSK_OID_DATE ? tusk_array_to_date(view, out, n, NULL, err)
                                          : tusk_array_to_int4(view, out, n, NULL, err);
}

static tusk_code check_count(const char *what, size_t n, size_t places, tusk_error *err)
{
    if (n == places)
        return TUSK_OK;
    return tusk__error_set(err, TUSK_ERR_LIMIT, NULL, "%s of %zu elements, and its field has places for %zu", what, n,
                           places);
}

static tusk_code put_elements(tusk_c_type c_type, uint32_t type, tusk_str bytes, size_t n, void *out, tusk_error *err)
{
    tusk_array_view view;

    TUSK_TRY(tusk__array_view_of(type, bytes, &view, err));
    TUSK_TRY(check_count("an array", view.n, n, err));
    if (view.n_nulls > 0)
        return tusk__error_set(err, TUSK_ERR_NULL, NULL,
                               "%zu of the %zu elements are NULL, which its field cannot hold", view.n_nulls, view.n);
    return to_elements(&view, c_type, out, n, err);
}

static tusk_code put_vector(tusk__store store, tusk_str bytes, size_t n, void *out, tusk_error *err)
{
    bool is_half = store == TUSK__STORE_HALFVEC;
    tusk_value value;

    TUSK_TRY(is_half ? tusk__halfvec_decode(bytes, &value, err) : tusk__vector_decode(bytes, &value, err));
    TUSK_TRY(check_count(is_half ? "a halfvec" : "a vector", tusk__vector_n(bytes), n, err));
    if (is_half)
        tusk__halfvec_floats(bytes, out);
    else
        tusk__vector_floats(bytes, out);
    return TUSK_OK;
}

/* ---- views ----------------------------------------------------------------------------------------------------------------------------- */

static tusk_code put_array(const tusk_query *q, uint32_t type, tusk_str bytes, void *out, tusk_error *err)
{
    tusk_array_view view;

    TUSK_TRY(tusk__array_view_of(type, bytes, &view, err));
    view.query = q;
    memcpy(out, &view, sizeof view);
    return TUSK_OK;
}

static tusk_code put_record(const tusk_query *q, uint32_t type, tusk_str bytes, void *out, tusk_error *err)
{
    tusk_record_view view;

    TUSK_TRY(tusk__record_view_of(type, bytes, &view, err));
    view.query = q;
    memcpy(out, &view, sizeof view);
    return TUSK_OK;
}

static tusk_code put_range(const tusk_query *q, uint32_t type, tusk_str bytes, void *out, tusk_error *err)
{
    tusk__types types = tusk__query_types(q);
    tusk__resolved resolved = tusk__resolve_type(&types, type);
    tusk_range_parts parts;

    TUSK_TRY(tusk__range_parts_of(&types, &resolved, bytes, 0, &parts, err));
    memcpy(out, &parts, sizeof parts);
    return TUSK_OK;
}

static tusk_code put_multirange(const tusk_query *q, uint32_t type, tusk_str bytes, void *out, tusk_error *err)
{
    tusk__types types = tusk__query_types(q);
    tusk__resolved resolved = tusk__resolve_type(&types, type);
    tusk_multirange_view view;

    TUSK_TRY(tusk__multirange_view_of(&resolved, bytes, &view, err));
    view.query = q;
    memcpy(out, &view, sizeof view);
    return TUSK_OK;
}

static tusk_code put_hstore(const tusk_query *q, uint32_t type, tusk_str bytes, void *out, tusk_error *err)
{
    tusk_hstore_view view;
    tusk_value value;

    (void)q, (void)type;
    TUSK_TRY(tusk__hstore_decode(bytes, &value, err));
    view = tusk__hstore_view_of(bytes);
    memcpy(out, &view, sizeof view);
    return TUSK_OK;
}

/* Which codecs' values a member holds, and how one gets there. */
static const struct container {
    tusk_c_type c_type;
    tusk_code (*decode)(tusk_str bytes, tusk_value *out, tusk_error *err);
    tusk_code (*put)(const tusk_query *q, uint32_t type, tusk_str bytes, void *out, tusk_error *err);
} containers[] = {
    {TUSK_C_ARRAY, tusk__array_decode, put_array},
    {TUSK_C_RANGE, tusk__range_decode, put_range},
    {TUSK_C_MULTIRANGE, tusk__multirange_decode, put_multirange},
    {TUSK_C_RECORD, tusk__record_decode, put_record},
    {TUSK_C_HSTORE, tusk__hstore_decode, put_hstore},
};

/* NULL: it is none. */
static const struct container *container_of(tusk_c_type c_type)
{
    for (size_t i = 0; i < sizeof containers / sizeof *containers; i++)
        if (containers[i].c_type == c_type)
            return &containers[i];
    return NULL;
}

bool tusk__c_is_container(tusk_c_type c_type)
{
    return container_of(c_type) != NULL;
}

bool tusk__c_holds(const tusk__types *types, tusk_c_type c_type, uint32_t type)
{
    const struct container *container = container_of(c_type);
    const tusk__codec *codec = tusk__resolve_type(types, type).codec;

    return container &&
           ((codec && codec->decode == container->decode) || (c_type == TUSK_C_ARRAY && tusk__type_is_array(type)));
}

tusk_code tusk__fields_put_many(const tusk__slot *slot, const tusk_query *q, uint32_t type, tusk_str bytes, void *out,
                                tusk_error *err)
{
    tusk_c_type c_type = (tusk_c_type)slot->c_type;
    tusk__store store = (tusk__store)slot->store;
    size_t size = tusk__c_element_size(c_type);

    if (store == TUSK__STORE_CONTAINER)
        return container_of(c_type)->put(q, type, bytes, out, err);
    if (store == TUSK__STORE_ELEMENTS)
        return put_elements(c_type, type, bytes, slot->size / size, out, err);
    return put_vector(store, bytes, slot->size / size, out, err);
}
