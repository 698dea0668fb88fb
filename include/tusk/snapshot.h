/* pg_snapshot and txid_snapshot: which transactions a moment saw, as a view of the wire.
 * Read first: docs/types.md, "pg_snapshot, txid_snapshot". */
#ifndef TUSK_SNAPSHOT_H
#define TUSK_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One snapshot, checked. It borrows the row's bytes. */
typedef struct tusk_snapshot_view {
    const unsigned char *wire; /* the binary format as a whole; NULL: none (SQL NULL) */
    uint64_t xmin, xmax;       /* all below xmin have ended, none from xmax on had begun */
    uint32_t n_xips;           /* of those between, so many were running */
} tusk_snapshot_view;

/** Transaction i < n_xips that was running; they ascend. */
static inline uint64_t tusk_snapshot_xip(tusk_snapshot_view snapshot, uint32_t i)
{
    const unsigned char *p = snapshot.wire + 20 + 8 * (size_t)i;
    uint64_t xip = 0;
    for (int k = 0; k < 8; k++)
        xip = xip << 8 | p[k];
    return xip;
}

#ifdef __cplusplus
}
#endif

#endif
