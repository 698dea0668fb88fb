/* A column as an object of the program's, by the codec that its connection has.
 * Read first: tusk/codec.h, lib/row.h. */
#include <stdio.h>

#include "lib/codec/types.h"
#include "lib/codecs.h"
#include "lib/given.h"
#include "lib/row.h"

static TUSK_COLD tusk_code refuse(const tusk_row *row, int col, tusk_code code, const char *text, tusk_error *err)
{
    tusk_error cause = {0};

    (void)tusk__error_set(&cause, code, NULL, "%s", text);
    return tusk__row_blame(row, col, "object", &cause, err);
}

static TUSK_COLD tusk_code refuse_format(const tusk_row *row, int col, const tusk_codec *codec, tusk_error *err)
{
    (void)refuse(row, col, TUSK_ERR_TYPE,
                 codec->format == TUSK_CODEC_TEXT ? "it came in binary, and its codec reads text"
                                                  : "it came in text, and its codec reads binary",
                 err);
    if (err && codec->format == TUSK_CODEC_TEXT)
        tusk__error_hint(err, tusk_str_of("Prepare the statement, or submit it after the codec was set."));
    return TUSK_ERR_TYPE;
}

/* What the codec reads of the field: of jsonb's binary format what stands behind the version. */
static tusk_code bytes_for(const tusk_row *row, int col, const tusk_codec *codec, tusk_str *bytes, tusk_error *err)
{
    const tusk_column *column = &row->columns[col];

    if (codec->format == TUSK_CODEC_JSON)
        return tusk_read_text(row, col, bytes, err);
    if (column->format != (codec->format == TUSK_CODEC_BINARY))
        return refuse_format(row, col, codec, err);
    return TUSK_OK;
}

static TUSK_COLD tusk_code refuse_size(const tusk_row *row, int col, size_t size, size_t want, tusk_error *err)
{
    char what[96];

    snprintf(what, sizeof what, "the object has %zu bytes, and those of the codec have %zu", size, want);
    return refuse(row, col, TUSK_ERR_USAGE, what, err);
}

static tusk_code decode(const tusk_row *row, int col, const tusk_codec *codec, tusk_str bytes, void *out,
                        tusk_error *err)
{
    tusk_error cause = {0};
    tusk_code code;

    TUSK_TRY(bytes_for(row, col, codec, &bytes, err));
    code = codec->decode(bytes, row->columns[col].type, out, &cause, codec->user);
    if (code == TUSK_OK)
        return TUSK_OK;
    tusk__given_error(&cause, code, "the codec's decode");
    (void)tusk__row_blame(row, col, "object", &cause, err);
    if (err) {
        tusk__error_copy(err->detail, sizeof err->detail, tusk_str_of(cause.detail));
        tusk__error_copy(err->hint, sizeof err->hint, tusk_str_of(cause.hint));
    }
    return cause.code;
}

tusk_code tusk_read_object(const tusk_row *row, int col, void *out, size_t size, tusk_error *err)
{
    const tusk_conn *conn = row->query ? row->query->conn : NULL;
    tusk__given_codec *given;
    tusk_str bytes;
    tusk_code code;

    tusk__error_begin(err);
    TUSK_TRY(tusk__row_take(row, col, "object", &bytes, err));
    given = conn ? tusk__codecs_take(conn, row->columns[col].type) : NULL;
    if (!given)
        return refuse(row, col, TUSK_ERR_TYPE, "its type has no codec here", err);
    if (!given->codec.decode)
        code = refuse(row, col, TUSK_ERR_TYPE, "the codec of its type does not decode", err);
    else if (given->codec.size && given->codec.size != size)
        code = refuse_size(row, col, size, given->codec.size, err);
    else
        code = decode(row, col, &given->codec, bytes, out, err);
    tusk__codecs_give_back(given);
    return code;
}
