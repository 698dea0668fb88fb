/* The order of hosts and addresses, and the rows that a name's addresses become.
 * Read first: lib/attempts_list.h. */
#include "lib/array.h"
#include "lib/attempts_list.h"
#include "lib/owner.h"
#include "proto/error_set.h"

/* 0 … n-1, in this order or in any (Fisher and Yates). */
tusk_code tusk__attempts_put_in_order(const tusk__attempts *a, size_t *order, size_t n, tusk_error *err)
{
    const tusk__os *os = tusk__loop_os(a->loop);

    for (size_t i = 0; i < n; i++) {
        uint64_t number = i;
        size_t k;

        if (i > 0 && a->settings->load_balance_hosts && os->random(os->ctx, &number, sizeof number) < 0)
            return tusk__error_set(err, TUSK_ERR_SYSTEM, NULL, "no random number for load_balance_hosts");
        k = (size_t)(number % (i + 1));
        order[i] = order[k];
        order[k] = i;
    }
    return TUSK_OK;
}

static void on_stagger(tusk__timer *timer)
{
    tusk__attempts_look_soon(OWNER_OF(timer, tusk__attempts, stagger));
}

/* Again when a name is resolved: that took its own time, and its addresses get theirs. */
tusk_code tusk__attempts_start_stagger(tusk__attempts *a, tusk_error *err)
{
    if (tusk__timer_start(a->loop, &a->stagger, TUSK__STAGGER_US, on_stagger) == TUSK_OK)
        return TUSK_OK;
    return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a timer");
}

/* The first in order is this attempt's own; the others become rows behind it. */
static tusk_code insert_addresses(tusk__attempt *at, const tusk__address *addresses, const size_t *order, size_t n,
                                  tusk_error *err)
{
    tusk__route route = at->route;

    route.has_address = true;
    for (size_t i = n; i-- > 1;) {
        route.address = addresses[order[i]];
        TUSK_TRY(tusk__attempts_insert(at->list, &at->next, &route, err));
    }
    at->route.address = addresses[order[0]];
    at->route.has_address = true;
    return TUSK_OK;
}

tusk_code tusk__attempt_on_addresses(const tusk__address *addresses, size_t n, size_t *mine, void *user,
                                     tusk_error *err)
{
    tusk__attempt *at = user;
    const tusk_allocator *allocator = tusk__loop_allocator(at->list->loop);
    size_t *order = tusk__array_new(allocator, n, sizeof *order);
    tusk_code code;

    if (!order)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the addresses of a name");
    code = tusk__attempts_put_in_order(at->list, order, n, err);
    if (code == TUSK_OK)
        code = insert_addresses(at, addresses, order, n, err);
    if (code == TUSK_OK)
        code = tusk__attempts_start_stagger(at->list, err);
    *mine = order[0];
    allocator->free(order, allocator->user);
    return code;
}
