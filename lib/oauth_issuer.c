/* From a well-known URL to its issuer: the well-known part taken out, which RFC 8414 puts in front of the path and OpenID Connect
 * behind it.
 * Read first: lib/oauth_issuer.h. */
#include "lib/oauth_issuer.h"

#include <string.h>

#define SCHEME "https://"
#define WELL_KNOWN "/.well-known/"

static const char *const documents[] = {"openid-configuration", "oauth-authorization-server"};

static tusk_str rest_of(tusk_str s, size_t from)
{
    return tusk_str_from(s.ptr + from, s.len - from);
}

static bool starts_with(tusk_str s, const char *text)
{
    size_t len = strlen(text);

    return s.len >= len && memcmp(s.ptr, text, len) == 0;
}

bool tusk__is_https(tusk_str url)
{
    static const char scheme[] = SCHEME;
    size_t i = 0;

    while (i < url.len && scheme[i] &&
           (url.ptr[i] >= 'A' && url.ptr[i] <= 'Z' ? url.ptr[i] | 0x20 : url.ptr[i]) == scheme[i])
        i++;
    return !scheme[i];
}

/* Where the well-known part begins; url.len: nowhere. */
static size_t find_well_known(tusk_str url)
{
    size_t at = 0;

    while (at < url.len && !starts_with(rest_of(url, at), WELL_KNOWN))
        at++;
    return at;
}

bool tusk__is_well_known(tusk_str url)
{
    return find_well_known(url) < url.len;
}

/* The length of the document's name at the start of s, if it is the whole segment; 0: it is none of ours. */
static size_t document_len(tusk_str s)
{
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        size_t len = strlen(documents[i]);

        if (starts_with(s, documents[i]) && (s.len == len || s.ptr[len] == '/'))
            return len;
    }
    return 0;
}

/* Query and fragment are looked for first, so that nothing can hide there. */
const char *tusk__issuer_of_url(tusk_str url, tusk__issuer *out)
{
    size_t begin = find_well_known(url), name = begin + strlen(WELL_KNOWN), end, len;
    const char *path;

    if (!tusk__is_https(url))
        return "must use https; plain http is never taken";
    if (memchr(url.ptr, '?', url.len) || memchr(url.ptr, '#', url.len))
        return "must have no query and no fragment";
    if (begin == url.len)
        return "has no /.well-known/ in it";
    len = document_len(rest_of(url, name));
    if (len == 0)
        return "names neither openid-configuration nor oauth-authorization-server";
    end = name + len;
    path = memchr(url.ptr + strlen(SCHEME), '/', url.len - strlen(SCHEME));
    if (end < url.len && path != url.ptr + begin)
        return "has a path on both sides of its well-known part";
    *out = (tusk__issuer){tusk_str_from(url.ptr, begin), rest_of(url, end)};
    return NULL;
}

bool tusk__issuer_is(const tusk__issuer *issuer, tusk_str name)
{
    size_t front = issuer->front.len;

    return name.len == front + issuer->back.len && memcmp(name.ptr, issuer->front.ptr, front) == 0 &&
           (issuer->back.len == 0 || memcmp(name.ptr + front, issuer->back.ptr, issuer->back.len) == 0);
}
