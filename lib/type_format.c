/* A type's name with its modifier, as format_type() writes it: "numeric(10,2)", "timestamp(3) with time zone[]", public.mood.
 * What the type is, the catalogue says; this is its spelling.
 * Read first: tusk/type.h. Source: PostgreSQL docs, "System Catalog Information Functions"; "SQL Key Words" */
#include <stdio.h>

#include "lib/catalog.h"
#include "lib/codec/printer.h"

/* ---- identifiers --------------------------------------------------------------------------------------------------------------------- */

/* Words that are no names without quotes: those that the parser reserves, or takes for something else in the place of a type, in
 * PostgreSQL 14 to 18. */
static const char keywords[] =
    " all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case "
    "cast char "
    "character check coalesce collate collation column concurrently constraint create cross current_catalog "
    "current_date "
    "current_role current_schema current_time current_timestamp current_user dec decimal default deferrable desc "
    "distinct do "
    "else end except exists extract false fetch float for foreign freeze from full grant greatest group grouping "
    "having ilike "
    "in initially inner inout int integer intersect interval into is isnull join json_array json_arrayagg json_exists "
    "json_object json_objectagg json_query json_scalar json_serialize json_table json_value lateral leading least left "
    "like "
    "limit localtime localtimestamp merge_action national natural nchar none normalize not notnull null nullif numeric "
    "offset "
    "on only or order out outer overlaps overlay placing position precision primary real references returning right "
    "row "
    "select session_user setof similar smallint some substring symmetric system_user table tablesample then time "
    "timestamp to "
    "trailing treat trim true union unique user using values varchar variadic verbose when where window with "
    "xmlattributes "
    "xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable ";

/* NAMEDATALEN - 1, and longer than any keyword. */
#define WORD_MAX 63

static bool is_keyword(tusk_str name)
{
    char word[WORD_MAX + 3];

    if (name.len > WORD_MAX)
        return false;
    snprintf(word, sizeof word, " " TUSK_STR_FMT " ", TUSK_STR_ARG(name));
    return strstr(keywords, word) != NULL;
}

static bool is_plain(tusk_str name)
{
    if (name.len == 0 || (name.ptr[0] >= '0' && name.ptr[0] <= '9'))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!(name.ptr[i] >= 'a' && name.ptr[i] <= 'z') && !(name.ptr[i] >= '0' && name.ptr[i] <= '9') &&
            name.ptr[i] != '_')
            return false;
    return !is_keyword(name);
}

/* As quote_ident() has it. */
static void put_name(tusk__printer *p, tusk_str name)
{
    if (is_plain(name)) {
        tusk__print_part(p, name);
        return;
    }
    tusk__print_char(p, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"')
            tusk__print_char(p, '"');
        tusk__print_char(p, name.ptr[i]);
    }
    tusk__print_char(p, '"');
}

/* ---- modifiers: none of them is below 0 -------------------------------------------------------------------------------------------------- */

static void put_text(tusk__printer *p, const char *text)
{
    tusk__print_part(p, tusk_str_of(text));
}

static void put_number(tusk__printer *p, const char *before, long number)
{
    char text[24];

    snprintf(text, sizeof text, "%s%ld", before, number);
    put_text(p, text);
}

static void put_plain(tusk__printer *p, int32_t typmod)
{
    put_number(p, "(", typmod);
    tusk__print_char(p, ')');
}

/* Those of varlenas count the length word: VARHDRSZ. */
#define LENGTH_WORD 4

static void put_length(tusk__printer *p, int32_t typmod)
{
    if (typmod > LENGTH_WORD)
        put_plain(p, typmod - LENGTH_WORD);
}

/* Precision in the upper half, below it the scale, in 11 bits with their sign. */
static void put_precision_and_scale(tusk__printer *p, int32_t typmod)
{
    int32_t packed = typmod - LENGTH_WORD;

    if (packed < 0)
        return;
    put_number(p, "(", packed >> 16 & 0xFFFF);
    put_number(p, ",", ((packed & 0x7FF) ^ 1024) - 1024);
    tusk__print_char(p, ')');
}

/* Which fields an interval keeps: a bit for each, numbered as in utils/datetime.h. */
enum { MONTH = 1 << 1, YEAR = 1 << 2, DAY = 1 << 3, HOUR = 1 << 10, MINUTE = 1 << 11, SECOND = 1 << 12 };

static const struct {
    int32_t fields;
    const char *text;
} interval_fields[] = {
    {YEAR, " year"},
    {MONTH, " month"},
    {DAY, " day"},
    {HOUR, " hour"},
    {MINUTE, " minute"},
    {SECOND, " second"},
    {YEAR | MONTH, " year to month"},
    {DAY | HOUR, " day to hour"},
    {DAY | HOUR | MINUTE, " day to minute"},
    {DAY | HOUR | MINUTE | SECOND, " day to second"},
    {HOUR | MINUTE, " hour to minute"},
    {HOUR | MINUTE | SECOND, " hour to second"},
    {MINUTE | SECOND, " minute to second"},
};

static void put_interval(tusk__printer *p, int32_t typmod)
{
    int32_t fields = typmod >> 16 & 0x7FFF, precision = typmod & 0xFFFF;

    for (size_t i = 0; i < sizeof interval_fields / sizeof *interval_fields; i++)
        if (interval_fields[i].fields == fields)
            put_text(p, interval_fields[i].text);
    if (precision != 0xFFFF)
        put_plain(p, precision);
}

/* ---- types ------------------------------------------------------------------------------------------------------------------------------- */

/* Those that SQL calls otherwise than pg_type, or that have a modifier of their own. */
typedef struct spelling {
    uint32_t type;
    const char *name;
    void (*put)(tusk__printer *p, int32_t typmod); /* NULL: no modifier is shown */
    const char *behind;
    bool wants_modifier; /* without one the name would mean (1): then it is pg_type's */
} spelling;

static const spelling spellings[] = {
    {TUSK_OID_BOOL, "boolean", NULL, "", false},
    {TUSK_OID_INT2, "smallint", NULL, "", false},
    {TUSK_OID_INT4, "integer", NULL, "", false},
    {TUSK_OID_INT8, "bigint", NULL, "", false},
    {TUSK_OID_FLOAT4, "real", NULL, "", false},
    {TUSK_OID_FLOAT8, "double precision", NULL, "", false},
    {TUSK_OID_BIT, "bit", put_plain, "", true},
    {TUSK_OID_VARBIT, "bit varying", put_plain, "", false},
    {TUSK_OID_BPCHAR, "character", put_length, "", true},
    {TUSK_OID_VARCHAR, "character varying", put_length, "", false},
    {TUSK_OID_NUMERIC, "numeric", put_precision_and_scale, "", false},
    {TUSK_OID_INTERVAL, "interval", put_interval, "", false},
    {TUSK_OID_TIME, "time", put_plain, " without time zone", false},
    {TUSK_OID_TIMETZ, "time", put_plain, " with time zone", false},
    {TUSK_OID_TIMESTAMP, "timestamp", put_plain, " without time zone", false},
    {TUSK_OID_TIMESTAMPTZ, "timestamp", put_plain, " with time zone", false},
};

static const spelling *spelling_of(uint32_t type, int32_t typmod)
{
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        if (spellings[i].type == type)
            return spellings[i].wants_modifier && typmod < 0 ? NULL : &spellings[i];
    return NULL;
}

/* What PostGIS makes of its modifiers is its own. */
static bool shows_modifier(const tusk_type *type)
{
    return !tusk_str_is(type->name, "geometry") && !tusk_str_is(type->name, "geography");
}

static void put_catalogued(tusk__printer *p, const tusk_type *type, int32_t typmod)
{
    if (!tusk_str_is(type->schema, "pg_catalog")) {
        put_name(p, type->schema);
        tusk__print_char(p, '.');
    }
    put_name(p, type->name);
    if (typmod >= 0 && shows_modifier(type))
        put_plain(p, typmod);
}

static void put_type(tusk__printer *p, const tusk_type *type, int32_t typmod)
{
    const spelling *known = spelling_of(type->oid, typmod);

    if (!known) {
        put_catalogued(p, type, typmod);
        return;
    }
    put_text(p, known->name);
    if (typmod >= 0 && known->put)
        known->put(p, typmod);
    put_text(p, known->behind);
}

/* int2vector and oidvector are arrays by what they hold, not by their names; _record is one, though it is a pseudo-type. */
static bool is_true_array(const tusk_type *type)
{
    if (type->oid < TUSK__FIRST_OWN_OID)
        return type->element && type->name.ptr[0] == '_';
    return type->kind == TUSK_TYPE_ARRAY;
}

tusk_code tusk_type_format(const tusk_conn *conn, uint32_t oid, int32_t typmod, char *buf, size_t size, size_t *len)
{
    tusk__printer p = tusk__printer_of(buf, size);
    tusk_type type;
    bool is_array;

    TUSK_TRY(tusk_type_of(conn, oid, &type));
    is_array = is_true_array(&type);
    if (is_array)
        TUSK_TRY(tusk_type_of(conn, type.element, &type));
    put_type(&p, &type, typmod);
    if (is_array)
        put_text(&p, "[]");
    *len = tusk__print_end(&p);
    return TUSK_OK;
}
