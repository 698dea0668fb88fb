/* Judging one parameter's text and putting what it means where its row says.
 * Read first: lib/config_table.h. */
#ifndef TUSK_LIB_APPLY_H
#define TUSK_LIB_APPLY_H

#include "lib/config_table.h"
#include "lib/settings.h"

/*
 * text      has a NUL behind it and lives as long as `settings`; ptr NULL: not given, and there is no default
 * Errors    TUSK_ERR_CONFIG naming the parameter and what is allowed, never the value: behind a typing error any text may be a
 *           password (D31)
 */
TUSK_MUST_CHECK
tusk_code tusk__param_apply(tusk__settings *settings, const tusk__param *param, tusk_str text, tusk_error *err);

/* Is it a name that PostgreSQL has for UTF-8? */
bool tusk__is_utf8_name(tusk_str text);

/* A port in words that was judged before; 0: it is none. */
uint16_t tusk__port_of(tusk_str text);

#endif
