/* tusk_allocator: where all of Tusk's memory comes from.
 * OpenSSL, the C library's resolver and, where they are named, GSSAPI and jansson allocate for themselves; everything else goes through
 * this struct.
 * Read first: tusk_loop_config.allocator in loop.h. */
#ifndef TUSK_ALLOC_H
#define TUSK_ALLOC_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The caller's memory functions, with the semantics of malloc, realloc and free in C11.
 *
 * Each may return NULL: the operation that needed the memory then fails with TUSK_ERR_NOMEM and everything stays usable.
 * Lifetime  copied by tusk_loop_open(); `user` must outlive the loop, and a helper thread that hangs in a name resolution, a
 *           file or GSSAPI may outlive the loop itself
 * Thread    called on the loop's thread, and by the loop's helper thread for its own jobs: must be thread-safe
 */
typedef struct tusk_allocator {
    void *(*malloc)(size_t size, void *user);
    void *(*realloc)(void *ptr, size_t size, void *user);
    void (*free)(void *ptr, void *user); /* ptr may be NULL */
    void *user;
} tusk_allocator;

/** The C library's malloc, realloc and free; what a NULL allocator means. Lives for ever. */
const tusk_allocator *tusk_allocator_default(void);

#ifdef __cplusplus
}
#endif

#endif
