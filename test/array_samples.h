/* The samples of each array type, made of its elements' samples: their bytes by the form that the manual gives, their text by the rules of
 * its chapter "Arrays", both written a second time here. array_test takes them apart, array_live_test asks a server.
 * Read first: test/codec_cases.h. */
#ifndef TUSK_TEST_ARRAY_SAMPLES_H
#define TUSK_TEST_ARRAY_SAMPLES_H

#include <stdio.h>

#include "lib/codec/nested.h"
#include "test/codec_cases.h"

#define ARRAY_SAMPLES 4

typedef struct array_sample {
    uint32_t type, element;
    unsigned char *wire;
    size_t len;
    char *text;
    size_t n, n_nulls;
} array_sample;

/* The array types that have a codec, one by one; 0: no more. int2vector and oidvector are no array types. */
static inline uint32_t array_type_at(int i)
{
    for (uint32_t oid = 0; oid < 10000; oid++) {
        const tusk__codec *codec = tusk__codec_of(oid);

        if (codec && codec->decode == tusk__array_decode && i-- == 0)
            return oid;
    }
    return 0;
}

static inline int n_array_types(void)
{
    int n = 0;

    while (array_type_at(n))
        n++;
    return n;
}

typedef struct array_maker {
    tusk__writer b;
    char *text;
    size_t len;
} array_maker;

static inline void say(array_maker *m, const char *text, size_t len)
{
    m->text = realloc(m->text, m->len + len + 1);
    if (!m->text)
        abort();
    memcpy(m->text + m->len, text, len);
    m->len += len;
    m->text[m->len] = '\0';
}

static inline bool is_null_in_letters(const char *text)
{
    return strlen(text) == 4 && strchr("nN", text[0]) && strchr("uU", text[1]) && strchr("lL", text[2]) &&
           strchr("lL", text[3]);
}

static inline void say_quoted(array_maker *m, const char *text, char delimiter)
{
    bool quoted = *text == '\0' || is_null_in_letters(text);

    for (const char *p = text; *p; p++)
        quoted = quoted || strchr("{}\\\" \t\n\v\f\r", *p) != NULL || *p == delimiter;
    if (quoted)
        say(m, "\"", 1);
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            say(m, "\\", 1);
        say(m, p, 1);
    }
    if (quoted)
        say(m, "\"", 1);
}

/* Samples of what is an element and a container itself, whose text is no view and is not read. */
static const both_formats container_cases[] = {
    {TUSK_OID_INT2VECTOR, "0", "0000000100000000000000150000000100000000000000020000"},
    {TUSK_OID_INT2VECTOR, "-1", "000000010000000000000015000000010000000000000002ffff"},
    {TUSK_OID_INT2VECTOR, "1 32767 -32768", "000000010000000000000015000000030000000000000002000100000002" "7fff000000028000"},
    {TUSK_OID_OIDVECTOR, "4294967295", "00000001000000000000001a000000010000000000000004ffffffff"},
    {TUSK_OID_OIDVECTOR, "0 23", "00000001000000000000001a00000002000000000000000400000000" "0000000400000017"},
};

/* Interval's infinities are left out: an older server than 17 has none. */
static bool samples_are_finite;

/* The samples of one type: looked for once. */
typedef struct element_samples {
    uint32_t element;
    const both_formats *cases[100];
    size_t n;
} element_samples;

static inline void gather_samples(element_samples *found, const both_formats *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (cases[i].type == found->element && found->n < 100 &&
            !(samples_are_finite && cases[i].type == TUSK_OID_INTERVAL && strstr(cases[i].text, "infinity")))
            found->cases[found->n++] = &cases[i];
}

static inline const element_samples *samples_of(uint32_t element)
{
    static element_samples found;

    if (found.element != element) {
        found.element = element;
        found.n = 0;
        gather_samples(&found, both_formats_cases, sizeof both_formats_cases / sizeof *both_formats_cases);
        gather_samples(&found, container_cases, sizeof container_cases / sizeof *container_cases);
    }
    return &found;
}

/* The i-th of them, around in a circle. */
static inline const both_formats *element_sample(uint32_t element, size_t i)
{
    const element_samples *found = samples_of(element);

    return found->n > 0 ? found->cases[i % found->n] : NULL;
}

static inline void make_element(array_maker *m, const array_sample *s, size_t i, bool is_null)
{
    const both_formats *c = element_sample(s->element, i);
    size_t k = 0;

    if (is_null || !c) {
        tusk__write_u32(&m->b, UINT32_MAX);
        say(m, "NULL", 4);
        return;
    }
    tusk__write_u32(&m->b, (uint32_t)strlen(c->hex) / 2);
    for (; c->hex[k]; k += 2)
        tusk__write_u8(&m->b, (uint8_t)(tusk__hex_digit(c->hex[k]) << 4 | tusk__hex_digit(c->hex[k + 1])));
    say_quoted(m, c->text, s->element == TUSK_OID_BOX ? ';' : ',');
}

static inline void make_row_of(array_maker *m, array_sample *s, size_t from, size_t n, size_t null_every)
{
    say(m, "{", 1);
    for (size_t i = from; i < from + n; i++) {
        bool is_null = null_every && i % null_every == null_every - 1;

        if (i > from)
            say(m, s->element == TUSK_OID_BOX ? ";" : ",", 1);
        make_element(m, s, i, is_null);
        s->n_nulls += is_null;
    }
    say(m, "}", 1);
    s->n += n;
}

static inline void make_header(array_maker *m, const array_sample *s, const int32_t *shape, size_t ndim, bool has_nulls)
{
    tusk__write_u32(&m->b, (uint32_t)ndim);
    tusk__write_u32(&m->b, has_nulls);
    tusk__write_u32(&m->b, s->element);
    for (size_t i = 0; i < 2 * ndim; i++)
        tusk__write_u32(&m->b, (uint32_t)shape[i]);
}

/* 0: one element; 1: each of the type's samples, and NULLs; 2: two rows of three that begin elsewhere; 3: 100 kB. */
static inline array_sample array_sample_of(uint32_t type, int which)
{
    static const int32_t shapes[][6] = {{1, 1}, {23, 1}, {2, -1, 3, 5}, {20000, 1}};
    array_sample s = {.type = type, .element = tusk__type_element(type)};
    array_maker m = {.text = NULL};

    tusk__writer_init(&m.b, tusk_allocator_default());
    make_header(&m, &s, shapes[which], which == 2 ? 2 : 1, which == 1);
    if (which == 2) {
        say(&m, "[-1:0][5:7]={", 13);
        make_row_of(&m, &s, 0, 3, 0);
        say(&m, s.element == TUSK_OID_BOX ? ";" : ",", 1);
        make_row_of(&m, &s, 3, 3, 0);
        say(&m, "}", 1);
    } else {
        make_row_of(&m, &s, 0, (size_t)shapes[which][0], which == 1 ? 5 : 0);
    }
    s.wire = m.b.buf;
    s.len = m.b.len;
    s.text = m.text;
    return s;
}

static inline void array_sample_free(array_sample *s)
{
    tusk__writer b = {.allocator = tusk_allocator_default(), .buf = s->wire};

    tusk__writer_clear(&b);
    free(s->text);
}

#endif
