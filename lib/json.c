/* The cursor over a JSON document.
 * It knows no names and judges no number: whether one fits is asked by who uses it.
 * Read first: lib/json.h. */
#include "lib/json.h"

#include <string.h>

#include "proto/utf8.h"

bool tusk__json_fail(tusk__json_cursor *c, tusk__json_fault fault, const char *at)
{
    if (c->fault == TUSK__JSON_FINE) {
        c->fault = fault;
        c->fault_at = at;
    }
    c->p = c->end;
    return false;
}

static bool malformed(tusk__json_cursor *c)
{
    uint32_t code;

    if (c->p == c->end)
        return tusk__json_fail(c, TUSK__JSON_ENDS, c->p);
    if (tusk__utf8_read((const uint8_t *)c->p, (size_t)(c->end - c->p), &code) == 0)
        return tusk__json_fail(c, TUSK__JSON_NOT_UTF8, c->p);
    return tusk__json_fail(c, TUSK__JSON_MALFORMED, c->p);
}

static bool is_next(const tusk__json_cursor *c, char what)
{
    return c->p < c->end && *c->p == what;
}

bool tusk__json_take_if(tusk__json_cursor *c, char what)
{
    bool is_there = is_next(c, what);

    c->p += is_there;
    return is_there;
}

bool tusk__json_take(tusk__json_cursor *c, char what)
{
    return tusk__json_take_if(c, what) || malformed(c);
}

void tusk__json_skip_blanks(tusk__json_cursor *c)
{
    while (is_next(c, ' ') || is_next(c, '\t') || is_next(c, '\n') || is_next(c, '\r'))
        c->p++;
}

bool tusk__json_take_end(tusk__json_cursor *c)
{
    tusk__json_skip_blanks(c);
    return c->fault == TUSK__JSON_FINE && (c->p == c->end || tusk__json_fail(c, TUSK__JSON_BEHIND, c->p));
}

bool tusk__json_enter(tusk__json_cursor *c, char end)
{
    tusk__json_skip_blanks(c);
    return c->fault == TUSK__JSON_FINE && !tusk__json_take_if(c, end);
}

bool tusk__json_next(tusk__json_cursor *c, char end)
{
    tusk__json_skip_blanks(c);
    if (!tusk__json_take_if(c, ',')) {
        (void)tusk__json_take(c, end);
        return false;
    }
    tusk__json_skip_blanks(c);
    return true;
}

/* ---- texts ----------------------------------------------------------------------------------------------------------------- */

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool take_hex4(tusk__json_cursor *c, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++) {
        int digit = c->p < c->end ? hex_value(*c->p) : -1;

        if (digit < 0)
            return malformed(c);
        *out = *out << 4 | (uint32_t)digit;
        c->p++;
    }
    return true;
}

/* Behind "\u", whose backslash is at `at`. Two halves are one character; one alone, and NUL, are none. */
static bool take_unicode(tusk__json_cursor *c, const char *at, uint32_t *code)
{
    uint32_t low;

    if (!take_hex4(c, code))
        return false;
    if (*code >= 0xD800 && *code <= 0xDBFF) {
        if (!tusk__json_take(c, '\\') || !tusk__json_take(c, 'u') || !take_hex4(c, &low))
            return false;
        if (low < 0xDC00 || low > 0xDFFF)
            return tusk__json_fail(c, TUSK__JSON_MALFORMED, at);
        *code = 0x10000 + ((*code & 0x3FF) << 10 | (low & 0x3FF));
    }
    if (*code == 0)
        return tusk__json_fail(c, TUSK__JSON_NUL, at);
    return *code < 0xDC00 || *code > 0xDFFF || tusk__json_fail(c, TUSK__JSON_MALFORMED, at);
}

/* Behind a backslash. */
static bool take_escaped(tusk__json_cursor *c, uint32_t *code)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *at = c->p - 1, *letter = c->p < c->end && *c->p ? strchr(letters, *c->p) : NULL;

    if (tusk__json_take_if(c, 'u'))
        return take_unicode(c, at, code);
    if (!letter)
        return malformed(c);
    *code = (uint8_t)meanings[letter - letters];
    c->p++;
    return true;
}

bool tusk__json_take_character(tusk__json_cursor *c, uint32_t *code)
{
    size_t len;

    if (c->p == c->end)
        return malformed(c);
    if (tusk__json_take_if(c, '\\'))
        return take_escaped(c, code);
    len = tusk__utf8_read((const uint8_t *)c->p, (size_t)(c->end - c->p), code);
    if (len == 0 || *code < 0x20)
        return malformed(c);
    c->p += len;
    return true;
}

bool tusk__json_take_text(tusk__json_cursor *c, tusk_str *out)
{
    char *begin = c->to;
    uint32_t code = 0;

    if (!tusk__json_take(c, '"'))
        return false;
    while (!tusk__json_take_if(c, '"')) {
        if (!tusk__json_take_character(c, &code))
            return false;
        c->to += tusk__utf8_write(code, c->to);
    }
    *out = tusk_str_from(begin, (size_t)(c->to - begin));
    return true;
}

static bool take_colon(tusk__json_cursor *c)
{
    tusk__json_skip_blanks(c);
    if (!tusk__json_take(c, ':'))
        return false;
    tusk__json_skip_blanks(c);
    return true;
}

bool tusk__json_take_name(tusk__json_cursor *c, tusk_str *out)
{
    return tusk__json_take_text(c, out) && take_colon(c);
}

/* ---- what is passed over ----------------------------------------------------------------------------------------------------- */

static bool skip_text(tusk__json_cursor *c)
{
    uint32_t code;

    if (!tusk__json_take(c, '"'))
        return false;
    while (!tusk__json_take_if(c, '"'))
        if (!tusk__json_take_character(c, &code))
            return false;
    return true;
}

static bool skip_word(tusk__json_cursor *c, const char *word)
{
    while (*word)
        if (!tusk__json_take(c, *word++))
            return false;
    return true;
}

static bool skip_digits(tusk__json_cursor *c)
{
    const char *begin = c->p;

    while (c->p < c->end && *c->p >= '0' && *c->p <= '9')
        c->p++;
    return c->p > begin || malformed(c);
}

static bool skip_number(tusk__json_cursor *c)
{
    (void)tusk__json_take_if(c, '-');
    if (!tusk__json_take_if(c, '0') && !skip_digits(c))
        return false;
    if (tusk__json_take_if(c, '.') && !skip_digits(c))
        return false;
    if (!tusk__json_take_if(c, 'e') && !tusk__json_take_if(c, 'E'))
        return true;
    if (!tusk__json_take_if(c, '+'))
        (void)tusk__json_take_if(c, '-');
    return skip_digits(c);
}

static bool skip_name(tusk__json_cursor *c, const char *object)
{
    const char *name = c->p;

    if (!skip_text(c) || !take_colon(c))
        return false;
    if (c->names)
        c->names[c->n_names] = (tusk__json_name){object, name};
    c->n_names++;
    return true;
}

/* Behind the bracket. */
static bool skip_list(tusk__json_cursor *c, char end, int depth)
{
    const char *bracket = c->p - 1;

    if (depth > c->depth_max)
        return tusk__json_fail(c, TUSK__JSON_DEEP, bracket);
    for (bool more = tusk__json_enter(c, end); more; more = tusk__json_next(c, end))
        if ((end == '}' && !skip_name(c, bracket)) || !tusk__json_skip_value(c, depth))
            return false;
    return c->fault == TUSK__JSON_FINE;
}

bool tusk__json_skip_value(tusk__json_cursor *c, int depth)
{
    if (tusk__json_take_if(c, '{'))
        return skip_list(c, '}', depth + 1);
    if (tusk__json_take_if(c, '['))
        return skip_list(c, ']', depth + 1);
    if (is_next(c, '"'))
        return skip_text(c);
    if (is_next(c, 't') || is_next(c, 'f') || is_next(c, 'n'))
        return skip_word(c, *c->p == 't' ? "true" : *c->p == 'f' ? "false" : "null");
    return skip_number(c);
}

/* ---- places -------------------------------------------------------------------------------------------------------------------- */

void tusk__json_place(tusk_str json, const char *at, unsigned *line, unsigned *column)
{
    *line = *column = 1;
    for (const char *p = json.ptr; p < at; p++) {
        bool is_newline = *p == '\n', is_counted = ((unsigned char)*p & 0xC0) != 0x80;

        *line += is_newline;
        *column = is_newline ? 1 : *column + is_counted;
    }
}
