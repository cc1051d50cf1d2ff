/* Depthwise 3 x 3 convolutions, and batch norm with ReLU, forward and backward, of images stored channels last. Optional:
 * snnlib/fast/separable.py compiles it where there is a C compiler, and torch's own operations do the same elsewhere.
 *
 * All arrays are (images, height, width, channels). A row of pixels is taken as one long vector: `period` numbers of it,
 * the channels or as many whole copies of them as fill a register, meet the same weights again and again. So `channels` must
 * be a multiple of the LANES of a register or divide them, and with stride 2 a multiple; a whole row must be a multiple of
 * LANES. Sums over images are kept in double.
 */
#include <math.h>

#include "maps.h"

typedef struct {
    long images, height, width, channels, stride; /* of the convolution's input; padded by one pixel of zeros */
} Shape;

INLINE long larger(long a, long b) { return a > b ? a : b; }
INLINE long period_of(long channels) { return larger(channels, LANES); }
INLINE long out_of(long size, long stride) { return (size - 1) / stride + 1; }

INLINE Vector positive(Vector v, Vector where) { return (Vector)((where > (Vector){0}) & (Mask)v); }

/* The weights (channels, 9) as (9, period), in the order in which they are met; turned by half a turn where `flipped` */
INLINE void tile(const REAL *weight, long channels, long flipped, REAL *to) {
    long period = period_of(channels);
    for (long t = 0; t < 9; t++)
        for (long i = 0; i < period; i++) to[t * period + i] = weight[i % channels * 9 + (flipped ? 8 - t : t)];
}

/* An image (height, width, channels) with zeros all around, (height + 2, width + 2, channels); `one` turns numbers of a vector at
 * `place` of the image, whose channels begin with `base`, into what is stored */
#define PADDED(height, width, channels, to, base, place, one)                                                              \
    {                                                                                                                      \
        long numbers_ = (width) * (channels), line_ = numbers_ + 2 * (channels), period_ = period_of(channels);            \
        memset(to, 0, line_ * sizeof(REAL));                                                                               \
        memset((to) + ((height) + 1) * line_, 0, line_ * sizeof(REAL));                                                    \
        for (long h_ = 0; h_ < (height); h_++) {                                                                           \
            memset((to) + (h_ + 1) * line_, 0, (channels) * sizeof(REAL));                                                 \
            memset((to) + (h_ + 1) * line_ + (channels) + numbers_, 0, (channels) * sizeof(REAL));                         \
        }                                                                                                                  \
        for (long base = 0; base < period_; base += LANES)                                                                 \
            for (long h_ = 0; h_ < (height); h_++)                                                                         \
                for (long i_ = base; i_ < numbers_; i_ += period_) {                                                       \
                    long place = h_ * numbers_ + i_;                                                                       \
                    store((to) + (h_ + 1) * line_ + (channels) + i_, one);                                                 \
                }                                                                                                          \
    }

/* out (high, wide, channels) = the convolution of a padded image; total (2, channels) += sums of (y - shift) and of its square */
INLINE void convolve(const REAL *image, const REAL *w, long line, long high, long wide, long channels, const long stride, const REAL *shift, double *total, MAP *restrict out) {
    long period = period_of(channels), step = channels < LANES ? LANES : stride * channels, count = wide * channels / period;
    for (long base = 0; base < period; base += LANES) {
        Vector k[9], first = {0}, second = {0}, less = total ? load(shift + base) : (Vector){0};
        for (long t = 0; t < 9; t++) k[t] = load(w + t * period + base);
        for (long o = 0; o < high; o++) {
            const REAL *x0 = image + o * stride * line + base, *x1 = x0 + line, *x2 = x1 + line;
            MAP *to = out + o * wide * channels + base;
            for (long i = 0; i < count; i++, x0 += step, x1 += step, x2 += step, to += period) {
                Vector a = k[0] * load(x0) + k[1] * load(x0 + channels) + k[2] * load(x0 + 2 * channels);
                Vector b = k[3] * load(x1) + k[4] * load(x1 + channels) + k[5] * load(x1 + 2 * channels);
                Vector c = k[6] * load(x2) + k[7] * load(x2 + channels) + k[8] * load(x2 + 2 * channels);
                Vector y = a + b + c;
                put(to, y);
                Vector d = y - less;
                first += d;
                second += d * d;
            }
        }
        if (total)
            for (long i = 0; i < LANES; i++) {
                total[(base + i) % channels] += first[i];
                total[channels + (base + i) % channels] += second[i];
            }
    }
}

/* Numbers of scratch memory that the depthwise functions need */
long depthwise_room(const Shape *s) { return 2 * (s->height + 2) * (s->width + 2) * s->channels + 24 * period_of(s->channels); }

INLINE void depthwise(const Shape *s, const long stride, const MAP *x, const REAL *weight, const REAL *shift, double *total, MAP *out, REAL *scratch) {
    long channels = s->channels, period = period_of(channels), high = out_of(s->height, stride), wide = out_of(s->width, stride);
    REAL *w = scratch, *tiled = w + 9 * period, *image = tiled + period;
    tile(weight, channels, 0, w);
    for (long i = 0; i < period; i++) tiled[i] = shift[i % channels];
    for (long n = 0; n < s->images; n++, x += s->height * s->width * channels, out += high * wide * channels) {
        PADDED(s->height, s->width, channels, image, base, place, get(x + place));
        convolve(image, w, (s->width + 2) * channels, high, wide, channels, stride, tiled, total, out);
    }
}

/* out = the convolution of x; total (2, channels) += sums of (y - shift) and of its square, where it is wanted */
void depthwise_forward(const Shape *s, const MAP *x, const REAL *weight, const REAL *shift, double *total, MAP *out, REAL *scratch) {
    if (s->stride == 1) depthwise(s, 1, x, weight, shift, total, out, scratch);
    else depthwise(s, 2, x, weight, shift, total, out, scratch);
}

/* What batch norm and ReLU make of a gradient, number by number: dy = a g + b y + r where scale y + shift > 0, else b y + r */
typedef struct {
    const REAL *scale, *shift, *of_g, *of_y, *rest; /* (period,) each */
} Slopes;

INLINE Vector slope(const Slopes *k, long base, Vector g, Vector y) {
    Vector kept = positive(g, load(k->scale + base) * y + load(k->shift + base));
    return load(k->of_g + base) * kept + load(k->of_y + base) * y + load(k->rest + base);
}

/* total (channels, 9) += what an image of dy gives the weights, both images padded */
INLINE void add_weights(const REAL *image, const REAL *dy, long line, long dy_line, long high, long wide, long channels, const long stride, double *total) {
    long period = period_of(channels), step = channels < LANES ? LANES : stride * channels, count = wide * channels / period;
    for (long base = 0; base < period; base += LANES) {
        Vector sum[9] = {{0}};
        for (long o = 0; o < high; o++) {
            const REAL *x0 = image + o * stride * line + base, *x1 = x0 + line, *x2 = x1 + line, *from = dy + (o + 1) * dy_line + channels + base;
            for (long i = 0; i < count; i++, x0 += step, x1 += step, x2 += step, from += period) {
                Vector g = load(from);
                sum[0] += g * load(x0);
                sum[1] += g * load(x0 + channels);
                sum[2] += g * load(x0 + 2 * channels);
                sum[3] += g * load(x1);
                sum[4] += g * load(x1 + channels);
                sum[5] += g * load(x1 + 2 * channels);
                sum[6] += g * load(x2);
                sum[7] += g * load(x2 + channels);
                sum[8] += g * load(x2 + 2 * channels);
            }
        }
        for (long t = 0; t < 9; t++)
            for (long i = 0; i < LANES; i++) total[(base + i) % channels * 9 + t] += sum[t][i];
    }
}

/* dx (height, width, channels) from a padded image of dy, stride 2: four kinds of pixels, by the evenness of row and column */
INLINE void spread(const REAL *dy, const REAL *w, long line, long height, long width, long channels, MAP *dx) {
    for (long base = 0; base < channels; base += LANES) {
        Vector k[9];
        for (long t = 0; t < 9; t++) k[t] = load(w + t * channels + base);
        for (long h = 0; h < height; h++) {
            const REAL *here = dy + (h / 2 + 1) * line + channels + base, *below = here + line;
            MAP *to = dx + h * width * channels + base;
            for (long j = 0; j < width; j++, to += channels) {
                const REAL *a = here + j / 2 * channels, *b = below + j / 2 * channels;
                if (h % 2 == 0 && j % 2 == 0) put(to, k[4] * load(a));
                else if (h % 2 == 0) put(to, k[3] * load(a + channels) + k[5] * load(a));
                else if (j % 2 == 0) put(to, k[1] * load(b) + k[7] * load(a));
                else put(to, k[0] * load(b + channels) + k[2] * load(b) + (k[6] * load(a + channels) + k[8] * load(a)));
            }
        }
    }
}

#define BLOCK 64 /* pixels whose sums are kept in registers before they go to double */

/* total (2, channels) += sums of (y - shift) and of its square over all pixels of y (pixels, channels) */
void norm_sums(long pixels, long channels, const MAP *y, const REAL *shift, double *total) {
    long period = period_of(channels), count = pixels * channels / period;
    for (long start = 0; start < count; start += BLOCK) {
        long end = start + BLOCK < count ? start + BLOCK : count;
        for (long base = 0; base < period; base += LANES) {
            REAL less[LANES];
            for (long i = 0; i < LANES; i++) less[i] = shift[(base + i) % channels];
            Vector first = {0}, second = {0}, s = load(less);
            for (long p = start; p < end; p++) {
                Vector d = get(y + p * period + base) - s;
                first += d;
                second += d * d;
            }
            for (long i = 0; i < LANES; i++) {
                total[(base + i) % channels] += first[i];
                total[channels + (base + i) % channels] += second[i];
            }
        }
    }
}

/* From sums of (y - running mean) and of its square: mean and 1 / deviation of the batch, and the running statistics brought on */
void norm_finish(long pixels, long channels, const double *total, double momentum, double eps, REAL *running_mean, REAL *running_var, REAL *mean, REAL *inverse) {
    for (long c = 0; c < channels; c++) {
        double off = total[c] / pixels, var = total[channels + c] / pixels - off * off, m = running_mean[c] + off;
        var = var > 0 ? var : 0 * var; /* NaN stays NaN */
        mean[c] = (REAL)m;
        inverse[c] = (REAL)(1 / sqrt(var + eps));
        running_mean[c] = (REAL)((1 - momentum) * running_mean[c] + momentum * m);
        running_var[c] = (REAL)((1 - momentum) * running_var[c] + momentum * var * pixels / (pixels - 1));
    }
}

/* out = ReLU(gamma (y - mean) inverse + beta) */
void norm_relu(long pixels, long channels, const MAP *y, const REAL *mean, const REAL *inverse, const REAL *gamma, const REAL *beta, MAP *out) {
    long period = period_of(channels), count = pixels * channels / period;
    for (long start = 0; start < count; start += BLOCK) {
        long end = start + BLOCK < count ? start + BLOCK : count;
        for (long base = 0; base < period; base += LANES) {
            REAL scale[LANES], shift[LANES];
            for (long i = 0; i < LANES; i++) {
                long c = (base + i) % channels;
                scale[i] = gamma[c] * inverse[c];
                shift[i] = beta[c] - mean[c] * scale[i];
            }
            Vector a = load(scale), b = load(shift);
            for (long p = start; p < end; p++) {
                Vector z = a * get(y + p * period + base) + b;
                Mask negative = z < (Vector){0}; /* NaN is not, and stays */
                put(out + p * period + base, (Vector)(~negative & (Mask)z));
            }
        }
    }
}

/* total (2, channels) = sums of g and of g (y - mean) over all pixels, g being dout where scale y + shift > 0; from them dgamma and dbeta */
INLINE void norm_gradients(long pixels, long channels, const MAP *dout, const MAP *y, const REAL *mean, const REAL *inverse, const REAL *scale, const REAL *shift, double *total, REAL *dgamma, REAL *dbeta) {
    long period = period_of(channels), count = pixels * channels / period;
    memset(total, 0, 2 * channels * sizeof(double));
    for (long start = 0; start < count; start += BLOCK) {
        long end = start + BLOCK < count ? start + BLOCK : count;
        for (long base = 0; base < period; base += LANES) {
            REAL middle[LANES];
            for (long i = 0; i < LANES; i++) middle[i] = mean[(base + i) % channels];
            Vector first = {0}, second = {0}, m = load(middle), a = load(scale + base), b = load(shift + base);
            for (long p = start; p < end; p++) {
                Vector v = get(y + p * period + base), g = positive(get(dout + p * period + base), a * v + b);
                first += g;
                second += g * (v - m);
            }
            for (long i = 0; i < LANES; i++) {
                total[(base + i) % channels] += first[i];
                total[channels + (base + i) % channels] += second[i];
            }
        }
    }
    for (long c = 0; c < channels; c++) {
        dbeta[c] = (REAL)total[c];
        dgamma[c] = (REAL)(total[channels + c] * inverse[c]);
    }
}

/* The tables of `Slopes`, in room for 5 periods, and with them dgamma and dbeta */
INLINE Slopes slopes_of(long pixels, long channels, const MAP *dout, const MAP *y, const REAL *mean, const REAL *inverse, const REAL *gamma, const REAL *beta, double *total, REAL *dgamma, REAL *dbeta, REAL *room) {
    long period = period_of(channels);
    REAL *scale = room, *shift = room + period, *of_g = room + 2 * period, *of_y = room + 3 * period, *rest = room + 4 * period;
    for (long i = 0; i < period; i++) {
        long c = i % channels;
        scale[i] = gamma[c] * inverse[c];
        shift[i] = beta[c] - mean[c] * scale[i];
    }
    norm_gradients(pixels, channels, dout, y, mean, inverse, scale, shift, total, dgamma, dbeta);
    for (long i = 0; i < period; i++) {
        long c = i % channels;
        double all = (double)gamma[c] * inverse[c], part = total[channels + c] * inverse[c] * inverse[c] / pixels;
        of_g[i] = (REAL)all;
        of_y[i] = (REAL)(-all * part);
        rest[i] = (REAL)(all * (mean[c] * part - total[c] / pixels));
    }
    return (Slopes){scale, shift, of_g, of_y, rest};
}

/* Numbers of scratch memory that norm_relu_backward needs */
long norm_room(long channels) { return 5 * period_of(channels); }

/* The gradients of gamma, beta and y from that of out = norm_relu(y); total (2, channels) is memory to work in */
void norm_relu_backward(
    long pixels, long channels, const MAP *dout, const MAP *y, const REAL *mean, const REAL *inverse, const REAL *gamma, const REAL *beta, double *total,
    REAL *dgamma, REAL *dbeta, MAP *dy, REAL *scratch
) {
    long period = period_of(channels), count = pixels * channels / period;
    Slopes k = slopes_of(pixels, channels, dout, y, mean, inverse, gamma, beta, total, dgamma, dbeta, scratch);
    if (!dy) return;
    for (long start = 0; start < count; start += BLOCK) {
        long end = start + BLOCK < count ? start + BLOCK : count;
        for (long base = 0; base < period; base += LANES)
            for (long p = start; p < end; p++) put(dy + p * period + base, slope(&k, base, get(dout + p * period + base), get(y + p * period + base)));
    }
}

INLINE void depthwise_gradients(
    const Shape *s, const long stride, const Slopes *k, const MAP *x, const REAL *weight, const MAP *dout, const MAP *y, double *total, REAL *dweight, MAP *dx, REAL *scratch
) {
    long channels = s->channels, period = period_of(channels), high = out_of(s->height, stride), wide = out_of(s->width, stride);
    long line = (s->width + 2) * channels, dy_line = (wide + 2) * channels;
    REAL *w = scratch, *image = w + 9 * period, *dy = image + (s->height + 2) * line;
    tile(weight, channels, stride == 1, w);
    memset(total, 0, 9 * channels * sizeof(double));
    for (long n = 0; n < s->images; n++, x += s->height * s->width * channels, dout += high * wide * channels, y += high * wide * channels) {
        PADDED(high, wide, channels, dy, base, place, slope(k, base, get(dout + place), get(y + place)));
        if (dweight) {
            PADDED(s->height, s->width, channels, image, base, place, get(x + place));
            add_weights(image, dy, line, dy_line, high, wide, channels, stride, total);
        }
        if (dx && stride == 1) convolve(dy, w, dy_line, high, wide, channels, 1, 0, 0, dx + n * s->height * s->width * channels);
        if (dx && stride == 2) spread(dy, w, dy_line, s->height, s->width, channels, dx + n * s->height * s->width * channels);
    }
    if (dweight)
        for (long i = 0; i < 9 * channels; i++) dweight[i] = (REAL)total[i];
}

/* The gradients of gamma, beta, weight and x from that of norm_relu(depthwise convolution y of x); what is NULL is not wanted.
 * total (9, channels) is memory to work in */
void depthwise_backward(
    const Shape *s, const MAP *x, const REAL *weight, const MAP *dout, const MAP *y, const REAL *mean, const REAL *inverse, const REAL *gamma, const REAL *beta,
    double *total, REAL *dgamma, REAL *dbeta, REAL *dweight, MAP *dx, REAL *scratch
) {
    long pixels = s->images * out_of(s->height, s->stride) * out_of(s->width, s->stride), tables = 5 * period_of(s->channels);
    Slopes k = slopes_of(pixels, s->channels, dout, y, mean, inverse, gamma, beta, total, dgamma, dbeta, scratch);
    if (s->stride == 1) depthwise_gradients(s, 1, &k, x, weight, dout, y, total, dweight, dx, scratch + tables);
    else depthwise_gradients(s, 2, &k, x, weight, dout, y, total, dweight, dx, scratch + tables);
}
