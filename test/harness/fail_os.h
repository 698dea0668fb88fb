/* The real world, in which the n-th call of one kind fails with a given errno, or takes and gives one byte at a time.
 * Read first: loop/os.h, test/harness/scenario.h. */
#ifndef TUSK_TEST_FAIL_OS_H
#define TUSK_TEST_FAIL_OS_H

#include <stdatomic.h>

#include "loop/epoll.h"
#include "loop/os.h"

typedef enum os_call {
    OS_SOCKET, OS_CONNECT, OS_RECV, OS_SEND, OS_SHUTDOWN, OS_CLOSE, OS_GETSOCKOPT, OS_SETSOCKOPT, OS_GETADDRINFO,
    OS_THREAD_START, OS_EPOLL_CREATE, OS_EPOLL_CTL, OS_EPOLL_WAIT, OS_EVENTFD, OS_TIMERFD, OS_TIMERFD_SETTIME, OS_WRITE,
    OS_FORK_GUARD,
    N_OS_CALLS
} os_call;

const char *os_call_name(os_call call);

typedef struct fail_os {
    tusk__os os; /* hand this to tusk__loop_open_on(); its ctx is the struct: it must not move */
    tusk__epoll_calls epoll;
    os_call call;       /* the kind that fails */
    long fail_at;       /* which of them, 1-based; 0: none */
    int error;          /* errno, or EAI_ for getaddrinfo */
    bool from_then_on;
    bool tiny;          /* every recv and send is of one byte */
    atomic_long n[N_OS_CALLS];
} fail_os;

void fail_os_init(fail_os *fail, os_call call, long fail_at, int error, bool from_then_on);

/* The errnos that a call may really give, ended by 0. */
const int *os_call_errors(os_call call);

#endif
