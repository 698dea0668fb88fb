/* Getters of containers: a column as the view of an array. Which element types an array may have is in the catalogue; what its bytes
 * mean, in lib/codec/.
 * Read first: tusk/array.h, lib/row.h. */
#include "lib/codec/nested.h"
#include "lib/row.h"

/* ---- arrays --------------------------------------------------------------------------------------------------------------------------- */

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

tusk_code tusk_read_array(const tusk_row *row, int col, tusk_array_view *out, tusk_error *err)
{
    tusk_str bytes;
    tusk_code code;
    tusk_error cause;

    tusk__error_begin(err);
    TUSK_TRY(tusk__row_take(row, col, "array", &bytes, err));
    if (!tusk__type_is_array(row->columns[col].type))
        return tusk__row_refuse_type(row, col, "an array", err);
    if (row->columns[col].format == 0)
        return came_as_text(row, col, "array", err);
    code = tusk__array_view_of(row->columns[col].type, bytes, out, NULL);
    if (code == TUSK_OK || !err)
        return code;
    tusk__error_none(&cause);
    (void)tusk__array_view_of(row->columns[col].type, bytes, out, &cause);
    return tusk__row_blame(row, col, "array", &cause, err);
}

tusk_array_view tusk_get_array(const tusk_row *row, int col)
{
    tusk_array_view view = {0};
    tusk_code code = tusk_read_array(row, col, &view, NULL);

    if (code != TUSK_OK && code != TUSK_ERR_NULL) {
        tusk_error err = {0};

        (void)tusk_read_array(row, col, &view, &err);
        tusk__row_keep_error(row, &err);
    }
    return view;
}

/* ---- values ---------------------------------------------------------------------------------------------------------------------------- */

/* Came it from the server, in binary, as one of these, or as a type that only the caller knows? */
static tusk_code take_wire(const tusk_value *value, bool is_such, const char *want, tusk_error *err)
{
    char have[TUSK__TYPE_LABEL_SIZE];

    if (value->kind == TUSK_KIND_NULL)
        return tusk__error_set(err, TUSK_ERR_NULL, NULL, "the value is NULL");
    if ((value->kind == TUSK_KIND_WIRE && is_such) ||
        (value->kind == TUSK_KIND_RAW && (is_such || !tusk__type_name(value->type))))
        return TUSK_OK;
    return tusk__error_set(err, TUSK_ERR_TYPE, NULL, "the value is %s, not %s%s", tusk__type_label(value->type, have),
                           want, is_such ? " as the server sends it" : "");
}

tusk_code tusk_value_to_array(const tusk_value *value, tusk_array_view *out, tusk_error *err)
{
    tusk__error_begin(err);
    TUSK_TRY(take_wire(value, tusk__type_is_array(value->type), "an array", err));
    return tusk__array_view_of(value->type, value->as.bytes, out, err);
}
