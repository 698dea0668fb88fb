/* Fuzz target: password files of any bytes. Input: host, port, database and user, each ended by a NUL, then the file.
 * Holds: no read or write beyond the file; a password lies in it, in one line, and that line is there; and a line made for the key
 * and put behind the file is found if nothing in it fits, with its password.
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

/* Each byte escaped, so that none means anything. */
static char *put_escaped(char *to, tusk_str s, char end)
{
    for (size_t i = 0; i < s.len; i++) {
        *to++ = '\\';
        *to++ = s.ptr[i];
    }
    *to++ = end;
    return to;
}

static bool has_newline(const tusk__passfile_key *key)
{
    const tusk_str *fields[] = {&key->host, &key->port, &key->dbname, &key->user};

    for (int i = 0; i < 4; i++)
        if (fields[i]->len > 0 && memchr(fields[i]->ptr, '\n', fields[i]->len))
            return true;
    return false;
}

static void find_what_is_made(const uint8_t *file, size_t size, const tusk__passfile_key *key)
{
    static const char made[] = "p:\\ #";
    size_t room = size + 2 * (key->host.len + key->port.len + key->dbname.len + key->user.len + sizeof made) + 8;
    char *text = malloc(room), *p = text;
    tusk_str password;
    unsigned line;

    require(text != NULL);
    if (size > 0)
        memcpy(text, file, size);
    p += size;
    *p++ = '\n';
    p = put_escaped(p, key->host, ':');
    p = put_escaped(p, key->port, ':');
    p = put_escaped(p, key->dbname, ':');
    p = put_escaped(p, key->user, ':');
    p = put_escaped(p, tusk_str_of(made), ':');
    require(tusk__passfile_find(text, (size_t)(p - text), key, &password, &line));
    password = tusk__passfile_unescape(password, text);
    require(tusk_str_is(password, made) && line == n_lines((const char *)file, size) + 1);
    free(text);
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
    } else if (!has_newline(&key)) {
        find_what_is_made(data, size, &key);
    }
    free(text);
    return 0;
}
