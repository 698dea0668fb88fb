/* The login's side of a question for a bearer token.
 * Read first: tusk/oauth.h, lib/question.h. */
#ifndef TUSK_LIB_OAUTH_TOKEN_H
#define TUSK_LIB_OAUTH_TOKEN_H

#include "lib/mechanism.h"
#include "lib/question.h"

/* What the program is told beside the configuration. */
typedef struct tusk__token_facts {
    tusk_str issuer, scope, discovery_url;
    bool is_discovered; /* the server was asked for these */
} tusk__token_facts;

/* Ask settings->on_token for the token of a login: as tusk__question_new(). An empty answer without an error: the server is to be asked
 * first; not if it was. */
TUSK_MUST_CHECK
tusk_code tusk__token_ask(const tusk__exchange *x, const tusk__token_facts *facts, tusk__answer_fn on_answer, void *user,
                          tusk__question **mine, tusk_error *err);

#endif
