/* Fields as lib/ sees them: a table, and what it came to when it was held against the columns of a result.
 * fields.c makes both; fields_read.c takes rows; fields_array.c the arrays and other containers in them.
 * Read first: tusk/fields.h. */
#ifndef TUSK_LIB_FIELDS_H
#define TUSK_LIB_FIELDS_H

#include <tusk/fields.h>

#include "lib/codec/nested.h"
#include "lib/result.h"

/* What is done with the bytes of a column. */
typedef enum tusk__store {
    TUSK__STORE_BOOL,
    TUSK__STORE_2, /* so many bytes, the other way round */
    TUSK__STORE_4,
    TUSK__STORE_8,
    TUSK__STORE_INT2_AS_4, /* widened */
    TUSK__STORE_INT2_AS_8,
    TUSK__STORE_INT4_AS_8,
    TUSK__STORE_OID_AS_8,
    TUSK__STORE_FLOAT4_AS_8,
    TUSK__STORE_DATE, /* … if they are of the type's range */
    TUSK__STORE_TIME,
    TUSK__STORE_TIMESTAMP,
    TUSK__STORE_UUID,
    TUSK__STORE_VIEW,
    TUSK__STORE_CHARS,
    TUSK__STORE_ELEMENTS, /* of an array, of a vector, of a halfvec: into one of C's */
    TUSK__STORE_VECTOR,
    TUSK__STORE_HALFVEC,
    TUSK__STORE_CONTAINER, /* the view of an array, a range … */
    TUSK__STORE_DECODED /* by its codec; all in text format, and what is rare */
} tusk__store;

/* One field, bound to a column. */
typedef struct tusk__slot {
    uint32_t col;
    uint16_t n_passed; /* columns that lie between it and the slot before */
    bool is_again;     /* the same column as of the slot before */
    bool has_flag;
    uint8_t store; /* tusk__store */
    uint8_t c_type;
    size_t size, offset, flag_offset;
} tusk__slot;

struct tusk_fields {
    const tusk_allocator *allocator;
    tusk__desc *desc; /* counted: what the slots are bound to; NULL: nothing yet */
    const tusk_query *query; /* of the rows that are being taken: by it types of the database's own are known */
    size_t struct_size, n_fields;
    tusk_field *fields;  /* behind the slots */
    tusk__slot slots[]; /* ascending by column */
};

/* Bind to the columns of desc, if it is not bound to them. conn: who knows types of the database's own; may be NULL. */
TUSK_MUST_CHECK
tusk_code tusk__fields_bind(tusk_fields *fields, const tusk_conn *conn, tusk__desc *desc, tusk_error *err);

/* Bytes of one element of an array of that C type; 0: it is none. */
size_t tusk__c_element_size(tusk_c_type c_type);
/* Does a member of that C type hold a view of some container, and one of this type? type 0: of any. */
bool tusk__c_is_container(tusk_c_type c_type);
bool tusk__c_holds(const tusk__types *types, tusk_c_type c_type, uint32_t type);
/* What has a size of its own, or a view, in binary: by slot->store. err NULL: nobody asks why not. */
TUSK_MUST_CHECK
tusk_code tusk__fields_put_many(const tusk__slot *slot, const tusk_query *q, uint32_t type, tusk_str bytes, void *out,
                                tusk_error *err);

#define TUSK__FIELD_COLUMN_FMT "column %u \"" TUSK_STR_FMT "\""
#define TUSK__FIELD_COLUMN_ARG(desc, col) (unsigned)(col), TUSK_STR_ARG((desc)->cols[col].name)

#endif
