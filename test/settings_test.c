/* Tests of lib/settings, lib/conninfo and the table: what connection strings mean, what is refused and in which words, that no
 * error ever holds a part of one (D31), and that docs/config.md is what the table prints.
 * The semantics were held against libpq 18's PQconninfoParse() by a program of its own.
 * Read first: lib/settings.h. */
#include <math.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conninfo.h"
#include "lib/settings.h"
#include "proto/message.h"
#include "test/config_world.h"
#include "test/harness/harness.h"
#include "test/harness/print_config.h"

#define N_OF(table) (int)(sizeof(table) / sizeof(table)[0])

static tusk__settings *settings_of(const tusk_config *config)
{
    tusk__settings *s = NULL;
    tusk_error err = {0};

    ck_assert_msg(tusk__settings_read(&world_allocator, &world_sources, config, &s, &err) == TUSK_OK, "%s",
                  err.message);
    ck_assert_int_eq(err.code, TUSK_OK);
    return s;
}

static tusk__settings *settings_of_dsn(const char *dsn)
{
    return settings_of(&(tusk_config){.dsn = dsn});
}

static void text_is(tusk_str text, const char *expected)
{
    ck_assert_str_eq(text.ptr, expected); /* each has its NUL */
    ck_assert_uint_eq(text.len, strlen(expected));
}

/* ---- what is accepted ---------------------------------------------------------------------------------------------------- */

/* Values, decoded: "name=value|…" in the order of the table, of what was given. */
static const struct {
    const char *dsn, *values;
} readable[] = {
    {"", ""},
    {"  \t\n", ""},
    {"host=h", "host=h|"},
    {"host = h port\t=\n5", "host=h|port=5|"},
    {"host=a host=b", "host=b|"},
    {"password='a b'user=u", "user=u|password=a b|"},
    {"password='it\\'s' user=u", "user=u|password=it's|"},
    {"password=a\\ b", "password=a b|"},
    {"password=a\\\\b", "password=a\\b|"},
    {"password=a\\", "password=a|"},
    {"password=a'b", "password=a'b|"},
    {"password='' user=", "user=|password=|"},
    {"user= port=5", "user=port=5|"},
    {"host=h\fport=1\vuser=u\r", "host=h|port=1|user=u|"},
    {"options='-c a=b'", "options=-c a=b|"},
    {"dbname=postgresql://x", "dbname=postgresql://x|"},
    {"sslcert=c", "sslcert=c|"},
    {"requiressl=1", "sslmode=require|"},
    {"requiressl=10", "sslmode=require|"},
    {"requiressl=", "sslmode=prefer|"},
    {"requiressl='0' user=u", "user=u|sslmode=prefer|"},
    {"sslmode=disable requiressl=1", "sslmode=require|"},
    {"postgresql://h?requiressl=1", "host=h|sslmode=require|"},
    {"postgresql://h?require%73sl=%31&user=u", "host=h|user=u|sslmode=require|"},
    {"postgresql://h?requiressl=", "host=h|sslmode=prefer|"},
    {"postgresql://", ""},
    {"postgres://h", "host=h|"},
    {"postgresql://h:1/d", "host=h|port=1|dbname=d|"},
    {"postgresql://u:p@h:1/d", "host=h|port=1|dbname=d|user=u|password=p|"},
    {"postgresql://u@", "user=u|"},
    {"postgresql://:p@", "password=p|"},
    {"postgresql://@h", "host=h|"},
    {"postgresql:///d", "dbname=d|"},
    {"postgresql://h/", "host=h|"},
    {"postgresql://:1", "port=1|"},
    {"postgresql://h:/d", "host=h|dbname=d|"},
    {"postgresql://u:p@q@h", "host=q@h|user=u|password=p|"},
    {"postgresql://u:p:q@h", "host=h|user=u|password=p:q|"},
    {"postgresql://u:p?q@h", "host=h|user=u|password=p?q|"},
    {"postgresql://h/d@e", "host=h|dbname=d@e|"},
    {"postgresql://u%40x:p%3a%2F@h", "host=h|user=u@x|password=p:/|"},
    {"postgresql://a+b:c+d@h/e+f", "host=h|dbname=e+f|user=a+b|password=c+d|"},
    {"postgresql://[::1]:5/d", "host=::1|port=5|dbname=d|"},
    {"postgresql://[fe80::1%25eth0]", "host=fe80::1%eth0|"},
    {"postgresql://%2Frun%2Fpg:5/d", "host=/run/pg|port=5|dbname=d|"},
    {"postgresql:///d?host=/run/pg", "host=/run/pg|dbname=d|"},
    {"postgresql://h?host=g", "host=g|"},
    {"postgresql://h?port=1&port=2", "host=h|port=2|"},
    {"postgresql://h?ssl=true", "host=h|sslmode=require|"},
    {"postgresql://h?s%73l=tru%65", "host=h|sslmode=require|"},
    {"postgresql://h?%75ser=%C3%A4", "host=h|user=\xC3\xA4|"},
    {"postgresql://h?", "host=h|"},
    {"postgresql://h?user=u&", "host=h|user=u|"},
    {"postgresql://h?user=", "host=h|user=|"},
    {"postgresql://h? user = u & port = 5 ", "host=h|port=5|user=u|"},
    {"postgresql://h?options=-c%20a%3Db", "host=h|options=-c a=b|"},
    {"postgresql:// h / d ", "host=h|dbname=d|"},
    {"postgresql://a,b:1,[::1]:2/d", "host=a,b,::1|port=,1,2|dbname=d|"},
    {"postgresql://,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,",
     "host=,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,|port=,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,|"},
};

START_TEST(d32_connection_strings_are_read_as_libpq_does)
{
    tusk_str dsn = tusk_str_of(readable[_i].dsn);
    char *room = malloc(tusk__conninfo_room(dsn)); /* exactly, so that the address sanitizer sees one byte more */
    tusk__param_values values = {0};
    tusk_error err = {0};
    char found[1024] = "";
    size_t len = 0;

    ck_assert_msg(tusk__conninfo_read(dsn, room, &values, &err) == TUSK_OK, "%s: %s", dsn.ptr, err.message);
    for (size_t i = 0; i < TUSK__N_PARAMS; i++)
        if (values.text[i].ptr)
            len +=
                (size_t)snprintf(found + len, sizeof found - len, "%s=%s|", tusk__params[i].name, values.text[i].ptr);
    ck_assert_str_eq(found, readable[_i].values);
    free(room);
}
END_TEST

START_TEST(nothing_given_is_libpqs_default)
{
    const struct passwd *pw = getpwuid(geteuid());
    tusk__settings *s = settings_of(NULL);

    ck_assert_ptr_ne(pw, NULL);
    text_is(s->host, world_sources.socket_folder);
    text_is(s->hostaddr, "");
    text_is(s->hosts[0].port, "5432");
    text_is(s->user, pw->pw_name);
    text_is(s->dbname, pw->pw_name);
    text_is(s->password, "");
    text_is(s->application_name, "");
    text_is(s->options, "");
    text_is(s->sslrootcert, "");
    ck_assert(s->hosts[0].password.len == 0);
    ck_assert_uint_eq(s->hosts[0].port_number, 5432);
    ck_assert_int_eq(s->sslmode, TUSK__SSL_PREFER);
    ck_assert_int_eq(s->channel_binding, TUSK__CHANNEL_BINDING_PREFER);
    ck_assert_uint_eq(s->max_protocol, TUSK__PROTOCOL_3_0);
    ck_assert_uint_eq(s->min_protocol, TUSK__PROTOCOL_3_0);
    ck_assert_int_eq(s->attempt_timeout_us, -1);
    ck_assert_uint_eq(s->scram_max_iterations, 100000);
    ck_assert_uint_eq(tusk__settings_max_requests(&(tusk_config){0}), 16384);
    ck_assert_uint_eq(tusk__settings_max_bytes(&(tusk_config){0}), 256 * 1024 * 1024);
    tusk__settings_unref(s);
}
END_TEST

START_TEST(everything_given_arrives)
{
    tusk__settings *s =
        settings_of_dsn("postgresql://u:p@h:6543/d?hostaddr=10.0.0.1&connect_timeout=7&application_name=a%20b&"
                        "options=-c%20x%3D1&client_encoding=utf-8&sslmode=verify-full&sslrootcert=/r.crt&"
                        "channel_binding=require&min_protocol_version=3.0&max_protocol_version=3.2");

    text_is(s->host, "h");
    text_is(s->hostaddr, "10.0.0.1");
    text_is(s->hosts[0].port, "6543");
    text_is(s->user, "u");
    text_is(s->dbname, "d");
    text_is(s->password, "p");
    text_is(s->application_name, "a b");
    text_is(s->options, "-c x=1");
    text_is(s->sslrootcert, "/r.crt");
    ck_assert(s->hosts[0].password.len > 0);
    ck_assert_uint_eq(s->hosts[0].port_number, 6543);
    ck_assert_int_eq(s->sslmode, TUSK__SSL_VERIFY_FULL);
    ck_assert_int_eq(s->channel_binding, TUSK__CHANNEL_BINDING_REQUIRE);
    ck_assert_uint_eq(s->max_protocol, TUSK__PROTOCOL_3_2);
    ck_assert_uint_eq(s->min_protocol, TUSK__PROTOCOL_3_0);
    ck_assert_int_eq(s->attempt_timeout_us, 7000000);
    tusk__settings_unref(s);
}
END_TEST

static void notice_fn(tusk_conn *conn, const tusk_notice *notice, void *user)
{
    (void)conn, (void)notice, (void)user;
}

static void parameter_fn(tusk_conn *conn, tusk_str name, tusk_str value, void *user)
{
    (void)conn, (void)name, (void)value, (void)user;
}

START_TEST(the_struct_overrides_the_connection_string)
{
    int user_data;
    tusk__settings *s =
        settings_of(&(tusk_config){.dsn = "postgresql://u:p@h:6543/d?hostaddr=10.0.0.1&connect_timeout=7&"
                                          "application_name=a&options=o&sslmode=disable&sslrootcert=/r&"
                                          "channel_binding=disable&max_protocol_version=3.0",
                                   .host = "h2",
                                   .hostaddr = "::1",
                                   .port = "2",
                                   .dbname = "d2",
                                   .user = "u2",
                                   .password = "p2",
                                   .application_name = "a2",
                                   .options = "o2",
                                   .sslmode = "require",
                                   .sslrootcert = "/r2",
                                   .channel_binding = "require",
                                   .max_protocol_version = "latest",
                                   .connect_timeout = 0.25,
                                   .scram_max_iterations = 5000,
                                   .on_notice = notice_fn,
                                   .on_parameter = parameter_fn,
                                   .user_data = &user_data});

    text_is(s->host, "h2");
    text_is(s->hostaddr, "::1");
    text_is(s->hosts[0].port, "2");
    text_is(s->dbname, "d2");
    text_is(s->user, "u2");
    text_is(s->password, "p2");
    text_is(s->application_name, "a2");
    text_is(s->options, "o2");
    text_is(s->sslrootcert, "/r2");
    ck_assert_int_eq(s->sslmode, TUSK__SSL_REQUIRE);
    ck_assert_int_eq(s->channel_binding, TUSK__CHANNEL_BINDING_REQUIRE);
    ck_assert_uint_eq(s->max_protocol, TUSK__PROTOCOL_3_2);
    ck_assert_int_eq(s->connect_timeout_us, 250000);
    ck_assert_uint_eq(s->scram_max_iterations, 5000);
    ck_assert_uint_eq(tusk__settings_max_requests(&(tusk_config){.max_queued_requests = 7}), 7);
    ck_assert_uint_eq(tusk__settings_max_bytes(&(tusk_config){.max_queued_bytes = TUSK_NONE}), UINT64_MAX);
    ck_assert(s->on_notice == notice_fn && s->on_parameter == parameter_fn && s->user_data == &user_data);
    tusk__settings_unref(s);
}
END_TEST

START_TEST(an_empty_string_in_the_struct_is_not_given)
{
    tusk__settings *s = settings_of(&(tusk_config){.dsn = "host=h user=u", .host = "", .user = "", .port = ""});

    text_is(s->host, "h");
    text_is(s->user, "u");
    text_is(s->dbname, "u");
    text_is(s->hosts[0].port, "5432");
    tusk__settings_unref(s);
}
END_TEST

START_TEST(the_dsn_is_copied)
{
    char dsn[] = "host=hhhh user=uuuu";
    tusk__settings *s = settings_of_dsn(dsn);

    memset(dsn, 'x', sizeof dsn - 1);
    text_is(s->host, "hhhh");
    text_is(s->user, "uuuu");
    tusk__settings_unref(s);
}
END_TEST

/* One parameter and what comes of it, as a number. */
static const struct {
    const char *dsn;
    int64_t timeout_us;
} timeouts[] = {
    {"connect_timeout=0", -1},
    {"connect_timeout=-1", -1},
    {"connect_timeout=-2147483648", -1},
    {"connect_timeout=1", 2000000},
    {"connect_timeout=2", 2000000},
    {"connect_timeout=+3", 3000000},
    {"connect_timeout=' 4 '", 4000000},
    {"connect_timeout=0005", 5000000},
    {"connect_timeout=2147483647", 2147483647000000},
};

START_TEST(timeouts_in_strings_are_whole_seconds_as_libpq)
{
    tusk__settings *s = settings_of_dsn(timeouts[_i].dsn);

    ck_assert_int_eq(s->attempt_timeout_us, timeouts[_i].timeout_us);
    tusk__settings_unref(s);
}
END_TEST

/* "host:port/hostaddr " of each. */
static const struct {
    const char *dsn, *hosts;
} lists[] = {
    {"host=a,b,c", "a:5432/ b:5432/ c:5432/ "},
    {"host=a,b,c port=7", "a:7/ b:7/ c:7/ "},
    {"host=a,b,c port=7,,9", "a:7/ b:5432/ c:9/ "},
    {"postgresql://a:1,b:2,[::1]:3/d", "a:1/ b:2/ ::1:3/ "},
    {"host=a,b hostaddr=::1,10.0.0.1", "a:5432/::1 b:5432/10.0.0.1 "},
    {"hostaddr=::1,10.0.0.1 port=1,2", "::1:1/::1 10.0.0.1:2/10.0.0.1 "},
    {"host=a, hostaddr=,10.0.0.1", "a:5432/ 10.0.0.1:5432/10.0.0.1 "},
    {"host=/tmp,@x,a", "/tmp:5432/ @x:5432/ a:5432/ "},
    {"host=/tmp/a@b", "/tmp/a@b:5432/ "},
};

START_TEST(lists_are_split_as_in_libpq)
{
    tusk__settings *s = settings_of_dsn(lists[_i].dsn);
    char text[256] = "";

    for (size_t i = 0; i < s->n_hosts; i++) {
        const tusk__host *h = &s->hosts[i];

        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s:%s/%s ", h->host.ptr, h->port.ptr,
                       h->hostaddr.ptr);
        ck_assert_uint_eq(h->port_number, strtoul(h->port.ptr, NULL, 10));
    }
    ck_assert_str_eq(text, lists[_i].hosts);
    tusk__settings_unref(s);
}
END_TEST

/* What works with one server, or at one of the hosts, is no contradiction. */
START_TEST(what_may_work_is_taken)
{
    static const char *const dsns[] = {
        "host=/s,h channel_binding=require",
        "host=/s hostaddr=127.0.0.1 channel_binding=require",
        "host=h sslmode=allow channel_binding=require sslcertmode=require",
        "host=h sslmode=prefer channel_binding=require",
        "host=h channel_binding=require require_auth=md5,scram-sha-256",
        "host=h channel_binding=require require_auth=!md5",
        "host=/s channel_binding=prefer sslcertmode=allow",
        "host=h sslmode=disable channel_binding=disable require_auth=md5 sslcertmode=disable",
    };

    for (int i = 0; i < N_OF(dsns); i++)
        tusk__settings_unref(settings_of_dsn(dsns[i]));
}
END_TEST

START_TEST(a_timeout_in_the_struct_counts_exactly)
{
    static const struct {
        double seconds;
        int64_t us;
    } rows[] = {{0, 0}, {TUSK_NONE, -1}, {1, 1000000}, {0.001, 1000}, {HUGE_VAL, INT64_MAX}};

    for (int i = 0; i < N_OF(rows); i++) {
        tusk__settings *s = settings_of(&(tusk_config){.dsn = "connect_timeout=9", .connect_timeout = rows[i].seconds});

        ck_assert_int_eq(s->connect_timeout_us, rows[i].us);
        ck_assert_int_eq(s->attempt_timeout_us, i == 0 ? 9000000 : 0); /* the struct's is for all, and instead */
        tusk__settings_unref(s);
    }
}
END_TEST

START_TEST(a_timeout_in_the_struct_is_a_time)
{
    static const double rows[] = {-5, -0.001, -1.5, -HUGE_VAL, NAN};

    for (int i = 0; i < N_OF(rows); i++) {
        tusk__settings *s = NULL;
        tusk_error err = {0};
        tusk_code code =
            tusk__settings_read(&world_allocator, &world_sources, &(tusk_config){.connect_timeout = rows[i]}, &s, &err);

        ck_assert_int_eq(code, TUSK_ERR_CONFIG);
        ck_assert_str_eq(err.message, "connect_timeout must be a number of seconds above 0, or TUSK_NONE");
    }
}
END_TEST

static const struct {
    const char *dsn;
    uint32_t max, min;
} protocols[] = {
    {"min_protocol_version=3.2", TUSK__PROTOCOL_3_2, TUSK__PROTOCOL_3_2},
    {"min_protocol_version=latest", TUSK__PROTOCOL_3_2, TUSK__PROTOCOL_3_2},
    {"min_protocol_version=3.0", TUSK__PROTOCOL_3_0, TUSK__PROTOCOL_3_0},
    {"max_protocol_version=latest", TUSK__PROTOCOL_3_2, TUSK__PROTOCOL_3_0},
    {"max_protocol_version=3.2", TUSK__PROTOCOL_3_2, TUSK__PROTOCOL_3_0},
    {"max_protocol_version=3.0", TUSK__PROTOCOL_3_0, TUSK__PROTOCOL_3_0},
};

START_TEST(protocol_versions_are_as_libpq_18)
{
    tusk__settings *s = settings_of_dsn(protocols[_i].dsn);

    ck_assert_uint_eq(s->max_protocol, protocols[_i].max);
    ck_assert_uint_eq(s->min_protocol, protocols[_i].min);
    tusk__settings_unref(s);
}
END_TEST

static const char *const fine[] = {
    "port=65535",
    "port=' 0001 '",
    "hostaddr=fe80::1%eth0",
    "hostaddr=255.255.255.255 host=",
    "hostaddr=::ffff:1.2.3.4",
    "client_encoding=auto",
    "client_encoding=UTF8",
    "client_encoding=Unicode",
    "client_encoding=",
    "client_encoding=utf_8",
    "sslrootcert=",
    "sslcert=",
    "sslmode=verify-full hostaddr=::1 host=h",
    "target_session_attrs=any load_balance_hosts=disable keepalives=1 sslnegotiation=postgres sslcertmode=disable "
    "sslsni=1",
    "sslcompression=0 gssencmode=disable gssdelegation=0 ssl_min_protocol_version=tlsV1.2 "
    "ssl_max_protocol_version=TLSV1.3",
    "gssencmode=prefer ssl_min_protocol_version='' ssl_max_protocol_version=''",
    "replication='' sslcert=''",
};

START_TEST(these_are_fine)
{
    tusk__settings_unref(settings_of_dsn(fine[_i]));
}
END_TEST

START_TEST(hostaddr_alone_is_the_host_too)
{
    tusk__settings *s = settings_of_dsn("hostaddr=10.1.2.3");

    text_is(s->host, "10.1.2.3");
    text_is(s->hostaddr, "10.1.2.3");
    tusk__settings_unref(s);
}
END_TEST

START_TEST(the_port_is_written_one_way)
{
    tusk__settings *s = settings_of_dsn("port=' +07 '");

    text_is(s->hosts[0].port, "7");
    ck_assert_uint_eq(s->hosts[0].port_number, 7);
    tusk__settings_unref(s);
}
END_TEST

/* ---- what is refused, in which words -------------------------------------------------------------------------------------- */

#define MALFORMED_AT(n, what) "the connection string is malformed at byte " n ": " what
#define NO_EQUALS "what should be a parameter's name has no \"=\" behind it"
#define KEY31 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
#define KEY32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEY33 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define METHODS "password, md5, gss, sspi, scram-sha-256, oauth, none"
#define WEAK_FOR_SYSTEM "sslrootcert=system needs sslmode=verify-full: a weaker one would take anybody's certificate"
#define WEAK_FOR_DIRECT "sslnegotiation=direct needs sslmode=require or stronger: it leaves no way into the clear"
#define SSLMODES "sslmode must be one of: disable, allow, prefer, require, verify-ca, verify-full"

static const struct {
    const char *dsn, *message;
} refused[] = {
    {"nonsense", MALFORMED_AT("1", NO_EQUALS)},
    {"host=h nonsense", MALFORMED_AT("8", NO_EQUALS)},
    {"host h=x", MALFORMED_AT("1", NO_EQUALS)},
    {"host='h", MALFORMED_AT("6", "the quoted value that begins here has no end")},
    {"host='h\\'", MALFORMED_AT("6", "the quoted value that begins here has no end")},
    {"host='h\\", MALFORMED_AT("6", "the quoted value that begins here has no end")},
    {"=x", "unknown parameter at byte 1 of the connection string"},
    {"host=h sslmod=x", "unknown parameter at byte 8 of the connection string; did you mean sslmode?"},
    {"Host=h", "unknown parameter at byte 1 of the connection string; did you mean host?"},
    {"database=d", "unknown parameter at byte 1 of the connection string; did you mean dbname?"},
    {"username=u", "unknown parameter at byte 1 of the connection string; did you mean user?"},
    {"application-name=u", "unknown parameter at byte 1 of the connection string; did you mean application_name?"},
    {"zzzzzzzz=u", "unknown parameter at byte 1 of the connection string"},
    {"postgresql://h?ssl=false", "unknown parameter at byte 16 of the connection string; did you mean sslmode?"},
    {"postgresql://h?uzer=u", "unknown parameter at byte 16 of the connection string; did you mean user?"},
    {"postgresql://h?user", MALFORMED_AT("16", NO_EQUALS)},
    {"postgresql://h?&user=u", MALFORMED_AT("16", NO_EQUALS)},
    {"postgresql://h?user=u=v", MALFORMED_AT("22", "a second \"=\" in one parameter; write %3D")},
    {"postgresql://h?user=%",
     MALFORMED_AT("21", "a \"%\" in the part that begins here is not followed by two hexadecimal digits")},
    {"postgresql://h%4",
     MALFORMED_AT("14", "a \"%\" in the part that begins here is not followed by two hexadecimal digits")},
    {"postgresql://h%4/",
     MALFORMED_AT("14", "a \"%\" in the part that begins here is not followed by two hexadecimal digits")},
    {"postgresql://u%zz@h",
     MALFORMED_AT("14", "a \"%\" in the part that begins here is not followed by two hexadecimal digits")},
    {"postgresql://u:a%00b@h", MALFORMED_AT("16", "the part that begins here holds %00, which cannot be")},
    {"postgresql://h?application_name=%00", MALFORMED_AT("33", "the part that begins here holds %00, which cannot be")},
    {"postgresql://h?us%00er=u", MALFORMED_AT("16", "the part that begins here holds %00, which cannot be")},
    {"postgresql://h/a b", MALFORMED_AT("16", "the part that begins here has a blank inside; write %20")},
    {"postgresql://[::1", MALFORMED_AT("14", "the \"[\" of an IPv6 address has no \"]\"")},
    {"postgresql://[]", MALFORMED_AT("14", "an IPv6 address is empty")},
    {"postgresql://[::1]x", MALFORMED_AT("19", "behind an IPv6 address comes \":\", \"/\", \"?\", \",\" or nothing")},
    {"host=a,b hostaddr=::1,::1,::1", "host has 2 items, but hostaddr 3"},
    {"host=a,b,c port=1,2", "port has 2 items for 3 hosts: one is for all"},
    {"port=1,2", "port has 2 items for 1 hosts: one is for all"},
    {"host=h sslmode=disable channel_binding=require",
     "channel_binding=require needs TLS, which sslmode=disable forbids"},
    {"host=/s channel_binding=require", "channel_binding=require needs TLS, which a Unix-domain socket does not have"},
    {"host=/s,@t sslmode=verify-full channel_binding=require",
     "channel_binding=require needs TLS, which a Unix-domain socket does not have"},
    {"host=h sslmode=disable sslcertmode=require", "sslcertmode=require needs TLS, which sslmode=disable forbids"},
    {"host=/s sslcertmode=require", "sslcertmode=require needs TLS, which a Unix-domain socket does not have"},
    {"host=h require_auth=md5,password channel_binding=require",
     "channel_binding=require needs scram-sha-256, which require_auth does not allow"},
    {"host=h require_auth=!scram-sha-256 channel_binding=require",
     "channel_binding=require needs scram-sha-256, which require_auth does not allow"},
    {"host=h require_auth=gss", "require_auth=gss needs tusk_gssapi(), which the program does not name"},
    {"host=h require_auth=sspi,oauth", "require_auth=sspi,oauth needs tusk_gssapi(), which the program does not name"},
    {"host=h require_auth=!none,!password,!md5,!scram-sha-256,!gss,!sspi",
     "require_auth=!none,!password,!md5,!scram-sha-256,!gss,!sspi needs tusk_oauth(), which the program does not name"},
    {"host=h require_auth=!none,!password,!md5,!scram-sha-256,!gss,!sspi,!oauth",
     "require_auth allows no way of logging in"},
    {"host=a,b hostaddr=::1,x", "hostaddr must be a numeric IPv4 or IPv6 address; give a name as host"},
    {"host=a,b port=1,0", "port must be a number from 1 to 65535"},
    {"postgresql://u:pa@ss@h/d", "host must not contain an @"},
    {"postgresql://u:pa@@ss@h/d", "host must not contain an @"},
    {"postgresql://u:p@a,s@h/d", "host must not contain an @"},
    {"sslmode=verify-full host=a, hostaddr=::1,::1",
     "sslmode=verify-full needs a host: hostaddr says where to connect, not whom to expect there"},
    {"hostaddr=localhost", "hostaddr must be a numeric IPv4 or IPv6 address; give a name as host"},
    {"hostaddr=1.2.3", "hostaddr must be a numeric IPv4 or IPv6 address; give a name as host"},
    {"hostaddr=1.2.3.4%eth0", "hostaddr must be a numeric IPv4 or IPv6 address; give a name as host"},
    {"hostaddr=1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb",
     "hostaddr must be a numeric IPv4 or IPv6 address; give a name as host"},
    {"sslmode=verify-full hostaddr=::1",
     "sslmode=verify-full needs a host: hostaddr says where to connect, not whom to expect there"},
    {"port=0", "port must be a number from 1 to 65535"},
    {"port=65536", "port must be a number from 1 to 65535"},
    {"port=-1", "port must be a number from 1 to 65535"},
    {"port=5432x", "port must be a number from 1 to 65535"},
    {"port=99999999999999999999999", "port must be a number from 1 to 65535"},
    {"port=' '", "port must be a number from 1 to 65535"},
    {"connect_timeout=x", "connect_timeout must be a whole number of seconds"},
    {"connect_timeout=1.5", "connect_timeout must be a whole number of seconds"},
    {"connect_timeout=", "connect_timeout must be a whole number of seconds"},
    {"connect_timeout=2147483648", "connect_timeout must be a whole number of seconds"},
    {"connect_timeout=4294967297", "connect_timeout must be a whole number of seconds"},
    {"sslmode=", SSLMODES},
    {"sslmode=Require", SSLMODES},
    {"sslrootcert=system sslmode=disable", WEAK_FOR_SYSTEM},
    {"sslrootcert=system sslmode=allow", WEAK_FOR_SYSTEM},
    {"sslrootcert=system sslmode=prefer", WEAK_FOR_SYSTEM},
    {"sslrootcert=system sslmode=require", WEAK_FOR_SYSTEM},
    {"sslrootcert=system sslmode=verify-ca", WEAK_FOR_SYSTEM},
    {"sslnegotiation=direct", WEAK_FOR_DIRECT},
    {"sslnegotiation=direct sslmode=disable", WEAK_FOR_DIRECT},
    {"sslnegotiation=direct sslmode=allow host=/tmp", WEAK_FOR_DIRECT},
    {"sslnegotiation=direct sslmode=prefer", WEAK_FOR_DIRECT},
    {"sslnegotiation=x", "sslnegotiation must be one of: postgres, direct"},
    {"sslrootcert=system hostaddr=::1", "sslmode=verify-full needs a host: hostaddr says where to connect, not whom to "
                                        "expect there"},
    {"channel_binding=maybe", "channel_binding must be one of: disable, prefer, require"},
    {"max_protocol_version=3", "max_protocol_version must be one of: 3.0, 3.2, latest"},
    {"max_protocol_version=3.1", "max_protocol_version must be one of: 3.0, 3.2, latest"},
    {"min_protocol_version=", "min_protocol_version must be one of: 3.0, 3.2, latest"},
    {"min_protocol_version=3.2 max_protocol_version=3.0", "min_protocol_version is above max_protocol_version"},
    {"client_encoding=latin1",
     "client_encoding must be UTF8 or auto: this driver speaks UTF-8, and the server converts"},
    {"client_encoding=utf8utf8utf8",
     "client_encoding must be UTF8 or auto: this driver speaks UTF-8, and the server converts"},
    {"target_session_attrs=x",
     "target_session_attrs must be one of: any, read-write, read-only, primary, standby, prefer-standby"},
    {"ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2",
     "ssl_min_protocol_version is above ssl_max_protocol_version"},
    {"sslsni=2", "sslsni must be one of: 0, 1"},
    {"sslcompression=2", "sslcompression must be one of: 0, 1"},
    {"sslcertmode=x", "sslcertmode must be one of: disable, allow, require"},
    {"sslkeylogfile=/k",
     "sslkeylogfile is not supported: what configures a connection must not make it write its keys to a file"},
    {"gssencmode=require", "gssencmode=require is not supported: encryption by GSSAPI is not in this driver; use TLS"},
    {"krbsrvname=billing", "krbsrvname counts for nothing unless the program names tusk_gssapi()"},
    {"gssdelegation=1", "gssdelegation counts for nothing unless the program names tusk_gssapi()"},
    {"ssl_min_protocol_version=tlsv1.1",
     "ssl_min_protocol_version=TLSv1.1 is not supported: it is broken; the least is TLSv1.2"},
    {"ssl_max_protocol_version=TLSv1.4", "ssl_max_protocol_version must be one of: TLSv1.2, TLSv1.3"},
    {"requiressl=1 sslmode=x", SSLMODES},
    {"require_auth=''", "require_auth must not be empty"}, /* libpq then takes no login at all */
    {"require_auth=scram", "require_auth: method 1 is none of " METHODS},
    {"require_auth=MD5", "require_auth: method 1 is none of " METHODS},
    {"require_auth='md5, password'", "require_auth: method 2 is none of " METHODS},
    {"require_auth=md5,", "require_auth: method 2 is none of " METHODS},
    {"require_auth=!", "require_auth: method 1 is none of " METHODS},
    {"require_auth=!!md5", "require_auth: method 1 is none of " METHODS},
    {"require_auth=md5,!password", "require_auth: method 2 has a ! but the ones before it have none"},
    {"require_auth=!md5,!gss,password", "require_auth: method 3 has no ! but the ones before it have"},
    {"require_auth=none,md5,none", "require_auth: method 3 is there twice"},
    {"require_auth=!sspi,!sspi", "require_auth: method 2 is there twice"},
    {"scram_client_key=''", "scram_client_key must be the base64 of 32 bytes"},
    {"scram_client_key=" KEY31 " scram_server_key=" KEY32, "scram_client_key must be the base64 of 32 bytes"},
    {"scram_client_key=" KEY32 " scram_server_key=" KEY33, "scram_server_key must be the base64 of 32 bytes"},
    {"scram_client_key=" KEY32 " scram_server_key=" KEY32 "A", "scram_server_key must be the base64 of 32 bytes"},
    {"scram_client_key='" KEY32 " ' scram_server_key=" KEY32, "scram_client_key must be the base64 of 32 bytes"},
    {"scram_client_key=" KEY32, "scram_client_key and scram_server_key belong together: one is missing"},
    {"scram_server_key=" KEY32 " password=p", "scram_client_key and scram_server_key belong together: one is missing"},
    {"keepalives_idle=''", "keepalives_idle must be a whole number"},
    {"statement_cache_size=-1", "statement_cache_size must be a whole number, 0 or more"},
    {"statement_cache_size=''", "statement_cache_size must be a whole number, 0 or more"},
    {"max_cacheable_statement_size=15k", "max_cacheable_statement_size must be a whole number, 0 or more"},
    {"max_cached_statement_lifetime=-0.5", "max_cached_statement_lifetime must be a number of seconds, 0 or more"},
    {"command_timeout=-1", "command_timeout must be a number of seconds, 0 or more"},
    {"max_cached_statement_lifetime=.", "max_cached_statement_lifetime must be a number of seconds, 0 or more"},
    {"max_cached_statement_lifetime=1e9", "max_cached_statement_lifetime must be a number of seconds, 0 or more"},
    {"max_cached_statement_lifetime=2147483648",
     "max_cached_statement_lifetime must be a number of seconds, 0 or more"},
};

/* In words 0 is off, no bound, for ever; in C it is not given. */
START_TEST(cache_settings_are_asyncpgs)
{
    static const struct {
        tusk_config config;
        int32_t size, max;
        int64_t lifetime_us;
    } rows[] = {
        {{.dsn = ""}, 100, 15360, 300000000},
        {{.dsn = "statement_cache_size=0 max_cacheable_statement_size=0 max_cached_statement_lifetime=0"}, 0, 0, -1},
        {{.dsn = "postgresql://h?max_cached_statement_lifetime=0.0000019"}, 100, 15360, 1},
        {{.dsn = "max_cached_statement_lifetime=.00000001"}, 100, 15360, 1}, /* not for ever */
        {{.dsn = "max_cached_statement_lifetime=2147483647.5"}, 100, 15360, INT64_C(2147483647500000)},
        {{.dsn = "statement_cache_size=7",
          .max_cacheable_statement_size = TUSK_NONE,
          .max_cached_statement_lifetime = TUSK_NONE},
         7,
         0,
         -1},
        {{.dsn = "statement_cache_size=7",
          .statement_cache_size = TUSK_NONE,
          .max_cacheable_statement_size = 9,
          .max_cached_statement_lifetime = 0.25},
         0,
         9,
         250000},
    };
    tusk__settings *s = settings_of(&rows[_i].config);

    ck_assert_int_eq(s->statement_cache_size, rows[_i].size);
    ck_assert_int_eq(s->max_cacheable_statement_size, rows[_i].max);
    ck_assert_int_eq(s->max_cached_statement_lifetime_us, rows[_i].lifetime_us);
    tusk__settings_unref(s);
}
END_TEST

/* Which methods a rule allows, and which of them it names: by the letters n p m g s S o. */
START_TEST(require_auth_is_a_set_of_methods)
{
    static const struct {
        const char *dsn, *allowed, *named;
    } rows[] = {
        {"user=u", "npmgsSo", ""},
        {"require_auth=none", "n", "n"},
        {"require_auth=scram-sha-256,md5", "mS", "mS"},
        {"require_auth=password,gss,sspi,oauth,none", "npgso", "npgso"},
        {"require_auth=!none", "pmgsSo", ""},
        {"require_auth=!password,!md5", "ngsSo", ""},
    };

    for (int i = 0; i < N_OF(rows); i++) {
        tusk__settings *s = settings_of_dsn(rows[i].dsn);

        for (tusk__auth_method m = 0; m < TUSK__N_METHODS; m++) {
            ck_assert_int_eq(tusk__auth_rule_allows(&s->require_auth, m),
                             strchr(rows[i].allowed, "npmgsSo"[m]) != NULL);
            ck_assert_int_eq(tusk__auth_rule_names(&s->require_auth, m), strchr(rows[i].named, "npmgsSo"[m]) != NULL);
        }
        tusk__settings_unref(s);
    }
}
END_TEST

START_TEST(what_is_wrong_is_said_in_one_sentence)
{
    tusk__settings *s = NULL;
    tusk_error err = {0};

    ck_assert_int_eq(
        tusk__settings_read(&world_allocator, &world_sources, &(tusk_config){.dsn = refused[_i].dsn}, &s, &err),
        TUSK_ERR_CONFIG);
    ck_assert_ptr_eq(s, NULL);
    ck_assert_str_eq(err.message, refused[_i].message);
    ck_assert_str_eq(err.sqlstate, "08001");
    ck_assert_str_eq(err.where, "configuration");
    ck_assert_int_eq(world_n_live, 0);
    ck_assert_int_eq(
        tusk__settings_read(&world_allocator, &world_sources, &(tusk_config){.dsn = refused[_i].dsn}, &s, NULL),
        TUSK_ERR_CONFIG);
}
END_TEST

static const struct {
    const char *dsn, *hint;
} near_words[] = {
    {"sslmode=verify_full", "Did you mean verify-full?"},
    {"sslmode=Require", "Did you mean require?"},
    {"sslmode=requires", "Did you mean require?"},
    {"sslmode=true", ""},
    {"sslmode=''", ""},
    {"target_session_attrs=readonly", "Did you mean read-only?"},
    {"target_session_attrs=prefer_standby", "Did you mean prefer-standby?"},
    {"keepalives=2", ""},
    {"require_auth=scram-sha256", "Did you mean scram-sha-256?"},
    {"require_auth=md5,!passwort", ""}, /* the sign comes first */
    {"require_auth=!passwort", "Did you mean password?"},
    {"require_auth=md5,kerberos", ""},
    {"sslmode=ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss", ""},
};

START_TEST(a_word_that_is_nearly_right_has_a_hint)
{
    tusk__settings *s = NULL;
    tusk_error err = {0};

    ck_assert_int_eq(
        tusk__settings_read(&world_allocator, &world_sources, &(tusk_config){.dsn = near_words[_i].dsn}, &s, &err),
        TUSK_ERR_CONFIG);
    ck_assert_str_eq(err.hint, near_words[_i].hint);
}
END_TEST

START_TEST(the_struct_is_judged_likewise)
{
    static const struct {
        tusk_config config;
        const char *message;
    } rows[] = {
        {{.port = "x"}, "port must be a number from 1 to 65535"},
        {{.sslmode = "x"}, SSLMODES},
        {{.host = "a,b", .port = "1,2,3"}, "port has 3 items for 2 hosts: one is for all"},
        {{.scram_max_iterations = -1}, "scram_max_iterations must not be negative"},
        {{.max_queued_requests = -2}, "max_queued_requests must be a number above 0, or TUSK_NONE"},
        {{.max_queued_bytes = -2}, "max_queued_bytes must be a number above 0, or TUSK_NONE"},
    };

    for (int i = 0; i < N_OF(rows); i++) {
        tusk__settings *s = NULL;
        tusk_error err = {0};

        ck_assert_int_eq(tusk__settings_read(&world_allocator, &world_sources, &rows[i].config, &s, &err),
                         TUSK_ERR_CONFIG);
        ck_assert_str_eq(err.message, rows[i].message);
    }
    ck_assert_int_eq(world_n_live, 0);
}
END_TEST

START_TEST(a_foreign_uri_gets_a_hint)
{
    tusk__settings *s = NULL;
    tusk_error err = {0};

    ck_assert_int_eq(
        tusk__settings_read(&world_allocator, &world_sources, &(tusk_config){.dsn = "mysql://h/d"}, &s, &err),
        TUSK_ERR_CONFIG);
    ck_assert_str_eq(err.hint, "A URI begins with postgresql:// or postgres://.");
}
END_TEST

START_TEST(an_error_that_is_already_there_stays)
{
    tusk__settings *s = NULL;
    tusk_error err = {.code = TUSK_ERR_LOST, .message = "first"};

    ck_assert_int_eq(tusk__settings_read(&world_allocator, &world_sources, &(tusk_config){.dsn = "port=x"}, &s, &err),
                     TUSK_ERR_CONFIG);
    ck_assert_int_eq(err.code, TUSK_ERR_LOST);
    ck_assert_str_eq(err.message, "first");
}
END_TEST

/* ---- secrets (D31) -------------------------------------------------------------------------------------------------------- */

static const char secret[] = "s3cr3t-Zq7";

/* Strings of both forms, right and wrong; the secret is put at each place of each. */
static const char *const carriers[] = {
    "",
    "host=h port=5432 user=u password=p sslmode=require",
    "host='h' password='p\\'q' dbname = d options='-c x=y'",
    "port=1 connect_timeout=3 channel_binding=prefer client_encoding=UTF8 max_protocol_version=3.2 hostaddr=::1",
    "sslrootcert=/r target_session_attrs=any min_protocol_version=3.0 application_name=a",
    "sslcert=/c sslkey=/k sslpassword=p sslcertmode=allow",
    "postgresql://u:p@h:5432/d?sslmode=require&connect_timeout=3",
    "postgresql://u%40:p%3d@[::1]:5432/d?hostaddr=::1&port=1",
    "postgresql://[::1]/d?ssl=true&channel_binding=prefer",
    "postgresql://%2Ftmp/d?client_encoding=UTF8&max_protocol_version=3.0&options=-c",
    "postgresql://a,b:1,2/d?password=p",
    "oauth_issuer=https://i/.well-known/x oauth_client_secret=s oauth_scope=a",
};

static void never_called(tusk_token_request *request, void *user)
{
    (void)request, (void)user;
    ck_abort_msg("nobody connects here");
}

static void assert_no_secret(const char *text, const char *dsn)
{
    ck_assert_msg(strstr(text, secret) == NULL, "%s: %s", dsn, text);
}

/* Also where only a part of it could show: cut it in two by what the parsers cut at. */
static void try_config(const char *dsn, const tusk_auth_mechanism *mechanism)
{
    const tusk_auth_mechanism *mechanisms[] = {mechanism, NULL};
    const tusk_config config = {.dsn = dsn, .auth_mechanisms = mechanisms, .on_token = mechanism ? never_called : NULL};
    tusk__settings *s = NULL;
    tusk_error err = {0};

    world_must_be_wiped = secret;
    if (tusk__settings_read(&world_allocator, &world_sources, &config, &s, &err) != TUSK_OK) {
        assert_no_secret(err.message, dsn);
        assert_no_secret(err.where, dsn);
        assert_no_secret(err.detail, dsn);
        assert_no_secret(err.hint, dsn);
    }
    tusk__settings_unref(s);
    world_must_be_wiped = NULL;
}

static void try_with_secret(const char *dsn)
{
    try_config(dsn, NULL);
    if (strstr(dsn, "oauth"))
        try_config(dsn, tusk_oauth());
}

START_TEST(d31_a_secret_at_any_place_is_in_no_error)
{
    static const char *const before[] = {"", " ", "'", "password=", "&password=", "?x=", "%00", "%"};
    static const char *const behind[] = {"", "=", "'", "@", "%zz", "\\", " x"};
    const char *carrier = carriers[_i];
    size_t len = strlen(carrier);
    char dsn[512];

    for (size_t at = 0; at <= len; at++)
        for (int i = 0; i < N_OF(before); i++)
            for (int k = 0; k < N_OF(behind); k++) {
                snprintf(dsn, sizeof dsn, "%.*s%s%s%s%s", (int)at, carrier, before[i], secret, behind[k], carrier + at);
                try_with_secret(dsn);
                dsn[at + strlen(before[i]) + strlen(secret) + strlen(behind[k])] = '\0';
                try_with_secret(dsn);
            }
    ck_assert_int_eq(world_n_live, 0);
}
END_TEST

START_TEST(d31_a_secret_in_any_field_of_the_struct_is_in_no_error)
{
    for (size_t i = 0; i < TUSK__N_PARAMS; i++) {
        tusk_config config = {.dsn = "host=h"};
        tusk__settings *s = NULL;
        tusk_error err = {0};
        const char *text = "s3cr3t-Zq7,";

        if (tusk__params[i].config_offset == TUSK__NO_FIELD)
            continue;
        memcpy((char *)&config + tusk__params[i].config_offset, &text, sizeof text);
        if (tusk__settings_read(&world_allocator, &world_sources, &config, &s, &err) != TUSK_OK)
            assert_no_secret(err.message, tusk__params[i].name);
        tusk__settings_unref(s);
    }
}
END_TEST

START_TEST(the_password_is_wiped_with_the_last_reference)
{
    tusk__settings *s = settings_of_dsn("password=first-Zq7 password=s3cr3t-Zq7"), *other = tusk__settings_ref(s);

    tusk__settings_unref(s);
    ck_assert_int_eq(world_n_live, 1);
    text_is(other->password, secret);
    world_must_be_wiped = "-Zq7"; /* of the one that was overruled too */
    tusk__settings_unref(other);
    world_must_be_wiped = NULL;
    ck_assert_int_eq(world_n_live, 0);
    tusk__settings_unref(NULL);
}
END_TEST

START_TEST(the_password_is_wiped_when_the_rest_is_refused)
{
    tusk__settings *s = NULL;

    world_must_be_wiped = "-Zq7";
    ck_assert_int_eq(tusk__settings_read(&world_allocator, &world_sources,
                                         &(tusk_config){.dsn = "password=s3cr3t-Zq7 port=x"}, &s, NULL),
                     TUSK_ERR_CONFIG);
    ck_assert_int_eq(tusk__settings_read(&world_allocator, &world_sources,
                                         &(tusk_config){.dsn = "password=s3cr3t-Zq7 nonsense"}, &s, NULL),
                     TUSK_ERR_CONFIG);
    world_must_be_wiped = NULL;
    ck_assert_int_eq(world_n_live, 0);
}
END_TEST

START_TEST(every_failing_allocation_is_an_error)
{
    tusk_config config = {.dsn = "postgresql://u:s3cr3t-Zq7@h/d", .application_name = "a"};
    int n = 0;

    world_must_be_wiped = secret;
    for (world_fail_at = 1;; world_fail_at++, n++) {
        tusk__settings *s = NULL;
        tusk_error err = {0};

        world_n_mallocs = 0;
        if (tusk__settings_read(&world_allocator, &world_sources, &config, &s, &err) == TUSK_OK) {
            tusk__settings_unref(s);
            break;
        }
        ck_assert_int_eq(err.code, TUSK_ERR_NOMEM);
        ck_assert_str_eq(err.sqlstate, "53200");
        ck_assert_ptr_eq(s, NULL);
        ck_assert_int_eq(world_n_live, 0);
    }
    world_fail_at = 0;
    world_must_be_wiped = NULL;
    ck_assert_int_eq(n, 3); /* the decoded string, the list of hosts, and the settings */
    ck_assert_int_eq(world_n_live, 0);
}
END_TEST

/* ---- the table ------------------------------------------------------------------------------------------------------------- */

START_TEST(every_row_is_whole_and_found)
{
    for (size_t i = 0; i < TUSK__N_PARAMS; i++) {
        const tusk__param *param = &tusk__params[i];

        ck_assert_ptr_ne(param->name, NULL);
        ck_assert_ptr_eq(tusk__param_find(tusk_str_of(param->name)), param);
        ck_assert_str_eq(tusk__param_nearest(tusk_str_of(param->name)), param->name);
        ck_assert_int_eq(param->kind == TUSK__KIND_CHOICE || param->kind == TUSK__KIND_TLS_VERSION,
                         param->choices != NULL);
        ck_assert(param->offset == TUSK__NO_FIELD || (param->offset > 0 && param->offset < sizeof(tusk__settings)));
        ck_assert_int_eq(param->help == NULL, param->refusal != NULL);
        if (param->help)
            ck_assert(param->fallback || param->shown_default);
        for (size_t k = 0; k < i; k++)
            ck_assert(param->offset == TUSK__NO_FIELD ||
                      param->offset != tusk__params[k].offset); /* two rows, one place */
    }
    ck_assert(tusk__params[TUSK__PARAM_PASSWORD].is_secret);
}
END_TEST

START_TEST(the_page_is_current)
{
    char *printed = NULL, *page = NULL;
    size_t printed_len = 0, page_len = 0;
    FILE *memory = open_memstream(&printed, &printed_len), *file = fopen("docs/config.md", "r");

    ck_assert_ptr_ne(memory, NULL);
    ck_assert_msg(file != NULL, "docs/config.md: run in the root of the source tree");
    print_config(memory);
    fclose(memory);
    page = malloc(printed_len + 2);
    page_len = fread(page, 1, printed_len + 1, file);
    fclose(file);
    page[page_len] = '\0';
    ck_assert_msg(strcmp(printed, page) == 0, "docs/config.md is not what the table prints: make docs");
    free(page);
    free(printed);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("settings");
    TCase *reading = tcase_create("reading"), *refusing = tcase_create("refusing"), *secrets = tcase_create("secrets"),
          *table = tcase_create("table");

    tcase_add_loop_test(reading, d32_connection_strings_are_read_as_libpq_does, 0, N_OF(readable));
    tcase_add_test(reading, nothing_given_is_libpqs_default);
    tcase_add_test(reading, everything_given_arrives);
    tcase_add_test(reading, the_struct_overrides_the_connection_string);
    tcase_add_test(reading, an_empty_string_in_the_struct_is_not_given);
    tcase_add_test(reading, the_dsn_is_copied);
    tcase_add_loop_test(reading, timeouts_in_strings_are_whole_seconds_as_libpq, 0, N_OF(timeouts));
    tcase_add_test(reading, what_may_work_is_taken);
    tcase_add_test(reading, a_timeout_in_the_struct_counts_exactly);
    tcase_add_test(reading, a_timeout_in_the_struct_is_a_time);
    tcase_add_loop_test(reading, protocol_versions_are_as_libpq_18, 0, N_OF(protocols));
    tcase_add_loop_test(reading, these_are_fine, 0, N_OF(fine));
    tcase_add_test(reading, hostaddr_alone_is_the_host_too);
    tcase_add_loop_test(reading, lists_are_split_as_in_libpq, 0, N_OF(lists));
    tcase_add_test(reading, the_port_is_written_one_way);
    suite_add_tcase(suite, reading);

    tcase_add_loop_test(refusing, cache_settings_are_asyncpgs, 0, 7);
    tcase_add_test(refusing, require_auth_is_a_set_of_methods);
    tcase_add_loop_test(refusing, what_is_wrong_is_said_in_one_sentence, 0, N_OF(refused));
    tcase_add_loop_test(refusing, a_word_that_is_nearly_right_has_a_hint, 0, N_OF(near_words));
    tcase_add_test(refusing, the_struct_is_judged_likewise);
    tcase_add_test(refusing, a_foreign_uri_gets_a_hint);
    tcase_add_test(refusing, an_error_that_is_already_there_stays);
    suite_add_tcase(suite, refusing);

    tcase_set_timeout(secrets, 60);
    tcase_add_loop_test(secrets, d31_a_secret_at_any_place_is_in_no_error, 0, N_OF(carriers));
    tcase_add_test(secrets, d31_a_secret_in_any_field_of_the_struct_is_in_no_error);
    tcase_add_test(secrets, the_password_is_wiped_with_the_last_reference);
    tcase_add_test(secrets, the_password_is_wiped_when_the_rest_is_refused);
    tcase_add_test(secrets, every_failing_allocation_is_an_error);
    suite_add_tcase(suite, secrets);

    tcase_add_test(table, every_row_is_whole_and_found);
    tcase_add_test(table, the_page_is_current);
    suite_add_tcase(suite, table);
    return suite;
}
