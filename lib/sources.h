/* What a configuration is read from beside the caller's own words: environment, files, and what the system says of the user.
 * The seam for tests, which must not touch the process's environment.
 * Read first: docs/config.md, "Where values come from". */
#ifndef TUSK_LIB_SOURCES_H
#define TUSK_LIB_SOURCES_H

#include <stdbool.h>
#include <stdint.h>

#include <tusk/alloc.h>
#include <tusk/str.h>

typedef struct tusk__sources {
    void *user; /* first argument of every call */
    const char *(*variable)(void *user, const char *name); /* getenv(): NULL if it is not set */
    bool (*has_any)(void *user, const char *prefix); /* is one set whose name begins so? NULL: perhaps */
    const char *socket_folder; /* the default host, if that folder exists */
    const char *system_folder; /* of pg_service.conf, if PGSYSCONFDIR is not set */
    bool never_waits; /* files and the user database are left alone: who needs one of them is told TUSK_AGAIN */
} tusk__sources;

/* The process's environment, and the folders of the distribution. Static. */
const tusk__sources *tusk__sources_process(void);
/* The same, as far as no disk and no directory service is asked. Static. */
const tusk__sources *tusk__sources_at_hand(void);

#define TUSK__USER_NAME_SIZE 256 /* LOGIN_NAME_MAX of Linux, with its NUL */

/* The system's name of the effective user, and his home folder; either may come out empty. Returns errno, 0 also for nobody. */
int tusk__user_of_process(char name[TUSK__USER_NAME_SIZE], char *home, size_t home_size);

/* The number of an account of this machine, -1 if there is none of that name. */
int64_t tusk__account_number(const char *name);

bool tusk__is_folder(const char *path);
bool tusk__is_there(const char *path); /* as far as this process may look */

/* A whole file in memory, with a NUL behind it. */
typedef struct tusk__file {
    char *text; /* NULL: nothing was read */
    size_t len;
    const tusk_allocator *allocator;
} tusk__file;

typedef enum tusk__file_result {
    TUSK__FILE_READ,
    TUSK__FILE_ABSENT,     /* or not readable: *os says why */
    TUSK__FILE_NOT_PLAIN,  /* a folder, pipe, device … */
    TUSK__FILE_NOT_SECRET, /* others than its owner may do something to it, and it must be secret */
    TUSK__FILE_TOO_LONG,
    TUSK__FILE_NO_MEMORY
} tusk__file_result;

/* Who else than its owner may have access. A key may be readable by its group if root owns it, as in libpq: so a program that is no
 * user's can be let to it. */
typedef enum tusk__file_secrecy { TUSK__FILE_OPEN, TUSK__FILE_SECRET, TUSK__FILE_KEY } tusk__file_secrecy;

/* Never waits, whatever the path names. *out is to be cleared even if it was not read. */
tusk__file_result tusk__file_read(const tusk_allocator *allocator, const char *path, size_t max, tusk__file_secrecy secrecy,
                                  tusk__file *out, int *os);
void tusk__file_clear(tusk__file *file); /* wipes it */

/* Why a file cannot be opened, in words. */
const char *tusk__file_reason(int os);

#endif
