/* One attempt ends: which of the others still count, and which new one its end brings.
 * Read first: lib/attempts_list.h; docs/internals/connect.md, "Which failure leads where". */
#include "lib/attempts_list.h"
#include "lib/owner.h"
#include "proto/error_set.h"

static void drop_host(tusk__attempts *a, size_t host_number)
{
    tusk__attempt **p = &a->first;

    while (*p && (*p)->route.host_number != host_number)
        p = &(*p)->next;
    while (*p && (*p)->route.host_number == host_number)
        if ((*p)->state != TUSK__ATTEMPT_OVER)
            tusk__attempt_remove(p);
        else
            p = &(*p)->next;
}

/* What lies behind it is not wanted any more. What was begun in front of it, and would be preferred to it, goes on. */
static void give_up_behind(tusk__attempts *a, tusk__attempt *at)
{
    a->gave_up = true;
    while (at->next)
        tusk__attempt_remove(&at->next);
    for (tusk__attempt **p = &a->first; *p;)
        if ((*p)->state == TUSK__ATTEMPT_WAITING)
            tusk__attempt_remove(p);
        else
            p = &(*p)->next;
}

/* The row of sslmode's second way: without TLS behind one with it, or the reverse. False: there is none. */
static bool add_other_way(tusk__attempts *a, tusk__attempt *at)
{
    tusk__route routes[TUSK__ROUTES_MAX];
    tusk_error err = {0};

    if (tusk__routes_of(a->settings, at->route.host_number, routes, TUSK__ROUTES_MAX) < 2 ||
        routes[1].use_tls == at->route.use_tls)
        return false;
    routes[1].address = at->route.address;
    routes[1].has_address = at->route.has_address;
    return tusk__attempts_insert(a, &at->next, &routes[1], &err) == TUSK_OK;
}

static bool add_old_protocol(tusk__attempts *a, tusk__attempt *at)
{
    tusk__route route = at->route;
    tusk_error err = {0};

    route.old_protocol = true;
    return tusk__attempts_insert(a, &at->next, &route, &err) == TUSK_OK;
}

/* Nothing of the list is used behind it: the log is a callback like others, and may close the connection. */
void tusk__attempt_end(tusk__attempt *at, const tusk_error *err, tusk__verdict verdict)
{
    tusk__attempts *a = at->list;
    bool takes_other_way = false;

    tusk__attempt_stop(at);
    if (verdict == TUSK__SAME_AGAIN) {
        tusk__attempt_become(at, TUSK__ATTEMPT_WAITING);
        tusk__attempts_look_soon(a);
        return;
    }
    tusk__attempt_become(at, TUSK__ATTEMPT_OVER);
    at->err = *err;
    at->err.fate = TUSK_FATE_NOT_SENT;
    if (verdict == TUSK__NEXT_HOST)
        drop_host(a, at->route.host_number);
    else if (verdict == TUSK__OTHER_WAY && add_other_way(a, at))
        takes_other_way = true;
    else if (verdict != TUSK__NEXT_ADDRESS && (verdict != TUSK__OLD_PROTOCOL || !add_old_protocol(a, at)))
        give_up_behind(a, at);
    tusk__attempt_put_away(at);
    tusk__attempts_look_soon(a);
    if (takes_other_way && a->settings->sslmode == TUSK__SSL_ALLOW)
        tusk__loop_log(a->loop, TUSK_LOG_INFO, "sslmode=allow: trying again with TLS after: %s", err->message);
    else if (takes_other_way)
        tusk__loop_log(a->loop, TUSK_LOG_WARNING, "sslmode=prefer: trying again without TLS after: %s", err->message);
}

tusk__verdict tusk__attempt_judge(const tusk__dial *dial, const tusk__route *route, const tusk_error *err)
{
    bool was_lost = err->code == TUSK_ERR_TLS && strcmp(err->sqlstate, "08006") == 0;

    if (err->code == TUSK_ERR_RESOLVE)
        return TUSK__NEXT_HOST;
    if (err->code == TUSK_ERR_CONNECT && !tusk__dial_was_answered(dial))
        return TUSK__NEXT_ADDRESS;
    if (err->code == TUSK_ERR_TLS && !route->must_tls)
        return TUSK__OTHER_WAY;
    return was_lost ? TUSK__NEXT_ADDRESS : TUSK__GIVE_UP;
}

static void on_deadline(tusk__timer *timer)
{
    tusk__attempt *at = OWNER_OF(timer, tusk__attempt, deadline);
    tusk__attempts *a = at->list;
    tusk_error err = {0};

    (void)tusk__error_set(&err, TUSK_ERR_TIMEOUT, "08001", "no connection within connect_timeout (%g s)",
                          (double)a->settings->attempt_timeout_us / 1e6);
    err.fate = TUSK_FATE_NOT_SENT;
    if (at->state == TUSK__ATTEMPT_TAKEN) {
        a->owner.on_expired(&err, a->owner.user);
        return;
    }
    tusk__dial_where(at->dial, &err);
    tusk__attempt_end(at, &err, TUSK__NEXT_ADDRESS);
}

tusk_code tusk__attempt_start_deadline(tusk__attempt *at, tusk_error *err)
{
    tusk__attempts *a = at->list;

    if (a->settings->attempt_timeout_us <= 0 || tusk__timer_is_active(&at->deadline) ||
        tusk__timer_start(a->loop, &at->deadline, a->settings->attempt_timeout_us, on_deadline) == TUSK_OK)
        return TUSK_OK;
    return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a timer");
}
