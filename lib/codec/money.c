/* money: an Int64 of the currency's smallest units in binary. Its text is of the server's lc_monetary, which is not known here: that of
 * the locale C is printed and read, -$1,234.56, and no other is guessed at.
 * Source: PostgreSQL docs, "Monetary Types"; cash_out in src/backend/utils/adt/cash.c. */
#include <stdio.h>

#include "lib/codec/scan.h"

tusk_code tusk__money_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    (void)err;
    out->kind = TUSK_KIND_INT;
    out->as.integer = (int64_t)tusk__be64((const uint8_t *)bytes.ptr);
    return TUSK_OK;
}

tusk_code tusk__money_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    (void)err;
    tusk__write_u64(b, (uint64_t)value->as.integer);
    return TUSK_OK;
}

/* Below zero, as there is one number more there: *n = *n × 10^digits − so many digits. */
static bool take_digits(tusk__scan *s, int digits, int64_t *n)
{
    for (; digits > 0; digits--, s->at++) {
        if (s->at == s->end || *s->at < '0' || *s->at > '9')
            return false;
        if (__builtin_mul_overflow(*n, 10, n) || __builtin_sub_overflow(*n, *s->at - '0', n))
            return false;
    }
    return true;
}

/* How many digits stand at the beginning, up to 3. */
static int n_digits(const tusk__scan *s)
{
    int n = 0;

    while (n < 3 && n < s->end - s->at && s->at[n] >= '0' && s->at[n] <= '9')
        n++;
    return n;
}

tusk_code tusk__money_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    tusk__scan s = tusk__scan_of(text);
    bool negative = tusk__take(&s, '-'), is_good;
    int64_t n = 0;
    int first;

    is_good = tusk__take(&s, '$');
    first = n_digits(&s);
    is_good = is_good && first > 0 && take_digits(&s, first, &n);
    while (is_good && tusk__take(&s, ','))
        is_good = take_digits(&s, 3, &n);
    is_good = is_good && tusk__take(&s, '.') && take_digits(&s, 2, &n) && s.at == s.end;
    if (!is_good || (!negative && n == INT64_MIN))
        return tusk__bad_text(err, "money of lc_monetary C", text);
    out->kind = TUSK_KIND_INT;
    out->as.integer = negative ? n : -n;
    return TUSK_OK;
}

/* From its end, three digits before each comma. */
size_t tusk__money_print(const tusk_value *value, char *buf, size_t size)
{
    char text[40];
    size_t at = sizeof text;
    int64_t n = value->as.integer;
    uint64_t units = n < 0 ? 0 - (uint64_t)n : (uint64_t)n, whole = units / 100;

    text[--at] = (char)('0' + units % 10);
    text[--at] = (char)('0' + units / 10 % 10);
    text[--at] = '.';
    for (int digits = 0; digits == 0 || whole > 0; digits++, whole /= 10) {
        if (digits > 0 && digits % 3 == 0)
            text[--at] = ',';
        text[--at] = (char)('0' + whole % 10);
    }
    text[--at] = '$';
    if (n < 0)
        text[--at] = '-';
    return tusk__print_str(tusk_str_from(text + at, sizeof text - at), buf, size);
}
