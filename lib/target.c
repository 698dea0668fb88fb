/* What a server must be like, as a table: each value wants one of two properties, or its absence.
 * Read first: lib/target.h. */
#include "lib/target.h"

#include <tusk/server.h>

typedef enum known { UNKNOWN, NO, YES } known;

static known is_on(const tusk__params *params, const char *name)
{
    tusk_str value = tusk__params_get(params, tusk_str_of(name));

    return value.len == 0 ? UNKNOWN : tusk_str_is(value, "on") ? YES : NO;
}

/* Both are reported since 14. One is not enough, as in libpq: a standby's default may say "off". */
static known is_read_only(const tusk__params *params)
{
    known by_default = is_on(params, "default_transaction_read_only");
    known standby = is_on(params, "in_hot_standby");

    if (by_default == UNKNOWN || standby == UNKNOWN)
        return UNKNOWN;
    return by_default == YES || standby == YES ? YES : NO;
}

/* What calls itself older than 9.0, as Redshift's 8.0.2, has no standbys that let anybody in, and no function to ask. */
static bool is_before_hot_standby(const tusk__params *params)
{
    tusk_server_version version = tusk_server_version_of(tusk__params_get(params, tusk_str_of("server_version")));

    return version.num > 0 && version.num < 90000;
}

static known is_standby(const tusk__params *params)
{
    known standby = is_on(params, "in_hot_standby");

    return standby == UNKNOWN && is_before_hot_standby(params) ? NO : standby;
}

static const struct property {
    known (*look)(const tusk__params *params);
    const char *question, *yes;
} read_only = {is_read_only, "show transaction_read_only", "on"},
  standby = {is_standby, "select pg_catalog.pg_is_in_recovery()", "t"};

/* clang-format off */
static const struct target {
    const char *name;
    const struct property *property;
    known wanted;
    const char *complaint;
} targets[] = {
    [TUSK__SESSION_ANY]            = {"any",            NULL,       UNKNOWN, NULL},
    [TUSK__SESSION_READ_WRITE]     = {"read-write",     &read_only, NO,      "session is read-only"},
    [TUSK__SESSION_READ_ONLY]      = {"read-only",      &read_only, YES,     "session is not read-only"},
    [TUSK__SESSION_PRIMARY]        = {"primary",        &standby,   NO,      "server is in hot standby mode"},
    [TUSK__SESSION_STANDBY]        = {"standby",        &standby,   YES,     "server is not in hot standby mode"},
    [TUSK__SESSION_PREFER_STANDBY] = {"prefer-standby", &standby,   YES,     "server is not in hot standby mode"},
};
/* clang-format on */

static tusk__fits fits(const struct target *target, known found)
{
    if (found == UNKNOWN)
        return TUSK__FITS_UNKNOWN;
    return found == target->wanted ? TUSK__FITS : TUSK__FITS_NOT;
}

tusk__fits tusk__target_by_params(tusk__session_attrs wanted, const tusk__params *params)
{
    const struct target *target = &targets[wanted];

    return target->property ? fits(target, target->property->look(params)) : TUSK__FITS;
}

tusk__fits tusk__target_by_answer(tusk__session_attrs wanted, tusk_str answer)
{
    const struct target *target = &targets[wanted];

    return fits(target, tusk_str_is(answer, target->property->yes) ? YES : NO);
}

const char *tusk__target_question(tusk__session_attrs wanted)
{
    return targets[wanted].property->question;
}

const char *tusk__target_complaint(tusk__session_attrs wanted)
{
    return targets[wanted].complaint;
}

const char *tusk__target_name(tusk__session_attrs wanted)
{
    return targets[wanted].name;
}
