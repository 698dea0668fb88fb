/* What functions of the program say of their failing, made whole: the program may have filled an error by hand, or not at all.
 * Read first: lib/given.h. */
#include "lib/given.h"

#include <string.h>

#include "proto/error_set.h"

#define COPY_FIELD(to, from, field)                                                                                    \
    tusk__error_copy((to)->field, sizeof(to)->field,                                                                   \
                     tusk_str_from((from)->field, strnlen((from)->field, sizeof(from)->field)))

bool tusk__given_is_error(tusk_code code)
{
    return code >= TUSK_ERR_STATE && code <= TUSK_ERR_SYSTEM;
}

bool tusk__given_is_sqlstate(const char text[6])
{
    size_t n = 0;

    while (n < 5 && ((text[n] >= '0' && text[n] <= '9') || (text[n] >= 'A' && text[n] <= 'Z')))
        n++;
    return n == 5 && text[5] == '\0' && !(text[0] == '0' && text[1] <= '2');
}

void tusk__given_texts(tusk_error *to, const tusk_error *from)
{
    COPY_FIELD(to, from, where);
    COPY_FIELD(to, from, message);
    COPY_FIELD(to, from, detail);
    COPY_FIELD(to, from, hint);
}

void tusk__given_error(tusk_error *err, tusk_code code, const char *who)
{
    bool is_error = tusk__given_is_error(code);
    char sqlstate[sizeof err->sqlstate];

    memcpy(sqlstate, err->sqlstate, sizeof sqlstate);
    if (!is_error || !err->message[0]) {
        err->code = TUSK_OK;
        if (is_error)
            (void)tusk__error_set(err, code, tusk__given_is_sqlstate(sqlstate) ? sqlstate : NULL, "%s gave no reason",
                                  who);
        else
            (void)tusk__error_set(err, TUSK_ERR_USAGE, NULL, "%s gave %d for its code, which is that of no error", who,
                                  (int)code);
        return;
    }
    err->code = code;
    if (!tusk__given_is_sqlstate(sqlstate))
        memcpy(err->sqlstate, tusk__error_sqlstate(code), sizeof err->sqlstate);
    tusk__given_texts(err, err);
}
