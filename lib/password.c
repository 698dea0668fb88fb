/* A question for a password: one block with two ends, the asker's and the program's, and it goes when both have let go. What
 * either end does reaches the other in a later phase of the loop.
 * Read first: lib/password.h. */
#include "lib/password.h"

#include "lib/crypto.h"
#include "loop/loop.h"
#include "proto/error_set.h"

typedef enum state {
    STATE_QUEUED,   /* the program has not been asked yet */
    STATE_ASKED,    /* it is the program's turn */
    STATE_ANSWERED, /* the program has let go; the asker is to be told */
    STATE_CANCELED  /* the asker has let go */
} state;

struct tusk_password_request {
    tusk_allocator allocator; /* a copy: this may outlive its loop */
    tusk_loop *loop;          /* NULL: it is gone */
    tusk__child child;
    tusk__task task;
    state state;

    tusk__password_answer_fn on_answer;
    void *asker;
    tusk_password_request **mine; /* where the asker keeps this */

    tusk_password_fn fn;
    void *user;
    void (*on_cancel)(tusk_password_request *request, void *user);
    void *cancel_user;

    char *password;
    size_t password_len;
    tusk_error error;

    tusk_str host, port, dbname, name;
    char texts[];
};

/* ---- life ---------------------------------------------------------------------------------------------------------- */

static void wipe_password(tusk_password_request *request)
{
    if (!request->password)
        return;
    tusk__crypto_openssl()->wipe(request->password, request->password_len);
    request->allocator.free(request->password, request->allocator.user);
    request->password = NULL;
}

/* The asker is told nothing any more. */
static void detach(tusk_password_request *request)
{
    if (request->mine)
        *request->mine = NULL;
    request->mine = NULL;
    request->on_answer = NULL;
}

/* What is asked of a loop keeps it running. */
static void leave_loop(tusk_password_request *request)
{
    if (!request->loop)
        return;
    tusk__task_cancel(&request->task);
    tusk__loop_disown(&request->child);
    tusk__loop_release(request->loop);
    request->loop = NULL;
}

static void free_request(tusk_password_request *request)
{
    const tusk_allocator allocator = request->allocator;

    detach(request);
    leave_loop(request);
    wipe_password(request);
    allocator.free(request, allocator.user);
}

/* ---- from the asker to the program --------------------------------------------------------------------------------- */

static void tell_canceled(tusk_password_request *request)
{
    if (request->on_cancel)
        request->on_cancel(request, request->cancel_user);
}

static tusk_password_request *of_task(tusk__task *task)
{
    return (tusk_password_request *)(void *)((char *)task - offsetof(tusk_password_request, task));
}

static void cancel_task(tusk__task *task)
{
    tusk_password_request *request = of_task(task);

    leave_loop(request);
    tell_canceled(request);
}

static void ask_task(tusk__task *task)
{
    tusk_password_request *request = of_task(task);

    request->state = STATE_ASKED;
    request->fn(request, request->user);
}

/* The loop is being freed. Who was asked still has to answer; the rest (in a forked child, where nothing runs any more) is the asker's
 * to abandon. */
static void on_loop_free(tusk__child *child)
{
    tusk_password_request *request =
        (tusk_password_request *)(void *)((char *)child - offsetof(tusk_password_request, child));
    bool is_the_programs = request->state == STATE_ASKED || request->state == STATE_CANCELED;

    leave_loop(request);
    if (!is_the_programs)
        return;
    request->state = STATE_CANCELED;
    detach(request);
    tell_canceled(request);
}

void tusk__password_abandon(tusk_password_request **mine)
{
    tusk_password_request *request = *mine;

    if (!request)
        return;
    if (request->state != STATE_ASKED) {
        free_request(request);
        return;
    }
    detach(request);
    request->state = STATE_CANCELED;
    tusk__loop_defer(request->loop, &request->task, cancel_task);
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

tusk_code tusk__password_ask(tusk_loop *loop, const tusk__settings *settings, const tusk__host *host,
                             tusk__password_answer_fn on_answer, void *user, tusk_password_request **mine,
                             tusk_error *err)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    size_t texts = host->host.len + host->port.len + settings->dbname.len + settings->user.len;
    tusk_password_request *request = allocator->malloc(sizeof *request + texts, allocator->user);
    char *to;

    if (!request)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the question for a password");
    *request = (tusk_password_request){.allocator = *allocator,
                                       .loop = loop,
                                       .on_answer = on_answer,
                                       .asker = user,
                                       .mine = mine,
                                       .fn = settings->on_password,
                                       .user = settings->user_data};
    to = request->texts;
    request->host = put(&to, host->host);
    request->port = put(&to, host->port);
    request->dbname = put(&to, settings->dbname);
    request->name = put(&to, settings->user);
    tusk__loop_adopt(loop, &request->child, on_loop_free);
    tusk__loop_hold(loop);
    tusk__loop_defer(loop, &request->task, ask_task);
    *mine = request;
    return TUSK_OK;
}

/* ---- the answer ------------------------------------------------------------------------------------------------------ */

static void answer_task(tusk__task *task)
{
    tusk_password_request *request = of_task(task);
    tusk__password_answer_fn on_answer = request->on_answer;

    *request->mine = NULL; /* on_answer may free the asker, and it is not to free this */
    request->mine = NULL;
    on_answer(tusk_str_from(request->password, request->password_len), &request->error, request->asker);
    free_request(request);
}

/* The program has let go. */
static void answered(tusk_password_request *request)
{
    if (request->state == STATE_CANCELED) {
        free_request(request);
        return;
    }
    request->state = STATE_ANSWERED;
    tusk__loop_defer(request->loop, &request->task, answer_task);
}

static tusk_code keep_password(tusk_password_request *request, tusk_str password)
{
    tusk_error *err = &request->error;

    if (password.len == 0)
        return tusk__error_set(err, TUSK_ERR_AUTH, "28P01", "the password that was given is empty");
    if (memchr(password.ptr, '\0', password.len))
        return tusk__error_set(err, TUSK_ERR_VALUE, NULL, "the password that was given has a zero byte in it");
    request->password = request->allocator.malloc(password.len, request->allocator.user);
    if (!request->password)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a password");
    memcpy(request->password, password.ptr, password.len);
    request->password_len = password.len;
    return TUSK_OK;
}

void tusk_password_give(tusk_password_request *request, tusk_str password)
{
    if (request->state == STATE_ASKED)
        (void)keep_password(request, password);
    answered(request);
}

#define COPY_FIELD(to, from, field)                                                                                    \
    tusk__error_copy((to)->field, sizeof(to)->field,                                                                   \
                     tusk_str_from((from)->field, strnlen((from)->field, sizeof(from)->field)))

static bool is_sqlstate(const char text[6])
{
    size_t n = 0;

    while (n < 5 && ((text[n] >= '0' && text[n] <= '9') || (text[n] >= 'A' && text[n] <= 'Z')))
        n++;
    return n == 5 && text[5] == '\0';
}

/* The program may have filled it by hand: what it says becomes an error like ours. */
static tusk_error error_of_program(const tusk_error *given)
{
    tusk_error err = {.code = given->code, .os = given->os, .column = -1, .item = -1};

    memcpy(err.sqlstate, is_sqlstate(given->sqlstate) ? given->sqlstate : "28P01", 6);
    COPY_FIELD(&err, given, where);
    COPY_FIELD(&err, given, message);
    COPY_FIELD(&err, given, detail);
    COPY_FIELD(&err, given, hint);
    return err;
}

static bool is_error(const tusk_error *err)
{
    return err && err->code >= TUSK_ERR_STATE && err->code <= TUSK_ERR_SYSTEM;
}

void tusk_password_refuse(tusk_password_request *request, const tusk_error *err)
{
    if (is_error(err))
        request->error = error_of_program(err);
    else
        (void)tusk__error_set(&request->error, TUSK_ERR_AUTH, "28P01", "the program gave no password");
    answered(request);
}

void tusk_password_on_cancel(tusk_password_request *request, void (*fn)(tusk_password_request *request, void *user),
                             void *user)
{
    request->on_cancel = fn;
    request->cancel_user = user;
}

bool tusk_password_is_canceled(const tusk_password_request *request)
{
    return request->state == STATE_CANCELED;
}

tusk_str tusk_password_host(const tusk_password_request *request)
{
    return request->host;
}

tusk_str tusk_password_port(const tusk_password_request *request)
{
    return request->port;
}

tusk_str tusk_password_dbname(const tusk_password_request *request)
{
    return request->dbname;
}

tusk_str tusk_password_user(const tusk_password_request *request)
{
    return request->name;
}
