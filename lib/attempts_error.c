/* What the end of a list says: the most telling error, and in its detail the others.
 * Read first: lib/attempts_list.h. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "lib/attempts_list.h"
#include "proto/error_set.h"

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
static void print_attempt(const tusk__attempt *at, char *buf, size_t size)
{
    char ip[INET6_ADDRSTRLEN];
    const tusk__route *route = &at->route;

    format_address(route, ip, sizeof ip);
    if (tusk_str_is(route->host, ip))
        ip[0] = '\0';
    (void)snprintf(buf, size, TUSK_STR_FMT ":%u%s%s%s: %.160s", TUSK_STR_ARG(route->host), (unsigned)route->port,
                   ip[0] ? " (" : "", ip, ip[0] ? ")" : "",
                   at->state == TUSK__ATTEMPT_OVER ? at->err.message : "no answer yet");
}

/* All but `told`, behind what the detail says already; as much as goes in. */
void tusk__attempts_name_others(const tusk__attempts *a, const tusk__attempt *told, tusk_error *err)
{
    char text[2 * sizeof err->detail], one[2 * sizeof err->detail];
    size_t len = strlen(err->detail), n = 0;

    memcpy(text, err->detail, len + 1);
    for (const tusk__attempt *at = a->first; at && len < sizeof text; at = at->next) {
        if (at == told || at->state == TUSK__ATTEMPT_WAITING)
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

const tusk__attempt *tusk__attempts_most_telling(const tusk__attempts *a)
{
    const tusk__attempt *best = NULL;

    for (const tusk__attempt *at = a->first; at; at = at->next)
        if (at->state == TUSK__ATTEMPT_OVER && (!best || weight_of(&at->err) >= weight_of(&best->err)))
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
