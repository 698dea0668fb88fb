/* target_session_attrs: what a server must be like, how it tells, and what is said of one that is not.
 * It asks nobody: what the server reports, and its answer to the question, come in as arguments.
 * Read first: PostgreSQL docs, libpq, "target_session_attrs"; docs/internals/connect.md. */
#ifndef TUSK_LIB_TARGET_H
#define TUSK_LIB_TARGET_H

#include "lib/params.h"
#include "lib/settings.h"

typedef enum tusk__fits { TUSK__FITS_UNKNOWN = 0, TUSK__FITS, TUSK__FITS_NOT } tusk__fits;

/* By what it reported in the login; unknown if it reports too little: then it must be asked. */
tusk__fits tusk__target_by_params(tusk__session_attrs wanted, const tusk__params *params);
/* By what it answered: the text of the one field of the one row. */
tusk__fits tusk__target_by_answer(tusk__session_attrs wanted, tusk_str answer);
/* What to ask it; static. Not for TUSK__SESSION_ANY. */
const char *tusk__target_question(tusk__session_attrs wanted);
/* For the error about one that does not fit; static, in libpq's words. */
const char *tusk__target_complaint(tusk__session_attrs wanted);
const char *tusk__target_name(tusk__session_attrs wanted); /* "read-write"; static */

#endif
