/* Which name of a JSON document its object has twice: all names are sorted by object and text, so that a big object costs no square of
 * its size, and in place (a heap), so that it costs no memory but theirs.
 * Read first: lib/json.h. */
#include "lib/json.h"

/* By text: "a" and "\u0061" are the same. */
static int compare_texts(const char *a, const char *b, const char *end)
{
    tusk__json_cursor x = {.p = a + 1, .end = end}, y = {.p = b + 1, .end = end};
    uint32_t of_x = 0, of_y = 0;

    while (of_x == of_y) {
        bool x_ends = tusk__json_take_if(&x, '"'), y_ends = tusk__json_take_if(&y, '"');

        if (x_ends || y_ends)
            return (int)y_ends - (int)x_ends;
        (void)tusk__json_take_character(&x, &of_x);
        (void)tusk__json_take_character(&y, &of_y);
    }
    return of_x < of_y ? -1 : 1;
}

static bool is_same(const tusk__json_name *a, const tusk__json_name *b, const char *end)
{
    return a->object == b->object && compare_texts(a->name, b->name, end) == 0;
}

/* The same names of an object stay in their order. */
static bool is_before(const tusk__json_name *a, const tusk__json_name *b, const char *end)
{
    int order;

    if (a->object != b->object)
        return a->object < b->object;
    order = compare_texts(a->name, b->name, end);
    return order < 0 || (order == 0 && a->name < b->name);
}

/* Let the name at `top` sink to its place in the heap of n, the last in order on top. */
static void sink(tusk__json_name *names, size_t top, size_t n, const char *end)
{
    tusk__json_name sinking = names[top];

    for (size_t below = 2 * top + 1; below < n; below = 2 * top + 1) {
        if (below + 1 < n && is_before(&names[below], &names[below + 1], end))
            below++;
        if (!is_before(&sinking, &names[below], end))
            break;
        names[top] = names[below];
        top = below;
    }
    names[top] = sinking;
}

static void sort(tusk__json_name *names, size_t n, const char *end)
{
    for (size_t top = n / 2; top-- > 0;)
        sink(names, top, n, end);
    for (size_t left = n; left-- > 1;) {
        tusk__json_name last = names[0];

        names[0] = names[left];
        names[left] = last;
        sink(names, 0, left, end);
    }
}

const char *tusk__json_twice(tusk__json_name *names, size_t n, const char *end)
{
    const char *first = NULL;

    sort(names, n, end);
    for (size_t i = 1; i < n; i++)
        if ((!first || names[i].name < first) && is_same(&names[i - 1], &names[i], end))
            first = names[i].name;
    return first;
}
