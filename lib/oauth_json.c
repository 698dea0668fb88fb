/* A reader of one JSON object: a cursor that goes over all of it once, by the grammar of RFC 8259, and keeps three texts.
 * Whatever is wrong is said once, in `wrong`; the cursor then stands still.
 * Read first: lib/oauth_json.h. */
#include "lib/oauth_json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proto/error_set.h"
#include "proto/utf8.h"

#define DEPTH_MAX 8 /* as libpq: an object of three texts needs 1 */

typedef struct reader {
    const char *p, *end;
    char *to; /* where the next text is decoded to: there is room, as none grows by that */
    const char *wrong;
} reader;

/* ---- the cursor ---------------------------------------------------------------------------------------------------------- */

static bool fail(reader *r, const char *wrong)
{
    if (!r->wrong)
        r->wrong = wrong;
    r->p = r->end;
    return false;
}

static bool malformed(reader *r)
{
    return fail(r, "is no JSON");
}

static bool is_next(const reader *r, char c)
{
    return r->p < r->end && *r->p == c;
}

static bool take_if(reader *r, char c)
{
    bool is_there = is_next(r, c);

    r->p += is_there;
    return is_there;
}

static bool take(reader *r, char c)
{
    return take_if(r, c) || malformed(r);
}

static void skip_blanks(reader *r)
{
    while (is_next(r, ' ') || is_next(r, '\t') || is_next(r, '\n') || is_next(r, '\r'))
        r->p++;
}

/* ---- texts ----------------------------------------------------------------------------------------------------------------- */

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool take_hex4(reader *r, uint32_t *out)
{
    *out = 0;
    if (r->end - r->p < 4)
        return malformed(r);
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(*r->p++);

        if (digit < 0)
            return malformed(r);
        *out = *out << 4 | (uint32_t)digit;
    }
    return true;
}

/* Behind "\u". Two halves are one character; one alone, and NUL, are none. */
static bool take_unicode(reader *r, uint32_t *code)
{
    uint32_t low;

    if (!take_hex4(r, code))
        return false;
    if (*code >= 0xD800 && *code <= 0xDBFF) {
        if (!take(r, '\\') || !take(r, 'u') || !take_hex4(r, &low))
            return false;
        if (low < 0xDC00 || low > 0xDFFF)
            return malformed(r);
        *code = 0x10000 + ((*code & 0x3FF) << 10 | (low & 0x3FF));
    }
    return (*code != 0 && (*code < 0xDC00 || *code > 0xDFFF)) || malformed(r);
}

/* Behind a backslash. */
static bool take_escaped(reader *r, uint32_t *code)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter = r->p < r->end && *r->p ? strchr(letters, *r->p) : NULL;

    if (take_if(r, 'u'))
        return take_unicode(r, code);
    if (!letter)
        return malformed(r);
    *code = (uint8_t)meanings[letter - letters];
    r->p++;
    return true;
}

static bool take_character(reader *r, uint32_t *code)
{
    size_t len;

    if (r->p == r->end)
        return malformed(r);
    if (take_if(r, '\\'))
        return take_escaped(r, code);
    len = tusk__utf8_read((const uint8_t *)r->p, (size_t)(r->end - r->p), code);
    r->p += len;
    return (len > 0 && *code >= 0x20) || malformed(r);
}

static bool take_text(reader *r, tusk_str *out)
{
    char *begin = r->to;
    uint32_t code = 0;

    if (!take(r, '"'))
        return false;
    while (!take_if(r, '"')) {
        if (!take_character(r, &code))
            return false;
        r->to += tusk__utf8_write(code, r->to);
    }
    *out = tusk_str_from(begin, (size_t)(r->to - begin));
    return true;
}

/* ---- what does not count ----------------------------------------------------------------------------------------------------- */

static bool skip_text(reader *r)
{
    char *begin = r->to;
    tusk_str text;
    bool is_text = take_text(r, &text);

    r->to = begin;
    return is_text;
}

static bool skip_word(reader *r, const char *word)
{
    while (*word)
        if (!take(r, *word++))
            return false;
    return true;
}

static bool skip_digits(reader *r)
{
    const char *begin = r->p;

    while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
        r->p++;
    return r->p > begin || malformed(r);
}

static bool skip_number(reader *r)
{
    (void)take_if(r, '-');
    if (!take_if(r, '0') && !skip_digits(r))
        return false;
    if (take_if(r, '.') && !skip_digits(r))
        return false;
    if (!take_if(r, 'e') && !take_if(r, 'E'))
        return true;
    if (!take_if(r, '+'))
        (void)take_if(r, '-');
    return skip_digits(r);
}

static bool skip_value(reader *r, int depth);

/* The members of an object, or the items of an array, behind its bracket. */
static bool skip_list(reader *r, char end, int depth)
{
    if (depth > DEPTH_MAX)
        return fail(r, "is nested too deeply");
    skip_blanks(r);
    if (take_if(r, end))
        return true;
    do {
        skip_blanks(r);
        if (end == '}') {
            if (!skip_text(r))
                return false;
            skip_blanks(r);
            if (!take(r, ':'))
                return false;
        }
        if (!skip_value(r, depth))
            return false;
    } while (take_if(r, ','));
    return take(r, end);
}

/* With the blanks on both sides. */
static bool skip_value(reader *r, int depth)
{
    bool is_value;

    skip_blanks(r);
    if (take_if(r, '{'))
        is_value = skip_list(r, '}', depth + 1);
    else if (take_if(r, '['))
        is_value = skip_list(r, ']', depth + 1);
    else if (is_next(r, '"'))
        is_value = skip_text(r);
    else if (is_next(r, 't') || is_next(r, 'f') || is_next(r, 'n'))
        is_value = skip_word(r, *r->p == 't' ? "true" : *r->p == 'f' ? "false" : "null");
    else
        is_value = skip_number(r);
    skip_blanks(r);
    return is_value;
}

/* ---- what counts ------------------------------------------------------------------------------------------------------------- */

typedef struct wanted {
    tusk_str *text;
    const char *name, *is_twice, *is_other;
} wanted;

/* The value of a member that counts: it is there once, and a text. */
static bool take_wanted(reader *r, const wanted *w)
{
    if (w->text->ptr)
        return fail(r, w->is_twice);
    if (!is_next(r, '"'))
        return fail(r, w->is_other);
    if (!take_text(r, w->text))
        return false;
    skip_blanks(r);
    return true;
}

static bool take_member(reader *r, const wanted *wanteds, size_t n)
{
    char *begin = r->to;
    tusk_str name = {NULL, 0};
    size_t i = 0;

    skip_blanks(r);
    if (!take_text(r, &name))
        return false;
    while (i < n && !tusk_str_is(name, wanteds[i].name))
        i++;
    r->to = begin;
    skip_blanks(r);
    if (!take(r, ':'))
        return false;
    skip_blanks(r);
    return i < n ? take_wanted(r, &wanteds[i]) : skip_value(r, 1);
}

static void read_object(reader *r, tusk__oauth_answer *out)
{
#define WANTED(field, name)                                                                                            \
    {                                                                                                                  \
        &out->field, name, "has two of " name, "has something else than text as " name                                 \
    }
    const wanted wanteds[] = {WANTED(status, "status"), WANTED(scope, "scope"),
                              WANTED(discovery_url, "openid-configuration")};

    skip_blanks(r);
    if (!take_if(r, '{')) {
        fail(r, "is no JSON object");
        return;
    }
    skip_blanks(r);
    if (!take_if(r, '}')) {
        while (take_member(r, wanteds, sizeof wanteds / sizeof wanteds[0]) && take_if(r, ','))
            continue;
        take(r, '}');
    }
    skip_blanks(r);
    if (r->p < r->end)
        malformed(r);
}

tusk_code tusk__oauth_answer_read(tusk_str json, tusk__oauth_answer *out, tusk_error *err)
{
    reader r = {.p = json.ptr, .end = json.ptr + json.len, .to = out->room};

    out->status = out->scope = out->discovery_url = (tusk_str){NULL, 0};
    if (json.len > sizeof out->room)
        fail(&r, "is too long");
    else
        read_object(&r, out);
    if (r.wrong)
        return tusk__error_set(err, TUSK_ERR_PROTOCOL, NULL, "OAUTHBEARER: the server's answer %s", r.wrong);
    return TUSK_OK;
}
