/* GSSAPI, that is, Kerberos: logging in with a ticket instead of a password.
 * A program that names tusk_gssapi() links the machine's GSSAPI library (`pkg-config --libs --static tusk-gssapi`); no other does.
 * Read first: docs/guide.md, "Kerberos". */
#ifndef TUSK_GSSAPI_H
#define TUSK_GSSAPI_H

#include <tusk/auth.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Log in with the ticket of the process's account (kinit, or a client keytab; the Kerberos library's own configuration says where it is
 * looked for: KRB5CCNAME, KRB5_CONFIG). For tusk_config.auth_mechanisms; with it the parameters krbsrvname and gssdelegation are
 * taken. The server must prove itself by its key in the realm (mutual authentication) before it is believed. The connection is not
 * encrypted by it: that is TLS's part.
 *
 * What the library does, asking the realm's servers included, is done on the loop's helper thread, and given up with the
 * connection's time-out. The library allocates for itself.
 *
 * Returns   always the same, which is nobody's to free
 * Errors    are the login's: TUSK_ERR_AUTH 28000 no ticket, an expired one, no such service, a realm that cannot be reached, a server
 *           that does not prove itself, a Unix-domain socket
 * Thread    any
 * Source    RFC 2743, RFC 4121; PostgreSQL docs, "GSSAPI Authentication"
 * Example   docs/examples/gssapi.c
 */
const tusk_auth_mechanism *tusk_gssapi(void);

#ifdef __cplusplus
}
#endif

#endif
