/* Codecs of types without a fixed OID: found by what the catalogue says of the type, not by its OID.
 * Where a type's description is known from, lib/catalog.h says.
 * Read first: lib/codec/codec.h, docs/internals/types-known.md. */
#ifndef TUSK_LIB_CODEC_OWN_H
#define TUSK_LIB_CODEC_OWN_H

#include "lib/codec/codec.h"

/* NULL: its values are raw bytes. Of a domain: NULL, its base decides. */
const tusk__codec *tusk__own_codec_of(const tusk_type *type);

#endif
