/* The rows of the list of attempts: put in, found, given up, taken out.
 * Read first: lib/attempts_list.h. */
#include "lib/attempts_list.h"

#include "proto/error_set.h"

tusk__attempt *tusk__attempts_find(const tusk__attempts *a, tusk__attempt_state wanted)
{
    tusk__attempt *at = a->n_rows[wanted] > 0 ? a->first : NULL;

    while (at && at->state != wanted)
        at = at->next;
    return at;
}

void tusk__attempt_become(tusk__attempt *at, tusk__attempt_state state)
{
    at->list->n_rows[at->state]--;
    at->list->n_rows[state]++;
    at->state = state;
}

void tusk__attempt_put_away(tusk__attempt *at)
{
    tusk__attempts *a = at->list;
    tusk__attempt **place = &a->first;

    while (*place != at)
        place = &(*place)->next;
    *place = at->next;
    at->next = NULL;
    *(a->over_last ? &a->over_last->next : &a->over) = at;
    a->over_last = at;
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
    a->n_rows[at->state]++;
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
    at->list->n_rows[at->state]--;
    tusk__attempt_stop(at);
    allocator->free(at, allocator->user);
}

void tusk__attempts_clear(tusk__attempts *a)
{
    while (a->first)
        tusk__attempt_remove(&a->first);
    while (a->over)
        tusk__attempt_remove(&a->over);
    a->over_last = NULL;
}
