// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver's pure logic: replay window, packet ids, key slots, first word, addresses,
 * segments, the size that TCP asks for.
 * Runs here under the sanitizers, and in the kernel, with the kernel's own words, as
 * tests/kunit.
 */
#ifndef __KERNEL__
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "kshim.h"

#include <linux/ovpn.h>

#define CASE(name) static void name(void **state __attribute__((unused)))
#endif

/* all that slots know of a key */
struct ovpn_key {
	u8 key_id;
};

#include "addr.h"
#include "mss.h"
#include "pktid.h"
#include "proto.h"
#include "segment.h"
#include "slots.h"

/* Replay window. */

/* The same in the slowest way: every id that was ever accepted is remembered. */
#define MODEL_IDS (1 << 16)

struct model {
	bool seen[MODEL_IDS];
	u32 highest, floor, time;
};

static int model_accept(struct model *m, u32 id, u32 now)
{
	if (!id)
		return -EINVAL;
	if ((s32)(now - m->time) >= OVPN_REPLAY_EXPIRE)
		m->floor = m->highest;
	if (id <= m->highest) {
		if (m->highest - id >= OVPN_REPLAY_WINDOW || id <= m->floor)
			return -ETIME;
		if (m->seen[id])
			return -EALREADY;
	} else {
		m->highest = id;
	}
	m->seen[id] = true;
	m->time = now > m->time ? now : m->time;
	return 0;
}

static u32 random_below(u32 *state, u32 limit)
{
	/* Numerical Recipes' generator: the same numbers everywhere */
	*state = *state * 1664525 + 1013904223;
	return (u32)((u64)*state * limit >> 32);
}

/* Steps of one size: as on a quiet line, as in a storm, as after long losses. */
static void follow_model(u32 seed, u32 spread, u32 silence)
{
	struct ovpn_replay *r = calloc(1, sizeof(*r));
	struct model *m = calloc(1, sizeof(*m));
	u32 now = 1000, base = 1, late, id, i;
	int ret, want;

	assert_non_null(r);
	assert_non_null(m);
	for (i = 0; i < 200000 && base + spread + 1 < MODEL_IDS; i++) {
		if (!random_below(&seed, 3))
			base++;
		if (!random_below(&seed, 1000))
			now += random_below(&seed, silence);
		id = base + random_below(&seed, 2 * spread + 1);
		id = id > spread ? id - spread : 0;
		/* a CPU may be slow with a packet, whose second is over then */
		late = random_below(&seed, 4) == 0;
		want = model_accept(m, id, now - late);
		ret = ovpn_replay_accept(r, id, now - late);
		if (ret != want)
			fail_msg("seed %u step %u id %u: %d, not %d", seed, i, id, ret, want);
	}
	free(m);
	free(r);
}

CASE(replay_does_as_the_model)
{
	static const u32 spread[] = { 1, 10, 63, 64, 65, 500, 2049, 4095, 4096, 4097, 9000 };
	size_t i;
	u32 seed;

	for (i = 0; i < sizeof(spread) / sizeof(*spread); i++)
		for (seed = 1; seed <= 4; seed++)
			follow_model(seed * 7919, spread[i], seed == 1 ? 1 : 40);
}

CASE(replay_edges)
{
	struct ovpn_replay r = { .time = 5 };

	assert_int_equal(ovpn_replay_accept(&r, 0, 5), -EINVAL);
	assert_int_equal(ovpn_replay_accept(&r, 1, 5), 0);
	assert_int_equal(ovpn_replay_accept(&r, 1, 5), -EALREADY);
	assert_int_equal(ovpn_replay_accept(&r, OVPN_REPLAY_WINDOW + 1, 5), 0);
	/* one more than the window back, and just inside */
	assert_int_equal(ovpn_replay_accept(&r, 1, 5), -ETIME);
	assert_int_equal(ovpn_replay_accept(&r, 2, 5), 0);
	assert_int_equal(ovpn_replay_accept(&r, 2, 5), -EALREADY);
	/* the last id there is, and what lies right before it */
	assert_int_equal(ovpn_replay_accept(&r, U32_MAX, 5), 0);
	assert_int_equal(ovpn_replay_accept(&r, U32_MAX, 5), -EALREADY);
	assert_int_equal(ovpn_replay_accept(&r, U32_MAX - OVPN_REPLAY_WINDOW, 5), -ETIME);
	assert_int_equal(ovpn_replay_accept(&r, U32_MAX - OVPN_REPLAY_WINDOW + 1, 5), 0);
	assert_int_equal(ovpn_replay_accept(&r, 3, 5), -ETIME);
}

CASE(replay_forgets_what_a_jump_leaves_behind)
{
	struct ovpn_replay r = {};
	u32 id;

	for (id = 1; id <= OVPN_REPLAY_WINDOW; id++)
		assert_int_equal(ovpn_replay_accept(&r, id, 0), 0);
	assert_int_equal(ovpn_replay_accept(&r, 10 * OVPN_REPLAY_WINDOW, 0), 0);
	for (id = 9 * OVPN_REPLAY_WINDOW + 1; id < 10 * OVPN_REPLAY_WINDOW; id++)
		assert_int_equal(ovpn_replay_accept(&r, id, 0), 0);
}

CASE(silence_closes_the_window)
{
	struct ovpn_replay r = {};

	assert_int_equal(ovpn_replay_accept(&r, 100, 10), 0);
	assert_int_equal(ovpn_replay_accept(&r, 99, 10 + OVPN_REPLAY_EXPIRE - 1), 0);
	assert_int_equal(ovpn_replay_accept(&r, 98, 10 + 2 * OVPN_REPLAY_EXPIRE - 1), -ETIME);
	assert_int_equal(ovpn_replay_accept(&r, 101, 10 + 2 * OVPN_REPLAY_EXPIRE), 0);
	/* it stays closed for what was late then */
	assert_int_equal(ovpn_replay_accept(&r, 97, 10 + 2 * OVPN_REPLAY_EXPIRE), -ETIME);
}

CASE(the_next_second_of_another_cpu_is_no_silence)
{
	struct ovpn_replay r = {};

	assert_int_equal(ovpn_replay_accept(&r, 1, 10), 0);
	assert_int_equal(ovpn_replay_accept(&r, 3, 11), 0);
	assert_int_equal(ovpn_replay_accept(&r, 2, 10), 0);
	/* nor does it make the silence that follows longer */
	assert_int_equal(ovpn_replay_accept(&r, 5, 10 + OVPN_REPLAY_EXPIRE), 0);
	assert_int_equal(ovpn_replay_accept(&r, 4, 10 + OVPN_REPLAY_EXPIRE), 0);
}

/* Ids of a sending key. */

CASE(ids_count_from_one)
{
	atomic64_t counter = {};
	u32 first;

	assert_int_equal(ovpn_pktid_left(&counter), U32_MAX);
	assert_int_equal(ovpn_pktid_take(&counter, 1, &first), 0);
	assert_int_equal(first, 1);
	assert_int_equal(ovpn_pktid_take(&counter, 44, &first), 0);
	assert_int_equal(first, 2);
	assert_int_equal(ovpn_pktid_take(&counter, 1, &first), 0);
	assert_int_equal(first, 46);
}

CASE(ids_end_for_good)
{
	atomic64_t counter = ATOMIC64_INIT(U32_MAX - 10);
	u32 first;

	assert_int_equal(ovpn_pktid_left(&counter), 10);
	assert_int_equal(ovpn_pktid_take(&counter, 10, &first), 0);
	assert_int_equal(first, U32_MAX - 9);
	assert_int_equal(ovpn_pktid_left(&counter), 0);
	assert_int_equal(ovpn_pktid_take(&counter, 1, &first), -ERANGE);
	assert_int_equal(ovpn_pktid_take(&counter, 1, &first), -ERANGE);

	/* a batch that does not fit takes the rest along */
	atomic64_set(&counter, U32_MAX - 10);
	assert_int_equal(ovpn_pktid_take(&counter, 11, &first), -ERANGE);
	assert_int_equal(ovpn_pktid_left(&counter), 0);
	assert_int_equal(ovpn_pktid_take(&counter, 1, &first), -ERANGE);
}

/* Key slots. */

static struct ovpn_key *in_slot(const struct ovpn_keys *keys, enum ovpn_key_slot slot)
{
	struct ovpn_key *key;

	rcu_read_lock();
	key = ovpn_slot_get(keys, slot);
	rcu_read_unlock();
	return key;
}

static struct ovpn_key *to_send(const struct ovpn_keys *keys)
{
	struct ovpn_key *key;

	rcu_read_lock();
	key = ovpn_keys_primary(keys);
	rcu_read_unlock();
	return key;
}

static struct ovpn_key *by_id(const struct ovpn_keys *keys, u8 key_id)
{
	struct ovpn_key *key;

	rcu_read_lock();
	key = ovpn_keys_by_id(keys, key_id);
	rcu_read_unlock();
	return key;
}

CASE(a_key_is_where_it_was_put)
{
	struct ovpn_key a = { 3 }, b = { 4 }, c = { 5 };
	struct ovpn_keys keys = {};

	assert_true(!to_send(&keys) && !by_id(&keys, 0));
	assert_true(!ovpn_slot_put(&keys, OVPN_KEY_SLOT_SECONDARY, &b));
	/* it reads, and does not send */
	assert_true(!to_send(&keys) && by_id(&keys, 4) == &b);
	assert_true(!ovpn_slot_put(&keys, OVPN_KEY_SLOT_PRIMARY, &a));
	assert_true(to_send(&keys) == &a);
	assert_true(in_slot(&keys, OVPN_KEY_SLOT_PRIMARY) == &a);
	assert_true(in_slot(&keys, OVPN_KEY_SLOT_SECONDARY) == &b);
	assert_true(by_id(&keys, 3) == &a && by_id(&keys, 4) == &b && !by_id(&keys, 5));
	/* the one that was there comes back, for somebody to free it */
	assert_true(ovpn_slot_put(&keys, OVPN_KEY_SLOT_SECONDARY, &c) == &b);
	assert_true(by_id(&keys, 5) == &c && !by_id(&keys, 4));
	assert_true(ovpn_slot_put(&keys, OVPN_KEY_SLOT_PRIMARY, NULL) == &a);
	assert_true(!to_send(&keys) && !by_id(&keys, 3) && by_id(&keys, 5) == &c);
}

CASE(a_swap_moves_no_key_but_what_it_is)
{
	struct ovpn_key a = { 0 }, b = { 7 };
	struct ovpn_keys keys = {};

	ovpn_slot_put(&keys, OVPN_KEY_SLOT_PRIMARY, &a);
	assert_true(!ovpn_slot_swap(&keys));
	assert_true(!to_send(&keys) && by_id(&keys, 0) == &a);
	assert_true(in_slot(&keys, OVPN_KEY_SLOT_SECONDARY) == &a);
	ovpn_slot_put(&keys, OVPN_KEY_SLOT_PRIMARY, &b);
	assert_true(ovpn_slot_swap(&keys) == &a);
	assert_true(to_send(&keys) == &a && by_id(&keys, 0) == &a && by_id(&keys, 7) == &b);
	/* slots are named by what they are now */
	assert_true(ovpn_slot_put(&keys, OVPN_KEY_SLOT_SECONDARY, NULL) == &b);
	assert_true(to_send(&keys) == &a);
}

CASE(the_primary_wins_where_both_have_an_id)
{
	struct ovpn_key a = { 2 }, b = { 2 };
	struct ovpn_keys keys = {};

	ovpn_slot_put(&keys, OVPN_KEY_SLOT_PRIMARY, &a);
	ovpn_slot_put(&keys, OVPN_KEY_SLOT_SECONDARY, &b);
	assert_true(by_id(&keys, 2) == &a);
	ovpn_slot_swap(&keys);
	assert_true(by_id(&keys, 2) == &b);
	ovpn_slot_put(&keys, OVPN_KEY_SLOT_PRIMARY, NULL);
	assert_true(by_id(&keys, 2) == &a);
}

CASE(a_used_up_key_is_taken_out_once)
{
	struct ovpn_key a = { 1 }, b = { 2 };
	struct ovpn_keys keys = {};
	enum ovpn_key_slot slot;

	ovpn_slot_put(&keys, OVPN_KEY_SLOT_PRIMARY, &a);
	ovpn_slot_put(&keys, OVPN_KEY_SLOT_SECONDARY, &b);
	/* somebody may have swapped between its last id and now */
	ovpn_slot_swap(&keys);
	assert_true(ovpn_slot_take(&keys, &a, &slot));
	assert_int_equal(slot, OVPN_KEY_SLOT_SECONDARY);
	assert_false(ovpn_slot_take(&keys, &a, &slot));
	assert_true(to_send(&keys) == &b && !by_id(&keys, 1));
	assert_true(ovpn_slot_take(&keys, &b, &slot));
	assert_int_equal(slot, OVPN_KEY_SLOT_PRIMARY);
	assert_true(!to_send(&keys) && !by_id(&keys, 2));
}

/* First word. */

CASE(word_holds_what_was_packed)
{
	u32 word = ovpn_proto_pack(OVPN_OPCODE_DATA_V2, 5, 0x123456);

	assert_int_equal(word, 0x4d123456);
	assert_int_equal(ovpn_proto_opcode(word), OVPN_OPCODE_DATA_V2);
	assert_int_equal(ovpn_proto_key_id(word), 5);
	assert_int_equal(ovpn_proto_peer_id(word), 0x123456);
	/* nothing spills into its neighbour */
	word = ovpn_proto_pack(31, 0xff, 0xffffffff);
	assert_int_equal(word, 0xffffffff);
	assert_int_equal(ovpn_proto_pack(0, 0xf8, 0xff000000), 0);
}

/* Addresses. */

static struct in6_addr addr(const char *text)
{
	struct in6_addr addr = {};
	struct in_addr four;

	if (inet_pton(AF_INET, text, &four) == 1)
		ovpn_addr_set4(&addr, four.s_addr);
	else
		assert_int_equal(inet_pton(AF_INET6, text, &addr), 1);
	return addr;
}

CASE(addresses_of_both_families)
{
	struct in6_addr four = addr("192.0.2.1"), six = addr("2001:db8::1");
	struct in6_addr any4 = addr("0.0.0.0"), any6 = addr("::"),
			mapped = addr("::ffff:192.0.2.1");

	assert_true(ovpn_addr_is4(&four) && ovpn_addr_is4(&any4) && ovpn_addr_is4(&mapped));
	assert_false(ovpn_addr_is4(&six) || ovpn_addr_is4(&any6));
	assert_memory_equal(&four, &mapped, sizeof(four));
	assert_int_equal(ovpn_addr_get4(&four), inet_addr("192.0.2.1"));
	assert_true(ovpn_addr_any(&any4) && ovpn_addr_any(&any6));
	assert_false(ovpn_addr_any(&four) || ovpn_addr_any(&six));
}

CASE(link_local_ends_at_its_prefix)
{
	struct in6_addr first = addr("fe80::1"), last = addr("febf::1"), below = addr("fe7f::1"),
			above = addr("fec0::1");

	assert_true(ovpn_addr_linklocal(&first) && ovpn_addr_linklocal(&last));
	assert_false(ovpn_addr_linklocal(&below) || ovpn_addr_linklocal(&above));
}

CASE(vpn_addresses_mean_one_host)
{
	static const char *const good[] = { "10.8.0.2",	       "126.255.255.255", "128.0.0.1",
					    "223.255.255.255", "240.0.0.1",	  "fd08::2",
					    "2001:db8::1",     "fe80::1",	  "::1:0:0" };
	static const char *const bad[] = {
		"127.0.0.1",	   "127.255.255.255", "224.0.0.1", "239.255.255.255",
		"255.255.255.255", "ff02::1",	      "::1",	   "::192.0.2.1"
	};
	struct in6_addr a;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		a = addr(good[i]);
		if (ovpn_addr_check_vpn(&a))
			fail_msg("%s was refused", good[i]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		a = addr(bad[i]);
		if (ovpn_addr_check_vpn(&a) != -EADDRNOTAVAIL)
			fail_msg("%s was taken", bad[i]);
	}
}

/* Super-packets. */

struct super {
	u8 packet[OVPN_SEGMENT_HEAD_MAX + 65536];
	unsigned int head, len, l4, size;
	bool ip4, tcp;
};

/* A packet with @options words of options of TCP and @payload bytes, checksums as a
 * sender leaves them to the interface.
 */
static void super_make(struct super *s, bool ip4, bool tcp, unsigned int options,
		       unsigned int payload, u32 *seed)
{
	struct iphdr *iph = (struct iphdr *)s->packet;
	struct ipv6hdr *ip6 = (struct ipv6hdr *)s->packet;
	struct tcphdr *th;
	struct udphdr *uh;
	unsigned int i;

	s->ip4 = ip4;
	s->tcp = tcp;
	s->l4 = ip4 ? sizeof(*iph) : sizeof(*ip6);
	s->head = s->l4 + (tcp ? sizeof(*th) + 4 * options : sizeof(*uh));
	s->len = s->head + payload;
	for (i = 0; i < s->len; i++)
		s->packet[i] = (u8)random_below(seed, 256);
	if (ip4) {
		iph->version = 4;
		iph->ihl = 5;
		iph->frag_off = htons(0x4000);
		iph->protocol = tcp ? IPPROTO_TCP : IPPROTO_UDP;
		iph->tot_len = htons((u16)s->len);
		iph->check = 0;
		iph->check = csum_fold(csum_partial(iph, sizeof(*iph), 0));
	} else {
		ip6->version = 6;
		ip6->nexthdr = tcp ? IPPROTO_TCP : IPPROTO_UDP;
		ip6->payload_len = htons((u16)(s->len - sizeof(*ip6)));
	}
	th = (struct tcphdr *)(s->packet + s->l4);
	uh = (struct udphdr *)th;
	if (tcp) {
		th->doff = 5 + options;
		th->ack = 1;
		th->psh = 1;
		th->fin = th->syn = th->rst = th->urg = th->cwr = 0;
	} else {
		uh->len = htons((u16)(s->len - s->l4));
	}
}

/* Are the lengths and checksums of a packet right? */
static void packet_is_whole(const u8 *packet, const struct super *s, unsigned int len)
{
	const struct iphdr *iph = (const struct iphdr *)packet;
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)packet;
	const struct udphdr *uh = (const struct udphdr *)(packet + s->l4);
	__wsum sum = htons((u16)(len - s->l4));

	sum = csum_add(sum, htons(s->tcp ? IPPROTO_TCP : IPPROTO_UDP));
	if (s->ip4) {
		assert_int_equal(ntohs(iph->tot_len), len);
		assert_int_equal(csum_fold(csum_partial(iph, sizeof(*iph), 0)), 0);
		sum = csum_partial(&iph->saddr, 8, sum);
	} else {
		assert_int_equal(ntohs(ip6->payload_len), len - sizeof(*ip6));
		sum = csum_partial(&ip6->saddr, 32, sum);
	}
	if (!s->tcp)
		assert_int_equal(ntohs(uh->len), len - s->l4);
	assert_int_equal(csum_fold(csum_partial(packet + s->l4, (int)(len - s->l4), sum)), 0);
}

/* Segment @i of a plan for @s, into @to. Return: its length */
static unsigned int segment_make(const struct ovpn_segments *plan, const struct super *s,
				 unsigned int i, u8 *to)
{
	unsigned int len = ovpn_segments_len(plan, i);

	memcpy(to + s->head, s->packet + s->head + i * s->size, len);
	ovpn_segments_head(plan, i, to, csum_partial(to + s->head, (int)len, 0));
	return s->head + len;
}

CASE(segments_are_packets)
{
	static u8 seg[OVPN_SEGMENT_HEAD_MAX + 65536] __aligned(4);
	static struct super s;
	struct ovpn_segments plan;
	u32 seed = 7, shape, i, len, payload, total;
	const struct tcphdr *th, *th0 = NULL;

	for (shape = 0; shape < 4000; shape++) {
		payload = 1 + random_below(&seed, shape % 8 ? 9000 : 60000);
		super_make(&s, shape & 1, shape & 2, random_below(&seed, 11), payload, &seed);
		s.size = 1 + random_below(&seed, 3000);
		th0 = (const struct tcphdr *)(s.packet + s.l4);
		if (s.tcp)
			((struct tcphdr *)(s.packet + s.l4))->cwr = shape >> 2 & 1;
		assert_int_equal(
			ovpn_segments_init(&plan, s.packet, s.len, s.len, s.size, shape >> 3 & 1),
			0);
		assert_int_equal(plan.count, (payload + s.size - 1) / s.size);
		for (i = 0, total = 0; i < plan.count; i++) {
			len = segment_make(&plan, &s, i, seg);
			packet_is_whole(seg, &s, len);
			total += len - s.head;
			if (s.ip4)
				assert_int_equal(ntohs(((struct iphdr *)seg)->id),
						 (u16)(ntohs(((struct iphdr *)s.packet)->id) +
						       (shape >> 3 & 1 ? 0 : i)));
			if (!s.tcp)
				continue;
			th = (const struct tcphdr *)(seg + s.l4);
			assert_int_equal(ntohl(th->seq), ntohl(th0->seq) + i * s.size);
			assert_int_equal(th->psh, i + 1 == plan.count);
			assert_int_equal(th->cwr, !i && th0->cwr);
			assert_memory_equal(th + 1, th0 + 1, s.head - s.l4 - sizeof(*th));
		}
		assert_int_equal(total, payload);
	}
}

CASE(what_is_no_plain_packet_is_not_cut)
{
	static struct super s;
	struct ovpn_segments plan;
	u32 seed = 11;

	super_make(&s, true, true, 3, 1000, &seed);
	assert_int_equal(ovpn_segments_init(&plan, s.packet, s.head, s.len, 100, false), 0);
	/* headers that are not there, nothing behind them */
	assert_int_equal(ovpn_segments_init(&plan, s.packet, s.head - 1, s.len, 100, false),
			 -EINVAL);
	assert_int_equal(ovpn_segments_init(&plan, s.packet, s.head, s.head, 100, false), -EINVAL);
	assert_int_equal(ovpn_segments_init(&plan, s.packet, 19, s.len, 100, false), -EINVAL);
	/* a fragment, another protocol, another version, headers too short */
	((struct iphdr *)s.packet)->frag_off = htons(0x2000);
	assert_int_equal(ovpn_segments_init(&plan, s.packet, s.head, s.len, 100, false), -EINVAL);
	super_make(&s, true, true, 3, 1000, &seed);
	((struct iphdr *)s.packet)->protocol = IPPROTO_SCTP;
	assert_int_equal(ovpn_segments_init(&plan, s.packet, s.head, s.len, 100, false), -EINVAL);
	super_make(&s, true, true, 3, 1000, &seed);
	((struct iphdr *)s.packet)->version = 5;
	assert_int_equal(ovpn_segments_init(&plan, s.packet, s.head, s.len, 100, false), -EINVAL);
	super_make(&s, true, true, 3, 1000, &seed);
	((struct iphdr *)s.packet)->ihl = 4;
	assert_int_equal(ovpn_segments_init(&plan, s.packet, s.head, s.len, 100, false), -EINVAL);
	super_make(&s, false, true, 3, 1000, &seed);
	((struct tcphdr *)(s.packet + s.l4))->doff = 4;
	assert_int_equal(ovpn_segments_init(&plan, s.packet, s.head, s.len, 100, false), -EINVAL);
	super_make(&s, false, true, 3, 1000, &seed);
	((struct ipv6hdr *)s.packet)->nexthdr = IPPROTO_HOPOPTS;
	assert_int_equal(ovpn_segments_init(&plan, s.packet, s.head, s.len, 100, false), -EINVAL);
}

CASE(merging_undoes_cutting)
{
	static u8 seg[OVPN_SEGMENT_HEAD_MAX + 65536] __aligned(4), first[sizeof(seg)] __aligned(4);
	static struct super s;
	struct ovpn_segments plan;
	struct ovpn_merge m;
	u32 seed = 13, shape, i, len, payload;
	struct iphdr *iph;
	struct tcphdr *th;

	for (shape = 0; shape < 2000; shape++) {
		payload = 2 + random_below(&seed, 20000);
		super_make(&s, shape & 1, true, random_below(&seed, 11), payload, &seed);
		s.size = 1 + random_below(&seed, payload - 1);
		assert_int_equal(
			ovpn_segments_init(&plan, s.packet, s.len, s.len, s.size, shape >> 1 & 1),
			0);
		len = segment_make(&plan, &s, 0, first);
		ovpn_merge_start(&m, first, len, len);
		for (i = 1; i < plan.count; i++) {
			assert_int_equal(m.count, i);
			assert_false(m.full);
			len = segment_make(&plan, &s, i, seg);
			assert_true(ovpn_merge_next(&m, first, seg, len, len));
		}
		/* the one with PSH is the last */
		assert_true(m.full);
		ovpn_merge_end(&m, first);
		assert_int_equal(m.len, s.len);
		assert_int_equal(m.size, s.size);
		/* IPv4 ids that stay and such that count are told apart */
		if (s.ip4)
			assert_int_equal(m.id_step, !(shape >> 1 & 1));
		/* checksums apart, which the whole has as a sender leaves them, the
		 * headers are those there were
		 */
		th = (struct tcphdr *)(first + s.l4);
		len = s.len - s.l4;
		iph = (struct iphdr *)first;
		assert_int_equal(
			th->check,
			(u16)~csum_fold(csum_partial(
				s.ip4 ? (void *)&iph->saddr
				      : (void *)&((struct ipv6hdr *)first)->saddr,
				s.ip4 ? 8 : 32, csum_add(htons(IPPROTO_TCP), htons((u16)len)))));
		th->check = ((struct tcphdr *)(s.packet + s.l4))->check;
		assert_memory_equal(first, s.packet, s.head);
	}
}

/* Whatever is not the same in two packets, or not the next, keeps them apart. */
CASE(merging_loses_nothing)
{
	static u8 first[4096] __aligned(4), seg[4096] __aligned(4), other[4096] __aligned(4);
	static struct super s;
	struct ovpn_segments plan;
	struct ovpn_merge m, before;
	u32 seed = 17, family, bit, len;
	u8 was;

	for (family = 0; family < 2; family++) {
		super_make(&s, family, true, 3, 300, &seed);
		s.size = 100;
		assert_int_equal(ovpn_segments_init(&plan, s.packet, s.len, s.len, s.size, false),
				 0);
		len = segment_make(&plan, &s, 0, first);
		ovpn_merge_start(&before, first, len, len);
		assert_int_equal(before.count, 1);
		len = segment_make(&plan, &s, 1, seg);
		for (bit = 0; bit < s.head * 8; bit++) {
			/* checksums were true: the tag has vouched for them */
			if (bit / 8 - s.l4 - 16 < 2 || (s.ip4 && (bit / 8 == 10 || bit / 8 == 11)))
				continue;
			/* may be the last one's */
			if (bit / 8 == s.l4 + 13 && OVPN_TCP_LAST >> bit % 8 & 1)
				continue;
			/* nothing there while URG is not set */
			if (bit / 8 - s.l4 - 18 < 2)
				continue;
			memcpy(other, seg, len);
			other[bit / 8] ^= (u8)(1 << bit % 8);
			/* an id that stays is as good as one that counts */
			if (s.ip4 && ((struct iphdr *)other)->id == ((struct iphdr *)first)->id)
				continue;
			m = before;
			was = first[s.l4 + OVPN_TCP_FLAGS];
			if (ovpn_merge_next(&m, first, other, len, len))
				fail_msg("byte %u bit %u was lost", bit / 8, bit % 8);
			assert_int_equal(first[s.l4 + OVPN_TCP_FLAGS], was);
		}
		m = before;
		/* longer than the first, nothing inside, cut short */
		assert_false(ovpn_merge_next(&m, first, seg, len, len + 1));
		assert_false(ovpn_merge_next(&m, first, seg, len, s.head));
		assert_false(ovpn_merge_next(&m, first, seg, s.head - 1, len));
		assert_true(ovpn_merge_next(&m, first, seg, len, len));
		/* the same again */
		assert_false(ovpn_merge_next(&m, first, seg, len, len));
	}
}

/* The size that TCP asks for. */

/* A SYN whose size stands behind @before options without meaning, right to the last
 * byte: what reads further is found out. NULL where @before is none of a header
 */
static u8 *syn_make(struct super *s, bool ip4, unsigned int before, u16 size, u32 *seed)
{
	unsigned int options = (before + OVPN_TCPOPT_MSS_LEN + 3) / 4;
	struct tcphdr *th;
	u8 *packet, *at;
	__wsum sum;

	super_make(s, ip4, true, options, 0, seed);
	th = (struct tcphdr *)(s->packet + s->l4);
	at = (u8 *)(th + 1);
	memset(at, OVPN_TCPOPT_NOP, 4 * options);
	at[before] = OVPN_TCPOPT_MSS;
	at[before + 1] = OVPN_TCPOPT_MSS_LEN;
	at[before + 2] = (u8)(size >> 8);
	at[before + 3] = (u8)size;
	th->syn = 1;
	th->ack = before & 1;
	th->check = 0;
	sum = csum_add(htons((u16)(s->len - s->l4)), htons(IPPROTO_TCP));
	sum = ip4 ? csum_partial(s->packet + 12, 8, sum) : csum_partial(s->packet + 8, 32, sum);
	th->check = csum_fold(csum_partial(th, (int)(s->len - s->l4), sum));
	packet = calloc(1, s->len);
	assert_non_null(packet);
	memcpy(packet, s->packet, s->len);
	packet_is_whole(packet, s, s->len);
	return packet;
}

static u16 syn_size(const u8 *packet, const struct super *s, unsigned int before)
{
	const u8 *at = packet + s->l4 + sizeof(struct tcphdr) + before + 2;

	return (u16)(at[0] << 8 | at[1]);
}

CASE(a_syn_asks_for_no_more)
{
	struct super *s = calloc(1, sizeof(*s));
	unsigned int ip4, before, i;
	u16 size, most;
	u32 seed = 5;
	u8 *packet;

	assert_non_null(s);
	for (ip4 = 0; ip4 < 2; ip4++) {
		for (before = 0; before <= 36; before++) {
			for (i = 0; i < 200; i++) {
				size = (u16)random_below(&seed, 0x10000);
				most = (u16)random_below(&seed, 0x10000);
				packet = syn_make(s, ip4, before, size, &seed);
				assert_int_equal(ovpn_mss_syn(packet, s->len), s->l4);
				assert_int_equal(ovpn_mss_clamp(packet + s->l4, most), size > most);
				assert_int_equal(syn_size(packet, s, before),
						 size > most ? most : size);
				packet_is_whole(packet, s, s->len);
				/* nothing else is another */
				packet[s->l4 + sizeof(struct tcphdr) + before + 2] =
					(u8)(size >> 8);
				packet[s->l4 + sizeof(struct tcphdr) + before + 3] = (u8)size;
				memcpy(packet + s->l4 + 16, s->packet + s->l4 + 16, 2);
				assert_memory_equal(packet, s->packet, s->len);
				free(packet);
			}
		}
	}
	free(s);
}

CASE(what_opens_no_connection_is_no_syn)
{
	struct super *s = calloc(1, sizeof(*s));
	unsigned int ip4, len;
	struct tcphdr *th;
	u32 seed = 6;
	u8 *packet, *cut;

	assert_non_null(s);
	for (ip4 = 0; ip4 < 2; ip4++) {
		packet = syn_make(s, ip4, 3, 1460, &seed);
		th = (struct tcphdr *)(packet + s->l4);
		/* shorter than its headers say, wherever it ends */
		for (len = s->l4; len < s->len; len++) {
			cut = calloc(1, len);
			assert_non_null(cut);
			memcpy(cut, packet, len);
			assert_int_equal(ovpn_mss_syn(cut, len), 0);
			/* and says so */
			if (ip4)
				((struct iphdr *)cut)->tot_len = htons((u16)len);
			else
				((struct ipv6hdr *)cut)->payload_len = htons((u16)(len - s->l4));
			assert_int_equal(ovpn_mss_syn(cut, len), 0);
			free(cut);
		}
		th->doff = 4;
		assert_int_equal(ovpn_mss_syn(packet, s->len), 0);
		th->doff = 15;
		assert_int_equal(ovpn_mss_syn(packet, s->len), 0);
		th->doff = 7;
		assert_int_equal(ovpn_mss_syn(packet, s->len), s->l4);
		th->syn = 0;
		assert_int_equal(ovpn_mss_syn(packet, s->len), 0);
		th->syn = 1;
		packet[ip4 ? 9 : 6] = IPPROTO_UDP;
		assert_int_equal(ovpn_mss_syn(packet, s->len), 0);
		packet[ip4 ? 9 : 6] = ip4 ? IPPROTO_TCP : IPPROTO_FRAGMENT;
		if (ip4) {
			/* the first fragment, and another one */
			((struct iphdr *)packet)->frag_off = htons(0x2000);
			assert_int_equal(ovpn_mss_syn(packet, s->len), 0);
			((struct iphdr *)packet)->frag_off = htons(1);
			assert_int_equal(ovpn_mss_syn(packet, s->len), 0);
			((struct iphdr *)packet)->frag_off = 0;
			((struct iphdr *)packet)->ihl = 4;
		}
		assert_int_equal(ovpn_mss_syn(packet, s->len), 0);
		free(packet);
	}
	free(s);
}

CASE(options_that_make_no_sense_are_left_alone)
{
	/* what stands behind the header, 12 bytes */
	static const u8 odd[][12] = {
		{ 2, 0, 0xff, 0xff, 2, 4, 0xff, 0xff },	   /* no length */
		{ 2, 1, 0xff, 0xff, 2, 4, 0xff, 0xff },	   /* half of one */
		{ 2, 3, 0xff, 2, 5, 0xff, 0xff, 0xff, 0 }, /* none of a size */
		{ 3, 13, 2, 4, 0xff, 0xff },		   /* longer than there is */
		{ 0, 2, 4, 0xff, 0xff },		   /* behind the end */
		{ 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 0xff }, /* cut short */
		{ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2 },	   /* no more than its kind */
	};
	struct super *s = calloc(1, sizeof(*s));
	unsigned int i;
	u32 seed = 7;
	u8 *packet;

	assert_non_null(s);
	for (i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		packet = syn_make(s, i & 1, 8, 1460, &seed);
		memcpy(packet + s->l4 + sizeof(struct tcphdr), odd[i], sizeof(odd[i]));
		memcpy(s->packet, packet, s->len);
		assert_int_equal(ovpn_mss_syn(packet, s->len), s->l4);
		assert_false(ovpn_mss_clamp(packet + s->l4, 100));
		assert_memory_equal(packet, s->packet, s->len);
		free(packet);
	}
	free(s);
}

CASE(a_syn_behind_extension_headers)
{
	static const u8 kinds[] = { IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS };
	struct super *s = calloc(1, sizeof(*s));
	unsigned int at = sizeof(struct ipv6hdr), len, i;
	u32 seed = 8;
	u8 *plain, *packet;

	assert_non_null(s);
	plain = syn_make(s, false, 0, 1440, &seed);
	len = s->len + 8 + 16 + 24;
	packet = calloc(1, len);
	assert_non_null(packet);
	memcpy(packet, plain, at);
	packet[6] = kinds[0];
	for (i = 0; i < sizeof(kinds); i++) {
		packet[at] = i + 1 < sizeof(kinds) ? kinds[i + 1] : IPPROTO_TCP;
		packet[at + 1] = (u8)i;
		at += 8 * (i + 1);
	}
	memcpy(packet + at, plain + s->l4, s->len - s->l4);
	((struct ipv6hdr *)packet)->payload_len = htons((u16)(len - sizeof(struct ipv6hdr)));
	assert_int_equal(ovpn_mss_syn(packet, len), at);
	assert_true(ovpn_mss_clamp(packet + at, 1220));
	assert_int_equal(packet[at + 22] << 8 | packet[at + 23], 1220);
	/* one of them leads out of the packet */
	packet[at - 23] = 255;
	assert_int_equal(ovpn_mss_syn(packet, len), 0);
	free(packet);
	free(plain);
	free(s);
}

#define CASES(X)                                        \
	X(replay_does_as_the_model)                     \
	X(replay_edges)                                 \
	X(replay_forgets_what_a_jump_leaves_behind)     \
	X(silence_closes_the_window)                    \
	X(the_next_second_of_another_cpu_is_no_silence) \
	X(ids_count_from_one)                           \
	X(ids_end_for_good)                             \
	X(a_key_is_where_it_was_put)                    \
	X(a_swap_moves_no_key_but_what_it_is)           \
	X(the_primary_wins_where_both_have_an_id)       \
	X(a_used_up_key_is_taken_out_once)              \
	X(word_holds_what_was_packed)                   \
	X(addresses_of_both_families)                   \
	X(link_local_ends_at_its_prefix)                \
	X(vpn_addresses_mean_one_host)                  \
	X(segments_are_packets)                         \
	X(what_is_no_plain_packet_is_not_cut)           \
	X(merging_undoes_cutting)                       \
	X(merging_loses_nothing)                        \
	X(a_syn_asks_for_no_more)                       \
	X(what_opens_no_connection_is_no_syn)           \
	X(options_that_make_no_sense_are_left_alone)    \
	X(a_syn_behind_extension_headers)

#ifndef __KERNEL__
int main(void)
{
#define X(name) cmocka_unit_test(name),
	static const struct CMUnitTest tests[] = { CASES(X) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
