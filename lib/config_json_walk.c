/* From the outermost object of a JSON document to each of its members.
 * What a member means is lib/config_json_value.c's.
 * Read first: lib/config_json_reader.h. */
#include <assert.h>
#include <limits.h>

#include "lib/config_json_reader.h"
#include "proto/error_set.h"

/* ---- the cursor, over what has been checked ------------------------------------------------------------------------------------------ */

tusk__json_value tusk__json_take_value(tusk__json_cursor *c)
{
    const char *begin = c->p;

    c->depth_max = INT_MAX;
    (void)tusk__json_skip_value(c, 0);
    assert(c->fault == TUSK__JSON_FINE);
    return tusk_str_from(begin, (size_t)(c->p - begin));
}

const char *tusk__json_read_name(tusk__json_reader *r, tusk__json_cursor *c)
{
    tusk_str name = {NULL, 0};

    r->at = c->p;
    c->to = r->out;
    (void)tusk__json_take_name(c, &name);
    assert(name.ptr && name.len < (size_t)(r->room_end - r->out));
    *c->to = '\0';
    return name.ptr;
}

/* ---- members ------------------------------------------------------------------------------------------------------------------------ */

static bool has_type(tusk__json_value value, char type)
{
    char is = tusk__json_type(value);

    return type == '*' || type == is || (type == 'n' && is == 'i');
}

typedef tusk_code member_fn(tusk__json_reader *r, const char *name, tusk__json_value value);

/* Each member of an object that is not null. */
static tusk_code read_members(tusk__json_reader *r, tusk__json_value object, member_fn *read)
{
    tusk__json_cursor c = {.p = object.ptr + 1, .end = object.ptr + object.len};

    for (bool more = tusk__json_enter(&c, '}'); more; more = tusk__json_next(&c, '}')) {
        const char *name = tusk__json_read_name(r, &c);
        tusk__json_value value = tusk__json_take_value(&c);

        if (tusk__json_type(value) != '0')
            TUSK_TRY(read(r, name, value));
    }
    return TUSK_OK;
}

static const tusk__json_key *find(const tusk__json_key *key, const char *name)
{
    while (key->name && strcmp(key->name, name) != 0)
        key++;
    return key->name ? key : NULL;
}

static tusk_code read_extra(tusk__json_reader *r, const char *name, tusk__json_value value);

static tusk_code read_key(tusk__json_reader *r, const tusk__json_key *key, tusk__json_value value)
{
    if (!has_type(value, key->type))
        return tusk__json_refuse_type(r, key->name, key->type);
    return key->use == TUSK__JSON_EXTRA ? read_members(r, value, read_extra) : tusk__json_read_value(r, key, value);
}

static tusk_code read_connection(tusk__json_reader *r, const char *name, tusk__json_value value)
{
    const tusk__json_key *key = find(tusk__connection_keys, name);
    const tusk__param *param = tusk__param_find(tusk_str_of(name));

    if (key)
        return read_key(r, key, value);
    if (!param)
        return tusk__json_refuse_unknown(r, tusk_str_of(name));
    return tusk__json_read_param(r, param->name, param, value);
}

static tusk_code read_extra(tusk__json_reader *r, const char *name, tusk__json_value value)
{
    const tusk__json_key *key = find(tusk__connection_keys, name);

    if (key && key->use == TUSK__JSON_EXTRA)
        return tusk__json_refuse(r, "extra", "cannot stand in extra");
    return read_connection(r, name, value);
}

static tusk_code read_feature(tusk__json_reader *r, const char *name, tusk__json_value value)
{
    const tusk__json_key *key = find(tusk__feature_keys, name);

    return key ? read_key(r, key, value) : tusk__json_refuse(r, "", "unknown key");
}

/* What belongs one level down. */
static const char *section_of(const char *name)
{
    if (find(tusk__connection_keys, name) || tusk__param_find(tusk_str_of(name)))
        return "it belongs into connection_config";
    return find(tusk__feature_keys, name) ? "it belongs into driver_features" : NULL;
}

static tusk_code read_section(tusk__json_reader *r, const char *name, tusk__json_value value)
{
    bool is_connection = strcmp(name, "connection_config") == 0, is_features = strcmp(name, "driver_features") == 0;

    for (size_t i = 0; tusk__python_sections[i]; i++)
        if (strcmp(tusk__python_sections[i], name) == 0)
            return TUSK_OK;
    if (!is_connection && !is_features && section_of(name))
        return tusk__json_refuse(r, "", section_of(name));
    if (!is_connection && !is_features)
        return tusk__json_refuse(r, "", "unknown key; a document has connection_config and driver_features");
    if (tusk__json_type(value) != 'o')
        return tusk__json_refuse(r, is_connection ? "connection_config" : "driver_features", "must be an object");
    return read_members(r, value, is_connection ? read_connection : read_feature);
}

/* As asyncpg's pool. */
static tusk_code check_sizes(const tusk__json_reader *r)
{
    size_t least = (size_t)(find(tusk__connection_keys, "min_size") - tusk__connection_keys);
    size_t most = (size_t)(find(tusk__connection_keys, "max_size") - tusk__connection_keys);
    const tusk_config_document *d = &r->b->document;
    tusk__origin at = d->kept_origin[least];

    if (at.line == 0 || d->kept_origin[most].line == 0 || d->kept[least] <= d->kept[most])
        return TUSK_OK;
    return tusk__error_set(r->err, TUSK_ERR_CONFIG, NULL,
                           "line %u, column %u of the JSON document: min_size is above max_size", at.line, at.column);
}

tusk_code tusk__json_walk(tusk__json_reader *r, tusk__json_value root)
{
    if (tusk__json_type(root) != 'o')
        return tusk__error_set(r->err, TUSK_ERR_CONFIG, NULL,
                               "line 1, column 1 of the JSON document: it must be an object");
    TUSK_TRY(read_members(r, root, read_section));
    return check_sizes(r);
}
