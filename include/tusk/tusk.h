/* Tusk: an asynchronous PostgreSQL driver in C. This header includes all the others but tusk/gssapi.h and
 * tusk/json.h.
 *
 * Conventions, which hold for the whole API and are not repeated at each function:
 *
 * Threads     A loop belongs to the thread that made it, and everything made on the loop belongs to it too. Other threads may
 *             call tusk_loop_post() and nothing else. After fork() the child may only free.
 * Waiting     Nothing blocks but tusk_loop_turn(), tusk_loop_run(), tusk_await(), tusk_await_free(), tusk_transact(),
 *             tusk_cursor_next_row() and, on a running query, tusk_next_row(), tusk_next_result(), tusk_query_one(),
 *             tusk_query_scalar() and their _or_none().
 * Callbacks   are called from those, never inside the call that asked for them. In a callback everything may be called except
 *             waiting; the object at hand may be closed and freed. (fn, user) travel together, user comes last.
 * Once        Each request completes exactly once, whatever happens to the network, the server or the connection.
 * Strings     A tusk_str is a view: ptr and len, no NUL at the end. const char * is NUL-terminated. All text is UTF-8.
 * Ownership   A const pointer or a tusk_str that is returned is borrowed; the comment says until when. What you pass in is
 *             borrowed until the call returns. Each …_free() takes NULL.
 * Zero        In structs zero is the default; TUSK_NONE (-1) is off, none, for ever. Durations are seconds as double.
 * Errors      Functions that can fail return a tusk_code and fill a tusk_error if one is given, or return NULL, or put the
 *             error into the object they return. A tusk_error that is passed in need not be initialised; look at it only
 *             if the call failed, then it holds this failure. Nothing is printed, errno is not part of the interface.
 * NULL        A NULL query, connection or statement is what "out of memory" returned before: functions that make something of it
 *             answer with NULL, tusk_await() with TUSK_ERR_NOMEM, and those that ask something of it with nothing (false, 0, an
 *             empty string, no row), so that a program may check once, at the end. A loop, a row, a statement with names and a
 *             request for a password or token must be there.
 * Memory      comes from the loop's allocator. Out of memory is TUSK_ERR_NOMEM, never an exit. */
#ifndef TUSK_H
#define TUSK_H

#include <tusk/alloc.h>
#include <tusk/array.h>
#include <tusk/auth.h>
#include <tusk/bits.h>
#include <tusk/codec.h>
#include <tusk/columns.h>
#include <tusk/config.h>
#include <tusk/conn.h>
#include <tusk/cursor.h>
#include <tusk/datetime.h>
#include <tusk/error.h>
#include <tusk/fields.h>
#include <tusk/geometry.h>
#include <tusk/hstore.h>
#include <tusk/inet.h>
#include <tusk/loop.h>
#include <tusk/macaddr.h>
#include <tusk/many.h>
#include <tusk/named.h>
#include <tusk/numeric.h>
#include <tusk/oauth.h>
#include <tusk/oid.h>
#include <tusk/password.h>
#include <tusk/query.h>
#include <tusk/range.h>
#include <tusk/row.h>
#include <tusk/server.h>
#include <tusk/snapshot.h>
#include <tusk/sqlstate.h>
#include <tusk/stack.h>
#include <tusk/str.h>
#include <tusk/transaction.h>
#include <tusk/tsvector.h>
#include <tusk/type.h>
#include <tusk/value.h>
#include <tusk/vector.h>
#include <tusk/version.h>

#endif
