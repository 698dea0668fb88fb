/* The question to the catalogue, its answer, and who waits for it.
 * What is known is catalog.c's; whose turn it is on the wire request.c's.
 * Read first: lib/lookup.h. */
#include "lib/lookup.h"

#include <stdio.h>

#include <tusk/array.h>
#include <tusk/server.h>

#include "lib/array.h"
#include "lib/catalog.h"
#include "lib/explain.h"
#include "lib/many.h"
#include "lib/row.h"
#include "lib/stack.h"

/* Of the catalogue's answer. */
#define ANSWER_BYTES_MAX (1024 * 1024)

struct tusk__lookup {
    uint32_t wanted[TUSK__WANTED_MAX];
    int n_wanted, n_asked;          /* … of which the question on the wire has so many */
    tusk_query *query;              /* it is queued, or on the wire; NULL */
    tusk_query *aside, *aside_last; /* who waits, in order; linked by next */
};

/* ---- the question ---- */

/* The types of $1 and all that they are made of, a row for each, and of a composite one for each of its attributes; of one that is not there its OID alone.
 * Every name and operator is the catalogue's own: search_path has no say. The laterals with "offset 0" keep the planner from joining whole
 * catalogues: it does not know how few rows will come. */
#define IS_ARRAY "t.typinput operator(pg_catalog.=) 'pg_catalog.array_in'::pg_catalog.regproc"
#define THE_TYPE                                                                                                       \
    "join lateral (select * from pg_catalog.pg_type x where x.oid operator(pg_catalog.=) r.oid offset 0) t on true "
#define THE_ATTRIBUTES                                                                                                 \
    "(select * from pg_catalog.pg_attribute x where x.attrelid operator(pg_catalog.=) t.typrelid "                     \
    "and t.typtype operator(pg_catalog.=) 'c' and x.attnum operator(pg_catalog.>) 0 and not x.attisdropped offset 0) " \
    "a "
#define QUESTION(range_of_multirange, multiranges, range)                                                              \
    "with recursive reached(oid) as (select o from pg_catalog.unnest($1) o union select p.part from reached "          \
    "r " THE_TYPE "cross join lateral (select t.typelem where " IS_ARRAY " union all select t.typbasetype "            \
    "union all select g.rngsubtype from pg_catalog.pg_range g where g.rngtypid operator(pg_catalog.=) "                \
    "t.oid " range_of_multirange "union all select a.atttypid from " THE_ATTRIBUTES ") p(part) "                       \
    "where p.part operator(pg_catalog.>=) '10000'::pg_catalog.oid) "                                                   \
    "select r.oid, n.nspname, t.typname, case when " IS_ARRAY " then 'a' else t.typtype end, "                         \
    "case when " IS_ARRAY " then t.typelem else coalesce(g.rngsubtype, " range "t.typbasetype) end, "                  \
    "t.typsend operator(pg_catalog.<>) '0'::pg_catalog.oid, t.typreceive operator(pg_catalog.<>) "                     \
    "'0'::pg_catalog.oid, t.typdelim, "                                                                                \
    "a.attname, a.atttypid from (select oid from reached limit 512) r left " THE_TYPE                                  \
    "left join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) t.typnamespace "                              \
    "left join pg_catalog.pg_range g on g.rngtypid operator(pg_catalog.=) t.oid " multiranges                          \
    "left join lateral " THE_ATTRIBUTES "on true order by r.oid, a.attnum"

/* What the columns of an answer are. */
enum {
    COL_OID,
    COL_SCHEMA,
    COL_NAME,
    COL_KIND,
    COL_ELEMENT,
    COL_OUTPUT,
    COL_INPUT,
    COL_DELIMITER,
    COL_ATTRIBUTE,
    COL_ATTRIBUTE_TYPE,
    N_COLS
};

static const char question[] = QUESTION(
    "union all select g.rngtypid from pg_catalog.pg_range g where g.rngmultitypid operator(pg_catalog.=) t.oid ",
    "left join pg_catalog.pg_range m on m.rngmultitypid operator(pg_catalog.=) t.oid ", "m.rngtypid, ");
/* Before PostgreSQL 14 there are no multiranges. */
static const char question_13[] = QUESTION("", "", "");

static tusk_str question_for(const tusk_conn *conn)
{
    int version = tusk_conn_server_version(conn).num;

    return tusk_str_of(version > 0 && version < 140000 ? question_13 : question);
}

/* As text: '{16402,16410}'. */
static void write_wanted(tusk__writer *b, struct tusk__lookup *lookup)
{
    char text[TUSK__LOOKUP_MAX * 11 + 3] = "{";
    size_t len = 1;

    lookup->n_asked = lookup->n_wanted < TUSK__LOOKUP_MAX ? lookup->n_wanted : TUSK__LOOKUP_MAX;
    for (int i = 0; i < lookup->n_asked; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%lu", i ? "," : "", (unsigned long)lookup->wanted[i]);
    text[len++] = '}';
    tusk__write_field(b, tusk_str_from(text, len), false);
}

tusk_code tusk__lookup_encode(tusk_conn *conn, tusk_query *q, const tusk__request *r)
{
    static const uint32_t oids = TUSK_OID_OID_ARRAY;
    tusk_str unnamed = {NULL, 0};
    tusk__writer *b = &conn->out;
    bool is_inside = conn->session.tx_status == 'T';
    size_t at;

    (void)r;
    if (is_inside) {
        q->kind = TUSK__QUERY_LOOKUP_INSIDE;
        q->n_more_syncs = 1;
        q->changes_status = true; /* for a while */
        tusk__write_command(b, "savepoint tusk_lookup");
    }
    tusk__parse_write(b, unnamed, question_for(conn), &oids, 1);
    tusk__describe_write(b, 'S', unnamed);
    at = tusk__message_begin(b, TUSK__F_BIND);
    tusk__write_cstr(b, unnamed);
    tusk__write_cstr(b, unnamed);
    tusk__write_u16(b, 0);
    tusk__bind_params(b, 1);
    write_wanted(b, conn->lookup);
    tusk__bind_end(b, at, NULL, 0);
    tusk__execute_write(b, unnamed, 0);
    tusk__sync_write(b);
    if (is_inside) {
        tusk__write_command(b, "rollback to savepoint tusk_lookup");
        tusk__write_command(b, "release savepoint tusk_lookup");
        tusk__sync_write(b);
    }
    return TUSK_OK;
}

/* ---- the answer ---- */

static bool is_kind(char c)
{
    return c != '\0' && strchr("abcdermp", c) != NULL;
}

/* Without a name: there is none. */
static tusk_type type_of(const tusk_row *row)
{
    tusk_str kind = tusk_get_text(row, COL_KIND);

    if (tusk_is_null(row, COL_NAME))
        return (tusk_type){.oid = tusk_get_oid(row, COL_OID)};
    return (tusk_type){.oid = tusk_get_oid(row, COL_OID),
                       .kind = kind.len == 1 && is_kind(kind.ptr[0]) ? (tusk_type_kind)kind.ptr[0] : TUSK_TYPE_PSEUDO,
                       .name = tusk_get_text(row, COL_NAME),
                       .schema = tusk_get_text(row, COL_SCHEMA),
                       .element = tusk_get_oid(row, COL_ELEMENT),
                       .has_binary_output = tusk_get_bool(row, COL_OUTPUT),
                       .has_binary_input = tusk_get_bool(row, COL_INPUT),
                       .delimiter = tusk_get_char(row, COL_DELIMITER)};
}

static void learn_type(tusk_conn *conn, const tusk_type *type)
{
    if (type->oid && type->name.ptr)
        tusk__catalog_add(conn, type);
    else if (type->oid)
        tusk__catalog_add_missing(conn, type->oid);
}

/* The rows of one type follow each other. attributes: room for all rows. */
static void learn_rows(tusk_conn *conn, tusk_query *q, tusk_type_attribute *attributes)
{
    tusk_type type = {0};
    const uint8_t *body;
    tusk_row row;

    while ((body = tusk__result_next(&q->first, false)) != NULL) {
        tusk__row_init(&row, q, body, N_COLS);
        if (tusk_get_oid(&row, COL_OID) != type.oid) {
            learn_type(conn, &type);
            type = type_of(&row);
            type.attributes = attributes;
        }
        if (!tusk_is_null(&row, COL_ATTRIBUTE))
            attributes[type.n_attributes++] =
                (tusk_type_attribute){tusk_get_text(&row, COL_ATTRIBUTE), tusk_get_oid(&row, COL_ATTRIBUTE_TYPE)};
    }
    learn_type(conn, &type);
}

/* What was asked for and is not known now is not there, or would not be told. */
static void learn_missing(tusk_conn *conn, const struct tusk__lookup *lookup)
{
    for (int i = 0; i < lookup->n_asked; i++)
        if (tusk__catalog_misses(conn, lookup->wanted[i]))
            tusk__catalog_add_missing(conn, lookup->wanted[i]);
}

static void learn(tusk_conn *conn, tusk_query *q, const struct tusk__lookup *lookup)
{
    tusk_type_attribute *attributes = tusk__array_new(conn->allocator, q->first.n_rows, sizeof *attributes);

    if (!attributes)
        return;
    if (tusk_query_n_cols(q) == N_COLS)
        learn_rows(conn, q, attributes);
    conn->allocator->free(attributes, conn->allocator->user);
    if (lookup)
        learn_missing(conn, lookup);
}

/* Would it say the same the next time? A server that is none of PostgreSQL's, or does not let us; not one that is in a failed
 * transaction, or was in a hurry. */
static bool is_final(const tusk_error *err)
{
    return err->code == TUSK_ERR_LIMIT || (err->code == TUSK_ERR_SERVER && (memcmp(err->sqlstate, "42", 2) == 0 ||
                                                                            memcmp(err->sqlstate, "0A", 2) == 0));
}

static bool begin(tusk_conn *conn);

static void drop_first(struct tusk__lookup *lookup, int n)
{
    lookup->n_wanted -= n;
    memmove(lookup->wanted, lookup->wanted + n, (size_t)lookup->n_wanted * sizeof *lookup->wanted);
}

/* What one question had no room for is asked behind it, before anybody is told; unless it could not be asked at all. */
static void looked_up(tusk_query *q, void *user)
{
    tusk_conn *conn = q->conn;
    struct tusk__lookup *lookup = conn->lookup;
    bool is_answered = q->error.code == TUSK_OK || is_final(&q->error);

    (void)user;
    if (q->error.code == TUSK_OK)
        learn(conn, q, lookup);
    else if (is_answered)
        learn_missing(conn, lookup);
    if (q->error.code != TUSK_OK && tusk__loop_logs(conn->loop, TUSK_LOG_DEBUG))
        tusk__loop_log(conn->loop, TUSK_LOG_DEBUG, "%d types could not be looked up: %s", lookup->n_asked,
                       q->error.message);
    drop_first(lookup, is_answered ? lookup->n_asked : lookup->n_wanted);
    lookup->query = NULL;
    if (!begin(conn))
        tusk__lookup_tell(conn);
}

/* ---- what is wanted ---- */

static void want(struct tusk__lookup *lookup, uint32_t oid)
{
    for (int i = 0; i < lookup->n_wanted; i++)
        if (lookup->wanted[i] == oid)
            return;
    if (lookup->n_wanted < TUSK__WANTED_MAX)
        lookup->wanted[lookup->n_wanted++] = oid;
}

static struct tusk__lookup *lookup_of(tusk_conn *conn)
{
    if (!conn->lookup) {
        conn->lookup = conn->allocator->malloc(sizeof *conn->lookup, conn->allocator->user);
        if (conn->lookup)
            memset(conn->lookup, 0, sizeof *conn->lookup);
    }
    return conn->lookup;
}

static void mark(tusk_query *q, tusk__looks looks)
{
    if (!q->lookup)
        q->n_more_syncs++;
    q->lookup |= (uint8_t)looks;
}

void tusk__lookup_unmark(tusk_query *q)
{
    bool was_marked = q->lookup != 0;

    q->lookup &= (uint8_t)~TUSK__LOOKS_UP;
    if (was_marked && !q->lookup)
        q->n_more_syncs--;
}

static void note(tusk_conn *conn, tusk_query *q, uint32_t type, tusk__looks looks)
{
    if (!tusk__catalog_misses(conn, type) || tusk__is_analyze(q) || !lookup_of(conn))
        return;
    want(conn->lookup, type);
    mark(q, looks);
}

/* The rows that came as text are read as that. */
void tusk__lookup_columns(tusk_conn *conn, tusk_query *q, const tusk__desc *desc)
{
    for (int i = 0; desc && i < desc->n_cols; i++)
        if (desc->cols[i].format != 0)
            note(conn, q, desc->cols[i].type, TUSK__LOOKS_UP | TUSK__LOOKS_WAITS);
}

void tusk__lookup_params(tusk_conn *conn, tusk_query *q, const uint32_t *types, size_t n)
{
    for (size_t i = 0; types && i < n; i++)
        note(conn, q, types[i], TUSK__LOOKS_UP);
}

static TUSK_COLD tusk_query *refuse_many(tusk_conn *conn, size_t n)
{
    tusk_query *q = tusk__query_new(conn->loop, conn, TUSK__QUERY_EXEC);

    if (!q)
        return NULL;
    tusk__query_failf(q, TUSK_ERR_LIMIT, NULL, "%zu types are looked up at once, and there are %d at most", n,
                      TUSK_TYPES_MAX)
        ->fate = TUSK_FATE_NOT_SENT;
    tusk__request_submit(conn, q, (tusk_str){NULL, 0}, TUSK_NO_PARAMS);
    return q;
}

/* The caller's own question is a query like others, but that its answer is looked at before he is told. */
tusk_query *tusk_types_look_up(tusk_conn *conn, const uint32_t *oids, size_t n)
{
    tusk_query *q;

    if (!conn)
        return NULL;
    if (n > TUSK_TYPES_MAX)
        return refuse_many(conn, n);
    q = tusk_submit(conn, &(tusk_request){.sql_str = question_for(conn),
                                          .params = TUSK_PARAMS(tusk_array_of_oid(oids, n)),
                                          .text_results = true});
    if (q)
        mark(q, TUSK__LOOKS_LEARNS);
    return q;
}

/* Those that are known by now, by another connection's look-up, are not asked for. */
static void cross_out(tusk_conn *conn, struct tusk__lookup *lookup)
{
    int n = 0;

    for (int i = 0; i < lookup->n_wanted; i++)
        if (tusk__catalog_misses(conn, lookup->wanted[i]))
            lookup->wanted[n++] = lookup->wanted[i];
    lookup->n_wanted = n;
}

/* Is the question on its way, or going to be? */
static bool begin(tusk_conn *conn)
{
    struct tusk__lookup *lookup = conn->lookup;
    tusk_query *q;

    if (!lookup || conn->phase != TUSK__PHASE_READY)
        return false;
    if (!lookup->query)
        cross_out(conn, lookup);
    if (lookup->query || lookup->n_wanted == 0)
        return lookup->query != NULL;
    q = tusk__query_new(conn->loop, conn, TUSK__QUERY_LOOKUP);
    if (!q)
        return false;
    q->held.size = 0; /* of its last use */
    q->text_results = true;
    q->max_result_bytes = ANSWER_BYTES_MAX;
    q->on_done = looked_up;
    lookup->query = q;
    lookup->n_asked = 0; /* of those that come until it is written, too */
    tusk__queue_push_held(conn, q);
    return true;
}

/* ---- who waits ---- */

/* May the caller hear of it before those in front of it are told? Then they do not wait. */
static bool speaks_early(const tusk_query *q)
{
    return tusk__query_is_barrier(q) || q->kind == TUSK__QUERY_MANY || tusk__is_analyze(q);
}

static bool is_on_wire(const tusk_query *q)
{
    return q->stage == TUSK__STAGE_SENT || q->stage == TUSK__STAGE_ENCODED;
}

static bool may_wait(const tusk_conn *conn, const tusk_query *q)
{
    if (q->on_row || q->rows_given || q->error.code != TUSK_OK)
        return false;
    for (const tusk_query *behind = q->next; behind && behind != conn->held; behind = behind->next)
        if (is_on_wire(behind) && speaks_early(behind))
            return false;
    return true;
}

/* Order: who is on the wire behind it is told behind it. */
static void mark_those_behind(const tusk_conn *conn, tusk_query *q)
{
    for (tusk_query *behind = q->next; behind && behind != conn->held; behind = behind->next)
        if (is_on_wire(behind))
            mark(behind, TUSK__LOOKS_WAITS);
}

static void set_aside(tusk_conn *conn, tusk_query *q)
{
    struct tusk__lookup *lookup = conn->lookup;

    q->is_aside = true;
    q->next = NULL;
    if (lookup->aside)
        lookup->aside_last->next = q;
    else
        lookup->aside = q;
    lookup->aside_last = q;
}

/* Its next run asks again, should the look-up fail. */
static void ask_again(tusk_query *q)
{
    if (q->stmt)
        tusk__writer_clear(&q->stmt->frame.bytes);
    for (size_t i = 0; q->kind == TUSK__QUERY_STACK && i < q->batch->n_statements; i++)
        if (q->batch->outcomes[i].stmt)
            tusk__writer_clear(&q->batch->outcomes[i].stmt->frame.bytes);
}

bool tusk__lookup_queues(tusk_conn *conn, tusk_query *q)
{
    if (!conn->lookup || !conn->lookup->aside || q->is_done || q->is_released || q->is_given_up)
        return false;
    set_aside(conn, q);
    return true;
}

bool tusk__lookup_waits(tusk_conn *conn, tusk_query *q)
{
    bool learns = (q->lookup & TUSK__LOOKS_LEARNS) && q->error.code == TUSK_OK && !q->is_done;
    bool looks_up = (q->lookup & TUSK__LOOKS_UP) && q->error.code == TUSK_OK, is_asked = looks_up && begin(conn);

    if (learns)
        learn(conn, q, NULL);
    if (looks_up)
        ask_again(q);
    if (q->is_done || q->is_released || q->is_given_up)
        return false;
    if (!(conn->lookup && conn->lookup->aside) && !(is_asked && (q->lookup & TUSK__LOOKS_WAITS) && may_wait(conn, q)))
        return false;
    mark_those_behind(conn, q);
    (void)tusk__queue_pop(conn);
    q->stage = TUSK__STAGE_OUT;
    set_aside(conn, q);
    return true;
}

void tusk__lookup_let_go(tusk_query *q)
{
    struct tusk__lookup *lookup = q->conn->lookup;
    tusk_query **link = &lookup->aside, *before = NULL;

    for (; *link != q; link = &(*link)->next)
        before = *link;
    *link = q->next;
    if (lookup->aside_last == q)
        lookup->aside_last = before;
    q->next = NULL;
    q->is_aside = false;
}

/* Each of them may end the connection in its callback. */
void tusk__lookup_tell(tusk_conn *conn)
{
    tusk_query *q;

    while (conn->lookup && (q = conn->lookup->aside)) {
        tusk__lookup_let_go(q);
        tusk__query_complete(q);
    }
    if (conn->lookup && !conn->lookup->query && conn->lookup->n_wanted == 0)
        tusk__lookup_free(conn);
}

void tusk__lookup_free(tusk_conn *conn)
{
    if (conn->lookup)
        conn->allocator->free(conn->lookup, conn->allocator->user);
    conn->lookup = NULL;
}
