/* Rows as lib/ sees them: a checked DataRow body and marks into it.
 * Read first: tusk/row.h. */
#ifndef TUSK_LIB_ROW_H
#define TUSK_LIB_ROW_H

#include <tusk/row.h>

#include "proto/buf.h"

/* Point row at a DataRow body that tusk__data_row_check() has accepted for n_cols columns. */
void tusk__row_init(tusk_row *row, tusk_query *q, const uint8_t *body, uint32_t n_cols);

/* The field; *is_null; no such column: false. */
bool tusk__row_field(const tusk_row *row, int col, tusk_str *bytes, bool *is_null);

/* What row.c asks of the query (lib/query.c). */
const tusk_column *tusk__query_row_column(const tusk_query *q, int col); /* of the rows being handed out; the others follow */
void tusk__query_keep_value_error(tusk_query *q, const tusk_error *err); /* the first one is kept */

#endif
