/* Fuzz target: a value of any type in either format. Input: a byte for its type, one for its format, one for the type that a
 * statement wants of it, then the bytes, in a block of exactly their size.
 * Holds: no read beyond the block; what was decoded prints, and what was printed is read as the same value; what came in binary
 * goes out as the same bytes; what goes out is decoded as the same value; a refusal has a message and a sqlstate; a parameter never takes
 * more than was foretold.
 * Read first: lib/codec/codec.h. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include <tusk/row.h>

#include "lib/codec/types.h"

#define ONLY_HEAD 3
#include "test/fuzz/only.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t types[] = {
    TUSK_OID_BOOL,      TUSK_OID_INT2,        TUSK_OID_INT4,         TUSK_OID_INT8,        TUSK_OID_OID,
    TUSK_OID_FLOAT4,    TUSK_OID_FLOAT8,      TUSK_OID_TEXT,         TUSK_OID_NAME,        TUSK_OID_BPCHAR,
    TUSK_OID_VARCHAR,   TUSK_OID_UNKNOWN,     TUSK_OID_JSON,         TUSK_OID_JSONB,       TUSK_OID_BYTEA,
    TUSK_OID_UUID,      TUSK_OID_TIMESTAMP,   TUSK_OID_TIMESTAMPTZ,  TUSK_OID_DATE,        TUSK_OID_POINT,
    TUSK_OID_NUMERIC,   TUSK_OID_TIME,        TUSK_OID_TIMETZ,       TUSK_OID_INTERVAL,    TUSK_OID_MONEY,
    TUSK_OID_XID,       TUSK_OID_CID,         TUSK_OID_XID8,         TUSK_OID_PG_LSN,      TUSK_OID_XML,
    TUSK_OID_REFCURSOR, TUSK_OID_MACADDR,     TUSK_OID_MACADDR8,     TUSK_OID_INET,        TUSK_OID_CIDR,
    TUSK_OID_BIT,       TUSK_OID_VARBIT,      TUSK_OID_LINE,         TUSK_OID_LSEG,        TUSK_OID_BOX,
    TUSK_OID_CIRCLE,    TUSK_OID_PATH,        TUSK_OID_POLYGON,      TUSK_OID_PG_MCV_LIST, TUSK_OID_CHAR,
    TUSK_OID_TID,       TUSK_OID_REGCLASS,    TUSK_OID_REGOPER,      TUSK_OID_JSONPATH,    TUSK_OID_TSVECTOR,
    TUSK_OID_TSQUERY,   TUSK_OID_PG_SNAPSHOT, TUSK_OID_TXID_SNAPSHOT};
#define N_TYPES (sizeof types / sizeof *types)

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static void refused(tusk_code code, const tusk_error *err)
{
    require(code == err->code && (code == TUSK_ERR_VALUE || code == TUSK_ERR_TYPE));
    require(err->message[0] != '\0' && strlen(err->sqlstate) == 5);
}

static bool is_nan(const tusk_value *value)
{
    return value->kind == TUSK_KIND_FLOAT && isnan(value->as.real);
}

static bool has_bytes(const tusk_value *value)
{
    return value->kind == TUSK_KIND_TEXT || value->kind == TUSK_KIND_BYTES || value->kind == TUSK_KIND_WIRE;
}

static void same_point(tusk_point_parts a, tusk_point_parts b)
{
    require((isnan(a.x) && isnan(b.x)) || memcmp(&a.x, &b.x, sizeof a.x) == 0);
    require((isnan(a.y) && isnan(b.y)) || memcmp(&a.y, &b.y, sizeof a.y) == 0);
}

static void same_value(const tusk_value *a, const tusk_value *b)
{
    require(a->type == b->type && a->kind == b->kind);
    if (is_nan(a))
        require(is_nan(b));
    else if (has_bytes(a))
        require(tusk_str_equal(a->as.bytes, b->as.bytes));
    else if (a->kind == TUSK_KIND_UUID)
        require(memcmp(a->as.uuid, b->as.uuid, sizeof a->as.uuid) == 0);
    else if (a->kind == TUSK_KIND_MACADDR)
        require(memcmp(&a->as.macaddr, &b->as.macaddr, sizeof a->as.macaddr) == 0);
    else if (a->kind == TUSK_KIND_MACADDR8)
        require(memcmp(&a->as.macaddr8, &b->as.macaddr8, sizeof a->as.macaddr8) == 0);
    else if (a->kind == TUSK_KIND_POINT)
        same_point(a->as.point, b->as.point);
    else if (a->kind == TUSK_KIND_TID)
        require(a->as.tid.block == b->as.tid.block && a->as.tid.row == b->as.tid.row);
    else if (a->kind == TUSK_KIND_TIMETZ)
        require(a->as.timetz.us == b->as.timetz.us && a->as.timetz.offset == b->as.timetz.offset);
    else if (a->kind == TUSK_KIND_INTERVAL)
        require(a->as.interval.us == b->as.interval.us && a->as.interval.days == b->as.interval.days &&
                a->as.interval.months == b->as.interval.months);
    else if (a->kind == TUSK_KIND_BOOL)
        require(a->as.boolean == b->as.boolean);
    else
        require(a->as.integer == b->as.integer); /* of a float: all its bits */
}

/* A few bytes may be a number of 130 000 digits, which takes as long as twenty others: only if the input says so. */
#define LONG_TEXT 1000
#define IS_PATIENT 255
static bool is_patient;

/* As that text, if there is one. */
static void print_numeric(tusk_numeric_view n, tusk_str text)
{
    size_t len = tusk_numeric_to_text(n, NULL, 0);
    char *printed;

    if (len > LONG_TEXT && !is_patient)
        return;
    printed = malloc(len + 1);
    require(printed != NULL && tusk_numeric_to_text(n, printed, len + 1) == len);
    require(!text.ptr || tusk_str_equal(text, tusk_str_from(printed, len)));
    free(printed);
}

/* A number that is read prints as what is read as the same number; a conversion that says it lost nothing comes back. */
static void read_numeric(tusk_str text, bool is_printed)
{
    size_t size = text.len < 100000 ? TUSK_NUMERIC_SIZE(text.len) : 100000;
    uint8_t *buf = malloc(size), small[TUSK_NUMERIC_INT_SIZE];
    tusk_numeric_view n, m;
    tusk_error err = {0};
    tusk_code code = tusk_numeric_from_text(text, buf, size, &n, &err);
    int64_t integer, again;
    double real;

    require(code == err.code && (code == TUSK_OK || code == TUSK_ERR_VALUE || code == TUSK_ERR_LIMIT));
    require(code == TUSK_OK || !is_printed);
    if (code == TUSK_OK) {
        print_numeric(n, is_printed ? text : (tusk_str){NULL, 0});
        if (tusk_numeric_to_int64(n, &integer, NULL) == TUSK_OK) {
            m = tusk_numeric_from_int64(integer, small);
            require(tusk_numeric_to_int64(m, &again, NULL) == TUSK_OK && again == integer);
            require(m.n_digits == n.n_digits && memcmp(m.wire + 8, n.wire + 8, 2 * (size_t)m.n_digits) == 0);
        }
        (void)tusk_numeric_to_double(n, &real, NULL, NULL);
    }
    free(buf);
}

/* In a block that has room for the text and its NUL and no more. */
static void print_and_parse(const tusk__codec *codec, const tusk_value *value)
{
    size_t len = codec->print(value, NULL, 0);
    char *text;
    tusk_str printed;
    tusk_value back;

    if (len > LONG_TEXT && !is_patient)
        return;
    text = malloc(len + 1);
    printed = tusk_str_from(text, len);
    require(text != NULL && codec->print(value, text, len + 1) == len && text[len] == '\0');
    if (codec->read && value->type != TUSK_OID_NUMERIC) {
        void *room = malloc(value->as.bytes.len + 1);

        require(tusk_value_from_text(value->type, printed, room, value->as.bytes.len, &back, NULL) == TUSK_OK);
        if (strstr(text, "NaN") == NULL) /* whose bits text does not show */
            same_value(value, &back);
        free(room);
    } else if (value->type == TUSK_OID_NUMERIC) {
        read_numeric(printed, true);
    } else if (value->kind == TUSK_KIND_WIRE) { /* its text is the server's to read */
        require(tusk__value_decode(value->type, 0, printed, &back, NULL) == TUSK_ERR_TYPE);
    } else {
        require(tusk__value_decode(value->type, 0, printed, &back, NULL) == TUSK_OK);
        same_value(value, &back);
    }
    free(text);
}

static bool is_bad_text(const tusk_value *value)
{
    return value->kind == TUSK_KIND_TEXT &&
           (!tusk__utf8_is_valid(value->as.bytes) || memchr(value->as.bytes.ptr, 0, value->as.bytes.len) != NULL);
}

/* Which the server sends and would not take. */
static bool is_empty_query(const tusk_value *value)
{
    return value->type == TUSK_OID_TSQUERY && value->as.bytes.len == 4;
}

static void same_again(const tusk_value *value, tusk_str bytes)
{
    char *block = malloc(bytes.len ? bytes.len : 1);
    tusk_value back;

    require(block != NULL);
    if (bytes.len > 0)
        memcpy(block, bytes.ptr, bytes.len);
    require(tusk__value_decode(value->type, 1, tusk_str_from(block, bytes.len), &back, NULL) == TUSK_OK);
    same_value(value, &back);
    free(block);
}

/* Binary goes out as it came, but that a signalling NaN of float4 becomes a quiet one. Only text is looked at on the way: the server may send what we would not. */
static void encode(const tusk__codec *codec, const tusk_value *value, tusk_str bytes, bool is_binary)
{
    tusk__writer b;
    tusk_error err = {0};
    tusk_code code;

    tusk__writer_init(&b, tusk_allocator_default());
    code = codec->encode(&b, value, &err);
    if (code != TUSK_OK) {
        refused(code, &err);
        require(is_bad_text(value) || is_empty_query(value));
    } else {
        require(!is_binary || is_nan(value) || tusk_str_equal(tusk_str_from(b.buf, b.len), bytes));
        same_again(value, tusk_str_from(b.buf, b.len));
    }
    tusk__writer_clear(&b);
}

static void send_as(const tusk_value *value, uint32_t type)
{
    uint16_t format = 99;
    tusk__writer b;
    tusk_error err = {0};
    tusk_code code;

    tusk__writer_init(&b, tusk_allocator_default());
    code = tusk__param_encode(&b, value, type, &format, &err);
    require(format <= 1);
    if (code != TUSK_OK)
        refused(code, &err);
    else
        require(b.len >= 4 && b.len <= tusk__param_size(value) && tusk__be32(b.buf) == b.len - 4);
    tusk__writer_clear(&b);
}

/* A text that needs room: what is read is printed and read again as the same. As much room as makes both answers happen. */
static void read_into_room(const tusk__codec *codec, tusk_str text)
{
    size_t size = text.len % 2 ? 4 * text.len + 8 : text.len;
    void *room = malloc(size + 1);
    tusk_value value;
    tusk_error err = {0};
    tusk_code code = tusk_value_from_text(codec->type, text, room, size, &value, &err);

    require(room != NULL);
    if (code == TUSK_OK) {
        print_and_parse(codec, &value);
        encode(codec, &value, text, false);
    } else if (code == TUSK_ERR_LIMIT) {
        require(err.message[0] != '\0');
    } else {
        refused(code, &err);
    }
    free(room);
}

static void play(uint32_t type, uint16_t format, uint32_t wanted, tusk_str bytes)
{
    const tusk__codec *codec = tusk__codec_of(type);
    tusk_value value;
    tusk_error err = {0};
    tusk_code code = tusk__value_decode(type, format, bytes, &value, &err);

    if (code == TUSK_OK) {
        require(value.type == type);
        if (codec) {
            print_and_parse(codec, &value);
            encode(codec, &value, bytes, format == 1);
        }
        send_as(&value, wanted);
    } else {
        refused(code, &err);
        require(tusk__value_decode(type, format, bytes, &value, NULL) == code);
    }
    if (format == 0 && codec && codec->read && type != TUSK_OID_NUMERIC)
        read_into_room(codec, bytes);
    if (format == 0 && type == TUSK_OID_NUMERIC)
        read_numeric(bytes, false);
}

/* ---- one decoder alone: a type in a format ----------------------------------------------------------------------------------------- */

/* Where each row with functions of its own is, and the text forms that are read. */
static bool is_first(size_t at, bool is_text)
{
    const tusk__codec *codec = tusk__codec_of(types[at]), *other;

    if (!codec || (is_text && codec->read == NULL && codec->kind == TUSK_KIND_WIRE))
        return false;
    for (size_t i = 0; i < at; i++) {
        other = tusk__codec_of(types[i]);
        if (other &&
            (is_text ? other->parse == codec->parse && other->read == codec->read : other->decode == codec->decode))
            return false;
    }
    return true;
}

/* Which place and format that is; N_TYPES: none. */
static size_t place(unsigned n, bool *is_text)
{
    for (unsigned at = 0; at < 2 * N_TYPES; at++) {
        *is_text = at >= N_TYPES;
        if (is_first(at % N_TYPES, *is_text) && n-- == 0)
            return at % N_TYPES;
    }
    return N_TYPES;
}

static bool decoder_name(unsigned n, char name[ONLY_NAME_SIZE])
{
    bool is_text;
    size_t at = place(n, &is_text);

    if (at == N_TYPES)
        return false;
    snprintf(name, ONLY_NAME_SIZE, "%s%s", tusk__type_name(types[at]), is_text ? ".text" : "");
    return true;
}

static bool is_decoders(unsigned n, const uint8_t head[ONLY_HEAD])
{
    static unsigned known_n = UINT32_MAX;
    static size_t at;
    static bool is_text;

    if (n != known_n)
        at = place(n, &is_text);
    known_n = n;
    return head[0] % N_TYPES == at && (head[1] & 1) == !is_text;
}

static void put_head(unsigned n, uint8_t head[ONLY_HEAD])
{
    bool is_text;

    head[0] = (uint8_t)place(n, &is_text);
    head[1] = !is_text;
}

static size_t shape(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    (void)data, (void)max_size, (void)seed;
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *block;

    if (size < ONLY_HEAD || is_another(data))
        return 0;
    is_patient = data[2] == IS_PATIENT;
    block = malloc(size > 3 ? size - 3 : 1);
    require(block != NULL);
    memcpy(block, data + 3, size - 3);
    play(types[data[0] % N_TYPES], data[1] & 1, data[2] % 4 == 0 ? 0 : types[data[2] % N_TYPES],
         tusk_str_from(block, size - 3));
    free(block);
    return 0;
}
