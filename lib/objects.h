/* Objects of the program's as parameters: a request that has any is copied with their bytes in their place, by the call that submits it, so
 * that nothing behind it knows them.
 * Read first: tusk/codec.h, docs/internals/own-codecs.md. */
#ifndef TUSK_LIB_OBJECTS_H
#define TUSK_LIB_OBJECTS_H

#include "lib/conn.h"

bool tusk__has_objects(tusk_params params);

/* The request, its objects as bytes, in held. The error says which parameter it is. */
TUSK_MUST_CHECK
tusk_code tusk__objects_copy(const tusk_conn *conn, tusk__held *held, tusk_str sql, tusk_params params, tusk_error *err);

/* The same for q, whose own the copy is; the error is q's. */
TUSK_MUST_CHECK
tusk_code tusk__objects_hold(tusk_query *q, tusk_str sql, tusk_params params);

#endif
