/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters. Everything is per CPU and folded when somebody asks. */
#ifndef OVPN_STATS_H
#define OVPN_STATS_H

#include <linux/u64_stats_sync.h>

/* Why a packet was dropped, see OVPN_A_DROP_* in uapi/linux/ovpn.h: direction and
 * rest of the name. For ethtool -S that is rx_drop_short, elsewhere rx_short.
 */
#define OVPN_DROPS(X)							\
	X(RX_SHORT, "rx", "short")					\
	X(RX_NOT_DATA, "rx", "not_data")				\
	X(RX_DATA_V1, "rx", "data_v1")					\
	X(RX_NO_PEER, "rx", "no_peer")					\
	X(RX_NO_KEY, "rx", "no_key")					\
	X(RX_AUTH, "rx", "auth")					\
	X(RX_REPLAY, "rx", "replay")					\
	X(RX_EMPTY, "rx", "empty")					\
	X(RX_PROTO, "rx", "proto")					\
	X(RX_SOURCE, "rx", "source")					\
	X(RX_NOMEM, "rx", "nomem")					\
	X(RX_LINK_DOWN, "rx", "link_down")				\
	X(RX_UNREAD, "rx", "unread")					\
	X(TX_PROTO, "tx", "proto")					\
	X(TX_NO_PEER, "tx", "no_peer")					\
	X(TX_NO_KEY, "tx", "no_key")					\
	X(TX_EXHAUSTED, "tx", "exhausted")				\
	X(TX_CRYPTO, "tx", "crypto")					\
	X(TX_NO_TRANSPORT, "tx", "no_transport")			\
	X(TX_NO_ROUTE, "tx", "no_route")				\
	X(TX_QUEUE, "tx", "queue")					\
	X(TX_NOMEM, "tx", "nomem")

enum ovpn_drop {
#define X(sym, dir, rest) OVPN_DROP_##sym,
	OVPN_DROPS(X)
#undef X
	OVPN_DROP_COUNT,
	/* from here on a drop is one of transmission */
	OVPN_DROP_TX_FIRST = OVPN_DROP_TX_PROTO,
};

/**
 * struct ovpn_counter - packets and their bytes in one direction
 * @packets: number of packets
 * @bytes: sum of their lengths
 */
struct ovpn_counter {
	u64_stats_t packets;
	u64_stats_t bytes;
};

/**
 * struct ovpn_sum - a counter folded over all CPUs
 * @packets: number of packets
 * @bytes: sum of their lengths
 */
struct ovpn_sum {
	u64 packets;
	u64 bytes;
};

/**
 * ovpn_counter_add - count packets
 * @c: the counter, inside an update section of its u64_stats_sync
 * @packets: number of packets
 * @bytes: sum of their lengths
 */
static inline void ovpn_counter_add(struct ovpn_counter *c, unsigned int packets,
				    unsigned int bytes)
{
	u64_stats_add(&c->packets, packets);
	u64_stats_add(&c->bytes, bytes);
}

/**
 * ovpn_counter_fold - add a CPU's counter to a sum
 * @sum: the sum
 * @c: the counter, read as a whole by means of its u64_stats_sync
 */
static inline void ovpn_counter_fold(struct ovpn_sum *sum, const struct ovpn_counter *c)
{
	sum->packets += u64_stats_read(&c->packets);
	sum->bytes += u64_stats_read(&c->bytes);
}

#endif /* OVPN_STATS_H */
