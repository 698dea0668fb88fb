/* The rules of the conversation: one block per state, one row per message that is legal there. What is not listed is 08P01.
 * No code decides legality; docs/states.md is printed from these tables.
 * Read first: PostgreSQL docs, "Message Flow"; proto/session_table.h for the words in the last column. */
#include "proto/session_table.h"

/* clang-format off */
#define ON(type) [TUSK__B_##type]
#define TO(state) TUSK__EXPECT_##state
#define SAME TUSK__NEXT_SAME
#define DONE TUSK__NEXT_EXPECTATION
#define SKIP TUSK__NEXT_SKIP

/* Before ReadyForQuery an error ends the connection whatever its severity says: there is nothing to go back to. */
#define LOGIN_STEP ON(AUTHENTICATION) = {TUSK__EV_AUTHENTICATION, TUSK__NEXT_BY_KIND}, LOGIN_TURN

/* NegotiateProtocolVersion: "before or during authentication"; once, which on_negotiate() sees to. */
#define LOGIN_TURN                                                                                                     \
    ON(NEGOTIATE_PROTOCOL_VERSION) = {TUSK__EV_NEGOTIATE_PROTOCOL_VERSION, SAME},                                      \
    ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, TO(END)}

const tusk__session_row tusk__session_table[TUSK__N_EXPECT][TUSK__N_TYPES] = {
    /* An error while nothing is asked is the server's farewell, nearly always FATAL (57P01); one that is not changes nothing. */
    [TO(NOTHING)] = {
        ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, SAME},
    },

    /* ---- login ---- */
    [TO(OUR_TURN)] = {LOGIN_TURN},
    [TO(AUTHENTICATION)] = {LOGIN_STEP},
    [TO(PASSWORD_VERDICT)] = {LOGIN_STEP},
    [TO(SASL_CONTINUE)] = {LOGIN_STEP},
    [TO(SASL_FINAL)] = {LOGIN_STEP},
    [TO(SASL_OK)] = {LOGIN_STEP},
    [TO(SASL_VERDICT)] = {LOGIN_STEP},
    [TO(GSS_CONTINUE)] = {LOGIN_STEP},
    [TO(SETTINGS)] = {
        ON(BACKEND_KEY_DATA) = {TUSK__EV_BACKEND_KEY_DATA, SAME},
        ON(READY_FOR_QUERY) = {TUSK__EV_READY, TUSK__NEXT_FIRST},
        ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, TO(END)},
    },

    /* ---- extended protocol ---- */
    [TO(PARSE)] = {
        ON(PARSE_COMPLETE) = {TUSK__EV_PARSE_COMPLETE, DONE},
        ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, SKIP},
    },
    [TO(BIND)] = {
        ON(BIND_COMPLETE) = {TUSK__EV_BIND_COMPLETE, DONE},
        ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, SKIP},
    },
    [TO(DESCRIBE_STATEMENT)] = {
        ON(PARAMETER_DESCRIPTION) = {TUSK__EV_PARAMETER_DESCRIPTION, TO(ROW_DESCRIPTION)},
        ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, SKIP},
    },
    [TO(ROW_DESCRIPTION)] = {
        ON(ROW_DESCRIPTION) = {TUSK__EV_ROW_DESCRIPTION, DONE},
        ON(NO_DATA) = {TUSK__EV_NO_DATA, DONE},
        ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, SKIP},
    },
    [TO(DESCRIBE_PORTAL)] = {
        ON(ROW_DESCRIPTION) = {TUSK__EV_ROW_DESCRIPTION, DONE},
        ON(NO_DATA) = {TUSK__EV_NO_DATA, DONE},
        ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, SKIP},
    },
    /* A DataRow counts only when its number of columns is known: see is_promised() in session.c. */
    [TO(EXECUTE)] = {
        ON(DATA_ROW) = {TUSK__EV_ROW, TO(EXECUTE_ROWS)},
        ON(COMMAND_COMPLETE) = {TUSK__EV_COMMAND_COMPLETE, DONE},
        ON(EMPTY_QUERY_RESPONSE) = {TUSK__EV_EMPTY_QUERY, DONE},
        ON(PORTAL_SUSPENDED) = {TUSK__EV_PORTAL_SUSPENDED, DONE},
        ON(COPY_IN_RESPONSE) = {TUSK__EV_COPY_IN, TO(COPY_IN)},
        ON(COPY_OUT_RESPONSE) = {TUSK__EV_COPY_OUT, TO(COPY_OUT)},
        ON(COPY_BOTH_RESPONSE) = {TUSK__EV_COPY_BOTH, TO(COPY_BOTH)},
        ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, SKIP},
    },
    [TO(EXECUTE_ROWS)] = {
        ON(DATA_ROW) = {TUSK__EV_ROW, SAME},
        ON(COMMAND_COMPLETE) = {TUSK__EV_COMMAND_COMPLETE, DONE},
        ON(PORTAL_SUSPENDED) = {TUSK__EV_PORTAL_SUSPENDED, DONE},
        ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, SKIP},
    },
    [TO(CLOSE)] = {
        ON(CLOSE_COMPLETE) = {TUSK__EV_CLOSE_COMPLETE, DONE},
        ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, SKIP},
    },
    /* Sync commits, and what is deferred fails then: the error has no Sync of its own to skip to, its ReadyForQuery follows. */
    [TO(SYNC)] = {
        ON(READY_FOR_QUERY) = {TUSK__EV_READY, DONE},
        ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, TO(SKIP)},
    },
    [TO(SKIP)] = {
        ON(READY_FOR_QUERY) = {TUSK__EV_READY, DONE},
        ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, SAME},
    },
    [TO(SKIP_NO_SYNC)] = {
        ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, SAME},
    },

/* ---- simple protocol: results one behind the other, at least one ---- */
#define NEXT_RESULT                                                                                                    \
    ON(ROW_DESCRIPTION) = {TUSK__EV_ROW_DESCRIPTION, TO(QUERY_ROWS)},                                                  \
    ON(COMMAND_COMPLETE) = {TUSK__EV_COMMAND_COMPLETE, TO(QUERY_MORE)},                                                \
    ON(EMPTY_QUERY_RESPONSE) = {TUSK__EV_EMPTY_QUERY, TO(QUERY_MORE)},                                                 \
    ON(COPY_IN_RESPONSE) = {TUSK__EV_COPY_IN, TO(COPY_IN)}, ON(COPY_OUT_RESPONSE) = {TUSK__EV_COPY_OUT, TO(COPY_OUT)}, \
    ON(COPY_BOTH_RESPONSE) = {TUSK__EV_COPY_BOTH, TO(COPY_BOTH)},                                                      \
    ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, TO(QUERY_ERROR)}
    [TO(QUERY)] = {NEXT_RESULT},
    [TO(QUERY_MORE)] = {
        NEXT_RESULT,
        ON(READY_FOR_QUERY) = {TUSK__EV_READY, DONE},
    },
    [TO(QUERY_ROWS)] = {
        ON(DATA_ROW) = {TUSK__EV_ROW, SAME},
        ON(COMMAND_COMPLETE) = {TUSK__EV_COMMAND_COMPLETE, TO(QUERY_MORE)},
        ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, TO(QUERY_ERROR)},
    },
    [TO(QUERY_ERROR)] = {
        ON(READY_FOR_QUERY) = {TUSK__EV_READY, DONE},
        ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, SAME},
    },

/* ---- COPY, in either protocol ---- */
#define COPY_VERDICT                                                                                                   \
    ON(COMMAND_COMPLETE) = {TUSK__EV_COMMAND_COMPLETE, TUSK__NEXT_COPY_COMPLETE},                                      \
    ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, TUSK__NEXT_COPY_FAILED}
    [TO(COPY_IN)] = {COPY_VERDICT},
    [TO(COPY_OUT)] = {
        ON(COPY_DATA) = {TUSK__EV_COPY_DATA, SAME},
        ON(COPY_DONE) = {TUSK__EV_COPY_DONE, TO(COPY_END)},
        ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, TUSK__NEXT_COPY_FAILED},
    },
    /* START_REPLICATION: behind CopyDone the walsender may send a row with the next timeline, then CommandComplete, twice. */
    [TO(COPY_BOTH)] = {
        ON(COPY_DATA) = {TUSK__EV_COPY_DATA, SAME},
        ON(COPY_DONE) = {TUSK__EV_COPY_DONE, TUSK__NEXT_COPY_BOTH_DONE},
        ON(ERROR_RESPONSE) = {TUSK__EV_ERROR, TUSK__NEXT_COPY_FAILED},
    },
    [TO(COPY_END)] = {COPY_VERDICT},

    [TO(END)] = {{0, 0}},    /* whatever comes is ignored */
    [TO(BROKEN)] = {{0, 0}}, /* whatever comes is refused */
};
/* clang-format on */

const tusk__session_async tusk__session_async_table[TUSK__N_ASYNC] = {
    {TUSK__B_NOTICE_RESPONSE, TUSK__EV_NOTICE, true},
    {TUSK__B_PARAMETER_STATUS, TUSK__EV_PARAMETER_STATUS, false},
    {TUSK__B_NOTIFICATION_RESPONSE, TUSK__EV_NOTIFICATION, false},
};

tusk__session_row tusk__session_async_row(tusk__expect state, uint8_t type)
{
    tusk__session_row illegal = {0, SAME};
    bool before_login = tusk__expect_is_login(state) && state != TO(SETTINGS);

    if (state == TO(END) || state == TO(BROKEN))
        return illegal;
    for (int i = 0; i < TUSK__N_ASYNC; i++) {
        const tusk__session_async *async = &tusk__session_async_table[i];

        if (async->type == type && (async->before_login || !before_login))
            return (tusk__session_row){async->event, SAME};
    }
    return illegal;
}

/* ---- Authentication: the kind decides. AuthenticationOk stands only where it may be believed (D24): never in the middle of
 * SASL or GSS, where it would spare the server the proof that it is who it should be. */

/* clang-format off */
#define KIND(kind) [TUSK__AUTH_##kind]
#define NO TUSK__NEXT_ILLEGAL
static const uint8_t auth_table[][TUSK__AUTH_UNKNOWN + 1] = {
    /* Any offer: also those that we cannot answer, so that the caller can name them. */
    [TO(AUTHENTICATION)] = {
        KIND(OK) = TO(SETTINGS),
        [1] = TO(OUR_TURN),
        KIND(KERBEROS_V5) = TO(OUR_TURN),
        KIND(CLEARTEXT_PASSWORD) = TO(OUR_TURN),
        [4] = TO(OUR_TURN),
        KIND(MD5_PASSWORD) = TO(OUR_TURN),
        KIND(SCM_CREDENTIAL) = TO(OUR_TURN),
        KIND(GSS) = TO(OUR_TURN),
        KIND(GSS_CONTINUE) = NO,
        KIND(SSPI) = TO(OUR_TURN),
        KIND(SASL) = TO(OUR_TURN),
        KIND(SASL_CONTINUE) = NO,
        KIND(SASL_FINAL) = NO,
        KIND(UNKNOWN) = TO(OUR_TURN),
    },
    [TO(PASSWORD_VERDICT)] = {KIND(OK) = TO(SETTINGS)},
    [TO(SASL_CONTINUE)] = {KIND(SASL_CONTINUE) = TO(OUR_TURN)},
    [TO(SASL_FINAL)] = {KIND(SASL_FINAL) = TO(OUR_TURN)},
    [TO(SASL_OK)] = {KIND(OK) = TO(SETTINGS)},
    [TO(SASL_VERDICT)] = {KIND(OK) = TO(SETTINGS), KIND(SASL_CONTINUE) = TO(OUR_TURN)},
    [TO(GSS_CONTINUE)] = {KIND(GSS_CONTINUE) = TO(OUR_TURN)},
};
/* clang-format on */

uint8_t tusk__session_auth_next(tusk__expect state, uint32_t kind)
{
    uint8_t next;

    if ((size_t)state >= sizeof auth_table / sizeof auth_table[0])
        return NO;
    next = auth_table[state][kind < TUSK__AUTH_UNKNOWN ? kind : TUSK__AUTH_UNKNOWN];
    return next == 0 ? NO : next; /* not listed: 0 is EXPECT_NOTHING, where no login leads */
}

/* ---- the tables in words ------------------------------------------------------------------------------------------------ */

const char *tusk__expect_name(tusk__expect state)
{
    static const char *const names[TUSK__N_EXPECT] = {
        [TO(NOTHING)] = "EXPECT_NOTHING",
        [TO(OUR_TURN)] = "EXPECT_OUR_TURN",
        [TO(AUTHENTICATION)] = "EXPECT_AUTHENTICATION",
        [TO(PASSWORD_VERDICT)] = "EXPECT_PASSWORD_VERDICT",
        [TO(SASL_CONTINUE)] = "EXPECT_SASL_CONTINUE",
        [TO(SASL_FINAL)] = "EXPECT_SASL_FINAL",
        [TO(SASL_OK)] = "EXPECT_SASL_OK",
        [TO(SASL_VERDICT)] = "EXPECT_SASL_VERDICT",
        [TO(GSS_CONTINUE)] = "EXPECT_GSS_CONTINUE",
        [TO(SETTINGS)] = "EXPECT_SETTINGS",
        [TO(PARSE)] = "EXPECT_PARSE",
        [TO(BIND)] = "EXPECT_BIND",
        [TO(DESCRIBE_STATEMENT)] = "EXPECT_DESCRIBE_STATEMENT",
        [TO(DESCRIBE_PORTAL)] = "EXPECT_DESCRIBE_PORTAL",
        [TO(EXECUTE)] = "EXPECT_EXECUTE",
        [TO(CLOSE)] = "EXPECT_CLOSE",
        [TO(SYNC)] = "EXPECT_SYNC",
        [TO(QUERY)] = "EXPECT_QUERY",
        [TO(COPY_IN)] = "EXPECT_COPY_IN",
        [TO(COPY_OUT)] = "EXPECT_COPY_OUT",
        [TO(COPY_BOTH)] = "EXPECT_COPY_BOTH",
        [TO(COPY_END)] = "EXPECT_COPY_END",
        [TO(SKIP)] = "EXPECT_SKIP",
        [TO(SKIP_NO_SYNC)] = "EXPECT_SKIP_NO_SYNC",
        [TO(QUERY_ERROR)] = "EXPECT_QUERY_ERROR",
        [TO(QUERY_ROWS)] = "EXPECT_QUERY_ROWS",
        [TO(QUERY_MORE)] = "EXPECT_QUERY_MORE",
        [TO(ROW_DESCRIPTION)] = "EXPECT_ROW_DESCRIPTION",
        [TO(EXECUTE_ROWS)] = "EXPECT_EXECUTE_ROWS",
        [TO(END)] = "EXPECT_END",
        [TO(BROKEN)] = "EXPECT_BROKEN",
    };

    return (unsigned)state < TUSK__N_EXPECT ? names[state] : "(no such state)";
}

const char *tusk__backend_message_name(uint8_t type)
{
    static const char *const names[TUSK__N_TYPES] = {
        ON(AUTHENTICATION) = "Authentication",
        ON(BACKEND_KEY_DATA) = "BackendKeyData",
        ON(BIND_COMPLETE) = "BindComplete",
        ON(CLOSE_COMPLETE) = "CloseComplete",
        ON(COMMAND_COMPLETE) = "CommandComplete",
        ON(COPY_DATA) = "CopyData",
        ON(COPY_DONE) = "CopyDone",
        ON(COPY_IN_RESPONSE) = "CopyInResponse",
        ON(COPY_OUT_RESPONSE) = "CopyOutResponse",
        ON(COPY_BOTH_RESPONSE) = "CopyBothResponse",
        ON(DATA_ROW) = "DataRow",
        ON(EMPTY_QUERY_RESPONSE) = "EmptyQueryResponse",
        ON(ERROR_RESPONSE) = "ErrorResponse",
        ON(FUNCTION_CALL_RESPONSE) = "FunctionCallResponse",
        ON(NEGOTIATE_PROTOCOL_VERSION) = "NegotiateProtocolVersion",
        ON(NO_DATA) = "NoData",
        ON(NOTICE_RESPONSE) = "NoticeResponse",
        ON(NOTIFICATION_RESPONSE) = "NotificationResponse",
        ON(PARAMETER_DESCRIPTION) = "ParameterDescription",
        ON(PARAMETER_STATUS) = "ParameterStatus",
        ON(PARSE_COMPLETE) = "ParseComplete",
        ON(PORTAL_SUSPENDED) = "PortalSuspended",
        ON(READY_FOR_QUERY) = "ReadyForQuery",
        ON(ROW_DESCRIPTION) = "RowDescription",
    };

    return type < TUSK__N_TYPES ? names[type] : NULL;
}

const char *tusk__frontend_message_name(uint8_t type)
{
    switch (type) {
    case TUSK__F_BIND:
        return "Bind";
    case TUSK__F_CLOSE:
        return "Close";
    case TUSK__F_COPY_DATA:
        return "CopyData";
    case TUSK__F_COPY_DONE:
        return "CopyDone";
    case TUSK__F_COPY_FAIL:
        return "CopyFail";
    case TUSK__F_DESCRIBE:
        return "Describe";
    case TUSK__F_EXECUTE:
        return "Execute";
    case TUSK__F_FLUSH:
        return "Flush";
    case TUSK__F_FUNCTION_CALL:
        return "FunctionCall";
    case TUSK__F_PARSE:
        return "Parse";
    case TUSK__F_PASSWORD:
        return "PasswordMessage";
    case TUSK__F_QUERY:
        return "Query";
    case TUSK__F_SYNC:
        return "Sync";
    case TUSK__F_TERMINATE:
        return "Terminate";
    default:
        return NULL;
    }
}

static const char *next_name(uint8_t next)
{
    switch (next) {
    case TUSK__NEXT_SAME:
        return "same";
    case TUSK__NEXT_EXPECTATION:
        return "next expectation";
    case TUSK__NEXT_FIRST:
        return "first expectation";
    case TUSK__NEXT_BY_KIND:
        return "by its kind";
    case TUSK__NEXT_SKIP:
        return "EXPECT_SKIP, or EXPECT_SKIP_NO_SYNC if no Sync is expected yet";
    case TUSK__NEXT_COPY_FAILED:
        return "EXPECT_QUERY_ERROR in a simple query, otherwise EXPECT_SKIP or EXPECT_SKIP_NO_SYNC";
    case TUSK__NEXT_COPY_COMPLETE:
        return "EXPECT_QUERY_MORE in a simple query, otherwise next expectation";
    case TUSK__NEXT_COPY_BOTH_DONE:
        return "EXPECT_QUERY in a simple query, otherwise EXPECT_COPY_END";
    default:
        return tusk__expect_name((tusk__expect)next);
    }
}

tusk__rule tusk__session_rule(tusk__expect state, uint8_t type)
{
    tusk__session_row row = tusk__session_row_of(state, type);

    if (state == TO(END))
        return (tusk__rule){true, 0, "same"};
    return (tusk__rule){row.event != 0, (tusk__event_kind)row.event, row.event ? next_name(row.next) : NULL};
}

tusk__rule tusk__session_auth_rule(tusk__expect state, uint32_t kind)
{
    uint8_t next = tusk__session_auth_next(state, kind);

    if (next == NO)
        return (tusk__rule){false, 0, NULL};
    return (tusk__rule){true, TUSK__EV_AUTHENTICATION, next_name(next)};
}
