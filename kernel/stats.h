/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters. Everything is per CPU and folded when somebody asks. */
#ifndef OVPN_STATS_H
#define OVPN_STATS_H

#include <linux/u64_stats_sync.h>

/* Why a packet was dropped: name in ethtool -S, sentence */
#define OVPN_DROPS(X)							\
	X(RX_SHORT, "rx_drop_short")	/* no room for what a packet needs */ \
	X(RX_NOT_DATA, "rx_drop_not_data") /* nobody reads a kernel socket */ \
	X(RX_DATA_V1, "rx_drop_data_v1")	/* format nobody negotiates */ \
	X(RX_NO_PEER, "rx_drop_no_peer")	/* unknown peer id or address */ \
	X(RX_NO_KEY, "rx_drop_no_key")		/* no key with that key id */ \
	X(RX_AUTH, "rx_drop_auth")		/* tag is wrong */	\
	X(RX_REPLAY, "rx_drop_replay")		/* seen, or too old to tell */ \
	X(RX_EMPTY, "rx_drop_empty")		/* nothing inside */	\
	X(RX_PROTO, "rx_drop_proto")		/* inside is no IP packet */ \
	X(RX_SOURCE, "rx_drop_source")		/* inner source is not the peer's */ \
	X(RX_NOMEM, "rx_drop_nomem")					\
	X(RX_LINK_DOWN, "rx_drop_link_down")	/* interface down or flooded */ \
	X(TX_PROTO, "tx_drop_proto")		/* not an IP packet */	\
	X(TX_NO_PEER, "tx_drop_no_peer")	/* nobody has that address */ \
	X(TX_NO_KEY, "tx_drop_no_key")		/* peer has no primary key */ \
	X(TX_EXHAUSTED, "tx_drop_exhausted")	/* key is out of packet ids */ \
	X(TX_CRYPTO, "tx_drop_crypto")					\
	X(TX_NO_TRANSPORT, "tx_drop_no_transport") /* no socket, no remote */ \
	X(TX_NO_ROUTE, "tx_drop_no_route")	/* to the remote, or a loop */ \
	X(TX_QUEUE, "tx_drop_queue")		/* TCP transport is congested */ \
	X(TX_NOMEM, "tx_drop_nomem")

enum ovpn_drop {
#define X(sym, name) OVPN_DROP_##sym,
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
