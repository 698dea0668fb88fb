/* Writing of tusk_error values for loop/. It does not print and does not allocate.
 * Nobody outside loop/ calls it.
 * Read first: loop/error.h. */
#include "loop/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *sqlstate_of(tusk_code code)
{
    if (code == TUSK_ERR_STATE)
        return "55000"; /* object_not_in_prerequisite_state */
    if (code == TUSK_ERR_USAGE)
        return "42601"; /* syntax_error: what tusk_exec() says of a wrong call, too */
    if (code == TUSK_ERR_LIMIT)
        return "54000"; /* program_limit_exceeded */
    if (code == TUSK_ERR_RESOLVE)
        return "08001";                                /* sqlclient_unable_to_establish_sqlconnection */
    return code == TUSK_ERR_NOMEM ? "53200" : "58000"; /* out_of_memory, system_error */
}

void tusk__loop_copy_text(char *dst, size_t size, const char *text, size_t len)
{
    static const char ellipsis[] = "\xE2\x80\xA6";
    bool is_cut = len >= size;

    if (is_cut)
        for (len = size - sizeof ellipsis; len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80;)
            len--;
    for (size_t i = 0; i < len; i++)
        dst[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7F ? ' ' : text[i];
    memcpy(dst + len, is_cut ? ellipsis : "", is_cut ? sizeof ellipsis : 1);
}

tusk_code tusk__loop_error(tusk_error *err, tusk_code code, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    int n;

    if (!err || err->code != TUSK_OK)
        return code;
    va_start(args, fmt);
    n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n >= (int)sizeof text)
        n = (int)sizeof text - 1;
    *err = (tusk_error){.code = code, .fate = TUSK_FATE_NOT_SENT, .column = -1, .item = -1};
    memcpy(err->sqlstate, sqlstate_of(code), sizeof err->sqlstate);
    tusk__loop_copy_text(err->message, sizeof err->message, text, n > 0 ? (size_t)n : 0);
    return code;
}

tusk_code tusk__system_error(tusk_error *err, int rc, const char *what)
{
    bool is_first = err && err->code == TUSK_OK;

    (void)tusk__loop_error(err, TUSK_ERR_SYSTEM, "%s: %s", what, strerror(-rc));
    if (is_first)
        err->os = -rc;
    return TUSK_ERR_SYSTEM;
}
