/* Fuzz target: service files of any bytes. Input: a byte that says where a secret is put into the file, the name of the service,
 * ended by a NUL, then the file.
 * Holds: no read beyond the file, values lie in it, each with its line, and no error shows the secret (D31).
 * Read first: lib/servicefile.h. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/servicefile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char secret[] = "s3cr3t-Zq7";

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static void read_file(const char *text, size_t len, tusk_str service)
{
    tusk__param_values values = {0};
    tusk_error err = {0};
    bool found;

    if (tusk__servicefile_read(tusk_str_from(text, len), "/f", service, &values, &found, &err) != TUSK_OK) {
        require(err.code == TUSK_ERR_CONFIG && strncmp(err.message, "line ", 5) == 0);
        require(!strstr(err.message, secret) && !strstr(err.detail, secret) && !strstr(err.hint, secret));
    }
    for (size_t i = 0; i < TUSK__N_PARAMS; i++)
        if (values.text[i].ptr) {
            require(found && values.text[i].ptr >= text && values.text[i].ptr + values.text[i].len <= text + len);
            require(values.origin[i].kind == TUSK__FROM_SERVICE_FILE && values.origin[i].line > 1);
            require(memchr(values.text[i].ptr, '\n', values.text[i].len) == NULL);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t name_len, len, at;
    tusk_str service;
    char *text;

    if (size < 2)
        return 0;
    name_len = strnlen((const char *)data + 1, size - 1);
    if (1 + name_len == size)
        return 0;
    service = tusk_str_from(data + 1, name_len);
    len = size - name_len - 2;
    at = data[0] % (len + 1);
    text = malloc(len + sizeof secret - 1); /* exactly */
    require(text != NULL);
    memcpy(text, data + name_len + 2, at);
    memcpy(text + at, secret, sizeof secret - 1);
    memcpy(text + at + sizeof secret - 1, data + name_len + 2 + at, len - at);
    read_file(text, len + sizeof secret - 1, service);
    free(text);
    text = malloc(len);
    require(text || len == 0);
    if (len > 0)
        memcpy(text, data + name_len + 2, len);
    read_file(text ? text : "", len, service); /* and without */
    free(text);
    return 0;
}
