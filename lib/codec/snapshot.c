/* pg_snapshot and txid_snapshot: in binary an Int32 number of running transactions, xmin, xmax and those, 64 bits each; in text
 * xmin:xmax:running,….
 * Source: PostgreSQL docs, "Transaction ID and Snapshot Information Functions"; pg_snapshot_recv in src/backend/utils/adt/xid8funcs.c. */
#include <stdio.h>

#include <tusk/snapshot.h>

#include "lib/codec/printer.h"
#include "lib/codec/scan.h"

#define HEADER 20
#define XID 8
#define DECIMAL_SIZE 24

static tusk_code bad(tusk_error *err, const char *what)
{
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_BAD_BINARY, "snapshot in binary %s", what);
}

tusk_snapshot_view tusk__snapshot_of(tusk_str wire)
{
    const uint8_t *p = (const uint8_t *)wire.ptr;
    tusk_snapshot_view none = {0};
    tusk_snapshot_view snapshot = {p, p ? tusk__be64(p + 4) : 0, p ? tusk__be64(p + 12) : 0, p ? tusk__be32(p) : 0};

    return p ? snapshot : none;
}

/* Each once, in order, from xmin on and below xmax. */
static bool ascends(tusk_snapshot_view snapshot)
{
    uint64_t last = 0;

    for (uint32_t i = 0; i < snapshot.n_xips; i++) {
        uint64_t xip = tusk_snapshot_xip(snapshot, i);

        if (xip <= last || xip < snapshot.xmin || xip >= snapshot.xmax)
            return false;
        last = xip;
    }
    return true;
}

static tusk_code check(tusk_str wire, tusk_error *err)
{
    tusk_snapshot_view snapshot;

    if (wire.len < HEADER)
        return bad(err, "without its header");
    snapshot = tusk__snapshot_of(wire);
    if ((wire.len - HEADER) % XID != 0 || (wire.len - HEADER) / XID != snapshot.n_xips)
        return bad(err, "with more or fewer transactions than it says");
    if (snapshot.xmin == 0 || snapshot.xmax < snapshot.xmin)
        return bad(err, "that ends before it begins");
    return ascends(snapshot) ? TUSK_OK : bad(err, "with transactions out of order");
}

tusk_code tusk__snapshot_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    TUSK_TRY(check(bytes, err));
    out->kind = TUSK_KIND_WIRE;
    out->as.bytes = bytes;
    return TUSK_OK;
}

tusk_code tusk__snapshot_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    TUSK_TRY(check(value->as.bytes, err));
    tusk__write_bytes(b, value->as.bytes);
    return TUSK_OK;
}

static void print_number(tusk__printer *p, uint64_t n, char before)
{
    char text[DECIMAL_SIZE];

    snprintf(text, sizeof text, "%llu", (unsigned long long)n);
    if (before)
        tusk__print_char(p, before);
    tusk__print_part(p, tusk_str_of(text));
}

size_t tusk__snapshot_print(const tusk_value *value, char *buf, size_t size)
{
    tusk_snapshot_view snapshot = tusk__snapshot_of(value->as.bytes);
    tusk__printer p = tusk__printer_of(buf, size);

    print_number(&p, snapshot.xmin, 0);
    print_number(&p, snapshot.xmax, ':');
    tusk__print_char(&p, ':');
    for (uint32_t i = 0; i < snapshot.n_xips; i++)
        print_number(&p, tusk_snapshot_xip(snapshot, i), i > 0 ? ',' : '\0');
    return tusk__print_end(&p);
}

/* ---- from text --------------------------------------------------------------------------------------------------------------------- */

static bool take_number(tusk__scan *s, uint64_t *n)
{
    const char *start = s->at;

    for (*n = 0; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++) {
        unsigned digit = (unsigned)(*s->at - '0');

        if (*n > (UINT64_MAX - digit) / 10)
            return false;
        *n = *n * 10 + digit;
    }
    return s->at > start;
}

static void put_number(uint8_t *p, uint64_t n)
{
    tusk__put32(p, (uint32_t)(n >> 32));
    tusk__put32(p + 4, (uint32_t)n);
}

/* Counts all and stores those that fit. */
static bool take_xips(tusk__scan *s, uint8_t *xips, size_t max, size_t *n)
{
    uint64_t xip;

    for (*n = 0; s->at < s->end; ++*n) {
        if ((*n > 0 && !tusk__take(s, ',')) || !take_number(s, &xip))
            return false;
        if (*n < max)
            put_number(xips + *n * XID, xip);
    }
    return *n <= UINT32_MAX;
}

tusk_code tusk__snapshot_read(tusk_str text, tusk__room room, tusk_value *out, tusk_error *err)
{
    tusk__scan s = tusk__scan_of(text);
    uint8_t *p = room.ptr;
    size_t max = room.size < HEADER ? 0 : (room.size - HEADER) / XID, n;
    uint64_t xmin, xmax;

    if (!take_number(&s, &xmin) || !tusk__take(&s, ':') || !take_number(&s, &xmax) || !tusk__take(&s, ':') ||
        !take_xips(&s, max > 0 ? p + HEADER : NULL, max, &n))
        return tusk__bad_text(err, tusk__type_name(out->type), text);
    if (n > max || room.size < HEADER)
        return tusk__too_small(err, HEADER + n * XID, room.size);
    tusk__put32(p, (uint32_t)n);
    put_number(p + 4, xmin);
    put_number(p + 12, xmax);
    if (tusk__snapshot_decode(tusk_str_from(p, HEADER + n * XID), out, NULL) != TUSK_OK)
        return tusk__bad_text(err, tusk__type_name(out->type), text);
    return TUSK_OK;
}
