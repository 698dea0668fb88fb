/* Of one JSON object three texts; the rest is passed over, but has to be JSON.
 * Whatever is wrong is said once, in `wrong`.
 * Read first: lib/oauth_json.h, lib/json.h. */
#include "lib/oauth_json.h"

#include <stdbool.h>

#include "lib/json.h"
#include "proto/error_set.h"

#define DEPTH_MAX 8 /* as libpq: an object of three texts needs 1 */

typedef struct reader {
    tusk__json json;
    char *to; /* where the next text is decoded to: there is room, as none grows by that */
    const char *wrong;
} reader;

typedef struct wanted {
    tusk_str *text;
    const char *name, *is_twice, *is_other;
} wanted;

static bool fail(reader *r, const char *wrong)
{
    if (!r->wrong)
        r->wrong = wrong;
    return false;
}

/* The value of a member that counts: it is there once, and a text. */
static bool take_wanted(reader *r, const wanted *w)
{
    if (w->text->ptr)
        return fail(r, w->is_twice);
    if (tusk__json_type(&r->json) != '"')
        return fail(r, w->is_other);
    if (!tusk__json_text(&r->json, r->to, w->text))
        return false;
    r->to += w->text->len;
    return true;
}

static bool take_member(reader *r, const wanted *wanteds, size_t n)
{
    tusk_str name;
    size_t i = 0;

    if (!tusk__json_text(&r->json, r->to, &name))
        return false;
    while (i < n && !tusk_str_is(name, wanteds[i].name))
        i++;
    if (!tusk__json_colon(&r->json))
        return false;
    return i < n ? take_wanted(r, &wanteds[i]) : tusk__json_skip(&r->json);
}

static void read_object(reader *r, tusk__oauth_answer *out)
{
#define WANTED(field, name)                                                                                            \
    {                                                                                                                  \
        &out->field, name, "has two of " name, "has something else than text as " name                                 \
    }
    const wanted wanteds[] = {WANTED(status, "status"), WANTED(scope, "scope"),
                              WANTED(discovery_url, "openid-configuration")};
    bool is_first = true;

    if (tusk__json_type(&r->json) != '{') {
        fail(r, "is no JSON object");
        return;
    }
    (void)tusk__json_open(&r->json, '{');
    while (tusk__json_more(&r->json, '{', &is_first) && take_member(r, wanteds, sizeof wanteds / sizeof wanteds[0]))
        continue;
    if (!r->wrong && !tusk__json_finish(&r->json))
        fail(r, r->json.wrong == TUSK__JSON_TOO_DEEP ? "is nested too deeply" : "is no JSON");
}

tusk_code tusk__oauth_answer_read(tusk_str json, tusk__oauth_answer *out, tusk_error *err)
{
    reader r = {.json = tusk__json_begin(json, DEPTH_MAX), .to = out->room};

    out->status = out->scope = out->discovery_url = (tusk_str){NULL, 0};
    if (json.len > sizeof out->room)
        fail(&r, "is too long");
    else
        read_object(&r, out);
    if (r.wrong)
        return tusk__error_set(err, TUSK_ERR_PROTOCOL, NULL, "OAUTHBEARER: the server's answer %s", r.wrong);
    return TUSK_OK;
}
