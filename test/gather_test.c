/* Tests of lib/gather and lib/describe: which source counts, what each brings, and what describe says of it; that no secret of any
 * source is ever shown, and that every allocation may fail.
 * Read first: lib/gather.h, lib/sources.h. */
#include <pwd.h>

#include "lib/gather.h"
#include "lib/settings.h"
#include "proto/message.h"
#include "test/config_world.h"
#include "test/harness/harness.h"

#define N_OF(table) (int)(sizeof(table) / sizeof(table)[0])
#define ENV(...)                                                                                                       \
    (const char *const[])                                                                                              \
    {                                                                                                                  \
        __VA_ARGS__, NULL, NULL                                                                                        \
    }

static tusk__settings *settings_of(const tusk_config *config)
{
    tusk__settings *s = NULL;
    tusk_error err = {0};

    ck_assert_msg(tusk__settings_read(&world_allocator, &world_sources, config, &s, &err) == TUSK_OK, "%s %s",
                  err.message, err.detail);
    return s;
}

static void refuses(const tusk_config *config, const char *message, const char *detail)
{
    tusk__settings *s = NULL;
    tusk_error err = {0};
    char text[16];

    ck_assert_uint_eq(tusk__settings_describe(&world_allocator, &world_sources, config, text, sizeof text, &err), 0);
    ck_assert_str_eq(err.message, message);
    ck_assert_str_eq(err.where, "configuration");
    ck_assert_int_eq(err.fate, TUSK_FATE_NOT_SENT);
    err = (tusk_error){0};
    ck_assert_int_eq(tusk__settings_read(&world_allocator, &world_sources, config, &s, &err), TUSK_ERR_CONFIG);
    ck_assert_str_eq(err.message, message);
    ck_assert_str_eq(err.detail, detail);
    ck_assert_int_eq(err.fate, TUSK_FATE_NOT_SENT);
    ck_assert_int_eq(world_n_live, 0);
}

static const char *hint_of(const tusk_config *config)
{
    static tusk_error err;
    tusk__settings *s = NULL;

    err = (tusk_error){0};
    ck_assert_int_eq(tusk__settings_read(&world_allocator, &world_sources, config, &s, &err), TUSK_ERR_CONFIG);
    return err.hint;
}

static void text_is(tusk_str text, const char *expected)
{
    ck_assert_str_eq(text.ptr, expected);
    ck_assert_uint_eq(text.len, strlen(expected));
}

/* What describe says, in a static buffer. */
static const char *described(const tusk_config *config)
{
    static char text[8192];
    tusk_error err = {0};
    size_t len = tusk__settings_describe(&world_allocator, &world_sources, config, text, sizeof text, &err);

    ck_assert_msg(len > 0 && len < sizeof text, "%s", err.message);
    return text;
}

/* "name=value " of the startup message, in its order. */
static const char *startup_of(const tusk_config *config)
{
    static char text[1024];
    tusk__settings *s = settings_of(config);
    size_t len = 0;

    for (size_t i = 0; i < s->n_startup; i++)
        len +=
            (size_t)snprintf(text + len, sizeof text - len, "%s=%s ", s->startup[i].name.ptr, s->startup[i].value.ptr);
    tusk__settings_unref(s);
    return text;
}

/* ---- the environment --------------------------------------------------------------------------------------------------------- */

START_TEST(every_variable_has_its_parameter)
{
    static const struct {
        const char *name, *env;
    } libpq[] = {
        {"service", "PGSERVICE"},
        {"user", "PGUSER"},
        {"password", "PGPASSWORD"},
        {"passfile", "PGPASSFILE"},
        {"channel_binding", "PGCHANNELBINDING"},
        {"connect_timeout", "PGCONNECT_TIMEOUT"},
        {"dbname", "PGDATABASE"},
        {"host", "PGHOST"},
        {"hostaddr", "PGHOSTADDR"},
        {"port", "PGPORT"},
        {"client_encoding", "PGCLIENTENCODING"},
        {"options", "PGOPTIONS"},
        {"application_name", "PGAPPNAME"},
        {"sslmode", "PGSSLMODE"},
        {"sslnegotiation", "PGSSLNEGOTIATION"},
        {"sslcompression", "PGSSLCOMPRESSION"},
        {"sslcert", "PGSSLCERT"},
        {"sslkey", "PGSSLKEY"},
        {"sslcertmode", "PGSSLCERTMODE"},
        {"sslrootcert", "PGSSLROOTCERT"},
        {"sslcrl", "PGSSLCRL"},
        {"sslcrldir", "PGSSLCRLDIR"},
        {"sslsni", "PGSSLSNI"},
        {"requirepeer", "PGREQUIREPEER"},
        {"require_auth", "PGREQUIREAUTH"},
        {"min_protocol_version", "PGMINPROTOCOLVERSION"},
        {"max_protocol_version", "PGMAXPROTOCOLVERSION"},
        {"ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"},
        {"ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"},
        {"gssencmode", "PGGSSENCMODE"},
        {"krbsrvname", "PGKRBSRVNAME"},
        {"gsslib", "PGGSSLIB"},
        {"gssdelegation", "PGGSSDELEGATION"},
        {"target_session_attrs", "PGTARGETSESSIONATTRS"},
        {"load_balance_hosts", "PGLOADBALANCEHOSTS"},
    };
    int n_with_env = 0;

    for (int i = 0; i < N_OF(libpq); i++)
        ck_assert_str_eq(tusk__param_find(tusk_str_of(libpq[i].name))->env, libpq[i].env);
    for (size_t i = 0; i < TUSK__N_PARAMS; i++)
        n_with_env += tusk__params[i].env != NULL;
    ck_assert_int_eq(n_with_env, N_OF(libpq));
}
END_TEST

START_TEST(the_environment_counts_where_nobody_else_speaks)
{
    tusk__settings *s;

    world_variables = ENV("PGHOST", "eh", "PGPORT", "1234", "PGUSER", "eu", "PGPASSWORD", "ep", "PGDATABASE", "ed",
                          "PGAPPNAME", "ea", "PGOPTIONS", "eo", "PGCONNECT_TIMEOUT", "7", "PGSSLMODE", "require");
    s = settings_of(&(tusk_config){.dsn = "user=su dbname=sd", .dbname = "fd"});
    text_is(s->host, "eh");
    text_is(s->hosts[0].port, "1234");
    text_is(s->user, "su");
    text_is(s->dbname, "fd");
    text_is(s->password, "ep");
    text_is(s->application_name, "ea");
    text_is(s->options, "eo");
    ck_assert_int_eq(s->attempt_timeout_us, 7000000);
    ck_assert_int_eq(s->sslmode, TUSK__SSL_REQUIRE);
    tusk__settings_unref(s);
}
END_TEST

START_TEST(the_process_tells_whether_it_has_a_variable_of_a_kind)
{
    const tusk__sources *process = tusk__sources_process();

    (void)setenv("PGTUSK", "", 1);
    ck_assert(process->has_any(process->user, "PGTUSK"));
    ck_assert(process->has_any(process->user, "PG"));
    ck_assert(!process->has_any(process->user, "PGTUSKS"));
    (void)unsetenv("PGTUSK");
    ck_assert(!process->has_any(process->user, "PGTUSK"));
}
END_TEST

START_TEST(a_program_can_switch_the_environment_off)
{
    const struct passwd *pw = getpwuid(geteuid());
    tusk__settings *s;

    world_write(".pgpass", "*:*:*:*:p", 0600);
    world_variables = ENV("PGHOST", "eh", "PGPORT", "x", "PGTZ", "UTC", "PGSERVICE", "none", "PGREQUIRESSL", "1");
    s = settings_of(&(tusk_config){.ignore_environment = true});
    text_is(s->host, "/tmp");
    text_is(s->hosts[0].port, "5432");
    text_is(s->password, "");
    text_is(s->home, ""); /* and so no default file of TLS */
    ck_assert_int_eq(s->sslmode, TUSK__SSL_PREFER);
    ck_assert_uint_eq(s->n_startup, 3);
    tusk__settings_unref(s);
    world_variables = ENV("HOME", "");
    s = settings_of(&(tusk_config){0});
    text_is(s->home, pw->pw_dir);
    tusk__settings_unref(s);
}
END_TEST

START_TEST(a_named_password_file_counts_also_without_environment)
{
    tusk__settings *s;

    world_write("pw", "*:*:*:*:p", 0600);
    s = settings_of(&(tusk_config){.ignore_environment = true, .passfile = world_path("pw")});
    text_is(s->password, "p");
    tusk__settings_unref(s);
}
END_TEST

START_TEST(an_empty_variable_is_a_value)
{
    tusk__settings *s;

    world_variables =
        ENV("PGHOST", "", "PGPORT", "", "PGDATABASE", "", "PGAPPNAME", "", "PGUSER", "u", "PGOPTIONS", "");
    s = settings_of(&(tusk_config){.fallback_application_name = "f"});
    text_is(s->host, "/tmp");
    text_is(s->hosts[0].port, "5432");
    text_is(s->dbname, "u");
    ck_assert_uint_eq(s->n_startup, 3); /* no application_name: PGAPPNAME says that there is none */
    tusk__settings_unref(s);
    world_variables = ENV("PGSSLMODE", "");
    refuses(NULL, "sslmode must be one of: disable, allow, prefer, require, verify-ca, verify-full",
            "It comes from environment variable PGSSLMODE.");
}
END_TEST

static const struct {
    const char *requiressl, *sslmode, *dsn;
    tusk__sslmode expected;
} requiressl[] = {
    {"1", NULL, "", TUSK__SSL_REQUIRE},
    {"1x", NULL, "", TUSK__SSL_REQUIRE},
    {"0", NULL, "", TUSK__SSL_PREFER},
    {"", NULL, "", TUSK__SSL_PREFER},
    {"on", NULL, "", TUSK__SSL_PREFER},
    {"1", "disable", "", TUSK__SSL_DISABLE},
    {"1", NULL, "sslmode=disable", TUSK__SSL_DISABLE},
};

START_TEST(pgrequiressl_is_as_ever)
{
    tusk__settings *s;

    world_variables = ENV("PGREQUIRESSL", requiressl[_i].requiressl, requiressl[_i].sslmode ? "PGSSLMODE" : NULL,
                          requiressl[_i].sslmode);
    s = settings_of(&(tusk_config){.dsn = requiressl[_i].dsn});
    ck_assert_int_eq(s->sslmode, requiressl[_i].expected);
    tusk__settings_unref(s);
}
END_TEST

START_TEST(a_refused_variable_is_an_error_that_names_it)
{
    world_variables = ENV("PGGSSENCMODE", "require");
    refuses(NULL, "gssencmode=require is not supported: encryption by GSSAPI is not in this driver; use TLS",
            "It comes from environment variable PGGSSENCMODE.");
    world_variables = ENV("PGPORT", "x");
    refuses(NULL, "port must be a number from 1 to 65535", "It comes from environment variable PGPORT.");
    world_variables = ENV("PGTARGETSESSIONATTRS", "primary ");
    refuses(NULL, "target_session_attrs must be one of: any, read-write, read-only, primary, standby, prefer-standby",
            "It comes from environment variable PGTARGETSESSIONATTRS.");
}
END_TEST

/* ---- sslrootcert=system ---------------------------------------------------------------------------------------------------- */

START_TEST(system_roots_make_sslmode_verify_full)
{
    tusk__settings *s;

    world_variables = ENV("SSL_CERT_FILE", "/f", "SSL_CERT_DIR", "/d:/e");
    s = settings_of(&(tusk_config){.dsn = "host=h sslrootcert=system"});
    ck_assert_int_eq(s->sslmode, TUSK__SSL_VERIFY_FULL);
    text_is(s->system_roots_file, "/f");
    text_is(s->system_roots_folders, "/d:/e");
    tusk__settings_unref(s);

    s = settings_of(&(tusk_config){.dsn = "host=h sslrootcert=system", .ignore_environment = true});
    ck_assert_int_eq(s->sslmode, TUSK__SSL_VERIFY_FULL);
    text_is(s->system_roots_file, "");
    text_is(s->system_roots_folders, "");
    tusk__settings_unref(s);

    s = settings_of(&(tusk_config){.dsn = "host=h sslrootcert=/system"});
    ck_assert_int_eq(s->sslmode, TUSK__SSL_PREFER);
    text_is(s->system_roots_file, "");
    tusk__settings_unref(s);

    world_variables = ENV("PGSSLROOTCERT", "system", "PGSSLMODE", "require");
    refuses(&(tusk_config){.host = "h"},
            "sslrootcert=system needs sslmode=verify-full: a weaker one would take anybody's certificate", "");
}
END_TEST

/* ---- d20: the key log is the program's to name ------------------------------------------------------------------------------ */

START_TEST(d20_key_log_is_named_by_the_program_or_its_environment)
{
    static const char field[] = "sslkeylogfile = /f  (field)\n";
    static const char env[] = "sslkeylogfile = /e  (environment variable SSLKEYLOGFILE)\n";
    static const char warning[] = "warning: the keys of TLS are written to sslkeylogfile";
    char text[4096];
    tusk_config config = {.dsn = "host=h", .sslkeylogfile = "/f"};
    tusk__settings *s;

    world_variables = ENV("SSLKEYLOGFILE", "/e", "PGSSLKEYLOGFILE", "/x");
    s = settings_of(&config);
    text_is(s->sslkeylogfile, "/f");
    tusk__settings_unref(s);
    ck_assert_uint_gt(tusk__settings_describe(&world_allocator, &world_sources, &config, text, sizeof text, NULL), 0);
    ck_assert_msg(strstr(text, field) && strstr(text, warning), "%s", text);

    config.sslkeylogfile = NULL;
    ck_assert_uint_gt(tusk__settings_describe(&world_allocator, &world_sources, &config, text, sizeof text, NULL), 0);
    ck_assert_msg(strstr(text, env) && strstr(text, warning), "%s", text);
    config.ignore_environment = true;
    s = settings_of(&config);
    text_is(s->sslkeylogfile, "");
    tusk__settings_unref(s);
    ck_assert_uint_gt(tusk__settings_describe(&world_allocator, &world_sources, &config, text, sizeof text, NULL), 0);
    ck_assert_msg(strstr(text, "sslkeylogfile") == NULL, "%s", text);
}
END_TEST

/* ---- warnings -------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *dsn, *warning; /* NULL: none */
} warnings[] = {
    {"host=h sslmode=disable", NULL},
    {"host=h sslmode=allow", "warning: sslmode=allow begins in the clear"},
    {"host=h",
     "warning: sslmode=prefer goes on in the clear if the server, or anybody on the way to it, says that it has no "
     "TLS, or refuses the handshake or the login"},
    {"host=h sslmode=require", "warning: sslmode=require does not look at whom it talks to"},
    {"host=h sslmode=verify-ca", "warning: sslmode=verify-ca takes any certificate of the authorities"},
    {"host=h sslmode=verify-full", NULL},
    {"host=/h sslmode=allow", NULL},
};

START_TEST(describe_warns_of_what_an_sslmode_leaves_open)
{
    char text[4096];
    tusk_config config = {.dsn = warnings[_i].dsn};

    ck_assert_uint_gt(tusk__settings_describe(&world_allocator, &world_sources, &config, text, sizeof text, NULL), 0);
    if (warnings[_i].warning)
        ck_assert_msg(strstr(text, warnings[_i].warning) != NULL, "%s", text);
    else
        ck_assert_msg(strstr(text, "warning:") == NULL, "%s", text);
}
END_TEST

/* Found by the comparison with libpq: an empty user is the system's, whatever PGUSER says. */
START_TEST(an_empty_user_in_the_string_is_the_systems)
{
    const struct passwd *pw = getpwuid(geteuid());
    tusk__settings *s;

    world_variables = ENV("PGUSER", "u");
    s = settings_of(&(tusk_config){.dsn = "user=''"});
    text_is(s->user, pw->pw_name);
    tusk__settings_unref(s);
}
END_TEST

START_TEST(a_variable_that_is_overridden_is_not_judged)
{
    tusk__settings *s;

    world_variables = ENV("PGPORT", "x", "PGCONNECT_TIMEOUT", "x");
    s = settings_of(&(tusk_config){.port = "5", .connect_timeout = 0.5});
    ck_assert_uint_eq(s->hosts[0].port_number, 5);
    ck_assert_int_eq(s->connect_timeout_us, 500000);
    tusk__settings_unref(s);
}
END_TEST

/* ---- the startup message ----------------------------------------------------------------------------------------------------- */

START_TEST(the_session_variables_of_libpq_are_sent)
{
    world_variables = ENV("PGDATESTYLE", "ISO, MDY", "PGTZ", "DeFault", "PGGEQO", "off", "PGUSER", "u");
    ck_assert_str_eq(startup_of(NULL), "user=u database=u client_encoding=UTF8 datestyle=ISO, MDY geqo=off ");
}
END_TEST

START_TEST(server_settings_are_sent_and_win)
{
    tusk_config config = {.dsn = "user=u dbname=d application_name=a options=-cx=y",
                          .server_settings = ENV("search_path", "app", "TimeZone", "UTC", "client_encoding", "utf-8",
                                                 "Application_Name", "b", "work_mem", "")};

    world_variables = ENV("PGTZ", "CET");
    ck_assert_str_eq(startup_of(&config), "user=u database=d options=-cx=y client_encoding=UTF8 search_path=app "
                                          "TimeZone=UTC Application_Name=b work_mem= ");
}
END_TEST

START_TEST(the_fallback_name_is_sent_if_there_is_no_other)
{
    tusk_config config = {.dsn = "user=u dbname=d", .fallback_application_name = "f"};

    ck_assert_str_eq(startup_of(&config), "user=u database=d application_name=f client_encoding=UTF8 ");
    config.application_name = "a";
    ck_assert_str_eq(startup_of(&config), "user=u database=d application_name=a client_encoding=UTF8 ");
}
END_TEST

static const struct {
    const char *pairs[4];
    const char *message;
} bad_settings[] = {
    {{"a"}, "server_settings: name 1 has no value behind it"},
    {{"a", "b", "c"}, "server_settings: name 2 has no value behind it"},
    {{"", "b"}, "server_settings: name 1 is empty"},
    {{"User", "b"},
     "server_settings: name 1 is no setting of the server: user, dbname and options are fields of their own"},
    {{"_pq_.x", "b"},
     "server_settings: name 1 is no setting of the server: user, dbname and options are fields of their own"},
    {{"CLIENT_ENCODING", "latin1"},
     "server_settings: client_encoding must be UTF8: this driver speaks UTF-8, and the server converts"},
};

START_TEST(server_settings_are_checked)
{
    const char *pairs[6] = {NULL};

    memcpy(pairs, bad_settings[_i].pairs, sizeof bad_settings[_i].pairs);
    refuses(&(tusk_config){.server_settings = pairs}, bad_settings[_i].message, "");
}
END_TEST

/* ---- password files ------------------------------------------------------------------------------------------------------------ */

static void asks_nobody(tusk_password_request *request, void *user)
{
    (void)request, (void)user;
}

START_TEST(a_program_that_makes_the_password_is_its_only_source)
{
    tusk__settings *s;
    char text[4096];

    world_variables = ENV("PGPASSWORD", "ep");
    world_write(".pgpass", "*:*:*:*:fp\n", 0644); /* not even looked at: it would be warned of */
    s = settings_of(&(tusk_config){
        .dsn = "host=h user=u password=dp", .password = "p", .on_password = asks_nobody, .user_data = text});
    text_is(s->password, "");
    text_is(s->hosts[0].password, "");
    text_is(s->warning, "");
    ck_assert(s->on_password == asks_nobody && s->user_data == text);
    tusk__settings_unref(s);
    ck_assert_uint_gt(tusk__settings_describe(&world_allocator, &world_sources,
                                              &(tusk_config){.dsn = "password=dp", .on_password = asks_nobody}, text,
                                              sizeof text, NULL),
                      0);
    ck_assert_ptr_nonnull(strstr(text, "\npassword = (asked for at each login)  (field)\n"));
    ck_assert_ptr_null(strstr(text, "hidden"));
}
END_TEST

START_TEST(the_password_file_counts_last)
{
    tusk__settings *s;

    world_write(".pgpass", "h:5432:d:u:p\nlocalhost:1:u:u:q\n10.0.0.1:5432:u:u:r\n", 0600);
    s = settings_of(&(tusk_config){.dsn = "host=h dbname=d user=u"});
    text_is(s->password, "p");
    ck_assert(s->hosts[0].password.len > 0);
    tusk__settings_unref(s);
    s = settings_of(&(tusk_config){.dsn = "host=h dbname=d user=u password=''"});
    text_is(s->password, "p");
    tusk__settings_unref(s);
    s = settings_of(&(tusk_config){.dsn = "port=1 user=u"}); /* the default socket is localhost */
    text_is(s->password, "q");
    tusk__settings_unref(s);
    s = settings_of(&(tusk_config){.dsn = "hostaddr=10.0.0.1 user=u"});
    text_is(s->password, "r");
    tusk__settings_unref(s);
    s = settings_of(&(tusk_config){.dsn = "hostaddr=10.0.0.1 host=h dbname=d user=u"});
    text_is(s->password, "p");
    tusk__settings_unref(s);
    world_variables = ENV("PGPASSWORD", "e");
    s = settings_of(&(tusk_config){.dsn = "host=h dbname=d user=u"});
    text_is(s->password, "e");
    tusk__settings_unref(s);
}
END_TEST

START_TEST(a_password_file_that_others_may_read_is_ignored_and_said)
{
    static const mode_t bad[] = {0640, 0604, 0660, 0601, 0610};

    for (int i = 0; i < N_OF(bad); i++) {
        tusk__settings *s;

        world_write(".pgpass", "*:*:*:*:p", bad[i]);
        s = settings_of(NULL);
        text_is(s->password, "");
        ck_assert_ptr_ne(strstr(s->warning.ptr, "others have access"), NULL);
        ck_assert_ptr_ne(strstr(s->warning.ptr, ".pgpass"), NULL);
        tusk__settings_unref(s);
    }
    ck_assert_ptr_ne(strstr(described(NULL), "warning: the password file was ignored: its group or others have access"),
                     NULL);
}
END_TEST

START_TEST(what_is_no_file_is_ignored_and_said)
{
    tusk__settings *s = settings_of(&(tusk_config){.passfile = world_home});

    text_is(s->password, "");
    ck_assert_ptr_ne(strstr(s->warning.ptr, "not a plain file"), NULL);
    tusk__settings_unref(s);
    s = settings_of(&(tusk_config){.passfile = "/nonexistent/pgpass"});
    text_is(s->warning, "");
    tusk__settings_unref(s);
    ck_assert_int_eq(mkfifo(world_path("pipe"), 0600), 0);
    s = settings_of(&(tusk_config){.passfile = world_path("pipe")}); /* and nobody waits for a writer */
    ck_assert_ptr_ne(strstr(s->warning.ptr, "not a plain file"), NULL);
    tusk__settings_unref(s);
    unlink(world_path("pipe"));
}
END_TEST

/* ---- service files ---------------------------------------------------------------------------------------------------------------- */

START_TEST(a_service_stands_between_string_and_environment)
{
    tusk__settings *s;

    world_write(".pg_service.conf", "[s]\nhost=sh\nport=7\nuser=su\npassword=sp\n", 0644);
    world_variables = ENV("PGHOST", "eh", "PGDATABASE", "ed", "PGSERVICE", "s");
    s = settings_of(&(tusk_config){.dsn = "port=8", .user = "fu"});
    text_is(s->host, "sh");
    text_is(s->hosts[0].port, "8");
    text_is(s->user, "fu");
    text_is(s->password, "sp");
    text_is(s->dbname, "ed");
    text_is(s->service, "s");
    tusk__settings_unref(s);
}
END_TEST

START_TEST(services_are_looked_for_in_libpqs_order)
{
    static char folder[32];
    tusk__settings *s;

    snprintf(folder, sizeof folder, "%s", world_home);
    world_write("pg_service.conf", "[s]\nhost=system\n[t]\nhost=only\n", 0644);
    world_variables = ENV("PGSYSCONFDIR", folder);
    s = settings_of(&(tusk_config){.dsn = "service=s"});
    text_is(s->host, "system");
    tusk__settings_unref(s);
    world_write(".pg_service.conf", "[s]\nhost=home\n", 0644);
    s = settings_of(&(tusk_config){.service = "s"});
    text_is(s->host, "home");
    tusk__settings_unref(s);
    s = settings_of(&(tusk_config){.service = "t"});
    text_is(s->host, "only");
    tusk__settings_unref(s);
    world_write("mine", "[s]\nhost=named\n", 0644);
    world_variables = ENV("PGSYSCONFDIR", folder, "PGSERVICEFILE", world_path("mine"));
    s = settings_of(&(tusk_config){.service = "s"});
    text_is(s->host, "named");
    tusk__settings_unref(s);
    s = settings_of(&(tusk_config){.service = "t"});
    text_is(s->host, "only");
    tusk__settings_unref(s);
}
END_TEST

START_TEST(a_service_that_is_nowhere_is_an_error)
{
    char message[256], detail[256];

    snprintf(detail, sizeof detail, "These files are looked into: %s, %s/pg_service.conf.",
             world_path(".pg_service.conf"), world_sources.system_folder);
    refuses(&(tusk_config){.service = "s"}, "the service is defined in no service file", detail);
    world_variables = ENV("PGSERVICE", "");
    refuses(NULL, "the service is defined in no service file", detail);
    world_variables = ENV("PGSERVICEFILE", "/nonexistent/file");
    refuses(&(tusk_config){.service = "s"}, "the service file /nonexistent/file cannot be read: there is no such file",
            "");
    world_variables = ENV("PGSERVICEFILE", world_home);
    snprintf(message, sizeof message, "the service file %s is not a plain file", world_home);
    refuses(&(tusk_config){.service = "s"}, message, "");
}
END_TEST

START_TEST(what_a_service_says_is_judged_with_its_place)
{
    char detail[256];

    world_write(".pg_service.conf", "[s]\nhost=h\nsslmode=x\n", 0644);
    snprintf(detail, sizeof detail, "It comes from line 3 of the service file %s.", world_path(".pg_service.conf"));
    refuses(&(tusk_config){.service = "s"},
            "sslmode must be one of: disable, allow, prefer, require, verify-ca, verify-full", detail);
    ck_assert_str_eq(hint_of(&(tusk_config){.service = "s"}), "");
    world_write(".pg_service.conf", "[s]\nhost=h\nsslmode= require\n", 0644);
    refuses(&(tusk_config){.service = "s"},
            "sslmode must be one of: disable, allow, prefer, require, verify-ca, verify-full", detail);
    ck_assert_str_eq(hint_of(&(tusk_config){.service = "s"}),
                     "A blank behind the \"=\" in a service file belongs to the value.");
    world_write(".pg_service.conf", "[s]\nhost=h\nsslkeylogfile=/k\n", 0644);
    refuses(&(tusk_config){.service = "s"},
            "sslkeylogfile is not supported: what configures a connection must not make it write its keys to a file",
            detail);
}
END_TEST

/* ---- describe ------------------------------------------------------------------------------------------------------------------------- */

START_TEST(describe_names_the_origin_of_each_value)
{
    static const char *const server_settings[] = {"jit", "off", NULL};
    tusk_config config = {.dsn = "service=s application_name='a \"b\\\\\x01\xC3\xBC\xFC'",
                          .host = "fh",
                          .connect_timeout = 0.25,
                          .statement_cache_size = 20,
                          .max_cached_statement_lifetime = TUSK_NONE,
                          .command_timeout = 2.5,
                          .server_settings = server_settings};
    char expected[4096];

    world_write(".pgpass", "*:*:*:*:s3cr3t-Zq7", 0600);
    world_write(".pg_service.conf", "[s]\ndbname=sd\n", 0644);
    world_variables = ENV("PGUSER", "eu", "PGTZ", "UTC", "PGSSLMODE", "disable");
    snprintf(expected, sizeof expected,
             "service = s  (connection string)\n"
             "host = fh  (field)\n"
             "port = 5432  (default)\n"
             "dbname = sd  (line 2 of the service file %s/.pg_service.conf)\n"
             "user = eu  (environment variable PGUSER)\n"
             "password = (hidden)  (line 1 of the password file %s/.pgpass)\n"
             "connect_timeout = 0.25  (field)\n"
             "application_name = \"a \\\"b\\\\\\x01\xC3\xBC\\xFC\"  (connection string)\n"
             "client_encoding = UTF8  (default)\n"
             "target_session_attrs = any  (default)\n"
             "load_balance_hosts = disable  (default)\n"
             "keepalives = 1  (default)\n"
             "keepalives_idle = 60  (default)\n"
             "keepalives_interval = 10  (default)\n"
             "keepalives_count = 3  (default)\n"
             "tcp_user_timeout = 0  (default)\n"
             "sslmode = disable  (environment variable PGSSLMODE)\n"
             "sslnegotiation = postgres  (default)\n"
             "sslcertmode = allow  (default)\n"
             "sslsni = 1  (default)\n"
             "sslcompression = 0  (default)\n"
             "ssl_min_protocol_version = TLSv1.2  (default)\n"
             "ssl_max_protocol_version = none  (default)\n"
             "channel_binding = prefer  (default)\n"
             "min_protocol_version = 3.0  (default)\n"
             "max_protocol_version = 3.0  (default)\n"
             "gssencmode = disable  (default)\n"
             "statement_cache_size = 20  (field)\n"
             "max_cached_statement_lifetime = 0  (field)\n"
             "max_cacheable_statement_size = 15360  (default)\n"
             "command_timeout = 2.5  (field)\n"
             "pooler = auto  (default)\n"
             "server setting timezone = UTC  (environment variable PGTZ)\n"
             "server setting jit = off  (field)\n",
             world_home, world_home);
    ck_assert_str_eq(described(&config), expected);
    ck_assert_int_eq(world_n_live, 0);
}
END_TEST

START_TEST(describe_warns_of_what_protects_nobody)
{
    ck_assert_ptr_ne(strstr(described(&(tusk_config){.dsn = "host=h"}), "warning: sslmode=prefer "), NULL);
    ck_assert_ptr_ne(strstr(described(&(tusk_config){.dsn = "host=h sslmode=require"}), "warning: sslmode=require "),
                     NULL);
    ck_assert_ptr_eq(strstr(described(&(tusk_config){.dsn = "host=h sslmode=verify-full"}), "warning"), NULL);
    ck_assert_ptr_eq(strstr(described(&(tusk_config){.dsn = "host=/tmp"}), "warning"), NULL);
}
END_TEST

START_TEST(describe_counts_like_snprintf)
{
    tusk_config config = {.dsn = "host=h user=u"};
    size_t len = strlen(described(&config));
    char *text = malloc(len + 1);

    for (size_t size = 0; size <= len + 1; size += size == 0 ? 1 : len) {
        memset(text, 'x', len + 1);
        ck_assert_uint_eq(tusk__settings_describe(&world_allocator, &world_sources, &config, text, size, NULL), len);
        if (size > 0)
            ck_assert_uint_eq(strlen(text), size - 1);
    }
    free(text);
}
END_TEST

START_TEST(describe_says_what_is_wrong)
{
    char text[64] = "x";
    tusk_error err = {0};

    ck_assert_uint_eq(
        tusk_config_describe(&(tusk_config){.ignore_environment = true, .port = "x"}, text, sizeof text, &err), 0);
    ck_assert_str_eq(text, "");
    ck_assert_str_eq(err.where, "configuration");
    ck_assert_str_eq(err.message, "port must be a number from 1 to 65535");
}
END_TEST

/* ---- secrets (D31) ----------------------------------------------------------------------------------------------------------------------- */

static const char secret[] = "s3cr3t-Zq7";

static void shows_no_secret(const tusk_config *config)
{
    static char text[8192];
    tusk_error err = {0};
    tusk__settings *s = NULL;

    world_must_be_wiped = secret;
    text[0] = '\0';
    (void)tusk__settings_describe(&world_allocator, &world_sources, config, text, sizeof text, &err);
    if (tusk__settings_read(&world_allocator, &world_sources, config, &s, &err) == TUSK_OK) {
        ck_assert(strstr(s->warning.ptr, secret) == NULL);
        tusk__settings_unref(s);
    }
    ck_assert(strstr(text, secret) == NULL);
    ck_assert(!strstr(err.message, secret) && !strstr(err.detail, secret) && !strstr(err.where, secret) &&
              !strstr(err.hint, secret));
    world_must_be_wiped = NULL;
    ck_assert_int_eq(world_n_live, 0);
}

/* Each secret value from each source: with what is right beside it and with what is wrong. */
START_TEST(d31_a_secret_value_of_any_source_is_never_shown)
{
    static const char *const beside[] = {"host=h", "port=x", "sslmode=x", "sslcert=c"};
    char text[256];

    for (size_t i = 0; i < TUSK__N_PARAMS; i++) {
        const tusk__param *param = &tusk__params[i];

        for (int k = 0; param->is_secret && k < N_OF(beside); k++) {
            snprintf(text, sizeof text, "%s=%s %s", param->name, secret, beside[k]);
            shows_no_secret(&(tusk_config){.dsn = text});
            snprintf(text, sizeof text, "postgresql://h?%s=%s&%s", param->name, secret, beside[k]);
            shows_no_secret(&(tusk_config){.dsn = text});
            snprintf(text, sizeof text, "[s]\n%s=%s\n%s\n", param->name, secret, beside[k]);
            world_write(".pg_service.conf", text, 0644);
            shows_no_secret(&(tusk_config){.service = "s"});
            world_variables = param->env ? ENV(param->env, secret) : NULL;
            shows_no_secret(&(tusk_config){.dsn = beside[k]});
            world_variables = NULL;
        }
    }
    for (int k = 0; k < N_OF(beside); k++) {
        world_write(".pgpass", "*:*:*:*:s3cr3t-Zq7", 0600);
        shows_no_secret(&(tusk_config){.dsn = beside[k]});
        world_write(".pgpass", "*:*:*:*:s3cr3t-Zq7", 0644);
        shows_no_secret(&(tusk_config){.dsn = beside[k]});
    }
}
END_TEST

/* Where the place of a secret is no secret value, only errors keep quiet: describe is there to show values. */
START_TEST(d31_a_secret_anywhere_in_a_service_file_is_in_no_error)
{
    static const char file[] = "[s]\nhost=h\nport=1\n\nuser=u\n#c\nsslmode=require\n";
    static const char *const around[] = {"", "=", "\n", "[", "ldap", "\n=", "service="};
    char text[256];

    world_must_be_wiped = secret;
    for (size_t at = 0; at < sizeof file; at++)
        for (int i = 0; i < N_OF(around); i++)
            for (int k = 0; k < N_OF(around); k++) {
                tusk__settings *s = NULL;
                tusk_error err = {0};

                snprintf(text, sizeof text, "%.*s%s%s%s%s", (int)at, file, around[i], secret, around[k], file + at);
                world_write(".pg_service.conf", text, 0644);
                if (tusk__settings_read(&world_allocator, &world_sources, &(tusk_config){.service = "s"}, &s, &err) !=
                    TUSK_OK)
                    ck_assert(!strstr(err.message, secret) && !strstr(err.detail, secret));
                tusk__settings_unref(s);
            }
    world_must_be_wiped = NULL;
    ck_assert_int_eq(world_n_live, 0);
}
END_TEST

START_TEST(each_host_has_its_own_password)
{
    tusk__settings *s;

    world_write(".pgpass", "b:7:*:*:of\\\\b\n*:5432:*:*:of\\:all\n", 0600);
    s = settings_of(&(tusk_config){.dsn = "host=a,b,c,c port=5432,7,5432,9 user=u dbname=d"});
    text_is(s->hosts[0].password, "of:all");
    text_is(s->hosts[1].password, "of\\b");
    text_is(s->hosts[2].password, "of:all"); /* the same line a second time: its escapes are undone once */
    text_is(s->hosts[3].password, "");
    tusk__settings_unref(s);
    s = settings_of(&(tusk_config){.dsn = "host=a,b password=given user=u dbname=d"});
    text_is(s->hosts[0].password, "given");
    text_is(s->hosts[1].password, "given");
    tusk__settings_unref(s);
}
END_TEST

/* ---- allocations --------------------------------------------------------------------------------------------------------------------------- */

START_TEST(every_failing_allocation_is_an_error_and_leaks_nothing)
{
    tusk_config config = {.dsn = "service=s"};
    char text[1024];
    int n = 0;

    world_write(".pgpass", "*:*:*:*:s3cr3t-Zq7", 0600);
    world_write(".pg_service.conf", "[s]\ndbname=sd\n", 0644);
    world_must_be_wiped = secret;
    for (world_fail_at = 1;; world_fail_at++, n++) {
        tusk_error err = {0};

        world_n_mallocs = 0;
        if (tusk__settings_describe(&world_allocator, &world_sources, &config, text, sizeof text, &err) > 0)
            break;
        ck_assert_int_eq(err.code, TUSK_ERR_NOMEM);
        ck_assert_int_eq(world_n_live, 0);
    }
    world_fail_at = 0;
    world_must_be_wiped = NULL;
    ck_assert_int_eq(n, 5); /* the string, two files, the list of hosts, the settings */
    ck_assert_int_eq(world_n_live, 0);
}
END_TEST

static TCase *world_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, world_open, world_close);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return tcase;
}

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("gather");
    TCase *tcase;

    tcase = world_case(suite, "environment");
    tcase_add_test(tcase, every_variable_has_its_parameter);
    tcase_add_test(tcase, the_environment_counts_where_nobody_else_speaks);
    tcase_add_test(tcase, the_process_tells_whether_it_has_a_variable_of_a_kind);
    tcase_add_test(tcase, a_program_can_switch_the_environment_off);
    tcase_add_test(tcase, a_named_password_file_counts_also_without_environment);
    tcase_add_test(tcase, each_host_has_its_own_password);
    tcase_add_test(tcase, an_empty_variable_is_a_value);
    tcase_add_loop_test(tcase, pgrequiressl_is_as_ever, 0, N_OF(requiressl));
    tcase_add_test(tcase, a_refused_variable_is_an_error_that_names_it);
    tcase_add_test(tcase, an_empty_user_in_the_string_is_the_systems);
    tcase_add_test(tcase, system_roots_make_sslmode_verify_full);
    tcase_add_test(tcase, d20_key_log_is_named_by_the_program_or_its_environment);
    tcase_add_loop_test(tcase, describe_warns_of_what_an_sslmode_leaves_open, 0,
                        (int)(sizeof warnings / sizeof warnings[0]));
    tcase_add_test(tcase, a_variable_that_is_overridden_is_not_judged);
    tcase = world_case(suite, "startup");
    tcase_add_test(tcase, the_session_variables_of_libpq_are_sent);
    tcase_add_test(tcase, server_settings_are_sent_and_win);
    tcase_add_test(tcase, the_fallback_name_is_sent_if_there_is_no_other);
    tcase_add_loop_test(tcase, server_settings_are_checked, 0, N_OF(bad_settings));
    tcase = world_case(suite, "passfile");
    tcase_add_test(tcase, a_program_that_makes_the_password_is_its_only_source);
    tcase_add_test(tcase, the_password_file_counts_last);
    tcase_add_test(tcase, a_password_file_that_others_may_read_is_ignored_and_said);
    tcase_add_test(tcase, what_is_no_file_is_ignored_and_said);
    tcase = world_case(suite, "service");
    tcase_add_test(tcase, a_service_stands_between_string_and_environment);
    tcase_add_test(tcase, services_are_looked_for_in_libpqs_order);
    tcase_add_test(tcase, a_service_that_is_nowhere_is_an_error);
    tcase_add_test(tcase, what_a_service_says_is_judged_with_its_place);
    tcase = world_case(suite, "describe");
    tcase_add_test(tcase, describe_names_the_origin_of_each_value);
    tcase_add_test(tcase, describe_warns_of_what_protects_nobody);
    tcase_add_test(tcase, describe_counts_like_snprintf);
    tcase_add_test(tcase, describe_says_what_is_wrong);
    tcase = world_case(suite, "secrets");
    tcase_add_test(tcase, d31_a_secret_value_of_any_source_is_never_shown);
    tcase_add_test(tcase, d31_a_secret_anywhere_in_a_service_file_is_in_no_error);
    tcase = world_case(suite, "memory");
    tcase_add_test(tcase, every_failing_allocation_is_an_error_and_leaks_nothing);
    return suite;
}
