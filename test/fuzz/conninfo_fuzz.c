/* Fuzz target: connection strings of any bytes, and the C struct's fields over them. Input: a byte that says where a secret is
 * put into the string, then the string, up to its first NUL.
 * Holds: no crash, no read or write beyond a block; texts lie in their room and end with a NUL; settings that come to be are
 * whole; and no error shows the secret (D31).
 * Read first: lib/conninfo.h, lib/settings.h. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/conninfo.h"
#include "lib/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char secret[] = "s3cr3t-Zq7";

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static void show_no_secret(const tusk_error *err)
{
    require(!strstr(err->where, secret) && !strstr(err->message, secret));
    require(!strstr(err->detail, secret) && !strstr(err->hint, secret));
}

static void read_alone(tusk_str dsn)
{
    size_t room_size = tusk__conninfo_room(dsn);
    char *room = malloc(room_size);
    tusk__param_values values = {0};
    tusk_error err = {0};

    require(room != NULL);
    if (tusk__conninfo_read(dsn, room, &values, &err) != TUSK_OK) {
        require(err.code == TUSK_ERR_CONFIG && err.message[0] != '\0');
        show_no_secret(&err);
    }
    for (size_t i = 0; i < TUSK__N_PARAMS; i++) {
        tusk_str text = values.text[i];

        if (text.ptr) {
            require(text.ptr >= room && text.len < room_size - (size_t)(text.ptr - room));
            require(strlen(text.ptr) == text.len);
        }
    }
    free(room);
}

static void settings_are_whole(const tusk__settings *s)
{
    require(s->host.len > 0 && s->port.len > 0 && s->user.len > 0 && s->dbname.len > 0);
    require(s->n_hosts > 0);
    for (size_t i = 0; i < s->n_hosts; i++) {
        const tusk__host *h = &s->hosts[i];

        require(h->port_number > 0 && strtoul(h->port.ptr, NULL, 10) == h->port_number);
        require(h->host.len > 0 && memchr(h->host.ptr, ',', h->host.len) == NULL);
        require(h->host.ptr[h->host.len] == '\0' && h->password.len == strlen(h->password.ptr));
    }
    require(s->min_protocol <= s->max_protocol && s->attempt_timeout_us != 0);
}

/* No environment, and a home folder and a user, so that the system need not be asked each time. */
static const char *variable(void *user, const char *name)
{
    (void)user;
    return strcmp(name, "HOME") == 0 ? "/nonexistent" : NULL;
}

static const tusk__sources sources = {NULL, variable, NULL, "/nonexistent", "/nonexistent", false};

static void make_settings(const char *dsn)
{
    tusk__settings *s = NULL;
    tusk_error err = {0};

    if (tusk__settings_read(tusk_allocator_default(), &sources, &(tusk_config){.dsn = dsn, .user = "u"}, &s, &err) ==
        TUSK_OK) {
        settings_are_whole(s);
        tusk__settings_unref(s);
    } else {
        show_no_secret(&err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len = size > 0 ? strnlen((const char *)data + 1, size - 1) : 0;
    size_t at = len > 0 ? data[0] % (len + 1) : 0;
    char *dsn = malloc(len + sizeof secret);

    require(dsn != NULL);
    if (len > 0) {
        memcpy(dsn, data + 1, at);
        memcpy(dsn + at + sizeof secret - 1, data + 1 + at, len - at);
    }
    memcpy(dsn + at, secret, sizeof secret - 1);
    dsn[len + sizeof secret - 1] = '\0';
    read_alone(tusk_str_of(dsn));
    make_settings(dsn);
    memmove(dsn + at, dsn + at + sizeof secret - 1, len - at + 1);
    read_alone(tusk_str_of(dsn)); /* and without */
    make_settings(dsn);
    free(dsn);
    return 0;
}
