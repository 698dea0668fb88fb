/* Framing: a type byte, an Int32 length that counts itself, a body. Every length of the wire is judged here, before anything
 * is believed or allocated (D2, D4, D13).
 * It does not know states: which types are welcome now is told by the caller.
 * Read first: proto/bounds.h. */
#ifndef TUSK_PROTO_FRAME_H
#define TUSK_PROTO_FRAME_H

#include "proto/bounds.h"
#include "proto/buf.h"

#define TUSK__FRAME_HEADER 5

/* The longest body that a backend message of this type may have; pre_login: the peer has proved nothing yet. */
size_t tusk__backend_body_max(uint8_t type, bool pre_login);
/* The same for the backend side (scripted server, wire debugger). */
size_t tusk__frontend_body_max(uint8_t type);

/* Judge the 5 bytes of a header. *body_len on TUSK_OK; TUSK_ERR_PROTOCOL: length < 4 or above max. */
tusk_code tusk__frame_check(const uint8_t header[TUSK__FRAME_HEADER], size_t max, size_t *body_len, tusk_error *err);

/* For readers that hold a whole stream (tests, scripted server, wire debugger): the next message of `stream`.
 * TUSK_OK: *type, *body, and stream moved behind it · TUSK_AGAIN: not whole yet · TUSK_ERR_PROTOCOL.
 * is_first: a typeless packet (startup, SSLRequest, CancelRequest). */
tusk_code tusk__frame_next(tusk_str *stream, bool from_backend, bool is_first, uint8_t *type, tusk_str *body,
                           tusk_error *err);

#endif
