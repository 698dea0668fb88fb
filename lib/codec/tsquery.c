/* tsquery: in binary an Int32 number of items in prefix order, the right operand in front of the left one: 1, weights, prefix mark and a lexeme
 * that ends with a NUL; or 2, an operator, and a phrase's distance. In text infix, with the brackets that are needed. Text is the server's to read.
 * Source: PostgreSQL docs, "Text Search Types"; tsquerysend, tsqueryrecv and infix in src/backend/utils/adt/tsquery.c. */
#include <stdio.h>

#include "lib/codec/lexeme.h"

#define HEADER 4
#define DEPTH_MAX 1000 /* operators within each other; checking and printing descend as deep */

enum { ITEM_LEXEME = 1, ITEM_OPERATOR = 2 };
enum { OP_NOT = 1, OP_AND = 2, OP_OR = 3, OP_PHRASE = 4 };

/* One item; those of a lexeme, or of an operator. */
typedef struct item {
    bool is_operator, is_prefix;
    uint8_t weights, op;
    int16_t distance;
    tusk_str lexeme;
} item;

static bool take_lexeme(tusk__cursor *c, item *i)
{
    const uint8_t *p = tusk__take_bytes(c, 2);

    if (!p || p[0] > 0xF || p[1] > 1)
        return false;
    i->weights = p[0];
    i->is_prefix = p[1] == 1;
    return tusk__take_lexeme(c, &i->lexeme);
}

static bool take_operator(tusk__cursor *c, item *i)
{
    const uint8_t *p = tusk__take_bytes(c, 1), *distance;

    if (!p || p[0] < OP_NOT || p[0] > OP_PHRASE)
        return false;
    i->op = p[0];
    if (i->op != OP_PHRASE)
        return true;
    distance = tusk__take_bytes(c, 2);
    if (!distance)
        return false;
    i->distance = (int16_t)tusk__be16(distance);
    return true;
}

static bool take_item(tusk__cursor *c, item *i)
{
    const uint8_t *p = tusk__take_bytes(c, 1);

    if (!p || (p[0] != ITEM_LEXEME && p[0] != ITEM_OPERATOR))
        return false;
    i->is_operator = p[0] == ITEM_OPERATOR;
    return i->is_operator ? take_operator(c, i) : take_lexeme(c, i);
}

static tusk_code bad(tusk_error *err, const char *what)
{
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_BAD_BINARY, "tsquery in binary %s", what);
}

/* One operand with all that is in it, of at most *left items. */
static tusk_code check_operand(tusk__cursor *c, uint32_t *left, int depth, tusk_error *err)
{
    item i;

    if (*left == 0 || !take_item(c, &i))
        return bad(err, "with an item that is none");
    --*left;
    if (!i.is_operator)
        return TUSK_OK;
    if (depth == DEPTH_MAX)
        return bad(err, "with more than 1000 operators within each other: read it as text");
    if (i.op != OP_NOT)
        TUSK_TRY(check_operand(c, left, depth + 1, err));
    return check_operand(c, left, depth + 1, err);
}

static tusk_code check(tusk_str wire, tusk_error *err)
{
    tusk__cursor c = tusk__cursor_of(wire);
    const uint8_t *p = tusk__take_bytes(&c, HEADER);
    uint32_t n = p ? tusk__be32(p) : 0;

    if (!p)
        return bad(err, "without its number of items");
    if (n > 0)
        TUSK_TRY(check_operand(&c, &n, 0, err));
    return n == 0 && c.at == c.end ? TUSK_OK : bad(err, "with more than it says");
}

tusk_code tusk__tsquery_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    TUSK_TRY(check(bytes, err));
    out->kind = TUSK_KIND_WIRE;
    out->as.bytes = bytes;
    return TUSK_OK;
}

/* The server sends an empty one and does not take it back (findoprnd finds no operand). */
tusk_code tusk__tsquery_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    TUSK_TRY(check(value->as.bytes, err));
    if (value->as.bytes.len == HEADER)
        return bad(err, "and empty, which the server refuses: send it as text");
    tusk__write_bytes(b, value->as.bytes);
    return TUSK_OK;
}

/* ---- to text: of a checked one ------------------------------------------------------------------------------------------------------ */

static int rank_of(uint8_t op)
{
    static const int rank[] = {[OP_NOT] = 4, [OP_PHRASE] = 3, [OP_AND] = 2, [OP_OR] = 1};

    return rank[op];
}

/* Steps over one operand with all that is in it. */
static void skip_operand(tusk__cursor *c)
{
    item i;

    for (size_t need = 1; need > 0 && take_item(c, &i); need--)
        need += i.is_operator ? (i.op == OP_NOT ? 1 : 2) : 0;
}

static void print_operand(tusk__printer *p, const item *i)
{
    tusk__print_lexeme(p, i->lexeme);
    if (i->weights == 0 && !i->is_prefix)
        return;
    tusk__print_char(p, ':');
    if (i->is_prefix)
        tusk__print_char(p, '*');
    for (int k = 0; k < 4; k++)
        if (i->weights & 8 >> k)
            tusk__print_char(p, (char)('A' + k));
}

static void print_operator(tusk__printer *p, const item *i)
{
    char text[16];

    if (i->op == OP_PHRASE && i->distance != 1)
        snprintf(text, sizeof text, " <%d> ", i->distance);
    else
        snprintf(text, sizeof text, " %s ", i->op == OP_PHRASE ? "<->" : i->op == OP_AND ? "&" : "|");
    tusk__print_part(p, tusk_str_of(text));
}

/* The operand at c, as one of an operator of that rank. A phrase within the right side of a phrase is another one without its brackets. */
static void print_query(tusk__printer *p, tusk__cursor c, int outer, bool is_right_of_phrase)
{
    item i;
    tusk__cursor left;
    bool in_brackets;

    if (!take_item(&c, &i))
        return;
    if (!i.is_operator) {
        print_operand(p, &i);
        return;
    }
    if (i.op == OP_NOT) {
        tusk__print_char(p, '!');
        print_query(p, c, rank_of(OP_NOT), false);
        return;
    }
    in_brackets = rank_of(i.op) < outer || (i.op == OP_PHRASE && is_right_of_phrase);
    left = c;
    skip_operand(&left);
    if (in_brackets)
        tusk__print_part(p, tusk_str_of("( "));
    print_query(p, left, rank_of(i.op), false);
    print_operator(p, &i);
    print_query(p, c, rank_of(i.op), i.op == OP_PHRASE);
    if (in_brackets)
        tusk__print_part(p, tusk_str_of(" )"));
}

size_t tusk__tsquery_print(const tusk_value *value, char *buf, size_t size)
{
    tusk__cursor c = tusk__cursor_of(value->as.bytes);
    tusk__printer p = tusk__printer_of(buf, size);

    (void)tusk__take_bytes(&c, HEADER);
    print_query(&p, c, 0, false);
    return tusk__print_end(&p);
}
