/* The outside: every system call that Tusk makes, as a table. Replace it and the driver runs in a simulated world, or in
 * one where the n-th call fails. Errors come back as -errno; nothing in lib/ or loop/ reads errno or calls the C library's
 * socket, time or random functions by itself.
 * Read first: DESIGN principle 15, docs/internals/loop.md. */
#ifndef TUSK_LOOP_OS_H
#define TUSK_LOOP_OS_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <tusk/loop.h>

typedef struct tusk__poller_ops tusk__poller_ops;

typedef struct tusk__os {
    void *ctx; /* first argument of every call */

    /* sockets: always non-blocking and close-on-exec, never a SIGPIPE */
    int (*socket)(void *ctx, int family, int type);
    int (*connect)(void *ctx, int fd, const struct sockaddr *addr, socklen_t len);
    ssize_t (*recv)(void *ctx, int fd, void *buf, size_t len);
    ssize_t (*send)(void *ctx, int fd, const void *buf, size_t len);
    int (*shutdown)(void *ctx, int fd, int how);
    int (*close)(void *ctx, int fd);
    int (*getsockopt)(void *ctx, int fd, int level, int name, void *value, socklen_t *len);
    int (*setsockopt)(void *ctx, int fd, int level, int name, const void *value, socklen_t len);
    /* the user number of whoever listens behind a connected Unix-domain socket */
    int (*peer_account)(void *ctx, int fd, uint32_t *id);

    /* time, randomness, identity */
    int64_t (*now_us)(void *ctx); /* monotonic */
    int (*random)(void *ctx, void *buf, size_t len);

    /* names; on the helper thread. Returns 0 or an EAI_ code, EAI_SYSTEM with *os_error = errno */
    int (*getaddrinfo)(void *ctx, const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **list, int *os_error);
    void (*freeaddrinfo)(void *ctx, struct addrinfo *list);

    /* the index of a network interface ("eth0"), 0 if there is none of that name */
    unsigned (*interface_index)(void *ctx, const char *name);

    /* has this process been forked? A word that reads 1 here and 0 in every forked child, so that asking costs no system
     * call; NULL if the kernel has no such thing: then process_id() is asked each time */
    const volatile unsigned *(*fork_guard_new)(void *ctx);
    void (*fork_guard_free)(void *ctx, const volatile unsigned *guard);
    int (*process_id)(void *ctx);

    /* run fn(arg) on a new detached thread; in the simulated world: at a virtual moment to come, on the loop's thread */
    int (*thread_start)(void *ctx, void *(*fn)(void *arg), void *arg); /* what fn returns is dropped */

    /* readiness: which back end, see loop/poller.h */
    const tusk__poller_ops *poller;

    /* the calls that only the epoll and kqueue back ends make are in loop/epoll.h and loop/kqueue.h tables hanging here,
     * so that they can fail too */
    const void *poller_calls;
} tusk__os;

/* The real thing. Lives for ever. */
const tusk__os *tusk__os_real(void);

/* As tusk_loop_open(), in the world of `os` (borrowed for the loop's life). */
tusk_loop *tusk__loop_open_on(const tusk__os *os, const tusk_loop_config *config, tusk_error *err);

#endif
