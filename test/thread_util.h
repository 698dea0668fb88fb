/* Helper threads for tests: each is counted, may be refused, and can be made to wait at a gate until the test lets it go.
 * Read first: loop/os.h; test/loop_util.h. */
#ifndef TUSK_TEST_THREAD_UTIL_H
#define TUSK_TEST_THREAD_UTIL_H

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "loop/os.h"

static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moved = PTHREAD_COND_INITIALIZER;
static int n_inside, n_let_go;    /* threads that wait; how many of them may leave */
static atomic_int n_threads;      /* started in all */
static atomic_int n_threads_left; /* … and ended */
static int threads_to_refuse;

static inline void wait_at_the_gate(void)
{
    int number;

    pthread_mutex_lock(&gate_lock);
    number = ++n_inside;
    pthread_cond_broadcast(&gate_moved);
    while (n_let_go < number)
        pthread_cond_wait(&gate_moved, &gate_lock);
    pthread_mutex_unlock(&gate_lock);
}

static inline void await_stuck(int n)
{
    pthread_mutex_lock(&gate_lock);
    while (n_inside < n)
        pthread_cond_wait(&gate_moved, &gate_lock);
    pthread_mutex_unlock(&gate_lock);
}

static inline void let_go(int n)
{
    pthread_mutex_lock(&gate_lock);
    n_let_go = n;
    pthread_cond_broadcast(&gate_moved);
    pthread_mutex_unlock(&gate_lock);
}

typedef struct counted_thread {
    void *(*fn)(void *arg);
    void *arg;
} counted_thread;

static inline void *thread_main(void *arg)
{
    counted_thread call = *(counted_thread *)arg;

    free(arg);
    call.fn(call.arg);
    atomic_fetch_add(&n_threads_left, 1);
    return NULL;
}

static inline int our_thread_start(void *ctx, void *(*fn)(void *arg), void *arg)
{
    counted_thread *call;
    int rc;

    if (threads_to_refuse > 0) {
        threads_to_refuse--;
        return -EAGAIN;
    }
    call = malloc(sizeof *call);
    *call = (counted_thread){fn, arg};
    rc = tusk__os_real()->thread_start(ctx, thread_main, call);
    if (rc < 0)
        free(call);
    else
        atomic_fetch_add(&n_threads, 1);
    return rc;
}

static inline void threads_open(tusk__os *os)
{
    n_inside = n_let_go = threads_to_refuse = 0;
    atomic_store(&n_threads, 0);
    atomic_store(&n_threads_left, 0);
    os->thread_start = our_thread_start;
}

/* Every thread comes back. */
static inline void threads_close(void)
{
    let_go(1000);
    while (atomic_load(&n_threads_left) < atomic_load(&n_threads))
        sched_yield();
}

#endif
