/*
 * Prints docs/config.md: words around what lib/config_table.c says.
 */
#include "test/harness/print_config.h"

#include "lib/config_json.h"
#include "lib/mechanism.h"

static const char before_table[] =
    "# Configuration\n"
    "\n"
    "This page is printed from `lib/config_table.c` by `make docs`; edit there, or in `test/harness/print_config.c`.\n"
    "\n"
    "A connection is configured by a connection string, `tusk_config.dsn`, by the other fields of `tusk_config`, by a "
    "service file, by\n"
    "the environment and by a password file. In the struct NULL and the empty string mean \"not given here\".\n"
    "`tusk_config_describe()` tells what all of them come to, and where each value is from.\n"
    "\n"
    "## Where values come from\n"
    "\n"
    "Of each parameter the first source that gives it counts, in libpq's order:\n"
    "\n"
    "1. a field of `tusk_config`\n"
    "2. the connection string\n"
    "3. the service file, if a service is named\n"
    "4. the environment\n"
    "5. for the password: the password file\n"
    "6. the default\n"
    "\n"
    "Variables and files are read once, when the configuration is handed over. A variable that is set but empty gives "
    "the empty value,\n"
    "as in libpq; `unset` it instead. With `tusk_config.ignore_environment` no variable is read, no password file "
    "but one named by\n"
    "`passfile`, and no default file of TLS: `sslrootcert`, `sslcert`, `sslkey` and `sslcrl` count where they are "
    "given.\n"
    "\n"
    "## Connection strings\n"
    "\n"
    "Both forms of libpq are read, by libpq 18's rules.\n"
    "\n"
    "    postgresql://user:password@host:port/dbname?name=value&name=value\n"
    "    host=db1 port=5432 dbname=app user=app password='with blanks'\n"
    "\n"
    "In a URI (`postgres://` is the same) every part may be left out. `%` and two hexadecimal digits stand for a byte; "
    "`%00` is\n"
    "refused, `+` is a plus. An IPv6 address stands in brackets, the folder of a Unix-domain socket is "
    "percent-encoded\n"
    "(`postgresql://%2Frun%2Fpg/app`) or given as `?host=/run/pg`. The first `@` in front of the first `/` ends user "
    "and\n"
    "password, so an `@` in a password is `%40`. `ssl=true` means `sslmode=require`.\n"
    "\n"
    "In the other form blanks separate pairs and may stand around `=`. A value with blanks, and an empty one, is put "
    "in single\n"
    "quotes; a backslash makes the next character an ordinary one, inside quotes and out. In both forms the relic "
    "`requiressl=1` means\n"
    "`sslmode=require`, and any other value of it `prefer`.\n"
    "\n"
    "A parameter given twice has its last value. A name that is unknown is an error. Errors name the parameter, or the "
    "place in\n"
    "the string in bytes, and the nearest name; they never show a part of the string, for behind a typing error any "
    "part may be\n"
    "the password.\n"
    "\n"
    "## Parameters\n"
    "\n"
    "The names are libpq's, and, of the last few, asyncpg's and ours. \"Variable\" is what stands in for it in the "
    "environment, "
    "\"Field\" says whether "
    "`tusk_config` has it as a\n"
    "field too.\n"
    "\n"
    "| Name | Variable | Default | Values | Field | Meaning |\n"
    "|---|---|---|---|---|---|\n";

static const char behind_table[] =
    "\n"
    "Only in `tusk_config`: `on_password`, which makes the password when a server asks for one, so that no other "
    "source of "
    "it counts\n"
    "(guide.md, \"Passwords\"); `auth_mechanisms`, further ways of logging in, and `on_token`, which belongs to one of "
    "them (guide.md, \"Other\n"
    "ways of logging in\"); `server_settings`, see below; `sslkeylogfile`; `scram_max_iterations` (default "
    "100000), "
    "above which a\n"
    "server's demand is refused before anything is computed; `max_queued_requests` (default 16384) and "
    "`max_queued_bytes` "
    "(default 256 MiB),\n"
    "how much may wait on a connection (guide.md, \"Many at once\"); `ignore_environment`; `on_notice`, "
    "`on_parameter`, "
    "`on_closed`,\n"
    "`on_key_password`; and `user_data`, which all of these functions are given.\n"
    "\n"
    "Further variables: `PGSERVICEFILE` and `PGSYSCONFDIR` (service files), `PGREQUIRESSL` (`sslmode`), "
    "`SSL_CERT_FILE` and `SSL_CERT_DIR`\n"
    "(`sslrootcert=system`), `SSLKEYLOGFILE` (the keys of TLS are appended to that file, for Wireshark), `HOME` "
    "(default files; if it is\n"
    "not set, the system's user database has the folder), and those that set something for the session, as in libpq:\n";

static const char files[] =
    "The value `default`, in upper or lower case, means that the server's own counts. `PGLOCALEDIR` and `PGOAUTHDEBUG` "
    "are not looked\n"
    "at.\n"
    "\n"
    "## Settings of the server\n"
    "\n"
    "`options` (from any source) takes the server's command-line options. `tusk_config.server_settings` is a list of "
    "names and values:\n"
    "\n"
    "    .server_settings = (const char *const[]){\"search_path\", \"app\", \"jit\", \"off\", NULL},\n"
    "\n"
    "Both are sent with the login, so they are what `RESET` goes back to. Of a name in several places "
    "`server_settings` counts, then\n"
    "`PGTZ` and its like, then `options`; `application_name` in it overrides the parameter. `user`, `database`, "
    "`options`, `replication`\n"
    "and names that begin with `_pq_.` are refused in it, and `client_encoding` must be UTF8.\n"
    "\n"
    "## The password file\n"
    "\n"
    "`passfile`, or `~/.pgpass`. It is looked into if no other source gives a password. Each line is\n"
    "\n"
    "    host:port:dbname:user:password\n"
    "\n"
    "where `*` alone in one of the first four fits everything, and a backslash in front of `:` or a backslash makes it "
    "an ordinary\n"
    "character, in the password too. The first line that fits counts. Lines that begin with `#` are comments. The host "
    "is `host` as it\n"
    "was given, or `hostaddr` if there is none; the folder of the socket that is the default is `localhost`.\n"
    "\n"
    "Group and others must have no access to the file (`chmod 0600`); otherwise it is ignored, and the log says so "
    "with level WARNING,\n"
    "as it does of anything that is not a plain file.\n"
    "\n"
    "## Service files\n"
    "\n"
    "A service is a section of a file, with parameters by name:\n"
    "\n"
    "    [billing]\n"
    "    host=db1\n"
    "    dbname=billing\n"
    "    sslmode=verify-full\n"
    "\n"
    "It is looked for in the file that `PGSERVICEFILE` names, which must then be there, or in `~/.pg_service.conf`; "
    "then in\n"
    "`pg_service.conf` in the folder that `PGSYSCONFDIR` names, or in `/etc/postgresql-common`. A service that is "
    "found nowhere is an\n"
    "error. Blanks around a line do not count, those around `=` do; there are no quotes. Lines that begin with `#` are "
    "comments. Of a\n"
    "parameter that is there twice the first counts. Errors name file and line. A service in a service, a look-up in "
    "LDAP and\n"
    "`sslkeylogfile` are refused.\n";

static const char json[] =
    "\n"
    "## A JSON document\n"
    "\n"
    "`tusk_config_from_json()` takes the document that SQLSpec's asyncpg adapter has, so that one file serves a Python "
    "and a C program\n"
    "(example: [docs/examples/config.c](examples/config.c)):\n"
    "\n"
    "    {\n"
    "      \"connection_config\": {\n"
    "        \"host\": \"db1\", \"port\": 5432, \"database\": \"app\", \"sslmode\": \"verify-full\",\n"
    "        \"server_settings\": { \"jit\": \"off\" }, \"min_size\": 10, \"max_size\": 20\n"
    "      },\n"
    "      \"driver_features\": { \"enable_pgvector\": false }\n"
    "    }\n"
    "\n"
    "What comes out is a `tusk_config`, whose fields a program may change; they count as fields do. In "
    "`connection_config` every\n"
    "parameter above is a key by its own name: a string, for numbers also a number, for `0` and `1` also a boolean; "
    "`host`, `hostaddr` and\n"
    "`port` may be lists. `null` means \"not given\", and so does the empty string. 0 means what it means to "
    "PostgreSQL and asyncpg. Errors\n"
    "tell line and column, in characters, and never what stands there. Unknown keys and a key given twice are errors. "
    "Beside these there\n"
    "are, in `connection_config`:\n"
    "\n"
    "| Key | Meaning |\n"
    "|---|---|\n";

static const char json_features[] = "\n"
                                    "In `driver_features`:\n"
                                    "\n"
                                    "| Key | Meaning |\n"
                                    "|---|---|\n";

static const char json_off[] =
    "\n"
    "What is marked as off is an error, except where it says what is done anyway: `false`, 0 or the empty string. What "
    "is for a pool is\n"
    "checked, kept and shown by `tusk_config_describe()`; a single connection has no use for it. The sections "
    "`statement_config`,\n"
    "`migration_config`, `extension_config`, `bind_key` and `observability_config` are Python's and passed over.\n"
    "\n";

static const char before_refused[] = "## Not supported yet\n"
                                     "\n"
                                     "These parameters of libpq are known by name. Given a value they are an error "
                                     "that says so, wherever the value comes from, since to\n"
                                     "pass over `replication` or `sslkeylogfile` silently would be worse.\n"
                                     "\n"
                                     "| Name | Variable | Why |\n"
                                     "|---|---|---|\n";

static const char differences[] =
    "\n"
    "## Where this differs from libpq\n"
    "\n"
    "- A server that asks for the password in the clear is refused, unless TLS (`sslmode=verify-full`) or "
    "`requirepeer` has "
    "proved who\n"
    "  it is, or `require_auth` names `password`; libpq sends it.\n"
    "- `scram_client_key` and `scram_server_key` are given together or not at all; with the first alone libpq's login "
    "fails.\n"
    "- `requirepeer` compares the accounts' numbers, libpq their names: of two names for one number either will do.\n"
    "- `require_auth` must not be empty; libpq takes that, and then no login that asks for anything.\n"
    "- After a login that was refused for want of room, or because the server is going down (SQLSTATE classes 53 and "
    "57), `sslmode` prefer\n"
    "  and allow do not try their second way: it would hear the same.\n"
    "- A root or client certificate file that was named and is missing is an error in every `sslmode`; libpq goes on "
    "without it unless\n"
    "  `sslmode` is verify-ca or verify-full. Files of TLS that are no good are an error under `prefer`, too, where "
    "libpq "
    "goes on in the clear.\n"
    "- What could never work is refused at once: `channel_binding=require` or `sslcertmode=require` without TLS "
    "(`sslmode=disable`, or a\n"
    "  Unix-domain socket alone), `channel_binding=require` where `require_auth` leaves no SCRAM, a `require_auth` "
    "that leaves nothing "
    "but\n"
    "  mechanisms that the program has not named. libpq finds out when the server asks. Also refused: `on_token` "
    "without "
    "`tusk_oauth()`.\n";

static const char more_differences[] =
    "- `sslcertmode=require` is looked at behind the handshake, where libpq looks when the server has let it in.\n"
    "- `sslkey` is a file, also with a colon in its name: OpenSSL's engines are not supported.\n"
    "- What `sslrootcert=system` stands for is read when the first connection is made, and again after five minutes, "
    "not in the middle of\n"
    "  each handshake.\n"
    "- A host must not contain an `@`: a password with a bare `@` in a URI would be looked up as a host, and show in "
    "an error.\n"
    "- A host is tried while the one before it has not answered for 250 ms; libpq waits for it until "
    "`connect_timeout`.\n"
    "- A connection lost in the middle of the login is tried again with the next address; libpq gives up.\n"
    "- `hostaddr` is IPv4 in four parts or IPv6; the shorter spellings of IPv4 (`127.1`) are refused.\n"
    "- `client_encoding` is UTF-8, and is always sent.\n"
    "- `connect_timeout` always counts, where `PQconnectPoll()` ignores it, and resolving the name is part of it.\n"
    "- With `hostaddr` alone, `host` is that address; with `sslmode=verify-full` a `host` must be given, as in libpq.\n"
    "- TCP keepalive begins after 60 s, not after the system's two hours; 0 is the system's, where libpq's connection "
    "fails. While "
    "an\n"
    "  answer is awaited and nobody has acknowledged anything for 30 s, the connection is lost.\n"
    "- `sslsni`, `sslcompression`, `keepalives` and `gssdelegation` are `0` or `1`; libpq looks at the first character "
    "only, or takes any\n"
    "  number.\n"
    "- The token of OAuth comes from the program's `on_token`: there is no device flow here, and nothing is asked over "
    "HTTP. It is sent only\n"
    "  to a server that TLS (`sslmode=verify-full`) or `requirepeer` has proved, or where `require_auth` names "
    "`oauth`; "
    "libpq sends it.\n"
    "  The program is asked before the server is, so that a token at hand costs no second connection. `oauth_issuer` "
    "is "
    "needed to ask the\n"
    "  server, `oauth_client_id` not at all. `oauth_issuer` must begin with `https://`, and so must what the\n"
    "  server names: plain `http:` is never taken, whatever `PGOAUTHDEBUG` says.\n"
    "- A parameter that counts with `tusk_oauth()` alone is refused if the program does not name that; "
    "libpq always has it.\n"
    "- A value that counts is checked when the configuration is made, also one that would not matter for this "
    "connection; not one that\n"
    "  another source overrides.\n"
    "- `sslkeylogfile` is a field of `tusk_config` or the variable `SSLKEYLOGFILE`; in a connection string, a service "
    "file "
    "or a document it\n"
    "  is refused: what configures a connection must not make it write secrets to a file. A file that cannot be opened "
    "is "
    "an error.\n"
    "- `sslcrl` and `sslcrldir` that cannot be read are errors, and count with `sslrootcert=system`, too; libpq passes "
    "over them. The folder\n"
    "  is read when the first connection is made, and again after five minutes.\n"
    "- TLS before 1.2 is not offered, whatever `ssl_min_protocol_version` says, and a machine whose policy is stricter "
    "stays so.\n"
    "- A service file must be a plain file without NUL bytes, of at most 1 MiB; a password file has at most 16 MiB, "
    "and a line with a\n"
    "  NUL byte in it fits nothing.\n"
    "- The folders for the default socket and for `pg_service.conf` are Debian's; a libpq of another make has "
    "others.\n";

static const char *values_of(const tusk__param *param)
{
    static const char *const words[TUSK__N_KINDS] = {
        [TUSK__KIND_TEXT] = "text",         [TUSK__KIND_NAME] = "name",
        [TUSK__KIND_ADDRESS] = "address",   [TUSK__KIND_PORT] = "1 to 65535",
        [TUSK__KIND_FILE] = "path",         [TUSK__KIND_SECONDS] = "seconds",
        [TUSK__KIND_ENCODING] = "encoding", [TUSK__KIND_INTEGER] = "integer",
        [TUSK__KIND_SCRAM_KEY] = "base64",  [TUSK__KIND_AUTH_RULE] = "methods",
        [TUSK__KIND_COUNT] = "0 and more",  [TUSK__KIND_DURATION] = "seconds, with decimals",
    };

    return words[param->kind];
}

static void print_choices(FILE *out, const tusk__choice *choices)
{
    const char *separator = "";

    for (const tusk__choice *c = choices; c->word; c++)
        if (!c->refusal) {
            fprintf(out, "%s`%s`", separator, c->word);
            separator = ", ";
        }
}

static void print_refused_choices(FILE *out, const tusk__choice *choices)
{
    for (const tusk__choice *c = choices; c && c->word; c++)
        if (c->refusal)
            fprintf(out, " `%s` is refused: %s.", c->word, c->refusal);
}

static void print_variable(FILE *out, const tusk__param *param)
{
    if (param->env)
        fprintf(out, "`%s`", param->env);
    fputs(" | ", out);
}

static void print_row(FILE *out, const tusk__param *param)
{
    fprintf(out, "| `%s` | ", param->name);
    print_variable(out, param);
    if (param->shown_default)
        fputs(param->shown_default, out);
    else
        fprintf(out, "`%s`", param->fallback);
    fputs(" | ", out);
    if (param->choices)
        print_choices(out, param->choices);
    else
        fputs(values_of(param), out);
    fprintf(out, "%s | %s | %s", param->is_secret ? ", secret" : "",
            param->config_offset != TUSK__NO_FIELD || param->kind == TUSK__KIND_SECONDS ||
                    param->kind == TUSK__KIND_COUNT || param->kind == TUSK__KIND_DURATION
                ? "yes"
                : "no",
            param->help);
    print_refused_choices(out, param->choices);
    if (param->needs)
        fprintf(out, " Refused unless the program names `%s`.", tusk__mechanism_to_name(param->needs));
    fputs(" |\n", out);
}

static void print_refused(FILE *out, const tusk__param *param)
{
    fprintf(out, "| `%s` | ", param->name);
    print_variable(out, param);
    fprintf(out, "%s |\n", param->refusal);
}

static void print_keys(FILE *out, const tusk__json_key *key)
{
    for (; key->name; key++)
        fprintf(out, "| `%s` | %s%s |\n", key->name,
                key->use == TUSK__JSON_OFF      ? "off: "
                : key->use == TUSK__JSON_PASSED ? "passed over: "
                                                : "",
                key->help);
}

void print_config(FILE *out)
{
    fputs(before_table, out);
    for (size_t i = 0; i < TUSK__N_PARAMS; i++)
        if (!tusk__params[i].refusal)
            print_row(out, &tusk__params[i]);
    fputs(behind_table, out);
    for (const tusk__env_setting *s = tusk__env_settings; s->env; s++)
        fprintf(out, "%s`%s` (`%s`)", s == tusk__env_settings ? "" : ", ", s->env, s->name);
    fputs(". ", out);
    fputs(files, out);
    fputs(json, out);
    print_keys(out, tusk__connection_keys);
    fputs(json_features, out);
    print_keys(out, tusk__feature_keys);
    fputs(json_off, out);
    fputs(before_refused, out);
    for (size_t i = 0; i < TUSK__N_PARAMS; i++)
        if (tusk__params[i].refusal)
            print_refused(out, &tusk__params[i]);
    fputs(differences, out);
    fputs(more_differences, out);
}
