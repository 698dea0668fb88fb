/* Fields as lib/ sees them: a table, and what it came to when it was held against the columns of a result.
 * fields.c makes both; fields_read.c takes rows; fields_array.c the arrays in them.
 * Read first: tusk/fields.h. */
#ifndef TUSK_LIB_FIELDS_H
#define TUSK_LIB_FIELDS_H

#include <tusk/fields.h>

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
    TUSK__STORE_ARRAY, /* its view, or its elements */
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
    size_t struct_size, n_fields;
    tusk_field *fields;  /* behind the slots */
    tusk__slot slots[]; /* ascending by column */
};

/* Bind to the columns of desc, if it is not bound to them. */
TUSK_MUST_CHECK
tusk_code tusk__fields_bind(tusk_fields *fields, tusk__desc *desc, tusk_error *err);

/* Bytes of one element of an array of that C type; 0: it is none. */
size_t tusk__c_element_size(tusk_c_type c_type);
/* An array in binary into a tusk_array_view or an array of C's. err NULL: nobody asks why not. */
TUSK_MUST_CHECK
tusk_code tusk__fields_put_array(const tusk__slot *slot, uint32_t type, tusk_str bytes, void *out, tusk_error *err);

#define TUSK__FIELD_COLUMN_FMT "column %u \"" TUSK_STR_FMT "\""
#define TUSK__FIELD_COLUMN_ARG(desc, col) (unsigned)(col), TUSK_STR_ARG((desc)->cols[col].name)

#endif
