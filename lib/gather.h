/* All sources of a configuration, read in libpq's order and laid over each other: what is left is text, with its origins.
 * It judges nothing (lib/apply.c) and stores nothing (lib/settings.c).
 * Read first: docs/internals/config.md, lib/config_table.h. */
#ifndef TUSK_LIB_GATHER_H
#define TUSK_LIB_GATHER_H

#include <limits.h>

#include <tusk/config.h>

#include "lib/config_table.h"
#include "lib/settings.h"

#define TUSK__N_ENV_SETTINGS 3

/* One host of the list, in words. */
typedef struct tusk__host_texts {
    tusk_str host, hostaddr; /* one of them is there */
    tusk_str port;
    tusk_str password;         /* what was given for all, or this host's of the password file */
    bool password_has_escapes; /* it lies in the password file as it is written there */
    unsigned password_line;    /* in the password file; 0: it is not from there */
} tusk__host_texts;

typedef struct tusk__gathered {
    tusk__param_values values; /* complete: defaults, too. Views into what is below, the caller's strings or the environment */
    tusk__host_texts *hosts;   /* at least one */
    size_t n_hosts;
    tusk__startup_param env_settings[TUSK__N_ENV_SETTINGS]; /* by tusk__env_settings; value.ptr NULL: none */
    tusk__origin server_settings_origin;
    tusk_str system_roots_file, system_roots_folders; /* read if sslrootcert is "system" */
    char *dsn_room;
    size_t dsn_room_size;
    tusk__file service_file, passfile;
    const tusk_allocator *allocator;
    bool is_unfinished; /* the password file, or the number of requirepeer's account, is still to be looked up */

    /* Texts; empty: none. Last, and not zeroed but at their beginning: they are nine tenths of the struct. */
    char home[PATH_MAX];
    char warning[512]; /* for the log */
    char password_origin[512]; /* in words, without the line of the password file; empty too if it is the program's own */
    char user_name[TUSK__USER_NAME_SIZE];
    char timeout[32]; /* tusk_config.connect_timeout in words */
    char cache_size[16], cache_lifetime[32], cacheable_size[16]; /* tusk_config.statement_cache_size … in words */
    char command_timeout[32];
    char service_path[PATH_MAX], passfile_path[PATH_MAX];
} tusk__gathered;

/* *out is to be cleared also after an error. TUSK_AGAIN: from sources that never wait nothing more can be said. */
TUSK_MUST_CHECK
tusk_code tusk__gather(const tusk_allocator *allocator, const tusk__sources *sources, const tusk_config *config,
                       tusk__gathered *out, tusk_error *err);
/* Settings of what was gathered: judged, and independent of it. lib/settings.c */
TUSK_MUST_CHECK
tusk_code tusk__settings_build(const tusk_allocator *allocator, const tusk__gathered *g, const tusk_config *config,
                               tusk__settings **out, tusk_error *err);

void tusk__gathered_clear(tusk__gathered *g); /* wipes what may hold a secret */

/* "environment variable PGPORT", "line 3 of the service file /etc/x" … in buf. */
void tusk__origin_print(const tusk__origin *origin, char *buf, size_t size);
/* Where a value comes from that is refused, as the detail of err. */
void tusk__origin_explain(const tusk_config *config, const tusk__origin *origin, tusk_error *err);

#endif
