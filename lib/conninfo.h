/* Connection strings, both of libpq's forms: "postgresql://user:password@host:port/dbname?name=value" and "name=value …".
 * They are taken apart and decoded; what the values mean is lib/settings.c's business.
 * Read first: PostgreSQL docs, "Connection Strings"; docs/config.md. */
#ifndef TUSK_LIB_CONNINFO_H
#define TUSK_LIB_CONNINFO_H

#include <tusk/error.h>

#include "lib/config_table.h"

/* How much room the decoded values of a string can need at most, each with its NUL. A text is never longer than what it is
 * decoded from, and its NUL has the place of a "=", "@", ":" or "/"; but the commas of a list of hosts come twice, once for the
 * ports. */
static inline size_t tusk__conninfo_room(tusk_str dsn)
{
    return 2 * dsn.len + 1;
}

/*
 * Read `dsn` into `values`, over what is there: of a parameter given twice the last counts. The texts lie in `room`, each with
 * a NUL behind it. `room` may then hold secrets that no value points to: wipe it whole.
 *
 * The semantics are libpq 18's, down to the corner cases: a literal '+' stays, %00 is refused, the first '@' before a '/' ends
 * the user, "ssl=true" means sslmode=require, several hosts give lists with commas.
 * Errors  TUSK_ERR_CONFIG: the kind of fault and its place, 1-based in bytes; never a byte of the string (D31)
 */
TUSK_MUST_CHECK
tusk_code tusk__conninfo_read(tusk_str dsn, char *room, tusk__param_values *values, tusk_error *err);

/* Is it a URI whose first '@' stands behind a '/'? That may be one of a password, which ends there and is taken for a port. */
bool tusk__conninfo_has_late_at(tusk_str dsn);

#endif
