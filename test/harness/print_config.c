/*
 * Prints docs/config.md: words around what lib/config_table.c says.
 */
#include "test/harness/print_config.h"

#include "lib/config_table.h"

static const char before_table[] =
    "# Configuration\n"
    "\n"
    "This page is printed from `lib/config_table.c` by `make docs`; edit there, or in `test/harness/print_config.c`.\n"
    "\n"
    "A connection is configured by a connection string, `tusk_config.dsn`, and by the other fields of `tusk_config`, "
    "which\n"
    "override it. What neither gives has the default below. In the struct NULL and the empty string mean \"not given "
    "here\".\n"
    "No environment variable and no password file is read yet.\n"
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
    "quotes; a backslash makes the next character an ordinary one, inside quotes and out.\n"
    "\n"
    "A parameter given twice has its last value. A name that is unknown is an error. Errors name the parameter, or the "
    "place in\n"
    "the string in bytes, and the nearest name; they never show a part of the string, for behind a typing error any "
    "part may be\n"
    "the password.\n"
    "\n"
    "## Parameters\n"
    "\n"
    "The names are libpq's. \"Field\" says whether `tusk_config` has it as a field too.\n"
    "\n"
    "| Name | Default | Values | Field | Meaning |\n"
    "|---|---|---|---|---|\n";

static const char in_struct_only[] =
    "\n"
    "Only in `tusk_config`: `scram_max_iterations` (default 100000), above which a server's demand is refused before "
    "anything is\n"
    "computed; `on_notice`, `on_parameter` and their `user_data`.\n"
    "\n"
    "## Not supported yet\n"
    "\n"
    "These parameters of libpq are known by name. Given a value they are an error that says so, since to pass over\n"
    "`sslcert` or `target_session_attrs` silently would be worse.\n"
    "\n";

static const char differences[] =
    "## Where this differs from libpq\n"
    "\n"
    "- `sslmode=allow` and `sslmode=verify-ca` are refused: neither says whom one talks to.\n"
    "- Lists of hosts, addresses and ports are refused for now.\n"
    "- `hostaddr` is IPv4 in four parts or IPv6; the shorter spellings of IPv4 (`127.1`) are refused.\n"
    "- `client_encoding` is UTF-8.\n"
    "- `connect_timeout` covers the whole attempt, not each address of a host.\n"
    "- With `hostaddr` alone, `host` is that address; with `sslmode=verify-full` a `host` must be given, as in libpq.\n"
    "- A relic of libpq, `requiressl`, is refused; `sslmode=require` is what it meant.\n";

static const char *values_of(const tusk__param *param)
{
    static const char *const words[TUSK__N_KINDS] = {
        [TUSK__KIND_TEXT] = "text",         [TUSK__KIND_NAME] = "name", [TUSK__KIND_ADDRESS] = "address",
        [TUSK__KIND_PORT] = "1 to 65535",   [TUSK__KIND_FILE] = "path", [TUSK__KIND_SECONDS] = "seconds",
        [TUSK__KIND_ENCODING] = "encoding",
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

static void print_row(FILE *out, const tusk__param *param)
{
    fprintf(out, "| `%s` | ", param->name);
    if (param->shown_default)
        fputs(param->shown_default, out);
    else
        fprintf(out, "`%s`", param->fallback);
    fputs(" | ", out);
    if (param->choices)
        print_choices(out, param->choices);
    else
        fputs(values_of(param), out);
    fprintf(out, "%s | %s | %s |\n", param->is_secret ? ", secret" : "",
            param->config_offset != TUSK__NO_FIELD || param->kind == TUSK__KIND_SECONDS ? "yes" : "no", param->help);
}

static void print_refused(FILE *out)
{
    const char *separator = "";

    for (size_t i = TUSK__N_SUPPORTED_PARAMS; i < TUSK__N_PARAMS; i++) {
        fprintf(out, "%s`%s`", separator, tusk__params[i].name);
        separator = (i - TUSK__N_SUPPORTED_PARAMS) % 5 == 4 ? ",\n" : ", ";
    }
    fputs(".\n\n", out);
}

void print_config(FILE *out)
{
    fputs(before_table, out);
    for (size_t i = 0; i < TUSK__N_SUPPORTED_PARAMS; i++)
        print_row(out, &tusk__params[i]);
    fputs(in_struct_only, out);
    print_refused(out);
    fputs(differences, out);
}
