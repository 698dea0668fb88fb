/* Questions to the program: what either end does reaches the other in a later phase of the loop.
 * Read first: lib/question.h. */
#include "lib/question.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/crypto.h"
#include "lib/given.h"
#include "lib/owner.h"
#include "proto/error_set.h"

/* ---- life ---------------------------------------------------------------------------------------------------------- */

static void wipe_secret(tusk__question *q)
{
    if (!q->secret)
        return;
    tusk__crypto_openssl()->wipe(q->secret, q->secret_len);
    q->allocator.free(q->secret, q->allocator.user);
    q->secret = NULL;
}

/* The asker is told nothing any more. */
static void detach(tusk__question *q)
{
    if (q->mine)
        *q->mine = NULL;
    q->mine = NULL;
    q->on_answer = NULL;
}

/* What is asked of a loop keeps it running. */
static void leave_loop(tusk__question *q)
{
    if (!q->loop)
        return;
    tusk__task_cancel(&q->task);
    tusk__loop_disown(&q->child);
    tusk__loop_release(q->loop);
    q->loop = NULL;
}

static void free_question(tusk__question *q)
{
    const tusk_allocator allocator = q->allocator;

    detach(q);
    leave_loop(q);
    wipe_secret(q);
    tusk__crypto_openssl()->wipe(q, q->size); /* a text may be a secret, too */
    allocator.free(q, allocator.user);
}

/* ---- from the asker to the program --------------------------------------------------------------------------------- */

static void cancel_task(tusk__task *task)
{
    tusk__question *q = OWNER_OF(task, tusk__question, task);

    leave_loop(q);
    q->kind->tell_canceled(q);
}

static void ask_task(tusk__task *task)
{
    tusk__question *q = OWNER_OF(task, tusk__question, task);

    q->state = TUSK__QUESTION_ASKED;
    q->kind->ask(q);
}

/* The loop is being freed. Who was asked still has to answer; the rest (in a forked child, where nothing runs any more) is the asker's
 * to abandon. */
static void on_loop_free(tusk__child *child)
{
    tusk__question *q = OWNER_OF(child, tusk__question, child);
    bool is_the_programs = q->state == TUSK__QUESTION_ASKED || q->state == TUSK__QUESTION_CANCELED;

    leave_loop(q);
    if (!is_the_programs)
        return;
    q->state = TUSK__QUESTION_CANCELED;
    detach(q);
    q->kind->tell_canceled(q);
}

void tusk__question_abandon(tusk__question **mine)
{
    tusk__question *q = *mine;

    if (!q)
        return;
    if (q->state != TUSK__QUESTION_ASKED) {
        free_question(q);
        return;
    }
    detach(q);
    q->state = TUSK__QUESTION_CANCELED;
    tusk__loop_defer(q->loop, &q->task, cancel_task);
}

/* ---- the question ---------------------------------------------------------------------------------------------------- */

static tusk_str put(char **to, tusk_str text)
{
    tusk_str copy = tusk_str_from(*to, text.len);

    if (text.len > 0)
        memcpy(*to, text.ptr, text.len);
    *to += text.len;
    return copy;
}

tusk__question *tusk__question_new(tusk_loop *loop, const tusk__question_kind *kind, const tusk_str *texts,
                                   size_t n_texts, tusk__answer_fn on_answer, void *user, tusk__question **mine,
                                   tusk_error *err)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    size_t size = kind->size;
    tusk__question *q;
    char *to;

    assert(n_texts <= TUSK__QUESTION_TEXTS_MAX);
    for (size_t i = 0; i < n_texts; i++)
        size += texts[i].len;
    q = allocator->malloc(size, allocator->user);
    if (!q) {
        (void)tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the question for a %s", kind->thing);
        return NULL;
    }
    *q = (tusk__question){.kind = kind,
                          .allocator = *allocator,
                          .size = size,
                          .loop = loop,
                          .on_answer = on_answer,
                          .asker = user,
                          .mine = mine};
    to = (char *)q + kind->size;
    for (size_t i = 0; i < n_texts; i++)
        q->text[i] = put(&to, texts[i]);
    tusk__loop_adopt(loop, &q->child, on_loop_free);
    tusk__loop_hold(loop);
    tusk__loop_defer(loop, &q->task, ask_task);
    *mine = q;
    return q;
}

void tusk__question_explain(const tusk__question *q, tusk_error *err)
{
    char text[64];

    if (!q || q->state != TUSK__QUESTION_ASKED)
        return;
    snprintf(text, sizeof text, "tusk_config.%s was called, and has not answered.", q->kind->asked);
    tusk__error_detail(err, tusk_str_of(text));
}

/* ---- the answer ------------------------------------------------------------------------------------------------------ */

static void answer_task(tusk__task *task)
{
    tusk__question *q = OWNER_OF(task, tusk__question, task);
    tusk__answer_fn on_answer = q->on_answer;

    *q->mine = NULL; /* on_answer may free the asker, and it is not to free this */
    q->mine = NULL;
    on_answer(tusk_str_from(q->secret, q->secret_len), &q->error, q->asker);
    free_question(q);
}

/* The program has let go. */
static void answered(tusk__question *q)
{
    if (q->state == TUSK__QUESTION_CANCELED) {
        free_question(q);
        return;
    }
    q->state = TUSK__QUESTION_ANSWERED;
    tusk__loop_defer(q->loop, &q->task, answer_task);
}

void tusk__question_give(tusk__question *q, tusk_str secret)
{
    if (q->state == TUSK__QUESTION_ASKED) {
        q->secret = q->allocator.malloc(secret.len, q->allocator.user);
        if (q->secret) {
            memcpy(q->secret, secret.ptr, secret.len);
            q->secret_len = secret.len;
        } else {
            (void)tusk__error_set(&q->error, TUSK_ERR_NOMEM, NULL, "out of memory for a %s", q->kind->thing);
        }
    }
    answered(q);
}

void tusk__question_answer(tusk__question *q, const tusk_error *err)
{
    if (err->code != TUSK_OK)
        q->error = *err;
    answered(q);
}

/* The program may have filled it by hand: what it says becomes an error like ours. */
static tusk_error error_of_program(const tusk_error *given, const char *sqlstate)
{
    tusk_error err = {.code = given->code, .os = given->os, .column = -1, .item = -1};

    memcpy(err.sqlstate, tusk__given_is_sqlstate(given->sqlstate) ? given->sqlstate : sqlstate, 6);
    tusk__given_texts(&err, given);
    return err;
}

void tusk__question_refuse(tusk__question *q, const tusk_error *err, const char *sqlstate)
{
    if (err && tusk__given_is_error(err->code))
        q->error = error_of_program(err, sqlstate);
    else
        (void)tusk__error_set(&q->error, TUSK_ERR_AUTH, sqlstate, "the program gave no %s", q->kind->thing);
    answered(q);
}
