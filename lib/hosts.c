/* Lists with commas. A comma cannot be escaped, as in libpq: neither names nor paths of sockets can hold one.
 * Read first: lib/hosts.h. */
#include "lib/hosts.h"

#include <string.h>

static const char *comma_in(tusk_str list)
{
    return list.len > 0 ? memchr(list.ptr, ',', list.len) : NULL;
}

static tusk_str behind(tusk_str list, const char *comma)
{
    return tusk_str_from(comma + 1, list.len - (size_t)(comma + 1 - list.ptr));
}

size_t tusk__list_count(tusk_str list)
{
    const char *comma;
    size_t n = 1;

    for (; (comma = comma_in(list)); n++)
        list = behind(list, comma);
    return n;
}

tusk_str tusk__list_next(tusk_str *list)
{
    const char *comma = comma_in(*list);
    tusk_str item = comma ? tusk_str_from(list->ptr, (size_t)(comma - list->ptr)) : *list;

    *list = comma ? behind(*list, comma) : tusk_str_of("");
    return item;
}
