/* Connection strings by chance.
 * Read first: test/compare/generate.h. */
#include "test/compare/generate.h"

#include <stdio.h>
#include <string.h>

uint32_t chance_below(chance *c, uint32_t n)
{
    c->state ^= c->state << 13;
    c->state ^= c->state >> 7;
    c->state ^= c->state << 17;
    return (uint32_t)(c->state >> 33) % n;
}

int chance_in(chance *c, uint32_t one_in)
{
    return chance_below(c, one_in) == 0;
}

typedef struct text {
    char *out;
    size_t len;
} text;

static void put(text *t, const char *bytes, size_t len)
{
    if (t->len + len < STRING_MAX) {
        memcpy(t->out + t->len, bytes, len);
        t->len += len;
    }
}

static void put_word(text *t, const char *word)
{
    put(t, word, strlen(word));
}

static void put_byte(text *t, int byte)
{
    char c = (char)byte;

    if (c)
        put(t, &c, 1);
}

static void put_blanks(chance *c, text *t, uint32_t most)
{
    static const char blanks[] = " \t\n\v\f\r";

    for (uint32_t n = chance_below(c, most + 1); n > 0; n--)
        put_byte(t, chance_in(c, 3) ? blanks[chance_below(c, sizeof blanks - 1)] : ' ');
}

static const char *a_value(chance *c)
{
    static const char *const values[] = {
        "",     "1",         "0",        "prefer",        "require", "disable", "verify-full", "any",    "true",
        "h",    "/tmp",      "a,b",      "::1",           "5432",    "-1",      "127.0.0.1",   "latest", "3.2",
        "UTF8", "TLSv1.3",   "a b",      "it's",          "a\\b",    "a=b",     "a&b",         "a%b",    "\xC3\xA4",
        "+",    "a@b:c/d?e", "-c x=y z", "scram-sha-256", "!none",   "\x7F",    "\xFF\xFE",    " x ",    "[::1]",
    };

    return values[chance_below(c, sizeof values / sizeof values[0])];
}

/* ---- name=value … ---- */

/* With every quote, blank and backslash escaped; now and then not. */
static void put_pair_value(chance *c, text *t, const char *value)
{
    int quoted = !*value || chance_in(c, 3), careless = chance_in(c, 12);

    if (quoted)
        put_byte(t, '\'');
    for (; *value; value++) {
        int special = *value == '\\' || (quoted ? *value == '\'' : strchr(" \t\n\v\f\r", *value) != NULL);

        if ((special && !careless) || chance_in(c, 40))
            put_byte(t, '\\');
        put_byte(t, *value);
    }
    if (quoted && !chance_in(c, 60))
        put_byte(t, '\'');
}

static void put_name(chance *c, text *t, const char *const *names, size_t n_names)
{
    static const char *const odd[] = {"ssl", "Host", "hots", "", "user name", "requiressl", "=", "'user'"};

    put_word(t, chance_in(c, 80) ? odd[chance_below(c, sizeof odd / sizeof odd[0])]
                                 : names[chance_below(c, (uint32_t)n_names)]);
}

static void put_pairs(chance *c, text *t, const char *const *names, size_t n_names)
{
    put_blanks(c, t, 1);
    for (uint32_t n = chance_below(c, 8); n > 0; n--) {
        if (chance_in(c, 30))
            put_word(t, "requiressl");
        else
            put_name(c, t, names, n_names);
        put_blanks(c, t, chance_in(c, 6) ? 2 : 0);
        if (!chance_in(c, 100))
            put_byte(t, '=');
        put_blanks(c, t, chance_in(c, 6) ? 2 : 0);
        put_pair_value(c, t, a_value(c));
        if (!chance_in(c, 60))
            put_byte(t, ' ');
        put_blanks(c, t, 1);
    }
}

/* ---- postgresql:// ---- */

static void put_encoded(chance *c, text *t, const char *value)
{
    int careless = chance_in(c, 12);

    for (; *value; value++) {
        int plain = (*value >= 'a' && *value <= 'z') || (*value >= '0' && *value <= '9') || strchr("-._~+/", *value);
        char code[4];

        snprintf(code, sizeof code, chance_in(c, 2) ? "%%%02x" : "%%%02X", (unsigned char)*value);
        if ((plain || careless) && !chance_in(c, 30))
            put_byte(t, *value);
        else
            put_word(t, code);
    }
    if (chance_in(c, 80))
        put_word(t, chance_in(c, 2) ? "%00" : "%4");
}

static void put_host(chance *c, text *t)
{
    static const char *const hosts[] = {"h",         "",       "db.example", "[::1]", "[fe80::1%25eth0]",
                                        "127.0.0.1", "%2Ftmp", "[",          "[]",    "[::1]x"};

    put_word(t, hosts[chance_below(c, chance_in(c, 20) ? 10 : 7)]);
    if (chance_in(c, 2)) {
        put_byte(t, ':');
        put_word(t, chance_in(c, 8) ? "" : chance_in(c, 20) ? "5x" : "5432");
    }
}

static void put_uri_params(chance *c, text *t, const char *const *names, size_t n_names)
{
    put_byte(t, '?');
    for (uint32_t n = chance_below(c, 6); n > 0; n--) {
        if (chance_in(c, 30))
            put_word(t, chance_in(c, 2) ? "ssl=true" : "requiressl=1");
        else {
            if (chance_in(c, 20))
                put_encoded(c, t, names[chance_below(c, (uint32_t)n_names)]);
            else
                put_name(c, t, names, n_names);
            put_blanks(c, t, chance_in(c, 30));
            if (!chance_in(c, 100))
                put_byte(t, '=');
            put_blanks(c, t, chance_in(c, 30));
            put_encoded(c, t, a_value(c));
        }
        if (n > 1 || chance_in(c, 20))
            put_byte(t, '&');
    }
}

static void put_uri(chance *c, text *t, const char *const *names, size_t n_names)
{
    put_word(t, chance_in(c, 2) ? "postgresql://" : chance_in(c, 40) ? "postgres:/" : "postgres://");
    if (chance_in(c, 2)) {
        put_encoded(c, t, a_value(c));
        if (chance_in(c, 2)) {
            put_byte(t, ':');
            put_encoded(c, t, a_value(c));
        }
        put_byte(t, '@');
    }
    do
        put_host(c, t);
    while (chance_in(c, 6) && (put_byte(t, ','), 1));
    if (chance_in(c, 2)) {
        put_byte(t, '/');
        put_encoded(c, t, chance_in(c, 8) ? "" : a_value(c));
    }
    if (!chance_in(c, 4))
        put_uri_params(c, t, names, n_names);
}

/* One byte less, more or another. */
static void spoil(chance *c, char *s)
{
    static const char bytes[] = " ='\"\\%&?@:/,[]#+\n\tx0\x80";
    size_t len = strlen(s), at = chance_below(c, (uint32_t)len + 1);
    char byte = bytes[chance_below(c, sizeof bytes - 1)];

    if (chance_in(c, 3) && at < len)
        memmove(s + at, s + at + 1, len - at);
    else if (chance_in(c, 2) && at < len)
        s[at] = byte;
    else if (len + 2 < STRING_MAX) {
        memmove(s + at + 1, s + at, len - at + 1);
        s[at] = byte;
    }
}

void generate_string(chance *c, const char *const *names, size_t n_names, char out[STRING_MAX])
{
    text t = {out, 0};

    if (chance_in(c, 2))
        put_pairs(c, &t, names, n_names);
    else
        put_uri(c, &t, names, n_names);
    out[t.len] = '\0';
    for (int n = chance_in(c, 5) ? 1 + (int)chance_below(c, 3) : 0; n > 0; n--)
        spoil(c, out);
}
