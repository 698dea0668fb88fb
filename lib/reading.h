/* The settings of a configuration that names files, or leaves something to files and to the system's user database: they are read on
 * the helper thread, as each of them may lie on a disk that does not answer.
 * It knows no connection: whoever asks is told once, from the loop, or asks no more.
 * Read first: lib/settings.h, loop/loop.h "jobs", docs/internals/config.md. */
#ifndef TUSK_LIB_READING_H
#define TUSK_LIB_READING_H

#include "lib/settings.h"
#include "loop/loop.h"

typedef struct tusk__reading tusk__reading;

/* settings: one reference, the receiver's; NULL: err says why. Everything is allowed. */
typedef void (*tusk__reading_fn)(tusk__settings *settings, const tusk_error *err, void *user);

/* config and the environment are copied before this returns. on_read is called once, from the loop and never inside this call.
 * NULL: out of memory, or no thread to be had. */
TUSK_MUST_CHECK
tusk__reading *tusk__reading_start(tusk_loop *loop, const tusk_config *config, tusk__reading_fn on_read, void *user,
                                   tusk_error *err);
/* on_read will not be called; NULL is fine. */
void tusk__reading_abandon(tusk__reading *reading);

/* tusk_config.connect_timeout; 0 and -1 none */
int64_t tusk__reading_timeout_us(const tusk__reading *reading);

/* That it has not come to an end yet, as an error's detail. reading may be NULL. */
void tusk__reading_explain(const tusk__reading *reading, tusk_error *err);

#endif
