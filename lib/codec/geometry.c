/* point, line, lseg, box, path, polygon and circle: float8s one behind the other in binary, those of a path and a polygon with their number
 * in front; in text with brackets around each pair.
 * Corners of a box are not sorted here: the server does.
 * Source: PostgreSQL docs, "Geometric Types"; *_recv and *_out in src/backend/utils/adt/geo_ops.c. */
#include <tusk/geometry.h>

#include <math.h>

#include "lib/codec/printer.h"
#include "lib/codec/scan.h"

#define REAL 8
#define POINT ((size_t)16)
#define PATH_HEADER 5
#define POLYGON_HEADER 4

/* How the text of a type looks: each # is a number. */
static const char point_form[] = "(#,#)";
static const char line_form[] = "{#,#,#}";
static const char lseg_form[] = "[(#,#),(#,#)]";
static const char box_form[] = "(#,#),(#,#)";
static const char circle_form[] = "<(#,#),#>";

static void put_real(uint8_t *p, double real)
{
    uint64_t bits;

    memcpy(&bits, &real, sizeof bits);
    tusk__put32(p, (uint32_t)(bits >> 32));
    tusk__put32(p + 4, (uint32_t)bits);
}

static void put_point(uint8_t *p, tusk_point_parts point)
{
    put_real(p, point.x);
    put_real(p + REAL, point.y);
}

static tusk_code bad(tusk_error *err, const char *type_name, const char *what)
{
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_BAD_BINARY, "%s in binary %s", type_name, what);
}

static tusk_code decoded(tusk_str bytes, tusk_value *out)
{
    out->kind = TUSK_KIND_WIRE;
    out->as.bytes = bytes;
    return TUSK_OK;
}

/* ---- text, by its form ------------------------------------------------------------------------------------------------------------- */

static void print_form(tusk__printer *p, const char *form, const uint8_t *numbers)
{
    for (; *form; form++) {
        char text[32];
        tusk_value real = tusk_float8(0);

        if (*form != '#') {
            tusk__print_char(p, *form);
            continue;
        }
        real.as.real = tusk__double_at(numbers);
        numbers += REAL;
        tusk__print_part(p, tusk_str_from(text, tusk__float8_print(&real, text, sizeof text)));
    }
}

/* Up to the bracket or comma behind it. */
static bool take_real(tusk__scan *s, double *real)
{
    const char *start = s->at;
    tusk_value value;

    while (s->at < s->end && !strchr(",()[]{}<>", *s->at))
        s->at++;
    if (tusk__float8_parse(tusk_str_from(start, (size_t)(s->at - start)), &value, NULL) != TUSK_OK)
        return false;
    *real = value.as.real;
    return true;
}

static bool take_form(tusk__scan *s, const char *form, uint8_t *numbers)
{
    double real;

    for (; *form; form++) {
        if (*form != '#') {
            if (!tusk__take(s, *form))
                return false;
            continue;
        }
        if (!take_real(s, &real))
            return false;
        put_real(numbers, real);
        numbers += REAL;
    }
    return true;
}

static size_t print_shape(const char *form, const tusk_value *value, char *buf, size_t size)
{
    tusk__printer p = tusk__printer_of(buf, size);

    print_form(&p, form, (const uint8_t *)value->as.bytes.ptr);
    return tusk__print_end(&p);
}

static bool read_shape(const char *form, tusk_str text, uint8_t *numbers)
{
    tusk__scan s = tusk__scan_of(text);

    return take_form(&s, form, numbers) && s.at == s.end;
}

/* ---- point: lies in the value ------------------------------------------------------------------------------------------------------- */

tusk_code tusk__point_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    (void)err;
    out->kind = TUSK_KIND_POINT;
    out->as.point = tusk__point_at((const uint8_t *)bytes.ptr);
    return TUSK_OK;
}

tusk_code tusk__point_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    uint8_t numbers[POINT];

    if (!read_shape(point_form, text, numbers))
        return tusk__bad_text(err, "point", text);
    return tusk__point_decode(tusk_str_from(numbers, sizeof numbers), out, err);
}

tusk_code tusk__point_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    uint8_t numbers[POINT];

    (void)err;
    put_point(numbers, value->as.point);
    tusk__write_bytes(b, tusk_str_from(numbers, sizeof numbers));
    return TUSK_OK;
}

size_t tusk__point_print(const tusk_value *value, char *buf, size_t size)
{
    uint8_t numbers[POINT];
    tusk__printer p = tusk__printer_of(buf, size);

    put_point(numbers, value->as.point);
    print_form(&p, point_form, numbers);
    return tusk__print_end(&p);
}

/* ---- what is of fixed size but too long for a value ----------------------------------------------------------------------------------- */

/* What the server takes for 0 (EPSILON in utils/geo_decls.h). */
static bool is_zero(double real)
{
    return fabs(real) <= 1e-6;
}

static tusk_code check_line(const uint8_t *p, tusk_error *err)
{
    if (is_zero(tusk__double_at(p)) && is_zero(tusk__double_at(p + REAL)))
        return bad(err, "line", "whose a and b are both 0");
    return TUSK_OK;
}

static tusk_code check_circle(const uint8_t *p, tusk_error *err)
{
    if (tusk__double_at(p + POINT) < 0)
        return bad(err, "circle", "with a negative radius");
    return TUSK_OK;
}

static tusk_code check_nothing(const uint8_t *p, tusk_error *err)
{
    (void)p, (void)err;
    return TUSK_OK;
}

/* `check` sees `size` bytes of numbers. What the caller made is checked as what came. */
#define SHAPE(name, size, check)                                                                                       \
    tusk_code tusk__##name##_decode(tusk_str bytes, tusk_value *out, tusk_error *err)                                  \
    {                                                                                                                  \
        TUSK_TRY(check((const uint8_t *)bytes.ptr, err));                                                              \
        return decoded(bytes, out);                                                                                    \
    }                                                                                                                  \
    tusk_code tusk__##name##_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)                         \
    {                                                                                                                  \
        if (value->as.bytes.len != (size))                                                                             \
            return bad(err, #name, "of another length");                                                               \
        TUSK_TRY(check((const uint8_t *)value->as.bytes.ptr, err));                                                    \
        tusk__write_bytes(b, value->as.bytes);                                                                         \
        return TUSK_OK;                                                                                                \
    }                                                                                                                  \
    size_t tusk__##name##_print(const tusk_value *value, char *buf, size_t n)                                          \
    {                                                                                                                  \
        return print_shape(name##_form, value, buf, n);                                                                \
    }                                                                                                                  \
    tusk_code tusk__##name##_read(tusk_str text, tusk__room room, tusk_value *out, tusk_error *err)                    \
    {                                                                                                                  \
        uint8_t numbers[size];                                                                                         \
                                                                                                                       \
        if (!read_shape(name##_form, text, numbers) || check(numbers, NULL) != TUSK_OK)                                \
            return tusk__bad_text(err, #name, text);                                                                   \
        return tusk__put_wire(room, numbers, size, out, err);                                                          \
    }

SHAPE(line, TUSK_LINE_SIZE, check_line)
SHAPE(lseg, TUSK_LSEG_SIZE, check_nothing)
SHAPE(box, TUSK_BOX_SIZE, check_nothing)
SHAPE(circle, TUSK_CIRCLE_SIZE, check_circle)

tusk_value tusk_line(tusk_line_parts line, unsigned char buf[TUSK_LINE_SIZE])
{
    put_real(buf, line.a);
    put_real(buf + REAL, line.b);
    put_real(buf + POINT, line.c);
    return tusk__bytes_of(TUSK_OID_LINE, TUSK_KIND_WIRE, tusk_str_from(buf, TUSK_LINE_SIZE));
}

tusk_value tusk_lseg(tusk_lseg_parts lseg, unsigned char buf[TUSK_LSEG_SIZE])
{
    put_point(buf, lseg.from);
    put_point(buf + POINT, lseg.to);
    return tusk__bytes_of(TUSK_OID_LSEG, TUSK_KIND_WIRE, tusk_str_from(buf, TUSK_LSEG_SIZE));
}

tusk_value tusk_box(tusk_box_parts box, unsigned char buf[TUSK_BOX_SIZE])
{
    put_point(buf, box.high);
    put_point(buf + POINT, box.low);
    return tusk__bytes_of(TUSK_OID_BOX, TUSK_KIND_WIRE, tusk_str_from(buf, TUSK_BOX_SIZE));
}

tusk_value tusk_circle(tusk_circle_parts circle, unsigned char buf[TUSK_CIRCLE_SIZE])
{
    put_point(buf, circle.center);
    put_real(buf + POINT, circle.radius);
    return tusk__bytes_of(TUSK_OID_CIRCLE, TUSK_KIND_WIRE, tusk_str_from(buf, TUSK_CIRCLE_SIZE));
}

tusk_line_parts tusk__line_of(tusk_str wire)
{
    const uint8_t *p = (const uint8_t *)wire.ptr;
    tusk_line_parts line = {0, 0, 0};

    if (p) {
        line.a = tusk__double_at(p);
        line.b = tusk__double_at(p + REAL);
        line.c = tusk__double_at(p + POINT);
    }
    return line;
}

static tusk_point_parts point_of(const uint8_t *p, size_t i)
{
    tusk_point_parts none = {0, 0};

    return p ? tusk__point_at(p + i * POINT) : none;
}

tusk_lseg_parts tusk__lseg_of(tusk_str wire)
{
    const uint8_t *p = (const uint8_t *)wire.ptr;
    tusk_lseg_parts lseg = {point_of(p, 0), point_of(p, 1)};

    return lseg;
}

tusk_box_parts tusk__box_of(tusk_str wire)
{
    const uint8_t *p = (const uint8_t *)wire.ptr;
    tusk_box_parts box = {point_of(p, 0), point_of(p, 1)};

    return box;
}

tusk_circle_parts tusk__circle_of(tusk_str wire)
{
    const uint8_t *p = (const uint8_t *)wire.ptr;
    tusk_circle_parts circle = {point_of(p, 0), p ? tusk__double_at(p + POINT) : 0};

    return circle;
}

/* ---- points, as many as there are --------------------------------------------------------------------------------------------------- */

static tusk_code check_points(const char *type_name, tusk_str wire, size_t header, tusk_error *err)
{
    uint32_t n;

    if (wire.len < header)
        return bad(err, type_name, "without its number of points");
    n = tusk__be32((const uint8_t *)wire.ptr + header - 4);
    if (n == 0 || n > TUSK_POINTS_MAX)
        return bad(err, type_name, n == 0 ? "without points" : "with more points than it can have");
    if (wire.len != header + n * POINT)
        return bad(err, type_name, "with more or fewer points than it says");
    return TUSK_OK;
}

static void print_points(tusk__printer *p, const uint8_t *points, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0)
            tusk__print_char(p, ',');
        print_form(p, point_form, points + i * POINT);
    }
}

/* Counts all points and stores those that fit. */
static bool take_points(tusk__scan *s, uint8_t *points, size_t max, size_t *n)
{
    for (*n = 0;; ++*n) {
        uint8_t point[POINT];

        if (!take_form(s, point_form, point))
            return false;
        if (*n < max)
            memcpy(points + *n * POINT, point, POINT);
        if (!tusk__take(s, ','))
            break;
    }
    ++*n;
    return true;
}

/* The points of a text in brackets, behind a header that is still to be written. */
static tusk_code read_points(const char *type_name, tusk_str text, size_t header, tusk__room room, tusk_value *out,
                             tusk_error *err)
{
    tusk__scan s = tusk__scan_of(text);
    bool is_open = tusk__take(&s, '[');
    size_t n, max = room.size < header ? 0 : (room.size - header) / POINT;
    uint8_t *p = room.ptr;

    if (!is_open && !tusk__take(&s, '('))
        return tusk__bad_text(err, type_name, text);
    if (!take_points(&s, max > 0 ? p + header : NULL, max, &n) || !tusk__take(&s, is_open ? ']' : ')') || s.at != s.end)
        return tusk__bad_text(err, type_name, text);
    if (n > max)
        return tusk__too_small(err, header + n * POINT, room.size);
    tusk__put32(p + header - 4, (uint32_t)n);
    return decoded(tusk_str_from(p, header + n * POINT), out);
}

static tusk_code put_points(const tusk_point_parts *points, size_t n, size_t header, uint8_t *buf, size_t size,
                            tusk_error *err)
{
    tusk__error_begin(err);
    if (n == 0 || n > TUSK_POINTS_MAX)
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_OUT_OF_RANGE, "%zu points: 1 to %u are possible", n,
                               TUSK_POINTS_MAX);
    if (size < header + n * POINT)
        return tusk__too_small(err, header + n * POINT, size);
    tusk__put32(buf + header - 4, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        put_point(buf + header + i * POINT, points[i]);
    return TUSK_OK;
}

/* ---- path ---------------------------------------------------------------------------------------------------------------------------- */

static tusk_code check_path(tusk_str wire, tusk_error *err)
{
    TUSK_TRY(check_points("path", wire, PATH_HEADER, err));
    return (uint8_t)wire.ptr[0] > 1 ? bad(err, "path", "that is neither open nor closed") : TUSK_OK;
}

tusk_code tusk__path_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    TUSK_TRY(check_path(bytes, err));
    return decoded(bytes, out);
}

tusk_code tusk__path_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    TUSK_TRY(check_path(value->as.bytes, err));
    tusk__write_bytes(b, value->as.bytes);
    return TUSK_OK;
}

tusk_path_view tusk__path_of(tusk_str wire)
{
    const uint8_t *p = (const uint8_t *)wire.ptr;
    tusk_path_view path = {p, p ? tusk__be32(p + 1) : 0, p && p[0] == 1};

    return path;
}

size_t tusk__path_print(const tusk_value *value, char *buf, size_t size)
{
    tusk_path_view path = tusk__path_of(value->as.bytes);
    tusk__printer p = tusk__printer_of(buf, size);

    tusk__print_char(&p, path.is_closed ? '(' : '[');
    print_points(&p, path.wire + PATH_HEADER, path.n_points);
    tusk__print_char(&p, path.is_closed ? ')' : ']');
    return tusk__print_end(&p);
}

tusk_code tusk__path_read(tusk_str text, tusk__room room, tusk_value *out, tusk_error *err)
{
    uint8_t *p = room.ptr;

    TUSK_TRY(read_points("path", text, PATH_HEADER, room, out, err));
    p[0] = text.ptr[0] == '(';
    return TUSK_OK;
}

tusk_code tusk_path_from_points(const tusk_point_parts *points, size_t n, bool is_closed, void *buf, size_t size,
                                tusk_path_view *out, tusk_error *err)
{
    uint8_t *p = buf;

    TUSK_TRY(put_points(points, n, PATH_HEADER, p, size, err));
    p[0] = is_closed;
    *out = tusk__path_of(tusk_str_from(p, TUSK_PATH_SIZE(n)));
    return TUSK_OK;
}

/* ---- polygon ------------------------------------------------------------------------------------------------------------------------- */

tusk_code tusk__polygon_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    TUSK_TRY(check_points("polygon", bytes, POLYGON_HEADER, err));
    return decoded(bytes, out);
}

tusk_code tusk__polygon_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    TUSK_TRY(check_points("polygon", value->as.bytes, POLYGON_HEADER, err));
    tusk__write_bytes(b, value->as.bytes);
    return TUSK_OK;
}

tusk_polygon_view tusk__polygon_of(tusk_str wire)
{
    const uint8_t *p = (const uint8_t *)wire.ptr;
    tusk_polygon_view polygon = {p, p ? tusk__be32(p) : 0};

    return polygon;
}

size_t tusk__polygon_print(const tusk_value *value, char *buf, size_t size)
{
    tusk_polygon_view polygon = tusk__polygon_of(value->as.bytes);
    tusk__printer p = tusk__printer_of(buf, size);

    tusk__print_char(&p, '(');
    print_points(&p, polygon.wire + POLYGON_HEADER, polygon.n_points);
    tusk__print_char(&p, ')');
    return tusk__print_end(&p);
}

tusk_code tusk__polygon_read(tusk_str text, tusk__room room, tusk_value *out, tusk_error *err)
{
    if (text.len == 0 || text.ptr[0] != '(')
        return tusk__bad_text(err, "polygon", text);
    return read_points("polygon", text, POLYGON_HEADER, room, out, err);
}

tusk_code tusk_polygon_from_points(const tusk_point_parts *points, size_t n, void *buf, size_t size,
                                   tusk_polygon_view *out, tusk_error *err)
{
    TUSK_TRY(put_points(points, n, POLYGON_HEADER, buf, size, err));
    *out = tusk__polygon_of(tusk_str_from(buf, TUSK_POLYGON_SIZE(n)));
    return TUSK_OK;
}
