/* Types of the database's own and of extensions, by kind and name: enums and citext are text.
 * Read first: lib/codec/own.h. */
#include "lib/codec/own.h"

#include "lib/codec/types.h"

#define TEXT_ROW(name)                                                                                                 \
    {                                                                                                                  \
        0, name, TUSK_KIND_TEXT, -1, true, tusk__text_decode, tusk__text_parse, tusk__text_encode, tusk__text_print,   \
            NULL                                                                                                       \
    }

/* The label, in binary as in text: enum_send(). */
static const tusk__codec label = TEXT_ROW("enum");

/* By pg_type.typname, wherever the extension was installed to. */
static const tusk__codec extensions[] = {TEXT_ROW("citext")};

const tusk__codec *tusk__own_codec_of(const tusk_type *type)
{
    if (type->kind == TUSK_TYPE_ENUM)
        return &label;
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions && type->kind == TUSK_TYPE_BASE; i++)
        if (tusk_str_is(type->name, extensions[i].name))
            return &extensions[i];
    return NULL;
}
