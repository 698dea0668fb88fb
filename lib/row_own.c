/* Getters of extensions' types: hstore, and the vectors of pgvector.
 * Finding fields and saying what is wrong with them is row.c's; what the bytes mean lib/codec/'s.
 * Read first: tusk/hstore.h, tusk/vector.h, lib/row.h. */
#include "lib/codec/own.h"
#include "lib/row.h"

tusk_code tusk_read_hstore(const tusk_row *row, int col, tusk_hstore_view *out, tusk_error *err)
{
    const tusk__codec *codec;
    tusk_value value;

    TUSK_TRY(tusk__row_decode_own(row, col, "hstore", NULL, &value, &codec, err));
    *out = tusk__hstore_view_of(value.as.bytes);
    return TUSK_OK;
}

tusk_hstore_view tusk_get_hstore(const tusk_row *row, int col)
{
    tusk_hstore_view h = {0};
    tusk_code code = tusk_read_hstore(row, col, &h, NULL);

    if (code != TUSK_OK && code != TUSK_ERR_NULL) {
        tusk_error err = {0};

        (void)tusk_read_hstore(row, col, &h, &err);
        tusk__row_keep_error(row, &err);
    }
    return h;
}

tusk_code tusk_read_vector(const tusk_row *row, int col, float *out, size_t capacity, size_t *n, tusk_error *err)
{
    const tusk__codec *codec;
    tusk_value value;

    TUSK_TRY(tusk__row_decode_own(row, col, "vector", "halfvec", &value, &codec, err));
    *n = tusk__vector_n(value.as.bytes);
    if (*n > capacity)
        return tusk__error_set(err, TUSK_ERR_LIMIT, NULL, "column %d holds %zu elements, and there is room for %zu",
                               col, *n, capacity);
    if (strcmp(codec->name, "vector") == 0)
        tusk__vector_floats(value.as.bytes, out);
    else
        tusk__halfvec_floats(value.as.bytes, out);
    return TUSK_OK;
}

tusk_code tusk_read_sparsevec(const tusk_row *row, int col, tusk_sparsevec_view *out, tusk_error *err)
{
    const tusk__codec *codec;
    tusk_value value;

    TUSK_TRY(tusk__row_decode_own(row, col, "sparsevec", NULL, &value, &codec, err));
    *out = tusk__sparsevec_view_of(value.as.bytes);
    return TUSK_OK;
}
