/* How an error is written, for all layers: whoever detects it writes message and sqlstate, whoever knows the context adds
 * `where`, and nobody replaces an error that is already set.
 * It does not print and does not allocate.
 * Read first: tusk/error.h. */
#ifndef TUSK_PROTO_ERROR_SET_H
#define TUSK_PROTO_ERROR_SET_H

#include <tusk/error.h>

/* Every public function that takes an error begins with this: what the caller's struct held before does not count. */
static inline void tusk__error_begin(tusk_error *err)
{
    if (err)
        err->code = TUSK_OK;
}

/* Fill *err unless it holds an error already (err may be NULL). The first error wins. Returns code, for "return the code".
 * sqlstate: 5 characters, NULL means the code's usual one (tusk__error_sqlstate). The message is cut with "…",
 * and its control characters become '?'. */
TUSK_COLD
tusk_code tusk__error_set(tusk_error *err, tusk_code code, const char *sqlstate, const char *fmt, ...) TUSK_PRINTF(4, 5);

/* "No error": the code alone says so, and whoever sets an error writes all the rest before it is read. For the ways that every
 * message takes: an error is a kilobyte, and zeroing it costs more than reading a row. */
static inline void tusk__error_none(tusk_error *err)
{
    err->code = TUSK_OK;
}

/* Put the context in front: if `where` is empty it becomes fmt, else "fmt: where". */
TUSK_COLD
void tusk__error_where(tusk_error *err, const char *fmt, ...) TUSK_PRINTF(2, 3);

void tusk__error_detail(tusk_error *err, tusk_str text);
void tusk__error_hint(tusk_error *err, tusk_str text);

/* The sqlstate that an error of ours carries when its detector names none: TUSK_ERR_PROTOCOL 08P01, _NOMEM 53200, … */
const char *tusk__error_sqlstate(tusk_code code);

/* Copy text into a fixed field: cut at a UTF-8 boundary with "…", control characters (newline too) replaced by a blank, and what is no
 * UTF-8, or a control character of Latin-1, by '?'. text may lie at dst. */
void tusk__error_copy(char *dst, size_t size, tusk_str text);

/* How many bytes at s, which is not empty, are one printable character of UTF-8: 0 for control characters (those of Latin-1 too, which
 * terminals obey) and for what is not valid. */
size_t tusk__printable_len(tusk_str s);

/* Return the code of a failing call to the caller. */
#define TUSK_TRY(expr)                         \
    do {                                       \
        tusk_code tusk_try_code_ = (expr);     \
        if (tusk_try_code_ != TUSK_OK)         \
            return tusk_try_code_;             \
    } while (0)

#endif
