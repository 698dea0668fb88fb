/* The table of connection parameters, and looking things up in it.
 * It parses nothing and applies nothing.
 * Read first: lib/config_table.h. */
#include "lib/config_table.h"

#include "lib/pooler.h"
#include "lib/settings.h"
#include "proto/message.h"

/* A choice is stored through a uint32_t. */
_Static_assert(sizeof(tusk__sslmode) == sizeof(uint32_t) && sizeof(tusk__channel_binding) == sizeof(uint32_t),
               "enums are 32 bits wide");

#define BROKEN "it is broken; the least is TLSv1.2"

static const tusk__choice sslmodes[] = {
    {"disable", TUSK__SSL_DISABLE, NULL},
    {"allow", TUSK__SSL_ALLOW, NULL},
    {"prefer", TUSK__SSL_PREFER, NULL},
    {"require", TUSK__SSL_REQUIRE, NULL},
    {"verify-ca", TUSK__SSL_VERIFY_CA, NULL},
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

static const tusk__choice session_attrs[] = {
    {"any", TUSK__SESSION_ANY, NULL},
    {"read-write", TUSK__SESSION_READ_WRITE, NULL},
    {"read-only", TUSK__SESSION_READ_ONLY, NULL},
    {"primary", TUSK__SESSION_PRIMARY, NULL},
    {"standby", TUSK__SESSION_STANDBY, NULL},
    {"prefer-standby", TUSK__SESSION_PREFER_STANDBY, NULL},
    {NULL, 0, NULL},
};

static const tusk__choice load_balancing[] = {{"disable", 0, NULL}, {"random", 1, NULL}, {NULL, 0, NULL}};

static const tusk__choice keepalives[] = {{"0", 0, NULL}, {"1", 1, NULL}, {NULL, 0, NULL}};

static const tusk__choice negotiations[] = {
    {"postgres", TUSK__NEGOTIATE_POSTGRES, NULL}, {"direct", TUSK__NEGOTIATE_DIRECT, NULL}, {NULL, 0, NULL}};

static const tusk__choice cert_modes[] = {
    {"disable", TUSK__CERT_DISABLE, NULL},
    {"allow", TUSK__CERT_ALLOW, NULL},
    {"require", TUSK__CERT_REQUIRE, NULL},
    {NULL, 0, NULL},
};

static const tusk__choice sni[] = {{"0", 0, NULL}, {"1", 1, NULL}, {NULL, 0, NULL}};

static const tusk__choice compressions[] = {{"0", 0, NULL}, {"1", 1, NULL}, {NULL, 0, NULL}};

static const tusk__choice tls_min_versions[] = {
    {"TLSv1", 0x0301, BROKEN}, {"TLSv1.1", 0x0302, BROKEN}, {"TLSv1.2", 0x0303, NULL}, {"TLSv1.3", 0x0304, NULL},
    {NULL, 0, NULL},
};

static const tusk__choice tls_max_versions[] = {
    {"TLSv1", 0x0301, BROKEN}, {"TLSv1.1", 0x0302, BROKEN}, {"TLSv1.2", 0x0303, NULL}, {"TLSv1.3", 0, NULL},
    {NULL, 0, NULL},
};

static const tusk__choice gss_encryptions[] = {
    {"disable", 0, NULL},
    {"prefer", 0, NULL}, /* what a libpq without GSSAPI makes of it, too: nobody there prefers it */
    {"require", 0, "encryption by GSSAPI is not in this driver; use TLS"},
    {NULL, 0, NULL},
};

static const tusk__choice poolers[] = {
    {"auto", TUSK__POOLER_AUTO, NULL},
    {"none", TUSK__POOLER_NONE, NULL},
    {"session", TUSK__POOLER_SESSION, NULL},
    {"transaction", TUSK__POOLER_TRANSACTION, NULL},
    {NULL, 0, NULL},
};

static const tusk__choice delegations[] = {{"0", 0, NULL}, {"1", 1, NULL}, {NULL, 0, NULL}};

#define IN(field) .offset = offsetof(tusk__settings, field)
#define NOWHERE .offset = TUSK__NO_FIELD
#define FIELD(field) .config_offset = offsetof(tusk_config, field)
#define NO_FIELD .config_offset = TUSK__NO_FIELD

/* clang-format off */
const tusk__param tusk__params[TUSK__N_PARAMS] = {
    [TUSK__PARAM_SERVICE] = {
        .name = "service", .env = "PGSERVICE", .kind = TUSK__KIND_TEXT, IN(service), FIELD(service), .shown_default = "none",
        .help = "The name of a section in a service file, whose parameters stand in for those that are not given otherwise." },
    [TUSK__PARAM_HOST] = {
        .name = "host", .env = "PGHOST", .kind = TUSK__KIND_NAME, IN(host), FIELD(host),
        .shown_default = "`/var/run/postgresql` if that folder exists, else `localhost`",
        .help = "A host name, an address, or, if it starts with `/`, the folder of a Unix-domain socket (with `@` an abstract "
        "one). TLS verifies this name. Or a list with commas: the servers are tried in this order, each 250 ms after the one before it "
        "if that has not answered, at once if it has failed. An empty item is the default." },
    [TUSK__PARAM_HOSTADDR] = {
        .name = "hostaddr", .env = "PGHOSTADDR", .kind = TUSK__KIND_ADDRESS, IN(hostaddr), FIELD(hostaddr),
        .shown_default = "none",
        .help = "A numeric IPv4 or IPv6 address to connect to, so that `host` need not be resolved; `host` is still the name "
        "that TLS verifies, and must be given with `sslmode=verify-full`. Or a list, with as many items as `host`." },
    [TUSK__PARAM_PORT] = {
        .name = "port", .env = "PGPORT", .kind = TUSK__KIND_PORT, IN(port), FIELD(port), .fallback = "5432",
        .help = "The TCP port, or the number in the name of the socket file. Or a list with an item for each host." },
    [TUSK__PARAM_DBNAME] = {
        .name = "dbname", .env = "PGDATABASE", .kind = TUSK__KIND_TEXT, IN(dbname), FIELD(dbname),
        .shown_default = "the same as `user`",
        .help = "The database. It is taken as it is: a connection string in it is not expanded." },
    [TUSK__PARAM_USER] = {
        .name = "user", .env = "PGUSER", .kind = TUSK__KIND_TEXT, IN(user), FIELD(user),
        .shown_default = "the operating system's name of the effective user",
        .help = "The role to log in as. Its bytes go to the server as they are, UTF-8 or not: a role's name is in the encoding of the "
        "database in which it was made." },
    [TUSK__PARAM_PASSWORD] = {
        .name = "password", .env = "PGPASSWORD", .kind = TUSK__KIND_TEXT, .is_secret = true, IN(password), FIELD(password),
        .shown_default = "what the password file has",
        .help = "The password, for servers that ask for one. Empty counts as not given." },
    [TUSK__PARAM_PASSFILE] = {
        .name = "passfile", .env = "PGPASSFILE", .kind = TUSK__KIND_TEXT, IN(passfile), FIELD(passfile),
        .shown_default = "`~/.pgpass`",
        .help = "The password file, looked into if `password` is not given." },
    [TUSK__PARAM_CONNECT_TIMEOUT] = {
        .name = "connect_timeout", .env = "PGCONNECT_TIMEOUT", .kind = TUSK__KIND_SECONDS, IN(attempt_timeout_us), NO_FIELD,
        .fallback = "0", .shown_default = "none",
        .help = "Whole seconds for each attempt, as in libpq: name, socket, TLS, login of one address of one host. 0 and negative "
        "mean for ever, 1 means 2. In C it is a double, taken as it is, and for all attempts together, instead of this; 0 is \"not "
        "given here\", `TUSK_NONE` means for ever." },
    [TUSK__PARAM_APPLICATION_NAME] = {
        .name = "application_name", .env = "PGAPPNAME", .kind = TUSK__KIND_TEXT, IN(application_name), FIELD(application_name),
        .shown_default = "`fallback_application_name`",
        .help = "Shown in `pg_stat_activity` and in the server's log." },
    [TUSK__PARAM_FALLBACK_APPLICATION_NAME] = {
        .name = "fallback_application_name", .kind = TUSK__KIND_TEXT, IN(fallback_application_name),
        FIELD(fallback_application_name), .shown_default = "none",
        .help = "What a program calls itself as long as its user says nothing else." },
    [TUSK__PARAM_OPTIONS] = {
        .name = "options", .env = "PGOPTIONS", .kind = TUSK__KIND_TEXT, IN(options), FIELD(options), .shown_default = "none",
        .help = "Command-line options for the server at start, such as `-c search_path=app`. Blanks inside a value are escaped "
        "with a backslash." },
    [TUSK__PARAM_CLIENT_ENCODING] = {
        .name = "client_encoding", .env = "PGCLIENTENCODING", .kind = TUSK__KIND_ENCODING, NOWHERE, NO_FIELD,
        .shown_default = "`UTF8`",
        .help = "Only `UTF8` (in any spelling that PostgreSQL knows) or `auto`: this driver speaks UTF-8 and lets the server "
        "convert." },
    [TUSK__PARAM_REPLICATION] = {
        .name = "replication", .kind = TUSK__KIND_TEXT, NOWHERE, NO_FIELD,
        .refusal = "replication connections are not supported yet" },
    [TUSK__PARAM_TARGET_SESSION_ATTRS] = {
        .name = "target_session_attrs", .env = "PGTARGETSESSIONATTRS", .kind = TUSK__KIND_CHOICE, IN(target_session_attrs),
        NO_FIELD, .fallback = "any", .choices = session_attrs,
        .help = "What the server must be like: the first of the list that is so is taken. `read-write`: its sessions may write by "
        "default; `read-only`: they may not; `primary`: it is in no recovery; `standby`: it is; `prefer-standby`: a standby, or, if "
        "none of the list is one, any in a second pass. 14 and newer report it, others are asked." },
    [TUSK__PARAM_LOAD_BALANCE_HOSTS] = {
        .name = "load_balance_hosts", .env = "PGLOADBALANCEHOSTS", .kind = TUSK__KIND_CHOICE, IN(load_balance_hosts), NO_FIELD,
        .fallback = "disable", .choices = load_balancing,
        .help = "Whether the hosts of a list, and the addresses of a name, are tried in their order or in any." },
    [TUSK__PARAM_KEEPALIVES] = {
        .name = "keepalives", .kind = TUSK__KIND_CHOICE, IN(keepalives), NO_FIELD, .fallback = "1", .choices = keepalives,
        .help = "TCP keepalive: after `keepalives_idle` of silence a probe every `keepalives_interval`, and after `keepalives_count` "
        "without an answer the connection is lost." },
    [TUSK__PARAM_KEEPALIVES_IDLE] = {
        .name = "keepalives_idle", .kind = TUSK__KIND_INTEGER, IN(keepalives_idle), NO_FIELD, .fallback = "60",
        .help = "Seconds. 0 is the system's own." },
    [TUSK__PARAM_KEEPALIVES_INTERVAL] = {
        .name = "keepalives_interval", .kind = TUSK__KIND_INTEGER, IN(keepalives_interval), NO_FIELD, .fallback = "10",
        .help = "Seconds. 0 is the system's own." },
    [TUSK__PARAM_KEEPALIVES_COUNT] = {
        .name = "keepalives_count", .kind = TUSK__KIND_INTEGER, IN(keepalives_count), NO_FIELD, .fallback = "3",
        .help = "Probes. 0 is the system's own." },
    [TUSK__PARAM_TCP_USER_TIMEOUT] = {
        .name = "tcp_user_timeout", .kind = TUSK__KIND_INTEGER, IN(tcp_user_timeout_ms), NO_FIELD,
        .fallback = "0",
        .help = "Milliseconds that sent bytes may stay unacknowledged, also behind a closed window: it ends servers that merely do not "
        "read. 0 is the system's own. Where the system has no TCP_USER_TIMEOUT it has no effect." },
    [TUSK__PARAM_SSLMODE] = {
        .name = "sslmode", .env = "PGSSLMODE", .kind = TUSK__KIND_CHOICE, IN(sslmode), FIELD(sslmode), .fallback = "prefer",
        .choices = sslmodes,
        .shown_default = "`prefer`, or `verify-full` with `sslrootcert=system`",
        .help = "Whether the connection is encrypted, and to whom. Only `verify-full` protects against an attacker in the "
        "middle: `allow` uses TLS if the server refuses to do without, `prefer` if it does not refuse to do with it, `require` "
        "always, `verify-ca` wants a certificate from one of the authorities, `verify-full` one for `host`. With a root "
        "certificate file `require` is `verify-ca`. It does not matter for Unix-domain sockets. `PGREQUIRESSL=1` means "
        "`require`, if `PGSSLMODE` is not set." },
    [TUSK__PARAM_SSLNEGOTIATION] = {
        .name = "sslnegotiation", .env = "PGSSLNEGOTIATION", .kind = TUSK__KIND_CHOICE, IN(sslnegotiation),
        FIELD(sslnegotiation), .fallback = "postgres", .choices = negotiations,
        .help = "How TLS begins: with a question to the server, or, `direct`, at once, which saves a round trip and which a proxy "
        "for any TLS understands. `direct` needs PostgreSQL 17 or later and `sslmode=require` or stronger; a server that does "
        "not name the protocol (ALPN) is refused then." },
    [TUSK__PARAM_SSLROOTCERT] = {
        .name = "sslrootcert", .env = "PGSSLROOTCERT", .kind = TUSK__KIND_FILE, IN(sslrootcert), FIELD(sslrootcert),
        .shown_default = "`~/.postgresql/root.crt`",
        .help = "A file with the certificates of the authorities that are trusted. The word `system` means those that OpenSSL finds "
        "on this machine, or in what the variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name; it goes with `verify-full` only." },
    [TUSK__PARAM_SSLCERT] = {
        .name = "sslcert", .env = "PGSSLCERT", .kind = TUSK__KIND_FILE, IN(sslcert), FIELD(sslcert),
        .shown_default = "`~/.postgresql/postgresql.crt`",
        .help = "The client certificate, with those between it and its authority behind it. Shown to servers that ask for one." },
    [TUSK__PARAM_SSLKEY] = {
        .name = "sslkey", .env = "PGSSLKEY", .kind = TUSK__KIND_FILE, IN(sslkey), FIELD(sslkey),
        .shown_default = "`~/.postgresql/postgresql.key`",
        .help = "The key of the client certificate, in PEM or DER. Group and others must have no access to it (0600); if root owns "
        "it, the group may read it (0640)." },
    [TUSK__PARAM_SSLPASSWORD] = {
        .name = "sslpassword", .kind = TUSK__KIND_TEXT, .is_secret = true, IN(sslpassword), FIELD(sslpassword),
        .shown_default = "what `on_key_password` says",
        .help = "The password of an encrypted `sslkey`. In C, `tusk_config.on_key_password` may give it instead." },
    [TUSK__PARAM_SSLCERTMODE] = {
        .name = "sslcertmode", .env = "PGSSLCERTMODE", .kind = TUSK__KIND_CHOICE, IN(sslcertmode), NO_FIELD,
        .fallback = "allow", .choices = cert_modes,
        .help = "Whether a client certificate is shown: never, if there is one and the server asks, or always: with `require` the "
        "server must ask for one, and what is no TLS is refused." },
    [TUSK__PARAM_SSLCRL] = {
        .name = "sslcrl", .env = "PGSSLCRL", .kind = TUSK__KIND_FILE, IN(sslcrl), NO_FIELD,
        .shown_default = "`~/.postgresql/root.crl`, if neither is given",
        .help = "A file with lists of revoked certificates, one of each authority in the server's chain. It counts where there are "
        "root certificates; then a chain without a list is refused." },
    [TUSK__PARAM_SSLCRLDIR] = {
        .name = "sslcrldir", .env = "PGSSLCRLDIR", .kind = TUSK__KIND_FILE, IN(sslcrldir), NO_FIELD, .shown_default = "none",
        .help = "A folder with such lists, each under its hash (`openssl rehash`). Both may be given." },
    [TUSK__PARAM_SSLSNI] = {
        .name = "sslsni", .env = "PGSSLSNI", .kind = TUSK__KIND_CHOICE, IN(sslsni), NO_FIELD, .fallback = "1", .choices = sni,
        .help = "Whether TLS tells the server's name in the clear (SNI), if `host` is a name: some proxies need it to find the server." },
    [TUSK__PARAM_SSLCOMPRESSION] = {
        .name = "sslcompression", .env = "PGSSLCOMPRESSION", .kind = TUSK__KIND_CHOICE, NOWHERE, NO_FIELD,
        .fallback = "0", .choices = compressions,
        .help = "A relic without any effect: what is encrypted must not be compressed (CRIME)." },
    [TUSK__PARAM_SSL_MIN_PROTOCOL_VERSION] = {
        .name = "ssl_min_protocol_version", .env = "PGSSLMINPROTOCOLVERSION", .kind = TUSK__KIND_TLS_VERSION, IN(tls_min),
        NO_FIELD, .fallback = "TLSv1.2", .choices = tls_min_versions,
        .help = "The least version of TLS, in upper or lower case. The machine's policy may be stricter." },
    [TUSK__PARAM_SSL_MAX_PROTOCOL_VERSION] = {
        .name = "ssl_max_protocol_version", .env = "PGSSLMAXPROTOCOLVERSION", .kind = TUSK__KIND_TLS_VERSION, IN(tls_max),
        NO_FIELD, .fallback = "TLSv1.3", .choices = tls_max_versions, .shown_default = "none",
        .help = "The highest version of TLS, in upper or lower case." },
    [TUSK__PARAM_SSLKEYLOGFILE] = {
        .name = "sslkeylogfile", .kind = TUSK__KIND_TEXT, IN(sslkeylogfile), NO_FIELD,
        .refusal = "what configures a connection must not make it write its keys to a file" },
    [TUSK__PARAM_CHANNEL_BINDING] = {
        .name = "channel_binding", .env = "PGCHANNELBINDING", .kind = TUSK__KIND_CHOICE, IN(channel_binding),
        FIELD(channel_binding), .fallback = "prefer", .choices = channel_bindings,
        .help = "Whether the login is tied to the TLS connection below it. `require` accepts nothing but SCRAM-SHA-256-PLUS." },
    [TUSK__PARAM_REQUIRE_AUTH] = {
        .name = "require_auth", .env = "PGREQUIREAUTH", .kind = TUSK__KIND_AUTH_RULE, IN(require_auth),
        FIELD(require_auth), .shown_default = "any",
        .help = "The ways of logging in that are accepted of the server, with commas: `password`, `md5`, `gss`, `sspi`, "
        "`scram-sha-256`, `oauth`, and `none` for being let in unasked. Or, each with a `!` in front, those that are not. "
        "`password` is also the consent to send it in the clear over a connection that does not prove who the server is, `oauth` to send "
        "the token there." },
    [TUSK__PARAM_REQUIREPEER] = {
        .name = "requirepeer", .env = "PGREQUIREPEER", .kind = TUSK__KIND_TEXT, IN(requirepeer), FIELD(requirepeer),
        .shown_default = "any",
        .help = "The account of the operating system as which the server behind a Unix-domain socket must run. It does not matter "
        "over TCP." },
    [TUSK__PARAM_SCRAM_CLIENT_KEY] = {
        .name = "scram_client_key", .kind = TUSK__KIND_SCRAM_KEY, .is_secret = true, IN(scram_client_key),
        FIELD(scram_client_key), .shown_default = "none",
        .help = "SCRAM's ClientKey (RFC 5802) of the role, made with the salt and count of its verifier: with `scram_server_key` it stands in for the "
        "password, for SCRAM alone." },
    [TUSK__PARAM_SCRAM_SERVER_KEY] = {
        .name = "scram_server_key", .kind = TUSK__KIND_SCRAM_KEY, .is_secret = true, IN(scram_server_key),
        FIELD(scram_server_key), .shown_default = "none",
        .help = "SCRAM's ServerKey, by which the server is known. It belongs to `scram_client_key`." },
    [TUSK__PARAM_MIN_PROTOCOL_VERSION] = {
        .name = "min_protocol_version", .env = "PGMINPROTOCOLVERSION", .kind = TUSK__KIND_CHOICE, IN(min_protocol),
        FIELD(min_protocol_version), .fallback = "3.0", .choices = protocols,
        .help = "The oldest protocol to accept when the server negotiates." },
    [TUSK__PARAM_MAX_PROTOCOL_VERSION] = {
        .name = "max_protocol_version", .env = "PGMAXPROTOCOLVERSION", .kind = TUSK__KIND_CHOICE, IN(max_protocol),
        FIELD(max_protocol_version), .choices = protocols,
        .shown_default = "`3.0`, or `latest` if `min_protocol_version` is above that",
        .help = "The protocol to ask for. 3.2 has longer cancel keys; older servers and some poolers do not know how to decline "
        "it." },
    [TUSK__PARAM_GSSENCMODE] = {
        .name = "gssencmode", .env = "PGGSSENCMODE", .kind = TUSK__KIND_CHOICE, NOWHERE, NO_FIELD,
        .fallback = "disable", .choices = gss_encryptions,
        .help = "Encryption by GSSAPI is never used." },
    [TUSK__PARAM_KRBSRVNAME] = {
        .name = "krbsrvname", .env = "PGKRBSRVNAME", .kind = TUSK__KIND_TEXT, IN(krbsrvname), NO_FIELD,
        .fallback = "postgres", .needs = TUSK__METHOD_GSS,
        .help = "The first half of the server's name in its Kerberos realm: `postgres/db1.example.org`, whose second half is "
        "`host`. With an `@` or `/` in it, or empty, it is refused; libpq's login fails then." },
    [TUSK__PARAM_GSSLIB] = {
        .name = "gsslib", .env = "PGGSSLIB", .kind = TUSK__KIND_TEXT, NOWHERE, NO_FIELD,
        .refusal = "it chooses between GSSAPI and SSPI on Windows, where this driver does not run" },
    [TUSK__PARAM_GSSDELEGATION] = {
        .name = "gssdelegation", .env = "PGGSSDELEGATION", .kind = TUSK__KIND_CHOICE, IN(gssdelegation), NO_FIELD,
        .fallback = "0", .choices = delegations, .needs = TUSK__METHOD_GSS,
        .help = "Whether the server is given a ticket of the user's, with which it can go on to others in his name." },
    [TUSK__PARAM_OAUTH_ISSUER] = {
        .name = "oauth_issuer", .kind = TUSK__KIND_TEXT, IN(oauth_issuer), NO_FIELD, .needs = TUSK__METHOD_OAUTH,
        .shown_default = "none",
        .help = "Who makes the bearer tokens, `https://…` as it calls itself, or the URL where it describes itself "
        "(`…/.well-known/openid-configuration`). What the server names must be the same." },
    [TUSK__PARAM_OAUTH_CLIENT_ID] = {
        .name = "oauth_client_id", .kind = TUSK__KIND_TEXT, IN(oauth_client_id), NO_FIELD, .needs = TUSK__METHOD_OAUTH,
        .shown_default = "none", .help = "As whom the program is known there; for its `on_token`." },
    [TUSK__PARAM_OAUTH_CLIENT_SECRET] = {
        .name = "oauth_client_secret", .kind = TUSK__KIND_TEXT, .is_secret = true, IN(oauth_client_secret), NO_FIELD,
        .needs = TUSK__METHOD_OAUTH, .shown_default = "none", .help = "Its password there; for `on_token`." },
    [TUSK__PARAM_OAUTH_SCOPE] = {
        .name = "oauth_scope", .kind = TUSK__KIND_TEXT, IN(oauth_scope), NO_FIELD, .needs = TUSK__METHOD_OAUTH,
        .shown_default = "what the server asks for, if it was asked",
        .help = "What the token is to be good for, with blanks; for `on_token`." },
    [TUSK__PARAM_STATEMENT_CACHE_SIZE] = {
        .name = "statement_cache_size", .kind = TUSK__KIND_COUNT, IN(statement_cache_size), NO_FIELD, .fallback = "100",
        .help = "How many statements a connection keeps prepared by itself, those used last; 0: none. As asyncpg." },
    [TUSK__PARAM_MAX_CACHED_STATEMENT_LIFETIME] = {
        .name = "max_cached_statement_lifetime", .kind = TUSK__KIND_DURATION, IN(max_cached_statement_lifetime_us), NO_FIELD,
        .fallback = "300",
        .help = "How long one is kept, however often it is used; 0: for ever. As asyncpg." },
    [TUSK__PARAM_MAX_CACHEABLE_STATEMENT_SIZE] = {
        .name = "max_cacheable_statement_size", .kind = TUSK__KIND_COUNT, IN(max_cacheable_statement_size), NO_FIELD,
        .fallback = "15360",
        .help = "Texts longer than so many bytes are not kept; 0: all are. As asyncpg." },
    [TUSK__PARAM_COMMAND_TIMEOUT] = {
        .name = "command_timeout", .kind = TUSK__KIND_DURATION, IN(command_timeout_us), NO_FIELD, .fallback = "0",
        .help = "How long a request (or begin, commit, rollback) that brings no `timeout` of its own may take, from its submission to its answer; 0: for ever. As asyncpg, "
        "but that 0 is refused there." },
    [TUSK__PARAM_POOLER] = {
        .name = "pooler", .kind = TUSK__KIND_CHOICE, IN(pooler), FIELD(pooler), .fallback = "auto", .choices = poolers,
        .help = "What stands between this program and the server, such as PgBouncer. With `transaction` no statement is kept and each "
        "execution brings its text and is described; what means a session (LISTEN, SET, PREPARE, WITH HOLD, advisory locks of a "
        "session) is refused. `session` is as `none`: it says that somebody has thought of it. With `auto`, where the process that the server "
        "names at the login can be none of a server's, nothing is kept either, and the log says so; nothing is refused." },
};
/* clang-format on */

const tusk__env_setting tusk__env_settings[] = {
    {"PGDATESTYLE", "datestyle"}, {"PGTZ", "timezone"}, {"PGGEQO", "geqo"}, {NULL, NULL}};

/* The first byte tells most of them apart, and costs a tenth of measuring each name. */
const tusk__param *tusk__param_find(tusk_str name)
{
    for (size_t i = 0; name.len > 0 && i < TUSK__N_PARAMS; i++)
        if (name.ptr[0] == tusk__params[i].name[0] && tusk_str_is(name, tusk__params[i].name))
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
            size_t replaced = diagonal + (fold(given.ptr[i - 1]) != fold(name.ptr[k - 1]));

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

const char *tusk__choice_nearest(const tusk__choice *choices, tusk_str given)
{
    nearest n = {least(given.len / 3 + 2, given.len), NULL};

    if (given.len > NAME_MAX_LEN)
        return NULL;
    for (const tusk__choice *c = choices; c->word; c++)
        if (!c->refusal)
            consider(&n, given, c->word, c->word);
    return n.name;
}
