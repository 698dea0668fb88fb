/* What a server answers to a token that it does not take, or to none: a JSON object (RFC 7628, 3.2.2), of which three members count.
 * It allocates nothing and judges nothing but the form.
 * Read first: lib/oauth.c; RFC 8259. */
#ifndef TUSK_LIB_OAUTH_JSON_H
#define TUSK_LIB_OAUTH_JSON_H

#include <tusk/error.h>
#include <tusk/str.h>

#include "proto/bounds.h"

/* A text is never longer than it was in the document; ptr NULL: not there. Not to be copied as a struct: they lie in it. */
typedef struct tusk__oauth_answer {
    tusk_str status, scope, discovery_url;
    char room[TUSK__AUTH_MESSAGE_MAX];
} tusk__oauth_answer;

/* Errors: TUSK_ERR_PROTOCOL by what is wrong, without the document's own words. */
TUSK_MUST_CHECK
tusk_code tusk__oauth_answer_read(tusk_str json, tusk__oauth_answer *out, tusk_error *err);

#endif
