/* A question to the program for a secret: a password, a token. It is asked in a later phase of the loop and answered whenever the
 * program likes, or never; one block with two ends, the asker's and the program's, which goes when both have let go.
 * It knows no login: whoever asks is told once, from the loop, or asks no more.
 * Read first: tusk/password.h, docs/internals/login.md. */
#ifndef TUSK_LIB_QUESTION_H
#define TUSK_LIB_QUESTION_H

#include "loop/loop.h"

#define TUSK__QUESTION_TEXTS_MAX 9

typedef struct tusk__question tusk__question;

/* What kinds of questions differ in. */
typedef struct tusk__question_kind {
    const char *thing; /* "password": for the reader of an error */
    const char *asked; /* "on_password": who is asked for it, likewise */
    size_t size;       /* of the request that begins with the question */
    void (*ask)(tusk__question *q);
    void (*tell_canceled)(tusk__question *q);
} tusk__question_kind;

typedef enum tusk__question_state {
    TUSK__QUESTION_QUEUED,   /* the program has not been asked yet */
    TUSK__QUESTION_ASKED,    /* it is the program's turn */
    TUSK__QUESTION_ANSWERED, /* the program has let go; the asker is to be told */
    TUSK__QUESTION_CANCELED  /* the asker has let go */
} tusk__question_state;

/* err->code TUSK_OK: the secret, which lives until this returns and is then wiped; empty if the program answered without one.
 * Everything is allowed. */
typedef void (*tusk__answer_fn)(tusk_str secret, const tusk_error *err, void *user);

/* Begins the request of each kind. */
struct tusk__question {
    const tusk__question_kind *kind;
    tusk_allocator allocator; /* a copy: this may outlive its loop */
    size_t size;              /* of the block, texts included: wiped whole */
    tusk_loop *loop;          /* NULL: it is gone */
    tusk__child child;
    tusk__task task;
    tusk__question_state state;

    tusk__answer_fn on_answer;
    void *asker;
    tusk__question **mine; /* where the asker keeps this */

    char *secret;
    size_t secret_len;
    tusk_error error;

    tusk_str text[TUSK__QUESTION_TEXTS_MAX]; /* what the program may want to know; they lie behind the request */
};

/* Ask. *mine is set, and becomes NULL when the answer is delivered or nobody is left to give one; until then on_answer is
 * outstanding. Returns the question, whose request is the caller's to complete at once; NULL: out of memory. */
TUSK_MUST_CHECK
tusk__question *tusk__question_new(tusk_loop *loop, const tusk__question_kind *kind, const tusk_str *texts, size_t n_texts,
                                   tusk__answer_fn on_answer, void *user, tusk__question **mine, tusk_error *err);
/* on_answer will not be called; *mine is NULL. Again is fine. */
void tusk__question_abandon(tusk__question **mine);

/* While it is the program's turn: that it has not answered, as an error's detail. q may be NULL. */
void tusk__question_explain(const tusk__question *q, tusk_error *err);

/* ---- the program's end. Each of the three lets go of the question ---- */

/* secret: copied */
void tusk__question_give(tusk__question *q, tusk_str secret);
/* With an error of the kind's own, or (code TUSK_OK) without a secret. */
void tusk__question_answer(tusk__question *q, const tusk_error *err);
/* With the program's error, whose texts are taken as any from outside; what is none (NULL, code TUSK_OK): TUSK_ERR_AUTH. What is no
 * SQLSTATE becomes `sqlstate`. */
void tusk__question_refuse(tusk__question *q, const tusk_error *err, const char *sqlstate);

#endif
