/* SPDX-License-Identifier: GPL-2.0-only */
/* What the driver's pure headers take from the kernel. */
#ifndef KSHIM_H
#define KSHIM_H

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/types.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

typedef struct {
	u64 counter;
} atomic64_t;

#ifndef U32_MAX
#define U32_MAX UINT32_MAX
#endif
#define likely(x)	  (x)
#define unlikely(x)	  (x)
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))

#define BITS_PER_LONG	  (sizeof(unsigned long) * CHAR_BIT)
#define BITS_TO_LONGS(n)  (((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)

static inline bool test_bit(u32 nr, const unsigned long *map)
{
	return map[nr / BITS_PER_LONG] >> nr % BITS_PER_LONG & 1;
}

static inline void __set_bit(u32 nr, unsigned long *map)
{
	map[nr / BITS_PER_LONG] |= 1UL << nr % BITS_PER_LONG;
}

static inline void bitmap_clear(unsigned long *map, u32 start, u32 count)
{
	for (; count; start++, count--)
		map[start / BITS_PER_LONG] &= ~(1UL << start % BITS_PER_LONG);
}

static inline u64 atomic64_add_return(u64 n, atomic64_t *counter)
{
	return counter->counter += n;
}

#endif /* KSHIM_H */
