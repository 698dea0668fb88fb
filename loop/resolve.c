/* Names to addresses: numeric ones at once (but never inside the call), all others by getaddrinfo on the helper thread.
 * It keeps no cache and knows no deadline: who waits too long cancels.
 * Read first: loop/loop.h, "resolution"; loop/job.c. */
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/state.h"

enum {
    MAX_HOST = 255,     /* RFC 1035, 2.3.4, and longer than any numeric form */
    MAX_ADDRESSES = 256 /* more than anybody would try in turn */
};

struct tusk__resolve {
    tusk__job job;
    tusk__task task; /* in place of the job where the host is an address */
    tusk_loop *loop;
    tusk_allocator allocator; /* copies, because an abandoned job outlives its loop */
    const tusk__os *os;
    void (*on_done)(const tusk__address *addresses, size_t n, const tusk_error *err, void *user);
    void *user;
    uint16_t port;
    bool is_numeric;
    int gai_code, os_error;
    tusk__address *addresses; /* allocated, or &numeric */
    size_t n;
    tusk__address numeric;
    char host[MAX_HOST + 1];
};

static void free_resolve(tusk__resolve *resolve)
{
    tusk_allocator allocator = resolve->allocator;

    if (!resolve->is_numeric)
        allocator.free(resolve->addresses, allocator.user);
    allocator.free(resolve, allocator.user);
}

/* ---- addresses -------------------------------------------------------------------------------------------------------- */

static tusk__address inet_address(const struct in_addr *ip, uint16_t port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = *ip};
    tusk__address address = {.family = AF_INET, .len = sizeof sin};

    memcpy(&address.addr, &sin, sizeof sin);
    return address;
}

static tusk__address inet6_address(const struct in6_addr *ip, uint32_t scope_id, uint16_t port)
{
    struct sockaddr_in6 sin6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = *ip, .sin6_scope_id = scope_id};
    tusk__address address = {.family = AF_INET6, .len = sizeof sin6};

    memcpy(&address.addr, &sin6, sizeof sin6);
    return address;
}

/* "2" or "eth0". 0 if there is no such interface. */
static uint32_t scope_of(const tusk__os *os, const char *scope)
{
    char *end;
    unsigned long id = strtoul(scope, &end, 10);

    if (*scope >= '0' && *scope <= '9' && *end == '\0')
        return id <= UINT32_MAX ? (uint32_t)id : 0;
    return os->interface_index(os->ctx, scope);
}

/* Is the host an IPv6 address with a scope? Then it is answered here, be it by "no such interface". */
static bool parse_scoped(tusk__resolve *resolve)
{
    char ip[INET6_ADDRSTRLEN];
    const char *percent = strchr(resolve->host, '%');
    struct in6_addr in6;
    uint32_t scope_id;

    if (!percent || (size_t)(percent - resolve->host) >= sizeof ip)
        return false;
    memcpy(ip, resolve->host, (size_t)(percent - resolve->host));
    ip[percent - resolve->host] = '\0';
    if (inet_pton(AF_INET6, ip, &in6) != 1)
        return false;
    scope_id = scope_of(resolve->os, percent + 1);
    resolve->numeric = inet6_address(&in6, scope_id, resolve->port);
    resolve->gai_code = scope_id ? 0 : EAI_NONAME;
    return true;
}

static bool parse_numeric(tusk__resolve *resolve)
{
    struct in_addr in;
    struct in6_addr in6;

    if (inet_pton(AF_INET, resolve->host, &in) == 1)
        resolve->numeric = inet_address(&in, resolve->port);
    else if (inet_pton(AF_INET6, resolve->host, &in6) == 1)
        resolve->numeric = inet6_address(&in6, 0, resolve->port);
    else if (!parse_scoped(resolve))
        return false;
    resolve->addresses = &resolve->numeric;
    resolve->n = resolve->gai_code == 0 ? 1 : 0;
    return true;
}

/* ---- the answer ------------------------------------------------------------------------------------------------------- */

static void fill_error(const tusk__resolve *resolve, tusk_error *err)
{
    const char *why = resolve->gai_code == EAI_SYSTEM ? strerror(resolve->os_error) : gai_strerror(resolve->gai_code);
    char where[sizeof "resolve " + MAX_HOST];

    (void)tusk__loop_error(err, TUSK_ERR_RESOLVE, "could not resolve host \"%s\": %s", resolve->host, why);
    (void)snprintf(where, sizeof where, "resolve %s", resolve->host);
    tusk__loop_copy_text(err->where, sizeof err->where, where, strlen(where));
    err->os = resolve->gai_code == EAI_SYSTEM ? resolve->os_error : resolve->gai_code;
}

static void answer(tusk__resolve *resolve)
{
    tusk_error err = {0};

    if (resolve->gai_code != 0)
        fill_error(resolve, &err);
    resolve->on_done(resolve->addresses, resolve->n, &err, resolve->user);
    free_resolve(resolve);
}

static void on_task(tusk__task *task)
{
    tusk__resolve *resolve = TUSK__OWNER_OF(task, tusk__resolve, task);

    tusk__loop_release(resolve->loop);
    answer(resolve);
}

/* ---- the job ---------------------------------------------------------------------------------------------------------- */

static bool to_address(const struct addrinfo *ai, uint16_t port, tusk__address *out)
{
    struct sockaddr_in sin;
    struct sockaddr_in6 sin6;

    if (ai->ai_family == AF_INET && ai->ai_addrlen >= sizeof sin) {
        memcpy(&sin, ai->ai_addr, sizeof sin);
        *out = inet_address(&sin.sin_addr, port);
        return true;
    }
    if (ai->ai_family == AF_INET6 && ai->ai_addrlen >= sizeof sin6) {
        memcpy(&sin6, ai->ai_addr, sizeof sin6);
        *out = inet6_address(&sin6.sin6_addr, sin6.sin6_scope_id, port);
        return true;
    }
    return false;
}

/* Whole structs can be compared: ours are built from zero, field by field. */
static bool is_known(const tusk__resolve *resolve, const tusk__address *address)
{
    for (size_t i = 0; i < resolve->n; i++)
        if (memcmp(&resolve->addresses[i].addr, &address->addr, sizeof address->addr) == 0)
            return true;
    return false;
}

static void take_addresses(tusk__resolve *resolve, const struct addrinfo *list)
{
    size_t n = 0, size;

    for (const struct addrinfo *ai = list; ai && n < MAX_ADDRESSES; ai = ai->ai_next)
        n++;
    size = (n + 1) * sizeof *resolve->addresses;
    resolve->addresses = resolve->allocator.malloc(size, resolve->allocator.user);
    if (!resolve->addresses) {
        resolve->gai_code = EAI_MEMORY;
        return;
    }
    for (const struct addrinfo *ai = list; n > 0; ai = ai->ai_next, n--) {
        tusk__address *next = &resolve->addresses[resolve->n];
        if (to_address(ai, resolve->port, next) && !is_known(resolve, next))
            resolve->n++;
    }
    if (resolve->n == 0)
        resolve->gai_code = EAI_NONAME;
}

static void work(tusk__job *job)
{
    tusk__resolve *resolve = TUSK__OWNER_OF(job, tusk__resolve, job);
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    const tusk__os *os = resolve->os;
    struct addrinfo *list = NULL;

    resolve->gai_code = os->getaddrinfo(os->ctx, resolve->host, NULL, &hints, &list, &resolve->os_error);
    if (resolve->gai_code != 0)
        return;
    take_addresses(resolve, list);
    os->freeaddrinfo(os->ctx, list);
}

static void done(tusk__job *job)
{
    answer(TUSK__OWNER_OF(job, tusk__resolve, job));
}

static void drop(tusk__job *job)
{
    free_resolve(TUSK__OWNER_OF(job, tusk__resolve, job));
}

/* ---- start and cancel ------------------------------------------------------------------------------------------------- */

static tusk_code check_host(tusk_str host, tusk_error *err)
{
    if (host.len == 0)
        return tusk__loop_error(err, TUSK_ERR_RESOLVE, "the host name is empty");
    if (host.len > MAX_HOST)
        return tusk__loop_error(err, TUSK_ERR_RESOLVE, "the host name is longer than %d bytes", MAX_HOST);
    if (memchr(host.ptr, '\0', host.len))
        return tusk__loop_error(err, TUSK_ERR_RESOLVE, "the host name contains a zero byte");
    return TUSK_OK;
}

/* The numeric answer holds the loop as a job would: somebody is waiting for it. */
static tusk_code begin(tusk__resolve *resolve, tusk_error *err)
{
    resolve->is_numeric = parse_numeric(resolve);
    if (!resolve->is_numeric)
        return tusk__job_start(resolve->loop, &resolve->job, err);
    tusk__loop_hold(resolve->loop);
    tusk__loop_defer(resolve->loop, &resolve->task, on_task);
    return TUSK_OK;
}

tusk__resolve *tusk__resolve_start(tusk_loop *loop, tusk_str host, uint16_t port,
                                   void (*on_done)(const tusk__address *addresses, size_t n, const tusk_error *err,
                                                   void *user),
                                   void *user, tusk_error *err)
{
    tusk__resolve *resolve;

    if (tusk__loop_check(loop, err) != TUSK_OK || check_host(host, err) != TUSK_OK)
        return NULL;
    resolve = tusk__loop_malloc(loop, sizeof *resolve);
    if (!resolve) {
        (void)tusk__loop_error(err, TUSK_ERR_NOMEM, "out of memory for a name's resolution");
        return NULL;
    }
    *resolve = (tusk__resolve){.job = {.work = work, .done = done, .drop = drop},
                               .loop = loop,
                               .allocator = loop->allocator,
                               .os = loop->os,
                               .on_done = on_done,
                               .user = user,
                               .port = port};
    memcpy(resolve->host, host.ptr, host.len);
    if (begin(resolve, err) == TUSK_OK)
        return resolve;
    free_resolve(resolve);
    return NULL;
}

void tusk__resolve_cancel(tusk__resolve *resolve)
{
    if (!resolve->is_numeric) {
        tusk__job_abandon(resolve->loop, &resolve->job);
        return;
    }
    assert(resolve->task.next); /* on_done has not been called yet */
    tusk__task_cancel(&resolve->task);
    tusk__loop_release(resolve->loop);
    free_resolve(resolve);
}
