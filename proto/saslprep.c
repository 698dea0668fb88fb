/* SASLprep (RFC 4013): map, judge, normalise to NFKC with Unicode 3.2, write UTF-8.
 * One pass maps, judges and decomposes; then marks are ordered, characters composed and written, all in one array.
 * Read first: proto/saslprep.h; RFC 3454 section 2; Unicode Standard Annex 15. */
#include "proto/saslprep.h"

#include <stdbool.h>

#include "proto/saslprep_tables.h"
#include "proto/utf8.h"

#define N_OF(table) (sizeof(table) / sizeof(table)[0])

/* While it is worked on, a code point carries its combining class in the top byte. */
#define CODE(c) ((c)&0xFFFFFF)
#define CLASS(c) ((c) >> 24)

enum { L_BASE = 0x1100, V_BASE = 0x1161, T_BASE = 0x11A7, S_BASE = 0xAC00 }; /* Hangul: Unicode 3.12 */
enum { L_COUNT = 19, V_COUNT = 21, T_COUNT = 28, S_COUNT = L_COUNT * V_COUNT * T_COUNT };

typedef struct text {
    uint32_t *codes;
    size_t n;
    bool full; /* a code point did not fit: goes on judging, writes no more */
} text;

/* The index behind the last entry of a sorted table whose upper 24 bits are <= code. */
static size_t upper_bound(const uint32_t *table, size_t n, uint32_t code)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (table[middle] >> 8 <= code)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Tables of runs begin at code point 0, so there is always an entry. */
static uint32_t run_value(const uint32_t *runs, size_t n, uint32_t code)
{
    return runs[upper_bound(runs, n, code) - 1] & 0xFF;
}

static uint32_t prep_flags(uint32_t code)
{
    return run_value(prep_runs, N_OF(prep_runs), code);
}

/* The index is bounded, so nothing is added up that could wrap (D5). */
static void put(text *t, uint32_t code)
{
    if (t->n >= TUSK__SASLPREP_MAX) {
        t->full = true;
        return;
    }
    t->codes[t->n++] = code | run_value(class_runs, N_OF(class_runs), code) << 24;
}

static void put_hangul(text *t, uint32_t index)
{
    put(t, L_BASE + index / (V_COUNT * T_COUNT));
    put(t, V_BASE + index / T_COUNT % V_COUNT);
    if (index % T_COUNT != 0)
        put(t, T_BASE + index % T_COUNT);
}

static void put_decomposed(text *t, uint32_t code)
{
    size_t at = upper_bound(nfkd_codes, N_OF(nfkd_codes), code);

    if (code >= S_BASE && code < S_BASE + S_COUNT) {
        put_hangul(t, code - S_BASE);
        return;
    }
    if (at == 0 || nfkd_codes[at - 1] >> 8 != code) {
        put(t, code);
        return;
    }
    for (size_t i = 0; i < (nfkd_codes[at - 1] & 0xFF); i++)
        put(t, nfkd_data[nfkd_offsets[at - 1] + i]);
}

/* RFC 3454 section 6, and no empty result. `all` are the flags of all mapped characters together. */
static bool is_allowed(uint32_t first, uint32_t last, uint32_t all)
{
    if (all & PREP_FORBIDDEN)
        return false;
    if (!(all & PREP_RANDAL))
        return true;
    return !(all & PREP_LCAT) && (first & PREP_RANDAL) && (last & PREP_RANDAL);
}

/* Map, judge and decompose. False: the password is to be used raw. As in PostgreSQL it is the mapped string that is judged,
 * before its normalisation: the server that stored the password did the same. */
static bool read_password(tusk_str password, text *t)
{
    const uint8_t *p = (const uint8_t *)password.ptr;
    uint32_t code = 0, first = 0, last = 0, all = 0;
    bool empty = true;

    for (size_t left = password.len, len; left > 0; p += len, left -= len) {
        len = tusk__utf8_read(p, left, &code);
        if (len == 0)
            return false;
        if (prep_flags(code) & PREP_NOTHING)
            continue;
        if (prep_flags(code) & PREP_SPACE)
            code = ' ';
        last = prep_flags(code);
        if (empty)
            first = last;
        empty = false;
        all |= last;
        put_decomposed(t, code);
    }
    return !empty && is_allowed(first, last, all);
}

/* Canonical ordering: a stable insertion sort of each run of marks by class; a starter (class 0) is never passed. */
static void order_marks(text *t)
{
    for (size_t i = 1; i < t->n; i++) {
        uint32_t mark = t->codes[i];
        size_t at = i;

        for (; at > 0 && CLASS(mark) != 0 && CLASS(t->codes[at - 1]) > CLASS(mark); at--)
            t->codes[at] = t->codes[at - 1];
        t->codes[at] = mark;
    }
}

static uint32_t compose_hangul(uint32_t a, uint32_t b)
{
    if (a >= L_BASE && a < L_BASE + L_COUNT && b >= V_BASE && b < V_BASE + V_COUNT)
        return S_BASE + ((a - L_BASE) * V_COUNT + (b - V_BASE)) * T_COUNT;
    if (a >= S_BASE && a < S_BASE + S_COUNT && (a - S_BASE) % T_COUNT == 0 && b > T_BASE && b < T_BASE + T_COUNT)
        return a + (b - T_BASE);
    return 0;
}

/* What a and b compose to, or 0. */
static uint32_t compose(uint32_t a, uint32_t b)
{
    size_t low = 0, high = N_OF(pairs);

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct pair *pair = &pairs[middle];

        if (pair->first == a && pair->second == b)
            return pair->composite;
        if (pair->first < a || (pair->first == a && pair->second < b))
            low = middle + 1;
        else
            high = middle;
    }
    return compose_hangul(a, b);
}

/* Canonical composition: each character is joined to the last starter unless something between them blocks it, which is
 * what has a class as high as its own, or any starter. Composites are starters, so they keep class 0. */
static void compose_all(text *t)
{
    size_t starter = 0, n = 0;
    bool has_starter = false;

    for (size_t i = 0; i < t->n; i++) {
        uint32_t c = t->codes[i], composite = 0;
        bool blocked = !has_starter || (n - 1 > starter && CLASS(t->codes[n - 1]) >= CLASS(c));

        if (!blocked)
            composite = compose(CODE(t->codes[starter]), CODE(c));
        if (composite != 0) {
            t->codes[starter] = composite;
            continue;
        }
        if (CLASS(c) == 0) {
            starter = n;
            has_starter = true;
        }
        t->codes[n++] = c;
    }
    t->n = n;
}

/* In place: a character takes four bytes in the array and at most four in UTF-8, so writing never overtakes reading. */
static tusk_str write_text(const text *t)
{
    char *out = (char *)t->codes;
    size_t len = 0;

    for (size_t i = 0; i < t->n; i++)
        len += tusk__utf8_write(CODE(t->codes[i]), out + len);
    return tusk_str_from(out, len);
}

static bool is_ascii(tusk_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.ptr[i] >= 0x80)
            return false;
    return true;
}

tusk_code tusk__saslprep(tusk_str password, tusk__saslprep_buf *buf, tusk_str *out)
{
    text t = {buf->codes, 0, false};

    *out = password;
    if (is_ascii(password) || !read_password(password, &t))
        return TUSK_OK;
    if (t.full)
        return TUSK_ERR_LIMIT;
    order_marks(&t);
    compose_all(&t);
    *out = write_text(&t);
    return TUSK_OK;
}
