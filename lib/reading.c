/* A job that reads one configuration: it owns a copy of all it looks at, and outlives whoever asked if a file hangs.
 * Read first: lib/reading.h. */
#include "lib/reading.h"

#include <assert.h>

#include "lib/config_copy.h"
#include "lib/owner.h"
#include "proto/error_set.h"

struct tusk__reading {
    tusk__job job;
    tusk_loop *loop;          /* for `done` and abandoning alone */
    tusk_allocator allocator; /* a copy: this may outlive its loop */
    tusk__config_copy *copy;
    tusk__settings *settings;
    tusk_error err;
    tusk__reading_fn on_read;
    void *user;
};

static void free_reading(tusk__reading *reading)
{
    const tusk_allocator allocator = reading->allocator;

    tusk__settings_unref(reading->settings);
    tusk__config_copy_free(reading->copy, &allocator);
    allocator.free(reading, allocator.user);
}

static void work(tusk__job *job)
{
    tusk__reading *reading = OWNER_OF(job, tusk__reading, job);
    tusk_code code = tusk__settings_read(&reading->allocator, tusk__config_copy_sources(reading->copy),
                                         tusk__config_copy_config(reading->copy), &reading->settings, &reading->err);

    assert((code == TUSK_OK) == (reading->settings != NULL));
    (void)code;
}

static void drop(tusk__job *job)
{
    free_reading(OWNER_OF(job, tusk__reading, job));
}

static void done(tusk__job *job)
{
    tusk__reading *reading = OWNER_OF(job, tusk__reading, job);
    tusk__settings *settings = reading->settings;
    tusk__reading_fn on_read = reading->on_read;
    tusk_error err = reading->err;
    void *user = reading->user;

    if (settings)
        settings->allocator = tusk__loop_allocator(reading->loop);
    reading->settings = NULL;
    free_reading(reading);
    on_read(settings, &err, user);
}

static tusk_code begin(tusk__reading *reading, const tusk_config *config, tusk_error *err)
{
    reading->copy = tusk__config_copy_new(&reading->allocator, tusk__sources_process(), config);
    if (!reading->copy)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the connection's configuration");
    return tusk__job_start(reading->loop, &reading->job, err);
}

tusk__reading *tusk__reading_start(tusk_loop *loop, const tusk_config *config, tusk__reading_fn on_read, void *user,
                                   tusk_error *err)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    tusk__reading *reading = allocator->malloc(sizeof *reading, allocator->user);

    if (!reading) {
        (void)tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the connection's configuration");
        return NULL;
    }
    *reading = (tusk__reading){.job = {.work = work, .done = done, .drop = drop},
                               .loop = loop,
                               .allocator = *allocator,
                               .on_read = on_read,
                               .user = user};
    if (begin(reading, config, err) == TUSK_OK)
        return reading;
    free_reading(reading);
    return NULL;
}

void tusk__reading_abandon(tusk__reading *reading)
{
    if (reading)
        tusk__job_abandon(reading->loop, &reading->job);
}

int64_t tusk__reading_timeout_us(const tusk__reading *reading)
{
    double seconds = tusk__config_copy_config(reading->copy)->connect_timeout;

    return seconds != 0.0 ? tusk__seconds_to_us(seconds) : 0;
}

void tusk__reading_explain(const tusk__reading *reading, tusk_error *err)
{
    if (reading)
        tusk__error_detail(err,
                           tusk_str_of("The files of the configuration (password file, service file), or the system's "
                                       "user database, have not been read to their end."));
}
