/* The macros of tusk/fields.h as C and as C++: one field of each C type, and with WRONG defined two that must not compile.
 * `make headers` compiles it; it is never run.
 * Read first: tusk/fields.h. */
#include <tusk/fields.h>

struct everything {
    bool boolean, is_null;
    int16_t int2;
    int32_t int4;
    int64_t int8;
    long long integer;
    uint32_t oid;
    uint64_t lsn;
    float float4;
    double float8;
    tusk_str text;
    char name[64];
    uint8_t uuid[16];
    tusk_numeric_view numeric;
    tusk_timetz_parts timetz;
    tusk_interval_parts interval;
    tusk_macaddr_octets macaddr;
    tusk_macaddr8_octets macaddr8;
    struct {
        int32_t inner;
    } outer;
};

extern const tusk_field fields[];
const tusk_field fields[] = {
    TUSK_FIELD(struct everything, boolean, TUSK_OID_BOOL),
    TUSK_FIELD(struct everything, int2, TUSK_OID_INT2),
    TUSK_FIELD(struct everything, int4, TUSK_OID_DATE),
    TUSK_FIELD(struct everything, int8, TUSK_OID_TIMESTAMPTZ),
    TUSK_FIELD(struct everything, integer, TUSK_OID_INT8),
    TUSK_FIELD(struct everything, oid, TUSK_OID_OID),
    TUSK_FIELD(struct everything, lsn, TUSK_OID_PG_LSN),
    TUSK_FIELD(struct everything, float4, TUSK_OID_FLOAT4),
    TUSK_FIELD(struct everything, float8, TUSK_OID_FLOAT8),
    TUSK_FIELD(struct everything, uuid, TUSK_OID_UUID),
    TUSK_FIELD(struct everything, numeric, TUSK_OID_NUMERIC),
    TUSK_FIELD(struct everything, timetz, TUSK_OID_TIMETZ),
    TUSK_FIELD(struct everything, interval, TUSK_OID_INTERVAL),
    TUSK_FIELD(struct everything, macaddr, TUSK_OID_MACADDR),
    TUSK_FIELD(struct everything, macaddr8, TUSK_OID_MACADDR8),
    TUSK_FIELD_AS(struct everything, outer.inner, TUSK_OID_INT4, "inner"),
    TUSK_FIELD_AT(struct everything, text, 0, 3),
    TUSK_NULLABLE(struct everything, name, TUSK_OID_VARCHAR, is_null),
    TUSK_NULLABLE_AS(struct everything, text, TUSK_OID_INT4_ARRAY, "numbers", is_null),
    TUSK_NULLABLE_AT(struct everything, text, TUSK_OID_BYTEA, 1, is_null),
#if WRONG == 1
    TUSK_FIELD(struct everything, float4, TUSK_OID_FLOAT8),
#elif WRONG == 2
    TUSK_NULLABLE(struct everything, text, TUSK_OID_TEXT, int4),
#elif WRONG == 3
    TUSK_FIELD(struct everything, name, TUSK_OID_BYTEA),
#endif
};
