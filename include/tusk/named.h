/* Named parameters: :name in the text of a statement instead of $1, and values given by name.
 * Names become numbers before the statement is sent; a value never becomes part of its text.
 * Read first: tusk_request.args in query.h; docs/guide.md, "Named parameters".
 *
 * What is a name: a colon, directly followed by an SQL identifier without quotes, and not directly behind a value (a word, a number, a
 * literal, ")", "]"). So these stay what they are: casts x::int, := , quotes, comments, slices a[1:2] and a[lo:hi], JSON_OBJECT('k':v).
 * A blank behind the colon keeps it from being a name: a[lo : hi], a[: hi]. A blank in front makes it one: a[1 : :hi],
 * JSON_OBJECT('k' : :v). Names are told apart by case, and the same name may stand in several places: it is one parameter.
 * standard_conforming_strings is taken to be on, its default: where it is off, quotes with backslashes in them may be read otherwise
 * than the server reads them. */
#ifndef TUSK_NAMED_H
#define TUSK_NAMED_H

#include <tusk/alloc.h>
#include <tusk/error.h>
#include <tusk/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One value by the name of its parameter, without the colon. */
typedef struct tusk_arg {
    const char *name;
    tusk_value value;
} tusk_arg;

/** Values by name, in any order. Borrowed until the call that takes them returns. */
typedef struct tusk_args {
    const tusk_arg *items; /* NULL: the text is not read for names at all */
    size_t n;
} tusk_args;

/** The values of a call: TUSK_ARGS({"age", tusk_int4(18)}, {"status", tusk_text("active")}). Lives as long as the enclosing block.
 * C++ has no compound literals: make an array of tusk_arg and use tusk_args_of(). */
#ifndef __cplusplus
#define TUSK_ARGS(...)                                                                           \
    ((tusk_args){(const tusk_arg[]){__VA_ARGS__},                                                \
                 sizeof((const tusk_arg[]){__VA_ARGS__}) / sizeof(tusk_arg)})
#endif

static inline tusk_args tusk_args_of(const tusk_arg *items, size_t n)
{
    tusk_args args = {items, n};
    return args;
}

/** No values, but names to be looked for: then one that the text has, and nobody gives a value for, is told before anything is sent. */
static inline tusk_args tusk_no_args(void)
{
    static tusk_arg nothing;

    return tusk_args_of(&nothing, 0);
}
#define TUSK_NO_ARGS tusk_no_args()

/** A statement whose names have become numbers. Made once, used many times: then nothing is allocated for the names. */
typedef struct tusk_named tusk_named;

/**
 * Read the names of a statement.
 *
 * sql        UTF-8 text; copied
 * allocator  NULL: the default. Copied; its `user` must outlive the statement and the queries made of it
 * Returns    the statement, owned by the caller: tusk_named_free(), at any time, queries in flight keep what they need.
 *            NULL on failure, with the reason in *err
 * Errors     TUSK_ERR_USAGE, with position: $1 beside names, or instead of them; a quote or comment without an end
 *            TUSK_ERR_VALUE not UTF-8, or a NUL in it · TUSK_ERR_LIMIT more than 65535 names, or longer than a message
 *            TUSK_ERR_NOMEM
 * Thread     that of the loop whose connections it is used on: one thread
 * Example    docs/examples/named.c
 */
TUSK_MUST_CHECK
tusk_named *tusk_named_parse(tusk_str sql, const tusk_allocator *allocator, tusk_error *err);

/** NULL is fine. */
void tusk_named_free(tusk_named *named);

/** The text with $1 … in it, for tusk_prepare(); NUL-terminated. Borrowed until tusk_named_free(). */
const char *tusk_named_sql(const tusk_named *named);

size_t tusk_named_n_params(const tusk_named *named);
/** The name of $1 is number 0, without its colon; empty if there is no such parameter. Borrowed until tusk_named_free(). */
tusk_str tusk_named_param(const tusk_named *named, size_t param);

/**
 * Put values into the order of the numbers, for a statement that was prepared from tusk_named_sql(). tusk_submit() does it by itself.
 *
 * params    borrowed from `named` until the next tusk_named_bind(), tusk_submit() with it, or tusk_named_free(); what the values
 *           point at is not copied
 * Errors    TUSK_ERR_USAGE, 42P02: a value is missing (err.param says of which), or there is no parameter of that name;
 *           42P08: two values for one name
 */
TUSK_MUST_CHECK
tusk_code tusk_named_bind(tusk_named *named, tusk_args args, tusk_params *params, tusk_error *err);

/** The position in the text with names of what is at `position` (from 1 on) in the text with numbers; of a number that of its name.
 * The errors of queries that were submitted with names hold it already. 0 stays 0. */
int tusk_named_position(const tusk_named *named, int position);

#ifdef __cplusplus
}
#endif

#endif
