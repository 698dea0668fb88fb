/* A JSON document while it becomes a tusk_config: what the files that read it share.
 * Read first: lib/config_json.c. */
#ifndef TUSK_LIB_CONFIG_JSON_READER_H
#define TUSK_LIB_CONFIG_JSON_READER_H

#include "lib/config_json.h"
#include "lib/json.h"

struct tusk_config_document {
    tusk_allocator allocator;
    size_t size; /* of the block */

    const char *text[TUSK__N_PARAMS];
    tusk__origin origin[TUSK__N_PARAMS];
    const char *dsn;
    tusk__origin dsn_origin;
    double timeout; /* connect_timeout of the struct; 0: not given */
    const char *const *server_settings;
    tusk__origin timeout_origin, settings_origin;
    double kept[TUSK__JSON_KEPT_MAX];
    tusk__origin kept_origin[TUSK__JSON_KEPT_MAX]; /* line 0: not given */
};

/* What tusk_config_from_json() makes: the texts lie behind it. */
typedef struct tusk__json_block {
    tusk_config config; /* first: tusk_config_free() gets its address */
    tusk_config_document document;
} tusk__json_block;

/* A document while it is read. It is known to be JSON: what can still go wrong at the cursor is a number out of range. */
typedef struct tusk__json_reader {
    tusk_str document;
    tusk__json json; /* in it */
    const char *member; /* the name of the member at hand */
    tusk__json_block *b;
    const char **pairs, **pairs_end; /* where the next pair of server_settings goes */
    char *out, *room_end;
    tusk_error *err;
} tusk__json_reader;

/* Each member of the object at hand: the cursor stands at its value, which `read` takes; the name is valid until it does. */
typedef tusk_code tusk__json_member_fn(tusk__json_reader *r, tusk_str name);
TUSK_MUST_CHECK
tusk_code tusk__json_members(tusk__json_reader *r, tusk__json_member_fn *read);

/* config_json_walk.c: the whole document. */
TUSK_MUST_CHECK
tusk_code tusk__json_walk(tusk__json_reader *r);

/* config_json_value.c: the value at hand, by a parameter of libpq or by a key of the lists; EXTRA is the walk's. */
TUSK_MUST_CHECK
tusk_code tusk__json_read_param(tusk__json_reader *r, const char *name, const tusk__param *param);
TUSK_MUST_CHECK
tusk_code tusk__json_read_value(tusk__json_reader *r, const tusk__json_key *key);

/* config_json_refuse.c: the place and known names, never what the document holds (D31). Each returns the code. */
tusk__origin tusk__json_place_of(const tusk__json_reader *r);
tusk_code tusk__json_refuse(const tusk__json_reader *r, const char *name, const char *what);
tusk_code tusk__json_refuse_type(const tusk__json_reader *r, const char *name, char type);
tusk_code tusk__json_refuse_unknown(const tusk__json_reader *r, tusk_str name);
tusk_code tusk__json_refuse_document(const tusk__json_reader *r); /* the cursor says why */

#endif
