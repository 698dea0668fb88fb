/* One sample or more of each message, body by body, as "Message Formats" lays it out, with the line that the printer makes of
 * it, and where its counts and lengths lie.
 * Written by hand: nothing of proto/ made these bytes.
 * Read first: test/messages.h. */
#ifndef TUSK_TEST_MESSAGE_SAMPLES_H
#define TUSK_TEST_MESSAGE_SAMPLES_H

#include "test/messages.h"

/* A number that the peer may lie about. 'n': Int16 count, 'f': format code, 't': format code of a textual copy, 'l': Int32
 * length of a field, 'N': Int32 count. */
typedef struct spot {
    char kind;
    uint8_t at;
} spot;

typedef struct sample {
    const char *name;
    bool from_backend;
    uint8_t type;
    rewrite_fn *rewrite;
    const char *bytes;
    size_t len;
    bool is_open;      /* ends with "the rest": cutting or adding bytes may leave a valid message */
    const char *line;  /* of the printer, values hidden */
    const char *words; /* what must not be in any line, "" if nothing */
    spot spots[12];
} sample;

#define BYTES(literal) literal, sizeof(literal) - 1

/* clang-format off */
static const sample samples[] = {
    {"SSLRequest", false, 0, rewrite_first_packet, BYTES("\x04\xd2\x16\x2f"), false, "F SSLRequest", "", {{0, 0}}},
    {"GSSENCRequest", false, 0, rewrite_first_packet, BYTES("\x04\xd2\x16\x30"), false, "F GSSENCRequest", "", {{0, 0}}},
    {"CancelRequest 3.0", false, 0, rewrite_first_packet, BYTES("\x04\xd2\x16\x2e\0\0\x04\xd2" "KEYS"), true,
        "F CancelRequest 1234 (key hidden)", "KEYS", {{0, 0}}},
    {"CancelRequest 3.2", false, 0, rewrite_first_packet, BYTES("\x04\xd2\x16\x2e\0\0\x04\xd2" "LONGKEYLONGKEYLONGKEYLONGKEYLONG"),
        true, "F CancelRequest 1234 (key hidden)", "KEY", {{0, 0}}},
    {"StartupMessage", false, 0, rewrite_first_packet, BYTES("\0\x03\0\x02" "user\0joe\0database\0my db\0options\0\0\0"), false,
        "F StartupMessage 3.2 user=joe database=\"my db\" options=\"\"", "", {{0, 0}}},
    {"StartupMessage without parameters", false, 0, rewrite_first_packet, BYTES("\0\x03\0\0\0"), false, "F StartupMessage 3.0",
        "", {{0, 0}}},
    {"Query", false, 'Q', rewrite_query, BYTES("select 1\0"), false, "F Query \"select 1\"", "", {{0, 0}}},
    {"Query, empty", false, 'Q', rewrite_query, BYTES("\0"), false, "F Query \"\"", "", {{0, 0}}},
    {"Parse", false, 'P', rewrite_parse, BYTES("s1\0select $1\0\0\x02\0\0\0\x17\0\x01\x02\x03"), false,
        "F Parse s1 \"select $1\" (int4, 66051)", "", {{'n', 13}}},
    {"Parse, unnamed", false, 'P', rewrite_parse, BYTES("\0select\0\0\0"), false, "F Parse \"\" \"select\" ()", "", {{'n', 8}}},
    {"Bind, all binary", false, 'B', rewrite_bind,
        BYTES("p\0s1\0\0\x01\0\x01\0\x03\0\0\0\x04" "VALU" "\xff\xff\xff\xff\0\0\0\0\0\x01\0\x01"), false,
        "F Bind p s1 binary (4, NULL, 0) -> binary", "", {{'n', 5}, {'f', 7}, {'n', 9}, {'l', 11}, {'l', 19}, {'l', 23}, {'n', 27}, {'f', 29}}},
    {"Bind, each its format", false, 'B', rewrite_bind,
        BYTES("\0\0\0\x02\0\0\0\x01\0\x02\0\0\0\x01" "V" "\0\0\0\x02" "VV" "\0\0"), false,
        "F Bind \"\" \"\" text,binary (1, 2) -> text", "", {{'n', 2}, {'f', 4}, {'f', 6}, {'n', 8}, {'l', 10}, {'l', 15}, {'n', 21}}},
    {"Bind, nothing", false, 'B', rewrite_bind, BYTES("\0\0\0\0\0\0\0\x02\0\0\0\x01"), false,
        "F Bind \"\" \"\" text () -> text,binary", "", {{'n', 2}, {'n', 4}, {'n', 6}, {'f', 8}, {'f', 10}}},
    {"Describe", false, 'D', rewrite_describe, BYTES("Ss1\0"), false, "F Describe statement s1", "", {{0, 0}}},
    {"Close", false, 'C', rewrite_close, BYTES("Pp1\0"), false, "F Close portal p1", "", {{0, 0}}},
    {"Execute", false, 'E', rewrite_execute, BYTES("p1\0\0\0\0\x0a"), false, "F Execute p1 max 10", "", {{0, 0}}},
    {"CopyData (F)", false, 'd', rewrite_copy_data, BYTES("a\tb\n"), true, "F CopyData 4", "", {{0, 0}}},
    {"CopyFail", false, 'f', rewrite_copy_fail, BYTES("no more\0"), false, "F CopyFail \"no more\"", "", {{0, 0}}},
    {"PasswordMessage", false, 'p', rewrite_password, BYTES("SESAME\0"), false, "F PasswordMessage (hidden)", "SESAME", {{0, 0}}},
    {"SASLInitialResponse", false, 'p', rewrite_sasl_initial, BYTES("SCRAM-SHA-256\0\0\0\0\x08" "n,,n=,r="), false,
        "F PasswordMessage (hidden)", "n,,", {{'l', 14}}},
    {"SASLInitialResponse without data", false, 'p', rewrite_sasl_initial, BYTES("OAUTHBEARER\0\xff\xff\xff\xff"), false,
        "F PasswordMessage (hidden)", "OAUTH", {{'l', 12}}},
    {"SASLResponse", false, 'p', rewrite_sasl_response, BYTES("c=biws,r=NONCE,p=PROOF"), true, "F PasswordMessage (hidden)", "PROOF", {{0, 0}}},

    {"AuthenticationOk", true, 'R', rewrite_authentication, BYTES("\0\0\0\0"), false, "B AuthenticationOk", "", {{0, 0}}},
    {"AuthenticationKerberosV5", true, 'R', rewrite_authentication, BYTES("\0\0\0\x02"), false, "B AuthenticationKerberosV5", "", {{0, 0}}},
    {"AuthenticationCleartextPassword", true, 'R', rewrite_authentication, BYTES("\0\0\0\x03"), false,
        "B AuthenticationCleartextPassword", "", {{0, 0}}},
    {"AuthenticationMD5Password", true, 'R', rewrite_authentication, BYTES("\0\0\0\x05" "SALT"), false,
        "B AuthenticationMD5Password (salt hidden)", "SALT", {{0, 0}}},
    {"AuthenticationSCMCredential", true, 'R', rewrite_authentication, BYTES("\0\0\0\x06"), false, "B AuthenticationSCMCredential",
        "", {{0, 0}}},
    {"AuthenticationGSS", true, 'R', rewrite_authentication, BYTES("\0\0\0\x07"), false, "B AuthenticationGSS", "", {{0, 0}}},
    {"AuthenticationGSSContinue", true, 'R', rewrite_authentication, BYTES("\0\0\0\x08" "TOKEN"), true,
        "B AuthenticationGSSContinue (hidden)", "TOKEN", {{0, 0}}},
    {"AuthenticationSSPI", true, 'R', rewrite_authentication, BYTES("\0\0\0\x09"), false, "B AuthenticationSSPI", "", {{0, 0}}},
    {"AuthenticationSASL", true, 'R', rewrite_authentication, BYTES("\0\0\0\x0a" "SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"), false,
        "B AuthenticationSASL SCRAM-SHA-256-PLUS, SCRAM-SHA-256", "", {{0, 0}}},
    {"AuthenticationSASLContinue", true, 'R', rewrite_authentication, BYTES("\0\0\0\x0b" "r=NONCE,s=SALT,i=4096"), true,
        "B AuthenticationSASLContinue (hidden)", "NONCE", {{0, 0}}},
    {"AuthenticationSASLFinal", true, 'R', rewrite_authentication, BYTES("\0\0\0\x0c" "v=SIGNATURE"), true,
        "B AuthenticationSASLFinal (hidden)", "SIGNATURE", {{0, 0}}},
    {"Authentication of a kind to come", true, 'R', rewrite_authentication, BYTES("\0\0\0\x63" "DATA"), true,
        "B Authentication kind 99 (hidden)", "DATA", {{0, 0}}},
    {"NegotiateProtocolVersion", true, 'v', rewrite_negotiate, BYTES("\0\x03\0\0\0\0\0\x02_pq_.a\0_pq_.b\0"), false,
        "B NegotiateProtocolVersion 3.0 \"_pq_.a\", \"_pq_.b\"", "", {{'N', 4}}},
    {"NegotiateProtocolVersion, minor only", true, 'v', rewrite_negotiate, BYTES("\0\0\0\x02\0\0\0\0"), false,
        "B NegotiateProtocolVersion 0.2", "", {{'N', 4}}},
    {"BackendKeyData 3.0", true, 'K', rewrite_backend_key, BYTES("\0\0\x04\xd2" "KEYS"), true, "B BackendKeyData 1234 (key hidden)",
        "KEYS", {{0, 0}}},
    {"BackendKeyData 3.2", true, 'K', rewrite_backend_key, BYTES("\0\0\x04\xd2" "LONGKEYLONGKEYLONGKEYLONGKEYLONG"), true,
        "B BackendKeyData 1234 (key hidden)", "KEY", {{0, 0}}},
    {"ParameterStatus", true, 'S', rewrite_parameter_status, BYTES("TimeZone\0Etc/UTC\0"), false,
        "B ParameterStatus TimeZone=\"Etc/UTC\"", "", {{0, 0}}},
    {"ReadyForQuery", true, 'Z', rewrite_ready, BYTES("I"), false, "B ReadyForQuery I", "", {{0, 0}}},
    {"RowDescription", true, 'T', rewrite_row_description,
        BYTES("\0\x02id\0\0\0\x40\0\0\x01\0\0\0\x17\0\x04\xff\xff\xff\xff\0\x01"
              "?column?\0\0\0\0\0\0\0\0\0\x06\xa4\xff\xff\0\x04\0\x02\0\0"), false,
        "B RowDescription 2 (id int4 binary, \"?column?\" numeric text)", "", {{'n', 0}, {'f', 21}, {'f', 48}}},
    {"RowDescription without columns", true, 'T', rewrite_row_description, BYTES("\0\0"), false, "B RowDescription 0 ()", "", {{'n', 0}}},
    {"ParameterDescription", true, 't', rewrite_parameter_description, BYTES("\0\x02\0\0\0\x17\0\0\0\x19"), false,
        "B ParameterDescription 2 (int4, text)", "", {{'n', 0}}},
    {"DataRow", true, 'D', rewrite_data_row, BYTES("\0\x04\0\0\0\x04" "FOUR" "\xff\xff\xff\xff\0\0\0\0\0\0\0\x05" "VALUE"), false,
        "B DataRow 4 (4, NULL, 0, 5)", "", {{'n', 0}, {'l', 2}, {'l', 10}, {'l', 14}, {'l', 18}}},
    {"DataRow without fields", true, 'D', rewrite_data_row, BYTES("\0\0"), false, "B DataRow 0 ()", "", {{'n', 0}}},
    {"CommandComplete", true, 'C', rewrite_command_complete, BYTES("INSERT 0 5\0"), false, "B CommandComplete \"INSERT 0 5\"", "", {{0, 0}}},
    {"CopyInResponse", true, 'G', rewrite_copy_in, BYTES("\0\0\x02\0\0\0\0"), false, "B CopyInResponse text 2", "", {{'n', 1}, {'t', 3}, {'t', 5}}},
    {"CopyOutResponse", true, 'H', rewrite_copy_out, BYTES("\x01\0\x02\0\x01\0\0"), false, "B CopyOutResponse binary 2", "", {{'n', 1}, {'f', 3}, {'f', 5}}},
    {"CopyBothResponse", true, 'W', rewrite_copy_both, BYTES("\0\0\0"), false, "B CopyBothResponse text 0", "", {{'n', 1}}},
    {"CopyData (B)", true, 'd', rewrite_copy_data, BYTES("\x01\x02"), true, "B CopyData 2", "", {{0, 0}}},
    {"NotificationResponse", true, 'A', rewrite_notification, BYTES("\0\0\x04\xd2" "news\0it works\0"), false,
        "B NotificationResponse 1234 news 8", "", {{0, 0}}},
    {"ErrorResponse", true, 'E', rewrite_error,
        BYTES("SERROR\0VERROR\0C23505\0Mduplicate key\0DKey (id)=(5) already exists.\0\0"), true,
        "B ErrorResponse S=ERROR V=ERROR C=23505 M=\"duplicate key\" D=28", "", {{0, 0}}},
    {"NoticeResponse", true, 'N', rewrite_notice, BYTES("VNOTICE\0C00000\0Mhello\0\0"), true,
        "B NoticeResponse V=NOTICE C=00000 M=hello", "", {{0, 0}}},
};
/* clang-format on */

#endif
