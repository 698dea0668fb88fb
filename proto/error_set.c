/* Writing and asking of tusk_error values, for all layers.
 * It does not print and does not allocate.
 * Read first: tusk/error.h, then proto/error_set.h. */
#include "proto/error_set.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

static const struct {
    const char *name;
    const char *sqlstate;
    bool is_fatal; /* no connection is left behind it */
} codes[] = {
    [TUSK_OK] = {"TUSK_OK", "00000", false},
    [TUSK_AGAIN] = {"TUSK_AGAIN", "00000", false},
    [TUSK_DONE] = {"TUSK_DONE", "02000", false},
    [TUSK_ERR_STATE] = {"TUSK_ERR_STATE", "55000", false},
    [TUSK_ERR_USAGE] = {"TUSK_ERR_USAGE", "42601", false},
    [TUSK_ERR_LIMIT] = {"TUSK_ERR_LIMIT", "54000", false},
    [TUSK_ERR_VALUE] = {"TUSK_ERR_VALUE", "22P03", false},
    [TUSK_ERR_NULL] = {"TUSK_ERR_NULL", "22004", false},
    [TUSK_ERR_TYPE] = {"TUSK_ERR_TYPE", "42804", false},
    [TUSK_ERR_CONFIG] = {"TUSK_ERR_CONFIG", "08001", true},
    [TUSK_ERR_RESOLVE] = {"TUSK_ERR_RESOLVE", "08001", true},
    [TUSK_ERR_CONNECT] = {"TUSK_ERR_CONNECT", "08001", true},
    [TUSK_ERR_TLS] = {"TUSK_ERR_TLS", "08001", true},
    [TUSK_ERR_AUTH] = {"TUSK_ERR_AUTH", "28000", true},
    [TUSK_ERR_SERVER] = {"TUSK_ERR_SERVER", "XX000", false},
    [TUSK_ERR_PROTOCOL] = {"TUSK_ERR_PROTOCOL", "08P01", true},
    [TUSK_ERR_LOST] = {"TUSK_ERR_LOST", "08006", true},
    [TUSK_ERR_TIMEOUT] = {"TUSK_ERR_TIMEOUT", "57014", false},
    [TUSK_ERR_CANCELED] = {"TUSK_ERR_CANCELED", "57014", false},
    [TUSK_ERR_COMMIT_UNKNOWN] = {"TUSK_ERR_COMMIT_UNKNOWN", "08007", true},
    [TUSK_ERR_ROLLED_BACK] = {"TUSK_ERR_ROLLED_BACK", "40000", false},
    [TUSK_ERR_NOMEM] = {"TUSK_ERR_NOMEM", "53200", false},
    [TUSK_ERR_SYSTEM] = {"TUSK_ERR_SYSTEM", "58000", false},
};

#define N_CODES (sizeof codes / sizeof codes[0])

const char *tusk_code_name(tusk_code code)
{
    return (size_t)code < N_CODES ? codes[code].name : "(no such code)";
}

const char *tusk__error_sqlstate(tusk_code code)
{
    assert((size_t)code < N_CODES);
    return codes[code].sqlstate;
}

const char *tusk_fate_name(tusk_fate fate)
{
    switch (fate) {
    case TUSK_FATE_NOT_SENT:
        return "not sent";
    case TUSK_FATE_ANSWERED:
        return "answered";
    case TUSK_FATE_UNKNOWN:
        break;
    }
    return "unknown";
}

size_t tusk__printable_len(tusk_str s)
{
    const uint8_t *p = (const uint8_t *)s.ptr;
    size_t n = p[0] < 0xc2 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (n == 1)
        return p[0] >= 0x20 && p[0] < 0x7f;
    if (p[0] > 0xf4 || n > s.len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xc2 && p[1] < 0xa0) || (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

/* One character, or what stands for it: as many bytes. */
static void copy_character(char *dst, const char *src, size_t len, bool is_printable)
{
    if (is_printable)
        memmove(dst, src, len);
    else
        *dst = (uint8_t)*src < 0x80 ? ' ' : '?';
}

void tusk__error_copy(char *dst, size_t size, tusk_str text)
{
    static const char ellipsis[] = "\xE2\x80\xA6";
    bool is_cut = text.len > size - 1;
    size_t room = is_cut ? size - sizeof ellipsis : text.len, len = 0;

    assert(size > sizeof ellipsis);
    while (len < room) {
        size_t printable = tusk__printable_len(tusk_str_from(text.ptr + len, text.len - len));
        size_t n = printable ? printable : 1;

        if (n > room - len)
            break;
        copy_character(dst + len, text.ptr + len, n, printable > 0);
        len += n;
    }
    if (is_cut) {
        memcpy(dst + len, ellipsis, sizeof ellipsis - 1);
        len += sizeof ellipsis - 1;
    }
    dst[len] = '\0';
}

/* vsnprintf with a cut that shows. The scratch is longer than any field, so that a cut is noticed. */
static void copy_formatted(char *dst, size_t size, const char *fmt, va_list args) TUSK_PRINTF(3, 0);
static void copy_formatted(char *dst, size_t size, const char *fmt, va_list args)
{
    char scratch[1024];
    int n = vsnprintf(scratch, sizeof scratch, fmt, args);

    if (n < 0)
        n = 0;
    if ((size_t)n >= sizeof scratch)
        n = (int)sizeof scratch - 1;
    tusk__error_copy(dst, size, tusk_str_from(scratch, (size_t)n));
}

tusk_code tusk__error_set(tusk_error *err, tusk_code code, const char *sqlstate, const char *fmt, ...)
{
    va_list args;

    if (!err || err->code != TUSK_OK)
        return code;
    memset(err, 0, sizeof *err);
    err->code = code;
    err->column = -1;
    err->item = -1;
    memcpy(err->sqlstate, sqlstate ? sqlstate : tusk__error_sqlstate(code), 5);
    va_start(args, fmt);
    copy_formatted(err->message, sizeof err->message, fmt, args);
    va_end(args);
    return code;
}

void tusk__error_where(tusk_error *err, const char *fmt, ...)
{
    char front[sizeof err->where], whole[sizeof err->where * 2 + 4];
    va_list args;
    int n;

    if (!err || err->code == TUSK_OK)
        return;
    va_start(args, fmt);
    copy_formatted(front, sizeof front, fmt, args);
    va_end(args);
    n = snprintf(whole, sizeof whole, err->where[0] ? "%s: %s" : "%s%s", front, err->where);
    tusk__error_copy(err->where, sizeof err->where, tusk_str_from(whole, n > 0 ? (size_t)n : 0));
}

void tusk__error_detail(tusk_error *err, tusk_str text)
{
    if (err)
        tusk__error_copy(err->detail, sizeof err->detail, text);
}

void tusk__error_hint(tusk_error *err, tusk_str text)
{
    if (err)
        tusk__error_copy(err->hint, sizeof err->hint, text);
}

/* connect_timeout, unlike the deadline of a request. */
static bool is_connect_timeout(const tusk_error *err)
{
    return err->code == TUSK_ERR_TIMEOUT && memcmp(err->sqlstate, "08", 2) == 0;
}

/* Unlike a handshake that failed for a reason. */
static bool is_lost_handshake(const tusk_error *err)
{
    return err->code == TUSK_ERR_TLS && memcmp(err->sqlstate, "08006", 5) == 0;
}

bool tusk_error_is_fatal(const tusk_error *err)
{
    return err->code != TUSK_OK && (size_t)err->code < N_CODES &&
           (err->is_fatal || codes[err->code].is_fatal || is_connect_timeout(err));
}

/* Classes of what time may mend: connection exceptions, insufficient resources (53300), operator intervention (57P03). A
 * database that does not exist (3D000) will not exist a moment later either. */
static bool is_passing(const char *sqlstate)
{
    return memcmp(sqlstate, "08", 2) == 0 || memcmp(sqlstate, "53", 2) == 0 || memcmp(sqlstate, "57", 2) == 0;
}

bool tusk_error_is_retriable(const tusk_error *err)
{
    if (err->retry != TUSK_RETRY_UNKNOWN || memcmp(err->sqlstate, "40001", 5) == 0 ||
        memcmp(err->sqlstate, "40P01", 5) == 0)
        return true;
    if (err->fate != TUSK_FATE_NOT_SENT || memcmp(err->sqlstate, "08P01", 5) == 0)
        return false;
    return err->code == TUSK_ERR_LOST || is_connect_timeout(err) || is_lost_handshake(err) ||
           (err->code == TUSK_ERR_CONNECT && is_passing(err->sqlstate));
}

size_t tusk_error_format(const tusk_error *err, char *buf, size_t size)
{
    int n;

    if (err->code == TUSK_OK)
        n = snprintf(buf, size, "no error");
    else
        n = snprintf(buf, size, err->where[0] ? "%s: %s (%s)" : "%s%s (%s)", err->where, err->message, err->sqlstate);

    return n > 0 ? (size_t)n : 0;
}
