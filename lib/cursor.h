/* The portal of a cursor, as the requests name it that open it, take rows of it, and close it.
 * Read first: tusk/cursor.h, docs/internals/cursor.md. */
#ifndef TUSK_LIB_CURSOR_H
#define TUSK_LIB_CURSOR_H

#include <inttypes.h>
#include <stdio.h>

#include "lib/conn.h"

typedef struct tusk__portal_name {
    char text[32];
} tusk__portal_name;

static inline tusk__portal_name tusk__portal_name_of(uint64_t number)
{
    tusk__portal_name name;

    (void)snprintf(name.text, sizeof name.text, "tusk_cursor_%" PRIx64, number);
    return name;
}

/* portal.c: for PORTAL_RUN, of a handle's statement that is ready. */
TUSK_MUST_CHECK
tusk_code tusk__portal_run_encode(tusk_conn *conn, tusk_query *q, const tusk__request *r);

#endif
