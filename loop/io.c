/* Readiness: descriptors in slots with a generation, so that what the kernel still reports for a former tenant is dropped.
 * It neither reads nor writes.
 * Read first: loop/loop.h, loop/poller.h. */
#include <assert.h>
#include <errno.h>

#include "loop/state.h"

#define NO_SLOT UINT32_MAX

/* The two highest slots are left out: the back end's own tokens are made of them. */
#define MAX_SLOTS (UINT32_MAX - 2)

static uint64_t token_of(const tusk__ios *ios, uint32_t slot)
{
    return (uint64_t)ios->slots[slot].generation << 32 | slot;
}

static tusk_code take_slot(tusk_loop *loop, tusk__io *io, tusk_error *err)
{
    tusk__ios *ios = &loop->ios;
    uint32_t slot = ios->first_free;

    if (slot != NO_SLOT) {
        ios->first_free = ios->slots[slot].next_free;
    } else {
        if (ios->n_slots == MAX_SLOTS)
            return tusk__loop_error(err, TUSK_ERR_LIMIT, "too many descriptors on one loop");
        if (ios->n_slots == ios->cap &&
            tusk__loop_grow(loop, (void **)&ios->slots, &ios->cap, sizeof *ios->slots) != TUSK_OK)
            return tusk__loop_error(err, TUSK_ERR_NOMEM, "out of memory for a descriptor's slot");
        slot = (uint32_t)ios->n_slots++;
        ios->slots[slot].generation = 0;
    }
    ios->slots[slot].io = io;
    ios->n_started++;
    io->slot = slot;
    return TUSK_OK;
}

static void leave_slot(tusk__ios *ios, uint32_t slot)
{
    ios->slots[slot].io = NULL;
    ios->slots[slot].generation++;
    ios->slots[slot].next_free = ios->first_free;
    ios->first_free = slot;
    ios->n_started--;
}

static int tell_poller(tusk__io *io, unsigned before, unsigned now)
{
    tusk_loop *loop = io->loop;

    return loop->os->poller->set(loop->poller, io->fd, before, now, token_of(&loop->ios, io->slot));
}

tusk_code tusk__io_start(tusk__io *io, tusk_loop *loop, int fd, unsigned events,
                         void (*on_ready)(tusk__io *io, unsigned events), tusk_error *err)
{
    int rc;

    io->fd = -1;
    io->loop = loop;
    TUSK_TRY(tusk__loop_check(loop, err));
    if (fd < 0)
        return tusk__loop_error(err, TUSK_ERR_USAGE, "not a descriptor: %d", fd);
    TUSK_TRY(take_slot(loop, io, err));
    io->fd = fd;
    io->events = events;
    io->on_ready = on_ready;
    rc = tell_poller(io, 0, events);
    if (rc == 0)
        return TUSK_OK;
    leave_slot(&loop->ios, io->slot);
    io->fd = -1;
    if (rc == -EEXIST)
        return tusk__loop_error(err, TUSK_ERR_USAGE, "descriptor %d is watched already", fd);
    return tusk__system_error(err, rc, "watching a descriptor");
}

tusk_code tusk__io_set(tusk__io *io, unsigned events, tusk_error *err)
{
    int rc;

    assert(io->fd >= 0);
    TUSK_TRY(tusk__loop_check(io->loop, err));
    if (io->events == events)
        return TUSK_OK;
    rc = tell_poller(io, io->events, events);
    if (rc < 0)
        return tusk__system_error(err, rc, "changing what is watched");
    io->events = events;
    return TUSK_OK;
}

/* A forked child shares the kernel's registrations with its parent: it only forgets. */
void tusk__io_stop(tusk__io *io)
{
    if (!io->loop || io->fd < 0)
        return;
    if (!tusk__loop_is_forked(io->loop))
        (void)tell_poller(io, io->events, 0); /* fails only if the fd was closed too early, and is forgotten then */
    leave_slot(&io->loop->ios, io->slot);
    io->fd = -1;
}

void tusk__ios_dispatch(tusk_loop *loop, const tusk__poll_event *events, int n)
{
    for (int i = 0; i < n; i++) {
        uint32_t slot = (uint32_t)events[i].token;
        tusk__io *io;
        unsigned wanted;

        if (slot >= loop->ios.n_slots || token_of(&loop->ios, slot) != events[i].token)
            continue; /* stopped meanwhile, perhaps reused */
        io = loop->ios.slots[slot].io;
        wanted = io ? events[i].events & (io->events | (io->events & TUSK__EDGE ? (unsigned)TUSK__ENDED : 0u)) : 0;
        if (wanted)
            io->on_ready(io, wanted);
    }
}

void tusk__ios_clear(tusk_loop *loop)
{
    for (size_t i = 0; i < loop->ios.n_slots; i++)
        if (loop->ios.slots[i].io)
            tusk__io_stop(loop->ios.slots[i].io);
    tusk__loop_mfree(loop, loop->ios.slots);
}
