/* What the end of a list says: the most telling error, and in its detail the others.
 * Read first: lib/attempts_list.h. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "lib/attempts_list.h"
#include "proto/error_set.h"

size_t tusk__address_print(const tusk__route *route, char *buf, size_t size)
{
    const tusk__address *address = &route->address;
    char text[INET6_ADDRSTRLEN] = "";
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (route->has_address && address->family == AF_INET) {
        memcpy(&in, &address->addr, sizeof in);
        (void)inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
    } else if (route->has_address && address->family == AF_INET6) {
        memcpy(&in6, &address->addr, sizeof in6);
        (void)inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof text);
    }
    return (size_t)snprintf(buf, size, "%s", text);
}

/* The rows that were begun, one after the other: those that are over, in the order of their ends, then the others. */
static const tusk__attempt *begun_from(const tusk__attempt *at)
{
    while (at && at->state == TUSK__ATTEMPT_WAITING)
        at = at->next;
    return at;
}

static const tusk__attempt *first_begun(const tusk__attempts *a)
{
    return a->over ? a->over : begun_from(a->first);
}

static const tusk__attempt *next_begun(const tusk__attempts *a, const tusk__attempt *at)
{
    return begun_from(at->next || at->state != TUSK__ATTEMPT_OVER ? at->next : a->first);
}

/* "db1:5432 (10.0.0.1): could not connect: connection refused"; as snprintf. */
static size_t print_attempt(const tusk__attempt *at, int max_message, char *buf, size_t size)
{
    char ip[INET6_ADDRSTRLEN];
    const tusk__route *route = &at->route;
    int n;

    (void)tusk__address_print(route, ip, sizeof ip);
    if (tusk_str_is(route->host, ip))
        ip[0] = '\0';
    n = snprintf(buf, size, TUSK_STR_FMT ":%u%s%s%s: %.*s", TUSK_STR_ARG(route->host), (unsigned)route->port,
                 ip[0] ? " (" : "", ip, ip[0] ? ")" : "", max_message,
                 at->state == TUSK__ATTEMPT_OVER ? at->err.message : "no answer yet");
    return n > 0 ? (size_t)n : 0;
}

/* All but `told`, behind what the detail says already; as much as goes in. */
void tusk__attempts_name_others(const tusk__attempts *a, const tusk__attempt *told, tusk_error *err)
{
    char text[2 * sizeof err->detail], one[2 * sizeof err->detail];
    size_t len = strlen(err->detail), n = 0;

    memcpy(text, err->detail, len + 1);
    for (const tusk__attempt *at = first_begun(a); at && len < sizeof text; at = next_begun(a, at)) {
        if (at == told)
            continue;
        (void)print_attempt(at, 160, one, sizeof one);
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s%s", n == 0 && len > 0 ? " " : "",
                                n == 0 ? "Other attempts: " : "; ", one);
        n++;
    }
    if (n > 0)
        tusk__error_detail(err, tusk_str_of(text));
}

char *tusk__attempts_text(const tusk__attempts *a, const tusk_allocator *allocator)
{
    char *text = NULL;
    size_t size = 1, len = 0;

    for (const tusk__attempt *at = first_begun(a); at; at = next_begun(a, at))
        size += print_attempt(at, (int)sizeof at->err.message, NULL, 0) + 1;
    text = allocator->malloc(size, allocator->user);
    if (!text)
        return NULL;
    for (const tusk__attempt *at = first_begun(a); at; at = next_begun(a, at)) {
        len += print_attempt(at, (int)sizeof at->err.message, text + len, size - len);
        text[len++] = '\n';
    }
    text[len] = '\0';
    return text;
}

/* The network's word says more than none, the server's more than the network's, and a refusal more than that it is not the right
 * server. */
static int weight_of(const tusk_error *err)
{
    if (err->code == TUSK_ERR_TIMEOUT)
        return 0;
    if (err->code == TUSK_ERR_CONNECT)
        return err->os == 0 ? 2 : 1;
    return err->code == TUSK_ERR_RESOLVE || err->code == TUSK_ERR_LOST ? 1 : 3;
}

const tusk__attempt *tusk__attempts_most_telling(const tusk__attempts *a)
{
    const tusk__attempt *best = NULL;

    for (const tusk__attempt *at = a->over; at; at = at->next)
        if (!best || weight_of(&at->err) >= weight_of(&best->err))
            best = at;
    return best;
}

void tusk__attempts_explain(const tusk__attempts *a, tusk_error *err)
{
    const tusk__attempt *last = NULL;

    for (const tusk__attempt *at = a->first; at; at = at->next)
        if (at->state == TUSK__ATTEMPT_DIALING)
            last = at;
    if (last)
        tusk__dial_where(last->dial, err);
    tusk__attempts_name_others(a, last ? last : tusk__attempts_find(a, TUSK__ATTEMPT_TAKEN), err);
}
