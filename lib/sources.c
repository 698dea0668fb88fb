/* The environment, the user and the files that a configuration comes from.
 * It knows no parameter and judges no content.
 * Read first: lib/sources.h. */
#include "lib/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crypto.h"

/* Where Debian's libpq, server and administrator meet. */
#define SOCKET_FOLDER "/var/run/postgresql"
#define SYSTEM_FOLDER "/etc/postgresql-common"

#define PASSWD_ENTRY_MAX 8192

static const char *process_variable(void *user, const char *name)
{
    (void)user;
    return getenv(name);
}

static bool process_has_any(void *user, const char *prefix)
{
    size_t len = strlen(prefix);

    (void)user;
    for (char **entry = environ; entry && *entry; entry++)
        if ((*entry)[0] == prefix[0] && strncmp(*entry, prefix, len) == 0)
            return true;
    return false;
}

const tusk__sources *tusk__sources_process(void)
{
    static const tusk__sources sources = {NULL, process_variable, process_has_any, SOCKET_FOLDER, SYSTEM_FOLDER, false};

    return &sources;
}

const tusk__sources *tusk__sources_at_hand(void)
{
    static const tusk__sources sources = {NULL, process_variable, process_has_any, SOCKET_FOLDER, SYSTEM_FOLDER, true};

    return &sources;
}

static void copy_if_it_fits(char *to, size_t size, const char *text)
{
    size_t len = strlen(text);

    if (len < size)
        memcpy(to, text, len + 1);
}

int tusk__user_of_process(char name[TUSK__USER_NAME_SIZE], char *home, size_t home_size)
{
    char entry[PASSWD_ENTRY_MAX];
    struct passwd pw, *found = NULL;
    int os = getpwuid_r(geteuid(), &pw, entry, sizeof entry, &found);

    name[0] = home[0] = '\0';
    if (found) {
        copy_if_it_fits(name, TUSK__USER_NAME_SIZE, found->pw_name);
        copy_if_it_fits(home, home_size, found->pw_dir ? found->pw_dir : "");
    }
    return os;
}

int64_t tusk__account_number(const char *name)
{
    char entry[PASSWD_ENTRY_MAX];
    struct passwd pw, *found = NULL;

    return getpwnam_r(name, &pw, entry, sizeof entry, &found) == 0 && found ? (int64_t)found->pw_uid : -1;
}

bool tusk__is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool tusk__is_there(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

/* ---- files ---------------------------------------------------------------------------------------------------------------- */

/* As many bytes as the file had when it was opened, or fewer. */
static size_t read_all(int fd, char *to, size_t len)
{
    size_t n = 0;

    while (n < len) {
        ssize_t got = read(fd, to + n, len - n);

        if (got > 0)
            n += (size_t)got;
        else if (got == 0 || errno != EINTR)
            break;
    }
    return n;
}

/* What was opened is judged, not what the path named a moment ago. */
static bool is_secret_enough(const struct stat *st, tusk__file_secrecy secrecy)
{
    mode_t others = S_IRWXG | S_IRWXO;

    if (secrecy == TUSK__FILE_KEY && st->st_uid == 0)
        others = S_IWGRP | S_IXGRP | S_IRWXO;
    return secrecy == TUSK__FILE_OPEN || (st->st_mode & others) == 0;
}

static tusk__file_result read_open(int fd, size_t max, tusk__file_secrecy secrecy, tusk__file *out)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return TUSK__FILE_NOT_PLAIN;
    if (!is_secret_enough(&st, secrecy))
        return TUSK__FILE_NOT_SECRET;
    if (st.st_size < 0 || (uintmax_t)st.st_size > max)
        return TUSK__FILE_TOO_LONG;
    out->text = out->allocator->malloc((size_t)st.st_size + 1, out->allocator->user);
    if (!out->text)
        return TUSK__FILE_NO_MEMORY;
    out->len = read_all(fd, out->text, (size_t)st.st_size);
    memset(out->text + out->len, 0, (size_t)st.st_size + 1 - out->len);
    return TUSK__FILE_READ;
}

tusk__file_result tusk__file_read(const tusk_allocator *allocator, const char *path, size_t max,
                                  tusk__file_secrecy secrecy, tusk__file *out, int *os)
{
    int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a pipe without a writer is no reason to hang */
    tusk__file_result result;

    *out = (tusk__file){.allocator = allocator};
    *os = 0;
    if (fd < 0) {
        *os = errno;
        return TUSK__FILE_ABSENT;
    }
    result = read_open(fd, max, secrecy, out);
    close(fd);
    return result;
}

void tusk__file_clear(tusk__file *file)
{
    if (!file->text)
        return;
    tusk__crypto_openssl()->wipe(file->text, file->len);
    file->allocator->free(file->text, file->allocator->user);
    file->text = NULL;
}

const char *tusk__file_reason(int os)
{
    static const struct {
        int os;
        const char *text;
    } reasons[] = {
        {ENOENT, "there is no such file"},
        {ENOTDIR, "there is no such file"},
        {EACCES, "permission denied"},
        {EPERM, "permission denied"},
        {EISDIR, "it is a folder"},
        {ELOOP, "too many symbolic links"},
        {ENAMETOOLONG, "the path is too long"},
        {EMFILE, "this process has too many open files"},
        {ENFILE, "this machine has too many open files"},
        {EIO, "the disk cannot be read"},
    };

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].os == os)
            return reasons[i].text;
    return "an unexpected error of the system";
}
