/* The rows of the list of attempts: put in, found, given up, taken out.
 * Read first: lib/attempts_list.h. */
#include "lib/attempts_list.h"

#include "proto/error_set.h"

tusk__attempt *tusk__attempts_find(const tusk__attempts *a, tusk__attempt_state wanted)
{
    tusk__attempt *at = a->first;

    while (at && at->state != wanted)
        at = at->next;
    return at;
}

/* A row behind `place`. */
tusk_code tusk__attempts_insert(tusk__attempts *a, tusk__attempt **place, const tusk__route *route, tusk_error *err)
{
    const tusk_allocator *allocator = tusk__loop_allocator(a->loop);
    tusk__attempt *at = allocator->malloc(sizeof *at, allocator->user);

    if (!at)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a connection attempt");
    *at = (tusk__attempt){.next = *place, .list = a, .route = *route};
    *place = at;
    return TUSK_OK;
}

/* Give up what it is doing. */
void tusk__attempt_stop(tusk__attempt *at)
{
    tusk__timer_stop(at->list->loop, &at->deadline);
    if (at->dial)
        tusk__dial_cancel(at->dial);
    at->dial = NULL;
    if (at->transport)
        at->transport->ops->close(at->transport);
    at->transport = NULL;
}

void tusk__attempt_remove(tusk__attempt **place)
{
    tusk__attempt *at = *place;
    const tusk_allocator *allocator = tusk__loop_allocator(at->list->loop);

    *place = at->next;
    tusk__attempt_stop(at);
    allocator->free(at, allocator->user);
}
