/* The samples of each type, as data. Values in both formats, as PostgreSQL 18 gives them: text by the type's output function (TimeZone
 * UTC, lc_monetary C), binary by its send function; long ones; and what lies beyond a type's ends, which the server refuses and so do we. NULL has no
 * bytes and no row here: it is asked for of every type. codec_test counts them, codec_live_test asks a server.
 * Read first: test/codec_test.c. */
#ifndef TUSK_TEST_CODEC_CASES_H
#define TUSK_TEST_CODEC_CASES_H

#include <stdlib.h>

#include <tusk/row.h>

#include "lib/codec/types.h"

typedef struct both_formats {
    unsigned type;
    const char *text, *hex;
} both_formats;

/* clang-format off */
static const both_formats both_formats_cases[] = {
    {TUSK_OID_BOOL, "t", "01"},
    {TUSK_OID_BOOL, "f", "00"},
    {TUSK_OID_INT2, "-32768", "8000"},
    {TUSK_OID_INT2, "-1", "ffff"},
    {TUSK_OID_INT2, "0", "0000"},
    {TUSK_OID_INT2, "1", "0001"},
    {TUSK_OID_INT2, "32767", "7fff"},
    {TUSK_OID_INT4, "-2147483648", "80000000"},
    {TUSK_OID_INT4, "-1", "ffffffff"},
    {TUSK_OID_INT4, "0", "00000000"},
    {TUSK_OID_INT4, "7", "00000007"},
    {TUSK_OID_INT4, "2147483647", "7fffffff"},
    {TUSK_OID_INT8, "-9223372036854775808", "8000000000000000"},
    {TUSK_OID_INT8, "-1", "ffffffffffffffff"},
    {TUSK_OID_INT8, "0", "0000000000000000"},
    {TUSK_OID_INT8, "1", "0000000000000001"},
    {TUSK_OID_INT8, "9223372036854775807", "7fffffffffffffff"},
    {TUSK_OID_OID, "0", "00000000"},
    {TUSK_OID_OID, "1", "00000001"},
    {TUSK_OID_OID, "2147483648", "80000000"},
    {TUSK_OID_OID, "4294967295", "ffffffff"},
    {TUSK_OID_TEXT, "", ""},
    {TUSK_OID_TEXT, "a", "61"},
    {TUSK_OID_TEXT, "Grüße, 世界 🐘", "4772c3bcc39f652c20e4b896e7958c20f09f9098"},
    {TUSK_OID_TEXT, "tab\tnew\nline", "746162096e65770a6c696e65"},
    {TUSK_OID_VARCHAR, "varchar", "76617263686172"},
    {TUSK_OID_BPCHAR, "padded  ", "7061646465642020"},
    {TUSK_OID_NAME, "pg_class", "70675f636c617373"},
    {TUSK_OID_JSON, "{\"a\": [1, null]}", "7b2261223a205b312c206e756c6c5d7d"},
    {TUSK_OID_JSONB, "{\"a\": [1, null]}", "017b2261223a205b312c206e756c6c5d7d"},
    {TUSK_OID_JSONB, "null", "016e756c6c"},
    {TUSK_OID_JSONB, "\"ä\"", "0122c3a422"},
    {TUSK_OID_UUID, "00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000"},
    {TUSK_OID_UUID, "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"},
    {TUSK_OID_UUID, "ffffffff-ffff-ffff-ffff-ffffffffffff", "ffffffffffffffffffffffffffffffff"},
    {TUSK_OID_FLOAT4, "0", "00000000"},
    {TUSK_OID_FLOAT4, "-0", "80000000"},
    {TUSK_OID_FLOAT4, "1", "3f800000"},
    {TUSK_OID_FLOAT4, "-1.5", "bfc00000"},
    {TUSK_OID_FLOAT4, "0.1", "3dcccccd"},
    {TUSK_OID_FLOAT4, "3.4028235e+38", "7f7fffff"},
    {TUSK_OID_FLOAT4, "-3.4028235e+38", "ff7fffff"},
    {TUSK_OID_FLOAT4, "1.1754944e-38", "00800000"},
    {TUSK_OID_FLOAT4, "1e-45", "00000001"},
    {TUSK_OID_FLOAT4, "1.1754942e-38", "007fffff"},
    {TUSK_OID_FLOAT4, "Infinity", "7f800000"},
    {TUSK_OID_FLOAT4, "-Infinity", "ff800000"},
    {TUSK_OID_FLOAT4, "NaN", "7fc00000"},
    {TUSK_OID_FLOAT4, "123456", "47f12000"},
    {TUSK_OID_FLOAT4, "1e+06", "49742400"},
    {TUSK_OID_FLOAT4, "0.0001", "38d1b717"},
    {TUSK_OID_FLOAT4, "1e-05", "3727c5ac"},
    {TUSK_OID_FLOAT4, "1.6777216e+07", "4b800000"},
    {TUSK_OID_FLOAT4, "8.589935e+09", "50000000"},
    {TUSK_OID_FLOAT8, "0", "0000000000000000"},
    {TUSK_OID_FLOAT8, "-0", "8000000000000000"},
    {TUSK_OID_FLOAT8, "1", "3ff0000000000000"},
    {TUSK_OID_FLOAT8, "-1.5", "bff8000000000000"},
    {TUSK_OID_FLOAT8, "0.1", "3fb999999999999a"},
    {TUSK_OID_FLOAT8, "0.30000000000000004", "3fd3333333333334"},
    {TUSK_OID_FLOAT8, "1.7976931348623157e+308", "7fefffffffffffff"},
    {TUSK_OID_FLOAT8, "-1.7976931348623157e+308", "ffefffffffffffff"},
    {TUSK_OID_FLOAT8, "2.2250738585072014e-308", "0010000000000000"},
    {TUSK_OID_FLOAT8, "2.225073858507201e-308", "000fffffffffffff"},
    {TUSK_OID_FLOAT8, "5e-324", "0000000000000001"},
    {TUSK_OID_FLOAT8, "Infinity", "7ff0000000000000"},
    {TUSK_OID_FLOAT8, "-Infinity", "fff0000000000000"},
    {TUSK_OID_FLOAT8, "NaN", "7ff8000000000000"},
    {TUSK_OID_FLOAT8, "123456789012345", "42dc12218377de40"},
    {TUSK_OID_FLOAT8, "1e+15", "430c6bf526340000"},
    {TUSK_OID_FLOAT8, "0.0001", "3f1a36e2eb1c432d"},
    {TUSK_OID_FLOAT8, "1e-05", "3ee4f8b588e368f1"},
    {TUSK_OID_FLOAT8, "9.007199254740992e+15", "4340000000000000"},
    {TUSK_OID_FLOAT8, "9.999999999999999e+22", "44b52d02c7e14af6"},
    {TUSK_OID_FLOAT8, "9.999999999999999e+22", "44b52d02c7e14af6"},
    {TUSK_OID_FLOAT8, "2e-44", "36dc8b8218854567"},
    {TUSK_OID_FLOAT8, "5.684341886080802e-14", "3d30000000000000"},
    {TUSK_OID_FLOAT8, "9.5367431640625e-07", "3eb0000000000000"},
    {TUSK_OID_FLOAT8, "123.456", "405edd2f1a9fbe77"},
    {TUSK_OID_FLOAT8, "100", "4059000000000000"},
    {TUSK_OID_FLOAT8, "1e+100", "54b249ad2594c37d"},
    {TUSK_OID_FLOAT8, "-2.5e-07", "be90c6f7a0b5ed8d"},
    {TUSK_OID_DATE, "4714-11-24 BC", "ffda97a7"},
    {TUSK_OID_DATE, "0001-12-31 BC", "fff4dbf8"},
    {TUSK_OID_DATE, "0001-01-01", "fff4dbf9"},
    {TUSK_OID_DATE, "0044-03-15 BC", "fff49d7b"},
    {TUSK_OID_DATE, "1582-10-15", "fffdacc0"},
    {TUSK_OID_DATE, "1970-01-01", "ffffd533"},
    {TUSK_OID_DATE, "1999-12-31", "ffffffff"},
    {TUSK_OID_DATE, "2000-01-01", "00000000"},
    {TUSK_OID_DATE, "2000-02-29", "0000003b"},
    {TUSK_OID_DATE, "2024-02-29", "00002279"},
    {TUSK_OID_DATE, "2100-03-01", "00008ee8"},
    {TUSK_OID_DATE, "9999-12-31", "002c95d3"},
    {TUSK_OID_DATE, "10000-01-01", "002c95d4"},
    {TUSK_OID_DATE, "5874897-12-31", "7fda970c"},
    {TUSK_OID_DATE, "infinity", "7fffffff"},
    {TUSK_OID_DATE, "-infinity", "80000000"},
    {TUSK_OID_TIMESTAMP, "4714-11-24 00:00:00 BC", "fd0f7cc1411fa000"},
    {TUSK_OID_TIMESTAMP, "0001-12-31 23:59:59.999999 BC", "ff1fe2ffc59c5fff"},
    {TUSK_OID_TIMESTAMP, "0001-01-01 00:00:00", "ff1fe2ffc59c6000"},
    {TUSK_OID_TIMESTAMP, "1999-12-31 23:59:59.999999", "ffffffffffffffff"},
    {TUSK_OID_TIMESTAMP, "2000-01-01 00:00:00", "0000000000000000"},
    {TUSK_OID_TIMESTAMP, "2000-01-01 00:00:00.000001", "0000000000000001"},
    {TUSK_OID_TIMESTAMP, "2024-02-29 12:34:56.5", "0002b583416e1d20"},
    {TUSK_OID_TIMESTAMP, "2024-02-29 12:34:56.123456", "0002b58341685e40"},
    {TUSK_OID_TIMESTAMP, "294276-12-31 23:59:59.999999", "7fffff5bb3b29fff"},
    {TUSK_OID_TIMESTAMP, "infinity", "7fffffffffffffff"},
    {TUSK_OID_TIMESTAMP, "-infinity", "8000000000000000"},
    {TUSK_OID_TIMESTAMPTZ, "4714-11-24 00:00:00+00 BC", "fd0f7cc1411fa000"},
    {TUSK_OID_TIMESTAMPTZ, "0001-12-31 23:59:59.999999+00 BC", "ff1fe2ffc59c5fff"},
    {TUSK_OID_TIMESTAMPTZ, "1970-01-01 00:00:00+00", "fffca2fec4c82000"},
    {TUSK_OID_TIMESTAMPTZ, "2000-01-01 00:00:00+00", "0000000000000000"},
    {TUSK_OID_TIMESTAMPTZ, "2024-02-29 12:34:56.12+00", "0002b583416850c0"},
    {TUSK_OID_TIMESTAMPTZ, "294276-12-31 23:59:59.999999+00", "7fffff5bb3b29fff"},
    {TUSK_OID_TIMESTAMPTZ, "infinity", "7fffffffffffffff"},
    {TUSK_OID_TIMESTAMPTZ, "-infinity", "8000000000000000"},
    {TUSK_OID_NUMERIC, "0", "0000000000000000"},
    {TUSK_OID_NUMERIC, "0.00", "0000000000000002"},
    {TUSK_OID_NUMERIC, "1", "00010000000000000001"},
    {TUSK_OID_NUMERIC, "-1", "00010000400000000001"},
    {TUSK_OID_NUMERIC, "1.00000", "00010000000000050001"},
    {TUSK_OID_NUMERIC, "9999", "0001000000000000270f"},
    {TUSK_OID_NUMERIC, "10000", "00010001000000000001"},
    {TUSK_OID_NUMERIC, "100000000", "00010002000000000001"},
    {TUSK_OID_NUMERIC, "-12345.678900", "0003000140000006000109291a85"},
    {TUSK_OID_NUMERIC, "0.5", "0001ffff000000011388"},
    {TUSK_OID_NUMERIC, "0.00001", "0001fffe0000000503e8"},
    {TUSK_OID_NUMERIC, "-0.00012345", "0002ffff4000000800010929"},
    {TUSK_OID_NUMERIC, "1234567890123456789012345678901234567890.123456789012345678901234567890", "001200090000001e04d2162e23340d801ed204d2162e23340d801ed204d2162e23340d801ed204d2162e2328"},
    {TUSK_OID_NUMERIC, "9223372036854775807", "0005000400000000039a0d2c0170156516af"},
    {TUSK_OID_NUMERIC, "-9223372036854775808", "0005000440000000039a0d2c0170156516b0"},
    {TUSK_OID_NUMERIC, "0.000000000000000000000000000000", "000000000000001e"},
    {TUSK_OID_NUMERIC, "10000000000000000000000000000.0001", "0009000700000004000100000000000000000000000000000001"},
    {TUSK_OID_NUMERIC, "NaN", "00000000c0000000"},
    {TUSK_OID_NUMERIC, "Infinity", "00000000d0000020"},
    {TUSK_OID_NUMERIC, "-Infinity", "00000000f0000020"},
    /* bytea_output = hex */
    {TUSK_OID_BYTEA, "\\x", ""},
    {TUSK_OID_BYTEA, "\\x00", "00"},
    {TUSK_OID_BYTEA, "\\x00ff5c78", "00ff5c78"},
    {TUSK_OID_INT2, "256", "0100"},
    {TUSK_OID_INT4, "-65536", "ffff0000"},
    {TUSK_OID_INT4, "123456789", "075bcd15"},
    {TUSK_OID_INT8, "4294967296", "0000000100000000"},
    {TUSK_OID_INT8, "-1000000000000000000", "f21f494c589c0000"},
    {TUSK_OID_OID, "16384", "00004000"},
    {TUSK_OID_OID, "4294967294", "fffffffe"},
    {TUSK_OID_TEXT, "x", "78"},
    {TUSK_OID_TEXT, "null", "6e756c6c"},
    {TUSK_OID_VARCHAR, "", ""},
    {TUSK_OID_VARCHAR, "Grüße, 世界 🐘", "4772c3bcc39f652c20e4b896e7958c20f09f9098"},
    {TUSK_OID_VARCHAR, " blanks ", "20626c616e6b7320"},
    {TUSK_OID_BPCHAR, "", ""},
    {TUSK_OID_BPCHAR, "ü", "c3bc"},
    {TUSK_OID_BPCHAR, "a b  ", "6120622020"},
    {TUSK_OID_NAME, "", ""},
    {TUSK_OID_NAME, "Ünïcode name", "c39c6ec3af636f6465206e616d65"},
    {TUSK_OID_NAME, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk", "6162636465666768696a6b6c6d6e6f707172737475767778797a6162636465666768696a6b6c6d6e6f707172737475767778797a6162636465666768696a6b"},
    {TUSK_OID_NAME, "\"quoted\"", "2271756f74656422"},
    {TUSK_OID_JSON, "null", "6e756c6c"},
    {TUSK_OID_JSON, " {\"b\":1,\"a\":[],\"a\":2} ", "207b2262223a312c2261223a5b5d2c2261223a327d20"},
    {TUSK_OID_JSON, "\"ä\\u0000\"", "22c3a45c753030303022"},
    {TUSK_OID_JSON, "-0.0e+10", "2d302e30652b3130"},
    {TUSK_OID_JSONB, "{}", "017b7d"},
    {TUSK_OID_JSONB, "[]", "015b5d"},
    {TUSK_OID_JSONB, "123456789012345678901234567890.5", "013132333435363738393031323334353637383930313233343536373839302e35"},
    {TUSK_OID_BYTEA, "\\xdeadbeef", "deadbeef"},
    {TUSK_OID_BYTEA, "\\xffffffffffffffffffffffffffffffff", "ffffffffffffffffffffffffffffffff"},
    {TUSK_OID_BYTEA, "\\x2720225c", "2720225c"},
    {TUSK_OID_UUID, "123e4567-e89b-12d3-a456-426614174000", "123e4567e89b12d3a456426614174000"},
    {TUSK_OID_UUID, "00000000-0000-0000-0000-000000000001", "00000000000000000000000000000001"},
    {TUSK_OID_UUID, "80000000-0000-0000-0000-000000000000", "80000000000000000000000000000000"},
    {TUSK_OID_TIME, "00:00:00", "0000000000000000"},
    {TUSK_OID_TIME, "00:00:00.000001", "0000000000000001"},
    {TUSK_OID_TIME, "12:34:56.5", "0000000a8be1bd20"},
    {TUSK_OID_TIME, "04:05:06.789012", "000000036c97ca94"},
    {TUSK_OID_TIME, "23:59:59.999999", "000000141dd75fff"},
    {TUSK_OID_TIME, "24:00:00", "000000141dd76000"},
    {TUSK_OID_TIMETZ, "00:00:00+00", "000000000000000000000000"},
    {TUSK_OID_TIMETZ, "12:34:56.5+02", "0000000a8be1bd20ffffe3e0"},
    {TUSK_OID_TIMETZ, "04:05:06-03:30", "000000036c8bc08000003138"},
    {TUSK_OID_TIMETZ, "00:00:00.000001+00:19:32", "0000000000000001fffffb6c"},
    {TUSK_OID_TIMETZ, "00:00:00-15:59:59", "00000000000000000000e0ff"},
    {TUSK_OID_TIMETZ, "24:00:00+15:59:59", "000000141dd76000ffff1f01"},
    {TUSK_OID_TIMETZ, "23:59:59.999999-00:00:01", "000000141dd75fff00000001"},
    {TUSK_OID_INTERVAL, "00:00:00", "00000000000000000000000000000000"},
    {TUSK_OID_INTERVAL, "00:00:00.000001", "00000000000000010000000000000000"},
    {TUSK_OID_INTERVAL, "-00:00:00.000001", "ffffffffffffffff0000000000000000"},
    {TUSK_OID_INTERVAL, "1 year", "0000000000000000000000000000000c"},
    {TUSK_OID_INTERVAL, "-1 years", "000000000000000000000000fffffff4"},
    {TUSK_OID_INTERVAL, "1 year 2 mons 3 days 04:05:06.7", "000000036c966ee0000000030000000e"},
    {TUSK_OID_INTERVAL, "-1 mons +1 day -00:00:01", "fffffffffff0bdc000000001ffffffff"},
    {TUSK_OID_INTERVAL, "1 mon -1 days +24:00:00", "000000141dd76000ffffffff00000001"},
    {TUSK_OID_INTERVAL, "-1 years -2 mons +3 days -04:05:06.789", "fffffffc9368357800000003fffffff2"},
    {TUSK_OID_INTERVAL, "1 day", "00000000000000000000000100000000"},
    {TUSK_OID_INTERVAL, "-10 days", "0000000000000000fffffff600000000"},
    {TUSK_OID_INTERVAL, "178956970 years 7 mons", "0000000000000000000000007fffffff"},
    {TUSK_OID_INTERVAL, "-178956970 years -8 mons", "00000000000000000000000080000000"},
    {TUSK_OID_INTERVAL, "2147483647 days", "00000000000000007fffffff00000000"},
    {TUSK_OID_INTERVAL, "-2147483648 days", "00000000000000008000000000000000"},
    {TUSK_OID_INTERVAL, "2562047788:00:54.775807", "7fffffffffffffff0000000000000000"},
    {TUSK_OID_INTERVAL, "-2562047788:00:54.775807", "80000000000000010000000000000000"},
    {TUSK_OID_INTERVAL, "178956970 years 7 mons 2147483647 days 2562047788:00:54.775806", "7ffffffffffffffe7fffffff7fffffff"},
    {TUSK_OID_INTERVAL, "infinity", "7fffffffffffffff7fffffff7fffffff"},
    {TUSK_OID_INTERVAL, "-infinity", "80000000000000008000000080000000"},
    {TUSK_OID_MONEY, "$0.00", "0000000000000000"},
    {TUSK_OID_MONEY, "$0.01", "0000000000000001"},
    {TUSK_OID_MONEY, "-$0.01", "ffffffffffffffff"},
    {TUSK_OID_MONEY, "$1.00", "0000000000000064"},
    {TUSK_OID_MONEY, "$999.99", "000000000001869f"},
    {TUSK_OID_MONEY, "$1,000.00", "00000000000186a0"},
    {TUSK_OID_MONEY, "-$1,234,567.89", "fffffffff8a432eb"},
    {TUSK_OID_MONEY, "$92,233,720,368,547,758.07", "7fffffffffffffff"},
    {TUSK_OID_MONEY, "-$92,233,720,368,547,758.08", "8000000000000000"},
    {TUSK_OID_XID, "0", "00000000"},
    {TUSK_OID_XID, "1", "00000001"},
    {TUSK_OID_XID, "3", "00000003"},
    {TUSK_OID_XID, "16384", "00004000"},
    {TUSK_OID_XID, "2147483648", "80000000"},
    {TUSK_OID_XID, "4294967295", "ffffffff"},
    {TUSK_OID_CID, "0", "00000000"},
    {TUSK_OID_CID, "1", "00000001"},
    {TUSK_OID_CID, "3", "00000003"},
    {TUSK_OID_CID, "16384", "00004000"},
    {TUSK_OID_CID, "2147483648", "80000000"},
    {TUSK_OID_CID, "4294967295", "ffffffff"},
    {TUSK_OID_XID8, "0", "0000000000000000"},
    {TUSK_OID_XID8, "1", "0000000000000001"},
    {TUSK_OID_XID8, "4294967295", "00000000ffffffff"},
    {TUSK_OID_XID8, "4294967296", "0000000100000000"},
    {TUSK_OID_XID8, "1000000000000000000", "0de0b6b3a7640000"},
    {TUSK_OID_XID8, "9223372036854775808", "8000000000000000"},
    {TUSK_OID_XID8, "18446744073709551615", "ffffffffffffffff"},
    {TUSK_OID_PG_LSN, "0/0", "0000000000000000"},
    {TUSK_OID_PG_LSN, "0/1", "0000000000000001"},
    {TUSK_OID_PG_LSN, "0/ABCDEF", "0000000000abcdef"},
    {TUSK_OID_PG_LSN, "1/0", "0000000100000000"},
    {TUSK_OID_PG_LSN, "16/B374D848", "00000016b374d848"},
    {TUSK_OID_PG_LSN, "80000000/0", "8000000000000000"},
    {TUSK_OID_PG_LSN, "FFFFFFFF/FFFFFFFF", "ffffffffffffffff"},
    {TUSK_OID_XML, "", ""},
    {TUSK_OID_XML, "<a/>", "3c612f3e"},
    {TUSK_OID_XML, "just text", "6a7573742074657874"},
    {TUSK_OID_XML, "<a b=\"1\">Grüße</a>", "3c6120623d2231223e4772c3bcc39f653c2f613e"},
    {TUSK_OID_XML, "<!-- nothing -->", "3c212d2d206e6f7468696e67202d2d3e"},
    {TUSK_OID_REFCURSOR, "", ""},
    {TUSK_OID_REFCURSOR, "c", "63"},
    {TUSK_OID_REFCURSOR, "<unnamed portal 1>", "3c756e6e616d656420706f7274616c20313e"},
    {TUSK_OID_REFCURSOR, "Ünïcode \"quoted\"", "c39c6ec3af636f6465202271756f74656422"},
    {TUSK_OID_MACADDR, "00:00:00:00:00:00", "000000000000"},
    {TUSK_OID_MACADDR, "00:00:00:00:00:01", "000000000001"},
    {TUSK_OID_MACADDR, "08:00:2b:01:02:03", "08002b010203"},
    {TUSK_OID_MACADDR, "80:00:00:00:00:00", "800000000000"},
    {TUSK_OID_MACADDR, "0a:bc:de:f0:12:34", "0abcdef01234"},
    {TUSK_OID_MACADDR, "ff:ff:ff:ff:ff:fe", "fffffffffffe"},
    {TUSK_OID_MACADDR, "ff:ff:ff:ff:ff:ff", "ffffffffffff"},
    {TUSK_OID_MACADDR8, "00:00:00:00:00:00:00:00", "0000000000000000"},
    {TUSK_OID_MACADDR8, "00:00:00:00:00:00:00:01", "0000000000000001"},
    {TUSK_OID_MACADDR8, "08:00:2b:01:02:03:04:05", "08002b0102030405"},
    {TUSK_OID_MACADDR8, "08:00:2b:ff:fe:01:02:03", "08002bfffe010203"},
    {TUSK_OID_MACADDR8, "80:00:00:00:00:00:00:00", "8000000000000000"},
    {TUSK_OID_MACADDR8, "0a:bc:de:f0:12:34:56:78", "0abcdef012345678"},
    {TUSK_OID_MACADDR8, "ff:ff:ff:ff:ff:ff:ff:ff", "ffffffffffffffff"},
};

/* head, n times the unit, end: 100 kB or more, of every type that may be so long. */
typedef struct long_value {
    unsigned type;
    struct both_parts {
        const char *text, *hex;
    } head, unit, end;
    size_t n;
} long_value;

static const long_value long_values[] = {
    {TUSK_OID_TEXT, {"", ""}, {"für ", "66c3bc7220"}, {"!", "21"}, 25000},
    {TUSK_OID_VARCHAR, {"\n", "0a"}, {"🐘", "f09f9098"}, {"", ""}, 25000},
    {TUSK_OID_BPCHAR, {"a", "61"}, {" ", "20"}, {"z  ", "7a2020"}, 100000},
    {TUSK_OID_JSON, {"[0", "5b30"}, {", 1", "2c2031"}, {"]", "5d"}, 40000},
    {TUSK_OID_JSONB, {"[0", "015b30"}, {", 1", "2c2031"}, {"]", "5d"}, 40000},
    {TUSK_OID_NUMERIC, {"", "61a861a700000000"}, {"1234", "04d2"}, {"", ""}, 25000},
    {TUSK_OID_XML, {"<a>", "3c613e"}, {"<b/>", "3c622f3e"}, {"</a>", "3c2f613e"}, 30000},
    {TUSK_OID_REFCURSOR, {"", ""}, {"name", "6e616d65"}, {"", ""}, 30000},
    {TUSK_OID_BYTEA, {"\\x", ""}, {"00ff10", "00ff10"}, {"", ""}, 40000},
};

/* Beyond the type, for the server and for us: it cannot be read, or it cannot be sent. */
typedef struct beyond {
    unsigned type;
    const char *text;
} beyond;

static const beyond beyond_values[] = {
    {TUSK_OID_BOOL, ""}, {TUSK_OID_BOOL, "2"}, {TUSK_OID_BOOL, "-1"}, {TUSK_OID_BOOL, "maybe"}, {TUSK_OID_BOOL, "truee"},
    {TUSK_OID_INT2, "-32769"}, {TUSK_OID_INT2, "32768"},
    {TUSK_OID_INT4, "-2147483649"}, {TUSK_OID_INT4, "2147483648"},
    {TUSK_OID_INT8, "-9223372036854775809"}, {TUSK_OID_INT8, "9223372036854775808"},
    {TUSK_OID_OID, "-2147483649"}, {TUSK_OID_OID, "4294967296"}, /* it takes -1 for 4294967295 */
    {TUSK_OID_FLOAT4, "-3.5e+38"}, {TUSK_OID_FLOAT4, "3.5e+38"}, {TUSK_OID_FLOAT4, "1e-46"},
    {TUSK_OID_FLOAT8, "-1.8e+308"}, {TUSK_OID_FLOAT8, "1.8e+308"}, {TUSK_OID_FLOAT8, "1e-400"},
    {TUSK_OID_TEXT, "\xFF"}, {TUSK_OID_TEXT, "\xF4\x90\x80\x80"}, /* U+110000 */
    {TUSK_OID_VARCHAR, "\xC3"}, {TUSK_OID_VARCHAR, "\xED\xA0\x80"}, /* a surrogate */
    {TUSK_OID_BPCHAR, "\x80"}, {TUSK_OID_BPCHAR, "\xC0\x80"}, /* NUL in two bytes */
    {TUSK_OID_NAME, "\xF5"}, {TUSK_OID_NAME, "a\xE2\x82"},
    {TUSK_OID_JSON, "\"\xFF\""}, {TUSK_OID_JSON, "\"\xF4\x90\x80\x80\""},
    {TUSK_OID_JSONB, "\"\xFF\""}, {TUSK_OID_JSONB, "\"\xED\xA0\x80\""},
    {TUSK_OID_BYTEA, "\\x0"}, {TUSK_OID_BYTEA, "\\x0g"}, {TUSK_OID_BYTEA, "\\400"},
    {TUSK_OID_NUMERIC, "-1e131072"}, {TUSK_OID_NUMERIC, "1e131072"}, {TUSK_OID_NUMERIC, "1e-16384"}, {TUSK_OID_NUMERIC, "1,5"},
    {TUSK_OID_UUID, "00000000-0000-0000-0000-00000000000"}, {TUSK_OID_UUID, "ffffffff-ffff-ffff-ffff-fffffffffffff"},
    {TUSK_OID_UUID, "gfffffff-ffff-ffff-ffff-ffffffffffff"},
    {TUSK_OID_DATE, "4714-11-23 BC"}, {TUSK_OID_DATE, "5874898-01-01"}, {TUSK_OID_DATE, "2023-02-29"},
    {TUSK_OID_TIMESTAMP, "4714-11-23 23:59:59.999999 BC"}, {TUSK_OID_TIMESTAMP, "294277-01-01 00:00:00"},
    {TUSK_OID_TIMESTAMPTZ, "4714-11-23 23:59:59.999999+00 BC"}, {TUSK_OID_TIMESTAMPTZ, "294277-01-01 00:00:00+00"},
    {TUSK_OID_TIME, "24:00:00.000001"}, {TUSK_OID_TIME, "-00:00:01"}, {TUSK_OID_TIME, "25:00:00"},
    {TUSK_OID_TIMETZ, "24:00:00.000001+00"}, {TUSK_OID_TIMETZ, "00:00:00+16"}, {TUSK_OID_TIMETZ, "00:00:00-16"},
    {TUSK_OID_INTERVAL, "2147483648 mons"}, {TUSK_OID_INTERVAL, "-178956970 years -9 mons"}, {TUSK_OID_INTERVAL, "2147483648 days"},
    {TUSK_OID_INTERVAL, "2562047788:00:54.775808"}, {TUSK_OID_INTERVAL, "-2562047788:00:54.775809"},
    {TUSK_OID_INTERVAL, "P1Y2D3"}, {TUSK_OID_INTERVAL, ""},
    {TUSK_OID_MONEY, "$92,233,720,368,547,758.08"}, {TUSK_OID_MONEY, "-$92,233,720,368,547,758.09"}, {TUSK_OID_MONEY, "$1.00x"},
    {TUSK_OID_XID, "4294967296"}, {TUSK_OID_XID, "x"}, {TUSK_OID_CID, "4294967296"}, {TUSK_OID_CID, "x"},
    {TUSK_OID_XID8, "18446744073709551616"}, {TUSK_OID_XID8, "x"},
    {TUSK_OID_PG_LSN, "100000000/0"}, {TUSK_OID_PG_LSN, "0/100000000"}, {TUSK_OID_PG_LSN, "-1/0"},
    {TUSK_OID_XML, "<a>\xFF</a>"}, {TUSK_OID_XML, "\xED\xA0\x80"}, {TUSK_OID_REFCURSOR, "\xFF"}, {TUSK_OID_REFCURSOR, "a\xC3"},
    {TUSK_OID_MACADDR, "08:00:2b:01:02"}, {TUSK_OID_MACADDR, "08:00:2b:01:02:03:04"}, {TUSK_OID_MACADDR, "100:00:2b:01:02:03"},
    {TUSK_OID_MACADDR, "08:00:2b:01:02:0g"},
    {TUSK_OID_MACADDR8, "08:00:2b:01:02:03:04"}, {TUSK_OID_MACADDR8, "08:00:2b:01:02:03:04:05:06"}, {TUSK_OID_MACADDR8, "08:00:2b:01:02:03:04:0g"},
};
/* clang-format on */


/* ---- what the suites do with them -------------------------------------------------------------------------------------------------- */

/* Room for a value that was read from any of the texts. */
#define SAMPLE_ROOM ((size_t)1 << 18)

/* The value of a text, of every type: some need room for it. */
static inline tusk_code sample_from_text(uint32_t type, tusk_str text, void *room, tusk_value *out, tusk_error *err)
{
    size_t len = 0;

    if (type == TUSK_OID_NUMERIC) {
        tusk_numeric_view n;

        TUSK_TRY(tusk_numeric_from_text(text, room, SAMPLE_ROOM, &n, err));
        *out = tusk_numeric(n);
        return TUSK_OK;
    }
    if (type != TUSK_OID_BYTEA)
        return tusk__value_decode(type, 0, text, out, err);
    TUSK_TRY(tusk_bytea_from_text(text, room, SAMPLE_ROOM, &len, err));
    *out = tusk_bytea(room, len);
    return TUSK_OK;
}

static inline char *sample_joined(const char *head, const char *unit, size_t n, const char *end)
{
    size_t unit_len = strlen(unit), at = strlen(head);
    char *text = malloc(at + n * unit_len + strlen(end) + 1);

    if (!text)
        abort();
    memcpy(text, head, at);
    for (; n > 0; n--, at += unit_len)
        memcpy(text + at, unit, unit_len);
    memcpy(text + at, end, strlen(end) + 1);
    return text;
}

/* Both are the caller's to free. */
static inline char *long_text(const long_value *v)
{
    return sample_joined(v->head.text, v->unit.text, v->n, v->end.text);
}

static inline char *long_hex(const long_value *v)
{
    return sample_joined(v->head.hex, v->unit.hex, v->n, v->end.hex);
}

#endif
