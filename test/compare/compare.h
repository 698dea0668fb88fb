/* Tusk's configuration next to libpq's: what the parts of the comparison share.
 * Read first: test/compare/compare.c. */
#ifndef TUSK_TEST_COMPARE_H
#define TUSK_TEST_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "test/compare/generate.h"

/* ---- libpq in its own process ---------------------------------------------------------------------------------------------- */

void oracle_start(const char *program, const char *libpq);
void oracle_ask(const void *frame, size_t len);
const char *oracle_answer(size_t *len); /* valid until the next */

/* ---- a server that records who comes ----------------------------------------------------------------------------------------- */

#define N_PORTS 3

typedef struct record {
    bool saw_ssl_request, saw_startup;
    char target[64]; /* "127.0.0.1:4711", "/tmp:4711" */
    uint32_t version;
    char startup[2048]; /* name NUL value NUL … */
    size_t startup_len;
    char password[2048];
} record;

/* Listens on 127.0.0.1, 127.0.0.2 and a socket in /tmp, on N_PORTS ports each. */
void recorder_start(uint16_t ports[N_PORTS]);
void recorder_clear(void);
record recorder_record(void);
void recorder_stop(void);

/* ---- the comparisons ------------------------------------------------------------------------------------------------------------- */

/* What is meant to differ, from differences.txt; NULL: nothing. `who` refuses, with that message. */
void differences_read(const char *path);
const char *difference_listed(const char *who, const char *message);
void differences_print(void); /* how often each was seen */

void fail(const char *what); /* prints errno's text and ends */
bool compare_strings(chance *c, long n, const char *const *names, size_t n_names);
bool compare_connections(chance *c, long n);
extern bool is_judged; /* libpq is 18 or newer */

#endif
