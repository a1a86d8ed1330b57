/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packet ids: the replay window of a receiving key and the id counter of a
 * sending one. Pure but for the counter's atomic: builds in userspace as well.
 */
#ifndef OVPN_PKTID_H
#define OVPN_PKTID_H

#ifdef __KERNEL__
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/types.h>
#endif

/* Ids a packet may be late; OpenVPN in userspace accepts 64. Where each CPU has dozens of
 * super-packets to go through it is thousands; with more of them a key would take twice the
 * memory.
 */
#define OVPN_REPLAY_WINDOW	4096
/* after this much silence nothing older than the last packet is taken */
#define OVPN_REPLAY_EXPIRE	30

/**
 * struct ovpn_replay - which packet ids a key has accepted
 * @highest: the highest id accepted, 0 before the first
 * @extent: how many ids up to and including @highest @seen speaks of
 * @floor: ids up to this one are refused, whatever @seen says
 * @time: when the last id was accepted, seconds of any monotonic clock
 * @seen: a bit per id, at the id modulo the window
 *
 * The owner of the key serialises access.
 */
struct ovpn_replay {
	u32 highest;
	u32 extent;
	u32 floor;
	u32 time;
	unsigned long seen[BITS_TO_LONGS(OVPN_REPLAY_WINDOW)];
};

static inline void __ovpn_replay_forget(struct ovpn_replay *r, u32 first, u32 count)
{
	u32 start = first % OVPN_REPLAY_WINDOW;
	u32 head = min_t(u32, count, OVPN_REPLAY_WINDOW - start);

	bitmap_clear(r->seen, start, head);
	if (count > head)
		bitmap_clear(r->seen, 0, count - head);
}

/**
 * ovpn_replay_accept - take a packet id that was authenticated, at most once
 * @r: the window
 * @id: the packet id, host byte order
 * @now: seconds of the clock @r lives by, when the packet came; another CPU may
 *	have been here with a later one
 *
 * Call it only for packets whose tag was right: anything else would let a
 * stranger move the window.
 *
 * Return: 0, -EINVAL for the id that does not exist, -ETIME for one too old to
 * tell, -EALREADY for one seen before
 */
static inline int ovpn_replay_accept(struct ovpn_replay *r, u32 id, u32 now)
{
	u32 bit = id % OVPN_REPLAY_WINDOW;
	s32 silence = now - r->time;

	if (!id)
		return -EINVAL;

	if (silence >= OVPN_REPLAY_EXPIRE)
		r->floor = r->highest;

	if (likely(id > r->highest)) {
		u32 ahead = id - r->highest;

		if (ahead > 1)
			__ovpn_replay_forget(r, r->highest + 1,
					     min_t(u32, ahead, OVPN_REPLAY_WINDOW));
		r->extent = min_t(u32, OVPN_REPLAY_WINDOW,
				  min_t(u32, ahead, OVPN_REPLAY_WINDOW) + r->extent);
		r->highest = id;
	} else {
		if (r->highest - id >= r->extent || id <= r->floor)
			return -ETIME;
		if (test_bit(bit, r->seen))
			return -EALREADY;
	}

	__set_bit(bit, r->seen);
	if (silence > 0)
		r->time = now;
	return 0;
}

/**
 * ovpn_pktid_take - take the next ids of a sending key
 * @counter: the last id given away; wider than an id, so that it never wraps
 * @count: how many, at least 1
 * @first: the first of them, host byte order; the others follow
 *
 * Ids that go unused are skipped: gaps are legal.
 *
 * Return: 0, or -ERANGE where the key has not that many left. It never has any
 * again after that.
 */
static inline int ovpn_pktid_take(atomic64_t *counter, u32 count, u32 *first)
{
	u64 last = atomic64_add_return(count, counter);

	if (unlikely(last > U32_MAX))
		return -ERANGE;
	*first = last - count + 1;
	return 0;
}

/**
 * ovpn_pktid_left - how many ids a sending key still has
 * @counter: as with ovpn_pktid_take()
 *
 * Return: the number, 0 where it has none
 */
static inline u32 ovpn_pktid_left(const atomic64_t *counter)
{
	u64 last = atomic64_read(counter);

	return last > U32_MAX ? 0 : U32_MAX - last;
}

#endif /* OVPN_PKTID_H */
