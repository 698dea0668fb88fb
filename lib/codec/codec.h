/* The codec table: what Tusk knows of each type, one row per OID. Getters, parameters and the text form all go through it;
 * types to come plug in as rows.
 * It knows bytes and values, not rows or connections.
 * Read first: tusk/value.h, docs/internals/codecs.md. */
#ifndef TUSK_LIB_CODEC_CODEC_H
#define TUSK_LIB_CODEC_CODEC_H

#include <tusk/type.h>
#include <tusk/value.h>

#include "proto/buf.h"

/* OIDs from here on differ from database to database: access/transam.h, FirstGenbkiObjectId. */
#define TUSK__FIRST_OWN_OID 10000

/* A place for what is no view of the bytes that it is read from. */
typedef struct tusk__room {
    void *ptr;
    size_t size;
} tusk__room;

typedef struct tusk__codec {
    uint32_t type;
    const char *name;    /* pg_type.typname */
    tusk_kind kind;      /* what a decoded value is */
    int16_t width;       /* bytes of the binary format if fixed, else -1 */
    bool binary_output;  /* has the server a send function (result format 1 is safe)? */
    /* binary format → value; width is checked before for fixed ones. Views point into bytes. */
    tusk_code (*decode)(tusk_str bytes, tusk_value *out, tusk_error *err);
    /* text format → value; TUSK_ERR_TYPE of a type with `read`, and of one whose text is not read at all */
    tusk_code (*parse)(tusk_str text, tusk_value *out, tusk_error *err);
    /* value → binary format, without the length word; range and encoding are checked: TUSK_ERR_VALUE */
    tusk_code (*encode)(tusk__writer *b, const tusk_value *value, tusk_error *err);
    /* value → as PostgreSQL prints it; snprintf's contract */
    size_t (*print)(const tusk_value *value, char *buf, size_t size);
    /* text format → value that lies in the room; NULL of types whose text is a view or whose value needs no room */
    tusk_code (*read)(tusk_str text, tusk__room room, tusk_value *out, tusk_error *err);
} tusk__codec;

/* NULL: a type that Tusk has no codec for (its values are raw bytes). */
const tusk__codec *tusk__codec_of(uint32_t type);

/* Is it an oid that the server shows by name: regclass, regproc, …? */
bool tusk__is_reg(uint32_t type);

/* Has the server, as far as the catalogue of PostgreSQL 18 tells, a binary output function for this built-in type? True for types
 * it does not know: they are asked for in binary and learned (42883). From the generated table. */
bool tusk__type_has_send(uint32_t type);

/* Is it sure, whatever a value holds? Not of types that are none of PostgreSQL's own, and not of records: their columns may be such. */
bool tusk__type_surely_has_send(uint32_t type);

/* Of a built-in array its element's type, of a range its subtype, of a multirange its range; 0: not known. From the generated table. */
uint32_t tusk__type_element(uint32_t type);
/* A built-in type whose values are arrays, int2vector, oidvector and anyarray among them? */
bool tusk__type_is_array(uint32_t type);
/* What the generated table says of a built-in type; false: it is none. */
bool tusk__type_describe(uint32_t type, tusk_type *out);

/* pg_type.typname of a built-in type, NULL if unknown. For error texts. */
const char *tusk__type_name(uint32_t type);

/* One parameter as a whole Bind field (length word and bytes, or -1), in format *format (0 text, 1 binary; decided here: raw, known
 * types and NULL binary, untyped text in text). `type` is what the statement wants, 0 if nothing is known: then the value's own.
 * Integers are widened or narrowed between int2, int4, int8 and oid, floats between float4 and float8, if nothing is lost; text
 * kinds go to any text-like type; otherwise TUSK_ERR_TYPE. TUSK_AGAIN, without an error: tusk__own_param_encode(). The error's `param` and `where` are the caller's to set.
 * On failure nothing is left in b that counts: the caller cuts it. */
tusk_code tusk__param_encode(tusk__writer *b, const tusk_value *value, uint32_t type, uint16_t *format, tusk_error *err);

/* The size that tusk__param_encode() will write at most, computed without touching the bytes (D13). SIZE_MAX of an object of the program's,
 * which has to be made bytes of before: lib/objects.h. What tusk__own_param_encode() prints of a plain value may be longer: the writer has the last
 * word. */
size_t tusk__param_size(const tusk_value *value);

/* Decode one field of a result by its column's type and format: {type, kind, …}; TUSK_KIND_RAW for types without codec in binary,
 * TUSK_KIND_TEXT for them in text. */
tusk_code tusk__value_decode(uint32_t type, uint16_t format, tusk_str bytes, tusk_value *out, tusk_error *err);

/* Does it point at nothing? Then a copy of the struct is a copy of the value. */
static inline bool tusk__is_flat(tusk_kind kind)
{
    return kind <= TUSK_KIND_TID || kind == TUSK_KIND_UUID;
}
_Static_assert(TUSK_KIND_ARRAY == TUSK_KIND_TID + 1, "those that are made point at what they are made of");

/* A copy of a value with all that it points at: how many bytes more it takes behind those of *size (false: too many, or values that hold
 * each other), and the copy itself, at *at, which moves behind it. */
bool tusk__value_held_size(const tusk_value *value, size_t *size);
void tusk__value_hold(tusk_value *value, uint8_t **at);
/* The same by a codec that was found for it. */
tusk_code tusk__codec_decode(const tusk__codec *codec, uint32_t type, uint16_t format, tusk_str bytes, tusk_value *out,
                             tusk_error *err);

bool tusk__utf8_is_valid(tusk_str s);

#endif
