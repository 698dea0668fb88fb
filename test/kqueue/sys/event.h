/* The part of kqueue's interface that loop/kqueue.c uses, so that Linux can at least compile that file.
 * Written from kqueue(2) of FreeBSD; the numbers mean nothing here, and nothing is ever run with it.
 * Read first: loop/kqueue.c. */
#ifndef TUSK_TEST_KQUEUE_SYS_EVENT_H
#define TUSK_TEST_KQUEUE_SYS_EVENT_H

#include <stdint.h>
#include <time.h>

struct kevent {
    uintptr_t ident;
    short filter;
    unsigned short flags;
    unsigned fflags;
    intptr_t data;
    void *udata;
};

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EVFILT_TIMER (-7)
#if !defined(TUSK_TEST_NO_EVFILT_USER)
#define EVFILT_USER (-11)
#define NOTE_TRIGGER 0x01000000u
#endif

#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ONESHOT 0x0010
#define EV_CLEAR 0x0020
#define EV_ERROR 0x4000
#define EV_EOF 0x8000

#if !defined(TUSK_TEST_NO_NOTE_USECONDS)
#define NOTE_USECONDS 0x00000004u
#endif

int kqueue(void);
int kevent(int kq, const struct kevent *changes, int n_changes, struct kevent *events, int n_events,
           const struct timespec *timeout);

#endif
