/* How loop/ fills a tusk_error. It knows the few codes that a loop has, and no SQL.
 * loop/ and proto/ do not see each other: this is the small sister of proto/error_set.h, with the same rules.
 * Read first: tusk/error.h. */
#ifndef TUSK_LOOP_ERROR_H
#define TUSK_LOOP_ERROR_H

#include <tusk/error.h>

/* Every public function that takes an error begins with this: what the caller's struct held before does not count. */
static inline void tusk__loop_error_begin(tusk_error *err)
{
    if (err)
        err->code = TUSK_OK;
}

/* Fill *err unless it holds an error already (err may be NULL); nothing of ours has reached a server. Returns code. */
TUSK_COLD
tusk_code tusk__loop_error(tusk_error *err, tusk_code code, const char *fmt, ...) TUSK_PRINTF(3, 4);

/* TUSK_ERR_SYSTEM for a failed call: rc is its -errno, `what` was being done. */
TUSK_COLD
tusk_code tusk__system_error(tusk_error *err, int rc, const char *what);

/* Return the code of a failing call to the caller. */
#ifndef TUSK_TRY
#define TUSK_TRY(expr)                                                                                                 \
    do {                                                                                                               \
        tusk_code tusk_try_code_ = (expr);                                                                             \
        if (tusk_try_code_ != TUSK_OK)                                                                                 \
            return tusk_try_code_;                                                                                     \
    } while (0)
#endif

/* Copy `len` bytes into a field of `size`: cut at a UTF-8 boundary with "…", control characters become blanks. */
void tusk__loop_copy_text(char *dst, size_t size, const char *text, size_t len);

#endif
