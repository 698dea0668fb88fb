/* Lists in the texts of host, hostaddr and port: which host is made of what.
 * It judges nothing and keeps nothing.
 * Read first: PostgreSQL docs, libpq, "Specifying Multiple Hosts". */
#ifndef TUSK_LIB_HOSTS_H
#define TUSK_LIB_HOSTS_H

#include <stddef.h>

#include <tusk/str.h>

/* Commas part the items of a list; an empty one has one, which is empty. */
size_t tusk__list_count(tusk_str list);
tusk_str tusk__list_next(tusk_str *list); /* takes one off its beginning; empty beyond the last */

/* More hosts than anybody has. A row with its error is kept of each (lib/attempts.c), and what is longer is a mistake. */
#define TUSK__HOSTS_MAX 4096

#endif
