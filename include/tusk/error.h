/* Errors are values: a closed list of codes, the fate of what was asked, and a struct that holds the whole context.
 * No errno, no globals, no printing.
 * Read first: docs/errors.md. */
#ifndef TUSK_ERROR_H
#define TUSK_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include <tusk/str.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The closed list of results. TUSK_OK is 0, so a zeroed tusk_error is "no error". */
typedef enum tusk_code {
    TUSK_OK = 0,
    TUSK_AGAIN,              /* not yet: nothing is wrong, come back later */
    TUSK_DONE,               /* nothing more will come */
    TUSK_ERR_STATE,          /* not now: object closing, await inside a callback, another loop's object, after fork */
    TUSK_ERR_USAGE,          /* the call itself is wrong and will never work */
    TUSK_ERR_LIMIT,          /* a documented bound would be exceeded */
    TUSK_ERR_VALUE,          /* a value does not fit its type: range, encoding, embedded NUL; or there is not one row */
    TUSK_ERR_NULL,           /* the value is NULL and C asked for something that cannot be */
    TUSK_ERR_TYPE,           /* the column has another type than was asked for */
    TUSK_ERR_CONFIG,         /* connection string, environment or struct is wrong */
    TUSK_ERR_RESOLVE,        /* a host name could not be resolved */
    TUSK_ERR_CONNECT,        /* no connection: refused, unreachable, or the server said no before login */
    TUSK_ERR_TLS,            /* handshake or certificate */
    TUSK_ERR_AUTH,           /* login refused, or the server failed to prove itself */
    TUSK_ERR_SERVER,         /* the server answered with an error: see sqlstate */
    TUSK_ERR_PROTOCOL,       /* the peer broke the protocol (08P01); the connection is gone */
    TUSK_ERR_LOST,           /* the connection died; see fate */
    TUSK_ERR_TIMEOUT,        /* a deadline of ours passed */
    TUSK_ERR_CANCELED,       /* the caller canceled it, or closed what it ran on */
    TUSK_ERR_COMMIT_UNKNOWN, /* the connection died while COMMIT was in flight */
    TUSK_ERR_ROLLED_BACK,    /* COMMIT was answered with ROLLBACK */
    TUSK_ERR_NOMEM,          /* the allocator said no */
    TUSK_ERR_SYSTEM          /* a system call failed: see os */
} tusk_code;

/** Did the server run it? What is safe to try again is known, not guessed. */
typedef enum tusk_fate {
    TUSK_FATE_UNKNOWN = 0, /* sent, at least in part, and not answered */
    TUSK_FATE_NOT_SENT,    /* no byte of it left: repeating is safe */
    TUSK_FATE_ANSWERED     /* what became of it is certain: the server said so, or had not been asked to commit (execute-many) */
} tusk_fate;

/** What a retry is good for, where the driver knows: nothing of it took effect, and what was in the way is out of it. */
typedef enum tusk_retry {
    TUSK_RETRY_UNKNOWN = 0, /* it says nothing of that */
    TUSK_RETRY_REQUEST,     /* repeating this request is safe */
    TUSK_RETRY_TRANSACTION  /* retry the transaction that it was in, from its start */
} tusk_retry;

/**
 * One error with its context. A plain value: copy it freely; it borrows nothing.
 * All strings are NUL-terminated UTF-8, hold no control character and no secret, and are cut with "…" when too long. What a server sends
 * that is no UTF-8 (it may, before the login) has a '?' in place of each such byte.
 */
typedef struct tusk_error {
    tusk_code code;
    tusk_fate fate;
    char sqlstate[6]; /* never empty on error: the server's, or ours (08001, 08006, 08P01, 53200, 22P03 …) */
    tusk_retry retry; /* where the driver could not repeat by itself what would have gone well the second time: a statement whose
                         columns were altered, or that is gone from the server, a type without binary output … */
    bool is_fatal;    /* the connection ended with it, whatever its code: ask tusk_error_is_fatal() */
    int os;           /* errno, EAI_ or TLS code of the failing call, 0 if none */
    int position;     /* 1-based character in the SQL text, 0 if none */
    int param;        /* n of $n, 0 if none. Of a value that the server could not read, if it says so in English (14 and later) */
    int column;       /* 0-based result column, -1 if none (of a zeroed struct, which is no error, it says nothing) */
    int64_t item;     /* 0-based element of an execute-many or stack, -1 if none (the same) */
    char where[96];   /* the operation and its object: "bind $3 (int4)", "connect db1:5432: tls handshake",
                         "exec \"update users set…\"": the beginning of the SQL, up to the first literal */
    char message[512];
    char detail[256];
    char hint[256];
} tusk_error;

/** The name of a code as it is written in C: "TUSK_ERR_SERVER". Static. */
const char *tusk_code_name(tusk_code code);

/** "unknown", "not sent" or "answered". Static. */
const char *tusk_fate_name(tusk_fate fate);

/** Is the connection gone with this error, or was none made (refused, protocol broken, lost, FATAL from the server, no memory for the
 * login …)? False for TUSK_ERR_CANCELED and TUSK_ERR_STATE behind tusk_close(): that was the caller's own doing. */
bool tusk_error_is_fatal(const tusk_error *err);

/**
 * Would the same transaction, repeated from its start, have a fair chance?
 * True for 40001 and 40P01, for whatever was not sent (fate) because of the connection, and where `retry` says so.
 */
bool tusk_error_is_retriable(const tusk_error *err);

/**
 * One line for a log: "where: message (sqlstate)". detail and hint are not in it: show them beside it to whom they may help. Writes at most `size` bytes, always NUL-terminated if size > 0.
 * Returns the length that the whole text would have, as snprintf.
 */
size_t tusk_error_format(const tusk_error *err, char *buf, size_t size);

/**
 * Several lines for a person, much as psql prints them, each with its newline: that of tusk_error_format(), the place in the statement,
 * detail and hint, as far as there are any.
 *
 *     exec "select nam from users": column "nam" does not exist (42703)
 *     LINE 1: select nam from users
 *                    ^
 *     HINT:  Perhaps you meant to reference the column "users.name".
 *
 * sql       what was submitted, which err->position counts in; NULL: without that place. It is shown with the values in it, up to 60
 *           characters of the line: leave it out where they are nobody's business
 * Returns   the length that the whole text would have, as snprintf; always NUL-terminated if size > 0
 */
size_t tusk_error_format_lines(const tusk_error *err, const char *sql, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif
