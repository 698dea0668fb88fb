/* Codecs of types without a fixed OID: found by what the catalogue says of the type, not by its OID; and parameters of such types, whose
 * text goes where the type is not known yet.
 * Where a type's description is known from, lib/catalog.h says.
 * Read first: lib/codec/codec.h, docs/internals/types-known.md. */
#ifndef TUSK_LIB_CODEC_OWN_H
#define TUSK_LIB_CODEC_OWN_H

#include <tusk/hstore.h>
#include <tusk/vector.h>

#include "lib/codec/types.h"

TUSK__CODEC_FUNCTIONS(hstore);
TUSK__CODEC_FUNCTIONS(vector);
TUSK__CODEC_FUNCTIONS(halfvec);
TUSK__CODEC_FUNCTIONS(sparsevec);
TUSK__CODEC_FUNCTIONS(label_tree); /* ltree and its kin */

/* NULL: its values are raw bytes. Of a domain: NULL, its base decides. */
const tusk__codec *tusk__own_codec_of(const tusk_type *type);

/* tusk__param_encode() has said TUSK_AGAIN: a value of a kind that has no OID of its own, or one for a type that has none. type: what the
 * statement wants, 0: nothing is known; codec: that type's, of a domain its base's, NULL: nothing is known; types: who knows its name, NULL: nobody.
 * In binary if that codec writes such values, else as text, which that type's input function reads. */
tusk_code tusk__own_param_encode(tusk__writer *b, const tusk_value *value, uint32_t type, const tusk__codec *codec,
                                 const struct tusk__types *types, uint16_t *format, tusk_error *err);

/* Of the binary format, checked. */
tusk_hstore_view tusk__hstore_view_of(tusk_str wire);
size_t tusk__vector_n(tusk_str wire); /* of a halfvec, too */
void tusk__vector_floats(tusk_str wire, float *out);
void tusk__halfvec_floats(tusk_str wire, float *out);
tusk_sparsevec_view tusk__sparsevec_view_of(tusk_str wire);

/* Of floats as they lie in memory. */
tusk_code tusk__vector_check(tusk_str floats, tusk_error *err);
size_t tusk__vector_print_given(tusk_str floats, char *buf, size_t size);

#endif
