/* From the outermost object of a JSON document to each of its members.
 * What a member means is lib/config_json_value.c's.
 * Read first: lib/config_json_reader.h. */
#include "lib/config_json_reader.h"
#include "proto/error_set.h"

/* Has a member of this name come between `first`, behind the bracket, and the one at hand? */
static bool is_repeated(const tusk__json_reader *r, tusk__json first, tusk_str name)
{
    bool is_first = true;

    while (tusk__json_more(&first, '{', &is_first) && first.p < r->member) {
        if (tusk__json_text_is(&first, name))
            return true;
        (void)tusk__json_colon(&first);
        (void)tusk__json_skip(&first);
    }
    return false;
}

/* Names lie where the next text goes, and stay there only if whoever reads the value wants that. */
tusk_code tusk__json_members(tusk__json_reader *r, tusk__json_member_fn *read)
{
    bool is_first = true;
    tusk__json first;
    tusk_str name;

    (void)tusk__json_open(&r->json, '{');
    first = r->json;
    while (tusk__json_more(&r->json, '{', &is_first)) {
        r->member = r->json.p;
        (void)tusk__json_text(&r->json, r->out, &name);
        (void)tusk__json_colon(&r->json);
        if (is_repeated(r, first, name))
            return tusk__json_refuse(r, "", "the key is there already");
        TUSK_TRY(read(r, name));
    }
    return TUSK_OK;
}

static bool is_null(const tusk__json_reader *r)
{
    return tusk__json_type(&r->json) == 'n';
}

static tusk_code pass_over(tusk__json_reader *r)
{
    (void)tusk__json_skip(&r->json);
    return TUSK_OK;
}

static bool is_whole(tusk__json json)
{
    tusk__json_number number;

    return tusk__json_type(&json) == '0' && (!tusk__json_number_take(&json, &number) || number.is_whole);
}

static bool has_type(const tusk__json_reader *r, char type)
{
    char is = tusk__json_type(&r->json);

    switch (type) {
    case 's':
        return is == '"';
    case 'b':
        return is == 't' || is == 'f';
    case 'i':
        return is_whole(r->json);
    case 'n':
        return is == '0';
    case 'o':
        return is == '{';
    default:
        return true;
    }
}

static tusk_code read_connection(tusk__json_reader *r, tusk_str name);

static tusk_code read_extra(tusk__json_reader *r)
{
    if (r->json.depth > 2)
        return tusk__json_refuse(r, "extra", "cannot stand in extra");
    return tusk__json_members(r, read_connection);
}

static const tusk__json_key *find(const tusk__json_key *key, tusk_str name)
{
    while (key->name && !tusk_str_is(name, key->name))
        key++;
    return key->name ? key : NULL;
}

static tusk_code read_key(tusk__json_reader *r, const tusk__json_key *key)
{
    if (is_null(r))
        return pass_over(r);
    if (!has_type(r, key->type))
        return tusk__json_refuse_type(r, key->name, key->type);
    return key->use == TUSK__JSON_EXTRA ? read_extra(r) : tusk__json_read_value(r, key);
}

static tusk_code read_connection(tusk__json_reader *r, tusk_str name)
{
    const tusk__json_key *key = find(tusk__connection_keys, name);
    const tusk__param *param = tusk__param_find(name);

    if (key)
        return read_key(r, key);
    if (!param)
        return tusk__json_refuse_unknown(r, name);
    return is_null(r) ? pass_over(r) : tusk__json_read_param(r, param->name, param);
}

static tusk_code read_feature(tusk__json_reader *r, tusk_str name)
{
    const tusk__json_key *key = find(tusk__feature_keys, name);

    return key ? read_key(r, key) : tusk__json_refuse(r, "", "unknown key");
}

/* What belongs one level down. */
static const char *section_of(tusk_str name)
{
    if (find(tusk__connection_keys, name) || tusk__param_find(name))
        return "it belongs into connection_config";
    return find(tusk__feature_keys, name) ? "it belongs into driver_features" : NULL;
}

static tusk_code read_section(tusk__json_reader *r, tusk_str name)
{
    bool is_connection = tusk_str_is(name, "connection_config"), is_features = tusk_str_is(name, "driver_features");

    for (size_t i = 0; tusk__python_sections[i]; i++)
        if (tusk_str_is(name, tusk__python_sections[i]))
            return pass_over(r);
    if (!is_connection && !is_features && section_of(name))
        return tusk__json_refuse(r, "", section_of(name));
    if (!is_connection && !is_features)
        return tusk__json_refuse(r, "", "unknown key; a document has connection_config and driver_features");
    if (is_null(r))
        return pass_over(r);
    if (!has_type(r, 'o'))
        return tusk__json_refuse(r, is_connection ? "connection_config" : "driver_features", "must be an object");
    return tusk__json_members(r, is_connection ? read_connection : read_feature);
}

/* As asyncpg's pool. */
static tusk_code check_sizes(const tusk__json_reader *r)
{
    size_t least = (size_t)(find(tusk__connection_keys, tusk_str_of("min_size")) - tusk__connection_keys);
    size_t most = (size_t)(find(tusk__connection_keys, tusk_str_of("max_size")) - tusk__connection_keys);
    const tusk_config_document *d = &r->b->document;
    tusk__origin at = d->kept_origin[least];

    if (at.line == 0 || d->kept_origin[most].line == 0 || d->kept[least] <= d->kept[most])
        return TUSK_OK;
    return tusk__error_set(r->err, TUSK_ERR_CONFIG, NULL,
                           "line %u, column %u of the JSON document: min_size is above max_size", at.line, at.column);
}

tusk_code tusk__json_walk(tusk__json_reader *r)
{
    if (!has_type(r, 'o'))
        return tusk__error_set(r->err, TUSK_ERR_CONFIG, NULL,
                               "line 1, column 1 of the JSON document: it must be an object");
    TUSK_TRY(tusk__json_members(r, read_section));
    return check_sizes(r);
}
