/* A header that announces 2^31-1 bytes, of every type and in every state, and then nothing: how much does the heap grow?
 * First the session alone, every state against every type; then the whole driver against a server that answers so.
 * Prints "pairs legal_pairs growth" for the session and "conversations growth" for the driver; growth in bytes, the largest. */
#include "bench/figure.h"

#include "proto/session.h"
#include "proto/session_table.h"
#include "test/harness/script_server.h"

/* ---- the session alone ---- */

static void announce(uint8_t header[5], uint8_t type)
{
    header[0] = type;
    memcpy(header + 1, "\x7f\xff\xff\xff", 4);
}

/* What lending by its wish takes beyond one chunk, and what it took itself. */
static long long session_growth(uint8_t state, uint8_t type)
{
    static uint8_t chunk[64 * 1024];
    counted c = {.bytes = 0};
    tusk__session s;
    tusk__event ev;
    uint8_t header[5];
    long long before, growth;

    c.allocator = (tusk_allocator){counted_malloc, counted_realloc, counted_free, &c};
    tusk__session_init(&s, &c.allocator);
    if (tusk__session_reserve(&s, 1) != TUSK_OK)
        die("session", "out of memory");
    before = c.bytes;
    s.ring[0] = TUSK__EXPECT_SYNC;
    s.ring_n = 1;
    s.state = state;
    s.in_login = tusk__expect_is_login((tusk__expect)state);
    s.n_cols = 1;
    tusk__session_lend(&s, chunk, sizeof chunk);
    announce(header, type);
    memcpy(chunk, header, sizeof header);
    tusk__session_recv_ack(&s, sizeof header);
    if (tusk__session_next(&s, &ev, NULL) == TUSK_OK)
        die("session", "takes a message that is not there");
    growth = (long long)tusk__session_wants_cap(&s, sizeof chunk) - (long long)sizeof chunk + c.bytes - before;
    tusk__session_clear(&s);
    return growth;
}

static void all_pairs(void)
{
    long pairs = 0, legal = 0;
    long long growth = 0, most = 0;

    for (unsigned state = 0; state <= TUSK__EXPECT_BROKEN; state++) {
        for (unsigned type = 0; type < 256; type++, pairs++) {
            growth = session_growth((uint8_t)state, (uint8_t)type);
            legal += tusk__session_rule((tusk__expect)state, (uint8_t)type).is_legal;
            most = growth > most ? growth : most;
        }
    }
    printf("%ld %ld %lld\n", pairs, legal, most);
}

/* ---- the whole driver ---- */

/* Which message of ours is answered so, 0 being the startup packet and NO_CUE none; and by which type. Read by the server's
 * thread. */
#define NO_CUE 1
static _Atomic uint8_t cue, liar_type;

static bool lie(unsigned connection, uint8_t type, tusk_str body, tusk__writer *out, void *user)
{
    uint8_t header[5];

    (void)connection;
    (void)body;
    (void)user;
    if (type != cue)
        return false;
    announce(header, liar_type);
    tusk__write_bytes(out, tusk_str_from(header, sizeof header));
    return true;
}

/* First everything is used once, so that what the driver makes once is made. */
static tusk_conn *warmed(tusk_loop *loop, const char *dsn)
{
    tusk_conn *db;

    cue = NO_CUE;
    db = connect_ready(loop, dsn);
    if (tusk_await_free(tusk_exec(db, "select 1", TUSK_NO_PARAMS), NULL) != TUSK_OK ||
        tusk_await_free(tusk_script(db, "select 1"), NULL) != TUSK_OK)
        die("query", "failed");
    return db;
}

static long long conversation(const char *dsn, uint8_t lie_about)
{
    counted c;
    tusk_loop *loop = counted_loop(&c);
    tusk_conn *db = warmed(loop, dsn), *second = NULL;
    tusk_query *q;
    long long before = c.bytes;

    c.peak = before;
    cue = lie_about;
    if (lie_about == 0)
        q = tusk_conn_ready(second = tusk_connect(loop, dsn));
    else
        q = lie_about == 'Q' ? tusk_script(db, "select 1") : tusk_exec(db, "select 1", TUSK_NO_PARAMS);
    for (int i = 0; i < 6; i++)
        if (tusk_loop_turn(loop, 0.002, NULL) != TUSK_OK)
            die("turn", "failed");
    tusk_query_free(q);
    tusk_conn_free(second);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return c.peak - before;
}

static void all_conversations(void)
{
    static const uint8_t cues[] = {0, 'P', 'D', 'B', 'E', 'S', 'Q'};
    static const char types[] = "RSKZEND123CTtnsIGHWdcAVv";
    script_server *server = script_start_echo(lie, NULL);
    char dsn[128];
    long n = 0;
    long long most = 0;

    if (!server)
        die("server", "does not start");
    snprintf(dsn, sizeof dsn, "postgresql://somebody@127.0.0.1:%d/somewhere?sslmode=disable", script_port(server));
    for (size_t i = 0; i < sizeof cues; i++) {
        for (size_t t = 0; t < sizeof types - 1; t++, n++) {
            long long growth;

            liar_type = (uint8_t)types[t];
            growth = conversation(dsn, cues[i]);
            most = growth > most ? growth : most;
        }
    }
    printf("%ld %lld\n", n, most);
    (void)script_stop(server);
}

int main(void)
{
    all_pairs();
    all_conversations();
    return 0;
}
