/* The grammar of JSON, a function for each of its rules.
 * Read first: lib/json.h. */
#include "lib/json.h"

#include "lib/codec/types.h"
#include "proto/utf8.h"

/* ---- the cursor ---------------------------------------------------------------------------------------------------------- */

static bool fail_at(tusk__json *j, const char *place, tusk__json_wrong wrong)
{
    if (j->wrong == TUSK__JSON_FINE) {
        j->wrong = wrong;
        j->p = j->end = place;
    }
    return false;
}

static bool malformed(tusk__json *j)
{
    return fail_at(j, j->p, j->p < j->end ? TUSK__JSON_MALFORMED : TUSK__JSON_ENDS_EARLY);
}

static bool is_next(const tusk__json *j, char c)
{
    return j->p < j->end && *j->p == c;
}

static bool take_if(tusk__json *j, char c)
{
    bool is_there = is_next(j, c);

    j->p += is_there;
    return is_there;
}

static bool take(tusk__json *j, char c)
{
    return take_if(j, c) || malformed(j);
}

static void skip_blanks(tusk__json *j)
{
    while (is_next(j, ' ') || is_next(j, '\t') || is_next(j, '\n') || is_next(j, '\r'))
        j->p++;
}

static bool is_digit(const tusk__json *j)
{
    return j->p < j->end && *j->p >= '0' && *j->p <= '9';
}

tusk__json tusk__json_begin(tusk_str text, unsigned depth_max)
{
    tusk__json j = {.p = text.ptr ? text.ptr : "", .depth_max = depth_max};

    j.end = j.p + text.len;
    skip_blanks(&j);
    return j;
}

char tusk__json_type(const tusk__json *j)
{
    if (j->p == j->end)
        return '\0';
    return is_digit(j) || *j->p == '-' ? '0' : *j->p && strchr("{[\"tfn", *j->p) ? *j->p : '\0';
}

bool tusk__json_finish(tusk__json *j)
{
    return j->wrong == TUSK__JSON_FINE && (j->p == j->end || fail_at(j, j->p, TUSK__JSON_HAS_MORE));
}

/* ---- strings --------------------------------------------------------------------------------------------------------------- */

static bool take_hex4(tusk__json *j, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++, j->p++) {
        int digit = j->p < j->end ? tusk__hex_digit(*j->p) : -1;

        if (digit < 0)
            return malformed(j);
        *out = *out << 4 | (uint32_t)digit;
    }
    return true;
}

/* Behind "\u". Two halves are one character; one alone, and NUL, are none. */
static bool take_unicode(tusk__json *j, uint32_t *code)
{
    const char *place = j->p - 2;
    uint32_t low;

    if (!take_hex4(j, code))
        return false;
    if (*code == 0)
        return fail_at(j, place, TUSK__JSON_NUL);
    if (*code >= 0xD800 && *code <= 0xDBFF) {
        if (!take(j, '\\') || !take(j, 'u') || !take_hex4(j, &low))
            return false;
        if (low < 0xDC00 || low > 0xDFFF)
            return fail_at(j, place, TUSK__JSON_MALFORMED);
        *code = 0x10000 + ((*code & 0x3FF) << 10 | (low & 0x3FF));
    }
    return *code < 0xDC00 || *code > 0xDFFF || fail_at(j, place, TUSK__JSON_MALFORMED);
}

/* Behind a backslash. */
static bool take_escaped(tusk__json *j, uint32_t *code)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter = j->p < j->end && *j->p ? strchr(letters, *j->p) : NULL;

    if (take_if(j, 'u'))
        return take_unicode(j, code);
    if (!letter)
        return malformed(j);
    *code = (uint8_t)meanings[letter - letters];
    j->p++;
    return true;
}

static bool take_character(tusk__json *j, uint32_t *code)
{
    size_t len;

    if (j->p == j->end)
        return malformed(j);
    if (take_if(j, '\\'))
        return take_escaped(j, code);
    len = tusk__utf8_read((const uint8_t *)j->p, (size_t)(j->end - j->p), code);
    if (len == 0)
        return fail_at(j, j->p, TUSK__JSON_NOT_UTF8);
    if (*code < 0x20)
        return malformed(j);
    j->p += len;
    return true;
}

bool tusk__json_text(tusk__json *j, char *to, tusk_str *out)
{
    char *begin = to;
    uint32_t code = 0;

    if (!take(j, '"'))
        return false;
    while (!take_if(j, '"')) {
        if (!take_character(j, &code))
            return false;
        to += tusk__utf8_write(code, to);
    }
    *out = tusk_str_from(begin, (size_t)(to - begin));
    skip_blanks(j);
    return true;
}

bool tusk__json_text_is(tusk__json *j, tusk_str text)
{
    bool is_same = true;
    size_t at = 0;

    if (!take(j, '"'))
        return false;
    while (!take_if(j, '"')) {
        uint32_t code = 0;
        char bytes[4];
        size_t len;

        if (!take_character(j, &code))
            return false;
        len = tusk__utf8_write(code, bytes);
        is_same = is_same && len <= text.len - at && memcmp(text.ptr + at, bytes, len) == 0;
        at += is_same ? len : 0;
    }
    skip_blanks(j);
    return is_same && at == text.len;
}

/* ---- numbers and words ------------------------------------------------------------------------------------------------------- */

static bool skip_digits(tusk__json *j)
{
    if (!is_digit(j))
        return malformed(j);
    while (is_digit(j))
        j->p++;
    return true;
}

static bool skip_fraction(tusk__json *j)
{
    if (take_if(j, '.') && !skip_digits(j))
        return false;
    if (!take_if(j, 'e') && !take_if(j, 'E'))
        return true;
    if (!take_if(j, '+'))
        (void)take_if(j, '-');
    return skip_digits(j);
}

static bool skip_number(tusk__json *j)
{
    (void)take_if(j, '-');
    return (take_if(j, '0') || skip_digits(j)) && skip_fraction(j);
}

static bool whole_of(tusk_str text, int64_t *out)
{
    bool is_negative = text.ptr[0] == '-';
    int64_t value = 0;

    for (size_t i = is_negative; i < text.len; i++) {
        int64_t digit = text.ptr[i] - '0';

        if (value < (INT64_MIN + digit) / 10)
            return false;
        value = value * 10 - digit;
    }
    *out = value;
    if (!is_negative && value == INT64_MIN)
        return false;
    if (!is_negative)
        *out = -value;
    return true;
}

bool tusk__json_number_take(tusk__json *j, tusk__json_number *out)
{
    const char *begin = j->p;
    tusk_value value;
    tusk_str text;

    if (!skip_number(j))
        return false;
    text = tusk_str_from(begin, (size_t)(j->p - begin));
    out->is_whole = !memchr(begin, '.', text.len) && !memchr(begin, 'e', text.len) && !memchr(begin, 'E', text.len);
    if (tusk__float8_parse(text, &value, NULL) != TUSK_OK || (out->is_whole && !whole_of(text, &out->whole)))
        return fail_at(j, begin, TUSK__JSON_OUT_OF_RANGE);
    out->real = value.as.real;
    skip_blanks(j);
    return true;
}

static bool skip_word(tusk__json *j, const char *word)
{
    while (*word)
        if (!take(j, *word++))
            return false;
    return true;
}

/* ---- objects and arrays ------------------------------------------------------------------------------------------------------- */

bool tusk__json_open(tusk__json *j, char bracket)
{
    if (!is_next(j, bracket))
        return malformed(j);
    if (j->depth == j->depth_max)
        return fail_at(j, j->p, TUSK__JSON_TOO_DEEP);
    j->depth++;
    j->p++;
    skip_blanks(j);
    return true;
}

bool tusk__json_more(tusk__json *j, char bracket, bool *is_first)
{
    if (take_if(j, bracket == '{' ? '}' : ']')) {
        j->depth--;
        skip_blanks(j);
        return false;
    }
    if (!*is_first && !take(j, ','))
        return false;
    *is_first = false;
    skip_blanks(j);
    return j->p < j->end || malformed(j);
}

bool tusk__json_colon(tusk__json *j)
{
    if (!take(j, ':'))
        return false;
    skip_blanks(j);
    return true;
}

static bool skip_list(tusk__json *j, char bracket)
{
    bool is_first = true;

    if (!tusk__json_open(j, bracket))
        return false;
    while (tusk__json_more(j, bracket, &is_first)) {
        if (bracket == '{') {
            (void)tusk__json_text_is(j, tusk_str_of(""));
            if (!tusk__json_colon(j))
                return false;
        }
        if (!tusk__json_skip(j))
            return false;
    }
    return j->wrong == TUSK__JSON_FINE;
}

bool tusk__json_skip(tusk__json *j)
{
    char type = tusk__json_type(j);

    switch (type) {
    case '{':
    case '[':
        return skip_list(j, type);
    case '"':
        (void)tusk__json_text_is(j, tusk_str_of(""));
        break;
    case '0':
        (void)skip_number(j);
        break;
    case '\0':
        return malformed(j);
    default:
        (void)skip_word(j, type == 't' ? "true" : type == 'f' ? "false" : "null");
    }
    skip_blanks(j);
    return j->wrong == TUSK__JSON_FINE;
}
