/* A reader of one JSON object of which three texts count.
 * The grammar is lib/json.c's. What is wrong is said once, in `wrong`.
 * Read first: lib/oauth_json.h. */
#include "lib/oauth_json.h"

#include "lib/json.h"
#include "proto/error_set.h"

#define DEPTH_MAX 8 /* as libpq: an object of three texts needs 1 */

typedef struct reader {
    tusk__json_cursor c;
    const char *wrong; /* beside the form of JSON */
} reader;

typedef struct wanted {
    tusk_str *text;
    const char *name, *is_twice, *is_other;
} wanted;

static bool fail(reader *r, const char *wrong)
{
    r->wrong = wrong;
    return false;
}

/* The value of a member that counts: it is there once, and a text. */
static bool take_wanted(reader *r, const wanted *w)
{
    if (w->text->ptr)
        return fail(r, w->is_twice);
    if (r->c.p < r->c.end && *r->c.p != '"')
        return fail(r, w->is_other);
    return tusk__json_take_text(&r->c, w->text);
}

static bool take_member(reader *r, const wanted *wanteds, size_t n)
{
    char *begin = r->c.to;
    tusk_str name = {NULL, 0};
    size_t i = 0;

    if (!tusk__json_take_name(&r->c, &name))
        return false;
    while (i < n && !tusk_str_is(name, wanteds[i].name))
        i++;
    r->c.to = begin;
    return i < n ? take_wanted(r, &wanteds[i]) : tusk__json_skip_value(&r->c, 1);
}

static bool read_object(reader *r, tusk__oauth_answer *out)
{
#define WANTED(field, name)                                                                                            \
    {                                                                                                                  \
        &out->field, name, "has two of " name, "has something else than text as " name                                 \
    }
    const wanted wanteds[] = {WANTED(status, "status"), WANTED(scope, "scope"),
                              WANTED(discovery_url, "openid-configuration")};

    tusk__json_skip_blanks(&r->c);
    if (!tusk__json_take_if(&r->c, '{'))
        return fail(r, "is no JSON object");
    for (bool more = tusk__json_enter(&r->c, '}'); more; more = tusk__json_next(&r->c, '}'))
        if (!take_member(r, wanteds, sizeof wanteds / sizeof wanteds[0]))
            return false;
    return tusk__json_take_end(&r->c);
}

tusk_code tusk__oauth_answer_read(tusk_str json, tusk__oauth_answer *out, tusk_error *err)
{
    reader r = {.c = {.p = json.ptr, .end = json.ptr + json.len, .to = out->room, .depth_max = DEPTH_MAX}};
    bool is_read;

    out->status = out->scope = out->discovery_url = (tusk_str){NULL, 0};
    is_read = json.len > sizeof out->room ? fail(&r, "is too long") : read_object(&r, out);
    if (!is_read && !r.wrong)
        r.wrong = r.c.fault == TUSK__JSON_DEEP ? "is nested too deeply" : "is no JSON";
    if (!is_read)
        return tusk__error_set(err, TUSK_ERR_PROTOCOL, NULL, "OAUTHBEARER: the server's answer %s", r.wrong);
    return TUSK_OK;
}
