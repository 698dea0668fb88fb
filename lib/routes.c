/* Where the attempts of a configuration go, as rows of a table.
 * It knows no sockets and decides nothing about failures: that is the connection's business.
 * Read first: lib/dial.h; PostgreSQL docs, libpq, "SSL Support", table "SSL Mode Descriptions". */
#include "lib/dial.h"

typedef struct way {
    bool use_tls, must_tls;
} way;

#define PLAIN                                                                                                          \
    {                                                                                                                  \
        false, false                                                                                                   \
    }
#define MAY                                                                                                            \
    {                                                                                                                  \
        true, false                                                                                                    \
    }
#define MUST                                                                                                           \
    {                                                                                                                  \
        true, true                                                                                                     \
    }

/* The second way is tried after a refused handshake or login. Two ways are no protection against somebody on the way, who only
 * has to say 'N', or to refuse (docs/internals/connect.md). */
/* clang-format off */
static const struct {
    size_t n;
    way ways[TUSK__ROUTES_MAX];
} modes[] = {
    [TUSK__SSL_DISABLE]     = {1, {PLAIN}},
    [TUSK__SSL_ALLOW]       = {2, {PLAIN, MUST}},
    [TUSK__SSL_PREFER]      = {2, {MAY, PLAIN}},
    [TUSK__SSL_REQUIRE]     = {1, {MUST}},
    [TUSK__SSL_VERIFY_CA]   = {1, {MUST}},
    [TUSK__SSL_VERIFY_FULL] = {1, {MUST}},
};
/* clang-format on */

/* Over a Unix-domain socket there is no TLS, whatever sslmode says: so it is in libpq, whose server would answer 'N'. */
size_t tusk__routes_of(const tusk__settings *settings, size_t host_number, tusk__route *routes, size_t cap)
{
    const tusk__host *host = &settings->hosts[host_number];
    tusk__sslmode mode = tusk__host_is_local(host) ? TUSK__SSL_DISABLE : settings->sslmode;
    size_t n = 0;

    for (; n < modes[mode].n && n < cap; n++)
        routes[n] = (tusk__route){.host_number = host_number,
                                  .host = host->host,
                                  .hostaddr = host->hostaddr,
                                  .port = host->port_number,
                                  .use_tls = modes[mode].ways[n].use_tls,
                                  .must_tls = modes[mode].ways[n].must_tls};
    return n;
}
