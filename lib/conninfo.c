/* The two forms of connection strings, read the way libpq reads them.
 * It judges no value and allocates nothing: texts go into room that the caller made.
 * Read first: lib/conninfo.h. */
#include "lib/conninfo.h"

#include "proto/error_set.h"

typedef struct reader {
    const char *start, *p, *end;
    char *out; /* where the next text goes */
    tusk__param_values *values;
    tusk_error *err;
} reader;

static size_t place(const reader *r, const char *at)
{
    return (size_t)(at - r->start) + 1;
}

/* What is wrong and where, and nothing of what is there: it may be a password (D31). */
static tusk_code malformed(const reader *r, const char *at, const char *what)
{
    return tusk__error_set(r->err, TUSK_ERR_CONFIG, NULL, "the connection string is malformed at byte %zu: %s",
                           place(r, at), what);
}

static tusk_code unknown(const reader *r, const char *at, tusk_str name)
{
    const char *nearest = tusk__param_nearest(name);

    if (nearest)
        return tusk__error_set(r->err, TUSK_ERR_CONFIG, NULL,
                               "unknown parameter at byte %zu of the connection string; did you mean %s?", place(r, at),
                               nearest);
    return tusk__error_set(r->err, TUSK_ERR_CONFIG, NULL, "unknown parameter at byte %zu of the connection string",
                           place(r, at));
}

/* The byte at hand; NUL at the end, for there is none inside. */
static char peek(const reader *r)
{
    return r->p < r->end ? *r->p : '\0';
}

static bool is_one_of(char c, const char *set)
{
    while (*set && *set != c)
        set++;
    return *set != '\0';
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r'); /* isspace() of the C locale: \t \n \v \f \r */
}

static void skip_blanks(reader *r)
{
    while (is_blank(peek(r)))
        r->p++;
}

/* Everything up to a byte of `set`, or to the end. */
static tusk_str take_until(reader *r, const char *set)
{
    const char *from = r->p;

    while (r->p < r->end && !is_one_of(*r->p, set))
        r->p++;
    return tusk_str_from(from, (size_t)(r->p - from));
}

/* The text [r->out, text_end) becomes the value. A second one replaces the first. */
static void keep(reader *r, const tusk__param *param, char *text_end)
{
    size_t i = tusk__param_index(param);

    *text_end = '\0';
    r->values->text[i] = tusk_str_from(r->out, (size_t)(text_end - r->out));
    r->values->origin[i] = (tusk__origin){.kind = TUSK__FROM_STRING};
    r->out = text_end + 1;
}

static char *append(char *to, tusk_str text)
{
    if (text.len > 0)
        memcpy(to, text.ptr, text.len);
    return to + text.len;
}

/* requiressl, from before sslmode: 1 means require, anything else prefer. Its name is longer than either word. */
static bool is_requiressl(tusk_str name)
{
    return tusk_str_is(name, "requiressl");
}

static void keep_requiressl(reader *r, char first)
{
    keep(r, &tusk__params[TUSK__PARAM_SSLMODE], append(r->out, tusk_str_of(first == '1' ? "require" : "prefer")));
}

/* ---- name=value … --------------------------------------------------------------------------------------------------- */

/* A backslash makes the next byte an ordinary one; the last byte of all, it is nothing. */
static char *copy_escaped(reader *r, char *to)
{
    if (*r->p == '\\')
        r->p++;
    if (r->p < r->end)
        *to++ = *r->p++;
    return to;
}

static tusk_code read_quoted(reader *r, const tusk__param *param)
{
    const char *quote = r->p++;
    char *to = r->out;

    while (peek(r) != '\'') {
        if (r->p == r->end)
            return malformed(r, quote, "the quoted value that begins here has no end");
        to = copy_escaped(r, to);
    }
    r->p++;
    keep(r, param, to);
    return TUSK_OK;
}

static tusk_code read_bare(reader *r, const tusk__param *param)
{
    char *to = r->out;

    while (r->p < r->end && !is_blank(*r->p))
        to = copy_escaped(r, to);
    keep(r, param, to);
    return TUSK_OK;
}

static tusk_code read_pair(reader *r)
{
    const char *at = r->p;
    tusk_str name = take_until(r, "= \t\n\v\f\r");
    const tusk__param *param = is_requiressl(name) ? &tusk__params[TUSK__PARAM_SSLMODE] : tusk__param_find(name);
    char *room = r->out;

    skip_blanks(r);
    if (peek(r) != '=')
        return malformed(r, at, "what should be a parameter's name has no \"=\" behind it");
    if (!param)
        return unknown(r, at, name);
    r->p++;
    skip_blanks(r);
    TUSK_TRY(peek(r) == '\'' ? read_quoted(r, param) : read_bare(r, param));
    if (is_requiressl(name)) {
        r->out = room;
        keep_requiressl(r, room[0]);
    }
    return TUSK_OK;
}

static tusk_code read_pairs(reader *r)
{
    for (skip_blanks(r); r->p < r->end; skip_blanks(r))
        TUSK_TRY(read_pair(r));
    return TUSK_OK;
}

/* ---- postgresql://… -------------------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* One byte of `raw` from *i on, decoded. `at` is where the whole part begins in the connection string. */
static tusk_code decode_byte(const reader *r, tusk_str raw, size_t *i, const char *at, char *byte)
{
    int high, low;

    if (raw.ptr[*i] != '%') {
        *byte = raw.ptr[(*i)++];
        return TUSK_OK;
    }
    high = raw.len - *i > 1 ? hex_digit(raw.ptr[*i + 1]) : -1;
    low = raw.len - *i > 2 ? hex_digit(raw.ptr[*i + 2]) : -1;
    if (high < 0 || low < 0)
        return malformed(r, at, "a \"%\" in the part that begins here is not followed by two hexadecimal digits");
    if (high == 0 && low == 0)
        return malformed(r, at, "the part that begins here holds %00, which cannot be");
    *i += 3;
    *byte = (char)(high << 4 | low);
    return TUSK_OK;
}

/* Percent-decode into r->out, where `raw` may already lie. Blanks around a part are dropped, since URIs are copied from
 * where they were broken into lines; blanks inside must be %20. */
static tusk_code decode(reader *r, tusk_str raw, const char *at, char **text_end)
{
    size_t i = 0, len = raw.len;
    char *to = r->out;

    while (i < len && raw.ptr[i] == ' ')
        i++;
    while (len > i && raw.ptr[len - 1] == ' ')
        len--;
    raw.len = len;
    while (i < len) {
        if (raw.ptr[i] == ' ')
            return malformed(r, at, "the part that begins here has a blank inside; write %20");
        TUSK_TRY(decode_byte(r, raw, &i, at, to));
        to++;
    }
    *text_end = to;
    return TUSK_OK;
}

static tusk_code keep_decoded(reader *r, tusk__param_id id, tusk_str raw, const char *at)
{
    char *text_end = r->out;

    if (raw.len == 0)
        return TUSK_OK; /* an empty part is no part: host may still come as a parameter */
    TUSK_TRY(decode(r, raw, at, &text_end));
    keep(r, &tusk__params[id], text_end);
    return TUSK_OK;
}

/* [user[:password]@], if the first '@' comes before the first '/'. */
static tusk_code read_userinfo(reader *r)
{
    reader ahead = *r;
    tusk_str user, password;

    take_until(&ahead, "@/");
    if (peek(&ahead) != '@')
        return TUSK_OK;
    user = take_until(r, ":@");
    TUSK_TRY(keep_decoded(r, TUSK__PARAM_USER, user, user.ptr));
    if (peek(r) == ':') {
        r->p++;
        password = take_until(r, "@");
        TUSK_TRY(keep_decoded(r, TUSK__PARAM_PASSWORD, password, password.ptr));
    }
    r->p++;
    return TUSK_OK;
}

typedef struct netloc {
    tusk_str host, port;
} netloc;

static tusk_code read_bracketed(reader *r, tusk_str *host)
{
    const char *at = r->p++;

    *host = take_until(r, "]");
    if (r->p == r->end)
        return malformed(r, at, "the \"[\" of an IPv6 address has no \"]\"");
    if (host->len == 0)
        return malformed(r, at, "an IPv6 address is empty");
    r->p++;
    if (r->p < r->end && !is_one_of(*r->p, ":/?,"))
        return malformed(r, r->p, "behind an IPv6 address comes \":\", \"/\", \"?\", \",\" or nothing");
    return TUSK_OK;
}

static tusk_code read_netloc(reader *r, netloc *n)
{
    *n = (netloc){0};
    if (peek(r) == '[')
        TUSK_TRY(read_bracketed(r, &n->host));
    else
        n->host = take_until(r, ":/?,");
    if (peek(r) == ':') {
        r->p++;
        n->port = take_until(r, "/?,");
    }
    return TUSK_OK;
}

/* The hosts, or the ports, of a list, with commas between them; decoded only when joined, as libpq does it. */
static tusk_code read_netlocs(reader *r, tusk__param_id id)
{
    const char *at = r->p;
    char *to = r->out;
    netloc n;

    for (;;) {
        TUSK_TRY(read_netloc(r, &n));
        to = append(to, id == TUSK__PARAM_HOST ? n.host : n.port);
        if (peek(r) != ',')
            break;
        r->p++;
        *to++ = ',';
    }
    return keep_decoded(r, id, tusk_str_from(r->out, (size_t)(to - r->out)), at);
}

static tusk_code keep_uri_param(reader *r, tusk_str raw_name, tusk_str raw_value)
{
    const tusk__param *param;
    bool is_ssl; /* "ssl=true" is sslmode=require, for those who come from JDBC; any other value of it is unknown */
    bool is_relic;
    char *text_end = r->out;
    tusk_str name;

    TUSK_TRY(decode(r, raw_name, raw_name.ptr, &text_end));
    name = tusk_str_from(r->out, (size_t)(text_end - r->out));
    is_ssl = tusk_str_is(name, "ssl");
    is_relic = is_requiressl(name);
    param = is_ssl || is_relic ? &tusk__params[TUSK__PARAM_SSLMODE] : tusk__param_find(name);
    if (!param)
        return unknown(r, raw_name.ptr, name);
    TUSK_TRY(decode(r, raw_value, raw_value.ptr, &text_end));
    if (is_ssl) {
        if (!tusk_str_is(tusk_str_from(r->out, (size_t)(text_end - r->out)), "true"))
            return unknown(r, raw_name.ptr, tusk_str_of("sslmode"));
        text_end = append(r->out, tusk_str_of("require"));
    }
    if (is_relic)
        keep_requiressl(r, text_end > r->out ? r->out[0] : '\0');
    else
        keep(r, param, text_end);
    return TUSK_OK;
}

static tusk_code read_uri_param(reader *r)
{
    tusk_str name = take_until(r, "=&"), value;

    if (peek(r) != '=')
        return malformed(r, name.ptr, "what should be a parameter's name has no \"=\" behind it");
    r->p++;
    value = take_until(r, "=&");
    if (peek(r) == '=')
        return malformed(r, r->p, "a second \"=\" in one parameter; write %3D");
    TUSK_TRY(keep_uri_param(r, name, value));
    if (peek(r) == '&')
        r->p++;
    return TUSK_OK;
}

static tusk_code read_uri(reader *r)
{
    reader ports;
    tusk_str dbname;

    TUSK_TRY(read_userinfo(r));
    ports = *r;
    TUSK_TRY(read_netlocs(r, TUSK__PARAM_HOST));
    ports.out = r->out;
    TUSK_TRY(read_netlocs(&ports, TUSK__PARAM_PORT));
    r->out = ports.out;
    if (peek(r) == '/') {
        r->p++;
        dbname = take_until(r, "?");
        TUSK_TRY(keep_decoded(r, TUSK__PARAM_DBNAME, dbname, dbname.ptr));
    }
    if (peek(r) == '?')
        r->p++;
    while (r->p < r->end)
        TUSK_TRY(read_uri_param(r));
    return TUSK_OK;
}

static size_t uri_prefix_len(tusk_str dsn)
{
    static const char *const prefixes[] = {"postgresql://", "postgres://"};

    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t len = strlen(prefixes[i]);

        if (dsn.ptr && dsn.len >= len && memcmp(dsn.ptr, prefixes[i], len) == 0)
            return len;
    }
    return 0;
}

bool tusk__conninfo_has_late_at(tusk_str dsn)
{
    size_t prefix = uri_prefix_len(dsn);
    const char *at = prefix > 0 ? memchr(dsn.ptr + prefix, '@', dsn.len - prefix) : NULL;

    return at && memchr(dsn.ptr + prefix, '/', (size_t)(at - (dsn.ptr + prefix)));
}

tusk_code tusk__conninfo_read(tusk_str dsn, char *room, tusk__param_values *values, tusk_error *err)
{
    const char *start = dsn.ptr ? dsn.ptr : "";
    size_t prefix = uri_prefix_len(dsn);
    reader r = {start, start + prefix, start + dsn.len, room, values, err};
    tusk_code code = prefix > 0 ? read_uri(&r) : read_pairs(&r);

    if (code != TUSK_OK && prefix == 0 && memchr(start, ':', dsn.len))
        tusk__error_hint(err, tusk_str_of("A URI begins with postgresql:// or postgres://."));
    return code;
}
