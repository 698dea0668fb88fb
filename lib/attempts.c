/* The list of attempts and who is next. A row begins as a host; its name's addresses become rows of their own right behind it.
 * What one attempt does is dial.c's, what a failed login means connect.c's, what its end means for the others attempts_end.c's.
 * Read first: lib/attempts.h, docs/internals/connect.md. */
#include "lib/attempts.h"

#include "lib/array.h"
#include "lib/attempts_list.h"
#include "lib/owner.h"
#include "proto/error_set.h"

static void look_task(tusk__task *task);

/* ---- who is next --------------------------------------------------------------------------------------------------------- */

void tusk__attempts_look_soon(tusk__attempts *a)
{
    tusk__timer_stop(a->loop, &a->stagger);
    tusk__loop_defer(a->loop, &a->task, look_task);
}

/* The owner may free the list in its callback. */
static void take(tusk__attempt *at)
{
    tusk__attempts *a = at->list;
    tusk__transport *transport = at->transport;
    tusk_error err = {0};

    if (tusk__attempt_start_deadline(at, &err) != TUSK_OK) {
        tusk__attempt_end(at, &err, TUSK__GIVE_UP);
        return;
    }
    tusk__attempt_become(at, TUSK__ATTEMPT_TAKEN);
    at->transport = NULL;
    tusk__timer_stop(a->loop, &a->stagger);
    a->owner.on_reached(transport, &at->route, a->owner.user);
}

static void on_dialed(tusk__dial *dial, tusk__transport *transport, const tusk__address *address, const tusk_error *err,
                      void *user)
{
    tusk__attempt *at = user;

    at->dial = NULL;
    if (err->code != TUSK_OK) {
        tusk__attempt_end(at, err, tusk__attempt_judge(dial, &at->route, err));
        return;
    }
    at->route.address = *address; /* where a cancel must go, and no less protected */
    at->route.has_address = true;
    at->route.use_tls = at->route.must_tls = *tusk__transport_tls_version(transport) != '\0';
    at->transport = transport;
    tusk__attempt_become(at, TUSK__ATTEMPT_PARKED);
    if (tusk__attempts_find(at->list, TUSK__ATTEMPT_TAKEN))
        tusk__timer_stop(at->list->loop,
                         &at->deadline); /* it has done its part; the login's time begins when it is taken */
    else
        take(at);
}

static tusk_code begin(tusk__attempt *at, tusk_error *err)
{
    tusk__attempts *a = at->list;

    tusk__attempt_become(at, TUSK__ATTEMPT_DIALING);
    TUSK_TRY(tusk__attempt_start_deadline(at, err));
    TUSK_TRY(tusk__attempts_start_stagger(a, err));
    at->dial = tusk__dial_start(a->loop, a->settings, &at->route, on_dialed, at, err);
    if (!at->dial)
        return err->code;
    tusk__dial_share(at->dial, tusk__attempt_on_addresses);
    return TUSK_OK;
}

static tusk_code fill(tusk__attempts *a, tusk_error *err);

/* prefer-standby goes through the list once more, whatever it met there, as libpq does. */
static bool begin_second_pass(tusk__attempts *a)
{
    tusk_error err = {0};

    if (a->gave_up || tusk__attempts_wants(a) != TUSK__SESSION_PREFER_STANDBY)
        return false;
    a->takes_any = true;
    tusk__attempts_clear(a);
    if (fill(a, &err) == TUSK_OK)
        tusk__attempts_look_soon(a);
    else
        a->owner.on_failed(&err, a->owner.user);
    return true;
}

static void end(tusk__attempts *a)
{
    const tusk__attempt *at = tusk__attempts_most_telling(a);
    tusk_error err = at->err;

    if (begin_second_pass(a))
        return;
    tusk__attempts_name_others(a, at, &err);
    a->owner.on_failed(&err, a->owner.user);
}

static void look_task(tusk__task *task)
{
    tusk__attempts *a = OWNER_OF(task, tusk__attempts, task);
    tusk__attempt *at;
    tusk_error err = {0};

    if (tusk__attempts_find(a, TUSK__ATTEMPT_TAKEN))
        return;
    if ((at = tusk__attempts_find(a, TUSK__ATTEMPT_PARKED)))
        take(at);
    else if ((at = tusk__attempts_find(a, TUSK__ATTEMPT_WAITING))) {
        if (begin(at, &err) != TUSK_OK)
            tusk__attempt_end(at, &err, TUSK__GIVE_UP);
    } else if (!tusk__attempts_find(a, TUSK__ATTEMPT_DIALING))
        end(a);
}

void tusk__attempts_failed(tusk__attempts *a, const tusk_error *err, tusk__verdict verdict)
{
    tusk__attempt_end(tusk__attempts_find(a, TUSK__ATTEMPT_TAKEN), err, verdict);
}

tusk__session_attrs tusk__attempts_wants(const tusk__attempts *a)
{
    return a->takes_any ? TUSK__SESSION_ANY : (tusk__session_attrs)a->settings->target_session_attrs;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

/* One row for each host, in the order in which they are tried. */
static tusk_code add_hosts(tusk__attempts *a, const size_t *order, tusk_error *err)
{
    tusk__route routes[TUSK__ROUTES_MAX];

    for (size_t i = a->settings->n_hosts; i-- > 0;) {
        (void)tusk__routes_of(a->settings, order[i], routes, TUSK__ROUTES_MAX);
        TUSK_TRY(tusk__attempts_insert(a, &a->first, &routes[0], err));
    }
    return TUSK_OK;
}

static tusk_code fill(tusk__attempts *a, tusk_error *err)
{
    const tusk_allocator *allocator = tusk__loop_allocator(a->loop);
    size_t *order = tusk__array_new(allocator, a->settings->n_hosts, sizeof *order);
    tusk_code code;

    if (!order)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the list of hosts");
    code = tusk__attempts_put_in_order(a, order, a->settings->n_hosts, err);
    if (code == TUSK_OK)
        code = add_hosts(a, order, err);
    allocator->free(order, allocator->user);
    return code;
}

tusk__attempts *tusk__attempts_start(tusk_loop *loop, tusk__settings *settings, const tusk__attempts_owner *owner,
                                     tusk_error *err)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    tusk__attempts *a = allocator->malloc(sizeof *a, allocator->user);

    if (!a) {
        (void)tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a connection attempt");
        return NULL;
    }
    *a = (tusk__attempts){.loop = loop, .settings = tusk__settings_ref(settings), .owner = *owner};
    if (fill(a, err) == TUSK_OK) {
        tusk__attempts_look_soon(a);
        return a;
    }
    tusk__attempts_free(a);
    return NULL;
}

void tusk__attempts_free(tusk__attempts *a)
{
    const tusk_allocator *allocator;

    if (!a)
        return;
    allocator = tusk__loop_allocator(a->loop);
    tusk__attempts_clear(a);
    tusk__timer_stop(a->loop, &a->stagger);
    tusk__task_cancel(&a->task);
    tusk__settings_unref(a->settings);
    allocator->free(a, allocator->user);
}
