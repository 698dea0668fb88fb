/*
 * The states of a connection as a page of documentation. It asks tusk__session_rule() like everybody else.
 */
#include "test/harness/print_states.h"

#include "proto/session.h"

static void print_state(FILE *out, tusk__expect state)
{
    fprintf(out, "\n## %s\n\n", tusk__expect_name(state));
    if (state == TUSK__EXPECT_END) {
        fprintf(out, "Whatever comes is ignored.\n");
        return;
    }
    if (state == TUSK__EXPECT_BROKEN) {
        fprintf(out, "Nothing is read any more: every call says 08P01.\n");
        return;
    }
    fprintf(out, "| message | | leads to |\n|---|---|---|\n");
    for (unsigned type = 0; type < 256; type++) {
        tusk__rule rule = tusk__session_rule(state, (uint8_t)type);

        if (rule.is_legal)
            fprintf(out, "| %s | %c | %s |\n", tusk__backend_message_name((uint8_t)type), (int)type, rule.next);
    }
}

static void print_kinds(FILE *out)
{
    static const char *const names[] = {
        "Ok",          "KerberosV4",    "KerberosV5", "CleartextPassword", "Crypt",
        "MD5Password", "SCMCredential", "GSS",        "GSSContinue",       "SSPI",
        "SASL",        "SASLContinue",  "SASLFinal",  "any other",
    };

    fprintf(out, "\n## Authentication, by its kind\n\n| state | kind | | leads to |\n|---|---|---|---|\n");
    for (int state = 0; state < TUSK__N_EXPECT; state++)
        for (unsigned kind = 0; kind < sizeof names / sizeof names[0]; kind++) {
            tusk__rule rule = tusk__session_auth_rule((tusk__expect)state, kind);

            if (rule.is_legal)
                fprintf(out, "| %s | %s | %u | %s |\n", tusk__expect_name((tusk__expect)state), names[kind], kind,
                        rule.next);
        }
}

void print_states(FILE *out)
{
    fprintf(
        out,
        "# States of a connection\n\n"
        "Printed from the tables in `proto/session_table.c` by `make docs`; do not edit.\n\n"
        "What the server may send, by what it owes us next. Any message that is not listed ends the connection with\n"
        "SQLSTATE 08P01, on its first byte. \"Next expectation\" is the next entry of the queue of expected replies,\n"
        "EXPECT_NOTHING if there is none. Three things are decided by more than the state: an Authentication message "
        "by\n"
        "its kind (last table), a DataRow by whether its number of columns is known, and NegotiateProtocolVersion by\n"
        "whether it came already. A FATAL error leads to EXPECT_END from everywhere.\n");
    for (int state = 0; state < TUSK__N_EXPECT; state++)
        print_state(out, (tusk__expect)state);
    print_kinds(out);
}
