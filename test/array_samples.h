/* The samples of each array type, made of its elements' samples: their bytes by the form that the manual gives, their text by the rules of
 * its chapter "Arrays", both written a second time here. array_test takes them apart, array_live_test asks a server.
 * Read first: test/codec_cases.h. */
#ifndef TUSK_TEST_ARRAY_SAMPLES_H
#define TUSK_TEST_ARRAY_SAMPLES_H

#include <stdio.h>

#include "lib/codec/nested.h"
#include "test/codec_cases.h"
#include "test/record_samples.h"

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

        if (codec && codec->decode == tusk__array_decode && oid != TUSK_OID_ANYARRAY && i-- == 0)
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
    size_t len, cap;
} array_maker;

static inline void say(array_maker *m, const char *text, size_t len)
{
    if (m->len + len + 1 > m->cap) {
        m->cap = 2 * (m->len + len) + 64;
        m->text = realloc(m->text, m->cap);
    }
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
/* clang-format off */
static const both_formats container_cases[] = {
    {TUSK_OID_INT2VECTOR, "0", "0000000100000000000000150000000100000000000000020000"},
    {TUSK_OID_INT2VECTOR, "-1", "000000010000000000000015000000010000000000000002ffff"},
    {TUSK_OID_INT2VECTOR, "1 32767 -32768", "0000000100000000000000150000000300000000000000020001000000027fff000000028000"},
    {TUSK_OID_OIDVECTOR, "7", "00000001000000000000001a00000001000000000000000400000007"},
    {TUSK_OID_OIDVECTOR, "4294967295", "00000001000000000000001a000000010000000000000004ffffffff"},
    {TUSK_OID_OIDVECTOR, "0 23", "00000001000000000000001a000000020000000000000004000000000000000400000017"},
    {TUSK_OID_INT4RANGE, "empty", "01"},
    {TUSK_OID_INT4RANGE, "(,)", "18"},
    {TUSK_OID_INT4RANGE, "[1,10)", "020000000400000001000000040000000a"},
    {TUSK_OID_INT4RANGE, "(,6)", "080000000400000006"},
    {TUSK_OID_INT4RANGE, "[-2147483648,)", "120000000480000000"},
    {TUSK_OID_INT4RANGE, "[2147483646,2147483647)", "02000000047ffffffe000000047fffffff"},
    {TUSK_OID_INT8RANGE, "empty", "01"},
    {TUSK_OID_INT8RANGE, "(,)", "18"},
    {TUSK_OID_INT8RANGE, "[-9223372036854775808,9223372036854775807)", "02000000088000000000000000000000087fffffffffffffff"},
    {TUSK_OID_INT8RANGE, "[7,)", "12000000080000000000000007"},
    {TUSK_OID_INT8RANGE, "(,0)", "08000000080000000000000000"},
    {TUSK_OID_NUMRANGE, "empty", "01"},
    {TUSK_OID_NUMRANGE, "(,)", "18"},
    {TUSK_OID_NUMRANGE, "[1.50,NaN]", "060000000c0002000000000002000113880000000800000000c0000000"},
    {TUSK_OID_NUMRANGE, "(-Infinity,Infinity)", "000000000800000000f00000200000000800000000d0000020"},
    {TUSK_OID_NUMRANGE, "(,0.0]", "0c000000080000000000000001"},
    {TUSK_OID_NUMRANGE, "(1000000000000000000000000000000,)", "100000000a00010007000000000064"},
    {TUSK_OID_NUMRANGE, "[0,0]", "06000000080000000000000000000000080000000000000000"},
    {TUSK_OID_DATERANGE, "empty", "01"},
    {TUSK_OID_DATERANGE, "(,)", "18"},
    {TUSK_OID_DATERANGE, "[2024-02-29,2024-03-01)", "020000000400002279000000040000227a"},
    {TUSK_OID_DATERANGE, "[-infinity,infinity)", "020000000480000000000000047fffffff"},
    {TUSK_OID_DATERANGE, "(,2000-01-01)", "080000000400000000"},
    {TUSK_OID_DATERANGE, "[\"0044-03-15 BC\",0001-01-01)", "0200000004fff49d7b00000004fff4dbf9"},
    {TUSK_OID_TSRANGE, "empty", "01"},
    {TUSK_OID_TSRANGE, "(,)", "18"},
    {TUSK_OID_TSRANGE, "[\"2024-02-29 12:34:56.5\",\"2024-03-01 00:00:00\")", "02000000080002b583416e1d20000000080002b58cd363c000"},
    {TUSK_OID_TSRANGE, "(-infinity,infinity]", "04000000088000000000000000000000087fffffffffffffff"},
    {TUSK_OID_TSRANGE, "(,\"2000-01-01 00:00:00\")", "08000000080000000000000000"},
    {TUSK_OID_TSRANGE, "[\"0044-03-15 01:02:03 BC\",)", "1200000008ff1af9dfca4398c0"},
    {TUSK_OID_TSTZRANGE, "empty", "01"},
    {TUSK_OID_TSTZRANGE, "(,)", "18"},
    {TUSK_OID_TSTZRANGE, "[\"2024-02-29 12:34:56.5+00\",\"2024-03-01 00:00:00+00\"]", "06000000080002b583416e1d20000000080002b58cd363c000"},
    {TUSK_OID_TSTZRANGE, "[-infinity,infinity)", "02000000088000000000000000000000087fffffffffffffff"},
    {TUSK_OID_TSTZRANGE, "(\"2000-01-01 00:00:00+00\",)", "10000000080000000000000000"},
    {TUSK_OID_INT4MULTIRANGE, "{}", "00000000"},
    {TUSK_OID_INT4MULTIRANGE, "{(,)}", "000000010000000118"},
    {TUSK_OID_INT4MULTIRANGE, "{[1,3),[5,7)}", "00000002000000110200000004000000010000000400000003000000110200000004000000050000000400000007"},
    {TUSK_OID_INT4MULTIRANGE, "{(,-5),[0,1),[9,)}", "00000003000000090800000004fffffffb00000011020000000400000000000000040000000100000009120000000400000009"},
    {TUSK_OID_INT8MULTIRANGE, "{}", "00000000"},
    {TUSK_OID_INT8MULTIRANGE, "{(,)}", "000000010000000118"},
    {TUSK_OID_INT8MULTIRANGE, "{[-9223372036854775808,9223372036854775807)}", "000000010000001902000000088000000000000000000000087fffffffffffffff"},
    {TUSK_OID_INT8MULTIRANGE, "{[1,2),[3,4),[5,6)}", "00000003000000190200000008000000000000000100000008000000000000000200000019020000000800000000000000030000000800000000000000040000001902000000080000000000000005000000080000000000000006"},
    {TUSK_OID_NUMMULTIRANGE, "{}", "00000000"},
    {TUSK_OID_NUMMULTIRANGE, "{(,)}", "000000010000000118"},
    {TUSK_OID_NUMMULTIRANGE, "{[1.5,2.50],(3,NaN]}", "0000000200000021060000000c0002000000000001000113880000000c0002000000000002000213880000001b040000000a000100000000000000030000000800000000c0000000"},
    {TUSK_OID_NUMMULTIRANGE, "{(-Infinity,0)}", "0000000100000019000000000800000000f0000020000000080000000000000000"},
    {TUSK_OID_DATEMULTIRANGE, "{}", "00000000"},
    {TUSK_OID_DATEMULTIRANGE, "{(,)}", "000000010000000118"},
    {TUSK_OID_DATEMULTIRANGE, "{[2024-02-29,2024-03-01)}", "0000000100000011020000000400002279000000040000227a"},
    {TUSK_OID_DATEMULTIRANGE, "{(,2000-01-01),[infinity,)}", "00000002000000090800000004000000000000000912000000047fffffff"},
    {TUSK_OID_TSMULTIRANGE, "{}", "00000000"},
    {TUSK_OID_TSMULTIRANGE, "{(,)}", "000000010000000118"},
    {TUSK_OID_TSMULTIRANGE, "{[\"2024-02-29 12:34:56.5\",\"2024-03-01 00:00:00\"),[infinity,infinity]}", "000000020000001902000000080002b583416e1d20000000080002b58cd363c0000000001906000000087fffffffffffffff000000087fffffffffffffff"},
    {TUSK_OID_TSMULTIRANGE, "{(,-infinity)}", "000000010000000d08000000088000000000000000"},
    {TUSK_OID_TSTZMULTIRANGE, "{}", "00000000"},
    {TUSK_OID_TSTZMULTIRANGE, "{(,)}", "000000010000000118"},
    {TUSK_OID_TSTZMULTIRANGE, "{[\"2024-02-29 12:34:56.5+00\",\"2024-03-01 00:00:00+00\")}", "000000010000001902000000080002b583416e1d20000000080002b58cd363c000"},
    {TUSK_OID_TSTZMULTIRANGE, "{[-infinity,-infinity],(\"2000-01-01 00:00:00+00\",)}", "0000000200000019060000000880000000000000000000000880000000000000000000000d10000000080000000000000000"},
};
/* clang-format on */

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
        gather_samples(&found, record_cases, sizeof record_cases / sizeof *record_cases);
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

static inline int32_t n_of_100_kb(uint32_t element)
{
    size_t len = 0;
    int32_t n = 0;

    for (; len < 100000; n++)
        len += 4 + strlen(element_sample(element, (size_t)n)->hex) / 2;
    return n;
}

/* 0: one element; 1: each of the type's samples, and NULLs; 2: two rows of three that begin elsewhere; 3: 100 kB. */
static inline array_sample array_sample_of(uint32_t type, int which)
{
    static const int32_t shapes[][6] = {{1, 1}, {23, 1}, {2, -1, 3, 5}, {0, 1}};
    int32_t whole[] = {0, 1};
    array_sample s = {.type = type, .element = tusk__type_element(type)};
    array_maker m = {.text = NULL};

    tusk__writer_init(&m.b, tusk_allocator_default());
    whole[0] = which == 3 ? n_of_100_kb(s.element) : shapes[which][0];
    make_header(&m, &s, which == 2 ? shapes[which] : whole, which == 2 ? 2 : 1, which == 1);
    if (which == 2) {
        say(&m, "[-1:0][5:7]={", 13);
        make_row_of(&m, &s, 0, 3, 0);
        say(&m, s.element == TUSK_OID_BOX ? ";" : ",", 1);
        make_row_of(&m, &s, 3, 3, 0);
        say(&m, "}", 1);
    } else {
        make_row_of(&m, &s, 0, (size_t)whole[0], which == 1 ? 5 : 0);
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

/* A sample of container_cases in that form. */
static inline array_sample container_sample_of(const both_formats *c)
{
    array_sample s = {.type = c->type};
    array_maker m = {.text = NULL};

    tusk__writer_init(&m.b, tusk_allocator_default());
    for (size_t k = 0; c->hex[k]; k += 2)
        tusk__write_u8(&m.b, (uint8_t)(tusk__hex_digit(c->hex[k]) << 4 | tusk__hex_digit(c->hex[k + 1])));
    say(&m, c->text, strlen(c->text));
    s.wire = m.b.buf;
    s.len = m.b.len;
    s.text = m.text;
    return s;
}

#endif
