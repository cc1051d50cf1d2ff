/* One encoder block of the switcher (section 3.1) in a single pass: convolution, ReLU, row convolution and 2 x 2 max
 * pooling, forward and backward. Optional: snnlib/encoder.py compiles it where there is a C compiler (GCC or Clang), and
 * torch's own operations do the same elsewhere.
 *
 * Every matrix is stored with its rows contiguous, (planes, cols, rows), as nn.Linear stores its weights: neuron i of a
 * layer is position i of each of the layer's columns. So nothing is packed or padded, and the inner loops run along the
 * neurons. The convolution is `height` rows high (3, 5 or 7), `window` columns wide, with stride `stride` along the columns,
 * zero padding. The height is a constant of each function made for it: block_forward and block_backward choose one.
 * Channels are taken four at a time, so that what is read of the input is used four times.
 */
#include <string.h>

#ifndef REAL
#define REAL float
#endif
#define LANES ((long)(64 / sizeof(REAL)))
#define INLINE static inline __attribute__((always_inline))

typedef REAL Vector __attribute__((vector_size(64)));
typedef __typeof__((Vector){0} < (Vector){0}) Mask; /* all bits of a lane, or none */

typedef struct {
    long planes, channels, features; /* of the input, of the convolution, of the row convolution */
    long rows, width;                /* of the convolution's output */
    long window, stride, height;
    const long *plane_cols, *plane_rows; /* (planes,): each plane's own size; beyond it the matrix is zero */
    REAL *const *x;                      /* (planes,) pointers to (cols, rows) */
    const REAL *weight, *bias;           /* (channels, planes, height, window), (channels,) */
    const REAL *row_weight, *row_bias;   /* (features, width, channels), (features,) */
} Block;

INLINE long smaller(long a, long b) { return a < b ? a : b; }

INLINE Vector load(const REAL *from) {
    Vector v;
    memcpy(&v, from, sizeof v);
    return v;
}

INLINE void store(REAL *to, Vector v) { memcpy(to, &v, sizeof v); }

INLINE REAL total(Vector v) {
    REAL sum = 0;
    for (long i = 0; i < LANES; i++) sum += v[i];
    return sum;
}

/* Numbers a column takes up in scratch memory: zeros before and behind it, to whole vectors */
INLINE long room(const Block *b) { return (b->rows + LANES - 1) / LANES * LANES + 2 * LANES; }

#define TALLEST 7

/* x[r-pad .. r+LANES-1+pad], x being zero outside of 0..n-1; `edge` is used where that is not all inside */
INLINE const REAL *around(const REAL *x, long n, long r, const long pad, REAL *edge) {
    if (r >= pad && r + LANES + pad <= n) return x + r - pad;
    for (long i = 0; i < LANES + 2 * pad; i++) edge[i] = r + i - pad >= 0 && r + i - pad < n ? x[r + i - pad] : 0;
    return edge;
}

/* Columns k of the `count` channels from c on: convolution and ReLU into out (count, room) */
INLINE void columns(const Block *b, const long height, long c, long count, long k, REAL *out) {
    long area = height * b->window, next = b->planes * area, pad = height / 2;
    REAL edge[LANES + TALLEST - 1];
    for (long r = 0; r < b->rows; r += LANES) {
        Vector sum[4];
        for (long i = 0; i < count; i++) sum[i] = b->bias[c + i] - (Vector){0};
        for (long p = 0; p < b->planes; p++) {
            long n = b->plane_rows[p];
            if (r >= n + pad) continue;
            for (long j = 0; j < b->window; j++) {
                long col = b->stride * k + j - b->window / 2;
                if (col < 0 || col >= b->plane_cols[p]) continue;
                const REAL *x = around(b->x[p] + col * n, n, r, pad, edge), *w = b->weight + c * next + p * area + j;
                Vector near[TALLEST];
                for (long d = 0; d < height; d++) near[d] = load(x + d);
                for (long i = 0; i < count; i++, w += next) {
                    Vector part = w[0] * near[0];
                    for (long d = 1; d < height; d++) part += w[d * b->window] * near[d];
                    sum[i] += part;
                }
            }
        }
        for (long i = 0; i < count; i++) {
            Mask negative = sum[i] < (Vector){0}; /* NaN is not, and stays */
            store(out + i * room(b) + r, (Vector)(~negative & (Mask)sum[i]));
        }
    }
}

/* f (features, rows) += what column k of these channels, out (count, room), has in them */
INLINE void add_features(const Block *b, long c, long count, long k, const REAL *restrict out, REAL *f) {
    for (long o = 0; o < b->features; o++) {
        const REAL *w = b->row_weight + (o * b->width + k) * b->channels + c;
        REAL *restrict to = f + o * b->rows;
        for (long r = 0; r < b->rows; r++) {
            REAL sum = 0;
            for (long i = 0; i < count; i++) sum += w[i] * out[i * room(b) + r];
            to[r] += sum;
        }
    }
}

INLINE void larger(const REAL *restrict a, const REAL *restrict b, long n, REAL *restrict out) {
    for (long r = 0; r < n; r++) out[r] = b[r] > a[r] ? b[r] : a[r];
}

INLINE void forward_part(const Block *b, const long height, long c, long count, long k, REAL *f, REAL *pooled, REAL *scratch) {
    long rows = b->rows, half = (rows + 1) / 2, halves = (b->width + 1) / 2, two = k + 1 < b->width;
    REAL *first = scratch, *second = first + 4 * room(b), *both = second + 4 * room(b);
    columns(b, height, c, count, k, first);
    add_features(b, c, count, k, first, f);
    if (two) {
        columns(b, height, c, count, k + 1, second);
        add_features(b, c, count, k + 1, second, f);
    }
    for (long i = 0; i < count; i++) {
        REAL *restrict to = pooled + ((c + i) * halves + k / 2) * half;
        const REAL *restrict top = two ? both : first + i * room(b);
        if (two) larger(first + i * room(b), second + i * room(b), rows, both);
        for (long r = 0; r < rows / 2; r++) to[r] = top[2 * r + 1] > top[2 * r] ? top[2 * r + 1] : top[2 * r];
        if (rows % 2) to[half - 1] = top[rows - 1];
    }
}

/* f (features, rows), pooled (channels, ceil(width/2), ceil(rows/2)); `scratch` has room for 18 columns. The columns
 * themselves are not kept: to compute them again costs less than to write and read them. */
INLINE void forward(const Block *b, const long height, REAL *f, REAL *pooled, REAL *scratch) {
    for (long i = 0; i < b->features * b->rows; i++) f[i] = b->row_bias[i / b->rows];
    for (long k = 0; k < b->width; k += 2) {
        long c = 0;
        for (; c + 4 <= b->channels; c += 4) forward_part(b, height, c, 4, k, f, pooled, scratch);
        for (; c < b->channels; c++) forward_part(b, height, c, 1, k, f, pooled, scratch);
    }
}

void block_forward(const Block *b, REAL *f, REAL *pooled, REAL *scratch) {
    if (b->height == 3) forward(b, 3, f, pooled, scratch);
    else if (b->height == 5) forward(b, 5, f, pooled, scratch);
    else forward(b, 7, f, pooled, scratch);
}

/* Columns k of these channels: from dz (count, room), the part that comes from pooling, to the gradients of the rest.
 * dz is zero outside of its rows. */
INLINE void backward_columns(const Block *b, const long height, long c, long count, long k, const REAL *restrict out, REAL *restrict dz,
                             const REAL *df, REAL *const *dx, REAL *dweight, REAL *dbias, REAL *drow_weight) {
    long rows = b->rows, area = height * b->window, next = b->planes * area, size = room(b), pad = height / 2;
    REAL edge[LANES + TALLEST - 1], kept[LANES];
    for (long r = 0; r < rows; r += LANES) { /* through the row convolution and the ReLU */
        Vector g[4];
        long left = smaller(LANES, rows - r);
        for (long i = 0; i < count; i++) g[i] = load(dz + i * size + r);
        for (long o = 0; o < b->features; o++) {
            const REAL *w = b->row_weight + (o * b->width + k) * b->channels + c, *from = df + o * rows + r;
            if (left < LANES) {
                memset(kept, 0, sizeof kept);
                memcpy(kept, from, left * sizeof(REAL));
                from = kept;
            }
            Vector feature = load(from);
            for (long i = 0; i < count; i++) g[i] += w[i] * feature;
        }
        for (long i = 0; i < count; i++) {
            g[i] = (Vector)((load(out + i * size + r) > (Vector){0}) & (Mask)g[i]);
            if (left < LANES) memcpy(dz + i * size + r, &g[i], left * sizeof(REAL));
            else store(dz + i * size + r, g[i]);
        }
    }
    for (long o = 0; dweight && o < b->features; o++) {
        REAL sum[4] = {0}, *to = drow_weight + (o * b->width + k) * b->channels + c;
        const REAL *restrict g = df + o * rows;
        REAL s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        const REAL *o1 = out + (count > 1) * size, *o2 = out + (count > 1) * 2 * size, *o3 = out + (count > 1) * 3 * size;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
        for (long r = 0; r < rows; r++) s0 += g[r] * out[r], s1 += g[r] * o1[r], s2 += g[r] * o2[r], s3 += g[r] * o3[r];
        sum[0] = s0, sum[1] = s1, sum[2] = s2, sum[3] = s3;
        for (long i = 0; i < count; i++) to[i] = sum[i];
    }
    for (long i = 0; dweight && i < count; i++) {
        REAL sum = 0;
#pragma omp simd reduction(+ : sum)
        for (long r = 0; r < rows; r++) sum += dz[i * size + r];
        dbias[c + i] += sum;
    }
    for (long p = 0; p < b->planes; p++)
        for (long j = 0; j < b->window; j++) {
            long col = b->stride * k + j - b->window / 2, n = b->plane_rows[p], at = c * next + p * area + j;
            if (col < 0 || col >= b->plane_cols[p]) continue;
            if (dweight) {
                Vector sum[4][TALLEST];
                memset(sum, 0, sizeof sum);
                for (long r = 0; r < smaller(rows, n + pad); r += LANES) {
                    const REAL *x = around(b->x[p] + col * n, n, r, pad, edge);
                    Vector near[TALLEST];
                    for (long d = 0; d < height; d++) near[d] = load(x + d);
                    for (long i = 0; i < count; i++) {
                        Vector g = load(dz + i * size + r);
                        for (long d = 0; d < height; d++) sum[i][d] += g * near[d];
                    }
                }
                for (long i = 0; i < count; i++)
                    for (long d = 0; d < height; d++) dweight[at + i * next + d * b->window] += total(sum[i][d]);
            }
            if (dx[p]) {
                const REAL *w = b->weight + at;
                REAL *to = dx[p] + col * n;
                for (long r = 0; r < n; r += LANES) {
                    long left = smaller(LANES, n - r);
                    Vector sum = {0};
                    for (long i = 0; i < count; i++) {
                        const REAL *g = dz + i * size + r, *v = w + i * next;
                        Vector part = v[0] * load(g + pad);
                        for (long d = 1; d < height; d++) part += v[d * b->window] * load(g + pad - d);
                        sum += part;
                    }
                    if (left == LANES) store(to + r, load(to + r) + sum);
                    else for (long i = 0; i < left; i++) to[r + i] += sum[i];
                }
            }
        }
}

INLINE void backward_part(const Block *b, const long height, long c, long count, long k, const REAL *df, const REAL *dpooled, REAL *const *dx,
                          REAL *dweight, REAL *dbias, REAL *drow_weight, REAL *scratch) {
    long rows = b->rows, half = (rows + 1) / 2, halves = (b->width + 1) / 2, size = room(b), two = k + 1 < b->width;
    REAL *first = scratch, *second = first + 4 * size, *both = second + 4 * size;
    REAL *even = both + size + LANES, *odd = even + 4 * size; /* a vector of zeros before each column, one behind it */
    columns(b, height, c, count, k, first);
    if (two) columns(b, height, c, count, k + 1, second);
    for (long i = 0; i < count; i++) {
        const REAL *restrict g = dpooled + ((c + i) * halves + k / 2) * half;
        const REAL *restrict f = first + i * size, *restrict s = second + i * size, *restrict top = two ? both : f;
        REAL *restrict dz = even + i * size, *restrict other = odd + i * size;
        if (two) larger(f, s, rows, both);
        for (long r = 0; r < rows / 2; r++) {
            REAL lower = top[2 * r + 1] > top[2 * r] ? g[r] : 0;
            dz[2 * r] = g[r] - lower;
            dz[2 * r + 1] = lower;
        }
        if (rows % 2) dz[rows - 1] = g[half - 1];
        for (long r = 0; two && r < rows; r++) {
            other[r] = s[r] > f[r] ? dz[r] : 0;
            dz[r] -= other[r];
        }
    }
    backward_columns(b, height, c, count, k, first, even, df, dx, dweight, dbias, drow_weight);
    if (two) backward_columns(b, height, c, count, k + 1, second, odd, df, dx, dweight, dbias, drow_weight);
}

/* Gradients from those of f and pooled. dx[p] may be NULL, and dweight, with which dbias and drow_weight go; dweight and
 * dbias must hold zeros. A window's gradient goes to its largest value, the first of equals. `scratch`: as above. */
INLINE void backward(const Block *b, const long height, const REAL *df, const REAL *dpooled, REAL *const *dx, REAL *dweight,
                     REAL *dbias, REAL *drow_weight, REAL *scratch) {
    long done = 0; /* columns of dx that are begun: each is cleared just before it is first added to */
    memset(scratch, 0, 18 * room(b) * sizeof(REAL));
    for (long k = 0; k < b->width + 2; k += 2) {
        long until = k < b->width ? b->stride * (k + 1) - b->window / 2 + b->window : -1, c = 0;
        for (long p = 0; p < b->planes; p++) {
            long from = smaller(done, b->plane_cols[p]), to = until < 0 ? b->plane_cols[p] : smaller(until, b->plane_cols[p]);
            if (dx[p] && to > from) memset(dx[p] + from * b->plane_rows[p], 0, (to - from) * b->plane_rows[p] * sizeof(REAL));
        }
        if (k >= b->width) break;
        done = until > done ? until : done;
        for (; c + 4 <= b->channels; c += 4) backward_part(b, height, c, 4, k, df, dpooled, dx, dweight, dbias, drow_weight, scratch);
        for (; c < b->channels; c++) backward_part(b, height, c, 1, k, df, dpooled, dx, dweight, dbias, drow_weight, scratch);
    }
}

void block_backward(const Block *b, const REAL *df, const REAL *dpooled, REAL *const *dx, REAL *dweight, REAL *dbias,
                    REAL *drow_weight, REAL *scratch) {
    if (b->height == 3) backward(b, 3, df, dpooled, dx, dweight, dbias, drow_weight, scratch);
    else if (b->height == 5) backward(b, 5, df, dpooled, dx, dweight, dbias, drow_weight, scratch);
    else backward(b, 7, df, dpooled, dx, dweight, dbias, drow_weight, scratch);
}
