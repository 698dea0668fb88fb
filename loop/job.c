/* Jobs: work that cannot be sliced, on the loop's one helper thread, which ends when its queue is empty.
 * What the thread touches belongs to `struct tusk__jobs`, which outlives the loop until the last thread has left.
 * Read first: loop/loop.h, "jobs"; docs/internals/loop.md. */
#include "loop/state.h"

enum { MAX_ABANDONED = 4, RETRY_AFTER_US = 10000, MAX_LOOKS = 1000 };

/* What loop.h calls `internal`: the neighbours on the list of the queued or of the finished. */
enum { NEXT, PREV };

typedef struct worker {
    tusk__jobs *jobs;
    tusk__job *running;
    bool is_abandoned; /* with the job it is in; it takes no new one unless nobody else is there to */
} worker;

/* Circular, by the internal[] of a job that is never run. */
typedef struct job_list {
    tusk__job head;
} job_list;

struct tusk__jobs {
    /* For all below. Nobody calls the kernel under it but the loop's thread, which must not wait for others. */
    pthread_mutex_t lock;
    pthread_mutex_t waking; /* taken before it, by who wakes the loop: as long as it is held the loop is there */
    const tusk__os *os;
    tusk_allocator allocator;
    tusk_loop *loop; /* NULL once it is freed */
    size_t n_owners; /* the loop and each thread */
    job_list queued, finished;
    worker *current; /* the helper thread that takes jobs off the queue; NULL: none */
    unsigned n_abandoned;
};

/* ---- lists ------------------------------------------------------------------------------------------------------------ */

static void list_init(job_list *list)
{
    list->head.internal[NEXT] = list->head.internal[PREV] = &list->head;
}

static tusk__job *list_first(job_list *list)
{
    tusk__job *first = list->head.internal[NEXT];

    return first == &list->head ? NULL : first;
}

static void list_append(job_list *list, tusk__job *job)
{
    tusk__job *last = list->head.internal[PREV];

    job->internal[NEXT] = &list->head;
    job->internal[PREV] = last;
    last->internal[NEXT] = list->head.internal[PREV] = job;
}

static void list_remove(tusk__job *job)
{
    tusk__job *next = job->internal[NEXT], *prev = job->internal[PREV];

    next->internal[PREV] = prev;
    prev->internal[NEXT] = next;
}

static void list_move(job_list *from, job_list *to)
{
    tusk__job *job;

    while ((job = list_first(from)) != NULL) {
        list_remove(job);
        list_append(to, job);
    }
}

/* ---- the helper thread ------------------------------------------------------------------------------------------------ */

static void free_jobs(tusk__jobs *jobs)
{
    tusk_allocator allocator = jobs->allocator;

    pthread_mutex_destroy(&jobs->waking);
    pthread_mutex_destroy(&jobs->lock);
    allocator.free(jobs, allocator.user);
}

/* With the lock; opens it. */
static void leave(tusk__jobs *jobs)
{
    bool is_last = --jobs->n_owners == 0;

    pthread_mutex_unlock(&jobs->lock);
    if (is_last)
        free_jobs(jobs);
}

/* An abandoned thread that came back takes the place of the one that could not be started meanwhile. */
static tusk__job *next_job(tusk__jobs *jobs, worker *me)
{
    tusk__job *job = list_first(&jobs->queued);

    if (!job || (me->is_abandoned && jobs->current))
        return NULL;
    if (me->is_abandoned) {
        me->is_abandoned = false;
        jobs->n_abandoned--;
        jobs->current = me;
    }
    list_remove(job);
    me->running = job;
    return job;
}

/* With the lock. NULL: this thread takes none any more, and is to leave. */
static tusk__job *next_or_end(tusk__jobs *jobs, worker *me)
{
    tusk__job *job = next_job(jobs, me);

    if (job)
        return job;
    if (me->is_abandoned)
        jobs->n_abandoned--;
    else
        jobs->current = NULL;
    jobs->allocator.free(me, jobs->allocator.user);
    return NULL;
}

static tusk__job *drop_abandoned(tusk__jobs *jobs, worker *me, tusk__job *job)
{
    pthread_mutex_unlock(&jobs->lock);
    pthread_mutex_unlock(&jobs->waking);
    job->drop(job);
    pthread_mutex_lock(&jobs->lock);
    return next_or_end(jobs, me);
}

/* The next job, with the lock. The loop is woken when the lock is open: else its thread would run into it at once, and sleep. Who
 * leaves has the lock again before he opens the other one: the loop is not freed before he has left. */
static tusk__job *finish(tusk__jobs *jobs, worker *me, tusk__job *job)
{
    tusk__job *next;

    pthread_mutex_lock(&jobs->waking);
    pthread_mutex_lock(&jobs->lock);
    me->running = NULL;
    if (me->is_abandoned)
        return drop_abandoned(jobs, me, job);
    list_append(&jobs->finished, job);
    next = next_or_end(jobs, me);
    pthread_mutex_unlock(&jobs->lock);
    tusk__loop_wake(jobs->loop); /* it is there: tusk__jobs_clear() abandons what runs, under both locks */
    pthread_mutex_lock(&jobs->lock);
    pthread_mutex_unlock(&jobs->waking);
    return next;
}

static void *worker_main(void *arg)
{
    worker *me = arg;
    tusk__jobs *jobs = me->jobs;
    tusk__job *job;

    pthread_mutex_lock(&jobs->lock);
    job = next_or_end(jobs, me);
    while (job) {
        pthread_mutex_unlock(&jobs->lock);
        job->work(job);
        job = finish(jobs, me, job);
    }
    leave(jobs);
    return NULL;
}

/* ---- the loop's side -------------------------------------------------------------------------------------------------- */

/* A helper thread holds the lock for some instructions, and sleeping over that would take longer: so it is looked at again before. */
static void lock_jobs(tusk__jobs *jobs)
{
    for (int i = 0; i < MAX_LOOKS; i++)
        if (pthread_mutex_trylock(&jobs->lock) == 0)
            return;
    pthread_mutex_lock(&jobs->lock);
}

static tusk_code init_locks(tusk__jobs *jobs, tusk_error *err)
{
    int rc = pthread_mutex_init(&jobs->lock, NULL);

    if (rc != 0)
        return tusk__system_error(err, -rc, "pthread_mutex_init");
    rc = pthread_mutex_init(&jobs->waking, NULL);
    if (rc == 0)
        return TUSK_OK;
    pthread_mutex_destroy(&jobs->lock);
    return tusk__system_error(err, -rc, "pthread_mutex_init");
}

static tusk_code open_jobs(tusk_loop *loop, tusk_error *err)
{
    tusk__jobs *jobs = tusk__loop_malloc(loop, sizeof *jobs);
    tusk_code code;

    if (!jobs)
        return tusk__loop_error(err, TUSK_ERR_NOMEM, "out of memory for the helper thread's queue");
    *jobs = (tusk__jobs){.os = loop->os, .allocator = loop->allocator, .loop = loop, .n_owners = 1};
    list_init(&jobs->queued);
    list_init(&jobs->finished);
    code = init_locks(jobs, err);
    if (code == TUSK_OK)
        loop->jobs = jobs;
    else
        tusk__loop_mfree(loop, jobs);
    return code;
}

/* With the lock. */
static tusk_code start_worker(tusk__jobs *jobs, tusk_error *err)
{
    worker *new_worker = jobs->allocator.malloc(sizeof *new_worker, jobs->allocator.user);
    int rc;

    if (!new_worker)
        return tusk__loop_error(err, TUSK_ERR_NOMEM, "out of memory for the helper thread");
    *new_worker = (worker){.jobs = jobs};
    jobs->current = new_worker;
    jobs->n_owners++;
    rc = jobs->os->thread_start(jobs->os->ctx, worker_main, new_worker);
    if (rc == 0)
        return TUSK_OK;
    jobs->current = NULL;
    jobs->n_owners--;
    jobs->allocator.free(new_worker, jobs->allocator.user);
    return tusk__system_error(err, rc, "starting the helper thread");
}

/* With the lock. Where as many are stuck as may be, the job waits for the first of them that comes back: whoever wants it has a
 * deadline, and who waits behind a job that will be stuck is in no better place. */
static tusk_code enqueue(tusk__jobs *jobs, tusk__job *job, tusk_error *err)
{
    if (!jobs->current && jobs->n_abandoned < MAX_ABANDONED)
        TUSK_TRY(start_worker(jobs, err));
    list_append(&jobs->queued, job);
    return TUSK_OK;
}

tusk_code tusk__job_start(tusk_loop *loop, tusk__job *job, tusk_error *err)
{
    tusk_code code;

    TUSK_TRY(tusk__loop_check(loop, err));
    if (!loop->jobs)
        TUSK_TRY(open_jobs(loop, err));
    lock_jobs(loop->jobs);
    code = enqueue(loop->jobs, job, err);
    pthread_mutex_unlock(&loop->jobs->lock);
    if (code == TUSK_OK)
        loop->n_jobs++;
    return code;
}

/* With the lock. */
static void abandon_worker(tusk__jobs *jobs)
{
    jobs->current->is_abandoned = true;
    jobs->current = NULL;
    jobs->n_abandoned++;
}

static void on_retry(tusk__timer *timer);

/* What was queued behind a stuck job needs a fresh thread. If there is none to be had it is tried again; with the most
 * that may be stuck stuck, the queue waits for one of them to come back. */
static void replace_worker(tusk_loop *loop)
{
    tusk__jobs *jobs = loop->jobs;
    bool is_needed, has_failed;

    lock_jobs(jobs);
    is_needed = !jobs->current && list_first(&jobs->queued) && jobs->n_abandoned < MAX_ABANDONED;
    has_failed = is_needed && start_worker(jobs, NULL) != TUSK_OK;
    pthread_mutex_unlock(&jobs->lock);
    if (has_failed && tusk__timer_start(loop, &loop->jobs_retry, RETRY_AFTER_US, on_retry) != TUSK_OK)
        tusk__loop_log(loop, TUSK_LOG_WARNING, "no helper thread for the jobs that wait behind a stuck one");
}

static void on_retry(tusk__timer *timer)
{
    replace_worker(TUSK__OWNER_OF(timer, tusk_loop, jobs_retry));
}

/* Not in tusk__job_abandon(), whose caller is in the middle of something: the program may free it when it reads this. */
static void on_all_stuck(tusk__timer *timer)
{
    tusk__loop_log(TUSK__OWNER_OF(timer, tusk_loop, jobs_retry), TUSK_LOG_WARNING,
                   "%d helper threads are stuck: names, files and whatever else needs one wait until one comes back",
                   MAX_ABANDONED);
}

static void say_later(tusk_loop *loop)
{
    if (tusk__timer_start(loop, &loop->jobs_retry, 0, on_all_stuck) != TUSK_OK)
        return; /* without memory nobody is told */
}

void tusk__job_abandon(tusk_loop *loop, tusk__job *job)
{
    tusk__jobs *jobs = loop->jobs;
    bool is_running, are_all_stuck;

    if (tusk__loop_is_forked(loop))
        return; /* the thread stayed with the parent, perhaps with the lock in its hand: see clear_forked() */
    lock_jobs(jobs);
    is_running = jobs->current && jobs->current->running == job;
    if (is_running)
        abandon_worker(jobs);
    else
        list_remove(job);
    are_all_stuck = is_running && jobs->n_abandoned == MAX_ABANDONED;
    pthread_mutex_unlock(&jobs->lock);
    loop->n_jobs--;
    if (are_all_stuck)
        say_later(loop);
    if (is_running)
        replace_worker(loop);
    else
        job->drop(job);
}

/* The batch is a list like the others, so that `done` can abandon its neighbour. */
void tusk__jobs_run_finished(tusk_loop *loop)
{
    tusk__job *job;
    job_list batch;

    list_init(&batch);
    lock_jobs(loop->jobs);
    list_move(&loop->jobs->finished, &batch);
    pthread_mutex_unlock(&loop->jobs->lock);
    while ((job = list_first(&batch)) != NULL) {
        list_remove(job);
        loop->n_jobs--;
        job->done(job);
    }
}

static void drop_all(job_list *list)
{
    tusk__job *job;

    while ((job = list_first(list)) != NULL) {
        list_remove(job);
        job->drop(job);
    }
}

/* In a forked child there are no threads. If one of them held a lock at the moment of the fork, the lists may be torn, and
 * all of it is left alone; otherwise only the job that was being worked on is, with what its library had begun. */
static void clear_forked(tusk__jobs *jobs)
{
    tusk_allocator allocator = jobs->allocator;

    if (pthread_mutex_trylock(&jobs->lock) != 0 || pthread_mutex_trylock(&jobs->waking) != 0)
        return;
    drop_all(&jobs->queued);
    drop_all(&jobs->finished);
    allocator.free(jobs->current, allocator.user);
    pthread_mutex_unlock(&jobs->waking);
    pthread_mutex_unlock(&jobs->lock);
    free_jobs(jobs);
}

void tusk__jobs_clear(tusk_loop *loop)
{
    tusk__jobs *jobs = loop->jobs;
    job_list left;

    if (!jobs)
        return;
    if (tusk__loop_is_forked(loop)) {
        clear_forked(jobs);
        return;
    }
    list_init(&left);
    pthread_mutex_lock(&jobs->waking);
    lock_jobs(jobs);
    jobs->loop = NULL;
    if (jobs->current)
        abandon_worker(jobs);
    list_move(&jobs->queued, &left);
    list_move(&jobs->finished, &left);
    pthread_mutex_unlock(&jobs->waking);
    leave(jobs);
    drop_all(&left);
}
