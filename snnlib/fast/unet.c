/* The switcher's U-Net (section 3.1) on the CPU, forward and backward, in two calls. Optional: snnlib/fast/unet.py compiles it where
 * there is a C compiler (GCC or Clang), and torch's own operations do the same elsewhere.
 *
 * Every matrix is stored with its rows contiguous, (planes, cols, rows), as nn.Linear stores its weights: neuron i of a
 * layer is position i of each of the layer's columns. So nothing is packed or padded, and the inner loops run along the
 * neurons. An encoder block is a single pass: convolution, ReLU, row convolution and 2 x 2 max pooling. Its convolution is
 * `height` rows high (3, 5 or 7), `window` columns wide, with stride `stride` along the columns, zero padding; the height is
 * a constant of each function made for it. Channels are taken four at a time, so that what is read is used four times.
 */
#include "vector.h"

typedef struct {
    long planes, channels, features; /* of the input, of the convolution, of the row convolution */
    long rows, width;                /* of the convolution's output */
    long window, stride, height;
    const long *plane_cols, *plane_rows; /* (planes,): each plane's own size; beyond it the matrix is zero */
    REAL *const *x;                      /* (planes,) pointers to (cols, rows) */
    const REAL *weight, *bias;           /* (channels, planes, height, window), (channels,) */
    const REAL *row_weight, *row_bias;   /* (features, width, channels), (features,) */
} Block;

INLINE REAL total(Vector v) {
    REAL sum = 0;
    for (long i = 0; i < LANES; i++) sum += v[i];
    return sum;
}

/* Numbers a column takes up in scratch memory: zeros before and behind it, to whole vectors */
INLINE long room_of(const Block *b) { return (b->rows + LANES - 1) / LANES * LANES + 2 * LANES; }

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
            store(out + i * room_of(b) + r, (Vector)(~negative & (Mask)sum[i]));
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
            for (long i = 0; i < count; i++) sum += w[i] * out[i * room_of(b) + r];
            to[r] += sum;
        }
    }
}

INLINE void larger(const REAL *restrict a, const REAL *restrict b, long n, REAL *restrict out) {
    for (long r = 0; r < n; r++) out[r] = b[r] > a[r] ? b[r] : a[r];
}

INLINE void forward_part(const Block *b, const long height, long c, long count, long k, REAL *f, REAL *pooled, REAL *scratch) {
    long rows = b->rows, half = (rows + 1) / 2, halves = (b->width + 1) / 2, two = k + 1 < b->width;
    REAL *first = scratch, *second = first + 4 * room_of(b), *both = second + 4 * room_of(b);
    columns(b, height, c, count, k, first);
    add_features(b, c, count, k, first, f);
    if (two) {
        columns(b, height, c, count, k + 1, second);
        add_features(b, c, count, k + 1, second, f);
    }
    for (long i = 0; i < count; i++) {
        REAL *restrict to = pooled + ((c + i) * halves + k / 2) * half;
        const REAL *restrict top = two ? both : first + i * room_of(b);
        if (two) larger(first + i * room_of(b), second + i * room_of(b), rows, both);
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

static void block_forward(const Block *b, REAL *f, REAL *pooled, REAL *scratch) {
    if (b->height == 3) forward(b, 3, f, pooled, scratch);
    else if (b->height == 5) forward(b, 5, f, pooled, scratch);
    else forward(b, 7, f, pooled, scratch);
}

/* Columns k of these channels: from dz (count, room), the part that comes from pooling, to the gradients of the rest.
 * dz is zero outside of its rows. */
INLINE void backward_columns(const Block *b, const long height, long c, long count, long k, const REAL *restrict out, REAL *restrict dz,
                             const REAL *df, REAL *const *dx, REAL *dweight, REAL *dbias, REAL *drow_weight) {
    long rows = b->rows, area = height * b->window, next = b->planes * area, size = room_of(b), pad = height / 2;
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
    long rows = b->rows, half = (rows + 1) / 2, halves = (b->width + 1) / 2, size = room_of(b), two = k + 1 < b->width;
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
    memset(scratch, 0, 18 * room_of(b) * sizeof(REAL));
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

static void block_backward(const Block *b, const REAL *df, const REAL *dpooled, REAL *const *dx, REAL *dweight, REAL *dbias,
                           REAL *drow_weight, REAL *scratch) {
    if (b->height == 3) backward(b, 3, df, dpooled, dx, dweight, dbias, drow_weight, scratch);
    else if (b->height == 5) backward(b, 5, df, dpooled, dx, dweight, dbias, drow_weight, scratch);
    else backward(b, 7, df, dpooled, dx, dweight, dbias, drow_weight, scratch);
}

/* --- the whole U-Net: bottom, decoder and head on matrices (channels, rows), rows contiguous --------------------------- */

typedef struct {
    long depth, resize, outputs;  /* blocks; whether the decoder repeats rows and convolves; layers of the switcher */
    const Block *blocks;          /* (depth,); as many features as channels */
    const REAL *const *weights;   /* bottom, decoder from the deepest level up, head: weight and bias by turns */
    REAL *const *joined;          /* (depth,) of (2 * channels, rows): what the decoder puts out, then the features */
    REAL *const *pooled;          /* (depth,) of (channels, ceil(width/2), ceil(rows/2)) */
    REAL *bottom;                 /* (channels of the last block, its ceil(rows/2)) */
} Net;

/* Scratch memory, handed out piece by piece; without memory the pieces are only counted. */
typedef struct {
    REAL *start;
    long used;
} Room;

INLINE REAL *take(Room *room, long count) {
    REAL *found = room->start ? room->start + room->used : 0;
    room->used += (count + LANES - 1) / LANES * LANES;
    return found;
}

INLINE long larger_of(long a, long b) { return a > b ? a : b; }
INLINE long half_of(long n) { return (n + 1) / 2; }

/* y (out, n) = w x + b for x (in, n); entry (o, i) of w stands at o * across + i * along. b may be NULL. */
static void product(long in, long out, long n, const REAL *x, const REAL *w, long across, long along, const REAL *b, REAL *y) {
    for (long o = 0; o < out; o++) {
        REAL *restrict to = y + o * n;
        const REAL *v = w + o * across;
        long i = 0;
        for (long r = 0; r < n; r++) to[r] = b ? b[o] : 0;
        for (; i + 4 <= in; i += 4) {
            const REAL *restrict x0 = x + i * n, *restrict x1 = x0 + n, *restrict x2 = x1 + n, *restrict x3 = x2 + n;
            REAL w0 = v[i * along], w1 = v[(i + 1) * along], w2 = v[(i + 2) * along], w3 = v[(i + 3) * along];
            for (long r = 0; r < n; r++) to[r] += w0 * x0[r] + w1 * x1[r] + w2 * x2[r] + w3 * x3[r];
        }
        for (; i < in; i++) {
            const REAL *restrict x0 = x + i * n;
            for (long r = 0; r < n; r++) to[r] += v[i * along] * x0[r];
        }
    }
}

/* dw (out, in) = dy x^T and db (out) = the row sums of dy, for dy (out, n) and x (in, n) */
static void products(long in, long out, long n, const REAL *dy, const REAL *x, REAL *dw, REAL *db) {
    for (long o = 0; o < out; o++) {
        const REAL *restrict g = dy + o * n;
        REAL sum = 0;
        long i = 0;
#pragma omp simd reduction(+ : sum)
        for (long r = 0; r < n; r++) sum += g[r];
        db[o] = sum;
        for (; i + 4 <= in; i += 4) {
            const REAL *restrict x0 = x + i * n, *restrict x1 = x0 + n, *restrict x2 = x1 + n, *restrict x3 = x2 + n;
            REAL s0 = 0, s1 = 0, s2 = 0, s3 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
            for (long r = 0; r < n; r++) s0 += g[r] * x0[r], s1 += g[r] * x1[r], s2 += g[r] * x2[r], s3 += g[r] * x3[r];
            REAL *to = dw + o * in + i;
            to[0] = s0, to[1] = s1, to[2] = s2, to[3] = s3;
        }
        for (; i < in; i++) {
            const REAL *restrict x0 = x + i * n;
            sum = 0;
#pragma omp simd reduction(+ : sum)
            for (long r = 0; r < n; r++) sum += g[r] * x0[r];
            dw[o * in + i] = sum;
        }
    }
}

/* (channels, cols, n) to (cols * channels, n), or back: a row convolution reads a column's channels one after the other */
static void flatten(const Block *b, REAL *planes, REAL *flat, int back) {
    long cols = half_of(b->width), n = half_of(b->rows);
    for (long c = 0; c < b->channels; c++)
        for (long k = 0; k < cols; k++) {
            REAL *plane = planes + (c * cols + k) * n, *row = flat + (k * b->channels + c) * n;
            memcpy(back ? plane : row, back ? row : plane, n * sizeof(REAL));
        }
}

/* y (3 * in, rows): each row of x (in, half) twice, shifted down, as it is, and shifted up, zeros at the ends */
static void repeat(long in, long half, long rows, const REAL *x, REAL *y) {
    for (long shift = -1; shift <= 1; shift++)
        for (long i = 0; i < in; i++, y += rows)
            for (long r = 0; r < rows; r++) y[r] = r + shift >= 0 && r + shift < rows ? x[i * half + (r + shift) / 2] : 0;
}

/* dx (in, half) from dy (3 * in, rows) */
static void repeat_back(long in, long half, long rows, const REAL *dy, REAL *dx) {
    memset(dx, 0, in * half * sizeof(REAL));
    for (long shift = -1; shift <= 1; shift++)
        for (long i = 0; i < in; i++, dy += rows)
            for (long r = shift < 0; r < rows - (shift > 0); r++) dx[i * half + (r + shift) / 2] += dy[r];
}

/* What the two taps of a transposed convolution put out: (2 * channels, half) to (channels, rows), or back */
static void interleave(long channels, long half, long rows, REAL *taps, REAL *y, int back) {
    for (long tap = 0; tap < 2; tap++)
        for (long c = 0; c < channels; c++, taps += half)
            for (long r = 0; r < half; r++) {
                long at = 2 * r + tap;
                if (back) taps[r] = at < rows ? y[c * rows + at] : 0;
                else if (at < rows) y[c * rows + at] = taps[r];
            }
}

/* Channels that feed the decoder at block `level`: those joined one level down, or the bottom's */
INLINE long fed(const Net *net, long level) { return level + 1 < net->depth ? 2 * net->blocks[level + 1].channels : net->blocks[level].channels; }

/* scores (outputs, rows of the first block). Returns how many REALs `work` must hold, and does nothing else where it is NULL. */
long net_forward(const Net *net, REAL *scores, REAL *work) {
    Room room = {work, 0};
    const Block *last = net->blocks + net->depth - 1;
    long most = half_of(last->width) * last->channels * half_of(last->rows);
    for (long level = 0; level < net->depth; level++) {
        const Block *b = net->blocks + level;
        most = larger_of(most, net->resize ? 3 * fed(net, level) * b->rows : 2 * b->channels * half_of(b->rows));
        most = larger_of(most, 18 * room_of(b));
    }
    REAL *scratch = take(&room, most);
    if (!work) return room.used;

    for (long level = 0; level < net->depth; level++) {
        const Block *b = net->blocks + level;
        block_forward(b, net->joined[level] + b->channels * b->rows, net->pooled[level], scratch);
    }
    long flat = half_of(last->width) * last->channels;
    flatten(last, net->pooled[net->depth - 1], scratch, 0);
    product(flat, last->channels, half_of(last->rows), scratch, net->weights[0], flat, 1, net->weights[1], net->bottom);
    const REAL *x = net->bottom, *const *w = net->weights + 2;
    for (long level = net->depth - 1; level >= 0; level--, w += 2) {
        const Block *b = net->blocks + level;
        long in = fed(net, level), half = half_of(b->rows);
        REAL *y = net->joined[level];
        if (net->resize) {
            repeat(in, half, b->rows, x, scratch);
            product(3 * in, b->channels, b->rows, scratch, w[0], 3 * in, 1, w[1], y);
        } else {
            product(in, 2 * b->channels, half, x, w[0], in, 1, w[1], scratch);
            interleave(b->channels, half, b->rows, scratch, y, 0);
        }
        for (long i = 0; i < b->channels * b->rows; i++) y[i] = y[i] < 0 ? 0 : y[i]; /* NaN is not, and stays */
        x = y;
    }
    long in = 2 * net->blocks[0].channels;
    product(in, net->outputs, net->blocks[0].rows, x, w[0], in, 1, w[1], scores);
    return room.used;
}

/* Gradients from `grad`, that of the scores: of every weight and bias, from the first convolution to the head, where `grads`
 * is not NULL (those of convolutions must hold zeros), and of the layers' weights where dx[p] is not. `work` as above. */
long net_backward(const Net *net, const REAL *grad, REAL *const *grads, REAL *const *dx, REAL *work) {
    Room room = {work, 0};
    const Block *first = net->blocks, *last = first + net->depth - 1;
    long depth = net->depth, flat = half_of(last->width) * last->channels, below = half_of(last->rows), most = flat * below;
    REAL *djoined[depth], *dpooled[depth];
    for (long level = 0; level < depth; level++) {
        const Block *b = first + level;
        djoined[level] = take(&room, 2 * b->channels * b->rows);
        dpooled[level] = take(&room, b->channels * half_of(b->width) * half_of(b->rows));
        most = larger_of(most, net->resize ? 3 * fed(net, level) * b->rows : 2 * b->channels * half_of(b->rows));
        most = larger_of(most, 18 * room_of(b));
    }
    REAL *dbottom = take(&room, last->channels * below), *scratch = take(&room, most);
    if (!work) return room.used;

    REAL *const *own = grads ? grads + 4 * depth : 0; /* bottom, decoder, head */
    long at = 2 * depth + 2, in = 2 * first->channels;
    product(net->outputs, in, first->rows, grad, net->weights[at], 1, in, 0, djoined[0]);
    if (own) products(in, net->outputs, first->rows, grad, net->joined[0], own[at], own[at + 1]);
    for (long level = 0; level < depth; level++) {
        const Block *b = first + level;
        long half = half_of(b->rows), in = fed(net, level);
        REAL *x = level + 1 < depth ? net->joined[level + 1] : net->bottom, *to = level + 1 < depth ? djoined[level + 1] : dbottom;
        REAL *restrict dy = djoined[level];
        const REAL *restrict y = net->joined[level], *w = net->weights[at -= 2];
        for (long i = 0; i < b->channels * b->rows; i++) dy[i] = y[i] > 0 ? dy[i] : 0;
        if (net->resize) {
            if (own) {
                repeat(in, half, b->rows, x, scratch);
                products(3 * in, b->channels, b->rows, dy, scratch, own[at], own[at + 1]);
            }
            product(b->channels, 3 * in, b->rows, dy, w, 1, 3 * in, 0, scratch);
            repeat_back(in, half, b->rows, scratch, to);
        } else {
            interleave(b->channels, half, b->rows, scratch, dy, 1);
            if (own) products(in, 2 * b->channels, half, scratch, x, own[at], own[at + 1]);
            product(2 * b->channels, in, half, scratch, w, 1, in, 0, to);
        }
    }
    if (own) {
        flatten(last, net->pooled[depth - 1], scratch, 0);
        products(flat, last->channels, below, dbottom, scratch, own[0], own[1]);
    }
    product(last->channels, flat, below, dbottom, net->weights[0], 1, flat, 0, scratch);
    flatten(last, dpooled[depth - 1], scratch, 1);
    for (long level = depth - 1; level >= 0; level--) {
        const Block *b = first + level;
        REAL *df = djoined[level] + b->channels * b->rows, *const *g = grads ? grads + 4 * level : 0, *into[b->planes];
        for (long p = 0; p < b->planes; p++) into[p] = level ? dpooled[level - 1] + p * b->plane_cols[p] * b->plane_rows[p] : dx[p];
        block_backward(b, df, dpooled[level], into, g ? g[0] : 0, g ? g[1] : 0, g ? g[2] : 0, scratch);
        for (long o = 0; g && o < b->features; o++) {
            REAL sum = 0;
#pragma omp simd reduction(+ : sum)
            for (long r = 0; r < b->rows; r++) sum += df[o * b->rows + r];
            g[3][o] = sum;
        }
    }
    return room.used;
}
