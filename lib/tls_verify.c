/* Does a certificate name the host that was asked for? And its hash, for channel binding.
 * The chain of signatures is OpenSSL's business. The names are compared here, by rules that can be read on one page.
 * Read first: lib/tls.h; RFC 6125, 6.4; RFC 5280, 4.2.1.6; PostgreSQL docs, libpq, "SSL Support". */
#include <arpa/inet.h>
#include <netinet/in.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "lib/tls.h"
#include "proto/error_set.h"

/* The host in the forms that names are held against. */
typedef struct wanted {
    tusk_str name;
    uint8_t ip[16];
    size_t ip_len;   /* 4, 16, or 0: not an address */
    bool is_address; /* also where inet_pton() does not know the form: no wildcard then */
} wanted;

typedef struct verdict {
    bool is_match;
    bool has_dns, has_ip;  /* alternative names of these kinds */
    const char *malformed; /* what is wrong with a name; NULL: nothing */
    bool no_memory;
    char shown[128]; /* a name that the certificate is for, for the error */
} verdict;

/* ---- names ------------------------------------------------------------------------------------------------------- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* ASCII only, whatever the locale says. */
static bool is_same_name(tusk_str a, tusk_str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

static tusk_str from(tusk_str s, size_t at)
{
    return tusk_str_from(s.ptr + at, s.len - at);
}

/* "*.example.com" is for "db.example.com", neither for "example.com" nor for "a.db.example.com". */
static bool is_wildcard_match(tusk_str pattern, tusk_str host)
{
    const char *dot = host.len > 0 ? memchr(host.ptr, '.', host.len) : NULL;

    if (pattern.len < 3 || pattern.ptr[0] != '*' || pattern.ptr[1] != '.' || !dot || dot == host.ptr)
        return false;
    return is_same_name(from(pattern, 1), from(host, (size_t)(dot - host.ptr)));
}

static bool is_name_match(tusk_str name, const wanted *host)
{
    if (name.len == 0)
        return false;
    return is_same_name(name, host->name) || (!host->is_address && is_wildcard_match(name, host->name));
}

/* A NUL would let "db.example.com\0.evil.test", issued to evil.test, pass for db.example.com wherever C strings are compared
 * (CVE-2009-4034): such a certificate is nobody's. */
static void judge_name(verdict *v, const wanted *host, tusk_str name)
{
    if (name.len > 0 && memchr(name.ptr, '\0', name.len)) {
        v->malformed = "a name in the server's certificate contains a zero byte";
        return;
    }
    if (is_name_match(name, host))
        v->is_match = true;
    if (!v->shown[0])
        tusk__error_copy(v->shown, sizeof v->shown, name);
}

static void judge_ip(verdict *v, const wanted *host, tusk_str ip)
{
    if (ip.len != 4 && ip.len != 16) {
        v->malformed = "an address in the server's certificate is neither IPv4 nor IPv6";
        return;
    }
    if (ip.len == host->ip_len && memcmp(ip.ptr, host->ip, ip.len) == 0)
        v->is_match = true;
    if (!v->shown[0])
        (void)inet_ntop(ip.len == 4 ? AF_INET : AF_INET6, ip.ptr, v->shown, sizeof v->shown);
}

/* ---- the host ---------------------------------------------------------------------------------------------------- */

static size_t parse_ip(tusk_str host, uint8_t out[16])
{
    char text[INET6_ADDRSTRLEN];
    const char *scope = host.len > 0 ? memchr(host.ptr, '%', host.len) : NULL;
    size_t len = scope ? (size_t)(scope - host.ptr) : host.len;

    if (len >= sizeof text || (len > 0 && memchr(host.ptr, '\0', len)))
        return 0;
    if (len > 0)
        memcpy(text, host.ptr, len);
    text[len] = '\0';
    if (!scope && inet_pton(AF_INET, text, out) == 1)
        return 4;
    return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

/* The last label of a name is never a number; "127.1" and "0x7f.1" are addresses to getaddrinfo(). */
bool tusk__tls_is_address(tusk_str host)
{
    uint8_t ip[16];
    size_t label = host.len;

    if (host.len == 0 || memchr(host.ptr, ':', host.len) || parse_ip(host, ip) > 0)
        return true;
    while (label > 0 && host.ptr[label - 1] != '.')
        label--;
    return label < host.len && host.ptr[label] >= '0' && host.ptr[label] <= '9';
}

static wanted wanted_of(tusk_str host)
{
    wanted w = {.name = host, .is_address = tusk__tls_is_address(host)};

    w.ip_len = parse_ip(host, w.ip);
    return w;
}

/* ---- the certificate --------------------------------------------------------------------------------------------- */

static tusk_str asn1_bytes(const ASN1_STRING *s)
{
    int len = ASN1_STRING_length(s);

    return tusk_str_from(ASN1_STRING_get0_data(s), len > 0 ? (size_t)len : 0);
}

/* All of them, also behind a match: a certificate with a malformed name is refused wherever that stands. */
static void judge_alternative_names(verdict *v, const wanted *host, const GENERAL_NAMES *names)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS) {
            v->has_dns = true;
            judge_name(v, host, asn1_bytes(name->d.dNSName));
        } else if (name->type == GEN_IPADD) {
            v->has_ip = true;
            judge_ip(v, host, asn1_bytes(name->d.iPAddress));
        }
    }
}

static void read_alternative_names(verdict *v, const wanted *host, const X509 *certificate)
{
    int where = -1;
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, &where, NULL);

    if (names)
        judge_alternative_names(v, host, names);
    else if (tusk__tls_take_errors().no_memory)
        v->no_memory = true;
    else if (where != -1) /* it is there and cannot be read, or is there twice */
        v->malformed = "the names in the server's certificate cannot be read";
    GENERAL_NAMES_free(names);
}

/* The first common name, as libpq; in UTF-8, whatever it is stored in. */
static void read_common_name(verdict *v, const wanted *host, const X509 *certificate)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int index = subject ? X509_NAME_get_index_by_NID(subject, NID_commonName, -1) : -1;
    unsigned char *text = NULL;
    int len;

    if (index < 0)
        return;
    len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
    if (len >= 0)
        judge_name(v, host, tusk_str_from(text, (size_t)len));
    else if (tusk__tls_take_errors().no_memory)
        v->no_memory = true;
    else
        v->malformed = "the common name in the server's certificate cannot be read";
    OPENSSL_free(text);
}

/* The common name counts only where there is no alternative name of the kind that was asked for: of DNS names for a name, of
 * addresses or DNS names for an address (libpq holds an address against DNS names too). */
static bool uses_common_name(const verdict *v, const wanted *host)
{
    return !v->has_dns && !(host->is_address && v->has_ip);
}

static tusk_code report(const verdict *v, const wanted *host, tusk_error *err)
{
    if (v->no_memory)
        return tusk__tls_explain((tusk__tls_errors){.no_memory = true}, err);
    if (v->malformed)
        return tusk__error_set(err, TUSK_ERR_TLS, NULL, "%s", v->malformed);
    if (v->is_match)
        return TUSK_OK;
    if (!v->shown[0])
        return tusk__error_set(err, TUSK_ERR_TLS, NULL, "the server's certificate names no host");
    return tusk__error_set(err, TUSK_ERR_TLS, NULL, "the certificate is for \"%s\", not for \"" TUSK_STR_FMT "\"",
                           v->shown, TUSK_STR_ARG(host->name));
}

tusk_code tusk__tls_check_host(const X509 *certificate, tusk_str host, tusk_error *err)
{
    wanted w = wanted_of(host);
    verdict v = {0};

    if (host.len == 0)
        return tusk__error_set(err, TUSK_ERR_TLS, NULL, "sslmode=verify-full needs a host name to verify");
    ERR_clear_error();
    read_alternative_names(&v, &w, certificate);
    if (!v.malformed && !v.no_memory && uses_common_name(&v, &w))
        read_common_name(&v, &w, certificate);
    ERR_clear_error();
    return report(&v, &w, err);
}

/* ---- channel binding --------------------------------------------------------------------------------------------- */

/* The hash inside the signature; the PSS kind keeps it in its parameters, which X509_get_signature_info() reads. */
static const EVP_MD *binding_hash(X509 *certificate)
{
    int nid = NID_undef;

    if (X509_get_signature_info(certificate, &nid, NULL, NULL, NULL) != 1)
        return NULL;
    if (nid == NID_md5 || nid == NID_sha1 || nid == NID_md5_sha1)
        return EVP_sha256();
    return nid == NID_undef ? NULL : EVP_get_digestbynid(nid);
}

tusk_code tusk__tls_certificate_hash(X509 *certificate, uint8_t out[64], size_t *len, tusk_error *err)
{
    const EVP_MD *md;
    unsigned n = 0;
    tusk__tls_errors errors;

    _Static_assert(EVP_MAX_MD_SIZE <= 64, "any hash fits");
    *len = 0;
    ERR_clear_error();
    md = binding_hash(certificate);
    errors = tusk__tls_take_errors();
    if (errors.no_memory)
        return tusk__tls_explain(errors, err);
    if (!md)
        return TUSK_OK;
    if (X509_digest(certificate, md, out, &n) != 1)
        return tusk__tls_explain(tusk__tls_take_errors(), err);
    *len = n;
    return TUSK_OK;
}
