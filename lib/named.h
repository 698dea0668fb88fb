/* Parsed statements with names, as lib/ shares them: counted, since queries need them for the positions of their errors.
 * Read first: tusk/named.h. */
#ifndef TUSK_LIB_NAMED_H
#define TUSK_LIB_NAMED_H

#include <tusk/named.h>

tusk_named *tusk__named_ref(tusk_named *named);
void tusk__named_unref(tusk_named *named);

/* As they were given, and with numbers. Borrowed. */
tusk_str tusk__named_text(const tusk_named *named);
tusk_str tusk__named_numbered(const tusk_named *named);

#endif
