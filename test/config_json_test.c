/* Tests of lib/config_json: what a document comes to, what is refused and where, and that it is never quoted (D31).
 * Read first: lib/config_json.h. */
#include "lib/config_json.h"
#include "lib/settings.h"
#include "test/config_world.h"
#include "test/harness/harness.h"

#define N_OF(table) (int)(sizeof(table) / sizeof(table)[0])
#define CONNECTION_HEAD "{\"connection_config\": {"
#define CONNECTION(members) CONNECTION_HEAD members "}}"
#define FEATURE(member) "{\"driver_features\": {" member "}}"

static tusk_config *config_of(const char *json)
{
    tusk_config *config = NULL;
    tusk_error err = {0};

    ck_assert_msg(tusk_config_from_json(tusk_str_of(json), &world_allocator, &config, &err) == TUSK_OK, "%s: %s", json,
                  err.message);
    return config;
}

static const char *described(const tusk_config *config)
{
    static char text[8192];
    tusk_error err = {0};
    size_t len = tusk__settings_describe(&world_allocator, &world_sources, config, text, sizeof text, &err);

    ck_assert_msg(len > 0 && len < sizeof text, "%s %s", err.message, err.detail);
    return text;
}

/* A line of what describe says of the document. */
static const struct {
    const char *json, *line;
} taken[] = {
    {"{}", "port = 5432  (default)\n"},
    {"{\"connection_config\": null, \"driver_features\": {}, \"bind_key\": 5, \"migration_config\": {\"a\": 1}}",
     "port = 5432  (default)\n"},
    {CONNECTION("\"host\": \"h\""), "host = h  (line 1, column 24 of the JSON document)\n"},
    {"{\n  \"connection_config\": {\n    \"user\": \"\xC3\xA4\", \"host\": \"h\"}}",
     "host = h  (line 3, column 18 of the JSON document)\n"},
    {CONNECTION("\"host\": [\"h\"]"), "host = h  (line"},
    {CONNECTION("\"port\": 1234"), "port = 1234  (line"},
    {CONNECTION("\"port\": [1234]"), "port = 1234  (line"},
    {CONNECTION("\"port\": \"1234\""), "port = 1234  (line"},
    {CONNECTION("\"database\": \"d\""), "dbname = d  (line"},
    {CONNECTION("\"dbname\": \"d\""), "dbname = d  (line"},
    {CONNECTION("\"password\": \"p\""), "password = (hidden)  (line"},
    {CONNECTION("\"password\": null"), "port = 5432  (default)\n"},
    {CONNECTION("\"user\": \"\""), "port = 5432  (default)\n"},
    {CONNECTION("\"user\": \"\\u00e4\\n\\\"\""), "user = \"\xC3\xA4\\x0A\\\"\"  (line"},
    {CONNECTION("\"connect_timeout\": 0"), "connect_timeout = 0  (line"},
    {CONNECTION("\"timeout\": 0.5, \"connect_timeout\": 9"),
     "connect_timeout = 0.5  (line 1, column 24 of the JSON document)\n"},
    {CONNECTION("\"ssl\": false"), "sslmode = disable  (line"},
    {CONNECTION("\"ssl\": true"), "sslmode = verify-full  (line"},
    {CONNECTION("\"ssl\": true"), "sslrootcert = system  (line"},
    {CONNECTION("\"ssl\": \"require\", \"direct_tls\": true"), "sslnegotiation = direct  (line"},
    {CONNECTION("\"direct_tls\": false"), "sslnegotiation = postgres  (line"},
    {CONNECTION("\"ssl\": \"require\""), "sslmode = require  (line"},
    {CONNECTION("\"client_encoding\": \"utf8\""), "client_encoding = utf8  (line"},
    {CONNECTION("\"keepalives\": true"), "keepalives = 1  (line"},
    {CONNECTION("\"dsn\": \"host=s port=7\", \"host\": \"h\""), "host = h  (line 1, column 48"},
    {CONNECTION("\"dsn\": \"host=s port=7\", \"host\": \"h\""), "port = 7  (connection string)\n"},
    {CONNECTION("\"host\": \"a\", \"extra\": {\"host\": \"b\"}"),
     "host = b  (line 1, column 47 of the JSON document)\n"},
    {CONNECTION("\"server_settings\": {\"jit\": \"off\", \"TimeZone\": \"UTC\"}"),
     "server setting TimeZone = UTC  (line 1, column 24 of the JSON document)\n"},
    {CONNECTION("\"extra\": {\"server_settings\": {\"jit\": \"off\"}}"),
     "server setting jit = off  (line 1, column 34"},
    {CONNECTION("\"min_size\": 10"), "for a pool: min_size = 10  (line 1, column 24 of the JSON document)\n"},
    {CONNECTION("\"max_size\": 20"), "for a pool: max_size = 20  (line"},
    {CONNECTION("\"max_queries\": 50000"), "for a pool: max_queries = 50000  (line"},
    {CONNECTION("\"max_inactive_connection_lifetime\": 300.5"),
     "for a pool: max_inactive_connection_lifetime = 300.5  (line"},
    {CONNECTION("\"max_inactive_connection_lifetime\": 0"), "for a pool: max_inactive_connection_lifetime = 0  (line"},
    {CONNECTION("\"statement_cache_size\": 0"), "statement_cache_size = 0  (line 1, column 24 of the JSON document)\n"},
    {CONNECTION("\"max_cacheable_statement_size\": \"20000\""), "max_cacheable_statement_size = 20000  (line"},
    {CONNECTION("\"max_cached_statement_lifetime\": 0.5"), "max_cached_statement_lifetime = 0.500000  (line"},
    {CONNECTION("\"max_cached_statement_lifetime\": 1.29e1"), "max_cached_statement_lifetime = 12.900000  (line"},
    {CONNECTION("\"max_cached_statement_lifetime\": 1e-9"), "max_cached_statement_lifetime = 0.000001  (line"},
    {CONNECTION("\"keepalives_idle\": -2147483648"), "keepalives_idle = -2147483648  (line"},
    {CONNECTION("\"ho\\u0073t\": \"a\\/b\""), "host = a/b  (line"},
    {CONNECTION("\"host\": [\"a\", \"\", \"b\"]"), "host = a,,b  (line"},
    {CONNECTION("\"init\": null, \"user\": \"u\""), "user = u  (line"},
    {"{\"bind_key\": [1e999, 99999999999999999999, {\"a\": 1, \"a\": 2}]}", "port = 5432  (default)\n"},
    {CONNECTION("\"command_timeout\": 60"), "command_timeout = 60  (line"},
    {CONNECTION("\"max_cached_statement_lifetime\": 60"), "max_cached_statement_lifetime = 60  (line"},
    {CONNECTION("\"direct_tls\": false, \"servicefile\": \"\""), "port = 5432  (default)\n"},
    {FEATURE("\"enable_pgvector\": false, \"enable_cloud_sql\": false, \"cloud_sql_ip_type\": \"PRIVATE\""),
     "port = 5432  (default)\n"},
};

START_TEST(documents_come_to_this)
{
    tusk_config *config = config_of(taken[_i].json);

    ck_assert_msg(strstr(described(config), taken[_i].line) != NULL, "%s: %s", taken[_i].json, described(config));
    tusk_config_free(config);
    ck_assert_int_eq(world_n_live, 0);
}
END_TEST

START_TEST(fields_may_be_changed_and_then_are_the_programs)
{
    tusk_config *config = config_of(
                    CONNECTION("\"host\": \"h\", \"user\": \"u\", \"timeout\": 3, \"client_encoding\": \"utf8\"")),
                copy;

    copy = *config;
    copy.host = "other";
    copy.user = NULL;
    copy.dbname = "d";
    copy.connect_timeout = 4;
    ck_assert_ptr_ne(strstr(described(&copy), "host = other  (field)\n"), NULL);
    ck_assert_ptr_eq(strstr(described(&copy), "user = u"), NULL);
    ck_assert_ptr_ne(strstr(described(&copy), "connect_timeout = 4  (field)\n"), NULL);
    ck_assert_ptr_ne(strstr(described(&copy), "client_encoding = utf8  (line"), NULL);
    tusk_config_free(config);
    tusk_config_free(NULL);
}
END_TEST

#define AT(column, what) "line 1, column " column " of the JSON document: " what

static const struct {
    const char *json, *message;
} refused[] = {
    {"", AT("1", "it ends too early")},
    {"[]", AT("1", "it must be an object")},
    {"{\"connection_config\": {}", AT("25", "it ends too early")},
    {"{} x", AT("4", "something stands behind its end")},
    {"{\"a\" 1}", AT("6", "it is malformed")},
    {"{\n \"connection_config\": {\"host\": h}}", "line 2, column 32 of the JSON document: it is malformed"},
    {CONNECTION("\"host\": \"h\\u0000\""), AT("34", "\\u0000 cannot be")},
    {CONNECTION("\"host\": \"a\", \"host\": \"b\""), AT("37", "the key is there already")},
    {CONNECTION("\"host\": \"a\", \"ho\\u0073t\": null"), AT("37", "the key is there already")},
    {CONNECTION("\"server_settings\": {\"a\": \"b\", \"a\": \"c\"}"), AT("54", "the key is there already")},
    {"{\"driver_features\": {}, \"driver_features\": {}}", AT("25", "the key is there already")},
    {"", AT("1", "it ends too early")},
    {"nul", AT("4", "it ends too early")},
    {"{\"\xC3\x28\": 1}", AT("3", "it is not UTF-8")},
    {"{\"a\": \"\n\"}", AT("8", "it is malformed")},
    {"{\"a\": [1,]}", AT("10", "it is malformed")},
    {"{\"a\": \"\\ud800x\"}", AT("14", "it is malformed")},
    {CONNECTION("\"port\": 9223372036854775808"), AT("32", "the number is out of range")},
    {CONNECTION("\"timeout\": 1e999"), AT("35", "the number is out of range")},
    {CONNECTION("\"min_size\": 99999999999999999999"), AT("36", "the number is out of range")},
    {CONNECTION("\"hots\": null"), AT("24", "unknown key; did you mean host?")},
    {"{\"connection_config\": 5}", AT("2", "connection_config must be an object")},
    {"{\"driver_features\": \"\"}", AT("2", "driver_features must be an object")},
    {"{\"pool\": {}}", AT("2", "unknown key; a document has connection_config and driver_features")},
    {CONNECTION("\"hots\": \"h\""), AT("24", "unknown key; did you mean host?")},
    {CONNECTION("\"zzzzzzzzzz\": \"h\""), AT("24", "unknown key")},
    {CONNECTION("\"host\": 5"), AT("24", "host must be a string")},
    {CONNECTION("\"host\": {}"), AT("24", "host must be a string")},
    {CONNECTION("\"user\": [\"u\"]"), AT("24", "user must be a string")},
    {CONNECTION("\"password\": true"), AT("24", "password must be a string")},
    {CONNECTION("\"port\": 5.5"), AT("24", "port must be a whole number, or a string")},
    {CONNECTION("\"port\": true"), AT("24", "port must be a whole number, or a string")},
    {CONNECTION("\"dsn\": 5"), AT("24", "dsn must be a string")},
    {CONNECTION("\"timeout\": 0"), AT("24", "timeout must be above 0; null is for ever")},
    {CONNECTION("\"timeout\": \"5\""), AT("24", "timeout must be a number")},
    {CONNECTION("\"ssl\": 1"), AT("24", "ssl must be true, false or a word for sslmode")},
    {CONNECTION("\"server_settings\": [\"a\"]"), AT("24", "server_settings must be an object")},
    {CONNECTION("\"server_settings\": {\"a\": \"b\", \"c\": 5}"),
     AT("54", "a value in server_settings must be a string")},
    {CONNECTION("\"extra\": {\"extra\": {}}"), AT("34", "extra cannot stand in extra")},
    {CONNECTION("\"min_size\": -1"), AT("24", "min_size must not be negative")},
    {CONNECTION("\"max_size\": 0"), AT("24", "max_size must be at least 1")},
    {CONNECTION("\"max_size\": 1.5"), AT("24", "max_size must be a whole number")},
    {CONNECTION("\"min_size\": 20, \"max_size\": 10"), AT("24", "min_size is above max_size")},
    {CONNECTION("\"max_size\": 10, \"min_size\": 11"), AT("40", "min_size is above max_size")},
    {CONNECTION("\"sslmode\": true"), AT("24", "sslmode must be a string")},
    {CONNECTION("\"sslmode\": 1"), AT("24", "sslmode must be a string")},
    {CONNECTION("\"channel_binding\": false"), AT("24", "channel_binding must be a string")},
    {CONNECTION("\"ssl\": \"yes\""), AT("24", "ssl must be true, false or a word for sslmode")},
    {CONNECTION("\"ssl\": \"\""), AT("24", "ssl must be true, false or a word for sslmode")},
    {"{\"host\": \"h\"}", AT("2", "it belongs into connection_config")},
    {"{\"database\": \"h\"}", AT("2", "it belongs into connection_config")},
    {"{\"enable_pgvector\": true}", AT("2", "it belongs into driver_features")},
    {CONNECTION("\"max_queries\": true"), AT("24", "max_queries must be a whole number")},
    {CONNECTION("\"statement_cache_size\": 1.5"), AT("24", "statement_cache_size must be a whole number, or a string")},
    {CONNECTION("\"max_cached_statement_lifetime\": true"),
     AT("24", "max_cached_statement_lifetime must be a number, or a string")},
    {CONNECTION("\"command_timeout\": true"), AT("24", "command_timeout must be a number, or a string")},
    {CONNECTION("\"servicefile\": \"/f\""),
     AT("24", "servicefile is not supported: the environment names the file: PGSERVICEFILE")},
    {CONNECTION("\"init\": \"f\""), AT("24", "init is not supported: it is an object of Python")},
    {FEATURE("\"enable_json_codecs\": true"),
     AT("22", "enable_json_codecs is not supported: there are no JSON codecs yet: values are text")},
    {FEATURE("\"enable_cloud_sql\": true"),
     AT("22", "enable_cloud_sql is not supported: there are no connectors for Google Cloud yet")},
    {FEATURE("\"enable_cloud_sql\": 0"), AT("22", "enable_cloud_sql must be true or false")},
    {FEATURE("\"enable_x\": 0"), AT("22", "unknown key")},
    {"{\"connection_config\": {\"user\": [{}, [\"}\", \"\\\"\"], 5], \"hots\": 1}}", AT("24", "user must be a string")},
    {"{\"bind_key\": [{}, [\"}\", \"\\\"\"], 5], \"x\": 1}",
     AT("36", "unknown key; a document has connection_config and driver_features")},
};

START_TEST(what_is_wrong_is_told_by_line_and_column)
{
    tusk_config *config = NULL;
    tusk_error err = {0};

    ck_assert_int_eq(tusk_config_from_json(tusk_str_of(refused[_i].json), &world_allocator, &config, &err),
                     TUSK_ERR_CONFIG);
    ck_assert_ptr_eq(config, NULL);
    ck_assert_str_eq(err.message, refused[_i].message);
    ck_assert_str_eq(err.where, "configuration");
    ck_assert_int_eq(err.fate, TUSK_FATE_NOT_SENT);
    ck_assert_int_eq(world_n_live, 0);
}
END_TEST

START_TEST(what_other_languages_allow_in_a_document_has_a_hint)
{
    static const struct {
        const char *json, *hint;
    } rows[] = {
        {"{\"connection_config\": {\"host\": \"h\",\n }}", "Behind the last element there is no comma in JSON."},
        {"{\"connection_config\": {}, }", "Behind the last element there is no comma in JSON."},
        {"\xEF\xBB\xBF{}", "It begins with a byte order mark, which JSON does not have."},
        {"{\"connection_config\": }", ""},
        {"{,}", ""},
        {"}", ""},
        {"{", ""},
    };

    for (int i = 0; i < N_OF(rows); i++) {
        tusk_config *config = NULL;
        tusk_error err = {0};

        ck_assert_int_eq(tusk_config_from_json(tusk_str_of(rows[i].json), &world_allocator, &config, &err),
                         TUSK_ERR_CONFIG);
        ck_assert_msg(strcmp(err.hint, rows[i].hint) == 0, "%s: %s; %s", rows[i].json, err.message, err.hint);
    }
}
END_TEST

START_TEST(a_value_that_is_refused_later_is_told_by_its_place_too)
{
    tusk_config *config = config_of("{\"connection_config\": {\n\"sslmode\": \"x\"}}");
    tusk__settings *s = NULL;
    tusk_error err = {0};

    ck_assert_int_eq(tusk__settings_read(&world_allocator, &world_sources, config, &s, &err), TUSK_ERR_CONFIG);
    ck_assert_str_eq(err.message, "sslmode must be one of: disable, allow, prefer, require, verify-ca, verify-full");
    ck_assert_str_eq(err.detail, "It comes from line 2, column 1 of the JSON document.");
    tusk_config_free(config);
}
END_TEST

START_TEST(a_connection_string_that_is_refused_is_told_by_its_place_too)
{
    static const char *const documents[] = {"{\"connection_config\": {\n\"dsn\": \"postgresql://h:x/d\"}}",
                                            "{\"connection_config\": {\n\"dsn\": \"host\"}}"};
    tusk_config *config = config_of(documents[_i]);
    tusk_config copy = *config;
    tusk__settings *s = NULL;
    tusk_error err = {0};

    ck_assert_int_eq(tusk__settings_read(&world_allocator, &world_sources, config, &s, &err), TUSK_ERR_CONFIG);
    ck_assert_str_eq(err.detail, "It comes from line 2, column 1 of the JSON document.");
    copy.dsn = "port=x"; /* the program's own */
    err = (tusk_error){0};
    ck_assert_int_eq(tusk__settings_read(&world_allocator, &world_sources, &copy, &s, &err), TUSK_ERR_CONFIG);
    ck_assert_str_eq(err.detail, "");
    tusk_config_free(config);
}
END_TEST

/* D20: a document is no program. */
START_TEST(d20_document_cannot_name_a_key_log)
{
    tusk_config *config = config_of("{\"connection_config\": {\"sslkeylogfile\": \"/k\"}}");
    tusk__settings *s = NULL;
    tusk_error err = {0};

    ck_assert_int_eq(tusk__settings_read(&world_allocator, &world_sources, config, &s, &err), TUSK_ERR_CONFIG);
    ck_assert_str_eq(err.message, "sslkeylogfile is not supported: what configures a connection must not make it write "
                                  "its keys to a file");
    tusk_config_free(config);
}
END_TEST

/* Every parameter of libpq is a key, too. */
START_TEST(every_parameter_is_a_key)
{
    for (size_t i = 0; i < TUSK__N_PARAMS; i++) {
        char json[128];
        tusk_config *config;
        tusk__origin origin = {0};

        snprintf(json, sizeof json, "{\"connection_config\": {\"%s\": \"x\"}}", tusk__params[i].name);
        config = config_of(json);
        ck_assert_str_eq(tusk__document_text(config->document, i, NULL, &origin) ? "x"
                         : tusk__params[i].config_offset != TUSK__NO_FIELD       ? "x"
                                                                                 : "",
                         "x");
        tusk_config_free(config);
    }
}
END_TEST

/* ---- secrets (D31) ---------------------------------------------------------------------------------------------------------- */

static const char secret[] = "s3cr3t-Zq7";

START_TEST(d31_a_secret_anywhere_is_in_no_error)
{
    static const char carrier[] =
        "{\"connection_config\": {\"host\": \"h\", \"port\": 5, \"server_settings\": {\"a\": \"b\"}}, "
        "\"driver_features\": {\"enable_pgvector\": false}}";
    static const char *const around[] = {"", "\"", "\":\"", "{\"", "\\u0000", ",\"", "}"};
    char json[512];

    world_must_be_wiped = secret;
    for (size_t at = 0; at < sizeof carrier; at++)
        for (int i = 0; i < N_OF(around); i++)
            for (int k = 0; k < N_OF(around); k++) {
                tusk_config *config = NULL;
                tusk_error err = {0};
                tusk__settings *s = NULL;

                snprintf(json, sizeof json, "%.*s%s%s%s%s", (int)at, carrier, around[i], secret, around[k],
                         carrier + at);
                if (tusk_config_from_json(tusk_str_of(json), &world_allocator, &config, &err) == TUSK_OK &&
                    tusk__settings_read(&world_allocator, &world_sources, config, &s, &err) == TUSK_OK)
                    tusk__settings_unref(s);
                tusk_config_free(config);
                ck_assert_msg(!strstr(err.message, secret) && !strstr(err.detail, secret) && !strstr(err.hint, secret),
                              "%s", json);
            }
    world_must_be_wiped = NULL;
    ck_assert_int_eq(world_n_live, 0);
}
END_TEST

START_TEST(d31_secret_values_are_not_described)
{
    tusk_config *config = config_of(CONNECTION("\"password\": \"s3cr3t-Zq7\", \"dsn\": \"password=s3cr3t-Zq7\""));

    world_must_be_wiped = secret;
    ck_assert_ptr_eq(strstr(described(config), secret), NULL);
    tusk_config_free(config);
    world_must_be_wiped = NULL;
    for (size_t i = 0; i < TUSK__N_PARAMS; i++) {
        char json[128];
        tusk__settings *s = NULL;
        tusk_error err = {0};

        if (!tusk__params[i].is_secret)
            continue;
        snprintf(json, sizeof json, "{\"connection_config\": {\"%s\": \"%s\", \"port\": \"x\"}}", tusk__params[i].name,
                 secret);
        config = config_of(json);
        ck_assert_int_eq(tusk__settings_read(&world_allocator, &world_sources, config, &s, &err), TUSK_ERR_CONFIG);
        ck_assert(!strstr(err.message, secret) && !strstr(err.detail, secret));
        tusk_config_free(config);
    }
}
END_TEST

/* ---- bounds ------------------------------------------------------------------------------------------------------------------- */

static size_t put(char *to, const char *text, int number)
{
    char *begin = to;

    for (; *text; text++)
        to += snprintf(to, 12, *text == '#' ? "%d" : "%c", *text == '#' ? number : *text);
    return (size_t)(to - begin);
}

/* `head`, n times `item`, n times `closing`, `tail`; # is a number. */
static const char *repeated(const char *head, const char *item, const char *closing, int n, const char *tail)
{
    static char json[65536];
    size_t len = put(json, head, 0);

    for (int i = 0; i < 2 * n; i++)
        len += put(json + len, i < n ? item : closing, i);
    put(json + len, tail, 0);
    return json;
}

static const struct {
    const char *head, *item, *closing, *tail;
    int n_max;
    const char *message;
} bounds[] = {
    {"{\"bind_key\": ", "[", "]", "}", 63, AT("77", "it is nested too deeply")},
    {CONNECTION_HEAD "\"server_settings\": {", "\"a#\": \"\", ", "", "\"z\": \"\"}}}", 2499,
     "server_settings has more members than a StartupMessage holds"},
};

START_TEST(depth_and_settings_are_bounded)
{
    for (int more = 0; more < 2; more++) {
        const char *json =
            repeated(bounds[_i].head, bounds[_i].item, bounds[_i].closing, bounds[_i].n_max + more, bounds[_i].tail);
        tusk_config *config = NULL;
        tusk_error err = {0};

        ck_assert_int_eq(tusk_config_from_json(tusk_str_of(json), &world_allocator, &config, &err),
                         more ? TUSK_ERR_CONFIG : TUSK_OK);
        ck_assert_msg(!more || strstr(err.message, bounds[_i].message), "%s", err.message);
        tusk_config_free(config);
    }
}
END_TEST

START_TEST(the_one_allocation_may_fail)
{
    tusk_config *config = NULL;
    tusk_error err = {0};

    world_n_mallocs = 0;
    world_fail_at = 1;
    ck_assert_int_eq(
        tusk_config_from_json(tusk_str_of(CONNECTION("\"password\": \"p\"")), &world_allocator, &config, &err),
        TUSK_ERR_NOMEM);
    world_fail_at = 0;
    ck_assert_ptr_eq(config, NULL);
    ck_assert_int_eq(world_n_mallocs, 1);
    ck_assert_int_eq(world_n_live, 0);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("config_json");
    TCase *tcase = tcase_create("documents");

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, documents_come_to_this, 0, N_OF(taken));
    tcase_add_test(tcase, fields_may_be_changed_and_then_are_the_programs);
    tcase_add_loop_test(tcase, what_is_wrong_is_told_by_line_and_column, 0, N_OF(refused));
    tcase_add_test(tcase, what_other_languages_allow_in_a_document_has_a_hint);
    tcase_add_test(tcase, a_value_that_is_refused_later_is_told_by_its_place_too);
    tcase_add_loop_test(tcase, a_connection_string_that_is_refused_is_told_by_its_place_too, 0, 2);
    tcase_add_test(tcase, d20_document_cannot_name_a_key_log);
    tcase_add_test(tcase, every_parameter_is_a_key);
    tcase_add_test(tcase, d31_a_secret_anywhere_is_in_no_error);
    tcase_add_test(tcase, d31_secret_values_are_not_described);
    tcase_add_loop_test(tcase, depth_and_settings_are_bounded, 0, N_OF(bounds));
    tcase_add_test(tcase, the_one_allocation_may_fail);
    suite_add_tcase(suite, tcase);
    return suite;
}
