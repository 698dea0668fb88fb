/* Settings held against each other.
 * Read first: lib/settings.h. */
#ifndef TUSK_LIB_CROSS_CHECK_H
#define TUSK_LIB_CROSS_CHECK_H

#include "lib/settings.h"

/* Errors: TUSK_ERR_CONFIG, naming the parameters that do not go together. */
TUSK_MUST_CHECK
tusk_code tusk__cross_check(const tusk__settings *settings, tusk_error *err);

#endif
