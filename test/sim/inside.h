/* What test/sim/world.c and test/sim/net.c share: the world from within.
 * Nobody else includes it.
 * Read first: test/sim/world.h. */
#ifndef TUSK_TEST_SIM_INSIDE_H
#define TUSK_TEST_SIM_INSIDE_H

#include "loop/poller.h"
#include "test/sim/world.h"

enum { SIM_MAX_LISTENERS = 64, SIM_MAX_NAMES = 64, SIM_FIRST_FD = 1000 };

typedef struct sim_event {
    int64_t at_us;
    uint64_t seq;
    void (*fn)(void *arg);
    void *arg;
    bool is_owned; /* fn frees arg; whoever drops the event must */
} sim_event;

/* Bytes in order; `taken` of them are gone already. */
typedef struct sim_bytes {
    uint8_t *bytes;
    size_t taken, n, cap;
} sim_bytes;

typedef enum sim_state { SIM_NEW, SIM_CONNECTING, SIM_CONNECTED, SIM_FAILED, SIM_CLOSED } sim_state;

/* One connection, both ends. The client's end has a descriptor until it is closed; all live until sim_free(). */
struct sim_peer {
    sim_world *world;
    sim_listener *listener; /* NULL until connected */
    void *user;
    sim_peer *next;
    int fd; /* -1: closed by the client */
    sim_state state;
    int so_error;   /* reported once, by getsockopt or recv */
    bool is_silent; /* nothing arrives any more, either way */

    /* watched by */
    tusk__poller *poller;
    unsigned events;
    uint64_t token;
    bool has_news; /* since it was last reported: what TUSK__EDGE asks for */

    /* to the client */
    sim_bytes in;
    size_t n_under_way;        /* written by the server, not yet in `in` */
    int64_t last_to_client_us; /* segments do not overtake each other */
    bool is_ended;             /* end of file behind `in` */
    bool is_server_closed;

    /* to the server */
    size_t n_to_server; /* sent and not yet taken */
    int64_t last_to_server_us;
    sim_bytes held; /* arrived while the server paused */
    bool is_paused, is_shut, is_end_told;
};

struct sim_listener {
    sim_world *world;
    char address[108];
    uint16_t port;
    bool is_open;
    const sim_server *server;
    void *user;
};

struct sim_world {
    tusk__os os;
    sim_faults faults;
    int64_t now_us;
    uint64_t random_state, hash, next_seq;
    sim_event *events; /* a heap by (at_us, seq) */
    size_t n_events, cap_events;
    size_t n_threads_pending;
    sim_peer *peers;
    sim_peer **by_fd; /* by_fd[fd - SIM_FIRST_FD] */
    size_t n_by_fd, n_open;
    sim_listener listeners[SIM_MAX_LISTENERS];
    size_t n_listeners;
    struct {
        char host[256];
        char address[64];
    } names[SIM_MAX_NAMES];
    size_t n_names;
    long n_idle_waits;
    int n_troubles;
    char trouble[80];
};

extern const tusk__poller_ops sim_poller_ops;

void sim__add_event(sim_world *world, int64_t at_us, void (*fn)(void *arg), void *arg, bool is_owned);
bool sim__run_next_event(sim_world *world, int64_t until_us); /* false: none up to then */
int64_t sim__delay(sim_world *world);
void *sim__malloc(size_t size); /* or abort() */
void sim__net_fill(tusk__os *os);
void sim__net_free(sim_world *world);

#endif
