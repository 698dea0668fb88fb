/* Fields: arrays, as views or element by element into arrays of C's that have as many places as they have elements.
 * Read first: tusk/fields.h, lib/fields.h. */
#include "lib/codec/nested.h"
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

tusk_code tusk__fields_put_array(const tusk__slot *slot, uint32_t type, tusk_str bytes, void *out, tusk_error *err)
{
    size_t size = tusk__c_element_size((tusk_c_type)slot->c_type), n = size ? slot->size / size : 0;
    tusk_array_view view;

    TUSK_TRY(tusk__array_view_of(type, bytes, &view, err));
    if (size == 0) {
        memcpy(out, &view, sizeof view);
        return TUSK_OK;
    }
    if (view.n != n)
        return tusk__error_set(err, TUSK_ERR_LIMIT, NULL, "an array of %zu elements, and its field has places for %zu",
                               view.n, n);
    if (view.n_nulls > 0)
        return tusk__error_set(err, TUSK_ERR_NULL, NULL,
                               "%zu of the %zu elements are NULL, which its field cannot hold", view.n_nulls, view.n);
    return to_elements(&view, (tusk_c_type)slot->c_type, out, n, err);
}
