/* ReLU of 2 x 2 max pooling, forward and backward, of images stored channels last. Optional: snnlib/fast/pooled.py compiles it where
 * there is a C compiler, and torch's own operations do the same elsewhere.
 *
 * Maps are (images, height, width, channels) in memory. What is pooled is laid out the same, or where a fully connected layer follows
 * (`flat`) as (images, channels, pixels), the order in which it is flattened: torch turns that round number by number.
 */
#include "maps.h"

typedef struct {
    long images, height, width, channels, flat; /* of what is pooled; a last odd row or column is left out, LANES channels are the least */
} Shape;

typedef unsigned char Place; /* which of a window's four numbers is the largest, the first of equals; 4 where none is above 0 */

/* Numbers of scratch memory that the functions need, in the size of a map's numbers */
long pooled_room(const Shape *s) { return s->height / 2 * (s->width / 2) * s->channels; }

/* to (across, down) = from (down, across), in squares that stay in the cache */
INLINE void turn(const MAP *restrict from, long down, long across, MAP *restrict to) {
    for (long a = 0; a < across; a += 16)
        for (long d = 0; d < down; d += 16)
            for (long i = a; i < smaller(a + 16, across); i++)
                for (long j = d; j < smaller(d + 16, down); j++) to[i * down + j] = from[j * across + i];
}

typedef Place Places __attribute__((vector_size(64 / sizeof(REAL)))); /* one for each number of a register */

INLINE Vector either(Mask which, Vector a, Vector b) { return (Vector)((which & (Mask)a) | (~which & (Mask)b)); }

/* `best` and its place, after one more number of the window; NaN wins, as in torch */
#define MATCH(next, number_)                                      \
    {                                                             \
        Vector next_ = next;                                      \
        Mask take_ = (next_ > best) | (next_ != next_);           \
        best = either(take_, next_, best);                        \
        place = either(take_, number_ - (Vector){0}, place);      \
    }

/* One pixel of what is pooled: x0 and x1 are the upper and the lower two pixels, one channel after the other */
INLINE void pool(const MAP *x0, const MAP *x1, long channels, MAP *out, Place *at) {
    for (long c = 0; c < channels; c += LANES) {
        c = smaller(c, channels - LANES); /* the last ones again, so that a register is full */
        Vector best = get(x0 + c);
        Vector place = {0};
        MATCH(get(x0 + channels + c), 1)
        MATCH(get(x1 + c), 2)
        MATCH(get(x1 + channels + c), 3)
        Mask off = best <= (Vector){0}; /* NaN is not, and stays */
        put(out + c, (Vector)(~off & (Mask)best));
        Places places = __builtin_convertvector(either(off, 4 - (Vector){0}, place), Places);
        memcpy(at + c, &places, sizeof places);
    }
}

/* out and place from x; `scratch` has pooled_room numbers */
void pooled_forward(const Shape *s, const MAP *x, MAP *out, Place *place, MAP *scratch) {
    long high = s->height / 2, wide = s->width / 2, channels = s->channels, line = s->width * channels, size = high * wide * channels;
    for (long n = 0; n < s->images; n++, x += s->height * line, out += size, place += size) {
        MAP *to = s->flat ? scratch : out;
        for (long o = 0; o < high; o++)
            for (long p = 0; p < wide; p++) {
                const MAP *from = x + 2 * o * line + 2 * p * channels;
                long at = (o * wide + p) * channels;
                pool(from, from + line, channels, to + at, place + at);
            }
        if (s->flat) turn(scratch, high * wide, channels, out);
    }
}

/* One pixel of what is pooled: its gradient goes to the place it came from, 0 to the others */
INLINE void spread(const MAP *g, const Place *place, long channels, MAP *x0, MAP *x1) {
    for (long c = 0; c < channels; c += LANES) {
        c = smaller(c, channels - LANES); /* as above */
        Vector grad = get(g + c);
        Places places;
        memcpy(&places, place + c, sizeof places);
        Mask at = __builtin_convertvector(places, Mask);
        put(x0 + c, (Vector)((at == 0) & (Mask)grad));
        put(x0 + channels + c, (Vector)((at == 1) & (Mask)grad));
        put(x1 + c, (Vector)((at == 2) & (Mask)grad));
        put(x1 + channels + c, (Vector)((at == 3) & (Mask)grad));
    }
}

/* dx from grad, that of what is pooled */
void pooled_backward(const Shape *s, const MAP *grad, const Place *place, MAP *dx, MAP *scratch) {
    long high = s->height / 2, wide = s->width / 2, channels = s->channels, line = s->width * channels, size = high * wide * channels;
    for (long n = 0; n < s->images; n++, dx += s->height * line, grad += size, place += size) {
        const MAP *from = grad;
        if (s->flat) {
            turn(grad, channels, high * wide, scratch);
            from = scratch;
        }
        for (long o = 0; o < high; o++) {
            MAP *upper = dx + 2 * o * line, *lower = upper + line;
            for (long p = 0; p < wide; p++) {
                long at = (o * wide + p) * channels;
                spread(from + at, place + at, channels, upper + 2 * p * channels, lower + 2 * p * channels);
            }
            if (s->width % 2) {
                memset(upper + line - channels, 0, channels * sizeof(MAP));
                memset(lower + line - channels, 0, channels * sizeof(MAP));
            }
        }
        if (s->height % 2) memset(dx + (s->height - 1) * line, 0, line * sizeof(MAP));
    }
}
