/* Numbers taken a register at a time, as the .c files here do; REAL is float or double. */
#include <string.h>

#ifndef REAL
#define REAL float
#endif
#define LANES ((long)(64 / sizeof(REAL)))
#define INLINE static inline __attribute__((always_inline))

typedef REAL Vector __attribute__((vector_size(64)));
typedef __typeof__((Vector){0} < (Vector){0}) Mask; /* all bits of a lane, or none */

INLINE long smaller(long a, long b) { return a < b ? a : b; }

INLINE Vector load(const REAL *from) {
    Vector v;
    memcpy(&v, from, sizeof v);
    return v;
}

INLINE void store(REAL *to, Vector v) { memcpy(to, &v, sizeof v); }
