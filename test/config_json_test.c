/* Tests of lib/config_json: what a document comes to, what is refused and where, that it is never quoted (D31), and that every
 * allocation may fail.
 * Read first: lib/config_json.h. */
#include "lib/config_json.h"
#include "lib/settings.h"
#include "test/config_world.h"
#include "test/harness/harness.h"

#define N_OF(table) (int)(sizeof(table) / sizeof(table)[0])
#define CONNECTION(members) "{\"connection_config\": {" members "}}"
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
    {"{\"connection_config\": {}", AT("24", "it ends too early")},
    {"{} x", AT("4", "something stands behind its end")},
    {"{\"a\" 1}", AT("6", "it is malformed")},
    {"{\n \"connection_config\": {\"host\": h}}", "line 2, column 32 of the JSON document: it is malformed"},
    {CONNECTION("\"host\": \"h\\u0000\""), AT("34", "\\u0000 cannot be")},
    {CONNECTION("\"h\\u0000\": 1"), AT("26", "\\u0000 cannot be")},
    {CONNECTION("\"host\": \"\\ud800x\""), AT("39", "it is malformed")},
    {CONNECTION("\"host\": \"\\ud800\\u0041\""), AT("33", "it is malformed")},
    {CONNECTION("\"host\": \"\\udc00\""), AT("33", "it is malformed")},
    {CONNECTION("\"host\": \"\t\""), AT("33", "it is malformed")},
    {CONNECTION("\"host\": \"\xC0\x80\""), AT("33", "it is not UTF-8")},
    {CONNECTION("\"host\": \xFF"), AT("32", "it is not UTF-8")},
    {CONNECTION("\"port\": 05"), AT("33", "it is malformed")},
    {CONNECTION("\"port\": 9223372036854775808"), AT("24", "port is a number out of range")},
    {CONNECTION("\"timeout\": 1e999"), AT("24", "timeout is a number out of range")},
    {CONNECTION("\"max_cached_statement_lifetime\": 1e999"),
     AT("24", "max_cached_statement_lifetime is a number out of range")},
    {CONNECTION("\"max_size\": 99999999999999999999"), AT("24", "max_size is a number out of range")},
    {CONNECTION("\"host\": \"a\", \"host\": \"b\""), AT("37", "the key is there already")},
    {CONNECTION("\"host\": \"a\", \"\\u0068ost\": \"b\""), AT("37", "the key is there already")},
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
    {CONNECTION("\"command_timeout\": 60"),
     AT("24", "command_timeout is not supported: each request has its own: tusk_request.timeout")},
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

/* ---- allocations --------------------------------------------------------------------------------------------------------------- */

/* A document whose every text is long, escaped, or both. */
static const char long_json[] =
    CONNECTION("\"host\": [\"a-host-whose-name-is-longer-than-sixteen\"], \"password\": "
               "\"a-password-of-\\u0073ixty-four-characters-and-more-as-tokens-are-\\u00e4\\ud83d\\uDE00-0123456789\", "
               "\"server_settings\": {\"a\": \"b-\\u00e4-\\ud83d\\uDE00-\\u20AC\"}");

START_TEST(every_failing_allocation_is_an_error_and_leaks_nothing)
{
    tusk_config *config = NULL;
    tusk_error err = {0};
    tusk_code code = TUSK_ERR_NOMEM;

    for (world_fail_at = 1; code != TUSK_OK; world_fail_at++) {
        err = (tusk_error){0};
        world_n_mallocs = 0;
        code = tusk_config_from_json(tusk_str_of(long_json), &world_allocator, &config, &err);
        if (code == TUSK_OK)
            break;
        ck_assert_int_eq(code, TUSK_ERR_NOMEM);
        ck_assert_int_eq(err.code, TUSK_ERR_NOMEM);
        ck_assert_ptr_eq(config, NULL);
        ck_assert_int_eq(world_n_live, 0);
    }
    ck_assert_int_eq(world_fail_at, 3); /* the names and the block, and nothing that is not the allocator's */
    world_fail_at = 0;
    ck_assert_str_eq(config->host, "a-host-whose-name-is-longer-than-sixteen");
    ck_assert_str_eq(config->password,
                     "a-password-of-sixty-four-characters-and-more-as-tokens-are-\xC3\xA4\xF0\x9F\x98\x80-0123456789");
    ck_assert_str_eq(config->server_settings[1], "b-\xC3\xA4-\xF0\x9F\x98\x80-\xE2\x82\xAC");
    tusk_config_free(config);
}
END_TEST

/* A password of any length comes through whole: none of its characters depends on memory that may be short. */
START_TEST(a_long_document_loses_no_character)
{
    enum { MOST = 70000 };
    static const char before[] = "{\"connection_config\": {\"password\": \"", after[] = "\", \"host\": \"h\"}}";
    char *json = malloc(sizeof before + sizeof after + MOST);

    ck_assert_ptr_nonnull(json);
    for (size_t len = 1; len <= MOST; len = len * 3 / 2 + 1) {
        tusk_config *config;
        tusk_error err = {0};

        memcpy(json, before, sizeof before);
        for (size_t i = 0; i < len; i++)
            json[sizeof before - 1 + i] = (char)('a' + i % 26);
        memcpy(json + sizeof before - 1 + len, after, sizeof after);
        ck_assert_int_eq(tusk_config_from_json(tusk_str_of(json), &world_allocator, &config, &err), TUSK_OK);
        ck_assert_uint_eq(strlen(config->password), len);
        for (size_t i = 0; i < len; i++)
            ck_assert_int_eq(config->password[i], 'a' + (int)(i % 26));
        ck_assert_str_eq(config->host, "h");
        tusk_config_free(config);
    }
    free(json);
    ck_assert_int_eq(world_n_live, 0);
}
END_TEST

/* The block is wiped; beside it no copy is made. */
START_TEST(a_document_leaves_no_secret_behind)
{
    tusk_config *config;

    world_must_be_wiped = "3cr3t-Zq7";
    config = config_of(CONNECTION("\"user\": \"u\", \"password\": \"s3cr3t-Zq7\""));
    ck_assert_str_eq(config->password, secret);
    tusk_config_free(config);
    world_must_be_wiped = NULL;
    ck_assert_int_eq(world_n_live, 0);
}
END_TEST

/* ---- sizes ---------------------------------------------------------------------------------------------------------------------- */

/* "k0", "k1", … in a section that is passed over, and a last name that may be there already. */
static size_t write_members(char *json, size_t size, int n, const char *last)
{
    size_t len = (size_t)snprintf(json, size, "{\"migration_config\": {");

    for (int i = 0; i < n; i++)
        len += (size_t)snprintf(json + len, size - len, "\"k%d\": {\"k\": 1},\n", i);
    len += (size_t)snprintf(json + len, size - len, "\"%s\": 1}}", last);
    ck_assert_uint_lt(len, size);
    return len;
}

/* A hundred thousand names are compared with each other in no time that anybody sees; a square of them would take minutes. */
START_TEST(a_name_given_twice_is_found_among_many)
{
    enum { N = 100000, SIZE = N * 24 };
    static const char *const last[] = {"other", "k77", "\\u006b77"};
    char *json = malloc(SIZE);
    tusk_config *config = NULL;
    tusk_error err = {0};
    size_t len;

    ck_assert_ptr_nonnull(json);
    len = write_members(json, SIZE, N, last[_i]);
    if (_i == 0) {
        ck_assert_int_eq(tusk_config_from_json(tusk_str_from(json, len), NULL, &config, &err), TUSK_OK);
        tusk_config_free(config);
    } else {
        ck_assert_int_eq(tusk_config_from_json(tusk_str_from(json, len), NULL, &config, &err), TUSK_ERR_CONFIG);
        ck_assert_str_eq(err.message, "line 100001, column 1 of the JSON document: the key is there already");
    }
    free(json);
}
END_TEST

START_TEST(depth_has_its_bound)
{
    enum { MOST = 126 }; /* and the section and the document around them */
    static const char begin[] = "{\"bind_key\": [";
    char json[512];

    for (int n = MOST; n <= MOST + 1; n++) {
        tusk_config *config = NULL;
        tusk_error err = {0};
        tusk_code code;
        size_t len = sizeof begin - 1;

        memcpy(json, begin, len);
        memset(json + len, '[', (size_t)n);
        memset(json + len + n, ']', (size_t)n + 1);
        json[len + 2 * (size_t)n + 1] = '}';
        json[len + 2 * (size_t)n + 2] = '\0';
        code = tusk_config_from_json(tusk_str_of(json), &world_allocator, &config, &err);
        ck_assert_int_eq(code, n == MOST ? TUSK_OK : TUSK_ERR_CONFIG);
        if (n > MOST)
            ck_assert_str_eq(err.message, "line 1, column 141 of the JSON document: it is nested too deeply");
        tusk_config_free(config);
    }
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
    tcase_add_test(tcase, a_value_that_is_refused_later_is_told_by_its_place_too);
    tcase_add_loop_test(tcase, a_connection_string_that_is_refused_is_told_by_its_place_too, 0, 2);
    tcase_add_test(tcase, d20_document_cannot_name_a_key_log);
    tcase_add_test(tcase, every_parameter_is_a_key);
    tcase_add_test(tcase, d31_a_secret_anywhere_is_in_no_error);
    tcase_add_test(tcase, d31_secret_values_are_not_described);
    tcase_add_test(tcase, a_document_leaves_no_secret_behind);
    tcase_add_test(tcase, a_long_document_loses_no_character);
    tcase_add_loop_test(tcase, a_name_given_twice_is_found_among_many, 0, 3);
    tcase_add_test(tcase, depth_has_its_bound);
    tcase_add_test(tcase, every_failing_allocation_is_an_error_and_leaks_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
