/* The table of connection parameters, and looking things up in it.
 * It parses nothing and applies nothing.
 * Read first: lib/config_table.h. */
#include "lib/config_table.h"

#include "lib/settings.h"
#include "proto/message.h"

/* A choice is stored through a uint32_t. */
_Static_assert(sizeof(tusk__sslmode) == sizeof(uint32_t) && sizeof(tusk__channel_binding) == sizeof(uint32_t),
               "enums are 32 bits wide");

static const tusk__choice sslmodes[] = {
    {"disable", TUSK__SSL_DISABLE, NULL},
    {"allow", 0, "it would use TLS only if the server refuses to do without; use prefer or stronger"},
    {"prefer", TUSK__SSL_PREFER, NULL},
    {"require", TUSK__SSL_REQUIRE, NULL},
    {"verify-ca", 0, "it does not check whose certificate it is; use verify-full"},
    {"verify-full", TUSK__SSL_VERIFY_FULL, NULL},
    {NULL, 0, NULL},
};

static const tusk__choice channel_bindings[] = {
    {"disable", TUSK__CHANNEL_BINDING_DISABLE, NULL},
    {"prefer", TUSK__CHANNEL_BINDING_PREFER, NULL},
    {"require", TUSK__CHANNEL_BINDING_REQUIRE, NULL},
    {NULL, 0, NULL},
};

static const tusk__choice protocols[] = {
    {"3.0", TUSK__PROTOCOL_3_0, NULL},
    {"3.2", TUSK__PROTOCOL_3_2, NULL},
    {"latest", TUSK__PROTOCOL_3_2, NULL},
    {NULL, 0, NULL},
};

#define IN(field) offsetof(tusk__settings, field)
#define FROM(field) offsetof(tusk_config, field)
#define REFUSED(param)                                                                                                 \
    {                                                                                                                  \
        .name = (param), .kind = TUSK__KIND_REFUSED, .config_offset = TUSK__NO_FIELD                                   \
    }

/* clang-format off */
const tusk__param tusk__params[TUSK__N_PARAMS] = {
    [TUSK__PARAM_HOST] = {
        "host", TUSK__KIND_NAME, false, IN(host), FROM(host), NULL, NULL,
        "`/var/run/postgresql` if that folder exists, else `localhost`",
        "A host name, an address, or, if it starts with `/`, the folder of a Unix-domain socket. TLS verifies this name. "
        "One host; lists are not supported yet." },
    [TUSK__PARAM_HOSTADDR] = {
        "hostaddr", TUSK__KIND_ADDRESS, false, IN(hostaddr), FROM(hostaddr), NULL, NULL, "none",
        "A numeric IPv4 or IPv6 address to connect to, so that `host` need not be resolved; `host` is still the name that "
        "TLS verifies, and must be given with `sslmode=verify-full`." },
    [TUSK__PARAM_PORT] = {
        "port", TUSK__KIND_PORT, false, IN(port), FROM(port), "5432", NULL, NULL,
        "The TCP port, or the number in the name of the socket file." },
    [TUSK__PARAM_DBNAME] = {
        "dbname", TUSK__KIND_TEXT, false, IN(dbname), FROM(dbname), NULL, NULL, "the same as `user`",
        "The database. It is taken as it is: a connection string in it is not expanded." },
    [TUSK__PARAM_USER] = {
        "user", TUSK__KIND_TEXT, false, IN(user), FROM(user), NULL, NULL,
        "the operating system's name of the effective user",
        "The role to log in as." },
    [TUSK__PARAM_PASSWORD] = {
        "password", TUSK__KIND_TEXT, true, IN(password), FROM(password), NULL, NULL, "none",
        "The password, for servers that ask for one. Empty counts as not given." },
    [TUSK__PARAM_CONNECT_TIMEOUT] = {
        "connect_timeout", TUSK__KIND_SECONDS, false, IN(connect_timeout_us), TUSK__NO_FIELD, "0", NULL, "none",
        "Whole seconds for all of connecting: name, socket, TLS, login. 0 and negative mean for ever, 1 means 2. In C it is "
        "a double, taken as it is, and 0 is \"not given here\"; `TUSK_NONE` means for ever." },
    [TUSK__PARAM_APPLICATION_NAME] = {
        "application_name", TUSK__KIND_TEXT, false, IN(application_name), FROM(application_name), NULL, NULL, "none",
        "Shown in `pg_stat_activity` and in the server's log." },
    [TUSK__PARAM_OPTIONS] = {
        "options", TUSK__KIND_TEXT, false, IN(options), FROM(options), NULL, NULL, "none",
        "Command-line options for the server at start, such as `-c search_path=app`. Blanks inside a value are escaped with "
        "a backslash." },
    [TUSK__PARAM_CLIENT_ENCODING] = {
        "client_encoding", TUSK__KIND_ENCODING, false, IN(client_encoding_given), TUSK__NO_FIELD, NULL, NULL, "`UTF8`",
        "Only `UTF8` (in any spelling that PostgreSQL knows) or `auto`: this driver speaks UTF-8 and lets the server convert." },
    [TUSK__PARAM_SSLMODE] = {
        "sslmode", TUSK__KIND_CHOICE, false, IN(sslmode), FROM(sslmode), "prefer", sslmodes, NULL,
        "Whether the connection is encrypted, and to whom. Only `verify-full` protects against an attacker in the middle. "
        "It does not matter for Unix-domain sockets." },
    [TUSK__PARAM_SSLROOTCERT] = {
        "sslrootcert", TUSK__KIND_FILE, false, IN(sslrootcert), FROM(sslrootcert), NULL, NULL, "`~/.postgresql/root.crt`",
        "A file with the certificates of the authorities that are trusted. The word `system` is not supported yet." },
    [TUSK__PARAM_CHANNEL_BINDING] = {
        "channel_binding", TUSK__KIND_CHOICE, false, IN(channel_binding), FROM(channel_binding), "prefer", channel_bindings,
        NULL,
        "Whether the login is tied to the TLS connection below it. `require` accepts nothing but SCRAM-SHA-256-PLUS." },
    [TUSK__PARAM_MIN_PROTOCOL_VERSION] = {
        "min_protocol_version", TUSK__KIND_CHOICE, false, IN(min_protocol), TUSK__NO_FIELD, "3.0", protocols, NULL,
        "The oldest protocol to accept when the server negotiates." },
    [TUSK__PARAM_MAX_PROTOCOL_VERSION] = {
        "max_protocol_version", TUSK__KIND_CHOICE, false, IN(max_protocol), FROM(max_protocol_version), NULL, protocols,
        "`3.0`, or `latest` if `min_protocol_version` is above that",
        "The protocol to ask for. 3.2 has longer cancel keys; older servers and some poolers do not know how to decline it." },

    /* libpq 18 has these too, requiressl as a relic: their names are no mistakes, and nobody should search for a typing error */
    REFUSED("service"), REFUSED("passfile"), REFUSED("fallback_application_name"), REFUSED("keepalives"),
    REFUSED("keepalives_idle"), REFUSED("keepalives_interval"), REFUSED("keepalives_count"),
    REFUSED("tcp_user_timeout"), REFUSED("sslnegotiation"), REFUSED("sslcompression"), REFUSED("sslcert"),
    REFUSED("sslkey"), REFUSED("sslcertmode"), REFUSED("sslpassword"), REFUSED("sslcrl"), REFUSED("sslcrldir"),
    REFUSED("sslsni"), REFUSED("sslkeylogfile"), REFUSED("requirepeer"), REFUSED("require_auth"),
    REFUSED("ssl_min_protocol_version"), REFUSED("ssl_max_protocol_version"), REFUSED("gssencmode"),
    REFUSED("krbsrvname"), REFUSED("gsslib"), REFUSED("gssdelegation"), REFUSED("replication"),
    REFUSED("target_session_attrs"), REFUSED("load_balance_hosts"), REFUSED("scram_client_key"),
    REFUSED("scram_server_key"), REFUSED("oauth_issuer"), REFUSED("oauth_client_id"), REFUSED("oauth_client_secret"),
    REFUSED("oauth_scope"), REFUSED("requiressl"),
};
/* clang-format on */

const tusk__param *tusk__param_find(tusk_str name)
{
    for (size_t i = 0; i < TUSK__N_PARAMS; i++)
        if (tusk_str_is(name, tusk__params[i].name))
            return &tusk__params[i];
    return NULL;
}

#define NAME_MAX_LEN 32 /* longer than every name in the table, also with a mistake or two */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c == '-' ? '_' : c;
}

/* How many letters are to be inserted, deleted or replaced to turn one name into the other; case and '-' for '_' are free. */
static size_t distance(tusk_str given, tusk_str name)
{
    size_t row[NAME_MAX_LEN + 1];

    for (size_t k = 0; k <= name.len; k++)
        row[k] = k;
    for (size_t i = 1; i <= given.len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t k = 1; k <= name.len; k++) {
            size_t replaced = diagonal + (fold(given.ptr[i - 1]) != name.ptr[k - 1]);

            diagonal = row[k];
            row[k] = least(replaced, least(row[k], row[k - 1]) + 1);
        }
    }
    return row[name.len];
}

/* What other drivers call them: the nearest name of the table would be far, or another's. */
static const struct {
    const char *name;
    tusk__param_id id;
} strangers[] = {
    {"database", TUSK__PARAM_DBNAME}, {"db", TUSK__PARAM_DBNAME},   {"hostname", TUSK__PARAM_HOST},
    {"passwd", TUSK__PARAM_PASSWORD}, {"server", TUSK__PARAM_HOST}, {"timeout", TUSK__PARAM_CONNECT_TIMEOUT},
    {"username", TUSK__PARAM_USER},
};

typedef struct nearest {
    size_t distance;
    const char *name;
} nearest;

static void consider(nearest *n, tusk_str given, const char *spelling, const char *name)
{
    size_t d = distance(given, tusk_str_of(spelling));

    if (d < n->distance)
        *n = (nearest){d, name};
}

const char *tusk__param_nearest(tusk_str given)
{
    nearest n = {given.len / 3 + 2, NULL}; /* a name of which more than a third is wrong is another word */

    if (given.len == 0 || given.len > NAME_MAX_LEN)
        return NULL;
    for (size_t i = 0; i < TUSK__N_PARAMS; i++)
        consider(&n, given, tusk__params[i].name, tusk__params[i].name);
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++)
        consider(&n, given, strangers[i].name, tusk__params[strangers[i].id].name);
    return n.name;
}
