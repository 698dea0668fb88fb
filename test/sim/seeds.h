/* What every test that plays seeds needs: which seeds, an allocator that counts and spoils, and the name of the seed in which it
 * crashed.
 * Read first: test/sim/world.h, docs/internals/sim.md. */
#ifndef TUSK_TEST_SIM_SEEDS_H
#define TUSK_TEST_SIM_SEEDS_H

#include <stdarg.h>

#include "test/sim/world.h"
#include "tusk/alloc.h"

/* TUSK_SIM_SEED, the only one; 0: all of them. TUSK_SIM_FIRST (1), TUSK_SIM_SEEDS (200). */
uint64_t sim_one_seed(void);
uint64_t sim_first_seed(void);
uint64_t sim_n_seeds(void);

/* Blocks that are out; memory is filled with rubbish when it is handed out and when it is given back. */
extern const tusk_allocator sim_counting;
extern long sim_n_blocks;

/* Fail the test, with the seed and how to play it again. */
__attribute__((format(printf, 3, 0))) void sim_fail(const sim_world *world, uint64_t seed, const char *fmt, va_list args);

/* A crash, which does not end in a failed check, names this seed, and takes its course. */
void sim_name_seed_of_crash(uint64_t seed);

/* Of this seed, only such as cost no connection; of one in eight none. */
sim_faults sim_harmless_faults_of(uint64_t seed);

#endif
