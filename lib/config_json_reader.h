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

/* A document while it is read, which is valid: what its values are is told by their first character. */
typedef struct tusk__json_reader {
    tusk_str json;
    tusk__json_block *b;
    const char **pairs; /* where the next pair of server_settings goes */
    char *out, *room_end;
    const char *at; /* the member at hand */
    tusk_error *err;
} tusk__json_reader;

/* What stands in the document from a value's first character to its last. */
typedef tusk_str tusk__json_value;

/* config_json_walk.c: the whole document. */
TUSK_MUST_CHECK
tusk_code tusk__json_walk(tusk__json_reader *r, tusk__json_value root);

/* Step over a value, a member's name. The name lies where the next text of the block goes, until one is put there. */
tusk__json_value tusk__json_take_value(tusk__json_cursor *c);
const char *tusk__json_read_name(tusk__json_reader *r, tusk__json_cursor *c);

/* config_json_value.c: one member, by a parameter of libpq or by a key of the lists; EXTRA is the walk's. */
TUSK_MUST_CHECK
tusk_code tusk__json_read_param(tusk__json_reader *r, const char *name, const tusk__param *param, tusk__json_value value);
TUSK_MUST_CHECK
tusk_code tusk__json_read_value(tusk__json_reader *r, const tusk__json_key *key, tusk__json_value value);

/* 's' text, 'b' boolean, 'i' whole number, 'n' another number, 'o' object, 'a' array, '0' null. */
char tusk__json_type(tusk__json_value value);

/* config_json_refuse.c: the place and known names, never what the document holds (D31). Each returns the code. */
tusk__origin tusk__json_place_of(const tusk__json_reader *r);
tusk_code tusk__json_refuse(const tusk__json_reader *r, const char *name, const char *what);
tusk_code tusk__json_refuse_type(const tusk__json_reader *r, const char *name, char type);
tusk_code tusk__json_refuse_unknown(const tusk__json_reader *r, tusk_str name);
tusk_code tusk__json_refuse_document(tusk_str json, const tusk__json_cursor *c, tusk_error *err); /* it is no JSON */
tusk_code tusk__json_refuse_twice(tusk_str json, const char *name, tusk_error *err);
tusk_code tusk__json_no_memory(tusk_error *err);

#endif
