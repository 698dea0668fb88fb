/* What a server says of itself: its settings, read.
 * It asks the server nothing.
 * Read first: tusk/server.h. */
#include <tusk/server.h>

#include "lib/conn.h"

/* ---- the version --------------------------------------------------------------------------------------------------- */

#define NUMBER_MAX 9999 /* more digits are no version: 0 */

/* Digits at the front, taken off. False: there are none, or too many. */
static bool take_number(tusk_str *text, int *out)
{
    size_t n = 0;
    int number = 0;

    for (; n < text->len && text->ptr[n] >= '0' && text->ptr[n] <= '9' && number <= NUMBER_MAX; n++)
        number = number * 10 + (text->ptr[n] - '0');
    *text = tusk_str_from(text->ptr + n, text->len - n);
    *out = number;
    return n > 0 && number <= NUMBER_MAX;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "PostgreSQL 10.1", "Postgres-XL 9.5": one word in front. */
static void skip_name(tusk_str *text)
{
    const char *blank = text->len > 0 && is_letter(text->ptr[0]) ? memchr(text->ptr, ' ', text->len) : NULL;

    if (blank)
        *text = tusk_str_from(blank + 1, text->len - (size_t)(blank + 1 - text->ptr));
}

/* "beta1", "devel", at once behind the numbers. */
static void take_level(tusk_str text, tusk_server_version *version)
{
    size_t n = 0;

    while (n < text.len && n < sizeof version->level - 1 && is_letter(text.ptr[n]))
        n++;
    if (n == 0)
        return;
    memcpy(version->level, text.ptr, n);
    text = tusk_str_from(text.ptr + n, text.len - n);
    if (!take_number(&text, &version->serial))
        version->serial = 0;
}

/* Each number behind its dot. */
static bool take_numbers(tusk_str *text, tusk_server_version *version)
{
    int *const places[] = {&version->minor, &version->micro};

    if (!take_number(text, &version->major))
        return false;
    for (size_t i = 0; i < 2 && text->len > 0 && text->ptr[0] == '.'; i++) {
        *text = tusk_str_from(text->ptr + 1, text->len - 1);
        if (!take_number(text, places[i]))
            return false;
    }
    return true;
}

tusk_server_version tusk_server_version_of(tusk_str text)
{
    tusk_server_version version = {0};

    skip_name(&text);
    if (!take_numbers(&text, &version))
        return (tusk_server_version){0};
    take_level(text, &version);
    if (version.major >= 10) {
        version.micro = 0; /* there is none; others that pose as PostgreSQL say "13.0.0" */
        version.num = version.major * 10000 + version.minor;
    } else {
        version.num = version.major * 10000 + version.minor * 100 + version.micro;
    }
    return version;
}

/* ---- of a connection -------------------------------------------------------------------------------------------------- */

tusk_server_version tusk_conn_server_version(const tusk_conn *conn)
{
    return tusk_server_version_of(tusk_conn_parameter(conn, "server_version"));
}

static const struct {
    const char *name, *parameter; /* whose presence gives it away */
} kinds[] = {
    [TUSK_SERVER_UNKNOWN] = {"unknown", NULL},
    [TUSK_SERVER_POSTGRESQL] = {"PostgreSQL", NULL},
    [TUSK_SERVER_REDSHIFT] = {"Redshift", "padb_revision"},
    [TUSK_SERVER_COCKROACHDB] = {"CockroachDB", "crdb_version"},
    [TUSK_SERVER_CRATEDB] = {"CrateDB", "crate_version"},
};

tusk_server_kind tusk_conn_server_kind(const tusk_conn *conn)
{
    for (size_t i = TUSK_SERVER_REDSHIFT; i < sizeof kinds / sizeof kinds[0]; i++)
        if (tusk_conn_parameter(conn, kinds[i].parameter).ptr)
            return (tusk_server_kind)i;
    return tusk_conn_parameter(conn, "server_version").ptr ? TUSK_SERVER_POSTGRESQL : TUSK_SERVER_UNKNOWN;
}

const char *tusk_server_kind_name(tusk_server_kind kind)
{
    return (size_t)kind < sizeof kinds / sizeof kinds[0] ? kinds[kind].name : "unknown";
}

tusk_recovery tusk_conn_recovery(const tusk_conn *conn)
{
    tusk_str standby = tusk_conn_parameter(conn, "in_hot_standby");

    if (!standby.ptr)
        return TUSK_RECOVERY_UNKNOWN;
    return tusk_str_is(standby, "on") ? TUSK_RECOVERY_YES : TUSK_RECOVERY_NO;
}

/* ---- the settings ------------------------------------------------------------------------------------------------------ */

tusk_str tusk_conn_parameter(const tusk_conn *conn, const char *name)
{
    return conn ? tusk__params_get(&conn->params, tusk_str_of(name)) : (tusk_str){NULL, 0};
}

bool tusk_conn_next_parameter(const tusk_conn *conn, size_t *at, tusk_str *name, tusk_str *value)
{
    return conn && tusk__params_next(&conn->params, at, name, value);
}
