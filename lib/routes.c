/* Where the attempts of a configuration go, as rows of a table.
 * It knows no sockets and decides nothing about failures: that is the connection's business.
 * Read first: lib/dial.h; PostgreSQL docs, libpq, "SSL Support", table "SSL Mode Descriptions". */
#include "lib/dial.h"

/* prefer: TLS if the server has it; after a failed handshake, once more in the clear. It is no protection against somebody on
 * the way, who only has to say 'N' (docs/internals/connect.md). */
/* clang-format off */
static const struct {
    bool use_tls, must_tls, then_plain;
} modes[] = {
    [TUSK__SSL_DISABLE]     = {false, false, false},
    [TUSK__SSL_PREFER]      = {true,  false, true},
    [TUSK__SSL_REQUIRE]     = {true,  true,  false},
    [TUSK__SSL_VERIFY_FULL] = {true,  true,  false},
};
/* clang-format on */

/* Over a Unix-domain socket there is no TLS, whatever sslmode says: so it is in libpq, whose server would answer 'N'. */
size_t tusk__routes_of(const tusk__settings *settings, size_t host_number, tusk__route *routes, size_t cap)
{
    const tusk__host *host = &settings->hosts[host_number];
    bool is_local = tusk__host_is_local(host);
    tusk__route route = {
        .host_number = host_number, .host = host->host, .hostaddr = host->hostaddr, .port = host->port_number};
    size_t n = 0;

    if (!is_local) {
        route.use_tls = modes[settings->sslmode].use_tls;
        route.must_tls = modes[settings->sslmode].must_tls;
    }
    if (n < cap)
        routes[n++] = route;
    if (!is_local && modes[settings->sslmode].then_plain && n < cap) {
        route.use_tls = false;
        routes[n++] = route;
    }
    return n;
}
