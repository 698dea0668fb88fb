/* Errors that functions of the program give: a code, and what they may have written by hand. They become errors like ours.
 * Read first: tusk/error.h, proto/error_set.h. */
#ifndef TUSK_LIB_GIVEN_H
#define TUSK_LIB_GIVEN_H

#include <tusk/error.h>

/* Is it one of the list's that is an error? */
bool tusk__given_is_error(tusk_code code);
/* Five digits and capital letters, and none of what is no error (00, 01, 02). */
bool tusk__given_is_sqlstate(const char text[6]);
/* where, message, detail and hint, cut where they are not ended, control characters as blanks. to may be from. */
void tusk__given_texts(tusk_error *to, const tusk_error *from);

/* What a function of the program has left in *err, which it had from us zeroed, and the code that it gave. who: "pull", for what it leaves
 * unsaid. A code that is no error's is TUSK_ERR_USAGE. */
void tusk__given_error(tusk_error *err, tusk_code code, const char *who);

#endif
