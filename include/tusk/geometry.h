/* Geometric types: the structs of those of fixed size, views of paths and polygons, and the ways to make them.
 * No arithmetic. Nothing here allocates; what is made lies in the caller's memory.
 * Read first: docs/types.md, "point, line, lseg, box, path, polygon, circle". */
#ifndef TUSK_GEOMETRY_H
#define TUSK_GEOMETRY_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <tusk/error.h>
#include <tusk/str.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tusk_point_parts {
    double x, y;
} tusk_point_parts;

/** a·x + b·y + c = 0; a and b are not both 0. */
typedef struct tusk_line_parts {
    double a, b, c;
} tusk_line_parts;

typedef struct tusk_lseg_parts {
    tusk_point_parts from, to;
} tusk_lseg_parts;

/** Two opposite corners. The server sends the upper right one as `high`, and sorts what it is sent. */
typedef struct tusk_box_parts {
    tusk_point_parts high, low;
} tusk_box_parts;

/** The radius is not negative. */
typedef struct tusk_circle_parts {
    tusk_point_parts center;
    double radius;
} tusk_circle_parts;

/**
 * Points of a path or a polygon, checked: one at least. It borrows its bytes: those of a row as long as the row's, those that the functions
 * below wrote as long as the buffer they were given.
 */
typedef struct tusk_path_view {
    const unsigned char *wire; /* the binary format as a whole; NULL: none (SQL NULL) */
    uint32_t n_points;
    bool is_closed;
} tusk_path_view;

typedef struct tusk_polygon_view {
    const unsigned char *wire; /* the binary format as a whole; NULL: none (SQL NULL) */
    uint32_t n_points;
} tusk_polygon_view;

static inline double tusk__double_at(const unsigned char *p)
{
    uint64_t bits = 0;
    double real;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | p[i];
    memcpy(&real, &bits, sizeof real);
    return real;
}
static inline tusk_point_parts tusk__point_at(const unsigned char *p)
{
    tusk_point_parts point = {tusk__double_at(p), tusk__double_at(p + 8)};
    return point;
}
/** Point i < n_points. */
static inline tusk_point_parts tusk_path_point(tusk_path_view path, uint32_t i) { return tusk__point_at(path.wire + 5 + 16 * (size_t)i); }
static inline tusk_point_parts tusk_polygon_point(tusk_polygon_view polygon, uint32_t i)
{
    return tusk__point_at(polygon.wire + 4 + 16 * (size_t)i);
}

/** Bytes that so many points take. */
#define TUSK_PATH_SIZE(n_points) (5 + 16 * (size_t)(n_points))
#define TUSK_POLYGON_SIZE(n_points) (4 + 16 * (size_t)(n_points))
/** More do not fit the type. */
#define TUSK_POINTS_MAX 134217724u

/**
 * buf       gets the points; *out points into it
 * Errors    TUSK_ERR_VALUE no point, or more than TUSK_POINTS_MAX (22003) · TUSK_ERR_LIMIT buf is too small
 */
tusk_code tusk_path_from_points(const tusk_point_parts *points, size_t n, bool is_closed, void *buf, size_t size, tusk_path_view *out,
                                tusk_error *err);
tusk_code tusk_polygon_from_points(const tusk_point_parts *points, size_t n, void *buf, size_t size, tusk_polygon_view *out, tusk_error *err);

/** Bytes that the functions of these types in tusk/value.h write. */
#define TUSK_LINE_SIZE 24
#define TUSK_LSEG_SIZE 32
#define TUSK_BOX_SIZE 32
#define TUSK_CIRCLE_SIZE 24

#ifdef __cplusplus
}
#endif

#endif
