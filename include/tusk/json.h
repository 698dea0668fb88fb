/* JSON by jansson: a column as a document of its, and such a document as a parameter. Who names nothing of this needs no
 * jansson; who does links it (-ljansson) and includes <jansson.h> to look into what comes.
 * Read first: docs/types.md, "json, jsonb". */
#ifndef TUSK_JSON_H
#define TUSK_JSON_H

#include <tusk/codec.h>
#include <tusk/row.h>

#ifdef __cplusplus
extern "C" {
#endif

struct json_t; /* jansson's json_t */

/**
 * A column of type json, jsonb, or text of any kind, as jansson's document. The text is read by Tusk's own reader, which accepts what RFC 8259
 * does, and the document is made by jansson's functions, in jansson's memory.
 *
 * out       a new reference, yours: json_decref()
 * Errors    TUSK_ERR_NULL, TUSK_ERR_TYPE, TUSK_ERR_USAGE as tusk_read_text() · TUSK_ERR_VALUE no JSON: line and character are told; an
 *           integer beyond int64, or a number beyond double, which jansson cannot hold; a NUL (backslash, u0000), which json, not jsonb, may
 *           hold: read those as text · TUSK_ERR_LIMIT deeper than 512 · TUSK_ERR_NOMEM
 * Notes     A number with a fraction or an exponent becomes the nearest double. Of members of one name, which json may have, the last one counts
 * Example   docs/examples/json.c
 */
TUSK_MUST_CHECK
tusk_code tusk_read_json(const tusk_row *row, int col, struct json_t **out, tusk_error *err);

/** The short form: NULL for SQL NULL and on an error, the first of which is kept: tusk_query_value_error(). (JSON's null is json_null().) */
struct json_t *tusk_get_json(const tusk_row *row, int col);

/**
 * A document as a parameter of type json, jsonb: its text is written by the call that submits it, as tusk_json_to_text() has it. NULL is an
 * SQL NULL; JSON's null is json_null(). Text that is ready goes by tusk_json_text(), tusk_jsonb_text() or tusk_text_str_of(), unread.
 * Errors of the request: TUSK_ERR_VALUE jansson does not write it, see below · TUSK_ERR_LIMIT, TUSK_ERR_NOMEM
 * Notes     Not inside of arrays. A library of your own instead of jansson: TUSK_CODEC_JSON in tusk/codec.h
 * Example   docs/examples/json.c
 */
tusk_value tusk_json(const struct json_t *json);
tusk_value tusk_jsonb(const struct json_t *json);

/**
 * A document as text, compact, not NUL-terminated; a real by the fewest digits that read back as the same, and with a point or an
 * exponent: what is read and written again is the same numbers.
 *
 * Errors    TUSK_ERR_LIMIT buf is too small: *len is what it takes · TUSK_ERR_VALUE it holds itself, is deeper than 2048, or has text
 *           that is no UTF-8
 */
TUSK_MUST_CHECK
tusk_code tusk_json_to_text(const struct json_t *json, char *buf, size_t size, size_t *len, tusk_error *err);

#ifdef __cplusplus
}
#endif

#endif
