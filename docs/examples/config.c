/* What a configuration comes to, and where each value of it is from; then a connection made with it.
 * Usage: config "postgresql://user@host/dbname?sslmode=verify-full", or config file.json, or config without anything: then the
 * environment says it all (PGHOST, PGUSER …). */
#include <stdio.h>

#include <tusk/tusk.h>

static int complain(const tusk_error *err)
{
    char text[1024];

    tusk_error_format(err, text, sizeof text);
    fprintf(stderr, "%s\n", text);
    return 1;
}

/* One and the same document serves SQLSpec's asyncpg adapter. */
static tusk_config *read_document(const char *path, tusk_error *err)
{
    static char json[65536];
    FILE *file = fopen(path, "r");
    tusk_config *config = NULL;

    size_t len;

    if (!file) {
        perror(path);
        return NULL;
    }
    len = fread(json, 1, sizeof json, file);
    fclose(file);
    if (tusk_config_from_json((tusk_str){json, len}, NULL, &config, err) != TUSK_OK)
        complain(err);
    return config;
}

static int show(const tusk_config *config)
{
    char text[8192];
    tusk_error err = {0};

    if (tusk_config_describe(config, text, sizeof text, &err) == 0)
        return complain(&err);
    printf("%s", text);
    return 0;
}

static int connect_once(const tusk_config *config)
{
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *db = loop ? tusk_conn_open(loop, config) : NULL;
    int status = 1;

    if (db) {
        status = tusk_await_free(tusk_conn_ready(db), NULL) == TUSK_OK ? 0 : complain(tusk_conn_error(db));
        (void)tusk_await_free(tusk_close(db), NULL);
    }
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return status;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    bool is_document = strlen(what) > 5 && strcmp(what + strlen(what) - 5, ".json") == 0;
    tusk_error err = {0};
    tusk_config *document = is_document ? read_document(what, &err) : NULL;
    tusk_config config = document ? *document : (tusk_config){.dsn = what};
    int status;

    if (is_document && !document)
        return 1;
    config.fallback_application_name = "config example"; /* unless somebody says otherwise */
    config.connect_timeout = 10;
    status = show(&config);
    if (status == 0)
        status = connect_once(&config);
    tusk_config_free(document);
    return status;
}
