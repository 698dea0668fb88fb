/* GSSAPI as a mechanism: each step is one call of the Kerberos library on the helper thread, since it asks the realm's servers and
 * reads files.
 * It is the only file that knows that library; what the server asks for, and whether it may, is lib/login_auth.c's business.
 * Read first: lib/mechanism.h, docs/internals/login.md, "GSSAPI"; RFC 2743, RFC 2744. */
#include <gssapi/gssapi.h>
#include <tusk/gssapi.h>

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/mechanism.h"
#include "lib/owner.h"
#include "loop/loop.h"
#include "proto/bounds.h"
#include "proto/error_set.h"

/* The thread touches nothing else while it works, so that an abandoned step may outlive connection and loop. */
typedef struct gss {
    tusk__job job;
    tusk__exchange *x;        /* not the thread's */
    bool is_working;          /* … nor this: the job is under way */
    tusk_allocator allocator; /* a copy */

    OM_uint32 wanted, granted; /* GSS_C_…_FLAG */
    gss_name_t target;
    gss_ctx_id_t context;
    bool is_complete;
    gss_buffer_desc output; /* the library's memory; released before the next step */
    tusk_error error;
    bool has_input;
    size_t input_len;
    char input[TUSK__AUTH_MESSAGE_MAX];
    size_t service_len;
    char service[]; /* "postgres@db1" */
} gss;

/* ---- what went wrong ------------------------------------------------------------------------------------------------------ */

static void status_text(OM_uint32 status, int type, char *text, size_t size)
{
    OM_uint32 more = 0, ignored;
    gss_buffer_desc part;
    size_t len = 0;

    text[0] = '\0';
    do {
        if (gss_display_status(&ignored, status, type, GSS_C_NO_OID, &more, &part) != GSS_S_COMPLETE)
            return;
        if (len > 0 && len + 1 < size)
            text[len++] = ' ';
        tusk__error_copy(text + len, size - len, tusk_str_from(part.value, part.length));
        len += strlen(text + len);
        (void)gss_release_buffer(&ignored, &part);
    } while (more != 0);
}

static bool is_about_credentials(OM_uint32 major)
{
    OM_uint32 error = GSS_ROUTINE_ERROR(major);

    return error == GSS_S_NO_CRED || error == GSS_S_CREDENTIALS_EXPIRED;
}

/* The mechanism's text says more, if it has one. On the thread of the call: that is where the library keeps it. */
static void keep_error(gss *g, OM_uint32 major, OM_uint32 minor)
{
    char general[256], special[384] = "";

    status_text(major, GSS_C_GSS_CODE, general, sizeof general);
    if (minor != 0)
        status_text(minor, GSS_C_MECH_CODE, special, sizeof special);
    (void)tusk__error_set(&g->error, TUSK_ERR_AUTH, NULL, "GSSAPI for %s: %s", g->service,
                          special[0] ? special : general);
    if (special[0])
        tusk__error_detail(&g->error, tusk_str_of(general));
    if (is_about_credentials(major))
        tusk__error_hint(&g->error,
                         tusk_str_of("Get a ticket by kinit. KRB5CCNAME says where tickets are looked for."));
}

/* ---- on the helper thread ------------------------------------------------------------------------------------------------- */

static bool import_target(gss *g)
{
    gss_buffer_desc name = {.length = g->service_len, .value = g->service};
    OM_uint32 minor, major = gss_import_name(&minor, &name, GSS_C_NT_HOSTBASED_SERVICE, &g->target);

    if (major == GSS_S_COMPLETE)
        return true;
    keep_error(g, major, minor);
    return false;
}

/* Who proves nothing of himself is not believed, whatever the library thinks of the rest. */
static void check_proof(gss *g)
{
    if (g->is_complete && !(g->granted & GSS_C_MUTUAL_FLAG))
        (void)tusk__error_set(&g->error, TUSK_ERR_AUTH, NULL, "GSSAPI for %s: the server has not proved itself",
                              g->service);
}

static void work(tusk__job *job)
{
    gss *g = OWNER_OF(job, gss, job);
    gss_buffer_desc input = {.length = g->input_len, .value = g->input};
    OM_uint32 major, minor;

    if (g->target == GSS_C_NO_NAME && !import_target(g))
        return;
    major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &g->context, g->target, GSS_C_NO_OID, g->wanted, 0,
                                 GSS_C_NO_CHANNEL_BINDINGS, g->has_input ? &input : GSS_C_NO_BUFFER, NULL, &g->output,
                                 &g->granted, NULL);
    g->is_complete = major == GSS_S_COMPLETE;
    if (GSS_ERROR(major))
        keep_error(g, major, minor);
    else
        check_proof(g);
}

/* ---- its end -------------------------------------------------------------------------------------------------------------- */

static void destroy(gss *g)
{
    const tusk_allocator allocator = g->allocator;
    OM_uint32 ignored;

    (void)gss_release_buffer(&ignored, &g->output);
    if (g->context != GSS_C_NO_CONTEXT)
        (void)gss_delete_sec_context(&ignored, &g->context, GSS_C_NO_BUFFER);
    if (g->target != GSS_C_NO_NAME)
        (void)gss_release_name(&ignored, &g->target);
    allocator.free(g, allocator.user);
}

static void drop(tusk__job *job)
{
    destroy(OWNER_OF(job, gss, job));
}

static void done(tusk__job *job)
{
    gss *g = OWNER_OF(job, gss, job);

    g->is_working = false;
    tusk__exchange_wake(g->x);
}

/* ---- life ----------------------------------------------------------------------------------------------------------------- */

static tusk_code check(const tusk__settings *settings, tusk_error *err)
{
    tusk_str name = settings->krbsrvname;

    if (name.len == 0 || memchr(name.ptr, '@', name.len) || memchr(name.ptr, '/', name.len))
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL,
                               "krbsrvname must be the name of a service alone: \"postgres\", without host or realm");
    return TUSK_OK;
}

/* As libpq: a service of a host, by its name. */
static tusk_code check_host(const tusk__host *host, tusk_error *err)
{
    if (tusk__host_is_local(host))
        return tusk__error_set(
            err, TUSK_ERR_AUTH, NULL,
            "the server asks for GSSAPI authentication on a Unix-domain socket, which has no host's name");
    if (host->hostaddr.len > 0 && tusk_str_equal(host->host, host->hostaddr))
        return tusk__error_set(err, TUSK_ERR_AUTH, NULL, "GSSAPI needs the server's name: give host beside hostaddr");
    return TUSK_OK;
}

static char *put(char *to, tusk_str text)
{
    if (text.len > 0)
        memcpy(to, text.ptr, text.len);
    return to + text.len;
}

static void name_service(gss *g, tusk_str service, tusk_str host)
{
    char *end = put(g->service, service);

    *end++ = '@';
    end = put(end, host);
    *end = '\0';
    g->service_len = (size_t)(end - g->service);
}

static tusk_code start(tusk__exchange *x, void **state, tusk_error *err)
{
    const tusk__settings *s = x->settings;
    const tusk_allocator *allocator = tusk__loop_allocator(x->loop);
    gss *g;

    TUSK_TRY(check_host(x->host, err));
    g = allocator->malloc(sizeof *g + s->krbsrvname.len + x->host->host.len + sizeof "@", allocator->user);
    if (!g)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for GSSAPI");
    *g = (gss){.job = {.work = work, .done = done, .drop = drop},
               .x = x,
               .allocator = *allocator,
               .wanted = GSS_C_MUTUAL_FLAG | (s->gssdelegation ? GSS_C_DELEG_FLAG : 0),
               .target = GSS_C_NO_NAME,
               .context = GSS_C_NO_CONTEXT};
    name_service(g, s->krbsrvname, x->host->host);
    *state = g;
    return TUSK_OK;
}

static void stop(void *state)
{
    gss *g = state;

    if (g->is_working)
        tusk__job_abandon(g->x->loop, &g->job);
    else
        destroy(g);
}

/* ---- steps ---------------------------------------------------------------------------------------------------------------- */

static void take_input(gss *g, tusk_str input)
{
    assert(input.len <= sizeof g->input); /* proto/bounds.h */
    g->has_input = input.ptr != NULL;
    g->input_len = input.len;
    if (input.ptr)
        memcpy(g->input, input.ptr, input.len);
}

static tusk_code step(void *state, tusk_str input, tusk__reply *reply, tusk_error *err)
{
    gss *g = state;
    OM_uint32 ignored;

    (void)reply;
    assert(!g->is_complete); /* the session takes nothing but AuthenticationOk behind DONE */
    (void)gss_release_buffer(&ignored, &g->output);
    take_input(g, input);
    TUSK_TRY(tusk__job_start(g->x->loop, &g->job, err));
    g->is_working = true;
    return TUSK_AGAIN;
}

static void note_delegation(const gss *g)
{
    if (g->is_complete && (g->wanted & ~g->granted & GSS_C_DELEG_FLAG))
        tusk__loop_log(g->x->loop, TUSK_LOG_WARNING,
                       "gssdelegation=1, but the ticket could not be handed on to %s: is it forwardable?", g->service);
}

static tusk_code resume(void *state, tusk__reply *reply, tusk_error *err)
{
    const gss *g = state;

    if (g->error.code != TUSK_OK) {
        if (err && err->code == TUSK_OK)
            *err = g->error;
        return g->error.code;
    }
    note_delegation(g);
    if (g->output.length > 0)
        reply->data = tusk_str_from(g->output.value, g->output.length);
    reply->standing = g->is_complete ? TUSK__STANDING_DONE : TUSK__STANDING_GOES_ON;
    return TUSK_OK;
}

static void explain(const void *state, tusk_error *err)
{
    const gss *g = state;
    char text[sizeof err->detail];

    if (!g->is_working)
        return;
    (void)snprintf(text, sizeof text,
                   "The Kerberos library has not answered for %s: it may be waiting for a KDC, or for DNS.",
                   g->service);
    tusk__error_detail(err, tusk_str_of(text));
}

const tusk_auth_mechanism *tusk_gssapi(void)
{
    static const tusk_auth_mechanism mechanism = {
        .name = "GSSAPI",
        .method = TUSK__METHOD_GSS,
        .check = check,
        .start = start,
        .step = step,
        .resume = resume,
        .explain = explain,
        .free = stop,
    };

    return &mechanism;
}
