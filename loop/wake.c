/* Mail from other threads: posted functions, and the wake-up that makes the loop look.
 * It is the one file where a lock is taken on behalf of the loop's users.
 * Read first: tusk/loop.h, tusk_loop_post(); loop/job.c is its other customer. */
#include "loop/state.h"

struct tusk__post {
    tusk__post *next;
    void (*fn)(void *user);
    void *user;
};

tusk_code tusk__mailbox_init(tusk_loop *loop, tusk_error *err)
{
    int rc = pthread_mutex_init(&loop->mailbox.lock, NULL);

    if (rc != 0)
        return tusk__system_error(err, -rc, "pthread_mutex_init");
    rc = pthread_mutex_init(&loop->mailbox.waking, NULL);
    if (rc != 0) {
        pthread_mutex_destroy(&loop->mailbox.lock);
        return tusk__system_error(err, -rc, "pthread_mutex_init");
    }
    loop->mailbox.first = NULL;
    loop->mailbox.end = &loop->mailbox.first;
    atomic_init(&loop->mailbox.is_awake, false);
    return TUSK_OK;
}

/* The first of several wake-ups pays the system call. If it fails, is_awake stays set all the same: the loop does not go to
 * sleep over it, and where it sleeps already nothing better could be done. */
void tusk__loop_wake(tusk_loop *loop)
{
    if (!atomic_exchange(&loop->mailbox.is_awake, true))
        (void)loop->os->poller->wake(loop->poller);
}

/* The loop is woken when the lock is open: else its thread would run into it at once, and sleep. By then the post may have run, and
 * the program be about to free the loop: that waits for the other lock. */
tusk_code tusk_loop_post(tusk_loop *loop, void (*fn)(void *user), void *user)
{
    tusk__post *post;

    TUSK_TRY(tusk__loop_check(loop, NULL));
    post = tusk__loop_malloc(loop, sizeof *post);
    if (!post)
        return TUSK_ERR_NOMEM;
    *post = (tusk__post){NULL, fn, user};
    pthread_mutex_lock(&loop->mailbox.waking);
    pthread_mutex_lock(&loop->mailbox.lock);
    *loop->mailbox.end = post;
    loop->mailbox.end = &post->next;
    pthread_mutex_unlock(&loop->mailbox.lock);
    tusk__loop_wake(loop);
    pthread_mutex_unlock(&loop->mailbox.waking);
    return TUSK_OK;
}

static tusk__post *take_all(tusk__mailbox *mailbox)
{
    tusk__post *posts;

    pthread_mutex_lock(&mailbox->lock);
    posts = mailbox->first;
    mailbox->first = NULL;
    mailbox->end = &mailbox->first;
    pthread_mutex_unlock(&mailbox->lock);
    return posts;
}

static void run_posts(tusk_loop *loop, tusk__post *posts)
{
    while (posts) {
        tusk__post post = *posts;
        tusk__loop_mfree(loop, posts);
        post.fn(post.user);
        posts = post.next;
    }
}

/* is_awake is taken down before the mail is taken out: who posts in between wakes the loop once too often, not once too
 * few. */
void tusk__mailbox_run(tusk_loop *loop)
{
    if (!atomic_load(&loop->mailbox.is_awake))
        return;
    atomic_store(&loop->mailbox.is_awake, false);
    run_posts(loop, take_all(&loop->mailbox));
    if (loop->jobs)
        tusk__jobs_run_finished(loop);
}

/* What was posted before the loop is freed runs, so that who posted memory gets it freed; what that posts in turn does not, nor what
 * the callbacks of the loop's end post. */
void tusk__mailbox_clear(tusk_loop *loop)
{
    if (!tusk__loop_is_forked(loop))
        run_posts(loop, take_all(&loop->mailbox));
}

/* In a forked child another thread may have been writing at the moment of the fork: then the mail is left alone. */
static bool is_torn(tusk__mailbox *mailbox)
{
    if (pthread_mutex_trylock(&mailbox->lock) != 0)
        return true;
    pthread_mutex_unlock(&mailbox->lock);
    return false;
}

/* Who has posted is out of the loop when this returns. */
static void wait_for_posters(tusk__mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->waking);
    pthread_mutex_unlock(&mailbox->waking);
    pthread_mutex_destroy(&mailbox->waking);
}

void tusk__mailbox_close(tusk_loop *loop)
{
    tusk__mailbox *mailbox = &loop->mailbox;

    if (!tusk__loop_is_forked(loop))
        wait_for_posters(mailbox);
    else if (is_torn(mailbox))
        return;
    for (tusk__post *post = take_all(mailbox), *next; post; post = next) {
        next = post->next;
        tusk__loop_mfree(loop, post);
    }
    pthread_mutex_destroy(&mailbox->lock);
}
