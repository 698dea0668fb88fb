/*
 * The words of words.h: one small function per message that has fields, a table for the rest.
 */
#include "test/harness/words.h"

#include <stdlib.h>

/* ---- words ---------------------------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool take_hex(const char **p, char *out)
{
    int high = hex_digit((*p)[0]), low = high < 0 ? -1 : hex_digit((*p)[1]);

    if (low < 0)
        return false;
    *out = (char)(high * 16 + low);
    *p += 2;
    return true;
}

static bool take_escape(const char **p, char *out)
{
    static const char letters[] = "nt0\\\"", values[] = "\n\t\0\\\"";
    char letter = *(*p)++;
    const char *at = letter ? strchr(letters, letter) : NULL;

    if (letter == 'x')
        return take_hex(p, out);
    if (!at)
        return false;
    *out = values[at - letters];
    return true;
}

/* One word to `out`; *p ends behind it. */
static const char *take_word(const char **p, char **out, char *end, bool *bare)
{
    bool quoted = false;

    if (strncmp(*p, "x:", 2) == 0) {
        *p += 2;
        *bare = false;
        while (**p && **p != ' ' && *out < end)
            if (!take_hex(p, (*out)++))
                return "a word of x: has something that is no pair of hex digits";
        return *out < end ? NULL : "line too long";
    }
    *bare = true;
    for (; **p && (quoted || **p != ' '); (*out)++) {
        if (*out >= end)
            return "line too long";
        if (**p == '"') {
            quoted = !quoted, *bare = false;
            (*p)++, (*out)--;
        } else if (quoted && **p == '\\') {
            (*p)++;
            if (!take_escape(p, *out))
                return "no such escape";
        } else {
            **out = *(*p)++;
        }
    }
    return quoted ? "a quote is not closed" : NULL;
}

const char *words_split(words *w, const char *line)
{
    char *out = w->text, *end = w->text + WORDS_SIZE - 1;

    for (w->n = 0;; w->n++) {
        char *start = out;
        const char *wrong;

        while (*line == ' ')
            line++;
        if (*line == '\0' || *line == '#')
            return NULL;
        if (w->n == WORDS_MAX)
            return "too many words";
        wrong = take_word(&line, &out, end, &w->bare[w->n]);
        if (wrong)
            return wrong;
        w->word[w->n] = tusk_str_from(start, (size_t)(out - start));
        if (out >= end)
            return "line too long";
        *out++ = '\0';
    }
}

tusk_str words_at(const words *w, size_t i)
{
    return i < w->n ? w->word[i] : tusk_str_from(NULL, 0);
}

bool words_is(const words *w, size_t i, const char *text)
{
    return i < w->n && tusk_str_is(w->word[i], text);
}

uint32_t words_number(const words *w, size_t i)
{
    return i < w->n ? (uint32_t)strtoull(w->word[i].ptr, NULL, 0) : 0;
}

static bool is_null_word(const words *w, size_t i)
{
    return w->bare[i] && words_is(w, i, "NULL");
}

/* ---- messages ------------------------------------------------------------------------------------------------------- */

static const char *write_authentication(tusk__writer *b, const words *w, size_t i)
{
    static const struct {
        const char *name;
        uint32_t kind;
    } kinds[] = {
        {"ok", TUSK__AUTH_OK},
        {"kerberos", TUSK__AUTH_KERBEROS_V5},
        {"cleartext", TUSK__AUTH_CLEARTEXT_PASSWORD},
        {"md5", TUSK__AUTH_MD5_PASSWORD},
        {"scm", TUSK__AUTH_SCM_CREDENTIAL},
        {"gss", TUSK__AUTH_GSS},
        {"gss_continue", TUSK__AUTH_GSS_CONTINUE},
        {"sspi", TUSK__AUTH_SSPI},
        {"sasl", TUSK__AUTH_SASL},
        {"sasl_continue", TUSK__AUTH_SASL_CONTINUE},
        {"sasl_final", TUSK__AUTH_SASL_FINAL},
    };
    tusk__authentication auth = {.kind = words_number(w, i), .data = words_at(w, i + 1)};

    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        if (words_is(w, i, kinds[k].name))
            auth.kind = kinds[k].kind;
    if (auth.kind == TUSK__AUTH_SASL && i + 1 < w->n) /* the words lie in a row, each with its NUL */
        auth.data.len = (size_t)(w->word[w->n - 1].ptr + w->word[w->n - 1].len + 1 - auth.data.ptr);
    tusk__authentication_write(b, &auth);
    return NULL;
}

static const char *write_md5(tusk__writer *b, const words *w, size_t i)
{
    tusk__authentication auth = {TUSK__AUTH_MD5_PASSWORD, words_at(w, i)};

    tusk__authentication_write(b, &auth);
    return NULL;
}

static const char *write_key(tusk__writer *b, const words *w, size_t i)
{
    tusk__backend_key key = {words_number(w, i), words_at(w, i + 1)};

    tusk__backend_key_data_write(b, &key);
    return NULL;
}

static const char *write_status(tusk__writer *b, const words *w, size_t i)
{
    tusk__parameter_status status = {words_at(w, i), words_at(w, i + 1)};

    tusk__parameter_status_write(b, &status);
    return NULL;
}

static const char *write_negotiate(tusk__writer *b, const words *w, size_t i)
{
    tusk__negotiate neg = {.version = words_number(w, i)};

    if (i + 1 < w->n) {
        neg.n_options = (uint32_t)(w->n - i - 1);
        neg.options = w->word[i + 1];
        neg.options.len = (size_t)(w->word[w->n - 1].ptr + w->word[w->n - 1].len + 1 - neg.options.ptr);
    }
    tusk__negotiate_protocol_version_write(b, &neg);
    return NULL;
}

static const char *write_ready(tusk__writer *b, const words *w, size_t i)
{
    if (words_at(w, i).len != 1)
        return "ready wants I, T or E";
    tusk__ready_for_query_write(b, (uint8_t)words_at(w, i).ptr[0]);
    return NULL;
}

static const char *write_row(tusk__writer *b, const words *w, size_t i)
{
    bool is_null[WORDS_MAX] = {false};

    for (size_t k = i; k < w->n; k++)
        is_null[k] = is_null_word(w, k);
    tusk__data_row_write(b, w->word + i, is_null + i, w->n - i);
    return NULL;
}

/* name:type oid:format code; the last two may be left out */
static tusk__column column_of(tusk_str word)
{
    const char *colon = memchr(word.ptr, ':', word.len);
    tusk__column column = {.name = word, .type_oid = 25, .type_len = -1, .typmod = -1};
    char *end;

    if (colon) {
        column.name.len = (size_t)(colon - word.ptr);
        column.type_oid = (uint32_t)strtoul(colon + 1, &end, 10);
        column.format = *end == ':' ? (uint16_t)strtoul(end + 1, NULL, 10) : 0;
    }
    return column;
}

static const char *write_row_description(tusk__writer *b, const words *w, size_t i)
{
    tusk__column columns[WORDS_MAX];

    for (size_t k = i; k < w->n; k++)
        columns[k - i] = column_of(w->word[k]);
    tusk__row_description_write(b, columns, w->n - i);
    return NULL;
}

static const char *write_parameter_description(tusk__writer *b, const words *w, size_t i)
{
    uint32_t types[WORDS_MAX];

    for (size_t k = i; k < w->n; k++)
        types[k - i] = words_number(w, k);
    tusk__parameter_description_write(b, types, w->n - i);
    return NULL;
}

static const char *write_command_complete(tusk__writer *b, const words *w, size_t i)
{
    char tag[256] = "";

    for (size_t len = 0; i < w->n; i++) {
        if (len + w->word[i].len + 2 > sizeof tag)
            return "command_complete: tag too long";
        if (len > 0)
            tag[len++] = ' ';
        memcpy(tag + len, w->word[i].ptr, w->word[i].len + 1);
        len += w->word[i].len;
    }
    tusk__command_complete_write(b, tusk_str_of(tag));
    return NULL;
}

static const char *write_copy(tusk__writer *b, const words *w, size_t i, uint8_t type)
{
    static const char codes[] = "\0\0\0\1\0\1\0\1\0\1\0\1\0\1\0\1\0\1"; /* one 0, then eight 1 */
    bool is_binary = words_is(w, i, "binary");
    size_t n_cols = words_number(w, i + 1);
    tusk__copy_response copy = {is_binary, n_cols, tusk_str_from(codes + 2, n_cols * 2)};
    static const char zeros[16];

    if (n_cols > 8)
        return "copy: at most 8 columns";
    if (!is_binary)
        copy.formats.ptr = zeros;
    tusk__copy_response_write(b, type, &copy);
    return NULL;
}

static const char *write_copy_in(tusk__writer *b, const words *w, size_t i)
{
    return write_copy(b, w, i, TUSK__B_COPY_IN_RESPONSE);
}

static const char *write_copy_out(tusk__writer *b, const words *w, size_t i)
{
    return write_copy(b, w, i, TUSK__B_COPY_OUT_RESPONSE);
}

static const char *write_copy_both(tusk__writer *b, const words *w, size_t i)
{
    return write_copy(b, w, i, TUSK__B_COPY_BOTH_RESPONSE);
}

static const char *write_copy_data(tusk__writer *b, const words *w, size_t i)
{
    tusk__copy_data_write(b, words_at(w, i));
    return NULL;
}

static const char *write_notification(tusk__writer *b, const words *w, size_t i)
{
    tusk__notification n = {words_number(w, i), words_at(w, i + 1), words_at(w, i + 2)};

    tusk__notification_response_write(b, &n);
    return NULL;
}

static const char *write_fields(tusk__writer *b, const words *w, size_t i, uint8_t type)
{
    tusk__error_field_value fields[WORDS_MAX];
    size_t n = 0;

    for (; i < w->n; i++) {
        if (w->word[i].len < 2 || w->word[i].ptr[1] != '=')
            return "a field is written C=42601";
        fields[n++] =
            (tusk__error_field_value){w->word[i].ptr[0], tusk_str_from(w->word[i].ptr + 2, w->word[i].len - 2)};
    }
    tusk__error_fields_write(b, type, fields, n);
    return NULL;
}

static const char *write_error(tusk__writer *b, const words *w, size_t i)
{
    return write_fields(b, w, i, TUSK__B_ERROR_RESPONSE);
}

static const char *write_notice(tusk__writer *b, const words *w, size_t i)
{
    return write_fields(b, w, i, TUSK__B_NOTICE_RESPONSE);
}

static const char *write_function_result(tusk__writer *b, const words *w, size_t i)
{
    tusk__function_call_response_write(b, words_at(w, i), i >= w->n || is_null_word(w, i));
    return NULL;
}

/* Any bytes: raw x:5a00000005 "I" */
static const char *write_raw(tusk__writer *b, const words *w, size_t i)
{
    for (; i < w->n; i++)
        tusk__write_bytes(b, w->word[i]);
    return NULL;
}

/* A frame with a body of any bytes, its length counted: frame Z "Q" */
static const char *write_frame(tusk__writer *b, const words *w, size_t i)
{
    size_t at;

    if (words_at(w, i).len != 1)
        return "frame wants a type of one byte";
    at = tusk__message_begin(b, (uint8_t)words_at(w, i).ptr[0]);
    write_raw(b, w, i + 1);
    tusk__message_end(b, at);
    return NULL;
}

static const struct message {
    const char *name;
    const char *(*write)(tusk__writer *b, const words *w, size_t i);
    uint8_t empty; /* write is NULL: a message without a body */
} messages[] = {
    {"auth", write_authentication, 0},
    {"md5", write_md5, 0},
    {"key", write_key, 0},
    {"status", write_status, 0},
    {"negotiate", write_negotiate, 0},
    {"ready", write_ready, 0},
    {"parse_complete", NULL, TUSK__B_PARSE_COMPLETE},
    {"bind_complete", NULL, TUSK__B_BIND_COMPLETE},
    {"close_complete", NULL, TUSK__B_CLOSE_COMPLETE},
    {"no_data", NULL, TUSK__B_NO_DATA},
    {"empty_query", NULL, TUSK__B_EMPTY_QUERY_RESPONSE},
    {"portal_suspended", NULL, TUSK__B_PORTAL_SUSPENDED},
    {"copy_done", NULL, TUSK__B_COPY_DONE},
    {"row", write_row, 0},
    {"row_description", write_row_description, 0},
    {"parameter_description", write_parameter_description, 0},
    {"command_complete", write_command_complete, 0},
    {"copy_in", write_copy_in, 0},
    {"copy_out", write_copy_out, 0},
    {"copy_both", write_copy_both, 0},
    {"copy_data", write_copy_data, 0},
    {"notification", write_notification, 0},
    {"error", write_error, 0},
    {"notice", write_notice, 0},
    {"function_result", write_function_result, 0},
    {"raw", write_raw, 0},
    {"frame", write_frame, 0},
};

const char *words_write(tusk__writer *b, const words *w, size_t first)
{
    for (size_t k = 0; k < sizeof messages / sizeof messages[0]; k++) {
        const char *wrong = NULL;

        if (!words_is(w, first, messages[k].name))
            continue;
        if (messages[k].write)
            wrong = messages[k].write(b, w, first + 1);
        else
            tusk__empty_message_write(b, messages[k].empty);
        if (!wrong && b->failed != TUSK_OK)
            wrong = "the message cannot be written";
        return wrong;
    }
    return "no such message";
}

/* Up to the next ';' or newline outside quotes. */
static size_t message_len(const char *text)
{
    bool quoted = false;
    size_t len;

    for (len = 0; text[len] && text[len] != '\n' && (quoted || text[len] != ';'); len++) {
        if (text[len] == '"')
            quoted = !quoted;
        else if (text[len] == '\\' && quoted && text[len + 1])
            len++;
    }
    return len;
}

const char *words_write_text(tusk__writer *b, const char *text)
{
    words w;
    char line[1024];

    while (*text) {
        size_t len = message_len(text);
        const char *wrong;

        if (len >= sizeof line)
            return "line too long";
        memcpy(line, text, len);
        line[len] = '\0';
        wrong = words_split(&w, line);
        if (!wrong && w.n > 0)
            wrong = words_write(b, &w, 0);
        if (wrong)
            return wrong;
        text += len + (text[len] != '\0');
    }
    return NULL;
}
