/* The keys of SQLSpec's connection_config and driver_features as tables.
 * What becomes of one is lib/config_json_value.c's business.
 * Read first: lib/config_json.h. */
#include <stddef.h>

#include "lib/config_json.h"

#define NO_CLOUD "there are no connectors for Google Cloud yet"
#define PYTHON "it is an object of Python"
#define WITH_CLOUD "counts only beside `enable_cloud_sql` or `enable_alloydb`, which are off"

/* clang-format off */
const tusk__json_key tusk__connection_keys[] = {
    {"min_size", TUSK__JSON_KEPT, 'i', 0, 0, "for a pool"},
    {"max_size", TUSK__JSON_KEPT, 'i', 0, 1, "for a pool"},
    {"max_queries", TUSK__JSON_KEPT, 'i', 0, 1, "for a pool"},
    {"max_inactive_connection_lifetime", TUSK__JSON_KEPT, 'n', 0, 0, "for a pool; seconds, 0 for ever"},
    {"dsn", TUSK__JSON_DSN, 's', 0, 0, "a connection string of either form; the other keys win over it"},
    {"database", TUSK__JSON_PARAM, 's', TUSK__PARAM_DBNAME, 0, "`dbname`"},
    {"timeout", TUSK__JSON_TIMEOUT, 'n', 0, 0, "seconds for all of connecting, above 0; wins over `connect_timeout`"},
    {"ssl", TUSK__JSON_SSL, '*', 0, 0, "a word for `sslmode`; `false` is `disable`, `true` is `verify-full` with "
        "`sslrootcert=system`"},
    {"server_settings", TUSK__JSON_SETTINGS, 'o', 0, 0, "an object of strings, sent with the login"},
    {"extra", TUSK__JSON_EXTRA, 'o', 0, 0, "an object with more of these keys; they win"},
    {"direct_tls", TUSK__JSON_DIRECT_TLS, 'b', 0, 0, "`true` is `sslnegotiation=direct`, `false` is `postgres`"},
    {"servicefile", TUSK__JSON_OFF, 's', 0, 0, "the environment names the file: PGSERVICEFILE"},
    {"loop", TUSK__JSON_OFF, '*', 0, 0, PYTHON},
    {"connection_class", TUSK__JSON_OFF, '*', 0, 0, PYTHON},
    {"record_class", TUSK__JSON_OFF, '*', 0, 0, PYTHON},
    {"connect", TUSK__JSON_OFF, '*', 0, 0, PYTHON},
    {"init", TUSK__JSON_OFF, '*', 0, 0, PYTHON},
    {"setup", TUSK__JSON_OFF, '*', 0, 0, PYTHON},
    {"reset", TUSK__JSON_OFF, '*', 0, 0, PYTHON},
    {NULL, 0, 0, 0, 0, NULL},
};

const tusk__json_key tusk__feature_keys[] = {
    {"enable_json_codecs", TUSK__JSON_OFF, 'b', 0, 0, "there are no JSON codecs yet: values are text"},
    {"json_serializer", TUSK__JSON_OFF, '*', 0, 0, PYTHON},
    {"json_deserializer", TUSK__JSON_OFF, '*', 0, 0, PYTHON},
    {"enable_pgvector", TUSK__JSON_OFF, 'b', 0, 0, "there are no codecs for pgvector yet"},
    {"enable_paradedb", TUSK__JSON_PASSED, 'b', 0, 0, "chooses an SQL dialect in Python"},
    {"enable_events", TUSK__JSON_OFF, 'b', 0, 0, "there are no events yet"},
    {"events_backend", TUSK__JSON_PASSED, 's', 0, 0, "counts only beside `enable_events`, which is off"},
    {"on_connection_create", TUSK__JSON_OFF, '*', 0, 0, PYTHON},
    {"stack_native_disabled", TUSK__JSON_OFF, 'b', 0, 0, "a stack always goes in one round trip"},
    {"enable_cloud_sql", TUSK__JSON_OFF, 'b', 0, 0, NO_CLOUD},
    {"cloud_sql_instance", TUSK__JSON_PASSED, 's', 0, 0, WITH_CLOUD},
    {"cloud_sql_enable_iam_auth", TUSK__JSON_PASSED, 'b', 0, 0, WITH_CLOUD},
    {"cloud_sql_ip_type", TUSK__JSON_PASSED, 's', 0, 0, WITH_CLOUD},
    {"enable_alloydb", TUSK__JSON_OFF, 'b', 0, 0, NO_CLOUD},
    {"alloydb_instance_uri", TUSK__JSON_PASSED, 's', 0, 0, WITH_CLOUD},
    {"enable_alloydb_iam_auth", TUSK__JSON_PASSED, 'b', 0, 0, WITH_CLOUD},
    {"alloydb_enable_iam_auth", TUSK__JSON_PASSED, 'b', 0, 0, WITH_CLOUD},
    {"alloydb_ip_type", TUSK__JSON_PASSED, 's', 0, 0, WITH_CLOUD},
    {NULL, 0, 0, 0, 0, NULL},
};
/* clang-format on */

const char *const tusk__python_sections[] = {"statement_config", "migration_config",     "extension_config",
                                             "bind_key",         "observability_config", NULL};
