/* Names to numbers: the text is read twice, first for what it takes, then into one block that holds everything.
 * Values are put into an order and never into the text.
 * Read first: tusk/named.h, lib/tokens.h. */
#include "lib/named.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/codec/codec.h"
#include "lib/crypto.h"
#include "lib/sql.h"
#include "lib/tokens.h"
#include "proto/bounds.h"
#include "proto/error_set.h"
#include "proto/size.h"

/* $65535 is so much longer than the shortest name. */
#define GROWTH_MAX 4

/* Where a name stood and where its number stands: positions of the first character and of the one behind. */
typedef struct mark {
    int name, behind_name;
    int number, behind_number;
} mark;

struct tusk_named {
    tusk_allocator allocator;
    size_t refs;
    size_t size;        /* of the block */
    tusk_str text;      /* as it was given; the names are views of it */
    tusk_str numbered;  /* with a NUL behind it */
    tusk_value *values; /* of the last tusk_named_bind() */
    bool *is_given;     /* in this one */
    tusk_str *names;    /* of $1 … */
    size_t n_names;
    mark *marks; /* in their order in the text */
    size_t n_marks;
    uint32_t *slots; /* hash table: index of a name + 1, 0 free */
    size_t n_slots;  /* a power of two, at least twice as many as names */
};

/* ---- finding names ------------------------------------------------------------------------------------------------------------------- */

typedef struct reader {
    tusk__tokens tokens;
    tusk__token last;
} reader;

static reader reader_of(tusk_str sql)
{
    return (reader){tusk__tokens_of(sql), {TUSK__TOKEN_END, {NULL, 0}}};
}

/* Something that a colon directly behind it belongs to. */
static bool is_value(const tusk__token *token)
{
    switch (token->kind) {
    case TUSK__TOKEN_OPERATOR:
    case TUSK__TOKEN_ASSIGN:
        return false;
    case TUSK__TOKEN_CHAR:
        return memchr("([,;", token->text.ptr[0], 4) == NULL;
    case TUSK__TOKEN_WORD:
    case TUSK__TOKEN_QUOTED:
    case TUSK__TOKEN_STRING:
    case TUSK__TOKEN_NUMBER:
    case TUSK__TOKEN_PARAM:
    case TUSK__TOKEN_CAST:
    case TUSK__TOKEN_END:
    case TUSK__TOKEN_OPEN:
        break;
    }
    return true;
}

static bool is_directly_behind(const tusk__token *a, const tusk__token *b)
{
    return a->text.ptr && a->text.ptr + a->text.len == b->text.ptr;
}

/* Is it the colon of a name? Then the name is taken too. */
static bool take_name(reader *r, const tusk__token *colon, tusk_str *name)
{
    tusk__tokens ahead = r->tokens;
    tusk__token word;

    if (!tusk__token_is_char(colon, ':') || (is_directly_behind(&r->last, colon) && is_value(&r->last)))
        return false;
    word = tusk__token_next(&ahead);
    if (word.kind != TUSK__TOKEN_WORD || !is_directly_behind(colon, &word))
        return false;
    r->tokens = ahead;
    r->last = word;
    *name = word.text;
    return true;
}

static tusk_code refuse_number(tusk_str sql, const tusk__token *param, tusk_error *err)
{
    tusk_code code = tusk__error_set(err, TUSK_ERR_USAGE, NULL,
                                     TUSK_STR_FMT " in a statement whose parameters have names: "
                                                  "write a name instead",
                                     TUSK_STR_ARG(param->text));

    if (err)
        err->position = tusk__sql_position(sql, (size_t)(param->text.ptr - sql.ptr));
    return code;
}

/* The next name, without its colon. TUSK_DONE: there is none. */
static tusk_code next_name(reader *r, tusk_str *name, tusk_error *err)
{
    for (;;) {
        tusk__token token = tusk__token_next(&r->tokens);

        if (token.kind == TUSK__TOKEN_END)
            return TUSK_DONE;
        if (token.kind == TUSK__TOKEN_OPEN)
            return tusk__token_open_error(r->tokens.sql, &token, err);
        if (token.kind == TUSK__TOKEN_PARAM)
            return refuse_number(r->tokens.sql, &token, err);
        if (take_name(r, &token, name))
            return TUSK_OK;
        r->last = token;
    }
}

static tusk_code count_names(tusk_str sql, size_t *n, tusk_error *err)
{
    reader r = reader_of(sql);
    tusk_str name;
    tusk_code code;

    for (*n = 0; (code = next_name(&r, &name, err)) == TUSK_OK;)
        ++*n;
    return code == TUSK_DONE ? TUSK_OK : code;
}

/* ---- the table of names -------------------------------------------------------------------------------------------------------------- */

/* FNV-1a. */
static uint32_t hash_of(tusk_str name)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.ptr[i]) * 16777619u;
    return hash;
}

/* Where the name is, or would be. */
static uint32_t *slot_of(const tusk_named *named, tusk_str name)
{
    size_t i = hash_of(name) & (named->n_slots - 1);

    while (named->slots[i] && !tusk_str_equal(named->names[named->slots[i] - 1], name))
        i = (i + 1) & (named->n_slots - 1);
    return &named->slots[i];
}

/* The n of its $n. */
static uint32_t number_of(tusk_named *named, tusk_str name)
{
    uint32_t *slot = slot_of(named, name);

    if (!*slot) {
        named->names[named->n_names++] = name;
        *slot = (uint32_t)named->n_names;
    }
    return *slot;
}

/* ---- making -------------------------------------------------------------------------------------------------------------------------- */

/* Room for n elements at *at, which moves behind them. */
static void *carve(char **at, size_t n, size_t size)
{
    void *room = *at;

    *at += n * size;
    return room;
}

static size_t n_slots_for(size_t n_names)
{
    size_t n = 4;

    while (n < 2 * n_names)
        n *= 2;
    return n;
}

/* What is carved below, in the same order: the wider the alignment, the earlier. The text is shorter than a message, and has at least
 * two bytes for each name: nothing here can wrap. */
static tusk_named *new_block(tusk_str sql, size_t n_marks, const tusk_allocator *allocator, char **numbered)
{
    size_t n_slots = n_slots_for(n_marks), text_size = 2 * sql.len + GROWTH_MAX * n_marks + 1;
    size_t per_name = sizeof(tusk_value) + sizeof(tusk_str) + sizeof(mark) + sizeof(bool), size;
    tusk_named *named;
    char *at;

    if (!tusk__size_mul(n_marks, per_name, &size) ||
        !tusk__size_add(size, sizeof *named + n_slots * sizeof(uint32_t) + text_size, &size))
        return NULL;
    named = allocator->malloc(size, allocator->user);
    if (!named)
        return NULL;
    *named = (tusk_named){.allocator = *allocator, .refs = 1, .size = size, .n_slots = n_slots};
    at = (char *)(named + 1);
    named->values = carve(&at, n_marks, sizeof(tusk_value));
    named->names = carve(&at, n_marks, sizeof(tusk_str));
    named->marks = carve(&at, n_marks, sizeof(mark));
    named->slots = carve(&at, n_slots, sizeof(uint32_t));
    memset(named->slots, 0, n_slots * sizeof(uint32_t));
    named->is_given = carve(&at, n_marks, sizeof(bool));
    named->text = tusk_str_from(at, sql.len);
    if (sql.len)
        memcpy(at, sql.ptr, sql.len);
    *numbered = at + sql.len;
    return named;
}

/* The text with numbers, as far as it is written; and the characters that lie behind, here and there. */
typedef struct maker {
    tusk_named *named;
    char *out;
    size_t from; /* of named->text, what is not written yet */
    int name_position, number_position;
} maker;

static int n_characters(tusk_str text)
{
    return tusk__sql_position(text, text.len) - 1;
}

static void put(maker *m, tusk_str text)
{
    if (text.len)
        memcpy(m->out, text.ptr, text.len);
    m->out += text.len;
    m->number_position += n_characters(text);
}

static void put_text(maker *m, size_t end)
{
    tusk_str text = tusk_str_from(m->named->text.ptr + m->from, end - m->from);

    put(m, text);
    m->name_position += n_characters(text);
    m->from = end;
}

static void put_number(maker *m, tusk_str name, uint32_t number)
{
    mark *at = &m->named->marks[m->named->n_marks++];
    char text[16];
    int len = snprintf(text, sizeof text, "$%" PRIu32, number);

    at->name = m->name_position;
    at->number = m->number_position;
    put(m, tusk_str_from(text, (size_t)len));
    m->name_position += 1 + n_characters(name);
    m->from += 1 + name.len;
    at->behind_name = m->name_position;
    at->behind_number = m->number_position;
}

static tusk_code fill(tusk_named *named, char *out, tusk_error *err)
{
    maker m = {named, out, 0, 1, 1};
    reader r = reader_of(named->text);
    tusk_str name = {NULL, 0};
    uint32_t number;

    while (next_name(&r, &name, err) == TUSK_OK) {
        number = number_of(named, name);
        if (number > TUSK__PARAMS_MAX)
            return tusk__error_set(err, TUSK_ERR_LIMIT, NULL,
                                   "more than %d names, but a statement takes no more parameters", TUSK__PARAMS_MAX);
        put_text(&m, (size_t)(name.ptr - 1 - named->text.ptr));
        put_number(&m, name, number);
    }
    put_text(&m, named->text.len);
    *m.out = '\0';
    named->numbered = tusk_str_from(out, (size_t)(m.out - out));
    return TUSK_OK;
}

static tusk_code check_text(tusk_str sql, tusk_error *err)
{
    if (sql.len > TUSK__MESSAGE_MAX)
        return tusk__error_set(err, TUSK_ERR_LIMIT, NULL, "the SQL text is longer than a message can be (%d bytes)",
                               TUSK__MESSAGE_MAX);
    if (sql.len && memchr(sql.ptr, 0, sql.len))
        return tusk__error_set(err, TUSK_ERR_VALUE, "22021", "the SQL text holds a NUL byte");
    if (!tusk__utf8_is_valid(sql))
        return tusk__error_set(err, TUSK_ERR_VALUE, "22021", "the SQL text is not valid UTF-8");
    return TUSK_OK;
}

static tusk_code parse(tusk_str sql, const tusk_allocator *allocator, tusk_named **out, tusk_error *err)
{
    size_t n_marks;
    char *numbered;

    TUSK_TRY(check_text(sql, err));
    TUSK_TRY(count_names(sql, &n_marks, err));
    *out = new_block(sql, n_marks, allocator, &numbered);
    if (!*out)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the statement");
    return fill(*out, numbered, err);
}

tusk_named *tusk_named_parse(tusk_str sql, const tusk_allocator *allocator, tusk_error *err)
{
    tusk_named *named = NULL;

    tusk__error_begin(err);
    if (parse(sql, allocator ? allocator : tusk_allocator_default(), &named, err) == TUSK_OK)
        return named;
    tusk_named_free(named);
    return NULL;
}

/* ---- life ---------------------------------------------------------------------------------------------------------------------------- */

tusk_named *tusk__named_ref(tusk_named *named)
{
    named->refs++;
    return named;
}

void tusk__named_unref(tusk_named *named)
{
    tusk_allocator allocator = named->allocator;

    if (--named->refs > 0)
        return;
    if (tusk__sql_may_hold_secret(named->text))
        tusk__crypto_openssl()->wipe(named, named->size);
    allocator.free(named, allocator.user);
}

void tusk_named_free(tusk_named *named)
{
    if (named)
        tusk__named_unref(named);
}

tusk_str tusk__named_text(const tusk_named *named)
{
    return named->text;
}

tusk_str tusk__named_numbered(const tusk_named *named)
{
    return named->numbered;
}

const char *tusk_named_sql(const tusk_named *named)
{
    return named->numbered.ptr;
}

size_t tusk_named_n_params(const tusk_named *named)
{
    return named->n_names;
}

tusk_str tusk_named_param(const tusk_named *named, size_t param)
{
    return param < named->n_names ? named->names[param] : (tusk_str){NULL, 0};
}

/* ---- values by name ------------------------------------------------------------------------------------------------------------------ */

/* Does the whole name stand behind the colon at i? */
static bool stands_at(tusk_str text, size_t i, tusk_str name)
{
    size_t end = i + 1 + name.len;

    return text.ptr[i] == ':' && end <= text.len && memcmp(text.ptr + i + 1, name.ptr, name.len) == 0 &&
           (end == text.len || !tusk__char_is_of_word(text.ptr[end]));
}

/* Where it is no name's. NULL: it does not stand in the text. */
static const char *hint_at_place(tusk_str text, tusk_str name)
{
    const char *hint = NULL;

    for (size_t i = 0; name.len && i < text.len; i++) {
        if (!stands_at(text, i, name))
            continue;
        if (i == 0 || text.ptr[i - 1] != ':')
            return "It stands in quotes or a comment, or directly behind a value, where a colon begins no name: "
                   "write \"limit :n\", not \"limit:n\".";
        hint = "Two colons are a cast: write \"[:low : :high]\", not \"[:low::high]\".";
    }
    return hint;
}

/* What is often behind it. */
static void hint_at_colons(const tusk_named *named, const char *name, tusk_error *err)
{
    const char *hint =
        name[0] == ':' ? "Give the name without its colon." : hint_at_place(named->text, tusk_str_of(name));

    if (hint)
        tusk__error_hint(err, tusk_str_of(hint));
}

static tusk_code refuse_unknown(const tusk_named *named, const char *name, tusk_error *err)
{
    tusk_code code = tusk__error_set(err, TUSK_ERR_USAGE, "42P02", "the statement has no parameter \"%s\"", name);
    char text[sizeof err->detail * 2] = "it has none";
    size_t len = 0;

    for (size_t i = 0; i < named->n_names && len < sizeof err->detail; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s:" TUSK_STR_FMT, i ? ", " : "it has ",
                                TUSK_STR_ARG(named->names[i]));
    tusk__error_detail(err, tusk_str_of(text));
    hint_at_colons(named, name, err);
    return code;
}

static tusk_code refuse_param(const tusk_named *named, size_t param, const char *sqlstate, const char *what,
                              tusk_error *err)
{
    tusk_code code = tusk__error_set(err, TUSK_ERR_USAGE, sqlstate, "%s for :" TUSK_STR_FMT, what,
                                     TUSK_STR_ARG(named->names[param]));

    if (err)
        err->param = (int)param + 1;
    return code;
}

/* Its index, or one beyond all; whoever gives the values in the order of the text is served at once. */
static size_t param_of(const tusk_named *named, size_t likely, tusk_str name)
{
    if (likely < named->n_names && tusk_str_equal(named->names[likely], name))
        return likely;
    return *slot_of(named, name) - (size_t)1; /* a free slot holds 0 */
}

static tusk_code set_value(tusk_named *named, const tusk_arg *arg, size_t likely, tusk_error *err)
{
    size_t param;

    if (!arg->name)
        return tusk__error_set(err, TUSK_ERR_USAGE, NULL, "value %zu has no name", likely + 1);
    param = param_of(named, likely, tusk_str_of(arg->name));
    if (param >= named->n_names)
        return refuse_unknown(named, arg->name, err);
    if (named->is_given[param])
        return refuse_param(named, param, "42P08", "two values are given", err);
    named->is_given[param] = true;
    named->values[param] = arg->value;
    return TUSK_OK;
}

tusk_code tusk_named_bind(tusk_named *named, tusk_args args, tusk_params *params, tusk_error *err)
{
    tusk__error_begin(err);
    if (named->n_names)
        memset(named->is_given, 0, named->n_names * sizeof *named->is_given);
    for (size_t i = 0; i < args.n; i++)
        TUSK_TRY(set_value(named, &args.items[i], i, err));
    for (size_t i = 0; args.n < named->n_names && i < named->n_names; i++)
        if (!named->is_given[i])
            return refuse_param(named, i, "42P02", "no value is given", err);
    *params = tusk_params_of(named->values, named->n_names);
    return TUSK_OK;
}

/* ---- positions ----------------------------------------------------------------------------------------------------------------------- */

int tusk_named_position(const tusk_named *named, int position)
{
    int shift = 0;

    for (size_t i = 0; i < named->n_marks && position >= named->marks[i].number; i++) {
        if (position < named->marks[i].behind_number)
            return named->marks[i].name;
        shift = named->marks[i].behind_name - named->marks[i].behind_number;
    }
    return position + shift;
}
