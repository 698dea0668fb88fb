/* JSON by jansson, both ways. Its own reader is not used: without memory it may lose a character and go on, even past the end (2.14).
 * Ours reads, and makes the document by jansson's constructors, each of which can only fail as a whole.
 * The only file that includes jansson; linked by those alone who name it.
 * Read first: tusk/json.h, lib/json.h. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include <tusk/json.h>

#include "lib/codec/types.h"
#include "lib/json.h"
#include "lib/query.h"

/* jansson frees a document by recursion, and this makes one so: what a small stack bears. */
#define DEPTH_MAX 512

/* jansson's own: deeper it reads nothing. */
#define WRITE_DEPTH_MAX 2048

#define NOT_WRITTEN "a document that has no text: it holds itself, is deeper than 2048, or a text of it is not UTF-8"

/* ---- making a document -------------------------------------------------------------------------------------------------------------------- */

typedef struct maker {
    tusk__json j;
    const char *begin;
    char *room; /* as large as the text: each string is decoded to where it stands there, so all have their place */
} maker;

/* NULL without anything wrong in the text: out of memory. So for all that make. */
static json_t *make(maker *m);

/* NUL-terminated: the quotes of the text leave room for that. */
static bool take_text(maker *m, tusk_str *out)
{
    char *to = m->room + (m->j.p - m->begin);

    if (!tusk__json_text(&m->j, to, out))
        return false;
    to[out->len] = '\0';
    return true;
}

static json_t *make_text(maker *m)
{
    tusk_str text;

    return take_text(m, &text) ? json_stringn_nocheck(text.ptr, text.len) : NULL;
}

static json_t *make_number(maker *m)
{
    tusk__json_number n;

    if (!tusk__json_number_take(&m->j, &n))
        return NULL;
    return n.is_whole ? json_integer(n.whole) : json_real(n.real);
}

static json_t *make_word(maker *m, char type)
{
    if (!tusk__json_skip(&m->j))
        return NULL;
    return type == 't' ? json_true() : type == 'f' ? json_false() : json_null();
}

/* A NULL that is put in is refused by jansson. */
static bool make_member(maker *m, json_t *object)
{
    tusk_str name;

    return take_text(m, &name) && tusk__json_colon(&m->j) &&
           json_object_set_new_nocheck(object, name.ptr, make(m)) == 0;
}

static json_t *make_list(maker *m, char bracket)
{
    json_t *list = tusk__json_open(&m->j, bracket) ? bracket == '{' ? json_object() : json_array() : NULL;
    bool is_first = true, is_fine = list != NULL;

    while (is_fine && tusk__json_more(&m->j, bracket, &is_first))
        is_fine = bracket == '{' ? make_member(m, list) : json_array_append_new(list, make(m)) == 0;
    if (is_fine && m->j.wrong == TUSK__JSON_FINE)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *make(maker *m) /* NOLINT(misc-no-recursion): DEPTH_MAX */
{
    char type = tusk__json_type(&m->j);

    switch (type) {
    case '{':
    case '[':
        return make_list(m, type);
    case '"':
        return make_text(m);
    case '0':
        return make_number(m);
    default:
        return make_word(m, type);
    }
}

/* ---- what is wrong -------------------------------------------------------------------------------------------------------------------------- */

static const struct {
    tusk_code code;
    const char *sqlstate, *what;
} wrongs[] = {
    [TUSK__JSON_FINE] = {TUSK_ERR_NOMEM, NULL, "out of memory"},
    [TUSK__JSON_MALFORMED] = {TUSK_ERR_VALUE, "22P02", "this is not JSON"},
    [TUSK__JSON_ENDS_EARLY] = {TUSK_ERR_VALUE, "22P02", "the document ends too early"},
    [TUSK__JSON_HAS_MORE] = {TUSK_ERR_VALUE, "22P02", "there is more behind the document"},
    [TUSK__JSON_NOT_UTF8] = {TUSK_ERR_VALUE, "22021", "this is not UTF-8"},
    [TUSK__JSON_NUL] = {TUSK_ERR_VALUE, "22P05", "a text with a NUL: read the column as text"},
    [TUSK__JSON_TOO_DEEP] = {TUSK_ERR_LIMIT, NULL, "more than 512 arrays and objects inside each other"},
    [TUSK__JSON_OUT_OF_RANGE] = {TUSK_ERR_VALUE, "22003",
                                 "a number that neither int64 nor double holds: read the column as text"},
};

static TUSK_COLD tusk_code fail(const tusk_row *row, int col, const maker *m, tusk_error *err)
{
    const char *line = m->begin;
    size_t n_line = 1;
    tusk_code code = wrongs[m->j.wrong].code;

    for (const char *p = m->begin; p < m->j.p; p++)
        if (*p == '\n') {
            n_line++;
            line = p + 1;
        }
    (void)tusk__error_set(
        err, code, wrongs[m->j.wrong].sqlstate, "column %d \"" TUSK_STR_FMT "\": line %zu, byte %zu: %s", col,
        TUSK_STR_ARG(row->columns[col].name), n_line, (size_t)(m->j.p - line) + 1, wrongs[m->j.wrong].what);
    tusk__error_where(err, "read json");
    if (err) {
        err->fate = TUSK_FATE_ANSWERED;
        err->column = col;
    }
    return code;
}

/* ---- reading ---------------------------------------------------------------------------------------------------------------------------------- */

tusk_code tusk_read_json(const tusk_row *row, int col, struct json_t **out, tusk_error *err)
{
    const tusk_allocator *allocator;
    maker m = {0};
    json_t *made = NULL;
    tusk_str text;

    TUSK_TRY(tusk_read_text(row, col, &text, err));
    allocator = tusk__loop_allocator(row->query->loop);
    m.begin = text.ptr;
    m.j = tusk__json_begin(text, DEPTH_MAX);
    m.room = allocator->malloc(text.len + 1, allocator->user);
    if (m.room)
        made = make(&m);
    if (made && !tusk__json_finish(&m.j)) {
        json_decref(made);
        made = NULL;
    }
    allocator->free(m.room, allocator->user);
    if (!made)
        return fail(row, col, &m, err);
    *out = made;
    return TUSK_OK;
}

struct json_t *tusk_get_json(const tusk_row *row, int col)
{
    json_t *json = NULL;
    tusk_error err = {0};
    tusk_code code = tusk_read_json(row, col, &json, &err);

    if (code != TUSK_OK && code != TUSK_ERR_NULL)
        tusk__row_keep_error(row, &err);
    return json;
}

/* ---- writing ---------------------------------------------------------------------------------------------------------------------------------- */

/* By ourselves, since jansson writes 0.1 as 0.10000000000000001: who changes one member would change the others. To a message, or else into a
 * buffer, as far as it goes. */
typedef struct writer {
    tusk_out *out;
    char *buf;
    size_t size, len;
    int depth;
} writer;

/* False: there is something in it that has no text. So for all that write. */
static bool write_value(writer *w, const json_t *json);

static void write_bytes(writer *w, const char *text, size_t len)
{
    size_t room = w->len < w->size ? w->size - w->len : 0, n = len < room ? len : room;

    if (w->out)
        tusk_out_put(w->out, text, len);
    else if (n > 0)
        memcpy(w->buf + w->len, text, n);
    w->len += len;
}

static void write_escape(writer *w, unsigned char c)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *at = strchr(plain, c);
    char text[8];

    if (c && at)
        snprintf(text, sizeof text, "\\%c", letters[at - plain]);
    else
        snprintf(text, sizeof text, "\\u%04x", c);
    write_bytes(w, text, strlen(text));
}

static bool write_text(writer *w, tusk_str text)
{
    size_t begin = 0;

    if (!tusk__utf8_is_valid(text))
        return false;
    write_bytes(w, "\"", 1);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c >= ' ' && c != '"' && c != '\\')
            continue;
        write_bytes(w, text.ptr + begin, i - begin);
        write_escape(w, c);
        begin = i + 1;
    }
    write_bytes(w, text.ptr + begin, text.len - begin);
    write_bytes(w, "\"", 1);
    return true;
}

static bool write_integer(writer *w, json_int_t integer)
{
    char text[24];

    write_bytes(w, text, (size_t)snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, integer));
    return true;
}

/* The shortest that reads back as the same; a real stays one. */
static bool write_real(writer *w, double real)
{
    tusk_value value = tusk_float8(real);
    char text[32];
    size_t len;

    if (!isfinite(real))
        return false;
    len = tusk__float8_print(&value, text, sizeof text);
    write_bytes(w, text, len);
    if (!strpbrk(text, ".e"))
        write_bytes(w, ".0", 2);
    return true;
}

static bool write_array(writer *w, const json_t *array)
{
    size_t n = json_array_size(array);
    bool is_fine = true;

    write_bytes(w, "[", 1);
    for (size_t i = 0; i < n && is_fine; i++) {
        write_bytes(w, ",", i > 0);
        is_fine = write_value(w, json_array_get(array, i));
    }
    write_bytes(w, "]", 1);
    return is_fine;
}

static bool write_object(writer *w, json_t *object)
{
    bool is_fine = true;
    size_t n = 0;

    write_bytes(w, "{", 1);
    for (void *at = json_object_iter(object); at && is_fine; at = json_object_iter_next(object, at)) {
        write_bytes(w, ",", n++ > 0);
        is_fine = write_text(w, tusk_str_of(json_object_iter_key(at)));
        write_bytes(w, ":", 1);
        is_fine = is_fine && write_value(w, json_object_iter_value(at));
    }
    write_bytes(w, "}", 1);
    return is_fine;
}

static bool write_list(writer *w, const json_t *json)
{
    bool is_fine;

    if (w->depth >= WRITE_DEPTH_MAX)
        return false;
    w->depth++;
    is_fine = json_is_array(json) ? write_array(w, json) : write_object(w, (json_t *)(uintptr_t)json);
    w->depth--;
    return is_fine;
}

static bool write_value(writer *w, const json_t *json) /* NOLINT(misc-no-recursion): WRITE_DEPTH_MAX */
{
    switch (json ? json_typeof(json) : JSON_NULL) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        return write_list(w, json);
    case JSON_STRING:
        return write_text(w, tusk_str_from(json_string_value(json), json_string_length(json)));
    case JSON_INTEGER:
        return write_integer(w, json_integer_value(json));
    case JSON_REAL:
        return write_real(w, json_real_value(json));
    case JSON_TRUE:
        write_bytes(w, "true", 4);
        return true;
    case JSON_FALSE:
        write_bytes(w, "false", 5);
        return true;
    case JSON_NULL:
        break;
    }
    write_bytes(w, "null", 4);
    return json != NULL;
}

tusk_code tusk_json_to_text(const struct json_t *json, char *buf, size_t size, size_t *len, tusk_error *err)
{
    writer w = {.buf = buf, .size = size};

    tusk__error_begin(err);
    if (!write_value(&w, json))
        return tusk__error_set(err, TUSK_ERR_VALUE, "22P02", NOT_WRITTEN);
    *len = w.len;
    if (w.len > size)
        return tusk__error_set(err, TUSK_ERR_LIMIT, NULL, "the document has %zu bytes, the buffer %zu", w.len, size);
    return TUSK_OK;
}

/* ---- as a parameter ---------------------------------------------------------------------------------------------------------------------------- */

static tusk_code encode(const void *json, uint32_t type, tusk_out *out, tusk_error *err, void *user)
{
    writer w = {.out = out};

    (void)type;
    (void)user;
    if (write_value(&w, json))
        return TUSK_OK;
    return tusk__error_set(err, TUSK_ERR_VALUE, "22P02", NOT_WRITTEN);
}

static const tusk_codec by_jansson = {.format = TUSK_CODEC_JSON, .encode = encode};

static tusk_value value_of(uint32_t type, const json_t *json)
{
    tusk_value v = tusk_object(type, json);

    if (json)
        v.as.object.codec = &by_jansson;
    return v;
}

tusk_value tusk_json(const struct json_t *json)
{
    return value_of(TUSK_OID_JSON, json);
}

tusk_value tusk_jsonb(const struct json_t *json)
{
    return value_of(TUSK_OID_JSONB, json);
}
