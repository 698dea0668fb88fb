/* The list of attempts and who is next. A row begins as a host; its name's addresses become rows of their own right behind it.
 * What one attempt does is dial.c's, what a failed login means connect.c's.
 * Read first: lib/attempts.h, docs/internals/connect.md. */
#include "lib/attempts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "lib/array.h"
#include "lib/owner.h"
#include "proto/error_set.h"

typedef enum state {
    WAITING, /* not begun */
    DIALING,
    PARKED, /* reached, while the owner was busy with another */
    TAKEN,  /* the owner has it; one at most */
    OVER    /* failed: err */
} state;

/* Fresh for each attempt: nothing of a failed one survives it but its error (D28). */
typedef struct attempt {
    struct attempt *next;
    tusk__attempts *list;
    state state;
    tusk__route route;
    tusk__dial *dial;           /* DIALING */
    tusk__transport *transport; /* PARKED */
    tusk__timer deadline;       /* DIALING, TAKEN */
    tusk_error err;
} attempt;

struct tusk__attempts {
    tusk_loop *loop;
    tusk__settings *settings;
    tusk__attempts_owner owner;
    attempt *first;
    bool takes_any;      /* the second pass of prefer-standby: the first has found none */
    bool gave_up;        /* … and there is none behind what ends the list */
    tusk__timer stagger; /* runs: the next row is not due yet */
    tusk__task task;
};

static void look_task(tusk__task *task);

/* ---- the list ---------------------------------------------------------------------------------------------------------- */

static attempt *find(const tusk__attempts *a, state wanted)
{
    attempt *at = a->first;

    while (at && at->state != wanted)
        at = at->next;
    return at;
}

/* A row behind `place`. */
static tusk_code insert(tusk__attempts *a, attempt **place, const tusk__route *route, tusk_error *err)
{
    const tusk_allocator *allocator = tusk__loop_allocator(a->loop);
    attempt *at = allocator->malloc(sizeof *at, allocator->user);

    if (!at)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a connection attempt");
    *at = (attempt){.next = *place, .list = a, .route = *route};
    *place = at;
    return TUSK_OK;
}

/* Give up what it is doing. */
static void stop(attempt *at)
{
    tusk__timer_stop(at->list->loop, &at->deadline);
    if (at->dial)
        tusk__dial_cancel(at->dial);
    at->dial = NULL;
    if (at->transport)
        at->transport->ops->close(at->transport);
    at->transport = NULL;
}

static void remove_at(attempt **place)
{
    attempt *at = *place;
    const tusk_allocator *allocator = tusk__loop_allocator(at->list->loop);

    *place = at->next;
    stop(at);
    allocator->free(at, allocator->user);
}

/* ---- errors ---------------------------------------------------------------------------------------------------------------- */

static void format_address(const tusk__route *route, char *buf, size_t size)
{
    const tusk__address *address = &route->address;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    buf[0] = '\0';
    if (route->has_address && address->family == AF_INET) {
        memcpy(&in, &address->addr, sizeof in);
        (void)inet_ntop(AF_INET, &in.sin_addr, buf, (socklen_t)size);
    } else if (route->has_address && address->family == AF_INET6) {
        memcpy(&in6, &address->addr, sizeof in6);
        (void)inet_ntop(AF_INET6, &in6.sin6_addr, buf, (socklen_t)size);
    }
}

/* "db1:5432 (10.0.0.1): could not connect: connection refused" */
static void print_attempt(const attempt *at, char *buf, size_t size)
{
    char ip[INET6_ADDRSTRLEN];
    const tusk__route *route = &at->route;

    format_address(route, ip, sizeof ip);
    if (tusk_str_is(route->host, ip))
        ip[0] = '\0';
    (void)snprintf(buf, size, TUSK_STR_FMT ":%u%s%s%s: %.160s", TUSK_STR_ARG(route->host), (unsigned)route->port,
                   ip[0] ? " (" : "", ip, ip[0] ? ")" : "", at->state == OVER ? at->err.message : "no answer yet");
}

/* All but `told`, behind what the detail says already; as much as goes in. */
static void name_others(const tusk__attempts *a, const attempt *told, tusk_error *err)
{
    char text[2 * sizeof err->detail], one[2 * sizeof err->detail];
    size_t len = strlen(err->detail), n = 0;

    memcpy(text, err->detail, len + 1);
    for (const attempt *at = a->first; at && len < sizeof text; at = at->next) {
        if (at == told || at->state == WAITING)
            continue;
        print_attempt(at, one, sizeof one);
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s%s", n == 0 && len > 0 ? " " : "",
                                n == 0 ? "Other attempts: " : "; ", one);
        n++;
    }
    if (n > 0)
        tusk__error_detail(err, tusk_str_of(text));
}

/* A word of the server's says more than the network's, and a refusal more than that it is not the right server. */
static int weight_of(const tusk_error *err)
{
    if (err->code == TUSK_ERR_CONNECT)
        return err->os == 0;
    return err->code == TUSK_ERR_RESOLVE || err->code == TUSK_ERR_TIMEOUT || err->code == TUSK_ERR_LOST ? 0 : 2;
}

static const attempt *most_telling(const tusk__attempts *a)
{
    const attempt *best = NULL;

    for (const attempt *at = a->first; at; at = at->next)
        if (at->state == OVER && (!best || weight_of(&at->err) >= weight_of(&best->err)))
            best = at;
    return best;
}

void tusk__attempts_explain(const tusk__attempts *a, tusk_error *err)
{
    const attempt *last = NULL;

    for (const attempt *at = a->first; at; at = at->next)
        if (at->state == DIALING)
            last = at;
    if (last)
        tusk__dial_where(last->dial, err);
    name_others(a, last ? last : find(a, TAKEN), err);
}

/* ---- one attempt ends ---------------------------------------------------------------------------------------------------- */

static void look_soon(tusk__attempts *a)
{
    tusk__timer_stop(a->loop, &a->stagger);
    tusk__loop_defer(a->loop, &a->task, look_task);
}

static void drop_host(tusk__attempts *a, size_t host_number)
{
    for (attempt **p = &a->first; *p;)
        if ((*p)->state != OVER && (*p)->route.host_number == host_number)
            remove_at(p);
        else
            p = &(*p)->next;
}

/* What lies behind it is not wanted any more. What was begun in front of it, and would be preferred to it, goes on. */
static void give_up_behind(tusk__attempts *a, attempt *at)
{
    a->gave_up = true;
    while (at->next)
        remove_at(&at->next);
    for (attempt **p = &a->first; *p;)
        if ((*p)->state == WAITING)
            remove_at(p);
        else
            p = &(*p)->next;
}

/* The row of sslmode's second way: without TLS behind one with it, or the reverse. False: there is none. */
static bool add_other_way(tusk__attempts *a, attempt *at)
{
    tusk__route routes[TUSK__ROUTES_MAX];
    tusk_error err = {0};

    if (tusk__routes_of(a->settings, at->route.host_number, routes, TUSK__ROUTES_MAX) < 2 ||
        routes[1].use_tls == at->route.use_tls)
        return false;
    routes[1].address = at->route.address;
    routes[1].has_address = at->route.has_address;
    return insert(a, &at->next, &routes[1], &err) == TUSK_OK;
}

static bool add_old_protocol(tusk__attempts *a, attempt *at)
{
    tusk__route route = at->route;
    tusk_error err = {0};

    route.old_protocol = true;
    return insert(a, &at->next, &route, &err) == TUSK_OK;
}

/* Nothing of the list is used behind it: the log is a callback like others, and may close the connection. */
static void end_attempt(attempt *at, const tusk_error *err, tusk__verdict verdict)
{
    tusk__attempts *a = at->list;
    bool takes_other_way = false;

    stop(at);
    if (verdict == TUSK__SAME_AGAIN) {
        at->state = WAITING;
        look_soon(a);
        return;
    }
    at->state = OVER;
    at->err = *err;
    at->err.fate = TUSK_FATE_NOT_SENT;
    if (verdict == TUSK__NEXT_HOST)
        drop_host(a, at->route.host_number);
    else if (verdict == TUSK__OTHER_WAY && add_other_way(a, at))
        takes_other_way = true;
    else if (verdict != TUSK__NEXT_ADDRESS && (verdict != TUSK__OLD_PROTOCOL || !add_old_protocol(a, at)))
        give_up_behind(a, at);
    look_soon(a);
    if (takes_other_way && a->settings->sslmode == TUSK__SSL_ALLOW)
        tusk__loop_log(a->loop, TUSK_LOG_INFO, "sslmode=allow: trying again with TLS after: %s", err->message);
    else if (takes_other_way)
        tusk__loop_log(a->loop, TUSK_LOG_WARNING, "sslmode=prefer: trying again without TLS after: %s", err->message);
}

static tusk__verdict judge_dial(const tusk__dial *dial, const tusk__route *route, const tusk_error *err)
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
    attempt *at = OWNER_OF(timer, attempt, deadline);
    tusk__attempts *a = at->list;
    tusk_error err = {0};

    (void)tusk__error_set(&err, TUSK_ERR_TIMEOUT, "08001", "no connection within connect_timeout (%g s)",
                          (double)a->settings->attempt_timeout_us / 1e6);
    err.fate = TUSK_FATE_NOT_SENT;
    if (at->state == TAKEN) {
        a->owner.on_expired(&err, a->owner.user);
        return;
    }
    tusk__dial_where(at->dial, &err);
    end_attempt(at, &err, TUSK__NEXT_ADDRESS);
}

static tusk_code start_deadline(attempt *at, tusk_error *err)
{
    tusk__attempts *a = at->list;

    if (a->settings->attempt_timeout_us <= 0 || tusk__timer_is_active(&at->deadline) ||
        tusk__timer_start(a->loop, &at->deadline, a->settings->attempt_timeout_us, on_deadline) == TUSK_OK)
        return TUSK_OK;
    return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a timer");
}

/* ---- addresses ------------------------------------------------------------------------------------------------------------- */

/* 0 … n-1, in this order or in any (Fisher and Yates). */
static tusk_code put_in_order(const tusk__attempts *a, size_t *order, size_t n, tusk_error *err)
{
    const tusk__os *os = tusk__loop_os(a->loop);

    for (size_t i = 0; i < n; i++) {
        uint64_t number = i;
        size_t k;

        if (i > 0 && a->settings->load_balance_hosts && os->random(os->ctx, &number, sizeof number) < 0)
            return tusk__error_set(err, TUSK_ERR_SYSTEM, NULL, "no random number for load_balance_hosts");
        k = (size_t)(number % (i + 1));
        order[i] = order[k];
        order[k] = i;
    }
    return TUSK_OK;
}

static void on_stagger(tusk__timer *timer)
{
    look_soon(OWNER_OF(timer, tusk__attempts, stagger));
}

/* Again when a name is resolved: that took its own time, and its addresses get theirs. */
static tusk_code start_stagger(tusk__attempts *a, tusk_error *err)
{
    if (tusk__timer_start(a->loop, &a->stagger, TUSK__STAGGER_US, on_stagger) == TUSK_OK)
        return TUSK_OK;
    return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a timer");
}

/* The first in order is this attempt's own; the others become rows behind it. */
static tusk_code insert_addresses(attempt *at, const tusk__address *addresses, const size_t *order, size_t n,
                                  tusk_error *err)
{
    tusk__route route = at->route;

    route.has_address = true;
    for (size_t i = n; i-- > 1;) {
        route.address = addresses[order[i]];
        TUSK_TRY(insert(at->list, &at->next, &route, err));
    }
    at->route.address = addresses[order[0]];
    at->route.has_address = true;
    return TUSK_OK;
}

static tusk_code on_addresses(const tusk__address *addresses, size_t n, size_t *mine, void *user, tusk_error *err)
{
    attempt *at = user;
    const tusk_allocator *allocator = tusk__loop_allocator(at->list->loop);
    size_t *order = tusk__array_new(allocator, n, sizeof *order);
    tusk_code code;

    if (!order)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the addresses of a name");
    code = put_in_order(at->list, order, n, err);
    if (code == TUSK_OK)
        code = insert_addresses(at, addresses, order, n, err);
    if (code == TUSK_OK)
        code = start_stagger(at->list, err);
    *mine = order[0];
    allocator->free(order, allocator->user);
    return code;
}

/* ---- who is next --------------------------------------------------------------------------------------------------------- */

/* The owner may free the list in its callback. */
static void take(attempt *at)
{
    tusk__attempts *a = at->list;
    tusk__transport *transport = at->transport;
    tusk_error err = {0};

    if (start_deadline(at, &err) != TUSK_OK) {
        end_attempt(at, &err, TUSK__GIVE_UP);
        return;
    }
    at->state = TAKEN;
    at->transport = NULL;
    tusk__timer_stop(a->loop, &a->stagger);
    a->owner.on_reached(transport, &at->route, a->owner.user);
}

static void on_dialed(tusk__dial *dial, tusk__transport *transport, const tusk__address *address, const tusk_error *err,
                      void *user)
{
    attempt *at = user;

    at->dial = NULL;
    if (err->code != TUSK_OK) {
        end_attempt(at, err, judge_dial(dial, &at->route, err));
        return;
    }
    at->route.address = *address; /* where a cancel must go, and no less protected */
    at->route.has_address = true;
    at->route.use_tls = at->route.must_tls = *tusk__transport_tls_version(transport) != '\0';
    at->transport = transport;
    at->state = PARKED;
    if (find(at->list, TAKEN))
        tusk__timer_stop(at->list->loop,
                         &at->deadline); /* it has done its part; the login's time begins when it is taken */
    else
        take(at);
}

static tusk_code begin(attempt *at, tusk_error *err)
{
    tusk__attempts *a = at->list;

    at->state = DIALING;
    TUSK_TRY(start_deadline(at, err));
    TUSK_TRY(start_stagger(a, err));
    at->dial = tusk__dial_start(a->loop, a->settings, &at->route, on_dialed, at, err);
    if (!at->dial)
        return err->code;
    tusk__dial_share(at->dial, on_addresses);
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
    while (a->first)
        remove_at(&a->first);
    if (fill(a, &err) == TUSK_OK)
        look_soon(a);
    else
        a->owner.on_failed(&err, a->owner.user);
    return true;
}

static void end(tusk__attempts *a)
{
    const attempt *at = most_telling(a);
    tusk_error err = at->err;

    if (begin_second_pass(a))
        return;
    name_others(a, at, &err);
    a->owner.on_failed(&err, a->owner.user);
}

static void look_task(tusk__task *task)
{
    tusk__attempts *a = OWNER_OF(task, tusk__attempts, task);
    attempt *at;
    tusk_error err = {0};

    if (find(a, TAKEN))
        return;
    if ((at = find(a, PARKED)))
        take(at);
    else if ((at = find(a, WAITING))) {
        if (begin(at, &err) != TUSK_OK)
            end_attempt(at, &err, TUSK__GIVE_UP);
    } else if (!find(a, DIALING))
        end(a);
}

void tusk__attempts_failed(tusk__attempts *a, const tusk_error *err, tusk__verdict verdict)
{
    end_attempt(find(a, TAKEN), err, verdict);
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
        TUSK_TRY(insert(a, &a->first, &routes[0], err));
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
    code = put_in_order(a, order, a->settings->n_hosts, err);
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
        look_soon(a);
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
    while (a->first)
        remove_at(&a->first);
    tusk__timer_stop(a->loop, &a->stagger);
    tusk__task_cancel(&a->task);
    tusk__settings_unref(a->settings);
    allocator->free(a, allocator->user);
}
