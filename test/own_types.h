/* A catalogue for tests: types of a database's own as a look-up would have told them.
 * Read first: lib/codec/nested.h. */
#ifndef TUSK_TEST_OWN_TYPES_H
#define TUSK_TEST_OWN_TYPES_H

#include "lib/codec/nested.h"
#include "lib/codec/own.h"

/* 16400 is 0x4010. POS is a domain over int4, CHEER one over MOOD; POINTS are arrays of LABEL, which ';' parts; NOBODYS is not known. */
enum {
    MOOD = 16400,
    POS,
    CHEER,
    MOODS,
    PAIR,
    POSRANGE,
    POSMULTIRANGE,
    PAIRS,
    PAIRPAIR,
    HSTORE,
    GEOMETRY,
    GEOMETRIES,
    LABEL,
    POINTS,
    LTREE,
    VECTORTYPE,
    MUTE, /* has no binary input */
    MUTES,
    MUTERANGE,
    WITHMUTE,
    NOTHING, /* a composite without attributes */
    GOODPAIR, /* a domain */
    WITHALL,
    PAIRRANGE,
    POSES,
    WIDE, /* 40 of int8 */
    NOBODYS,
};

static const tusk_type_attribute pair_attributes[] = {
    {{"a", 1}, TUSK_OID_INT4}, {{"m", 1}, MOOD}, {{"p", 1}, POS}, {{"l", 1}, MOODS}};
static const tusk_type_attribute pairpair_attributes[] = {{{"x", 1}, PAIR}, {{"y", 1}, PAIRS}};
static const tusk_type_attribute withmute_attributes[] = {{{"n", 1}, TUSK_OID_INT4}, {{"c", 1}, MUTE}};
static const tusk_type_attribute withall_attributes[] = {
    {{"geometry", 8}, GEOMETRY}, {{"geometries", 10}, GEOMETRIES}, {{"tree", 4}, LTREE},   {{"vector", 6}, VECTORTYPE},
    {{"pairs", 5}, HSTORE},      {{"best", 4}, GOODPAIR},          {{"price", 5}, TUSK_OID_NUMERIC}};

#define LONG {{"i", 1}, TUSK_OID_INT8}
#define TEN_LONG LONG, LONG, LONG, LONG, LONG, LONG, LONG, LONG, LONG, LONG
static const tusk_type_attribute wide_attributes[] = {TEN_LONG, TEN_LONG, TEN_LONG, TEN_LONG};

#define OWN_TYPE(type, of, ...) {.oid = (type), .kind = (of), .delimiter = ',', .has_binary_input = true, __VA_ARGS__}

static const tusk_type own_types[] = {
    OWN_TYPE(MOOD, TUSK_TYPE_ENUM, .name = {"mood", 4}),
    OWN_TYPE(MOODS, TUSK_TYPE_ARRAY, .element = MOOD),
    OWN_TYPE(PAIR, TUSK_TYPE_COMPOSITE, .name = {"pair", 4}, .attributes = pair_attributes, .n_attributes = 4),
    OWN_TYPE(POSRANGE, TUSK_TYPE_RANGE, .element = POS),
    OWN_TYPE(POSMULTIRANGE, TUSK_TYPE_MULTIRANGE, .element = POSRANGE),
    OWN_TYPE(PAIRS, TUSK_TYPE_ARRAY, .element = PAIR),
    OWN_TYPE(PAIRPAIR, TUSK_TYPE_COMPOSITE, .name = {"pairpair", 8}, .attributes = pairpair_attributes, .n_attributes = 2),
    OWN_TYPE(HSTORE, TUSK_TYPE_BASE, .name = {"hstore", 6}),
    {.oid = GEOMETRY, .kind = TUSK_TYPE_BASE, .name = {"geometry", 8}, .delimiter = ':', .has_binary_input = true},
    OWN_TYPE(GEOMETRIES, TUSK_TYPE_ARRAY, .element = GEOMETRY),
    {.oid = LABEL, .kind = TUSK_TYPE_ENUM, .name = {"label", 5}, .delimiter = ';', .has_binary_input = true},
    OWN_TYPE(POINTS, TUSK_TYPE_ARRAY, .element = LABEL),
    OWN_TYPE(LTREE, TUSK_TYPE_BASE, .name = {"ltree", 5}),
    OWN_TYPE(VECTORTYPE, TUSK_TYPE_BASE, .name = {"vector", 6}),
    {.oid = MUTE, .kind = TUSK_TYPE_BASE, .name = {"citext", 6}, .delimiter = ','},
    OWN_TYPE(MUTES, TUSK_TYPE_ARRAY, .element = MUTE),
    OWN_TYPE(MUTERANGE, TUSK_TYPE_RANGE, .element = MUTE),
    OWN_TYPE(WITHMUTE, TUSK_TYPE_COMPOSITE, .name = {"withmute", 8}, .attributes = withmute_attributes, .n_attributes = 2),
    OWN_TYPE(NOTHING, TUSK_TYPE_COMPOSITE, .name = {"nothing", 7}),
    OWN_TYPE(WITHALL, TUSK_TYPE_COMPOSITE, .name = {"withall", 7}, .attributes = withall_attributes, .n_attributes = 7),
    OWN_TYPE(PAIRRANGE, TUSK_TYPE_RANGE, .element = PAIR),
    OWN_TYPE(POSES, TUSK_TYPE_ARRAY, .element = POS),
    OWN_TYPE(WIDE, TUSK_TYPE_COMPOSITE, .name = {"wide", 4}, .attributes = wide_attributes, .n_attributes = 40),
};

static void find_own(const void *user, uint32_t type, tusk__resolved *out)
{
    (void)user;
    if (type == POS) {
        out->type = TUSK_OID_INT4;
        out->codec = tusk__codec_of(out->type);
        return;
    }
    out->type = type == CHEER ? MOOD : type == GOODPAIR ? PAIR : type;
    for (size_t i = 0; i < sizeof own_types / sizeof *own_types; i++)
        if (own_types[i].oid == out->type) {
            out->own = &own_types[i];
            out->element = own_types[i].element;
            out->codec = tusk__own_codec_of(&own_types[i]);
        }
}

static const tusk__types all_types = {find_own, NULL, NULL};

#endif
