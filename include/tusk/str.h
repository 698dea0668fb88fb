/* tusk_str: a borrowed run of bytes, and the compiler markers that the other headers use.
 * It owns nothing and is never NUL-terminated.
 * Read first: tusk.h, "Conventions". */
#ifndef TUSK_STR_H
#define TUSK_STR_H

#include <stddef.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TUSK_MUST_CHECK __attribute__((warn_unused_result))
#define TUSK_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define TUSK_COLD __attribute__((cold)) /* called when something has gone wrong: whatever leads there is unlikely, and laid apart */
#else
#define TUSK_MUST_CHECK
#define TUSK_PRINTF(fmt, args)
#define TUSK_COLD
#endif

/** Bytes that somebody else owns: `len` bytes from `ptr`, no terminating NUL. {NULL, 0} is the empty string. */
typedef struct tusk_str {
    const char *ptr;
    size_t len;
} tusk_str;

/** printf: `printf("name=" TUSK_STR_FMT "\n", TUSK_STR_ARG(name))`. A string beyond INT_MAX bytes is cut. */
#define TUSK_STR_FMT "%.*s"
#define TUSK_STR_ARG(s) ((s).len > 0x7fffffffu ? 0x7fffffff : (int)(s).len), ((s).ptr ? (s).ptr : "")

/** A view of a NUL-terminated string; NULL gives the empty string. Valid as long as `text` is. */
static inline tusk_str tusk_str_of(const char *text)
{
    tusk_str s = {text, text ? strlen(text) : 0};
    return s;
}

/** A view of `len` bytes. Valid as long as they are. */
static inline tusk_str tusk_str_from(const void *ptr, size_t len)
{
    tusk_str s = {(const char *)ptr, len};
    return s;
}

/** Same bytes? Not for secrets: its time depends on the content. */
static inline int tusk_str_equal(tusk_str a, tusk_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/** Same bytes as the NUL-terminated `text`? */
static inline int tusk_str_is(tusk_str s, const char *text)
{
    return tusk_str_equal(s, tusk_str_of(text));
}

#ifdef __cplusplus
}
#endif

#endif
