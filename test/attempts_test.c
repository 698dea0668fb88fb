/* Which attempt is begun when, which wins, and what the error says when none does. Times have lower bounds only, which a slow
 * machine keeps too. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

#include "proto/error_set.h"
#include "test/tls_world.h"

enum { MAX_CALLS = 16, N_FILLERS = 8 };

static struct {
    int n;
    uint32_t ip[MAX_CALLS];
    int64_t us[MAX_CALLS];
} calls;

static int noted_connect(void *ctx, int fd, const struct sockaddr *addr, socklen_t len)
{
    struct sockaddr_in in;

    memcpy(&in, addr, sizeof in);
    if (calls.n < MAX_CALLS) {
        calls.ip[calls.n] = ntohl(in.sin_addr.s_addr);
        calls.us[calls.n++] = tusk_loop_now_us(world.loop);
    }
    return tusk__os_real()->connect(ctx, fd, addr, len);
}

static void open_world(void)
{
    world_open();
    memset(&calls, 0, sizeof calls);
    world.os.connect = noted_connect;
}

static void drain(int fd, int n, void *user)
{
    (void)n, (void)user;
    (void)tls_peer_drain(fd);
}

static uint32_t ip_of(const tusk__address *address)
{
    struct sockaddr_in in;

    memcpy(&in, &address->addr, sizeof in);
    return ntohl(in.sin_addr.s_addr);
}

/* ---- a port that answers nobody: its backlog is full ------------------------------------------------------------- */

static int fillers[N_FILLERS + 1];

static bool open_black_hole(const char *ip, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct pollfd p = {.events = POLLOUT};

    ck_assert_int_eq(inet_pton(AF_INET, ip, &in.sin_addr), 1);
    for (int i = 0; i <= N_FILLERS; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        ck_assert_int_ge(fillers[i], 0);
        if (i == 0) {
            ck_assert_int_eq(bind(fillers[0], (struct sockaddr *)&in, sizeof in), 0);
            ck_assert_int_eq(listen(fillers[0], 0), 0);
        } else {
            (void)connect(fillers[i], (struct sockaddr *)&in, sizeof in);
        }
    }
    p.fd = fillers[N_FILLERS];
    return poll(&p, 1, 100) == 0;
}

static void close_black_hole(void)
{
    for (int i = 0; i <= N_FILLERS; i++)
        (void)close(fillers[i]);
}

static bool is_black(void)
{
    harness_skip("an address that does not answer", "a full backlog refuses here");
    return false;
}

/* The lists are a name's addresses, and hosts: 127.0.0.1 does not answer, 127.0.0.2 does. */
static const char *const lists[] = {"db1", "127.0.0.1,127.0.0.2"};

START_TEST(a_dead_address_costs_a_quarter_of_a_second)
{
    tls_peer *peer = tls_peer_start("127.0.0.2", 0, drain, NULL);
    int64_t begin_us =
        tusk_loop_now_us(world.loop); /* the timer counts from the beginning of a turn, not from the call in it */
    outcome o;

    if (open_black_hole("127.0.0.1", tls_peer_port(peer)) || is_black()) {
        world.ips[0] = "127.0.0.1", world.ips[1] = "127.0.0.2";
        o = reach(settings_of("host=%s port=%u sslmode=disable", lists[_i], (unsigned)tls_peer_port(peer)));
        ck_assert_msg(o.err.code == TUSK_OK, "%s", o.err.message);
        ck_assert_uint_eq(ip_of(&o.address), 0x7f000002);
        ck_assert_int_eq(calls.n, 2);
        ck_assert_uint_eq(calls.ip[0], 0x7f000001);
        ck_assert_int_ge(calls.us[1] - begin_us, TUSK__STAGGER_US);
        hang_up(&o);
    }
    close_black_hole();
    tls_peer_stop(peer);
}
END_TEST

START_TEST(connect_timeout_is_each_attempts_own)
{
    tls_peer *peer = tls_peer_start("127.0.0.2", 0, drain, NULL);
    char detail[128];
    outcome o;

    if (open_black_hole("127.0.0.1", tls_peer_port(peer)) || is_black()) {
        o = reach(settings_of("host=127.0.0.1,127.0.0.3 port=%u sslmode=disable connect_timeout=2",
                              (unsigned)tls_peer_port(peer)));
        check_error(&o.err);
        ck_assert_int_eq(o.err.code, TUSK_ERR_CONNECT); /* which says more, though it came first */
        (void)snprintf(detail, sizeof detail,
                       "Other attempts: 127.0.0.1:%u: no connection within connect_timeout (2 s)",
                       (unsigned)tls_peer_port(peer));
        ck_assert_str_eq(o.err.detail, detail);
    }
    close_black_hole();
    tls_peer_stop(peer);
}
END_TEST

START_TEST(a_refused_address_costs_nothing)
{
    tls_peer *peer = tls_peer_start("127.0.0.3", 0, drain, NULL);
    outcome o = reach(settings_of("host=127.0.0.1,127.0.0.2,127.0.0.3,127.0.0.4 port=%u sslmode=disable",
                                  (unsigned)tls_peer_port(peer)));

    ck_assert_msg(o.err.code == TUSK_OK, "%s", o.err.message);
    ck_assert_int_eq(calls.n, 3); /* in their order, and none behind the one that is reached */
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_uint_eq(calls.ip[i], 0x7f000001 + i);
    hang_up(&o);
    tls_peer_stop(peer);
}
END_TEST

START_TEST(an_unknown_name_is_passed_over)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, drain, NULL);
    outcome o =
        reach(settings_of("host=no.such.host,127.0.0.1 port=%u sslmode=disable", (unsigned)tls_peer_port(peer)));

    ck_assert_msg(o.err.code == TUSK_OK, "%s", o.err.message);
    hang_up(&o);
    tls_peer_stop(peer);
}
END_TEST

static void say_no(int fd, int n, void *user)
{
    (void)n, (void)user;
    if (tls_peer_ssl_request(fd))
        (void)tls_peer_write(fd, "N", 1);
}

/* A server that has no TLS where TLS is a must is an answer: libpq asks no other host either. */
START_TEST(an_answer_ends_the_list)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, say_no, NULL);
    outcome o =
        reach(settings_of("host=127.0.0.2,127.0.0.1,127.0.0.3 port=%u sslmode=require", (unsigned)tls_peer_port(peer)));

    check_error(&o.err);
    ck_assert_str_eq(o.err.message, "the server does not support TLS, but sslmode=require asks for it");
    ck_assert(!tusk_error_is_retriable(&o.err));
    ck_assert_ptr_nonnull(strstr(o.err.detail, "127.0.0.2:"));
    ck_assert_int_eq(calls.n, 2);
    tls_peer_stop(peer);
}
END_TEST

/* ---- load_balance_hosts ------------------------------------------------------------------------------------------ */

static uint64_t next_number;

static int chosen_random(void *ctx, void *buf, size_t len)
{
    (void)ctx;
    ck_assert_uint_eq(len, sizeof next_number);
    memcpy(buf, &next_number, len);
    next_number = next_number / 2 + 1;
    return 0;
}

/* Hosts, and the addresses of a name; the numbers are the loop's, so that a simulation repeats them. */
static const char *const balanced[] = {"127.0.0.1,127.0.0.2,127.0.0.3", "db1"};

START_TEST(every_order_comes_from_the_loops_random_numbers)
{
    bool was_first[4] = {false};
    uint16_t port;
    outcome o;
    tls_peer *peer = tls_peer_start("127.0.0.9", 0, drain, NULL);

    port = tls_peer_port(peer);
    world.os.random = chosen_random;
    world.ips[0] = "127.0.0.1", world.ips[1] = "127.0.0.2", world.ips[2] = "127.0.0.3";
    for (uint64_t n = 0; n < 12; n++) {
        unsigned seen = 0;

        next_number = n;
        calls.n = 0;
        o = reach(
            settings_of("host=%s port=%u sslmode=disable load_balance_hosts=random", balanced[_i], (unsigned)port));
        check_error(&o.err);
        ck_assert_int_eq(calls.n, 3);
        for (int i = 0; i < 3; i++)
            seen |= 1u << (calls.ip[i] & 3);
        ck_assert_uint_eq(seen, 0xe); /* each once */
        was_first[calls.ip[0] & 3] = true;
    }
    ck_assert(was_first[1] && was_first[2] && was_first[3]);
    tls_peer_stop(peer);
}
END_TEST

/* ---- the owner's word -------------------------------------------------------------------------------------------- */

static const struct {
    tusk__verdict verdict;
    int n_reached; /* of db1 with two addresses, then 127.0.0.3 */
} verdicts[] = {{TUSK__NEXT_ADDRESS, 3}, {TUSK__NEXT_HOST, 2}, {TUSK__OTHER_WAY, 1}, {TUSK__GIVE_UP, 1}};

START_TEST(the_verdict_says_what_is_next)
{
    tls_peer *peers[3] = {tls_peer_start("127.0.0.1", 0, drain, NULL)};
    uint16_t port = tls_peer_port(peers[0]);
    tusk_error err = {0}, no = {0};
    outcome o = {0};
    const tusk__attempts_owner owner = {on_reached, on_unreachable, on_unreachable, &o};
    tusk__settings *settings = settings_of("host=db1,127.0.0.3 port=%u sslmode=disable", (unsigned)port);
    tusk__attempts *attempts;
    int n = 0;

    peers[1] = tls_peer_start("127.0.0.2", port, drain, NULL);
    peers[2] = tls_peer_start("127.0.0.3", port, drain, NULL);
    world.ips[0] = "127.0.0.1", world.ips[1] = "127.0.0.2";
    attempts = tusk__attempts_start(world.loop, settings, &owner, &err);
    ck_assert_ptr_nonnull(attempts);
    (void)tusk__error_set(&no, TUSK_ERR_AUTH, NULL, "no");
    for (;; n++) {
        while (o.n_done == n)
            world_turn(1.0);
        if (o.err.code != TUSK_OK)
            break;
        hang_up(&o);
        tusk__attempts_failed(attempts, &no, verdicts[_i].verdict);
    }
    ck_assert_int_eq(n, verdicts[_i].n_reached);
    ck_assert_str_eq(o.err.message, "no");
    ck_assert_int_eq(strlen(o.err.detail) > 0, n > 1);
    tusk__attempts_free(attempts);
    tusk__settings_unref(settings);
    for (int i = 0; i < 3; i++)
        tls_peer_stop(peers[i]);
}
END_TEST

/* ---- parked: reached while the owner is busy with another -------------------------------------------------------- */

static atomic_bool may_answer;

static void say_no_when_told(int fd, int n, void *user)
{
    (void)n, (void)user;
    if (!tls_peer_ssl_request(fd))
        return;
    while (!may_answer)
        (void)usleep(1000);
    (void)tls_peer_write(fd, "N", 1);
    (void)tls_peer_drain(fd);
}

static void say_no_and_stay(int fd, int n, void *user)
{
    say_no(fd, n, user);
    (void)tls_peer_drain(fd);
}

static const struct {
    const char *list;
    tusk__verdict verdict;
    bool is_taken; /* the parked one, behind that verdict about the other */
} parked[] = {
    {"127.0.0.1,127.0.0.2", TUSK__NEXT_ADDRESS, true},
    {"127.0.0.1,127.0.0.2", TUSK__NEXT_HOST, true},
    {"127.0.0.1,127.0.0.2", TUSK__GIVE_UP, true}, /* it comes first in the list, and would have been preferred */
    {"db1", TUSK__NEXT_ADDRESS, true},
    {"db1", TUSK__NEXT_HOST, false},
};

/* Nothing has come of either of the two. */
static void both_are_open(const tusk__attempts *attempts, const char *list, unsigned port)
{
    char *text = tusk__attempts_text(attempts, tusk_allocator_default()), lines[2][64], expected[160];

    for (int i = 0; i < 2; i++)
        if (list[0] == 'd')
            (void)snprintf(lines[i], sizeof lines[i], "db1:%u (127.0.0.%d)", port, i + 1);
        else
            (void)snprintf(lines[i], sizeof lines[i], "127.0.0.%d:%u", i + 1, port);
    ck_assert_ptr_nonnull(text);
    (void)snprintf(expected, sizeof expected, "%s: no answer yet\n%s: no answer yet\n", lines[0], lines[1]);
    ck_assert_str_eq(text, expected);
    free(text);
}

/* The first is slow, the second begins 250 ms later and is reached; then the first is reached too. */
START_TEST(what_is_reached_meanwhile_is_taken_at_once)
{
    tls_peer *peers[2] = {tls_peer_start("127.0.0.1", 0, say_no_when_told, NULL)};
    uint16_t port = tls_peer_port(peers[0]);
    tusk_error err = {0}, no = {0};
    outcome o = {0};
    const tusk__attempts_owner owner = {on_reached, on_unreachable, on_unreachable, &o};
    tusk__settings *settings = settings_of("host=%s port=%u sslmode=prefer", parked[_i].list, (unsigned)port);
    tusk__attempts *attempts;

    peers[1] = tls_peer_start("127.0.0.2", port, say_no_and_stay, NULL);
    world.ips[0] = "127.0.0.1", world.ips[1] = "127.0.0.2";
    may_answer = false;
    attempts = tusk__attempts_start(world.loop, settings, &owner, &err);
    while (o.n_done == 0)
        world_turn(1.0);
    ck_assert_uint_eq(ip_of(&o.address), 0x7f000002);
    both_are_open(attempts, parked[_i].list, port);
    hang_up(&o);
    may_answer = true;
    while (world.n_recv < 2)
        world_turn(1.0);
    ck_assert_int_eq(o.n_done, 1); /* one at a time */
    (void)tusk__error_set(&no, TUSK_ERR_CONNECT, NULL, "no");
    tusk__attempts_failed(attempts, &no, parked[_i].verdict);
    while (o.n_done == 1)
        world_turn(1.0);
    ck_assert_int_eq(o.transport != NULL, parked[_i].is_taken);
    ck_assert(!parked[_i].is_taken || ip_of(&o.address) == 0x7f000001);
    ck_assert_int_eq(calls.n, 2);
    hang_up(&o);
    tusk__attempts_free(attempts);
    tusk__settings_unref(settings);
    for (int i = 0; i < 2; i++)
        tls_peer_stop(peers[i]);
}
END_TEST

/* Behind the first host, which is slow, one of two addresses that will not do: the other one is not asked. */
START_TEST(host_is_dropped_with_all_its_addresses)
{
    tls_peer *peers[2] = {tls_peer_start("127.0.0.1", 0, say_no_when_told, NULL)};
    unsigned port = tls_peer_port(peers[0]);
    tusk_error no = {0};
    outcome o = {0};
    const tusk__attempts_owner owner = {on_reached, on_unreachable, on_unreachable, &o};
    tusk__settings *settings = settings_of("host=127.0.0.1,db1 port=%u sslmode=prefer", port);
    tusk__attempts *attempts;
    char *text, expected[160];

    peers[1] = tls_peer_start("127.0.0.2", (uint16_t)port, say_no_and_stay, NULL);
    world.ips[0] = "127.0.0.2", world.ips[1] = "127.0.0.3";
    may_answer = false;
    attempts = tusk__attempts_start(world.loop, settings, &owner, NULL);
    while (o.n_done == 0)
        world_turn(1.0);
    ck_assert_uint_eq(ip_of(&o.address), 0x7f000002);
    hang_up(&o);
    (void)tusk__error_set(&no, TUSK_ERR_CONNECT, NULL, "no");
    tusk__attempts_failed(attempts, &no, TUSK__NEXT_HOST);
    for (int i = 0; i < 3; i++)
        world_turn(0);
    text = tusk__attempts_text(attempts, tusk_allocator_default());
    (void)snprintf(expected, sizeof expected, "db1:%u (127.0.0.2): no\n127.0.0.1:%u: no answer yet\n", port, port);
    ck_assert_str_eq(text, expected);
    free(text);
    ck_assert_int_eq(calls.n, 2);
    tusk__attempts_free(attempts);
    may_answer = true;
    tusk__settings_unref(settings);
    for (int i = 0; i < 2; i++)
        tls_peer_stop(peers[i]);
}
END_TEST

/* What is over comes first, then what may still come. */
START_TEST(attempts_are_told_while_they_go_on)
{
    tls_peer *peer = tls_peer_start("127.0.0.2", 0, say_no_when_told, NULL);
    unsigned port = tls_peer_port(peer);
    outcome o = {0};
    const tusk__attempts_owner owner = {on_reached, on_unreachable, on_unreachable, &o};
    tusk__settings *settings = settings_of("host=127.0.0.1,127.0.0.2 port=%u sslmode=prefer", port);
    tusk__attempts *attempts;
    char *text, expected[160];

    may_answer = false;
    attempts = tusk__attempts_start(world.loop, settings, &owner, NULL);
    while (world.n_send == 0)
        world_turn(1.0);
    text = tusk__attempts_text(attempts, tusk_allocator_default());
    ck_assert_ptr_nonnull(text);
    (void)snprintf(expected, sizeof expected,
                   "127.0.0.1:%u: could not connect: connection refused\n127.0.0.2:%u: no answer yet\n", port, port);
    ck_assert_str_eq(text, expected);
    free(text);
    tusk__attempts_free(attempts);
    may_answer = true;
    tusk__settings_unref(settings);
    tls_peer_stop(peer);
}
END_TEST

/* world_close() sees that no descriptor is left. */
START_TEST(what_is_parked_is_closed_with_the_list)
{
    tls_peer *peers[2] = {tls_peer_start("127.0.0.1", 0, say_no_when_told, NULL)};
    uint16_t port = tls_peer_port(peers[0]);
    outcome o = {0};
    const tusk__attempts_owner owner = {on_reached, on_unreachable, on_unreachable, &o};
    tusk__settings *settings = settings_of("host=127.0.0.1,127.0.0.2 port=%u sslmode=prefer", (unsigned)port);
    tusk__attempts *attempts;

    peers[1] = tls_peer_start("127.0.0.2", port, say_no_and_stay, NULL);
    may_answer = false;
    attempts = tusk__attempts_start(world.loop, settings, &owner, NULL);
    while (o.n_done == 0)
        world_turn(1.0);
    may_answer = true;
    while (world.n_recv < 2)
        world_turn(1.0);
    tusk__attempts_free(attempts);
    hang_up(&o);
    tusk__settings_unref(settings);
    for (int i = 0; i < 2; i++)
        tls_peer_stop(peers[i]);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *s = suite_create("attempts");
    TCase *t = tcase_create("attempts");

    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, open_world, world_close);
    tcase_add_loop_test(t, a_dead_address_costs_a_quarter_of_a_second, 0, 2);
    tcase_add_test(t, connect_timeout_is_each_attempts_own);
    tcase_add_test(t, a_refused_address_costs_nothing);
    tcase_add_test(t, an_unknown_name_is_passed_over);
    tcase_add_test(t, an_answer_ends_the_list);
    tcase_add_loop_test(t, the_verdict_says_what_is_next, 0, (int)(sizeof verdicts / sizeof verdicts[0]));
    tcase_add_loop_test(t, what_is_reached_meanwhile_is_taken_at_once, 0, (int)(sizeof parked / sizeof parked[0]));
    tcase_add_test(t, host_is_dropped_with_all_its_addresses);
    tcase_add_test(t, attempts_are_told_while_they_go_on);
    tcase_add_test(t, what_is_parked_is_closed_with_the_list);
    tcase_add_loop_test(t, every_order_comes_from_the_loops_random_numbers, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
