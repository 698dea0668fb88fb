/*
 * The scripted server and the echo server, spoken to by a plain socket. What others believe of a driver because of a script
 * must be what the script says.
 * Read first: test/harness/script_server.h.
 */
#include "test/harness/script_server.h"

#include "proto/frame.h"
#include "test/harness/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int dial(const script_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)script_port(server))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static tusk__writer out;

static void begin_client(void)
{
    tusk__writer_init(&out, tusk_allocator_default());
}

static void end_client(void)
{
    tusk__writer_clear(&out);
}

static void flush(int fd)
{
    ck_assert_int_eq(send(fd, out.buf, out.len, MSG_NOSIGNAL), (ssize_t)out.len);
    tusk__writer_cut(&out, 0);
}

static void startup(int fd)
{
    const tusk__startup_param params[] = {{tusk_str_of("user"), tusk_str_of("app")},
                                          {tusk_str_of("database"), tusk_str_of("db")}};

    tusk__startup_message_write(&out, TUSK__PROTOCOL_3_0, params, 2);
    flush(fd);
}

/* Reads to the end, or until so many bytes are there; returns how many. */
static size_t read_bytes(int fd, uint8_t *bytes, size_t size)
{
    size_t len = 0;

    while (len < size) {
        ssize_t n = recv(fd, bytes + len, size - len, 0);

        if (n <= 0)
            break;
        len += (size_t)n;
    }
    return len;
}

/* The types of the messages up to the n-th ReadyForQuery, or to the end. */
static const char *read_types(int fd, int n_ready)
{
    static char types[256];
    static uint8_t bytes[65536];
    size_t len = 0, n = 0;
    tusk_str stream = {(char *)bytes, 0}, body;
    uint8_t type;

    while (n_ready > 0) {
        ssize_t got;

        while (tusk__frame_next(&stream, true, false, &type, &body, NULL) == TUSK_OK && n < sizeof types - 1) {
            types[n++] = (char)type;
            n_ready -= type == 'Z';
        }
        if (n_ready <= 0)
            break;
        got = recv(fd, bytes + len, sizeof bytes - len, 0);
        if (got <= 0)
            break;
        len += (size_t)got;
        stream.len += (size_t)got;
    }
    types[n] = '\0';
    return types;
}

static void stop_well(script_server *server)
{
    const char *wrong = script_stop(server);

    ck_assert_msg(wrong == NULL, "%s", wrong);
}

static void stop_with(script_server *server, const char *words)
{
    const char *wrong = script_stop(server);

    ck_assert_msg(wrong != NULL, "nothing was wrong; expected \"%s\"", words);
    ck_assert_msg(strstr(wrong, words) != NULL, "\"%s\" instead of \"%s\"", wrong, words);
}

START_TEST(a_script_is_played_line_by_line)
{
    script_server *server = script_start("# a login, a statement, a query\n"
                                         "login\n"
                                         "expect parse \"select $1\"\n"
                                         "expect B ; expect execute\n" /* ';' has no meaning here: a word of Bind */
                                         "\n");
    int fd;

    ck_assert_ptr_nonnull(server);
    fd = dial(server);
    startup(fd);
    ck_assert_str_eq(read_types(fd, 1), "RSSSSSSSSSSSSSSSKZ");
    tusk__parse_write(&out, tusk_str_of("s"), tusk_str_of("select $1"), NULL, 0);
    tusk__sync_write(&out);
    flush(fd);
    ck_assert_str_eq(read_types(fd, 1), "");
    close(fd);
    stop_with(server, "line 4, \"expect B ; expect execute\": Sync came instead");
}
END_TEST

START_TEST(a_whole_conversation_goes_well)
{
    script_server *server = script_start("expect startup user=app database=db version=3.0\n"
                                         "send auth ok; ready I\n"
                                         "expect Q \"select 1\"\n"
                                         "send row_description a:23; row 1; row NULL\n"
                                         "3 times send notice S=NOTICE M=\"say it; thrice\"\n"
                                         "expect any\n"); /* which does not come */
    int fd = dial(server);

    startup(fd);
    ck_assert_str_eq(read_types(fd, 1), "RZ");
    tusk__query_write(&out, tusk_str_of("select 1"));
    flush(fd);
    shutdown(fd, SHUT_WR);
    ck_assert_str_eq(read_types(fd, 1), "TDDNNN");
    close(fd);
    stop_with(server, "line 6, \"expect any\": the client has closed");

    server = script_start("login\n"
                          "expect Q \"select 1\"\n"
                          "3 times send notice S=NOTICE M=\"say it\"\n"
                          "send command_complete SELECT 1; ready I\n"
                          "expect terminate\n"
                          "expect eof\n");
    fd = dial(server);
    startup(fd);
    read_types(fd, 1);
    tusk__query_write(&out, tusk_str_of("select 1"));
    flush(fd);
    ck_assert_str_eq(read_types(fd, 1), "NNNCZ");
    tusk__terminate_write(&out);
    flush(fd);
    close(fd);
    stop_well(server);
}
END_TEST

START_TEST(what_does_not_go_as_written_is_told)
{
    static const struct {
        const char *script, *wrong;
    } rows[] = {
        {"expect startup user=other\n", "the startup packet has no user=other"},
        {"expect startup version=3.2\n", "the startup packet has no version=3.2"},
        {"expect ssl\n", "a first packet of code 196608 came instead"},
        {"login\nexpect nothing 20\nexpect nothing 20\nexpect sync\n", "Query came instead"},
        {"login\nexpect Q \"select 2\"\n", "Query came without \"select 2\""},
        {"login\nexpect Q\nexpect Q\n", "the client has closed"},
        {"login\nexpect eof\n", "something came before the end"},
        {"login\nsing\n", "line 2, \"sing\": no such order"},
        {"login\nsend hello\n", "no such message"},
        {"login\nexpect hello\n", "no such message of the client"},
        {"login\nsend row \"a\n", "a quote is not closed"},
        {"login\nexpect Q\nwait until closed\nconnection\nlogin\n", "connection 2 of the script never came"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        script_server *server = script_start(rows[i].script);
        int fd = dial(server);

        startup(fd);
        read_types(fd, 1);
        if (strstr(rows[i].script, "nothing"))
            usleep(100000);
        tusk__query_write(&out, tusk_str_of("select 1"));
        (void)!send(fd, out.buf, out.len, MSG_NOSIGNAL);
        tusk__writer_cut(&out, 0);
        shutdown(fd, SHUT_WR);
        read_types(fd, 1);
        close(fd);
        stop_with(server, rows[i].wrong);
    }
}
END_TEST

START_TEST(a_connection_too_many_is_told)
{
    script_server *server = script_start("expect startup\nclose\n");
    int first = dial(server), second;

    startup(first);
    read_types(first, 1);
    second = dial(server);
    startup(second);
    ck_assert_str_eq(read_types(second, 1), "");
    ck_assert_uint_eq(script_n_accepted(server), 2);
    close(first);
    close(second);
    stop_with(server, "connection 2 came");
}
END_TEST

START_TEST(each_connection_plays_its_section)
{
    script_server *server = script_start("connection\nexpect startup\nsend error S=FATAL C=53300\n"
                                         "connection\n\nlogin\nexpect terminate\n");
    int fd = dial(server);

    startup(fd);
    ck_assert_str_eq(read_types(fd, 1), "E");
    close(fd);
    fd = dial(server);
    startup(fd);
    ck_assert_int_eq(read_types(fd, 1)[0], 'R');
    tusk__terminate_write(&out);
    flush(fd);
    read_types(fd, 1);
    close(fd);
    stop_well(server);
}
END_TEST

START_TEST(answers_to_ssl_request_are_single_bytes)
{
    static const struct {
        const char *line, *bytes;
        size_t len;
    } answers[] = {{"send S", "S", 1}, {"send N", "N", 1}, {"send raw S x:5a00", "SZ\0", 3}, {"send raw E", "E", 1}};

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        char script[100];
        uint8_t bytes[16];
        script_server *server;
        int fd;

        snprintf(script, sizeof script, "expect ssl\n%s\n", answers[i].line);
        server = script_start(script);
        fd = dial(server);
        tusk__ssl_request_write(&out);
        flush(fd);
        ck_assert_uint_eq(read_bytes(fd, bytes, sizeof bytes), answers[i].len);
        ck_assert_mem_eq(bytes, answers[i].bytes, answers[i].len);
        close(fd);
        stop_well(server);
    }
}
END_TEST

START_TEST(a_startup_packet_may_follow_an_ssl_request)
{
    script_server *server = script_start("expect ssl\nsend N\nlogin\n");
    uint8_t answer;
    int fd = dial(server);

    tusk__ssl_request_write(&out);
    flush(fd);
    ck_assert_uint_eq(read_bytes(fd, &answer, 1), 1);
    startup(fd);
    ck_assert_int_eq(read_types(fd, 1)[0], 'R');
    close(fd);
    stop_well(server);
}
END_TEST

START_TEST(the_ways_to_end_differ)
{
    static const struct {
        const char *line;
        int error; /* of recv at the end */
    } ends[] = {{"close", 0}, {"reset", ECONNRESET}, {"half-close\nexpect sync\nclose", 0}};

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char script[100];
        uint8_t byte;
        script_server *server;
        int fd;

        snprintf(script, sizeof script, "expect startup\n%s\nno such order, and never read\n", ends[i].line);
        server = script_start(script);
        fd = dial(server);
        startup(fd);
        errno = 0;
        ck_assert_int_eq(recv(fd, &byte, 1, 0), ends[i].error ? -1 : 0);
        ck_assert_int_eq(errno, ends[i].error);
        tusk__sync_write(&out);
        (void)!send(fd, out.buf, out.len, MSG_NOSIGNAL);
        tusk__writer_cut(&out, 0);
        if (i == 2)
            while (recv(fd, &byte, 1, 0) > 0)
                continue;
        close(fd);
        stop_well(server);
    }
}
END_TEST

START_TEST(slow_bytes_come_in_pieces)
{
    script_server *server = script_start("expect startup\nslow 1 2\nsend auth ok; ready I\n");
    uint8_t bytes[64];
    size_t len = 0;
    int fd = dial(server), n_pieces = 0;
    ssize_t n;

    startup(fd);
    while ((n = recv(fd, bytes + len, sizeof bytes - len, 0)) > 0)
        len += (size_t)n, n_pieces++;
    ck_assert_uint_eq(len, 15);
    ck_assert_int_gt(n_pieces, 3); /* the kernel may glue some */
    close(fd);
    stop_well(server);
}
END_TEST

static void send_cancel(const script_server *server, uint32_t pid, const char *key)
{
    uint8_t byte;
    int fd = dial(server);

    tusk__cancel_request_write(&out, pid, tusk_str_of(key));
    flush(fd);
    ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
    close(fd);
}

START_TEST(a_cancel_takes_no_section_and_is_compared)
{
    static const struct {
        uint32_t pid;
        const char *key, *wrong;
    } rows[] = {{7, "abcd", NULL}, {7, "abce", "another key"}, {8, "abcd", "another key"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        script_server *server = script_start("expect startup\nsend auth ok; key 7 abcd; ready I\n"
                                             "expect Q\ncancel expected\nsend error C=57014; ready I\n"
                                             "connection\nlogin\n");
        int fd = dial(server), second;

        startup(fd);
        read_types(fd, 1);
        tusk__query_write(&out, tusk_str_of("select 1"));
        flush(fd);
        send_cancel(server, rows[i].pid, rows[i].key);
        ck_assert_str_eq(read_types(fd, 1), rows[i].wrong ? "" : "EZ");
        close(fd);
        second = dial(server);
        startup(second);
        ck_assert_int_eq(read_types(second, 1)[0], 'R');
        close(second);
        if (rows[i].wrong)
            stop_with(server, rows[i].wrong);
        else
            stop_well(server);
    }
}
END_TEST

START_TEST(a_cancel_that_nobody_expected_is_told)
{
    script_server *server = script_start("login\nwait until closed\n");
    int fd;

    send_cancel(server, 7, "abcd");
    fd = dial(server);
    startup(fd);
    read_types(fd, 1);
    close(fd);
    stop_with(server, "a CancelRequest for 7 that no section expected");
}
END_TEST

START_TEST(a_stall_ends_with_the_server_or_the_client)
{
    for (int i = 0; i < 2; i++) {
        script_server *server = script_start("expect startup\nstall\n");
        uint8_t byte;
        int fd = dial(server);

        startup(fd);
        ck_assert_int_eq(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
        if (i == 0)
            close(fd);
        while (i == 1 && script_n_accepted(server) == 0)
            usleep(1000);
        stop_well(server);
        if (i == 1)
            close(fd);
    }
}
END_TEST

/* ---- echo ------------------------------------------------------------------------------------------------------------------ */

static void send_extended(int fd, const char *sql, uint16_t format)
{
    const uint32_t type = 23;
    size_t at;

    tusk__parse_write(&out, tusk_str_of(""), tusk_str_of(sql), &type, 1);
    tusk__describe_write(&out, 'S', tusk_str_of(""));
    at = tusk__bind_begin(&out, tusk_str_of(""), tusk_str_of(""), NULL, 1);
    tusk__write_field(&out, tusk_str_from("\0\0\0\1", 4), false);
    tusk__bind_end(&out, at, &format, 1);
    tusk__execute_write(&out, tusk_str_of(""), 0);
    tusk__sync_write(&out);
    flush(fd);
}

START_TEST(the_echo_server_answers_hundreds_at_once)
{
    enum { N = 300 };
    script_server *server = script_start_echo(NULL, NULL);
    int fds[N];

    for (int i = 0; i < N; i++) {
        fds[i] = dial(server);
        startup(fds[i]);
    }
    for (int i = 0; i < N; i++)
        ck_assert_str_eq(read_types(fds[i], 1), "RSSSSSSSSSSSSSSSKZ");
    for (int i = 0; i < N; i++)
        send_extended(fds[i], "select $1", 1);
    for (int i = 0; i < N; i++)
        ck_assert_str_eq(read_types(fds[i], 1), "1tT2DCZ");
    ck_assert_uint_eq(script_n_accepted(server), N);
    for (int i = 0; i < N; i++)
        close(fds[i]);
    stop_well(server);
}
END_TEST

START_TEST(the_echo_server_knows_transactions_and_formats)
{
    static const struct {
        const char *sql, *types;
        char status;
    } rows[] = {{"begin", "CZ", 'T'}, {"select 1", "TDCZ", 'T'}, {"SET x to 1", "CZ", 'T'}, {"COMMIT", "CZ", 'I'}};
    script_server *server = script_start_echo(NULL, NULL);
    int fd = dial(server);
    uint8_t bytes[200];

    startup(fd);
    read_types(fd, 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len;

        tusk__query_write(&out, tusk_str_of(rows[i].sql));
        flush(fd);
        if (i != 1) {
            len = (size_t)recv(fd, bytes, sizeof bytes, 0);
            ck_assert_int_eq(bytes[len - 1], rows[i].status);
        } else {
            ck_assert_str_eq(read_types(fd, 1), rows[i].types);
        }
    }
    for (uint16_t format = 0; format < 2; format++) {
        ssize_t len;

        send_extended(fd, "select $1", format);
        usleep(20000);
        len = recv(fd, bytes, sizeof bytes, 0);
        ck_assert_int_gt(len, 0);
        ck_assert_ptr_nonnull(format ? memmem(bytes, (size_t)len, "\0\0\0\4\0\0\0\1", 8)
                                     : memmem(bytes, (size_t)len, "\0\0\0\1\61", 5));
    }
    close(fd);
    stop_well(server);
}
END_TEST

START_TEST(the_echo_server_may_be_a_process)
{
    script_server *server = script_start_echo_process();
    int fd;

    ck_assert_ptr_nonnull(server);
    fd = dial(server);
    startup(fd);
    ck_assert_str_eq(read_types(fd, 1), "RSSSSSSSSSSSSSSSKZ");
    stop_well(server);
    ck_assert_str_eq(read_types(fd, 1), "");
    close(fd);
}
END_TEST

static bool answer_sync_late(unsigned connection, uint8_t type, tusk_str body, tusk__writer *b, void *user)
{
    unsigned *n_syncs = user;

    (void)connection, (void)body;
    if (type != TUSK__F_SYNC)
        return false;
    ++*n_syncs;
    tusk__error_fields_write(b, TUSK__B_NOTICE_RESPONSE, NULL, 0);
    tusk__ready_for_query_write(b, 'I');
    return true;
}

START_TEST(a_callback_may_answer_instead)
{
    unsigned n_syncs = 0;
    script_server *server = script_start_echo(answer_sync_late, &n_syncs);
    int fd = dial(server);

    startup(fd);
    read_types(fd, 1);
    send_extended(fd, "select $1", 1);
    ck_assert_str_eq(read_types(fd, 1), "1tT2DCNZ");
    close(fd);
    stop_well(server);
    ck_assert_uint_eq(n_syncs, 1);
}
END_TEST

START_TEST(no_descriptor_is_left)
{
    int before = harness_open_fds();
    script_server *server = script_start("login\nwait until closed\n");
    int fd = dial(server);

    startup(fd);
    read_types(fd, 1);
    close(fd);
    stop_well(server);
    server = script_start_echo(NULL, NULL);
    fd = dial(server);
    startup(fd);
    read_types(fd, 1);
    stop_well(server);
    close(fd);
    ck_assert_int_eq(harness_open_fds(), before);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("script_server");
    TCase *tc = tcase_create("script_server");

    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 30);
    tcase_add_checked_fixture(tc, begin_client, end_client);
    tcase_add_test(tc, a_script_is_played_line_by_line);
    tcase_add_test(tc, a_whole_conversation_goes_well);
    tcase_add_test(tc, what_does_not_go_as_written_is_told);
    tcase_add_test(tc, a_connection_too_many_is_told);
    tcase_add_test(tc, each_connection_plays_its_section);
    tcase_add_test(tc, answers_to_ssl_request_are_single_bytes);
    tcase_add_test(tc, a_startup_packet_may_follow_an_ssl_request);
    tcase_add_test(tc, the_ways_to_end_differ);
    tcase_add_test(tc, slow_bytes_come_in_pieces);
    tcase_add_test(tc, a_cancel_takes_no_section_and_is_compared);
    tcase_add_test(tc, a_cancel_that_nobody_expected_is_told);
    tcase_add_test(tc, a_stall_ends_with_the_server_or_the_client);
    tcase_add_test(tc, the_echo_server_answers_hundreds_at_once);
    tcase_add_test(tc, the_echo_server_knows_transactions_and_formats);
    tcase_add_test(tc, the_echo_server_may_be_a_process);
    tcase_add_test(tc, a_callback_may_answer_instead);
    tcase_add_test(tc, no_descriptor_is_left);
    return suite;
}
