/* Who listens on the other side of a socket of this machine.
 * Read first: lib/peer.h. */
#include "lib/peer.h"

#include "lib/transport.h"
#include "proto/error_set.h"

static tusk_code unknown(int os, tusk_error *err)
{
    (void)tusk__error_set(err, TUSK_ERR_SYSTEM, NULL,
                          "requirepeer is given, but the system does not say whose the server is: %s",
                          tusk__os_text(os));
    if (err)
        err->os = os;
    return TUSK_ERR_SYSTEM;
}

/* By number: to ask for the name of an unexpected account may take the system long (NSS), and we are on the loop's thread. */
tusk_code tusk__peer_check(tusk_loop *loop, int fd, const tusk__settings *settings, tusk_error *err)
{
    const tusk__os *os = tusk__loop_os(loop);
    uint32_t id = 0;
    int rc;

    if (settings->requirepeer.len == 0)
        return TUSK_OK;
    if (settings->requirepeer_id < 0)
        return tusk__error_set(err, TUSK_ERR_AUTH, NULL,
                               "requirepeer names an account that this machine does not have");
    rc = os->peer_account(os->ctx, fd, &id);
    if (rc < 0)
        return unknown(-rc, err);
    if (id != (uint64_t)settings->requirepeer_id)
        return tusk__error_set(
            err, TUSK_ERR_AUTH, NULL,
            "requirepeer asks for a server of the account with number %ld, but this one has number %lu",
            (long)settings->requirepeer_id, (unsigned long)id);
    return TUSK_OK;
}
