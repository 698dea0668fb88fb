/* What containers have in common: arrays, and whatever else holds values of other types. How deep they may lie in each other, how their
 * elements are checked, written and printed.
 * A container's value is its binary format, checked as a whole, or what a caller made to be sent.
 * Read first: docs/internals/codecs.md, "Containers". */
#ifndef TUSK_LIB_CODEC_NESTED_H
#define TUSK_LIB_CODEC_NESTED_H

#include <tusk/array.h>
#include <tusk/range.h>
#include <tusk/record.h>

#include "lib/codec/sink.h"
#include "lib/codec/types.h"
#include "proto/size.h"

/* Containers in containers (D7). No server sends so many; a hostile one, or a caller's own, would otherwise fill the stack. */
#define TUSK__DEPTH_MAX 64

/* MaxArraySize: what the server makes of Datums in one allocation. */
#define TUSK__ELEMENTS_MAX ((size_t)0x3fffffff / 8)

/* A type as its values are read. */
typedef struct tusk__resolved {
    uint32_t declared;        /* as it was asked for */
    uint32_t type;            /* of a domain its base, all the way down */
    uint32_t element;         /* as tusk_type.element, of types that are not built in */
    const tusk__codec *codec; /* NULL: raw */
    const tusk_type *own;     /* as the catalogue has it; NULL of built-in types. Borrowed until the loop's next turn */
} tusk__resolved;

/* Who knows the types that are not built in. Where there is none, values of such are raw. */
struct tusk__types {
    void (*find)(const void *user, uint32_t type, tusk__resolved *out); /* *out stays what it is: it is not known */
    const void *user;
    /* as tusk__type_label(), of a type that is not built in; NULL: none has a name */
    const char *(*label)(const void *user, uint32_t type, char *buf);
};

tusk__resolved tusk__resolve_type(const tusk__types *types, uint32_t type);
/* What the type is called in an error: "int4", "app.mood[]", "type 16402" if nobody knows it. types may be NULL. */
TUSK_COLD
const char *tusk__types_label(const tusk__types *types, uint32_t type, char buf[TUSK__TYPE_LABEL_SIZE]);
/* Of an array's, a range's or a multirange's type what is in it; 0: not known. */
uint32_t tusk__resolved_element(const tusk__resolved *type);
/* tusk_type.delimiter of it: a comma, as far as is known. */
char tusk__type_delimiter(const tusk__types *types, uint32_t type);

typedef struct tusk__maker tusk__maker; /* from_text.h */

/* One kind of container: known by its codecs' decode. */
typedef struct tusk__container {
    tusk_code (*decode)(tusk_str bytes, tusk_value *out, tusk_error *err);
    /* down to the last value inside */
    tusk_code (*check)(const tusk__types *types, const tusk__resolved *type, tusk_str wire, int depth, tusk_error *err);
    void (*put)(tusk__sink *s, const tusk_value *value);
    /* what was made, in binary. TUSK_AGAIN, without an error: it goes as text alone */
    tusk_code (*write)(tusk__writer *b, const tusk__types *types, const tusk__resolved *type, const tusk_value *value,
                       tusk_error *err);
    /* of its text */
    tusk_code (*make)(tusk__maker *m, const tusk__resolved *type, tusk_str text, int depth, tusk_error *err);
    tusk_kind made, made_of_c; /* what callers make of it to be sent */
} tusk__container;

/* NULL: the codec is none of a container's. */
const tusk__container *tusk__container_of(const tusk__codec *codec);

static inline bool tusk__is_made_kind(tusk_kind kind)
{
    return kind == TUSK_KIND_C_ARRAY || (kind >= TUSK_KIND_ARRAY && kind <= TUSK_KIND_RECORD);
}

/* As tusk__value_decode() of binary, `depth` containers deep. A value of a domain is one of its base. */
tusk_code tusk__nested_decode(const tusk__types *types, uint32_t type, tusk_str bytes, int depth, tusk_value *out,
                              tusk_error *err);
/* A value that was decoded so, as its codec prints it, by snprintf's contract. TUSK_ERR_TYPE: it holds one of a type that is not known. */
tusk_code tusk__nested_print(const tusk__types *types, const tusk__codec *codec, const tusk_value *value, char *buf,
                             size_t size, size_t *len, tusk_error *err);
/* "element 3 of 5: " before the message of an error that was set just now. */
TUSK_COLD
void tusk__nested_blame(tusk_error *err, const char *fmt, ...) TUSK_PRINTF(2, 3);

/* "_int4 in binary " and what is wrong with it. */
TUSK_COLD
tusk_code tusk__nested_bad(tusk_error *err, uint32_t type, const char *fmt, ...) TUSK_PRINTF(3, 4);

/* ---- what callers made, lib/codec/made.c ---- */

/* A value inside of a container, as a field of that type. types NULL: of built-in ones, which it must fit (TUSK_ERR_TYPE). Else what has no binary
 * form there is TUSK_AGAIN, without an error: the container goes as text, and the server judges. */
tusk_code tusk__element_encode(tusk__writer *b, const tusk__types *types, const tusk_value *value,
                               const tusk__resolved *to, tusk_error *err);
/* The same of one that is a parameter by itself: a number that does not fit is told (TUSK_ERR_VALUE). */
tusk_code tusk__whole_encode(tusk__writer *b, const tusk__types *types, const tusk_value *value,
                             const tusk__resolved *to, tusk_error *err);
/* Is it of that very type, by its own name or its base's; or of none, as tusk_unknown()? */
bool tusk__is_typed_as(const tusk_value *value, const tusk__resolved *to);
/* Has the server a binary input for it, as far as is known? */
bool tusk__is_received(const tusk__resolved *type);
/* As what it is printed inside of a container where that type stands, 0: not known. What was made without a type has that one; a float4 is a float8,
 * but for where a float4 stands. */
tusk_value tusk__typed(const tusk__types *types, const tusk_value *value, uint32_t declared);
/* By which a value is printed, one that was made too. NULL: none. */
const tusk__codec *tusk__printing_codec(const tusk__types *types, const tusk_value *value);
/* The field of a container, quoted if it wants that; one without a codec is noted. */
void tusk__sink_field(tusk__sink *s, const tusk__quoting *quoting, const tusk_value *value);
/* Is it good to be printed, down to the last value inside? Bytes are written behind those of b, and taken back. */
tusk_code tusk__made_check(tusk__writer *b, const tusk__types *types, const tusk_value *value, tusk_error *err);

/* ---- arrays, lib/codec/array.c ---- */

/* The shape, and that each element lies inside. type 0: any array. */
tusk_code tusk__array_view_of(uint32_t type, tusk_str wire, tusk_array_view *out, tusk_error *err);
/* The view, and each element. */
tusk_code tusk__array_check(const tusk__types *types, const tusk__resolved *type, tusk_str wire, int depth,
                            tusk_error *err);
tusk_code tusk__array_write(tusk__writer *b, const tusk__types *types, const tusk__resolved *type,
                            const tusk_value *value, tusk_error *err);
void tusk__array_put(tusk__sink *s, const tusk_value *value);
void tusk__intvector_put(tusk__sink *s, const tusk_value *value);

/* An array's elements, however it lies: as it came, made of values, of C's. */
typedef struct tusk__array_items {
    tusk_array_view shape;         /* element 0: not known; wire NULL: it was made */
    tusk_array_iter it;            /* as it came */
    const tusk_value *values;      /* made of values */
    const tusk__codec *c_element;  /* of C's */
    const char *at;
    size_t left;
} tusk__array_items;

/* What is wrong with its shape is told. */
tusk_code tusk__array_items_of(const tusk__resolved *type, const tusk_value *value, tusk__array_items *out,
                               tusk_error *err);
/* TUSK_DONE: there is none left. */
tusk_code tusk__array_items_next(const tusk__types *types, tusk__array_items *items, tusk_value *out, tusk_error *err);

/* ---- ranges, lib/codec/range.c ---- */

tusk_code tusk__range_parts_of(const tusk__types *types, const tusk__resolved *type, tusk_str wire, int depth,
                               tusk_range_parts *out, tusk_error *err);
tusk_code tusk__range_check(const tusk__types *types, const tusk__resolved *type, tusk_str wire, int depth,
                            tusk_error *err);
tusk_code tusk__range_write(tusk__writer *b, const tusk__types *types, const tusk__resolved *type,
                            const tusk_value *value, tusk_error *err);
void tusk__range_put(tusk__sink *s, const tusk_value *value);
/* That each range lies inside. */
tusk_code tusk__multirange_view_of(const tusk__resolved *type, tusk_str wire, tusk_multirange_view *out,
                                   tusk_error *err);
tusk_code tusk__multirange_check(const tusk__types *types, const tusk__resolved *type, tusk_str wire, int depth,
                                 tusk_error *err);
tusk_code tusk__multirange_write(tusk__writer *b, const tusk__types *types, const tusk__resolved *type,
                                 const tusk_value *value, tusk_error *err);
void tusk__multirange_put(tusk__sink *s, const tusk_value *value);
/* Are the ranges of one that was made there? */
tusk_code tusk__multirange_shape_check(const tusk_multirange_parts *parts, tusk_error *err);
/* The i-th of one that was made, of that type where it has none. */
tusk_value tusk__multirange_part(const tusk_multirange_parts *parts, size_t i, uint32_t range);

/* ---- records, lib/codec/record.c ---- */

/* Can a record have so many fields, and are they there? */
tusk_code tusk__record_shape_check(const tusk_record_parts *parts, tusk_error *err);
/* That each field lies inside. */
tusk_code tusk__record_view_of(uint32_t type, tusk_str wire, tusk_record_view *out, tusk_error *err);
tusk_code tusk__record_check(const tusk__types *types, const tusk__resolved *type, tusk_str wire, int depth,
                             tusk_error *err);
tusk_code tusk__record_write(tusk__writer *b, const tusk__types *types, const tusk__resolved *type,
                             const tusk_value *value, tusk_error *err);
void tusk__record_put(tusk__sink *s, const tusk_value *value);

/* ---- lib/catalog.c ---- */

/* What is known at the connection's endpoint; conn may be NULL, and so may `user`. */
tusk__types tusk__conn_types(const tusk_conn *conn);
/* The same of the query's connection. */
tusk__types tusk__query_types(const tusk_query *q);

/* ---- arrays of C's, lib/codec/c_array.c ---- */

/* Bytes of one element of C's, 0 if the type has none. */
size_t tusk__c_size(const tusk__codec *element);
/* Of texts and byteas: those without a pointer. */
bool tusk__c_array_has_nulls(const tusk__codec *element, tusk_str memory);
/* An element from unaligned memory, and into it. */
tusk_value tusk__c_load(const tusk__codec *element, const char *at);
tusk_code tusk__c_array_write(tusk__writer *b, const tusk__codec *element, tusk_str memory, tusk_error *err);

/* Does every pattern of its bits mean something? Then only the width is looked at. */
bool tusk__takes_any_bits(const tusk__codec *codec);

#endif
