/* tsvector: in binary an Int32 number of lexemes, each ended by a NUL, with an Int16 number of positions and those, whose upper two bits are
 * the weight; in text 'lexeme':1A,2 and so on. Text is the server's to read.
 * Source: PostgreSQL docs, "Text Search Types"; tsvectorsend, tsvectorrecv and tsvectorout in src/backend/utils/adt/tsvector.c. */
#include <tusk/tsvector.h>

#include <stdio.h>

#include "lib/codec/lexeme.h"

#define HEADER 4
#define POSITIONS_MAX 256 /* MAXNUMPOS */

static tusk_code bad(tusk_error *err, const char *what)
{
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_BAD_BINARY, "tsvector in binary %s", what);
}

/* As strings of bytes, the shorter one first. */
static bool is_in_order(tusk_str a, tusk_str b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

    return order < 0 || (order == 0 && a.len <= b.len);
}

static tusk_code check_positions(tusk__cursor *c, tusk_error *err)
{
    const uint8_t *p = tusk__take_bytes(c, 2);
    tusk_lexeme lexeme = {.n_positions = p ? tusk__be16(p) : 0};

    if (!p)
        return bad(err, "that is cut");
    if (lexeme.n_positions > POSITIONS_MAX)
        return bad(err, "with more than 256 positions");
    lexeme.positions = tusk__take_bytes(c, 2 * (size_t)lexeme.n_positions);
    if (!lexeme.positions)
        return bad(err, "that is cut");
    for (uint32_t i = 1; i < lexeme.n_positions; i++)
        if (tusk_lexeme_position(lexeme, i) <= tusk_lexeme_position(lexeme, i - 1))
            return bad(err, "with positions out of order");
    return TUSK_OK;
}

static tusk_code check(tusk_str wire, tusk_error *err)
{
    tusk__cursor c = tusk__cursor_of(wire);
    const uint8_t *p = tusk__take_bytes(&c, HEADER);
    tusk_str last = {"", 0}, lexeme;

    if (!p)
        return bad(err, "without its number of lexemes");
    for (uint32_t n = tusk__be32(p); n > 0; n--) {
        if (!tusk__take_lexeme(&c, &lexeme))
            return bad(err, "with a lexeme that is cut, or too long");
        if (!is_in_order(last, lexeme))
            return bad(err, "with lexemes out of order");
        last = lexeme;
        TUSK_TRY(check_positions(&c, err));
    }
    return c.at == c.end ? TUSK_OK : bad(err, "with more than it says");
}

tusk_tsvector_view tusk__tsvector_of(tusk_str wire)
{
    const uint8_t *p = (const uint8_t *)wire.ptr;
    tusk_tsvector_view vector = {p ? p + HEADER : NULL, p ? tusk__be32(p) : 0};

    return vector;
}

tusk_code tusk__tsvector_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    TUSK_TRY(check(bytes, err));
    out->kind = TUSK_KIND_WIRE;
    out->as.bytes = bytes;
    return TUSK_OK;
}

tusk_code tusk__tsvector_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    TUSK_TRY(check(value->as.bytes, err));
    tusk__write_bytes(b, value->as.bytes);
    return TUSK_OK;
}

static void print_positions(tusk__printer *p, tusk_lexeme lexeme)
{
    for (uint32_t i = 0; i < lexeme.n_positions; i++) {
        char text[16], weight = tusk_lexeme_weight(lexeme, i);

        snprintf(text, sizeof text, "%c%u", i == 0 ? ':' : ',', (unsigned)tusk_lexeme_position(lexeme, i));
        tusk__print_part(p, tusk_str_of(text));
        if (weight != 'D')
            tusk__print_char(p, weight);
    }
}

size_t tusk__tsvector_print(const tusk_value *value, char *buf, size_t size)
{
    tusk_tsvector_view rest = tusk__tsvector_of(value->as.bytes);
    tusk__printer p = tusk__printer_of(buf, size);

    for (tusk_lexeme lexeme; tusk_tsvector_next(&rest, &lexeme);) {
        if (p.len > 0)
            tusk__print_char(&p, ' ');
        tusk__print_lexeme(&p, lexeme.text);
        print_positions(&p, lexeme);
    }
    return tusk__print_end(&p);
}
