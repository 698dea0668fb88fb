/* How much room a text takes at most when it is read: by its type, its length, and how many values may lie in it.
 * It looks at single characters and knows no grammar, so it says too much rather than too little.
 * Read first: lib/codec/from_text.h. */
#include "lib/codec/from_text.h"

/* Bytes that a value takes at most: so many, and so many for each character of its text. */
typedef struct growth {
    size_t fixed, by_character;
} growth;

static growth growth_of_leaf(const tusk__codec *codec)
{
    if (codec->width >= 0)
        return (growth){(size_t)codec->width, 0};
    if (codec->decode == tusk__inet_decode || codec->decode == tusk__cidr_decode)
        return (growth){20, 0};
    if (codec->decode == tusk__numeric_decode)
        return (growth){TUSK_NUMERIC_SIZE(0), 1};
    if (codec->decode == tusk__bits_decode)
        return (growth){TUSK_BITS_SIZE(1), 1};
    if (codec->decode == tusk__path_decode || codec->decode == tusk__polygon_decode)
        return (growth){TUSK_PATH_SIZE(0), 4}; /* (0,0) is a point of 16 bytes */
    if (codec->decode == tusk__snapshot_decode)
        return (growth){20, 4}; /* and 1, a transaction of 8 */
    return (growth){1, 1};
}

/* A range that has bounds has a comma: each of the two takes half of the length word and the flags. A multirange has at least two bounds for its
 * own length word and number of ranges, or nothing else. */
static size_t share_of(const tusk__codec *container)
{
    if (container->decode == tusk__intvector_decode)
        return 4 + 12 + 8;
    if (container->decode == tusk__range_decode)
        return 3;
    return container->decode == tusk__multirange_decode ? 4 : 0;
}

/* Of a value that lies in the type, down to the last, with its length word, and what it takes of what is around it. */
static growth growth_in(uint32_t type)
{
    const tusk__codec *codec = tusk__codec_of(type);
    growth g;

    if (!tusk__container_of(codec)) {
        g = growth_of_leaf(codec);
        g.fixed += 4;
        return g;
    }
    g = growth_in(tusk__type_element(type));
    g.fixed += share_of(codec);
    return g;
}

static bool is_vector(uint32_t type)
{
    return type == TUSK_OID_INT2VECTOR || type == TUSK_OID_OIDVECTOR || type == TUSK_OID_INT2VECTOR_ARRAY ||
           type == TUSK_OID_OIDVECTOR_ARRAY;
}

static bool is_separator(char c, uint32_t type)
{
    if (type == TUSK_OID_BOX_ARRAY)
        return c == ';';
    return c == ',' || (tusk__is_space(c) && is_vector(type));
}

/* Values are one more than what is between them. */
static size_t count_values(uint32_t type, tusk_str text)
{
    size_t n = 1;

    for (size_t i = 0; i < text.len; i++)
        n += is_separator(text.ptr[i], type);
    return n;
}

/* In an array of what is no container, quotes stand around a value, and are not in the way. */
static bool may_be_masked(uint32_t type, tusk_str text)
{
    const tusk__codec *element = tusk__codec_of(tusk__type_element(type));

    if (text.len == 0)
        return false;
    return memchr(text.ptr, '\\', text.len) ||
           (memchr(text.ptr, '"', text.len) && !(tusk__type_is_array(type) && !tusk__container_of(element)));
}

/* The longest header of all, an array's. */
#define HEADER (12 + 8 * TUSK_ARRAY_DIMS_MAX)
#define MOST_BY_CHARACTER (TUSK_FROM_TEXT_SIZE(1) - TUSK_FROM_TEXT_SIZE(0))

static size_t size_of(size_t fixed, growth g, size_t n, size_t len)
{
    size_t values, characters, size = fixed;

    if (!tusk__size_mul(g.fixed, n, &values) || !tusk__size_mul(g.by_character, len, &characters) ||
        !tusk__size_add(size, values, &size) || !tusk__size_add(size, characters, &size))
        return SIZE_MAX;
    return size;
}

/* Of a record's fields, and of an anyarray's elements, the type says nothing. */
static bool is_known(uint32_t type)
{
    return tusk__codec_of(type) && type != TUSK_OID_RECORD && type != TUSK_OID_RECORD_ARRAY &&
           type != TUSK_OID_ANYARRAY;
}

static size_t size_of_container(uint32_t type, tusk_str text)
{
    growth g = growth_in(type);

    g.by_character += may_be_masked(type, text);
    return size_of(HEADER, g, count_values(type, text), text.len);
}

size_t tusk_value_from_text_size(uint32_t type, tusk_str text)
{
    size_t most = size_of(TUSK_FROM_TEXT_SIZE(0), (growth){0, MOST_BY_CHARACTER}, 0, text.len), size;

    if (!is_known(type))
        return most;
    size = tusk__container_of(tusk__codec_of(type)) ? size_of_container(type, text)
                                                    : size_of(0, growth_of_leaf(tusk__codec_of(type)), 1, text.len);
    return size < most ? size : most;
}
