/* Fuzz target: password files of any bytes. Input: host, port, database and user, each ended by a NUL, then the file.
 * Holds: no read or write beyond the file; a password lies in it, in one line, and that line is there.
 * Read first: lib/passfile.h. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/passfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static tusk_str take(const uint8_t **data, size_t *size)
{
    size_t len = strnlen((const char *)*data, *size), used = len < *size ? len + 1 : len;
    tusk_str s = tusk_str_from(*data, len);

    *data += used;
    *size -= used;
    return s;
}

static unsigned n_lines(const char *text, size_t len)
{
    unsigned n = 1;

    for (size_t i = 0; i < len; i++)
        n += text[i] == '\n';
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tusk__passfile_key key = {0};
    tusk_str password;
    unsigned line;
    char *text;

    if (size == 0)
        return 0;
    key.host = take(&data, &size);
    key.port = take(&data, &size);
    key.dbname = take(&data, &size);
    key.user = take(&data, &size);
    text = malloc(size); /* exactly */
    require(text || size == 0);
    if (size > 0)
        memcpy(text, data, size);
    if (size > 0 && tusk__passfile_find(text, size, &key, &password, &line)) {
        require(password.ptr >= text && password.ptr + password.len <= text + size);
        require(memchr(password.ptr, '\n', password.len) == NULL && memchr(password.ptr, '\0', password.len) == NULL);
        require(line >= 1 && line <= n_lines((const char *)data, size));
    }
    free(text);
    return 0;
}
