/* The simulated world: its clock and events, randomness and trace, names and threads.
 * Sockets and readiness are in test/sim/net.c.
 * Read first: test/sim/world.h. */
#include "test/sim/world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/sim/inside.h"

void *sim__malloc(size_t size)
{
    void *ptr = malloc(size);

    if (!ptr)
        abort();
    return ptr;
}

/* ---- randomness: xorshift64* ------------------------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 2685821657736338717u;
}

/* Neighbouring seeds must not give similar runs: mix them first (and never start from zero). */
static uint64_t mix(uint64_t seed)
{
    seed += 0x9E3779B97F4A7C15u;
    seed = (seed ^ seed >> 30) * 0xBF58476D1CE4E5B9u;
    seed = (seed ^ seed >> 27) * 0x94D049BB133111EBu;
    return (seed ^ seed >> 31) | 1;
}

uint64_t sim_random(sim_world *world, uint64_t n)
{
    return n ? (next_random(&world->random_state) >> 11) % n : 0;
}

bool sim_chance(sim_world *world, int permille)
{
    return permille > 0 && sim_random(world, 1000) < (uint64_t)permille;
}

sim_faults sim_faults_of(uint64_t seed)
{
    static const int levels[] = {0, 0, 0, 2, 10, 50};
    uint64_t state = mix(seed ^ 0x5EED);
    sim_faults faults = {0};
    int *const kinds[] = {&faults.short_read,    &faults.short_write,   &faults.again,         &faults.interrupted,
                          &faults.spurious,      &faults.partial_batch, &faults.reset,         &faults.half_close,
                          &faults.refuse,        &faults.stall_connect, &faults.stall,         &faults.late_close,
                          &faults.resolve_fails, &faults.thread_fails,  &faults.thread_stalls, &faults.no_descriptor};

    if (next_random(&state) >> 60 == 0)
        return faults;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        *kinds[i] = levels[(next_random(&state) >> 11) % (sizeof levels / sizeof levels[0])];
    /* What harms nobody may be frequent. */
    faults.short_read *= 10, faults.short_write *= 10, faults.partial_batch *= 10;
    faults.max_delay_us = (int64_t)1 << (next_random(&state) >> 60);
    return faults;
}

/* ---- the trace: FNV-1a ------------------------------------------------------------------------------------------------ */

static void add_bytes(sim_world *world, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < len; i++)
        world->hash = (world->hash ^ at[i]) * 0x100000001B3u;
}

/* Byte by byte, so that the hash is the same on every machine. */
static void add_number(sim_world *world, uint64_t number)
{
    for (int i = 0; i < 64; i += 8)
        add_bytes(world, &(uint8_t){(uint8_t)(number >> i)}, 1);
}

void sim_trace(sim_world *world, const char *what, uint64_t number)
{
    add_number(world, (uint64_t)world->now_us);
    add_bytes(world, what, strlen(what));
    add_number(world, number);
}

uint64_t sim_trace_hash(const sim_world *world)
{
    return world->hash;
}

/* ---- events ----------------------------------------------------------------------------------------------------------- */

static bool is_before(const sim_event *a, const sim_event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->seq < b->seq;
}

void sim__add_event(sim_world *world, int64_t at_us, void (*fn)(void *arg), void *arg, bool is_owned)
{
    sim_event event = {at_us, world->next_seq++, fn, arg, is_owned};
    size_t i = world->n_events++;

    if (world->n_events > world->cap_events) {
        world->cap_events = world->cap_events ? world->cap_events * 2 : 64;
        world->events = realloc(world->events, world->cap_events * sizeof event);
        if (!world->events)
            abort();
    }
    for (; i > 0 && is_before(&event, &world->events[(i - 1) / 2]); i = (i - 1) / 2)
        world->events[i] = world->events[(i - 1) / 2];
    world->events[i] = event;
}

static sim_event take_event(sim_world *world)
{
    sim_event first = world->events[0], last = world->events[--world->n_events];
    size_t i = 0, child;

    while ((child = 2 * i + 1) < world->n_events) {
        if (child + 1 < world->n_events && is_before(&world->events[child + 1], &world->events[child]))
            child++;
        if (!is_before(&world->events[child], &last))
            break;
        world->events[i] = world->events[child];
        i = child;
    }
    world->events[i] = last;
    return first;
}

bool sim__run_next_event(sim_world *world, int64_t until_us)
{
    sim_event event;

    if (world->n_events == 0 || world->events[0].at_us > until_us)
        return false;
    event = take_event(world);
    if (event.at_us > world->now_us)
        world->now_us = event.at_us;
    event.fn(event.arg);
    return true;
}

typedef struct later {
    void (*fn)(void *user);
    void *user;
} later;

static void run_later(void *arg)
{
    later call = *(later *)arg;

    free(arg);
    call.fn(call.user);
}

void sim_after(sim_world *world, int64_t delay_us, void (*fn)(void *user), void *user)
{
    later *call = sim__malloc(sizeof *call);

    *call = (later){fn, user};
    sim__add_event(world, world->now_us + (delay_us > 0 ? delay_us : 0), run_later, call, true);
}

int64_t sim__delay(sim_world *world)
{
    int64_t max_us = world->faults.max_delay_us ? world->faults.max_delay_us : 2000;

    return 1 + (int64_t)sim_random(world, (uint64_t)max_us);
}

/* ---- time, randomness, identity ----------------------------------------------------------------------------------------- */

static int64_t os_now_us(void *ctx)
{
    return ((sim_world *)ctx)->now_us;
}

static int os_random(void *ctx, void *buf, size_t len)
{
    uint8_t *at = buf;

    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)sim_random(ctx, 256);
    return 0;
}

static unsigned os_interface_index(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "eth0") == 0 ? 1 : 0;
}

static const volatile unsigned *os_fork_guard_new(void *ctx)
{
    static const volatile unsigned never_forked = 1;

    (void)ctx;
    return &never_forked;
}

static void os_fork_guard_free(void *ctx, const volatile unsigned *guard)
{
    (void)ctx, (void)guard;
}

static int os_process_id(void *ctx)
{
    (void)ctx;
    return 1;
}

/* ---- threads: run on the loop's thread, at a moment to come ------------------------------------------------------------- */

typedef struct thread_start {
    sim_world *world;
    void *(*fn)(void *arg);
    void *arg;
} thread_start;

static void run_thread(void *arg)
{
    thread_start start = *(thread_start *)arg;

    free(arg);
    start.world->n_threads_pending--;
    sim_trace(start.world, "thread", 0);
    (void)start.fn(start.arg);
}

static int os_thread_start(void *ctx, void *(*fn)(void *arg), void *arg)
{
    sim_world *world = ctx;
    int64_t max_us = world->faults.max_thread_delay_us ? world->faults.max_thread_delay_us : 5000;
    int64_t delay_us = 1 + (int64_t)sim_random(world, (uint64_t)max_us);
    thread_start *start;

    if (sim_chance(world, world->faults.thread_fails))
        return -EAGAIN;
    if (sim_chance(world, world->faults.thread_stalls))
        delay_us += 3600000000;
    start = sim__malloc(sizeof *start);
    *start = (thread_start){world, fn, arg};
    world->n_threads_pending++;
    sim__add_event(world, world->now_us + delay_us, run_thread, start, true);
    return 0;
}

/* ---- names ------------------------------------------------------------------------------------------------------------ */

void sim_name(sim_world *world, const char *host, const char *address)
{
    if (world->n_names == SIM_MAX_NAMES)
        abort();
    (void)snprintf(world->names[world->n_names].host, sizeof world->names[0].host, "%s", host);
    (void)snprintf(world->names[world->n_names++].address, sizeof world->names[0].address, "%s", address);
}

static struct addrinfo *new_addrinfo(const char *address)
{
    struct addrinfo *ai = sim__malloc(sizeof *ai);
    struct sockaddr_in sin = {.sin_family = AF_INET};
    struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};

    *ai = (struct addrinfo){.ai_socktype = SOCK_STREAM, .ai_addr = sim__malloc(sizeof sin6)};
    if (inet_pton(AF_INET, address, &sin.sin_addr) == 1) {
        ai->ai_family = AF_INET;
        ai->ai_addrlen = sizeof sin;
        memcpy(ai->ai_addr, &sin, sizeof sin);
    } else {
        (void)inet_pton(AF_INET6, address, &sin6.sin6_addr);
        ai->ai_family = AF_INET6;
        ai->ai_addrlen = sizeof sin6;
        memcpy(ai->ai_addr, &sin6, sizeof sin6);
    }
    return ai;
}

static int os_getaddrinfo(void *ctx, const char *host, const char *service, const struct addrinfo *hints,
                          struct addrinfo **list, int *os_error)
{
    sim_world *world = ctx;
    struct addrinfo **end = list;

    (void)service, (void)hints;
    *list = NULL;
    *os_error = 0;
    if (sim_chance(world, world->faults.resolve_fails))
        return EAI_AGAIN;
    for (size_t i = 0; i < world->n_names; i++) {
        if (strcmp(world->names[i].host, host) != 0)
            continue;
        *end = new_addrinfo(world->names[i].address);
        end = &(*end)->ai_next;
    }
    return *list ? 0 : EAI_NONAME;
}

static void os_freeaddrinfo(void *ctx, struct addrinfo *list)
{
    (void)ctx;
    while (list) {
        struct addrinfo *next = list->ai_next;
        free(list->ai_addr);
        free(list);
        list = next;
    }
}

/* ---- the world -------------------------------------------------------------------------------------------------------- */

sim_world *sim_new(uint64_t seed, const sim_faults *faults)
{
    sim_world *world = sim__malloc(sizeof *world);

    memset(world, 0, sizeof *world);
    if (faults)
        world->faults = *faults;
    world->now_us = 1000000;
    world->random_state = mix(seed);
    world->hash = 0xCBF29CE484222325u;
    world->os = (tusk__os){.ctx = world,
                           .now_us = os_now_us,
                           .random = os_random,
                           .getaddrinfo = os_getaddrinfo,
                           .freeaddrinfo = os_freeaddrinfo,
                           .interface_index = os_interface_index,
                           .fork_guard_new = os_fork_guard_new,
                           .fork_guard_free = os_fork_guard_free,
                           .process_id = os_process_id,
                           .thread_start = os_thread_start,
                           .poller = &sim_poller_ops};
    sim__net_fill(&world->os);
    return world;
}

/* A thread that never ran owns memory that nobody else would free: it runs now. */
void sim_free(sim_world *world)
{
    if (!world)
        return;
    while (world->n_events) {
        sim_event event = take_event(world);
        if (event.fn == run_thread)
            event.fn(event.arg);
        else if (event.is_owned)
            free(event.arg);
    }
    sim__net_free(world);
    free(world->events);
    free(world);
}

const tusk__os *sim_os(sim_world *world)
{
    return &world->os;
}

int64_t sim_now(const sim_world *world)
{
    return world->now_us;
}

void sim_stop_faults(sim_world *world)
{
    world->faults = (sim_faults){.max_delay_us = world->faults.max_delay_us,
                                 .max_thread_delay_us = world->faults.max_thread_delay_us};
}

const char *sim_trouble(const sim_world *world)
{
    return world->trouble[0] ? world->trouble : NULL;
}

size_t sim_open_sockets(const sim_world *world)
{
    return world->n_open;
}
