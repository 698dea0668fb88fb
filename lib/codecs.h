/* The codecs of the program's own that a connection has, by the OIDs of their types: set, found, reset, and what they mean for the formats of
 * columns. A codec is counted: a loop's is shared by the connections that were opened with it, and released when nobody has it.
 * What is done with one is objects.c's (parameters) and row_object.c's (columns).
 * Read first: tusk/codec.h, docs/internals/own-codecs.md. */
#ifndef TUSK_LIB_CODECS_H
#define TUSK_LIB_CODECS_H

#include <tusk/codec.h>

#include "lib/conn.h"

/* One that was given: a copy, its names behind it. */
typedef struct tusk__given_codec {
    uint32_t refs;
    const tusk_allocator *allocator;
    tusk_codec codec;
} tusk__given_codec;

/* … for one type of a connection, or of a loop: there by name it has no OID. */
typedef struct tusk__codec_slot {
    struct tusk__codec_slot *next;
    uint32_t type;            /* 0: not known yet */
    const tusk_query *asking; /* our own question for it, until that is answered; NULL */
    tusk_query *waiter;       /* what the caller has of it meanwhile; NULL */
    tusk__given_codec *given;
} tusk__codec_slot;

/* The connection's codec of the type, counted for as long as it is used: a function of it may be on the stack. NULL: none. */
tusk__given_codec *tusk__codecs_take(const tusk_conn *conn, uint32_t type);
void tusk__codecs_give_back(tusk__given_codec *given);

/* The OID of a codec that was set by name, as that is known by now; 0: it is not. */
uint32_t tusk__codecs_type_of(const tusk_conn *conn, const tusk_codec *codec);

/* Are columns of the type to come in text, of some type, of one that is still asked for? Only of a connection that has codecs. */
bool tusk__codecs_want_text(const tusk_conn *conn, uint32_t type);
bool tusk__codecs_want_any_text(const tusk_conn *conn);
bool tusk__codecs_may_want_more_text(const tusk_conn *conn);
/* Do all columns of these that are; and see to it. */
bool tusk__codecs_agree(const tusk_conn *conn, const tusk__desc *desc);
void tusk__codecs_set_formats(const tusk_conn *conn, tusk__desc *desc);
/* Connections that ask for other formats do not share what they have learned of statements. */
uint64_t tusk__codecs_scope(const tusk_conn *conn, uint64_t scope);

/* A connection that was just made has its loop's. */
TUSK_MUST_CHECK
tusk_code tusk__codecs_inherit(tusk_conn *conn, tusk_error *err);
/* Take q off, if it is one that waits for an answer. */
bool tusk__codecs_stop_waiting(tusk_conn *conn, const tusk_query *q);
/* The connection is destroyed. */
void tusk__codecs_leave(tusk_conn *conn);

#endif
