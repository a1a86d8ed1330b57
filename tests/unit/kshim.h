/* SPDX-License-Identifier: GPL-2.0-only */
/* What the driver's pure headers take from the kernel. */
#ifndef KSHIM_H
#define KSHIM_H

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/types.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;

typedef struct {
	u64 counter;
} atomic64_t;

#ifndef U32_MAX
#define U32_MAX UINT32_MAX
#endif
#ifndef __aligned
#define __aligned(n) __attribute__((aligned(n)))
#endif
#define __force
#define __rcu
#define likely(x)			(x)
#define unlikely(x)			(x)
#define min_t(type, a, b)		((type)(a) < (type)(b) ? (type)(a) : (type)(b))

#define READ_ONCE(x)			(x)
#define WRITE_ONCE(x, value)		((x) = (value))
#define rcu_access_pointer(p)		(p)
#define rcu_dereference(p)		(p)
#define rcu_dereference_protected(p, c) (p)
#define RCU_INIT_POINTER(p, value)	((p) = (value))
#define rcu_replace_pointer(p, value, c)  \
	({                                \
		__typeof__(p) _old = (p); \
		(p) = (value);            \
		_old;                     \
	})

static inline void rcu_read_lock(void)
{
}

static inline void rcu_read_unlock(void)
{
}

#define BITS_PER_LONG	 (sizeof(unsigned long) * CHAR_BIT)
#define BITS_TO_LONGS(n) (((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)

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

#define ATOMIC64_INIT(n) \
	{                \
		n        \
	}

static inline void atomic64_set(atomic64_t *counter, u64 n)
{
	counter->counter = n;
}

static inline u64 atomic64_read(const atomic64_t *counter)
{
	return counter->counter;
}

static inline u64 atomic64_add_return(u64 n, atomic64_t *counter)
{
	return counter->counter += n;
}

static inline __wsum csum_add(__wsum a, __wsum b)
{
	u32 sum = a + b;

	return sum + (sum < b);
}

/* RFC 1071, of a buffer of which the odd byte, if any, is the last */
static inline __wsum csum_partial(const void *data, int len, __wsum sum)
{
	const u8 *p = data;
	u16 word;

	for (; len > 0; p += 2, len -= 2) {
		word = 0;
		memcpy(&word, p, len > 1 ? 2 : 1);
		sum = csum_add(sum, word);
	}
	return sum;
}

static inline __sum16 csum_fold(__wsum sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

#endif /* KSHIM_H */
