/* An allocator whose n-th call fails, once or from then on, and that knows what is still out.
 * Not thread-safe but for the count: the helper thread may allocate too.
 * Read first: test/harness/scenario.h. */
#ifndef TUSK_TEST_FAIL_ALLOC_H
#define TUSK_TEST_FAIL_ALLOC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <tusk/alloc.h>

typedef struct fail_alloc {
    tusk_allocator allocator; /* hand this to tusk_loop_open(), its user is the struct: it must not move */
    atomic_long n;            /* calls of malloc and realloc so far */
    long fail_at;             /* the call that fails, 1-based; 0: none */
    bool from_then_on;
    atomic_long live;         /* blocks that are not freed */
    atomic_long failed;       /* calls that failed */
} fail_alloc;

void fail_alloc_init(fail_alloc *fail, long fail_at, bool from_then_on);

/* Does this call fail? For whoever counts calls of another allocator (OpenSSL's). */
bool fail_alloc_hits(fail_alloc *fail);

#endif
