/*
 * A server that does what a real one will not: it plays a script, line by line, and says at the end what did not go as written.
 * And one that answers anything quickly, for ten thousand connections, where figures are taken.
 * No TLS: only the answers to SSLRequest. Read first: docs/internals/wire-cases.md for the words of messages.
 *
 * The script. Each connection plays one section, in the order in which they come; sections are divided by a line "connection".
 * A CancelRequest takes no section: see "cancel expected". Blank lines and what follows '#' are skipped.
 *
 *   login                        expect startup; AuthenticationOk, PostgreSQL's ParameterStatus set, BackendKeyData, ready I
 *   expect startup [NAME=VALUE…] version=3.2 compares the protocol version
 *   expect ssl | gssenc
 *   expect TYPE [WORD…]          parse bind describe execute sync query close flush copy_data copy_done copy_fail password
 *                                terminate, their letter, or any; each WORD must occur in its body
 *   expect nothing MS            nothing arrives for so long, and the connection stays
 *   expect eof                   the client closes, and sends nothing more before
 *   skip until TYPE              read messages up to and with the first of that type
 *   send MESSAGE [; MESSAGE…]    in words, in one write; "send S" and "send N" are that byte alone
 *   N times send …
 *   slow BYTES [MS]              from now on write so many bytes at a time, with so long (1 ms) between
 *   cancel expected              wait for a CancelRequest with the key of this connection
 *   wait until closed            read anything until the client has closed
 *   close | reset | half-close   FIN, RST, FIN but go on reading
 *   stall                        do nothing until the client closes or script_stop()
 *   pause MS
 *
 * A section that ends closes its connection. Whatever is waited for is waited for 10 seconds at most.
 */
#ifndef TUSK_TEST_SCRIPT_SERVER_H
#define TUSK_TEST_SCRIPT_SERVER_H

#include "proto/message.h"

typedef struct script_server script_server;

/* Listens on 127.0.0.1, a port of its own. The script is copied. NULL: no socket or thread could be had. */
script_server *script_start(const char *script);
int script_port(const script_server *server);
/* How many connections were accepted so far; any thread. */
unsigned script_n_accepted(script_server *server);

/*
 * Ends it: sections that still wait are cut short. NULL if all went as written, otherwise the first thing that did not
 * ("connection 1, line 4: …"), valid until the next script_stop() of this thread.
 */
const char *script_stop(script_server *server);

/* ---- a server of thousands of connections in one thread ------------------------------------------------------------------ */

/*
 * Sees each message of the client first, on the server's thread; type 0 is the startup packet. True: it has written its answer,
 * if any, to `out`. False: the server answers as it does by itself.
 */
typedef bool script_answer_fn(unsigned connection, uint8_t type, tusk_str body, tusk__writer *out, void *user);

/*
 * Answers by itself: any startup by a login without password; SSLRequest by N; any Query or Execute by one row of one int4
 * column of value 1, in the format asked for; begin, commit, rollback and set as PostgreSQL does; Parse with the parameter
 * types it was given. answer may be NULL. Its port and end are script_port() and script_stop(), which is then never unhappy.
 */
script_server *script_start_echo(script_answer_fn *answer, void *user);

/*
 * The same in a process of its own, so that its descriptors and memory are not the client's: for ten thousand connections, and
 * for figures of memory. Call it before the first thread is started. script_n_accepted() stays 0. It ends with its parent.
 */
script_server *script_start_echo_process(void);

/* Bytes of the answer to a startup packet: AuthenticationOk to ReadyForQuery. */
void script_write_login(tusk__writer *b, uint32_t pid, tusk_str key);

#endif
