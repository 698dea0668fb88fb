/* A simulated world for a loop: virtual time, virtual sockets to servers that are functions of this process, a resolver, and
 * faults, all drawn from one seed. The same seed gives the same run, to the byte.
 * It knows nothing of PostgreSQL: a fake server is written on top, by sim_server's callbacks.
 * Read first: loop/os.h; test/sim/sim_loop_test.c is the smallest user.
 *
 *     sim_world *world = sim_new(seed, &faults);
 *     sim_listen(world, "10.0.0.1", 5432, &server, me);
 *     tusk_loop *loop = tusk__loop_open_on(sim_os(world), NULL, &err);
 *     …
 *     tusk_loop_free(loop);
 *     sim_free(world);              after its loops, always
 */
#ifndef TUSK_TEST_SIM_WORLD_H
#define TUSK_TEST_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/os.h"

enum { SIM_WINDOW = 64 * 1024 }; /* bytes on the way to a server, beyond which send() says EAGAIN */

typedef struct sim_world sim_world;
typedef struct sim_listener sim_listener;
typedef struct sim_peer sim_peer; /* the server's end of one connection; lives until sim_free() */

/* How often things go wrong, in 1/1000 of the occasions, and how long they take. Zero: never; a zero max_… is the default. */
typedef struct sim_faults {
    int short_read;              /* recv gives only a part of what is there */
    int short_write;             /* send takes only a part */
    int again;                   /* recv and send say EAGAIN for no reason */
    int interrupted;             /* recv and send say EINTR */
    int spurious;                /* a watched socket is reported though there is nothing */
    int partial_batch;           /* wait() reports only some of what is ready */
    int reset;                   /* a segment under way is cut at some byte, and the connection reset */
    int half_close;              /* … and followed by an end of file instead */
    int refuse;                  /* a connect is refused */
    int stall_connect;           /* a connect is never answered */
    int stall;                   /* a connection goes silent for ever with this segment, both ways */
    int late_close;              /* a closing is seen up to a second later than the data before it */
    int resolve_fails;           /* EAI_AGAIN */
    int thread_fails;            /* thread_start says EAGAIN */
    int thread_stalls;           /* a started thread gets its processor only after an hour */
    int no_descriptor;           /* socket() says EMFILE */
    int64_t max_delay_us;        /* of a segment; default 2000 */
    int64_t max_thread_delay_us; /* until a started thread runs; default 5000 */
} sim_faults;

/* A mixture drawn from a seed: most runs see a few kinds of faults, some none. */
sim_faults sim_faults_of(uint64_t seed);

sim_world *sim_new(uint64_t seed, const sim_faults *faults); /* faults NULL: none */
void sim_free(sim_world *world);                             /* threads that never ran do so now, for their memory */

const tusk__os *sim_os(sim_world *world);
int64_t sim_now(const sim_world *world); /* microseconds; begins at one second */
void sim_stop_faults(sim_world *world);  /* for the part of a run that must succeed; what is stalled stays stalled */
uint64_t sim_trace_hash(const sim_world *world);
void sim_trace(sim_world *world, const char *what, uint64_t number); /* add something of the test's own */
uint64_t sim_random(sim_world *world, uint64_t n);                   /* 0 … n-1, from the world's seed */
bool sim_chance(sim_world *world, int permille);

/* Call fn(user) at a virtual moment to come, from inside wait(). */
void sim_after(sim_world *world, int64_t delay_us, void (*fn)(void *user), void *user);

/* When somebody waits for ever and nothing can happen any more, or somebody turns a million times without anything happening,
 * wait() fails with EDEADLK and this says "deadlock at … s" or "livelock at … s". Who then waits again for the hundredth
 * time is ended by abort(). NULL: all is well. */
const char *sim_trouble(const sim_world *world);

/* Descriptors and connections still open on the client's side: 0 after a clean end. */
size_t sim_open_sockets(const sim_world *world);

/* ---- names ------------------------------------------------------------------------------------------------------------ */

/* host resolves to this address, too. Hosts without any are EAI_NONAME. */
void sim_name(sim_world *world, const char *host, const char *address);

/* ---- servers ---------------------------------------------------------------------------------------------------------- */

/* Called from inside the loop's wait(); may write, close, reset and start timers. Any may be NULL. */
typedef struct sim_server {
    void (*on_accept)(sim_peer *peer, void *user);
    void (*on_data)(sim_peer *peer, const void *bytes, size_t len, void *user);
    void (*on_close)(sim_peer *peer, int os_error,
                     void *user); /* 0: the client has finished sending, else ECONNRESET */
} sim_server;

/* address: "10.0.0.1", "::1", or a path for a Unix socket (port 0). `server` is borrowed. */
sim_listener *sim_listen(sim_world *world, const char *address, uint16_t port, const sim_server *server, void *user);
void sim_listener_open(sim_listener *listener, bool is_open); /* closed: connects are refused; connections stay */

void sim_conn_write(sim_peer *peer, const void *bytes, size_t len); /* copied */
void sim_conn_close(sim_peer *peer); /* end of file behind what was written; what still comes is thrown away */
void sim_conn_reset(sim_peer *peer);
void sim_conn_silence(sim_peer *peer);               /* nothing arrives any more, either way: a cable cut */
void sim_conn_pause(sim_peer *peer, bool is_paused); /* take no more of the client's bytes: its send buffer fills */
size_t sim_conn_unread(const sim_peer *peer);        /* written and not yet received by the client */
bool sim_conn_is_open(const sim_peer *peer);
void sim_conn_set_user(sim_peer *peer, void *user); /* default: the listener's */
void *sim_conn_user(const sim_peer *peer);
sim_world *sim_conn_world(const sim_peer *peer);

#endif
