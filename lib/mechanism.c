/* Exchanges: a mechanism's functions called, and what they answer held to the rules of the seam.
 * Read first: lib/mechanism.h. */
#include "lib/mechanism.h"

#include <assert.h>
#include <stdio.h>

#include "loop/loop.h"
#include "proto/bounds.h"
#include "proto/error_set.h"

/* ---- which ---- */

const tusk_auth_mechanism *tusk__mechanism_of_method(const tusk__settings *settings, tusk__auth_method method)
{
    for (size_t i = 0; i < settings->n_mechanisms; i++)
        if (settings->mechanisms[i]->method == method)
            return settings->mechanisms[i];
    return NULL;
}

const tusk_auth_mechanism *tusk__mechanism_of_sasl(const tusk__settings *settings, tusk_str name)
{
    for (size_t i = 0; i < settings->n_mechanisms; i++)
        if (settings->mechanisms[i]->is_sasl && tusk_str_is(name, settings->mechanisms[i]->name))
            return settings->mechanisms[i];
    return NULL;
}

const char *tusk__mechanism_to_name(tusk__auth_method method)
{
    static const char *const names[TUSK__N_METHODS] = {
        [TUSK__METHOD_GSS] = "tusk_gssapi()",
        [TUSK__METHOD_SSPI] = "tusk_gssapi()",
        [TUSK__METHOD_OAUTH] = "tusk_oauth()",
    };

    return names[method];
}

void tusk__mechanism_hint(tusk__auth_method method, tusk_error *err)
{
    char text[96];

    snprintf(text, sizeof text, "Name %s in tusk_config.auth_mechanisms.", tusk__mechanism_to_name(method));
    tusk__error_hint(err, tusk_str_of(text));
}

/* ---- life ---- */

tusk_code tusk__exchange_new(tusk_loop *loop, tusk__settings *settings, const tusk__host *host,
                             const tusk_auth_mechanism *mechanism, tusk__exchange **out, tusk_error *err)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    tusk__exchange *x = allocator->malloc(sizeof *x, allocator->user);
    tusk_code code;

    if (!x)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for %s", mechanism->name);
    *x = (tusk__exchange){.loop = loop, .settings = tusk__settings_ref(settings), .host = host, .mechanism = mechanism};
    code = mechanism->start(x, &x->state, err);
    if (code == TUSK_OK)
        *out = x;
    else
        tusk__exchange_free(x);
    return code;
}

void tusk__exchange_free(tusk__exchange *x)
{
    const tusk_allocator *allocator;

    if (!x)
        return;
    allocator = tusk__loop_allocator(x->loop);
    if (x->state)
        x->mechanism->free(x->state);
    tusk__settings_unref(x->settings);
    allocator->free(x, allocator->user);
}

/* ---- at work ---- */

/* What has been said to the server counts by standing; behind its refusal nothing does but whether it all begins again. */
static tusk_code settle(tusk__exchange *x, tusk_code code, const tusk__reply *reply, tusk_error *err)
{
    x->is_waiting = code == TUSK_AGAIN;
    if (code != TUSK_OK)
        return code;
    assert(x->is_refused || reply->standing != TUSK__STANDING_BEGINS_AGAIN);
    if (reply->data.len > TUSK__AUTH_TOKEN_MAX)
        return tusk__error_set(err, TUSK_ERR_LIMIT, NULL, "an answer of %s is longer than a server takes",
                               x->mechanism->name);
    x->standing = reply->standing;
    if (!x->is_refused)
        return TUSK_OK;
    if (x->standing != TUSK__STANDING_BEGINS_AGAIN || x->was_repeated)
        x->standing = TUSK__STANDING_REFUSED;
    x->was_repeated = x->was_repeated || x->standing == TUSK__STANDING_BEGINS_AGAIN;
    return TUSK_OK;
}

tusk_code tusk__exchange_step(tusk__exchange *x, tusk_str input, tusk__reply *reply, tusk_error *err)
{
    *reply = (tusk__reply){0};
    return settle(x, x->mechanism->step(x->state, input, reply, err), reply, err);
}

tusk_code tusk__exchange_resume(tusk__exchange *x, tusk__reply *reply, tusk_error *err)
{
    *reply = (tusk__reply){0};
    return settle(x, x->mechanism->resume(x->state, reply, err), reply, err);
}

tusk_code tusk__exchange_refused(tusk__exchange *x, tusk_error *error, tusk__reply *reply, tusk_error *err)
{
    *reply = (tusk__reply){0};
    x->is_refused = true;
    return settle(x, x->mechanism->refused ? x->mechanism->refused(x->state, error, reply, err) : TUSK_OK, reply, err);
}

void tusk__exchange_wake(tusk__exchange *x)
{
    if (x->on_wake)
        x->on_wake(x->wake_user);
}
