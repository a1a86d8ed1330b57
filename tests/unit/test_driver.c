// SPDX-License-Identifier: GPL-2.0-only
/* The driver's pure logic: replay window, packet ids, first word, addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "kshim.h"

#include "addr.h"
#include "pktid.h"
#include "proto.h"

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
	if (now - m->time >= OVPN_REPLAY_EXPIRE)
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
	m->time = now;
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
	u32 now = 1000, base = 1, id, i;
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
		want = model_accept(m, id, now);
		ret = ovpn_replay_accept(r, id, now);
		if (ret != want)
			fail_msg("seed %u step %u id %u: %d, not %d", seed, i, id, ret, want);
	}
	free(m);
	free(r);
}

static void replay_does_as_the_model(void **state)
{
	static const u32 spread[] = { 1, 10, 63, 64, 65, 500, 2047, 2048, 2049, 5000 };
	size_t i;
	u32 seed;

	(void)state;
	for (i = 0; i < sizeof(spread) / sizeof(*spread); i++)
		for (seed = 1; seed <= 4; seed++)
			follow_model(seed * 7919, spread[i], seed == 1 ? 1 : 40);
}

static void replay_edges(void **state)
{
	struct ovpn_replay r = { .time = 5 };

	(void)state;
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

static void replay_forgets_what_a_jump_leaves_behind(void **state)
{
	struct ovpn_replay r = {};
	u32 id;

	(void)state;
	for (id = 1; id <= OVPN_REPLAY_WINDOW; id++)
		assert_int_equal(ovpn_replay_accept(&r, id, 0), 0);
	assert_int_equal(ovpn_replay_accept(&r, 10 * OVPN_REPLAY_WINDOW, 0), 0);
	for (id = 9 * OVPN_REPLAY_WINDOW + 1; id < 10 * OVPN_REPLAY_WINDOW; id++)
		assert_int_equal(ovpn_replay_accept(&r, id, 0), 0);
}

static void silence_closes_the_window(void **state)
{
	struct ovpn_replay r = {};

	(void)state;
	assert_int_equal(ovpn_replay_accept(&r, 100, 10), 0);
	assert_int_equal(ovpn_replay_accept(&r, 99, 10 + OVPN_REPLAY_EXPIRE - 1), 0);
	assert_int_equal(ovpn_replay_accept(&r, 98, 10 + 2 * OVPN_REPLAY_EXPIRE - 1), -ETIME);
	assert_int_equal(ovpn_replay_accept(&r, 101, 10 + 2 * OVPN_REPLAY_EXPIRE), 0);
	/* it stays closed for what was late then */
	assert_int_equal(ovpn_replay_accept(&r, 97, 10 + 2 * OVPN_REPLAY_EXPIRE), -ETIME);
}

/* Ids of a sending key. */

static void ids_count_from_one(void **state)
{
	atomic64_t counter = {};
	u32 first;

	(void)state;
	assert_int_equal(ovpn_pktid_take(&counter, 1, &first), 0);
	assert_int_equal(first, 1);
	assert_int_equal(ovpn_pktid_take(&counter, 44, &first), 0);
	assert_int_equal(first, 2);
	assert_int_equal(ovpn_pktid_take(&counter, 1, &first), 0);
	assert_int_equal(first, 46);
}

static void ids_end_for_good(void **state)
{
	atomic64_t counter = { U32_MAX - 10 };
	u32 first;

	(void)state;
	assert_int_equal(ovpn_pktid_take(&counter, 10, &first), 0);
	assert_int_equal(first, U32_MAX - 9);
	assert_int_equal(ovpn_pktid_take(&counter, 1, &first), -ERANGE);
	assert_int_equal(ovpn_pktid_take(&counter, 1, &first), -ERANGE);

	/* a batch that does not fit takes the rest along */
	counter.counter = U32_MAX - 10;
	assert_int_equal(ovpn_pktid_take(&counter, 11, &first), -ERANGE);
	assert_int_equal(ovpn_pktid_take(&counter, 1, &first), -ERANGE);
}

/* First word. */

static void word_holds_what_was_packed(void **state)
{
	u32 word = ovpn_proto_pack(OVPN_OPCODE_DATA_V2, 5, 0x123456);

	(void)state;
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

static void addresses_of_both_families(void **state)
{
	struct in6_addr four = addr("192.0.2.1"), six = addr("2001:db8::1");
	struct in6_addr any4 = addr("0.0.0.0"), any6 = addr("::"),
			mapped = addr("::ffff:192.0.2.1");

	(void)state;
	assert_true(ovpn_addr_is4(&four) && ovpn_addr_is4(&any4) && ovpn_addr_is4(&mapped));
	assert_false(ovpn_addr_is4(&six) || ovpn_addr_is4(&any6));
	assert_memory_equal(&four, &mapped, sizeof(four));
	assert_int_equal(ovpn_addr_get4(&four), inet_addr("192.0.2.1"));
	assert_true(ovpn_addr_any(&any4) && ovpn_addr_any(&any6));
	assert_false(ovpn_addr_any(&four) || ovpn_addr_any(&six));
}

static void link_local_ends_at_its_prefix(void **state)
{
	struct in6_addr first = addr("fe80::1"), last = addr("febf::1"), below = addr("fe7f::1"),
			above = addr("fec0::1");

	(void)state;
	assert_true(ovpn_addr_linklocal(&first) && ovpn_addr_linklocal(&last));
	assert_false(ovpn_addr_linklocal(&below) || ovpn_addr_linklocal(&above));
}

static void vpn_addresses_mean_one_host(void **state)
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

	(void)state;
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(replay_does_as_the_model),
		cmocka_unit_test(replay_edges),
		cmocka_unit_test(replay_forgets_what_a_jump_leaves_behind),
		cmocka_unit_test(silence_closes_the_window),
		cmocka_unit_test(ids_count_from_one),
		cmocka_unit_test(ids_end_for_good),
		cmocka_unit_test(word_holds_what_was_packed),
		cmocka_unit_test(addresses_of_both_families),
		cmocka_unit_test(link_local_ends_at_its_prefix),
		cmocka_unit_test(vpn_addresses_mean_one_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
