/* The server's settings as it reports them (ParameterStatus): a small store in one block of memory.
 * It judges no values.
 * Read first: reliability G6; proto/bounds.h. */
#ifndef TUSK_LIB_PARAMS_H
#define TUSK_LIB_PARAMS_H

#include <stdbool.h>

#include <tusk/alloc.h>
#include <tusk/error.h>

typedef struct tusk__params {
    char *block; /* lengths, name NUL value NUL … */
    size_t len, cap;
    size_t n;
} tusk__params;

/* TUSK_ERR_NOMEM · TUSK_ERR_PROTOCOL: more names or bytes than any honest server reports */
TUSK_MUST_CHECK
tusk_code tusk__params_set(tusk__params *params, const tusk_allocator *allocator, tusk_str name, tusk_str value,
                           tusk_error *err);
tusk_str tusk__params_get(const tusk__params *params, tusk_str name); /* empty if unknown */
/* One after the other, from *at = 0 on. False: that was all. */
bool tusk__params_next(const tusk__params *params, size_t *at, tusk_str *name, tusk_str *value);
void tusk__params_clear(tusk__params *params, const tusk_allocator *allocator);

#endif
