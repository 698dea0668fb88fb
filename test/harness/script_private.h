/*
 * What the two kinds of script server share.
 */
#ifndef TUSK_TEST_SCRIPT_PRIVATE_H
#define TUSK_TEST_SCRIPT_PRIVATE_H

#include "test/harness/script_server.h"

#include <pthread.h>
#include <sys/types.h>

struct script_server {
    int listener, port;
    int stop_pipe[2]; /* readable once it is to end */
    pid_t process;    /* the echo server's, 0: it is a thread */
    pthread_t thread; /* accepts, and in the echo server does all the rest */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned n_accepted; /* under the lock, as all below */
    unsigned n_running;  /* threads of connections */
    char wrong[600];     /* the first thing that went wrong */
    /* scripts */
    char *script;
    unsigned n_sections, n_played;
    struct cancel {
        uint32_t pid;
        uint8_t key[TUSK__CANCEL_KEY_MAX];
        size_t key_len;
        bool is_taken;
    } cancels[16];
    unsigned n_cancels;
    /* echo */
    script_answer_fn *answer;
    void *user;
};

/* Listener, pipe and the thread, or process, that runs `run`; NULL if one of them could not be had. Frees `script` then. */
script_server *script_server_new(void *(*run)(void *), char *script, bool is_process, script_answer_fn *answer,
                                 void *user);

/* The next connection; -1: it is to end. */
int script_accept(script_server *server);

#endif
