/* The message printer: one line per message, both directions, secrets hidden.
 * It prints into a caller's buffer; it never fails on rubbish, it says so.
 * Read first: proto/message.h. */
#ifndef TUSK_PROTO_TRACE_H
#define TUSK_PROTO_TRACE_H

#include "proto/message.h"

typedef enum tusk__direction { TUSK__TO_BACKEND, TUSK__TO_FRONTEND } tusk__direction;

typedef struct tusk__trace_options {
    bool
        show_values; /* parameter values and row fields; otherwise only their lengths. Passwords, SASL data, keys, cancel keys
                         and salts are never shown */
    size_t max_value; /* bytes of a value, statement or text shown; default 64 */
} tusk__trace_options;

/* One message to one line without newline, e.g. "F Parse s1 \"select $1\" (int4)" / "B DataRow 2 (4, NULL)".
 * type 0: a first packet. Writes at most `size` bytes, NUL-terminated; returns the whole length, as snprintf. */
size_t tusk__trace_message(tusk__direction direction, uint8_t type, tusk_str body, const tusk__trace_options *options,
                           char *buf, size_t size);

#endif
