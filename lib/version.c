/* The version of the library.
 * Read first: tusk/version.h. */
#include <tusk/version.h>

const char *tusk_version(void)
{
    return TUSK_VERSION;
}
