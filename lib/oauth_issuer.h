/* Issuers of tokens and the URLs at which they describe themselves: who an issuer is follows from the URL alone.
 * It asks nobody.
 * Read first: RFC 8414, 3.1; OpenID Connect Discovery 1.0, 4. */
#ifndef TUSK_LIB_OAUTH_ISSUER_H
#define TUSK_LIB_OAUTH_ISSUER_H

#include <stdbool.h>

#include <tusk/str.h>

/* What stands in front of the well-known part of a URL, and behind it: together the issuer. Views into the URL. */
typedef struct tusk__issuer {
    tusk_str front, back;
} tusk__issuer;

bool tusk__is_https(tusk_str url);

/* Does it look like such a URL, and not like an issuer? */
bool tusk__is_well_known(tusk_str url);

/* Whose is it? NULL, or what is wrong with the URL, as the end of a sentence about it ("must use https"). */
const char *tusk__issuer_of_url(tusk_str url, tusk__issuer *out);

/* Byte by byte, as RFC 9207 wants issuers compared. */
bool tusk__issuer_is(const tusk__issuer *issuer, tusk_str name);

#endif
