/* Rows as lib/ sees them: a checked DataRow body and marks into it.
 * Read first: tusk/row.h. */
#ifndef TUSK_LIB_ROW_H
#define TUSK_LIB_ROW_H

#include <tusk/row.h>
#include <tusk/value.h>

#include "lib/codec/codec.h"

/* Point row at a DataRow body that tusk__data_row_check() has accepted for n_cols columns. */
void tusk__row_init(tusk_row *row, tusk_query *q, const uint8_t *body, uint32_t n_cols);

/* The field; *is_null; no such column: false. */
bool tusk__row_field(const tusk_row *row, int col, tusk_str *bytes, bool *is_null);

/* The codec's value of a column of that type, in its format; for getters that have no short way. TUSK_ERR_NULL, …: as tusk_read_int8(). */
#define TUSK__ANY_TYPE 0
tusk_code tusk__row_decode(const tusk_row *row, int col, uint32_t type, tusk_value *out, tusk_error *err);
/* For getters of kinds of types: the field that is not NULL; "column 0 "id" is int8, not <want>"; and what a codec said, with the column in front. */
tusk_code tusk__row_take(const tusk_row *row, int col, const char *want, tusk_str *bytes, tusk_error *err);
tusk_code tusk__row_refuse_type(const tusk_row *row, int col, const char *want, tusk_error *err);
tusk_code tusk__row_blame(const tusk_row *row, int col, const char *want, const tusk_error *cause, tusk_error *err);
/* The same with a place for what is read from text and is no view of it. */
tusk_code tusk__row_decode_into(const tusk_row *row, int col, uint32_t type, tusk__room room, tusk_value *out, tusk_error *err);
/* Of a type of the database's own that is known by that name, or by the other one (NULL: there is none); *codec is its. */
struct tusk__codec;
tusk_code tusk__row_decode_own(const tusk_row *row, int col, const char *name, const char *other_name, tusk_value *out,
                               const struct tusk__codec **codec, tusk_error *err);
/* The error of a short getter. */
void tusk__row_keep_error(const tusk_row *row, const tusk_error *err);

/* What row.c asks of the query (lib/query.c). */
const tusk_column *tusk__query_row_column(const tusk_query *q, int col); /* of the rows being handed out; the others follow */
/* The codec of a type that is none of the built-in ones; NULL: it is not known (lib/catalog.c). */
const struct tusk__codec *tusk__query_own_codec(const tusk_query *q, uint32_t type);
bool tusk__query_awaits_type(const tusk_query *q, uint32_t type); /* it is one of those, and not looked up yet */
void tusk__query_keep_value_error(tusk_query *q, const tusk_error *err); /* the first one is kept */

#endif
