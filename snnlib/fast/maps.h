/* Numbers of maps in memory: as they are, or with -DHALF the upper half of a float, bfloat16. They are computed with as REAL. */
#include "vector.h"

#ifdef HALF
typedef unsigned short MAP;
typedef unsigned short Halves __attribute__((vector_size(2 * 64 / sizeof(REAL))));
typedef unsigned int Words __attribute__((vector_size(64)));

INLINE Vector get(const MAP *from) {
    Halves h;
    memcpy(&h, from, sizeof h);
    return (Vector)(__builtin_convertvector(h, Words) << 16);
}

INLINE void put(MAP *to, Vector v) { /* the nearest one, the even one of two */
    Words w = (Words)v;
    Halves h = __builtin_convertvector((w + 0x7fff + (w >> 16 & 1)) >> 16, Halves);
    memcpy(to, &h, sizeof h);
}
#else
typedef REAL MAP;
#define get load
#define put store
#endif
