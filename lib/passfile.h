/* The password file (~/.pgpass): which line fits, and what password it has.
 * It opens no file and knows no connection.
 * Read first: PostgreSQL docs, libpq, "The Password File". */
#ifndef TUSK_LIB_PASSFILE_H
#define TUSK_LIB_PASSFILE_H

#include <stdbool.h>

#include <tusk/str.h>

typedef struct tusk__passfile_key {
    tusk_str host; /* "localhost" for the default socket */
    tusk_str port, dbname, user;
} tusk__passfile_key;

#define TUSK__PASSFILE_MAX (16 << 20) /* beyond it the file is something else */

/*
 * The password of the first line that fits, a view into `text`, with its escapes: another host may have the same line. *line is
 * 1-based. A line is host:port:dbname:user:password, "*" alone in a field fits everything, a backslash makes ':' and itself ordinary.
 * Lines that begin with '#' are comments; a line with a NUL fits nothing; there is no limit to the length of a line.
 */
bool tusk__passfile_find(const char *text, size_t len, const tusk__passfile_key *key, tusk_str *password, unsigned *line);

/* Freed of its escapes, in `to`, which has room for password.len bytes and may be where the password lies. */
tusk_str tusk__passfile_unescape(tusk_str password, char *to);

#endif
