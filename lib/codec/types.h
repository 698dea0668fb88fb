/* What the codec files share: the functions behind each row of the table, and small helpers.
 * Only lib/codec/ and what else reads and writes values as text include it: lib/datetime.c, lib/numeric.c, lib/row.c, lib/json.c.
 * Read first: lib/codec/codec.h. */
#ifndef TUSK_LIB_CODEC_TYPES_H
#define TUSK_LIB_CODEC_TYPES_H

#include <tusk/snapshot.h>
#include <tusk/tsvector.h>

#include "lib/codec/codec.h"
#include "proto/error_set.h"

/* Source: PostgreSQL docs, "PostgreSQL Error Codes", class 22 */
#define TUSK__STATE_OUT_OF_RANGE "22003"
#define TUSK__STATE_DATETIME "22008"
#define TUSK__STATE_ARRAY_SUBSCRIPT "2202E"
#define TUSK__STATE_NOT_IN_REPERTOIRE "22021"
#define TUSK__STATE_BAD_TEXT "22P02"
#define TUSK__STATE_BAD_BINARY "22P03"
#define TUSK__STATE_TOO_MANY "54000"

#define TUSK__CODEC_FUNCTIONS(name)                                                                                    \
    tusk_code tusk__##name##_decode(tusk_str bytes, tusk_value *out, tusk_error *err);                                 \
    tusk_code tusk__##name##_parse(tusk_str text, tusk_value *out, tusk_error *err);                                   \
    tusk_code tusk__##name##_encode(tusk__writer *b, const tusk_value *value, tusk_error *err);                        \
    size_t tusk__##name##_print(const tusk_value *value, char *buf, size_t size)

/* Those whose text needs room. */
#define TUSK__ROOM_CODEC_FUNCTIONS(name)                                                                               \
    tusk_code tusk__##name##_decode(tusk_str bytes, tusk_value *out, tusk_error *err);                                 \
    tusk_code tusk__##name##_read(tusk_str text, tusk__room room, tusk_value *out, tusk_error *err);                   \
    tusk_code tusk__##name##_encode(tusk__writer *b, const tusk_value *value, tusk_error *err);                        \
    size_t tusk__##name##_print(const tusk_value *value, char *buf, size_t size)

/* Those whose text is the server's to read. */
#define TUSK__UNREAD_CODEC_FUNCTIONS(name)                                                                               \
    tusk_code tusk__##name##_decode(tusk_str bytes, tusk_value *out, tusk_error *err);                                 \
    tusk_code tusk__##name##_encode(tusk__writer *b, const tusk_value *value, tusk_error *err);                        \
    size_t tusk__##name##_print(const tusk_value *value, char *buf, size_t size)

TUSK__CODEC_FUNCTIONS(bool);
TUSK__CODEC_FUNCTIONS(int2);
TUSK__CODEC_FUNCTIONS(int4);
TUSK__CODEC_FUNCTIONS(int8);
TUSK__CODEC_FUNCTIONS(oid);
TUSK__CODEC_FUNCTIONS(float4);
TUSK__CODEC_FUNCTIONS(float8);
TUSK__CODEC_FUNCTIONS(text);
TUSK__CODEC_FUNCTIONS(uuid);
TUSK__CODEC_FUNCTIONS(date);
TUSK__CODEC_FUNCTIONS(timestamp);
TUSK__CODEC_FUNCTIONS(timestamptz);
TUSK__CODEC_FUNCTIONS(time);
TUSK__CODEC_FUNCTIONS(timetz);
TUSK__CODEC_FUNCTIONS(interval);
TUSK__CODEC_FUNCTIONS(money);
TUSK__CODEC_FUNCTIONS(xid);
TUSK__CODEC_FUNCTIONS(cid);
TUSK__CODEC_FUNCTIONS(xid8);
TUSK__CODEC_FUNCTIONS(pg_lsn);
TUSK__CODEC_FUNCTIONS(macaddr);
TUSK__CODEC_FUNCTIONS(macaddr8);
TUSK__CODEC_FUNCTIONS(char);
TUSK__CODEC_FUNCTIONS(point);
TUSK__CODEC_FUNCTIONS(reg);
TUSK__CODEC_FUNCTIONS(tid);
TUSK__CODEC_FUNCTIONS(jsonb);
TUSK__CODEC_FUNCTIONS(array);
TUSK__CODEC_FUNCTIONS(intvector); /* int2vector, oidvector */
TUSK__CODEC_FUNCTIONS(vector);
TUSK__CODEC_FUNCTIONS(range);
TUSK__CODEC_FUNCTIONS(multirange);
TUSK__CODEC_FUNCTIONS(record);
TUSK__ROOM_CODEC_FUNCTIONS(bits);
TUSK__ROOM_CODEC_FUNCTIONS(box);
TUSK__ROOM_CODEC_FUNCTIONS(bytea);
TUSK__ROOM_CODEC_FUNCTIONS(cidr);
TUSK__ROOM_CODEC_FUNCTIONS(circle);
TUSK__ROOM_CODEC_FUNCTIONS(inet);
TUSK__ROOM_CODEC_FUNCTIONS(line);
TUSK__ROOM_CODEC_FUNCTIONS(lseg);
TUSK__ROOM_CODEC_FUNCTIONS(numeric);
TUSK__ROOM_CODEC_FUNCTIONS(path);
TUSK__ROOM_CODEC_FUNCTIONS(polygon);
TUSK__ROOM_CODEC_FUNCTIONS(snapshot);
TUSK__UNREAD_CODEC_FUNCTIONS(tsquery);
TUSK__UNREAD_CODEC_FUNCTIONS(tsvector);

/* Is that the kind of what a caller makes for a container with that codec? */
bool tusk__is_made(const tusk__codec *codec, tusk_kind kind);
/* Text of a container, which is no view. */
tusk_code tusk__container_parse(tusk_str text, tusk_value *out, tusk_error *err);

/* A value of a built-in type, and of a kind that this type has? */
bool tusk__is_whole(const tusk_value *value);
/* Does that codec write such a value in binary? NULL: no. */
bool tusk__codec_writes(const tusk__codec *wanted, const tusk_value *value);

/* May a value of the one type be read, or sent, as one of the other? */
bool tusk__is_read_as(uint32_t have, uint32_t want);
bool tusk__codec_is_read_as(const tusk__codec *have, const tusk__codec *want);
/* A value inside of a container of built-in types, as a field: as tusk__param_encode(), but that the server does not read text there. */
tusk_code tusk__plain_element_encode(tusk__writer *b, const tusk_value *value, uint32_t type, tusk_error *err);
/* As a field, by that codec. */
tusk_code tusk__field_encode(tusk__writer *b, const tusk__codec *codec, const tusk_value *value, tusk_error *err);
/* An out buffer that cannot take the value is an error of its own (out of memory, message too long). */
tusk_code tusk__written(const tusk__writer *b, tusk_error *err);
/* TUSK_ERR_TYPE: "the statement wants int4 here, not text". names: who knows those of types, NULL: nobody */
struct tusk__types;
TUSK_COLD
tusk_code tusk__refuse_type(const tusk_value *value, uint32_t want, const struct tusk__types *names, tusk_error *err);
/* tusk__param_size() of a container that a caller made. */
size_t tusk__made_size(const tusk_value *value);

/* as.bytes is what it holds. */
static inline bool tusk__has_bytes(tusk_kind kind)
{
    return kind >= TUSK_KIND_TEXT && kind != TUSK_KIND_UUID && kind != TUSK_KIND_OBJECT;
}

/* The binary format, checked. */
tusk_code tusk__numeric_view_of(tusk_str wire, tusk_numeric_view *out, tusk_error *err);
tusk_code tusk__bits_view_of(tusk_str wire, tusk_bits_view *out, tusk_error *err);
/* Of a checked binary format; of nothing, zeros, or a view of nothing. */
tusk_inet_parts tusk__inet_of(tusk_str wire);
tusk_line_parts tusk__line_of(tusk_str wire);
tusk_lseg_parts tusk__lseg_of(tusk_str wire);
tusk_box_parts tusk__box_of(tusk_str wire);
tusk_circle_parts tusk__circle_of(tusk_str wire);
tusk_path_view tusk__path_of(tusk_str wire);
tusk_polygon_view tusk__polygon_of(tusk_str wire);
tusk_snapshot_view tusk__snapshot_of(tusk_str wire);
tusk_tsvector_view tusk__tsvector_of(tusk_str wire);
/* Writes the 8 bytes in front of the digits, which the caller writes. */
/* TUSK_ERR_VALUE, with the number and what it does not fit. */
tusk_code tusk__numeric_would_lose(tusk_error *err, tusk_numeric_view n, const char *type_name);
tusk_numeric_view tusk__numeric_put(uint8_t *buf, uint16_t n_digits, int16_t weight, uint16_t sign, uint16_t dscale);

/* "int4", or "type 16402" for a type that is not built in: where the catalogue may be asked, tusk__types_label(), tusk__conn_type_label(). Room for
 * a schema, a name and the quotes around them. */
#define TUSK__TYPE_LABEL_SIZE 140
const char *tusk__type_label(uint32_t type, char buf[TUSK__TYPE_LABEL_SIZE]);

/* Copy text into buf, cut if need be, NUL-terminated if size > 0; returns text.len, so the print functions end with it. */
size_t tusk__print_str(tusk_str text, char *buf, size_t size);

/* `text` is not what PostgreSQL prints for that type. Shows its beginning. */
tusk_code tusk__bad_text(tusk_error *err, const char *type_name, tusk_str text);

/* A buffer of `size` bytes is too small for `need`. */
tusk_code tusk__too_small(tusk_error *err, size_t need, size_t size);

/* A value of kind WIRE: these bytes, in the room. */
tusk_code tusk__put_wire(tusk__room room, const void *wire, size_t len, tusk_value *out, tusk_error *err);

/* "n does not fit type" */
tusk_code tusk__does_not_fit(tusk_error *err, int64_t n, const char *type_name);

/* Is it a float4's value, exactly? And the refusal. */
bool tusk__fits_float4(double real);
tusk_code tusk__float_does_not_fit(tusk_error *err, double real);

/* UTF-8 without NUL, or TUSK_ERR_VALUE that says where it is not. */
tusk_code tusk__text_check(tusk_str text, tusk_error *err);

/* 0…15, or -1. */
static inline int tusk__hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* ---- the calendar, lib/datetime.c: proleptic Gregorian, year 0 is 1 BC, days from 2000-01-01 -------------------------------- */

/* Limits of PostgreSQL: datatype/timestamp.h. The ends are the first value that is too much. */
#define TUSK__DATE_MIN (-2451545)                          /* 4714-11-24 BC */
#define TUSK__DATE_END 2145031949                          /* 5874898-01-01 */
#define TUSK__TIMESTAMP_MIN (INT64_C(-211813488000000000)) /* 4714-11-24 00:00:00 BC */
#define TUSK__TIMESTAMP_END INT64_C(9223371331200000000)   /* 294277-01-01 00:00:00 */
#define TUSK__US_PER_SECOND INT64_C(1000000)
#define TUSK__US_PER_DAY (INT64_C(86400) * TUSK__US_PER_SECOND)

typedef struct tusk__ymd {
    int64_t year;
    int month, day;
} tusk__ymd;

/* False: no such day. Any year of up to ten digits. */
bool tusk__ymd_to_days(tusk__ymd ymd, int64_t *days);
/* |days| up to 2^62. */
tusk__ymd tusk__ymd_from_days(int64_t days);

/* In PostgreSQL's range, or one of the infinities? */
static inline bool tusk__date_is_valid(int64_t days)
{
    return (days >= TUSK__DATE_MIN && days < TUSK__DATE_END) || days == TUSK_DATE_INFINITY ||
           days == TUSK_DATE_MINUS_INFINITY;
}
static inline bool tusk__timestamp_is_valid(int64_t us)
{
    return (us >= TUSK__TIMESTAMP_MIN && us < TUSK__TIMESTAMP_END) || us == TUSK_TIMESTAMP_INFINITY ||
           us == TUSK_TIMESTAMP_MINUS_INFINITY;
}

/* a / b rounded towards minus infinity, b > 0. */
static inline int64_t tusk__floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* 23:59:59.5, with as many digits of hours as it takes. The size is enough for all of them. */
#define TUSK__CLOCK_SIZE 32
size_t tusk__clock_print(uint64_t us, char *buf, size_t size);

/* In the range of time and timetz, 24:00:00 included? */
static inline bool tusk__time_is_valid(int64_t us)
{
    return us >= 0 && us <= TUSK__US_PER_DAY;
}
/* PostgreSQL's zones lie less than 16 hours from UTC. */
static inline bool tusk__offset_is_valid(int64_t offset)
{
    return offset > -16 * 3600 && offset < 16 * 3600;
}

static inline bool tusk__interval_is_infinite(tusk_interval_parts i)
{
    return (i.months == INT32_MAX && i.days == INT32_MAX && i.us == INT64_MAX) ||
           (i.months == INT32_MIN && i.days == INT32_MIN && i.us == INT64_MIN);
}
/* Of either style; err is left as it is on success. */
tusk_code tusk__interval_read(tusk_str text, tusk_interval_parts *out, tusk_error *err);

/* So many days, and microseconds of less than two days either way: false if beyond the range. Days are looked at first: seven digits of
 * years are 3·10^20 µs. */
static inline bool tusk__timestamp_join(int64_t days, int64_t us, int64_t *out)
{
    int64_t sum;

    if (days < TUSK__TIMESTAMP_MIN / TUSK__US_PER_DAY - 1 || days > TUSK__TIMESTAMP_END / TUSK__US_PER_DAY)
        return false;
    sum = days * TUSK__US_PER_DAY + us;
    if (sum < TUSK__TIMESTAMP_MIN || sum >= TUSK__TIMESTAMP_END)
        return false;
    *out = sum;
    return true;
}

#endif
