/* A configuration as it is at this moment, for whoever reads it later and elsewhere: the struct with its texts, what a JSON document
 * keeps beside them, and the variables of the environment that count.
 * It judges nothing.
 * Read first: lib/gather.h, lib/reading.h. */
#ifndef TUSK_LIB_CONFIG_COPY_H
#define TUSK_LIB_CONFIG_COPY_H

#include <tusk/config.h>

#include "lib/sources.h"

typedef struct tusk__config_copy tusk__config_copy;

/* NULL: out of memory. The copy knows neither the original nor the allocator: any thread may free it, with the same one. */
tusk__config_copy *tusk__config_copy_new(const tusk_allocator *allocator, const tusk__sources *sources,
                                         const tusk_config *config);
void tusk__config_copy_free(tusk__config_copy *copy, const tusk_allocator *allocator); /* wipes it; NULL is fine */

const tusk_config *tusk__config_copy_config(const tusk__config_copy *copy);
/* What it was copied from as far as variables go; its files are read when they are asked for. */
const tusk__sources *tusk__config_copy_sources(const tusk__config_copy *copy);

#endif
