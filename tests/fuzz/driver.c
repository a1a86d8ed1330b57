// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver's pure logic: packet ids as a hostile peer may choose them, first
 * words of packets, addresses, headers inside.
 */
#include "fuzz.h"

#include "kshim.h"

#include "addr.h"
#include "mss.h"
#include "pktid.h"
#include "proto.h"

/* ---- replay window ---- */

#define STEPS 512

/* What was accepted, in the slowest way: one after the other. */
struct model {
	u32 accepted[STEPS];
	u32 count, highest, floor, time;
};

static int model_accept(struct model *m, u32 id, u32 now)
{
	u32 i;

	if (!id)
		return -EINVAL;
	if ((s32)(now - m->time) >= OVPN_REPLAY_EXPIRE)
		m->floor = m->highest;
	if (id > m->highest) {
		m->highest = id;
	} else if (m->highest - id >= OVPN_REPLAY_WINDOW || id <= m->floor) {
		return -ETIME;
	} else {
		for (i = 0; i < m->count; i++) {
			if (m->accepted[i] == id)
				return -EALREADY;
		}
	}
	m->accepted[m->count++] = id;
	if (now > m->time)
		m->time = now;
	return 0;
}

/* A step is four bytes: how the two last ones make an id, how late it is, and whether
 * on a CPU that is a second behind.
 */
static void replay(const uint8_t *data, size_t size)
{
	struct ovpn_replay r = { .time = 0 };
	struct model m = { .time = 0 };
	u32 now = 1, here, id, number, steps;

	for (steps = 0; size >= 4 && steps < STEPS; data += 4, size -= 4, steps++) {
		number = data[2] | (u32)data[3] << 8;
		now += data[1] % 64;
		here = now - data[1] / 128;
		switch (data[0] % 5) {
		case 0:
			id = m.highest + number % 4;
			break;
		case 1:
			id = m.highest + number;
			break;
		case 2:
			id = m.highest - number;
			break;
		case 3:
			id = number << 16 | number;
			break;
		default:
			id = number;
			break;
		}
		must(ovpn_replay_accept(&r, id, here) == model_accept(&m, id, here));
		must(r.highest == m.highest);
	}
}

/* ---- the rest ---- */

/* No id is given away twice, however the batches fall. */
static void take(const uint8_t *data, size_t size)
{
	atomic64_t counter = { .counter = 0 };
	u32 first, last = 0, count;
	bool ended = false;
	int ret;

	for (; size >= 4; data += 4, size -= 4) {
		count = data[0] % 2 ? data[1] + 1U : (u32)data[1] << 24 | data[2] << 8 | 1;
		ret = ovpn_pktid_take(&counter, count, &first);
		must(!ret || ret == -ERANGE);
		if (ret) {
			ended = true;
			continue;
		}
		must(!ended);
		must(first > last && first + count - 1 >= first);
		last = first + count - 1;
	}
}

static void words(const uint8_t *data)
{
	u32 word;

	memcpy(&word, data, sizeof(word));
	must(ovpn_proto_pack(ovpn_proto_opcode(word), ovpn_proto_key_id(word),
			     ovpn_proto_peer_id(word)) == word);
}

static void addresses(const uint8_t *data)
{
	struct in6_addr addr, again;

	memcpy(&addr, data, sizeof(addr));
	if (ovpn_addr_is4(&addr)) {
		ovpn_addr_set4(&again, ovpn_addr_get4(&addr));
		must(!memcmp(&addr, &again, sizeof(addr)));
		must(!ovpn_addr_linklocal(&addr));
	}
	if (!ovpn_addr_check_vpn(&addr) && !ovpn_addr_any(&addr))
		must(!IN6_IS_ADDR_MULTICAST(&addr) && !IN6_IS_ADDR_LOOPBACK(&addr) &&
		     !IN6_IS_ADDR_V4COMPAT(&addr));
}

/* What TCP asks for becomes no larger than that, and once it is there is nothing to do. */
static void sizes(const uint8_t *data, size_t size)
{
	u16 most = (u16)(data[0] << 8 | data[1]);
	u8 *packet = malloc(size - 2);
	unsigned int at;

	must(packet);
	memcpy(packet, data + 2, size - 2);
	at = ovpn_mss_syn(packet, (unsigned int)size - 2);
	if (at) {
		must(at + sizeof(struct tcphdr) <= size - 2);
		must(ovpn_mss_clamp(packet + at, most) == !!memcmp(packet, data + 2, size - 2));
		must(!ovpn_mss_clamp(packet + at, most));
	}
	free(packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	replay(data, size);
	take(data, size);
	if (size >= sizeof(u32))
		words(data);
	if (size >= sizeof(struct in6_addr))
		addresses(data);
	if (size >= 2 + sizeof(struct ipv6hdr))
		sizes(data, size);
	return 0;
}
